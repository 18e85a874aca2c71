"""One run of one command: wall time, processor time, peak memory, bytes written to disks, room taken meanwhile."""

import contextlib
import json
import os
import subprocess
import sys
import threading
from dataclasses import dataclass
from pathlib import Path
from statistics import median

# A process of 9 MiB starts the command: a child's peak counts the parent that it was forked from.
_LAUNCHER = """
import json, os, sys, time
began = time.monotonic()
pid = os.posix_spawn(sys.argv[2], sys.argv[2:], os.environ)
_, status, used = os.wait4(pid, 0)
took = time.monotonic() - began
with open(sys.argv[1], "w") as out:
    json.dump([took, used.ru_utime + used.ru_stime, used.ru_maxrss * 1024, used.ru_oublock * 512,
               os.waitstatus_to_exitcode(status)], out)
"""


class Failed(Exception):
    """A contender did not end with 0; the text has the end of what it said."""


@dataclass(frozen=True)
class Sample:
    """`peak` is of the largest process, in bytes. `written`: bytes to disks, 0 in memory (tmpfs)."""

    wall: float
    cpu: float
    peak: int
    written: int


@dataclass(frozen=True)
class Result:
    """Several runs: medians of times, the shortest time, the highest peak, the most bytes written."""

    wall: float
    best: float
    cpu: float
    peak: int
    written: int

    @classmethod
    def of(cls, samples: list[Sample]) -> "Result":
        walls = [s.wall for s in samples]
        return cls(median(walls), min(walls), median(s.cpu for s in samples), max(s.peak for s in samples),
                   max(s.written for s in samples))


def run(command: list[str], work: Path, env: dict[str, str]) -> Sample:
    """Waits for the end. What earlier work left unwritten is on the disk before the clock starts."""
    os.sync()
    answer, log = work / "sample.json", work / "command.log"
    with open(log, "wb") as said:
        subprocess.run([sys.executable, "-I", "-S", "-c", _LAUNCHER, str(answer), *command], check=True, env=env,
                       stdin=subprocess.DEVNULL, stdout=said, stderr=said)
    wall, cpu, peak, written, status = json.loads(answer.read_text())
    if status != 0:
        raise Failed(f"exit status {status}: {' '.join(command)}\n{log.read_text(errors='replace')[-3000:]}")
    return Sample(wall, cpu, peak, written)


def bytes_below(path: Path) -> int:
    """The bytes of a file, or of all files in a directory."""
    if path.is_file():
        return path.stat().st_size
    return sum(file.stat().st_size for file in path.rglob("*") if file.is_file() and not file.is_symlink())


def most_room_below(directory: Path, command: list[str], work: Path, env: dict[str, str]) -> int:
    """Bytes of disk that files below `directory` take, at most, while a command runs that makes its temporary files and
    what it keeps for its user there, if any. Looked at all the time: such a run is not timed."""
    most, ended = room_below(directory), threading.Event()

    def watch() -> None:
        nonlocal most
        while not ended.wait(0.005):
            most = max(most, room_below(directory))

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        run(command, work, {**env, "TMPDIR": str(directory), "HOME": str(directory), "XDG_STATE_HOME": str(directory)})
    finally:
        ended.set()
        watcher.join()
    return most


def room_below(directory: Path) -> int:
    """Holes take none. Files come and go meanwhile."""
    total = 0
    for folder, _, names in os.walk(directory):
        for name in names:
            with contextlib.suppress(FileNotFoundError):
                total += os.lstat(os.path.join(folder, name)).st_blocks * 512
    return total
