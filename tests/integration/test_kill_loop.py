"""SIGKILL at random moments, again and again, until the run is through.

AIRGAP_KILL_LOOP=N in the environment makes N rounds of each form (6 otherwise), AIRGAP_KILL_SEED=N repeats a loop.
"""

import os
import random
import subprocess
import time
from pathlib import Path
from typing import Iterator

import pytest
from conftest import Running

from support.airgap import Airgap, plain
from support.memory_registry import MemoryRegistry
from support.oci import image, tar_layer
from support.proxy import FaultProxy
from support.registry import Registry

ROUNDS = int(os.environ.get("AIRGAP_KILL_LOOP", "6"))
SEED = int(os.environ.get("AIRGAP_KILL_SEED", str(random.randrange(1 << 32))))
FORMS = ["bundle/", "bundle.tar", "bundle.tar.zst"]
RATE = 20_000_000  # bytes a second of each connection, so that a run lasts long enough to be hit
JOBS = 3
LAYERS = [tar_layer({f"file-{seed}": random.Random(seed).randbytes(1_000_000)}) for seed in range(8)]
IMAGES = {f"team/app-{i}": image(LAYERS[i:i + 4]) for i in range(5)}
BYTES = sum(len(layer.data) for layer in LAYERS)
UPLOADS = "/blobs/uploads/"


@pytest.fixture(scope="module")
def memory() -> Iterator[MemoryRegistry]:
    with MemoryRegistry() as registry:
        for repository, manifest in IMAGES.items():
            registry.add(repository, "1", manifest)
        yield registry


def kill_after(airgap: Airgap, program: str, words: list[object], seconds: float) -> bool:
    """Whether the run was killed; otherwise it was through before, and well."""
    process = airgap.start(program, *words)
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
    """No bundle that verifies wrongly, no rerun that fails, and no layer anew but those in flight at a kill."""
    dice = random.Random(SEED)
    print(f"AIRGAP_KILL_SEED={SEED}")
    proxy = running(FaultProxy(memory))
    proxy.rule("GET", "/blobs/", rate=RATE)
    names = [f"{proxy.host}/{repository}:1" for repository in IMAGES]

    def words(round_: object) -> list[object]:
        return ["pull", *names, *plain(proxy), "--jobs", JOBS, "--output", f"{tmp_path}/{round_}/{form}"]

    (tmp_path / "whole").mkdir()
    whole = duration_of(airgap, "airgap-export", words("whole"))
    kills = 0
    for round_ in range(ROUNDS):
        (tmp_path / str(round_)).mkdir()
        output = f"{tmp_path}/{round_}/{form}"
        proxy.mark()
        kills_here = 0
        while kill_after(airgap, "airgap-export", words(round_), dice.uniform(0, whole * 1.1)):
            kills_here += 1
            if os.path.exists(output):  # a finished one that was killed after its last step is whole
                assert airgap.import_("verify", output).status in (0, 2, 5)
                if airgap.import_("list", output).status == 0:
                    airgap.import_("verify", output).ok()
            if kills_here == 20:
                airgap.export(*words(round_)).ok()
                break
        kills += kills_here
        airgap.import_("verify", output).ok()
        fetches = len([r for r in proxy.requests("GET", "/blobs/") if r.path.rsplit("/", 1)[1] in
                       {layer.digest for layer in LAYERS}])
        # In flight at a kill: one layer a worker, and what the last sync did not reach.
        assert fetches <= len(LAYERS) * (kills_here + 1)
        again = sent(proxy, "GET", "/blobs/")
        airgap.export(*words(round_)).ok()
        assert sent(proxy, "GET", "/blobs/") == again
    print(f"{ROUNDS} rounds, {kills} kills")


@pytest.mark.parametrize("form", FORMS)
def test_a_push_that_is_killed_again_and_again(form: str, airgap: Airgap, memory: MemoryRegistry, running: Running,
                                               registry: Registry, tmp_path: Path) -> None:
    """No tag before all is there, no rerun that fails, and no blob sent again that had arrived."""
    dice = random.Random(SEED)
    print(f"AIRGAP_KILL_SEED={SEED}")
    airgap.export("pull", *[f"{memory.host}/{repository}:1" for repository in IMAGES], *plain(memory), "--output",
                  f"{tmp_path}/{form}").ok()
    proxy = running(FaultProxy(registry))
    proxy.rule("PUT|PATCH", UPLOADS, delay=0.02)

    def words(prefix: object) -> list[object]:
        return ["push", f"{tmp_path}/{form}", f"{proxy.host}/{prefix}", *plain(proxy), "--jobs", JOBS]

    whole = duration_of(airgap, "airgap-import", words("whole"))
    kills = 0
    for round_ in range(ROUNDS):
        registry.mark()
        kills_here = 0
        while kill_after(airgap, "airgap-import", words(f"round-{round_}"), dice.uniform(0, whole * 1.1)):
            kills_here += 1
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
        arrived = [r.path.rsplit("digest=", 1)[1] for r in registry.requests("PUT", UPLOADS) if r.status == 201]
        assert len(arrived) - len(set(arrived)) <= JOBS * kills_here
    print(f"{ROUNDS} rounds, {kills} kills")
