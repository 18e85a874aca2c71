"""Signatures, SBOMs and attestations travel with their image, and are found inside with the same tools."""

from pathlib import Path

import pytest
from conftest import Running

from support.airgap import Airgap, plain
from support.memory_registry import MemoryRegistry
from support.oci import (Manifest, cosign_tag, image, index, push, push_referrer, referrers_index, referrers_tag,
                         sbom_for, signature_for, tar_layer)
from support.proxy import FaultProxy
from support.push_registry import PushRegistry
from support.registry import Registry

APP = image([tar_layer({"app": b"app"})])
OTHER = image([tar_layer({"app": b"app for arm64"})], architecture="arm64")
BOTH = index([APP, OTHER])


@pytest.fixture
def memory(running: Running) -> MemoryRegistry:
    """Has the referrers API."""
    return running(MemoryRegistry())


@pytest.fixture
def older(running: Running) -> MemoryRegistry:
    """Has tags alone."""
    return running(MemoryRegistry(referrers_api=False))


def add_signature(memory: MemoryRegistry, subject: Manifest) -> Manifest:
    signature = signature_for(subject)
    memory.add("team/app", cosign_tag(subject.digest), signature)
    return signature


def carry(airgap: Airgap, memory: MemoryRegistry, registry: Registry, bundle: Path, *options: str) -> None:
    airgap.export("pull", f"{memory.host}/team/app:1", *plain(memory), "--output", bundle, *options).ok()
    airgap.import_("verify", bundle).ok()
    airgap.import_("push", bundle, registry.host, *plain(registry)).ok()


def referrers(registry: Registry, subject: Manifest) -> set[str]:
    """What a client without the referrers API finds: docker-registry 2.8 has none."""
    listed = registry.client().manifest("team/app", referrers_tag(subject.digest)).json()["manifests"]
    return {entry["digest"] for entry in listed}


@pytest.mark.parametrize("side", ["pull", "push", "pull from a lock"])
def test_what_accompanies_an_image_goes_along_where_a_rule_sends_that(side: str, airgap: Airgap, memory: MemoryRegistry,
                                                                     registry: Registry, bundle_dir: Path, tmp_path: Path
                                                                     ) -> None:
    """Also when the rule is for one tag, so that it says nothing of the signature's own name."""
    memory.add("team/app", "1", BOTH)
    memory.add("team/app", "2", OTHER)  # stays where it was
    for subject in (BOTH, APP, OTHER):
        add_signature(memory, subject)
        memory.add_referrer("team/app", subject, sbom_for(subject))
    select = [f"{memory.host}/team/app:1", "--platform", "all"]
    if side == "pull from a lock":
        airgap.export("plan", *select, *plain(memory), "--lock", tmp_path / "lock").ok()
        select = ["--from", str(tmp_path / "lock")]
    rule = ["--map", f"{memory.host}/team/app:1=web/front:one"]
    airgap.export("pull", *select, *plain(memory), *rule * (side != "push"), "--output", bundle_dir).ok()
    airgap.import_("push", bundle_dir, registry.host, *plain(registry), *rule * (side == "push")).ok()
    client = registry.client()
    assert client.repositories() == ["web/front"]
    assert client.digest("web/front", "one") == BOTH.digest
    for subject in (BOTH, APP, OTHER):
        assert client.digest("web/front", cosign_tag(subject.digest)) == signature_for(subject).digest
        assert client.has_manifest("web/front", sbom_for(subject).digest)


@pytest.mark.parametrize("suffix", ["sig", "att", "sbom"])
def test_cosign_tags_travel(suffix: str, airgap: Airgap, older: MemoryRegistry, registry: Registry, bundle_dir: Path
                            ) -> None:
    older.add("team/app", "1", APP)
    older.add("team/app", cosign_tag(APP.digest, suffix), signature_for(APP))
    older.add("team/app", cosign_tag(OTHER.digest, suffix), signature_for(OTHER))  # of another image
    carry(airgap, older, registry, bundle_dir)
    assert registry.client().tags("team/app") == ["1", cosign_tag(APP.digest, suffix)]
    assert registry.client().digest("team/app", cosign_tag(APP.digest, suffix)) == signature_for(APP).digest


def test_referrers_of_the_api_travel_and_are_listed_inside(airgap: Airgap, memory: MemoryRegistry, registry: Registry,
                                                           bundle_dir: Path) -> None:
    memory.add("team/app", "1", APP)
    sbom, signature = sbom_for(APP), signature_for(APP, with_subject=True)
    for referrer in (sbom, signature):
        memory.add_referrer("team/app", APP, referrer)
    carry(airgap, memory, registry, bundle_dir)
    assert referrers(registry, APP) == {sbom.digest, signature.digest}
    assert registry.client().manifest("team/app", sbom.digest).body == sbom.data
    (entry,) = [e for e in registry.client().manifest("team/app", referrers_tag(APP.digest)).json()["manifests"]
                if e["digest"] == sbom.digest]
    assert entry["artifactType"] == "application/spdx+json"
    assert entry["size"] == len(sbom.data)


def test_referrers_of_the_fallback_tag_travel(airgap: Airgap, older: MemoryRegistry, registry: Registry,
                                              bundle_dir: Path) -> None:
    older.add("team/app", "1", APP)
    older.add("team/app", None, sbom_for(APP))
    older.add("team/app", referrers_tag(APP.digest), referrers_index([sbom_for(APP)]))
    carry(airgap, older, registry, bundle_dir)
    assert referrers(registry, APP) == {sbom_for(APP).digest}
    assert registry.client().has_manifest("team/app", sbom_for(APP).digest)


def test_docker_registry_as_the_source_has_fallback_tags(airgap: Airgap, registry: Registry,
                                                         running: Running, tmp_path: Path) -> None:
    source = running(Registry(tmp_path / "source"))
    push(source.client(), "team/app", "1", APP)
    push_referrer(source.client(), "team/app", APP, sbom_for(APP))
    push(source.client(), "team/app", cosign_tag(APP.digest), signature_for(APP))
    bundle = tmp_path / "bundle.tar"
    airgap.export("pull", f"{source.host}/team/app:1", *plain(source), "--output", bundle).ok()
    airgap.import_("push", bundle, registry.host, *plain(registry)).ok()
    assert registry.client().tags("team/app") == source.client().tags("team/app")
    assert referrers(registry, APP) == {sbom_for(APP).digest}


def test_referrers_of_an_index_and_of_its_platforms_travel(airgap: Airgap, memory: MemoryRegistry, registry: Registry,
                                                           bundle_dir: Path) -> None:
    memory.add("team/app", "1", BOTH)
    for subject in (BOTH, APP, OTHER):
        memory.add_referrer("team/app", subject, sbom_for(subject))
        add_signature(memory, subject)
    carry(airgap, memory, registry, bundle_dir, "--platform", "all")
    for subject in (BOTH, APP, OTHER):
        assert referrers(registry, subject) == {sbom_for(subject).digest}
        assert registry.client().has_manifest("team/app", cosign_tag(subject.digest))


def test_one_platform_takes_its_own_signature_and_the_one_of_its_index(airgap: Airgap, memory: MemoryRegistry,
                                                                       registry: Registry, bundle_dir: Path) -> None:
    memory.add("team/app", "1", BOTH)
    for subject in (BOTH, APP, OTHER):
        add_signature(memory, subject)
    carry(airgap, memory, registry, bundle_dir, "--platform", "linux/amd64")
    assert sorted(registry.client().tags("team/app")) == sorted(["1", cosign_tag(APP.digest), cosign_tag(BOTH.digest)])


def test_the_signature_of_a_referrer_travels(airgap: Airgap, memory: MemoryRegistry, registry: Registry,
                                             bundle_dir: Path) -> None:
    sbom = sbom_for(APP)
    memory.add("team/app", "1", APP)
    memory.add_referrer("team/app", APP, sbom)
    memory.add_referrer("team/app", sbom, signature_for(sbom, with_subject=True))
    carry(airgap, memory, registry, bundle_dir)
    assert referrers(registry, sbom) == {signature_for(sbom, with_subject=True).digest}


def test_what_the_target_listed_before_stays_listed(airgap: Airgap, memory: MemoryRegistry, registry: Registry,
                                                    bundle_dir: Path) -> None:
    scan = signature_for(APP, with_subject=True)  # made inside
    push(registry.client(), "team/app", "1", APP)
    push_referrer(registry.client(), "team/app", APP, scan)
    memory.add("team/app", "1", APP)
    memory.add_referrer("team/app", APP, sbom_for(APP))
    carry(airgap, memory, registry, bundle_dir)
    assert referrers(registry, APP) == {scan.digest, sbom_for(APP).digest}


def test_a_second_push_changes_nothing_and_asks_by_head(airgap: Airgap, memory: MemoryRegistry, registry: Registry,
                                                        bundle_dir: Path) -> None:
    memory.add("team/app", "1", BOTH)
    for subject in (BOTH, APP, OTHER):
        memory.add_referrer("team/app", subject, sbom_for(subject))
    carry(airgap, memory, registry, bundle_dir, "--platform", "all")
    registry.mark()
    airgap.import_("push", bundle_dir, registry.host, *plain(registry)).ok()
    assert registry.requests("POST|PUT|PATCH") == []
    assert [r.path for r in registry.requests("GET", "/v2/.")] == [f"/v2/team/app/referrers/{min_subject()}"]


def min_subject() -> str:
    """Of which a push asks whether the registry has the referrers API: once."""
    return min(subject.digest for subject in (BOTH, APP, OTHER))


def test_a_list_of_referrers_that_somebody_deleted_is_made_again(airgap: Airgap, memory: MemoryRegistry,
                                                                 registry: Registry, bundle_dir: Path) -> None:
    memory.add("team/app", "1", APP)
    memory.add_referrer("team/app", APP, sbom_for(APP))
    carry(airgap, memory, registry, bundle_dir)
    client = registry.client()
    client.delete_manifest("team/app", client.digest("team/app", referrers_tag(APP.digest)))
    assert not client.has_manifest("team/app", referrers_tag(APP.digest))
    registry.mark()
    airgap.import_("push", bundle_dir, registry.host, *plain(registry)).ok()
    assert referrers(registry, APP) == {sbom_for(APP).digest}
    assert [r.path.rsplit("/", 1)[1] for r in registry.requests("PUT")] == [referrers_tag(APP.digest)]


def test_a_registry_with_the_referrers_api_gets_no_lists(airgap: Airgap, memory: MemoryRegistry, running: Running,
                                                         bundle_dir: Path) -> None:
    target = running(PushRegistry(referrers_api=True))
    memory.add("team/app", "1", APP)
    memory.add_referrer("team/app", APP, sbom_for(APP))
    airgap.export("pull", f"{memory.host}/team/app:1", *plain(memory), "--output", bundle_dir).ok()
    for _ in range(2):
        airgap.import_("push", bundle_dir, target.host, *plain(target)).ok()
    assert ("team/app", sbom_for(APP).digest) in target.manifests
    assert ("team/app", referrers_tag(APP.digest)) not in target.manifests
    assert len(target.requests("GET", "/referrers/")) == 2  # one a run


def test_without_referrers_nothing_is_asked_and_nothing_travels(airgap: Airgap, memory: MemoryRegistry,
                                                                registry: Registry, bundle_dir: Path) -> None:
    memory.add("team/app", "1", APP)
    memory.add_referrer("team/app", APP, sbom_for(APP))
    add_signature(memory, APP)
    carry(airgap, memory, registry, bundle_dir, "--no-referrers")
    assert registry.client().tags("team/app") == ["1"]
    assert memory.requests(path="/referrers/|/tags/list") == []


@pytest.mark.parametrize("path, status", [("/referrers/", 500), ("/referrers/", 403), ("/tags/list", 503)])
def test_a_registry_that_fails_to_list_them_fails_the_image(path: str, status: int, airgap: Airgap, running: Running,
                                                            memory: MemoryRegistry, bundle_dir: Path) -> None:
    """An image without its signature would look complete (promise 1)."""
    memory.add("team/app", "1", APP)
    proxy = running(FaultProxy(memory))
    proxy.rule("GET", path, status=status)
    pull = ("pull", f"{proxy.host}/team/app:1", *plain(proxy), "--retry", "0", "--output", bundle_dir)
    airgap.export(*pull).fails(4 if status == 403 else 3, "team/app", f"{status}", "--no-referrers")
    assert not (bundle_dir / "SHA256SUMS").exists()
    airgap.export(*pull, "--no-referrers").ok()


def test_a_signature_that_is_listed_but_missing_fails_the_image(airgap: Airgap, memory: MemoryRegistry,
                                                                bundle_dir: Path) -> None:
    sbom = sbom_for(APP)
    memory.add("team/app", "1", APP)
    memory.add_referrer("team/app", APP, sbom)
    del memory._manifests["team/app", sbom.digest]
    airgap.export("pull", f"{memory.host}/team/app:1", *plain(memory), "--retry", "0", "--output", bundle_dir
                  ).fails(3, sbom.digest, "team/app:1")


def test_list_shows_what_accompanies_what(airgap: Airgap, memory: MemoryRegistry, bundle_dir: Path) -> None:
    memory.add("team/app", "1", APP)
    memory.add_referrer("team/app", APP, sbom_for(APP))
    airgap.export("pull", f"{memory.host}/team/app:1", *plain(memory), "--output", bundle_dir).ok()
    images = airgap.import_("list", bundle_dir, "--json").events()[0]["images"]
    app, sbom = sorted(images, key=lambda image: "subject" in image)
    assert app["digest"] == APP.digest and "subject" not in app
    assert (sbom["name"], sbom["subject"]) == (f"{memory.host}/team/app@{sbom_for(APP).digest}", APP.digest)


def test_a_referrer_that_is_not_served_fails_the_image_and_names_the_way_out(
        airgap: Airgap, memory: MemoryRegistry, bundle_dir: Path) -> None:
    memory.add("team/app", "1", APP)
    memory.add_referrer("team/app", APP, sbom_for(APP))
    memory.put("team/app", sbom_for(APP).digest, b"{}", "application/vnd.oci.image.manifest.v1+json")
    pull = ("pull", f"{memory.host}/team/app:1", *plain(memory), "--output", bundle_dir)
    airgap.export(*pull).fails(5, sbom_for(APP).digest, "--no-referrers")
    airgap.export(*pull, "--keep-going").fails(5, "hint", "--no-referrers")
    airgap.export(*pull, "--no-referrers").ok()


def test_a_signature_that_leaves_with_its_image_is_named(airgap: Airgap, memory: MemoryRegistry,
                                                         bundle_dir: Path) -> None:
    memory.add("team/app", "1", APP)
    memory.add_referrer("team/app", APP, sbom_for(APP))
    pull = ("pull", f"{memory.host}/team/app:1", *plain(memory), "--output", bundle_dir)
    airgap.export(*pull).ok()
    memory.add("team/app", "1", image([tar_layer({"app": b"newer"})]))
    assert f"team/app@{sbom_for(APP).digest} leaves the bundle with {APP.digest}" in airgap.export(*pull).ok().err


def test_keep_going_leaves_out_the_signature_of_an_image_that_it_leaves_out(
        airgap: Airgap, memory: MemoryRegistry, bundle_dir: Path) -> None:
    memory.add("team/app", "1", APP)
    memory.add("team/app", cosign_tag(APP.digest), signature_for(APP))
    memory.add("team/other", "1", image([tar_layer({"app": b"whole"})]))
    del memory.blobs[next(blob.digest for blob in APP.blobs if "layer" in blob.media_type or "tar" in blob.media_type)]
    result = airgap.export("pull", f"{memory.host}/team/app:1", f"{memory.host}/team/other:1", *plain(memory), "--output",
                           bundle_dir, "--keep-going", "--retry", 0)
    result.fails(3, "team/app:1 is left out", f"{cosign_tag(APP.digest)} is left out")
    listed = airgap.export("list", bundle_dir).ok().out
    assert "team/other:1" in listed and "team/app" not in listed
