"""What is on this stick? `list` answers at once, from the head of the bundle alone."""

import os
import re
import tarfile
import time
from pathlib import Path

import pytest
from conftest import Running

from support.airgap import Airgap, plain
from support.memory_registry import MemoryRegistry
from support.oci import Blob, artifact, image, index, tar_layer
from support.small_bundle import SmallBundle, make_small_bundle


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> SmallBundle:
    return make_small_bundle(tmp_path_factory.mktemp("small"))


@pytest.fixture(params=["directory", "archive"])
def bundle(request: pytest.FixtureRequest, small: SmallBundle) -> Path:
    return small.directory if request.param == "directory" else small.archive


@pytest.mark.parametrize("program", ["airgap-export", "airgap-import"])
def test_list_shows_names_digests_sizes_and_platforms(program: str, airgap: Airgap, small: SmallBundle, bundle: Path
                                                      ) -> None:
    """In both programs: who wrote the stick checks it too."""
    shown = airgap.run(program, "list", bundle).ok().out.splitlines()
    assert shown[0].split() == ["NAME", "DIGEST", "SIZE", "UNIQUE", "SHARED", "PLATFORMS"]
    for line, (name, manifest) in zip(shown[1:3], (("one", small.one), ("two", small.two)), strict=True):
        assert line.startswith(small.name(name)) and manifest.digest[:19] in line and line.endswith("linux/amd64")
        assert len(re.findall(r"\d+\.\d KiB", line)) == 3
    assert re.search(r"2 images, 7 blobs, .* stored for .* made by airgap-export .* sequence 1", shown[3])


def test_json_says_the_same_to_a_program(airgap: Airgap, small: SmallBundle, bundle: Path) -> None:
    listed, *_ = airgap.import_("list", bundle, "--json").ok().events()
    assert (listed["event"], listed["sequence"], listed["blobs"]) == ("list", 1, 7)
    shared = len(small.shared_layer.data)
    for image_, (name, manifest) in zip(listed["images"], (("one", small.one), ("two", small.two)), strict=True):
        everything = len(manifest.data) + sum(len(blob.data) for blob in manifest.blobs)
        assert image_ == {"name": small.name(name), "digest": manifest.digest, "mediaType": manifest.media_type,
                          "platforms": ["linux/amd64"], "bytes": everything, "uniqueBytes": everything - shared,
                          "sharedBytes": shared, "target": f"team/{name}:1"}
    assert listed["bytes"] == sum(i["uniqueBytes"] for i in listed["images"]) + shared


def test_what_an_index_carries_is_shown(airgap: Airgap, running: Running, bundle_dir: Path) -> None:
    memory = running(MemoryRegistry())
    children = [image([tar_layer({"a": a.encode()})], architecture=a) for a in ("amd64", "arm64", "s390x")]
    memory.add("team/web", "1", index(children))
    memory.add("charts/demo", "1", artifact(Blob(b"{}", "application/x-config"), [Blob(b"x", "text/plain")]))
    airgap.export("pull", f"{memory.host}/team/web:1", f"{memory.host}/charts/demo:1", "--platform",
                  "linux/amd64,linux/arm64", *plain(memory), "--output", bundle_dir).ok()
    chart, web = airgap.import_("list", bundle_dir).ok().out.splitlines()[1:3]
    assert web.endswith(f"linux/amd64,linux/arm64 (chosen from {index(children).digest[:19]})")
    assert chart.endswith(" -")  # no platform: it is no program


def test_list_reads_no_blobs(airgap: Airgap, small: SmallBundle, tmp_path: Path) -> None:
    """The blobs are not even there."""
    archive, directory = tmp_path / "b.tar", tmp_path / "bundle"
    with tarfile.open(small.archive) as tar:
        first_blob = next(member for member in tar if member.name.startswith("blobs/"))
    archive.write_bytes(small.archive.read_bytes()[:first_blob.offset_data])
    directory.mkdir()
    for file in small.directory.iterdir():
        if file.is_file():
            (directory / file.name).write_bytes(file.read_bytes())
    for bundle in (archive, directory):
        assert small.name("one") in airgap.import_("list", bundle).ok().out
        airgap.import_("verify", bundle).fails(5)


def test_a_list_of_many_images_and_much_data_is_quick(airgap: Airgap, running: Running, tmp_path: Path) -> None:
    """100 images; the archive is stretched to a terabyte, which nobody could read in the time."""
    memory = running(MemoryRegistry(referrers_api=False))
    layers = [tar_layer({"layer": str(i).encode()}) for i in range(10)]
    names = []
    for i in range(100):
        memory.add("team/app", f"v{i}", image([layers[i % 10], tar_layer({"app": str(i).encode()})]))
        names.append(f"{memory.host}/team/app:v{i}")
    archive = tmp_path / "b.tar"
    options = ("--platform", "linux/amd64", "--no-referrers", *plain(memory))
    airgap.export("pull", *names, *options, "--output", archive).ok()
    os.truncate(archive, 2**40)
    began = time.monotonic()
    shown = airgap.import_("list", archive).ok().out
    assert time.monotonic() - began < 5  # a machine under load; by itself it is 20 ms
    assert len(shown.splitlines()) == 102


def test_foreign_text_reaches_the_terminal_escaped(airgap: Airgap, running: Running, bundle_dir: Path) -> None:
    """A registry chose the platform; it does not choose what the terminal does (R120)."""
    memory = running(MemoryRegistry())
    memory.add("team/app", "1", image([tar_layer({"a": b"1"})], architecture="amd64", variant="\x1b[31mred"))
    done = airgap.export("pull", f"{memory.host}/team/app:1", "--platform", "all", *plain(memory),
                         "--output", bundle_dir)
    for text in (done.out, done.err, airgap.import_("list", bundle_dir).out, airgap.import_("verify", bundle_dir).out):
        assert "\x1b" not in text


def test_terminal_and_locale_do_not_change_what_is_listed(airgap: Airgap, bundle: Path) -> None:
    """Piped into another program it is the same (R145)."""
    plain_text = airgap.import_("list", bundle).ok().out
    for env in ({"COLUMNS": "10"}, {"TERM": "xterm", "LC_ALL": "C"}, {"TZ": "Pacific/Auckland", "LANG": "de_DE.UTF-8"}):
        assert airgap.import_("list", bundle, env=env).ok().out == plain_text


def test_what_an_unfinished_set_left_is_not_taken_for_a_bundle_of_another_name(airgap: Airgap, tmp_path: Path) -> None:
    (tmp_path / "set.001.tar.partial").write_bytes(b"x")
    airgap.import_("list", tmp_path / "set.tar").fails(5, "set.tar is unfinished")
    airgap.import_("list", tmp_path / "set.tgz").fails(2, "there is no bundle at .*set.tgz")
