"""Directories that `skopeo sync` wrote go into a registry, from any of their folders; skopeo reads ours as well."""

import json
import os
import shutil
from pathlib import Path
from typing import Any, Callable

import pytest

from support import oci, skopeo
from support.airgap import Airgap, Result, plain
from support.registry import Registry
from support.source import SourceImages

NAMES = ("team/app:1.0", "team/app:1.1", "team/web:2.0", "tools/busybox:1.35", "variants/docker-list:1",
         "charts/demo:0.1.0", "legacy/busybox:1.35")
HEX = "0" * 64
Tree = Callable[..., Path]


@pytest.fixture
def skopeos(source: Registry, tmp_path: Path) -> Tree:
    """skopeos("--scoped", …): a tree of NAMES as skopeo writes it, all platforms."""
    def make(*options: str, names: tuple[str, ...] = NAMES, all_platforms: bool = True) -> Path:
        section: dict[str, Any] = {}
        for name in names:
            repository, tag = name.split("@") if "@" in name else name.rsplit(":", 1)
            section.setdefault(repository, []).append(tag)
        file = tmp_path / "tree.yaml"
        file.write_text(json.dumps({source.host: {"tls-verify": False, "images": section}}))
        skopeo.sync(file, tmp_path / "tree", *(["--all"] if all_platforms else []), *options, src="yaml")
        return tmp_path / "tree"

    return make


def push(airgap: Airgap, tree: object, registry: Registry, *options: object, prefix: str = "", **how: Any) -> Result:
    return airgap.import_("push", tree, f"{registry.host}{prefix}", *plain(registry), *options, **how)


def verify(airgap: Airgap, tree: object) -> Result:
    return airgap.import_("verify", tree)


def content(registry: Registry) -> dict[str, str]:
    """`repository:tag` -> digest of all that a registry holds."""
    client = registry.client()
    return {f"{repository}:{tag}": client.digest(repository, tag)
            for repository in client.repositories() for tag in client.tags(repository)}


def write_image(folder: Path, manifest: oci.Manifest) -> None:
    """As skopeo stores it with all platforms."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "version").write_text("Directory Transport Version: 1.1\n")
    (folder / "manifest.json").write_bytes(manifest.data)
    for child in manifest.children:
        (folder / f"{child.digest.split(':')[1]}.manifest.json").write_bytes(child.data)
    for part in (manifest, *manifest.children):
        for blob in part.blobs:
            (folder / blob.digest.split(":")[1]).write_bytes(blob.data)


def image(seed: str, **how: Any) -> oci.Manifest:
    return oci.image([oci.tar_layer({"srv/seed": seed.encode()})], **how)


# --- both directions ---

@pytest.mark.parametrize("scoped", [True, False], ids=["scoped", "not scoped"])
def test_skopeo_imports_our_tree_and_the_registry_then_holds_the_same(scoped: bool, airgap: Airgap, source: Registry,
                                                                     source_images: SourceImages, registry: Registry,
                                                                     tmp_path: Path) -> None:
    names = [name for name in NAMES if scoped or not name.startswith("legacy/")]
    airgap.export("pull", *[f"{source.host}/{name}" for name in names], *plain(source), "--no-referrers", "--platform",
                  "all", "--format", "skopeo-dir", *(["--scoped"] if scoped else []), "--output", tmp_path / "tree").ok()
    # skopeo reads no ':' inside a path, so it is given the folder below the port.
    skopeo.sync(tmp_path / "tree" / (source.host if scoped else ""), registry.host, "--all",
                *(["--scoped"] if scoped else []), src="dir", dest="docker")
    wanted = {name if scoped else name.split("/")[1]: source_images[name].digest for name in names}
    assert content(registry) == wanted


@pytest.mark.parametrize("scoped", [True, False], ids=["scoped", "not scoped"])
def test_we_import_skopeos_tree_and_the_registry_then_holds_the_same(scoped: bool, airgap: Airgap, skopeos: Tree,
                                                                    source_images: SourceImages,
                                                                    registry: Registry) -> None:
    names = tuple(name for name in NAMES if scoped or not name.startswith("legacy/"))
    tree = skopeos(*(["--scoped"] if scoped else []), names=names)
    push(airgap, tree, registry).ok()
    assert content(registry) == {name if scoped else name.split("/")[1]: source_images[name].digest for name in names}
    push(airgap, tree, registry).ok()  # and once more there is nothing to do


def test_what_is_read_back_is_what_was_pushed(airgap: Airgap, skopeos: Tree, source: Registry,
                                              registry: Registry, tmp_path: Path) -> None:
    tree = skopeos("--scoped")
    push(airgap, tree, registry, "--scoped").ok()
    for name in NAMES:
        host = source.host.replace(":", "-")
        (tmp_path / "back" / name).mkdir(parents=True)
        skopeo.copy_to_dir(f"docker://{registry.host}/{host}/{name}", tmp_path / "back" / name)
        mine, theirs = tmp_path / "back" / name, tree / source.host / name
        assert sorted(p.name for p in mine.iterdir()) == sorted(p.name for p in theirs.iterdir())
        assert all((mine / p.name).read_bytes() == p.read_bytes() for p in theirs.iterdir())


def test_signatures_and_referrers_have_folders_that_skopeo_imports(airgap: Airgap, make_registry: Any,
                                                                  tmp_path: Path) -> None:
    outside, inside, ours = make_registry(), make_registry(), make_registry()
    app = image("app")
    digest = oci.push(outside.client(), "team/app", "1", app)
    oci.push(outside.client(), "team/app", oci.cosign_tag(digest), oci.signature_for(app))
    sbom = oci.sbom_for(app)
    oci.push_referrer(outside.client(), "team/app", app, sbom)
    airgap.export("pull", f"{outside.host}/team/app:1", *plain(outside), "--format", "skopeo-dir", "--output",
                  tmp_path / "tree").ok()
    folders = sorted(path.name for path in (tmp_path / "tree").iterdir())
    assert folders == sorted(["app:1", f"app:{oci.cosign_tag(digest)}", f"app:{oci.referrers_tag(digest)}"])
    skopeo.sync(tmp_path / "tree", f"{inside.host}/team", "--all", src="dir", dest="docker")
    push(airgap, tmp_path / "tree", ours, prefix="/team").ok()
    assert content(outside) == content(ours)
    # Debian's skopeo writes the list of referrers anew, without the artifactType of its entries.
    rewritten = f"team/app:{oci.referrers_tag(digest)}"
    assert content(inside) | {rewritten: ""} == content(outside) | {rewritten: ""}
    listed = inside.client().manifest("team/app", oci.referrers_tag(digest)).json()["manifests"]
    assert [entry["digest"] for entry in listed] == [sbom.digest]
    assert ours.client().digest("team/app", sbom.digest) == sbom.digest


def test_a_referrer_by_digest_is_pushed_by_digest_and_listed(airgap: Airgap, registry: Registry, tmp_path: Path) -> None:
    app = image("app")
    sbom = oci.sbom_for(app)
    write_image(tmp_path / "tree" / "app:1", app)
    write_image(tmp_path / "tree" / f"app@{sbom.digest}", sbom)
    push(airgap, tmp_path / "tree", registry).ok()
    client = registry.client()
    assert client.digest("app", sbom.digest) == sbom.digest
    assert [entry["digest"] for entry in client.manifest("app", oci.referrers_tag(app.digest)).json()["manifests"]] == \
        [sbom.digest]


# --- from any folder ---

@pytest.mark.parametrize("path, cwd, place", [
    ("{tree}", ".", "team/app:1.0"),
    ("{tree}/", ".", "team/app:1.0"),
    ("{tree}/{host}", ".", "team/app:1.0"),
    ("{tree}/{host}/", ".", "team/app:1.0"),
    ("{tree}/{host}/team", ".", "app:1.0"),
    ("{tree}/{host}/team/app:1.0", ".", "app:1.0"),
    ("{tree}/{host}/team/app:1.0/", ".", "app:1.0"),
    ("tree", "{tree}/..", "team/app:1.0"),
    ("./tree", "{tree}/..", "team/app:1.0"),
    ("./tree/", "{tree}/..", "team/app:1.0"),
    (".", "{tree}", "team/app:1.0"),
    ("./", "{tree}", "team/app:1.0"),
    ("..", "{tree}/{host}", "team/app:1.0"),
    (".", "{tree}/{host}/team", "app:1.0"),
    (".", "{tree}/{host}/team/app:1.0", "app:1.0"),
    ("../app:1.0", "{tree}/{host}/team/app:1.0", "app:1.0"),
    ("{tree}/../link", ".", "team/app:1.0"),
])
def test_a_tree_is_read_from_any_of_its_folders(path: str, cwd: str, place: str, airgap: Airgap, skopeos: Tree,
                                               source: Registry, source_images: SourceImages,
                                               registry: Registry) -> None:
    tree = skopeos("--scoped", names=("team/app:1.0",))
    (tree.parent / "link").symlink_to(tree)
    words = {"tree": tree, "host": source.host}
    push(airgap, path.format(**words), registry, prefix="/mirror", cwd=Path(cwd.format(**words))).ok()
    assert content(registry) == {f"mirror/{place}": source_images["team/app:1.0"].digest}


@pytest.mark.parametrize("options, place", [
    ([], "team/app:1.0"), (["--scoped"], "{host}/team/app:1.0"), (["--flat"], "app:1.0"),
    (["--map", "{source}/team/=apps/"], "apps/app:1.0"), (["--map", "{source}/team/app:1.0=x:2"], "x:2"),
])
def test_a_scoped_tree_knows_the_registry_with_its_port(options: list[str], place: str, airgap: Airgap, skopeos: Tree,
                                                       source: Registry, registry: Registry) -> None:
    tree = skopeos("--scoped", names=("team/app:1.0",))
    push(airgap, tree, registry, *[option.format(source=source.host) for option in options]).ok()
    assert list(content(registry)) == [place.format(host=source.host.replace(":", "-"))]


@pytest.mark.parametrize("options, place", [
    ([], "p/app:1.0"), (["--scoped"], "p/app:1.0"), (["--flat"], "p/app:1.0"), (["--map", "app=team/app"], "p/team/app:1.0"),
    (["--map", "app:1.0=team/app:2"], "p/team/app:2"),
])
def test_an_image_without_a_registry_goes_where_its_folder_says(options: list[str], place: str, airgap: Airgap,
                                                               skopeos: Tree, registry: Registry) -> None:
    push(airgap, skopeos(names=("team/app:1.0",)), registry, *options, prefix="/p").ok()
    assert list(content(registry)) == [place]


def test_a_cosign_tag_goes_along_where_its_image_is_mapped_to(airgap: Airgap, registry: Registry, tmp_path: Path
                                                              ) -> None:
    """In such a tree it is an image like others: its tag says what it is about."""
    tree, subject = tmp_path / "tree", image("app")
    write_image(tree / "app:1", subject)
    write_image(tree / "app:2", image("other"))
    write_image(tree / f"app:{oci.cosign_tag(subject.digest)}", oci.signature_for(subject))
    push(airgap, tree, registry, "--map", "app:1=web/app:one").ok()
    assert set(content(registry)) == {"web/app:one", f"web/app:{oci.cosign_tag(subject.digest)}", "app:2"}
    push(airgap, tree, registry, "--map", "ap=x").fails(2, "--map docker.io/library/ap=x is for no image that is here",
                                                       "did you mean 'docker.io/library/app'")


def test_a_folder_without_a_tag_is_latest(airgap: Airgap, registry: Registry, tmp_path: Path) -> None:
    """As `skopeo copy docker://… dir:tree/team/app` leaves it."""
    write_image(tmp_path / "tree" / "team" / "app", image("app"))
    push(airgap, tmp_path / "tree", registry).ok()
    assert list(content(registry)) == ["team/app:latest"]


def test_two_folders_of_one_name_are_refused(airgap: Airgap, registry: Registry, tmp_path: Path) -> None:
    for folder in ("app", "app:latest"):
        write_image(tmp_path / "tree" / folder, image(folder))
    push(airgap, tmp_path / "tree", registry).fails(6, "app:latest lies in app too")


# --- platforms ---

def test_all_platforms_are_pushed_without_being_told(airgap: Airgap, skopeos: Tree, source_images: SourceImages,
                                                    registry: Registry) -> None:
    push(airgap, skopeos(names=("team/web:2.0",)), registry).ok()
    assert registry.client().digest("web", "2.0") == source_images["team/web:2.0"].digest
    for child in registry.client().manifest("web", "2.0").json()["manifests"]:
        assert registry.client().digest("web", child["digest"]) == child["digest"]


def test_an_index_without_its_children_is_refused_and_they_are_named(airgap: Airgap, registry: Registry,
                                                                    tmp_path: Path) -> None:
    children = [image(arch, architecture=arch) for arch in ("amd64", "arm64")]
    write_image(tmp_path / "tree" / "team" / "web:1", oci.index(children))
    for gone in children:
        (tmp_path / "tree" / "team" / "web:1" / f"{gone.digest.split(':')[1]}.manifest.json").unlink()
        push(airgap, tmp_path / "tree", registry).fails(5, "team/web:1/", f"lists {gone.digest} for linux/",
                                                        "export the image again with all platforms")
        write_image(tmp_path / "tree" / "team" / "web:1", oci.index(children))
    for gone in children:
        (tmp_path / "tree" / "team" / "web:1" / f"{gone.digest.split(':')[1]}.manifest.json").unlink()
    out = verify(airgap, tmp_path / "tree").fails(5).out
    assert all(gone.digest in out for gone in children) and "touches team/web:1" in out
    assert registry.client().repositories() == []


# --- foreign layers ---

def test_foreign_layers_are_pushed(airgap: Airgap, registry: Registry, tmp_path: Path) -> None:
    layer = oci.tar_layer({"Files/x": b"x"}, media_type=oci.FOREIGN_LAYER, urls=["http://127.0.0.1:1/layer"])
    write_image(tmp_path / "tree" / "win:1", oci.image([layer], docker=True, os="windows"))
    push(airgap, tmp_path / "tree", registry).ok()
    assert registry.client().has_blob("win", layer.digest)


# --- what is not whole ---

def test_a_folder_without_manifest_json_is_reported_and_the_others_go_with_keep_going(
        airgap: Airgap, skopeos: Tree, registry: Registry, tmp_path: Path) -> None:
    tree = skopeos(names=("team/app:1.0", "tools/busybox:1.35"))
    (tree / "app:1.0" / "manifest.json").unlink()
    push(airgap, tree, registry).fails(5, "app:1.0/manifest.json: it is missing", "export the image again")
    assert registry.client().repositories() == []
    push(airgap, tree, registry, "--keep-going", "--report", tmp_path / "report.json").fails(5, "app:1.0 is left out")
    assert list(content(registry)) == ["busybox:1.35"]
    outcomes = {entry["name"]: entry["outcome"] for entry in json.loads((tmp_path / "report.json").read_text())["images"]}
    assert outcomes == {"app:1.0": "failed", "busybox:1.35": "pushed"}


def test_every_folder_that_is_not_whole_is_named(airgap: Airgap, skopeos: Tree, registry: Registry, tmp_path: Path
                                                 ) -> None:
    tree = skopeos(names=("team/app:1.0", "team/app:1.1", "tools/busybox:1.35"))
    (tree / "app:1.0" / "manifest.json").unlink()
    lost = max((tree / "app:1.1").iterdir(), key=lambda path: path.stat().st_size)
    lost.unlink()
    push(airgap, tree, registry, "--report", tmp_path / "report.json").fails(
        5, "app:1.0/manifest.json: it is missing", f"app:1.1/{lost.name}: it is missing",
        "2 images in .*tree are not whole, and nothing was sent", "--keep-going")
    assert registry.client().repositories() == []
    outcomes = {entry["name"]: entry["outcome"] for entry in json.loads((tmp_path / "report.json").read_text())["images"]}
    assert outcomes == {"app:1.0": "failed", "app:1.1": "failed"}


@pytest.mark.parametrize("leftover", ["", "version", "dir-put-blob123", HEX])
def test_what_an_interrupted_export_of_skopeo_leaves_is_told(leftover: str, airgap: Airgap, skopeos: Tree,
                                                            registry: Registry) -> None:
    tree = skopeos(names=("tools/busybox:1.35",))
    (tree / "app:1").mkdir()
    if leftover:
        (tree / "app:1" / leftover).write_bytes(b"Directory Transport Version: 1.1\n")
    push(airgap, tree, registry).fails(5, "app:1/manifest.json: it is missing")


def test_a_missing_or_cut_blob_is_told_before_anything_is_sent(airgap: Airgap, skopeos: Tree, registry: Registry) -> None:
    tree = skopeos(names=("tools/busybox:1.35",))
    layer = max((tree / "busybox:1.35").iterdir(), key=lambda path: path.stat().st_size)
    with open(layer, "r+b") as file:
        file.truncate(1000)
    push(airgap, tree, registry).fails(5, f"{layer.name}: expected \\d+ bytes, found 1000")
    layer.unlink()
    push(airgap, tree, registry).fails(5, f"{layer.name}: it is missing: a blob of \\d+ bytes")
    assert registry.client().repositories() == []


def test_a_changed_blob_is_noticed_while_it_is_sent(airgap: Airgap, skopeos: Tree, registry: Registry) -> None:
    tree = skopeos(names=("tools/busybox:1.35",))
    layer = max((tree / "busybox:1.35").iterdir(), key=lambda path: path.stat().st_size)
    with open(layer, "r+b") as file:
        file.seek(500)
        file.write(b"changed")
    push(airgap, tree, registry).fails(5, layer.name, "'verify' lists all that is wrong")
    assert content(registry) == {}


def test_a_changed_manifest_of_a_tag_is_another_image_but_a_digest_is_held_to_its_name(
        airgap: Airgap, skopeos: Tree, source_images: SourceImages, registry: Registry) -> None:
    """What skopeo exports without --all from the digest of an index, it takes for that index."""
    digest = source_images["team/web:2.0"].digest
    tree = skopeos(names=(f"team/web@{digest}",), all_platforms=False)
    push(airgap, tree, registry).fails(5, f"expected {digest} as the folder is called, found sha256:", "skopeo sync --all")
    assert registry.client().repositories() == []


def test_an_unfinished_tree_of_ours_is_refused(airgap: Airgap, skopeos: Tree, registry: Registry) -> None:
    tree = skopeos(names=("tools/busybox:1.35",))
    (tree / ".partial").mkdir()
    push(airgap, tree, registry).fails(5, "the tree is unfinished", "it continues")


def test_the_version_may_be_missing_but_not_newer(airgap: Airgap, skopeos: Tree, registry: Registry) -> None:
    tree = skopeos(names=("tools/busybox:1.35",))
    version = tree / "busybox:1.35" / "version"
    version.write_text("Directory Transport Version: 1.3\n")
    push(airgap, tree, registry).fails(6, "version 1.3 .* newer than 1.2", "newer airgap-import")
    version.write_text("Directory Transport Version: 1.2\n")
    push(airgap, tree, registry).ok()
    version.unlink()
    push(airgap, tree, registry).ok()


def test_another_algorithm_than_sha256_has_it_in_its_names(airgap: Airgap, registry: Registry, tmp_path: Path) -> None:
    layer = oci.tar_layer({"srv/x": b"x"}, algorithm="sha512")
    manifest = oci.image([layer])
    folder = tmp_path / "tree" / "app:1"
    write_image(folder, manifest)
    (folder / layer.digest.split(":")[1]).rename(folder / layer.digest.replace(":", "-"))
    (folder / "version").write_text("Directory Transport Version: 1.2\n")
    verify(airgap, tmp_path / "tree").ok()
    push(airgap, tmp_path / "tree", registry).ok()
    assert registry.client().digest("app", "1") == manifest.digest


# --- hostile ---

@pytest.mark.parametrize("where", ["link", "app:1.0/link", "app:1.0/version"])
def test_links_are_refused(where: str, airgap: Airgap, skopeos: Tree, registry: Registry) -> None:
    tree = skopeos(names=("team/app:1.0",))
    (tree / where).unlink(missing_ok=True)
    (tree / where).symlink_to("/etc/passwd")
    push(airgap, tree, registry).fails(6, f"{where}: a link or device does not belong")


@pytest.mark.parametrize("folder, message", [
    ("App:1", "upper-case"), ("app:", "missing"), ("a b:1", "may not occur"), ("a:1:2", "tag"), ("app@sha256:12", "sha256"),
    ("app@md5:00", "md5"), ("exported/host:5000/app:1", "name the folder that holds the registries"),
    ("\x1b[31mred:1", "x1b"), ("a" * 250 + "/app/b:1", "characters long"), ("host:0/app:1", "no registry"),
])
def test_folders_that_are_no_names_are_refused(folder: str, message: str, airgap: Airgap, registry: Registry,
                                              tmp_path: Path) -> None:
    write_image(tmp_path / "tree" / folder, image("app"))
    result = push(airgap, tmp_path / "tree", registry).fails(6, message)
    assert "\x1b" not in result.err
    assert registry.client().repositories() == []


def test_a_tree_is_not_endlessly_deep(airgap: Airgap, registry: Registry, tmp_path: Path) -> None:
    write_image(tmp_path / "tree" / "/".join(["a"] * 70) / "app:1", image("app"))
    push(airgap, tmp_path / "tree", registry).fails(6, "more than 64 deep")


@pytest.mark.parametrize("data, status, message", [
    (b"{}", 6, "neither a mediaType"), (b"not json", 5, "manifest.json"), (b" " * 5_000_000, 6, "limit"),
    (json.dumps({"schemaVersion": 1, "fsLayers": []}).encode(), 6, "schema 1"),
    (json.dumps({"schemaVersion": 2, "config": {}, "layers": [], "manifests": []}).encode(), 6, "CVE-2021-41190"),
])
def test_manifests_that_are_none_are_refused(data: bytes, status: int, message: str, airgap: Airgap, registry: Registry,
                                            tmp_path: Path) -> None:
    folder = tmp_path / "tree" / "app:1"
    folder.mkdir(parents=True)
    (folder / "manifest.json").write_bytes(data)
    push(airgap, tmp_path / "tree", registry).fails(status, message)


def test_where_there_is_no_tree_that_is_said(airgap: Airgap, registry: Registry, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    push(airgap, tmp_path / "empty", registry).fails(2, "is no bundle")
    push(airgap, tmp_path / "absent", registry).fails(2, "there is no bundle at")


def test_files_beside_the_images_do_not_matter(airgap: Airgap, skopeos: Tree, registry: Registry) -> None:
    tree = skopeos("--scoped", names=("team/app:1.0",))
    (tree / "README").write_text("from the build of Monday")
    (tree / "Thumbs.db").write_bytes(b"x")
    verify(airgap, tree).ok()
    push(airgap, tree, registry).ok()


# --- looking at it ---

def test_list_and_verify_read_a_tree(airgap: Airgap, skopeos: Tree, source: Registry, source_images: SourceImages) -> None:
    tree = skopeos("--scoped", names=("team/web:2.0", "team/app:1.0", "team/app:1.1"))
    event = airgap.import_("list", tree, "--json").ok().events()[0]
    images = {entry["name"]: entry for entry in event["images"]}
    assert {name: entry["digest"] for name, entry in images.items()} == \
        {f"{source.host}/{name}": source_images[name].digest for name in ("team/web:2.0", "team/app:1.0", "team/app:1.1")}
    assert images[f"{source.host}/team/web:2.0"]["platforms"] == ["linux/amd64", "linux/arm64/v8"]
    assert images[f"{source.host}/team/app:1.0"]["platforms"] == ["linux/amd64"]
    assert 0 < images[f"{source.host}/team/app:1.1"]["uniqueBytes"] < images[f"{source.host}/team/app:1.1"]["bytes"]
    assert "skopeo's directories" in airgap.import_("list", tree).ok().out
    assert "is whole: 3 images" in airgap.export("verify", tree).ok().out


def test_verify_finds_all_and_names_the_images(airgap: Airgap, skopeos: Tree, source: Registry) -> None:
    tree = skopeos(names=("team/app:1.0", "team/app:1.1", "tools/busybox:1.35", "debian/base:12"))
    (tree / "busybox:1.35" / "manifest.json").unlink()
    largest = max((tree / "app:1.1").iterdir(), key=lambda path: path.stat().st_size)
    data = bytearray(largest.read_bytes())
    data[1000] ^= 1
    largest.write_bytes(data)
    (tree / "base:12" / "version").write_text("Directory Transport Version: 2.0\n")
    result = verify(airgap, tree).fails(6)  # the version outweighs what is damaged
    for found in (f"app:1.1/{largest.name}: ", "touches app:1.1", "busybox:1.35/manifest.json: it is missing",
                  "base:12/version: version 2.0", "3 findings, 3 images touched"):
        assert found in result.out


def test_damage_to_what_folders_share_touches_all_of_them_and_is_read_once(airgap: Airgap, source: Registry,
                                                                         tmp_path: Path) -> None:
    tree = tmp_path / "tree"
    airgap.export("pull", f"{source.host}/team/app:1.0", f"{source.host}/team/app:1.1", *plain(source), "--no-referrers",
                  "--format", "skopeo-dir", "--output", tree).ok()
    shared = next(path for path in (tree / "app:1.0").iterdir() if path.stat().st_nlink == 2 and path.stat().st_size > 5000)
    with open(shared, "r+b") as file:
        file.write(b"changed")
    events = airgap.import_("verify", tree, "--json").fails(5).events()
    (finding,) = next(event for event in events if event["event"] == "verify")["findings"]
    assert finding["images"] == ["app:1.0", "app:1.1"]


def test_a_tree_on_read_only_media_is_read(airgap: Airgap, skopeos: Tree, registry: Registry) -> None:
    tree = skopeos(names=("tools/busybox:1.35",))
    for folder, _, files in os.walk(tree):
        for file in files:
            os.chmod(Path(folder) / file, 0o444)
        os.chmod(folder, 0o555)
    before = {path: path.stat().st_mtime_ns for path in tree.rglob("*")}
    push(airgap, tree, registry).ok()
    assert {path: path.stat().st_mtime_ns for path in tree.rglob("*")} == before
    shutil.rmtree(tree, ignore_errors=True)
