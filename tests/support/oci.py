"""Images and artifacts composed by hand, for what no tool makes, and their push.

    push(client, "team/app", "1.0", image(layers=[tar_layer({"etc/motd": b"hello"})]))
"""

import gzip
import hashlib
import io
import json
import tarfile
from dataclasses import dataclass, field
from typing import Any, Iterable

from .client import RegistryClient

OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
OCI_INDEX = "application/vnd.oci.image.index.v1+json"
OCI_CONFIG = "application/vnd.oci.image.config.v1+json"
OCI_LAYER = "application/vnd.oci.image.layer.v1.tar"
OCI_EMPTY = "application/vnd.oci.empty.v1+json"
DOCKER_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
DOCKER_LIST = "application/vnd.docker.distribution.manifest.list.v2+json"
DOCKER_CONFIG = "application/vnd.docker.container.image.v1+json"
DOCKER_LAYER = "application/vnd.docker.image.rootfs.diff.tar.gzip"
FOREIGN_LAYER = "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip"
HELM_CONFIG = "application/vnd.cncf.helm.config.v1+json"
HELM_CHART = "application/vnd.cncf.helm.chart.content.v1.tar+gzip"
COSIGN_PAYLOAD = "application/vnd.dev.cosign.simplesigning.v1+json"


def digest_of(data: bytes, algorithm: str = "sha256") -> str:
    return f"{algorithm}:{hashlib.new(algorithm, data).hexdigest()}"


def to_json(value: Any) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()


@dataclass(frozen=True)
class Blob:
    """Bytes with a media type. `urls` makes it a foreign layer, which a push leaves out."""

    data: bytes
    media_type: str
    algorithm: str = "sha256"
    urls: tuple[str, ...] = ()
    diff_id: str | None = None  # digest of the uncompressed tar, for layers
    annotations: dict[str, str] = field(default_factory=dict)

    @property
    def digest(self) -> str:
        return digest_of(self.data, self.algorithm)

    def descriptor(self) -> dict[str, Any]:
        plain: dict[str, Any] = {"mediaType": self.media_type, "digest": self.digest, "size": len(self.data)}
        if self.urls:
            plain["urls"] = list(self.urls)
        if self.annotations:
            plain["annotations"] = self.annotations
        return plain


@dataclass(frozen=True)
class Manifest:
    """A manifest or an index: its exact bytes, the blobs and the children that it names."""

    data: bytes
    media_type: str
    blobs: tuple[Blob, ...] = ()
    children: tuple["Manifest", ...] = ()
    platform: dict[str, str] | None = None
    algorithm: str = "sha256"

    @property
    def digest(self) -> str:
        return digest_of(self.data, self.algorithm)

    def descriptor(self, **extra: Any) -> dict[str, Any]:
        plain: dict[str, Any] = {"mediaType": self.media_type, "digest": self.digest, "size": len(self.data), **extra}
        if self.platform is not None:
            plain.setdefault("platform", self.platform)
        return plain


def tar_bytes(files: dict[str, bytes]) -> bytes:
    """A tar of these files, the same bytes each time."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        for name, data in sorted(files.items()):
            info = tarfile.TarInfo(name)
            info.size = len(data)
            info.mode = 0o644
            tar.addfile(info, io.BytesIO(data))
    return out.getvalue()


def tar_layer(files: dict[str, bytes], *, compressed: bool = True, media_type: str | None = None,
              algorithm: str = "sha256", urls: Iterable[str] = ()) -> Blob:
    """A layer of these files: gzip, or plain tar."""
    tar = tar_bytes(files)
    data = gzip.compress(tar, mtime=0) if compressed else tar
    kind = media_type or (OCI_LAYER + "+gzip" if compressed else OCI_LAYER)
    return Blob(data, kind, algorithm, tuple(urls), digest_of(tar))


def image(layers: Iterable[Blob] = (), *, architecture: str = "amd64", os: str = "linux", variant: str | None = None,
          docker: bool = False, algorithm: str = "sha256", subject: Manifest | None = None,
          annotations: dict[str, str] | None = None, extra: dict[str, Any] | None = None) -> Manifest:
    """A runnable image (or one with no layers at all). `extra` adds fields to the manifest."""
    layers = tuple(layers)
    platform = {"architecture": architecture, "os": os} | ({"variant": variant} if variant else {})
    config = {**platform, "config": {"Cmd": ["/bin/sh"]},
              "rootfs": {"type": "layers", "diff_ids": [layer.diff_id or layer.digest for layer in layers]}}
    blob = Blob(to_json(config), DOCKER_CONFIG if docker else OCI_CONFIG, algorithm)
    return artifact(blob, layers, media_type=DOCKER_MANIFEST if docker else OCI_MANIFEST, algorithm=algorithm,
                    platform=platform, subject=subject, annotations=annotations, extra=extra)


def artifact(config: Blob, layers: Iterable[Blob] = (), *, media_type: str = OCI_MANIFEST, algorithm: str = "sha256",
             platform: dict[str, str] | None = None, subject: Manifest | None = None,
             artifact_type: str | None = None, annotations: dict[str, str] | None = None,
             extra: dict[str, Any] | None = None) -> Manifest:
    """Anything with a manifest: a Helm chart, a signature, an SBOM."""
    layers = tuple(layers)
    value: dict[str, Any] = {"schemaVersion": 2, "mediaType": media_type}
    if artifact_type is not None:
        value["artifactType"] = artifact_type
    value["config"] = config.descriptor()
    value["layers"] = [layer.descriptor() for layer in layers]
    if subject is not None:
        value["subject"] = {k: v for k, v in subject.descriptor().items() if k != "platform"}
    if annotations:
        value["annotations"] = annotations
    value.update(extra or {})
    return Manifest(to_json(value), media_type, (config, *layers), (), platform, algorithm)


def index(children: Iterable[Manifest], *, docker: bool = False, annotations: dict[str, str] | None = None,
          descriptors: Iterable[dict[str, Any]] | None = None) -> Manifest:
    """An index of these manifests; `descriptors` replaces the ones that follow from them."""
    children = tuple(children)
    media_type = DOCKER_LIST if docker else OCI_INDEX
    value: dict[str, Any] = {"schemaVersion": 2, "mediaType": media_type}
    value["manifests"] = list(descriptors) if descriptors is not None else [c.descriptor() for c in children]
    if annotations:
        value["annotations"] = annotations
    return Manifest(to_json(value), media_type, (), children)


def helm_chart(name: str = "demo", version: str = "0.1.0") -> Manifest:
    """What `helm push` uploads."""
    metadata = {"apiVersion": "v2", "name": name, "version": version}
    chart = tar_layer({f"{name}/Chart.yaml": f"apiVersion: v2\nname: {name}\nversion: {version}\n".encode()},
                      media_type=HELM_CHART)
    return artifact(Blob(to_json(metadata), HELM_CONFIG), [chart])


def attestation_for(child: Manifest) -> Manifest:
    """What buildx puts into an index beside an image. Its descriptor comes from attestation_descriptor()."""
    statement = Blob(to_json({"_type": "https://in-toto.io/Statement/v0.1"}), "application/vnd.in-toto+json")
    config = Blob(to_json({"architecture": "unknown", "os": "unknown", "for": child.digest}), OCI_CONFIG)
    return artifact(config, [statement], platform={"architecture": "unknown", "os": "unknown"})


def attestation_descriptor(attestation: Manifest, child: Manifest) -> dict[str, Any]:
    return attestation.descriptor(annotations={"vnd.docker.reference.digest": child.digest,
                                               "vnd.docker.reference.type": "attestation-manifest"})


def signature_for(subject: Manifest, *, with_subject: bool = False) -> Manifest:
    """A cosign signature; its tag is cosign_tag(). With a subject it is an OCI 1.1 referrer as well."""
    payload = Blob(to_json({"critical": {"image": {"docker-manifest-digest": subject.digest}}}), COSIGN_PAYLOAD)
    config = Blob(to_json({"signs": subject.digest}), OCI_CONFIG)
    return artifact(config, [payload], subject=subject if with_subject else None)


def sbom_for(subject: Manifest) -> Manifest:
    """An OCI 1.1 referrer with the empty config."""
    document = Blob(to_json({"spdxVersion": "SPDX-2.3", "name": subject.digest}), "application/spdx+json")
    return artifact(Blob(b"{}", OCI_EMPTY), [document], subject=subject, artifact_type="application/spdx+json")


def cosign_tag(digest: str, suffix: str = "sig") -> str:
    """`sha256-<hex>.sig`, `.att` or `.sbom`."""
    return digest.replace(":", "-") + "." + suffix


def referrers_tag(digest: str) -> str:
    """The fallback tag of OCI 1.1, for registries without the referrers API."""
    return digest.replace(":", "-")


def referrers_index(referrers: Iterable[Manifest]) -> Manifest:
    """What the fallback tag, and the referrers API, answer."""
    described = []
    for manifest in referrers:
        parsed = json.loads(manifest.data)
        kind = parsed.get("artifactType") or parsed.get("config", {}).get("mediaType")
        described.append({"mediaType": manifest.media_type, "digest": manifest.digest, "size": len(manifest.data),
                          "artifactType": kind})
    return index([], descriptors=described)


def push(client: RegistryClient, repository: str, tag: str | None, manifest: Manifest) -> str:
    """Uploads blobs, children, then the manifest under `tag` (by digest alone without). The digest."""
    for blob in manifest.blobs:
        if not blob.urls:
            client.put_blob(repository, blob.digest, blob.data)
    for child in manifest.children:
        push(client, repository, None, child)
    client.put_manifest(repository, tag or manifest.digest, manifest.data, manifest.media_type)
    return manifest.digest


def push_referrer(client: RegistryClient, repository: str, subject: Manifest, *referrers: Manifest) -> None:
    """Pushes referrers, and the fallback tag that lists them."""
    for referrer in referrers:
        push(client, repository, None, referrer)
    push(client, repository, referrers_tag(subject.digest), referrers_index(referrers))
