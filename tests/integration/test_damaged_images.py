"""Some images of a bundle are damaged: `push` names them, and with --keep-going the others arrive."""

import json
import os
import shutil
import struct
import subprocess
import tarfile
from pathlib import Path
from typing import Callable

import pytest
from conftest import Running

from support.airgap import Airgap, plain
from support.memory_registry import MemoryRegistry
from support.proxy import FaultProxy
from support.registry import Registry
from support.small_bundle import SmallBundle, file_of, make_small_bundle


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> SmallBundle:
    return make_small_bundle(tmp_path_factory.mktemp("good"))


@pytest.fixture(scope="module")
def packed(good: SmallBundle, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same images as a compressed archive."""
    work = tmp_path_factory.mktemp("packed")
    with MemoryRegistry() as source:
        source.add("team/one", "1", good.one)
        source.add("team/two", "1", good.two)
        Airgap(work / "home").export("pull", f"{source.host}/team/one:1", f"{source.host}/team/two:1", *plain(source),
                                     "--platform", "linux/amd64", "--output", work / "b.tar.zst").ok()
    return work / "b.tar.zst"


@pytest.fixture
def copies(good: SmallBundle, packed: Path, tmp_path: Path) -> dict[str, Path]:
    """One of each form, to be damaged."""
    return {"directory": Path(shutil.copytree(good.directory, tmp_path / "b")),
            "archive": Path(shutil.copy(good.archive, tmp_path / "b.tar")),
            "compressed": Path(shutil.copy(packed, tmp_path / "b.tar.zst"))}


def flip(path: Path, offset: int) -> None:
    data = bytearray(path.read_bytes())
    data[offset] ^= 1
    path.write_bytes(data)


def header(archive: Path, digest: str) -> int:
    return archive.read_bytes().rindex(file_of(digest).encode() + b"\0")


def frames(path: Path) -> list[tuple[int, int, int]]:
    """Of a compressed archive, by its seek table: where each frame lies, where its content lies, and how much that is."""
    data = path.read_bytes()
    count = struct.unpack("<I", data[-9:-5])[0]
    entries = struct.unpack(f"<{2 * count}I", data[-9 - 8 * count:-9])
    places, stored, content = [], 0, 0
    for i in range(count):
        places.append((stored, content, entries[2 * i + 1]))
        stored, content = stored + entries[2 * i], content + entries[2 * i + 1]
    return places


def frame_of(path: Path, digest: str, before: int) -> int:
    """Where the frame of a blob lies in the file, or one `before` it."""
    archive = subprocess.run(["zstd", "-q", "-d", "-c", path], check=True, capture_output=True).stdout
    data = archive.rindex(file_of(digest).encode() + b"\0") + 512
    contents = [content for _, content, _ in frames(path)]
    return frames(path)[contents.index(data) - before][0]


Copies = dict[str, Path]
DAMAGE: dict[str, tuple[str, Callable[[Path, SmallBundle], object]]] = {
    "a layer that is missing": ("directory", lambda p, b: (p / file_of(b.one.blobs[2].digest)).unlink()),
    "a layer that is cut": ("directory", lambda p, b: os.truncate(p / file_of(b.one.blobs[2].digest), 5)),
    "a manifest that is missing": ("directory", lambda p, b: (p / file_of(b.one.digest)).unlink()),
    "a changed manifest": ("directory", lambda p, b: flip(p / file_of(b.one.digest), 30)),
    "a layer's header": ("archive", lambda p, b: flip(p, header(p, b.one.blobs[2].digest) + 5)),
    "a changed manifest in an archive": ("archive", lambda p, b: flip(p, header(p, b.one.digest) + 512 + 30)),
    "padding": ("archive", lambda p, b: flip(p, header(p, b.one.digest) + 512 + len(b.one.data) + 3)),
    "a frame with a header": ("compressed", lambda p, b: flip(p, frame_of(p, b.one.blobs[2].digest, 1) + 15)),
    "a frame of a layer": ("compressed", lambda p, b: flip(p, frame_of(p, b.one.blobs[2].digest, 0) + 20)),
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_an_image_that_is_damaged_is_left_out_and_the_others_are_pushed(
        damage: str, airgap: Airgap, good: SmallBundle, copies: Copies, registry: Registry, tmp_path: Path) -> None:
    form, apply = DAMAGE[damage]
    apply(copies[form], good)
    push = ("push", copies[form], registry.host, *plain(registry), "--retry", "0")
    refused = airgap.import_(*push).fails(5, "team/one:1", "hint:")
    assert "; it touches " in refused.err and "team/two:1" not in refused.err
    assert registry.client().tags("team/one") == registry.client().tags("team/two") == []
    airgap.import_(*push, "--keep-going", "--report", tmp_path / "report.json").fails(5, "team/one:1")
    assert registry.client().tags("team/one") == []
    assert registry.client().digest("team/two", "1") == good.two.digest
    report = json.loads((tmp_path / "report.json").read_text())
    assert [(i["name"].rsplit("/", 1)[1], i["outcome"], i["error_kind"]) for i in report["images"]] == [
        ("one:1", "failed", "integrity"), ("two:1", "pushed", "")]


def test_a_cut_archive_still_gives_what_lies_before_the_cut(airgap: Airgap, good: SmallBundle, copies: Copies,
                                                           registry: Registry) -> None:
    with tarfile.open(good.archive) as tar:
        last = tar.getmembers()[-1]
    os.truncate(copies["archive"], last.offset_data + 1)
    lost = {name for name, image in (("one", good.one), ("two", good.two))
            if last.name in [file_of(blob.digest) for blob in image.blobs]}
    airgap.import_("push", copies["archive"], registry.host, *plain(registry), "--keep-going").fails(
        5, *(f"team/{name}:1 is left out" for name in lost))
    assert {name for name in ("one", "two") if registry.client().tags(f"team/{name}")} == {"one", "two"} - lost != set()


def test_damage_that_touches_no_image_lets_all_of_them_pass_and_is_still_told(
        airgap: Airgap, copies: Copies, registry: Registry, tmp_path: Path) -> None:
    with copies["archive"].open("ab") as file:
        file.write(b"x")
    push = ("push", copies["archive"], registry.host, *plain(registry))
    airgap.import_(*push).fails(5, "1 more follow")
    airgap.import_(*push, "--keep-going", "--report", tmp_path / "report.json").fails(5, "1 more follow")
    assert registry.client().tags("team/one") == registry.client().tags("team/two") == ["1"]
    report = json.loads((tmp_path / "report.json").read_text())
    assert "1 more follow" in report["error"] and report["error_kind"] == "integrity" and report["status"] == 5


@pytest.mark.parametrize("change, status", [
    (lambda d: flip(d / "index.json", 50), 5), (lambda d: (d / "SHA256SUMS").unlink(), 5),
    (lambda d: (d / "README").write_text("x"), 6)], ids=["a head file", "no check sums", "an extra file"])
def test_what_is_every_images_is_refused_with_keep_going_as_well(change: Callable[[Path], object], status: int,
                                                                airgap: Airgap, copies: Copies, registry: Registry) -> None:
    change(copies["directory"])
    airgap.import_("push", copies["directory"], registry.host, *plain(registry), "--keep-going").fails(status)
    assert registry.client().repositories() == []


def test_a_seek_table_that_lies_is_blamed_and_no_image_is(airgap: Airgap, copies: Copies, registry: Registry) -> None:
    """One bit of a content length, of every frame in turn; what zstd unpacks is the same."""
    path = copies["compressed"]
    whole = path.read_bytes()
    count = len(frames(path))
    for frame in range(count):
        for bit in (0, 6):
            data = bytearray(whole)
            data[-9 - 8 * (count - frame) + 4] ^= 1 << bit
            path.write_bytes(data)
            said = airgap.import_("verify", path).fails(5).out
            assert "seek table" in said and "1 finding, 0 images touched" in said
    airgap.import_("push", path, registry.host, *plain(registry)).fails(5, "seek table")
    airgap.import_("push", path, registry.host, *plain(registry), "--keep-going").fails(5, "seek table")
    assert registry.client().tags("team/one") == registry.client().tags("team/two") == ["1"]


def test_a_blob_that_is_gone_while_it_is_pushed_is_said_with_its_images(airgap: Airgap, good: SmallBundle, copies: Copies,
                                                                       running: Running, registry: Registry) -> None:
    proxy = running(FaultProxy(registry))
    proxy.rule("HEAD", "/blobs/", on_match=lambda: (copies["directory"] / file_of(good.one.blobs[2].digest)).unlink(
        missing_ok=True))
    airgap.import_("push", copies["directory"], proxy.host, *plain(proxy), "--jobs", 1).fails(
        7, f"it touches {good.name('one')}", "hint: is the medium still there")
    assert registry.client().tags("team/one") == []
