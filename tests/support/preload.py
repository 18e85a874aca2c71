"""Libraries of tests/support that are preloaded into a program, to change what the system does for it."""

import subprocess
from pathlib import Path

_SUPPORT = Path(__file__).resolve().parent


def preloading(directory: Path, source: str) -> dict[str, str]:
    """Compiles `source` into `directory`. An environment in which it is preloaded; what it obeys besides is said in it."""
    library = (directory / source).with_suffix(".so")
    subprocess.run(["cc", "-shared", "-fPIC", "-O1", "-o", library, _SUPPORT / source, "-ldl"], check=True)
    return {"LD_PRELOAD": str(library)}
