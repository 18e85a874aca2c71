"""An OCI image layout made with umoci, an existing builder that needs no privileges."""

import json
import subprocess
from pathlib import Path
from typing import Any

from . import oci
from .registry import program

_CREATED = "2024-01-01T00:00:00Z"


class Layout:
    """Images by tag in one directory. Each insert adds one layer from a directory of files."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self._umoci("init", "--layout", str(directory))

    def new(self, tag: str, architecture: str = "amd64", variant: str | None = None) -> None:
        """An image without layers. umoci knows no variants; the index entry carries them."""
        image = f"{self.directory}:{tag}"
        self._umoci("new", "--image", image)
        self._umoci("config", "--image", image, "--os", "linux", "--architecture", architecture,
                    "--created", _CREATED, "--config.cmd", "/bin/sh", "--no-history")

    def insert(self, tag: str, files: Path, new_tag: str | None = None) -> None:
        """Adds `files` as the top layer of `tag`, as `new_tag` when one is given."""
        command = ["insert", "--rootless", "--history.created", _CREATED, "--image", f"{self.directory}:{tag}"]
        self._umoci(*command, *(["--tag", new_tag] if new_tag else []), str(files), "/")

    def index(self, tag: str, children: dict[str, dict[str, str]]) -> None:
        """An index: child tags with their platforms. umoci makes no indexes, so it is written here."""
        entries = self._entries()
        described = [{key: entries[child][key] for key in ("mediaType", "digest", "size")} | {"platform": platform}
                     for child, platform in children.items()]
        data = oci.to_json({"schemaVersion": 2, "mediaType": oci.OCI_INDEX, "manifests": described})
        digest = oci.digest_of(data)
        (self.directory / "blobs" / "sha256" / digest.split(":")[1]).write_bytes(data)
        entry = {"mediaType": oci.OCI_INDEX, "digest": digest, "size": len(data),
                 "annotations": {"org.opencontainers.image.ref.name": tag}}
        path = self.directory / "index.json"
        whole = json.loads(path.read_text())
        whole["manifests"].append(entry)
        path.write_text(json.dumps(whole))

    def _entries(self) -> dict[str, Any]:
        manifests = json.loads((self.directory / "index.json").read_text())["manifests"]
        return {entry["annotations"]["org.opencontainers.image.ref.name"]: entry for entry in manifests}

    def _umoci(self, *arguments: str) -> None:
        subprocess.run([program("umoci"), *arguments], check=True, capture_output=True, text=True)
