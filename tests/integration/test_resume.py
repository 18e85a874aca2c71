"""A bundle over time: cut downloads go on, updates fetch what is new, tags move, archives stay what they are."""

import json
import re
from pathlib import Path

import pytest
from conftest import MakeRegistry, Running

from support import oci
from support.airgap import Airgap, Result, plain
from support.proxy import FaultProxy
from support.registry import Registry

APP = "team/app:1.0"
NEWER = "team/app:1.1"
BUSYBOX = "tools/busybox:1.35"


def pull(airgap: Airgap, server: Registry | FaultProxy, output: object, *images: str, options: tuple[object, ...] = ()
         ) -> Result:
    return airgap.export("pull", *[f"{server.host}/{name}" for name in images], "--no-referrers", *plain(server),
                         "--output", output, *options)


def names_in(bundle: Path) -> list[str]:
    return [image["name"].split("/", 1)[1] for image in json.loads((bundle / "bundle.json").read_text())["images"]]


def files(directory: Path) -> dict[str, bytes]:
    return {str(path.relative_to(directory)): path.read_bytes() for path in directory.rglob("*") if path.is_file()}


@pytest.fixture
def proxy(running: Running, source: Registry) -> FaultProxy:
    return running(FaultProxy(source))


@pytest.mark.parametrize("form", ["bundle/", "bundle.tar"])
def test_a_partial_blob_of_an_earlier_run_goes_on(form: str, airgap: Airgap, proxy: FaultProxy, source: Registry,
                                                  tmp_path: Path) -> None:
    output = f"{tmp_path}/{form}"
    (layer,) = source.client().manifest("tools/busybox", "1.35").json()["layers"]
    cut = proxy.rule("GET", layer["digest"], cut_after=700_000)
    pull(airgap, proxy, output, BUSYBOX, options=("--retry", 0)).fails(3, "cut", "run the same command again")
    assert cut.matched == 1
    proxy.clear_rules()
    proxy.mark()
    pull(airgap, proxy, output, BUSYBOX).ok()
    (resumed,) = proxy.requests("GET", layer["digest"])
    assert int(resumed.headers["Range"].removeprefix("bytes=").removesuffix("-")) >= 600_000
    airgap.export("verify", output).ok()


@pytest.mark.parametrize("form", ["bundle/", "bundle.tar", "volumes.tar"])
def test_damage_in_what_an_earlier_run_left_of_a_blob_is_blamed(form: str, airgap: Airgap, proxy: FaultProxy, source: Registry,
                                                                tmp_path: Path) -> None:
    output = f"{tmp_path}/{form}"
    (layer,) = source.client().manifest("tools/busybox", "1.35").json()["layers"]
    options = ("--volume-size", "100MB") if form == "volumes.tar" else ()
    proxy.rule("GET", layer["digest"], times=1, cut_after=700_000)
    pull(airgap, proxy, output, BUSYBOX, options=("--retry", 0, *options)).fails(3, "cut")
    front = source.client().blob("tools/busybox", layer["digest"])[:64]
    (partial,) = [path for path in tmp_path.rglob("*") if path.is_file() and "partial" in str(path) and front in path.read_bytes()]
    data = bytearray(partial.read_bytes())
    data[data.index(front) + 1000] ^= 1
    partial.write_bytes(data)
    again = pull(airgap, proxy, output, BUSYBOX, options=options).ok()
    assert re.search(rf"warning: blob {layer['digest']} of {proxy.host}/tools/busybox: wrong bytes: expected .*; its first "
                     rf"\d+ bytes, which an earlier run left, may be damaged in {re.escape(str(partial))}; trying once more "
                     "from zero", again.err), again.err
    airgap.export("verify", output).ok()


def test_an_update_fetches_only_what_is_missing(airgap: Airgap, proxy: FaultProxy, source: Registry,
                                                bundle_dir: Path) -> None:
    pull(airgap, proxy, f"{bundle_dir}/", APP).ok()
    proxy.mark()
    pull(airgap, proxy, f"{bundle_dir}/", APP, NEWER).ok()
    old, new = ({layer["digest"] for layer in source.client().manifest("team/app", tag).json()["layers"]}
                for tag in ("1.0", "1.1"))
    fetched = {request.path.rsplit("/", 1)[1] for request in proxy.requests("GET", "/blobs/")}
    assert fetched & (old | new) == new - old
    assert names_in(bundle_dir) == [APP, NEWER]
    airgap.export("verify", bundle_dir).ok()


def test_a_directory_keeps_what_it_held_unless_pruned(airgap: Airgap, source: Registry, bundle_dir: Path) -> None:
    pull(airgap, source, f"{bundle_dir}/", APP).ok()
    pull(airgap, source, f"{bundle_dir}/", BUSYBOX).ok()
    assert names_in(bundle_dir) == [APP, BUSYBOX]
    before = len(files(bundle_dir))
    pull(airgap, source, f"{bundle_dir}/", BUSYBOX, options=("--prune",)).ok()
    assert names_in(bundle_dir) == [BUSYBOX]
    assert len(files(bundle_dir)) < before
    airgap.export("verify", bundle_dir).ok()


@pytest.mark.parametrize("form", ["bundle/", "bundle.tar"])
def test_an_unchanged_tag_costs_one_head(form: str, airgap: Airgap, proxy: FaultProxy, tmp_path: Path) -> None:
    output = f"{tmp_path}/{form}"
    pull(airgap, proxy, output, APP, BUSYBOX).ok()
    before = files(tmp_path)
    proxy.mark()
    pull(airgap, proxy, output, APP, BUSYBOX).ok()
    asked = [(r.method, r.path) for r in proxy.requests(path="/v2/.")]
    assert sorted(asked) == [("HEAD", "/v2/team/app/manifests/1.0"), ("HEAD", "/v2/tools/busybox/manifests/1.35")]
    assert files(tmp_path) == before


def test_a_tag_that_moved_is_taken_anew(airgap: Airgap, make_registry: MakeRegistry, registry: Registry,
                                        bundle_dir: Path) -> None:
    changing = make_registry()
    first, second = (oci.image([oci.tar_layer({"version": text})]) for text in (b"1", b"2"))
    oci.push(changing.client(), "team/app", "latest", first)
    pull(airgap, changing, f"{bundle_dir}/", "team/app:latest").ok()
    oci.push(changing.client(), "team/app", "latest", second)
    pull(airgap, changing, f"{bundle_dir}/", "team/app:latest").ok()
    entries = json.loads((bundle_dir / "index.json").read_text())["manifests"]
    assert [entry["digest"] for entry in entries] == [second.digest]
    airgap.import_("push", bundle_dir, registry.host, *plain(registry)).ok()
    assert registry.client().digest("team/app", "latest") == second.digest


def test_a_finished_archive_with_the_same_plan_has_nothing_to_do(airgap: Airgap, source: Registry,
                                                                 tmp_path: Path) -> None:
    output = tmp_path / "bundle.tar"
    pull(airgap, source, output, BUSYBOX).ok()
    before = output.stat()
    pull(airgap, source, output, BUSYBOX).ok()
    assert (output.stat().st_ino, output.stat().st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


def test_a_finished_archive_is_not_changed_unless_told(airgap: Airgap, source: Registry, tmp_path: Path) -> None:
    output = tmp_path / "bundle.tar"
    pull(airgap, source, output, BUSYBOX).ok()
    before = output.read_bytes()
    pull(airgap, source, output, APP).fails(2, "bundle.tar", "--overwrite")
    assert output.read_bytes() == before
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith("bundle")] == ["bundle.tar"]
    pull(airgap, source, output, APP, options=("--overwrite",)).ok()
    airgap.export("verify", output).ok()
    assert APP in airgap.export("list", output).ok().out


def test_a_partial_archive_takes_another_plan(airgap: Airgap, proxy: FaultProxy, source: Registry,
                                              tmp_path: Path) -> None:
    """What it has of the new plan is not fetched again."""
    output = tmp_path / "bundle.tar"
    last = max(layer["digest"] for name, tag in (("team/app", "1.0"), ("tools/busybox", "1.35"))
               for layer in source.client().manifest(name, tag).json()["layers"])
    proxy.rule("GET", last, cut_after=1000)
    pull(airgap, proxy, output, APP, BUSYBOX, options=("--retry", 0, "--jobs", 1)).fails(3, "cut")
    held = {r.path.rsplit("/", 1)[1] for r in proxy.requests("GET", "/v2/team/app/blobs/")} - {last}
    proxy.clear_rules()
    proxy.mark()
    pull(airgap, proxy, output, APP, NEWER).ok()
    layers = {layer["digest"] for layer in source.client().manifest("team/app", "1.0").json()["layers"]}
    again = {r.path.rsplit("/", 1)[1] for r in proxy.requests("GET", "/blobs/")}
    assert layers & held and not layers & held & again
    airgap.export("verify", output).ok()


def test_an_interrupted_first_run_does_not_ask_for_its_manifests_again(airgap: Airgap, proxy: FaultProxy,
                                                                       source: Registry, tmp_path: Path) -> None:
    layer = max(source.client().manifest("team/app", "1.0").json()["layers"], key=lambda one: int(one["size"]))
    for form in ("bundle/", "bundle.tar"):
        output = f"{tmp_path}/{form}"
        proxy.rule("GET", layer["digest"], cut_after=700_000)
        pull(airgap, proxy, output, APP, options=("--retry", 0)).fails(3, "cut")
        proxy.clear_rules()
        proxy.mark()
        pull(airgap, proxy, output, APP).ok()
        assert len(proxy.requests("HEAD", "/manifests/")) == 1
        assert proxy.requests("GET", "/manifests/") == []


def test_what_is_left_of_unfinished_blobs_is_not_counted_as_still_to_fetch(airgap: Airgap, proxy: FaultProxy,
                                                                           source: Registry, tmp_path: Path) -> None:
    (layer,) = source.client().manifest("tools/busybox", "1.35").json()["layers"]
    output = f"{tmp_path}/bundle/"
    proxy.rule("GET", layer["digest"], cut_after=700_000)
    pull(airgap, proxy, output, BUSYBOX, options=("--retry", 0)).fails(3, "cut")
    proxy.clear_rules()
    left = sum(path.stat().st_size for path in (tmp_path / "bundle" / ".partial").glob("sha256-*"))
    report = tmp_path / "report.json"
    result = pull(airgap, proxy, output, BUSYBOX, options=("--json", "--report", report)).ok()
    (plan,) = [json.loads(line) for line in result.out.splitlines() if '"event":"plan"' in line]
    assert plan["partialBytes"] == left > 0
    moved = json.loads(report.read_text())
    assert plan["fetchBytes"] == moved["bytes_moved"]
    assert moved["bytes_moved"] + moved["bytes_present"] == plan["bytes"]


def test_a_name_and_the_same_with_its_digest_are_one_thing(airgap: Airgap, source: Registry, registry: Registry,
                                                          bundle_dir: Path) -> None:
    digest = source.client().digest("tools/busybox", "1.35")
    pull(airgap, source, f"{bundle_dir}/", BUSYBOX, f"{BUSYBOX}@{digest}").ok()
    airgap.import_("push", bundle_dir, registry.host, *plain(registry)).ok()
    assert registry.client().digest("tools/busybox", "1.35") == digest


def test_a_dry_run_refuses_what_the_run_would_refuse(airgap: Airgap, source: Registry, tmp_path: Path) -> None:
    output = tmp_path / "bundle.tar"
    pull(airgap, source, output, APP).ok()
    for options in ((), ("--dry-run",)):
        pull(airgap, source, output, BUSYBOX, options=options).fails(2, "is finished and holds other images")
    pull(airgap, source, output, BUSYBOX, options=("--dry-run", "--overwrite")).ok()
