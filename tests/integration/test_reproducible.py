"""The same images and SOURCE_DATE_EPOCH give the same archive, byte for byte.

Two people can export apart from each other and compare check sums.
"""

import hashlib
import subprocess
import tarfile
from pathlib import Path

import pytest
from conftest import Running

from support.airgap import Airgap, plain
from support.memory_registry import MemoryRegistry
from support.oci import index, sbom_for, tar_layer
from support.proxy import FaultProxy
from support.small_bundle import small_image

EPOCH = {"SOURCE_DATE_EPOCH": "1700000000"}  # 2023-11-14T22:13:20Z
BASE = tar_layer({"base": b"base" * 1000})
IMAGES = {f"team/app-{i}": small_image(i, BASE, size=1000 * i) for i in range(1, 9)}
SUBJECT = IMAGES["team/app-3"]


@pytest.fixture
def memory(running: Running) -> MemoryRegistry:
    registry = running(MemoryRegistry())
    for repository, manifest in IMAGES.items():
        registry.add(repository, "1", manifest)
    registry.add_referrer("team/app-3", SUBJECT, sbom_for(SUBJECT))
    registry.add("team/both", "1", index(list(IMAGES.values())[:2]))
    return registry


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def pull(host: str, *options: object, names: list[str] | None = None) -> list[object]:
    wanted = names or [*IMAGES, "team/both"]
    return ["pull", *(f"{host}/{name}:1" for name in wanted), "--platform", "all", *options]


def test_the_same_images_and_time_give_the_same_archive(airgap: Airgap, memory: MemoryRegistry, tmp_path: Path) -> None:
    """However many workers there are, and in whatever order the images are named, some of them twice."""
    names = [*IMAGES, "team/both"]
    runs = {"one": (1, names), "eight": (8, names), "reversed": (3, names[::-1]), "twice": (4, names + names[:2])}
    for name, (jobs, wanted) in runs.items():
        command = pull(memory.host, *plain(memory), "--jobs", jobs, "--output", tmp_path / f"{name}.tar", names=wanted)
        airgap.export(*command, env=EPOCH).ok()
    assert len({digest(tmp_path / f"{name}.tar") for name in runs}) == 1


def test_a_pipe_carries_the_bytes_of_the_archive(airgap: Airgap, memory: MemoryRegistry, tmp_path: Path) -> None:
    command = pull(memory.host, *plain(memory), "--output")
    airgap.export(*command, tmp_path / "b.tar", env=EPOCH).ok()
    with (tmp_path / "piped.tar").open("wb") as piped:
        process = airgap.start("airgap-export", *command, "-", env=EPOCH, stdout=piped)
        assert process.wait(timeout=60) == 0
    assert digest(tmp_path / "piped.tar") == digest(tmp_path / "b.tar")


def test_an_archive_unpacks_to_the_directory_form(airgap: Airgap, memory: MemoryRegistry, tmp_path: Path) -> None:
    command = pull(memory.host, *plain(memory), "--output")
    airgap.export(*command, tmp_path / "b.tar", env=EPOCH).ok()
    airgap.export(*command, f"{tmp_path}/direct/", env=EPOCH).ok()
    (tmp_path / "unpacked").mkdir()
    subprocess.run(["tar", "xf", tmp_path / "b.tar", "-C", tmp_path / "unpacked"], check=True)
    subprocess.run(["diff", "-r", tmp_path / "unpacked", tmp_path / "direct"], check=True)
    airgap.import_("verify", tmp_path / "unpacked").ok()


def test_headers_hold_the_time_and_nothing_of_this_machine(airgap: Airgap, memory: MemoryRegistry, tmp_path: Path
                                                           ) -> None:
    airgap.export(*pull(memory.host, *plain(memory), "--output", tmp_path / "b.tar"), env=EPOCH).ok()
    with tarfile.open(tmp_path / "b.tar") as tar:
        entries = tar.getmembers()
    assert {(e.mtime, e.mode, e.uid, e.gid, e.uname, e.gname, e.type) for e in entries} == {
        (1_700_000_000, 0o644, 0, 0, "root", "root", tarfile.REGTYPE)}
    assert "2023-11-14T22:13:20Z" in airgap.import_("list", tmp_path / "b.tar").ok().out


def test_an_interrupted_archive_ends_with_the_same_bytes(airgap: Airgap, memory: MemoryRegistry, running: Running,
                                                         tmp_path: Path) -> None:
    proxy = running(FaultProxy(memory))
    airgap.export(*pull(proxy.host, *plain(proxy), "--output", tmp_path / "whole.tar"), env=EPOCH).ok()
    command = pull(proxy.host, *plain(proxy), "--output", tmp_path / "b.tar", "--retry", "0", "--jobs", "2")
    proxy.rule("GET", SUBJECT.blobs[2].digest, times=1, cut_after=100)
    airgap.export(*command, env=EPOCH).fails(3)
    assert not (tmp_path / "b.tar").exists() and (tmp_path / "b.tar.partial").exists()
    airgap.export(*command, env=EPOCH).ok()
    assert digest(tmp_path / "b.tar") == digest(tmp_path / "whole.tar")


def test_another_time_changes_the_head_alone(airgap: Airgap, memory: MemoryRegistry, tmp_path: Path) -> None:
    """What the blobs are does not depend on when they were carried."""
    for name, epoch in (("a.tar", "0"), ("b.tar", "8583494399")):
        command = pull(memory.host, *plain(memory), "--output", tmp_path / name)
        airgap.export(*command, env={"SOURCE_DATE_EPOCH": epoch}).ok()
        airgap.import_("verify", tmp_path / name).ok()
    with tarfile.open(tmp_path / "a.tar") as first, tarfile.open(tmp_path / "b.tar") as second:
        assert first.getnames() == second.getnames()
