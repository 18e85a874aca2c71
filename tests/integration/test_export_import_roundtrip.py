"""A user carries images across: registries -> bundle -> internal registry, in every form of the bundle."""

from pathlib import Path

import pytest
from conftest import MakeRegistry

from support import skopeo
from support.airgap import Airgap, plain
from support.oci import DOCKER_LIST, OCI_INDEX
from support.registry import Registry
from support.source import SourceImages

# What travels in these tests: shared layers, both manifest families, every layer compression, a Helm chart.
CARRIED = ("debian/base:12", "debian/tools:12", "team/app:1.0", "team/app:1.1", "tools/busybox:1.35",
           "legacy/busybox:1.35", "variants/zstd:1", "variants/uncompressed:1", "charts/demo:0.1.0")
INDEXES = ("team/web:2.0", "variants/docker-list:1")


def names(registry: Registry, *images: str) -> list[str]:
    return [f"{registry.host}/{image}" for image in images]


def assert_arrived(registry: Registry, source_images: SourceImages, *images: str, prefix: str = "") -> None:
    """Digests as at the source, read twice: with a plain GET and with skopeo."""
    for name in images:
        image = source_images[name]
        assert registry.client().digest(prefix + image.repository, image.tag) == image.digest, name
        assert skopeo.digest(f"docker://{registry.host}/{prefix}{name}") == image.digest, name


@pytest.mark.parametrize("form", ["bundle/", "bundle.tar"])
def test_images_arrive_with_the_digests_of_the_source(form: str, airgap: Airgap, source: Registry, registry: Registry,
                                                      source_images: SourceImages, tmp_path: Path) -> None:
    bundle = f"{tmp_path}/{form}"
    images = CARRIED + INDEXES
    airgap.export("pull", *names(source, *images), "--platform", "all", *plain(source), "--output", bundle).ok()
    airgap.import_("verify", bundle).ok()
    airgap.import_("push", bundle, registry.host, *plain(registry)).ok()
    assert_arrived(registry, source_images, *images)


def test_images_arrive_through_a_pipe(airgap: Airgap, source: Registry, registry: Registry,
                                      source_images: SourceImages) -> None:
    sent, received = airgap.pipe(
        ("airgap-export", "pull", *names(source, *CARRIED), *plain(source), "--output", "-"),
        ("airgap-import", "push", "-", registry.host, *plain(registry)))
    sent.ok()
    received.ok()
    assert_arrived(registry, source_images, *CARRIED)


def test_blobs_arrive_whole(airgap: Airgap, source: Registry, registry: Registry, tmp_path: Path) -> None:
    bundle = tmp_path / "bundle.tar"
    airgap.export("pull", *names(source, "team/app:1.1"), *plain(source), "--output", bundle).ok()
    airgap.import_("push", bundle, registry.host, *plain(registry)).ok()
    fetched = skopeo.copy_to_dir(f"docker://{registry.host}/team/app:1.1", tmp_path / "fetched")
    assert len(fetched["layers"]) == 3  # skopeo checks every digest while it copies


def test_images_arrive_below_a_prefix(airgap: Airgap, source: Registry, registry: Registry,
                                      source_images: SourceImages, bundle_dir: Path) -> None:
    airgap.export("pull", *names(source, "team/app:1.0"), *plain(source), "--output", f"{bundle_dir}/").ok()
    airgap.import_("push", bundle_dir, f"{registry.host}/mirror/in", *plain(registry)).ok()
    assert registry.client().repositories() == ["mirror/in/team/app"]
    assert_arrived(registry, source_images, "team/app:1.0", prefix="mirror/in/")


def test_one_platform_of_an_index_takes_the_tag(airgap: Airgap, source: Registry, registry: Registry,
                                                tmp_path: Path) -> None:
    index = source.client().manifest("team/web", "2.0").json()
    arm64 = next(m["digest"] for m in index["manifests"] if m["platform"]["architecture"] == "arm64")
    bundle = tmp_path / "bundle.tar"
    airgap.export("pull", *names(source, "team/web:2.0"), "--platform", "linux/arm64", *plain(source),
                  "--output", bundle).ok()
    airgap.import_("push", bundle, registry.host, *plain(registry)).ok()
    assert registry.client().digest("team/web", "2.0") == arm64


def test_all_platforms_keep_the_index(airgap: Airgap, source: Registry, registry: Registry, tmp_path: Path) -> None:
    bundle = tmp_path / "bundle.tar"
    airgap.export("pull", *names(source, *INDEXES), "--platform", "all", *plain(source), "--output", bundle).ok()
    airgap.import_("push", bundle, registry.host, *plain(registry)).ok()
    for repository, tag, media_type in (("team/web", "2.0", OCI_INDEX), ("variants/docker-list", "1", DOCKER_LIST)):
        pushed = registry.client().manifest(repository, tag)
        assert pushed.headers["Content-Type"] == media_type
        for child in pushed.json()["manifests"]:
            assert registry.client().has_manifest(repository, child["digest"])


def test_every_blob_is_downloaded_once(airgap: Airgap, make_registry: MakeRegistry, tmp_path: Path) -> None:
    source = make_registry(filled=True)
    airgap.export("pull", *names(source, *CARRIED), *plain(source), "--output", tmp_path / "bundle.tar").ok()
    digests = [request.path.rsplit("/", 1)[1] for request in source.requests("GET", "/blobs/")]
    assert len(digests) == len(set(digests)) > 10


def test_a_second_import_uploads_nothing(airgap: Airgap, source: Registry, registry: Registry,
                                         tmp_path: Path) -> None:
    bundle = tmp_path / "bundle.tar"
    airgap.export("pull", *names(source, "team/app:1.0"), *plain(source), "--output", bundle).ok()
    airgap.import_("push", bundle, registry.host, *plain(registry)).ok()
    registry.mark()
    airgap.import_("push", bundle, registry.host, *plain(registry)).ok()
    assert registry.requests("POST|PUT|PATCH") == []


def test_a_second_export_costs_one_head_a_tag(airgap: Airgap, make_registry: MakeRegistry, bundle_dir: Path) -> None:
    source = make_registry(filled=True)
    pull = ("pull", *names(source, *CARRIED), "--no-referrers", *plain(source), "--output", f"{bundle_dir}/")
    airgap.export(*pull).ok()
    before = {path: path.read_bytes() for path in bundle_dir.rglob("*") if path.is_file()}
    source.mark()
    airgap.export(*pull).ok()
    asked = sorted((request.method, request.path) for request in source.requests(path="/v2/."))
    heads = sorted(("HEAD", "/v2/{}/manifests/{}".format(*image.split(":"))) for image in CARRIED)
    assert asked == heads
    assert {path: path.read_bytes() for path in bundle_dir.rglob("*") if path.is_file()} == before


def test_import_writes_nothing_beside_the_bundle(airgap: Airgap, source: Registry, registry: Registry,
                                                 source_images: SourceImages, tmp_path: Path) -> None:
    medium = tmp_path / "medium"
    medium.mkdir()
    bundle = medium / "bundle.tar"
    airgap.export("pull", *names(source, "tools/busybox:1.35"), *plain(source), "--output", bundle).ok()
    bundle.chmod(0o444)
    medium.chmod(0o555)
    airgap.import_("push", bundle, registry.host, *plain(registry)).ok()
    assert [path.name for path in medium.iterdir()] == ["bundle.tar"]
    assert_arrived(registry, source_images, "tools/busybox:1.35")
