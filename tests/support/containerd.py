"""containerd as a reader of archives: `ctr images import` needs a daemon, which not every machine can run."""

import subprocess
import time
from pathlib import Path

from .process import ServerProcess, Unavailable
from .registry import program


_START_SECONDS = 20.0


class Containerd:
    """A containerd of our own, stopped by stop(). start() raises Unavailable."""

    def __init__(self, directory: Path) -> None:
        self._socket = directory / "c.sock"  # short: the limit of 107 bytes is near below pytest's directories
        config = directory / "config.toml"
        directory.mkdir(parents=True, exist_ok=True)
        config.write_text('version = 2\ndisabled_plugins = ["io.containerd.grpc.v1.cri"]\n')
        self._process = ServerProcess("containerd", [
            program("containerd"), "--config", str(config), "--root", str(directory / "root"),
            "--state", str(directory / "state"), "--address", str(self._socket)], directory, None)

    def start(self) -> None:
        self._process.start()
        deadline = time.monotonic() + _START_SECONDS
        while self._process.alive and time.monotonic() < deadline:
            if self._socket.exists() and self._ctr("--timeout", "2s", "version").returncode == 0:
                return
            time.sleep(0.02)
        self._process.stop()
        raise Unavailable(self._process.log_tail(5))

    def stop(self) -> None:
        self._process.stop()

    def import_archive(self, archive: Path) -> str:
        done = self._ctr("images", "import", "--no-unpack", "--all-platforms", str(archive))
        if done.returncode != 0:
            raise RuntimeError(f"ctr images import: {done.stderr}")
        return done.stdout

    def images(self) -> dict[str, str]:
        """Name -> digest."""
        lines = self._ctr("images", "list").stdout.splitlines()[1:]
        return {fields[0]: fields[2] for fields in (line.split() for line in lines)}

    def _ctr(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run([program("ctr"), "--address", str(self._socket), *arguments], capture_output=True,
                              text=True, timeout=120)
