"""Reports, receipts and other files that a run writes never replace a bundle, what is in one, or each other."""

import os
import shutil
from pathlib import Path

import pytest

from support.airgap import Airgap, plain
from support.memory_registry import MemoryRegistry
from support.registry import Registry
from support.small_bundle import SmallBundle, make_small_bundle, small_image
from support.small_volumes import write_volumes

NOBODY = "127.0.0.1:9"  # no registry is asked
FILES = ("--report", "--receipt", "--want-list")


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> SmallBundle:
    return make_small_bundle(tmp_path_factory.mktemp("written"))


@pytest.fixture
def bundle(written: SmallBundle, tmp_path: Path) -> Path:
    """The directory form, and `bundle.tar` beside it."""
    shutil.copy(written.archive, tmp_path)
    return Path(shutil.copytree(written.directory, tmp_path / "bundle"))


def content(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("option", FILES)
@pytest.mark.parametrize(("named", "file", "says"), [
    ("bundle.tar", "bundle.tar", "the bundle itself"),
    ("bundle.tar", "bundle/../link.tar", "the bundle itself"),
    ("bundle", "bundle/bundle.json", "in the bundle's directory"),
    ("bundle", "bundle/receipt.json", "in the bundle's directory"),
    ("here", "bundle/blobs/receipt.json", "in the bundle's directory")])
def test_a_push_writes_nothing_over_its_bundle(option: str, named: str, file: str, says: str, airgap: Airgap, bundle: Path,
                                               tmp_path: Path) -> None:
    os.link(tmp_path / "bundle.tar", tmp_path / "link.tar")
    (tmp_path / "here").symlink_to("bundle")
    airgap.import_("--version").ok()  # makes its home
    before = content(tmp_path)
    airgap.import_("push", tmp_path / named, NOBODY, option, tmp_path / file).fails(2, f"{option} .* is {says}: ", "name a file")
    assert content(tmp_path) == before


@pytest.mark.parametrize("option", FILES)
def test_a_push_writes_nothing_over_what_comes_through_a_pipe(option: str, airgap: Airgap, bundle: Path, tmp_path: Path) -> None:
    archive = tmp_path / "bundle.tar"
    before = archive.read_bytes()
    with archive.open("rb") as file:
        process = airgap.start("airgap-import", "push", "-", NOBODY, option, archive, stdin=file)
        _, said = process.communicate(timeout=60)
    assert process.returncode == 2 and b"is the bundle itself" in said
    assert archive.read_bytes() == before


def test_a_receipt_lies_beside_volumes_and_replaces_none(airgap: Airgap, registry: Registry, tmp_path: Path) -> None:
    volumes = write_volumes(airgap, {name: small_image(seed, size=90_000) for seed, name in enumerate(("one", "two"))},
                            tmp_path / "set")
    before = [path.read_bytes() for path in volumes]
    for named in (tmp_path / "set", volumes[0], tmp_path / "set" / "set.tar"):
        airgap.import_("push", named, registry.host, *plain(registry), "--receipt", volumes[1]).fails(2, "is a file of the bundle")
        airgap.import_("push", named, registry.host, *plain(registry), "--receipt", tmp_path / "set" / "r.json").ok()
    assert [path.read_bytes() for path in volumes] == before


def test_one_file_is_not_written_twice(airgap: Airgap, bundle: Path, tmp_path: Path, registry: Registry) -> None:
    words = ("push", bundle, registry.host, *plain(registry))
    one = tmp_path / "one.json"
    airgap.import_(*words, "--receipt", one, "--want-list", tmp_path / "." / "bundle" / ".." / "one.json").fails(
        2, "--receipt and --want-list are one file", "a file for each")
    airgap.import_(*words, "--receipt", one, "--report", one).fails(2, "--report and --receipt are one file")
    assert not one.exists()
    airgap.import_(*words, "--receipt", "/dev/null", "--report", "/dev/null", "--want-list", "/dev/null").ok()


@pytest.mark.parametrize("command", ["list", "verify"])
def test_looking_at_a_bundle_leaves_it_as_it_is(command: str, airgap: Airgap, bundle: Path, tmp_path: Path) -> None:
    before = content(bundle)
    airgap.import_(command, bundle, "--report", bundle / "index.json").fails(2, "in the bundle's directory")
    airgap.export(command, tmp_path / "bundle.tar", "--report", tmp_path / "bundle.tar").fails(2, "the bundle itself")
    assert content(bundle) == before
    airgap.import_("verify", tmp_path / "bundle.tar").ok()


def test_an_export_writes_no_report_or_lock_over_its_output(airgap: Airgap, bundle: Path, tmp_path: Path) -> None:
    with MemoryRegistry() as memory:
        memory.add("team/one", "1", small_image(1))
        words = (f"{memory.host}/team/one:1", "--platform", "linux/amd64", *plain(memory), "--output")
        for output, file in (("new.tar", "new.tar"), ("new.tar", "new.tar.partial"), ("new.tar", "new.002.tar"),
                             ("bundle", "bundle/report.json"), ("new.tar.zst", "new.tar.zst")):
            airgap.export("pull", *words, tmp_path / output, "--report", tmp_path / file).fails(2, "--report .* is ")
            airgap.export("plan", *words, tmp_path / output, "--lock", tmp_path / file).fails(2, "--lock .* is ")
            assert not (tmp_path / "new.tar").exists()
        airgap.export("pull", *words, tmp_path / "new.tar", "--report", tmp_path / "new.json").ok()


@pytest.mark.parametrize(("output", "file"), [
    ("new.tar", "new.tar.partial.moving"), ("new.tar.zst", "new.tar.zst.partial.replaced-1"), ("new.tar", "new.volumes.partial"),
    ("stick", "stick/report.json"), ("-", "bundle.tar"), ("new.tar", "bundle.tar")])
def test_a_report_of_an_export_takes_no_name_that_a_rerun_or_the_base_needs(output: str, file: str, airgap: Airgap, bundle: Path,
                                                                           tmp_path: Path) -> None:
    (tmp_path / "stick" / "System Volume Information").mkdir(parents=True)
    before = content(tmp_path)
    place = output if output == "-" else tmp_path / output
    airgap.export("pull", f"{NOBODY}/team/one:1", "--since", tmp_path / "bundle.tar", "--output", place,
                  "--report", tmp_path / file).fails(2, "--report .* is ")
    assert {path: data for path, data in content(tmp_path).items() if not path.startswith("home/")} == before
