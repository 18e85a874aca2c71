"""A registry serves documents that are broken, ambiguous or too much: each is refused with its reason."""

import json
from pathlib import Path
from typing import Any, Callable

import pytest
from conftest import Running

from support import oci
from support.airgap import Airgap, Result, plain
from support.memory_registry import MemoryRegistry
from support.oci import DOCKER_LIST, OCI_CONFIG, OCI_INDEX, OCI_MANIFEST
from support.pulling import assert_unfinished, assert_whole, pull
from support.raw_server import RawRequest, RawServer, reply

LAYER = oci.tar_layer({"etc/motd": b"hello"})
IMAGE = oci.image([LAYER])
NAME = "team/app:1"


@pytest.fixture
def registry(running: Running) -> MemoryRegistry:
    served = running(MemoryRegistry())
    served.add("team/app", None, IMAGE)
    return served


@pytest.fixture
def serve(airgap: Airgap, registry: MemoryRegistry, bundle_dir: Path) -> Callable[..., Result]:
    """serve(bytes, media type): what a pull of NAME says to them. The digests are always right."""
    def run(data: bytes, media_type: str = OCI_MANIFEST) -> Result:
        registry.put("team/app", oci.digest_of(data), data, media_type)
        registry.put("team/app", "1", data, media_type)
        result = pull(airgap, registry, bundle_dir, "--no-referrers", image=NAME)
        if result.status != 0:
            assert_unfinished(bundle_dir)
            assert f"{registry.host}/{NAME}" in result.err
        return result

    return run


def altered(**members: Any) -> bytes:
    """The good manifest with these members; None takes one out."""
    value = json.loads(IMAGE.data) | members
    return oci.to_json({name: member for name, member in value.items() if member is not None})


def with_layer(**members: Any) -> bytes:
    layer = json.loads(IMAGE.data)["layers"][0] | members
    return altered(layers=[{name: member for name, member in layer.items() if member is not None}])


def good() -> bytes:
    return IMAGE.data


# --- text that is no manifest (R37 - R41) ---

@pytest.mark.parametrize("data, pattern", [
    (good() + b" " * 4 * 1024 * 1024, r"over the limit of 4194304 bytes"),
    (good().replace(b'{"schemaVersion":2', b'{"schemaVersion":2,"schemaVersion":2', 1),
     'duplicate member "schemaVersion"'),
    (good().replace(b'"layers":', b'"layers":[],"layers":', 1), 'duplicate member "layers"'),
    (good()[:-1] + b',"Layers":[]}', '"Layers" and "layers" differ only in letter case'),
    (altered(layers=None)[:-1] + b',"LAYERS":[]}', '"LAYERS" is ambiguous'),
    (good() + b"\0", "NUL"),
    (good()[:-1] + b"\0}", "NUL"),
    (good() + b"{}", "not valid JSON"),
    (good()[:-5], "not valid JSON"),
    (b"\xef\xbb\xbf" + good(), "byte order mark"),
    (altered(annotations={"a": "b"}).replace(b'"b"', b'"\xff"'), "not valid JSON"),
    (good()[:-1] + b',"deep":' + b"[" * 100 + b"]" * 100 + b"}", "nested deeper than 64 levels"),
    (b"[" * 1_000_000, "nested deeper than 64 levels"),
    (b"[]", "a manifest is an object"),
    (b"{}", "schemaVersion|mediaType|config"),
], ids=["over 4 MiB", "duplicate member", "duplicate layers", "letter case", "other case", "NUL at the end",
        "NUL inside", "trailing", "cut", "byte order mark", "UTF-8", "deep", "bomb", "array", "empty"])
def test_a_document_that_parsers_disagree_on_is_exit_6(data: bytes, pattern: str,
                                                       serve: Callable[..., Result]) -> None:
    """R37 to R41."""
    serve(data).fails(6, pattern)


# --- what kind of document it is (R42 - R45, CVE-2021-41190) ---

@pytest.mark.parametrize("data, media_type, pattern", [
    (altered(manifests=[]), OCI_MANIFEST, 'both "manifests" and "layers".*CVE-2021-41190'),
    (altered(manifests=[], layers=None), OCI_MANIFEST, 'both "manifests" and "config"'),
    (good(), OCI_INDEX, f"media types differ: the document says '{OCI_MANIFEST}', the server says '{OCI_INDEX}'"
     .replace("+", r"\+")),
    (good(), "application/x-wrong", "media types differ"),
    (altered(mediaType="application/x-wrong"), "application/x-wrong", "is no type of a manifest"),
    (altered(mediaType=None), "text/plain", "may be anything"),
    (altered(schemaVersion=1), OCI_MANIFEST, r"legacy format \(schema 1\).*"),
    (oci.to_json({"schemaVersion": 1, "name": "team/app", "tag": "1", "fsLayers": [], "history": []}),
     "application/vnd.docker.distribution.manifest.v1+prettyjws", r"legacy format \(schema 1\)"),
    (altered(schemaVersion=3), OCI_MANIFEST, "expected 2, found 3"),
    (altered(config=None), OCI_MANIFEST, "config"),
    (altered(layers={}), OCI_MANIFEST, "layers"),
], ids=["manifests and layers", "manifests and config", "type of the server", "unknown type", "unknown type twice",
        "no type", "version 1", "schema 1", "version 3", "no config", "layers as object"])
def test_a_document_of_no_clear_kind_is_exit_6(data: bytes, media_type: str, pattern: str,
                                               serve: Callable[..., Result]) -> None:
    """R42 to R45."""
    serve(data, media_type).fails(6, pattern)


@pytest.mark.parametrize("data, media_type", [
    (altered(mediaType=None), OCI_MANIFEST),
    (good(), f"{OCI_MANIFEST}; charset=utf-8"),
    (good(), "text/plain"),
    (good(), "application/octet-stream"),
    (good(), ""),
    (b"\n " + good() + b"\n", OCI_MANIFEST),
], ids=["no mediaType inside", "parameters", "text/plain", "octets", "none", "spaces"])
def test_a_document_that_is_clear_in_spite_of_its_server_is_taken(data: bytes, media_type: str, airgap: Airgap,
                                                                  serve: Callable[..., Result],
                                                                  bundle_dir: Path) -> None:
    """R42 to R44."""
    serve(data, media_type).ok()
    assert_whole(airgap, bundle_dir)


# --- descriptors (R41, R51, R52, R55, R56) ---

@pytest.mark.parametrize("member, value, pattern", [
    ("size", 1.5, "/layers/0/size"),
    ("size", 1e3, "/layers/0/size"),
    ("size", -1, "/layers/0/size"),
    ("size", "12", "/layers/0/size"),
    ("size", 2**63, r"/layers/0/size|total|bytes"),
    ("size", 2**64, "/layers/0/size"),
    ("size", None, '"?size'),
    ("digest", None, "digest"),
    ("digest", "md5:" + "0" * 32, "/layers/0/digest.*md5"),
    ("digest", "sha256:" + "A" * 64, "/layers/0/digest"),
    ("digest", "sha256:" + "0" * 63, "/layers/0/digest"),
    ("digest", "sha256:../../../etc/passwd", "/layers/0/digest"),
    ("digest", "sha256:%2f" + "0" * 61, "/layers/0/digest"),
    ("digest", "0" * 64, "/layers/0/digest"),
    ("mediaType", "text\r\nX: y", "/layers/0/mediaType"),
    ("Digest", "sha256:" + "0" * 64, "differ only in letter case"),
])
def test_a_descriptor_that_is_malformed_is_exit_6_and_says_where(member: str, value: object, pattern: str,
                                                                 registry: MemoryRegistry,
                                                                 serve: Callable[..., Result]) -> None:
    """R41, R55, R56: before any address or path is built of it."""
    serve(with_layer(**{member: value})).fails(6, pattern)
    assert registry.requests(path="/manifests/") and registry.requests(path="/blobs/") == []


def test_one_digest_with_two_sizes_is_exit_6(serve: Callable[..., Result]) -> None:
    """R52."""
    layer = LAYER.descriptor()
    serve(altered(layers=[layer, layer | {"size": layer["size"] + 1}])).fails(
        6, f"{LAYER.digest} is listed with {layer['size']} bytes and with {layer['size'] + 1} bytes")


def test_one_digest_with_two_types_is_exit_6(serve: Callable[..., Result]) -> None:
    """R52."""
    layer = LAYER.descriptor()
    serve(altered(layers=[layer, layer | {"mediaType": "application/x-other"}])).fails(6, "is listed as '.*' and as '")


@pytest.mark.parametrize("data, status, pattern", [
    ("aGVsbG8=", 5, "inline data of sha256:.* has 5 bytes, and .* are declared"),
    ("not base64!", 6, "not base64"),
])
def test_inline_data_has_to_match(data: str, status: int, pattern: str, serve: Callable[..., Result]) -> None:
    """R51."""
    serve(with_layer(data=data)).fails(status, pattern)


# --- graphs (R46, R47, R49) ---

def test_an_index_nested_too_deeply_is_exit_6(registry: MemoryRegistry, serve: Callable[..., Result]) -> None:
    """R46."""
    inner = IMAGE
    for _ in range(12):
        inner = oci.index([inner])
        registry.add("team/app", None, inner)
    serve(inner.data, OCI_INDEX).fails(6, "nest|deep|level")


def test_a_child_that_is_missing_is_exit_3_and_named(registry: MemoryRegistry, serve: Callable[..., Result]) -> None:
    """R49."""
    gone = oci.image([oci.tar_layer({"a": b"gone"})])
    serve(oci.index([gone]).data, OCI_INDEX).fails(3, gone.digest)


def test_a_child_whose_type_its_index_gives_wrongly_is_exit_6(serve: Callable[..., Result]) -> None:
    wrong = IMAGE.descriptor() | {"mediaType": OCI_INDEX}
    serve(oci.index([IMAGE], descriptors=[wrong]).data, OCI_INDEX).fails(6, "media types differ")


def test_a_child_whose_size_its_index_gives_wrongly_is_exit_5(serve: Callable[..., Result]) -> None:
    wrong = IMAGE.descriptor() | {"size": len(IMAGE.data) + 1}
    serve(oci.index([IMAGE], descriptors=[wrong]).data, OCI_INDEX).fails(5, str(len(IMAGE.data) + 1), IMAGE.digest)


@pytest.mark.parametrize("docker", [False, True])
def test_an_index_without_children_travels_as_it_is(docker: bool, serve: Callable[..., Result], airgap: Airgap,
                                                    bundle_dir: Path) -> None:
    """R53."""
    serve(oci.index([], docker=docker).data, DOCKER_LIST if docker else OCI_INDEX).ok()
    assert_whole(airgap, bundle_dir)


# --- digests that headers claim (R33 - R35) ---

def test_wrong_bytes_for_a_pinned_digest_are_exit_5(airgap: Airgap, registry: MemoryRegistry,
                                                    bundle_dir: Path) -> None:
    """R34: whatever Docker-Content-Digest says."""
    registry.put("team/app", IMAGE.digest, IMAGE.data + b" ", OCI_MANIFEST)
    pull(airgap, registry, bundle_dir, image=f"team/app@{IMAGE.digest}").fails(
        5, f"{registry.origin} served wrong bytes", f"expected {IMAGE.digest}, found sha256:")
    assert_unfinished(bundle_dir)


@pytest.mark.parametrize("claimed", ["sha256:" + "0" * 64, oci.digest_of(IMAGE.data, "sha512"), "nonsense", None])
def test_a_digest_that_a_header_claims_of_a_tag_is_a_hint(claimed: str | None, airgap: Airgap, running: Running,
                                                          registry: MemoryRegistry, bundle_dir: Path) -> None:
    """R33 to R35: the body decides."""
    def script(request: RawRequest) -> bytes:
        headers = {"Content-Type": OCI_MANIFEST} | ({"Docker-Content-Digest": claimed} if claimed else {})
        if request.path in ("/v2/team/app/manifests/1", f"/v2/team/app/manifests/{IMAGE.digest}"):
            headers["Content-Length"] = str(len(IMAGE.data))
            return reply(200, b"" if request.method == "HEAD" else IMAGE.data, headers)
        digest = request.path.rsplit("/", 1)[1]
        if digest in registry.blobs:
            return reply(200, registry.blobs[digest])
        return reply(200 if request.path == "/v2/" else 404)

    server = running(RawServer(script))
    pull(airgap, server, bundle_dir, "--no-referrers", image=NAME).ok()
    assert (bundle_dir / "blobs/sha256" / IMAGE.digest.split(":")[1]).read_bytes() == IMAGE.data


# --- configs ---

@pytest.mark.parametrize("data, status, pattern", [
    (b"", 6, "not valid JSON"),
    (b"[]", 6, "config|object"),
    (b'{"os":"linux","OS":"windows","architecture":"amd64"}', 6, "differ only in letter case"),
    (b'{"os":"linux","architecture":"riscv64"}', 3, "no linux/amd64 in the image; it has linux/riscv64"),
], ids=["empty", "array", "letter case", "other platform"])
def test_a_config_that_is_not_usable_is_refused(data: bytes, status: int, pattern: str, registry: MemoryRegistry,
                                                serve: Callable[..., Result]) -> None:
    config = oci.Blob(data, OCI_CONFIG)
    made = oci.artifact(config, [LAYER])
    registry.add("team/app", None, made)
    serve(made.data).fails(status, pattern)


def test_an_index_that_lies_about_a_childs_size_is_refused_wherever_the_child_was_read(
        airgap: Airgap, registry: MemoryRegistry, tmp_path: Path) -> None:
    good = oci.index([IMAGE])
    value = json.loads(good.data)
    value["manifests"][0]["size"] += 7
    registry.add("team/app", "good", good)
    registry.put("team/app", "wrong", oci.to_json(value), good.media_type)
    names = [f"{registry.host}/team/app:{tag}" for tag in ("good", "wrong")]

    def pull_all(output: Path, *images: str) -> Result:
        return airgap.export("pull", *images, *plain(registry), "--platform", "all", "--jobs", 1, "--output", output)

    pull_all(tmp_path / "alone", names[1]).fails(5, "were declared")
    pull_all(tmp_path / "together", *names).fails(5, "were declared")
    pull_all(tmp_path / "later", names[0]).ok()
    pull_all(tmp_path / "later", names[1]).fails(5, "were declared")
    airgap.export("verify", tmp_path / "later").ok()
