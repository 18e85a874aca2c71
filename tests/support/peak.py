"""The peak memory of one run."""

import json
import os
import subprocess
import sys
from pathlib import Path

from .airgap import Airgap, executable

# A small process starts the program: a child's peak counts the parent that it was forked from.
_LAUNCHER = """
import json, os, sys
pid = os.posix_spawn(sys.argv[2], sys.argv[2:], os.environ)
_, status, used = os.wait4(pid, 0)
with open(sys.argv[1], "w") as out:
    json.dump([used.ru_maxrss * 1024, os.waitstatus_to_exitcode(status)], out)
"""


def peak_of(airgap: Airgap, work: Path, program: str, *arguments: object, reads: Path | None = None,
            writes: Path | None = None, ends: int = 0) -> int:
    """Bytes of memory that the run had at most; asserts that it `ends` with this exit status. Below 9 MiB it cannot be told.

    `reads` and `writes` are the files of its standard input and output.
    """
    command = [sys.executable, "-I", "-S", "-c", _LAUNCHER, str(work / "peak.json"), str(executable(program)),
               *map(str, arguments)]
    with open(reads or os.devnull, "rb") as stdin, open(writes or os.devnull, "wb") as stdout:
        done = subprocess.run(command, env=airgap.environment(), stdin=stdin, stdout=stdout, stderr=subprocess.PIPE,
                              timeout=120)
    peak, status = json.loads((work / "peak.json").read_text())
    assert status == ends, done.stderr.decode(errors="replace")[-4000:]
    return int(peak)
