"""A user reads registries that send clients to a token server: GET and OAuth2, expiry, refusals, odd replies."""

from pathlib import Path

import pytest
from conftest import PASSWORD, USER, MakeRegistry, Running

from support import oci
from support.airgap import Airgap, Result, plain
from support.proxy import FaultProxy
from support.pulling import assert_unfinished, assert_whole, auth_file, login, pull
from support.registry import Registry
from support.token_server import TokenServer

SCOPE = "repository:tools/busybox:pull"


@pytest.fixture
def free(make_registry: MakeRegistry, tokens: TokenServer) -> Registry:
    """Images behind tokens that anybody gets."""
    return make_registry(filled=True, token=tokens.auth())


@pytest.fixture
def proxy(free: Registry, running: Running) -> FaultProxy:
    return running(FaultProxy(free))


def log_in(airgap: Airgap, host: str, password: str = PASSWORD) -> None:
    auth_file(airgap.home / ".docker/config.json", auths={host: login(USER, password)})


def challenge(tokens: TokenServer, scope: str = SCOPE) -> str:
    return f'Bearer realm="{tokens.realm}",service="{tokens.service}",scope="{scope}",error="invalid_token"'


def test_tokens_are_free_for_who_has_no_login(airgap: Airgap, free: Registry, tokens: TokenServer,
                                              bundle_dir: Path) -> None:
    pull(airgap, free, bundle_dir, *plain(tokens)).ok()
    (asked,) = tokens.requests()
    assert (asked.method, asked.scopes) == ("GET", [SCOPE])
    assert "Authorization" not in asked.headers


def test_a_login_is_shown_to_the_token_server_alone(airgap: Airgap, proxy: FaultProxy, tokens: TokenServer,
                                                    bundle_dir: Path) -> None:
    tokens.anonymous_pull = False
    log_in(airgap, proxy.host)
    pull(airgap, proxy, bundle_dir, *plain(tokens)).ok()
    assert [request.headers["Authorization"].split()[0] for request in tokens.requests()] == ["Basic"]
    shown = {request.headers["Authorization"].split()[0] for request in proxy.requests()
             if "Authorization" in request.headers}
    assert shown == {"Bearer"}


def test_an_identity_token_is_exchanged_by_post(airgap: Airgap, free: Registry, tokens: TokenServer,
                                                bundle_dir: Path) -> None:
    tokens.anonymous_pull = False
    identity = tokens.identity_token(USER)
    auth_file(airgap.home / ".docker/config.json", auths={free.host: {"auth": "", "identitytoken": identity}})
    pull(airgap, free, bundle_dir, *plain(tokens)).ok()
    (asked,) = tokens.requests()
    assert asked.method == "POST"
    assert asked.fields["grant_type"] == ["refresh_token"] and asked.fields["refresh_token"] == [identity]
    assert asked.scopes == [SCOPE]


def test_an_identity_token_that_is_no_longer_good_is_exit_4(airgap: Airgap, free: Registry, tokens: TokenServer,
                                                            bundle_dir: Path) -> None:
    auth_file(airgap.home / ".docker/config.json", auths={free.host: {"identitytoken": "canary-4711"}})
    result = pull(airgap, free, bundle_dir, *plain(tokens)).fails(4, f"{tokens.origin} .*refused the credentials")
    assert "canary-4711" not in result.out + result.err


def test_a_wrong_password_is_exit_4_and_names_the_token_server(airgap: Airgap, free: Registry, tokens: TokenServer,
                                                               bundle_dir: Path) -> None:
    log_in(airgap, free.host, "wrong")
    pull(airgap, free, bundle_dir, *plain(tokens)).fails(4, f"token server {tokens.origin} of {free.host} refused",
                                                         f"check the credentials for {free.host}", SCOPE)
    assert_unfinished(bundle_dir)


def test_a_token_that_may_not_read_is_exit_4_and_names_the_scope(airgap: Airgap, free: Registry,
                                                                 tokens: TokenServer, bundle_dir: Path) -> None:
    """R8, R14: the server gives a token, and the registry does not take it."""
    tokens.anonymous_pull = False
    pull(airgap, free, bundle_dir, *plain(tokens)).fails(4, "missing or not permitted", SCOPE, "check the name")
    assert len(tokens.requests()) <= 4


# --- time ---

def test_a_token_is_renewed_before_it_expires(airgap: Airgap, proxy: FaultProxy, free: Registry, tokens: TokenServer,
                                              bundle_dir: Path) -> None:
    """R13."""
    tokens.announced = 1
    proxy.rule("GET", "/blobs/", delay=0.8)
    pull(airgap, proxy, bundle_dir, "--jobs", 1, *plain(tokens)).ok()
    assert len(tokens.requests()) >= 2
    assert len([request for request in free.requests(path="/v2/.") if request.status == 401]) == 1


def test_a_token_that_expires_early_is_renewed_without_a_word(airgap: Airgap, proxy: FaultProxy, tokens: TokenServer,
                                                              bundle_dir: Path) -> None:
    """R13."""
    proxy.rule("GET", "/blobs/", times=1, status=401, headers={"WWW-Authenticate": challenge(tokens)})
    pull(airgap, proxy, bundle_dir, *plain(tokens)).ok()
    assert len(tokens.requests()) == 2
    assert_whole(airgap, bundle_dir)


def test_a_token_that_is_never_taken_ends_the_attempts(airgap: Airgap, proxy: FaultProxy, tokens: TokenServer,
                                                       bundle_dir: Path) -> None:
    """R8."""
    proxy.rule(path="/v2/.", status=401, headers={"WWW-Authenticate": challenge(tokens)})
    pull(airgap, proxy, bundle_dir, *plain(tokens)).fails(4, f"refused scope {SCOPE}")
    assert len(proxy.requests()) < 12


# --- challenges and replies as they are in the wild ---

def test_a_challenge_that_is_missing_is_taken_from_the_base_address(airgap: Airgap, proxy: FaultProxy,
                                                                    tokens: TokenServer, bundle_dir: Path) -> None:
    """R9."""
    proxy.rule(".*", "/manifests/", times=1, status=401)
    pull(airgap, proxy, bundle_dir, *plain(tokens)).ok()


@pytest.mark.parametrize("text", ['Negotiate, {}', 'NTLM, Basic realm="x, y\\"z", {}', '{}, Digest qop="auth"'])
def test_the_usable_one_of_several_challenges_is_taken(text: str, airgap: Airgap, proxy: FaultProxy,
                                                       tokens: TokenServer, bundle_dir: Path) -> None:
    """R10."""
    proxy.rule(path="/manifests/", times=1, status=401,
               headers={"WWW-Authenticate": text.format(challenge(tokens))})
    pull(airgap, proxy, bundle_dir, *plain(tokens)).ok()


@pytest.mark.parametrize("text", ["Negotiate", 'Bearer scope="no realm"', 'Bearer realm="', ", ,,"])
def test_no_usable_challenge_is_exit_4(text: str, airgap: Airgap, running: Running, source: Registry,
                                       bundle_dir: Path) -> None:
    """R10."""
    proxy = running(FaultProxy(source))
    proxy.rule(status=401, headers={"WWW-Authenticate": text})
    pull(airgap, proxy, bundle_dir).fails(4, proxy.host, "not in a way that is known|token server")


def test_a_reply_without_expiry_and_with_the_other_name_is_good(airgap: Airgap, free: Registry, tokens: TokenServer,
                                                                bundle_dir: Path) -> None:
    """R12."""
    tokens.name_of_token, tokens.announced = "access_token", None
    pull(airgap, free, bundle_dir, *plain(tokens)).ok()


@pytest.mark.parametrize("body, status, pattern", [
    (b"", 4, "without a token"),
    (b"<html>login</html>", 4, "without a token"),
    (b"{}", 4, "holds no token"),
    (oci.to_json({"token": "two\r\nX-Injected: lines"}), 4, "holds no token"),
    (oci.to_json({"token": 7}), 4, "without a token"),
    (oci.to_json({"token": "x" * 2_000_000}), 6, "over the limit"),
], ids=["empty", "web page", "no token", "header lines", "number", "huge"])
def test_a_reply_that_is_no_token_is_refused(body: bytes, status: int, pattern: str, airgap: Airgap, free: Registry,
                                             tokens: TokenServer, bundle_dir: Path) -> None:
    """R12."""
    tokens.refuse(200, body, times=9)
    pull(airgap, free, bundle_dir, *plain(tokens)).fails(status, pattern, tokens.origin)


def test_a_token_server_that_is_busy_is_asked_again(airgap: Airgap, free: Registry, tokens: TokenServer,
                                                    tmp_path: Path) -> None:
    def run(name: str) -> Result:
        return pull(airgap, free, tmp_path / name, *plain(tokens))

    tokens.refuse(503)
    run("a.tar").ok()
    tokens.refuse(503, times=20)
    run("b.tar").fails(3, f"token server {tokens.origin} .*503", "run the same command again")
