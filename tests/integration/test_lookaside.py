"""Signatures that lie beside a registry travel in skopeo's directories, as skopeo carries them."""

import json
import os
from pathlib import Path
from typing import Any

import pytest
from conftest import Running

from support import oci, skopeo
from support.airgap import Airgap, Result, plain
from support.http_server import Handler, HttpServer
from support.registry import Registry

# skopeo looks at the first byte alone: an OpenPGP packet.
SIGNATURES = [b"\xa3" + f"signature {number}".encode() + os.urandom(40) for number in range(4)]


def image(seed: str, **how: Any) -> oci.Manifest:
    return oci.image([oci.tar_layer({"srv/seed": seed.encode()})], **how)


CHILDREN = [image(arch, architecture=arch) for arch in ("amd64", "arm64")]
INDEX = oci.index(CHILDREN)
ONE = image("one")


@pytest.fixture
def store(tmp_path: Path, registry: Registry) -> Path:
    """Two signatures of an image, one of an index and one of a child; the images are in `registry`."""
    oci.push(registry.client(), "team/app", "1", ONE)
    oci.push(registry.client(), "team/web", "1", INDEX)
    for repository, manifest, signatures in (("team/app", ONE, SIGNATURES[:2]), ("team/web", INDEX, SIGNATURES[2:3]),
                                             ("team/web", CHILDREN[1], SIGNATURES[3:])):
        folder = tmp_path / "store" / f"{repository}@{manifest.digest.replace(':', '=')}"
        folder.mkdir(parents=True)
        for number, signature in enumerate(signatures, 1):
            (folder / f"signature-{number}").write_bytes(signature)
    return tmp_path / "store"


def registries_d(path: Path, **urls: str) -> Path:
    """A registries.d with a default namespace: lookaside=, lookaside_staging=."""
    path.mkdir(parents=True, exist_ok=True)
    space = {name.replace("_", "-"): url for name, url in urls.items()}
    (path / "default.yaml").write_text(json.dumps({"default-docker": space}))
    return path


def pull(airgap: Airgap, registry: Registry, tree: Path, *options: object, names: tuple[str, ...] = ("team/app:1", "team/web:1")
         ) -> Result:
    return airgap.export("pull", *[f"{registry.host}/{name}" for name in names], *plain(registry), "--no-referrers",
                         "--retry", 0, "--platform", "all", "--format", "skopeo-dir", "--output", tree, *options)


def push(airgap: Airgap, tree: Path, registry: Registry, *options: object) -> Result:
    return airgap.import_("push", tree, f"{registry.host}/mirror", *plain(registry), *options)


def files(directory: Path) -> dict[str, bytes]:
    return {str(path.relative_to(directory)): path.read_bytes() for path in directory.rglob("*") if path.is_file()}


def skopeos_tree(registry: Registry, conf: Path, tree: Path) -> Path:
    for name in ("app", "web"):
        skopeo.run("--registries.d", str(conf), "sync", "--src", "docker", "--dest", "dir", "--all",
                   "--src-tls-verify=false", f"{registry.host}/team/{name}:1", str(tree / name))
    return tree


def test_the_signatures_of_a_lookaside_lie_where_skopeo_writes_them(airgap: Airgap, registry: Registry, store: Path,
                                                                   tmp_path: Path) -> None:
    conf = registries_d(tmp_path / "conf", lookaside=f"file://{store}")
    pull(airgap, registry, tmp_path / "ours", "--registries-d", conf).ok()
    theirs = skopeos_tree(registry, conf, tmp_path / "theirs")
    assert files(tmp_path / "ours") == {name.split("/", 1)[1]: data for name, data in files(theirs).items()}
    child = CHILDREN[1].digest.split(":")[1]
    assert (tmp_path / "ours" / "app:1" / "signature-2").read_bytes() == SIGNATURES[1]
    assert (tmp_path / "ours" / "web:1" / f"{child}.signature-1").read_bytes() == SIGNATURES[3]
    airgap.import_("verify", tmp_path / "ours").ok()


def test_the_users_registries_d_is_read_unasked(airgap: Airgap, registry: Registry, store: Path, tmp_path: Path) -> None:
    registries_d(airgap.home / ".config" / "containers" / "registries.d", lookaside=f"file://{store}")
    pull(airgap, registry, tmp_path / "tree").ok()
    assert (tmp_path / "tree" / "app:1" / "signature-1").read_bytes() == SIGNATURES[0]


def test_a_lookaside_is_a_web_server(airgap: Airgap, registry: Registry, store: Path, running: Running,
                                     tmp_path: Path) -> None:
    class Files(Handler):
        def do_GET(self) -> None:
            path = store / self.path.removeprefix("/sigs/")
            self.answer(200, path.read_bytes()) if path.is_file() else self.answer(404)

    server = running(HttpServer(Files))
    conf = registries_d(tmp_path / "conf", lookaside=f"{server.origin}/sigs")
    pull(airgap, registry, tmp_path / "tree", "--registries-d", conf).ok()
    assert (tmp_path / "tree" / "app:1" / "signature-2").read_bytes() == SIGNATURES[1]


def test_a_lookaside_that_fails_fails_the_image(airgap: Airgap, registry: Registry, store: Path, running: Running,
                                                tmp_path: Path) -> None:
    class Broken(Handler):
        def do_GET(self) -> None:
            self.answer(500 if "team/app" in self.path else 404)

    server = running(HttpServer(Broken))
    conf = registries_d(tmp_path / "conf", lookaside=server.origin)
    pull(airgap, registry, tmp_path / "tree", "--registries-d", conf).fails(3, "signatures of .*team/app:1")
    pull(airgap, registry, tmp_path / "tree", "--registries-d", conf, "--keep-going").fails(3, "team/app:1 is left out")
    assert [path.name for path in (tmp_path / "tree").iterdir()] == ["web:1"]


def test_new_signatures_are_added_and_old_ones_taken_away(airgap: Airgap, registry: Registry, store: Path,
                                                          tmp_path: Path) -> None:
    conf = registries_d(tmp_path / "conf", lookaside=f"file://{store}")
    tree = tmp_path / "tree"
    pull(airgap, registry, tree, "--registries-d", conf).ok()
    before = files(tree)
    place = store / f"team/app@{ONE.digest.replace(':', '=')}"
    (place / "signature-2").unlink()
    (place / "signature-1").write_bytes(b"\xa3 another")
    registry.mark()
    pull(airgap, registry, tree, "--registries-d", conf).ok()
    assert registry.requests("GET", "/(blobs|manifests)/") == []
    changed = {name: data for name, data in before.items() if not name.startswith("app:1/signature-")}
    assert files(tree) == changed | {"app:1/signature-1": b"\xa3 another"}
    # Without a lookaside there are none, in an unchanged image too.
    registries_d(tmp_path / "conf", lookaside=f"file://{tmp_path}/nothing")
    pull(airgap, registry, tree, "--registries-d", conf).ok()
    assert not [name for name in files(tree) if "signature" in name]


def test_a_bundle_says_that_it_does_not_carry_them(airgap: Airgap, registry: Registry, store: Path,
                                                   tmp_path: Path) -> None:
    registries_d(airgap.home / ".config" / "containers" / "registries.d", lookaside=f"file://{store}")
    words = ["pull", f"{registry.host}/team/app:1", *plain(registry), "--output", tmp_path / "bundle.tar"]
    assert "--format skopeo-dir does" in airgap.export(*words).ok().err


def test_a_mirror_says_that_it_does_not_carry_them(airgap: Airgap, registry: Registry, make_registry: Any, store: Path
                                                   ) -> None:
    registries_d(airgap.home / ".config" / "containers" / "registries.d", lookaside=f"file://{store}")
    target = make_registry()
    said = airgap.export("mirror", f"{registry.host}/team/app:1", *plain(registry, target), "--to", target.host).ok()
    assert "names a lookaside for 1 image: mirror does not carry signatures from there" in said.err


def test_a_push_puts_them_where_skopeo_puts_them(airgap: Airgap, registry: Registry, make_registry: Any, store: Path,
                                                 tmp_path: Path) -> None:
    conf = registries_d(tmp_path / "conf", lookaside=f"file://{store}")
    pull(airgap, registry, tmp_path / "tree", "--registries-d", conf).ok()
    ours, theirs = make_registry(), make_registry()
    mine = registries_d(tmp_path / "mine", lookaside_staging=f"file://{tmp_path}/our-store")
    other = registries_d(tmp_path / "other", lookaside_staging=f"file://{tmp_path}/their-store")
    push(airgap, tmp_path / "tree", ours, "--registries-d", mine).ok()
    skopeo.run("--registries.d", str(other), "sync", "--src", "dir", "--dest", "docker", "--all",
               "--dest-tls-verify=false", str(tmp_path / "tree"), f"{theirs.host}/mirror")
    assert files(tmp_path / "our-store") == files(tmp_path / "their-store") != {}
    # And the registry inside, with that store beside it, gives them all again.
    inside = registries_d(tmp_path / "inside", lookaside=f"file://{tmp_path}/our-store")
    pull(airgap, ours, tmp_path / "back", "--registries-d", inside, names=("mirror/app:1", "mirror/web:1")).ok()
    assert files(tmp_path / "back") == files(tmp_path / "tree")


@pytest.mark.parametrize("staging, message", [
    ({}, "registries.d names no place for them"),
    ({"lookaside_staging": "https://sigs.example"}, "'https://sigs.example' is no directory for signatures"),
    ({"lookaside": "https://sigs.example"}, "'https://sigs.example' is no directory for signatures"),
])
def test_without_a_place_for_them_nothing_is_pushed_unless_they_may_stay(staging: dict[str, str], message: str,
                                                                        airgap: Airgap, registry: Registry, make_registry: Any,
                                                                        store: Path, tmp_path: Path) -> None:
    conf = registries_d(tmp_path / "conf", lookaside=f"file://{store}")
    pull(airgap, registry, tmp_path / "tree", "--registries-d", conf).ok()
    inside = make_registry()
    nowhere = registries_d(tmp_path / "nowhere", **staging)
    push(airgap, tmp_path / "tree", inside, "--registries-d", nowhere).fails(2, message, "--remove-signatures")
    assert inside.client().repositories() == []
    result = push(airgap, tmp_path / "tree", inside, "--registries-d", nowhere, "--remove-signatures").ok()
    assert "the signature files of 2 images stay behind" in result.err
    assert inside.client().tags("mirror/app") == ["1"]


def test_a_place_that_cannot_be_written_fails_the_push(airgap: Airgap, registry: Registry, make_registry: Any,
                                                       store: Path, tmp_path: Path) -> None:
    conf = registries_d(tmp_path / "conf", lookaside=f"file://{store}")
    pull(airgap, registry, tmp_path / "tree", "--registries-d", conf).ok()
    (tmp_path / "file").write_text("in the way")
    full = registries_d(tmp_path / "full", lookaside_staging=f"file://{tmp_path}/file")
    push(airgap, tmp_path / "tree", make_registry(), "--registries-d", full).fails(7, f"{tmp_path}/file")


def test_signatures_with_a_gap_are_told(airgap: Airgap, registry: Registry, store: Path, tmp_path: Path) -> None:
    conf = registries_d(tmp_path / "conf", lookaside=f"file://{store}")
    pull(airgap, registry, tmp_path / "tree", "--registries-d", conf).ok()
    (tmp_path / "tree" / "app:1" / "signature-1").unlink()
    push(airgap, tmp_path / "tree", registry, "--registries-d", conf).fails(5, "app:1/signature-1: it is missing")


@pytest.mark.parametrize("text, message", [
    ("dockr: {}\n", "default.yaml:1:1"), ("default-docker: {lookaside: 'ftp://x'}\n", "no place for signatures"),
])
def test_a_registries_d_that_is_not_understood_is_refused(text: str, message: str, airgap: Airgap, registry: Registry,
                                                          store: Path, tmp_path: Path) -> None:
    conf = registries_d(tmp_path / "conf")
    (conf / "default.yaml").write_text(text)
    pull(airgap, registry, tmp_path / "tree", "--registries-d", conf).fails(2, message)
    pull(airgap, registry, tmp_path / "tree", "--registries-d", tmp_path / "absent").fails(2, "cannot read")
