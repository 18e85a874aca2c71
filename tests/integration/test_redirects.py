"""A registry sends its clients elsewhere for the bytes: where they follow, and what they never take along."""

import shutil
from pathlib import Path

import pytest
from conftest import PASSWORD, USER, MakeRegistry, Running

from support.airgap import Airgap, plain
from support.certs import Authority, server_context
from support.nginx import Nginx, redirect_blobs
from support.proxy import FaultProxy
from support.pulling import BUSYBOX, assert_unfinished, assert_whole, auth_file, login, pull
from support.raw_server import RawRequest, RawServer, reply
from support.registry import Registry


@pytest.fixture
def front(source: Registry, running: Running) -> FaultProxy:
    return running(FaultProxy(source))


@pytest.fixture
def storage(source: Registry, running: Running) -> FaultProxy:
    """Another origin that has the blobs."""
    return running(FaultProxy(source))


def redirecting(front: FaultProxy, location: str, status: int = 307) -> None:
    front.rule("GET", "/blobs/", status=status, headers={"Location": location})


def test_blobs_come_from_storage_elsewhere(airgap: Airgap, front: FaultProxy, storage: FaultProxy,
                                           bundle_dir: Path) -> None:
    """R25."""
    front.rule("GET", "/blobs/", redirect_to=storage.origin)
    pull(airgap, front, bundle_dir, *plain(storage)).ok()
    assert_whole(airgap, bundle_dir)
    assert len(storage.requests("GET", "/blobs/")) == 2


@pytest.mark.parametrize("status", [301, 302, 303, 308])
def test_every_redirect_is_followed(status: int, airgap: Airgap, front: FaultProxy, storage: FaultProxy,
                                    bundle_dir: Path) -> None:
    redirecting(front, f"{storage.origin}/v2/elsewhere", status)
    pull(airgap, front, bundle_dir, *plain(storage)).fails(3, "404")
    assert storage.requests("GET", "^/v2/elsewhere$")


def test_blobs_come_from_storage_behind_nginx(airgap: Airgap, source: Registry, storage: FaultProxy, running: Running,
                                              bundle_dir: Path, tmp_path: Path) -> None:
    nginx = running(Nginx(tmp_path / "nginx", source, redirect_blobs(storage.origin)))
    pull(airgap, nginx, bundle_dir, *plain(storage)).ok()
    assert_whole(airgap, bundle_dir)


def test_a_broken_download_from_storage_goes_on_there(airgap: Airgap, front: FaultProxy, storage: FaultProxy,
                                                      bundle_dir: Path) -> None:
    """R1: a signed address may have run out, so the registry is asked again where to go."""
    front.rule("GET", "/blobs/", redirect_to=storage.origin)
    storage.rule("GET", "/blobs/", skip=1, times=1, cut_after=100_000)
    pull(airgap, front, bundle_dir, *plain(storage)).ok()
    assert storage.requests("GET", "/blobs/")[-1].headers["Range"] == "bytes=100000-"
    assert len(front.requests("GET", "/blobs/")) == 3


def test_every_kind_of_request_is_followed_to_storage_without_credentials(airgap: Airgap, make_registry: MakeRegistry,
                                                                          storage: FaultProxy, running: Running,
                                                                          bundle_dir: Path) -> None:
    """R25: manifests and tag lists too."""
    front = running(FaultProxy(make_registry(filled=True, htpasswd={USER: PASSWORD})))
    front.rule("GET|HEAD", "/v2/.", skip=1, redirect_to=storage.origin)  # the first one is asked to log in
    auth_file(airgap.home / ".docker/config.json", auths={front.host: login(USER, PASSWORD)})
    pull(airgap, front, bundle_dir, *plain(storage)).ok()
    assert front.saw_credentials() and storage.requests() and not storage.saw_credentials()


def test_storage_that_asks_for_a_login_gets_none(airgap: Airgap, make_registry: MakeRegistry, front: FaultProxy,
                                                 running: Running, bundle_dir: Path) -> None:
    locked = running(FaultProxy(make_registry(filled=True, htpasswd={USER: PASSWORD})))
    front.rule("GET", "/blobs/", redirect_to=locked.origin)
    auth_file(airgap.home / ".docker/config.json", auths={front.host: login(USER, PASSWORD)})
    pull(airgap, front, bundle_dir, *plain(locked)).fails(4, "401", "missing or not permitted")
    assert locked.requests() and not locked.saw_credentials()


# --- where nobody goes ---

def test_a_redirect_from_https_to_http_is_exit_6(airgap: Airgap, source: Registry, storage: FaultProxy,
                                                 running: Running, authority: Authority, bundle_dir: Path) -> None:
    """R23: not even to a host that --plain-http names."""
    front = running(FaultProxy(source, tls=server_context(authority.server())))
    front.rule("GET", "/blobs/", redirect_to=storage.origin)
    certs = airgap.home / f".config/containers/certs.d/{front.host}"
    certs.mkdir(parents=True)
    shutil.copy(authority.cert, certs)
    airgap.export("pull", f"{front.host}/{BUSYBOX}", *plain(storage), "--output", f"{bundle_dir}/").fails(
        6, f"{front.origin} redirects from https to plain http at {storage.origin}")
    assert storage.requests() == []
    assert_unfinished(bundle_dir)


def test_a_redirect_to_plain_http_that_nobody_named_is_exit_6(airgap: Airgap, front: FaultProxy, storage: FaultProxy,
                                                              bundle_dir: Path) -> None:
    """R23."""
    front.rule("GET", "/blobs/", redirect_to=storage.origin)
    pull(airgap, front, bundle_dir).fails(6, storage.origin, f"redirect of {front.origin}",
                                          f"--plain-http {storage.host}")
    assert storage.requests() == []


@pytest.mark.parametrize("location", [
    "file:///etc/passwd",
    "ftp://127.0.0.1/blob",
    "gopher://127.0.0.1/blob",
    "https://user:secret@127.0.0.1/blob",
    "https://",
    "https://exa mple/blob",
    "//",
    "https://host:99999/",
    "javascript:alert(1)",
])
def test_a_redirect_to_what_is_no_web_address_is_exit_6(location: str, airgap: Airgap, front: FaultProxy,
                                                        bundle_dir: Path) -> None:
    """R24."""
    redirecting(front, location)
    result = pull(airgap, front, bundle_dir).fails(6, front.host, BUSYBOX)
    assert "secret" not in result.out + result.err


@pytest.mark.parametrize("address", ["169.254.169.254", "10.0.0.1", "127.0.0.1", "[::1]", "[::ffff:10.0.0.1]"])
def test_a_redirect_of_a_public_registry_to_a_private_address_is_exit_6(address: str, airgap: Airgap,
                                                                        running: Running, bundle_dir: Path) -> None:
    """R26: a forward proxy makes the registry a public one; the redirect would not go through it."""
    def script(request: RawRequest) -> bytes:
        assert request.path.startswith("http://registry.example/")
        return reply(302, b"", {"Location": f"https://{address}/latest/meta-data"})

    proxy = running(RawServer(script))
    airgap.env["http_proxy"] = proxy.origin
    airgap.export("pull", "registry.example/team/app:1", "--plain-http", "registry.example", "--retry", 0,
                  "--output", f"{bundle_dir}/").fails(
        6, "registry.example", address.strip("[]"), "private address", "--trust-host")


# --- going in circles ---

def test_a_redirect_loop_is_exit_3(airgap: Airgap, front: FaultProxy, bundle_dir: Path) -> None:
    """R27."""
    front.rule("GET", "/blobs/", redirect_to=front.origin)
    pull(airgap, front, bundle_dir).fails(3, f"{front.origin} redirects more than 5 times")
    assert len(front.requests("GET", "/blobs/")) == 6
    assert_unfinished(bundle_dir)


def test_five_redirects_are_followed(airgap: Airgap, front: FaultProxy, bundle_dir: Path) -> None:
    """R27."""
    front.rule("GET", "/blobs/", times=5, redirect_to=front.origin)
    pull(airgap, front, bundle_dir, "--jobs", 1).ok()


def test_a_redirect_without_an_address_is_exit_3(airgap: Airgap, front: FaultProxy, bundle_dir: Path) -> None:
    front.rule("GET", "/blobs/", status=307)
    pull(airgap, front, bundle_dir).fails(3, front.origin, "without saying where to")


def test_storage_that_is_down_is_exit_3_and_named(airgap: Airgap, front: FaultProxy, running: Running,
                                                  source: Registry, bundle_dir: Path) -> None:
    gone = FaultProxy(source)
    gone._server.server_close()  # its port answers nobody
    front.rule("GET", "/blobs/", redirect_to=gone.origin)
    pull(airgap, front, bundle_dir, *plain(gone)).fails(3, f"cannot connect to {gone.origin}", front.origin)
    front.clear_rules()
    pull(airgap, front, bundle_dir).ok()
