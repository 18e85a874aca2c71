"""A push that was stopped inside a large layer: the same command goes on there, where the registry kept what it took."""

import json
import random
import re
import signal
import stat
import subprocess
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from conftest import Running

from support.airgap import Airgap, plain
from support.memory_registry import MemoryRegistry
from support.nginx import Nginx, body_limit
from support.oci import OCI_LAYER, Blob, Manifest, digest_of, image
from support.proxy import FaultProxy
from support.push_registry import PushRegistry
from support.registry import Registry

UPLOADS = "/blobs/uploads/"
MIB = 1 << 20
SIZE = 80 * MIB
FAST = 40_000_000  # bytes a second: a chunk is through within the second that a stop leaves it
SLOW = 3_000_000  # it is not
GRACE = 2.0  # seconds from the signal to the end
STATUS = {signal.SIGINT: 130, signal.SIGTERM: 143, signal.SIGKILL: -9}


@dataclass(frozen=True)
class Large:
    """A bundle of `team/large:1`, of one layer."""

    bundle: Path
    image: Manifest

    @property
    def layer(self) -> Blob:
        return self.image.blobs[-1]

    def words(self, server: Any, *options: object) -> tuple[object, ...]:
        return ("push", self.bundle, server.host, *plain(server), *options)

    def assert_there(self, registry: Registry | PushRegistry) -> None:
        if isinstance(registry, PushRegistry):
            assert registry.blobs["team/large", self.layer.digest] == self.layer.data
            assert ("team/large", "1") in registry.manifests
        else:
            assert registry.client().digest("team/large", "1") == self.image.digest
            assert registry.client().blob("team/large", self.layer.digest) == self.layer.data


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Large:
    directory = tmp_path_factory.mktemp("large")
    data = b"".join(random.Random(seed).randbytes(MIB) for seed in range(80))
    made = image([Blob(data, OCI_LAYER, "sha256", (), digest_of(data))])
    with MemoryRegistry() as source:
        source.add("team/large", "1", made)
        Airgap(directory / "home").export("pull", f"{source.host}/team/large:1", *plain(source), "--output",
                                          directory / "large.tar").ok()
    return Large(directory / "large.tar", made)


def records(airgap: Airgap) -> list[Path]:
    return list((airgap.home / "state/airgap/uploads").glob("*.json"))


def ranges(proxy: FaultProxy) -> list[tuple[int, int]]:
    """First and last byte of every chunk, as announced."""
    return [(int(first), int(last)) for first, last in
            (request.headers["Content-Range"].split("-") for request in proxy.requests("PATCH", UPLOADS))]


def stop_inside(airgap: Airgap, process: "subprocess.Popen[bytes]", proxy: FaultProxy, how: signal.Signals,
                after: int) -> None:
    """Stops the push when more than `after` bytes of the layer came by."""
    deadline = time.monotonic() + 60
    while proxy.bytes_received("PATCH", UPLOADS) <= after:
        assert process.poll() is None and time.monotonic() < deadline, "the push never came to the middle"
        time.sleep(0.005)
    begin = time.monotonic()
    result = airgap.stop(process, how)
    assert result.status == STATUS[how], result
    assert time.monotonic() - begin < GRACE
    proxy.wait_until_idle()


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_a_stopped_push_ends_its_chunk_and_goes_on_behind_it(how: signal.Signals, airgap: Airgap, large: Large,
                                                             proxy: FaultProxy, registry: Registry, tmp_path: Path
                                                             ) -> None:
    proxy.rule("PATCH", UPLOADS, upload_rate=FAST)
    stop_inside(airgap, airgap.start("airgap-import", *large.words(proxy)), proxy, how, 20_000_000)
    (record,) = records(airgap)
    assert stat.S_IMODE(record.stat().st_mode) == 0o600
    place = ranges(proxy)[-1][1] + 1
    assert json.loads(record.read_text())["taken"] == place < SIZE

    proxy.mark()
    proxy.clear_rules()
    report = tmp_path / "report.json"
    said = airgap.import_(*large.words(proxy, "--report", report, "--verbose")).ok()
    assert f"goes on at byte {place}" in said.err and "_state" not in said.err
    assert ranges(proxy)[0][0] == place and proxy.bytes_received("PATCH", UPLOADS) == SIZE - place
    large.assert_there(registry)
    assert records(airgap) == []
    config = large.image.blobs[0]
    totals = json.loads(report.read_text())
    assert totals["bytes_moved"] + totals["bytes_present"] == SIZE + len(config.data)
    assert totals["bytes_present"] >= place


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL])
def test_a_registry_that_loses_a_chunk_that_broke_off_gets_all_of_it_again(how: signal.Signals, airgap: Airgap,
                                                                           large: Large, proxy: FaultProxy,
                                                                           registry: Registry) -> None:
    """docker-registry: the line is too slow to wait for the chunk."""
    proxy.rule("PATCH", UPLOADS, upload_rate=SLOW)
    stop_inside(airgap, airgap.start("airgap-import", *large.words(proxy)), proxy, how, 1_000_000)
    proxy.mark()
    proxy.clear_rules()
    airgap.import_(*large.words(proxy)).ok()
    assert ranges(proxy)[0][0] == 0
    large.assert_there(registry)
    assert records(airgap) == []


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL])
def test_a_registry_that_keeps_what_it_has_of_a_chunk_gets_no_byte_twice(how: signal.Signals, airgap: Airgap,
                                                                         large: Large, running: Running) -> None:
    registry = running(PushRegistry())
    proxy = running(FaultProxy(registry))
    proxy.rule("PATCH", UPLOADS, upload_rate=SLOW)
    stop_inside(airgap, airgap.start("airgap-import", *large.words(proxy)), proxy, how, 1_000_000)
    (held,) = [data for data in registry.sessions.values() if data]
    proxy.wait_until_idle()
    proxy.clear_rules()
    airgap.import_(*large.words(proxy)).ok()
    assert ranges(proxy)[1][0] == len(held)
    assert proxy.bytes_received("PATCH", UPLOADS) == SIZE
    large.assert_there(registry)


def test_a_registry_that_is_killed_in_the_middle_of_a_chunk_is_filled_by_a_rerun(airgap: Airgap, large: Large,
                                                                                 registry: Registry) -> None:
    process = airgap.start("airgap-import", *large.words(registry, "--retry", 0))
    deadline = time.monotonic() + 30
    while not records(airgap):
        assert process.poll() is None and time.monotonic() < deadline
    registry.kill()
    process.communicate(timeout=30)
    registry.start()
    airgap.import_(*large.words(registry)).ok()
    large.assert_there(registry)


def test_a_bundle_from_a_pipe_goes_on_inside_a_layer_too(airgap: Airgap, large: Large, proxy: FaultProxy,
                                                         registry: Registry) -> None:
    proxy.rule("PATCH", UPLOADS, upload_rate=FAST)
    words = ("push", "-", proxy.host, *plain(proxy))
    with large.bundle.open("rb") as stream:
        stop_inside(airgap, airgap.start("airgap-import", *words, stdin=stream), proxy, signal.SIGTERM, 20_000_000)
    place = ranges(proxy)[-1][1] + 1
    proxy.mark()
    proxy.clear_rules()
    airgap.import_(*words, input=large.bundle.read_bytes()).ok()
    assert ranges(proxy)[0][0] == place
    assert proxy.bytes_received("PATCH", UPLOADS) == SIZE - place
    large.assert_there(registry)


def test_what_an_earlier_run_sent_is_counted_as_that(airgap: Airgap, large: Large, running: Running,
                                                     tmp_path: Path) -> None:
    """The pipe ends inside the layer; the next run finds what is there, and says so beforehand and afterwards."""
    registry = running(PushRegistry())
    words = ("push", "-", registry.host, *plain(registry), "--retry", 0)
    data = large.bundle.read_bytes()
    cut = airgap.import_(*words, "--report", tmp_path / "cut.json", input=data[:60 * MIB]).fails(5)
    (held,) = [len(session) for session in registry.sessions.values() if session]
    assert held > 40 * MIB
    done = re.search(r"pushing: ([0-9.]+) MiB of .*not finished", cut.err)
    assert done is not None and abs(float(done[1]) - held / MIB) < 0.2, cut.err
    assert json.loads((tmp_path / "cut.json").read_text())["bytes_moved"] >= held

    planned, = [event for event in airgap.import_("push", large.bundle, registry.host, *plain(registry), "--dry-run",
                                                  "--json").ok().events() if event["event"] == "plan"]
    assert (planned["keptBytes"], planned["uploadBytes"]) == (held, SIZE - held)
    rest = airgap.import_(*words, "--report", tmp_path / "rest.json", input=data).ok()
    left, there = (f"{size / MIB:.1f} MiB" for size in (SIZE - held, held))
    assert f"{left} to send" in rest.err and f"({there} of it by uploads that were broken off)" in rest.err
    assert f"pushed: 80.0 MiB in 1 blob, {there} of it by an earlier run" in rest.err
    assert json.loads((tmp_path / "rest.json").read_text())["bytes_moved"] == SIZE - held
    large.assert_there(registry)


def test_a_mirror_goes_on_inside_a_layer(airgap: Airgap, large: Large, running: Running) -> None:
    registry = running(PushRegistry())
    proxy = running(FaultProxy(registry))
    proxy.rule("PATCH", UPLOADS, upload_rate=FAST)
    source = running(MemoryRegistry())
    source.add("team/large", "1", large.image)
    words = ("mirror", f"{source.host}/team/large:1", "--no-referrers", "--to", proxy.host, *plain(source, proxy))
    stop_inside(airgap, airgap.start("airgap-export", *words), proxy, signal.SIGTERM, 20_000_000)
    held = max(len(data) for data in registry.sessions.values())
    begun = len(ranges(proxy))
    proxy.clear_rules()
    airgap.export(*words).ok()
    assert ranges(proxy)[begun][0] == held
    large.assert_there(registry)


@pytest.fixture
def stopped(airgap: Airgap, large: Large, proxy: FaultProxy) -> Path:
    """The record of a push that was stopped after its first chunk."""
    rule = proxy.rule("PATCH", UPLOADS, upload_rate=FAST)
    stop_inside(airgap, airgap.start("airgap-import", *large.words(proxy)), proxy, signal.SIGTERM, 4_000_000)
    assert rule.matched >= 1
    proxy.clear_rules()
    proxy.mark()
    (record,) = records(airgap)
    return record


def changed(record: Path, **members: object) -> bytes:
    return json.dumps(json.loads(record.read_text()) | members).encode()


@pytest.mark.parametrize("what", ["garbage", "empty", "huge", "another origin", "old", "another blob", "a link"])
def test_a_record_that_cannot_be_believed_is_as_none(what: str, airgap: Airgap, large: Large, proxy: FaultProxy,
                                                     registry: Registry, stopped: Path, running: Running, tmp_path: Path
                                                     ) -> None:
    elsewhere = running(PushRegistry())
    location = json.loads(stopped.read_text())["location"]
    text = {
        "garbage": b"\x00{]", "empty": b"", "huge": stopped.read_bytes() + b" " * (1 << 20),
        "another origin": changed(stopped, location=location.replace(proxy.host, elsewhere.host)),
        "old": changed(stopped, time=int(time.time()) - 8 * 86_400),
        "another blob": changed(stopped, digest="sha256:" + "0" * 64),
        "a link": b""}[what]
    stopped.unlink()
    if what == "a link":
        (tmp_path / "elsewhere").write_text("mine")
        stopped.symlink_to(tmp_path / "elsewhere")
    else:
        stopped.write_bytes(text)
    airgap.import_(*large.words(proxy), *plain(elsewhere)).ok()
    assert ranges(proxy)[0][0] == 0
    assert elsewhere.requests() == []
    large.assert_there(registry)


def test_an_upload_that_the_registry_forgot_is_begun_anew_without_a_word(airgap: Airgap, large: Large,
                                                                         proxy: FaultProxy, registry: Registry,
                                                                         stopped: Path) -> None:
    location = json.loads(stopped.read_text())["location"]
    stopped.write_bytes(changed(stopped, location=re.sub(r"uploads/[0-9a-f-]+", "uploads/" + "0" * 8, location)))
    result = airgap.import_(*large.words(proxy)).ok()
    assert "warning" not in result.err
    assert ranges(proxy)[0][0] == 0
    large.assert_there(registry)


def test_an_upload_that_the_registry_cannot_read_any_more_is_begun_anew(airgap: Airgap, large: Large, proxy: FaultProxy,
                                                                        registry: Registry, stopped: Path) -> None:
    """The registry's disk filled up when it wrote down the session: it answers 500 until it purges that."""
    (started,) = registry.directory.rglob("_uploads/*/startedat")
    started.write_text("")
    begin = time.monotonic()
    result = airgap.import_(*large.words(proxy)).ok()
    assert re.search("warning: .* cannot say how far an earlier run came with blob sha256:.*: status 500; the blob is sent "
                     "from its start", result.err)
    assert time.monotonic() - begin < 15
    assert ranges(proxy)[0][0] == 0
    large.assert_there(registry)
    assert records(airgap) == []


@pytest.mark.parametrize("status", [401, 403, 503])
def test_a_gateway_that_refuses_to_tell_of_uploads_is_no_hindrance(status: int, airgap: Airgap, large: Large,
                                                                   proxy: FaultProxy, registry: Registry, stopped: Path
                                                                   ) -> None:
    proxy.rule("GET", UPLOADS, status=status)
    airgap.import_(*large.words(proxy)).ok()
    assert len(proxy.requests("GET", UPLOADS)) <= 4  # one for the plan
    large.assert_there(registry)
    assert records(airgap) == []


def test_a_quota_keeps_the_upload(airgap: Airgap, large: Large, proxy: FaultProxy, registry: Registry, stopped: Path) -> None:
    proxy.rule("GET", UPLOADS, status=429)
    airgap.import_(*large.words(proxy, "--retry", 1)).fails(3, "429")
    assert records(airgap) == [stopped]
    proxy.clear_rules()
    proxy.rule("GET", UPLOADS, status=429, times=4)
    airgap.import_(*large.words(proxy, "--retry", 3)).ok()
    assert ranges(proxy)[0][0] > 0
    large.assert_there(registry)


@pytest.mark.parametrize("environment", [{"HOME": "", "XDG_STATE_HOME": ""}, {"XDG_STATE_HOME": "/proc/self"},
                                         {"HOME": "/dev/null", "XDG_STATE_HOME": ""}])
def test_a_push_that_can_keep_nothing_is_a_push(environment: dict[str, str], airgap: Airgap, large: Large,
                                                registry: Registry) -> None:
    result = airgap.import_(*large.words(registry, "--verbose"), env=environment).ok()
    assert result.err.count("uploads are not kept for a later run") == 1
    large.assert_there(registry)


def test_two_pushes_at_once_each_have_an_upload_of_their_own(airgap: Airgap, large: Large, proxy: FaultProxy,
                                                             registry: Registry) -> None:
    both = threading.Barrier(2)
    proxy.rule("PATCH", UPLOADS, times=2, on_match=lambda: both.wait(20))
    runs = [airgap.start("airgap-import", *large.words(proxy)) for _ in range(2)]
    for run in runs:
        _, err = run.communicate(timeout=60)
        assert run.returncode == 0, err.decode()
    uploads = {request.path.split("?")[0] for request in proxy.requests("PATCH", UPLOADS)}
    assert len(uploads) == 2
    large.assert_there(registry)
    assert records(airgap) == []


def test_a_body_limit_makes_the_chunks_of_a_large_layer_smaller(airgap: Airgap, large: Large, running: Running,
                                                                registry: Registry, tmp_path: Path) -> None:
    front = running(Nginx(tmp_path / "nginx", registry, body_limit("20m")))
    airgap.import_(*large.words(front)).ok()
    large.assert_there(registry)
    # The first chunk teaches the limit, and no other one is over it.
    assert [request.status for request in front.requests("PATCH|PUT", UPLOADS)].count(413) == 1
