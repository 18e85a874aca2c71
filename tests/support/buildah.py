"""Images made by buildah: zstd layers, uncompressed layers, a multi-platform index, Docker manifests."""

import os
import subprocess
from pathlib import Path

from .registry import program


class Buildah:
    """buildah with a storage of its own in `directory`; no container is run, so no engine is needed."""

    def __init__(self, directory: Path) -> None:
        self._base = [program("buildah"), "--root", str(directory / "root"), "--runroot", str(directory / "run"),
                      "--storage-driver", "vfs"]
        self._env = {**os.environ, "TMPDIR": str(directory), "BUILDAH_ISOLATION": "chroot"}
        directory.mkdir(parents=True, exist_ok=True)

    def commit(self, name: str, files: Path, *, architecture: str = "amd64", variant: str = "",
               docker: bool = False) -> None:
        """An image of one layer, kept in the local storage as `name`."""
        container = self.run("from", "scratch").strip()
        self.run("copy", container, str(files), "/")
        self.run("config", "--os", "linux", "--arch", architecture, "--cmd", "/bin/sh",
                 *(["--variant", variant] if variant else []), container)
        self.run("commit", "--rm", "--timestamp", "0", "--format", "docker" if docker else "oci", container, name)

    def push(self, name: str, target: str, *options: str) -> None:
        """To `HOST:PORT/repository:tag`, plain http."""
        self.run("push", "--tls-verify=false", *options, name, f"docker://{target}")

    def push_index(self, name: str, members: list[str], target: str, *options: str) -> None:
        self.run("manifest", "create", name, *members)
        self.run("manifest", "push", "--tls-verify=false", "--all", *options, name, f"docker://{target}")

    def run(self, *arguments: str) -> str:
        done = subprocess.run([*self._base, *arguments], env=self._env, capture_output=True, text=True)
        if done.returncode != 0:
            raise RuntimeError(f"buildah {' '.join(arguments)}: {done.stderr}")
        return done.stdout
