"""What the programs say of damage: one status in every command, words for people, and the same for machines."""

import os
import shutil
import subprocess
import tarfile
from pathlib import Path
from typing import Callable

import pytest

from support.airgap import Airgap, plain
from support.peak import peak_of
from support.registry import Registry
from support.small_bundle import SmallBundle, file_of, make_small_bundle
from test_damage import flip


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> SmallBundle:
    return make_small_bundle(tmp_path_factory.mktemp("good"))


@pytest.fixture
def directory(good: SmallBundle, tmp_path: Path) -> Path:
    return Path(shutil.copytree(good.directory, tmp_path / "bundle"))


@pytest.fixture
def archive(good: SmallBundle, tmp_path: Path) -> Path:
    return Path(shutil.copy(good.archive, tmp_path / "bundle.tar"))


def tree_of(bundle: SmallBundle, tree: Path) -> Path:
    """The same images as skopeo's directories."""
    for name, manifest in (("one", bundle.one), ("two", bundle.two)):
        folder = tree / f"{name}:1"
        folder.mkdir(parents=True)
        (folder / "version").write_text("Directory Transport Version: 1.1\n")
        (folder / "manifest.json").write_bytes(manifest.data)
        for blob in manifest.blobs:
            (folder / blob.digest.split(":")[1]).write_bytes(blob.data)
    return tree


def refused(airgap: Airgap, command: str, bundle: Path, status: int, *words: str) -> None:
    """Whether it says them as a finding or as its error."""
    done = airgap.import_(command, bundle).fails(status)
    assert all(text in done.out + done.err for text in words), done


def layer(bundle: SmallBundle) -> str:
    return file_of(bundle.one.blobs[2].digest)


def instead(path: Path, make: Callable[[Path], object]) -> None:
    path.rename(path.with_name("elsewhere")) if path.is_dir() else path.unlink()
    make(path)


ODD: dict[str, tuple[Callable[[Path, SmallBundle], object], tuple[str, ...]]] = {
    "a pipe for a blob": (lambda d, b: instead(d / layer(b), os.mkfifo), ("verify", "push")),
    "a directory for a blob": (lambda d, b: instead(d / layer(b), Path.mkdir), ("verify", "push")),
    "a link for the blobs": (lambda d, b: instead(d / "blobs", lambda p: p.symlink_to("/tmp")), ("verify", "push")),
    "a pipe for bundle.json": (lambda d, b: instead(d / "bundle.json", os.mkfifo), ("list", "verify", "push")),
    "an extra file and damage": (lambda d, b: ((d / "README").touch(), flip(d / layer(b), 9)), ("verify", "push")),
}


@pytest.mark.parametrize("odd", ODD)
def test_what_does_not_belong_there_has_one_status_in_every_command(odd: str, airgap: Airgap, good: SmallBundle,
                                                                   directory: Path, registry: Registry) -> None:
    """R99."""
    change, commands = ODD[odd]
    change(directory, good)
    for command in commands:
        airgap.import_(command, directory, *([registry.host, *plain(registry)] if command == "push" else [])).fails(6)


def test_a_link_in_a_tree_has_one_status_in_every_command(airgap: Airgap, good: SmallBundle, tmp_path: Path,
                                                         registry: Registry) -> None:
    tree = tree_of(good, tmp_path / "tree")
    path = tree / "one:1" / good.one.blobs[2].digest.split(":")[1]
    instead(path, lambda p: p.symlink_to("/dev/null"))
    for command in ("list", "verify"):
        refused(airgap, command, tree, 6, "link")
    airgap.import_("push", tree, registry.host, *plain(registry)).fails(6, "link")


@pytest.mark.parametrize("file, change", [
    ("version", lambda p: p.write_bytes(p.read_bytes().replace(b"1.1", b"1q1"))),
    ("version", lambda p: p.write_bytes(p.read_bytes().replace(b"\n", b"\r\n"))),
    ("manifest.json", lambda p: p.write_bytes(b"")),
    ("manifest.json", lambda p: os.truncate(p, 100)),
    ("manifest.json", lambda p: os.truncate(p, 4096))], ids=["version", "line ends", "empty", "cut", "zeros"])
def test_a_damaged_document_of_a_tree_is_damage(file: str, change: Callable[[Path], object], airgap: Airgap,
                                                good: SmallBundle, tmp_path: Path, registry: Registry) -> None:
    """R89, R96."""
    tree = tree_of(good, tmp_path / "tree")
    change(tree / "one:1" / file)
    for command in ("list", "verify"):
        refused(airgap, command, tree, 5, f"one:1/{file}")
    airgap.import_("push", tree, registry.host, *plain(registry), "--keep-going").fails(5, f"one:1/{file}")
    assert registry.client().digest("two", "1") == good.two.digest


def verified(airgap: Airgap, bundle: Path) -> tuple[dict[str, object], dict[str, object]]:
    """The events "verify" and "done" of a bundle that is damaged."""
    done = airgap.import_("verify", bundle, "--json").fails(5)
    by_name = {event["event"]: event for event in done.events()}
    return by_name["verify"], by_name["done"]


@pytest.mark.parametrize("file", ["oci-layout", "index.json", "bundle.json", "manifest.json", "SHA256SUMS"])
@pytest.mark.parametrize("form", ["a directory", "an archive", "a header"])
def test_damage_of_the_head_is_said_to_touch_all_images(form: str, file: str, airgap: Airgap, good: SmallBundle,
                                                        directory: Path, archive: Path) -> None:
    with tarfile.open(good.archive) as tar:
        member = tar.getmember(file)
    bundle = directory if form == "a directory" else archive
    flip(directory / file, 5)
    flip(archive, member.offset + 5 if form == "a header" else member.offset_data + 5)
    event, done = verified(airgap, bundle)
    assert event["allTouched"] is True
    assert done["status"] == 5 and done["error_kind"] == "integrity" and "damaged: " in str(done["error"])
    text = airgap.import_("verify", bundle).fails(5).out
    names = ["one", "two"] if event["damaged"] else []
    assert [str(name).rsplit("/", 1)[1] for name in event["damaged"]] == [f"{name}:1" for name in names]
    assert text.splitlines()[-1].endswith("2 images touched" if names else "all of them are touched")
    assert "nobody knows" not in text and " 0 images touched" not in text
    if form == "a directory" and file != "bundle.json" or form == "a header" and file in ("manifest.json", "SHA256SUMS"):
        assert names


def test_machines_are_told_of_damage_that_touches_one_image(airgap: Airgap, good: SmallBundle, directory: Path) -> None:
    flip(directory / layer(good), 9)
    event, done = verified(airgap, directory)
    assert event["allTouched"] is False and event["damaged"] == [good.name("one")]
    assert str(done["error"]).endswith("is damaged: 1 finding, 1 image touched")


@pytest.mark.parametrize("order", ["sorted", "as it was"])
def test_a_bundle_that_another_tar_packed_again_is_said_to_be_that(order: str, airgap: Airgap, good: SmallBundle,
                                                                   tmp_path: Path, registry: Registry) -> None:
    files = ["."] if order == "sorted" else tarfile.open(good.archive).getnames()
    subprocess.run(["tar", "cf", tmp_path / "again.tar", "-C", good.directory, *files], check=True)
    for command in ("list", "verify"):
        refused(airgap, command, tmp_path / "again.tar", 2, "airgap-export did not write", "tar xf")
    airgap.import_("push", tmp_path / "again.tar", registry.host, *plain(registry)).fails(2, "tar xf")
    (tmp_path / "unpacked").mkdir()
    subprocess.run(["tar", "xf", tmp_path / "again.tar", "-C", tmp_path / "unpacked"], check=True)
    airgap.import_("verify", tmp_path / "unpacked").ok()


def test_line_ends_that_were_changed_are_said_to_be_that(airgap: Airgap, directory: Path) -> None:
    for path in directory.iterdir():
        if path.is_file():
            path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    for command in ("list", "verify"):
        refused(airgap, command, directory, 5, "SHA256SUMS: its line ends were changed", "binary mode")


@pytest.mark.parametrize("length", [1, 2, 3])
def test_a_compressed_archive_that_is_cut_to_nothing_is_no_text(length: int, airgap: Airgap, tmp_path: Path) -> None:
    (tmp_path / "b.tar.zst").write_bytes(b"\x28\xb5\x2f\xfd"[:length])
    refused(airgap, "verify", tmp_path / "b.tar.zst", 5, f"it is cut: got {length} byte")


def test_zstd_with_a_dictionary_is_refused_with_a_hint(airgap: Airgap, good: SmallBundle, tmp_path: Path,
                                                      registry: Registry) -> None:
    """R104."""
    samples = []
    for i in range(200):
        samples.append(tmp_path / f"sample-{i}")
        samples[-1].write_bytes(b"sample %d of text that is like the others, " % i * 20)
    subprocess.run(["zstd", "-q", "--train", *samples, "-o", tmp_path / "dictionary"], check=True, capture_output=True)
    subprocess.run(["zstd", "-q", "-D", tmp_path / "dictionary", good.archive, "-o", tmp_path / "b.zst"], check=True)
    airgap.import_("push", tmp_path / "b.zst", registry.host, *plain(registry)).fails(6, "dictionary", "zstd -d -D")


def test_format_0_is_not_called_newer(airgap: Airgap, directory: Path) -> None:
    from test_hostile_bundle import edit
    edit(directory, "bundle.json", lambda info: info.update(format=0))
    assert "newer" not in (done := airgap.import_("list", directory).fails(6, "no such format")).err, done


def test_a_metadata_file_over_its_limit_is_refused_before_it_is_read(airgap: Airgap, directory: Path, tmp_path: Path
                                                                    ) -> None:
    """A sparse one of a tebibyte costs nothing to make."""
    whole = peak_of(airgap, tmp_path, "airgap-import", "verify", directory)
    os.truncate(directory / "bundle.json", 1 << 40)
    airgap.import_("list", directory).fails(6, "larger than the limit")
    assert peak_of(airgap, tmp_path, "airgap-import", "verify", directory, ends=6) < whole + 20_000_000
