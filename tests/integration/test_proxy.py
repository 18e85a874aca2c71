"""A user is behind a forward proxy: which requests go through it, and what is said when it refuses."""

from pathlib import Path

import pytest
from conftest import MakeRegistry, Running

from support.airgap import Airgap, Result
from support.certs import Authority
from support.pulling import BUSYBOX, assert_unfinished, assert_whole, pull
from support.raw_server import RawServer, reply
from support.registry import Registry, Tls
from support.tinyproxy import TinyProxy


@pytest.fixture
def forward(running: Running, tmp_path: Path) -> TinyProxy:
    return running(TinyProxy(tmp_path / "tinyproxy"))


@pytest.fixture
def secure(make_registry: MakeRegistry, authority: Authority, tls: Tls, airgap: Airgap) -> Registry:
    """Images behind TLS; its authority is known."""
    registry = make_registry(filled=True, tls=tls, tls_context=authority.client_context())
    certs = airgap.home / f".config/containers/certs.d/{registry.host}"
    certs.mkdir(parents=True)
    (certs / "ca.crt").write_bytes(authority.cert.read_bytes())
    return registry


def pull_secure(airgap: Airgap, registry: Registry, bundle: Path, **env: str) -> Result:
    return airgap.export("pull", f"{registry.host}/{BUSYBOX}", "--retry", 1, "--output", f"{bundle}/", env=env)


@pytest.mark.parametrize("variable", ["http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"])
def test_plain_registries_are_reached_through_the_proxy(variable: str, airgap: Airgap, source: Registry,
                                                        forward: TinyProxy, bundle_dir: Path) -> None:
    pull(airgap, source, bundle_dir, env={variable: forward.url}).ok()
    assert_whole(airgap, bundle_dir)
    assert any(f"GET http://{source.host}/v2/tools/busybox/blobs/" in line for line in forward.requests())


@pytest.mark.parametrize("variable", ["https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"])
def test_registries_behind_tls_are_reached_through_a_tunnel(variable: str, airgap: Airgap, secure: Registry,
                                                            forward: TinyProxy, bundle_dir: Path) -> None:
    pull_secure(airgap, secure, bundle_dir, **{variable: forward.url}).ok()
    asked = forward.requests()
    assert asked and all(line.startswith(f"CONNECT {secure.host} ") for line in asked)


def test_a_scheme_has_its_own_proxy(airgap: Airgap, source: Registry, secure: Registry, forward: TinyProxy,
                                    bundle_dir: Path, tmp_path: Path) -> None:
    pull(airgap, source, bundle_dir, env={"https_proxy": forward.url}).ok()
    pull_secure(airgap, secure, tmp_path / "other", http_proxy=forward.url).ok()
    assert forward.requests() == []


def test_a_web_server_s_variable_is_not_taken_for_ours(airgap: Airgap, source: Registry, forward: TinyProxy,
                                                       bundle_dir: Path) -> None:
    """In a CGI program HTTP_PROXY comes from a request's Proxy header ("httpoxy")."""
    pull(airgap, source, bundle_dir, env={"HTTP_PROXY": forward.url, "REQUEST_METHOD": "GET"}).ok()
    assert forward.requests() == []


@pytest.mark.parametrize("variable", ["no_proxy", "NO_PROXY"])
@pytest.mark.parametrize("form", ["*", "127.0.0.1", "127.0.0.1:{port}", "127.0.0.0/8", "a.example, 127.0.0.1 ,.b"])
def test_hosts_in_no_proxy_are_reached_directly(variable: str, form: str, airgap: Airgap, source: Registry,
                                                forward: TinyProxy, bundle_dir: Path) -> None:
    """R64."""
    pull(airgap, source, bundle_dir, "--dry-run",
         env={"http_proxy": forward.url, variable: form.format(port=source.port)}).ok()
    assert forward.requests() == []


@pytest.mark.parametrize("form", ["", "127.0.0.1:1", "10.0.0.0/8", "27.0.0.1", "localhost"])
def test_other_hosts_in_no_proxy_change_nothing(form: str, airgap: Airgap, source: Registry, forward: TinyProxy,
                                                bundle_dir: Path) -> None:
    """R64."""
    pull(airgap, source, bundle_dir, "--dry-run", env={"http_proxy": forward.url, "no_proxy": form}).ok()
    assert forward.requests()


# --- proxies that want to know who asks ---

@pytest.fixture
def locked(running: Running, tmp_path: Path) -> TinyProxy:
    return running(TinyProxy(tmp_path / "locked", "bob", "canary-4711"))


def test_credentials_of_the_proxy_are_in_its_address(airgap: Airgap, source: Registry, secure: Registry,
                                                     locked: TinyProxy, bundle_dir: Path, tmp_path: Path) -> None:
    results = [pull(airgap, source, bundle_dir, "--verbose", env={"http_proxy": locked.url}).ok(),
               pull_secure(airgap, secure, tmp_path / "other", https_proxy=locked.url).ok()]
    for result in results:
        assert "canary-4711" not in result.out + result.err
    for path in bundle_dir.rglob("*"):
        assert not path.is_file() or b"canary-4711" not in path.read_bytes()


def test_a_proxy_that_wants_a_login_is_exit_3_and_named(airgap: Airgap, source: Registry, secure: Registry,
                                                        locked: TinyProxy, bundle_dir: Path) -> None:
    """R64."""
    url = f"http://127.0.0.1:{locked.port}"
    for result in (pull(airgap, source, bundle_dir, env={"http_proxy": url}),
                   pull_secure(airgap, secure, bundle_dir, https_proxy=url)):
        result.fails(3, f"proxy 127.0.0.1:{locked.port} asks for credentials", "407", "_proxy=http://USER:PASSWORD@")
        assert_unfinished(bundle_dir)


def test_a_proxy_that_refuses_a_login_is_exit_3_and_named(airgap: Airgap, secure: Registry, locked: TinyProxy,
                                                          bundle_dir: Path) -> None:
    """R64: tinyproxy says 401 to a wrong one."""
    url = f"http://bob:wrong-4712@127.0.0.1:{locked.port}"
    result = pull_secure(airgap, secure, bundle_dir, https_proxy=url)
    result.fails(3, f"proxy 127.0.0.1:{locked.port} (asks for credentials|refuses to connect to {secure.host})")
    assert "wrong-4712" not in result.err


# --- proxies that fail ---

def test_a_proxy_that_is_not_there_is_exit_3_and_named(airgap: Airgap, source: Registry, secure: Registry,
                                                       forward: TinyProxy, bundle_dir: Path) -> None:
    """R64."""
    forward.process.kill()
    named = f"proxy 127.0.0.1:{forward.port}"
    pull(airgap, source, bundle_dir, retry=0, env={"http_proxy": forward.url}).fails(
        3, named, "check https_proxy, http_proxy and no_proxy")
    pull_secure(airgap, secure, bundle_dir, https_proxy=forward.url).fails(3, named)
    pull(airgap, source, bundle_dir, retry=0, env={"http_proxy": "http://no-such-proxy.invalid:1"}).fails(
        3, "cannot resolve the name of the proxy no-such-proxy.invalid", "http_proxy")


def test_a_proxy_that_refuses_the_tunnel_is_exit_3_and_named(airgap: Airgap, secure: Registry, running: Running,
                                                             bundle_dir: Path) -> None:
    """R64."""
    proxy = running(RawServer(lambda request: reply(403, b"<h1>blocked</h1>", {"Content-Type": "text/html"})))
    pull_secure(airgap, secure, bundle_dir, https_proxy=proxy.origin).fails(
        3, f"the proxy {proxy.host} refuses to connect to {secure.host} \\(status 403\\)", "no_proxy")
    assert len(proxy.seen) == 1


def test_a_page_of_the_proxy_is_no_answer_of_the_registry(airgap: Airgap, source: Registry, running: Running,
                                                          bundle_dir: Path) -> None:
    """R19, R64."""
    page = reply(200, b"<html>accept our terms</html>", {"Content-Type": "text/html"})
    head = page[:page.index(b"<html>")]
    proxy = running(RawServer(lambda request: page if request.method == "GET" else head))
    pull(airgap, source, bundle_dir, env={"http_proxy": proxy.origin}).fails(
        3, "not a registry answer", "accept our terms", "a proxy or a login page")


@pytest.mark.parametrize("url", ["ftp://127.0.0.1:1", "http://", "http://exa mple", "http://bob:canary-4711@[::1:8"])
def test_an_address_that_is_no_proxy_s_is_exit_2_and_its_variable_named(url: str, airgap: Airgap, source: Registry,
                                                                        bundle_dir: Path) -> None:
    result = pull(airgap, source, bundle_dir, env={"http_proxy": url}).fails(2, "http_proxy")
    assert "canary-4711" not in result.err
