"""The servers of tests/support do what the other tests rely on, seen by clients that are not airgap."""

import base64
import json
import ssl
import urllib.error
import urllib.request
from http.client import IncompleteRead
from pathlib import Path

import pytest
from conftest import PASSWORD, USER, MakeRegistry, Running

from support import oci, skopeo
from support.certs import Authority, server_context
from support.client import RegistryClient
from support.containerd import Containerd
from support.memory_registry import MemoryRegistry
from support.nginx import Nginx, body_limit, no_ranges, rate_limit, redirect_blobs, slow
from support.podman import Podman
from support.proxy import FaultProxy
from support.raw_server import KEEP, Piece, RawRequest, RawServer, reply
from support.registry import Registry, Tls
from support.source import SourceImages
from support.tinyproxy import TinyProxy
from support.token_server import TokenServer

BASIC = "Basic " + base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
BUSYBOX = "tools/busybox:1.35"


def first_layer(registry: Registry, repository: str = "tools/busybox", tag: str = "1.35") -> str:
    return str(registry.client().manifest(repository, tag).json()["layers"][0]["digest"])


def test_the_source_holds_what_the_catalogue_says(source: Registry, source_images: SourceImages) -> None:
    for image in source_images.values():
        assert skopeo.digest(f"docker://{source.host}/{image.name}") == image.digest


def test_the_source_has_every_form_of_image(source_images: SourceImages, source: Registry) -> None:
    client = source.client()
    assert source_images["team/web:2.0"].media_type == oci.OCI_INDEX
    assert source_images["legacy/busybox:1.35"].media_type == oci.DOCKER_MANIFEST
    assert source_images["variants/docker-list:1"].media_type == oci.DOCKER_LIST
    for name, layer_type in {"variants/zstd": oci.OCI_LAYER + "+zstd", "variants/uncompressed": oci.OCI_LAYER,
                             "charts/demo": oci.HELM_CHART}.items():
        (tag,) = client.tags(name)
        assert client.manifest(name, tag).json()["layers"][0]["mediaType"] == layer_type
    older, newer = ({layer["digest"] for layer in client.manifest("team/app", tag).json()["layers"]}
                    for tag in ("1.0", "1.1"))
    assert older < newer


def test_the_source_refuses_writes(source: Registry) -> None:
    assert source.client().request("POST", "/v2/a/b/blobs/uploads/", b"").status == 405


def test_requests_are_counted_from_the_mark(source: Registry) -> None:
    source.client().tags("team/app")
    source.mark()
    source.client().has_manifest("team/app", "1.0")
    assert [(r.method, r.path, r.status) for r in source.requests()] == [("HEAD", "/v2/team/app/manifests/1.0", 200)]


def test_a_registry_with_tls_is_trusted_by_its_authority_alone(tls_registry: Registry) -> None:
    oci.push(tls_registry.client(), "team/app", "1", oci.image())
    assert tls_registry.client().tags("team/app") == ["1"]
    with pytest.raises(ssl.SSLCertVerificationError):
        RegistryClient(tls_registry.origin, ssl.create_default_context()).tags("team/app")


def test_a_registry_may_want_client_certificates(make_registry: MakeRegistry, authority: Authority, tls: Tls) -> None:
    context = authority.client_context()
    client = authority.client()
    context.load_cert_chain(client.cert, client.key)
    registry = make_registry(tls=Tls(tls.cert, tls.key, client_ca=authority.cert), tls_context=context)
    assert registry.client().repositories() == []
    with pytest.raises((ssl.SSLError, ConnectionError)):
        RegistryClient(registry.origin, authority.client_context()).repositories()


def test_a_registry_with_passwords_wants_them(htpasswd_registry: Registry) -> None:
    assert htpasswd_registry.client().request("GET", "/v2/").status == 401
    oci.push(htpasswd_registry.client(Authorization=BASIC), "team/app", "1", oci.image())
    skopeo.run("inspect", "--tls-verify=false", "--raw", f"--creds={USER}:{PASSWORD}",
               f"docker://{htpasswd_registry.host}/team/app:1")


def test_a_registry_with_tokens_trusts_the_token_server(token_registry: Registry, tokens: TokenServer) -> None:
    image = f"docker://{token_registry.host}/team/app:1"
    challenge = token_registry.client().request("GET", "/v2/").headers["WWW-Authenticate"]
    assert tokens.realm in challenge
    bearer = f"Bearer {tokens.issue(USER, ['repository:team/app:pull,push'])}"
    oci.push(token_registry.client(Authorization=bearer), "team/app", "1", oci.image())
    skopeo.run("inspect", "--tls-verify=false", "--raw", image)
    skopeo.run("inspect", "--tls-verify=false", "--raw", f"--creds={USER}:{PASSWORD}", image)
    assert tokens.requests("GET")[-1].headers["Authorization"] == BASIC
    with pytest.raises(RuntimeError, match="401|unauthorized"):
        skopeo.run("inspect", "--tls-verify=false", "--raw", f"--creds={USER}:wrong", image)


def test_a_token_is_refused_after_its_lifetime(token_registry: Registry, tokens: TokenServer) -> None:
    def status() -> int:
        bearer = f"Bearer {tokens.issue(USER, ['repository:team/app:pull,push'])}"
        return token_registry.client(Authorization=bearer).request("POST", "/v2/team/app/blobs/uploads/", b"").status

    assert status() == 202
    tokens.lifetime = -1
    assert status() == 401


def test_the_token_server_answers_oauth2(tokens: TokenServer) -> None:
    def post(form: str) -> dict[str, str]:
        with urllib.request.urlopen(tokens.realm, form.encode()) as answer:
            return dict(json.load(answer))

    first = post(f"grant_type=password&username={USER}&password=correct:horse+battery&access_type=offline&service=x")
    assert first["access_token"]
    again = post(f"grant_type=refresh_token&refresh_token={first['refresh_token']}&service=x")
    assert again["access_token"]
    with pytest.raises(urllib.error.HTTPError, match="401"):
        post("grant_type=refresh_token&refresh_token=never-issued&service=x")
    tokens.refuse(503)
    with pytest.raises(urllib.error.HTTPError, match="503"):
        post(f"grant_type=refresh_token&refresh_token={first['refresh_token']}&service=x")


def test_the_proxy_passes_pulls_and_pushes(registry: Registry, source: Registry, running: Running,
                                             source_images: SourceImages) -> None:
    front, back = running(FaultProxy(source)), running(FaultProxy(registry))
    skopeo.copy(f"docker://{front.host}/{BUSYBOX}", f"docker://{back.host}/copy:1", "--preserve-digests")
    assert registry.client().digest("copy", "1") == source_images[BUSYBOX].digest
    assert back.requests("PATCH|PUT", "/blobs/uploads/")
    assert not front.saw_credentials()


def test_the_proxy_misbehaves_by_rule(source: Registry, running: Running) -> None:
    proxy, elsewhere = running(FaultProxy(source)), running(FaultProxy(source))
    digest = first_layer(source)
    blob = source.client().blob("tools/busybox", digest)
    client = RegistryClient(proxy.origin)
    path = f"/v2/tools/busybox/blobs/{digest}"

    proxy.rule("GET", "/v2/$", times=2, status=429, headers={"Retry-After": "1"})
    assert [client.request("GET", "/v2/").status for _ in range(3)] == [429, 429, 200]
    proxy.rule("GET", path, skip=1, times=1, flip_byte=7)
    assert client.request("GET", path).body == blob
    assert client.request("GET", path).body[7] == blob[7] ^ 1
    proxy.clear_rules()
    proxy.rule("GET", path, times=1, cut_after=1000)
    with pytest.raises(IncompleteRead, match="1000 bytes read"):
        client.request("GET", path)
    assert client.request("GET", path, headers={"Range": "bytes=1000-"}).body == blob[1000:]
    proxy.rule("GET", path, times=1, strip_range=True)
    assert client.request("GET", path, headers={"Range": "bytes=1000-"}).status == 200
    proxy.rule("GET", path, times=1, drop=True)
    with pytest.raises(ConnectionError):
        client.request("GET", path)
    proxy.rule("GET", path, redirect_to=elsewhere.origin)
    sent_to = client.request("GET", path).headers["Location"]
    assert client.request("GET", sent_to).body == blob
    assert [request.path for request in elsewhere.requests()] == [path]


def test_the_proxy_speaks_tls(source: Registry, running: Running, authority: Authority) -> None:
    proxy = running(FaultProxy(source, tls=server_context(authority.server())))
    assert RegistryClient(proxy.origin, authority.client_context()).tags("team/app") == ["1.0", "1.1"]


def test_nginx_redirects_limits_and_slows(source: Registry, registry: Registry, running: Running,
                                          tmp_path: Path) -> None:
    path = f"/v2/tools/busybox/blobs/{first_layer(source)}"
    elsewhere = running(FaultProxy(source))

    front = running(Nginx(tmp_path / "redirect", source, redirect_blobs(elsewhere.origin), no_ranges()))
    assert RegistryClient(front.origin).request("GET", path).headers["Location"] == elsewhere.origin + path
    front = running(Nginx(tmp_path / "ranges", source, no_ranges()))
    assert RegistryClient(front.origin).request("GET", path, headers={"Range": "bytes=5-"}).status == 200
    front = running(Nginx(tmp_path / "rate", source, rate_limit("1r/s", status=429)))
    answers = [RegistryClient(front.origin).request("GET", "/v2/") for _ in range(3)]
    assert answers[-1].status == 429 and answers[-1].headers["Retry-After"] == "1"
    front = running(Nginx(tmp_path / "body", registry, body_limit("1k")))
    big = oci.image([oci.tar_layer({"x": b"x" * 5000}, compressed=False)])
    with pytest.raises(AssertionError, match="413"):
        oci.push(RegistryClient(front.origin), "big", "1", big)
    front = running(Nginx(tmp_path / "slow", source, slow("100m")))
    assert RegistryClient(front.origin).request("GET", path).status == 200


def test_nginx_terminates_tls(registry: Registry, running: Running, tmp_path: Path, authority: Authority,
                              tls: Tls) -> None:
    front = running(Nginx(tmp_path / "tls", registry, tls=tls))
    oci.push(RegistryClient(front.origin, authority.client_context()), "team/app", "1", oci.image())
    assert registry.client().tags("team/app") == ["1"]


def test_tinyproxy_forwards_and_logs(source: Registry, running: Running, tmp_path: Path) -> None:
    proxy = running(TinyProxy(tmp_path / "tinyproxy", "bob", "pw"))
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({"http": proxy.url}))
    assert opener.open(f"{source.origin}/v2/").status == 200
    assert any(source.host in line for line in proxy.requests())


def test_the_raw_server_sends_what_it_is_told(running: Running) -> None:
    def script(request: RawRequest) -> list[Piece]:
        if request.number == 0:
            return [reply(200, b"first"), KEEP]
        return [reply(200, b"cut", {"Content-Length": "10"})]

    server = running(RawServer(script))
    assert RegistryClient(server.origin).request("GET", "/a").body == b"first"
    with pytest.raises(IncompleteRead, match="3 bytes read, 7 more expected"):
        RegistryClient(server.origin).request("GET", "/b")
    assert [request.path for request in server.seen] == ["/a", "/b"]


def test_the_memory_registry_serves_sha512_referrers_and_pages(running: Running) -> None:
    registry = running(MemoryRegistry(page_size=2))
    image = oci.image([oci.tar_layer({"a": b"b"}, algorithm="sha512")], algorithm="sha512")
    digest = registry.add("team/app", "1", image)
    for tag in ("2", "3"):
        registry.add("team/app", tag, image)
    registry.add_referrer("team/app", image, oci.sbom_for(image))
    client = RegistryClient(registry.origin)
    assert digest.startswith("sha512:") and client.manifest("team/app", digest).body == image.data
    listed = client.request("GET", f"/v2/team/app/referrers/{digest}").json()["manifests"]
    assert [entry["artifactType"] for entry in listed] == ["application/spdx+json"]
    first = client.request("GET", "/v2/team/app/tags/list")
    assert first.json()["tags"] == ["1", "2"]
    assert "last=2" in first.headers["Link"]


def test_podman_and_containerd_read_what_skopeo_wrote(source: Registry, source_images: SourceImages, podman: Podman,
                                                      containerd: Containerd, tmp_path: Path) -> None:
    name = f"{source.host}/{BUSYBOX}"
    skopeo.copy(f"docker://{name}", f"docker-archive:{tmp_path / 'docker.tar'}:{name}")
    podman.load(tmp_path / "docker.tar")
    assert name in podman.images()
    skopeo.copy(f"docker://{name}", f"oci-archive:{tmp_path / 'oci.tar'}:{name}")
    assert skopeo.digest(f"oci-archive:{tmp_path / 'oci.tar'}:{name}") == source_images[BUSYBOX].digest
    containerd.import_archive(tmp_path / "oci.tar")
    assert source_images[BUSYBOX].digest in containerd.images().values()
