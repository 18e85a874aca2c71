"""A user reads registries behind TLS: whose certificate counts, what is said when it does not, and plain http."""

import shutil
import ssl
import warnings
from pathlib import Path

import pytest
from conftest import MakeRegistry, Running

from support.airgap import Airgap, Result
from support.certs import Authority, Certificate, server_context
from support.proxy import FaultProxy
from support.pulling import BUSYBOX, assert_unfinished, assert_whole
from support.registry import Registry, Tls


@pytest.fixture
def secure(make_registry: MakeRegistry, authority: Authority, tls: Tls) -> Registry:
    """Images behind TLS, by an authority that no system knows."""
    return make_registry(filled=True, tls=tls, tls_context=authority.client_context())


def pull(airgap: Airgap, host: str, bundle: Path, *options: object) -> Result:
    """Without --plain-http."""
    return airgap.export("pull", f"{host}/{BUSYBOX}", "--retry", 1, *options, "--output", f"{bundle}/")


def folder_of(path: Path, *files: Path) -> Path:
    path.mkdir(parents=True, exist_ok=True)
    for file in files:
        shutil.copy(file, path)
    return path


def behind(certificate: Certificate, source: Registry, running: Running) -> FaultProxy:
    return running(FaultProxy(source, tls=server_context(certificate)))


# --- authorities ---

def test_an_authority_comes_from_cert_dir(airgap: Airgap, secure: Registry, authority: Authority, bundle_dir: Path,
                                          tmp_path: Path) -> None:
    pull(airgap, secure.host, bundle_dir, "--cert-dir", folder_of(tmp_path / "certs", authority.cert)).ok()
    assert_whole(airgap, bundle_dir)


def test_an_authority_comes_from_certs_d_of_the_host(airgap: Airgap, secure: Registry, authority: Authority,
                                                     bundle_dir: Path) -> None:
    folder_of(airgap.home / f".config/containers/certs.d/{secure.host}", authority.cert)
    pull(airgap, secure.host, bundle_dir).ok()


def test_certs_d_of_another_host_does_not_count(airgap: Airgap, secure: Registry, authority: Authority,
                                                bundle_dir: Path) -> None:
    folder_of(airgap.home / f".config/containers/certs.d/localhost:{secure.port}", authority.cert)
    pull(airgap, secure.host, bundle_dir).fails(3, "unknown authority")


def test_an_unknown_authority_is_exit_3_and_says_where_to_put_its_certificate(airgap: Airgap, secure: Registry,
                                                                              bundle_dir: Path) -> None:
    """R63. And one attempt, not six: nothing changes by itself."""
    secure.mark()
    pull(airgap, secure.host, bundle_dir).fails(3, f"certificate of {secure.origin} is signed by an unknown authority",
                                                f"certs.d/{secure.host}", "--cert-dir", BUSYBOX)
    assert_unfinished(bundle_dir)


def test_another_authority_is_an_unknown_one(airgap: Airgap, secure: Registry, bundle_dir: Path,
                                             tmp_path: Path) -> None:
    other = Authority(tmp_path / "other", name="another CA")
    pull(airgap, secure.host, bundle_dir, "--cert-dir", folder_of(tmp_path / "certs", other.cert)).fails(
        3, "unknown authority")


def test_an_authority_made_anew_under_its_old_name_is_told_apart(airgap: Airgap, secure: Registry, bundle_dir: Path,
                                                                 tmp_path: Path) -> None:
    """Once, for nothing changes by itself."""
    old = Authority(tmp_path / "old")
    secure.mark()
    result = pull(airgap, secure.host, bundle_dir, "--cert-dir", folder_of(tmp_path / "certs", old.cert)).fails(
        3, "bears the name of an authority that is trusted here", "present certificate", f"certs.d/{secure.host}")
    assert "again" not in result.err.lower().replace("run the same command again", "")


# --- certificates that are wrong ---

def test_an_expired_certificate_is_exit_3_and_shows_the_clock(airgap: Airgap, source: Registry, running: Running,
                                                              authority: Authority, bundle_dir: Path,
                                                              tmp_path: Path) -> None:
    """R63."""
    server = behind(authority.server(expired=True), source, running)
    certs = folder_of(tmp_path / "certs", authority.cert)
    pull(airgap, server.host, bundle_dir, "--cert-dir", certs).fails(
        3, f"certificate of {server.origin} has expired", r"clock says \d{4}-\d\d-\d\d \d\d:\d\d UTC")


def test_a_certificate_of_another_host_is_exit_3(airgap: Airgap, source: Registry, running: Running,
                                                 authority: Authority, bundle_dir: Path, tmp_path: Path) -> None:
    """R63."""
    server = behind(authority.server("registry.example"), source, running)
    certs = folder_of(tmp_path / "certs", authority.cert)
    pull(airgap, server.host, bundle_dir, "--cert-dir", certs).fails(
        3, f"certificate of {server.origin} is for another host", "use a name that the certificate holds")


def test_old_tls_is_exit_3(airgap: Airgap, source: Registry, running: Running, authority: Authority,
                           bundle_dir: Path, tmp_path: Path) -> None:
    """R63."""
    context = server_context(authority.server())
    context.set_ciphers("ALL:@SECLEVEL=0")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # that is the point of it
        context.minimum_version, context.maximum_version = ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1
    server = running(FaultProxy(source, tls=context))
    certs = folder_of(tmp_path / "certs", authority.cert)
    pull(airgap, server.host, bundle_dir, "--cert-dir", certs).fails(3, server.host, "no TLS version from 1.2 on")


# --- client certificates ---

@pytest.fixture
def strict(make_registry: MakeRegistry, authority: Authority, tls: Tls) -> Registry:
    """Images for those alone who show a certificate."""
    context = authority.client_context()
    ours = authority.client("the tests")
    context.load_cert_chain(ours.cert, ours.key)
    return make_registry(filled=True, tls=Tls(tls.cert, tls.key, client_ca=authority.cert), tls_context=context)


def client_files(authority: Authority, path: Path) -> Path:
    """ca.crt, client.cert and client.key, as certs.d has them."""
    issued = authority.client()
    folder_of(path, authority.cert)
    shutil.copy(issued.cert, path / "client.cert")
    shutil.copy(issued.key, path / "client.key")
    return path


@pytest.mark.parametrize("place", ["--cert-dir", "certs.d"])
def test_a_client_certificate_is_shown(place: str, airgap: Airgap, strict: Registry, authority: Authority,
                                       bundle_dir: Path, tmp_path: Path) -> None:
    if place == "certs.d":
        client_files(authority, airgap.home / f".config/containers/certs.d/{strict.host}")
        pull(airgap, strict.host, bundle_dir).ok()
    else:
        pull(airgap, strict.host, bundle_dir, "--cert-dir", client_files(authority, tmp_path / "certs")).ok()


def test_a_client_certificate_that_is_missing_is_exit_3_and_says_where_it_goes(airgap: Airgap, strict: Registry,
                                                                               authority: Authority, bundle_dir: Path,
                                                                               tmp_path: Path) -> None:
    """R63."""
    certs = folder_of(tmp_path / "certs", authority.cert)
    pull(airgap, strict.host, bundle_dir, "--cert-dir", certs).fails(
        3, f"{strict.origin} refused the TLS handshake", "client certificate", "NAME.cert and NAME.key")


def test_half_a_client_certificate_is_exit_2_before_any_request(airgap: Airgap, strict: Registry,
                                                                authority: Authority, bundle_dir: Path,
                                                                tmp_path: Path) -> None:
    certs = client_files(authority, tmp_path / "certs")
    (certs / "client.key").unlink()
    pull(airgap, strict.host, bundle_dir, "--cert-dir", certs).fails(2, "client.cert has no client.key beside it")


def test_certificate_files_that_cannot_be_used_are_named(airgap: Airgap, secure: Registry, bundle_dir: Path,
                                                         tmp_path: Path) -> None:
    certs = folder_of(tmp_path / "certs")
    (certs / "ca.crt").write_text("not PEM")
    pull(airgap, secure.host, bundle_dir, "--cert-dir", certs).fails(2, "ca.crt", "PEM")
    pull(airgap, secure.host, bundle_dir, "--cert-dir", tmp_path / "gone").fails(2, "--cert-dir.*gone")


# --- on purpose without ---

def test_insecure_takes_any_certificate_of_that_host_alone(airgap: Airgap, source: Registry, running: Running,
                                                           authority: Authority, bundle_dir: Path) -> None:
    server = behind(authority.server("registry.example", expired=True), source, running)
    pull(airgap, server.host, bundle_dir, "--insecure", f"localhost:{server.port}").fails(3)
    pull(airgap, server.host, bundle_dir, "--insecure", server.host).ok()


def test_insecure_speaks_plain_http_where_there_is_no_tls_and_says_so(airgap: Airgap, source: Registry,
                                                                      bundle_dir: Path) -> None:
    pull(airgap, source.host, bundle_dir, "--insecure", source.host).fails(
        0, f"{source.host} speaks no TLS; plain http is used")


def test_plain_http_is_refused_unless_asked_for(airgap: Airgap, source: Registry, bundle_dir: Path) -> None:
    source.mark()
    pull(airgap, source.host, bundle_dir).fails(3, f"{source.origin.replace('http', 'https')} does not speak TLS",
                                                f"--plain-http {source.host}")
    assert source.requests() == []


def test_plain_http_to_a_tls_server_says_what_is_wrong(airgap: Airgap, secure: Registry, bundle_dir: Path) -> None:
    pull(airgap, secure.host, bundle_dir, "--plain-http", secure.host).fails(
        3, f"{secure.host} speaks TLS, and was asked by plain http", f"leave out --plain-http {secure.host}")


@pytest.mark.parametrize("option", ["--insecure", "--plain-http"])
@pytest.mark.parametrize("host", ["http://registry:5000", "registry:5000/team", ""])
def test_a_host_option_takes_a_host(option: str, host: str, airgap: Airgap, bundle_dir: Path) -> None:
    pull(airgap, "registry:5000", bundle_dir, option, host).fails(2, option, "host")
