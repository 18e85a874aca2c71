"""Receipts: what a registry holds, said by a push or by looking; small, exact, and without secrets."""

import json
from pathlib import Path
from typing import Any

import pytest
from conftest import PASSWORD, USER, Running

from support import skopeo
from support.airgap import Airgap, Result, plain
from support.memory_registry import MemoryRegistry
from support.oci import FOREIGN_LAYER, image, push as push_by_hand, tar_layer
from support.outside import Outside
from support.proxy import FaultProxy
from support.push_registry import PushRegistry
from support.pushing import BUSYBOX, LEGACY
from support.registry import Registry

WRITES = "POST|PUT|PATCH|DELETE"


def push(airgap: Airgap, bundle: Path, registry: Registry, *options: object, prefix: str = "") -> Result:
    return airgap.import_("push", bundle, registry.host + prefix, *plain(registry), *options)


def look(airgap: Airgap, registry: Registry, names: list[str], *options: object, prefix: str = "") -> Result:
    return airgap.import_("receipt", registry.host + prefix, "--from", "-", *plain(registry), "--retry", 0, *options,
                          input="\n".join(names).encode())


def blobs_of(registry: Registry, repository: str, reference: str) -> dict[str, int]:
    manifest = registry.client().manifest(repository, reference).json()
    return {entry["digest"]: entry["size"] for entry in (manifest["config"], *manifest["layers"])}


def test_a_push_says_what_the_registry_holds_and_what_its_tags_were(
        airgap: Airgap, busybox_bundle: Path, source: Registry, registry: Registry, tmp_path: Path) -> None:
    older = push_by_hand(registry.client(), "in/tools/busybox", "1.35", image([tar_layer({"old": b"old"})]))
    push(airgap, busybox_bundle, registry, "--receipt", tmp_path / "r.json", prefix="/in").ok()
    said: Any = json.loads((tmp_path / "r.json").read_text())
    assert {key: said[key] for key in ("kind", "format", "registry", "prefix", "sequence", "bundle")} == {
        "kind": "airgap-receipt", "format": 1, "registry": registry.host, "prefix": "in", "sequence": 1,
        "bundle": "bundle.tar"}
    images = {entry["target"]: entry for entry in said["images"]}
    assert set(images) == {f"in/{BUSYBOX}", f"in/{LEGACY}"}
    for name in (BUSYBOX, LEGACY):
        assert images[f"in/{name}"]["name"] == f"{source.host}/{name}"
        assert images[f"in/{name}"]["digest"] == registry.client().digest(*f"in/{name}".split(":"))
    assert images[f"in/{BUSYBOX}"]["before"] == older and "before" not in images[f"in/{LEGACY}"]
    assert {blob["digest"]: blob["size"] for blob in said["blobs"]} == (
        blobs_of(registry, "in/tools/busybox", "1.35") | blobs_of(registry, "in/legacy/busybox", "1.35"))
    assert all(registry.client().has_blob(blob["repository"], blob["digest"]) for blob in said["blobs"])


def test_a_second_push_says_that_its_tags_did_not_move(airgap: Airgap, busybox_bundle: Path, registry: Registry,
                                                       tmp_path: Path) -> None:
    for _ in range(2):
        push(airgap, busybox_bundle, registry, "--receipt", tmp_path / "r.json").ok()
    images = json.loads((tmp_path / "r.json").read_text())["images"]
    assert [entry["target"] for entry in images] == [LEGACY, BUSYBOX]
    assert [entry["before"] for entry in images] == [entry["digest"] for entry in images]


def test_a_dry_run_writes_no_receipt(airgap: Airgap, busybox_bundle: Path, registry: Registry,
                                     tmp_path: Path) -> None:
    push(airgap, busybox_bundle, registry, "--dry-run", "--receipt", tmp_path / "r.json").ok()
    assert not (tmp_path / "r.json").exists()


def test_a_receipt_that_cannot_be_written_is_found_out_first(airgap: Airgap, busybox_bundle: Path,
                                                             registry: Registry, tmp_path: Path) -> None:
    for option in ("--receipt", "--want-list"):
        push(airgap, busybox_bundle, registry, option, tmp_path).fails(7, f"cannot write the {option[2:]} .*directory")
    assert registry.requests(path="/v2/.") == []


def test_an_image_that_failed_is_not_in_the_receipt(airgap: Airgap, busybox_bundle: Path, registry: Registry,
                                                    running: Running, tmp_path: Path) -> None:
    proxy = running(FaultProxy(registry))
    proxy.rule("PUT", "/v2/tools/.*/manifests/", status=403)
    push(airgap, busybox_bundle, proxy, "--keep-going", "--receipt", tmp_path / "r.json").fails(4)
    assert [entry["target"] for entry in json.loads((tmp_path / "r.json").read_text())["images"]] == [LEGACY]


def test_a_receipt_holds_no_password(airgap: Airgap, busybox_bundle: Path, htpasswd_registry: Registry,
                                     tmp_path: Path) -> None:
    airgap.import_("push", busybox_bundle, htpasswd_registry.host, *plain(htpasswd_registry), "--creds-stdin",
                   "--receipt", tmp_path / "r.json", input=f"{USER}:{PASSWORD}\n".encode()).ok()
    assert PASSWORD not in (tmp_path / "r.json").read_text() and USER not in (tmp_path / "r.json").read_text()


@pytest.mark.parametrize("inside", [True, False])
def test_looking_at_a_registry_gives_the_receipt_that_a_push_gives(
        inside: bool, airgap: Airgap, busybox_bundle: Path, source: Registry, registry: Registry,
        tmp_path: Path) -> None:
    push(airgap, busybox_bundle, registry, "--receipt", tmp_path / "pushed.json", prefix="/in").ok()
    pushed: Any = json.loads((tmp_path / "pushed.json").read_text())
    registry.mark()
    names = [f"{registry.host}/in/{name}" if inside else f"{source.host}/{name}" for name in (BUSYBOX, LEGACY)]
    look(airgap, registry, names, "--output", tmp_path / "seen.json", prefix="/in").ok()
    assert registry.requests(WRITES) == []
    seen: Any = json.loads((tmp_path / "seen.json").read_text())
    assert seen["blobs"] == pushed["blobs"] and "stream" not in seen
    for entry in (*seen["images"], *pushed["images"]):
        assert entry.pop("before", entry["digest"]) == entry["digest"]
        if inside:
            entry.pop("name")
    assert seen["images"] == pushed["images"]


def test_a_registry_that_skopeo_filled_is_a_base_for_a_delta(airgap: Airgap, source: Registry, registry: Registry,
                                                             tmp_path: Path) -> None:
    skopeo.copy(f"docker://{source.host}/team/app:1.0", f"docker://{registry.host}/team/app:1.0")
    receipt = look(airgap, registry, [f"{source.host}/team/app:1.0"]).ok()
    (tmp_path / "receipt.json").write_text(receipt.out)
    airgap.export("pull", f"{source.host}/team/app:1.1", *plain(source), "--since", tmp_path / "receipt.json",
                  "--output", tmp_path / "delta.tar").ok()
    registry.mark()
    push(airgap, tmp_path / "delta.tar", registry).ok()
    assert registry.client().digest("team/app", "1.1") == source.client().digest("team/app", "1.1")
    assert len(registry.requests("PUT", "/blobs/uploads/")) == 2  # a layer and a config; two layers were there


def test_what_is_not_there_is_told_and_can_be_left_out(airgap: Airgap, busybox_bundle: Path, source: Registry,
                                                       registry: Registry) -> None:
    push(airgap, busybox_bundle, registry).ok()
    names = [f"{source.host}/{BUSYBOX}", f"{source.host}/tools/nothing:1"]
    missing = f"{registry.host}/tools/nothing:1 is not in the registry"
    assert look(airgap, registry, names).fails(3, missing).out == ""
    said = look(airgap, registry, names, "--keep-going").fails(3, missing).json()
    assert [entry["target"] for entry in said["images"]] == [BUSYBOX]


@pytest.mark.parametrize(("names", "complaint"), [
    ([], "names no image"), (["a b"], ":1:2: more than one name"), (["quay.io/../x"], ":1:1: "),
])
def test_a_bad_list_is_refused_with_the_place(names: list[str], complaint: str, airgap: Airgap,
                                              registry: Registry) -> None:
    look(airgap, registry, names).fails(2, complaint)
    assert registry.requests(path="/v2/.") == []


def test_an_image_that_lost_a_layer_is_no_base(airgap: Airgap, busybox_bundle: Path, source: Registry,
                                               running: Running) -> None:
    inside = running(PushRegistry(mount=201))
    airgap.import_("push", busybox_bundle, inside.host, *plain(inside)).ok()
    lost = next(key for key, data in sorted(inside.blobs.items()) if key[0] == "tools/busybox" and len(data) > 100_000)
    del inside.blobs[lost]
    result = airgap.import_("receipt", inside.host, "--from", "-", *plain(inside), "--keep-going",
                            input=f"{source.host}/{BUSYBOX}\n{source.host}/{LEGACY}\n".encode())
    result.fails(5, f"lacks blob {lost[1]} of {inside.host}/{BUSYBOX}")
    assert [entry["target"] for entry in result.json()["images"]] == [LEGACY]


def test_a_foreign_layer_that_the_registry_lacks_is_left_out_of_the_receipt_and_its_image_is_not(
        airgap: Airgap, running: Running, registry: Registry, tmp_path: Path) -> None:
    """docker push and skopeo copy leave the base layers of Windows behind; the next delta brings them."""
    source = running(MemoryRegistry())
    foreign = tar_layer({"windows": b"dll"}, media_type=FOREIGN_LAYER, urls=["https://windows.example/layer"])
    own = tar_layer({"app": b"1"})
    source.add("win/app", "1", image([foreign, own], docker=True))
    push_by_hand(registry.client(), "win/app", "1", image([foreign, own], docker=True))
    looked = look(airgap, registry, [f"{source.host}/win/app:1"]).ok()
    assert "1 foreign layer is not in it" in looked.err
    said = looked.json()
    assert [entry["target"] for entry in said["images"]] == ["win/app:1"]
    listed = {blob["digest"] for blob in said["blobs"]}
    assert own.digest in listed and foreign.digest not in listed
    (tmp_path / "receipt.json").write_text(looked.out)
    source.add("win/app", "2", image([foreign, own, tar_layer({"more": b"2"})], docker=True))
    airgap.export("pull", f"{source.host}/win/app:2", "--platform", "linux/amd64", *plain(source), "--since",
                  tmp_path / "receipt.json", "--output", tmp_path / "delta.tar").ok()
    push(airgap, tmp_path / "delta.tar", registry).ok()
    assert registry.client().blob("win/app", foreign.digest) == foreign.data


def test_what_a_receipt_calls_by_names_inside_is_known_again(airgap: Airgap, outside: Outside, first: Path,
                                                             registry: Registry) -> None:
    push(airgap, first, registry, prefix="/in").ok()
    receipt = look(airgap, registry, [f"{registry.host}/in/{name}" for name in outside.images], prefix="/in").ok()
    outside.path("seen.json").write_text(receipt.out)
    outside.put("team/web:2", outside.base)
    said = outside.pull("delta.tar", "--since", outside.path("seen.json")).ok().err
    assert f"a delta for {registry.host}/in since {outside.path('seen.json')}: 1 of them new or changed" in said
