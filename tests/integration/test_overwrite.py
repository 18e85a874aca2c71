"""A finished bundle that is replaced, by runs that are broken off: it stays until the new one is whole, and nothing that lies there is
fetched again."""

import contextlib
import fcntl
import json
import os
import shutil
import signal
import subprocess
import tarfile
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from conftest import Running

from support.airgap import Airgap, Result, plain
from support.memory_registry import MemoryRegistry
from support.oci import Manifest
from support.preload import preloading
from support.proxy import FaultProxy
from support.small_bundle import small_image, small_layer

EPOCH = {"SOURCE_DATE_EPOCH": "1700000000"}
SIZE = 128 * 1024  # of a volume, in bytes
SHARED = small_layer(0, 150_000)
IMAGES = {"one": small_image(1, SHARED, size=300_000), "two": small_image(2, SHARED, size=90_000),
          "three": small_image(3, SHARED, size=200_000)}
ALL = ("one", "two", "three")
NEW = IMAGES["three"].blobs[-1]  # a layer of its own
# At most so many steps of each run are tried as its last one; all of them where the environment says so.
STEPS = int(os.environ.get("AIRGAP_KILL_STEPS", "25"))


@dataclass(frozen=True)
class Change:
    """From one bundle to another in its place."""

    output: str
    before: tuple[object, ...]
    after: tuple[object, ...]
    names: tuple[str, ...] = ("one", "two")  # of the other


def volumes(size: int) -> tuple[object, ...]:
    return ("--volume-size", size)


LARGER = Change("set.tar", volumes(SIZE), volumes(2 * SIZE))
SMALLER = Change("set.tar", volumes(2 * SIZE), volumes(SIZE))
AS_MANY = Change("set.tar", volumes(SIZE), volumes(SIZE - 512))
FEWER_IMAGES = Change("set.tar", volumes(SIZE), volumes(SIZE), names=("one",))
IN_ONE_FILE = Change("b.tar", (), (), names=("one",))
COMPRESSED = Change("b.tar.zst", (), (), names=("one",))
MORE_IMAGES = {"volumes": volumes(SIZE), "other volumes": volumes(2 * SIZE), "one file": (), "compressed": ()}
CHANGES = {"smaller volumes": SMALLER, "larger volumes": LARGER, "as many volumes": AS_MANY,
           "fewer images in volumes": FEWER_IMAGES, "one file": IN_ONE_FILE, "compressed": COMPRESSED}


@pytest.fixture
def memory(running: Running) -> MemoryRegistry:
    server = running(MemoryRegistry())
    for name, manifest in IMAGES.items():
        server.add(f"team/{name}", "1", manifest)
    return server


def words(server: Any, output: Path, *options: object, names: tuple[str, ...] = ("one", "two")) -> list[object]:
    """By digest: what is there needs no registry."""
    wanted = [f"{server.host}/team/{name}@{IMAGES[name].digest}" for name in names]
    return ["pull", *wanted, "--platform", "linux/amd64", *plain(server), "--no-referrers", "--retry", 0, "--jobs", 1,
            "--output", output, *options]


def files_in(place: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in place.iterdir()}


def holds_all(place: Path, bundle: dict[str, bytes]) -> bool:
    return bundle.items() <= files_in(place).items()


@pytest.fixture(scope="session")
def killed_calls(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """An environment that obeys AIRGAP_KILL_AT."""
    return preloading(tmp_path_factory.mktemp("shim"), "killed_calls.c")


@dataclass
class Place:
    """Where a change is tried again and again, each time from the bundle before, with no registry to ask."""

    airgap: Airgap
    host: Any
    directory: Path
    change: Change
    killed_calls: dict[str, str]

    @property
    def output(self) -> Path:
        return self.directory / self.change.output

    def put(self, files: dict[str, bytes]) -> None:
        shutil.rmtree(self.directory, ignore_errors=True)
        self.directory.mkdir()
        for name, data in files.items():
            (self.directory / name).write_bytes(data)

    def replace(self, *options: object) -> None:
        change = self.change
        self.airgap.export(*words(self.host, self.output, *(options or change.after), "--overwrite", names=change.names),
                           env=EPOCH).ok()

    def killed_before_call(self, number: int, *options: object) -> bool:
        """Whether the run came so far."""
        change = self.change
        result = self.airgap.export(
            *words(self.host, self.output, *(options or change.after), "--overwrite", names=change.names),
            env=EPOCH | self.killed_calls | {"AIRGAP_KILL_AT": str(number)})
        assert result.status in (0, -signal.SIGKILL), result
        return result.status != 0

    def calls(self) -> int:
        """Of a run from here to its end."""
        low, high = 1, 2
        start = files_in(self.directory)
        while self.killed_before_call(high):
            low, high = high, 2 * high
            self.put(start)
        while high - low > 1:
            self.put(start)
            middle = (low + high) // 2
            low, high = (middle, high) if self.killed_before_call(middle) else (low, middle)
        self.put(start)
        return low


@pytest.fixture
def place(request: pytest.FixtureRequest, airgap: Airgap, memory: MemoryRegistry, killed_calls: dict[str, str],
          tmp_path: Path) -> Place:
    made = Place(airgap, memory, tmp_path / "place", request.param, killed_calls)
    made.put({})
    airgap.export(*words(memory, made.output, *made.change.before), env=EPOCH).ok()
    memory.blobs.clear()
    return made


def steps(count: int) -> list[int]:
    """Some of them, and all of the last, which take the names."""
    every = max(1, count // STEPS)
    return sorted({*range(1, count + 1, every), *range(max(1, count - 12), count + 1)})


@pytest.mark.parametrize("place", CHANGES.values(), ids=CHANGES, indirect=True)
def test_a_replacement_that_is_killed_at_any_step_is_finished_by_the_same_command_from_what_lies_there(
        place: Place, airgap: Airgap) -> None:
    """The blobs are all there, and no registry has them any more."""
    before = files_in(place.directory)
    place.replace()
    after = files_in(place.directory)
    assert after.keys() != before.keys() or after != before
    place.put(before)
    for step in steps(place.calls()):
        place.put(before)
        assert place.killed_before_call(step)
        if holds_all(place.directory, before):
            airgap.import_("verify", place.output).ok()
        else:
            names = {name.removesuffix(".partial") for name in files_in(place.directory)}
            assert after.keys() <= names, f"neither is there after {step} steps"
        place.replace()
        assert files_in(place.directory) == after, f"after {step} steps"


@pytest.fixture
def proxy(memory: MemoryRegistry, running: Running) -> FaultProxy:
    return running(FaultProxy(memory))


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    (tmp_path / "place").mkdir()
    return tmp_path / "place"


def killed_while_the_new_layer_comes(airgap: Airgap, proxy: FaultProxy, output: Path, *options: object) -> None:
    reached = threading.Event()
    proxy.rule("GET", NEW.digest, times=1, rate=100_000, on_match=reached.set)
    process = airgap.start("airgap-export", *words(proxy, output, *options, "--overwrite", names=ALL))
    assert reached.wait(20)
    airgap.stop(process)
    proxy.wait_until_idle()


def told(airgap: Airgap, output: Path) -> dict[str, Any]:
    (event,) = [event for event in airgap.import_("list", output, "--json").ok().events() if event["event"] == "list"]
    return event


def planned(result: Result) -> dict[str, Any]:
    (event,) = [event for event in result.events() if event["event"] == "plan"]
    return event


@pytest.mark.parametrize("form", MORE_IMAGES)
def test_a_replacement_that_goes_on_fetches_what_is_new_and_keeps_its_number(form: str, airgap: Airgap, proxy: FaultProxy,
                                                                            directory: Path) -> None:
    output = directory / ("b.tar.zst" if form == "compressed" else "b.tar")
    airgap.export(*words(proxy, output, *(volumes(SIZE) if "volumes" in form else ()))).ok()
    before = files_in(directory)
    first = told(airgap, output)
    options = (*MORE_IMAGES[form], "--overwrite", "--json")
    killed_while_the_new_layer_comes(airgap, proxy, output, *MORE_IMAGES[form])
    assert holds_all(directory, before)
    whole = sum(path.stat().st_size for path in directory.iterdir()) - sum(len(data) for data in before.values())
    proxy.mark()
    plan = planned(airgap.export(*words(proxy, output, *options, "--dry-run", names=ALL)).ok())
    assert plan["fetchBytes"] <= len(NEW.data) + 1000
    assert plan["medium"]["neededBytes"] < len(NEW.data) + 100_000  # not for what lies there of the new one
    assert whole > (90_000 if form == "compressed" else 400_000)  # a frame counts when it is whole
    airgap.export(*words(proxy, output, *options, names=ALL)).ok()
    fetched = {request.path.rsplit("/", 1)[1] for request in proxy.requests("GET", "/blobs/")}
    assert fetched <= {NEW.digest, IMAGES["three"].blobs[0].digest}
    last = told(airgap, output)
    assert (last["stream"], last["sequence"], len(last["images"])) == (first["stream"], 2, 3)
    airgap.import_("verify", output).ok()
    assert not [name for name in files_in(directory) if "partial" in name or "replaced" in name]


@pytest.mark.parametrize("form", MORE_IMAGES)
def test_what_is_left_of_a_replacement_is_named_and_readers_pass_it_over(form: str, airgap: Airgap, proxy: FaultProxy,
                                                                        directory: Path) -> None:
    output = directory / ("b.tar.zst" if form == "compressed" else "b.tar")
    old = words(proxy, output, *(volumes(SIZE) if "volumes" in form else ()))
    airgap.export(*old).ok()
    before = files_in(directory)
    killed_while_the_new_layer_comes(airgap, proxy, output, *MORE_IMAGES[form])
    left = {name for name, data in files_in(directory).items() if data} - before.keys()  # but for locks
    assert left
    for more in ((), ("--dry-run",), ("--overwrite",)):
        said = airgap.export(*old, *more).ok().err
        assert "nothing new" in said
        assert f"{directory}/{min(left)}" in said and "of an unfinished bundle beside" in said and "remove" in said
    assert holds_all(directory, before)
    assert files_in(directory).keys() == before.keys() | left
    bundles = [output, directory, directory / "b.001.tar"] if "volumes" in form else [output]
    for bundle in bundles:
        for command in ("list", "verify"):
            said = airgap.import_(command, bundle).ok().err
            alone = command == "verify" and bundle.name == "b.001.tar"  # that volume, and no other
            assert ("passed over, for an export that is unfinished left" in said) == ("volumes" in form and not alone)
    for name in left:
        (directory / name).unlink()
    assert "unfinished" not in airgap.export(*old).ok().err


def test_a_plan_to_cut_a_finished_set_anew_says_that_it_takes_room(airgap: Airgap, proxy: FaultProxy, directory: Path) -> None:
    output = directory / "b.tar"
    airgap.export(*words(proxy, output, *volumes(2 * SIZE))).ok()
    said = airgap.export(*words(proxy, output, *volumes(SIZE), "--overwrite", "--dry-run", "--json")).ok()
    plan = planned(said)
    assert "nothing new" not in said.err
    assert plan["fetchBytes"] == 0
    assert plan["medium"]["neededBytes"] > 500_000
    number = told(airgap, output)
    airgap.export(*words(proxy, output, *volumes(SIZE), "--overwrite")).ok()
    now = told(airgap, output)
    assert (now["stream"], now["sequence"], now["created"]) == (number["stream"], 1, number["created"])


SOMEBODYS = b"what somebody else is downloading\n" * 100


@pytest.mark.parametrize(("output", "foreign"), [
    ("b.tar.zst", "b.tar.zst.partial"), ("b.tar", "b.tar.partial"), ("b.tar", "b.tar.partial.moving")])
@pytest.mark.parametrize("data", [SOMEBODYS, b"short", pytest.param(None, id="zstd")])
def test_a_file_of_somebody_else_is_refused_unless_it_is_to_be_overwritten(
        data: bytes | None, output: str, foreign: str, airgap: Airgap, memory: MemoryRegistry, directory: Path) -> None:
    theirs = data or subprocess.run(["zstd", "-q", "-c"], input=SOMEBODYS, check=True, capture_output=True).stdout
    (directory / foreign).write_bytes(theirs)
    for more in ((), ("--dry-run",)):
        airgap.export(*words(memory, directory / output, *more)).fails(2, f"{foreign} is there already and is no unfinished")
        assert files_in(directory) == {foreign: theirs}
    airgap.export(*words(memory, directory / output, "--overwrite")).ok()
    assert files_in(directory).keys() == {output}


@pytest.mark.parametrize("foreign", ["b.001.tar.partial", "b.001.tar.replaced-1"])
def test_a_volume_of_somebody_else_is_refused_unless_it_is_to_be_overwritten(
        foreign: str, airgap: Airgap, memory: MemoryRegistry, directory: Path) -> None:
    (directory / foreign).write_bytes(SOMEBODYS)
    pull = words(memory, directory / "b.tar", *volumes(SIZE))
    airgap.export(*pull).fails(2, f"{foreign} is there already and is no unfinished volume", "--overwrite")
    assert files_in(directory) == {foreign: SOMEBODYS}
    airgap.export(*pull, "--overwrite").ok()
    assert foreign not in files_in(directory)


@pytest.mark.parametrize("output", ["b.tar.zst", "b.tar"])
def test_a_run_with_nothing_to_do_minds_no_file_of_somebody_else(output: str, airgap: Airgap, memory: MemoryRegistry,
                                                                directory: Path) -> None:
    airgap.export(*words(memory, directory / output)).ok()
    (directory / f"{output}.partial").write_bytes(SOMEBODYS)
    before = files_in(directory)
    assert "nothing new" in airgap.export(*words(memory, directory / output)).ok().err
    assert files_in(directory) == before


def test_the_first_bytes_of_a_compressed_archive_are_gone_on_with(airgap: Airgap, memory: MemoryRegistry,
                                                                  directory: Path) -> None:
    output, partial = directory / "b.tar.zst", directory / "b.tar.zst.partial"
    airgap.export(*words(memory, output), env=EPOCH).ok()
    whole = output.read_bytes()
    for left in (b"", bytes(4096), *(whole[:length] for length in (1, 5, 12, 40, 700))):
        output.unlink()
        partial.write_bytes(left)
        airgap.export(*words(memory, output), env=EPOCH).ok()
        assert files_in(directory) == {"b.tar.zst": whole}


def test_a_file_of_somebody_else_among_replaced_ones_stays(airgap: Airgap, proxy: FaultProxy, directory: Path) -> None:
    output = directory / "b.tar.zst"
    foreign = directory / "b.tar.zst.partial.replaced-1"
    foreign.write_bytes(SOMEBODYS)
    proxy.rule("GET", NEW.digest, times=1, cut_after=1000)
    airgap.export(*words(proxy, output, names=ALL)).fails(3)
    airgap.export(*words(proxy, output)).ok()
    assert files_in(directory).keys() == {output.name, foreign.name}
    assert foreign.read_bytes() == SOMEBODYS


@pytest.mark.parametrize("more", [(), ("--overwrite",), ("--dry-run",)])
def test_a_run_with_nothing_to_do_leaves_all_of_an_interrupted_replacement_and_names_it(
        more: tuple[str, ...], airgap: Airgap, proxy: FaultProxy, directory: Path) -> None:
    output = directory / "b.tar.zst"
    airgap.export(*words(proxy, output)).ok()
    proxy.rule("GET", NEW.digest, times=2, cut_after=1000)
    for names in (("three",), ALL):
        airgap.export(*words(proxy, output, "--overwrite", names=names)).fails(3)
    before = files_in(directory)
    assert before.keys() == {"b.tar.zst", "b.tar.zst.partial", "b.tar.zst.partial.replaced-1"}
    said = airgap.export(*words(proxy, output, *more)).ok().err
    assert "nothing new" in said and f"{output}.partial and 1 more: " in said
    assert files_in(directory) == before


def test_a_finished_set_stays_where_larger_volumes_are_asked_for_and_is_cut_into_fewer_ones_to_overwrite_it(
        airgap: Airgap, proxy: FaultProxy, directory: Path) -> None:
    output, report = directory / "b.tar", directory.parent / "report.json"
    airgap.export(*words(proxy, output, *volumes(SIZE))).ok()
    before = files_in(directory)
    larger = (*volumes(20 * SIZE), "--report", report)
    for more in (("--dry-run",), ()):
        said = airgap.export(*words(proxy, output, *larger, *more)).ok().err
        assert "nothing new" in said and f"in {len(before)} volumes of at most" in said
    told_of = json.loads(report.read_text())
    assert told_of["volumes"] == len(before)
    assert [Path(file).name for file in told_of["files"]] == sorted(before)
    assert files_in(directory) == before
    said = airgap.export(*words(proxy, output, *larger, "--overwrite")).ok().err
    assert "nothing new" not in said and "in 1 volume of" in said
    assert files_in(directory).keys() == {"b.001.tar"} and json.loads(report.read_text())["volumes"] == 1
    airgap.import_("verify", output).ok()
    assert "nothing new" in airgap.export(*words(proxy, output, *larger, "--overwrite")).ok().err


def test_a_damaged_layer_of_a_set_that_is_replaced_is_looked_for_in_all_of_its_volumes(
        airgap: Airgap, proxy: FaultProxy, directory: Path) -> None:
    output, layer = directory / "b.tar", IMAGES["one"].blobs[-1]
    airgap.export(*words(proxy, output, *volumes(SIZE))).ok()
    piece = layer.data[240_000:240_100]
    (later,) = [path for path in directory.iterdir() if piece in path.read_bytes()]
    later.write_bytes(later.read_bytes().replace(piece, bytes(100)))
    airgap.export(*words(proxy, output, *volumes(2 * SIZE), "--overwrite", names=("one", "three"))).fails(
        5, r"one of \S*/b\.00\d\.tar to b\.00\d\.tar is damaged", "remove the volumes and run again")


def test_a_set_that_was_broken_off_when_it_was_put_aside_keeps_its_stream(airgap: Airgap, proxy: FaultProxy,
                                                                         directory: Path) -> None:
    output = directory / "b.tar"
    proxy.rule("GET", NEW.digest, times=1, cut_after=1000)
    airgap.export(*words(proxy, output, *volumes(SIZE), names=ALL)).fails(3)
    with tarfile.open(directory / "b.001.tar.partial") as tar:
        begun = json.load(tar.extractfile("bundle.json") or pytest.fail("no bundle.json"))
    for path in directory.glob("b.*.tar.partial"):
        path.rename(str(path).replace("partial", "replaced-1"))
    airgap.export(*words(proxy, output, *volumes(2 * SIZE), names=ALL)).ok()
    assert told(airgap, output)["stream"] == begun["stream"]


def test_a_dry_run_counts_the_room_of_an_archive_whose_head_is_damaged_as_the_run_does(
        airgap: Airgap, proxy: FaultProxy, directory: Path) -> None:
    output, partial = directory / "b.tar", directory / "b.tar.partial"
    proxy.rule("GET", NEW.digest, times=1, cut_after=1000)
    airgap.export(*words(proxy, output, names=ALL)).fails(3)
    data = bytearray(partial.read_bytes())
    data[600:700] = bytes(100)
    partial.write_bytes(data)
    needed = [planned(airgap.export(*words(proxy, output, "--json", *more, names=ALL)).ok())["medium"]["neededBytes"]
              for more in (("--dry-run",), ())]
    assert needed[0] == needed[1]


def flip_in(path: Path, piece: bytes) -> None:
    data = path.read_bytes()
    assert data.count(piece) == 1
    path.write_bytes(data.replace(piece, bytes(len(piece))))


@pytest.mark.parametrize("more", [(), ("--keep-going",)])
@pytest.mark.parametrize("form", ["b.tar", "b.tar.zst"])
def test_damage_in_an_archive_that_is_replaced_is_its_own_and_no_images_failure(
        form: str, more: tuple[str, ...], airgap: Airgap, proxy: FaultProxy, directory: Path) -> None:
    output, report = directory / form, directory.parent / "report.json"
    airgap.export(*words(proxy, output)).ok()
    flip_in(output, IMAGES["one"].blobs[-1].data[100_000:100_100])
    said = airgap.export(*words(proxy, output, "--overwrite", *more, "--report", report, names=ALL)).fails(
        5, rf"error: {output} is damaged", "remove it and run again: all of it is fetched anew").err
    assert "while fetching blob" not in said
    outcomes = json.loads(report.read_text())["images"]
    assert not [image for image in outcomes if "damaged" in str(image)]


@pytest.mark.parametrize("form", ["b.tar", "b.tar.zst", "volumes"])
def test_what_is_read_back_wrong_does_not_take_the_place_of_a_replacement_that_was_begun(
        form: str, airgap: Airgap, proxy: FaultProxy, directory: Path) -> None:
    output = directory / ("b.tar" if form == "volumes" else form)
    options = volumes(SIZE) if form == "volumes" else ()
    airgap.export(*words(proxy, output, *options)).ok()
    proxy.rule("GET", NEW.digest, times=1, cut_after=1000)
    airgap.export(*words(proxy, output, *options, "--overwrite", names=ALL)).fails(3)
    piece = IMAGES["one"].blobs[-1].data[100_000:100_100]
    (damaged,) = [path for path in directory.iterdir() if not path.name.endswith(".partial") and piece in path.read_bytes()]
    flip_in(damaged, piece)
    before = files_in(directory)
    airgap.export(*words(proxy, output, *options, "--verify-media", "full")).fails(
        7, r"still looks finished: \S*\.partial, unfinished, lies where", "remove it, and do not trust this medium")
    assert files_in(directory) == before


@pytest.fixture
def locked() -> Iterator[Callable[[Path], None]]:
    """As a run does that writes it."""
    with contextlib.ExitStack() as files:
        def lock(path: Path) -> None:
            fcntl.flock(files.enter_context(path.open("rb")), fcntl.LOCK_EX)
        yield lock


@pytest.mark.parametrize("form", ["b.tar", "b.tar.zst"])
def test_nobody_is_told_to_remove_what_a_run_is_writing(form: str, airgap: Airgap, proxy: FaultProxy, directory: Path,
                                                       locked: Callable[[Path], None]) -> None:
    output = directory / form
    airgap.export(*words(proxy, output)).ok()
    proxy.rule("GET", NEW.digest, times=1, cut_after=1000)
    airgap.export(*words(proxy, output, "--overwrite", names=ALL)).fails(3)
    other = directory / ("b.tar.zst" if form == "b.tar" else "b.tar")
    runs = [words(proxy, path, "--dry-run") for path in (output, other)]
    for run in runs:
        assert "remove it" in airgap.export(*run).ok().err
    locked(Path(f"{output}.partial"))
    for run in runs:
        assert "unfinished" not in airgap.export(*run).ok().err


def test_nobody_is_told_to_remove_a_file_of_somebody_else(airgap: Airgap, memory: MemoryRegistry, directory: Path) -> None:
    for foreign, output in (("b.tar.partial", "b.tar.zst"), ("c.tar.zst.partial", "c.tar"), ("d.001.tar.partial", "d.tar")):
        (directory / foreign).write_bytes(SOMEBODYS)
        assert "unfinished" not in airgap.export(*words(memory, directory / output)).ok().err


@pytest.mark.parametrize("more, said", [
    ((), "is finished and holds other images"), (("--scoped",), "is finished and holds these images under other names"),
    (("--since", "base"), "is finished and holds these images, and leaves out other blobs")])
def test_a_refusal_to_replace_says_what_is_different(more: tuple[str, ...], said: str, airgap: Airgap, memory: MemoryRegistry,
                                                    directory: Path) -> None:
    output, base = directory / "b.tar", directory / "base.tar"
    airgap.export(*words(memory, output)).ok()
    airgap.export(*words(memory, base, names=("three",))).ok()
    options = [base if word == "base" else word for word in more]
    names = ("one", "two") if more else ("one",)
    airgap.export(*words(memory, output, *options, names=names)).fails(2, said, "choose another name, or --overwrite")


@pytest.mark.parametrize("output", ["b.tar", "b.tar.zst", "-"])
def test_an_archive_is_not_pruned(output: str, airgap: Airgap, memory: MemoryRegistry, directory: Path) -> None:
    where = Path(output) if output == "-" else directory / output
    airgap.export(*words(memory, where, "--prune")).fails(2, "--prune is for a directory", "leave it out")
    assert not files_in(directory)
