"""Loopback ports that no other test run on this machine will take.

`python3 -m support.ports` prints one, for scripts.
"""

import fcntl
import os
import random
import socket
import tempfile
from pathlib import Path
from typing import IO

# Below the kernel's range for outgoing connections, so that those cannot take a port first.
_LOWEST, _HIGHEST = 20000, 32000
_held: list[IO[str]] = []  # the locks last as long as this process


def free_port() -> int:
    """A port of 127.0.0.1 with nobody behind it, reserved among all processes that ask here."""
    directory = Path(tempfile.gettempdir()) / f"airgap-ports-{os.getuid()}"
    directory.mkdir(mode=0o700, exist_ok=True)
    for _ in range(1000):
        port = random.randrange(_LOWEST, _HIGHEST)
        lock = open(directory / str(port), "w")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            _probe(port)
        except OSError:
            lock.close()
            continue
        _held.append(lock)
        return port
    raise RuntimeError("no free loopback port")


def _probe(port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind(("127.0.0.1", port))


if __name__ == "__main__":
    print(free_port())
