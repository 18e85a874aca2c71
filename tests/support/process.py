"""A server process on a loopback port: started, waited for, stopped, its log kept."""

import os
import signal
import socket
import subprocess
import time
from pathlib import Path

_START_SECONDS = 20.0
_STOP_SECONDS = 10.0

# Every server that this process started, for the report of a failed test.
started: list["ServerProcess"] = []


class Unavailable(Exception):
    """A program is installed but cannot work on this machine (privileges, say); the text says why."""


class ServerProcess:
    """Runs `command` until stop(). Standard output and error go to two files in `directory`."""

    def __init__(self, name: str, command: list[str], directory: Path, port: int | None,
                 env: dict[str, str] | None = None) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self.name = name
        self.command = command
        self.port = port
        self.out_path = directory / f"{name}.out"
        self.log_path = directory / f"{name}.log"
        self._env = env
        self._process: subprocess.Popen[bytes] | None = None
        started.append(self)

    def start(self) -> None:
        with open(self.out_path, "ab") as out, open(self.log_path, "ab") as log:
            self._process = subprocess.Popen(self.command, stdin=subprocess.DEVNULL, stdout=out, stderr=log,
                                             env=self._env, start_new_session=True)
        if self.port is not None:
            self._wait_until_accepting(self.port)

    def stop(self) -> None:
        """Asks it to end, then makes it. Harmless when it has ended already."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """SIGKILL: the server is gone in the middle of whatever it does."""
        self._end(signal.SIGKILL)

    @property
    def alive(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def log_tail(self, lines: int = 30) -> str:
        text = "".join(path.read_text(errors="replace") for path in (self.out_path, self.log_path) if path.exists())
        return "\n".join(text.splitlines()[-lines:])

    def _wait_until_accepting(self, port: int) -> None:
        assert self._process is not None
        deadline = time.monotonic() + _START_SECONDS
        while time.monotonic() < deadline:
            if self._process.poll() is not None:
                raise RuntimeError(f"{self.name} ended with {self._process.returncode}:\n{self.log_tail()}")
            try:
                socket.create_connection(("127.0.0.1", port), timeout=1).close()
                return
            except OSError:
                time.sleep(0.01)
        self.kill()
        raise RuntimeError(f"{self.name} does not accept on port {port}:\n{self.log_tail()}")

    def _end(self, how: signal.Signals) -> None:
        if self._process is None or not self.alive:
            return
        try:
            os.killpg(self._process.pid, how)
        except ProcessLookupError:
            return
        try:
            self._process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
