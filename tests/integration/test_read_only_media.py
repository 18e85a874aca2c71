"""A write-protected stick, a disc, a snapshot: import, list and verify work where nothing can be written (R125)."""

import os
import shutil
import subprocess
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import Iterator

import pytest
from conftest import Running

from support.airgap import Airgap, Result, executable, plain
from support.memory_registry import MemoryRegistry
from support.registry import Registry
from support.small_bundle import SmallBundle, make_small_bundle, small_image


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> SmallBundle:
    return make_small_bundle(tmp_path_factory.mktemp("small"))


@contextmanager
def write_protected(directory: Path, place: Path) -> Iterator[Path]:
    """The directory, mounted read-only at `place`."""
    place.mkdir()
    for command in (["mount", "--bind", directory, place], ["mount", "-o", "remount,bind,ro", place]):
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode != 0:
            subprocess.run(["umount", "--lazy", place], capture_output=True)
            pytest.skip(f"cannot mount a file system here: {done.stderr.strip()}")
    with pytest.raises(OSError):
        (place / "new").write_text("")
    yield place
    subprocess.run(["umount", "--lazy", place], check=True)


@pytest.fixture
def medium(small: SmallBundle, tmp_path: Path) -> Iterator[Path]:
    """Holds both forms of the bundle."""
    with write_protected(small.archive.parent, tmp_path / "medium") as place:
        yield place


def state(directory: Path) -> dict[str, tuple[int, int, int]]:
    """Every name with inode, size and time of change."""
    found = {str(path.relative_to(directory)): path.lstat() for path in directory.rglob("*")}
    return {name: (s.st_ino, s.st_size, s.st_ctime_ns) for name, s in found.items() if not name.startswith("home")}


@pytest.mark.parametrize("form", ["bundle", "bundle.tar"])
def test_a_bundle_is_used_in_place(form: str, airgap: Airgap, small: SmallBundle, medium: Path,
                                    registry: Registry) -> None:
    airgap.import_("list", medium / form).ok()
    airgap.import_("verify", medium / form).ok()
    airgap.import_("push", medium / form, registry.host, *plain(registry), "--dry-run").ok()
    airgap.import_("push", medium / form, registry.host, *plain(registry)).ok()
    assert registry.client().digest("team/one", "1") == small.one.digest


@pytest.mark.parametrize("form", ["bundle", "bundle.tar"])
def test_nothing_is_written_beside_a_bundle_that_could_be(form: str, airgap: Airgap, small: SmallBundle,
                                                          registry: Registry, tmp_path: Path) -> None:
    """No lock, no temporary file, no index; not in /tmp, in the home or in the working directory either (R138)."""
    medium, elsewhere = small.archive.parent, tmp_path / "elsewhere"
    elsewhere.mkdir()
    env = {"TMPDIR": str(elsewhere), "HOME": str(elsewhere), "XDG_RUNTIME_DIR": str(elsewhere)}
    before = state(medium)
    for command in (("list",), ("verify",), ("push",)):
        target = (registry.host, *plain(registry)) if command == ("push",) else ()
        airgap.import_(*command, medium / form, *target, env=env, cwd=elsewhere).ok()
    assert state(medium) == before
    assert list(elsewhere.rglob("*")) == []


def test_a_push_opens_nothing_for_writing(airgap: Airgap, small: SmallBundle, registry: Registry, tmp_path: Path
                                         ) -> None:
    """As the kernel sees it."""
    trace = tmp_path / "trace"
    command = ["strace", "-f", "-e", "trace=open,openat,creat,mkdir,mkdirat,unlink,unlinkat,rename,renameat,renameat2",
               "-o", str(trace), executable("airgap-import"), "push", small.archive, registry.host, *plain(registry)]
    try:
        done = subprocess.run(command, env=airgap.environment(), capture_output=True, text=True)
    except FileNotFoundError:
        pytest.skip("strace is not installed")
    if "ptrace" in done.stderr:
        pytest.skip(f"strace cannot trace here: {done.stderr.strip()}")
    assert done.returncode == 0, done.stderr
    calls = trace.read_text().splitlines()
    assert any(str(small.archive) in call for call in calls)
    changes = ("O_WRONLY", "O_RDWR", "O_CREAT", "mkdir", "unlink", "rename")
    written = [call for call in calls if any(word in call for word in changes) and "= -1" not in call]
    assert [call for call in written if "/dev/null" not in call] == []


def test_a_bundle_that_this_user_may_only_read(airgap: Airgap, small: SmallBundle, registry: Registry) -> None:
    """Owned by another, as a file server shows it; imported by a user that is not root."""
    if os.geteuid() != 0:
        pytest.skip("only root can become another user")
    with tempfile.TemporaryDirectory() as share:
        os.chmod(share, 0o555)
        archive = shutil.copy(small.archive, share)
        os.chmod(archive, 0o444)
        push = ["airgap-import", "push", archive, registry.host, *plain(registry)]
        program = executable(push[0])
        command = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", program, *push[1:]]
        done = subprocess.run(command, env=airgap.environment({"HOME": share}), capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert registry.client().digest("team/two", "1") == small.two.digest


@pytest.mark.parametrize("options", [("--output", "bundle/"), ("--output", "bundle.tar"),
                                     ("--output", "bundle.tar", "--volume-size", "1MiB")])
def test_a_pull_of_what_lies_on_a_write_protected_medium_has_nothing_to_do(options: tuple[str, ...], airgap: Airgap,
                                                                          running: Running, tmp_path: Path) -> None:
    server = running(MemoryRegistry())
    server.add("team/one", "1", small_image(1))
    stick = tmp_path / "stick"
    stick.mkdir()

    def pull(place: Path, *more: object) -> Result:
        return airgap.export("pull", f"{server.host}/team/one:1", *plain(server), *options, *more, cwd=place)

    pull(stick).ok()
    with write_protected(stick, tmp_path / "medium") as place:
        assert "nothing new" in pull(place).ok().err
        assert "was not read back" in pull(place, "--verify-media", "full").ok().err
        server.add("team/one", "1", small_image(2))
        pull(place, "--overwrite").fails(7, "mounted read-only", "mount it for writing")
        airgap.import_("verify", place / options[1]).ok()
