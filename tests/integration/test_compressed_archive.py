"""The archive as seekable zstd frames: `pull --output FILE.tar.zst`, read in place and by stock tools (SPEC.md, "Compressed archive")."""

import random
import re
import resource
import subprocess
import time
from pathlib import Path

import pytest
from conftest import Running

from support import oci
from support.airgap import Airgap, Result, executable, plain
from support.memory_registry import MemoryRegistry
from support.oci import image, tar_layer
from support.proxy import FaultProxy
from support.registry import Registry
from support.small_bundle import small_image, small_layer

EPOCH = {"SOURCE_DATE_EPOCH": "1700000000"}
SHARED = small_layer(0, 3000)
ONE, TWO = small_image(1, SHARED), small_image(2, SHARED)
TEXT = b"".join(b"line %d of a text that compresses well\n" % i for i in range(200_000))
LARGE = image([tar_layer({"text": TEXT, "noise": random.Random(5).randbytes(5_000_000)}, compressed=False)])


@pytest.fixture
def memory(running: Running) -> MemoryRegistry:
    registry = running(MemoryRegistry())
    for repository, manifest in (("team/one", ONE), ("team/two", TWO), ("team/large", LARGE)):
        registry.add(repository, "1", manifest)
    return registry


def pull(airgap: Airgap, server: MemoryRegistry | FaultProxy, output: Path, *names: str, options: tuple[object, ...] = ()
         ) -> Result:
    wanted = [f"{server.host}/team/{name}:1" for name in names or ("one", "two", "large")]
    return airgap.export("pull", *wanted, *plain(server), "--platform", "linux/amd64", "--retry", 0, *options,
                         "--output", output, env=EPOCH)


@pytest.fixture
def archive(airgap: Airgap, memory: MemoryRegistry, tmp_path: Path) -> Path:
    pull(airgap, memory, tmp_path / "b.tar.zst").ok()
    return tmp_path / "b.tar.zst"


@pytest.fixture
def small(airgap: Airgap, memory: MemoryRegistry, tmp_path: Path) -> Path:
    pull(airgap, memory, tmp_path / "s.tar.zst", "one", "two").ok()
    return tmp_path / "s.tar.zst"


def assert_pushed(registry: Registry) -> None:
    for name, manifest in (("one", ONE), ("two", TWO), ("large", LARGE)):
        assert registry.client().digest(f"team/{name}", "1") == manifest.digest


def test_what_it_holds_is_the_plain_archive_and_takes_less(airgap: Airgap, memory: MemoryRegistry, archive: Path,
                                                           tmp_path: Path) -> None:
    pull(airgap, memory, tmp_path / "b.tar").ok()
    subprocess.run(["zstd", "-q", "-t", archive], check=True)
    unpacked = subprocess.run(["zstd", "-q", "-d", "-c", archive], check=True, capture_output=True).stdout
    assert unpacked == (tmp_path / "b.tar").read_bytes()
    assert archive.stat().st_size < len(unpacked) * 0.7
    assert sorted(p.name for p in tmp_path.iterdir()) == ["b.tar", "b.tar.zst", "home"]


def test_tar_unpacks_it_to_the_directory_form(airgap: Airgap, archive: Path, tmp_path: Path) -> None:
    (tmp_path / "unpacked").mkdir()
    subprocess.run(["tar", "--zstd", "-xf", archive, "-C", tmp_path / "unpacked"], check=True)
    airgap.import_("verify", tmp_path / "unpacked").ok()


def test_it_is_listed_verified_and_pushed_in_place(airgap: Airgap, archive: Path, registry: Registry) -> None:
    archive.chmod(0o444)
    assert len(airgap.import_("list", archive, "--json").ok().events()[0]["images"]) == 3
    airgap.import_("verify", archive).ok()
    airgap.import_("push", archive, registry.host, *plain(registry)).ok()
    assert_pushed(registry)
    assert sorted(p.name for p in archive.parent.iterdir() if not p.name.startswith("registry")) == [archive.name, "home"]


@pytest.mark.parametrize("how", ["as it is", "by zstd alone"])
def test_it_is_pushed_out_of_a_pipe(how: str, airgap: Airgap, archive: Path, registry: Registry) -> None:
    """Frames of another form, without a seek table, do in order."""
    data = archive.read_bytes()
    if how == "by zstd alone":
        plain_tar = subprocess.run(["zstd", "-q", "-d", "-c", archive], check=True, capture_output=True).stdout
        data = subprocess.run(["zstd", "-q", "-c"], input=plain_tar, check=True, capture_output=True).stdout
    airgap.import_("push", "-", registry.host, *plain(registry), input=data).ok()
    assert_pushed(registry)


PACKERS = {"gzip": ["gzip", "-1", "-c"], "zstd": ["zstd", "-q", "-c"]}


@pytest.fixture
def packed(request: pytest.FixtureRequest, airgap: Airgap, memory: MemoryRegistry, tmp_path: Path) -> Path:
    pull(airgap, memory, tmp_path / "b.tar").ok()
    data = subprocess.run([*PACKERS[request.param], tmp_path / "b.tar"], check=True, capture_output=True).stdout
    (tmp_path / "packed").write_bytes(data)
    return tmp_path / "packed"


@pytest.mark.parametrize("packed", PACKERS, indirect=True)
def test_an_archive_that_was_compressed_on_the_way_is_pushed_in_one_pass(packed: Path, airgap: Airgap, registry: Registry
                                                                         ) -> None:
    airgap.import_("push", packed, registry.host, *plain(registry)).ok()
    assert_pushed(registry)
    airgap.import_("push", "-", f"{registry.host}/again", *plain(registry), input=packed.read_bytes()).ok()
    assert registry.client().digest("again/team/large", "1") == LARGE.digest
    for command in ("list", "verify"):
        airgap.import_(command, packed).fails(2, "compressed as a whole", "unpack it first")


@pytest.mark.parametrize("packed", PACKERS, indirect=True)
def test_what_was_compressed_on_the_way_and_cut_or_changed_is_found(packed: Path, airgap: Airgap, registry: Registry) -> None:
    data = packed.read_bytes()
    changed = bytearray(data)
    changed[len(data) // 2] ^= 1
    for bad in (data[:100], data[:len(data) // 2], data[:-1], bytes(changed)):
        packed.write_bytes(bad)
        airgap.import_("push", packed, registry.host, *plain(registry)).fails(5)
    assert registry.client().tags("team/one") == []


@pytest.mark.parametrize("part", ["the head", "a layer", "the end"])
def test_a_cut_pipe_is_found(part: str, airgap: Airgap, archive: Path, registry: Registry) -> None:
    size = archive.stat().st_size
    kept = {"the head": 100, "a layer": size // 2, "the end": size - 1}[part]
    airgap.import_("push", "-", registry.host, *plain(registry), input=archive.read_bytes()[:kept]).fails(5, "pipe|cut")
    assert registry.client().tags("team/one") == []


def test_the_same_images_and_time_give_the_same_bytes(airgap: Airgap, memory: MemoryRegistry, archive: Path,
                                                      tmp_path: Path) -> None:
    for jobs in (1, 8):
        pull(airgap, memory, tmp_path / f"{jobs}.tar.zst", "large", "two", "one", options=("--jobs", jobs)).ok()
        assert (tmp_path / f"{jobs}.tar.zst").read_bytes() == archive.read_bytes()


def test_the_plan_says_by_how_much_it_may_shrink(airgap: Airgap, memory: MemoryRegistry, tmp_path: Path) -> None:
    output = tmp_path / "b.tar.zst"
    memory.add("team/gzip", "1", image([tar_layer({"x": random.Random(6).randbytes(300_000)})]))
    for names, said in ((("large", "gzip"), r"takes 293 KiB to 1[23]\.\d MiB: 293 KiB are compressed already, 1[23]\.\d MiB may shrink$"),
                        (("gzip",), r"takes 293 KiB to 30\d KiB: .* may shrink; FILE.tar would take hardly more$")):
        asked = pull(airgap, memory, output, *names, options=("--dry-run",)).ok()
        assert re.search(said, asked.err, re.MULTILINE), asked.err
        planned = pull(airgap, memory, output, *names, options=("--dry-run", "--json")).ok().events()
        assert not output.exists()
        (plan,) = [event for event in planned if event["event"] == "plan"]
        least, most = plan["archive"]["bytesAtLeast"], plan["archive"]["bytesAtMost"]
        assert (plan["medium"]["neededBytes"], plan["medium"]["neededBytesAtMost"]) == (least, most)
        pull(airgap, memory, output, *names).ok()
        assert least < output.stat().st_size <= most
        output.unlink()


def test_what_fits_only_if_it_shrinks_is_begun_with_a_warning(airgap: Airgap, memory: MemoryRegistry, tmp_path: Path) -> None:
    """And what cannot fit is refused before the first byte."""
    memory.add("team/noise", "1", image([tar_layer({"x": random.Random(6).randbytes(9_000_000)})]))
    output = tmp_path / "b.tar.zst"

    def pull_into_8_mb(name: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [executable("airgap-export"), "pull", f"{memory.host}/team/{name}:1", *plain(memory), "--output", output],
            env=airgap.environment(), capture_output=True, text=True,
            preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (8_000_000, 8_000_000)))

    refused = pull_into_8_mb("noise")
    assert refused.returncode == 7 and "is going to have at least 8.6 MiB" in refused.stderr, refused.stderr
    assert len(memory.requests("GET", "/blobs/")) == 1, "the config, to know the platform"
    done = pull_into_8_mb("large")
    assert done.returncode == 0, done.stderr
    assert re.search(r"warning: .* may get 1[23]\.\d MiB, and .* takes no file larger than 7.6 MiB", done.stderr), done.stderr
    airgap.import_("verify", output).ok()


@pytest.mark.parametrize("form", ["bundle", "b.tar", "b.tar.zst", "-"])
def test_the_last_line_says_what_lies_on_the_medium(form: str, airgap: Airgap, memory: MemoryRegistry, tmp_path: Path) -> None:
    done = pull(airgap, memory, tmp_path / form if form != "-" else Path("-")).ok()
    said = re.search(r": 3 images, ([\d.]+) MiB(?: for ([\d.]+) MiB of content)?, stream", done.err.splitlines()[-1])
    assert said, done.err
    if form == "-":  # the bytes of an archive
        pull(airgap, memory, tmp_path / "b.tar").ok()
    size = sum(path.stat().st_size for path in tmp_path.rglob("*") if path.is_file() and "home" not in path.parts)
    assert said[1] == f"{size / 2**20:.1f}"
    assert (said[2] is not None) == (form == "b.tar.zst")


def test_it_is_not_cut_into_volumes(airgap: Airgap, memory: MemoryRegistry, tmp_path: Path) -> None:
    pull(airgap, memory, tmp_path / "b.tar.zst", options=("--volume-size", "1MiB")).fails(
        2, "an archive that is not compressed", "--output FILE.tar")
    assert not list(tmp_path.glob("b.*"))


def test_it_is_a_delta_and_what_a_delta_is_made_for(airgap: Airgap, memory: MemoryRegistry, archive: Path, tmp_path: Path,
                                                    registry: Registry) -> None:
    memory.add("team/new", "1", small_image(7, SHARED))
    delta = tmp_path / "delta.tar.zst"
    pull(airgap, memory, delta, "one", "two", "large", "new", options=("--since", archive)).ok()
    assert delta.stat().st_size < archive.stat().st_size / 10
    airgap.import_("push", delta, registry.host, *plain(registry)).fails(5)
    for bundle in (archive, delta):
        airgap.import_("push", bundle, registry.host, *plain(registry)).ok()
    assert_pushed(registry)
    assert registry.client().tags("team/new") == ["1"]


def test_a_finished_one_is_not_written_again(airgap: Airgap, memory: MemoryRegistry, archive: Path) -> None:
    before = archive.read_bytes()
    asked = len(memory.requests("GET", "/blobs/"))
    pull(airgap, memory, archive).ok()
    assert archive.read_bytes() == before
    pull(airgap, memory, archive, "one").fails(2, "holds other images", "--overwrite")
    pull(airgap, memory, archive, "one", options=("--overwrite",)).ok()
    assert len(memory.requests("GET", "/blobs/")) == asked, "what both hold comes from the one that is replaced"
    airgap.import_("verify", archive).ok()


def test_an_interrupted_one_goes_on_after_the_last_whole_blob(airgap: Airgap, memory: MemoryRegistry, running: Running,
                                                              tmp_path: Path) -> None:
    proxy = running(FaultProxy(memory))
    pull(airgap, proxy, tmp_path / "whole.tar.zst").ok()
    large = max(LARGE.blobs, key=lambda blob: len(blob.data)).digest
    proxy.rule("GET", large, times=1, cut_after=9_000_000)
    output = tmp_path / "b.tar.zst"
    pull(airgap, proxy, output, options=("--jobs", 1)).fails(3)
    assert not output.exists() and Path(f"{output}.partial").stat().st_size > 0
    airgap.import_("verify", output).fails(5, "unfinished")
    first = [blob.digest for blob in (ONE.blobs[2], TWO.blobs[2], SHARED) if blob.digest < large]
    assert first
    fetched = len(memory.requests("GET", "|".join(first)))
    pull(airgap, proxy, output).ok()
    assert len(memory.requests("GET", "|".join(first))) == fetched
    assert output.read_bytes() == (tmp_path / "whole.tar.zst").read_bytes()
    assert not Path(f"{output}.partial").exists()


FRAME = 2**21
BUFFERS = 2**18 + 2**19  # the program's, and the line's


def test_a_run_that_is_killed_inside_a_layer_goes_on_after_the_last_whole_frame(
        airgap: Airgap, registry: Registry, running: Running, tmp_path: Path) -> None:
    layer = tar_layer({"noise": random.Random(8).randbytes(14_000_000), "text": TEXT}, compressed=False)
    oci.push(registry.client(), "team/huge", "1", image([layer]))
    proxy = running(FaultProxy(registry))
    proxy.rule("GET", layer.digest, rate=6_000_000)
    output, partial = tmp_path / "b.tar.zst", tmp_path / "b.tar.zst.partial"
    words = ("pull", f"{proxy.host}/team/huge:1", *plain(proxy), "--platform", "linux/amd64", "--output", output)
    for written in (5_000_000, 12_000_000):
        run = airgap.start("airgap-export", *words, env=EPOCH)
        deadline = time.monotonic() + 30
        while not partial.exists() or partial.stat().st_size < written:
            assert run.poll() is None and time.monotonic() < deadline
            time.sleep(0.01)
        airgap.stop(run)
        proxy.wait_until_idle()
    asked = airgap.export(*words, "--dry-run", env=EPOCH).ok()
    assert re.search(r" to fetch in 1 blob, 1\d\.\d MiB there already", asked.err), asked.err
    airgap.export(*words, env=EPOCH).ok()
    requests = proxy.requests("GET", layer.digest)
    begun = [int(r.headers["Range"].removeprefix("bytes=").removesuffix("-")) for r in requests[1:]]
    assert len(begun) == 2 and all(offset > 0 and offset % FRAME == 0 for offset in begun), begun
    assert 0 < proxy.bytes_sent("GET", layer.digest) - len(layer.data) < 2 * (FRAME + BUFFERS)
    airgap.import_("verify", output).ok()
    killed = output.read_bytes()
    output.unlink()
    airgap.export(*words[:-1], output, env=EPOCH).ok()
    assert output.read_bytes() == killed


def flip(path: Path, offset: int, bit: int) -> None:
    data = bytearray(path.read_bytes())
    data[offset] ^= 1 << bit
    path.write_bytes(data)


@pytest.mark.parametrize("part", range(3))
def test_a_changed_bit_is_found(part: int, airgap: Airgap, small: Path) -> None:
    dice = random.Random(part)
    for offset in range(part * 16, small.stat().st_size, 48):
        bit = dice.randrange(8)
        flip(small, offset, bit)
        airgap.import_("verify", small).fails(5)
        flip(small, offset, bit)
    airgap.import_("verify", small).ok()


def unpacked(data: bytes) -> bytes | None:
    done = subprocess.run(["zstd", "-q", "-d", "-c"], input=data, capture_output=True)
    return done.stdout if done.returncode == 0 else None


def test_a_bit_that_zstd_passes_over_is_found_all_the_same(airgap: Airgap, small: Path, registry: Registry) -> None:
    """From a pipe the digests alone prove what comes out, and that is right."""
    data = bytearray(small.read_bytes())
    content = unpacked(data)
    for bit in range(0, 8 * len(data), 3):
        data[bit // 8] ^= 1 << bit % 8
        if unpacked(data) == content and bit < 8 * data.index(b"frame-crc32"):
            break
        data[bit // 8] ^= 1 << bit % 8
    else:
        pytest.fail("every bit says something")
    small.write_bytes(data)
    airgap.import_("verify", small).fails(5)
    airgap.import_("push", small, registry.host, *plain(registry)).fails(5, "damaged")
    assert registry.client().tags("team/one") == []
    airgap.import_("push", "-", registry.host, *plain(registry), input=bytes(data)).ok()


def test_one_without_a_check_table_is_read_too(airgap: Airgap, archive: Path, registry: Registry) -> None:
    """Then nothing but the seek table follows the frames."""
    data = archive.read_bytes()
    table = data.index(b"frame-crc32") - 8
    length = int.from_bytes(data[table + 4:table + 8], "little")
    archive.write_bytes(data[:table] + data[table + 8 + length:])
    airgap.import_("verify", archive).ok()
    airgap.import_("push", archive, registry.host, *plain(registry)).ok()
    assert_pushed(registry)


def test_a_damaged_layer_is_named_with_its_images(airgap: Airgap, small: Path, registry: Registry) -> None:
    """The noise of image one's own layer stands in its frame as it is."""
    data = small.read_bytes()
    noise = random.Random(1).randbytes(2000)
    flip(small, data.index(noise[500:520]), 0)
    found = airgap.import_("verify", small).fails(5)
    assert ONE.blobs[2].digest.split(":")[1] in found.out
    assert "/team/one:1" in found.out and "/team/two:1" not in found.out
    airgap.import_("push", small, registry.host, *plain(registry)).fails(5, ONE.blobs[2].digest, "damaged")
    assert registry.client().tags("team/one") == []


def test_a_cut_file_is_found_at_any_length(airgap: Airgap, small: Path) -> None:
    data = small.read_bytes()
    for length in {*range(4, len(data), 97), len(data) - 1, len(data) - 9, len(data) - 10}:
        small.write_bytes(data[:length])
        airgap.import_("verify", small).fails(5)


def peak(airgap: Airgap, program: str, *arguments: object) -> int:
    """Its ru_maxrss in KiB. From a small process between, for what forks hands its own size on."""
    measure = "import resource, subprocess, sys; subprocess.run(sys.argv[1:], check=True, stdout=subprocess.DEVNULL); " \
              "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)"
    command = ["/usr/bin/python3", "-S", "-c", measure, str(executable(program)), *map(str, arguments)]
    done = subprocess.run(command, env=airgap.environment(), check=True, capture_output=True)
    return int(done.stdout)


def test_memory_is_bounded(airgap: Airgap, memory: MemoryRegistry, tmp_path: Path) -> None:
    memory.add("team/huge", "1", image([tar_layer({"text": TEXT * 12}, compressed=False)]))
    output = tmp_path / "huge.tar.zst"
    pulled = peak(airgap, "airgap-export", "pull", f"{memory.host}/team/huge:1", *plain(memory), "--platform", "linux/amd64",
                  "--output", output)
    verified = peak(airgap, "airgap-import", "verify", output)
    assert output.stat().st_size < 12 * len(TEXT) // 3
    assert max(pulled, verified) < 64 * 1024, (pulled, verified)
