"""Registry to registry: `airgap-export mirror` copies what is missing, asks by HEAD, and leaves everything else alone."""

import base64
import json
import re
import signal
import threading
from pathlib import Path
from typing import Callable

import pytest
from conftest import PASSWORD, USER, MakeRegistry, Running

from support import oci, skopeo
from support.airgap import Airgap, Result, plain
from support.memory_registry import MemoryRegistry
from support.oci import cosign_tag, image, index, referrers_tag, sbom_for, signature_for, tar_layer
from support.proxy import FaultProxy
from support.pulling import auth_file, largest_layer, login
from support.registry import Registry
from support.source import SourceImages
from support.token_server import TokenServer

APPS = ("team/app:1.0", "team/app:1.1")  # share two layers
WEB = "team/web:2.0"  # an index of two platforms
BUSYBOX = "tools/busybox:1.35"
UPLOADS = "/blobs/uploads/"

_IMAGE = re.compile("(team|tools|legacy|variants|charts)/")

Mirror = Callable[..., Result]


@pytest.fixture
def mirror(airgap: Airgap) -> Mirror:
    """mirror(source, target, *names and options, to="/prefix")."""
    def run(source: object, target: object, *words: str, to: str = "") -> Result:
        names = [f"{source.host}/{word}" if _IMAGE.match(word) else word for word in words]  # type: ignore
        return airgap.export("mirror", *names, *plain(source, target), "--retry", 1, "--to",
                             f"{target.host}{to}")  # type: ignore

    return run


def writes(registry: Registry | FaultProxy) -> list[str]:
    return [r.path for r in registry.requests("POST|PUT|PATCH|DELETE")]  # type: ignore


def asked(registry: Registry) -> list[str]:
    """Methods and paths below a repository."""
    return [f"{r.method} {r.path}" for r in registry.requests(path="/v2/.")]


def tag_file(path: Path, text: str) -> str:
    path.write_text(text)
    return str(path)


# Round trips, with skopeo as the judge.

def test_docker_to_docker_tagged_scoped(mirror: Mirror, source: Registry, registry: Registry, tmp_path: Path) -> None:
    """tests/SKOPEO-SYNC.md, scenario 13: the source's and the mirrored image are copied to directories alike."""
    mirror(source, registry, BUSYBOX, "--scoped", to="/in").ok()
    scope = source.host.replace(":", "-")
    skopeo.copy_to_dir(f"docker://{source.host}/{BUSYBOX}", tmp_path / "from")
    skopeo.copy_to_dir(f"docker://{registry.host}/in/{scope}/{BUSYBOX}", tmp_path / "to")
    assert files_of(tmp_path / "from") == files_of(tmp_path / "to")


def files_of(directory: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in directory.iterdir()}


def test_yaml_to_docker_takes_all_tags_of_an_empty_list(airgap: Airgap, source: Registry, registry: Registry,
                                                        tmp_path: Path) -> None:
    """tests/SKOPEO-SYNC.md, scenario 7."""
    listed = tag_file(tmp_path / "sync.yaml", f"{source.host}:\n  tls-verify: false\n  images:\n    team/app: []\n")
    airgap.export("mirror", "--from", listed, "--scoped", *plain(registry), "--to", registry.host).ok()
    scope = source.host.replace(":", "-")
    assert registry.client().tags(f"{scope}/team/app") == source.client().tags("team/app")
    back = tag_file(tmp_path / "back.yaml", json.dumps({registry.host: {"tls-verify": False,
                                                                        "images": {f"{scope}/team/app": []}}}))
    airgap.export("pull", "--from", back, "--format", "skopeo-dir", "--output", tmp_path / "tree").ok()
    assert sorted(folder.name for folder in (tmp_path / "tree").iterdir()) == [
        f"app:{tag}" for tag in source.client().tags("team/app")]


@pytest.mark.parametrize("name", [*APPS, WEB, "legacy/busybox:1.35", "variants/docker-list:1", "charts/demo:0.1.0"])
def test_digests_stay_what_they_were(name: str, mirror: Mirror, source: Registry, registry: Registry,
                                     source_images: SourceImages) -> None:
    mirror(source, registry, name, "--platform", "all").ok()
    assert registry.client().digest(*name.split(":")) == source_images[name].digest
    assert skopeo.digest(f"docker://{registry.host}/{name}") == source_images[name].digest


def test_one_platform_of_an_index_takes_the_tag(mirror: Mirror, source: Registry, registry: Registry) -> None:
    mirror(source, registry, WEB, "--platform", "linux/arm64").ok()
    children = source.client().manifest("team/web", "2.0").json()["manifests"]
    (arm,) = [child["digest"] for child in children if child["platform"]["architecture"] == "arm64"]
    assert registry.client().digest("team/web", "2.0") == arm


def test_an_image_by_digest_travels_whole(mirror: Mirror, source: Registry, registry: Registry,
                                          source_images: SourceImages) -> None:
    digest = source_images[WEB].digest
    mirror(source, registry, f"team/web@{digest}").ok()
    assert registry.client().digest("team/web", digest) == digest
    assert registry.client().tags("team/web") == []


# What an image costs.

def test_each_byte_moves_once(mirror: Mirror, source: Registry, registry: Registry) -> None:
    source.mark()
    mirror(source, registry, *APPS, "--jobs", "4").ok()
    fetched = [r.path for r in source.requests("GET", "/blobs/")]
    assert len(fetched) == len(set(fetched)) == 5  # three layers, two configs
    assert len(registry.requests("PUT", UPLOADS)) == 5


@pytest.mark.parametrize("options", [["--platform", "all"], ["--platform", "all", "--no-referrers"]])
def test_an_unchanged_tag_costs_one_head_on_each_side(options: list[str], mirror: Mirror, source: Registry,
                                                      registry: Registry) -> None:
    names = (*APPS, WEB, BUSYBOX)
    mirror(source, registry, *names, *options).ok()
    source.mark()
    registry.mark()
    mirror(source, registry, *names, *options).ok()
    heads = sorted(f"HEAD /v2/{name.replace(':', '/manifests/')}" for name in names)
    assert sorted(asked(registry)) == heads
    listings = set() if "--no-referrers" in options else {"GET referrers", "GET tags/list"}
    rest = [line for line in asked(source) if line not in heads]
    assert sorted(line for line in asked(source) if line in heads) == heads
    assert {re.sub("/v2/.*/(referrers|tags/list).*", r"\1", line) for line in rest} == listings, rest


def test_one_platform_of_an_unchanged_index_costs_one_get_at_the_source(mirror: Mirror, source: Registry,
                                                                        registry: Registry) -> None:
    """The index says which child the tag is to stand for."""
    options = (WEB, "--platform", "linux/amd64", "--no-referrers")
    mirror(source, registry, *options).ok()
    source.mark()
    registry.mark()
    mirror(source, registry, *options).ok()
    assert asked(registry) == ["HEAD /v2/team/web/manifests/2.0"]
    assert [line.partition("/v2/")[0] for line in asked(source)] == ["HEAD ", "GET "]


def test_a_new_version_sends_only_what_is_new(mirror: Mirror, source: Registry, registry: Registry) -> None:
    mirror(source, registry, APPS[0]).ok()
    source.mark()
    registry.mark()
    mirror(source, registry, *APPS).ok()
    assert len(source.requests("GET", "/blobs/")) <= 2 and len(registry.requests("PUT", UPLOADS)) == 2


def test_on_one_host_everything_is_mounted(mirror: Mirror, mutable_source: Registry) -> None:
    mutable_source.mark()
    mirror(mutable_source, mutable_source, *APPS, WEB, "--platform", "all", to="/copy").ok()
    assert mutable_source.requests("PUT", UPLOADS) == []
    assert all(r.bytes < 1000 for r in mutable_source.requests("GET", "/blobs/"))  # configs, for their platforms
    mounts = mutable_source.requests("POST", "mount=")
    assert mounts and {mount.status for mount in mounts} == {201}
    client = mutable_source.client()
    for name in (*APPS, WEB):
        repository, tag = name.split(":")
        assert client.digest(f"copy/{repository}", tag) == client.digest(repository, tag)


def test_a_mirror_onto_itself_is_refused(mirror: Mirror, source: Registry) -> None:
    source.mark()
    mirror(source, source, BUSYBOX).fails(2, "onto itself", "prefix")
    assert writes(source) == []


# Names.

@pytest.mark.parametrize(("options", "expected"), [
    ([], "in/tools/busybox"), (["--flat"], "in/busybox"), (["--map", "{host}/tools/=base/"], "in/base/busybox"),
    (["--scoped"], "in/{scope}/tools/busybox")])
def test_names_follow_the_options(options: list[str], expected: str, mirror: Mirror, source: Registry,
                                  registry: Registry) -> None:
    def filled(text: str) -> str:
        return text.format(host=source.host, scope=source.host.replace(":", "-"))

    words = [option if option.startswith("--") else f"--map={filled(option)}" for option in options
             if option != "--map"]
    mirror(source, registry, BUSYBOX, *words, to="/in").ok()
    assert registry.client().repositories() == [filled(expected)]


@pytest.mark.parametrize(("rule", "hint"), [
    ("{host}/tools/busybocks=base", "did you mean '{host}/tools/busybox'"),
    ("{host}/tools/busybox:1.36=base:1", "did you mean '{host}/tools/busybox:1.35'"),
    ("{host}/tool/=base/", "did you mean '{host}/tools/'"),
    ("quay.io/something/else=base", "there are: {host}/tools/busybox, {host}/tools/busybox:1.35")])
def test_a_map_that_is_for_no_image_is_refused(rule: str, hint: str, mirror: Mirror, source: Registry,
                                               registry: Registry) -> None:
    rule, hint = rule.format(host=source.host), hint.format(host=source.host)
    mirror(source, registry, BUSYBOX, f"--map={rule}").fails(
        2, re.escape(f"--map {rule} is for no image that is here"), re.escape(hint), "--allow-unused-map")
    assert writes(registry) == []
    mirror(source, registry, BUSYBOX, f"--map={rule}", "--allow-unused-map").ok()
    assert registry.client().tags("tools/busybox") == ["1.35"]


def test_two_images_with_one_target_are_refused(mirror: Mirror, source: Registry, registry: Registry) -> None:
    mirror(source, registry, BUSYBOX, "legacy/busybox:1.35", "--flat").fails(
        2, f"{registry.host}/busybox:1.35", "tools/busybox:1.35", "legacy/busybox:1.35")
    assert writes(registry) == []


@pytest.mark.parametrize("to", ["UPPER CASE", "host/pre:tag", ""])
def test_a_bad_target_is_refused(to: str, airgap: Airgap, source: Registry) -> None:
    source.mark()
    airgap.export("mirror", f"{source.host}/{BUSYBOX}", *plain(source), "--to", to).fails(2)
    assert asked(source) == []


# Signatures and the like.

APP = image([tar_layer({"app": b"app"})])
OTHER = image([tar_layer({"app": b"app for arm64"})], architecture="arm64")
BOTH = index([APP, OTHER])


@pytest.mark.parametrize("api", [True, False])
def test_signatures_travel_at_both_levels(api: bool, mirror: Mirror, running: Running, registry: Registry) -> None:
    memory = running(MemoryRegistry(referrers_api=api))
    memory.add("team/app", "1", BOTH)
    for subject in (BOTH, APP, OTHER):
        memory.add("team/app", cosign_tag(subject.digest), signature_for(subject))
        if api:
            memory.add_referrer("team/app", subject, sbom_for(subject))
    mirror(memory, registry, "team/app:1", "--platform", "all").ok()
    client = registry.client()
    for subject in (BOTH, APP, OTHER):
        assert client.digest("team/app", cosign_tag(subject.digest)) == signature_for(subject).digest
        if api:
            listed = client.manifest("team/app", referrers_tag(subject.digest)).json()["manifests"]
            assert [entry["digest"] for entry in listed] == [sbom_for(subject).digest]


@pytest.mark.parametrize("subject", [BOTH, APP, OTHER], ids=["index", "amd64", "arm64"])
@pytest.mark.parametrize("api", [True, False])
def test_a_later_signature_of_an_unchanged_image_is_copied(api: bool, subject: oci.Manifest, mirror: Mirror,
                                                           running: Running, registry: Registry) -> None:
    memory = running(MemoryRegistry(referrers_api=api))
    memory.add("team/app", "1", BOTH)
    mirror(memory, registry, "team/app:1", "--platform", "all").ok()
    if api:
        memory.add_referrer("team/app", subject, sbom_for(subject))
    else:
        memory.add("team/app", cosign_tag(subject.digest), signature_for(subject))
    memory.seen.clear()
    mirror(memory, registry, "team/app:1", "--platform", "all").ok()
    wanted = sbom_for(subject).digest if api else cosign_tag(subject.digest)
    assert registry.client().has_manifest("team/app", wanted)
    assert [path for _, path in memory.requests("GET", f"/manifests/{BOTH.digest}")] == []  # the target's copy is read


def test_a_deleted_list_of_referrers_is_made_again_without_reading(mirror: Mirror, running: Running,
                                                                   registry: Registry) -> None:
    memory = running(MemoryRegistry())
    memory.add("team/app", "1", APP)
    memory.add_referrer("team/app", APP, sbom_for(APP))
    mirror(memory, registry, "team/app:1").ok()
    client = registry.client()
    before = client.manifest("team/app", referrers_tag(APP.digest)).json()["manifests"]
    client.delete_manifest("team/app", client.digest("team/app", referrers_tag(APP.digest)))
    memory.seen.clear()
    mirror(memory, registry, "team/app:1").ok()
    assert client.manifest("team/app", referrers_tag(APP.digest)).json()["manifests"] == [
        {key: entry[key] for key in entry} for entry in before]
    assert memory.requests("GET", "/manifests/") == []


def test_without_referrers_nothing_accompanies(mirror: Mirror, running: Running, registry: Registry) -> None:
    memory = running(MemoryRegistry())
    memory.add("team/app", "1", APP)
    memory.add("team/app", cosign_tag(APP.digest), signature_for(APP))
    mirror(memory, registry, "team/app:1", "--no-referrers").ok()
    assert registry.client().tags("team/app") == ["1"]


@pytest.mark.parametrize("again", [False, True], ids=["first run", "second run"])
def test_a_signature_goes_where_its_image_is_mapped_to(again: bool, mirror: Mirror, running: Running, registry: Registry
                                                       ) -> None:
    memory = running(MemoryRegistry())
    memory.add("team/app", "1", BOTH)
    for subject in (BOTH, APP):
        memory.add("team/app", cosign_tag(subject.digest), signature_for(subject))
        memory.add_referrer("team/app", subject, sbom_for(subject))
    words = ("team/app:1", "--platform", "all", f"--map={memory.host}/team/app:1=web/app:one")
    if again:
        mirror(memory, registry, "team/app:1", "--platform", "all").ok()  # the signatures are where the name says, too
        mirror(memory, registry, *words).ok()
        registry.mark()
    said = mirror(memory, registry, *words).ok()
    client = registry.client()
    assert client.digest("web/app", "one") == BOTH.digest
    for subject in (BOTH, APP):
        assert client.digest("web/app", cosign_tag(subject.digest)) == signature_for(subject).digest
        assert client.has_manifest("web/app", sbom_for(subject).digest)
    if again:
        assert writes(registry) == [] and "the registry has all of it already" in said.err
    else:
        assert client.repositories() == ["web/app"]


@pytest.mark.parametrize("options, where", [((), "team/app"), (("team/app:1=web/app:one",), "web/app")])
def test_a_signature_among_all_tags_is_copied_once_and_with_its_image(
        options: tuple[str, ...], where: str, mirror: Mirror, running: Running, registry: Registry, tmp_path: Path) -> None:
    memory = running(MemoryRegistry())
    memory.add("team/app", "1", APP)
    memory.add("team/app", cosign_tag(APP.digest), signature_for(APP))
    maps = [f"--map={memory.host}/{rule}" for rule in options]
    mirror(memory, registry, "--all-tags", "team/app", *maps, "--report", str(tmp_path / "report.json")).ok()
    report = json.loads((tmp_path / "report.json").read_text())
    assert sorted(image["name"] for image in report["images"]) == [
        f"{memory.host}/team/app:1", f"{memory.host}/team/app:{cosign_tag(APP.digest)}"]
    assert registry.client().repositories() == [where]
    assert registry.client().digest(where, cosign_tag(APP.digest)) == signature_for(APP).digest


def test_a_lock_says_where_its_images_go(airgap: Airgap, mirror: Mirror, running: Running, registry: Registry,
                                         tmp_path: Path) -> None:
    """And what accompanies one that is mapped on the way goes along."""
    memory = running(MemoryRegistry())
    memory.add("team/app", "1", APP)
    memory.add("team/app", cosign_tag(APP.digest), signature_for(APP))
    airgap.export("plan", f"{memory.host}/team/app:1", *plain(memory), "--map", f"{memory.host}/team/app=locked/app",
                  "--lock", tmp_path / "lock").ok()
    mirror(memory, registry, "--from", str(tmp_path / "lock")).ok()
    assert registry.client().repositories() == ["locked/app"]
    mirror(memory, registry, "--from", str(tmp_path / "lock"), f"--map={memory.host}/team/app:1=web/app:1").ok()
    assert registry.client().tags("web/app") == ["1", cosign_tag(APP.digest)]


# Tags that are there.

def retag(registry: Registry, repository: str, tag: str, other: str) -> None:
    """`tag` stands for what `other` stands for."""
    held = registry.client().manifest(repository, other)
    registry.client().put_manifest(repository, tag, held.body, held.headers["Content-Type"])


def test_a_moved_tag_is_moved(mirror: Mirror, source: Registry, registry: Registry, source_images: SourceImages
                              ) -> None:
    mirror(source, registry, *APPS).ok()
    retag(registry, "team/app", "1.0", "1.1")
    said = mirror(source, registry, *APPS).ok()
    assert "1 tag to set, 1 of them moved" in said.err
    assert registry.client().digest("team/app", "1.0") == source_images[APPS[0]].digest


def test_no_overwrite_tags_refuses_before_anything_is_written(mirror: Mirror, source: Registry, registry: Registry,
                                                              source_images: SourceImages) -> None:
    mirror(source, registry, *APPS).ok()
    retag(registry, "team/app", "1.0", "1.1")
    registry.mark()
    old, new = source_images[APPS[1]].digest, source_images[APPS[0]].digest
    mirror(source, registry, *APPS, BUSYBOX, "--no-overwrite-tags").fails(
        5, f"team/app:1.0 stands for {old} already, and for {new} at the source", "--no-overwrite-tags")
    assert writes(registry) == []


def test_no_overwrite_tags_copies_the_others_with_keep_going(mirror: Mirror, source: Registry, registry: Registry,
                                                             source_images: SourceImages) -> None:
    mirror(source, registry, *APPS).ok()
    retag(registry, "team/app", "1.0", "1.1")
    mirror(source, registry, *APPS, BUSYBOX, "--no-overwrite-tags", "--keep-going").fails(5, "team/app:1.0 is left")
    client = registry.client()
    assert client.digest("team/app", "1.0") == source_images[APPS[1]].digest
    assert client.digest("tools/busybox", "1.35") == source_images[BUSYBOX].digest


# --prune.

@pytest.fixture
def stale(mirror: Mirror, source: Registry, registry: Registry) -> Registry:
    """Has all tags of team/app, an `old` one for what 1.0 stands for, and one for an image of its own."""
    mirror(source, registry, "team/app", "--all-tags").ok()
    retag(registry, "team/app", "old", "1.0")
    oci.push(registry.client(), "team/app", "gone", APP)
    oci.push(registry.client(), "team/app", cosign_tag(APP.digest), signature_for(APP))
    oci.push(registry.client(), "team/app", cosign_tag(OTHER.digest), signature_for(OTHER))
    oci.push(registry.client(), "other/app", "1", APP)
    registry.mark()
    return registry


def test_prune_deletes_what_the_source_no_longer_has(mirror: Mirror, source: Registry, stale: Registry,
                                                     source_images: SourceImages) -> None:
    """A digest that a kept tag has as well stays, though docker-registry deletes by digest alone."""
    said = mirror(source, stale, "team/app", "--all-tags", "--prune").ok()
    assert re.search(rf"delete tag {stale.host}/team/app:gone \(sha256:[0-9a-f]{{12}}\)", said.out)
    client = stale.client()
    assert client.tags("team/app") == ["1.0", "1.1", cosign_tag(OTHER.digest)]
    for name in APPS:
        assert client.digest(*name.split(":")) == source_images[name].digest
    assert client.has_manifest("team/app", APP.digest)  # tags go, manifests stay
    assert client.tags("other/app") == ["1"]


def test_prune_lists_in_a_dry_run(mirror: Mirror, source: Registry, stale: Registry) -> None:
    said = mirror(source, stale, "team/app", "--all-tags", "--prune", "--dry-run").ok()
    assert [line.split()[2].rsplit(":", 1)[1] for line in said.out.splitlines() if line.startswith("delete")] == [
        "gone", "old", cosign_tag(APP.digest).rsplit(":", 1)[-1]]
    assert writes(stale) == []


@pytest.mark.parametrize("options", [("--exclude", "^1.0"), ("--newest", "1")])
def test_what_a_filter_passes_over_is_not_pruned(options: tuple[str, str], mirror: Mirror, source: Registry,
                                                 stale: Registry) -> None:
    """The source has those tags all the same."""
    before = stale.client().tags("team/app")
    said = mirror(source, stale, "team/app", "--all-tags", *options, "--prune").ok()
    assert "nothing is pruned" in said.err
    assert set(before) <= set(stale.client().tags("team/app"))


def test_without_prune_nothing_is_deleted(mirror: Mirror, source: Registry, stale: Registry) -> None:
    mirror(source, stale, "team/app", "--all-tags").ok()
    assert {"gone", "old"} < set(stale.client().tags("team/app")) and writes(stale) == []


def test_a_repository_of_single_images_is_not_pruned(mirror: Mirror, source: Registry, stale: Registry) -> None:
    mirror(source, stale, *APPS, "--prune").ok()
    assert {"gone", "old"} < set(stale.client().tags("team/app")) and writes(stale) == []


def test_a_repository_that_others_are_mapped_into_is_not_pruned(mirror: Mirror, source: Registry, stale: Registry
                                                                ) -> None:
    said = mirror(source, stale, "team/app", BUSYBOX, "--all-tags", "--prune",
                  f"--map={source.host}/tools/busybox=team/app").ok()
    assert "is not pruned" in said.err
    assert {"gone", "old", "1.35"} < set(stale.client().tags("team/app"))


def test_nothing_is_pruned_after_a_failure(mirror: Mirror, running: Running, source: Registry, stale: Registry) -> None:
    proxy = running(FaultProxy(source))
    proxy.rule("GET|HEAD", "/v2/tools/busybox/manifests/", status=404)
    mirror(proxy, stale, "team/app", "tools/busybox:1.35", "--all-tags", "--prune", "--keep-going").fails(
        3, "tools/busybox:1.35", "nothing is deleted")
    assert {"gone", "old"} < set(stale.client().tags("team/app"))


@pytest.mark.parametrize("dry_run", [True, False], ids=["dry run", "run"])
@pytest.mark.parametrize(("path", "option"), [("/v2/team/app/manifests/1.0", []), ("/v2/team/app/tags/list", [WEB])],
                         ids=["an image", "a tag list"])
def test_tags_of_what_failed_are_neither_listed_nor_deleted(path: str, option: list[str], dry_run: bool, mirror: Mirror,
                                                            running: Running, source: Registry, stale: Registry) -> None:
    """They are at the source all the same: only asking for them failed."""
    before = stale.client().tags("team/app")
    proxy = running(FaultProxy(source))
    proxy.rule("GET|HEAD", path, status=404)
    said = mirror(proxy, stale, "team/app", *option, "--all-tags", "--prune", "--keep-going",
                  *["--dry-run"] * dry_run).fails(3, "nothing is deleted, since images failed")
    assert "delete tag" not in said.out
    assert set(before) <= set(stale.client().tags("team/app"))


def empty(registry: Registry, repository: str) -> None:
    """No tag is left; the repository stays."""
    client = registry.client()
    for digest in {client.digest(repository, tag) for tag in client.tags(repository)}:
        client.delete_manifest(repository, digest)
    assert client.tags(repository) == []


def test_a_source_without_any_tag_left_is_no_reason_to_delete_all(mirror: Mirror, mutable_source: Registry,
                                                                  stale: Registry) -> None:
    empty(mutable_source, "team/app")
    mirror(mutable_source, stale, "team/app", "--all-tags", "--prune").fails(2, "no tag of .*team/app", "--allow-empty")
    assert {"1.0", "gone"} < set(stale.client().tags("team/app")) and writes(stale) == []


@pytest.mark.parametrize("beside", [[], [BUSYBOX.split(":")[0]]], ids=["alone", "beside another"])
def test_allow_empty_prunes_all_tags_where_the_source_has_none_left(beside: list[str], mirror: Mirror,
                                                                    mutable_source: Registry, stale: Registry) -> None:
    empty(mutable_source, "team/app")
    words = ("team/app", *beside, "--all-tags", "--prune", "--allow-empty")
    listed = mirror(mutable_source, stale, *words, "--dry-run").ok()
    assert writes(stale) == []
    assert {line.split()[2].rsplit("/", 1)[1] for line in listed.out.splitlines() if line.startswith("delete")} >= {
        "app:1.0", "app:1.1", "app:old", "app:gone"}
    mirror(mutable_source, stale, *words).ok()
    assert set(stale.client().tags("team/app")) <= {cosign_tag(OTHER.digest)}  # of something that was never here


def test_a_repository_that_does_not_exist_is_never_an_empty_one(mirror: Mirror, source: Registry, stale: Registry
                                                                ) -> None:
    """A registry answers so to a typo, and to who may not look."""
    mirror(source, stale, "team/none", "--all-tags", "--prune", "--allow-empty").fails(3, "team/none does not exist")


def test_deletion_by_token_asks_for_leave_to_delete(mirror: Mirror, make_registry: MakeRegistry, tokens: TokenServer,
                                                    source: Registry, airgap: Airgap) -> None:
    target = make_registry(token=tokens.auth())
    auth_file(airgap.home / ".docker/config.json", auths={target.host: login(USER, PASSWORD)})
    mirror(source, target, "team/app", "tools/busybox:1.35", "--all-tags", f"--map={source.host}/tools/busybox=team/app",
           *plain(tokens)).ok()
    tokens_before = len(tokens.requests())
    mirror(source, target, "team/app", "--all-tags", "--prune", *plain(tokens)).ok()
    asked = [scope for request in tokens.requests()[tokens_before:] for scope in request.scopes]
    assert any(scope.startswith("repository:team/app:") and "delete" in scope.rpartition(":")[2].split(",")
               for scope in asked), asked
    assert target.client(Authorization=f"Bearer {tokens.issue(USER, ['repository:team/app:pull'])}").tags(
        "team/app") == ["1.0", "1.1"]


def test_who_may_push_and_not_delete_is_told_so(mirror: Mirror, make_registry: MakeRegistry, tokens: TokenServer,
                                                source: Registry, airgap: Airgap) -> None:
    tokens.may_delete = False
    target = make_registry(token=tokens.auth())
    auth_file(airgap.home / ".docker/config.json", auths={target.host: login(USER, PASSWORD)})
    mirror(source, target, "team/app", "tools/busybox:1.35", "--all-tags", f"--map={source.host}/tools/busybox=team/app",
           *plain(tokens)).ok()
    mirror(source, target, "team/app", "--all-tags", "--prune", *plain(tokens)).fails(
        4, "deleting tags of .*team/app", "team/app")


def test_a_registry_that_does_not_delete_is_left_as_it_was(mirror: Mirror, running: Running, source: Registry,
                                                           stale: Registry) -> None:
    proxy = running(FaultProxy(stale))
    proxy.rule("DELETE", "/manifests/", status=405, body=b'{"errors":[{"code":"UNSUPPORTED","message":"no"}]}')
    digests = {tag: stale.client().digest("team/app", tag) for tag in stale.client().tags("team/app")}
    mirror(source, proxy, "team/app", "--all-tags", "--prune").fails(3, proxy.host, "refused the deletion",
                                                                    "deleting is switched off")
    assert {tag: stale.client().digest("team/app", tag) for tag in stale.client().tags("team/app")} == digests


# Access.

def test_credentials_stay_with_their_registry(airgap: Airgap, make_registry: MakeRegistry, running: Running,
                                              source_images: SourceImages, tmp_path: Path) -> None:
    source = make_registry(filled=True, htpasswd={USER: PASSWORD})
    target = make_registry(htpasswd={"bob": "of the target"})
    fronts = [running(FaultProxy(source)), running(FaultProxy(target))]
    known = auth_file(tmp_path / "auth.json", auths={fronts[0].host: login(USER, PASSWORD),
                                                     fronts[1].host: login("bob", "of the target")})
    airgap.export("mirror", f"{fronts[0].host}/{BUSYBOX}", *plain(*fronts), "--authfile", known, "--to",
                  fronts[1].host).ok()
    for front, own, user in ((fronts[0], f"{USER}:{PASSWORD}", USER), (fronts[1], "bob:of the target", "bob")):
        sent = {r.headers["Authorization"] for r in front.requests() if r.headers["Authorization"]}
        assert sent == {"Basic " + base64.b64encode(own.encode()).decode()}, user
    bob = "Basic " + base64.b64encode(b"bob:of the target").decode()
    assert target.client(Authorization=bob).digest("tools/busybox", "1.35") == source_images[BUSYBOX].digest


def test_credentials_for_the_registry_are_refused_since_there_are_two(airgap: Airgap, source: Registry,
                                                                     registry: Registry, tmp_path: Path) -> None:
    secret = tmp_path / "password"
    secret.write_text("alice:secret\n")
    secret.chmod(0o600)
    airgap.export("mirror", f"{source.host}/{BUSYBOX}", *plain(source, registry), "--creds-file", secret, "--to",
                  registry.host).fails(2, "does not say for which registry")


def test_a_read_only_target_is_named(mirror: Mirror, source: Registry, make_registry: MakeRegistry) -> None:
    target = make_registry(read_only=True)
    mirror(source, target, BUSYBOX).fails(3, target.host, "405", "read-only")


def test_wrong_bytes_are_the_fault_of_the_source(mirror: Mirror, running: Running, source: Registry,
                                                 registry: Registry) -> None:
    proxy = running(FaultProxy(source))
    proxy.rule("GET", "/blobs/" + largest_layer(source)["digest"], flip_byte=5)
    mirror(proxy, registry, BUSYBOX, "--platform", "all").fails(5, "reading the source", "source registry")
    assert registry.client().tags("tools/busybox") == []


def test_an_image_that_does_not_exist_is_named(mirror: Mirror, source: Registry, registry: Registry) -> None:
    mirror(source, registry, BUSYBOX, "team/none:1").fails(3, "team/none:1 does not exist")
    assert writes(registry) == []


def test_keep_going_copies_the_others(mirror: Mirror, source: Registry, registry: Registry) -> None:
    mirror(source, registry, BUSYBOX, "team/none:1", "--keep-going").fails(3, "team/none:1 is left out")
    assert registry.client().tags("tools/busybox") == ["1.35"]


# Interrupted.

@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_run_is_finished_by_the_next(how: signal.Signals, airgap: Airgap, running: Running,
                                                    source: Registry, registry: Registry, source_images: SourceImages
                                                    ) -> None:
    proxy = running(FaultProxy(registry))
    reached, released = threading.Event(), threading.Event()

    def hold() -> None:
        reached.set()
        released.wait(20)

    proxy.rule("PUT", UPLOADS, skip=2, times=1, on_match=hold)
    words = ("mirror", *[f"{source.host}/{name}" for name in APPS], *plain(source, proxy), "--jobs", 1, "--to",
             proxy.host)
    process = airgap.start("airgap-export", *words)
    assert reached.wait(20)
    status = airgap.stop(process, how).status
    assert status == {signal.SIGKILL: -9, signal.SIGINT: 130, signal.SIGTERM: 143}[how]
    released.set()
    proxy.clear_rules()
    assert registry.client().tags("team/app") == []
    airgap.export(*words).ok()
    sent = [r.path.rsplit("digest=", 1)[1] for r in registry.requests("PUT", UPLOADS) if r.status == 201]
    assert len(sent) - len(set(sent)) <= 1  # at most the one that was on its way
    for name in APPS:
        assert registry.client().digest(*name.split(":")) == source_images[name].digest


def test_a_cut_download_continues_where_it_stopped(mirror: Mirror, running: Running, source: Registry,
                                                   registry: Registry) -> None:
    proxy = running(FaultProxy(source))
    proxy.rule("GET", "/blobs/", skip=1, times=1, cut_after=100_000)
    mirror(proxy, registry, BUSYBOX, "--platform", "all").ok()
    assert [r.headers["Range"] for r in proxy.requests("GET", "/blobs/") if r.headers["Range"]] == ["bytes=100000-"]


# What is said.

def test_a_dry_run_writes_nothing_and_says_each_step(mirror: Mirror, source: Registry, registry: Registry) -> None:
    said = mirror(source, registry, BUSYBOX, "--dry-run").ok().out
    assert writes(registry) == []
    assert said.count("upload sha256:") == 2 and f"new tag {registry.host}/{BUSYBOX}" in said


def test_the_report_names_source_and_target(mirror: Mirror, source: Registry, stale: Registry,
                                            source_images: SourceImages, tmp_path: Path) -> None:
    report = tmp_path / "report.json"
    mirror(source, stale, "team/app", BUSYBOX, "--all-tags", "--prune", f"--report={report}").ok()
    said = json.loads(report.read_text())
    assert (said["command"], said["status"], said["target"]) == ("mirror", 0, stale.host)
    outcomes = {image["target"].removeprefix(stale.host + "/"): image for image in said["images"]}
    assert {name: image["outcome"] for name, image in outcomes.items()} == {
        APPS[0]: "present", APPS[1]: "present", BUSYBOX: "pushed", "team/app:gone": "deleted",
        "team/app:old": "deleted", f"team/app:{cosign_tag(APP.digest)}": "deleted"}
    assert outcomes[BUSYBOX]["name"] == f"{source.host}/{BUSYBOX}"
    assert outcomes[BUSYBOX]["digest"] == source_images[BUSYBOX].digest
