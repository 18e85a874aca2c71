"""Sticks that lie about their capacity, fail in the middle, fill up, turn read-only or go away (R121-R124)."""

import random
import re
import subprocess
import tempfile
from pathlib import Path
from typing import Iterator

import pytest

from support.airgap import Airgap, Result, plain
from support.faulty_medium import FaultyMedium
from support.memory_registry import MemoryRegistry
from support.oci import OCI_LAYER, Blob, Manifest, image, tar_layer
from support.process import Unavailable

FORMS = ["bundle/", "bundle.tar", "bundle.tar.zst", "volumes.tar"]  # the last is cut
LAYERS = [tar_layer({f"file-{seed}": random.Random(seed).randbytes(400_000)}) for seed in range(8)]
BIG = image(LAYERS)  # 3.2 MB
HALF = 1_600_000


@pytest.fixture(scope="module")
def memory() -> Iterator[MemoryRegistry]:
    with MemoryRegistry() as registry:
        registry.add("team/big", "1", BIG)
        yield registry


@pytest.fixture
def medium(tmp_path: Path) -> Iterator[FaultyMedium]:
    try:
        with FaultyMedium(tmp_path / "stick") as medium:
            yield medium
    except Unavailable as reason:
        pytest.skip(str(reason))


def pull(airgap: Airgap, memory: MemoryRegistry, output: object, *options: object) -> Result:
    cut = ("--volume-size", "1MiB") if str(output).endswith("volumes.tar") else ()
    return airgap.export("pull", f"{memory.host}/team/big:1", *plain(memory), "--output", output, *cut, *options)


def fetched(memory: MemoryRegistry) -> int:
    return len(memory.requests("GET", "/blobs/"))


@pytest.mark.parametrize("depth", ["sample", "full"])
@pytest.mark.parametrize("form", FORMS)
def test_a_medium_that_holds_the_bundle_is_safe_to_remove(form: str, depth: str, airgap: Airgap, memory: MemoryRegistry,
                                                          medium: FaultyMedium) -> None:
    output = f"{medium.path}/{form}"
    done = pull(airgap, memory, output, "--verify-media", depth).ok()
    assert done.err.splitlines()[-1].endswith("the medium is safe to remove")
    airgap.import_("verify", output).ok()
    assert "safe to remove" in pull(airgap, memory, output, "--verify-media", depth).ok().err  # nothing new to write


@pytest.mark.parametrize("options", [(), ("--verify-media", "none")])
def test_nothing_is_called_safe_that_was_not_read_back(options: tuple[str, ...], airgap: Airgap, memory: MemoryRegistry,
                                                       tmp_path: Path) -> None:
    """What is not removable is not read back unasked."""
    assert "safe to remove" not in pull(airgap, memory, tmp_path / "bundle.tar", *options).ok().err


def test_nothing_is_proved_where_files_are_kept_in_memory(airgap: Airgap, memory: MemoryRegistry) -> None:
    """Whatever drops the kernel's copies of them would drop the files."""
    if "tmpfs" not in subprocess.run(["stat", "-f", "-c", "%T", "/dev/shm"], capture_output=True, text=True).stdout:
        pytest.skip("no tmpfs at /dev/shm")
    with tempfile.TemporaryDirectory(dir="/dev/shm") as directory:
        done = pull(airgap, memory, f"{directory}/bundle.tar", "--verify-media", "full").ok()
    assert "safe to remove" not in done.err and "holds what was written" not in done.err
    assert "tmpfs keeps files in memory alone" in done.err.splitlines()[-1]


@pytest.mark.parametrize("depth", ["sample", "full"])
@pytest.mark.parametrize("beyond", ["zeros", "wraps"])
@pytest.mark.parametrize("form", FORMS)
def test_a_medium_that_lies_about_its_capacity_is_found_out(form: str, beyond: str, depth: str, airgap: Airgap,
                                                            memory: MemoryRegistry, medium: FaultyMedium) -> None:
    output = f"{medium.path}/{form}"
    medium.rule(capacity=HALF, beyond=beyond)
    failed = pull(airgap, memory, output, "--verify-media", depth)
    failed.fails(7, "the medium does not hold what was written to", "claims more room than it has")
    assert "safe to remove" not in failed.err
    airgap.import_("list", output).fails(5, "unfinished")
    (damaged,) = re.findall(r": (\d+) files? (?:is|are) damaged", failed.err)
    assert int(damaged) >= 1


def month(seed: int) -> Manifest:
    """Of any seed of the same layout."""
    return image([Blob(random.Random(100 * seed + i).randbytes(400_000), OCI_LAYER) for i in range(6)])


@pytest.mark.parametrize("depth", ["sample", "full"])
@pytest.mark.parametrize("form", FORMS)
def test_a_medium_that_keeps_what_it_had_is_found_out(form: str, depth: str, airgap: Airgap, memory: MemoryRegistry,
                                                      medium: FaultyMedium) -> None:
    """A worn-out stick takes writes and forgets them; last month's bundle on it is whole, and is not this one (R121)."""
    def pull_month(seed: int, depth: str) -> Result:
        memory.add("team/month", "1", month(seed))
        cut = ("--volume-size", "1MiB") if form == "volumes.tar" else ()
        return airgap.export("pull", f"{memory.host}/team/month:1", *plain(memory), "--jobs", 1, "--output",
                             f"{medium.path}/{form}", *cut, "--verify-media", depth,
                             env={"SOURCE_DATE_EPOCH": "1700000000"})

    pull_month(1, "full").ok()
    subprocess.run(f"rm -r {medium.path}/*", shell=True, check=True)
    medium.rule(dead=True)
    failed = pull_month(2, depth).fails(7, "the medium does not hold what was written to", "do not trust this medium",
                                        f"it touches {memory.host}/team/month:1")
    assert "safe to remove" not in failed.err and "internal error" not in failed.err
    assert airgap.import_("list", f"{medium.path}/{form}").status == 5


def test_an_archive_whose_head_the_medium_lost_is_written_anew_on_demand(airgap: Airgap, memory: MemoryRegistry,
                                                                         medium: FaultyMedium) -> None:
    output = f"{medium.path}/bundle.tar"
    medium.rule(capacity=HALF, beyond="wraps")  # over the head
    pull(airgap, memory, output, "--verify-media", "full").fails(7, "to tell what it was, with --overwrite")
    medium.rule()
    pull(airgap, memory, output).fails(2, "is no unfinished bundle", "--overwrite")
    pull(airgap, memory, output, "--overwrite", "--verify-media", "full").ok()
    airgap.import_("verify", output).ok()


@pytest.mark.parametrize("form", FORMS)
def test_what_a_medium_lost_is_named(form: str, airgap: Airgap, memory: MemoryRegistry, medium: FaultyMedium) -> None:
    medium.rule(capacity=HALF, beyond="zeros")
    events = pull(airgap, memory, f"{medium.path}/{form}", "--verify-media", "sample", "--json", "--jobs", 1)
    (found,) = [event for event in events.events() if event["event"] == "medium"]
    if form == "volumes.tar":  # half of what four volumes hold
        assert len({name.split(":")[0] for name in found["damaged"]}) >= 2
        assert all(name.startswith("volumes.00") for name in found["damaged"])
    else:
        assert len(found["damaged"]) >= 3  # a sample that finds damage goes on to all of it
        assert any("blobs/sha256/" in name for name in found["damaged"])
    assert found["images"] == [f"{memory.host}/team/big:1"]
    events.fails(7, f"it touches {memory.host}/team/big:1")
    if form != "bundle.tar.zst":  # what zeros would decode to nobody knows
        assert "the medium gives zeros from byte" in events.err


@pytest.mark.parametrize("form", FORMS)
def test_a_medium_that_lost_something_gets_just_that_again(form: str, airgap: Airgap, memory: MemoryRegistry,
                                                           medium: FaultyMedium) -> None:
    """Bad cells, and a controller that has put others in their place since."""
    output = f"{medium.path}/{form}"
    medium.rule(capacity=HALF, beyond="zeros")
    pull(airgap, memory, output, "--verify-media", "full", "--jobs", 1).fails(7, "")
    medium.rule()
    before = fetched(memory)
    again = pull(airgap, memory, output, "--verify-media", "full").ok()
    assert "safe to remove" in again.err
    assert 0 < fetched(memory) - before < len(LAYERS)
    airgap.import_("verify", output).ok()


@pytest.mark.parametrize("form", FORMS)
def test_a_medium_that_cannot_be_read_back_is_not_believed(form: str, airgap: Airgap, memory: MemoryRegistry,
                                                           medium: FaultyMedium) -> None:
    output = f"{medium.path}/{form}"
    medium.rule(fail="EIO", on=["read"], after=3_000_000)
    pull(airgap, memory, output, "--verify-media", "full").fails(7, "Input/output error", "do not trust this medium")
    medium.rule()
    airgap.import_("list", output).fails(5, "unfinished")
    pull(airgap, memory, output, "--verify-media", "full").ok()


@pytest.mark.parametrize("form", ["bundle/", "bundle.tar"])
def test_what_comes_back_wrong_once_is_read_again(form: str, airgap: Airgap, memory: MemoryRegistry,
                                                  medium: FaultyMedium) -> None:
    """R144: a flipped bit in this machine's memory, or in a cable, is no fault of the medium."""
    medium.rule(flip=1, after=3_200_000)
    once = pull(airgap, memory, f"{medium.path}/{form}", "--verify-media", "full").ok()
    assert re.search("warning: .*blobs/sha256/[0-9a-f]{64} came back from the medium wrong once, and right the second time",
                     once.err)
    assert "safe to remove" in once.err.splitlines()[-1]
    airgap.import_("verify", f"{medium.path}/{form}").ok()
    medium.rule(flip=1000, after=3_200_000)
    pull(airgap, memory, f"{medium.path}/other-{form}", "--verify-media", "full").fails(
        7, "the medium does not hold what was written", "suspect the reader, the cable and this machine's memory")


@pytest.mark.parametrize("form", FORMS)
def test_a_file_system_that_cannot_sync_a_directory_will_do(form: str, airgap: Airgap, memory: MemoryRegistry,
                                                            medium: FaultyMedium) -> None:
    """exFAT by FUSE (R130)."""
    medium.rule(fail="EINVAL", on=["fsyncdir"])
    pull(airgap, memory, f"{medium.path}/{form}").ok()
    airgap.import_("verify", f"{medium.path}/{form}").ok()
    medium.rule(fail="EIO", on=["fsyncdir"])
    pull(airgap, memory, f"{medium.path}/other-{form}").fails(7, "Input/output error")


FAULTS = {
    "a full disk": ("ENOSPC", ["write"], "No space left on device", "a rerun continues"),
    "a quota": ("EDQUOT", ["write"], "quota", "a rerun continues"),
    "a write error": ("EIO", ["write"], "Input/output error", "put it back and run again"),
    "a write error that the sync tells": ("EIO", ["fsync"], "Input/output error", "put it back and run again"),
    "a medium that turned read-only": ("EROFS", ["write", "create", "rename", "unlink", "truncate", "mkdir"],
                                       "Read-only file system", "mount it for writing"),
    "a device that went away": ("ENODEV", ["write", "fsync", "read"], "No such device", "put it back and run again"),
    "a device that is gone": ("ENXIO", ["write", "fsync", "read"], "No such device or address", "put it back"),
}


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("form", FORMS)
def test_a_fault_midway_is_exit_7_and_a_rerun_finishes(form: str, fault: str, airgap: Airgap, memory: MemoryRegistry,
                                                       medium: FaultyMedium) -> None:
    error, calls, words, hint = FAULTS[fault]
    output = f"{medium.path}/{form}"
    medium.rule(fail=error, on=calls, after=HALF)
    failed = pull(airgap, memory, output).fails(7, words, hint)
    assert str(medium.path) in failed.err
    medium.rule()
    assert airgap.import_("list", output).status != 0
    (plan,) = [event for event in pull(airgap, memory, output, "--json").ok().events() if event["event"] == "plan"]
    if error in ("ENOSPC", "EDQUOT") and form == "bundle/":  # in an archive, its own notes find no room either
        assert plan["keptBytes"] + plan["partialBytes"] > HALF / 2
    airgap.import_("verify", output).ok()


def test_only_what_can_be_read_back_is_promised(airgap: Airgap, memory: MemoryRegistry, tmp_path: Path) -> None:
    pull(airgap, memory, "-", "--verify-media", "full").fails(2, "--verify-media reads back what stays here as a bundle")
    pull(airgap, memory, tmp_path / "b", "--verify-media", "half").fails(2, "there is no 'half'", "full, sample or none")
