"""A user looks at what a pull would do, pins it, and gets the same bundle whatever the tags do meanwhile."""

import hashlib
import json
from pathlib import Path
from typing import Any, Callable

import pytest
from conftest import Running

from support import oci
from support.airgap import Airgap, Result, plain
from support.memory_registry import MemoryRegistry
from support.pulling import assert_whole

EPOCH = {"SOURCE_DATE_EPOCH": "1700000000"}
BASE = oci.tar_layer({"base": b"base" * 1000})


def app(version: str) -> oci.Manifest:
    return oci.index([oci.image([BASE, oci.tar_layer({"app": f"{name} {version}".encode()})], architecture=name)
                      for name in ("amd64", "arm64", "s390x")])


APP, WEB, NEXT = app("1"), oci.image([BASE]), app("2")
SIGNATURE, SBOM = oci.signature_for(APP), oci.sbom_for(APP)
LATER = oci.Blob(b"{}", oci.OCI_EMPTY)
Lock = dict[str, Any]
Export = Callable[..., Result]


@pytest.fixture
def memory(running: Running) -> MemoryRegistry:
    served = running(MemoryRegistry())
    served.add("org/app", "1.0", APP)
    served.add("org/app", "1.1", APP)
    served.add("org/app", oci.cosign_tag(APP.digest), SIGNATURE)
    served.add_referrer("org/app", APP, SBOM)
    served.add("org/web", "1", WEB)
    return served


@pytest.fixture
def export(airgap: Airgap, memory: MemoryRegistry) -> Export:
    def run(command: str, *arguments: object) -> Result:
        return airgap.export(command, *arguments, *plain(memory), "--retry", 0, env=EPOCH)

    return run


@pytest.fixture
def selection(memory: MemoryRegistry) -> list[object]:
    names = [f"{memory.host}/{name}" for name in ("org/app:1.0", "org/web:1", f"org/app@{APP.digest}")]
    return [*names, "--platform", "linux/amd64", "--platform", f"{names[0]}=linux/amd64,linux/arm64",
            "--map", f"{names[1]}=front/web:stable"]


@pytest.fixture
def lock(export: Export, selection: list[object], tmp_path: Path) -> Path:
    """What the selection stands for before anything moves."""
    export("plan", *selection, "--lock", tmp_path / "today.lock").ok()
    return tmp_path / "today.lock"


def move_all_tags(memory: MemoryRegistry) -> None:
    """Every tag stands for something else, there are more of them, and another referrer has come."""
    for repository, tag in (("org/app", "1.0"), ("org/app", "1.1"), ("org/web", "1"), ("org/app", "2.0"),
                            ("org/app", oci.cosign_tag(APP.digest)), ("org/app", oci.cosign_tag(APP.digest, "att"))):
        memory.add(repository, tag, NEXT)
    memory.add_referrer("org/app", APP, oci.artifact(LATER, [LATER], subject=APP))


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def edited(lock: Path, edit: Callable[[Lock], object]) -> Path:
    content = json.loads(lock.read_text())
    edit(content)
    lock.write_text(json.dumps(content))
    return lock


def app_in(lock: Lock) -> dict[str, Any]:
    return next(image for image in lock["images"] if image["name"].endswith("/org/app:1.0"))


# --- plan ---

def test_plan_shows_each_image_and_the_totals_and_writes_nothing(export: Export, selection: list[object],
                                                                 memory: MemoryRegistry, tmp_path: Path) -> None:
    result = export("plan", *selection).ok()
    lines = result.out.splitlines()
    assert lines[0].split() == ["NAME", "DIGEST", "SIZE", "UNIQUE", "SHARED", "PLATFORMS", "INSIDE"]
    assert any(line.endswith(" org/app:1.0") for line in lines)
    assert len(lines) == 6 and len({line.split()[0] for line in lines}) == 6
    assert "linux/amd64,linux/arm64 (chosen from " in next(line for line in lines if "/org/app:1.0 " in line)
    assert "5 images" in result.err and "to fetch in" in result.err
    assert not memory.requests("GET", "/blobs/" + APP.children[0].blobs[1].digest)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["home"]


def test_plan_tells_programs_the_same(export: Export, selection: list[object], tmp_path: Path) -> None:
    events = export("plan", *selection, "--json", "--report", tmp_path / "report.json").ok().events()
    planned = next(event for event in events if event["event"] == "planned")["images"]
    report = json.loads((tmp_path / "report.json").read_text())
    assert {(image["name"], image["digest"]) for image in planned} == {
        (image["name"], image["digest"]) for image in report["images"]}
    assert report["command"] == "plan" and {image["outcome"] for image in report["images"]} == {"planned"}


def test_plan_counts_what_is_there_already(export: Export, selection: list[object], tmp_path: Path) -> None:
    export("pull", *selection, "--output", tmp_path / "b.tar").ok()
    before = digest(tmp_path / "b.tar")
    export("plan", *selection, "--output", tmp_path / "b.tar").fails(0, "nothing new: the bundle holds all of it")
    assert digest(tmp_path / "b.tar") == before


def test_plan_fails_as_pull_would(export: Export, memory: MemoryRegistry, tmp_path: Path) -> None:
    export("plan", f"{memory.host}/org/none:1", "--lock", tmp_path / "l").fails(3, "org/none:1 does not exist")
    assert not (tmp_path / "l").exists()
    export("plan", f"{memory.host}/org/web:1", "--lock", tmp_path / "none" / "l").fails(7, "cannot write the lock")
    export("plan", f"{memory.host}/org/web:1", "--output", "-").fails(2, "leave --output out")


# --- a lock ---

def test_the_same_images_give_the_same_lock(export: Export, selection: list[object], lock: Path, tmp_path: Path) -> None:
    export("plan", *selection, "--lock", tmp_path / "again.lock").ok()
    export("plan", "--from", lock, "--lock", tmp_path / "of-lock.lock").ok()
    assert lock.read_bytes() == (tmp_path / "again.lock").read_bytes() == (tmp_path / "of-lock.lock").read_bytes()
    images = json.loads(lock.read_text())["images"]
    assert sum("subject" in image for image in images) == 2
    assert {image["target"] for image in images} >= {"front/web:stable", "org/app:1.0", f"org/app@{APP.digest}"}


def test_no_credentials_are_in_a_lock(airgap: Airgap, memory: MemoryRegistry, tmp_path: Path) -> None:
    (tmp_path / "sync.yaml").write_text(json.dumps({memory.host: {
        "images": {"org/web": ["1"]}, "tls-verify": False,
        "credentials": {"username": "alice", "password": "hunter2"}}}))
    (tmp_path / "sync.yaml").chmod(0o600)
    airgap.export("plan", "--from", tmp_path / "sync.yaml", "--platform", "all", "--lock", tmp_path / "l").ok()
    assert not any(word in (tmp_path / "l").read_text() for word in ("alice", "hunter2", "credential"))


def test_a_lock_gives_the_same_bytes_after_all_tags_moved(export: Export, selection: list[object], lock: Path,
                                                          memory: MemoryRegistry, tmp_path: Path) -> None:
    export("pull", *selection, "--output", tmp_path / "tags.tar").ok()
    export("pull", "--from", lock, "--output", tmp_path / "before.tar").ok()
    move_all_tags(memory)
    memory.seen.clear()
    export("pull", "--from", lock, "--output", tmp_path / "after.tar").ok()
    assert not memory.requests(path="/tags/list|/referrers/|/manifests/[^s]|/manifests/sha256-")
    assert digest(tmp_path / "tags.tar") == digest(tmp_path / "before.tar") == digest(tmp_path / "after.tar")


def test_a_lock_updates_a_directory_without_asking_for_what_is_there(export: Export, lock: Path, memory: MemoryRegistry,
                                                                     airgap: Airgap, bundle_dir: Path) -> None:
    export("pull", "--from", lock, "--output", f"{bundle_dir}/").ok()
    move_all_tags(memory)
    memory.seen.clear()
    export("pull", "--from", lock, "--output", f"{bundle_dir}/").fails(0, "nothing new")
    assert not memory.requests(path="/manifests|/blobs")
    assert_whole(airgap, bundle_dir)


def test_a_lock_beside_names_pins_what_it_has(export: Export, lock: Path, memory: MemoryRegistry,
                                              bundle_dir: Path) -> None:
    move_all_tags(memory)
    export("pull", f"{memory.host}/org/app:1.0", f"{memory.host}/org/app:2.0", "--from", lock, "--platform", "all",
           "--output", f"{bundle_dir}/").ok()
    images = {image["name"].split("/", 1)[1]: image for image in json.loads((bundle_dir / "bundle.json").read_text())["images"]}
    assert images["org/app:1.0"]["sourceDigest"] == APP.digest
    assert images["org/app:2.0"]["digest"] == NEXT.digest
    assert images[f"org/app:{oci.cosign_tag(APP.digest)}"]["digest"] == SIGNATURE.digest


def test_a_lock_comes_by_standard_input(airgap: Airgap, lock: Path, memory: MemoryRegistry, bundle_dir: Path) -> None:
    airgap.export("pull", "--from", "-", *plain(memory), "--output", f"{bundle_dir}/", input=lock.read_bytes()).ok()
    assert_whole(airgap, bundle_dir)


@pytest.mark.parametrize("what", ["manifest", "layer"])
def test_what_is_gone_is_exit_3_and_names_lock_and_image(what: str, export: Export, lock: Path, memory: MemoryRegistry,
                                                         bundle_dir: Path) -> None:
    if what == "manifest":
        memory.remove("org/web", WEB.digest)
        message = rf"today.lock pins .*/org/web:1 to {WEB.digest}, which its registry does not have any more"
    else:
        del memory.blobs[APP.children[1].blobs[-1].digest]
        message = "does not exist|not here|BLOB_UNKNOWN"
    export("pull", "--from", lock, "--output", f"{bundle_dir}/").fails(3, message)
    assert not (bundle_dir / "SHA256SUMS").exists()


def test_keep_going_takes_what_is_still_there(export: Export, lock: Path, memory: MemoryRegistry, bundle_dir: Path) -> None:
    memory.remove("org/web", WEB.digest)
    export("pull", "--from", lock, "--keep-going", "--output", f"{bundle_dir}/").fails(3, "org/web:1 is left out")
    assert len(json.loads((bundle_dir / "bundle.json").read_text())["images"]) == 4


# --- options beside a lock ---

@pytest.mark.parametrize("options, message", [
    (["--platform", "all"], "--platform chooses nothing here"),
    (["--scoped"], "--scoped and the lock differ"),
])
def test_options_that_a_lock_settles_are_exit_2(options: list[str], message: str, export: Export, lock: Path,
                                                memory: MemoryRegistry, bundle_dir: Path) -> None:
    memory.seen.clear()
    export("pull", "--from", lock, *options, "--output", f"{bundle_dir}/").fails(2, message)
    assert memory.requests() == []


def test_map_goes_before_the_lock(export: Export, lock: Path, memory: MemoryRegistry, bundle_dir: Path) -> None:
    export("pull", "--from", lock, "--map", f"{memory.host}/org/web=other/web", "--output", f"{bundle_dir}/").ok()
    targets = {image["target"] for image in json.loads((bundle_dir / "bundle.json").read_text())["images"]}
    assert "other/web:1" in targets and "front/web:stable" not in targets


def test_without_referrers_what_accompanies_stays_behind_though_it_is_locked(export: Export, lock: Path,
                                                                             bundle_dir: Path, tmp_path: Path) -> None:
    def names(bundle: Path) -> list[str]:
        return [image["name"] for image in json.loads((bundle / "bundle.json").read_text())["images"]]

    export("pull", "--from", lock, "--output", f"{bundle_dir}/").ok()
    locked = [image for image in json.loads(lock.read_text())["images"]]
    assert names(bundle_dir) == [image["name"] for image in locked]
    export("pull", "--from", lock, "--no-referrers", "--output", f"{tmp_path}/less/").ok()
    assert names(tmp_path / "less") == [image["name"] for image in locked if "subject" not in image]
    assert len(names(tmp_path / "less")) < len(names(bundle_dir))
    value = json.loads(lock.read_text())
    value["images"] = [image for image in locked if "subject" in image]
    lock.write_text(json.dumps(value))
    export("pull", "--from", lock, "--no-referrers", "--output", f"{tmp_path}/none/").fails(
        2, "--no-referrers leaves nothing of what the lock names", "leave the option out")


def test_a_want_list_makes_no_lock(export: Export, memory: MemoryRegistry, tmp_path: Path) -> None:
    """It names blobs by digest already."""
    wants, lock = tmp_path / "wants.json", tmp_path / "new.lock"
    layer = BASE.descriptor()
    wants.write_text(json.dumps({
        "kind": "airgap-want-list", "format": 1, "creator": "airgap-import 1", "created": "2026-01-01T00:00:00Z",
        "images": [{"name": f"{memory.host}/org/app:1.0", "digest": APP.digest, "target": "org/app",
                    "blobs": [{"digest": layer["digest"], "size": layer["size"]}]}]}))
    export("plan", "--from", wants, "--lock", lock).fails(
        2, "--lock pins images, and a want-list names blobs", "pull by the want-list as it is")
    assert not lock.exists()


def test_two_locks_that_differ_are_exit_2(export: Export, lock: Path, selection: list[object], memory: MemoryRegistry,
                                          tmp_path: Path, bundle_dir: Path) -> None:
    move_all_tags(memory)
    export("plan", f"{memory.host}/org/app:1.0", "--platform", "linux/amd64", "--lock", tmp_path / "tomorrow.lock").ok()
    export("pull", "--from", lock, "--from", tmp_path / "tomorrow.lock", "--output", f"{bundle_dir}/").fails(
        2, "tomorrow.lock pins .*/org/app:1.0 as .*today.lock does not")


# --- locks that are not to be believed ---

@pytest.mark.parametrize("edit, message", [
    (lambda lock: lock.update(format=2), "it has format 2, and this program reads format 1"),
    (lambda lock: lock.update(format=0), "it has format 0"),
    (lambda lock: lock.update(format="1"), "/format: expected an unsigned integer"),
    (lambda lock: lock.update(critical=["names", "shards"]), "a critical member 'shards'"),
    (lambda lock: lock.update(names="upside-down"), "/names: unknown way of naming 'upside-down'"),
    (lambda lock: lock.update(images=[]), "/images: it is empty"),
    (lambda lock: lock.pop("images"), "images"),
    (lambda lock: lock["images"].append(lock["images"][0]), "/images/5/name: it is there twice"),
    (lambda lock: app_in(lock).update(digest="sha256:12"), r"/images/\d/digest: "),
    (lambda lock: app_in(lock).update(sourceDigest="md5:" + "0" * 32), r"/images/\d/sourceDigest: "),
    (lambda lock: app_in(lock).pop("digest"), r"/images/\d.*digest"),
    (lambda lock: app_in(lock).update(name="app"), "the full name would be 'docker.io/library/app'"),
    (lambda lock: app_in(lock).update(name="quay.io/org/app"), "a name here has a tag or a digest"),
    (lambda lock: app_in(lock).update(name="quay.io/../app:1"), r"/images/\d/name: bad image name"),
    (lambda lock: app_in(lock).update(platformChoice="all"), "it is not sourceDigest, and all platforms"),
    (lambda lock: app_in(lock).update(platformChoice="linux/x86_64"), "it is written 'linux/amd64'"),
    (lambda lock: app_in(lock).update(target="../etc:1"), r"/images/\d/target: "),
    (lambda lock: app_in(lock).update(target="app"), "a target has a tag or a digest"),
    (lambda lock: app_in(lock).update(subject="x"), r"/images/\d/subject: "),
])
def test_a_bad_lock_is_exit_2_before_any_request(edit: Callable[[Lock], object], message: str, export: Export,
                                                 lock: Path, memory: MemoryRegistry, bundle_dir: Path) -> None:
    memory.seen.clear()
    export("pull", "--from", edited(lock, edit), "--output", f"{bundle_dir}/").fails(2, "bad lock .*today.lock", message)
    assert memory.requests() == [] and not bundle_dir.exists()


@pytest.mark.parametrize("edit", [
    lambda image: image.update(platformChoice="linux/amd64"),
    lambda image: image.update(platformChoice="linux/amd64,linux/s390x"),
    lambda image: image.update(platformChoice="linux/riscv64"),
    lambda image: image.update(digest="sha256:" + "0" * 64),
])
def test_a_digest_that_does_not_come_out_is_exit_2(edit: Callable[[Lock], object], export: Export, lock: Path,
                                                   bundle_dir: Path) -> None:
    broken = edited(lock, lambda content: edit(app_in(content)))
    export("pull", "--from", broken, "--output", f"{bundle_dir}/").fails(
        2, "bad lock .*today.lock: of .*/org/app:1.0 the platforms .* should give sha256:")
    assert not (bundle_dir / "SHA256SUMS").exists()


def test_a_lock_that_is_cut_is_exit_2(export: Export, lock: Path, bundle_dir: Path) -> None:
    lock.write_text(lock.read_text()[:-10])
    export("pull", "--from", lock, "--output", f"{bundle_dir}/").fails(2, "bad lock .*today.lock")
