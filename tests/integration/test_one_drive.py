"""Volumes that are never there all at once: one drive, and somebody at a terminal who changes the discs."""

import os
import pty
import re
import shutil
import threading
import time
from pathlib import Path
from typing import Callable, Iterator

import pytest
from conftest import Running

from support import oci
from support.airgap import Airgap, Result, executable, plain
from support.memory_registry import MemoryRegistry
from support.oci import Manifest
from support.proxy import FaultProxy
from support.registry import Registry
from support.small_bundle import small_image, small_layer
from support.small_volumes import held_by, images_in, write_volumes

SIZE = 128 * 1024  # of a volume, in bytes
SHARED = small_layer(0, 150_000)
IMAGES = {"one": small_image(1, SHARED, size=300_000), "two": small_image(2, SHARED, size=90_000)}
WANTED = re.compile(rb"volume (\d+) of (\d+) is wanted(?: \(later ([^)]*) as well\))?; (.*)")
NAMES = ("one", "two", "three", "four", "five", "six")
SIX = {name: small_image(seed, size=90_000) for seed, name in enumerate(NAMES)}  # in as many volumes


def write_set(airgap: Airgap, images: dict[str, Manifest], work: Path, size: object = SIZE) -> list[Path]:
    """A folder for each volume."""
    discs = []
    for number, path in enumerate(write_volumes(airgap, images, work, size), start=1):
        disc = work / f"disc-{number}"
        disc.mkdir()
        path.rename(disc / path.name)
        discs.append(disc)
    return discs


class Drive:
    """One path at which a disc lies, or none."""

    def __init__(self, path: Path, discs: list[Path]) -> None:
        self.path = path
        self._discs = discs
        self._number = 0
        self.put_in(1)

    def put_in(self, number: int) -> None:
        """A disc by its number; 0 leaves the drive empty. Another directory is at the path from now on."""
        if self._number:
            self.path.rename(self._discs[self._number - 1])
        elif self.path.exists():
            self.path.rmdir()
        if number:
            self._discs[number - 1].rename(self.path)
        else:
            self.path.mkdir()
        self._number = number


class Terminal:
    """`airgap-import push` at a terminal."""

    def __init__(self, airgap: Airgap, *words: object) -> None:
        self._ours, theirs = pty.openpty()
        self._process = airgap.start("airgap-import", "push", *words, stdin=theirs, stderr=theirs)
        os.close(theirs)
        self._lines = self._read_lines()
        self.said = b""
        self._timer = threading.Timer(60, self._process.kill)
        self._timer.start()

    def _read_lines(self) -> Iterator[bytes]:
        rest = b""
        while True:
            try:
                rest += os.read(self._ours, 65536)
            except OSError:  # the program has closed its side
                yield from rest.splitlines(keepends=True)
                return
            *lines, rest = rest.replace(b"\r\n", b"\n").split(b"\n")
            yield from (line + b"\n" for line in lines)

    def asked(self) -> Iterator[tuple[int, str]]:
        """The number of each volume that is asked for, and what was found instead, until the end."""
        for line in self._lines:
            self.said += line
            if match := WANTED.search(line):
                yield int(match[1]), match[4].decode()

    def wait_for(self, text: str) -> None:
        for line in self._lines:
            self.said += line
            if text in line.decode():
                return
        raise AssertionError(f"{text!r} was not said: {self.said.decode()}")

    def type(self, line: str = "") -> None:
        os.write(self._ours, f"{line}\n".encode())

    def hang_up(self) -> None:
        os.write(self._ours, b"\x04")

    def end(self) -> Result:
        err = b"".join(self._lines)
        out, _ = self._process.communicate(timeout=60)
        self._timer.cancel()
        os.close(self._ours)
        return Result([str(executable("airgap-import"))], self._process.returncode, out.decode(), (self.said + err).decode())


def feed(terminal: Terminal, drive: Drive) -> list[int]:
    """Puts in every disc that is asked for, until the end; returns their numbers."""
    numbers = []
    for number, _ in terminal.asked():
        numbers.append(number)
        drive.put_in(number)
        terminal.type()
    return numbers


def fill(registry: Registry, images: dict[str, Manifest]) -> None:
    for name, manifest in images.items():
        oci.push(registry.client(), f"team/{name}", "1", manifest)


def places(discs: list[Path], name: str) -> list[int]:
    """The numbers of the volumes that have something of the layer of an image. All configs are on the first one."""
    layer = SIX[name].blobs[-1].digest
    return [number for number, disc in enumerate(discs, start=1) if layer in held_by(next(disc.iterdir()))]


def assert_filled(registry: Registry, images: dict[str, Manifest]) -> None:
    for name, manifest in images.items():
        assert registry.client().digest(f"team/{name}", "1") == manifest.digest


def test_discs_are_changed_in_one_drive_and_no_disc_is_asked_for_twice(airgap: Airgap, registry: Registry, tmp_path: Path
                                                                       ) -> None:
    discs = write_set(airgap, IMAGES, tmp_path / "set")
    drive = Drive(tmp_path / "drive", discs)
    terminal = Terminal(airgap, drive.path, registry.host, *plain(registry))
    numbers = feed(terminal, drive)
    terminal.end().ok()
    assert numbers == [2, 3, 4, 5]
    assert_filled(registry, IMAGES)


def test_another_disc_than_the_one_that_is_wanted_is_named_and_the_question_stays(airgap: Airgap, registry: Registry,
                                                                                 tmp_path: Path) -> None:
    discs = write_set(airgap, IMAGES, tmp_path / "set")
    strangers = write_set(airgap, IMAGES, tmp_path / "strangers")
    drive = Drive(tmp_path / "drive", discs)
    wrong: list[str] = []
    terminal = Terminal(airgap, drive.path, registry.host, *plain(registry))
    for number, instead in terminal.asked():
        wrong.append(instead)
        match len(wrong):
            case 1:  # nothing was changed: ENTER too early
                assert instead == "volume 1 is here"
            case 2:  # the wrong disc
                drive.put_in(4)
            case 3:  # an empty drive
                assert instead == "volume 4 is here, and its turn comes later"
                drive.put_in(0)
            case 4:  # the right number of another set
                assert instead == "it is in none of the places that were named"
                shutil.copy(strangers[number - 1] / f"set.00{number}.tar", drive.path)
            case 5:
                assert f"set.00{number}.tar is volume {number} of 5 of stream" in instead
                assert instead.endswith("and of another bundle")
                (drive.path / f"set.00{number}.tar").unlink()
                drive.put_in(number)
            case _:
                drive.put_in(number)
        terminal.type()
    terminal.end().ok()
    assert_filled(registry, IMAGES)


def test_a_disc_of_another_delta_and_one_with_a_damaged_head_are_named_and_the_question_stays(
        airgap: Airgap, registry: Registry, running: Running, tmp_path: Path) -> None:
    """Two deltas since one bundle have its stream and one sequence."""
    source = running(MemoryRegistry())
    source.add("team/one", "1", IMAGES["one"])

    def pull(output: Path, *options: object) -> list[Path]:
        output.mkdir()
        airgap.export("pull", f"{source.host}/team/one:1", "--platform", "linux/amd64", *plain(source), "--output",
                      output / "set.tar", *options).ok()
        return sorted(output.glob("set.*.tar"))

    pull(tmp_path / "base")
    delta = ("--since", tmp_path / "base" / "set.tar", "--volume-size", SIZE)
    source.add("team/one", "1", small_image(3, size=300_000))
    wanted = pull(tmp_path / "wanted", *delta)
    source.add("team/one", "1", small_image(4, size=300_000))
    other = pull(tmp_path / "other", *delta)
    assert len(wanted) == len(other) == 3
    drive = tmp_path / "drive"
    drive.mkdir()
    shutil.copy(wanted[0], drive)
    found: list[str] = []
    terminal = Terminal(airgap, drive, registry.host, *plain(registry))
    for number, instead in terminal.asked():
        found.append(instead)
        next(drive.iterdir()).unlink()
        match len(found):
            case 1:
                shutil.copy(other[1], drive)
            case 2:
                (drive / "set.002.tar").write_bytes(b"")
            case _:
                shutil.copy(wanted[number - 1], drive)
        terminal.type()
    terminal.end().ok()
    assert found[0] == "volume 1 is here"
    assert "set.002.tar is volume 2 of 3" in found[1] and found[1].endswith("and of another bundle")
    assert found[2] == "set.002.tar is there, but its head is damaged: copy it again"
    assert registry.client().digest("team/one", "1") == small_image(3, size=300_000).digest


def test_the_first_disc_is_asked_for_by_its_number_where_another_one_is_in_the_drive(airgap: Airgap, registry: Registry,
                                                                                    tmp_path: Path) -> None:
    drive = Drive(tmp_path / "drive", write_set(airgap, IMAGES, tmp_path / "set"))
    drive.put_in(3)
    terminal = Terminal(airgap, drive.path / "set.003.tar", registry.host, *plain(registry))
    numbers = feed(terminal, drive)
    terminal.end().ok()
    assert numbers == [1, 2, 3, 4, 5]
    assert_filled(registry, IMAGES)


def test_a_place_that_is_typed_is_looked_at_too(airgap: Airgap, registry: Registry, tmp_path: Path) -> None:
    discs = write_set(airgap, IMAGES, tmp_path / "set")
    shelf = tmp_path / "shelf"
    shelf.mkdir()
    for disc in [discs[0], *discs[2:]]:
        for path in disc.iterdir():
            path.rename(shelf / path.name)
    terminal = Terminal(airgap, shelf, registry.host, *plain(registry))
    answers = [f"{tmp_path}/nowhere", str(discs[1])]
    for number, _ in terminal.asked():
        assert number == 2
        terminal.type(answers.pop(0))
    result = terminal.end().ok()
    assert "there is no" in result.err and answers == []
    assert_filled(registry, IMAGES)


def test_a_layer_larger_than_a_disc_waits_for_the_next_one_between_two_chunks(airgap: Airgap, registry: Registry,
                                                                             running: Running, tmp_path: Path) -> None:
    """No request is open while somebody looks for a disc."""
    images = {"large": small_image(7, size=40_000_000)}
    drive = Drive(tmp_path / "drive", write_set(airgap, images, tmp_path / "set", "15MB"))
    registry.mark()
    proxy = running(FaultProxy(registry))
    terminal = Terminal(airgap, drive.path, proxy.host, *plain(proxy))
    asked = 0
    for number, _ in terminal.asked():
        asked += 1
        begun = len(proxy.requests("PUT|PATCH", "/blobs/uploads/"))
        deadline = time.monotonic() + 10
        while len(registry.requests("PUT|PATCH", "/blobs/uploads/")) < begun and time.monotonic() < deadline:
            time.sleep(0.01)
        assert len(registry.requests("PUT|PATCH", "/blobs/uploads/")) == begun
        drive.put_in(number)
        terminal.type()
    terminal.end().ok()
    assert asked == 2
    assert_filled(registry, images)


def test_what_is_inside_already_needs_no_disc(airgap: Airgap, registry: Registry, tmp_path: Path) -> None:
    """Nor does what follows the last blob that is missing: a run that was broken off goes on with few discs."""
    discs = write_set(airgap, IMAGES, tmp_path / "set")
    drive = Drive(tmp_path / "drive", discs)
    first = Terminal(airgap, drive.path, registry.host, *plain(registry))
    for number, _ in first.asked():
        if number == 4:
            first.hang_up()
            continue
        drive.put_in(number)
        first.type()
    first.end().fails(5, "volume 4 of 5 is missing, and nobody says where it is", "what arrived is not sent again")
    for path in discs[3:]:
        assert path.exists()
    drive.put_in(1)
    again = Terminal(airgap, drive.path, registry.host, *plain(registry))
    numbers = feed(again, drive)
    again.end().ok()
    assert numbers == [2, 3, 4, 5]  # the layer that was broken off begins on the second disc
    assert_filled(registry, IMAGES)
    drive.put_in(1)
    done = Terminal(airgap, drive.path, registry.host, *plain(registry))
    assert list(done.asked()) == []
    done.end().ok()


@pytest.mark.parametrize("name", NAMES)
def test_only_discs_that_hold_something_wanted_are_asked_for(name: str, airgap: Airgap, registry: Registry, tmp_path: Path
                                                            ) -> None:
    """Which those are follows from the first one: the others were never seen."""
    discs = write_set(airgap, SIX, tmp_path / "set")
    wanted = places(discs, name)
    fill(registry, {other: manifest for other, manifest in SIX.items() if other != name})
    drive = Drive(tmp_path / "drive", discs)
    terminal = Terminal(airgap, drive.path, registry.host, *plain(registry))
    numbers = feed(terminal, drive)
    terminal.end().ok()
    assert len(discs) == 6 and 0 < len(wanted) < 4
    assert numbers == [number for number in wanted if number > 1]
    assert_filled(registry, SIX)


def test_the_question_says_what_is_needed_later(airgap: Airgap, registry: Registry, tmp_path: Path) -> None:
    drive = Drive(tmp_path / "drive", write_set(airgap, SIX, tmp_path / "set"))
    terminal = Terminal(airgap, drive.path, registry.host, *plain(registry))
    feed(terminal, drive)
    said = terminal.end().ok().err
    assert "volume 2 of 6 is wanted (later 3-6 as well); volume 1 is here" in said
    assert "volume 6 of 6 is wanted; volume 5 is here" in said


def test_any_disc_that_holds_something_wanted_will_do(airgap: Airgap, registry: Registry, tmp_path: Path) -> None:
    images = {f"image-{seed}": small_image(seed, size=30_000) for seed in range(16)}
    discs = write_set(airgap, images, tmp_path / "set", 160 * 1024)
    held = [held_by(next(disc.iterdir())) for disc in discs]
    places = {name: [number for number, digests in enumerate(held, start=1) if manifest.blobs[-1].digest in digests]
              for name, manifest in images.items()}
    whole = {numbers[0]: name for name, numbers in places.items() if len(numbers) == 1 and numbers[0] > 1}
    first, *_, last = sorted(whole)
    assert first < last
    fill(registry, {name: manifest for name, manifest in images.items() if name not in (whole[first], whole[last])})
    drive = Drive(tmp_path / "drive", discs)
    terminal = Terminal(airgap, drive.path, registry.host, *plain(registry))
    asked = []
    for number, _ in terminal.asked():
        asked.append(number)
        drive.put_in(last if len(asked) == 1 else number)
        terminal.type()
    terminal.end().ok()
    assert asked == [first, first]
    assert_filled(registry, images)


def test_a_disc_on_which_a_layer_only_goes_on_has_to_wait(airgap: Airgap, registry: Registry, tmp_path: Path) -> None:
    discs = write_set(airgap, SIX, tmp_path / "set")
    name = next(name for name in NAMES if len(places(discs, name)) > 1 and places(discs, name)[0] > 1)
    wanted = places(discs, name)
    first, last = wanted[0], wanted[-1]
    fill(registry, {other: manifest for other, manifest in SIX.items() if other != name})
    drive = Drive(tmp_path / "drive", discs)
    terminal = Terminal(airgap, drive.path, registry.host, *plain(registry))
    asked = []
    for number, instead in terminal.asked():
        asked.append(number)
        if len(asked) == 2:
            assert instead == f"volume {last} is here, and its turn comes later"
        drive.put_in(last if len(asked) == 1 else number)
        terminal.type()
    terminal.end().ok()
    assert asked == [first, *wanted]
    assert_filled(registry, SIX)


@pytest.mark.parametrize("data", [lambda good: good[:20_000], lambda good: good[:-1] + b"x"], ids=["cut", "damaged"])
def test_a_disc_that_is_not_whole_is_named_and_the_question_stays(data: Callable[[bytes], bytes], airgap: Airgap,
                                                                  registry: Registry, tmp_path: Path) -> None:
    discs = write_set(airgap, SIX, tmp_path / "set")
    path = discs[2] / "set.003.tar"
    good = path.read_bytes()
    drive = Drive(tmp_path / "drive", discs)
    terminal = Terminal(airgap, drive.path, registry.host, *plain(registry))
    third = []
    for number, instead in terminal.asked():
        if number == 3:
            third.append(instead)
        drive.put_in(number)
        if number == 3:
            (drive.path / path.name).write_bytes(data(good) if len(third) == 1 else good)
        terminal.type()
    terminal.end().ok()
    assert len(third) == 2
    assert third[1].startswith("set.003.tar: end of the archive: ") and third[1].endswith(": copy it again")
    assert_filled(registry, SIX)


def test_of_a_folder_the_volume_that_is_cut_is_asked_for(airgap: Airgap, registry: Registry, tmp_path: Path) -> None:
    volumes = write_volumes(airgap, SIX, tmp_path / "set")
    good = volumes[3].read_bytes()
    volumes[3].write_bytes(good[:20_000])
    shelf = tmp_path / "a shelf"
    shelf.mkdir()
    (shelf / "copy.tar").write_bytes(good)
    terminal = Terminal(airgap, tmp_path / "set", registry.host, *plain(registry))
    for number, instead in terminal.asked():
        assert number == 4
        assert instead.startswith("volumes 1-3, 6 are here; volume 5 is here, and its turn comes later; ")
        assert "; set.004.tar: end of the archive: it is cut: got 20000 of" in instead
        terminal.type(f"  '{shelf}' ")
    terminal.end().ok()
    assert_filled(registry, SIX)


def test_when_nobody_brings_a_volume_the_other_images_are_pushed_with_keep_going(airgap: Airgap, registry: Registry,
                                                                                tmp_path: Path) -> None:
    volumes = write_volumes(airgap, SIX, tmp_path / "set")
    lost = images_in(SIX, volumes[3])
    volumes[3].unlink()
    terminal = Terminal(airgap, tmp_path / "set", registry.host, *plain(registry), "--keep-going")
    for _ in terminal.asked():
        terminal.hang_up()
    terminal.end().fails(5, "volume 4 of 6 is missing, and nobody says where it is; without it these images are not whole: ")
    client = registry.client()
    assert {name for name in NAMES if client.has_manifest(f"team/{name}", "1")} == set(NAMES) - lost


def test_of_a_disc_with_a_damaged_manifest_the_other_images_are_pushed_with_keep_going(airgap: Airgap, registry: Registry,
                                                                                      tmp_path: Path) -> None:
    discs = write_set(airgap, SIX, tmp_path / "set")
    first, good = discs[0] / "set.001.tar", SIX["two"].data
    first.write_bytes(first.read_bytes().replace(good, good[:-1] + b"x"))
    drive = Drive(tmp_path / "drive", discs)
    drive.put_in(2)
    refused = Terminal(airgap, drive.path, registry.host, *plain(registry))
    assert feed(refused, drive) == [1]
    said = refused.end().fails(5, "set.001.tar: blobs/sha256/", "; it touches .*team/two:1").err
    assert "team/one:1" not in said and registry.client().repositories() == []
    terminal = Terminal(airgap, drive.path, registry.host, *plain(registry), "--keep-going")
    feed(terminal, drive)
    terminal.end().fails(5, "team/two:1 is left out", "5 of 6 images in place")
    assert_filled(registry, {name: manifest for name, manifest in SIX.items() if name != "two"})
    assert not registry.client().has_manifest("team/two", "1")


@pytest.mark.parametrize("beside", [0, 2])
def test_an_empty_drive_waits_for_its_disc(beside: int, airgap: Airgap, registry: Registry, tmp_path: Path) -> None:
    """`beside` volumes are on the disk, all others come through the drive."""
    discs = write_set(airgap, SIX, tmp_path / "set")
    disk = tmp_path / "disk"
    disk.mkdir()
    for disc in discs[:beside]:
        shutil.move(next(disc.iterdir()), disk)
    drive = Drive(tmp_path / "drive", discs)
    drive.put_in(0)
    terminal = Terminal(airgap, *([disk] if beside else []), drive.path, registry.host, *plain(registry))
    if not beside:
        terminal.wait_for(f"there is nothing in {drive.path}: put the first disc or stick in")
        drive.put_in(2)
        terminal.type()
    numbers = feed(terminal, drive)
    terminal.end().ok()
    assert numbers == ([3, 4, 5, 6] if beside else [1, 2, 3, 4, 5, 6])
    assert_filled(registry, SIX)


def test_without_a_terminal_what_is_missing_is_listed(airgap: Airgap, registry: Registry, tmp_path: Path) -> None:
    drive = Drive(tmp_path / "drive", write_set(airgap, IMAGES, tmp_path / "set"))
    refused = airgap.import_("push", drive.path, registry.host, *plain(registry))
    refused.fails(5, "volumes 2-5 of 5 are missing; without them these images are not whole", "team/one:1", "team/two:1",
                  "name the folders that they are in")
    assert registry.client().repositories() == []


def test_a_damaged_disc_ends_the_push_before_any_tag(airgap: Airgap, registry: Registry, tmp_path: Path) -> None:
    discs = write_set(airgap, IMAGES, tmp_path / "set")
    third = discs[2] / "set.003.tar"
    data = bytearray(third.read_bytes())
    data[len(data) // 2] ^= 1
    third.write_bytes(data)
    drive = Drive(tmp_path / "drive", discs)
    terminal = Terminal(airgap, drive.path, registry.host, *plain(registry))
    feed(terminal, drive)
    terminal.end().fails(5, r"set\.003\.tar")
    assert not registry.client().has_manifest("team/one", "1")


@pytest.mark.parametrize("number", [2, 5])
def test_a_dry_run_asks_for_no_more_than_the_first_disc(number: int, airgap: Airgap, registry: Registry, tmp_path: Path) -> None:
    drive = Drive(tmp_path / "drive", write_set(airgap, IMAGES, tmp_path / "set"))
    drive.put_in(number)
    terminal = Terminal(airgap, drive.path, registry.host, *plain(registry), "--dry-run")
    asked = []
    for wanted, _ in terminal.asked():
        asked.append(wanted)
        drive.put_in(wanted)
        terminal.type()
    terminal.end().fails(5, "volumes 2-5 of 5 are not here, and hold what has to be sent")  # as without a terminal
    assert asked == [1]
    shutil.copytree(drive.path, tmp_path / "all")
    for disc in tmp_path.glob("set/disc-*"):
        shutil.copytree(disc, tmp_path / "all", dirs_exist_ok=True)
    again = Terminal(airgap, tmp_path / "all", registry.host, *plain(registry), "--dry-run")
    assert list(again.asked()) == []
    again.end().ok()


def test_nobody_is_asked_who_cannot_see_the_question(airgap: Airgap, registry: Registry, tmp_path: Path) -> None:
    discs = write_set(airgap, IMAGES, tmp_path / "set")
    ours, theirs = pty.openpty()
    process = airgap.start("airgap-import", "push", discs[0], registry.host, *plain(registry), stdin=theirs)
    _, said = process.communicate(timeout=60)
    os.close(ours), os.close(theirs)
    assert process.returncode == 5 and b"volumes 2-5 of 5 are missing" in said


def test_of_discs_that_nobody_brings_each_image_names_its_own(airgap: Airgap, registry: Registry, tmp_path: Path) -> None:
    volumes = write_volumes(airgap, SIX, tmp_path / "set")
    third, fifth = volumes[2], volumes[4]
    lost = images_in(SIX, third, fifth)
    third.unlink()
    fifth.write_bytes(fifth.read_bytes()[:20_000])
    terminal = Terminal(airgap, tmp_path / "set", registry.host, *plain(registry), "--keep-going")
    for _ in terminal.asked():
        terminal.hang_up()
    said = terminal.end().fails(5, r"nobody says where it is \(set.005.tar: end of the archive: it is cut").err
    failed = {line.split("/team/")[1].split(":")[0]: line for line in said.splitlines() if " failed: " in line}
    assert set(failed) == lost != set(NAMES)
    for name, line in failed.items():
        assert f"team/{name}:1" in line.split("these images are not whole: ")[1]


def test_when_nobody_brings_the_manifests_the_images_are_named(airgap: Airgap, registry: Registry, tmp_path: Path) -> None:
    discs = write_set(airgap, SIX, tmp_path / "set")
    terminal = Terminal(airgap, discs[1], registry.host, *plain(registry), "--keep-going")
    for _ in terminal.asked():
        terminal.hang_up()
    said = terminal.end().fails(5, "volume 1 of 6 is missing, and nobody says where it is; without it").err
    assert all(f"team/{name}:1" in said for name in NAMES)
