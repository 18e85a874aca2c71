"""Volumes that are never there all at once: one drive, and somebody at a terminal who changes the discs."""

import os
import pty
import re
import shutil
import threading
import time
from pathlib import Path
from typing import Iterator

import pytest
from conftest import Running

from support.airgap import Airgap, Result, executable, plain
from support.memory_registry import MemoryRegistry
from support.oci import Manifest
from support.proxy import FaultProxy
from support.registry import Registry
from support.small_bundle import small_image, small_layer

SIZE = 128 * 1024  # of a volume, in bytes
SHARED = small_layer(0, 150_000)
IMAGES = {"one": small_image(1, SHARED, size=300_000), "two": small_image(2, SHARED, size=90_000)}
WANTED = re.compile(rb"volume (\d+) of (\d+) is wanted; (.*)")


def write_set(airgap: Airgap, images: dict[str, Manifest], work: Path, size: object = SIZE) -> list[Path]:
    """A folder for each volume."""
    with MemoryRegistry() as source:
        for name, manifest in images.items():
            source.add(f"team/{name}", "1", manifest)
        work.mkdir()
        airgap.export("pull", *[f"{source.host}/team/{name}:1" for name in images], "--platform", "linux/amd64",
                      *plain(source), "--output", work / "set.tar", "--volume-size", size).ok()
    discs = []
    for number, path in enumerate(sorted(work.glob("set.*.tar")), start=1):
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
        self._process = airgap.start("airgap-import", "push", *words, stdin=theirs)
        os.close(theirs)
        self.said = b""
        self._timer = threading.Timer(60, self._process.kill)
        self._timer.start()

    def asked(self) -> Iterator[tuple[int, str]]:
        """The number of each volume that is asked for, and what was found instead, until the end."""
        assert self._process.stderr is not None
        for line in self._process.stderr:
            self.said += line
            if match := WANTED.search(line):
                yield int(match[1]), match[3].decode()

    def type(self, line: str = "") -> None:
        os.write(self._ours, f"{line}\n".encode())

    def hang_up(self) -> None:
        os.write(self._ours, b"\x04")

    def end(self) -> Result:
        out, err = self._process.communicate(timeout=60)
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
                assert instead.startswith("set.001.tar is volume 1 of 5")
            case 2:  # the wrong disc
                drive.put_in(4)
            case 3:  # an empty drive
                assert instead.startswith("set.004.tar is volume 4 of 5")
                drive.put_in(0)
            case 4:  # the right number of another set
                assert instead == "it is in none of the places that were named"
                shutil.copy(strangers[number - 1] / f"set.00{number}.tar", drive.path)
            case 5:
                assert instead.startswith(f"set.00{number}.tar is volume {number} of 5 of stream")
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
    assert found[0].startswith("set.001.tar is volume 1 of 3")
    assert found[1].startswith("set.002.tar is volume 2 of 3") and found[1].endswith("and of another bundle")
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


def test_without_a_terminal_what_is_missing_is_listed(airgap: Airgap, registry: Registry, tmp_path: Path) -> None:
    drive = Drive(tmp_path / "drive", write_set(airgap, IMAGES, tmp_path / "set"))
    refused = airgap.import_("push", drive.path, registry.host, *plain(registry))
    refused.fails(5, "volume 2 of 5, volume 3 of 5, volume 4 of 5, volume 5 of 5 are missing",
                  "team/one:1", "team/two:1", "name the folders that they are in")
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
    terminal.end().ok()
    assert asked == [1]
