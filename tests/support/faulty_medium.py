"""A medium that fails on purpose: a FUSE file system that stores pages as a stick does, until a rule says otherwise.

    with FaultyMedium(directory) as medium:
        medium.rule(capacity=2_000_000, beyond="zeros")   # claims more room than it has
        ... medium.path ...

The kernel keeps what is written to it, as it does for every file system: only who drops that sees what the medium holds.
"""

import errno
import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from .process import ServerProcess, Unavailable

PAGE = 4096


class FaultyMedium:
    """Mounted at `path` while the context lasts. Raises Unavailable where FUSE does not work."""

    def __init__(self, directory: Path) -> None:
        self.path = directory / "medium"
        self._rules = directory / "rules.json"
        names = directory / "names"
        for made in (self.path, names):
            made.mkdir(parents=True)
        self.rule()
        command = [sys.executable, "-m", "support.faulty_medium", str(names), str(self.path), str(self._rules)]
        env = {**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parent.parent)}
        self._server = ServerProcess("faulty-medium", command, directory, None, env)

    def __enter__(self) -> "FaultyMedium":
        self._server.start()
        deadline = time.monotonic() + 20
        while not os.path.ismount(self.path):
            if not self._server.alive or time.monotonic() > deadline:
                raise Unavailable(f"cannot mount a FUSE file system here: {self._server.log_tail(3)}")
            time.sleep(0.01)
        return self

    def __exit__(self, *_: object) -> None:
        subprocess.run(["fusermount", "-u", "-z", self.path], capture_output=True)
        self._server.stop()

    def rule(self, **fields: Any) -> None:
        """From the next call on, this alone.

        fail="EIO", on=["write", …], after=N: those calls fail once N bytes were written to the medium in all.
        capacity=N, beyond="zeros" or "wraps": of what is written beyond N bytes nothing is kept, or it takes the place
        of what was written first.
        dead=True: nothing that is written is kept, and what was there before stays: a new file takes the places that were
        given back longest ago.
        flip=N, after=M: once M bytes were written in all, N reads in the middle of a file have a wrong bit.
        """
        new = self._rules.with_suffix(".new")
        new.write_text(json.dumps(fields))
        new.rename(self._rules)


class Device:
    """Pages in the order in which they were first written."""

    def __init__(self) -> None:
        self.pages: dict[int, bytes] = {}
        self.next = 0
        self.given_back: list[int] = []

    def allocate(self, rule: dict[str, Any]) -> int:
        if rule.get("dead") and self.given_back:
            self.given_back.sort()
            return self.given_back.pop(0)
        self.next += 1
        return self.next - 1

    def place(self, page: int, rule: dict[str, Any]) -> int | None:
        capacity = rule.get("capacity", 1 << 60) // PAGE
        if page < capacity:
            return page
        return page % capacity if rule["beyond"] == "wraps" else None

    def read(self, page: int, rule: dict[str, Any]) -> bytes:
        place = self.place(page, rule)
        return bytes(PAGE) if place is None else self.pages.get(place, bytes(PAGE))

    def write(self, page: int, data: bytes, rule: dict[str, Any]) -> None:
        place = self.place(page, rule)
        if place is not None and not rule.get("dead"):
            self.pages[place] = data


def serve(names: str, mount_point: str, rules: str) -> None:
    """Names, sizes and modes are those of the directory `names`; bytes are in a Device."""
    from fusepy import FUSE, FuseOSError, Operations  # not needed by those who only start it

    class Files(Operations):  # type: ignore[misc]
        def __init__(self) -> None:
            self.device = Device()
            self.files: dict[int, dict[int, int]] = {}  # inode -> page of the file -> page of the device
            self.written = 0
            self.flipped = 0

        def _rule(self, call: str) -> dict[str, Any]:
            rule: dict[str, Any] = json.loads(Path(rules).read_text())
            if call in rule.get("on", []) and self.written >= rule.get("after", 0):
                raise FuseOSError(getattr(errno, rule["fail"]))
            return rule

        def _real(self, path: str) -> str:
            return names + path

        def _forget(self, path: str) -> None:
            if os.path.isfile(self._real(path)):
                self.device.given_back += self.files.pop(os.stat(self._real(path)).st_ino, {}).values()

        def getattr(self, path: str, fh: int | None = None) -> dict[str, Any]:
            found = os.lstat(self._real(path))
            return {key: getattr(found, key) for key in
                    ("st_mode", "st_ino", "st_nlink", "st_uid", "st_gid", "st_size", "st_mtime", "st_ctime", "st_atime")}

        def statfs(self, path: str) -> dict[str, int]:
            return {"f_bsize": PAGE, "f_frsize": PAGE, "f_blocks": 1 << 20, "f_bfree": 1 << 19, "f_bavail": 1 << 19,
                    "f_namemax": 255}

        def readdir(self, path: str, fh: int) -> list[str]:
            return [".", "..", *os.listdir(self._real(path))]

        def mkdir(self, path: str, mode: int) -> None:
            self._rule("mkdir")
            os.mkdir(self._real(path), mode)

        def rmdir(self, path: str) -> None:
            os.rmdir(self._real(path))

        def unlink(self, path: str) -> None:
            self._rule("unlink")
            self._forget(path)
            os.unlink(self._real(path))

        def rename(self, old: str, new: str) -> None:
            self._rule("rename")
            self._forget(new)
            os.rename(self._real(old), self._real(new))

        def link(self, target: str, source: str) -> None:
            raise FuseOSError(errno.EPERM)

        def open(self, path: str, flags: int) -> int:
            return os.open(self._real(path), flags & ~(os.O_CREAT | os.O_EXCL | os.O_APPEND))

        def create(self, path: str, mode: int, fi: Any = None) -> int:
            self._rule("create")
            return os.open(self._real(path), os.O_RDWR | os.O_CREAT, mode)

        def release(self, path: str, fh: int) -> None:
            os.close(fh)

        def truncate(self, path: str, length: int, fh: int | None = None) -> None:
            self._rule("truncate")
            pages = self.files.get(os.stat(self._real(path)).st_ino, {})
            for page in [p for p in pages if p * PAGE >= length]:
                self.device.given_back.append(pages.pop(page))
            os.truncate(self._real(path), length)

        def fsync(self, path: str, datasync: int, fh: int) -> None:
            self._rule("fsync")

        def fsyncdir(self, path: str, datasync: int, fh: int) -> None:
            self._rule("fsyncdir")

        def read(self, path: str, size: int, offset: int, fh: int) -> bytes:
            rule = self._rule("read")
            found = os.fstat(fh)
            pages = self.files.get(found.st_ino, {})
            end = min(offset + size, found.st_size)
            first = offset // PAGE
            data = b"".join(self.device.read(pages[p], rule) if p in pages else bytes(PAGE)
                            for p in range(first, -(-end // PAGE)))
            data = data[offset - first * PAGE:end - first * PAGE]
            if offset >= 25 * PAGE and self.written >= rule.get("after", 0) and self.flipped < rule.get("flip", 0):
                self.flipped += 1
                data = bytes([data[0] ^ 1]) + data[1:]
            return data

        def write(self, path: str, data: bytes, offset: int, fh: int) -> int:
            rule = self._rule("write")
            found = os.fstat(fh)
            pages = self.files.setdefault(found.st_ino, {})
            for page in range(offset // PAGE, -(-(offset + len(data)) // PAGE)):
                pages.setdefault(page, self.device.allocate(rule) if page not in pages else 0)
                start, end = max(offset, page * PAGE), min(offset + len(data), (page + 1) * PAGE)
                old = self.device.read(pages[page], rule)
                new = old[:start - page * PAGE] + data[start - offset:end - offset] + old[end - page * PAGE:]
                self.device.write(pages[page], new, rule)
            self.written += len(data)
            os.truncate(self._real(path), max(found.st_size, offset + len(data)))
            return len(data)

    FUSE(Files(), mount_point, foreground=True, nothreads=True, kernel_cache=True, big_writes=True, use_ino=True,
         fsname="stick")


if __name__ == "__main__":
    serve(*sys.argv[1:])
