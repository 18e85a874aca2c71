"""What a server's access log in the common form says of the requests that it answered."""

import re
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Callable

_LINE = re.compile(r'"(?P<method>[A-Z]+) (?P<path>\S+) HTTP/[0-9.]+" (?P<status>\d{3}) (?P<bytes>\d+)')
_SENTINEL = "mark="
_SECONDS = 5.0


@dataclass(frozen=True)
class Request:
    """A line of the access log. `bytes` is what was sent back."""

    method: str
    path: str
    status: int
    bytes: int


class AccessLog:
    """The log at `path` of a server; `ask(target)` sends that server a request and waits for the answer."""

    def __init__(self, path: Path, ask: Callable[[str], object]) -> None:
        self._path = path
        self._ask = ask
        self._mark = 0

    def mark(self) -> None:
        """requests() starts after what was asked until now."""
        self._mark = len(self._lines())

    def requests(self, method: str, path: str, since_mark: bool = True) -> list[Request]:
        """In order of completion; `method` matches whole, `path` anywhere (regular expressions)."""
        seen = [Request(m["method"], m["path"], int(m["status"]), int(m["bytes"]))
                for m in map(_LINE.search, self._lines()[self._mark if since_mark else 0:]) if m is not None]
        return [r for r in seen
                if _SENTINEL not in r.path and re.fullmatch(method, r.method) and re.search(path, r.path)]

    def _lines(self) -> list[str]:
        """All of them: a request of our own is waited for, since lines come after answers."""
        sentinel = f"{_SENTINEL}{time.monotonic_ns()}"
        self._ask(f"/v2/?{sentinel}")
        deadline = time.monotonic() + _SECONDS
        while time.monotonic() < deadline:
            lines = self._path.read_text().splitlines()
            if any(sentinel in line for line in reversed(lines)):
                return lines
            time.sleep(0.01)
        raise RuntimeError("the access log does not show a request that was answered")
