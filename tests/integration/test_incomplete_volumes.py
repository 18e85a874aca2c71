"""Of a set of volumes some are missing, cut or damaged, and nobody sits at the terminal: what is needed of them decides."""

import shutil
import tarfile
from pathlib import Path

import pytest
from conftest import Running

from support import oci
from support.airgap import Airgap, Result, plain
from support.oci import Manifest
from support.proxy import FaultProxy
from support.pushing import error
from support.registry import Registry
from support.small_bundle import small_image
from support.small_volumes import images_in, write_volumes

NAMES = ("one", "two", "three", "four", "five", "six")
IMAGES = {name: small_image(seed, size=90_000) for seed, name in enumerate(NAMES)}


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    work = tmp_path_factory.mktemp("written")
    assert len(write_volumes(Airgap(work / "home"), IMAGES, work / "set")) == 6
    return work / "set"


@pytest.fixture
def folder(written: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(written, tmp_path / "set"))


def volume(folder: Path, number: int) -> Path:
    return folder / f"set.{number:03}.tar"


def cut(path: Path, length: int) -> None:
    path.write_bytes(path.read_bytes()[:length])


def push(airgap: Airgap, folder: Path, registry: Registry, *options: object) -> Result:
    return airgap.import_("push", folder, registry.host, *plain(registry), *options)


def arrived(registry: Registry) -> set[str]:
    client = registry.client()
    there = {name.removeprefix("team/") for name in client.repositories()}
    return {name for name in there if client.has_manifest(f"team/{name}", "1")}


def assert_only_asked(registry: Registry) -> None:
    assert registry.requests("POST|PUT|PATCH") == []


def test_volumes_are_not_missed_when_the_registry_has_all_that_they_hold(airgap: Airgap, folder: Path, registry: Registry
                                                                         ) -> None:
    push(airgap, folder, registry).ok()
    for number in 2, 3, 5:
        volume(folder, number).unlink()
    cut(volume(folder, 4), 60_000)
    said = push(airgap, folder, registry).ok().err
    assert "volumes 2-3, 5 of 6 are missing; volume 4 of 6: set.004.tar: end of the archive: it is cut: got 60000 of" in said


def test_only_a_volume_with_something_that_has_to_be_sent_is_missed(airgap: Airgap, folder: Path, registry: Registry) -> None:
    lost = images_in(IMAGES, volume(folder, 5))
    assert lost and lost != set(IMAGES)
    for name in set(IMAGES) - lost:
        oci.push(registry.client(), f"team/{name}", "1", IMAGES[name])
    for number in 2, 4, 5:
        volume(folder, number).unlink()
    registry.mark()
    said = push(airgap, folder, registry).fails(5, "volume", "put them beside the others").err
    error = next(line for line in said.splitlines() if "error:" in line)
    assert " 2" not in error.split(";")[0]
    assert {name for name in NAMES if f"team/{name}:1" in error} == lost
    assert_only_asked(registry)


def test_images_that_no_missing_volume_touches_are_pushed_with_keep_going(airgap: Airgap, folder: Path, registry: Registry
                                                                          ) -> None:
    gone = [volume(folder, number) for number in (3, 5)]
    lost = images_in(IMAGES, *gone)
    assert lost and lost != set(IMAGES)
    for path in gone:
        path.unlink()
    refused = push(airgap, folder, registry).fails(5, "volumes 3, 5 of 6 are missing; without them these images are not whole")
    assert {name for name in NAMES if f"team/{name}:1" in refused.err} == lost
    assert registry.client().repositories() == []
    result = push(airgap, folder, registry, "--keep-going").fails(5, f"{len(IMAGES) - len(lost)} of 6 images in place")
    assert arrived(registry) == set(IMAGES) - lost
    for name in lost:
        assert any(f"team/{name}:1 is left out" in line and "of 6 is missing" in line for line in result.err.splitlines())


@pytest.mark.parametrize("length", [20_000, 100_000])
def test_a_cut_volume_touches_the_images_that_verify_names(length: int, airgap: Airgap, folder: Path, registry: Registry
                                                          ) -> None:
    cut(volume(folder, 3), length)
    (report,) = [event for event in airgap.import_("verify", folder, "--json").events() if event["event"] == "verify"]
    lost = {name.rsplit("/", 1)[1].removesuffix(":1") for name in report["damaged"]}
    assert lost and lost != set(IMAGES)
    refused = push(airgap, folder, registry).fails(5, f"set.003.tar: end of the archive: it is cut: got {length} of",
                                                   "copy this volume again")
    assert {name for name in NAMES if f"team/{name}:1" in refused.err} == lost
    assert registry.client().repositories() == []
    push(airgap, folder, registry, "--keep-going").fails(5, "it is cut")
    assert arrived(registry) == set(IMAGES) - lost


def touched(airgap: Airgap, folder: Path) -> set[str]:
    """What `verify` names."""
    (report,) = [event for event in airgap.import_("verify", folder, "--json").events() if event["event"] == "verify"]
    return {name.rsplit("/", 1)[1].removesuffix(":1") for name in report["damaged"]}


def test_damage_of_a_volume_that_touches_no_image_costs_none(airgap: Airgap, folder: Path, registry: Registry) -> None:
    """As of one file, it is no success all the same."""
    with volume(folder, 6).open("r+b") as file:
        file.seek(-1, 2)
        file.write(b"x")
    assert touched(airgap, folder) == set()
    push(airgap, folder, registry).fails(5, "set.006.tar: end of the archive: the padding or the two zero blocks")
    assert registry.client().repositories() == []
    push(airgap, folder, registry, "--keep-going").fails(5, "set.006.tar: end of the archive", "6 of 6 images in place")
    assert arrived(registry) == set(IMAGES)


def test_a_damaged_header_in_a_volume_touches_the_images_that_verify_names(airgap: Airgap, folder: Path, registry: Registry
                                                                           ) -> None:
    path = volume(folder, 3)
    assert len(images_in(IMAGES, path)) > 1
    with tarfile.open(path) as archive:
        at = [member.offset for member in archive.getmembers() if member.name.startswith("blobs/")][-1]
    data = bytearray(path.read_bytes())
    data[at + 110] ^= 1
    path.write_bytes(data)
    lost = touched(airgap, folder)
    assert len(lost) == 1
    push(airgap, folder, registry, "--keep-going").fails(5, "its header is damaged", "5 of 6 images in place")
    assert arrived(registry) == set(IMAGES) - lost


def test_a_set_without_all_volumes_is_not_called_a_delta(airgap: Airgap, folder: Path, registry: Registry,
                                                         running: Running) -> None:
    """The registry loses meanwhile what it had, and the volume that has it is not there."""
    push(airgap, folder, registry).ok()
    volume(folder, 5).unlink()
    proxy = running(FaultProxy(registry))
    proxy.rule("HEAD", "/manifests/", status=404)
    proxy.rule("PUT", "/manifests/", status=404, body=error("MANIFEST_BLOB_UNKNOWN"),
               headers={"Content-Type": "application/json"}, on_match=lambda: proxy.rule("HEAD", "/blobs/", status=404))
    said = airgap.import_("push", folder, proxy.host, *plain(proxy), "--retry", 0).fails(5).err
    assert "volume 5 of 6 is missing" in said.split("error: ")[1]
    assert "delta" not in said and "want-list" not in said


def test_where_all_images_are_left_out_nothing_is_said_to_be_there(airgap: Airgap, folder: Path, registry: Registry) -> None:
    volume(folder, 1).unlink()
    said = push(airgap, folder, registry, "--keep-going").fails(5, "0 of 6 images in place").err
    assert "the registry has all of it" not in said


def test_a_damaged_manifest_and_a_missing_volume_cost_their_images_and_no_more(airgap: Airgap, folder: Path,
                                                                              registry: Registry) -> None:
    lost = images_in(IMAGES, volume(folder, 5))
    damaged = next(name for name in NAMES if name not in lost)
    good = IMAGES[damaged].data
    first = volume(folder, 1)
    first.write_bytes(first.read_bytes().replace(good, good[:-1] + b"x"))
    volume(folder, 5).unlink()
    said = push(airgap, folder, registry).fails(5, "set.001.tar: blobs/sha256/", "; it touches ").err
    assert {name for name in NAMES if f"team/{name}:1" in said} == {*lost, damaged}
    assert registry.client().repositories() == []
    lines = push(airgap, folder, registry, "--keep-going").fails(5).err.splitlines()
    assert arrived(registry) == set(IMAGES) - lost - {damaged} != set()
    for name in NAMES:
        left_out = [line for line in lines if f"team/{name}:1 is left out" in line]
        assert len(left_out) == (name in lost or name == damaged)
        assert all(("volume 5 of 6 is missing" in line) == (name in lost) for line in left_out)


def test_without_the_volume_with_the_manifests_no_image_can_be_pushed(airgap: Airgap, folder: Path, registry: Registry) -> None:
    volume(folder, 1).unlink()
    for options in ((), ("--keep-going",)):
        said = push(airgap, folder, registry, *options).fails(5, "volume 1 of 6 is missing").err
        assert all(f"team/{name}:1" in said for name in NAMES)
    assert registry.client().repositories() == []
