"""A user reads registries that want to know who asks: anonymous, Basic and token logins, and where credentials lie."""

import base64
import json
from pathlib import Path
from typing import Any

import pytest
from conftest import PASSWORD, USER, MakeRegistry, Running

from support.airgap import Airgap, plain
from support.certs import Authority, server_context
from support.proxy import FaultProxy
from support.pulling import BUSYBOX, assert_unfinished, assert_whole, auth_file, login, pull
from support.registry import Registry
from support.token_server import TokenServer

AUTH_JSON = "run/containers/auth.json"  # below HOME: the tests set XDG_RUNTIME_DIR so
# As default_auth_files() has them, the first one wins.
PLACES = (AUTH_JSON, ".config/containers/auth.json", ".docker/config.json")


@pytest.fixture
def locked(make_registry: MakeRegistry) -> Registry:
    """Images behind Basic authentication."""
    return make_registry(filled=True, htpasswd={USER: PASSWORD})


@pytest.fixture
def guarded(make_registry: MakeRegistry, tokens: TokenServer) -> Registry:
    """Images behind tokens, which only USER gets."""
    tokens.anonymous_pull = False
    return make_registry(filled=True, token=tokens.auth())


def log_in(airgap: Airgap, server: Any, place: str = AUTH_JSON, password: str = PASSWORD) -> Path:
    return auth_file(airgap.home / place, auths={server.host: login(USER, password)})


# --- Basic ---

@pytest.mark.parametrize("place", PLACES)
def test_credentials_are_found_in_the_usual_places(place: str, airgap: Airgap, locked: Registry,
                                                   bundle_dir: Path) -> None:
    log_in(airgap, locked, place)
    pull(airgap, locked, bundle_dir).ok()
    assert_whole(airgap, bundle_dir)


@pytest.mark.parametrize("nearer, farther", zip(PLACES, PLACES[1:]))
def test_the_nearer_place_wins(nearer: str, farther: str, airgap: Airgap, locked: Registry, bundle_dir: Path) -> None:
    log_in(airgap, locked, nearer)
    log_in(airgap, locked, farther, password="wrong")
    pull(airgap, locked, bundle_dir).ok()


def test_a_file_that_is_named_replaces_the_usual_places(airgap: Airgap, locked: Registry, tmp_path: Path) -> None:
    log_in(airgap, locked, password="wrong")
    named = auth_file(tmp_path / "named.json", auths={locked.host: login(USER, PASSWORD)})
    pull(airgap, locked, tmp_path / "a.tar", "--authfile", named).ok()
    pull(airgap, locked, tmp_path / "b.tar", env={"REGISTRY_AUTH_FILE": str(named)}).ok()
    docker = auth_file(tmp_path / "docker/config.json", auths={locked.host: login(USER, PASSWORD)})
    (airgap.home / AUTH_JSON).unlink()
    pull(airgap, locked, tmp_path / "c.tar", env={"DOCKER_CONFIG": str(docker.parent)}).ok()


def test_an_auth_file_that_is_not_there_or_not_json_is_named(airgap: Airgap, locked: Registry,
                                                             tmp_path: Path) -> None:
    pull(airgap, locked, tmp_path / "b.tar", "--authfile", tmp_path / "no.json").fails(2, "no auth file .*no.json")
    broken = tmp_path / "broken.json"
    broken.write_text('{"auths": {')
    broken.chmod(0o600)
    pull(airgap, locked, tmp_path / "b.tar", "--authfile", broken).fails(4, "broken.json", "not valid JSON")


def test_credentials_of_a_repository_go_before_those_of_its_host(airgap: Airgap, locked: Registry,
                                                                 tmp_path: Path) -> None:
    auth_file(airgap.home / AUTH_JSON, auths={locked.host: login(USER, "wrong"),
                                              f"{locked.host}/tools": login(USER, PASSWORD)})
    pull(airgap, locked, tmp_path / "b.tar").ok()


@pytest.mark.parametrize("image, options", [(BUSYBOX, []), (BUSYBOX.split(":")[0], ["--all-tags"])],
                         ids=["a tag", "all tags"])
def test_no_credentials_is_exit_4_and_says_how_to_log_in(image: str, options: list[str], airgap: Airgap,
                                                         locked: Registry, bundle_dir: Path) -> None:
    pull(airgap, locked, bundle_dir, *options, image=image).fails(
        4, f"{locked.host} asks for a user name and password", f"podman login {locked.host}", "--authfile", image)
    assert_unfinished(bundle_dir)


def test_an_identity_token_is_nothing_for_a_registry_without_a_token_server(airgap: Airgap, locked: Registry,
                                                                            bundle_dir: Path) -> None:
    auth_file(airgap.home / AUTH_JSON, auths={locked.host: {"identitytoken": "canary-4711"}})
    said = pull(airgap, locked, bundle_dir).fails(
        4, f"{locked.host} asks for a user name and password, and what is known for it is an identity token",
        f"only token servers take .*podman login {locked.host}")
    assert "canary-4711" not in said.out + said.err


def test_a_wrong_password_is_exit_4_after_one_attempt(airgap: Airgap, locked: Registry, running: Running,
                                                      bundle_dir: Path) -> None:
    proxy = running(FaultProxy(locked))
    log_in(airgap, proxy, password="wrong")
    pull(airgap, proxy, bundle_dir).fails(4, f"refused the credentials of user {USER}", "check")
    # An account locks after a few wrong passwords: HEAD and GET may each try, and no more.
    assert len([r for r in proxy.requests() if "Authorization" in r.headers]) <= 2


def test_a_wrong_password_does_not_stop_a_rerun_with_the_right_one(airgap: Airgap, locked: Registry,
                                                                   bundle_dir: Path) -> None:
    log_in(airgap, locked, password="wrong")
    pull(airgap, locked, bundle_dir).fails(4)
    log_in(airgap, locked)
    pull(airgap, locked, bundle_dir).ok()
    assert_whole(airgap, bundle_dir)


# --- on the command line, without the secret in it ---

def test_credentials_may_come_by_standard_input(airgap: Airgap, locked: Registry, tmp_path: Path) -> None:
    pull(airgap, locked, tmp_path / "b.tar", "--creds-stdin", input=f"{USER}:{PASSWORD}\n".encode()).ok()
    pull(airgap, locked, tmp_path / "c.tar", "--creds-stdin", input=b"").fails(4, "standard input", "user:password")


def test_credentials_may_come_from_a_file_that_nobody_else_reads(airgap: Airgap, locked: Registry,
                                                                 tmp_path: Path) -> None:
    """R153."""
    secret = tmp_path / "secret"
    secret.write_text(f"{USER}:{PASSWORD}\n")
    secret.chmod(0o644)
    pull(airgap, locked, tmp_path / "b.tar", "--creds-file", secret).fails(4, "can be read by others", "chmod 600")
    secret.chmod(0o600)
    pull(airgap, locked, tmp_path / "b.tar", "--creds-file", secret).ok()
    pull(airgap, locked, tmp_path / "c.tar", "--creds-file", f"{locked.host}={secret}").ok()


def test_a_password_given_where_a_file_belongs_shows_nowhere(airgap: Airgap, locked: Registry, tmp_path: Path) -> None:
    for given in (f"{USER}:{PASSWORD}", f"{locked.host}={USER}:{PASSWORD}"):
        result = pull(airgap, locked, tmp_path / "b.tar", "--creds-file", given).fails(
            4, "no credentials file of the name that was given", "--creds-stdin")
        assert PASSWORD not in result.err + result.out


# --- credential helpers ---

@pytest.fixture
def helper(airgap: Airgap, tmp_path: Path) -> Path:
    """docker-credential-keys in PATH: knows one user, and writes down what it was asked for."""
    directory = tmp_path / "helpers"
    directory.mkdir()
    program = directory / "docker-credential-keys"
    answer = json.dumps({"Username": USER, "Secret": PASSWORD})
    program.write_text(f"#!/bin/sh\nread -r server\necho \"$1 $server\" >> {directory}/asked\necho '{answer}'\n")
    program.chmod(0o755)
    airgap.env["PATH"] = f"{directory}:/usr/bin:/bin"
    return program


@pytest.mark.parametrize("setting", ["credHelpers", "credsStore"])
def test_a_credential_helper_is_asked_once(setting: str, airgap: Airgap, locked: Registry, helper: Path,
                                           bundle_dir: Path) -> None:
    wanted: dict[str, Any] = {"credHelpers": {locked.host: "keys"}, "credsStore": "keys"}
    auth_file(airgap.home / ".docker/config.json", **{setting: wanted[setting]})
    pull(airgap, locked, bundle_dir).ok()
    assert (helper.parent / "asked").read_text() == f"get {locked.host}\n"


def test_a_helper_that_knows_nothing_is_no_error(airgap: Airgap, helper: Path, source: Registry,
                                                 tmp_path: Path) -> None:
    helper.write_text("#!/bin/sh\necho 'credentials not found in native keychain'\nexit 1\n")
    auth_file(airgap.home / ".docker/config.json", credsStore="keys")
    pull(airgap, source, tmp_path / "b.tar").ok()


@pytest.mark.parametrize("script, reason", [
    ("exit 3", "failed"),
    ("echo no JSON", "not a credential"),
    ("rm \"$0\"; exec /nonexistent", "failed"),
])
def test_a_helper_that_fails_is_named(script: str, reason: str, airgap: Airgap, locked: Registry, helper: Path,
                                      bundle_dir: Path) -> None:
    helper.write_text(f"#!/bin/sh\n{script}\n")
    auth_file(airgap.home / ".docker/config.json", credsStore="keys")
    pull(airgap, locked, bundle_dir).fails(4, "docker-credential-keys", reason, "run it by hand")


def test_a_helper_that_is_not_installed_is_named(airgap: Airgap, locked: Registry, bundle_dir: Path) -> None:
    auth_file(airgap.home / ".docker/config.json", credHelpers={locked.host: "gone"})
    pull(airgap, locked, bundle_dir).fails(4, "docker-credential-gone cannot be run: No such file")


# --- realms ---

def test_a_token_realm_of_another_owner_gets_no_credentials(airgap: Airgap, make_registry: MakeRegistry,
                                                            authority: Authority, running: Running,
                                                            bundle_dir: Path) -> None:
    """R11."""
    foreign = running(TokenServer(authority, users={USER: PASSWORD}, tls=server_context(authority.server())))
    elsewhere = foreign.auth(realm=f"https://localhost:{foreign.port}/token")
    registry = make_registry(filled=True, token=elsewhere)
    log_in(airgap, registry)
    pull(airgap, registry, bundle_dir).fails(4, f"{registry.host} asks to log in at https://localhost:{foreign.port}",
                                             "a host of another owner", "nothing was sent there",
                                             f"--trust-host localhost:{foreign.port}")
    assert foreign.requests() == []
    option = ("--trust-host", f"localhost:{foreign.port}")
    pull(airgap, registry, bundle_dir, *option).fails(3, "unknown authority")  # it is verified as ever
    certs = airgap.home / f".config/containers/certs.d/localhost:{foreign.port}"
    certs.mkdir(parents=True)
    (certs / "ca.crt").write_bytes(authority.cert.read_bytes())
    pull(airgap, registry, bundle_dir, *option).ok()


def test_a_token_realm_of_plain_http_has_to_be_named(airgap: Airgap, guarded: Registry, tokens: TokenServer,
                                                     bundle_dir: Path) -> None:
    """R11."""
    log_in(airgap, guarded)
    pull(airgap, guarded, bundle_dir).fails(4, "plain http", f"--plain-http {tokens.host}")
    assert tokens.requests() == []
    pull(airgap, guarded, bundle_dir, *plain(tokens)).ok()


def test_credentials_do_not_follow_a_redirect_to_storage(airgap: Airgap, locked: Registry, source: Registry,
                                                         running: Running, bundle_dir: Path) -> None:
    """R25."""
    front, storage = running(FaultProxy(locked)), running(FaultProxy(source))
    front.rule("GET", "/blobs/", redirect_to=storage.origin)
    log_in(airgap, front)
    pull(airgap, front, bundle_dir, *plain(storage)).ok()
    assert front.saw_credentials()
    assert storage.requests("GET", "/blobs/") and not storage.saw_credentials()


# --- secrets ---

@pytest.mark.parametrize("right", [True, False])
def test_the_password_shows_nowhere(right: bool, airgap: Airgap, locked: Registry, bundle_dir: Path,
                                    tmp_path: Path) -> None:
    known = PASSWORD if right else "canary-4711"
    pair = base64.b64encode(f"{USER}:{known}".encode()).decode()
    log_in(airgap, locked, password=known)
    report = tmp_path / "report.json"
    result = pull(airgap, locked, bundle_dir, "--verbose", "--report", report)
    result.ok() if right else result.fails(4)
    texts = [result.out, result.err, report.read_text()]
    texts += [path.read_text(errors="replace") for path in bundle_dir.rglob("*") if path.is_file()]
    for secret in (known, pair):
        assert not [text for text in texts if secret in text]
