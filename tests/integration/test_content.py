"""What a registry may hold, carried through a bundle with its exact bytes: every kind of manifest, layer and digest."""

import hashlib
import json
import platform
import subprocess
from pathlib import Path
from typing import Any

import pytest
from conftest import Running

from support.airgap import Airgap, plain
from support.certs import Authority, server_context
from support.memory_registry import MemoryRegistry
from support.oci import (DOCKER_LAYER, FOREIGN_LAYER, OCI_EMPTY, OCI_LAYER, Blob, Manifest, artifact,
                         attestation_descriptor, attestation_for, digest_of, helm_chart, image, index, tar_layer,
                         to_json)
from support.registry import Registry

BASE = tar_layer({"etc/motd": b"hello\n" * 100})


def for_platform(architecture: str, variant: str | None = None) -> Manifest:
    return image([BASE, tar_layer({"arch": architecture.encode()})], architecture=architecture, variant=variant)


AMD64, ARM64, S390X = for_platform("amd64"), for_platform("arm64", "v8"), for_platform("s390x")
THREE = index([AMD64, ARM64, S390X])


@pytest.fixture
def memory(running: Running) -> MemoryRegistry:
    return running(MemoryRegistry())


def carry(airgap: Airgap, memory: MemoryRegistry, registry: Registry, bundle: Path, *names: str, options: Any = ()
          ) -> str:
    """Export, verify, import; what the export said on standard error."""
    wanted = [f"{memory.host}/{name}" for name in names]
    exported = airgap.export("pull", *wanted, *plain(memory), *options, "--output", bundle).ok()
    airgap.import_("verify", bundle).ok()
    airgap.import_("push", bundle, registry.host, *plain(registry)).ok()
    return exported.err


KINDS: dict[str, Manifest] = {
    "an image without layers": image([]),
    "a Docker schema 2 image": image([Blob(BASE.data, DOCKER_LAYER, diff_id=BASE.diff_id)], docker=True),
    "uncompressed layers": image([tar_layer({"a": b"1"}, compressed=False)]),
    "a layer twice": image([BASE, tar_layer({"b": b"2"}), BASE]),
    "zstd layers": image([Blob(b"\x28\xb5\x2f\xfd" + bytes(50), OCI_LAYER + "+zstd")]),
    "a Helm chart": helm_chart(),
    "an artifact with the empty config": artifact(Blob(b"{}", OCI_EMPTY), [Blob(b"weights", "application/x-model")],
                                                  artifact_type="application/x-model"),
    "an artifact without layers": artifact(Blob(b"{}", OCI_EMPTY), artifact_type="application/x-none"),
    "an index of artifacts": index([helm_chart("one"), helm_chart("two")]),
    "an index in an index": index([index([AMD64, ARM64])]),
    "an empty index": index([]),
    "an empty layer": image([Blob(b"", OCI_LAYER)]),
    "unknown fields": image([BASE], extra={"io.example/later": {"kept": [1, 2, 3]}}, annotations={"a": "\u00e4\n"}),
}


@pytest.mark.parametrize("form", ["bundle", "bundle.tar"])
def test_every_kind_of_content_keeps_its_bytes(form: str, airgap: Airgap, memory: MemoryRegistry, registry: Registry,
                                               tmp_path: Path) -> None:
    names = {f"kind/n{i}": manifest for i, manifest in enumerate(KINDS.values())}
    for repository, manifest in names.items():
        memory.add(repository, "1", manifest)
    carry(airgap, memory, registry, tmp_path / form, *(f"{name}:1" for name in names), options=("--platform", "all"))
    for repository, manifest in names.items():
        arrived = registry.client().manifest(repository, "1")
        assert arrived.body == manifest.data
        assert arrived.headers["Content-Type"] == manifest.media_type
        for blob in manifest.blobs:
            assert registry.client().blob(repository, blob.digest) == blob.data


def test_engines_are_offered_what_they_can_run(airgap: Airgap, memory: MemoryRegistry, registry: Registry,
                                               bundle_dir: Path) -> None:
    """manifest.json: one Helm chart in it makes podman refuse the whole archive."""
    memory.add("charts/demo", "1", helm_chart())
    memory.add("team/app", "1", AMD64)
    carry(airgap, memory, registry, bundle_dir, "charts/demo:1", "team/app:1", options=("--platform", "linux/amd64"))
    listed = json.loads((bundle_dir / "manifest.json").read_text())
    assert [entry["RepoTags"] for entry in listed] == [[f"{memory.host}/team/app:1"]]


def test_sha512_digests_are_kept_and_checked(airgap: Airgap, memory: MemoryRegistry, tmp_path: Path) -> None:
    """Manifest, config and layer. sha512sum reads the check sums (SPEC, "Check sums")."""
    manifest = image([tar_layer({"a": b"1"}, algorithm="sha512"), BASE], algorithm="sha512")
    memory.add("team/app", None, manifest)
    bundle = tmp_path / "bundle.tar"
    airgap.export("pull", f"{memory.host}/team/app@{manifest.digest}", *plain(memory), "--output", bundle).ok()
    assert manifest.digest in airgap.import_("list", bundle, "--json").ok().out
    airgap.import_("verify", bundle).ok()
    unpacked = tmp_path / "unpacked"
    unpacked.mkdir()
    subprocess.run(["tar", "xf", bundle, "-C", unpacked], check=True)
    airgap.import_("verify", unpacked).ok()
    for program, sums in (("sha512sum", "SHA512SUMS"), ("sha256sum", "SHA256SUMS")):
        subprocess.run([program, "--check", "--quiet", sums], cwd=unpacked, check=True)
    blob = next((unpacked / "blobs" / "sha512").iterdir())
    blob.write_bytes(b"x" * blob.stat().st_size)
    airgap.import_("verify", unpacked).fails(5)
    assert hashlib.sha512(manifest.data).hexdigest() in {path.name for path in (unpacked / "blobs/sha512").iterdir()}


def test_a_registry_that_takes_no_sha512_manifests_is_named(airgap: Airgap, memory: MemoryRegistry, registry: Registry,
                                                            tmp_path: Path) -> None:
    """docker-registry 2 holds sha512 blobs, and computes a sha256 digest for every manifest."""
    layer = tar_layer({"a": b"1"}, algorithm="sha512")
    of_blobs, of_itself = image([layer]), image([layer], algorithm="sha512")
    memory.add("team/blobs", "1", of_blobs)
    memory.add("team/itself", None, of_itself)
    carry(airgap, memory, registry, tmp_path / "blobs.tar", "team/blobs:1")
    assert registry.client().blob("team/blobs", layer.digest) == layer.data
    bundle = tmp_path / "itself.tar"
    airgap.export("pull", f"{memory.host}/team/itself@{of_itself.digest}", *plain(memory), "--output", bundle).ok()
    airgap.import_("push", bundle, registry.host, *plain(registry)).fails(3, of_itself.digest, "one that takes sha512")


def test_a_foreign_layer_is_fetched_from_its_address_and_pushed(airgap: Airgap, memory: MemoryRegistry,
                                                                running: Running, authority: Authority,
                                                                registry: Registry, bundle_dir: Path) -> None:
    """Windows base layers: the registry has the address alone."""
    elsewhere = running(MemoryRegistry(tls=server_context(authority.server())))
    data = tar_layer({"windows": b"dll"}).data
    url = f"https://{elsewhere.host}/v2/any/blobs/{digest_of(data)}"
    foreign = Blob(data, FOREIGN_LAYER, urls=(url,))
    manifest = image([foreign, BASE])
    memory.add("team/windows", "1", manifest)
    elsewhere.blobs[foreign.digest] = memory.blobs.pop(foreign.digest)
    carry(airgap, memory, registry, bundle_dir, "team/windows:1", options=("--insecure", elsewhere.host))
    assert registry.client().blob("team/windows", foreign.digest) == data
    assert registry.client().digest("team/windows", "1") == manifest.digest


def test_a_foreign_layer_that_is_nowhere_fails_the_image(airgap: Airgap, memory: MemoryRegistry, bundle_dir: Path
                                                         ) -> None:
    """Only https addresses are followed (R50)."""
    foreign = Blob(b"layer", FOREIGN_LAYER, urls=(f"http://{memory.host}/layer", "file:///etc/passwd"))
    memory.add("team/windows", "1", image([foreign]))
    del memory.blobs[foreign.digest]
    airgap.export("pull", f"{memory.host}/team/windows:1", *plain(memory), "--retry", "0", "--output", bundle_dir
                  ).fails(3, foreign.digest, "foreign layer", "not https")
    assert not (bundle_dir / "SHA256SUMS").exists()
    assert memory.requests(path="^/layer") == []


def test_without_a_choice_it_is_this_machines_platform_and_the_output_says_so(
        airgap: Airgap, memory: MemoryRegistry, registry: Registry, bundle_dir: Path) -> None:
    here = {"x86_64": AMD64, "aarch64": ARM64, "s390x": S390X}[platform.machine()]
    memory.add("team/web", "1", THREE)
    said = carry(airgap, memory, registry, bundle_dir, "team/web:1")
    assert f"platform linux/{(here.platform or {})['architecture']}" in said and "--platform" in said
    assert registry.client().digest("team/web", "1") == here.digest


def test_some_platforms_make_an_index_that_can_be_pulled_inside(airgap: Airgap, memory: MemoryRegistry,
                                                                registry: Registry, bundle_dir: Path, tmp_path: Path
                                                                ) -> None:
    """The tag gets another digest, and everything says so: output, report, list."""
    memory.add("team/web", "1", THREE)
    said = carry(airgap, memory, registry, bundle_dir, "team/web:1",
                 options=("--platform", "linux/amd64,linux/arm64", "--report", tmp_path / "report.json"))
    arrived = registry.client().manifest("team/web", "1")
    assert [child["digest"] for child in arrived.json()["manifests"]] == [AMD64.digest, ARM64.digest]
    assert not registry.client().has_manifest("team/web", S390X.digest)
    new = digest_of(arrived.body)
    assert new in said and THREE.digest in said
    (reported,) = json.loads((tmp_path / "report.json").read_text())["images"]
    assert reported["digest"] == new and THREE.digest in " ".join(reported["notes"])
    (listed,) = airgap.import_("list", bundle_dir, "--json").events()[0]["images"]
    assert listed["digest"] == new and listed["sourceDigest"] == THREE.digest
    assert listed["platforms"] == ["linux/amd64", "linux/arm64/v8"]
    shown = airgap.import_("list", bundle_dir).out
    assert THREE.digest[:19] in shown and new[:19] in shown


def test_all_platforms_named_one_by_one_keep_the_index(airgap: Airgap, memory: MemoryRegistry, registry: Registry,
                                                       bundle_dir: Path) -> None:
    memory.add("team/web", "1", THREE)
    carry(airgap, memory, registry, bundle_dir, "team/web:1",
          options=("--platform", "linux/s390x,linux/arm64,linux/amd64"))
    assert registry.client().digest("team/web", "1") == THREE.digest


def test_a_reference_by_digest_travels_whole(airgap: Airgap, memory: MemoryRegistry, registry: Registry,
                                             bundle_dir: Path) -> None:
    memory.add("team/web", None, THREE)
    carry(airgap, memory, registry, bundle_dir, f"team/web@{THREE.digest}", options=("--platform", "linux/arm64"))
    assert registry.client().digest("team/web", THREE.digest) == THREE.digest
    assert registry.client().has_manifest("team/web", S390X.digest)


def test_a_platform_that_an_image_lacks_fails_and_says_what_it_has(airgap: Airgap, memory: MemoryRegistry,
                                                                   bundle_dir: Path) -> None:
    memory.add("team/web", "1", THREE)
    memory.add("team/app", "1", AMD64)
    for name, has in (("team/web", "linux/amd64, linux/arm64/v8, linux/s390x"), ("team/app", "linux/amd64")):
        airgap.export("pull", f"{memory.host}/{name}:1", "--platform", "linux/riscv64", *plain(memory),
                      "--output", bundle_dir).fails(3, f"{name}:1", "no linux/riscv64", f"it has {has}",
                                                    "--platform all")
    assert not (bundle_dir / "SHA256SUMS").exists()


def test_a_platform_of_several_that_an_image_lacks_is_mentioned(airgap: Airgap, memory: MemoryRegistry,
                                                                registry: Registry, bundle_dir: Path) -> None:
    memory.add("team/web", "1", index([AMD64, S390X]))
    said = carry(airgap, memory, registry, bundle_dir, "team/web:1", options=("--platform", "linux/amd64,linux/arm64"))
    assert "has no linux/arm64" in said


def test_attestations_travel_with_the_platforms_that_they_speak_of(airgap: Airgap, memory: MemoryRegistry,
                                                                   registry: Registry, bundle_dir: Path) -> None:
    attested = [(child, attestation_for(child)) for child in (AMD64, ARM64, S390X)]
    manifests = [m for pair in attested for m in pair]
    described = [c.descriptor() for c, _ in attested] + [attestation_descriptor(a, c) for c, a in attested]
    memory.add("team/web", "1", index(manifests, descriptors=described))
    carry(airgap, memory, registry, bundle_dir, "team/web:1", options=("--platform", "linux/amd64,linux/arm64"))
    carried = [child["digest"] for child in registry.client().manifest("team/web", "1").json()["manifests"]]
    assert sorted(carried) == sorted(m.digest for m in manifests[:4])


def test_a_config_that_two_images_share_is_stored_once(airgap: Airgap, memory: MemoryRegistry, bundle_dir: Path
                                                       ) -> None:
    config = Blob(to_json({"any": "thing"}), "application/x-config")
    memory.add("a/one", "1", artifact(config, [Blob(b"1", "text/plain")]))
    memory.add("a/two", "1", artifact(config, [Blob(b"2", "text/plain")]))
    names = [f"{memory.host}/a/one:1", f"{memory.host}/a/two:1"]
    airgap.export("pull", *names, *plain(memory), "--output", bundle_dir).ok()
    assert len(list((bundle_dir / "blobs/sha256").iterdir())) == 5
