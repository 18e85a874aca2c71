"""An internal registry that misbehaves: the push copes, or says what is wrong; nothing is tagged that is not whole."""

import random
from pathlib import Path

import pytest
from conftest import PASSWORD, USER, MakeRegistry, Running

from support.airgap import Airgap, plain
from support.memory_registry import MemoryRegistry
from support.nginx import Nginx, body_limit
from support.oci import image, tar_layer
from support.proxy import FaultProxy
from support.push_registry import PushRegistry
from support.pushing import BUSYBOX, LEGACY, TAG, UPLOADS, Push, assert_complete, assert_nothing_published, error
from support.registry import Registry
from support.source import SourceImages
from support.token_server import TokenServer


# R68. {0} is this registry, {1} the path of the upload.
@pytest.mark.parametrize("form", ["{1}", "http://{0}{1}", "//{0}{1}", "{1}?_state=a%2Fb%3D&x", "{1}?_state=1#part"])
def test_an_upload_goes_where_location_says(form: str, push: Push, running: Running,
                                            source_images: SourceImages) -> None:
    registry = running(PushRegistry(location=lambda server, path: form.format(server.host, path)))
    push(registry).ok()
    assert ("tools/busybox", source_images[BUSYBOX].digest) in registry.manifests
    stated = form.partition("?")[2].partition("#")[0]
    commits = registry.requests("PUT", UPLOADS)
    assert len(commits) == 4
    assert all(commit.query.startswith(f"{stated}&digest=" if stated else "digest=") for commit in commits)


def test_an_upload_to_another_host_carries_no_password(push: Push, running: Running, tmp_path: Path) -> None:
    """R68: the storage host gets the bytes; the password stays with the registry that was named."""
    secret = tmp_path / "password"
    secret.write_text(f"{USER}:{PASSWORD}\n")
    secret.chmod(0o600)
    storage: list[FaultProxy] = []
    registry = running(PushRegistry(user=f"{USER}:{PASSWORD}", location=lambda _, path: storage[0].origin + path))
    storage.append(running(FaultProxy(registry)))
    push(registry, "--creds-file", secret, *plain(storage[0])).ok()
    assert len(storage[0].requests("PUT", UPLOADS)) == 4
    assert not storage[0].saw_credentials()


def test_an_upload_without_location_is_named(push: Push, running: Running) -> None:
    """R67"""
    registry = running(PushRegistry(location=lambda *_: None))
    push(registry).fails(3, registry.host, "no Location")
    assert registry.manifests == {}


@pytest.mark.parametrize("mount", [201, 202, 400, 404, 405, 500])
def test_a_registry_that_does_not_mount_gets_an_upload(mount: int, push: Push, running: Running) -> None:
    """R69: the layer of BUSYBOX and LEGACY is the same."""
    registry = running(PushRegistry(mount=mount))
    push(registry).ok()
    large = [r for r in registry.requests("PUT", UPLOADS) if r.size > 1_000_000]
    assert len(large) == (1 if mount == 201 else 2)


def test_a_mount_answered_202_is_used_as_the_upload(push: Push, running: Running) -> None:
    """R69: no session is left behind."""
    registry = running(PushRegistry(mount=202))
    push(registry).ok()
    assert registry.sessions == {}


@pytest.mark.parametrize("lost", [1, 2])
def test_a_lost_upload_session_begins_anew(lost: int, push: Push, running: Running) -> None:
    """R71"""
    push(running(PushRegistry(lose_sessions=lost)), "--jobs", 1).ok()


def test_a_registry_that_always_loses_uploads_is_named(push: Push, running: Running) -> None:
    """R71: three sessions, not for ever."""
    registry = running(PushRegistry(lose_sessions=1000))
    push(registry, "--jobs", 1).fails(3, registry.host, "loses its upload sessions", "sha256:")
    assert len(registry.requests("PUT", UPLOADS)) == 3 and registry.manifests == {}


@pytest.mark.parametrize("refused", [{"PUT": 405}, {"PUT": 415}, {"PUT": 404}, {"PUT": 501}])
def test_a_registry_without_single_puts_gets_patches(refused: dict[str, int], push: Push, running: Running) -> None:
    """R75: learnt once for the host."""
    registry = running(PushRegistry(refuse_body=refused))
    push(registry, "--jobs", 1).ok()
    assert len([r for r in registry.requests("PUT", UPLOADS) if r.size > 0]) == 1


def test_a_body_limit_makes_the_upload_go_in_chunks(push: Push, running: Running, registry: Registry, tmp_path: Path,
                                                    source_images: SourceImages) -> None:
    """R74: nginx takes 1 MiB at once; the layer has more."""
    front = running(Nginx(tmp_path / "nginx", registry, body_limit("1m")))
    push(front).ok()
    assert_complete(registry, source_images)


def test_a_body_limit_below_any_chunk_is_named(push: Push, running: Running, source: Registry, registry: Registry,
                                               tmp_path: Path) -> None:
    """R74"""
    front = running(Nginx(tmp_path / "nginx", registry, body_limit("100k")))
    (layer,) = source.client().manifest("legacy/busybox", "1.35").json()["layers"]
    push(front).fails(3, front.host, "413", "limit on request bodies", layer["digest"], f"{layer['size']} bytes")
    assert_nothing_published(registry)


def test_416_at_an_upload_begins_it_anew(push: Push, proxy: FaultProxy, registry: Registry,
                                         source_images: SourceImages) -> None:
    """R72"""
    proxy.rule("PUT", UPLOADS, times=1, status=416)
    push(proxy).ok()
    assert_complete(registry, source_images)


def test_a_lost_reply_is_not_a_lost_blob(push: Push, proxy: FaultProxy, registry: Registry,
                                         source_images: SourceImages) -> None:
    """R77: the blob is looked for before it is sent again."""
    proxy.rule("PUT", UPLOADS, times=1, lose_answer=True)
    push(proxy, "--jobs", 1).ok()
    assert_complete(registry, source_images)
    digests = [r.path.rsplit("digest=", 1)[1] for r in registry.requests("PUT", UPLOADS)]
    assert len(digests) == len(set(digests))


def test_a_dropped_upload_is_sent_again(push: Push, proxy: FaultProxy, registry: Registry,
                                        source_images: SourceImages) -> None:
    proxy.rule("PUT", UPLOADS, times=1, drop_upload_after=1)
    push(proxy).ok()
    assert_complete(registry, source_images)


def test_a_large_layer_whose_upload_was_dropped_goes_on_in_chunks(airgap: Airgap, running: Running, proxy: FaultProxy,
                                                                  registry: Registry, tmp_path: Path) -> None:
    memory = running(MemoryRegistry())
    layer = tar_layer({"large": random.Random(1).randbytes(20_000_000)}, compressed=False)
    memory.add("team/large", "1", image([layer]))
    airgap.export("pull", f"{memory.host}/team/large:1", *plain(memory), "--output", tmp_path / "large.tar").ok()
    proxy.rule("PUT", UPLOADS, times=1, drop_upload_after=10_000_000)
    airgap.import_("push", tmp_path / "large.tar", proxy.host, *plain(proxy), "--jobs", 1).ok()
    assert len(registry.requests("PATCH", UPLOADS)) == 2, "8 MiB, and as that was quick, the rest"
    assert registry.client().blob("team/large", layer.digest) == layer.data


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
@pytest.mark.parametrize("method", ["POST", "PUT"])
def test_a_busy_registry_is_asked_again(method: str, status: int, push: Push, proxy: FaultProxy, registry: Registry,
                                        source_images: SourceImages) -> None:
    proxy.rule(method, UPLOADS, times=1, status=status, headers={"Retry-After": "0"})
    proxy.rule("PUT", TAG, times=1, status=status)
    push(proxy).ok()
    assert_complete(registry, source_images)


def test_a_registry_that_stays_busy_is_named(push: Push, proxy: FaultProxy, registry: Registry) -> None:
    proxy.rule("PUT", UPLOADS, status=503, body=error("UNAVAILABLE", "nap\x1b[31m"))
    push(proxy).fails(3, proxy.host, "503", "UNAVAILABLE", r"pushing blob sha256:")
    assert_nothing_published(registry)


def test_a_token_that_ends_during_the_push_is_renewed(airgap: Airgap, busybox_bundle: Path, running: Running,
                                                      token_registry: Registry, tokens: TokenServer, tmp_path: Path,
                                                      source_images: SourceImages) -> None:
    """A 401 at a PUT is answered with a new token, and the bytes go again."""
    secret = tmp_path / "password"
    secret.write_text(f"{USER}:{PASSWORD}\n")
    secret.chmod(0o600)
    proxy = running(FaultProxy(token_registry))
    proxy.rule("PUT", UPLOADS, times=1, status=401,
               headers={"WWW-Authenticate": f'Bearer realm="{tokens.realm}",service="{tokens.auth().service}",'
                                            'scope="repository:tools/busybox:pull,push",error="invalid_token"'})
    airgap.import_("push", busybox_bundle, proxy.host, *plain(proxy), *plain(tokens), "--creds-file", secret, "--jobs", 1).ok()
    bearer = f"Bearer {tokens.issue(USER, ['repository:tools/busybox:pull'])}"
    pulled = token_registry.client(Authorization=bearer).digest("tools/busybox", "1.35")
    assert pulled == source_images[BUSYBOX].digest


def test_a_read_only_registry_is_named(push: Push, make_registry: MakeRegistry) -> None:
    """R83"""
    registry = make_registry(read_only=True)
    push(registry).fails(3, registry.host, "405", "read-only")


def test_a_registry_that_goes_down_midway_is_filled_by_a_rerun(push: Push, proxy: FaultProxy, registry: Registry,
                                                               source_images: SourceImages) -> None:
    """R83: nothing is sent twice."""
    proxy.rule("POST", UPLOADS, skip=2, times=1, on_match=registry.kill)
    push(proxy, "--jobs", 1).fails(3, proxy.host, "run the same command again")
    registry.start()
    assert_nothing_published(registry)
    proxy.clear_rules()
    push(proxy, "--jobs", 1).ok()
    assert_complete(registry, source_images)
    sent = [r.path.rsplit("digest=", 1)[1] for r in registry.requests("PUT", UPLOADS) if r.status == 201]
    assert len(sent) == len(set(sent))


def test_a_blob_that_the_registry_dropped_is_pushed_again(push: Push, running: Running) -> None:
    """R70: it acknowledged the blob and then does not know it; once is forgiven."""
    registry = running(PushRegistry(forget_blobs=1, mount=405))
    push(registry).ok()
    assert ("tools/busybox", "1.35") in registry.manifests


def test_a_registry_that_keeps_dropping_blobs_is_named(push: Push, running: Running) -> None:
    """R70"""
    registry = running(PushRegistry(forget_blobs=1000))
    push(registry).fails(3, registry.host, "MANIFEST_BLOB_UNKNOWN")
    assert registry.manifests == {}


def test_a_registry_that_asks_for_a_long_wait_is_not_waited_for(push: Push, proxy: FaultProxy) -> None:
    proxy.rule("PUT", UPLOADS, status=503, headers={"Retry-After": "3600"})
    push(proxy).fails(3, proxy.host, "asks to wait 3600 s", "--max-wait")
