"""A user meets what is no registry: a portal, a parked domain, another protocol. It is shown as what it is."""

from pathlib import Path

import pytest
from conftest import Running

from support.airgap import Airgap
from support.proxy import FaultProxy
from support.pulling import assert_unfinished, pull
from support.raw_server import RawServer, reply
from support.registry import Registry


@pytest.fixture
def proxy(source: Registry, running: Running) -> FaultProxy:
    return running(FaultProxy(source))


@pytest.mark.parametrize("path", ["/manifests/", "/blobs/", "/tags/"])
def test_a_portal_page_is_exit_3_and_shown(path: str, airgap: Airgap, proxy: FaultProxy, bundle_dir: Path) -> None:
    """R19."""
    page = b"<html><title>Guest \x1b[31mWiFi</title>" + b"x" * 500
    proxy.rule(".*", path, status=200, body=page, headers={"Content-Type": "text/html; charset=utf-8"})
    result = pull(airgap, proxy, bundle_dir).fails(3, f"{proxy.host} gave something that is not a registry answer",
                                                   "<html><title>Guest", "a proxy or a login page")
    assert "\x1b" not in result.err and "x" * 100 not in result.err


@pytest.mark.parametrize("body", [b"", b"hello", b"<p>parked</p>"])
def test_a_host_that_says_200_to_everything_is_no_registry(body: bytes, airgap: Airgap, running: Running,
                                                           bundle_dir: Path) -> None:
    """R66."""
    server = running(RawServer(lambda request: reply(200, body if request.method != "HEAD" else b"",
                                                     {"Content-Type": "text/plain"})))
    pull(airgap, server, bundle_dir).fails(3, server.host, "not a registry answer")
    assert_unfinished(bundle_dir)


@pytest.mark.parametrize("head", [
    b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 7\r\n\r\nhello",
    b"HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\nhello",
    b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\nhello",
], ids=["two", "negative", "overflow"])
def test_an_ambiguous_length_is_exit_3(head: bytes, airgap: Airgap, running: Running, bundle_dir: Path) -> None:
    """R6."""
    server = running(RawServer(lambda request: head))
    pull(airgap, server, bundle_dir).fails(3, server.origin, "ambiguous length")


@pytest.mark.parametrize("answer", [
    b"SSH-2.0-OpenSSH_9.2\r\n",
    b"hello\n",
    b"HTTP/1.1 200 OK\r\n" + b"X-Many: " + b"y" * 70_000 + b"\r\n\r\n",
    b"HTTP/1.1 200 OK\r\n" + b"X-Many: y\r\n" * 40_000 + b"\r\n",
    b"HTTP/1.1 999999 OK\r\n\r\n",
], ids=["ssh", "text", "long header", "many headers", "status"])
def test_what_is_no_http_is_exit_3(answer: bytes, airgap: Airgap, running: Running, bundle_dir: Path) -> None:
    """R22."""
    server = running(RawServer(lambda request: answer))
    pull(airgap, server, bundle_dir, retry=0).fails(3, server.host)
