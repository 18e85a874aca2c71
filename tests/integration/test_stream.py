"""From registry to registry through a pipe, `airgap-export … | airgap-import push -`, and what goes wrong in it."""

import bz2
import gzip
import json
import lzma
import re
import signal
import subprocess
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Callable

import pytest
from conftest import Running

from support.airgap import Airgap, Result, plain
from support.memory_registry import MemoryRegistry
from support.nginx import Nginx, body_limit
from support.oci import Manifest
from support.proxy import FaultProxy
from support.push_registry import PushRegistry
from support.registry import Registry
from support.small_bundle import small_image
from support.source import SourceImages

IMAGES = ("team/app:1.0", "tools/busybox:1.35", "legacy/busybox:1.35")
UPLOADS = "/blobs/uploads/"
MIB = 1 << 20

PushBytes = Callable[..., Result]


def pull_words(source: Registry | FaultProxy) -> list[object]:
    return ["pull", *[f"{source.host}/{name}" for name in IMAGES], *plain(source), "--output", "-"]


def through_pipe(airgap: Airgap, source: Registry | FaultProxy, target: Registry | FaultProxy,
                 *options: object) -> tuple[Result, Result]:
    return airgap.pipe(("airgap-export", *pull_words(source), *options),
                       ("airgap-import", "push", "-", target.host, *plain(target), *options))


@pytest.fixture(scope="module")
def stream(source: Registry, tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """The bytes that pass through the pipe."""
    airgap = Airgap(tmp_path_factory.mktemp("stream") / "home")
    process = airgap.start("airgap-export", *pull_words(source), stderr=subprocess.DEVNULL)
    out, _ = process.communicate(timeout=60)
    assert process.returncode == 0
    return out


@pytest.fixture
def push_bytes(airgap: Airgap, registry: Registry) -> PushBytes:
    def run(data: bytes, *options: object) -> Result:
        return airgap.import_("push", "-", registry.host, *plain(registry), *options, input=data)

    return run


@dataclass(frozen=True)
class LargeStream:
    """A bundle of `team/large:1`, whose layer is more than the importer holds of a pipe."""

    data: bytes
    image: Manifest

    @property
    def layer(self) -> str:
        return self.image.blobs[-1].digest

    @property
    def layer_size(self) -> int:
        return len(self.image.blobs[-1].data)

    def assert_there(self, registry: Registry) -> None:
        assert registry.client().digest("team/large", "1") == self.image.digest


@pytest.fixture(scope="module")
def large_stream(tmp_path_factory: pytest.TempPathFactory) -> LargeStream:
    airgap = Airgap(tmp_path_factory.mktemp("large") / "home")
    image = small_image(1, size=30_000_000)
    with MemoryRegistry() as source:
        source.add("team/large", "1", image)
        process = airgap.start("airgap-export", "pull", f"{source.host}/team/large:1", "--platform", "linux/amd64",
                               *plain(source), "--output", "-", stderr=subprocess.DEVNULL)
        out, _ = process.communicate(timeout=60)
    assert process.returncode == 0
    return LargeStream(out, image)


def assert_nothing_published(registry: Registry) -> None:
    for name in IMAGES:
        assert not registry.client().has_manifest(*name.split(":"))


def assert_complete(registry: Registry, source_images: SourceImages) -> None:
    for name in IMAGES:
        assert registry.client().digest(*name.split(":")) == source_images[name].digest


def large_layer(source: Registry) -> str:
    layers = source.client().manifest("team/app", "1.0").json()["layers"]
    return str(max(layers, key=lambda layer: int(layer["size"]))["digest"])


def offset_of_layer(stream: bytes, source: Registry) -> int:
    """Where the largest layer begins in the stream."""
    name = f"blobs/sha256/{large_layer(source).split(':')[1]}".encode()
    return stream.rindex(name + b"\0") // 512 * 512 + 512


def test_a_stream_pushes_what_it_carries(airgap: Airgap, source: Registry, registry: Registry,
                                         source_images: SourceImages) -> None:
    sent, received = through_pipe(airgap, source, registry)
    sent.ok()
    received.ok()
    assert_complete(registry, source_images)


def test_a_stream_is_the_archive(stream: bytes, airgap: Airgap, tmp_path: Path) -> None:
    """`> bundle.tar` is a bundle."""
    (tmp_path / "bundle.tar").write_bytes(stream)
    airgap.import_("verify", tmp_path / "bundle.tar").ok()


def test_shared_layers_pass_through_a_pipe_once(push_bytes: PushBytes, stream: bytes, registry: Registry) -> None:
    push_bytes(stream).ok()
    sent = [r.path.rsplit("digest=", 1)[1] for r in registry.requests("PUT", UPLOADS)]
    assert len(sent) == len(set(sent))
    assert {r.status for r in registry.requests("POST", "mount=")} == {201}


def test_a_layer_of_two_repositories_needs_no_mounts(airgap: Airgap, stream: bytes, running: Running) -> None:
    """R69: the pipe cannot go back, so the bytes come from the registry itself."""
    registry = running(PushRegistry(mount=405))
    airgap.import_("push", "-", registry.host, *plain(registry), input=stream).ok()
    assert {repository for repository, _ in registry.manifests} == {name.split(":")[0] for name in IMAGES}


@pytest.mark.parametrize("part", ["the head", "a manifest", "a layer", "the padding"])
def test_a_changed_bit_is_found(part: str, push_bytes: PushBytes, stream: bytes, source: Registry,
                                registry: Registry) -> None:
    at = {"the head": stream.index(b'"format"') + 1, "a manifest": stream.index(b'"schemaVersion":2,"mediaType":'),
          "a layer": offset_of_layer(stream, source) + 1_000_000, "the padding": len(stream) - 1}[part]
    damaged = stream[:at] + bytes([stream[at] ^ 1]) + stream[at + 1:]
    first = push_bytes(damaged).fails(5)
    again = push_bytes(damaged, "--keep-going").fails(5)
    found = re.compile("found (sha256:[0-9a-f]{64})")
    assert set(found.findall(again.err)) == set(found.findall(first.err)), "the same damage"
    if part == "a layer":
        assert "what came through the pipe is damaged: run it again" in first.err
    touched = {"the head": [], "a manifest": ["legacy/busybox:1.35"], "a layer": ["team/app:1.0"], "the padding": []}[part]
    assert [name for name in IMAGES if f"/{name}" in first.err] == touched
    given_up = [line for line in again.err.splitlines() if " is left out" in line or " failed: " in line]
    assert [name for name in IMAGES if any(f"/{name} " in line for line in given_up)] == touched
    there = set(IMAGES) - set(touched) if touched else set()
    assert {name for name in IMAGES if registry.client().has_manifest(*name.split(":"))} == there


def test_the_images_that_damage_in_a_stream_touches_are_left_out_with_keep_going(
        push_bytes: PushBytes, stream: bytes, source: Registry, registry: Registry, source_images: SourceImages,
        airgap: Airgap, tmp_path: Path) -> None:
    """A layer, and the manifest of another image; then a layer that the registry has."""
    damaged = bytearray(stream)
    damaged[offset_of_layer(stream, source) + 1_000_000] ^= 1
    only_layer = bytes(damaged)
    damaged[stream.index(b'"schemaVersion":2,"mediaType":')] ^= 1
    (tmp_path / "bundle.tar.gz").write_bytes(gzip.compress(bytes(damaged), 1))
    words = ("--keep-going", "--report", tmp_path / "report.json", "--receipt", tmp_path / "receipt.json")
    for result in (push_bytes(bytes(damaged), *words),
                   airgap.import_("push", tmp_path / "bundle.tar.gz", registry.host, *plain(registry), *words)):
        result.fails(5, "legacy/busybox:1.35 is left out", "team/app:1.0 failed", "1 of 3 images in place")
        said = json.loads((tmp_path / "report.json").read_text())
        outcomes = {image["name"].split("/", 1)[1]: image["outcome"] for image in said["images"]}
        assert said["status"] == 5 and outcomes.pop("tools/busybox:1.35") in ("pushed", "present")
        assert set(outcomes.values()) == {"failed"}
        (held,) = json.loads((tmp_path / "receipt.json").read_text())["images"]
        assert held["target"] == "tools/busybox:1.35"
    assert registry.client().digest("tools/busybox", "1.35") == source_images["tools/busybox:1.35"].digest
    push_bytes(stream).ok()
    push_bytes(only_layer, "--keep-going").fails(5, "it touches .*team/app:1.0", "3 of 3 images in place")


@pytest.mark.parametrize("part", ["nothing", "the head", "a layer", "a block boundary", "the end"])
def test_a_cut_stream_is_found(part: str, push_bytes: PushBytes, stream: bytes, source: Registry,
                               registry: Registry) -> None:
    layer = offset_of_layer(stream, source)
    kept = {"nothing": 0, "the head": 700, "a layer": layer + 1_000_000, "a block boundary": layer - 512,
            "the end": len(stream) - 1024}[part]
    push_bytes(stream[:kept]).fails(5, "pipe|stream|archive|input")
    assert_nothing_published(registry)


PACKED = {"as it is": (), "gzip": ("gzip", "-1"), "zstd": ("zstd", "-1", "-q")}


def packed(data: bytes, how: str) -> bytes:
    return subprocess.run([*PACKED[how], "-c"], input=data, capture_output=True, check=True).stdout if PACKED[how] else data


@pytest.mark.parametrize("how", PACKED)
def test_zeros_that_fill_up_the_last_block_of_a_tape_are_taken(how: str, push_bytes: PushBytes, stream: bytes,
                                                               registry: Registry, source_images: SourceImages) -> None:
    sent = packed(stream, how)
    push_bytes(sent + bytes(2 * MIB)).fails(5, "zeros follow .*more than")
    assert_nothing_published(registry)
    push_bytes(sent + bytes(MIB)).ok()
    assert_complete(registry, source_images)


@pytest.mark.parametrize("how", PACKED)
def test_bytes_after_the_end_are_found(how: str, push_bytes: PushBytes, stream: bytes, registry: Registry) -> None:
    for more in (b"more", bytes(512) + b"more", packed(stream[:600], how)):
        push_bytes(packed(stream, how) + more).fails(5, "follow the end|is damaged", "hint: .*(one archive|test -|gzip -t|zstd -t)")
    assert_nothing_published(registry)


def test_what_ends_early_is_put_down_to_the_program_before_the_pipe(push_bytes: PushBytes, stream: bytes) -> None:
    before = "hint: see what the program before the pipe said"
    push_bytes(b"").fails(5, "nothing came", before)
    for how in PACKED:
        sent = packed(stream, how)
        for part in (sent[:40], sent[:700], sent[:len(sent) // 2], sent[:-700]):
            push_bytes(part).fails(5, "ends", before)


@pytest.mark.parametrize(("sent", "says", "hint"), [
    (lambda stream: b"Welcome to gateway\r\n" + stream, "does not begin as one", "a banner or a message"),
    (lambda stream: b"ssh: connect to host gateway port 22: No route to host\n", "is no bundle, but text",
     "a banner or a message"),
    (lambda stream: lzma.compress(stream[:5000]), "is no bundle, but xz data", "xz -dc"),
    (lambda stream: bz2.compress(stream[:5000]), "is no bundle, but bzip2 data", "bzip2 -dc")])
def test_what_came_before_the_archive_or_packed_it_is_named(sent: Callable[[bytes], bytes], says: str, hint: str,
                                                            push_bytes: PushBytes, stream: bytes) -> None:
    said = push_bytes(sent(stream)).fails(2, says, f"hint: .*{hint}").err
    assert "name a directory" not in said


@pytest.mark.parametrize("form", ["gnu", "pax", "ustar"])
def test_a_directory_that_was_put_into_a_tar_by_hand_is_known_as_that(form: str, push_bytes: PushBytes,
                                                                      stream: bytes, airgap: Airgap,
                                                                      tmp_path: Path, registry: Registry) -> None:
    (tmp_path / "bundle").mkdir()
    subprocess.run(["tar", "x", "-C", tmp_path / "bundle"], input=stream, check=True)
    for names in (("oci-layout", "index.json", "bundle.json"), (".",)):
        tar = subprocess.run(["tar", "c", "--format", form, "--owner", "operator:1000", "-C", tmp_path / "bundle",
                              *names], capture_output=True, check=True).stdout
        (tmp_path / "by-hand.tar").write_bytes(tar)
        for result in (push_bytes(tar), airgap.import_("push", tmp_path / "by-hand.tar", registry.host)):
            result.fails(2, "airgap-export did not write", "hint: .*push the directory")


def test_a_stopped_export_into_a_pipe_does_not_promise_to_go_on(airgap: Airgap, source: Registry,
                                                                running: Running) -> None:
    proxy = running(FaultProxy(source))
    begun = threading.Event()
    proxy.rule("GET", large_layer(source), rate=500_000, on_match=begun.set)
    process = airgap.start("airgap-export", *pull_words(proxy))
    assert begun.wait(60)
    result = airgap.stop(process, signal.SIGTERM)
    result.fails(143, "hint: .*begins anew")
    assert "kept" not in result.err


def test_what_is_no_bundle_is_refused(push_bytes: PushBytes, registry: Registry) -> None:
    push_bytes(b"Permission denied (publickey).\n" * 100).fails(2, "no bundle", "pipe")
    assert registry.requests("POST|PUT") == []


def test_an_export_that_fails_publishes_nothing(airgap: Airgap, running: Running, source: Registry,
                                                registry: Registry, source_images: SourceImages) -> None:
    """Both sides say so; the second attempt sends only what the registry lacks."""
    proxy = running(FaultProxy(source))
    proxy.rule("GET", large_layer(source), cut_after=5_000_000)
    sent, received = through_pipe(airgap, proxy, registry, "--retry", 0)
    sent.fails(3, proxy.host, "cut")
    received.fails(5)
    assert_nothing_published(registry)

    registry.mark()
    done = [result.ok() for result in through_pipe(airgap, source, registry)]
    assert len(done) == 2
    assert_complete(registry, source_images)


def test_an_import_that_fails_ends_the_export(airgap: Airgap, source: Registry, running: Running,
                                              registry: Registry) -> None:
    proxy = running(FaultProxy(registry))
    proxy.rule("POST", UPLOADS, status=403)
    sent, received = through_pipe(airgap, source, proxy)
    received.fails(4, proxy.host, "403")
    sent.fails(7, "reader of the pipe went away")
    assert_nothing_published(registry)


def test_a_body_limit_makes_a_stream_go_in_chunks(airgap: Airgap, stream: bytes, large_stream: LargeStream,
                                                  running: Running, registry: Registry, tmp_path: Path,
                                                  source_images: SourceImages) -> None:
    """R74: what the file import gets through nginx, the pipe does."""
    front = running(Nginx(tmp_path / "nginx", registry, body_limit("1m")))
    for data in (stream, large_stream.data):
        airgap.import_("push", "-", front.host, *plain(front), input=data).ok()
    assert_complete(registry, source_images)
    large_stream.assert_there(registry)


def test_a_body_limit_below_any_chunk_is_named_through_a_pipe(airgap: Airgap, large_stream: LargeStream,
                                                              running: Running, registry: Registry,
                                                              tmp_path: Path) -> None:
    """R74"""
    front = running(Nginx(tmp_path / "nginx", registry, body_limit("100k")))
    words = ("push", "-", front.host, *plain(front))
    airgap.import_(*words, input=large_stream.data).fails(3, front.host, "413", "limit on request bodies",
                                                          large_stream.layer)


@pytest.mark.parametrize("refused", [{"PUT": 405}, {"PUT": 404}, {"PATCH": 405}, {"PATCH": 404}])
def test_a_stream_goes_the_way_that_the_registry_takes(refused: dict[str, int], airgap: Airgap, stream: bytes,
                                                       large_stream: LargeStream, running: Running) -> None:
    """R75"""
    registry = running(PushRegistry(refuse_body=refused))
    for data in (stream, large_stream.data):
        airgap.import_("push", "-", registry.host, *plain(registry), input=data).ok()
    refusals = [r for r in registry.requests(*refused, UPLOADS) if r.size > 0]
    assert len(refusals) == (1 if "PATCH" in refused else 2)  # learnt for the run; only the large blob asks for PATCH
    assert ("team/large", large_stream.image.digest) in registry.manifests


@pytest.mark.parametrize("fault", [{"status": 503}, {"drop_upload_after": 10}, {"lose_answer": True}],
                         ids=["503", "dropped", "the reply is lost"])
def test_a_small_blob_of_a_stream_is_sent_again(fault: dict[str, object], airgap: Airgap, stream: bytes,
                                                running: Running, registry: Registry,
                                                source_images: SourceImages) -> None:
    proxy = running(FaultProxy(registry))
    proxy.rule("PUT", UPLOADS, skip=3, times=1, **fault)
    airgap.import_("push", "-", proxy.host, *plain(proxy), input=stream).ok()
    assert_complete(registry, source_images)


@pytest.mark.parametrize("fault", [{"status": 503}, {"drop_upload_after": 10}], ids=["503", "dropped"])
@pytest.mark.parametrize("chunk", [0, 1, 3])
def test_a_large_blob_of_a_stream_goes_on_in_the_middle(chunk: int, fault: dict[str, object], airgap: Airgap,
                                                        large_stream: LargeStream, running: Running,
                                                        registry: Registry) -> None:
    """Each chunk is held until it is taken; what was taken is not sent twice."""
    proxy = running(FaultProxy(registry))
    proxy.rule("PATCH", UPLOADS, skip=chunk, times=1, **fault)
    airgap.import_("push", "-", proxy.host, *plain(proxy), input=large_stream.data).ok()
    large_stream.assert_there(registry)
    assert len(proxy.requests("PATCH", UPLOADS)) == 5  # four, and the one that failed


@pytest.mark.parametrize("chunk", [0, 1, 3])
def test_a_chunk_that_arrived_is_not_sent_again(chunk: int, airgap: Airgap, large_stream: LargeStream,
                                                running: Running) -> None:
    """The registry is asked how far it is."""
    registry = running(PushRegistry())
    proxy = running(FaultProxy(registry))
    proxy.rule("PATCH", UPLOADS, skip=chunk, times=1, lose_answer=True)
    airgap.import_("push", "-", proxy.host, *plain(proxy), input=large_stream.data).ok()
    assert ("team/large", large_stream.image.digest) in registry.manifests
    sizes = [request.size for request in registry.requests("PATCH", UPLOADS)]
    assert sum(sizes) == large_stream.layer_size + (sizes[0] if chunk == 0 else 0)  # nobody says where the first one went


def test_a_registry_that_stays_busy_is_named_in_the_middle_of_a_stream(airgap: Airgap, large_stream: LargeStream,
                                                                       running: Running, registry: Registry) -> None:
    proxy = running(FaultProxy(registry))
    proxy.rule("PATCH", UPLOADS, skip=2, status=503)
    airgap.import_("push", "-", proxy.host, *plain(proxy), "--retry", 1,
                   input=large_stream.data).fails(3, proxy.host, "503", large_stream.layer)


@pytest.mark.parametrize(("fault", "told"), [({"status": 503}, "503"), ({"drop_upload_after": 25_000_000}, "broke after")])
def test_an_upload_that_cannot_go_on_says_that_a_pipe_starts_anew(fault: dict[str, object], told: str, airgap: Airgap,
                                                                  large_stream: LargeStream, running: Running,
                                                                  registry: Registry) -> None:
    """Of a registry that takes no chunks. What arrived is not sent again by the second attempt."""
    proxy = running(FaultProxy(registry))
    proxy.rule("PATCH", UPLOADS, status=405)
    proxy.rule("PUT", f"{UPLOADS}.*{large_stream.layer.split(':')[1]}", times=1, **fault)
    words = ("push", "-", proxy.host, *plain(proxy))
    airgap.import_(*words, input=large_stream.data).fails(3, proxy.host, told, "pipe cannot be read twice",
                                                          "send the bundle again")
    assert not registry.client().has_manifest("team/large", "1")
    registry.mark()
    airgap.import_(*words, input=large_stream.data).ok()
    assert len(registry.requests("PUT", UPLOADS)) == 1
    large_stream.assert_there(registry)


def test_a_session_that_is_lost_in_the_middle_says_that_a_pipe_starts_anew(airgap: Airgap, large_stream: LargeStream,
                                                                           running: Running,
                                                                           registry: Registry) -> None:
    """docker-registry knows a session by its length alone: with a reply the session is lost."""
    proxy = running(FaultProxy(registry))
    proxy.rule("PATCH", UPLOADS, skip=2, times=1, lose_answer=True)
    words = ("push", "-", proxy.host, *plain(proxy))
    airgap.import_(*words, input=large_stream.data).fails(3, proxy.host, "BLOB_UPLOAD_INVALID.* after .*transfer",
                                                          "pipe cannot be read twice", "send the bundle again")
    airgap.import_(*words, input=large_stream.data).ok()
    large_stream.assert_there(registry)


def test_progress_and_events_stay_out_of_the_stream(airgap: Airgap, source: Registry, tmp_path: Path) -> None:
    report = tmp_path / "report.json"
    process = airgap.start("airgap-export", *pull_words(source), "--report", report)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 0 and out.startswith(b"oci-layout\0")
    assert re.search(rb"3 images", err) and json.loads(report.read_text())["status"] == 0


def test_events_and_a_stream_do_not_share_standard_output(airgap: Airgap, source: Registry) -> None:
    airgap.export(*pull_words(source), "--json").fails(2, "--json", "standard output")
