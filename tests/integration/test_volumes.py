"""A bundle over several files: written, carried in pieces, found again, and what is wrong with a set is named."""

import hashlib
import json
import re
import shutil
import signal
import subprocess
import tarfile
import threading
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import pytest
from conftest import Running

from support.airgap import Airgap, Result, executable, plain
from support.memory_registry import MemoryRegistry
from support.oci import Blob, Manifest
from support.proxy import FaultProxy
from support.registry import Registry
from support.small_bundle import small_image, small_layer

SIZE = 128 * 1024  # of a volume, in bytes


@dataclass(frozen=True)
class Set:
    """Volumes of team/one:1 and team/two:1, which share a layer. Shared by tests: copy them before changing one."""

    directory: Path
    host: str  # of the registry that they came from, gone by now
    images: dict[str, Manifest]

    @property
    def volumes(self) -> list[Path]:
        return sorted(self.directory.glob("set.*.tar"))

    def holds(self, number: int) -> list[dict[str, object]]:
        with tarfile.open(self.directory / f"set.{number:03}.tar") as archive:
            member = archive.extractfile("volume.json")
            assert member is not None
            return list(json.load(member)["holds"])


def images() -> dict[str, Manifest]:
    shared: Blob = small_layer(0, 150_000)
    return {"one": small_image(1, shared, size=300_000), "two": small_image(2, shared, size=90_000)}


def pull_words(host: str, output: object, *options: object, names: tuple[str, ...] = ("one", "two")) -> list[object]:
    return ["pull", *[f"{host}/team/{name}:1" for name in names], "--platform", "linux/amd64", "--plain-http", host,
            "--no-referrers", "--output", output, *options]


def make_set(work: Path, sequence_of: Path | None = None) -> Set:
    made = images()
    with MemoryRegistry() as source:
        for name, manifest in made.items():
            source.add(f"team/{name}", "1", manifest)
        work.mkdir(exist_ok=True)
        Airgap(work.parent / f"{work.name}-home").export(
            *pull_words(source.host, work / "set.tar", "--volume-size", SIZE)).ok()
        return Set(work, source.host, made)


@pytest.fixture(scope="session")
def shared_set(tmp_path_factory: pytest.TempPathFactory) -> Set:
    return make_set(tmp_path_factory.mktemp("volumes") / "set")


@pytest.fixture
def volumes(shared_set: Set, tmp_path: Path) -> Set:
    """A copy of this test's own."""
    shutil.copytree(shared_set.directory, tmp_path / "set")
    return Set(tmp_path / "set", shared_set.host, shared_set.images)


@pytest.fixture
def server(running: Running) -> MemoryRegistry:
    server = running(MemoryRegistry())
    for name, manifest in images().items():
        server.add(f"team/{name}", "1", manifest)
    return server


def assert_filled(registry: Registry, volumes: Set) -> None:
    for name, manifest in volumes.images.items():
        assert registry.client().digest(f"team/{name}", "1") == manifest.digest


def flip(path: Path, offset: int) -> None:
    data = bytearray(path.read_bytes())
    data[offset] ^= 1
    path.write_bytes(data)


def test_volumes_are_whole_tars_that_stock_tools_read(volumes: Set, tmp_path: Path) -> None:
    assert len(volumes.volumes) == 5
    together = tmp_path / "together"
    together.mkdir()
    for path in volumes.volumes:
        assert path.stat().st_size <= SIZE
        names = subprocess.run(["tar", "tf", path], check=True, capture_output=True, text=True).stdout.split()
        assert names[:4] == ["oci-layout", "index.json", "bundle.json", "manifest.json"]
        assert names[-1] == "SHA256SUMS.volume"
        alone = tmp_path / path.stem
        alone.mkdir()
        subprocess.run(["tar", "xf", path, "-C", alone], check=True)
        subprocess.run(["sha256sum", "--strict", "-c", "SHA256SUMS.volume"], cwd=alone, check=True, capture_output=True)
        subprocess.run(["tar", "xf", path, "-C", together], check=True)
    cut = {part.name.split(".")[0] for part in together.glob("blobs/sha256/*.part-*")}
    assert cut
    for name in cut:
        pieces = sorted(together.glob(f"blobs/sha256/{name}.part-*"))
        data = b"".join(piece.read_bytes() for piece in pieces)
        assert hashlib.sha256(data).hexdigest() == name
        (together / "blobs" / "sha256" / name).write_bytes(data)
    subprocess.run(["sha256sum", "--strict", "-c", "SHA256SUMS"], cwd=together, check=True, capture_output=True)


def test_a_set_goes_in_by_its_folder_by_any_of_its_files_and_by_the_name_it_was_given(
        airgap: Airgap, volumes: Set, registry: Registry) -> None:
    for bundle in (volumes.directory, volumes.volumes[1], volumes.directory / "set.tar"):
        airgap.import_("push", bundle, registry.host, *plain(registry)).ok()
        assert_filled(registry, volumes)
        assert "5 volumes, all of them here" in airgap.import_("list", bundle).ok().out
    assert "is whole: 2 images" in airgap.import_("verify", volumes.directory).ok().out


def test_names_order_and_places_do_not_matter(airgap: Airgap, volumes: Set, registry: Registry, tmp_path: Path) -> None:
    first, second, *others = volumes.volumes
    disc, disk = tmp_path / "disc", tmp_path / "disk"
    disc.mkdir()
    disk.mkdir()
    shutil.move(first, disc / "zzz.tar")
    shutil.move(second, disk / "aaa.tar")
    (disc / "set.001.tar.bak").write_bytes(b"no volume")
    airgap.import_("push", disk, *reversed(others), disc / "zzz.tar", registry.host, *plain(registry)).ok()
    assert_filled(registry, volumes)
    airgap.import_("verify", disc, volumes.directory, disk).ok()


def test_a_missing_volume_is_named_with_the_images_that_it_touches(airgap: Airgap, volumes: Set, registry: Registry) -> None:
    last = volumes.volumes[-1]
    touched = {part["digest"] for part in volumes.holds(len(volumes.volumes))}
    of_images = {name for name, manifest in volumes.images.items() if touched & {blob.digest for blob in manifest.blobs}}
    last.unlink()
    result = airgap.import_("push", volumes.directory, registry.host, *plain(registry))
    result.fails(5, "volume 5 of 5 is missing", "put them beside the others")
    for name in volumes.images:
        assert (f"team/{name}:1" in result.err) == (name in of_images)
    assert registry.client().repositories() == []
    verified = airgap.import_("verify", volumes.directory)
    assert verified.status == 5
    assert "volume 5 of 5: it is missing" in verified.out
    assert "5 volumes, of which 5 is not here" in airgap.import_("list", volumes.directory).ok().out
    volumes.volumes[2].unlink()
    airgap.import_("push", volumes.volumes[0], registry.host, *plain(registry)).fails(5, "volumes 3, 5 of 5 are missing")


def test_volumes_of_two_bundles_are_told_apart(airgap: Airgap, volumes: Set, registry: Registry, tmp_path: Path) -> None:
    other = make_set(tmp_path / "other")
    push = ["push", "--plain-http", registry.host]
    mixed = airgap.import_(*push, volumes.directory, other.volumes[1], registry.host).fails(5, "volumes of different bundles").err
    of_stream = r"of stream [0-9a-f]{32} sequence 1, created \d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ"
    assert re.search(f"{volumes.volumes[0]} and 4 more are volumes 1-5 of 5 {of_stream}; "
                     f"{other.volumes[1]} is volume 2 of 5 {of_stream}", mixed)
    shutil.copy(other.volumes[1], volumes.volumes[1])
    airgap.import_(*push, volumes.directory, registry.host).fails(5, "volumes of different bundles")
    # Named by a file, the bundle that is meant is clear; the wrong disc does not count.
    airgap.import_(*push, volumes.volumes[0], registry.host).fails(5, "volume 2 of 5 is missing")
    for path in other.volumes:
        shutil.copy(path, volumes.directory / f"other-{path.name}")
    airgap.import_(*push, volumes.directory, registry.host).fails(2, "volumes of several bundles", "name one volume")
    airgap.import_(*push, volumes.directory / "other-set.001.tar", registry.host).ok()  # of which volume 2 is there twice
    assert registry.client().repositories() == ["team/one", "team/two"]


def test_what_does_not_go_together_is_refused(airgap: Airgap, volumes: Set, registry: Registry, tmp_path: Path) -> None:
    """Exit 2: which files were named is what is wrong, and other words on the command line mend it."""
    push = ["push", "--plain-http", registry.host]
    airgap.import_(*push, *volumes.volumes, volumes.volumes[1], registry.host, "--dry-run").ok()  # one file, named twice
    (tmp_path / "empty").mkdir()
    airgap.import_(*push, volumes.directory, tmp_path / "empty", registry.host).fails(2, "there are no volumes in")
    (tmp_path / "other.tar").write_bytes(b"x" * 2000)
    airgap.import_(*push, volumes.directory, tmp_path / "other.tar", registry.host).fails(2, "is no volume")
    airgap.import_(*push, volumes.directory, "-", registry.host).fails(2, "goes with no other BUNDLE")
    airgap.import_(*push, "-", registry.host, input=volumes.volumes[0].read_bytes()).fails(
        2, "one of several volumes", "name the files of all of them")
    assert registry.client().repositories() == []


def test_a_volume_that_is_there_twice_is_taken_once(airgap: Airgap, volumes: Set, registry: Registry, tmp_path: Path) -> None:
    """The first one that is whole. Who has two sticks with the same on them does nothing wrong (R94)."""
    push = ["push", "--plain-http", registry.host]
    second, copy = volumes.volumes[1], tmp_path / "copy.tar"
    shutil.copy(second, copy)
    said = airgap.import_(*push, volumes.directory, copy, registry.host, "--dry-run").ok().err
    assert f"{copy}: passed over, {second} is volume 2 of 5 as well" in said
    second.write_bytes(second.read_bytes()[:-2000])
    said = airgap.import_(*push, volumes.directory, copy, registry.host).ok().err
    assert f"{second}: passed over, {copy} is volume 2 of 5 as well" in said
    assert_filled(registry, volumes)


def test_two_volumes_of_one_number_that_are_not_the_same_are_refused(airgap: Airgap, volumes: Set, registry: Registry,
                                                                    tmp_path: Path) -> None:
    """Which of them is right nobody can tell (R94)."""
    copy = tmp_path / "copy.tar"
    data = volumes.volumes[1].read_bytes()
    copy.write_bytes(data.replace(b'"sequence":1,"number":2', b'"sequence":2,"number":2')[:-2000])
    airgap.import_("push", *plain(registry), volumes.directory, copy, registry.host).fails(
        6, "volume 2 of 5 is there twice, and not the same", "copy.tar", "take one of them away")
    assert registry.client().repositories() == []


def test_a_damaged_volume_is_found_and_named_alone_and_in_the_set(airgap: Airgap, volumes: Set, registry: Registry) -> None:
    damaged = volumes.volumes[1]
    with tarfile.open(damaged) as archive:
        (piece, *_) = [member for member in archive if ".part-" in member.name]
    good = damaged.read_bytes()
    flip(damaged, piece.offset_data + 10)
    for number, path in enumerate(volumes.volumes, start=1):
        result = airgap.import_("verify", path)
        assert result.status == (5 if path == damaged else 0)
        assert f"volume {number} of 5" in result.out
        if path == damaged:
            assert f"set.002.tar: {piece.name}" in result.out
    whole = airgap.import_("verify", volumes.directory)
    assert whole.status == 5
    assert "set.002.tar" in whole.out and "touches" in whole.out
    airgap.import_("push", volumes.directory, registry.host, *plain(registry)).fails(5, r"set\.002\.tar")
    assert not registry.client().has_manifest("team/one", "1")
    damaged.write_bytes(good[:-3000])
    airgap.import_("verify", damaged).fails(5)
    airgap.import_("push", volumes.directory, registry.host, *plain(registry)).fails(5, "is cut: got")
    damaged.write_bytes(b"\0" * 600 + good[600:])
    airgap.import_("push", volumes.directory, registry.host, *plain(registry)).fails(5)


def test_a_killed_run_goes_on_without_fetching_again(airgap: Airgap, server: MemoryRegistry, running: Running,
                                                    registry: Registry, tmp_path: Path) -> None:
    proxy = running(FaultProxy(server))
    output = tmp_path / "set.tar"
    (large,) = [blob for blob in images()["one"].blobs if len(blob.data) > 290_000]
    reached = threading.Event()
    proxy.rule("GET", large.digest, times=1, rate=100_000, on_match=reached.set)
    words = pull_words(proxy.host, output, "--volume-size", SIZE, "--jobs", 1)
    process = airgap.start("airgap-export", *words)
    assert reached.wait(20)
    airgap.stop(process)
    arrived = {request.path for request in proxy.requests("GET", "/blobs/")} - {f"/v2/team/one/blobs/{large.digest}"}
    assert arrived and not list(tmp_path.glob("set.*.tar"))
    airgap.import_("push", output, registry.host, *plain(registry)).fails(5, "is unfinished", "run the export again")
    proxy.mark()
    airgap.export(*words).ok()
    assert not arrived & {request.path for request in proxy.requests("GET", "/blobs/")}
    proxy.mark()
    assert len(list(tmp_path.glob("set.*"))) == 5
    airgap.export(*words).ok()
    assert proxy.requests("GET", "/blobs/") == []
    airgap.import_("verify", tmp_path).ok()


def test_a_cut_download_goes_on_inside_a_blob_that_lies_in_several_volumes(
        airgap: Airgap, server: MemoryRegistry, running: Running, tmp_path: Path) -> None:
    proxy = running(FaultProxy(server))
    (large,) = [blob for blob in images()["one"].blobs if len(blob.data) > 290_000]
    words = pull_words(proxy.host, tmp_path / "set.tar", "--volume-size", SIZE, "--retry", 0, "--jobs", 1)
    proxy.rule("GET", large.digest, times=1, cut_after=200_000)
    airgap.export(*words).fails(3, "cut", "run the same command again")
    held = {request.path for request in proxy.requests("GET", "/blobs/")}
    proxy.clear_rules()
    proxy.mark()
    airgap.export(*words).ok()
    (resumed,) = [request for request in proxy.requests("GET", "/blobs/") if request.path in held]
    assert large.digest in resumed.path
    assert int(resumed.headers["Range"].removeprefix("bytes=").removesuffix("-")) > 150_000
    airgap.import_("verify", tmp_path).ok()


IN_VOLUMES = ("--volume-size", SIZE)
IN_ONE_FILE = ()  # what volumes are measured by


@pytest.mark.parametrize("form", [IN_VOLUMES, IN_ONE_FILE], ids=["volumes", "one file"])
def test_what_arrived_stays_when_an_image_is_left_out(form: tuple[object, ...], airgap: Airgap, server: MemoryRegistry,
                                                    running: Running, tmp_path: Path) -> None:
    proxy = running(FaultProxy(server))
    own = images()["two"].blobs[-1]
    proxy.rule("GET", own.digest, status=500)
    words = pull_words(proxy.host, tmp_path / "set.tar", *form, "--retry", 0, "--keep-going")
    airgap.export(*words).fails(3, "team/two:1")
    assert not list(tmp_path.glob("set.*partial*")) and not list(tmp_path.glob("set.*replaced*"))
    assert "1 image" in airgap.import_("verify", *tmp_path.glob("set*.tar")).ok().out
    asked = Counter(request.path.rsplit("/", 1)[1] for request in proxy.requests("GET", "/blobs/"))
    came = {blob.digest: len(blob.data) for blob in images()["one"].blobs}
    assert {asked[digest] for digest in came} == {1}
    assert sum(proxy.bytes_sent("GET", digest) for digest in came) == sum(came.values())


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL])
@pytest.mark.parametrize("before, after, names", [
    (IN_VOLUMES, ("--volume-size", 2 * SIZE), ("one", "two")),
    (IN_VOLUMES, ("--volume-size", SIZE // 2), ("one", "two")),
    (IN_VOLUMES, IN_VOLUMES, ("one", "three")),
    (IN_ONE_FILE, IN_ONE_FILE, ("one", "three")),
], ids=["larger volumes", "smaller volumes", "another list", "another list, one file"])
def test_a_run_that_was_stopped_is_taken_over_by_one_with_another_plan(
        how: signal.Signals, before: tuple[object, ...], after: tuple[object, ...], names: tuple[str, ...],
        airgap: Airgap, server: MemoryRegistry, running: Running, tmp_path: Path) -> None:
    """Only what had not arrived is fetched, and the plan says so."""
    server.add("team/three", "1", small_image(3, small_layer(0, 150_000), size=50_000))
    proxy = running(FaultProxy(server))
    output = tmp_path / "set.tar"
    last = max(blob.digest for manifest in images().values() for blob in manifest.blobs[1:])  # of the layers
    reached = threading.Event()
    proxy.rule("GET", last, times=1, rate=100_000, on_match=reached.set)
    process = airgap.start("airgap-export", *pull_words(proxy.host, output, *before, "--jobs", 1))
    assert reached.wait(20)
    assert airgap.stop(process, how).status == {signal.SIGINT: 130, signal.SIGKILL: -signal.SIGKILL}[how]
    proxy.wait_until_idle()
    arrived = {request.path.rsplit("/", 1)[1] for request in proxy.requests("GET", "/blobs/")} - {last}
    assert len(arrived & {blob.digest for blob in images()["one"].blobs}) > 1
    proxy.mark()
    done = airgap.export(*pull_words(proxy.host, output, *after, "--json", names=names)).ok()
    proxy.wait_until_idle()
    fetched = {request.path.rsplit("/", 1)[1] for request in proxy.requests("GET", "/blobs/")}
    assert last in fetched and not fetched & arrived
    (plan,) = [event for event in done.events() if event["event"] == "plan"]
    assert plan["fetchBytes"] == proxy.bytes_sent("GET", "/blobs/")
    assert not list(tmp_path.glob("set.*partial*")) and not list(tmp_path.glob("set.*replaced*"))
    airgap.import_("verify", *tmp_path.glob("set*.tar")).ok()


@pytest.mark.parametrize("after", [("--volume-size", 2 * SIZE), IN_VOLUMES], ids=["another size", "the same plan"])
def test_the_front_of_a_blob_is_taken_over(after: tuple[object, ...], airgap: Airgap, server: MemoryRegistry,
                                          running: Running, tmp_path: Path) -> None:
    proxy = running(FaultProxy(server))
    (large,) = [blob for blob in images()["one"].blobs if len(blob.data) > 290_000]
    options = ("--retry", 0, "--jobs", 1)
    proxy.rule("GET", large.digest, times=1, cut_after=200_000)
    airgap.export(*pull_words(proxy.host, tmp_path / "set.tar", *IN_VOLUMES, *options)).fails(3, "cut")
    proxy.mark()
    airgap.export(*pull_words(proxy.host, tmp_path / "set.tar", *after, *options)).ok()
    assert proxy.bytes_sent("GET", large.digest) <= len(large.data) - 150_000
    airgap.import_("verify", tmp_path).ok()


@pytest.mark.parametrize("before, after, named", [
    (IN_ONE_FILE, IN_VOLUMES, r"set\.tar\.partial: .* of an unfinished archive in one file, which this run does not use"),
    (IN_VOLUMES, IN_ONE_FILE, r"set\.001\.tar\.partial and \d more: .* of an unfinished archive in volumes, which"),
], ids=["volumes over one file", "one file over volumes"])
def test_what_was_begun_in_the_other_form_is_named_and_left_alone(
        before: tuple[object, ...], after: tuple[object, ...], named: str, airgap: Airgap, server: MemoryRegistry,
        running: Running, tmp_path: Path) -> None:
    proxy = running(FaultProxy(server))
    proxy.rule("GET", images()["two"].blobs[-1].digest, status=500)
    output = tmp_path / "set.tar"
    airgap.export(*pull_words(proxy.host, output, *before, "--retry", 0)).fails(3)
    left = {path: path.read_bytes() for path in tmp_path.glob("set.*partial")}
    proxy.clear_rules()
    for options in ("--dry-run",), ():
        said = airgap.export(*pull_words(proxy.host, output, *after, *options)).ok().err
        assert re.search(named, said), said
    assert left and {path: path.read_bytes() for path in tmp_path.glob("set.*partial")} == left


def test_finished_volumes_stay_as_they_are(airgap: Airgap, server: MemoryRegistry, tmp_path: Path) -> None:
    output = tmp_path / "set.tar"
    airgap.export(*pull_words(server.host, output, "--volume-size", SIZE)).ok()
    before = {path: path.read_bytes() for path in tmp_path.glob("set.*")}
    airgap.export(*pull_words(server.host, output, "--volume-size", SIZE)).ok()
    words = pull_words(server.host, output, "--volume-size", SIZE, names=("one",))
    airgap.export(*words).fails(2, "holds other images", "--overwrite")
    assert {path: path.read_bytes() for path in tmp_path.glob("set.*")} == before
    airgap.export(*words, "--overwrite").ok()
    assert len(list(tmp_path.glob("set.*"))) < len(before)
    assert "1 image" in airgap.import_("verify", tmp_path).ok().out
    (tmp_path / "set.001.tar").unlink()
    airgap.export(*words).fails(2, "are no whole bundle", "--overwrite")


@pytest.mark.parametrize("output, size, message", [
    ("-", "1MiB", "--volume-size cuts an archive"),
    ("bundle/", "1MiB", "--volume-size cuts an archive"),
    ("set.tar", "4gb", "'4gb' is no size"),
    ("set.tar", "0", "'0' is no size"),
    ("set.tar", "4KiB", "too small: each begins with"),
])
def test_a_volume_size_that_cannot_work_is_refused(output: str, size: str, message: str, airgap: Airgap,
                                                  server: MemoryRegistry, tmp_path: Path) -> None:
    words = pull_words(server.host, output, "--volume-size", size)
    airgap.export(*words, cwd=tmp_path).fails(2, message)
    assert list(tmp_path.glob("set*")) == []


def test_the_plan_says_how_many_volumes(airgap: Airgap, server: MemoryRegistry, tmp_path: Path) -> None:
    words = pull_words(server.host, tmp_path / "set.tar", "--volume-size", SIZE, "--dry-run")
    assert "in 5 volumes of at most 128 KiB" in airgap.export(*words).ok().err
    (plan,) = [event for event in airgap.export(*words, "--json").ok().events() if event["event"] == "plan"]
    assert plan["volumes"] == 5
    assert list(tmp_path.glob("set*")) == []


def test_the_last_line_says_which_volumes_were_written(airgap: Airgap, server: MemoryRegistry, tmp_path: Path) -> None:
    several = airgap.export(*pull_words(server.host, tmp_path / "set.tar", "--volume-size", SIZE)).ok().err
    assert f"{tmp_path}/set.001.tar to set.005.tar: " in several
    one = airgap.export(*pull_words(server.host, tmp_path / "one.tar", "--volume-size", "1GiB")).ok().err
    assert f"{tmp_path}/one.001.tar: " in one
