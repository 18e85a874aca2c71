"""Volumes together with the rest: deltas cut into volumes and made since volumes, receipts, plans, mixed sets."""

import json
import random
from dataclasses import dataclass
from pathlib import Path

import pytest
from conftest import Running

from support.airgap import Airgap, Result, plain
from support.memory_registry import MemoryRegistry
from support.oci import Blob, Manifest, image, tar_layer
from support.registry import Registry

SIZE = 64 * 1024  # of a volume, in bytes


def layer(seed: int, size: int) -> Blob:
    return tar_layer({f"file-{seed}": random.Random(seed).randbytes(size)}, compressed=False)


@dataclass
class Months:
    """Two of them: what changed in the second is larger than a volume."""

    airgap: Airgap
    server: MemoryRegistry
    work: Path

    def __post_init__(self) -> None:
        self.base = layer(0, 150_000)
        self.images: dict[str, Manifest] = {}
        self.put("app:1", self.base, layer(1, 20_000))
        self.put("web:1", self.base, layer(2, 20_000))

    def second(self) -> None:
        self.put("app:2", self.base, layer(3, 100_000))
        self.put("new:1", self.base, layer(4, 90_000))

    def put(self, name: str, *layers: Blob) -> None:
        self.images[name] = image(layers)
        repository, tag = name.split(":")
        self.server.add(f"team/{repository}", tag, self.images[name])

    def words(self, command: str, *options: object) -> list[object]:
        return [command, *[f"{self.server.host}/team/{name}" for name in self.images], "--platform", "linux/amd64",
                "--no-referrers", *plain(self.server), *options]

    def pull(self, output: str, *options: object) -> Result:
        (self.work / output).parent.mkdir(exist_ok=True)
        return self.airgap.export(*self.words("pull", *options, "--output", self.work / output))

    def push(self, registry: Registry, *bundles: object, options: tuple[object, ...] = ()) -> Result:
        return self.airgap.import_("push", *bundles, registry.host, *plain(registry), *options)

    def assert_inside(self, registry: Registry) -> None:
        for name, manifest in self.images.items():
            repository, tag = name.split(":")
            assert registry.client().digest(f"team/{repository}", tag) == manifest.digest


@pytest.fixture
def months(airgap: Airgap, running: Running, tmp_path: Path) -> Months:
    return Months(airgap, running(MemoryRegistry()), tmp_path)


def volumes_of(directory: Path) -> list[Path]:
    return sorted(directory.glob("*.tar"))


@pytest.mark.parametrize("since", ["first/bundle.tar", "first/bundle.002.tar", "first/", "receipt.json"])
def test_a_delta_in_volumes_since_volumes_or_their_receipt(since: str, months: Months, registry: Registry, tmp_path: Path
                                                          ) -> None:
    """The first month's set may be named by its name, one of its volumes, its folder, or by what inside said of it."""
    months.pull("first/bundle.tar", "--volume-size", SIZE).ok()
    months.push(registry, tmp_path / "first", options=("--receipt", tmp_path / "receipt.json")).ok()
    assert json.loads((tmp_path / "receipt.json").read_text())["sequence"] == 1
    months.second()
    done = months.pull("second/delta.tar", "--since", tmp_path / since, "--volume-size", SIZE).ok()
    assert "2 of them new or changed" in done.err
    delta = volumes_of(tmp_path / "second")
    assert len(delta) > 2
    bytes_of_delta = sum(path.stat().st_size for path in delta)
    assert bytes_of_delta < sum(path.stat().st_size for path in volumes_of(tmp_path / "first")) + 100_000
    for path in delta:
        months.airgap.import_("verify", path).ok()
    months.airgap.import_("verify", tmp_path / "second").ok()
    months.push(registry, *reversed(delta), options=("--receipt", tmp_path / "second.json")).ok()
    months.assert_inside(registry)
    held = {blob["digest"] for blob in json.loads((tmp_path / "second.json").read_text())["blobs"]}
    assert months.base.digest in held


def test_a_plan_of_a_delta_says_how_many_volumes_and_what_is_called_how_inside(months: Months, tmp_path: Path) -> None:
    months.pull("first/bundle.tar", "--volume-size", SIZE).ok()
    months.second()
    words = months.words("plan", "--since", tmp_path / "first", "--volume-size", SIZE, "--scoped")
    planned = months.airgap.export(*words).ok()
    assert "a delta since" in planned.err
    assert f"{months.server.host.replace(':', '-')}/team/new:1" in planned.out
    (plan,) = [event for event in months.airgap.export(*words, "--json").ok().events() if event["event"] == "plan"]
    assert plan["requiredBlobs"] > 0
    months.pull("second/delta.tar", "--since", tmp_path / "first", "--volume-size", SIZE, "--scoped").ok()
    assert len(volumes_of(tmp_path / "second")) == plan["volumes"]


def test_without_what_it_builds_on_a_delta_in_volumes_writes_nothing(months: Months, registry: Registry, tmp_path: Path) -> None:
    months.pull("first/bundle.tar", "--volume-size", SIZE).ok()
    months.second()
    months.pull("second/delta.tar", "--since", tmp_path / "first", "--volume-size", SIZE).ok()
    refused = months.push(registry, tmp_path / "second", options=("--want-list", tmp_path / "want.json"))
    refused.fails(5, "lacks")
    assert registry.client().repositories() == []
    months.airgap.export("pull", "--from", tmp_path / "want.json", *plain(months.server), "--volume-size", SIZE, "--output",
                         tmp_path / "healing.tar").ok()
    months.push(registry, *tmp_path.glob("healing.*.tar")).ok()
    months.push(registry, tmp_path / "second").ok()
    months.assert_inside(registry)


def test_discs_of_a_delta_and_of_its_base_do_not_mix(months: Months, registry: Registry, tmp_path: Path) -> None:
    months.pull("first/bundle.tar", "--volume-size", SIZE).ok()
    months.second()
    months.pull("second/bundle.tar", "--since", tmp_path / "first", "--volume-size", SIZE).ok()
    base, delta = volumes_of(tmp_path / "first"), volumes_of(tmp_path / "second")
    months.push(registry, delta[0], base[1], *delta[2:]).fails(5, "volumes of different bundles", "sequence 2.*sequence 1")
    months.push(registry, tmp_path / "first").ok()
    # All discs of both in one folder: which bundle is meant has to be said, and then it is taken.
    for path in delta:
        path.rename(tmp_path / "first" / f"delta-{path.name}")
    months.push(registry, tmp_path / "first").fails(2, "volumes of several bundles", "name one volume")
    months.push(registry, tmp_path / "first" / "delta-bundle.001.tar").ok()
    months.assert_inside(registry)


def test_volumes_of_two_deltas_from_one_base_are_told_apart(months: Months, registry: Registry, tmp_path: Path) -> None:
    """They have one stream and one sequence, and here one count of volumes too."""
    months.pull("first.tar").ok()
    months.push(registry, tmp_path / "first.tar").ok()
    months.put("app:2", months.base, layer(3, 150_000))
    months.pull("mixed/one.tar", "--since", tmp_path / "first.tar", "--volume-size", SIZE).ok()
    months.put("app:2", months.base, layer(4, 150_000))
    months.pull("mixed/two.tar", "--since", tmp_path / "first.tar", "--volume-size", SIZE).ok()
    mixed = tmp_path / "mixed"
    count = len(volumes_of(mixed)) // 2
    assert [path.name[:5] for path in volumes_of(mixed)] == [f"{name}.0" for name in ("one", "two") for _ in range(count)]
    months.push(registry, mixed).fails(2, "holds volumes of several bundles: .*/one.001.tar and .* more are volumes "
                                       f"1-{count} of {count} of .*; .*/two.001.tar and ",
                                       "name one volume of the bundle that is meant: .*one.001.tar, or .*two.001.tar")
    assert f"{count} volumes, all of them here" in months.airgap.import_("list", mixed / "two.002.tar").ok().out
    months.airgap.import_("verify", mixed / "one.001.tar").ok()
    months.airgap.import_("verify", *mixed.glob("one.*.tar")).ok()
    again = months.pull("third.tar", "--since", mixed / "two.002.tar").ok()
    assert again.err.count("one.001.tar is volume 1") == 1  # passed over, and said once
    (mixed / "one.002.tar").unlink()
    months.push(registry, mixed / "one.001.tar").fails(5, f"volume 2 of {count} is missing")
    (mixed / "two.001.tar").rename(tmp_path / "elsewhere.tar")
    months.push(registry, mixed).fails(5, "volumes of different bundles: .*one.001.tar.*; .*two.002.tar",
                                       "leave out what does not belong")
    months.push(registry, tmp_path / "elsewhere.tar", *mixed.glob("two.*.tar")).ok()
    months.assert_inside(registry)


@pytest.mark.parametrize("since", ["bundle.tar", "bundle.001.tar", "."])
def test_a_set_is_not_thinned_out_by_itself(since: str, months: Months, tmp_path: Path) -> None:
    months.pull("first/bundle.tar", "--volume-size", SIZE).ok()
    before = {path: path.read_bytes() for path in volumes_of(tmp_path / "first")}
    months.second()
    months.pull("first/bundle.tar", "--volume-size", SIZE, "--overwrite", "--since", tmp_path / "first" / since).fails(
        2, "--since and --output both name")
    assert {path: path.read_bytes() for path in volumes_of(tmp_path / "first")} == before


def test_since_names_what_is_there(months: Months, tmp_path: Path) -> None:
    months.pull("delta.tar", "--since", tmp_path / "nothing.tar").fails(2, "there is no .*nothing.tar", "--since takes a bundle")


def test_a_want_list_is_written_although_volumes_are_missing_too(airgap: Airgap, months: Months, registry: Registry) -> None:
    months.pull("first.tar").ok()
    months.second()
    months.pull("delta/d.tar", "--since", months.work / "first.tar", "--volume-size", SIZE).ok()
    (months.work / "delta" / "d.003.tar").unlink()
    wants = months.work / "wants.json"
    result = months.push(registry, months.work / "delta", options=("--want-list", wants))
    assert f"missing {months.base.digest}" in result.fails(5, "error: .*volume 3 of . is missing").out
    wanted = {blob["digest"] for image in json.loads(wants.read_text())["images"] for blob in image["blobs"]}
    assert months.base.digest in wanted and layer(3, 100_000).digest not in wanted
