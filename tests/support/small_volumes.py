"""A bundle of small images over several volumes: to lose some of them, to cut them, to carry them one by one."""

import json
import tarfile
from pathlib import Path

from .airgap import Airgap, plain
from .memory_registry import MemoryRegistry
from .oci import Manifest

SIZE = 128 * 1024  # of a volume, in bytes


def write_volumes(airgap: Airgap, images: dict[str, Manifest], folder: Path, size: object = SIZE) -> list[Path]:
    """`team/NAME:1` of each image as folder/set.001.tar and so on."""
    with MemoryRegistry() as source:
        for name, manifest in images.items():
            source.add(f"team/{name}", "1", manifest)
        folder.mkdir(parents=True, exist_ok=True)
        airgap.export("pull", *[f"{source.host}/team/{name}:1" for name in images], "--platform", "linux/amd64",
                      *plain(source), "--no-referrers", "--output", folder / "set.tar", "--volume-size", size).ok()
    return sorted(folder.glob("set.*.tar"))


def held_by(volume: Path) -> set[str]:
    """The digests of the blobs of which a volume has something."""
    with tarfile.open(volume) as archive:
        member = archive.extractfile("volume.json")
        assert member is not None
        return {part["digest"] for part in json.load(member)["holds"]}


def images_in(images: dict[str, Manifest], *volumes: Path) -> set[str]:
    """The names of those that have something in one of the volumes."""
    held = {digest for volume in volumes for digest in held_by(volume)}
    return {name for name, manifest in images.items()
            if held & {manifest.digest, *(blob.digest for blob in manifest.blobs)}}
