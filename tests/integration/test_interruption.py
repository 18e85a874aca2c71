"""Stopped in the middle, by the operator or by a power cut: the same command again finishes what is left."""

import json
import os
import re
import select
import signal
import subprocess
import threading
import time
from pathlib import Path
from typing import Callable

import pytest
from conftest import Running

from support.airgap import Airgap, plain
from support.proxy import FaultProxy
from support.registry import Registry
from support.source import SourceImages

IMAGES = ("team/app:1.0", "tools/busybox:1.35")
BUSYBOX = "tools/busybox:1.35"
UPLOADS = "/blobs/uploads/"
GRACE = 2.0  # seconds from the signal to the end
STATUS = {signal.SIGINT: 130, signal.SIGTERM: 143, signal.SIGHUP: 129}
FORMS = ["bundle/", "bundle.tar"]

Stop = Callable[..., None]


class Middle:
    """Holds a request at the proxy until release(), so that a signal finds the program in the middle."""

    def __init__(self) -> None:
        self._reached = threading.Event()
        self._released = threading.Event()

    def hold(self) -> None:
        self._reached.set()
        self._released.wait(20)

    def reached(self) -> None:
        assert self._reached.wait(20), "the program never came to the middle"

    def release(self) -> None:
        self._released.set()


@pytest.fixture
def proxy(running: Running, source: Registry) -> FaultProxy:
    return running(FaultProxy(source))


def layers_of(source: Registry) -> dict[str, int]:
    """Digest and size of every layer of IMAGES."""
    manifests = [source.client().manifest(*name.split(":")).json() for name in IMAGES]
    return {layer["digest"]: layer["size"] for manifest in manifests for layer in manifest["layers"]}


def large_layer(source: Registry) -> str:
    layers = layers_of(source)
    return max(layers, key=lambda digest: layers[digest])


def pull_words(server: FaultProxy, output: object) -> list[object]:
    return ["pull", *[f"{server.host}/{name}" for name in IMAGES], "--no-referrers", *plain(server), "--output", output]


def stop_within_grace(airgap: Airgap, process: subprocess.Popen[bytes], how: signal.Signals) -> None:
    started = time.monotonic()
    result = airgap.stop(process, how)
    assert time.monotonic() - started < GRACE
    if how == signal.SIGKILL:
        assert result.status == -signal.SIGKILL
    else:
        result.fails(STATUS[how], "interrupted")


def wait_for_bytes(path: Path, pattern: str, count: int) -> None:
    """Until files below `path` that match have `count` bytes on the medium."""
    deadline = time.monotonic() + 20
    while sum(f.stat().st_blocks * 512 for f in path.rglob("*") if f.is_file() and re.search(pattern, str(f))) < count:
        assert time.monotonic() < deadline, f"fewer than {count} bytes arrived"
        time.sleep(0.01)


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGKILL])
@pytest.mark.parametrize("form", FORMS)
def test_a_stopped_pull_goes_on_where_it_was(form: str, how: signal.Signals, airgap: Airgap, proxy: FaultProxy,
                                             source: Registry, registry: Registry, source_images: SourceImages,
                                             tmp_path: Path) -> None:
    """Layers that arrived are not fetched again, and the one in flight goes on in its middle."""
    output = f"{tmp_path}/out/{form}"
    (tmp_path / "out").mkdir()
    digest = large_layer(source)
    others = layers_of(source).keys() - {digest}
    arrived = threading.Semaphore(0)
    for other in others:
        proxy.rule("GET", other, times=1, after_answer=arrived.release)
    # The large one comes when the others are there, so that it alone is in flight.
    middle = proxy.rule("GET", digest, times=1, rate=4_000_000,
                        on_match=lambda: all(arrived.acquire(timeout=10) for _ in others))
    process = airgap.start("airgap-export", *pull_words(proxy, output))
    wait_for_bytes(tmp_path / "out", "partial", 6_000_000)
    stop_within_grace(airgap, process, how)
    assert middle.matched == 1
    airgap.import_("push", output, registry.host, *plain(registry)).fails(5, "is unfinished", "run the export again")
    assert registry.client().repositories() == []

    proxy.mark()
    airgap.export(*pull_words(proxy, output)).ok()
    layers = layers_of(source)
    (resumed,) = [r for r in proxy.requests("GET", "/blobs/") if r.path.rsplit("/", 1)[1] in layers]
    assert digest in resumed.path
    if how != signal.SIGKILL:  # which may lose what was not synced of the layer in flight
        assert re.fullmatch(r"bytes=[1-9]\d+-", resumed.headers["Range"])
    airgap.import_("verify", output).ok()
    assert "partial" not in "".join(str(path) for path in tmp_path.rglob("*"))
    airgap.import_("push", output, registry.host, *plain(registry)).ok()
    for name in IMAGES:
        assert registry.client().digest(*name.split(":")) == source_images[name].digest


def test_a_pull_stops_at_once_while_a_pipe_is_full(airgap: Airgap, proxy: FaultProxy) -> None:
    """Nobody reads the other end: `| less`, or an ssh that hangs."""
    reading, writing = os.pipe()
    process = airgap.start("airgap-export", *pull_words(proxy, "-"), stdout=writing)
    deadline = time.monotonic() + 20
    while select.select([], [writing], [], 0)[1]:  # nothing can be written when no page of the pipe is free
        assert process.poll() is None and time.monotonic() < deadline, "the pipe never filled"
        time.sleep(0.01)
    started = time.monotonic()
    process.send_signal(signal.SIGINT)
    assert process.wait(20) == 130
    assert time.monotonic() - started < GRACE
    process.communicate()
    os.close(reading)
    os.close(writing)


@pytest.mark.parametrize("waiting", ["an answer", "the next attempt"])
def test_a_pull_stops_at_once_while_it_waits(waiting: str, airgap: Airgap, proxy: FaultProxy, tmp_path: Path) -> None:
    middle = Middle()
    if waiting == "an answer":
        proxy.rule("HEAD|GET", "/manifests/", on_match=middle.hold)
    else:
        proxy.rule("HEAD|GET", "/manifests/", status=503, headers={"Retry-After": "60"}, after_answer=middle.hold)
    process = airgap.start("airgap-export", *pull_words(proxy, tmp_path / "bundle.tar"))
    middle.reached()
    stop_within_grace(airgap, process, signal.SIGINT)
    middle.release()


def await_handler(process: "subprocess.Popen[str]", number: signal.Signals) -> None:
    """Until the program catches the signal: before that it would end by it."""
    deadline = time.monotonic() + GRACE
    caught = 0
    while not caught >> (number - 1) & 1:
        assert process.poll() is None and time.monotonic() < deadline
        status = Path(f"/proc/{process.pid}/status").read_text()
        caught = int(status.split("SigCgt:")[1].split()[0], 16)


def test_a_push_stops_at_once_while_nothing_comes_through_the_pipe(airgap: Airgap, registry: Registry) -> None:
    process = airgap.start("airgap-import", "push", "-", registry.host, *plain(registry), stdin=subprocess.PIPE)
    await_handler(process, signal.SIGINT)
    started = time.monotonic()
    process.send_signal(signal.SIGINT)
    assert process.wait(20) == 130
    assert time.monotonic() - started < GRACE
    process.communicate()


@pytest.fixture(scope="module")
def bundle(source: Registry, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Holds IMAGES; read only."""
    directory = tmp_path_factory.mktemp("bundle")
    Airgap(directory / "home").export("pull", *[f"{source.host}/{name}" for name in IMAGES], *plain(source),
                                      "--output", directory / "bundle.tar").ok()
    return directory / "bundle.tar"


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
@pytest.mark.parametrize("at", [UPLOADS, "/manifests/sha256:", r"/manifests/[0-9.]+$"])
def test_a_stopped_push_goes_on_where_it_was(at: str, how: signal.Signals, airgap: Airgap, bundle: Path,
                                             running: Running, registry: Registry,
                                             source_images: SourceImages) -> None:
    """In any step: nothing is tagged before all is there, and nothing is sent twice but what was in flight."""
    proxy = running(FaultProxy(registry))
    middle = Middle()
    proxy.rule("PUT", at, skip=1, on_match=middle.hold)
    words = ("push", bundle, proxy.host, *plain(proxy), "--jobs", 1)
    process = airgap.start("airgap-import", *words)
    middle.reached()
    done = {r.path.rsplit("digest=", 1)[1] for r in registry.requests("PUT", UPLOADS) if r.status == 201}
    tagged = len(registry.requests("PUT", r"/manifests/[0-9.]+$"))
    assert tagged == (1 if at.endswith("$") else 0)
    stop_within_grace(airgap, process, how)
    proxy.clear_rules()
    middle.release()

    registry.mark()
    airgap.import_(*words).ok()
    again = {r.path.rsplit("digest=", 1)[1] for r in registry.requests("PUT", UPLOADS)}
    assert done and not done & again
    for name in IMAGES:
        assert registry.client().digest(*name.split(":")) == source_images[name].digest


@pytest.mark.parametrize("form", FORMS)
def test_a_second_run_finds_the_bundle_busy(form: str, airgap: Airgap, proxy: FaultProxy, source: Registry,
                                            tmp_path: Path) -> None:
    output = f"{tmp_path}/{form}"
    middle = Middle()
    proxy.rule("GET", large_layer(source), times=1, on_match=middle.hold)
    first = airgap.start("airgap-export", *pull_words(proxy, output))
    middle.reached()
    busy = airgap.export(*pull_words(proxy, output)).fails(8, "another run", re.escape(str(tmp_path)))
    assert "//" not in busy.err.split("another run")[1]
    middle.release()
    out, err = first.communicate(timeout=60)
    assert first.returncode == 0, err.decode()
    airgap.import_("verify", output).ok()


def test_a_killed_run_leaves_no_lock(airgap: Airgap, proxy: FaultProxy, source: Registry, tmp_path: Path) -> None:
    middle = Middle()
    proxy.rule("GET", large_layer(source), times=1, on_match=middle.hold)
    process = airgap.start("airgap-export", *pull_words(proxy, f"{tmp_path}/bundle/"))
    middle.reached()
    airgap.stop(process, signal.SIGKILL)
    middle.release()
    airgap.export(*pull_words(proxy, f"{tmp_path}/bundle/")).ok()


def test_an_interrupted_run_writes_its_report(airgap: Airgap, bundle: Path, running: Running, registry: Registry,
                                              tmp_path: Path) -> None:
    proxy = running(FaultProxy(registry))
    middle = Middle()
    proxy.rule("PUT", UPLOADS, on_match=middle.hold)
    report = tmp_path / "report.json"
    process = airgap.start("airgap-import", "push", bundle, proxy.host, *plain(proxy), "--report", report)
    middle.reached()
    stop_within_grace(airgap, process, signal.SIGTERM)
    middle.release()
    said = json.loads(report.read_text())
    assert (said["status"], said["error_kind"]) == (143, "interrupted")
    assert said["images"] and {image["outcome"] for image in said["images"]} == {"unfinished"}


def test_the_report_of_an_interrupted_pull_has_every_image(airgap: Airgap, running: Running, source: Registry,
                                                           tmp_path: Path) -> None:
    proxy = running(FaultProxy(source))
    middle = Middle()
    layer = source.client().manifest("team/app", "1.0").json()["layers"][0]
    proxy.rule("GET", layer["digest"], on_match=middle.hold)
    report = tmp_path / "report.json"
    process = airgap.start("airgap-export", "pull", f"{proxy.host}/team/app:1.0", *plain(proxy), "--output",
                           tmp_path / "bundle", "--report", report)
    middle.reached()
    stop_within_grace(airgap, process, signal.SIGTERM)
    middle.release()
    assert [image["outcome"] for image in json.loads(report.read_text())["images"]] == ["unfinished"]


@pytest.mark.parametrize("cut", [("--volume-size", "1MiB"), ()], ids=["volumes-beside-archive", "archive-beside-volumes"])
def test_an_archive_and_volumes_of_one_name_are_not_written_at_once(cut: tuple[str, ...], airgap: Airgap, running: Running,
                                                                    source: Registry, tmp_path: Path) -> None:
    proxy = running(FaultProxy(source))
    middle = Middle()
    proxy.rule("GET", "/blobs/", times=1, on_match=middle.hold)
    words = ("pull", f"{proxy.host}/{BUSYBOX}", *plain(proxy), "--output", tmp_path / "x.tar")
    first = airgap.start("airgap-export", *words, *(() if cut else ("--volume-size", "1MiB")))
    middle.reached()
    airgap.export(*words, *cut).fails(8, rf"another run is writing .* \(process {first.pid}\)")
    middle.release()
    _, said = first.communicate(timeout=60)
    assert first.returncode == 0, said.decode()
    airgap.export(*words, *cut).ok()
    assert not [path.name for path in tmp_path.iterdir() if "partial" in path.name]


@pytest.mark.parametrize("form", ["bundle/", "bundle.tar", "bundle.tar.zst", "volumes.tar", "tree/"])
def test_a_bundle_that_is_being_written_is_no_bundle_to_be_mended(form: str, airgap: Airgap, running: Running,
                                                                  source: Registry, tmp_path: Path) -> None:
    proxy = running(FaultProxy(source))
    middle = Middle()
    proxy.rule("GET", "/blobs/", skip=1, times=1, on_match=middle.hold)
    options = {"volumes.tar": ("--volume-size", "1MiB"), "tree/": ("--format", "skopeo-dir")}.get(form, ())
    first = airgap.start("airgap-export", "pull", f"{proxy.host}/{BUSYBOX}", *plain(proxy), "--output", f"{tmp_path}/{form}",
                         *options)
    middle.reached()
    meanwhile = airgap.import_("verify", f"{tmp_path}/{form}")
    airgap.stop(first)
    middle.release()
    afterwards = airgap.import_("verify", f"{tmp_path}/{form}")
    assert meanwhile.status == afterwards.status == 5, (meanwhile, afterwards)
    assert "a run is writing it just now: wait for it to end" in meanwhile.out + meanwhile.err
    assert "run the export again" not in meanwhile.out + meanwhile.err
    assert "run the export again with the same command" in afterwards.out + afterwards.err
    assert f"{form}/" not in meanwhile.err


@pytest.mark.parametrize("form", ["bundle/", "bundle.tar", "bundle.tar.zst", "volumes.tar"])
def test_a_second_export_says_who_holds_the_bundle_and_takes_it_over_from_a_dead_one(
        form: str, airgap: Airgap, running: Running, source: Registry, tmp_path: Path) -> None:
    """R135"""
    proxy = running(FaultProxy(source))
    middle = Middle()
    proxy.rule("GET", "/blobs/", times=1, on_match=middle.hold)
    cut = ("--volume-size", "1MiB") if form.startswith("volumes") else ()
    words = ("pull", f"{proxy.host}/{BUSYBOX}", *plain(proxy), "--output", f"{tmp_path}/{form}", *cut)
    first = airgap.start("airgap-export", *words)
    middle.reached()
    airgap.export(*words).fails(8, rf"another run is writing .* \(process {first.pid}\)", "wait for it to end")
    airgap.stop(first)
    middle.release()
    airgap.export(*words).ok()
    airgap.export("verify", f"{tmp_path}/{form}").ok()
