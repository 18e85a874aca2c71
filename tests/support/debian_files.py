"""Real files for layers: what installed Debian packages put on this machine."""

import shutil
import subprocess
from pathlib import Path


def stage(directory: Path, *packages: str, under: str = "/") -> Path:
    """Copies the files of these packages into `directory`, at their own places; those below `under` only."""
    listed = subprocess.run(["dpkg-query", "-L", *packages], capture_output=True, text=True, check=True).stdout
    copied = 0
    for line in listed.splitlines():
        source = Path(line)
        if not line.startswith(under) or source.is_dir() or not (source.is_file() or source.is_symlink()):
            continue  # directories come with their files; minimal systems leave documentation out
        target = directory / source.relative_to("/")
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(source, target, follow_symlinks=False)
        copied += 1
    if copied == 0:
        raise RuntimeError(f"{' '.join(packages)}: no files below {under}")
    return directory
