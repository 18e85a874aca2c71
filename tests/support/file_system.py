"""File systems of sticks in an image file: by the kernel where it has them, else by FUSE.

    with FileSystem("fat", directory, megabytes=40) as stick:
        stick.path, stick.remount("ro")
"""

import os
import subprocess
import time
from pathlib import Path

from .process import Unavailable

_MAKE = {"fat": ["mkfs.vfat", "-F", "32"], "exfat": ["mkfs.exfat"]}
_KERNEL = {"fat": "vfat", "exfat": "exfat"}


class FileSystem:
    """Mounted at `path` while the context lasts. Raises Unavailable with the reason where that does not work."""

    def __init__(self, kind: str, directory: Path, megabytes: int) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self.kind = kind
        self.path = directory / "stick"
        self.path.mkdir()
        self.image = directory / "image"
        self.by_kernel = False
        self._loop: str | None = None
        self._bytes = megabytes << 20

    def __enter__(self) -> "FileSystem":
        with open(self.image, "wb") as image:
            image.truncate(self._bytes)
        _run([*_MAKE[self.kind], str(self.image)])
        self._mount("rw")
        return self

    def __exit__(self, *_: object) -> None:
        self._unmount()

    def remount(self, how: str) -> None:
        """"ro" or "rw": the medium is taken out and put in again, so that nothing of it is in memory."""
        self._unmount()
        self._mount(how)

    def _mount(self, how: str) -> None:
        kernel = ["mount", "-t", _KERNEL[self.kind], "-o", f"loop,{how}", str(self.image), str(self.path)]
        if subprocess.run(kernel, capture_output=True).returncode == 0:
            self.by_kernel = True
            return
        if self.kind == "fat":
            _run(["fusefat", "-o", "ro" if how == "ro" else "rw+", str(self.image), str(self.path)])
        else:
            self._loop = _run(["losetup", "--find", "--show", str(self.image)]).strip()
            _run(["mount.exfat-fuse", "-o", how, self._loop, str(self.path)])
        deadline = time.monotonic() + 10
        while not os.path.ismount(self.path):
            if time.monotonic() > deadline:
                raise Unavailable(f"cannot mount {self.kind}, neither by the kernel nor by FUSE")
            time.sleep(0.01)

    def _unmount(self) -> None:
        subprocess.run(["umount", self.path], capture_output=True)
        deadline = time.monotonic() + 20  # the FUSE program writes the last of it after that
        while subprocess.run(["fuser", "-s", self.image], capture_output=True).returncode == 0:
            if time.monotonic() > deadline:
                break
            time.sleep(0.05)
        if self._loop:
            subprocess.run(["losetup", "--detach", self._loop], capture_output=True)
            self._loop = None


def _run(command: list[str]) -> str:
    try:
        done = subprocess.run(command, capture_output=True, text=True)
    except FileNotFoundError:
        raise Unavailable(f"{command[0]} is not installed") from None
    if done.returncode != 0:
        raise Unavailable(f"{command[0]} does not work here: {(done.stderr or done.stdout).strip()[-300:]}")
    return done.stdout
