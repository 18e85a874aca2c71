"""A user says which tags, which platforms and which names, for all images or for single ones."""

import json
from pathlib import Path
from typing import Any, Callable

import pytest
from conftest import Running

from support import oci, skopeo
from support.airgap import Airgap, Result, plain
from support.memory_registry import MemoryRegistry
from support.registry import Registry

ARCHITECTURES = ("amd64", "arm64", "s390x")
APP = oci.index([oci.image([oci.tar_layer({"etc/motd": name.encode()})], architecture=name) for name in ARCHITECTURES])
SIGNATURE = oci.signature_for(APP)
TAGS = ("1.0.0", "1.9.0", "1.10.0", "2.0.0-rc.1", "2.0.0-nightly", "latest")
Pull = Callable[..., Result]


@pytest.fixture
def memory(running: Running) -> MemoryRegistry:
    served = running(MemoryRegistry())
    for tag in TAGS:
        served.add("org/app", tag, APP)
    served.add("org/web", "1.0", APP)
    return served


@pytest.fixture
def pull(airgap: Airgap, bundle_dir: Path, memory: MemoryRegistry) -> Pull:
    def run(*arguments: object) -> Result:
        return airgap.export("pull", *arguments, *plain(memory), "--retry", 0, "--output", f"{bundle_dir}/")

    return run


@pytest.fixture
def pull_yaml(pull: Pull, memory: MemoryRegistry, tmp_path: Path) -> Pull:
    """pull_yaml({section}, options…): JSON is YAML."""
    def run(section: dict[str, Any], *options: object) -> Result:
        (tmp_path / "sync.yaml").write_text(json.dumps({memory.host: section}))
        return pull("--from", tmp_path / "sync.yaml", *options)

    return run


def images(bundle: Path) -> dict[str, dict[str, Any]]:
    """The images of a bundle by their names without the registry."""
    listed = json.loads((bundle / "bundle.json").read_text())["images"]
    return {image["name"].split("/", 1)[1]: image for image in listed}


def tags(bundle: Path, repository: str = "org/app") -> list[str]:
    return [name.split(":", 1)[1] for name in images(bundle) if name.startswith(repository + ":")]


def platforms(bundle: Path) -> dict[str, list[str]]:
    return {name: [p["architecture"] for p in image["platforms"]] for name, image in images(bundle).items()}


# --- which tags ---

def test_excluded_tags_stay_behind(pull_yaml: Pull, bundle_dir: Path) -> None:
    pull_yaml({"images": {"org/app": []}, "exclude": {"org/app": ["-rc", "nightly"]}}).ok()
    assert tags(bundle_dir) == ["1.0.0", "1.10.0", "1.9.0", "latest"]


def test_the_newest_versions_are_taken(pull_yaml: Pull, bundle_dir: Path) -> None:
    pull_yaml({"images": {"org/app": []}, "exclude": {"org/app": "-"}, "newest": {"org/app": 2}}).ok()
    assert tags(bundle_dir) == ["1.10.0", "1.9.0"]


def test_the_newest_are_those_of_the_repository_whatever_lists_its_tags(pull_yaml: Pull, bundle_dir: Path) -> None:
    pull_yaml({"images-by-semver": {"org/app": "^1"}, "images-by-tag-regex": {"org/app": r"^1\.0"},
               "newest": {"org/app": 1}}).ok()
    assert tags(bundle_dir) == ["1.10.0"]


def test_the_command_line_excludes_and_counts_too(pull: Pull, memory: MemoryRegistry, bundle_dir: Path) -> None:
    pull("--all-tags", f"{memory.host}/org/app", f"{memory.host}/org/web", "--exclude", "rc", "--exclude", "night",
         "--newest", 1).ok()
    assert list(images(bundle_dir)) == ["org/app:1.10.0", "org/web:1.0"]


def test_nothing_left_is_exit_2_and_says_what_was_asked(pull_yaml: Pull, bundle_dir: Path) -> None:
    section = {"images": {"org/app": [], "org/web": ["1.0"]}, "exclude": {"org/app": "."}, "newest": {"org/app": 3}}
    pull_yaml(section).fails(2, r"sync.yaml:1:\d+: no tag of .*/org/app exists, without a match of '\.', as a version "
                                r"among the newest 3 \(6 tags\)")
    pull_yaml(section, "--allow-empty").ok()
    assert list(images(bundle_dir)) == ["org/web:1.0"]


@pytest.mark.parametrize("options, message", [
    (("--newest", 0), "--newest: expected a number from 1 on, found '0'"),
    (("--exclude", "("), r"--exclude: bad regular expression '\('"),
    (("--platform", "org/app=all"), "--platform org/app=all: docker.io/org/app is not selected"),
])
def test_options_that_cannot_be_meant_are_exit_2_before_any_request(options: tuple[object, ...], message: str,
                                                                    pull: Pull, memory: MemoryRegistry) -> None:
    pull("--all-tags", f"{memory.host}/org/app", *options).fails(2, message)
    assert memory.requests() == []


# --- which platforms ---

def test_platforms_of_single_images_and_repositories(pull_yaml: Pull, memory: MemoryRegistry, bundle_dir: Path) -> None:
    section = {"images": {"org/app": ["1.0.0", "1.9.0"], "org/web": ["1.0"]},
               "platforms": {"org/app": ["linux/amd64", "linux/arm64"], "org/app:1.9.0": "all"}}
    pull_yaml(section, "--platform", "linux/s390x").ok()
    assert platforms(bundle_dir) == {"org/app:1.0.0": ["amd64", "arm64"], "org/app:1.9.0": [*ARCHITECTURES],
                                     "org/web:1.0": ["s390x"]}


def test_platforms_by_name_on_the_command_line(pull: Pull, memory: MemoryRegistry, bundle_dir: Path) -> None:
    app, web = f"{memory.host}/org/app", f"{memory.host}/org/web"
    pull(f"{app}:1.0.0", f"{app}:latest", f"{web}:1.0", "--platform", "linux/amd64", "--platform", f"{app}=linux/arm64",
         "--platform", f"{app}:latest=all").ok()
    assert platforms(bundle_dir) == {"org/app:1.0.0": ["arm64"], "org/app:latest": [*ARCHITECTURES],
                                     "org/web:1.0": ["amd64"]}


def test_unchanged_tags_with_platforms_of_their_own_cost_one_head(pull_yaml: Pull, memory: MemoryRegistry) -> None:
    section = {"images": {"org/app": ["1.0.0", "1.9.0"]}, "platforms": {"org/app": ["linux/amd64", "linux/arm64"],
                                                                        "org/app:1.9.0": "all"}}
    pull_yaml(section, "--no-referrers").ok()
    memory.seen.clear()
    pull_yaml(section, "--no-referrers").ok()
    assert sorted(memory.requests(path="/manifests|/blobs")) == [
        ("HEAD", f"/v2/org/app/manifests/{tag}") for tag in ("1.0.0", "1.9.0")]


def test_other_platforms_for_one_image_fetch_that_image_alone(pull: Pull, memory: MemoryRegistry,
                                                              bundle_dir: Path) -> None:
    app, web = f"{memory.host}/org/app:1.0.0", f"{memory.host}/org/web:1.0"
    pull(app, web, "--platform", "linux/amd64").ok()
    memory.seen.clear()
    pull(app, web, "--platform", "linux/amd64", "--platform", f"{web}=linux/arm64").ok()
    assert not memory.requests("GET", "/org/app/manifests")
    assert platforms(bundle_dir) == {"org/app:1.0.0": ["amd64"], "org/web:1.0": ["arm64"]}


def test_a_rule_for_a_tag_that_is_not_there_is_exit_2(pull_yaml: Pull, bundle_dir: Path) -> None:
    pull_yaml({"images": {"org/app": []}, "platforms": {"org/app:1.11.0": "all"}}).fails(
        2, r"sync.yaml:1:\d+: there is no .*/org/app:1.11.0 among the tags that are taken", "did you mean .*/org/app:1.1?0.0")
    assert not (bundle_dir / "SHA256SUMS").exists()


def test_a_misspelt_name_is_exit_2_before_any_request(pull_yaml: Pull, memory: MemoryRegistry) -> None:
    pull_yaml({"images": {"org/app": []}, "newest": {"org/ap": 3}}).fails(
        2, r"sync.yaml:1:\d+: 'org/ap' is not among", "did you mean 'org/app'")
    assert memory.requests() == []


# --- which names inside ---

def test_push_puts_images_where_the_file_says(airgap: Airgap, pull_yaml: Pull, memory: MemoryRegistry,
                                              registry: Registry, bundle_dir: Path) -> None:
    memory.add_referrer("org/app", APP, SIGNATURE)
    section = {"images": {"org/app": ["1.0.0", "1.9.0"], "org/web": ["1.0"]},
               "targets": {"org/app": "base/app", "org/app:1.9.0": "base/app:stable"}}
    pull_yaml(section, "--flat", "--platform", "all").ok()
    airgap.import_("push", bundle_dir, f"{registry.host}/mirror", *plain(registry)).ok()
    client = registry.client()
    for repository, tag in (("base/app", "1.0.0"), ("base/app", "stable"), ("web", "1.0")):
        assert client.digest(f"mirror/{repository}", tag) == APP.digest
    assert client.digest("mirror/base/app", SIGNATURE.digest) == SIGNATURE.digest


def test_a_signature_goes_where_its_image_goes(pull_yaml: Pull, memory: MemoryRegistry, bundle_dir: Path) -> None:
    """Also where the target is of one tag, and the signature has a tag or a digest of its own, or a signature."""
    sbom = oci.sbom_for(APP)
    of_sbom = oci.signature_for(sbom)
    memory.add("org/app", oci.cosign_tag(APP.digest), SIGNATURE)
    memory.add_referrer("org/app", APP, sbom)
    memory.add("org/app", oci.cosign_tag(sbom.digest), of_sbom)
    pull_yaml({"images": {"org/app": ["1.0.0"]}, "targets": {"org/app:1.0.0": "base/app:stable"}},
              "--platform", "all").ok()
    assert {image["target"] for image in images(bundle_dir).values()} == {
        "base/app:stable", f"base/app:{oci.cosign_tag(APP.digest)}", f"base/app@{sbom.digest}",
        f"base/app:{oci.cosign_tag(sbom.digest)}"}


def test_what_a_directory_keeps_keeps_its_name_inside(pull: Pull, pull_yaml: Pull, memory: MemoryRegistry,
                                                      bundle_dir: Path) -> None:
    pull_yaml({"images": {"org/app": ["1.0.0"]}, "targets": {"org/app": "base/app"}}, "--platform", "all").ok()
    pull(f"{memory.host}/org/web:1.0", "--platform", "all").ok()
    assert {image["target"] for image in images(bundle_dir).values()} == {"base/app:1.0.0", "org/web:1.0"}


def test_directories_of_skopeo_have_no_targets(pull_yaml: Pull, bundle_dir: Path) -> None:
    pull_yaml({"images": {"org/app": ["1.0.0"]}, "targets": {"org/app": "base/app"}}, "--format", "skopeo-dir").fails(
        2, r"sync.yaml:1:\d+: --format skopeo-dir has no other names")


def test_map_on_the_command_line_goes_before_the_file(pull_yaml: Pull, memory: MemoryRegistry,
                                                      bundle_dir: Path) -> None:
    pull_yaml({"images": {"org/app": ["1.0.0", "1.9.0"]}, "targets": {"org/app": "base/app"}},
              "--map", f"{memory.host}/org/app:1.9.0=other/app:2", "--platform", "linux/amd64").ok()
    assert {name: image["target"] for name, image in images(bundle_dir).items()} == {
        "org/app:1.0.0": "base/app:1.0.0", "org/app:1.9.0": "other/app:2"}


def test_map_takes_a_repository_as_well_as_an_image(pull: Pull, memory: MemoryRegistry, bundle_dir: Path) -> None:
    pull("--all-tags", f"{memory.host}/org/app", "--newest", 2, "--exclude", "-", "--platform", "all",
         "--map", f"{memory.host}/org/app=base/app").ok()
    assert {image["target"] for image in images(bundle_dir).values()} == {"base/app:1.9.0", "base/app:1.10.0"}


def test_two_images_with_one_target_are_refused(pull_yaml: Pull, bundle_dir: Path) -> None:
    pull_yaml({"images": {"org/app": ["1.0.0"], "org/web": ["1.0"]},
               "targets": {"org/app:1.0.0": "base:1", "org/web:1.0": "base:1"}}, "--platform", "all").fails(
        2, "would both become REGISTRY/base:1")


def test_skopeo_reads_the_same_file(source: Registry, tmp_path: Path) -> None:
    """The keys beyond skopeo's are maps that it passes over."""
    section = {"images": {"team/app": ["1.0"]}, "tls-verify": False, "platforms": {"team/app": "all"},
               "exclude": {}, "targets": {"team/app:1.0": "base/app:1"}}
    (tmp_path / "sync.yaml").write_text(json.dumps({source.host: section}))
    skopeo.run("sync", "--src", "yaml", "--dest", "dir", "--all", str(tmp_path / "sync.yaml"), str(tmp_path / "tree"))
    assert list((tmp_path / "tree").rglob("manifest.json"))
