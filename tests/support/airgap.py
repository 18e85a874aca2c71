"""Runs airgap-export and airgap-import as a user would, in an environment of their own.

AIRGAP_BIN names the directory of the executables; without it that is build/dev/bin.
"""

import json
import os
import re
import signal
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

_ROOT = Path(__file__).resolve().parent.parent.parent
_TIMEOUT = 120.0  # seconds; a test that needs longer says so


def executable(name: str) -> Path:
    return Path(os.environ.get("AIRGAP_BIN") or _ROOT / "build" / "dev" / "bin").absolute() / name


def plain(*registries: Any) -> list[str]:
    """The options that allow plain http to these registries, proxies and servers."""
    return [word for registry in registries for word in ("--plain-http", registry.host)]


@dataclass(frozen=True)
class Result:
    """A finished run. `err` is where errors and progress go, `out` is the command's answer."""

    command: list[str]
    status: int
    out: str
    err: str

    def ok(self) -> "Result":
        """Asserts exit status 0."""
        assert self.status == 0, f"exit status {self.status}, expected 0\n{self}"
        return self

    def fails(self, status: int, *patterns: str) -> "Result":
        """Asserts the exit status (README.md, "Results for machines"), and that standard error matches each pattern."""
        assert self.status == status, f"exit status {self.status}, expected {status}\n{self}"
        for pattern in patterns:
            assert re.search(pattern, self.err), f"no match for {pattern!r}\n{self}"
        return self

    def json(self) -> Any:
        """Standard output as one JSON document."""
        return json.loads(self.out)

    def events(self) -> list[dict[str, Any]]:
        """Standard output of --json: a JSON event a line."""
        return [json.loads(line) for line in self.out.splitlines()]

    def __str__(self) -> str:
        return f"$ {' '.join(self.command)}\n{self.out[-4000:]}{self.err[-4000:]}"


@dataclass
class Airgap:
    """Both programs with one private home directory; `env` adds to the environment of every run."""

    home: Path
    env: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.home.mkdir(parents=True, exist_ok=True)

    def export(self, *arguments: object, **how: Any) -> Result:
        return self.run("airgap-export", *arguments, **how)

    def import_(self, *arguments: object, **how: Any) -> Result:
        return self.run("airgap-import", *arguments, **how)

    def run(self, program: str, *arguments: object, input: bytes | None = None, env: dict[str, str] | None = None,
            timeout: float = _TIMEOUT, cwd: Path | None = None) -> Result:
        """Waits for the end. Text that is not UTF-8 shows as replacement characters."""
        done = subprocess.run(self._command(program, arguments), input=input if input is not None else b"",
                              env=self.environment(env), capture_output=True, timeout=timeout, cwd=cwd)
        return Result(self._command(program, arguments), done.returncode, done.stdout.decode(errors="replace"),
                      done.stderr.decode(errors="replace"))

    def pipe(self, first: tuple[object, ...], second: tuple[object, ...], timeout: float = _TIMEOUT
             ) -> tuple[Result, Result]:
        """`first | second`; each is a program name and its arguments."""
        left = self.start(str(first[0]), *first[1:])
        assert left.stdout is not None and left.stderr is not None
        command = self._command(str(second[0]), second[1:])
        right = subprocess.Popen(command, stdin=left.stdout, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                 env=self.environment())
        left.stdout.close()  # so that the left side notices when the right one ends
        out, err = right.communicate(timeout=timeout)
        left_err = left.stderr.read()
        left_status = left.wait(timeout)
        return (Result(self._command(str(first[0]), first[1:]), left_status, "", left_err.decode(errors="replace")),
                Result(command, right.returncode, out.decode(errors="replace"), err.decode(errors="replace")))

    def start(self, program: str, *arguments: object, env: dict[str, str] | None = None, **how: Any
              ) -> subprocess.Popen[bytes]:
        """A run in the background, for signals. The caller waits for it."""
        options: dict[str, Any] = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE,
                                   "stderr": subprocess.PIPE} | how
        return subprocess.Popen(self._command(program, arguments), env=self.environment(env), **options)

    def stop(self, process: subprocess.Popen[bytes], how: signal.Signals = signal.SIGKILL,
             timeout: float = 30) -> Result:
        """Sends the signal and collects what the run said. Its status is negative when the signal ended it."""
        process.send_signal(how)
        out, err = process.communicate(timeout=timeout)
        assert isinstance(process.args, list)
        return Result([str(a) for a in process.args], process.returncode, out.decode(errors="replace"),
                      err.decode(errors="replace"))

    def environment(self, extra: dict[str, str] | None = None) -> dict[str, str]:
        """Nothing of the caller's: no proxies, no credentials, no configuration."""
        home = str(self.home)
        return {"PATH": "/usr/bin:/bin:/usr/sbin:/sbin", "HOME": home, "LC_ALL": "C.UTF-8", "TERM": "dumb",
                "XDG_CONFIG_HOME": f"{home}/.config", "XDG_RUNTIME_DIR": f"{home}/run", "XDG_DATA_HOME": f"{home}/data",
                "CONTAINERS_REGISTRIES_CONF": "/dev/null", "XDG_CACHE_HOME": f"{home}/.cache", "XDG_STATE_HOME": f"{home}/state",
                "ASAN_OPTIONS": os.environ.get("ASAN_OPTIONS", ""), **self.env, **(extra or {})}

    def _command(self, program: str, arguments: tuple[object, ...]) -> list[str]:
        return [str(executable(program)), *map(str, arguments)]
