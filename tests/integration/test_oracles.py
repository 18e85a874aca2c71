"""Programs that are not ours read our bundles: the formats are the standard ones."""

import json
import subprocess
from pathlib import Path
from typing import Callable

import pytest

from support import skopeo
from support.airgap import Airgap, plain
from support.containerd import Containerd
from support.podman import Podman
from support.registry import Registry
from support.source import SourceImages

RUNNABLE = ("team/app:1.0", "team/app:1.1", "tools/busybox:1.35", "legacy/busybox:1.35")
CHART = "charts/demo:0.1.0"

Pull = Callable[..., None]


@pytest.fixture
def pull(airgap: Airgap, source: Registry) -> Pull:
    """pull(output, *images): a finished bundle."""
    def run(output: object, *images: str, platform: str = "linux/amd64") -> None:
        named = [f"{source.host}/{image}" for image in images]
        airgap.export("pull", *named, "--platform", platform, *plain(source), "--output", output).ok()

    return run


def files_below(directory: Path) -> dict[str, bytes]:
    return {str(path.relative_to(directory)): path.read_bytes() for path in directory.rglob("*") if path.is_file()}


def test_podman_loads_the_archive(pull: Pull, source: Registry, source_images: SourceImages, podman: Podman,
                                  tmp_path: Path) -> None:
    pull(tmp_path / "bundle.tar", *RUNNABLE, CHART)  # a chart in the bundle must not spoil the load
    podman.load(tmp_path / "bundle.tar")
    loaded = podman.images()
    for name in RUNNABLE:
        image = source_images[name]
        config = source.client().manifest(image.repository, image.tag).json()["config"]["digest"]
        assert "sha256:" + loaded[f"{source.host}/{name}"]["Id"] == config, name


def test_podman_loads_one_platform_of_an_index(pull: Pull, source: Registry, podman: Podman, tmp_path: Path) -> None:
    pull(tmp_path / "bundle.tar", "team/web:2.0", "tools/busybox:1.35")
    podman.load(tmp_path / "bundle.tar")
    assert f"{source.host}/team/web:2.0" in podman.images()


# skopeo looks for OCI types alone in an OCI layout; images of Docker schema 2 it takes from a registry.
IN_OCI_LAYOUT = [name for name in (*RUNNABLE, CHART) if not name.startswith("legacy/")]


@pytest.mark.parametrize("name", IN_OCI_LAYOUT)
def test_skopeo_copies_an_image_out_of_the_archive(pull: Pull, source: Registry, source_images: SourceImages,
                                                   registry: Registry, tmp_path: Path, name: str) -> None:
    pull(tmp_path / "bundle.tar", name, "debian/base:12")
    archived = f"oci-archive:{tmp_path / 'bundle.tar'}:{source.host}/{name}"
    assert skopeo.digest(archived) == source_images[name].digest
    skopeo.copy(archived, f"docker://{registry.host}/{name}", "--preserve-digests")
    assert registry.client().digest(*name.split(":")) == source_images[name].digest


def test_skopeo_reads_the_directory_form(pull: Pull, source: Registry, source_images: SourceImages,
                                         bundle_dir: Path) -> None:
    pull(f"{bundle_dir}/", "team/web:2.0", *IN_OCI_LAYOUT, platform="all")
    for name in ("team/web:2.0", *IN_OCI_LAYOUT):
        assert skopeo.digest(f"oci:{bundle_dir}:{source.host}/{name}") == source_images[name].digest


def test_containerd_imports_the_archive(pull: Pull, source: Registry, source_images: SourceImages,
                                        containerd: Containerd, tmp_path: Path) -> None:
    pull(tmp_path / "bundle.tar", *RUNNABLE)
    containerd.import_archive(tmp_path / "bundle.tar")
    imported = containerd.images()
    for name in RUNNABLE:
        assert imported[f"{source.host}/{name}"] == source_images[name].digest


def test_sha256sum_checks_the_directory(pull: Pull, bundle_dir: Path) -> None:
    pull(f"{bundle_dir}/", *RUNNABLE)
    subprocess.run(["sha256sum", "--check", "--quiet", "--strict", "SHA256SUMS"], cwd=bundle_dir, check=True)
    listed = {line.split("  ", 1)[1] for line in (bundle_dir / "SHA256SUMS").read_text().splitlines()
              if not line.startswith("#")}
    assert listed == set(files_below(bundle_dir)) - {"SHA256SUMS"}


def test_a_flipped_bit_fails_sha256sum(pull: Pull, bundle_dir: Path) -> None:
    pull(f"{bundle_dir}/", "tools/busybox:1.35")
    blob = max((bundle_dir / "blobs" / "sha256").iterdir(), key=lambda path: path.stat().st_size)
    blob.chmod(0o644)
    data = bytearray(blob.read_bytes())
    data[1000] ^= 1
    blob.write_bytes(data)
    checked = subprocess.run(["sha256sum", "--check", "--quiet", "SHA256SUMS"], cwd=bundle_dir, capture_output=True,
                             text=True)
    assert checked.returncode == 1 and f"{blob.name}: FAILED" in checked.stdout


def test_tar_gives_the_directory_form_back(pull: Pull, bundle_dir: Path, tmp_path: Path) -> None:
    pull(f"{bundle_dir}/", *RUNNABLE, CHART)
    pull(tmp_path / "bundle.tar", *RUNNABLE, CHART)
    unpacked = tmp_path / "unpacked"
    unpacked.mkdir()
    subprocess.run(["tar", "xf", tmp_path / "bundle.tar", "-C", unpacked], check=True)
    from_tar, from_directory = files_below(unpacked), files_below(bundle_dir)
    # Two exports are two streams: what names the stream or the time differs, everything else is equal.
    varying = {"bundle.json", "SHA256SUMS"}
    assert set(from_tar) == set(from_directory)
    assert {name for name in from_tar if from_tar[name] != from_directory[name]} <= varying
    subprocess.run(["sha256sum", "--check", "--quiet", "--strict", "SHA256SUMS"], cwd=unpacked, check=True)


def test_an_unpacked_archive_is_a_bundle(pull: Pull, airgap: Airgap, registry: Registry, source_images: SourceImages,
                                         tmp_path: Path) -> None:
    pull(tmp_path / "bundle.tar", "team/app:1.0")
    (tmp_path / "unpacked").mkdir()
    subprocess.run(["tar", "xf", tmp_path / "bundle.tar", "-C", tmp_path / "unpacked"], check=True)
    airgap.import_("verify", tmp_path / "unpacked").ok()
    airgap.import_("push", tmp_path / "unpacked", registry.host, *plain(registry)).ok()
    assert registry.client().digest("team/app", "1.0") == source_images["team/app:1.0"].digest


def test_the_layout_names_images_as_both_conventions_want(pull: Pull, source: Registry, bundle_dir: Path) -> None:
    pull(f"{bundle_dir}/", *RUNNABLE, CHART)
    entries = json.loads((bundle_dir / "index.json").read_text())["manifests"]
    for key in ("org.opencontainers.image.ref.name", "io.containerd.image.name"):
        named = sorted(entry["annotations"][key] for entry in entries)
        assert named == sorted(f"{source.host}/{name}" for name in (*RUNNABLE, CHART))


def test_the_docker_list_has_runnable_images_alone(pull: Pull, source: Registry, bundle_dir: Path) -> None:
    pull(f"{bundle_dir}/", *RUNNABLE, CHART)
    listed = json.loads((bundle_dir / "manifest.json").read_text())
    assert sorted(tag for entry in listed for tag in entry["RepoTags"]) == sorted(
        f"{source.host}/{name}" for name in RUNNABLE)
    for entry in listed:
        for path in (entry["Config"], *entry["Layers"]):
            assert (bundle_dir / path).is_file()
