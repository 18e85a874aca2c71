"""What the system around a run has too little of, or set in its own way (R139, R140, R143)."""

import os
import random
import resource
import stat
import subprocess
from pathlib import Path
from typing import Callable, Iterator

import pytest

from support.airgap import Airgap, Result, executable, plain
from support.memory_registry import MemoryRegistry
from support.oci import image, tar_layer
from support.preload import preloading
from support.registry import Registry

LAYERS = [tar_layer({f"file-{seed}": random.Random(seed).randbytes(30_000)}) for seed in range(40)]


@pytest.fixture(scope="module")
def memory() -> Iterator[MemoryRegistry]:
    with MemoryRegistry() as registry:
        registry.add("team/app", "1", image(LAYERS))
        yield registry


@pytest.fixture
def pull_where(airgap: Airgap, memory: MemoryRegistry) -> Callable[..., Result]:
    """pull_where(what the child does first, output, *options)"""

    def pull(setup: Callable[[], object], output: object, *options: object) -> Result:
        words = ["pull", f"{memory.host}/team/app:1", *plain(memory), "--output", output, *options]
        command = [str(executable("airgap-export")), *map(str, words)]
        done = subprocess.run(command, env=airgap.environment(), capture_output=True, text=True, preexec_fn=setup)
        return Result(command, done.returncode, done.stdout, done.stderr)

    return pull


def limited(what: int, most: int) -> Callable[[], object]:
    return lambda: resource.setrlimit(what, (most, most))


@pytest.mark.parametrize("form", ["bundle/", "bundle.tar"])
def test_with_little_memory_a_run_ends_well_or_says_so(form: str, airgap: Airgap, pull_where: Callable[..., Result],
                                                       tmp_path: Path) -> None:
    """Address space, in MiB: fewer threads do the work, and where that is not enough it is exit 7."""
    if b"__asan_init" in executable("airgap-export").read_bytes():
        pytest.skip("the address sanitizer needs terabytes of addresses")
    output = f"{tmp_path}/{form}"
    for mebibytes in range(40, 200, 20):
        result = pull_where(limited(resource.RLIMIT_AS, mebibytes << 20), output, "--overwrite")
        if result.status == 3:  # libcurl says that of a line that is broken, too
            result.fails(3, "Out of memory", "run the same command again")
        elif result.status not in (0, 127):  # 127: the loader has no memory for the libraries
            result.fails(7, "out of memory|no more threads|Cannot allocate memory")
    pull_where(lambda: None, output, "--overwrite").ok()
    airgap.import_("verify", output).ok()


def test_few_descriptors_are_enough_and_fewer_are_named(airgap: Airgap, pull_where: Callable[..., Result], tmp_path: Path
                                                       ) -> None:
    pull_where(limited(resource.RLIMIT_NOFILE, 64), f"{tmp_path}/bundle/").ok()
    few = limited(resource.RLIMIT_NOFILE, 16)
    pull_where(few, f"{tmp_path}/other/", "--jobs", 32).fails(7, "Too many open files", "lower --jobs or raise 'ulimit -n'")
    pull_where(lambda: None, f"{tmp_path}/other/").ok()
    airgap.import_("verify", tmp_path / "other").ok()


def test_few_descriptors_are_enough_for_a_push(airgap: Airgap, memory: MemoryRegistry, registry: Registry, tmp_path: Path
                                              ) -> None:
    bundle = tmp_path / "bundle"
    airgap.export("pull", f"{memory.host}/team/app:1", *plain(memory), "--output", f"{bundle}/").ok()

    def push(most: int, *options: str) -> Result:
        words = [str(executable("airgap-import")), "push", str(bundle), registry.host, *plain(registry), *options]
        done = subprocess.run(words, env=airgap.environment(), capture_output=True, text=True,
                              preexec_fn=limited(resource.RLIMIT_NOFILE, most))
        return Result(words, done.returncode, done.stdout, done.stderr)

    push(24, "--jobs", "32").fails(7, "Too many open files", "lower --jobs or raise 'ulimit -n'")
    push(64).ok()
    assert registry.client().has_manifest("team/app", "1")


@pytest.fixture(scope="module")
def interrupted_calls(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """An environment in which calls on files are interrupted, and move less than was asked for."""
    return preloading(tmp_path_factory.mktemp("shim"), "interrupted_calls.c")


@pytest.fixture(scope="module")
def preloaded(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """An environment that obeys NO_LOCKS and CLOCK."""
    return preloading(tmp_path_factory.mktemp("shim"), "preloaded.c")


@pytest.mark.parametrize("form", ["bundle/", "bundle.tar", "bundle.tar.zst", "volumes.tar"])
def test_where_there_are_no_locks_a_run_says_so_once(form: str, airgap: Airgap, memory: MemoryRegistry, tmp_path: Path,
                                                     preloaded: dict[str, str]) -> None:
    """R135: a share, or a stick by FUSE."""
    cut = ("--volume-size", "1MiB") if form == "volumes.tar" else ()
    done = airgap.export("pull", f"{memory.host}/team/app:1", *plain(memory), *cut, "--output", f"{tmp_path}/{form}",
                         env={**preloaded, "NO_LOCKS": "1"}).ok()
    assert done.err.count("two runs at once are not kept apart there") == 1
    airgap.import_("verify", f"{tmp_path}/{form}").ok()


CLOCKS = {-1: "1969-12-31T23:59:59Z", -10**9: "1938-04-24T22:13:20Z", 9_000_000_000: "2255-03-14T16:00:00Z"}


@pytest.mark.parametrize("clock", CLOCKS)
def test_a_clock_that_is_far_off_is_named(clock: int, airgap: Airgap, memory: MemoryRegistry, registry: Registry,
                                          tmp_path: Path, preloaded: dict[str, str]) -> None:
    env = {**preloaded, "CLOCK": str(clock)}
    words = ("pull", f"{memory.host}/team/app:1", *plain(memory), "--output", tmp_path / "bundle.tar")
    airgap.export(*words, env=env).fails(2, f"the clock of this machine says {CLOCKS[clock]}", "set the clock, or "
                                            "SOURCE_DATE_EPOCH")
    airgap.export(*words, env={**env, "SOURCE_DATE_EPOCH": "1700000000"}).ok()
    push = ("push", tmp_path / "bundle.tar", registry.host, *plain(registry))
    airgap.import_(*push, "--receipt", tmp_path / "receipt.json", env=env).fails(2, "the clock of this machine")
    assert registry.client().tags("team/app") == []
    airgap.import_(*push, env=env).ok()


@pytest.mark.parametrize("form", ["bundle/", "bundle.tar", "bundle.tar.zst", "volumes.tar", "-"])
def test_calls_that_are_interrupted_or_move_less_are_made_again(
        form: str, airgap: Airgap, memory: MemoryRegistry, registry: Registry, tmp_path: Path,
        interrupted_calls: dict[str, str]) -> None:
    """R142"""
    cut = ("--volume-size", "1MiB") if form == "volumes.tar" else ()
    output = tmp_path / ("bundle.tar" if form == "-" else form)
    pull = ("pull", f"{memory.host}/team/app:1", *plain(memory), *cut, "--output")
    if form == "-":
        with open(output, "wb") as out:
            process = airgap.start("airgap-export", *pull, "-", env=interrupted_calls, stdout=out)
            _, said = process.communicate(timeout=60)
        assert process.returncode == 0, said
    else:
        airgap.export(*pull, f"{tmp_path}/{form}", "--verify-media", "full", env=interrupted_calls).ok()
    airgap.import_("verify", output, env=interrupted_calls).ok()
    airgap.import_("verify", output).ok()
    if form == "-":
        airgap.import_("push", "-", registry.host, *plain(registry), input=output.read_bytes(), env=interrupted_calls).ok()
    else:
        airgap.import_("push", output, registry.host, *plain(registry), env=interrupted_calls).ok()
    assert registry.client().has_manifest("team/app", "1")


def test_who_may_read_a_bundle_is_what_the_umask_says(airgap: Airgap, pull_where: Callable[..., Result], tmp_path: Path) -> None:
    for umask, mode in ((0o022, 0o644), (0o077, 0o600), (0o000, 0o644)):
        output = tmp_path / f"bundle-{umask:o}"
        pull_where(lambda: os.umask(umask), f"{output}/").ok()
        modes = {stat.S_IMODE(path.stat().st_mode) for path in output.rglob("*") if path.is_file()}
        assert modes == {mode}
        pull_where(lambda: os.umask(umask), f"{output}.tar").ok()
        assert stat.S_IMODE(output.with_name(f"{output.name}.tar").stat().st_mode) == mode
