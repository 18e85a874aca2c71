"""The directories that `skopeo sync` writes: ours are the same byte for byte, and can be updated."""

import json
import os
import re
import signal
import time
from pathlib import Path
from typing import Any

import pytest
from conftest import Running

from support import oci, skopeo
from support.airgap import Airgap, Result, plain
from support.proxy import FaultProxy
from support.registry import Registry

YAML = """
{host}:
  tls-verify: false
  images:
    team/app: []
    team/web: ["2.0"]
    tools/busybox: [1.35]
    variants/docker-list:
      - "1"
"""
LARGE = "team/app:1.0"
VERSION = b"Directory Transport Version: 1.1\n"


def tree_of(directory: Path) -> dict[str, bytes]:
    """Every file below it by its relative name; folders without files too."""
    found = {str(path.relative_to(directory)): path.read_bytes() for path in directory.rglob("*") if path.is_file()}
    empty = {f"{path.relative_to(directory)}/": b"" for path in directory.rglob("*")
             if path.is_dir() and not any(path.iterdir())}
    return found | empty


def same(ours: Path, theirs: Path) -> None:
    """Both directories hold the same names and bytes."""
    mine, other = tree_of(ours), tree_of(theirs)
    assert mine.keys() == other.keys()
    assert [name for name in mine if mine[name] != other[name]] == []


def yaml_of(path: Path, *servers: Any) -> Path:
    path.write_text("".join(YAML.format(host=server.host) for server in servers))
    return path


def pull(airgap: Airgap, server: Any, output: Path, *words: object, **how: Any) -> Result:
    """`pull --format skopeo-dir`: names without '/HOST/' get the server's; options pass."""
    named = [f"{server.host}/{word}" if not str(word).startswith("-") and ":" in str(word) else word for word in words]
    return airgap.export("pull", *named, *plain(server), "--no-referrers", "--format", "skopeo-dir", "--output", output,
                         **how)


def image(seed: str, *layers: bytes, **how: Any) -> oci.Manifest:
    """A small image; equal bytes make equal layers."""
    return oci.image([oci.tar_layer({f"srv/{number}": data}) for number, data in enumerate(layers)] or
                     [oci.tar_layer({"srv/seed": seed.encode()})], annotations={"seed": seed}, **how)


# --- the same as skopeo's ---

@pytest.mark.parametrize("platform", ["all", "one"])
@pytest.mark.parametrize("scoped", [True, False], ids=["scoped", "not scoped"])
def test_the_tree_of_a_yaml_file_is_skopeos_byte_for_byte(scoped: bool, platform: str, airgap: Airgap,
                                                          source: Registry, tmp_path: Path) -> None:
    sync = yaml_of(tmp_path / "sync.yaml", source)
    words = ["--scoped"] if scoped else []
    airgap.export("pull", "--from", sync, *words, *(["--platform", "all"] if platform == "all" else []),
                  "--format", "skopeo-dir", "--output", tmp_path / "ours").ok()
    skopeo.sync(sync, tmp_path / "theirs", *words, *(["--all"] if platform == "all" else []), src="yaml")
    same(tmp_path / "ours", tmp_path / "theirs")
    assert len(list((tmp_path / "ours").rglob("manifest.json"))) == 5


@pytest.mark.parametrize("platform", ["linux/arm64/v8", "linux/amd64"])
def test_one_platform_out_of_an_index_is_what_skopeo_takes(platform: str, airgap: Airgap, source: Registry,
                                                           tmp_path: Path) -> None:
    pull(airgap, source, tmp_path / "ours", "team/web:2.0", "--platform", platform).ok()
    _, architecture, *variant = platform.split("/")
    skopeo.run("--override-arch", architecture, *(["--override-variant", variant[0]] if variant else []), "sync",
               "--src", "docker", "--dest", "dir", "--src-tls-verify=false", f"{source.host}/team/web:2.0",
               str(tmp_path / "theirs"))
    same(tmp_path / "ours", tmp_path / "theirs")


def test_an_image_by_digest_gets_the_folder_that_skopeo_gives_it(airgap: Airgap, source: Registry,
                                                                tmp_path: Path) -> None:
    names = [f"{name.split(':')[0]}@{source.client().digest(*name.split(':'))}" for name in (LARGE, "team/web:2.0")]
    pull(airgap, source, tmp_path / "ours", *names, "--scoped").ok()
    for name in names:
        skopeo.sync(f"{source.host}/{name}", tmp_path / "theirs" / name.split("@")[0], "--all", "--scoped")
    for name in names:
        same(tmp_path / "ours" / source.host / name, tmp_path / "theirs" / name.split("@")[0] / source.host / name)


@pytest.mark.parametrize("number, options", [(1, []), (2, ["--platform", "all"])])
def test_an_image_is_stored_as_skopeo_copies_it_to_a_directory(number: int, options: list[str], airgap: Airgap,
                                                               source: Registry, tmp_path: Path) -> None:
    name = LARGE if number == 1 else "team/web:2.0"
    pull(airgap, source, tmp_path / "ours", name, "--scoped", *options).ok()
    skopeo.copy_to_dir(f"docker://{source.host}/{name}", tmp_path / "theirs")
    same(tmp_path / "ours" / source.host / name, tmp_path / "theirs")


def test_scoped_folders_are_called_by_the_whole_name(airgap: Airgap, source: Registry, tmp_path: Path) -> None:
    for words in ([], ["--scoped"]):
        pull(airgap, source, tmp_path / "tree", LARGE, *words).ok()
    assert (tmp_path / "tree" / "app:1.0" / "manifest.json").is_file()
    assert (tmp_path / "tree" / source.host / "team" / "app:1.0" / "manifest.json").is_file()


def test_a_repository_without_a_tag_gives_a_folder_for_each_tag(airgap: Airgap, source: Registry,
                                                               tmp_path: Path) -> None:
    airgap.export("pull", "--all-tags", f"{source.host}/team/app", *plain(source), "--format", "skopeo-dir", "--output",
                  tmp_path / "tree").ok()
    assert sorted(path.name for path in (tmp_path / "tree").iterdir()) == ["app:1.0", "app:1.1"]
    skopeo.sync(f"{source.host}/team/app", tmp_path / "theirs")
    same(tmp_path / "tree", tmp_path / "theirs")


def test_patterns_and_digests_of_several_registries_give_skopeos_tree(airgap: Airgap, source: Registry,
                                                                     make_registry: Any, tmp_path: Path) -> None:
    other = make_registry(filled=True)
    digest = source.client().digest("team/app", "1.1")
    sync = tmp_path / "sync.yaml"
    sync.write_text(json.dumps({server.host: {
        "tls-verify": False, "images": {"tools/busybox": ["1.35"], "team/app": [digest]},
        "images-by-tag-regex": {"debian/base": "^1[0-9]$", "team/web": r"^2\."}} for server in (source, other)}))
    airgap.export("pull", "--from", sync, "--platform", "all", "--scoped", "--no-referrers", "--format", "skopeo-dir",
                  "--output", tmp_path / "ours").ok()
    skopeo.sync(sync, tmp_path / "theirs", "--scoped", "--all", src="yaml")
    same(tmp_path / "ours", tmp_path / "theirs")
    for server in (source, other):
        assert {str(path.parent.relative_to(tmp_path / "ours" / server.host))
                for path in (tmp_path / "ours" / server.host).rglob("manifest.json")} == {
            "tools/busybox:1.35", f"team/app@{digest}", "debian/base:12", "team/web:2.0"}


def test_an_index_by_digest_is_whole_where_skopeo_takes_one_platform(airgap: Airgap, source: Registry, tmp_path: Path
                                                                     ) -> None:
    """Other than skopeo without --all: what is pinned must stay pullable, and its folder says that digest."""
    name = f"team/web@{source.client().digest('team/web', '2.0')}"
    pull(airgap, source, tmp_path / "ours", name, "--platform", "linux/amd64").ok()
    for directory, options in ((tmp_path / "one", []), (tmp_path / "all", ["--all"])):
        skopeo.sync(f"{source.host}/{name}", directory, *options)
    same(tmp_path / "ours", tmp_path / "all")
    folder = name.split("/")[1]
    assert oci.digest_of((tmp_path / "one" / folder / "manifest.json").read_bytes()) != name.split("@")[1]


def test_a_narrowed_index_is_written_with_the_chosen_children(airgap: Airgap, registry: Registry,
                                                              tmp_path: Path) -> None:
    children = [image(arch, architecture=arch) for arch in ("amd64", "arm64", "s390x")]
    oci.push(registry.client(), "team/web", "1", oci.index(children))
    pull(airgap, registry, tmp_path / "tree", "team/web:1", "--platform", "linux/amd64,linux/s390x").ok()
    folder = tmp_path / "tree" / "web:1"
    index = json.loads((folder / "manifest.json").read_bytes())
    assert [child["digest"] for child in index["manifests"]] == [children[0].digest, children[2].digest]
    for child in (children[0], children[2]):
        assert (folder / f"{child.digest.split(':')[1]}.manifest.json").read_bytes() == child.data
    assert not (folder / f"{children[1].digest.split(':')[1]}.manifest.json").exists()


# --- what images share ---

def test_what_images_share_is_fetched_once_and_has_a_name_in_each_folder(airgap: Airgap, source: Registry,
                                                                        tmp_path: Path) -> None:
    source.mark()
    pull(airgap, source, tmp_path / "tree", "team/app:1.0", "team/app:1.1", "debian/base:12").ok()
    blobs = [request.path for request in source.requests("GET", "/blobs/")]
    assert len(blobs) == len(set(path.rsplit("/", 1)[1] for path in blobs))
    base = json.loads((tmp_path / "tree" / "base:12" / "manifest.json").read_bytes())["layers"][0]["digest"].split(":")[1]
    places = [path.stat() for path in (tmp_path / "tree").rglob(base)]
    assert len(places) == 3 and {place.st_nlink for place in places} == {3}
    assert len({place.st_ino for place in places}) == 1


# --- updating ---

def test_an_unchanged_tag_costs_one_head(airgap: Airgap, source: Registry, tmp_path: Path) -> None:
    names = ["team/app:1.0", "tools/busybox:1.35", "charts/demo:0.1.0"]
    for scoped in ([], ["--scoped"]):
        pull(airgap, source, tmp_path / "tree", *names, *scoped).ok()
        before = tree_of(tmp_path / "tree")
        source.mark()
        pull(airgap, source, tmp_path / "tree", *names, *scoped).ok()
        assert len(source.requests("HEAD", "/manifests/")) == len(names)
        assert source.requests("GET", "/(manifests|blobs)/") == []
        assert tree_of(tmp_path / "tree") == before


def test_an_unchanged_index_costs_one_head_with_all_platforms(airgap: Airgap, source: Registry, tmp_path: Path) -> None:
    for _ in range(2):
        source.mark()
        pull(airgap, source, tmp_path / "tree", "team/web:2.0", "--platform", "all").ok()
    assert source.requests("GET", "/(manifests|blobs)/") == []


def test_one_platform_instead_of_all_rewrites_the_folder_and_fetches_no_blob(airgap: Airgap, source: Registry,
                                                                            tmp_path: Path) -> None:
    pull(airgap, source, tmp_path / "ours", "team/web:2.0", "--platform", "all").ok()
    source.mark()
    pull(airgap, source, tmp_path / "ours", "team/web:2.0", "--platform", "linux/amd64").ok()
    assert source.requests("GET", "/blobs/") == []
    pull(airgap, source, tmp_path / "fresh", "team/web:2.0", "--platform", "linux/amd64").ok()
    same(tmp_path / "ours", tmp_path / "fresh")


def test_skopeos_own_tree_is_updated(airgap: Airgap, mutable_source: Registry, tmp_path: Path) -> None:
    """What is there whole is not fetched again; a tag that moved gets its new content, and nothing of the old is left."""
    client = mutable_source.client()
    oci.push(client, "team/app", "moving", image("old", b"shared", b"old"))
    skopeo.sync(f"{mutable_source.host}/team/app", tmp_path / "tree", "--all")
    old = tree_of(tmp_path / "tree")
    oci.push(client, "team/app", "moving", image("new", b"shared", b"new"))
    mutable_source.mark()
    pull(airgap, mutable_source, tmp_path / "tree", "team/app:moving", "team/app:1.0").ok()
    assert len(mutable_source.requests("GET", "/blobs/")) == 2  # the config and the layer that are new
    skopeo.sync(f"{mutable_source.host}/team/app", tmp_path / "fresh", "--all")
    same(tmp_path / "tree", tmp_path / "fresh")
    assert {name for name in old if not name.startswith("app:moving")} < tree_of(tmp_path / "tree").keys()


def test_images_beside_the_selection_stay_unless_pruned(airgap: Airgap, source: Registry, tmp_path: Path) -> None:
    tree = tmp_path / "tree"
    pull(airgap, source, tree, "team/app:1.0", "debian/base:12", "--scoped").ok()
    pull(airgap, source, tree, "tools/busybox:1.35", "--scoped").ok()
    assert len(list(tree.rglob("manifest.json"))) == 3
    pull(airgap, source, tree, "tools/busybox:1.35", "--scoped", "--prune").ok()
    assert [path.relative_to(tree / source.host).as_posix() for path in tree.rglob("manifest.json")] == \
        ["tools/busybox:1.35/manifest.json"]
    assert [path.name for path in (tree / source.host).iterdir()] == ["tools"]  # no empty folder stays


def test_a_damaged_folder_is_made_whole_again(airgap: Airgap, source: Registry, tmp_path: Path) -> None:
    tree = tmp_path / "tree"
    pull(airgap, source, tree, LARGE).ok()
    whole = tree_of(tree)
    folder = tree / "app:1.0"
    layer = max((path for path in folder.iterdir()), key=lambda path: path.stat().st_size)
    layer.unlink()
    layer.write_bytes(b"cut short")
    (folder / "version").unlink()
    pull(airgap, source, tree, LARGE).ok()
    assert tree_of(tree) == whole
    (folder / "manifest.json").unlink()
    pull(airgap, source, tree, LARGE).ok()
    assert tree_of(tree) == whole


def test_a_damaged_image_beside_the_selection_fails_the_pull(airgap: Airgap, source: Registry, tmp_path: Path) -> None:
    tree = tmp_path / "tree"
    pull(airgap, source, tree, LARGE).ok()
    next(path for path in (tree / "app:1.0").iterdir() if re.fullmatch("[0-9a-f]{64}", path.name)).unlink()
    pull(airgap, source, tree, "tools/busybox:1.35").fails(5, "not whole beside those to be pulled: app:1.0/", "--prune")
    pull(airgap, source, tree, "tools/busybox:1.35", "--prune").ok()
    assert [path.name for path in tree.iterdir()] == ["busybox:1.35"]


def flip_a_bit(path: Path) -> None:
    """The size stays."""
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


def test_a_flipped_bit_is_found_by_verify_in_every_folder_that_has_it(airgap: Airgap, source: Registry, tmp_path: Path
                                                                      ) -> None:
    """An update of what did not change looks at sizes alone, and says nothing."""
    tree, names = tmp_path / "tree", ("team/app:1.0", "team/app:1.1")
    pull(airgap, source, tree, *names).ok()
    shared = next(path for path in (tree / "app:1.0").iterdir() if path.stat().st_nlink == 2)
    flip_a_bit(shared)
    pull(airgap, source, tree, *names).ok()
    found = airgap.import_("verify", tree).fails(5).out
    assert re.search(rf"app:1\.[01]/{shared.name}: wrong bytes: expected sha256:{shared.name}, found sha256:", found)
    assert "touches app:1.0, app:1.1" in found and "1 finding, 2 images touched" in found


@pytest.mark.parametrize("which", ["another image", "a tag that moved"])
def test_damage_does_not_spread_to_an_image_that_a_run_writes(which: str, airgap: Airgap, registry: Registry,
                                                              tmp_path: Path) -> None:
    tree, client = tmp_path / "tree", registry.client()
    old = image("old", b"shared", b"old")
    oci.push(client, "team/app", "1", old)
    pull(airgap, registry, tree, "team/app:1").ok()
    shared = tree / "app:1" / old.blobs[1].digest.split(":")[1]
    flip_a_bit(shared)
    tag = "1" if which == "a tag that moved" else "2"
    oci.push(client, "team/app", tag, image("new", b"shared", b"new"))
    pull(airgap, registry, tree, f"team/app:{tag}").fails(5, f"app:1/{shared.name}", "remove that file", "verify")
    shared.unlink()
    pull(airgap, registry, tree, f"team/app:{tag}", *["team/app:1"] * (tag == "2")).ok()
    airgap.import_("verify", tree).ok()


# --- whose folder it is ---

@pytest.fixture
def two(make_registry: Any) -> tuple[Registry, Registry]:
    """Two registries with another image each under one name."""
    registries = (make_registry(), make_registry())
    for registry, seed in zip(registries, ("of one", "of the other")):
        oci.push(registry.client(), "team/app", "1", image(seed))
    return registries


@pytest.mark.parametrize("dry_run", [True, False], ids=["dry run", "run"])
def test_a_folder_that_gets_another_image_is_said_and_reported(dry_run: bool, airgap: Airgap,
                                                               two: tuple[Registry, Registry], tmp_path: Path) -> None:
    """A tree does not say whose an image is: a tag that moved and another repository's image look the same."""
    tree, report = tmp_path / "tree", tmp_path / "report.json"
    first = pull(airgap, two[0], tree, "team/app:1").ok()
    old, new = (registry.client().digest("team/app", "1") for registry in two)
    said = pull(airgap, two[1], tree, "team/app:1", f"--report={report}", *["--dry-run"] * dry_run).ok()
    replaced = f"replaces {old} by {new} in the folder app:1"
    assert "replaces" not in first.err and f"{two[1].host}/team/app:1 {replaced}" in said.err
    (reported,) = json.loads(report.read_text())["images"]
    assert [note for note in reported["notes"] if replaced in note]
    holds = oci.digest_of((tree / "app:1" / "manifest.json").read_bytes())
    assert holds == (old if dry_run else new)


def test_without_leave_no_folder_gets_another_image(airgap: Airgap, two: tuple[Registry, Registry], tmp_path: Path
                                                    ) -> None:
    tree = tmp_path / "tree"
    for scoped in ([], ["--scoped"]):
        pull(airgap, two[0], tree, "team/app:1", "--no-overwrite-tags", *scoped).ok()
    before = tree_of(tree)
    old, new = (registry.client().digest("team/app", "1") for registry in two)
    two[1].mark()
    for options in ([], ["--dry-run"]):
        pull(airgap, two[1], tree, "team/app:1", "--no-overwrite-tags", *options).fails(
            5, f"the folder app:1 in {tree} holds {old} already, and {two[1].host}/team/app:1 stands for {new}",
            "--scoped")
    config = two[1].client().manifest("team/app", "1").json()["config"]["digest"]  # read for its platform
    assert {request.path.rsplit("/", 1)[1] for request in two[1].requests("GET", "/blobs/")} <= {config}
    assert {name: data for name, data in tree_of(tree).items() if ".partial" not in name} == before
    pull(airgap, two[1], tree, "team/app:1", "--no-overwrite-tags", "--scoped").ok()
    oci.push(two[0].client(), "team/app", "1", image("moved"))
    pull(airgap, two[0], tree, "team/app:1", "--no-overwrite-tags", "--scoped").fails(5, "holds .* already")
    moved = pull(airgap, two[0], tree, "team/app:1", "--scoped").ok()
    assert "replaces" not in moved.err  # the folder says whose image it is


# --- stopped ---

@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL])
def test_a_stopped_pull_goes_on_inside_a_blob_and_leaves_no_trace(how: signal.Signals, airgap: Airgap, source: Registry,
                                                                 running: Running, tmp_path: Path) -> None:
    proxy = running(FaultProxy(source))
    layers = source.client().manifest("team/app", "1.0").json()["layers"]
    digest = max(layers, key=lambda layer: layer["size"])["digest"]
    proxy.rule("GET", digest, times=1, rate=3_000_000)
    words = ["pull", f"{proxy.host}/{LARGE}", *plain(proxy), "--no-referrers", "--format", "skopeo-dir", "--output",
             tmp_path / "tree"]
    process = airgap.start("airgap-export", *words)
    partial = tmp_path / "tree" / ".partial" / digest.replace(":", "-")
    deadline = time.monotonic() + 20
    while not partial.exists() or partial.stat().st_blocks * 512 < 2_000_000:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    airgap.stop(process, how)
    assert list((tmp_path / "tree").rglob("manifest.json")) == []  # nothing that skopeo takes for an image
    proxy.mark()
    airgap.export(*words).ok()
    if how != signal.SIGKILL:  # which may lose what was not synced
        (resumed,) = proxy.requests("GET", digest)
        assert re.fullmatch(r"bytes=[1-9]\d+-", resumed.headers["Range"])
    skopeo.sync(f"{source.host}/{LARGE}", tmp_path / "theirs", "--all")
    same(tmp_path / "tree", tmp_path / "theirs")


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL])
def test_an_update_that_is_stopped_leaves_the_image_that_was_there(how: signal.Signals, airgap: Airgap,
                                                                  registry: Registry, running: Running,
                                                                  tmp_path: Path) -> None:
    client = registry.client()
    proxy = running(FaultProxy(registry))
    oci.push(client, "team/app", "1", image("old", b"shared", b"old"))
    pull(airgap, proxy, tmp_path / "tree", "team/app:1").ok()
    old = tree_of(tmp_path / "tree")
    large = os.urandom(3_000_000)
    oci.push(client, "team/app", "1", image("new", b"shared", large))
    proxy.rule("GET", "/blobs/", rate=400_000)
    process = airgap.start("airgap-export", "pull", f"{proxy.host}/team/app:1", *plain(proxy), "--no-referrers",
                           "--format", "skopeo-dir", "--output", tmp_path / "tree")
    deadline = time.monotonic() + 20
    while not any(path.stat().st_blocks for path in (tmp_path / "tree").glob(".partial/sha256-*")):
        assert time.monotonic() < deadline
        time.sleep(0.01)
    airgap.stop(process, how)
    left = {name: data for name, data in tree_of(tmp_path / "tree").items() if name in old}
    assert left == old


# --- refused ---

def test_two_images_with_one_folder_are_refused_beforehand(airgap: Airgap, source: Registry, registry: Registry,
                                                          tmp_path: Path) -> None:
    oci.push(registry.client(), "other/app", "1.0", image("other"))
    both = [f"{source.host}/team/app:1.0", f"{registry.host}/other/app:1.0"]
    words = ["pull", *both, *plain(source, registry), "--no-referrers", "--format", "skopeo-dir", "--output",
             tmp_path / "tree"]
    airgap.export(*words).fails(2, "would both be written to the folder app:1.0", "--scoped")
    assert not (tmp_path / "tree").exists()
    airgap.export(*words, "--scoped").ok()
    assert (tmp_path / "tree" / registry.host / "other" / "app:1.0" / "manifest.json").is_file()


def test_two_images_with_one_folder_are_refused_when_it_is_there_already(airgap: Airgap, make_registry: Any,
                                                                         tmp_path: Path) -> None:
    """The image in the folder is the same in both, and its name there says no registry."""
    one, two = make_registry(), make_registry()
    for registry in (one, two):
        oci.push(registry.client(), "team/app", "1", image("same"))
    words = ["pull", f"{one.host}/team/app:1", *plain(one, two), "--no-referrers", "--format", "skopeo-dir", "--output",
             tmp_path / "tree"]
    airgap.export(*words).ok()
    airgap.export(*words, f"{two.host}/team/app:1").fails(2, "would both be written to the folder app:1")


@pytest.mark.parametrize("entry", ["notes.txt", "app:1.0/notes.txt", "app:1.0/deeper/file", "Not A Name/version",
                                   "link", "oci-layout"])
def test_a_directory_with_anything_else_in_it_is_refused_and_left_alone(entry: str, airgap: Airgap, source: Registry,
                                                                       tmp_path: Path) -> None:
    pull(airgap, source, tmp_path / "tree", LARGE).ok()
    path = tmp_path / "tree" / entry
    path.parent.mkdir(parents=True, exist_ok=True)
    path.symlink_to("/etc/passwd") if entry == "link" else path.write_bytes(VERSION)
    before = tree_of(tmp_path / "tree")
    pull(airgap, source, tmp_path / "tree", "tools/busybox:1.35").fails(2, "is not empty and is no tree", "new directory")
    assert tree_of(tmp_path / "tree") == before


def test_a_bundle_is_no_tree_and_a_tree_is_no_bundle(airgap: Airgap, source: Registry, tmp_path: Path) -> None:
    plain_words = [*plain(source), "--no-referrers", "--output"]
    airgap.export("pull", f"{source.host}/{LARGE}", *plain_words, f"{tmp_path}/bundle/").ok()
    pull(airgap, source, tmp_path / "bundle", LARGE).fails(2, "no tree of image folders")
    pull(airgap, source, tmp_path / "tree", LARGE).ok()
    airgap.export("pull", f"{source.host}/{LARGE}", *plain_words, f"{tmp_path}/tree/").fails(2, "is no bundle")


@pytest.mark.parametrize("words, message", [
    (["--format", "oci"], "there is no 'oci'"),
    (["--format", "skopeo-dir", "--flat"], "takes --scoped, and no other names"),
    (["--format", "skopeo-dir", "--map", "a/b=c"], "takes --scoped, and no other names"),
    (["--format", "skopeo-dir", "--output", "-"], "do not go through a pipe"),
    (["--format", "skopeo-dir", "--output", "o.tar"], "'o.tar': it is called as a file.*\n?.*--output o.tar/ makes a dir"),
    (["--format", "skopeo-dir", "--output", "o.tar.zst"], "it is called as a file"),
    (["--no-overwrite-tags"], "is for --format skopeo-dir"),
])
def test_options_that_do_not_fit_are_refused(words: list[str], message: str, airgap: Airgap, tmp_path: Path) -> None:
    output = [] if "--output" in words else ["--output", tmp_path / "tree"]
    airgap.export("pull", "example.com/app:1", *words, *output).fails(2, message)


def test_a_directory_that_is_called_as_an_archive_is_written_where_that_is_meant(airgap: Airgap, source: Registry,
                                                                                 tmp_path: Path) -> None:
    airgap.export("pull", f"{source.host}/{LARGE}", *plain(source), "--no-referrers", "--format", "skopeo-dir",
                  "--output", f"{tmp_path}/o.tar/").ok()
    assert (tmp_path / "o.tar" / "app:1.0" / "manifest.json").is_file()


@pytest.mark.parametrize("names, fine", [([], True), (["--scoped"], True), (["--flat"], True),
                                         (["--map", "{host}/team/app=other/app"], False),
                                         (["--map", "{host}/team/app:1.0=team/app:2"], False)])
def test_a_lock_that_names_targets_is_refused(names: list[str], fine: bool, airgap: Airgap, source: Registry,
                                              tmp_path: Path) -> None:
    lock = tmp_path / "lock.json"
    airgap.export("plan", f"{source.host}/{LARGE}", *plain(source), "--lock", lock,
                  *[word.format(host=source.host) for word in names]).ok()
    result = pull(airgap, source, tmp_path / "tree", "--from", lock)
    if fine:
        result.ok()
        folder = f"{source.host}/{LARGE}" if names == ["--scoped"] else "app:1.0"
        assert (tmp_path / "tree" / folder / "manifest.json").is_file()
    else:
        result.fails(2, f"{lock} calls {source.host}/{LARGE} .*app(:1.0|:2) inside: .* no other names", "leave targets out")
        assert not (tmp_path / "tree").exists()


def test_a_name_with_tag_and_digest_has_no_folder_that_skopeo_reads(airgap: Airgap, source: Registry,
                                                                   tmp_path: Path) -> None:
    digest = source.client().digest("team/app", "1.0")
    pull(airgap, source, tmp_path / "tree", f"{LARGE}@{digest}").fails(2, "has a tag and a digest")


def test_a_dry_run_writes_nothing(airgap: Airgap, source: Registry, tmp_path: Path) -> None:
    result = pull(airgap, source, tmp_path / "tree", LARGE, "--dry-run").ok()
    assert "1 image" in result.err
    assert not (tmp_path / "tree").exists()
