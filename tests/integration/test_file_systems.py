"""FAT and exFAT, as sticks have them: by the kernel where it knows them, else by FUSE."""

import json
import random
import signal
import subprocess
import time
from pathlib import Path
from typing import Iterator

import pytest
from conftest import Running

from support.airgap import Airgap, Result, plain
from support.file_system import FileSystem
from support.memory_registry import MemoryRegistry
from support.oci import image, tar_layer
from support.process import Unavailable
from support.proxy import FaultProxy
from support.registry import Registry
from support.small_bundle import small_image

FORMS = ["bundle/", "bundle.tar"]
KINDS = ["fat", "exfat"]
BIG = image([tar_layer({f"file-{seed}": random.Random(seed).randbytes(4_000_000)}) for seed in range(15)])  # 60 MB
TIGHT = image([tar_layer({f"file-{seed}": random.Random(seed).randbytes(5_700_000)}) for seed in range(50, 56)])  # 34 MB
SMALL = small_image(3, size=600_000)
HUGE = "sha256:" + "5" * 64
GIB4 = 1 << 32


@pytest.fixture(scope="module")
def memory() -> Iterator[MemoryRegistry]:
    with MemoryRegistry() as registry:
        registry.add("team/big", "1", BIG)
        registry.add("team/tight", "1", TIGHT)
        registry.add("team/small", "1", SMALL)
        for tag, size in (("fits", GIB4 - 1), ("over", GIB4)):
            manifest = json.loads(SMALL.data)
            manifest["layers"][0] |= {"digest": HUGE, "size": size}
            registry.put("team/huge", tag, json.dumps(manifest).encode(), SMALL.media_type)
        yield registry


@pytest.fixture(params=KINDS)
def stick(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[FileSystem]:
    """40 MB of it."""
    try:
        with FileSystem(request.param, tmp_path / "fs", megabytes=40) as stick:
            yield stick
    except Unavailable as reason:
        pytest.skip(str(reason))


def skip_what_fusefat_lacks(stick: FileSystem, reason: str) -> None:
    if stick.kind == "fat" and not stick.by_kernel:
        pytest.skip(f"no vfat in this kernel, and fusefat {reason}")


def skip_archives_on_fusefat(form: str, stick: FileSystem) -> None:
    if form == "bundle.tar":
        skip_what_fusefat_lacks(stick, "cannot make a file longer by ftruncate")


def pull(airgap: Airgap, memory: MemoryRegistry, name: str, output: object, *options: object) -> Result:
    return airgap.export("pull", f"{memory.host}/{name}", *plain(memory), "--output", output, *options)


@pytest.mark.parametrize("form", FORMS)
def test_a_bundle_goes_there_and_back(form: str, airgap: Airgap, memory: MemoryRegistry, stick: FileSystem,
                                      registry: Registry) -> None:
    skip_archives_on_fusefat(form, stick)
    output = f"{stick.path}/{form}"
    done = pull(airgap, memory, "team/small:1", output, "--verify-media", "full").ok()
    assert "safe to remove" in done.err
    assert f": {'vfat' if stick.kind == 'fat' else 'exfat'}, " in done.err
    assert "nothing new" in pull(airgap, memory, "team/small:1", output).ok().err
    stick.remount("ro")
    airgap.import_("verify", output).ok()
    airgap.import_("push", output, registry.host, *plain(registry)).ok()
    assert registry.client().digest("team/small", "1") == SMALL.digest


@pytest.mark.parametrize("form", FORMS)
def test_nothing_is_written_to_a_stick_that_became_read_only(form: str, airgap: Airgap, memory: MemoryRegistry,
                                                             stick: FileSystem) -> None:
    """The switch of a card, or the kernel after an error. With the switch back it goes on."""
    skip_archives_on_fusefat(form, stick)
    output = f"{stick.path}/{form}"
    pull(airgap, memory, "team/small:1", f"{stick.path}/other/").ok()
    stick.remount("ro")
    pull(airgap, memory, "team/small:1", output).fails(7, "[Rr]ead-only")
    pull(airgap, memory, "team/small:1", output, "--dry-run").fails(7, "mounted read-only")
    stick.remount("rw")
    pull(airgap, memory, "team/small:1", output).ok()
    airgap.import_("verify", output).ok()


@pytest.mark.parametrize("form", FORMS)
def test_a_stick_that_fills_up_midway_keeps_what_came(form: str, airgap: Airgap, memory: MemoryRegistry,
                                                      stick: FileSystem) -> None:
    """Where the file system tells its free space the plan refuses it first; somebody else may fill it up later."""
    skip_what_fusefat_lacks(stick, "does not say that it is full")
    output = f"{stick.path}/{form}"
    failed = pull(airgap, memory, "team/big:1", output).fails(7, "more are needed|No space left on device")
    assert str(stick.path) in failed.err
    assert airgap.import_("list", output).status != 0
    pull(airgap, memory, "team/small:1", output).ok()
    airgap.import_("verify", output).ok()


@pytest.mark.parametrize("form", [["bundle.tar"], ["bundle.tar", "--volume-size", "9MB"], ["bundle/"]],
                         ids=["archive", "volumes", "directory"])
def test_a_run_that_was_stopped_goes_on_where_hardly_any_room_is_left(form: list[str], airgap: Airgap,
                                                                      memory: MemoryRegistry, running: Running,
                                                                      stick: FileSystem) -> None:
    """exFAT has no holes: what was begun far behind takes up all that lies before it."""
    skip_what_fusefat_lacks(stick, "does not say how much is free")
    proxy = running(FaultProxy(memory))
    proxy.rule("GET", "/blobs/", rate=1_000_000)
    output = f"{stick.path}/{form[0]}"
    command = ["pull", f"{proxy.host}/team/tight:1", *plain(proxy), "--jobs", "6", "--output", output, *form[1:]]
    run = airgap.start("airgap-export", *command)
    deadline = time.monotonic() + 30
    while proxy.bytes_sent("GET", "/blobs/") < 6_000_000:
        assert run.poll() is None and time.monotonic() < deadline
        time.sleep(0.01)
    assert airgap.stop(run, signal.SIGINT).status == 130
    proxy.clear_rules()
    airgap.export(*command).ok()
    airgap.import_("verify", output).ok()


@pytest.mark.parametrize("form", FORMS)
def test_a_name_that_the_stick_does_not_take_is_refused_before_anything_is_fetched(
        form: str, airgap: Airgap, memory: MemoryRegistry, stick: FileSystem) -> None:
    output = f"{stick.path}/at 12:30 {form}"
    for options in ([], ["--dry-run"]):
        pull(airgap, memory, "team/small:1", output, *options).fails(
            7, "the name at 12:30 bundle.* has a ':', which (vfat|exfat) does not take", "choose a name without it")
    assert list(stick.path.iterdir()) == []


def test_names_need_no_capital_letters_and_no_links(airgap: Airgap, memory: MemoryRegistry, stick: FileSystem) -> None:
    pull(airgap, memory, "team/small:1", f"{stick.path}/Bundle/").ok()
    names = [path.name for path in (stick.path / "Bundle").rglob("*")]
    assert [name for name in names if name != name.lower()] == ["SHA256SUMS"]
    copied = subprocess.run(["sha256sum", "--check", "--quiet", "SHA256SUMS"], cwd=stick.path / "Bundle",
                            capture_output=True, text=True)
    assert copied.returncode == 0, copied.stderr


@pytest.mark.parametrize("options", [[], ["--dry-run"]], ids=["run", "dry run"])
def test_skopeos_directories_are_refused_before_anything_is_asked_for(options: list[str], airgap: Airgap,
                                                                     memory: MemoryRegistry, stick: FileSystem) -> None:
    """Their names have colons."""
    memory.seen.clear()
    pull(airgap, memory, "team/small:1", f"{stick.path}/new/tree", "--format", "skopeo-dir", *options).fails(
        7, f"{stick.path}/new/tree is on (vfat|exfat), which takes no ':'", "--output bundle.tar")
    assert memory.seen == [] and list(stick.path.glob("new*")) == []


def test_a_layer_that_fat_cannot_hold_is_refused_before_the_first_byte(airgap: Airgap, memory: MemoryRegistry,
                                                                       stick: FileSystem) -> None:
    """4 GiB - 1 fits, had the stick the room; one byte more never does."""
    over = pull(airgap, memory, "team/huge:over", f"{stick.path}/bundle/", "--dry-run")
    fits = pull(airgap, memory, "team/huge:fits", f"{stick.path}/bundle/", "--dry-run")
    if stick.kind == "fat":
        over.fails(7, f"{HUGE} of .*/team/huge:over", "vfat", "4294967296 bytes", "4 GiB - 1", "--volume-size")
    else:
        over.fails(7, "more are needed")
    assert "takes no file" not in fits.err
    archive = pull(airgap, memory, "team/huge:over", f"{stick.path}/bundle.tar", "--dry-run")
    if stick.kind == "fat" and not stick.by_kernel:
        archive.ok()  # fusefat does not tell how much is free
    else:
        archive.fails(7, "more are needed")
    assert ("in 2 volumes of at most 4.0 GiB" in archive.err) == (stick.kind == "fat")
    assert memory.requests("GET", HUGE) == []
    assert list(stick.path.glob("bundle*")) == []
