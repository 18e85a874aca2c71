"""An internal registry that refuses manifests and tags, or serves others: the push says why, and whose fault it is."""

import pytest
from conftest import Running

from support.oci import to_json
from support.proxy import FaultProxy
from support.push_registry import PushRegistry
from support.pushing import BUSYBOX, TAG, UPLOADS, Push, assert_nothing_published, error
from support.registry import Registry
from support.source import SourceImages

BY_DIGEST = "/manifests/sha256:"


@pytest.mark.parametrize(("answer", "status", "patterns"), [
    ((413, b""), 3, ["413", "349 bytes", "limits? on manifests"]),  # R78
    ((400, error("MANIFEST_INVALID", "too large")), 3, ["MANIFEST_INVALID", "349 bytes"]),  # R78
    ((403, error("DENIED", "project quota exceeded")), 3, ["quota"]),  # R81
    ((412, error("DENIED", "exceeds storage QUOTA: 10 GiB")), 3, ["quota", "raise its quota"]),  # R81
    ((403, error("DENIED", "no right")), 4, ["403", "may push"]),
    ((404, error("NAME_UNKNOWN", "no repository")), 3, ["create the repository tools/busybox"]),  # R82
    ((405, error("UNSUPPORTED")), 3, ["read-only", "hosted repository"]),  # R83, R87
])
def test_a_refused_manifest_is_explained(answer: tuple[int, bytes], status: int, patterns: list[str], push: Push,
                                         proxy: FaultProxy, registry: Registry) -> None:
    proxy.rule("PUT", "tools/busybox" + BY_DIGEST, status=answer[0], body=answer[1])
    push(proxy).fails(status, proxy.host, "tools/busybox", *patterns)
    assert_nothing_published(registry)


@pytest.mark.parametrize("status", [400, 415])
def test_a_registry_without_docker_types_is_told_from_others(status: int, push: Push, proxy: FaultProxy,
                                                             registry: Registry) -> None:
    """R79: nothing is converted."""
    proxy.rule("PUT", "legacy/busybox" + BY_DIGEST, status=status, body=error("MANIFEST_INVALID"))
    push(proxy).fails(3, proxy.host, "refuses Docker media types", "docker compatibility")
    assert_nothing_published(registry)


@pytest.mark.parametrize("status", [405, 409, 412])
def test_an_immutable_tag_is_explained(status: int, push: Push, proxy: FaultProxy) -> None:
    """R80"""
    proxy.rule("PUT", "tools/busybox" + TAG, status=status, body=error("PRECONDITION", "tag is immutable"))
    push(proxy).fails(4, "tagging .*tools/busybox:1.35", "tag is immutable")


def test_an_immutable_tag_that_is_right_already_is_left_alone(push: Push, proxy: FaultProxy) -> None:
    """R80"""
    push(proxy).ok()
    proxy.rule("PUT", TAG, status=412, body=error("PRECONDITION", "tag is immutable"))
    push(proxy).ok()


def test_other_bytes_read_back_are_the_fault_of_the_registry(push: Push, proxy: FaultProxy) -> None:
    """R85"""
    proxy.rule("GET", "tools/busybox" + TAG, flip_byte=5)
    push(proxy).fails(5, proxy.host, "tools/busybox:1.35", "registry")


def test_a_tag_that_somebody_moved_meanwhile_is_reported(push: Push, proxy: FaultProxy, registry: Registry) -> None:
    """R84"""
    other = to_json({"schemaVersion": 2, "manifests": [], "mediaType": "application/vnd.oci.image.index.v1+json"})

    def move() -> None:
        registry.client().put_manifest("tools/busybox", "1.35", other, "application/vnd.oci.image.index.v1+json")

    proxy.rule("GET", "tools/busybox" + TAG, on_match=move)
    push(proxy).fails(5, "tools/busybox:1.35", "somebody else pushed the tag meanwhile")


def test_a_full_project_does_not_stop_the_others(push: Push, proxy: FaultProxy, registry: Registry,
                                                 source_images: SourceImages) -> None:
    """R81"""
    proxy.rule("PUT", "/v2/legacy/.*" + UPLOADS, status=403, body=error("DENIED", "quota exceeded"))
    proxy.rule("POST", "/v2/legacy/.*mount=", status=403, body=error("DENIED", "quota exceeded"))
    push(proxy, "--keep-going").fails(3, "legacy/busybox:1.35 failed", "quota")
    assert registry.client().digest("tools/busybox", "1.35") == source_images[BUSYBOX].digest
    assert not registry.client().has_manifest("legacy/busybox", "1.35")


@pytest.mark.parametrize("mount", [202, 404])
def test_a_full_project_gets_no_further_uploads(mount: int, push: Push, running: Running) -> None:
    """R81: its second blob is not tried, nor its manifest."""
    registry = running(PushRegistry(mount=mount, quota={"legacy": 0}))
    push(registry, "--keep-going", "--jobs", 1).fails(3, "legacy/busybox:1.35 failed", "quota")
    assert len(registry.requests("PUT", "/v2/legacy/")) == 1
    assert ("tools/busybox", "1.35") in registry.manifests


def test_a_full_project_ends_a_push_that_does_not_keep_going(push: Push, running: Running) -> None:
    """R81"""
    registry = running(PushRegistry(quota={"legacy": 0, "tools": 0}))
    push(registry, "--jobs", 1).fails(3, registry.host, "quota exceeded", "raise its quota, then run the same command")
    assert len(registry.requests("PUT")) == 1
