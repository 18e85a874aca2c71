"""podman as a reader of archives, with a storage of its own."""

import json
import os
import subprocess
import tempfile
from pathlib import Path
from typing import Any

from . import oci
from .process import Unavailable
from .registry import program


class Podman:
    """`podman load` and friends; nothing is run, so no privileges beyond those of the tests. A context manager."""

    def __init__(self, directory: Path) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        # podman wants a runroot of 50 characters at most; pytest's directories are longer.
        self._short = tempfile.TemporaryDirectory(prefix="airgap-podman-")
        self._base = [program("podman"), "--root", str(directory / "root"), "--runroot", f"{self._short.name}/run",
                      "--tmpdir", f"{self._short.name}/tmp", "--storage-driver", "vfs", "--events-backend", "none"]
        self._env = {**os.environ, "TMPDIR": str(directory)}

    def __enter__(self) -> "Podman":
        return self

    def __exit__(self, *_: object) -> None:
        self._short.cleanup()

    def probe(self) -> None:
        """Loads an image of one file; raises Unavailable where podman may not unpack layers."""
        layer = oci.tar_bytes({"probe": b""})
        config = oci.to_json({"os": "linux", "architecture": "amd64",
                              "rootfs": {"type": "layers", "diff_ids": [oci.digest_of(layer)]}})
        entry = {"Config": "config.json", "RepoTags": ["localhost/probe:1"], "Layers": ["layer.tar"]}
        archive = Path(self._short.name) / "probe.tar"
        archive.write_bytes(oci.tar_bytes({"layer.tar": layer, "config.json": config,
                                           "manifest.json": oci.to_json([entry])}))
        try:
            self.load(archive)
        except RuntimeError as reason:
            raise Unavailable(str(reason)) from reason

    def load(self, archive: Path) -> str:
        return self._run("load", "--input", str(archive))

    def images(self) -> dict[str, dict[str, Any]]:
        """Name -> what podman says of the image; its Id is the digest of the config."""
        listed: list[dict[str, Any]] = json.loads(self._run("images", "--format", "json"))
        return {name: image for image in listed for name in image.get("Names") or []}

    def _run(self, *arguments: str) -> str:
        done = subprocess.run([*self._base, *arguments], env=self._env, capture_output=True, text=True, timeout=300)
        if done.returncode != 0:
            raise RuntimeError(f"podman {' '.join(arguments)}: {done.stderr}")
        return done.stdout
