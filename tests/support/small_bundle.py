"""Two small images that share a layer, and one bundle of them in both forms: to damage, to list, to carry."""

import random
from dataclasses import dataclass
from pathlib import Path

from .airgap import Airgap, plain
from .memory_registry import MemoryRegistry
from .oci import Blob, Manifest, image, tar_layer


@dataclass(frozen=True)
class SmallBundle:
    """The bundle of `team/one:1` and `team/two:1`. Shared by tests: copy it before changing it."""

    directory: Path
    archive: Path
    host: str  # of the registry that they came from, gone by now
    one: Manifest
    two: Manifest

    @property
    def shared_layer(self) -> Blob:
        return self.one.blobs[1]

    def name(self, short: str) -> str:
        """The full source name of "one" or "two"."""
        return f"{self.host}/team/{short}:1"


def file_of(digest: str) -> str:
    """The file of a blob, below the bundle."""
    algorithm, _, digits = digest.partition(":")
    return f"blobs/{algorithm}/{digits}"


def small_image(seed: int, *below: Blob, size: int = 2000) -> Manifest:
    """An image with a layer of its own on top of the layers `below`; the same bytes for the same seed."""
    return image([*below, small_layer(seed, size)])


def small_layer(seed: int, size: int) -> Blob:
    """Not compressed: its digest is the same with every version of zlib."""
    return tar_layer({f"file-{seed}": random.Random(seed).randbytes(size)}, compressed=False)


def make_small_bundle(work: Path) -> SmallBundle:
    """Exports it to `work`, as a directory and as an archive."""
    shared = small_layer(0, 3000)
    one, two = small_image(1, shared), small_image(2, shared)
    airgap = Airgap(work / "home")
    with MemoryRegistry() as source:
        source.add("team/one", "1", one)
        source.add("team/two", "1", two)
        bundle = SmallBundle(work / "bundle", work / "bundle.tar", source.host, one, two)
        for output in (f"{bundle.directory}/", bundle.archive):
            airgap.export("pull", bundle.name("one"), bundle.name("two"), "--platform", "linux/amd64", *plain(source),
                          "--output", output).ok()
    return bundle
