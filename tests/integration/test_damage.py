"""A bundle that was damaged, or tampered with, on its way (R88-R90, R96-R101, R118).

Every damage is found before anything can be pulled from the internal registry, and `verify` names the images that it
touches.
"""

import itertools
import os
import random
import shutil
import tarfile
from pathlib import Path
from typing import Callable, Iterator

import pytest
from conftest import Running

from support.airgap import Airgap, Result, plain
from support.proxy import FaultProxy
from support.registry import Registry
from support.small_bundle import SmallBundle, file_of, make_small_bundle

BOTH = ("one", "two")
_cases = itertools.count()


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> SmallBundle:
    return make_small_bundle(tmp_path_factory.mktemp("good"))


@pytest.fixture(scope="module")
def target(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Registry]:
    """An empty registry; a push that must fail leaves it so."""
    with Registry(tmp_path_factory.mktemp("target")) as registry:
        yield registry


@pytest.fixture
def directory(good: SmallBundle, tmp_path: Path) -> Path:
    return Path(shutil.copytree(good.directory, tmp_path / "bundle"))


@pytest.fixture
def archive(good: SmallBundle, tmp_path: Path) -> Path:
    return Path(shutil.copy(good.archive, tmp_path / "bundle.tar"))


def flip(path: Path, offset: int, bit: int = 0) -> None:
    data = bytearray(path.read_bytes())
    data[offset] ^= 1 << bit
    path.write_bytes(data)


def touched(verified: Result) -> set[str]:
    """The last part of every image name in the lines that say what is touched: {"one", "two"}."""
    if "all of them are touched" in verified.out:
        return set(BOTH)
    lines = [line for line in verified.out.splitlines() if line.startswith("  touches ")]
    return {name.rsplit("/", 1)[1].split(":")[0] for line in lines for name in line[10:].split(", ")}


def assert_refused(airgap: Airgap, bundle: Path, target: Registry, *statuses: int) -> Result:
    """verify and push both end with one of the statuses, and nothing can be pulled afterwards."""
    prefix = f"case-{next(_cases)}"
    verified = airgap.import_("verify", bundle)
    assert verified.status in statuses, verified
    pushed = airgap.import_("push", bundle, f"{target.host}/{prefix}", *plain(target), "--retry", "0")
    assert pushed.status in statuses, pushed
    assert target.client().tags(f"{prefix}/team/one") == target.client().tags(f"{prefix}/team/two") == [], pushed
    return verified


# What a flipped bit in a file touches. The files around the blobs are every image's.
FILES: dict[str, tuple[Callable[[SmallBundle], str], tuple[str, ...]]] = {
    "oci-layout": (lambda b: "oci-layout", BOTH),
    "index.json": (lambda b: "index.json", BOTH),
    "bundle.json": (lambda b: "bundle.json", BOTH),
    "manifest.json": (lambda b: "manifest.json", BOTH),
    "SHA256SUMS": (lambda b: "SHA256SUMS", BOTH),
    "a manifest": (lambda b: file_of(b.one.digest), ("one",)),
    "a config": (lambda b: file_of(b.two.blobs[0].digest), ("two",)),
    "a layer": (lambda b: file_of(b.one.blobs[2].digest), ("one",)),
    "a shared layer": (lambda b: file_of(b.shared_layer.digest), BOTH),
}


@pytest.mark.parametrize("kind", FILES)
def test_a_flipped_bit_in_a_file_is_found_and_its_images_are_named(kind: str, airgap: Airgap, good: SmallBundle,
                                                                   directory: Path, target: Registry) -> None:
    file, images = FILES[kind]
    path = directory / file(good)
    flip(path, path.stat().st_size // 2)
    verified = assert_refused(airgap, directory, target, 5)
    assert file(good) in verified.out
    assert touched(verified) == set(images)


@pytest.mark.parametrize("part", range(4))
def test_a_flipped_bit_anywhere_in_an_archive_is_found(part: int, airgap: Airgap, archive: Path) -> None:
    """One bit in every block: headers, check sums, padding, metadata, blobs, the two zero blocks."""
    dice = random.Random(part)
    blocks = range(0, archive.stat().st_size, 512)
    for block in blocks[part::4]:
        offset, bit = block + dice.randrange(512), dice.randrange(8)
        flip(archive, offset, bit)
        airgap.import_("verify", archive).fails(5)
        flip(archive, offset, bit)
    airgap.import_("verify", archive).ok()


def boundaries(archive: Path) -> list[int]:
    """Where headers, data and padding begin."""
    with tarfile.open(archive) as tar:
        places = [place for m in tar.getmembers() for place in (m.offset, m.offset_data, m.offset_data + m.size)]
    return sorted({*places, archive.stat().st_size - 1024, archive.stat().st_size - 512, archive.stat().st_size - 1})


def test_an_archive_cut_at_any_boundary_is_found(airgap: Airgap, good: SmallBundle, archive: Path) -> None:
    for length in boundaries(good.archive):
        archive.write_bytes(good.archive.read_bytes()[:length])
        airgap.import_("verify", archive).fails(5)


@pytest.mark.parametrize("part", ["the head", "a blob", "the end"])
def test_a_cut_archive_publishes_nothing(part: str, airgap: Airgap, archive: Path, target: Registry) -> None:
    size = archive.stat().st_size
    os.truncate(archive, {"the head": 3000, "a blob": size - 3000, "the end": size - 512}[part])
    verified = assert_refused(airgap, archive, target, 5)
    assert "cut" in verified.out or "early" in verified.out


def test_a_cut_archive_says_which_images_are_whole(airgap: Airgap, good: SmallBundle, archive: Path) -> None:
    """Only what lay behind the cut is lost (R88)."""
    with tarfile.open(archive) as tar:
        last = tar.getmembers()[-1]
    os.truncate(archive, last.offset_data + 1)
    lost = [name for name, image in (("one", good.one), ("two", good.two))
            if last.name in [file_of(blob.digest) for blob in image.blobs]]
    verified = airgap.import_("verify", archive).fails(5)
    assert touched(verified) == set(lost) != set(BOTH)
    assert verified.out.count(f"{last.name}: ") == 1 and "padding" not in verified.out


def member(name: str, data: bytes = b"", kind: bytes = b"0", link: str = "") -> bytes:
    """A tar entry as the format writes them, but for what is wrong with it."""
    def octal(value: int, digits: int) -> bytes:
        return f"{value:0{digits}o}".encode() + b"\0"

    head = (name.encode().ljust(100, b"\0") + octal(0o644, 7) + octal(0, 7) * 2 + octal(len(data), 11) + octal(0, 11)
            + b" " * 8 + kind + link.encode().ljust(100, b"\0") + b"ustar\x0000" + b"root".ljust(32, b"\0") * 2
            + octal(0, 7) * 2).ljust(512, b"\0")
    check = f"{sum(head):06o}".encode() + b"\0 "
    return head[:148] + check + head[156:] + data.ljust(-(-len(data) // 512) * 512, b"\0")


def behind_the_first(archive: bytes, entry: bytes) -> bytes:
    return archive[:1024] + entry + archive[1024:]


def at_the_end(archive: bytes, entry: bytes) -> bytes:
    return archive[:-1024] + entry + archive[-1024:]


ENTRIES = {
    "a file outside": member("../outside", b"x"),
    "an absolute path": member("/tmp/outside", b"x"),
    "a symbolic link": member("blobs/sha256", kind=b"2", link="/etc"),
    "a hard link": member("passwd", kind=b"1", link="/etc/passwd"),
    "a hard link with data": member("bundle.json", b"{}", kind=b"1", link="index.json"),
    "a second oci-layout": member("oci-layout", b'{"imageLayoutVersion":"1.0.0"}'),
    "an unknown file": member("README", b"read me"),
    "a device": member("null", kind=b"3"),
    "a directory": member("blobs/", kind=b"5"),
    "a sparse file": member("oci-layout", kind=b"S"),
    "a long name": member("././@LongLink", b"x" * 5000, kind=b"L"),
    "pax headers": member("PaxHeader", b"20 path=../outside\n\n", kind=b"x"),
    "a gibibyte": member("oci-layout")[:124] + b"10000000000\0" + member("oci-layout")[136:],
    "two zero blocks": bytes(1024),
}


@pytest.mark.parametrize("where", [behind_the_first, at_the_end])
@pytest.mark.parametrize("entry", ENTRIES)
def test_an_entry_that_does_not_belong_into_an_archive_is_refused(
        entry: str, where: Callable[[bytes, bytes], bytes], airgap: Airgap, archive: Path, target: Registry) -> None:
    archive.write_bytes(where(archive.read_bytes(), ENTRIES[entry]))
    assert_refused(airgap, archive, target, 5, 6)
    assert sorted(path.name for path in archive.parent.iterdir()) == ["bundle.tar", "home"]


@pytest.mark.parametrize("extra", [b"\0", b"x", bytes(512), b"a second archive"])
def test_bytes_after_the_end_of_an_archive_are_found(extra: bytes, airgap: Airgap, archive: Path, target: Registry
                                                     ) -> None:
    with archive.open("ab") as file:
        file.write(archive.read_bytes() if extra == b"a second archive" else extra)
    assert "more follow" in assert_refused(airgap, archive, target, 5).out


def swap(directory: Path, first: str, second: str) -> None:
    (directory / first).rename(directory / "third")
    (directory / second).rename(directory / first)
    (directory / "third").rename(directory / second)


def capital(path: Path) -> None:
    path.rename(path.with_name(path.name.upper()))


DIRECTORY = {
    "a missing layer": (5, lambda d, b: (d / file_of(b.one.blobs[2].digest)).unlink(), {"one"}),
    "a missing manifest": (5, lambda d, b: (d / file_of(b.two.digest)).unlink(), {"two"}),
    "an empty layer": (5, lambda d, b: os.truncate(d / file_of(b.one.blobs[2].digest), 0), {"one"}),
    "a longer layer": (5, lambda d, b: os.truncate(d / file_of(b.one.blobs[2].digest), 9999), {"one"}),
    "swapped manifests": (5, lambda d, b: swap(d, file_of(b.one.digest), file_of(b.two.digest)), set(BOTH)),
    "missing check sums": (5, lambda d, b: (d / "SHA256SUMS").unlink(), set(BOTH)),
    "missing oci-layout": (5, lambda d, b: (d / "oci-layout").unlink(), set(BOTH)),
    "a layer in capital letters": (5, lambda d, b: capital(d / file_of(b.one.blobs[2].digest)), {"one"}),  # R117
    "a file in capital letters": (5, lambda d, b: capital(d / "index.json"), set(BOTH)),
    "an extra file": (6, lambda d, b: (d / "README").write_text("hello"), set()),
    "an extra blob": (6, lambda d, b: (d / file_of(f"sha256:{'0' * 64}")).write_text("x"), set()),
    "a blob of another name": (6, lambda d, b: (d / "blobs/sha256/x").write_text("x"), set()),
    "an extra directory": (6, lambda d, b: (d / "blobs/md5").mkdir(), set()),
    "an extra link": (6, lambda d, b: (d / "passwd").symlink_to("/etc/passwd"), set()),
    "a pipe": (6, lambda d, b: os.mkfifo(d / "blobs/sha256/pipe"), set()),
    "a name with a line feed": (6, lambda d, b: (d / "a\nb").write_text("x"), set()),
}


@pytest.mark.parametrize("damage", DIRECTORY)
def test_a_damaged_directory_is_refused(damage: str, airgap: Airgap, good: SmallBundle, directory: Path,
                                        target: Registry) -> None:
    status, apply, images = DIRECTORY[damage]
    apply(directory, good)
    verified = assert_refused(airgap, directory, target, status)
    assert touched(verified) == images


def test_a_bundle_that_changes_while_it_is_pushed_gets_no_tag(airgap: Airgap, good: SmallBundle, directory: Path,
                                                             running: Running, registry: Registry) -> None:
    """What is compared with the digest are the very bytes that are sent (R119)."""
    layer = directory / file_of(good.one.blobs[-1].digest)

    def change() -> None:
        layer.write_bytes(layer.read_bytes()[:-1] + b"!")

    proxy = running(FaultProxy(registry))
    proxy.rule("POST", "/blobs/uploads/", times=1, on_match=change)
    push = airgap.import_("push", directory, proxy.host, *plain(proxy), "--jobs", 1)
    push.fails(5, f"expected {good.one.blobs[-1].digest}, found", "the bundle is damaged")
    assert not registry.client().has_manifest("team/one", "1")


@pytest.mark.parametrize("file", ["a blob", "bundle.json"])
def test_a_link_in_place_of_a_file_is_not_followed(file: str, airgap: Airgap, good: SmallBundle, directory: Path,
                                                   target: Registry, tmp_path: Path) -> None:
    """Even where the bytes behind it are right (R99, R100)."""
    path = directory / (file_of(good.shared_layer.digest) if file == "a blob" else file)
    path.rename(tmp_path / "elsewhere")
    path.symlink_to(tmp_path / "elsewhere")
    assert "not a regular file" in assert_refused(airgap, directory, target, 5, 6).out


def test_what_operating_systems_drop_on_sticks_is_ignored(airgap: Airgap, directory: Path, registry: Registry) -> None:
    """R118."""
    for name in ("Thumbs.db", ".DS_Store", "._index.json", "blobs/.DS_Store"):
        (directory / name).write_bytes(b"\0\1")
    (directory / "System Volume Information").mkdir()
    airgap.import_("verify", directory).ok()
    airgap.import_("push", directory, registry.host, *plain(registry)).ok()
    assert registry.client().tags("team/one") == ["1"]


def test_list_needs_the_head_only_and_finds_damage_there(airgap: Airgap, good: SmallBundle, archive: Path) -> None:
    flip(archive, archive.stat().st_size - 2000)
    assert good.name("one") in airgap.import_("list", archive).ok().out
    flip(archive, 600)
    airgap.import_("list", archive).fails(5, "head of the archive", "see all that is wrong with 'verify'")


def test_keep_going_pushes_the_images_that_are_whole(airgap: Airgap, good: SmallBundle, directory: Path,
                                                     registry: Registry) -> None:
    path = directory / file_of(good.one.blobs[2].digest)
    flip(path, 100)
    push = ("push", directory, registry.host, *plain(registry), "--keep-going", "--retry", "0")
    airgap.import_(*push).fails(5, "team/one:1", good.one.blobs[2].digest, "while reading the bundle")
    airgap.import_(*push[:-3]).fails(5, "while reading the bundle", "hint: the bundle is damaged")
    assert registry.client().tags("team/one") == []
    assert registry.client().digest("team/two", "1") == good.two.digest
    flip(path, 100)  # a good copy of the file, and the same command again
    airgap.import_(*push).ok()
    assert registry.client().digest("team/one", "1") == good.one.digest


@pytest.mark.parametrize("known", [False, True], ids=["to be sent", "that the registry has"])
def test_a_damaged_layer_in_a_pipe_is_said_with_all_its_images(known: bool, airgap: Airgap, good: SmallBundle,
                                                               archive: Path, registry: Registry) -> None:
    if known:
        airgap.import_("push", archive, registry.host, *plain(registry)).ok()
    name = file_of(good.shared_layer.digest).encode()
    flip(archive, archive.read_bytes().rindex(name + b"\0") + 512)
    pushed = airgap.import_("push", "-", registry.host, *plain(registry), input=archive.read_bytes())
    pushed.fails(5, f"; it touches {good.name('one')}, {good.name('two')}", "from the pipe" if known else "pushing blob")


@pytest.mark.parametrize("form", ["bundle", "bundle.tar"])
def test_keep_going_gives_up_a_damaged_layer_once_for_all_its_images(form: str, airgap: Airgap, good: SmallBundle,
                                                                     directory: Path, archive: Path, registry: Registry
                                                                     ) -> None:
    """It is not read again for the next repository, and progress stays below what was announced."""
    bundle = {"bundle": directory, "bundle.tar": archive}[form]
    if form == "bundle":
        flip(directory / file_of(good.shared_layer.digest), 0)
    else:
        flip(archive, archive.read_bytes().rindex(file_of(good.shared_layer.digest).encode() + b"\0") + 512)
    pushed = airgap.import_("push", bundle, registry.host, *plain(registry), "--keep-going", "--json")
    pushed.fails(5)
    assert f"; it touches {good.name('one')}, {good.name('two')}" in pushed.out
    assert sum(1 for r in registry.requests("PUT") if good.shared_layer.digest.split(":")[1] in r.path) <= 1
    events = pushed.events()
    plan, last = ([e for e in events if e["event"] == kind][-1] for kind in ("plan", "progress"))
    assert last["total"] == plan["uploadBytes"] >= last["done"] + len(good.shared_layer.data)
    assert [e["outcome"] for e in events if e["event"] == "blob" and e["digest"] == good.shared_layer.digest] == ["failed"]


@pytest.mark.parametrize("content", [b"", b"hello\n", b"\x1f\x8b\x08" + bytes(600), b"\x28\xb5\x2f\xfd" + bytes(600),
                                     bytes(10240)])
def test_a_file_that_is_no_bundle_is_refused(content: bytes, airgap: Airgap, target: Registry, tmp_path: Path) -> None:
    """R105."""
    bundle = tmp_path / "bundle.tar"
    bundle.write_bytes(content)
    assert_refused(airgap, bundle, target, 2, 5, 6)
    assert airgap.import_("list", bundle).status in (2, 5, 6)
