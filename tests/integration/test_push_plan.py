"""What a push does, in which order and at what cost: seen in the registry's access log."""

import json
import re
import threading
from pathlib import Path
from typing import Callable

import pytest
from conftest import Running

from support.access_log import Request
from support.airgap import Airgap, Result, plain
from support.oci import to_json
from support.proxy import FaultProxy
from support.registry import Registry
from support.source import SourceImages

APPS = ("team/app:1.0", "team/app:1.1")  # share two layers
SHARING = ("debian/base:12", "debian/tools:12", *APPS)  # three repositories with one base layer
BUSYBOX = "tools/busybox:1.35"
LEGACY = "legacy/busybox:1.35"  # the layer of BUSYBOX
UPLOADS = "/blobs/uploads/"

Bundle = Callable[..., Path]


@pytest.fixture(scope="module")
def bundle(source: Registry, tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    """bundle(*images): an archive of them, made once; read only."""
    made: dict[tuple[str, ...], Path] = {}

    def make(*images: str) -> Path:
        if images not in made:
            directory = tmp_path_factory.mktemp("bundle")
            made[images] = directory / "bundle.tar"
            Airgap(directory / "home").export("pull", *[f"{source.host}/{name}" for name in images], "--platform",
                                              "all", *plain(source), "--output", made[images]).ok()
        return made[images]

    return make


def push(airgap: Airgap, bundle: Path, registry: Registry | FaultProxy, *options: object, prefix: str = "") -> Result:
    return airgap.import_("push", bundle, registry.host + prefix, *plain(registry), *options)


def uploaded(requests: list[Request]) -> list[str]:
    return [r.path.rsplit("digest=sha256%3A", 1)[1] for r in requests if r.method == "PUT" and UPLOADS in r.path]


def has(registry: Registry, name: str) -> bool:
    return registry.client().has_manifest(*name.rsplit(":", 1))


def test_a_dry_run_says_each_step_and_writes_nothing(airgap: Airgap, bundle: Bundle, registry: Registry) -> None:
    told = push(airgap, bundle(BUSYBOX, LEGACY), registry, "--dry-run").ok().out
    assert registry.requests("POST|PUT|PATCH|DELETE") == [] and registry.client().repositories() == []
    layer = r"sha256:[0-9a-f]{12} \(1.1 MiB\)"
    where = registry.host
    assert told.count("upload sha256:") == 2 and told.count("mount sha256:") == 2
    for step in (f"mount {layer} into {where}/.*/busybox: .*/busybox has it",
                 f"put manifest sha256:[0-9a-f]{{12}} into {where}/tools/busybox",
                 f"new tag {where}/tools/busybox:1.35 for sha256:[0-9a-f]{{12}}"):
        assert _matches(step, told), f"{step}\n{told}"


def test_a_dry_run_names_each_image_with_what_it_costs_and_its_target(airgap: Airgap, bundle: Bundle, registry: Registry
                                                                    ) -> None:
    """What one repository gets by an upload is mounted into the other, and counts there."""
    dry = push(airgap, bundle(BUSYBOX, LEGACY), registry, "--dry-run", prefix="/in").ok()
    rows = [re.split(r"  +", line) for line in dry.out.splitlines() if re.search(r"  sha256:[0-9a-f]{12}  ", line)]
    assert [row[-1] for row in rows] == [f"{registry.host}/in/{name}" for name in (LEGACY, BUSYBOX)]
    assert [row[3:6] for row in rows] == [["1.1 MiB", "0 B", "0 B"], ["0 B", "1.1 MiB", "0 B"]]
    assert "1.1 MiB to send, 1.1 MiB to mount, 0 B there already" in dry.err
    plan, planned = (next(event for event in push(airgap, bundle(BUSYBOX, LEGACY), registry, "--dry-run", "--json",
                                                  prefix="/in").ok().events() if event["event"] == kind)
                     for kind in ("plan", "planned"))
    for key in ("uploadBytes", "mountBytes", "presentBytes"):
        assert sum(image[key] for image in planned["images"]) == plan[key], key
    push(airgap, bundle(BUSYBOX), registry, prefix="/in").ok()
    half = next(event for event in push(airgap, bundle(BUSYBOX, LEGACY), registry, "--dry-run", "--json",
                                        prefix="/in").ok().events() if event["event"] == "plan")
    assert half["presentBytes"] == half["mountBytes"] > 1_000_000  # both have the same blobs
    after = push(airgap, bundle(BUSYBOX, LEGACY), registry, "--dry-run", prefix="/in").ok().out
    assert re.search(rf"/{BUSYBOX}  .*  0 B  +0 B  +1.1 MiB  {registry.host}/in/{BUSYBOX}\n", after), after


def _matches(pattern: str, text: str) -> bool:
    return any(re.fullmatch(pattern, line) for line in text.splitlines())


def test_a_dry_run_says_which_tags_would_move(airgap: Airgap, bundle: Bundle, registry: Registry,
                                              source_images: SourceImages) -> None:
    push(airgap, bundle(*APPS), registry).ok()
    new = source_images["team/app:1.0"].digest
    old = source_images["team/app:1.1"].digest
    older = registry.client().manifest("team/app", "1.1")
    registry.client().put_manifest("team/app", "1.0", older.body, older.headers["Content-Type"])
    told = push(airgap, bundle(*APPS), registry, "--dry-run").ok()
    assert f"move tag {registry.host}/team/app:1.0 from {old[:19]} to {new[:19]}" in told.out
    assert "1 tag to set, 1 of them moved" in told.err
    assert registry.client().digest("team/app", "1.0") == old


def test_what_is_there_is_found_by_head_alone(airgap: Airgap, bundle: Bundle, registry: Registry) -> None:
    """One HEAD a blob, a manifest and a tag; not a single GET of a manifest."""
    push(airgap, bundle(*APPS), registry).ok()
    registry.mark()
    push(airgap, bundle(*APPS), registry).ok()
    asked = registry.requests(path="/v2/.")
    assert {request.method for request in asked} == {"HEAD"}
    assert len(asked) == len({request.path for request in asked}) == 5 + 2 + 2


def test_a_new_version_sends_only_what_is_new(airgap: Airgap, bundle: Bundle, registry: Registry) -> None:
    push(airgap, bundle("team/app:1.0"), registry).ok()
    registry.mark()
    push(airgap, bundle(*APPS), registry).ok()
    assert len(uploaded(registry.requests())) == 2  # a layer and a config
    assert len(registry.requests("PUT", "/manifests/")) == 2  # by digest, and the tag


def test_a_shared_layer_is_sent_once_and_mounted(airgap: Airgap, bundle: Bundle, registry: Registry,
                                                 source_images: SourceImages) -> None:
    push(airgap, bundle(*SHARING, BUSYBOX, LEGACY), registry).ok()
    sent = uploaded(registry.requests())
    assert len(sent) == len(set(sent))
    mounts = registry.requests("POST", "mount=")
    assert mounts and all(mount.status == 201 for mount in mounts)
    for name in (*SHARING, BUSYBOX, LEGACY):
        assert registry.client().digest(*name.split(":")) == source_images[name].digest


def test_a_layer_of_an_earlier_push_is_mounted(airgap: Airgap, bundle: Bundle, registry: Registry) -> None:
    """The repository that holds it is one of this push."""
    push(airgap, bundle(BUSYBOX), registry).ok()
    registry.mark()
    push(airgap, bundle(BUSYBOX, LEGACY), registry).ok()
    assert [mount.status for mount in registry.requests("POST", "mount=")] == [201, 201]  # the config too
    assert uploaded(registry.requests()) == []


@pytest.mark.parametrize("jobs", [1, 8])
def test_blobs_come_before_manifests_and_tags_last(jobs: int, airgap: Airgap, bundle: Bundle,
                                                   registry: Registry) -> None:
    """R86: children before the index, all tags after all manifests."""
    push(airgap, bundle(*APPS, "team/web:2.0", BUSYBOX), registry, "--jobs", jobs).ok()
    log = registry.requests("PUT|POST")
    kinds = ["blob" if UPLOADS in r.path else "manifest" if "/manifests/sha256:" in r.path else "tag" for r in log]
    assert kinds == sorted(kinds)  # as it happens, in the order of the alphabet
    index = registry.client().manifest("team/web", "2.0").json()
    put = [r.path.rsplit("/", 1)[1] for r in log if "/web/manifests/sha256:" in r.path]
    assert set(put[:-1]) == {child["digest"] for child in index["manifests"]}


def test_uploads_run_at_the_same_time(airgap: Airgap, bundle: Bundle, running: Running, registry: Registry) -> None:
    """Each of four uploads waits until all four are there."""
    proxy = running(FaultProxy(registry))
    together = threading.Barrier(4, timeout=20)
    uploads = proxy.rule("PUT", UPLOADS, times=4, on_match=lambda: bool(together.wait()))
    push(airgap, bundle(*APPS), proxy, "--jobs", 4).ok()
    assert uploads.matched >= 4 and not together.broken


@pytest.mark.parametrize(("options", "expected"), [
    ([], ["in/team/app", "in/tools/busybox"]),
    (["--scoped"], ["in/{scope}/team/app", "in/{scope}/tools/busybox"]),
    (["--flat"], ["in/app", "in/busybox"]),
    (["--map", "{host}/team/=apps/"], ["in/apps/app", "in/tools/busybox"]),
    (["--map", "{host}/tools/busybox:1.35=box:stable", "--flat"], ["in/app", "in/box"]),
])
def test_names_inside_follow_the_options(options: list[str], expected: list[str], airgap: Airgap, bundle: Bundle,
                                         registry: Registry, source: Registry) -> None:
    def filled(text: str) -> str:
        return text.format(host=source.host, scope=source.host.replace(":", "-"))

    push(airgap, bundle(*APPS, BUSYBOX), registry, *map(filled, options), prefix="/in").ok()
    assert registry.client().repositories() == sorted(map(filled, expected))


@pytest.mark.parametrize(("rule", "hint"), [
    ("{host}/tools/busybocks=base", "did you mean '{host}/tools/busybox'"),
    ("{host}/tools/busybox:1.36=base:1", "did you mean '{host}/tools/busybox:1.35'"),
    ("{host}/tool/=base/", "did you mean '{host}/tools/'"), ("quay.io/something/=base/", "there are: {host}/, ")])
def test_a_map_that_is_for_no_image_is_refused(rule: str, hint: str, airgap: Airgap, bundle: Bundle, registry: Registry,
                                               source: Registry) -> None:
    rule, hint = rule.format(host=source.host), hint.format(host=source.host)
    rules = ("--map", rule, "--map", f"{source.host}/tools/=t/")
    problem = re.escape(f"--map {rule} is for no image that is here")
    push(airgap, bundle(BUSYBOX), registry, *rules).fails(2, problem, re.escape(hint), "--allow-unused-map")
    assert registry.requests(path="/v2/.") == []
    said = push(airgap, bundle(BUSYBOX), registry, *rules, "--allow-unused-map").ok()
    assert re.search(problem, said.err) and registry.client().repositories() == ["t/busybox"]


def test_two_images_with_one_target_are_refused_before_anything_is_written(airgap: Airgap, bundle: Bundle,
                                                                           registry: Registry) -> None:
    push(airgap, bundle(BUSYBOX, LEGACY), registry, "--flat").fails(
        2, f"{registry.host}/busybox:1.35", "tools/busybox:1.35", "legacy/busybox:1.35")
    assert registry.requests(path="/v2/.") == []


def test_a_broken_image_leaves_the_others(airgap: Airgap, bundle: Bundle, running: Running, registry: Registry,
                                          tmp_path: Path) -> None:
    proxy = running(FaultProxy(registry))
    proxy.rule("PUT", "/v2/tools/.*" + UPLOADS, status=403, body=to_json({"errors": [{"code": "DENIED",
                                                                                     "message": "no"}]}))
    report = tmp_path / "report.json"
    push(airgap, bundle(*APPS, BUSYBOX), proxy, "--keep-going", "--report", report).fails(
        4, f"{proxy.host}/tools/busybox:1.35 failed", "403")
    assert has(registry, APPS[0]) and has(registry, APPS[1]) and not has(registry, BUSYBOX)
    said = json.loads(report.read_text())
    assert said["status"] == 4
    outcomes = {image["target"].removeprefix(proxy.host + "/"): image for image in said["images"]}
    assert {name: image["outcome"] for name, image in outcomes.items()} == {
        APPS[0]: "pushed", APPS[1]: "pushed", BUSYBOX: "failed"}
    assert outcomes[BUSYBOX]["error_kind"] == "credentials" and "403" in outcomes[BUSYBOX]["error"]


def test_without_keep_going_a_broken_image_stops_all(airgap: Airgap, bundle: Bundle, running: Running,
                                                     registry: Registry, tmp_path: Path) -> None:
    proxy = running(FaultProxy(registry))
    proxy.rule("PUT", "/v2/tools/.*" + UPLOADS, status=403)
    report = tmp_path / "report.json"
    push(airgap, bundle(*APPS, BUSYBOX), proxy, "--report", report).fails(4, "tools/busybox")
    assert registry.requests("PUT", "/manifests/") == []
    said = json.loads(report.read_text())
    assert (said["status"], said["error_kind"]) == (4, "credentials") and "403" in said["error"]


def test_the_report_of_a_push_that_was_broken_off_says_what_was_sent(airgap: Airgap, bundle: Bundle, running: Running,
                                                                     registry: Registry, tmp_path: Path) -> None:
    proxy = running(FaultProxy(registry))
    proxy.rule("PUT", "/manifests/", status=403)
    report = tmp_path / "report.json"
    push(airgap, bundle(*APPS), proxy, "--report", report).fails(4, "403")
    said = json.loads(report.read_text())
    sent = [request for request in proxy.requests("PUT", UPLOADS)]
    assert said["bytes_moved"] == sum(request.body_size for request in sent) > 0
    assert said["blobs_moved"] == len(sent)


def test_the_report_says_what_was_done(airgap: Airgap, bundle: Bundle, registry: Registry, source: Registry,
                                       source_images: SourceImages, tmp_path: Path) -> None:
    report = tmp_path / "report.json"
    push(airgap, bundle("team/app:1.0"), registry).ok()
    push(airgap, bundle(*APPS), registry, "--report", report).ok()
    said = json.loads(report.read_text())
    assert {key: said[key] for key in ("program", "command", "status", "error", "target", "blobs_moved")} == {
        "program": "airgap-import", "command": "push", "status": 0, "error": "", "target": registry.host,
        "blobs_moved": 2}
    older, newer = sizes_of(source, "1.0"), sizes_of(source, "1.1")
    assert said["bytes_moved"] == sum(size for digest, size in newer.items() if digest not in older)
    assert [(image["name"], image["digest"], image["target"], image["outcome"]) for image in said["images"]] == [
        (f"{source.host}/{name}", source_images[name].digest, f"{registry.host}/{name}", outcome)
        for name, outcome in zip(APPS, ("present", "pushed"))]


def sizes_of(registry: Registry, tag: str) -> dict[str, int]:
    manifest = registry.client().manifest("team/app", tag).json()
    return {entry["digest"]: entry["size"] for entry in (manifest["config"], *manifest["layers"])}


def test_json_events_tell_the_run(airgap: Airgap, bundle: Bundle, registry: Registry) -> None:
    events = push(airgap, bundle(BUSYBOX), registry, "--json").ok().events()
    plan, blobs, images = ([e for e in events if e["event"] == kind] for kind in ("plan", "blob", "image"))
    assert [(p["blobs"], p["manifests"], p["tags"]) for p in plan] == [(2, 1, 1)]
    assert sorted(blob["outcome"] for blob in blobs) == ["pushed", "pushed"]
    assert sum(blob["size"] for blob in blobs) == plan[0]["uploadBytes"]
    assert [(i["name"], i["outcome"]) for i in images] == [(f"{registry.host}/{BUSYBOX}", "pushed")]
    assert events[-1]["event"] == "done" and events[-1]["status"] == 0


def test_json_events_end_with_the_failure(airgap: Airgap, bundle: Bundle, running: Running,
                                          registry: Registry) -> None:
    proxy = running(FaultProxy(registry))
    proxy.rule("PUT", UPLOADS, status=403)
    events = push(airgap, bundle(BUSYBOX), proxy, "--json").events()
    kinds = [event["event"] for event in events]
    failure = events[kinds.index("error")]
    assert (failure["kind"], failure["status"]) == ("credentials", 4) and proxy.host in failure["message"]
    done = events[kinds.index("done")]
    assert done["status"] == 4 and "403" in done["error"]
