"""What is wrong with a set of volumes is said of each volume, all at once, with the images that it touches."""

import json
import shutil
import tarfile
from pathlib import Path

import pytest

from support import skopeo
from support.airgap import Airgap, Result, plain
from support.memory_registry import MemoryRegistry
from support.registry import Registry
from support.small_bundle import small_image, small_layer
from support.source import SourceImages

SIZE = 128 * 1024  # of a volume, in bytes


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two images that share a layer, in five volumes; of the own layer of the first there is some in four."""
    work = tmp_path_factory.mktemp("written")
    (work / "set").mkdir()
    shared = small_layer(0, 30_000)
    with MemoryRegistry() as source:
        source.add("team/one", "1", small_image(1, shared, size=350_000))
        source.add("team/two", "1", small_image(2, shared, size=90_000))
        Airgap(work / "home").export("pull", f"{source.host}/team/one:1", f"{source.host}/team/two:1", "--platform",
                                     "linux/amd64", *plain(source), "--no-referrers", "--output", work / "set" / "set.tar",
                                     "--volume-size", SIZE).ok()
    return work / "set"


@pytest.fixture
def folder(written: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(written, tmp_path / "set"))


def volume(folder: Path, number: int) -> Path:
    return folder / f"set.{number:03}.tar"


def pieces(folder: Path) -> dict[int, str]:
    """By volume, the first piece of a blob that lies in most of them."""
    found: dict[int, str] = {}
    for path in sorted(folder.glob("set.*.tar")):
        with tarfile.open(path) as archive:
            names = [name for name in archive.getnames() if ".part-" in name]
        found.update({int(path.name[4:7]): name for name in names[:1]})
    return found


def damage(folder: Path, number: int) -> None:
    """One byte of the piece in the volume."""
    path = volume(folder, number)
    with tarfile.open(path) as archive:
        place = archive.getmember(pieces(folder)[number]).offset_data + 10
    data = bytearray(path.read_bytes())
    data[place] ^= 1
    path.write_bytes(data)


def touched(verified: Result) -> set[str]:
    """The images that any finding touches."""
    (report,) = [json.loads(line) for line in verified.out.splitlines() if '"event":"verify"' in line]
    return {name.rsplit("/", 1)[1] for name in report["damaged"]}


def images_in(folder: Path, *numbers: int) -> set[str]:
    """Those that have a blob in one of the volumes."""
    with tarfile.open(volume(folder, 1)) as archive:
        member = archive.extractfile("manifest.json")
        assert member is not None
        layers = {image["RepoTags"][0].rsplit("/", 1)[1]: {*image["Layers"], image["Config"]} for image in json.load(member)}
    names: set[str] = set()
    for number in numbers:
        with tarfile.open(volume(folder, number)) as archive:
            held = {name.split(".part-")[0] for name in archive.getnames()}
        names |= {image for image, blobs in layers.items() if blobs & held}
    return names


def test_a_volume_that_is_cut_is_named_with_the_images_that_lost_something(airgap: Airgap, folder: Path, registry: Registry
                                                                           ) -> None:
    lost = images_in(folder, 3)
    assert lost and lost != {"one:1", "two:1"}
    path = volume(folder, 3)
    path.write_bytes(path.read_bytes()[:20_000])
    verified = airgap.import_("verify", folder, "--json")
    assert verified.status == 5 and touched(verified) == lost
    said = airgap.import_("verify", folder).out
    assert "set.003.tar: end of the archive: it is cut: got 20000 of" in said
    assert "it is missing: the volume is cut before its end" in said
    airgap.import_("push", folder, registry.host, *plain(registry)).fails(5, r"set\.003\.tar", "it is cut: got 20000 of")
    assert registry.client().repositories() == []


def test_of_a_blob_in_several_volumes_each_damaged_piece_is_named(airgap: Airgap, folder: Path) -> None:
    inside = pieces(folder)
    assert len(inside) >= 4
    damaged = sorted(inside)[:3]
    for number in damaged:
        damage(folder, number)
    verified = airgap.import_("verify", folder)
    assert verified.status == 5 and "3 findings" in verified.out
    for number in damaged:
        assert f"set.00{number}.tar: {inside[number]}: wrong bytes: expected sha256:" in verified.out


def test_what_is_there_of_an_incomplete_set_is_verified(airgap: Airgap, folder: Path) -> None:
    inside = pieces(folder)
    volume(folder, 3).unlink()
    damage(folder, 2)
    verified = airgap.import_("verify", folder / "set.tar")
    assert verified.status == 5 and "2 findings" in verified.out
    assert "volume 3 of 5: it is missing" in verified.out
    assert f"set.002.tar: {inside[2]}: wrong bytes: expected sha256:" in verified.out


@pytest.mark.parametrize("head", [b"", b"\0" * 512, None], ids=["empty", "without its first block", "cut inside the head"])
def test_a_volume_with_a_damaged_head_is_there_and_has_to_be_copied_again(head: bytes | None, airgap: Airgap, folder: Path,
                                                                         registry: Registry) -> None:
    lost = images_in(folder, 2)
    path = volume(folder, 2)
    data = path.read_bytes()
    path.write_bytes(data[:1200] if head is None else head + data[512:] if head else b"")
    verified = airgap.import_("verify", folder)
    assert "volume 2 of 5: set.002.tar is there, but its head is damaged" in verified.out
    assert "hint: copy this volume again" in verified.out and "is missing" not in verified.out
    assert touched(airgap.import_("verify", folder, "--json")) == lost
    airgap.import_("push", folder, registry.host, *plain(registry)).fails(
        5, r"volume 2 of 5: set\.002\.tar is there, but its head is damaged; without it these images", "copy this volume again")
    assert "of which 2 is not here; set.002.tar is there, but its head is damaged" in airgap.import_("list", folder).ok().out


@pytest.mark.parametrize(("member", "text"), [("SHA256SUMS", b"bundle.json"), ("volume.json", b'"number":'),
                                              ("volume.json", b'"stream":"')])
def test_a_damaged_head_is_not_taken_for_another_bundle(member: str, text: bytes, airgap: Airgap, folder: Path) -> None:
    """What is changed in one copy is still known from SHA256SUMS.volume, and from the other volumes."""
    path = volume(folder, 4)
    with tarfile.open(path) as archive:
        start = archive.getmember(member).offset_data
    data = bytearray(path.read_bytes())
    place = data.index(text, start) + (len(text) if member == "volume.json" else -10)
    data[place] ^= 1
    path.write_bytes(data)
    verified = airgap.import_("verify", folder)
    assert verified.status == 5 and "different bundles" not in verified.err
    assert "set.004.tar" in verified.out and "set.001.tar" not in verified.out


def test_several_volumes_are_damaged_in_the_plural(airgap: Airgap, folder: Path) -> None:
    damage(folder, 2)
    one, *others = sorted(folder.glob("set.*.tar"))
    assert f"{others[-1]} are damaged: 1 finding" in airgap.import_("verify", one, *others).out
    assert f"{folder} is damaged: 1 finding" in airgap.import_("verify", folder).out


def test_a_folder_of_volumes_and_of_a_tree_asks_which_is_meant(airgap: Airgap, folder: Path, registry: Registry,
                                                               source: Registry, source_images: SourceImages,
                                                               tmp_path: Path) -> None:
    file = tmp_path / "tree.yaml"
    file.write_text(json.dumps({source.host: {"tls-verify": False, "images": {"tools/busybox": ["1.35"]}}}))
    skopeo.sync(file, folder, "--scoped", src="yaml")
    words = ("holds volumes of a bundle and folders with images", r"set\.001\.tar", "name the one that is meant")
    airgap.import_("push", folder, registry.host, *plain(registry)).fails(2, *words)
    airgap.import_("verify", folder).fails(2, *words)
    airgap.import_("list", folder).fails(2, *words)
    airgap.export("pull", f"{source.host}/tools/busybox:1.35", *plain(source), "--since", folder, "--output",
                  tmp_path / "delta.tar").fails(2, *words)
    airgap.import_("verify", volume(folder, 1)).ok()
    airgap.import_("push", volume(folder, 1), registry.host, *plain(registry)).ok()
    assert registry.client().repositories() == ["team/one", "team/two"]


def test_a_push_names_the_images_of_a_damaged_piece_and_keep_going_pushes_the_others(airgap: Airgap, folder: Path,
                                                                                  registry: Registry) -> None:
    damage(folder, 4)
    push = ("push", folder, registry.host, *plain(registry), "--retry", 0)
    assert "team/two:1" not in airgap.import_(*push).fails(5, "; it touches .*/team/one:1").err
    airgap.import_(*push, "--keep-going").fails(5, "team/one:1 failed")
    assert registry.client().tags("team/one") == [] and registry.client().tags("team/two") == ["1"]
