"""Images of 10 GB that cost a registry no disk: their layers are zeros, and its files are holes."""

import hashlib
import os
from pathlib import Path

from support import oci
from support.memory_registry import MemoryRegistry
from support.registry import Registry

IMAGES = 10
_LAYER = 1 << 30  # bytes, and one more for each image before it: each layer is another
_REPOSITORY = "bench/large"
SMALL_IMAGES = 10_000
_SMALL = "bench/small"


def large_images(directory: Path) -> Registry:
    """A registry with them, not started: tags 0, 1, … of one repository."""
    registry = Registry(directory)
    assert registry.storage is not None
    for digest, size in _zeros():
        _place(registry.storage / "docker/registry/v2", digest, size)
    return registry


def fill(registry: Registry) -> list[str]:
    """Gives it the manifests; the names of the images."""
    client = registry.client()
    for tag, (digest, size) in enumerate(_zeros()):
        config = oci.Blob(oci.to_json({"architecture": "amd64", "os": "linux",
                                       "rootfs": {"type": "layers", "diff_ids": [digest]}}), oci.OCI_CONFIG)
        client.put_blob(_REPOSITORY, config.digest, config.data)
        layer = {"mediaType": oci.OCI_LAYER, "digest": digest, "size": size}
        manifest = oci.to_json({"schemaVersion": 2, "mediaType": oci.OCI_MANIFEST, "config": config.descriptor(),
                                "layers": [layer]})
        client.put_manifest(_REPOSITORY, str(tag), manifest, oci.OCI_MANIFEST)
    return [f"{registry.host}/{_REPOSITORY}:{tag}" for tag in range(IMAGES)]


def small_images() -> MemoryRegistry:
    """A registry with many small ones, not started, which fill the head of an archive: tags 0, 1, … of one repository."""
    registry = MemoryRegistry()
    for tag in range(SMALL_IMAGES):
        registry.add(_SMALL, str(tag), oci.image([oci.Blob(str(tag).encode(), oci.OCI_LAYER)]))
    return registry


def names_of_small(registry: MemoryRegistry) -> list[str]:
    return [f"{registry.host}/{_SMALL}:{tag}" for tag in range(SMALL_IMAGES)]


_known: list[tuple[str, int]] = []


def _zeros() -> list[tuple[str, int]]:
    """Digest and size of each layer. They are hashed once."""
    if not _known:
        hasher, block = hashlib.sha256(), bytes(1 << 20)
        for _ in range(_LAYER // len(block)):
            hasher.update(block)
        for more in range(IMAGES):
            _known.append(("sha256:" + hasher.hexdigest(), _LAYER + more))
            hasher.update(b"\0")
    return _known


def _place(root: Path, digest: str, size: int) -> None:
    """As docker-registry's file system driver lays blobs out."""
    hexadecimal = digest.removeprefix("sha256:")
    data = root / "blobs/sha256" / hexadecimal[:2] / hexadecimal / "data"
    data.parent.mkdir(parents=True)
    data.touch()
    os.truncate(data, size)
    link = root / "repositories" / _REPOSITORY / "_layers/sha256" / hexadecimal / "link"
    link.parent.mkdir(parents=True)
    link.write_text(digest)
