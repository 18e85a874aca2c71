"""The images that the contenders carry: real files of this machine in layers that many images share.

Built once below build/bench, as the storage of a docker-registry, by two processes in about a minute.
"""

import hashlib
import heapq
import io
import itertools
import json
import multiprocessing
import os
import random
import shutil
import stat
import tarfile
import zlib
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Iterator

from support import oci
from support.client import RegistryClient
from support.registry import Registry

MB = 1_000_000
_LEAST_BYTES = 800 * MB
_ROOTS = ("/usr/bin", "/usr/lib", "/usr/libexec", "/usr/include", "/usr/share")
_GZIP_LEVEL = 1  # the quickest; layers twice as well compressed would move no differently
_PLATFORM = {"architecture": "amd64", "os": "linux"}

# Compressed sizes of the shared layers, in MB.
_SHARED = {"debian": 55, "slim": 32, "python": 76, "jdk": 145, "node": 68, "golang": 100, "php": 45, "cuda": 150,
           "django": 20, "spring": 18, "next": 16}
# Family -> the layers below the application's own, and how many applications there are.
_FAMILIES = {
    "python": (("slim", "python", "django"), 5),
    "java": (("debian", "jdk", "spring"), 5),
    "node": (("slim", "node", "next"), 4),
    "ml": (("debian", "python", "cuda"), 3),
    "go": (("slim",), 4),
    "php": (("debian", "php"), 2),
}
_BASES = {"debian": ("debian",), "slim": ("slim",), "golang": ("debian", "golang")}
_OWN = (3, 15, 6, 20, 1, 10)  # MB of the applications' own layers, in turn
_SETTINGS = 0.02  # MB of each application's top layer


@dataclass(frozen=True)
class Blob:
    digest: str
    size: int

    @property
    def hex(self) -> str:
        return self.digest.split(":")[1]


@dataclass(frozen=True)
class Image:
    repository: str
    tag: str
    digest: str
    manifest_bytes: int
    blobs: tuple[Blob, ...]  # config first


@dataclass(frozen=True)
class Corpus:
    """`storage` is what a Registry serves."""

    storage: Path
    images: tuple[Image, ...]

    @property
    def unique_blobs(self) -> list[tuple[str, Blob]]:
        """Each blob once, with a repository that has it."""
        found = {blob.digest: (image.repository, blob) for image in reversed(self.images) for blob in image.blobs}
        return sorted(found.values(), key=lambda pair: (-pair[1].size, pair[1].digest))

    @property
    def unique_bytes(self) -> int:
        """Blobs and manifests, each once: what has to move."""
        manifests = {image.digest: image.manifest_bytes for image in self.images}
        return sum(blob.size for _, blob in self.unique_blobs) + sum(manifests.values())

    @property
    def shared_bytes(self) -> int:
        """What the images add up to when each is carried alone."""
        return sum(image.manifest_bytes + sum(blob.size for blob in image.blobs) for image in self.images)

    def blob_file(self, blob: Blob, storage: Path | None = None) -> Path:
        return ((storage or self.storage) / "docker/registry/v2/blobs/sha256" / blob.hex[:2] / blob.hex / "data")


def corpus(cache: Path) -> Corpus:
    """Builds it where this source has not yet."""
    key = hashlib.sha256(Path(__file__).read_bytes()).hexdigest()[:12]
    finished = cache / f"corpus-{key}"
    if not finished.exists():
        work = cache / f"corpus-{key}.{os.getpid()}"
        try:
            _build(work)
            work.rename(finished)
        finally:
            shutil.rmtree(work, ignore_errors=True)
    images = tuple(Image(**{**fields, "blobs": tuple(Blob(**blob) for blob in fields["blobs"])})
                   for fields in json.loads((finished / "images.json").read_text()))
    return Corpus(finished / "storage", images)


def _build(work: Path) -> None:
    (work / "layers").mkdir(parents=True)
    dealt = _deal(_layer_sizes())
    with multiprocessing.Pool() as pool:
        made = pool.starmap(_write_layer, [(work / "layers", name, files) for name, files in dealt.items()],
                            chunksize=1)
    layers = dict(zip(dealt, made))
    total = sum(layer.blob.size for layer in layers.values())
    if total < _LEAST_BYTES:
        raise RuntimeError(f"the corpus has {total} bytes, expected {_LEAST_BYTES} at least")
    with Registry(work / "registry", storage=work / "storage") as registry:
        images = _push(registry.client(), layers)
    (work / "images.json").write_text(json.dumps([asdict(image) for image in images], indent=1))
    shutil.rmtree(work / "layers")
    shutil.rmtree(work / "registry")


# --- What is in which image -------------------------------------------------------------------------------------------


def _layer_sizes() -> dict[str, float]:
    own = itertools.cycle(_OWN)
    sizes: dict[str, float] = dict(_SHARED)
    for family, (_, applications) in _FAMILIES.items():
        for number in range(applications):
            sizes[f"{family}-{number}"] = next(own)
            sizes[f"{family}-{number}-settings"] = _SETTINGS
    return sizes


def _compositions() -> Iterator[tuple[str, tuple[str, ...]]]:
    """Repository and layer names of each image. No two last components are the same."""
    for name, layers in _BASES.items():
        yield f"base/{name}", layers
    for family, (below, applications) in _FAMILIES.items():
        for number in range(applications):
            own = f"{family}-{number}"
            yield f"team/{own}", (*below, own, f"{own}-settings")


# --- Files into layers ------------------------------------------------------------------------------------------------

_File = tuple[str, str]  # path on this machine, name in the layer


@dataclass(frozen=True)
class _Layer:
    path: Path
    blob: Blob
    diff_id: str


def _deal(sizes: dict[str, float]) -> dict[str, list[_File]]:
    """Large files first, each to the layer with the most room left: fat layers get the fat files."""
    found = _files()
    ratio = _compression(found)
    wanted = sum(sizes.values()) * MB * ratio
    room = [(-megabytes * MB * ratio, name) for name, megabytes in sizes.items()]
    heapq.heapify(room)
    layers: dict[str, list[_File]] = {name: [] for name in sizes}
    for size, path, name in _enough(found, wanted):
        left, layer = room[0]
        layers[layer].append((path, name))
        heapq.heapreplace(room, (left + size, layer))
    return layers


def _files() -> list[tuple[int, str]]:
    """Size and path of every regular file that may be read, in an order without system."""
    found = []
    for root in _ROOTS:
        for folder, _, names in os.walk(root):
            for name in names:
                path = os.path.join(folder, name)
                status = os.lstat(path)
                if stat.S_ISREG(status.st_mode) and status.st_size and os.access(path, os.R_OK):
                    found.append((status.st_size, path))
    found.sort(key=lambda file: file[1])
    random.Random(1).shuffle(found)
    return found


def _enough(found: list[tuple[int, str]], wanted: float) -> list[tuple[int, str, str]]:
    """Files of `wanted` bytes in all, largest first. A small machine's files come more than once, under other names."""
    taken: list[tuple[int, str, str]] = []
    for turn in itertools.count():
        for size, path in found:
            if wanted <= 0:
                return sorted(taken, key=lambda file: (-file[0], file[2]))
            taken.append((size, path, (f"copy{turn}" if turn else "") + path))
            wanted -= size
    raise AssertionError("count() does not end")


def _compression(found: list[tuple[int, str]]) -> float:
    """How much smaller gzip makes these files: from each 30th, small and large ones alike."""
    sample = sorted(found)[::-30]
    packed = sum(len(zlib.compress(Path(path).read_bytes(), _GZIP_LEVEL)) for _, path in sample)
    return sum(size for size, _ in sample) / packed


class _GzipSink(io.RawIOBase):
    """Compresses what tarfile writes; knows both digests at the end."""

    def __init__(self, path: Path) -> None:
        self._file = open(path, "wb")
        self._gzip = zlib.compressobj(_GZIP_LEVEL, zlib.DEFLATED, 31)  # 31: a gzip header, without a time
        self.plain, self.packed, self.size = hashlib.sha256(), hashlib.sha256(), 0

    def write(self, data: Any) -> int:
        self.plain.update(data)
        self._put(self._gzip.compress(data))
        return len(data)

    def close(self) -> None:
        if not self._file.closed:
            self._put(self._gzip.flush())
            self._file.close()
        super().close()

    def _put(self, data: bytes) -> None:
        self.packed.update(data)
        self.size += len(data)
        self._file.write(data)


def _write_layer(directory: Path, name: str, files: list[_File]) -> _Layer:
    path = directory / name
    sink = _GzipSink(path)
    with sink, tarfile.open(fileobj=sink, mode="w|", format=tarfile.PAX_FORMAT) as tar:
        for source, inside in sorted(files, key=lambda file: file[1]):
            data = Path(source).read_bytes()
            info = tarfile.TarInfo(inside.lstrip("/"))
            info.size, info.mode = len(data), 0o755 if os.access(source, os.X_OK) else 0o644
            tar.addfile(info, io.BytesIO(data))
    return _Layer(path, Blob("sha256:" + sink.packed.hexdigest(), sink.size), "sha256:" + sink.plain.hexdigest())


# --- Layers into images -----------------------------------------------------------------------------------------------


def _push(client: RegistryClient, layers: dict[str, _Layer]) -> list[Image]:
    """Each layer is uploaded once, and mounted from then on."""
    home: dict[str, str] = {}  # layer -> the repository that has it

    def place(repository: str, layer: _Layer) -> None:
        digest = layer.blob.digest
        if digest in home:
            client.expect((201,), "POST", f"/v2/{repository}/blobs/uploads/?mount={digest}&from={home[digest]}", b"")
        else:
            client.put_blob(repository, digest, layer.path.read_bytes())
            home[digest] = repository

    images = []
    for repository, names in _compositions():
        used = [layers[name] for name in names]
        for layer in used:
            place(repository, layer)
        images.append(_push_image(client, repository, "1.0", used))
    return images


def _push_image(client: RegistryClient, repository: str, tag: str, layers: list[_Layer]) -> Image:
    config = oci.to_json({**_PLATFORM, "config": {"Cmd": ["/bin/sh"], "Labels": {"title": repository}},
                          "rootfs": {"type": "layers", "diff_ids": [layer.diff_id for layer in layers]}})
    blobs = (Blob(oci.digest_of(config), len(config)), *(layer.blob for layer in layers))
    client.put_blob(repository, blobs[0].digest, config)
    types = [oci.OCI_CONFIG] + [oci.OCI_LAYER + "+gzip"] * len(layers)
    described = [{"mediaType": kind, "digest": blob.digest, "size": blob.size} for kind, blob in zip(types, blobs)]
    manifest = oci.to_json({"schemaVersion": 2, "mediaType": oci.OCI_MANIFEST, "config": described[0],
                            "layers": described[1:]})
    client.put_manifest(repository, tag, manifest, oci.OCI_MANIFEST)
    return Image(repository, tag, oci.digest_of(manifest), len(manifest), blobs)
