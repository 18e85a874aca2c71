"""SIGKILL at random moments, again and again, until the run is through.

AIRGAP_KILL_LOOP=N in the environment makes N rounds of each form (4 otherwise), AIRGAP_KILL_SEED=N repeats a loop.
"""

import os
import random
import shutil
import signal
import subprocess
import time
from pathlib import Path
from typing import Callable, Iterator

import pytest
from conftest import Running

from support.airgap import Airgap, plain
from support.memory_registry import MemoryRegistry
from support.oci import OCI_LAYER, Blob, digest_of, image, tar_layer
from support.proxy import FaultProxy
from support.push_registry import PushRegistry
from support.registry import Registry

ROUNDS = int(os.environ.get("AIRGAP_KILL_LOOP", "4"))
SEED = int(os.environ.get("AIRGAP_KILL_SEED", str(random.randrange(1 << 32))))
FORMS = {"bundle/": (), "bundle.tar": (), "bundle.tar.zst": (), "volumes.tar": ("--volume-size", "9MB")}
RATE = 20_000_000  # bytes a second of each connection, so that a run lasts long enough to be hit
JOBS = 3
SIZES = [1_000_000] * 6 + [7_000_000] * 2
LAYERS = [tar_layer({f"file-{seed}": random.Random(seed).randbytes(size)}) for seed, size in enumerate(SIZES)]
IMAGES = {f"team/app-{i}": image(LAYERS[i:i + 4]) for i in range(5)}
BYTES = sum(len(layer.data) for layer in LAYERS)
# Never at its end, so that a list with one of them is never through. Where an archive is written in order, it comes to
# each of them earlier than to the one before.
ENDLESS = [tar_layer({"noise": random.Random(100 + i).randbytes(1_000_000)}) for i in range(8)]
ENDLESS.sort(key=lambda layer: layer.digest, reverse=True)
# What a kill may cost: one layer of each worker as far as nothing says that it is there. In a directory the file does, in
# an archive and in volumes a mark every 4 MiB, in a compressed one a frame of 2 MiB, but those who wait for their turn keep
# 4 MiB in memory; beside that the worker's buffer, and what the line holds.
BUFFERS = 2**18 + 2**19
UNMARKED = {"bundle/": BUFFERS, "bundle.tar": 2**22 + BUFFERS, "bundle.tar.zst": 2**22 + BUFFERS,
            "volumes.tar": 2**22 + BUFFERS}


def in_flight(form: str) -> int:
    """Bytes, at most."""
    return sum(sorted(min(size, UNMARKED[form]) for size in SIZES)[-JOBS:])


UPLOADS = "/blobs/uploads/"


@pytest.fixture(scope="module")
def memory() -> Iterator[MemoryRegistry]:
    with MemoryRegistry() as registry:
        for repository, manifest in IMAGES.items():
            registry.add(repository, "1", manifest)
        for i, layer in enumerate(ENDLESS):
            registry.add(f"team/endless-{i}", "1", image([layer]))
        yield registry


def kill_after(airgap: Airgap, program: str, words: list[object], seconds: float) -> bool:
    """Whether the run was killed; otherwise it was through before, and well."""
    return kill_running(airgap.start(program, *words), seconds)


def kill_running(process: subprocess.Popen[bytes], seconds: float) -> bool:
    try:
        _, said = process.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
        return True
    assert process.returncode == 0, said.decode()
    return False


def duration_of(airgap: Airgap, program: str, words: list[object]) -> float:
    started = time.monotonic()
    airgap.run(program, *words).ok()
    return time.monotonic() - started


def sent(proxy: FaultProxy, method: str, path: str) -> int:
    return len(proxy.requests(method, path))


@pytest.mark.parametrize("form", FORMS)
def test_an_export_that_is_killed_again_and_again(form: str, airgap: Airgap, memory: MemoryRegistry, running: Running,
                                                  tmp_path: Path) -> None:
    """No bundle that verifies wrongly, no rerun that fails, and no byte fetched again but those in flight at a kill."""
    dice = random.Random(SEED)
    proxy = running(FaultProxy(memory))
    proxy.rule("GET", "/blobs/", rate=RATE)
    names = [f"{proxy.host}/{repository}:1" for repository in IMAGES]

    def words(round_: object) -> list[object]:
        return ["pull", *names, *plain(proxy), "--jobs", JOBS, "--output", f"{tmp_path}/{round_}/{form}", *FORMS[form]]

    (tmp_path / "whole").mkdir()
    whole = duration_of(airgap, "airgap-export", words("whole"))
    layers = "|".join(layer.digest for layer in LAYERS)
    kills = again = most = 0
    for round_ in range(ROUNDS):
        (tmp_path / str(round_)).mkdir()
        output = f"{tmp_path}/{round_}/{form}"
        proxy.mark()
        kills_here = 0
        while kill_after(airgap, "airgap-export", words(round_), dice.uniform(0, whole * 1.1)):
            kills_here += 1
            if airgap.import_("list", output).status == 0:  # finished, and killed after its last step
                airgap.import_("verify", output).ok()
            else:
                assert airgap.import_("verify", output).status in (2, 5)
            if kills_here == 20:
                airgap.export(*words(round_)).ok()
                break
        kills += kills_here
        airgap.import_("verify", output).ok()
        proxy.wait_until_idle()
        again_here = proxy.bytes_sent("GET", layers) - BYTES
        assert again_here <= kills_here * in_flight(form)
        again += again_here
        most = max(most, again_here // max(kills_here, 1))
        proxy.mark()
        airgap.export(*words(round_)).ok()
        assert sent(proxy, "GET", layers) == 0
        shutil.rmtree(tmp_path / str(round_))
    print(f"{ROUNDS} rounds of {BYTES} bytes, {kills} kills, {again} bytes fetched again: "
          f"{again // max(kills, 1)} a kill, at most {most} in a round; AIRGAP_KILL_SEED={SEED}")


def kill_while_it_fetches(airgap: Airgap, proxy: FaultProxy, words: list[object], blob: str, seconds: float) -> None:
    """So long after it asked for such a blob."""
    asked = len(proxy.requests("GET", blob))
    process = airgap.start("airgap-export", *words)
    deadline = time.monotonic() + 30
    while len(proxy.requests("GET", blob)) == asked:
        assert process.poll() is None and time.monotonic() < deadline
        time.sleep(0.002)
    assert kill_running(process, seconds), "it was not to come to its end"
    proxy.wait_until_idle()


# While an archive is rearranged in place a kill costs the blob in flight.
@pytest.mark.parametrize("form", [form for form in FORMS if form.endswith(".zst")])
def test_an_export_whose_list_changes_each_time_it_is_killed(form: str, airgap: Airgap, memory: MemoryRegistry,
                                                             running: Running, tmp_path: Path) -> None:
    """Broken off, the list changed, broken off again: what one run left is there for each later one."""
    dice = random.Random(SEED)
    proxy = running(FaultProxy(memory))
    proxy.rule("GET", "|".join(layer.digest for layer in ENDLESS), rate=30_000)
    proxy.rule("GET", "/blobs/", rate=RATE)
    layers = "|".join(layer.digest for layer in LAYERS)
    kills = kept = 0
    for round_ in range(ROUNDS):
        (tmp_path / str(round_)).mkdir()
        images, endless = dice.sample(list(IMAGES), len(IMAGES)), sorted(dice.sample(range(len(ENDLESS)), 4))

        def words(*repositories: str) -> list[object]:
            return ["pull", *[f"{proxy.host}/{repository}:1" for repository in repositories], *plain(proxy), "--jobs", JOBS,
                    "--output", f"{tmp_path}/{round_}/{form}", *FORMS[form]]

        def to_fetch() -> int:
            events = airgap.export(*words(*images), "--dry-run", "--json").ok().events()
            (plan,) = [event for event in events if event["event"] == "plan"]
            return int(plan["fetchBytes"])

        left = to_fetch()
        for count, i in enumerate(endless, 2):
            unfinished = words(*images[:count], f"team/endless-{i}")
            kill_while_it_fetches(airgap, proxy, unfinished, dice.choice([ENDLESS[i].digest, "/blobs/"]), dice.uniform(0, 0.5))
            assert to_fetch() <= left, "what was there is lost"
            left = to_fetch()
        proxy.mark()
        airgap.export(*words(*images)).ok()
        proxy.wait_until_idle()
        assert proxy.bytes_sent("GET", layers) <= left
        airgap.import_("verify", f"{tmp_path}/{round_}/{form}").ok()
        assert not [file for file in (tmp_path / str(round_)).iterdir() if "partial" in file.name or "replaced" in file.name]
        kills += len(endless)
        kept += BYTES - left
        shutil.rmtree(tmp_path / str(round_))
    print(f"{ROUNDS} rounds of {BYTES} bytes, {kills} kills, {kept // ROUNDS} bytes there before the last run; "
          f"AIRGAP_KILL_SEED={SEED}")


@pytest.mark.parametrize("form", [form for form in FORMS if not form.endswith("/")])
def test_a_replacement_that_is_killed_again_and_again(form: str, airgap: Airgap, memory: MemoryRegistry, running: Running,
                                                      tmp_path: Path) -> None:
    """The finished bundle stays until the new one is whole, what it holds is never fetched, and of what is new no byte again but
    those in flight at a kill; so with volumes whose size changes from run to run."""
    dice = random.Random(SEED)
    proxy = running(FaultProxy(memory))
    proxy.rule("GET", "/blobs/", rate=RATE)
    names = [f"{proxy.host}/{repository}:1" for repository in IMAGES]
    held, new = LAYERS[:6], LAYERS[6:]
    assert all(blob in [*held, *new] for manifest in list(IMAGES.values())[2:] for blob in manifest.blobs[1:])

    def words(round_: object, wanted: list[str], *options: object) -> list[object]:
        return ["pull", *wanted, *plain(proxy), "--jobs", JOBS, "--output", f"{tmp_path}/{round_}/{form}", *options]

    def replacing(round_: object) -> list[object]:
        cut = ("--volume-size", dice.choice(["9MB", "6MB", "20MB"])) if FORMS[form] else ()
        return words(round_, names[2:], *cut, "--overwrite")

    def begin(round_: object) -> dict[Path, bytes]:
        (tmp_path / str(round_)).mkdir()
        airgap.export(*words(round_, names[:3], *FORMS[form])).ok()
        return {path: path.read_bytes() for path in (tmp_path / str(round_)).iterdir()}

    begin("whole")
    whole = duration_of(airgap, "airgap-export", replacing("whole"))
    kills = again = stayed = 0
    for round_ in range(ROUNDS):
        before = begin(round_)
        output = f"{tmp_path}/{round_}/{form}"
        proxy.mark()
        kills_here = 0
        while kill_after(airgap, "airgap-export", replacing(round_), dice.uniform(0, whole * 1.1)):
            kills_here += 1
            if all(path.exists() and path.read_bytes() == data for path, data in before.items()):
                airgap.import_("verify", output).ok()
                stayed += 1
            else:
                assert list((tmp_path / str(round_)).glob("*.partial")) or airgap.import_("verify", output).ok()
            if kills_here == 20:
                airgap.export(*replacing(round_)).ok()
                break
        kills += kills_here
        assert "3 images" in airgap.import_("verify", output).ok().out
        proxy.wait_until_idle()
        assert sent(proxy, "GET", "|".join(layer.digest for layer in held)) == 0
        again_here = proxy.bytes_sent("GET", "|".join(layer.digest for layer in new)) - sum(len(layer.data) for layer in new)
        assert again_here <= kills_here * in_flight(form)
        again += again_here
        assert not [path for path in (tmp_path / str(round_)).iterdir() if not path.name.endswith((".tar", ".zst"))]
        shutil.rmtree(tmp_path / str(round_))
    print(f"{ROUNDS} rounds, {kills} kills, {stayed} of them before the new one took its place, {again} bytes fetched again; "
          f"AIRGAP_KILL_SEED={SEED}")


@pytest.mark.parametrize("form", FORMS)
def test_a_push_that_is_killed_again_and_again(form: str, airgap: Airgap, memory: MemoryRegistry, running: Running,
                                               registry: Registry, tmp_path: Path) -> None:
    """No tag before all is there, no rerun that fails, and no blob sent again that had arrived."""
    dice = random.Random(SEED)
    airgap.export("pull", *[f"{memory.host}/{repository}:1" for repository in IMAGES], *plain(memory), "--output",
                  f"{tmp_path}/{form}", *FORMS[form]).ok()
    proxy = running(FaultProxy(registry))
    proxy.rule("PUT|PATCH", UPLOADS, delay=0.02)

    def words(prefix: object) -> list[object]:
        return ["push", f"{tmp_path}/{form}", f"{proxy.host}/{prefix}", *plain(proxy), "--jobs", JOBS]

    whole = duration_of(airgap, "airgap-import", words("whole"))
    kills = blobs = broken_off = 0
    for round_ in range(ROUNDS):
        proxy.mark()
        registry.mark()
        kills_here = 0
        while kill_after(airgap, "airgap-import", words(f"round-{round_}"), dice.uniform(0, whole * 1.1)):
            kills_here += 1
            proxy.wait_until_idle()  # what was on its way has arrived or not
            for repository, manifest in IMAGES.items():
                if registry.client().tags(f"round-{round_}/{repository}"):
                    assert all(registry.client().has_blob(f"round-{round_}/{repository}", blob.digest)
                               for blob in manifest.blobs)
            if kills_here == 20:
                airgap.import_(*words(f"round-{round_}")).ok()
                break
        kills += kills_here
        for repository, manifest in IMAGES.items():
            assert registry.client().digest(f"round-{round_}/{repository}", "1") == manifest.digest
        puts = registry.requests("PUT", UPLOADS)
        arrived = [r.path.rsplit("digest=", 1)[1] for r in puts if r.status == 201]
        assert len(arrived) == len(set(arrived))
        blobs += len(arrived)
        broken_off += sent(proxy, "PUT", UPLOADS) - len(arrived)
    print(f"{ROUNDS} rounds, {kills} kills, {blobs} blobs sent, none twice; {broken_off} uploads broken off; "
          f"AIRGAP_KILL_SEED={SEED}")


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL])
@pytest.mark.parametrize("keeps", [False, True], ids=["docker-registry", "keeps-parts"])
def test_a_push_of_a_large_layer_that_is_stopped_again_and_again(keeps: bool, how: signal.Signals, airgap: Airgap,
                                                                 running: Running, registry: Registry, tmp_path: Path
                                                                 ) -> None:
    """No byte is sent again that the registry kept; docker-registry loses a layer whose chunk was cut."""
    dice = random.Random(SEED)
    data = b"".join(random.Random(seed).randbytes(1 << 20) for seed in range(80))
    with MemoryRegistry() as source:
        source.add("team/large", "1", image([Blob(data, OCI_LAYER, "sha256", (), digest_of(data))]))
        airgap.export("pull", f"{source.host}/team/large:1", *plain(source), "--output", tmp_path / "large.tar").ok()
    target = running(PushRegistry()) if keeps else registry
    proxy = running(FaultProxy(target))
    proxy.rule("PATCH|PUT", UPLOADS, upload_rate=50_000_000)

    def words(prefix: object) -> list[object]:
        return ["push", f"{tmp_path}/large.tar", f"{proxy.host}/{prefix}", *plain(proxy)]

    whole = duration_of(airgap, "airgap-import", words("whole"))
    kills = again = cut = 0
    for round_ in range(ROUNDS):
        proxy.mark()
        kills_here = 0
        while stopped_after(airgap, words(f"round-{round_}"), dice.uniform(0, whole), how):
            kills_here += 1
            proxy.wait_until_idle()
            if kills_here == 10:
                airgap.import_(*words(f"round-{round_}")).ok()
                break
        kills += kills_here
        cut_here = proxy.cut_uploads("PATCH", UPLOADS)
        again_here = proxy.bytes_received("PATCH", UPLOADS) - len(data)
        if keeps:
            assert again_here == 0
        elif how == signal.SIGTERM:
            assert again_here == 0 or cut_here > 0
        assert again_here <= kills_here * len(data)
        cut += cut_here
        again += again_here
    print(f"{ROUNDS} rounds of {len(data)} bytes, {kills} times {how.name}, {cut} chunks cut, {again} bytes sent again: "
          f"{again // max(kills, 1)} a kill; AIRGAP_KILL_SEED={SEED}")


def stopped_after(airgap: Airgap, words: list[object], seconds: float, how: signal.Signals) -> bool:
    """Whether the push was stopped; otherwise it was through before, and well."""
    process = airgap.start("airgap-import", *words)
    try:
        _, said = process.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        return airgap.stop(process, how).status != 0
    assert process.returncode == 0, said.decode()
    return False
