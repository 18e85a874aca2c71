"""pull --dry-run only looks: at what is there and at what it would cost. Nothing is made, locked or changed."""

import fcntl
import json
import os
import pty
import re
import subprocess
from pathlib import Path

import pytest
from conftest import Running

from support.airgap import Airgap, Result, executable, plain
from support.memory_registry import MemoryRegistry
from support.proxy import FaultProxy
from support.registry import Registry
from support.skopeo import sync
from support.small_bundle import small_image

APP = "team/app:1.0"
NEWER = "team/app:1.1"


def dry_run(airgap: Airgap, source: Registry | FaultProxy, output: object, *options: object, image: str = APP) -> Result:
    return airgap.export("pull", f"{source.host}/{image}", *plain(source), "--no-referrers", "--output", output,
                         "--dry-run", *options)


def pull(airgap: Airgap, source: Registry | FaultProxy, output: object, *options: object, image: str = APP) -> Result:
    return airgap.export("pull", f"{source.host}/{image}", *plain(source), "--no-referrers", "--output", output, *options)


def seen(directory: Path) -> dict[str, tuple[int, int]]:
    """Everything below, with what changes when it is written to."""
    return {str(path.relative_to(directory)): (path.lstat().st_mtime_ns, path.lstat().st_size)
            for path in [directory, *directory.rglob("*")]}


@pytest.fixture
def proxy(running: Running, source: Registry) -> FaultProxy:
    return running(FaultProxy(source))


@pytest.mark.parametrize("output", ["bundle/", "a/b/bundle/", "bundle.tar"])
def test_nothing_is_made_where_nothing_is(output: str, airgap: Airgap, source: Registry, tmp_path: Path) -> None:
    place = tmp_path / "place"
    place.mkdir()
    before = seen(place)
    assert "to fetch in 3 blobs" in dry_run(airgap, source, f"{place}/{output}").ok().err
    assert seen(place) == before


def test_what_images_share_is_counted_once_and_said(airgap: Airgap, source: Registry, tmp_path: Path) -> None:
    both = dry_run(airgap, source, tmp_path / "b.tar", f"{source.host}/{NEWER}").ok().err
    found = re.search(r"2 images, 7 blobs: ([\d.]+) MiB in all, each once \(([\d.]+) MiB image by image\)", both)
    assert found and float(found[1]) < float(found[2]), both
    assert "each once" not in dry_run(airgap, source, tmp_path / "b.tar").ok().err


def table(text: str) -> list[list[str]]:
    """The lines that name images: name, digest, and the rest."""
    return [re.split(r"  +", line) for line in text.splitlines() if re.search(r"  sha256:[0-9a-f]{12}  ", line)]


def test_each_image_is_named_with_its_own_and_its_shared_bytes_and_its_name_inside(airgap: Airgap, source: Registry,
                                                                                  tmp_path: Path) -> None:
    """The same lines from `plan`, from `pull --dry-run`, into a pipe too, and at the start of a pull."""
    both = [f"{source.host}/{APP}", f"{source.host}/{NEWER}"]
    options = ["--no-referrers", "--map", f"{source.host}/team/=apps/", *plain(source)]
    planned = airgap.export("plan", *both, *options).ok().out
    assert [(row[0], row[-1]) for row in table(planned)] == list(zip(both, ("apps/app:1.0", "apps/app:1.1")))
    for name, _, size, unique, shared, *_ in table(planned):
        assert 0 < number(unique) < number(size) and abs(number(unique) + number(shared) - number(size)) < 0.11, name
    output = ["--output", tmp_path / "b.tar"]
    assert table(airgap.export("pull", *both, *options, *output, "--dry-run").ok().out) == table(planned)
    into_pipe = airgap.export("pull", *both, *options, "--output", "-", "--dry-run").ok()
    assert into_pipe.out == "" and table(into_pipe.err) == table(planned)
    assert table(airgap.export("pull", *both, *options, *output).ok().err) == table(planned)
    assert table(airgap.export("pull", *both, *options, *output).ok().err) == []  # nothing new


def number(size: str) -> float:
    amount, unit = size.split()
    return float(amount) * {"B": 1 / (1 << 20), "KiB": 1 / 1024, "MiB": 1.0}[unit]


def test_a_pull_begins_with_the_first_images_and_says_how_many_more_there_are(airgap: Airgap, running: Running,
                                                                             tmp_path: Path) -> None:
    memory = running(MemoryRegistry())
    for number_of in range(23):
        memory.add(f"team/app{number_of:02}", "1", small_image(1))
    names = [f"{memory.host}/team/app{number_of:02}:1" for number_of in range(23)]
    words = ["pull", *names, *plain(memory), "--output", tmp_path / "b.tar"]
    assert [row[0] for row in table(airgap.export(*words, "--dry-run").ok().out)] == names
    begun = airgap.export(*words).ok().err
    assert [row[0] for row in table(begun)] == names[:20] and "\n... and 3 more (--dry-run lists all)\n" in begun
    assert table(airgap.export(*words, "--quiet", "--overwrite").ok().err) == []


@pytest.mark.parametrize("form", ["bundle/", "bundle.tar"])
def test_a_finished_bundle_is_not_touched(form: str, airgap: Airgap, source: Registry, tmp_path: Path) -> None:
    place = tmp_path / "place"
    place.mkdir()
    pull(airgap, source, f"{place}/{form}").ok()
    before = seen(place)
    assert "nothing new" in dry_run(airgap, source, f"{place}/{form}").ok().err
    dry_run(airgap, source, f"{place}/{form}", "--overwrite", image=NEWER).ok()
    assert seen(place) == before
    airgap.export("verify", f"{place}/{form}").ok()


@pytest.mark.parametrize("form", ["bundle/", "bundle.tar"])
def test_an_unfinished_bundle_stays_as_it_is_and_counts(form: str, airgap: Airgap, proxy: FaultProxy, source: Registry,
                                                        tmp_path: Path) -> None:
    place = tmp_path / "place"
    place.mkdir()
    layer = max(source.client().manifest("team/app", "1.0").json()["layers"], key=lambda one: int(one["size"]))
    proxy.rule("GET", layer["digest"], cut_after=700_000)
    pull(airgap, proxy, f"{place}/{form}", "--retry", 0).fails(3, "cut")
    proxy.clear_rules()
    if form == "bundle/":
        (place / "bundle" / "index.json.tmp").write_text("left by a crash")
    before = seen(place)
    (plan,) = [json.loads(line) for line in dry_run(airgap, proxy, f"{place}/{form}", "--json").ok().out.splitlines()
               if '"event":"plan"' in line]
    assert plan["partialBytes"] >= 600_000
    assert seen(place) == before
    pull(airgap, proxy, f"{place}/{form}").ok()
    airgap.export("verify", f"{place}/{form}").ok()


def test_a_busy_bundle_can_be_looked_at(airgap: Airgap, source: Registry, tmp_path: Path) -> None:
    bundle = tmp_path / "bundle"
    (bundle / ".partial").mkdir(parents=True)
    with open(bundle / ".partial" / "lock", "w", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        pull(airgap, source, f"{bundle}/").fails(8, "another run is writing")
        dry_run(airgap, source, f"{bundle}/").ok()


def test_a_terminal_is_no_obstacle_since_no_bundle_is_sent(airgap: Airgap, source: Registry) -> None:
    keeper, terminal = pty.openpty()
    with os.fdopen(keeper, "rb"), os.fdopen(terminal, "wb") as out:
        run = airgap.start("airgap-export", "pull", f"{source.host}/{APP}", *plain(source), "--output", "-", "--dry-run",
                           stdout=out)
        _, said = run.communicate(timeout=60)
    assert run.returncode == 0 and b"to fetch in 3 blobs" in said


def test_a_tree_of_skopeo_is_not_touched(airgap: Airgap, source: Registry, tmp_path: Path) -> None:
    tree = tmp_path / "tree"
    sync(f"{source.host}/team/app:1.0", tree)
    before = seen(tree)
    dry_run(airgap, source, tree, "--format", "skopeo-dir").ok()
    dry_run(airgap, source, tree, "--format", "skopeo-dir", image=NEWER).ok()
    assert seen(tree) == before


def test_what_a_real_run_would_refuse_is_refused(airgap: Airgap, source: Registry, tmp_path: Path) -> None:
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes" / "todo.txt").write_text("milk")
    dry_run(airgap, source, tmp_path / "notes").fails(2, "is no bundle", "todo.txt")


def test_a_place_without_rights_is_refused_as_the_run_itself_would(airgap: Airgap, source: Registry, tmp_path: Path) -> None:
    """Root too is refused once it has no right to override modes."""
    place = tmp_path / "place"
    place.mkdir(mode=0o555)
    bound = ["setpriv", "--bounding-set", "-dac_override,-dac_read_search"] if os.geteuid() == 0 else []
    for output in ("bundle/", "bundle.tar", "bundle.tar.zst"):
        for options in ([], ["--dry-run"]):
            run = subprocess.run([*bound, executable("airgap-export"), "pull", f"{source.host}/{APP}", *plain(source),
                                  "--output", f"{place}/{output}", *options], capture_output=True, text=True,
                                 env=airgap.environment())
            assert run.returncode == 7, run.stderr
            assert f"cannot write in {place}: Permission denied" in run.stderr


def test_the_length_of_a_stream_is_said_and_a_file_behind_it_is_looked_at(airgap: Airgap, source: Registry,
                                                                        tmp_path: Path) -> None:
    words = [str(executable("airgap-export")), "pull", f"{source.host}/{APP}", *plain(source), "--no-referrers", "--output", "-"]
    piped = subprocess.run(words, capture_output=True, env=airgap.environment())
    assert piped.returncode == 0
    assert f"({len(piped.stdout)} bytes)" in piped.stderr.decode()
    with open(tmp_path / "stream.tar", "wb") as file:
        limited = subprocess.run(["prlimit", "--fsize=1000000", *words], stdout=file, stderr=subprocess.PIPE,
                                 env=airgap.environment())
    assert limited.returncode == 7
    assert (tmp_path / "stream.tar").stat().st_size == 0
    assert "standard output is going to have" in limited.stderr.decode()
