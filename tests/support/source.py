"""The source registry of the tests: filled once, then served read-only to every test of every worker."""

import fcntl
import hashlib
import json
import os
import shutil
from dataclasses import asdict
from pathlib import Path

from . import images, oci, skopeo
from .images import SourceImage, look_up
from .registry import Registry

_HERE = Path(__file__).parent
_CACHE = _HERE.parent.parent / "build" / "test-images"
_MADE_BY = ("images.py", "layout.py", "debian_files.py", "oci.py", "source.py")


class SourceImages(dict[str, SourceImage]):
    """`repository:tag` -> image, and the storage that a Registry can serve."""

    def __init__(self, storage: Path, found: list[SourceImage]) -> None:
        super().__init__((image.name, image) for image in found)
        self.storage = storage


def source_images() -> SourceImages:
    """Builds the images where no run of these sources has yet. Safe in several processes at once."""
    key = hashlib.sha256(b"".join((_HERE / name).read_bytes() for name in _MADE_BY)).hexdigest()[:16]
    _CACHE.mkdir(parents=True, exist_ok=True)
    finished = _CACHE / key
    with open(_CACHE / "lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not finished.exists():
            _build(_CACHE / f"{key}.{os.getpid()}", finished)
    found = [SourceImage(**fields) for fields in json.loads((finished / "images.json").read_text())]
    return SourceImages(finished / "storage", found)


def _build(work: Path, finished: Path) -> None:
    try:
        with Registry(work / "registry", storage=work / "storage") as registry:
            found = images.fill(registry.host, work / "debian") + _variants(registry, work)
        (work / "images.json").write_text(json.dumps([asdict(image) for image in found]))
        for leftover in ("debian", "unpacked", "zstd", "registry"):
            shutil.rmtree(work / leftover)
        work.rename(finished)
    finally:
        shutil.rmtree(work, ignore_errors=True)


def _variants(registry: Registry, work: Path) -> list[SourceImage]:
    """Forms that umoci does not make: other compressions, a Docker manifest list, a Helm chart."""
    host = registry.host
    # skopeo unpacks layers when it writes a directory, and compresses them anew when it writes a layout. Straight
    # to the registry it would do neither: it knows that the registry has these layers in another form.
    unpacked, zstd = f"dir:{work / 'unpacked'}", f"oci:{work / 'zstd'}:1"
    skopeo.copy(f"docker://{host}/tools/busybox:1.35", unpacked, "--dest-decompress")
    skopeo.copy(unpacked, f"docker://{host}/variants/uncompressed:1", "--preserve-digests")
    skopeo.copy(unpacked, zstd, "--dest-compress-format", "zstd")
    skopeo.copy(zstd, f"docker://{host}/variants/zstd:1", "--preserve-digests")
    skopeo.copy(f"docker://{host}/team/web:2.0", f"docker://{host}/variants/docker-list:1", "--format", "v2s2")
    oci.push(registry.client(), "charts/demo", "0.1.0", oci.helm_chart())
    names = ("variants/zstd:1", "variants/uncompressed:1", "variants/docker-list:1", "charts/demo:0.1.0")
    return [look_up(host, name) for name in names]
