"""A monthly update: only what is new crosses the gap, and inside there is what a full transfer would give."""

import json
import shutil
from pathlib import Path
from typing import Any, Callable

import pytest
from conftest import MakeRegistry, Running

from support import skopeo
from support.airgap import Airgap, plain
from support.memory_registry import MemoryRegistry
from support.oci import image, index
from support.outside import BASE, WRITES, Outside, edited, info_of, layer, push, required, tags_of
from support.podman import Podman
from support.proxy import FaultProxy
from support.push_registry import PushRegistry
from support.registry import Registry

# What a delta is.

def test_a_delta_is_about_the_change_and_gives_what_a_full_transfer_gives(
        airgap: Airgap, outside: Outside, receipt: Path, registry: Registry, make_registry: MakeRegistry) -> None:
    outside.second_month()
    said = outside.pull("delta.tar", "--since", receipt).ok().err
    assert f"a delta for {registry.host} since {receipt}, sequence 1: 3 of them new or changed" in said
    outside.pull("full.tar").ok()
    delta, full = (outside.path(name).stat().st_size for name in ("delta.tar", "full.tar"))
    assert delta < 100_000 and full > BASE + delta  # two layers of 30 kB in it
    registry.mark()
    push(airgap, outside.path("delta.tar"), registry).ok()
    assert len(registry.requests("PUT", "/blobs/uploads/")) == 4  # two layers, two configs
    other = make_registry()
    push(airgap, outside.path("full.tar"), other).ok()
    assert tags_of(registry) == tags_of(other) == {name: image.digest for name, image in outside.images.items()}
    assert skopeo.digest(f"docker://{registry.host}/team/app:latest") == outside.images["team/app:2"].digest
    assert registry.client().blob("team/new", outside.base.digest) == outside.base.data


@pytest.mark.parametrize("how", ["archive", "directory", "bundle.json", "receipt", "a link to a receipt",
                                 "a receipt behind blank lines", "a receipt behind a BOM"])
def test_what_the_other_side_has_is_told_by_a_bundle_or_its_list_or_a_receipt(
        how: str, airgap: Airgap, outside: Outside, receipt: Path) -> None:
    outside.pull("first/").ok()
    since = {"archive": outside.path("first.tar"), "directory": outside.path("first"),
             "bundle.json": outside.path("first/bundle.json"), "receipt": receipt,
             "a link to a receipt": outside.path("latest.json"),
             "a receipt behind blank lines": outside.path("blank.json"),
             "a receipt behind a BOM": outside.path("bom.json")}[how]
    outside.path("blank.json").write_bytes(b" \r\n\n" + receipt.read_bytes())
    outside.path("bom.json").write_bytes(b"\xef\xbb\xbf" + receipt.read_bytes())
    outside.path("latest.json").symlink_to(receipt)
    outside.second_month()
    outside.pull("delta/", "--since", since).ok()
    delta = outside.path("delta")
    # The base, and of web and db a layer and a config each; of the first app a layer and a config.
    assert len(required(delta)) == 7 and outside.base.digest in required(delta)
    assert {blob["kind"] for blob in info_of(delta)["requires"]} == {"config", "layer"}
    assert [image["name"] for image in info_of(delta)["images"]] == sorted(
        f"{outside.server.host}/{name}" for name in outside.images)
    told = {blob["digest"]: blob.get("repository") for blob in info_of(delta)["requires"]}
    assert told[outside.images["tools/db:5"].blobs[1].digest] == (None if how == "bundle.json" else "tools/db")
    airgap.export("verify", delta).ok()
    listed = {line.split("  ")[1].strip() for line in (delta / "SHA256SUMS").read_text().splitlines()[1:]}
    held = {"blobs/" + blob["digest"].replace(":", "/") for blob in info_of(delta)["blobs"]}
    assert {path for path in listed if path.startswith("blobs/")} == held and held
    assert not held & {"blobs/" + digest.replace(":", "/") for digest in required(delta)}


def test_a_delta_goes_on_with_the_stream_above_what_it_builds_on(outside: Outside, first: Path) -> None:
    outside.pull("base/").ok()
    stream, sequence = (info_of(outside.path("base"))[key] for key in ("stream", "sequence"))
    outside.second_month()
    outside.pull("base/").ok()  # sequence 2 of the same stream
    shutil.copy(outside.path("base/bundle.json"), outside.path("second.json"))
    outside.put("team/app:3", outside.base, layer(6))
    outside.pull("delta/", "--since", outside.path("second.json"), "--since", first).ok()
    assert (info_of(outside.path("delta"))["stream"], info_of(outside.path("delta"))["sequence"]) == (
        stream, sequence + 2)
    outside.pull("other/", "--since", first, "--since", outside.path("second.json")).ok()
    assert info_of(outside.path("other"))["sequence"] == 2  # of the stream of the one named first


def test_a_second_run_of_a_delta_finds_nothing_to_do(outside: Outside, first: Path) -> None:
    outside.second_month()
    for output in ("delta/", "delta.tar"):
        outside.pull(output, "--since", first).ok()
        before = outside.path("delta/bundle.json").read_bytes()
        said = outside.pull(output, "--since", first).ok().err
        assert "nothing new: the bundle holds all of it already" in said
        assert outside.path("delta/bundle.json").read_bytes() == before


def test_an_interrupted_delta_goes_on(outside: Outside, first: Path, running: Running, airgap: Airgap) -> None:
    outside.second_month()
    new = outside.images["team/new:1"].blobs[-1].digest
    held = outside.server.blobs.pop(new)
    for output in ("delta/", "delta.tar"):
        outside.pull(output, "--since", first, "--jobs", 1).fails(3, new)
    outside.server.blobs[new] = held
    arrived = outside.images["team/app:2"].blobs[-1].digest
    outside.server.seen.clear()
    for output in ("delta/", "delta.tar"):
        outside.pull(output, "--since", first).ok()
        airgap.export("verify", outside.path(output.rstrip("/"))).ok()
    assert len(outside.server.requests("GET", f"/blobs/{new}")) == 2
    assert outside.server.requests("GET", f"/blobs/{outside.base.digest}") == []
    assert len(outside.server.requests("GET", f"/blobs/{arrived}")) <= 2


def test_list_and_verify_say_what_a_delta_requires(airgap: Airgap, outside: Outside, first: Path) -> None:
    outside.second_month()
    outside.pull("delta.tar", "--since", first).ok()
    outside.pull("delta/", "--since", first).ok()
    size = sum(blob["size"] for blob in info_of(outside.path("delta"))["requires"])
    for command in ("list", "verify"):
        for form in ("delta", "delta.tar"):
            assert "a delta: it requires 7 blobs, " in airgap.import_(command, outside.path(form)).ok().out
            told = airgap.import_(command, outside.path(form), "--json").ok().events()
            event = next(event for event in told if event["event"] == command)
            assert (event["requiredBlobs"], event["requiredBytes"]) == (7, size)
    assert "requires" not in airgap.import_("list", first).ok().out


def test_a_dry_run_of_a_delta_says_what_it_would_leave_out(outside: Outside, first: Path) -> None:
    outside.second_month()
    plan = [event for event in outside.pull("delta.tar", "--since", first, "--dry-run", "--json").ok().events()
            if event["event"] == "plan"][0]
    assert (plan["newImages"], plan["requiredBlobs"], plan["fetchBlobs"]) == (3, 7, 4)
    assert plan["requiredBytes"] > BASE and not outside.path("delta.tar").exists()


def test_podman_loads_of_a_delta_what_is_whole_in_it(podman: Podman, outside: Outside, first: Path) -> None:
    outside.put("alone/app:1", layer(7))
    outside.second_month()
    outside.pull("delta/", "--since", first).ok()
    listed = json.loads(outside.path("delta/manifest.json").read_text())
    assert [entry["RepoTags"] for entry in listed] == [[f"{outside.server.host}/alone/app:1"]]
    outside.pull("delta.tar", "--since", first).ok()
    podman.load(outside.path("delta.tar"))
    assert [name for name in podman.images() if outside.server.host in name] == [f"{outside.server.host}/alone/app:1"]


def test_an_index_whose_layers_the_other_side_has_is_pushed_again(airgap: Airgap, running: Running, tmp_path: Path,
                                                                  registry: Registry) -> None:
    amd, arm = image([layer(1)]), image([layer(2)], architecture="arm64", variant="v8")
    server = running(MemoryRegistry())
    server.add("team/multi", "1", index([amd, arm]))
    words = ["pull", f"{server.host}/team/multi:1", "--platform", "all", *plain(server)]
    airgap.export(*words, "--output", tmp_path / "first.tar").ok()
    push(airgap, tmp_path / "first.tar", registry).ok()
    changed = index([amd, arm], annotations={"month": "2"})
    server.add("team/multi", "1", changed)
    airgap.export(*words, "--since", tmp_path / "first.tar", "--output", tmp_path / "delta.tar").ok()
    push(airgap, tmp_path / "delta.tar", registry).ok()
    assert registry.client().digest("team/multi", "1") == changed.digest


def test_receipts_of_several_registries_leave_out_what_each_of_them_has(
        airgap: Airgap, outside: Outside, make_registry: MakeRegistry) -> None:
    """One delta for a pair of registries goes into either."""
    pair = [(make_registry(), "/one"), (make_registry(), "/two")]
    for (inside, prefix), names in zip(pair, [("team/app:1",), tuple(outside.images)]):
        bundle = outside.path(f"{prefix[1:]}.tar")
        outside.pull(bundle.name, names=names).ok()
        push(airgap, bundle, inside, "--receipt", outside.path(f"{prefix[1:]}.json"), prefix=prefix).ok()
    outside.second_month()
    said = outside.pull("delta/", "--since", outside.path("one.json"), "--since", outside.path("two.json")).ok().err
    both = " and ".join(sorted(f"{inside.host}{prefix}" for inside, prefix in pair))
    assert f"a delta for {both} since " in said
    assert "left out, for each of them has it" in said
    app = outside.images["team/app:1"]
    assert required(outside.path("delta")) == {blob.digest for blob in app.blobs}
    for inside, prefix in pair:
        push(airgap, outside.path("delta"), inside, prefix=prefix).ok()
        assert tags_of(inside) == {f"{prefix[1:]}/{name}": image.digest for name, image in outside.images.items()}


def test_two_prefixes_of_one_registry_are_two_places(airgap: Airgap, outside: Outside, registry: Registry) -> None:
    for name, prefix in (("team/app:1", "/one"), ("tools/db:5", "/two")):
        outside.pull(f"{prefix[1:]}.tar", names=(name,)).ok()
        push(airgap, outside.path(f"{prefix[1:]}.tar"), registry, "--receipt", outside.path(f"{prefix[1:]}.json"),
             prefix=prefix).ok()
    outside.pull("delta/", "--since", outside.path("one.json"), "--since", outside.path("two.json")).ok()
    assert "requires" not in info_of(outside.path("delta"))
    push(airgap, outside.path("delta"), registry, prefix="/two").ok()


def test_receipts_of_one_place_and_bundles_add_up(airgap: Airgap, outside: Outside, registry: Registry) -> None:
    for name, output in (("team/app:1", "app"), ("tools/db:5", "db"), ("team/web:1", "web")):
        outside.pull(f"{output}.tar", names=(name,)).ok()
        push(airgap, outside.path(f"{output}.tar"), registry, "--receipt", outside.path(f"{output}.json")).ok()
    outside.pull("delta/", "--since", outside.path("app.json"), "--since", outside.path("db.json"), "--since",
                 outside.path("web.tar")).ok()
    assert len(required(outside.path("delta"))) == 7
    push(airgap, outside.path("delta"), registry).ok()


def test_an_image_whose_layers_are_fetched_after_all_is_not_called_unchanged(outside: Outside, first: Path) -> None:
    outside.pull("bundle/", "--since", first).ok()
    said = outside.pull("bundle/", "--report", outside.path("report.json")).ok().err
    assert "unchanged" not in said
    told = json.loads(outside.path("report.json").read_text())["images"]
    assert {image["outcome"] for image in told} == {"fetched"}


# What cannot be made a delta.

def hostile_receipts() -> dict[str, tuple[Callable[[Any], None], str]]:
    def assign(member: str, value: Any) -> Callable[[Any], None]:
        return lambda said: said.__setitem__(member, value)

    def of_first(group: str, member: str, value: Any) -> Callable[[Any], None]:
        return lambda said: said[group][0].__setitem__(member, value)

    return {
        "a newer format": (assign("format", 2), "/format: this program reads format 1, and not 2"),
        "no registry": (assign("registry", "../etc"), "/registry: this is no registry"),
        "a prefix that climbs": (assign("prefix", "../.."), "/prefix: '../..' is no repository"),
        "a stream of other letters": (assign("stream", "Z" * 32), "/stream: expected 32 lower-case hex digits"),
        "number 0": (assign("sequence", 0), "/sequence: the first bundle of a stream is number 1"),
        "a number beyond all": (assign("sequence", 2**62), "/sequence: no stream has so many bundles"),
        "control characters": (assign("bundle", "\x1b[2J"), "/bundle: only printable ASCII"),
        "a digest that is none": (of_first("blobs", "digest", "sha256:12"), "/blobs/0/digest"),
        "a size that is negative": (of_first("blobs", "size", -1), "/blobs/0/size"),
        "a size beyond all media": (of_first("blobs", "size", 2**60), "over the limit"),
        "a repository that climbs": (of_first("blobs", "repository", "a/../b"), "/blobs/0/repository"),
        "a name without a tag": (of_first("images", "name", "quay.io/a/b"), "/images/0/name: a name here has a tag"),
        "a target elsewhere": (of_first("images", "target", "http://x/y:1"), "/images/0/target"),
        "a blob twice": (lambda said: said["blobs"].append(said["blobs"][-1]), "not in order of digests, or there twice"),
        "an image twice": (lambda said: said["images"].append(said["images"][-1]), "not in order of targets"),
    }


@pytest.mark.parametrize("what", hostile_receipts())
def test_a_receipt_with_anything_wrong_in_it_is_refused_with_the_place(what: str, outside: Outside,
                                                                       receipt: Path) -> None:
    change, complaint = hostile_receipts()[what]
    bad = edited(receipt, change)
    result = outside.pull("delta.tar", "--since", bad)
    result.fails(2)
    assert str(bad) in result.err and complaint in result.err and "\x1b" not in result.err
    assert not outside.path("delta.tar").exists() and not outside.path("delta.tar.partial").exists()


@pytest.mark.parametrize(("content", "complaint"), [
    (b"images: []\n" * 200, "is no bundle"), (b"{", "edited.json: "),
    (b'{"kind": "something else", "format": 1}', "edited.json: "), (b'{"kind": "airgap-receipt"}', "format"),
    (b'{"format": 1, "stream": "x"}', "/stream"),
])
def test_a_file_that_says_nothing_of_the_other_side_is_refused(content: bytes, complaint: str,
                                                               outside: Outside) -> None:
    outside.path("edited.json").write_bytes(content)
    result = outside.pull("delta.tar", "--since", outside.path("edited.json"))
    assert result.status == 2 and complaint in result.err, result
    outside.pull("delta.tar", "--since", outside.path("nothing.json")).fails(2, "there is no .*nothing.json")


def test_a_damaged_bundle_says_nothing_of_the_other_side(outside: Outside, first: Path) -> None:
    outside.pull("damaged/").ok()
    listed = outside.path("damaged/bundle.json")
    listed.write_text(listed.read_text().replace('"sequence": 1', '"sequence": 2'))
    outside.pull("delta.tar", "--since", outside.path("damaged")).fails(5, "reading --since .*damaged")
    data = bytearray(first.read_bytes())
    data[600] ^= 1
    first.write_bytes(data)
    assert outside.pull("delta.tar", "--since", first).status in (2, 5)


def test_a_bundle_is_not_made_a_delta_of_itself(airgap: Airgap, outside: Outside, first: Path) -> None:
    outside.pull("first.tar", "--since", first).fails(2, "--since and --output both name")
    outside.pull("whole/").ok()
    outside.pull("whole/", "--since", first).fails(2, "which --since would leave out")
    airgap.export("verify", outside.path("whole")).ok()
    outside.pull("tree/", "--since", first, "--format", "skopeo-dir").fails(2, "knows no deltas")


# What the importer does with it.

def test_what_is_in_another_repository_alone_is_mounted(airgap: Airgap, outside: Outside, receipt: Path,
                                                        registry: Registry) -> None:
    """The list of the second month names neither app nor web, where the base is: the receipt knows the place."""
    outside.put("team/new:1", outside.base, layer(5))
    outside.pull("delta.tar", "--since", receipt, names=("team/new:1",)).ok()
    registry.mark()
    push(airgap, outside.path("delta.tar"), registry).ok()
    mounts = registry.requests("POST", "mount=")
    assert [mount.status for mount in mounts] == [201] and "from=team" in mounts[0].path
    assert len(registry.requests("PUT", "/blobs/uploads/")) == 2


@pytest.mark.parametrize("since", ["bundle", "bundle.json", "a delta of it"])
@pytest.mark.parametrize("renamed", [False, True])
def test_a_base_is_found_under_the_names_that_push_gives_it(renamed: bool, since: str, airgap: Airgap,
                                                            outside: Outside, registry: Registry) -> None:
    """Nobody said where the base went, or it went elsewhere than the bundle says."""
    naming = ("--map", f"{outside.server.host}/team/=apps/") if renamed else ()
    outside.pull("first/").ok()
    push(airgap, outside.path("first"), registry, *naming, prefix="/in").ok()
    outside.put("other/thing:1", layer(8))
    outside.pull("between/", "--since", outside.path("first/bundle.json"), names=("other/thing:1", "tools/db:5")).ok()
    outside.put("other/new:1", outside.base, layer(5))
    told = {"bundle": "first", "bundle.json": "first/bundle.json", "a delta of it": "between"}[since]
    again = ("--since", outside.path("first")) if since == "a delta of it" else ()
    outside.pull("delta.tar", "--since", outside.path(told), *again, names=("other/new:1",)).ok()
    push(airgap, outside.path("delta.tar"), registry, *naming, "--allow-unused-map", prefix="/in").ok()
    assert registry.client().blob("in/other/new", outside.base.digest) == outside.base.data


def test_a_registry_that_does_not_mount_gets_a_copy_of_its_own_blob(airgap: Airgap, outside: Outside,
                                                                    running: Running, first: Path) -> None:
    inside = running(PushRegistry(mount=202))
    push(airgap, first, inside).ok()
    outside.put("team/new:1", outside.base, layer(5))
    outside.pull("delta.tar", "--since", first, names=("team/new:1",)).ok()
    push(airgap, outside.path("delta.tar"), inside).ok()
    assert inside.blobs["team/new", outside.base.digest] == outside.base.data


def test_a_delta_comes_through_a_pipe_too(airgap: Airgap, outside: Outside, receipt: Path,
                                          registry: Registry) -> None:
    outside.second_month()
    sent, taken = airgap.pipe(("airgap-export", *outside.words(), "--since", receipt, "--output", "-"),
                              ("airgap-import", "push", "-", registry.host, *plain(registry)))
    sent.ok(), taken.ok()
    assert tags_of(registry) == {name: image.digest for name, image in outside.images.items()}


def test_a_blob_that_went_missing_since_is_found_out(airgap: Airgap, outside: Outside, first: Path,
                                                     running: Running) -> None:
    inside = running(PushRegistry(mount=201))
    push(airgap, first, inside).ok()
    for key in [key for key in inside.blobs if key[1] == outside.base.digest]:
        del inside.blobs[key]
    outside.second_month()
    outside.pull("delta.tar", "--since", first).ok()
    written = len(inside.requests(WRITES))
    push(airgap, outside.path("delta.tar"), inside, "--dry-run").fails(5, "it lacks 1 blob, ", "--want-list FILE")
    push(airgap, outside.path("delta.tar"), inside, "--keep-going").fails(5, outside.server.host)
    assert len(inside.requests(WRITES)) == written


@pytest.mark.parametrize("how", ["file", "pipe"])
def test_what_the_registry_loses_meanwhile_of_what_it_had_is_not_called_sent(how: str, airgap: Airgap,
                                                                             outside: Outside, running: Running,
                                                                             first: Path) -> None:
    inside = running(PushRegistry(mount=201))
    push(airgap, first, inside).ok()
    outside.put("team/app:2", outside.base, layer(4))
    outside.pull("delta.tar", "--since", first, names=("team/app:2",)).ok()
    proxy = running(FaultProxy(inside))
    proxy.rule("PUT", "/manifests/", times=1,
               on_match=lambda: inside.blobs.pop(("team/app", outside.base.digest)))
    data = outside.path("delta.tar").read_bytes()
    result = (push(airgap, outside.path("delta.tar"), proxy) if how == "file" else
              airgap.import_("push", "-", proxy.host, *plain(proxy), "--retry", 0, input=data))
    result.fails(5, f"has lost {outside.base.digest} of team/app, which this delta does not carry", "--want-list FILE")
    assert "sen" not in result.err.split("error: ")[1].split("hint")[0]


def test_two_deltas_may_come_in_any_order(airgap: Airgap, outside: Outside, receipt: Path,
                                          registry: Registry) -> None:
    outside.put("team/app:2", outside.base, layer(4))
    outside.pull("second.tar", "--since", receipt, names=("team/app:2",)).ok()
    outside.put("team/web:2", outside.base, layer(6))
    outside.pull("third.tar", "--since", receipt, names=("team/web:2",)).ok()
    for delta in ("third.tar", "second.tar"):
        push(airgap, outside.path(delta), registry).ok()
    assert tags_of(registry) == {name: image.digest for name, image in outside.images.items()}


def test_a_delta_of_a_delta_waits_for_it(airgap: Airgap, outside: Outside, receipt: Path,
                                         registry: Registry) -> None:
    outside.put("team/app:2", outside.base, layer(4))
    outside.pull("second.tar", "--since", receipt).ok()
    outside.put("team/app:3", outside.base, layer(4), layer(6))
    outside.pull("third.tar", "--since", outside.path("second.tar")).ok()
    push(airgap, outside.path("third.tar"), registry).fails(5, "team/app:2 and 1 more")
    push(airgap, outside.path("second.tar"), registry).ok()
    push(airgap, outside.path("third.tar"), registry).ok()
    assert tags_of(registry) == {name: image.digest for name, image in outside.images.items()}


def test_an_interrupted_push_of_a_delta_goes_on(airgap: Airgap, outside: Outside, receipt: Path, registry: Registry,
                                                running: Running) -> None:
    outside.second_month()
    outside.pull("delta.tar", "--since", receipt).ok()
    proxy = running(FaultProxy(registry))
    proxy.rule("PUT", "/blobs/uploads/", skip=2, status=500)
    push(airgap, outside.path("delta.tar"), proxy, "--jobs", 1).fails(3)
    registry.mark()
    push(airgap, outside.path("delta.tar"), registry).ok()
    assert len(registry.requests("PUT", "/blobs/uploads/")) == 2
    assert tags_of(registry) == {name: image.digest for name, image in outside.images.items()}
