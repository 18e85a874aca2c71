"""A user downloads over a bad line, from bad servers: what heals is healed, the rest is named, and a rerun goes on."""

import time
from email.utils import formatdate
from pathlib import Path
from typing import Any, Iterator

import pytest
from conftest import Running

from support import oci
from support.airgap import Airgap
from support.memory_registry import MemoryRegistry
from support.nginx import Nginx, no_ranges, rate_limit
from support.proxy import FaultProxy
from support.pulling import assert_unfinished, assert_whole, largest_layer, pull
from support.raw_server import Pause, Piece, RawRequest, RawServer, reply
from support.registry import Registry


@pytest.fixture
def proxy(source: Registry, running: Running) -> FaultProxy:
    return running(FaultProxy(source))


@pytest.fixture
def layer(source: Registry) -> dict[str, Any]:
    """The layer of the image that is pulled."""
    return largest_layer(source)


def layer_requests(proxy: FaultProxy, layer: dict[str, Any]) -> list[str | None]:
    """The Range of each request for it."""
    return [request.headers["Range"] for request in proxy.requests("GET", layer["digest"])]


def assert_a_rerun_finishes(airgap: Airgap, proxy: FaultProxy, bundle: Path) -> None:
    assert_unfinished(bundle)
    proxy.clear_rules()
    pull(airgap, proxy, bundle).ok()
    assert_whole(airgap, bundle)


# --- cut bodies ---

def test_a_cut_download_goes_on_where_it_stopped(airgap: Airgap, proxy: FaultProxy, layer: dict[str, Any],
                                                 bundle_dir: Path) -> None:
    """R1."""
    proxy.rule("GET", layer["digest"], times=1, cut_after=100_000)
    pull(airgap, proxy, bundle_dir).ok()
    assert layer_requests(proxy, layer) == [None, "bytes=100000-"]
    assert_whole(airgap, bundle_dir)


def test_a_download_without_a_length_that_ends_early_goes_on(airgap: Airgap, proxy: FaultProxy,
                                                             layer: dict[str, Any], bundle_dir: Path) -> None:
    """R2: to libcurl this is a success."""
    proxy.rule("GET", layer["digest"], times=1, cut_after=100_000, headers={"Content-Length": None})
    pull(airgap, proxy, bundle_dir).ok()
    assert layer_requests(proxy, layer) == [None, "bytes=100000-"]


def test_a_download_without_a_length_is_as_good(airgap: Airgap, proxy: FaultProxy, bundle_dir: Path) -> None:
    """R2."""
    proxy.rule("GET", "/blobs/", headers={"Content-Length": None})
    pull(airgap, proxy, bundle_dir).ok()
    assert_whole(airgap, bundle_dir)


def test_a_line_that_breaks_every_64_kib_gets_there(airgap: Airgap, proxy: FaultProxy, layer: dict[str, Any],
                                                    bundle_dir: Path) -> None:
    """R1: as long as something moves, the repeats do not run out."""
    proxy.rule("GET", layer["digest"], cut_after=200_000)
    pull(airgap, proxy, bundle_dir).ok()
    assert len(layer_requests(proxy, layer)) == layer["size"] // 200_000 + 1


def test_a_download_that_gets_nowhere_is_exit_3_and_goes_on_in_a_rerun(airgap: Airgap, proxy: FaultProxy,
                                                                       layer: dict[str, Any],
                                                                       bundle_dir: Path) -> None:
    """R1."""
    proxy.rule("GET", layer["digest"], times=1, cut_after=500_000)
    proxy.rule("GET", layer["digest"], cut_after=0)
    pull(airgap, proxy, bundle_dir).fails(3, f"got 500000 of {layer['size']} bytes", layer["digest"],
                                          "run the same command again")
    proxy.mark()
    assert_a_rerun_finishes(airgap, proxy, bundle_dir)
    assert layer_requests(proxy, layer) == ["bytes=500000-"]


@pytest.mark.parametrize("answer", ["ignored", "nginx"])
def test_a_server_without_ranges_is_read_from_the_start(answer: str, airgap: Airgap, proxy: FaultProxy,
                                                        source: Registry, layer: dict[str, Any], running: Running,
                                                        bundle_dir: Path, tmp_path: Path) -> None:
    """R29."""
    if answer == "nginx":
        proxy = running(FaultProxy(running(Nginx(tmp_path / "nginx", source, no_ranges()))))
    proxy.rule("GET", layer["digest"], times=1, cut_after=100_000)
    proxy.rule("GET", layer["digest"], strip_range=answer == "ignored")
    pull(airgap, proxy, bundle_dir).fails(0, f"warning: {proxy.origin} ignores Range")
    assert len(layer_requests(proxy, layer)) == 2
    assert_whole(airgap, bundle_dir)


@pytest.mark.parametrize("headers", [
    {"Content-Range": "bytes 99999-1134257/1134259"},
    {"Content-Range": "bytes 100000-1134258/9999999"},
    {"Content-Range": "bytes 100000-1134250/1134259"},
    {"Content-Range": None},
    {"Content-Range": "bytes */1134259"},
    {"Content-Range": "nonsense"},
    {"Content-Type": "multipart/byteranges; boundary=x"},
], ids=["start", "total", "end", "missing", "unknown", "nonsense", "multipart"])
def test_a_wrong_206_is_not_believed(headers: dict[str, str | None], airgap: Airgap, proxy: FaultProxy,
                                     layer: dict[str, Any], bundle_dir: Path) -> None:
    """R30."""
    proxy.rule("GET", layer["digest"], times=1, cut_after=100_000)
    proxy.rule("GET", layer["digest"], times=1, headers=headers)
    pull(airgap, proxy, bundle_dir).fails(0, "answers Range wrongly")
    assert layer_requests(proxy, layer) == [None, "bytes=100000-", None]
    assert_whole(airgap, bundle_dir)


def test_a_range_that_is_refused_is_asked_for_no_more(airgap: Airgap, proxy: FaultProxy, layer: dict[str, Any],
                                                      bundle_dir: Path) -> None:
    """R31."""
    proxy.rule("GET", layer["digest"], times=1, cut_after=100_000)
    proxy.rule("GET", layer["digest"], times=1, status=416)
    pull(airgap, proxy, bundle_dir).ok()
    assert layer_requests(proxy, layer) == [None, "bytes=100000-", None]


def test_a_broken_chunked_body_is_tried_again(airgap: Airgap, running: Running, bundle_dir: Path) -> None:
    """R7."""
    registry = MemoryRegistry()
    registry.add("team/app", "1", oci.image([oci.tar_layer({"a": b"b"})]))
    with registry, FaultProxy(registry) as behind:
        bad = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{\"arc\r\nzz\r\n"
        server = running(RawServer(lambda request: bad))
        behind.rule("GET", "/blobs/", times=1, redirect_to=server.origin)
        pull(airgap, behind, bundle_dir, "--plain-http", server.host, image="team/app:1").ok()
        assert_whole(airgap, bundle_dir)


# --- wrong bytes ---

def test_wrong_bytes_once_are_fetched_again(airgap: Airgap, proxy: FaultProxy, layer: dict[str, Any],
                                            bundle_dir: Path) -> None:
    """R4: a proxy's copy may be stale."""
    proxy.rule("GET", layer["digest"], times=1, flip_byte=500_000)
    pull(airgap, proxy, bundle_dir).ok()
    assert_whole(airgap, bundle_dir)


def test_a_wrong_config_once_is_fetched_again(airgap: Airgap, proxy: FaultProxy, bundle_dir: Path) -> None:
    """R4."""
    proxy.rule("GET", "/blobs/", times=1, flip_byte=10)
    pull(airgap, proxy, bundle_dir).ok()


def test_wrong_bytes_are_exit_5_with_both_digests(airgap: Airgap, proxy: FaultProxy, layer: dict[str, Any],
                                                  bundle_dir: Path) -> None:
    """R4."""
    proxy.rule("GET", layer["digest"], flip_byte=500_000)
    pull(airgap, proxy, bundle_dir).fails(5, layer["digest"], r"found sha256:[0-9a-f]{64}", proxy.host)
    assert not list(bundle_dir.rglob(layer["digest"].split(":")[1]))
    assert_a_rerun_finishes(airgap, proxy, bundle_dir)


@pytest.mark.parametrize("size, announced", [(-1, True), (+1, True), (+1, False), (+1_000_000, False)])
def test_a_blob_of_another_size_is_refused(size: int, announced: bool, airgap: Airgap, proxy: FaultProxy,
                                           source: Registry, layer: dict[str, Any], bundle_dir: Path) -> None:
    """R3, R5."""
    blob = source.client().blob("tools/busybox", layer["digest"])
    body = blob[:size] if size < 0 else blob + b"x" * size
    headers = {} if announced else {"Content-Length": None}
    proxy.rule("GET", layer["digest"], replace_body=body, headers=headers)
    pull(airgap, proxy, bundle_dir).fails(5, layer["digest"], str(layer["size"]), proxy.host)
    assert_a_rerun_finishes(airgap, proxy, bundle_dir)


def test_a_blob_that_is_gone_is_exit_3(airgap: Airgap, proxy: FaultProxy, layer: dict[str, Any],
                                       bundle_dir: Path) -> None:
    proxy.rule("GET", layer["digest"], status=404, body=b'{"errors":[{"code":"BLOB_UNKNOWN","message":"blob gone"}]}')
    pull(airgap, proxy, bundle_dir).fails(3, f"{proxy.host} does not have blob {layer['digest']}",
                                          "404 BLOB_UNKNOWN: blob gone")
    assert len(layer_requests(proxy, layer)) == 1
    assert_a_rerun_finishes(airgap, proxy, bundle_dir)


def test_a_body_that_somebody_compressed_is_exit_3(airgap: Airgap, proxy: FaultProxy, bundle_dir: Path) -> None:
    proxy.rule("GET", "/blobs/", headers={"Content-Encoding": "gzip"})
    pull(airgap, proxy, bundle_dir).fails(3, proxy.origin, "Content-Encoding gzip", "a proxy on the way")


# --- busy and broken servers ---

@pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 504, 522])
def test_an_answer_that_may_pass_is_asked_for_again(status: int, airgap: Airgap, proxy: FaultProxy,
                                                    bundle_dir: Path) -> None:
    """R18."""
    proxy.rule("GET", "/blobs/", times=1, status=status)
    pull(airgap, proxy, bundle_dir).ok()


@pytest.mark.parametrize("status", [400, 403, 405, 409, 415, 451])
def test_an_answer_that_is_final_is_not_asked_for_again(status: int, airgap: Airgap, proxy: FaultProxy,
                                                        layer: dict[str, Any], bundle_dir: Path) -> None:
    proxy.rule("GET", layer["digest"], status=status, body=b"\x1b[31mred\r\n")
    result = pull(airgap, proxy, bundle_dir).fails(4 if status == 403 else 3, str(status), layer["digest"])
    assert "\x1b" not in result.err
    assert len(layer_requests(proxy, layer)) == 1


def test_a_wait_that_the_registry_asks_for_is_kept_and_shown(airgap: Airgap, proxy: FaultProxy,
                                                             bundle_dir: Path) -> None:
    """R15."""
    proxy.rule("GET", "/blobs/", times=1, status=429, headers={"Retry-After": "1"})
    began = time.monotonic()
    pull(airgap, proxy, bundle_dir).fails(0, r"429 Too Many Requests; waiting 1\.0 s")
    assert time.monotonic() - began >= 1


@pytest.mark.parametrize("value", ["-5", "0", "soon", "", formatdate(0, usegmt=True)])
def test_a_wait_that_makes_no_sense_is_our_own(value: str, airgap: Airgap, proxy: FaultProxy,
                                               bundle_dir: Path) -> None:
    """R16."""
    proxy.rule("GET", "/blobs/", times=1, status=429, headers={"Retry-After": value})
    pull(airgap, proxy, bundle_dir).ok()


def test_a_wait_beyond_the_limit_ends_the_attempts(airgap: Airgap, proxy: FaultProxy, bundle_dir: Path) -> None:
    """R16."""
    proxy.rule("GET", "/blobs/", status=429, headers={"Retry-After": "3600"})
    pull(airgap, proxy, bundle_dir, "--max-wait", 60).fails(3, "429", "Retry-After: 3600", "--max-wait SECONDS")


def test_a_quota_that_is_used_up_is_exit_3_and_a_rerun_goes_on(airgap: Airgap, proxy: FaultProxy,
                                                               layer: dict[str, Any], bundle_dir: Path) -> None:
    """R17."""
    proxy.rule("GET", layer["digest"], status=429)
    pull(airgap, proxy, bundle_dir).fails(3, "429", "rate limit", "run the same command again")
    assert len(layer_requests(proxy, layer)) == 2  # --retry 1
    assert_a_rerun_finishes(airgap, proxy, bundle_dir)


def test_a_front_that_limits_the_rate_is_lived_with(airgap: Airgap, source: Registry, running: Running,
                                                    bundle_dir: Path, tmp_path: Path) -> None:
    """R15."""
    front = running(Nginx(tmp_path / "nginx", source, rate_limit("5r/s", status=429, burst=3)))
    pull(airgap, front, bundle_dir, retry=9).ok()


def test_a_registry_that_keeps_failing_is_left_alone(airgap: Airgap, proxy: FaultProxy, bundle_dir: Path) -> None:
    """R18: after 20 failures in a row nothing more is sent."""
    proxy.rule(status=503)
    names = [f"{proxy.host}/team/app-{number}:1" for number in range(30)]
    airgap.export("pull", *names, "--plain-http", proxy.host, "--retry", 5, "--jobs", 30, "--keep-going",
                  "--output", f"{bundle_dir}/").fails(3, f"registry at {proxy.origin} failed 20 times in a row")
    assert len(proxy.requests()) <= 20 + 30  # what was under way when it was given up


# --- time ---

@pytest.mark.parametrize("fault", ["silence", "drip", "headers"])
def test_a_server_that_stalls_is_given_up(fault: str, airgap: Airgap, running: Running, bundle_dir: Path) -> None:
    """R20, R21."""
    def script(request: RawRequest) -> Iterator[Piece]:
        if fault == "drip" and request.method == "HEAD":
            yield reply(405)
            return
        if fault == "drip":
            yield reply(200, b"", {"Content-Length": "1000", "Content-Type": oci.OCI_MANIFEST})
        for _ in range(60):
            yield Pause(0.1)
            yield {"silence": b"", "drip": b" ", "headers": b"HTTP/1.1 100 Continue\r\n\r\n"}[fault]

    server = running(RawServer(script))
    pull(airgap, server, bundle_dir, "--stall-timeout", 1, retry=0).fails(3, server.host, "1 second|1 s|stall")


def test_a_download_that_stalls_in_the_middle_goes_on(airgap: Airgap, proxy: FaultProxy, layer: dict[str, Any],
                                                      bundle_dir: Path) -> None:
    """R20."""
    proxy.rule("GET", layer["digest"], times=1, rate=500)
    pull(airgap, proxy, bundle_dir, "--stall-timeout", 1).ok()
    assert layer_requests(proxy, layer)[1] is not None


def test_a_dropped_connection_is_tried_again(airgap: Airgap, proxy: FaultProxy, bundle_dir: Path) -> None:
    proxy.rule("GET", "/manifests/", times=1, drop=True)
    proxy.rule("GET", "/blobs/", times=1, drop=True)
    pull(airgap, proxy, bundle_dir, retry=2).ok()


def test_a_registry_that_is_not_there_is_exit_3(airgap: Airgap, source: Registry, bundle_dir: Path) -> None:
    """R65."""
    gone = FaultProxy(source)
    gone._server.server_close()
    pull(airgap, gone, bundle_dir, retry=0).fails(3, f"cannot connect to {gone.origin}")
    airgap.export("pull", "no-such-host.invalid/team/app:1", "--retry", 0, "--output", f"{bundle_dir}/").fails(
        3, "cannot resolve the host name no-such-host.invalid", "DNS")
