"""A registry outside and its first two months, bundles of it, and what a registry inside has of them."""

import json
import random
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Callable

from .airgap import Airgap, Result, plain
from .memory_registry import MemoryRegistry
from .oci import Blob, Manifest, image, tar_layer
from .registry import Registry

BASE = 300_000  # bytes: a layer that most images share
CHANGE = 20_000  # bytes: what one image adds
WRITES = "POST|PUT|PATCH|DELETE"


def layer(seed: int, size: int = CHANGE) -> Blob:
    """Not compressed and random: the same bytes with every version of zlib."""
    return tar_layer({f"file-{seed}": random.Random(seed).randbytes(size)}, compressed=False)


@dataclass
class Outside:
    """The registry outside, and bundles of all that it has."""

    airgap: Airgap
    server: MemoryRegistry
    work: Path

    def __post_init__(self) -> None:
        self.base = layer(0, BASE)
        self.images: dict[str, Manifest] = {}
        self.put("team/app:1", self.base, layer(1))
        self.put("team/app:latest", self.base, layer(1))
        self.put("team/web:1", self.base, layer(2))
        self.put("tools/db:5", layer(3))

    def second_month(self) -> None:
        """A version is new, a tag moves, a new repository stands on the old base; web and db stay as they are."""
        self.put("team/app:2", self.base, layer(4))
        self.put("team/app:latest", self.base, layer(4))
        self.put("team/new:1", self.base, layer(5))

    def put(self, name: str, *layers: Blob) -> Manifest:
        self.images[name] = image(layers)
        self.server.add(*name.split(":"), self.images[name])
        return self.images[name]

    def words(self, *names: str) -> list[object]:
        return ["pull", *[f"{self.server.host}/{name}" for name in names or self.images], "--platform", "linux/amd64",
                *plain(self.server), "--retry", 0]

    def pull(self, output: str, *options: object, names: tuple[str, ...] = ()) -> Result:
        return self.airgap.export(*self.words(*names), *options, "--output", f"{self.work}/{output}")

    def heal(self, want_list: Path, output: str) -> Result:
        return self.airgap.export("pull", "--from", want_list, *plain(self.server), "--retry", 0, "--output",
                                  f"{self.work}/{output}")

    def path(self, name: str) -> Path:
        return self.work / name


def push(airgap: Airgap, bundle: Path, server: Any, *options: object, prefix: str = "") -> Result:
    return airgap.import_("push", bundle, server.host + prefix, *plain(server), "--retry", 0, *options)


def info_of(bundle: Path) -> Any:
    return json.loads((bundle / "bundle.json").read_text())


def required(bundle: Path) -> set[str]:
    return {blob["digest"] for blob in info_of(bundle)["requires"]}


def tags_of(registry: Registry) -> dict[str, str]:
    """Every tag and its digest."""
    client = registry.client()
    return {f"{repository}:{tag}": client.digest(repository, tag)
            for repository in client.repositories() for tag in client.tags(repository)}


def edited(path: Path, change: Callable[[Any], None]) -> Path:
    said = json.loads(path.read_text())
    change(said)
    written = path.with_name("edited.json")
    written.write_text(json.dumps(said))
    return written
