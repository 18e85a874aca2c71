"""What a registry lacks of a delta: written down inside, fetched outside, and the delta goes in."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Callable

import pytest
from conftest import MakeRegistry, Running

from support.airgap import Airgap, Result, plain
from support.certs import Authority, server_context
from support.memory_registry import MemoryRegistry
from support.oci import FOREIGN_LAYER, Blob, image
from support.outside import BASE, WRITES, Outside, edited, info_of, layer, push, required, tags_of
from support.proxy import FaultProxy
from support.registry import Registry


def test_a_delta_for_another_registry_is_refused_before_anything_is_written_and_can_be_healed(
        airgap: Airgap, outside: Outside, receipt: Path, make_registry: MakeRegistry) -> None:
    outside.second_month()
    outside.pull("delta.tar", "--since", receipt).ok()
    other, wants = make_registry(), outside.path("wants.json")
    result = push(airgap, outside.path("delta.tar"), other, "--want-list", wants)
    result.fails(5, f"{other.host} has not all that this delta requires: it lacks 7 blobs", "nothing was written",
                 f"pull --from {wants} --output heal.tar")
    push(airgap, outside.path("delta.tar"), other, prefix="/inner").fails(
        5, f"{other.host}/inner has not all", "other paths of the registry hold is not searched")
    lines = [line for line in result.out.splitlines() if line.startswith("missing ")]
    base = next(line for line in lines if outside.base.digest in line)
    assert len(lines) == 7 and f"{outside.server.host}/team/new:1" in base and f"{outside.server.host}/team/web:1" in base
    assert other.requests(WRITES) == [] and other.client().repositories() == []

    outside.server.seen.clear()
    outside.heal(wants, "heal.tar").ok()
    assert len(outside.server.requests("GET", "/blobs/")) == 7  # these blobs, and nothing else
    assert outside.server.requests(path="/manifests/") == []
    airgap.export("verify", outside.path("heal.tar")).ok()
    outside.heal(wants, "heal.tar").ok()
    push(airgap, outside.path("heal.tar"), other).ok()
    push(airgap, outside.path("delta.tar"), other, "--want-list", wants).ok()
    assert tags_of(other) == {name: image.digest for name, image in outside.images.items()}


def test_what_is_missing_below_a_prefix_and_other_names_is_healed_there(
        airgap: Airgap, outside: Outside, first: Path, registry: Registry) -> None:
    outside.second_month()
    outside.pull("delta/", "--since", first).ok()
    wants = outside.path("wants.json")
    naming = ("--map", f"{outside.server.host}/team/=apps/")
    push(airgap, outside.path("delta"), registry, *naming, "--want-list", wants, prefix="/mirror").fails(5, "7 blobs")
    assert {image["target"] for image in json.loads(wants.read_text())["images"]} <= {
        "apps/app", "apps/new", "apps/web", "tools/db"}
    outside.heal(wants, "heal/").ok()
    push(airgap, outside.path("heal"), registry, prefix="/mirror").ok()
    push(airgap, outside.path("delta"), registry, *naming, prefix="/mirror").ok()
    assert tags_of(registry)["mirror/apps/app:latest"] == outside.images["team/app:2"].digest


def hostile_want_lists() -> dict[str, tuple[Callable[[Any], None], str]]:
    def of_first(member: str, value: Any) -> Callable[[Any], None]:
        return lambda said: said["images"][0].__setitem__(member, value)

    return {
        "a newer format": (lambda said: said.__setitem__("format", 7), "/format"),
        "nothing": (lambda said: said.__setitem__("images", []), "nothing is wanted"),
        "no blobs": (of_first("blobs", []), "/images/0/blobs"),
        "a target that climbs": (of_first("target", "../x"), "/images/0/target"),
        "a name that is none": (of_first("name", "quay.io/../x:1"), "/images/0/name"),
        "a blob twice": (lambda said: said["images"][0]["blobs"].append(said["images"][0]["blobs"][0]), "twice"),
    }


@pytest.mark.parametrize("what", hostile_want_lists())
def test_a_want_list_with_anything_wrong_in_it_is_refused(what: str, airgap: Airgap, outside: Outside, first: Path,
                                                          registry: Registry) -> None:
    outside.pull("delta.tar", "--since", first).ok()
    push(airgap, outside.path("delta.tar"), registry, "--want-list", outside.path("wants.json")).fails(5)
    change, complaint = hostile_want_lists()[what]
    result = outside.heal(edited(outside.path("wants.json"), change), "heal.tar")
    assert result.status == 2 and "edited.json: " in result.err and complaint in result.err, result


def wanted_of(airgap: Airgap, outside: Outside, delta: str, inside: Registry, *options: object,
              wants: str = "wants.json", prefix: str = "") -> Path:
    """The want-list of a push that is refused."""
    push(airgap, outside.path(delta), inside, *options, "--want-list", outside.path(wants), prefix=prefix).fails(5)
    return outside.path(wants)


def blobs_in(bundle: Path) -> set[str]:
    return {blob["digest"] for blob in info_of(bundle)["blobs"]}


def test_one_repository_outside_that_is_several_inside_is_healed_in_each(airgap: Airgap, outside: Outside,
                                                                         registry: Registry) -> None:
    outside.put("team/app:2", layer(7))
    naming = ("--map", f"{outside.server.host}/team/app:2=other/place:b")
    outside.pull("first/", *naming).ok()
    outside.second_month()
    outside.put("team/app:2", layer(7))
    outside.pull("delta/", *naming, "--since", outside.path("first")).ok()
    wants = wanted_of(airgap, outside, "delta", registry)
    assert {"team/app", "other/place"} <= {image["target"] for image in json.loads(wants.read_text())["images"]}
    outside.heal(wants, "heal/").ok()
    push(airgap, outside.path("heal"), registry).ok()
    assert registry.client().has_blob("other/place", layer(7).digest)
    push(airgap, outside.path("delta"), registry).ok()
    assert tags_of(registry)["other/place:b"] == outside.images["team/app:2"].digest


def test_two_places_that_lack_the_same_are_healed_by_one_bundle(airgap: Airgap, outside: Outside, first: Path,
                                                                registry: Registry) -> None:
    outside.pull("delta/", "--since", first).ok()
    naming = ("--map", f"{outside.server.host}/team/=apps/")
    wants = (wanted_of(airgap, outside, "delta", registry, wants="one.json"),
             wanted_of(airgap, outside, "delta", registry, *naming, wants="two.json"))
    airgap.export("pull", "--from", wants[0], "--from", wants[1], *plain(outside.server), "--output",
                  outside.path("heal.tar")).ok()
    push(airgap, outside.path("heal.tar"), registry).ok()
    push(airgap, outside.path("delta"), registry).ok()
    push(airgap, outside.path("delta"), registry, *naming).ok()


def test_what_is_wanted_is_carried_whatever_the_other_side_is_said_to_have(
        airgap: Airgap, outside: Outside, receipt: Path, make_registry: MakeRegistry) -> None:
    """A script that always passes --since fetches by the want-list with it."""
    outside.second_month()
    outside.pull("delta.tar", "--since", receipt).ok()
    other = make_registry()
    wants = wanted_of(airgap, outside, "delta.tar", other)
    airgap.export("pull", "--from", wants, "--since", receipt, *plain(outside.server), "--output",
                  f"{outside.path('heal')}/").ok()
    assert outside.base.digest in blobs_in(outside.path("heal")) and "requires" not in info_of(outside.path("heal"))
    push(airgap, outside.path("heal"), other).ok()
    push(airgap, outside.path("delta.tar"), other).ok()
    assert tags_of(other) == {name: image.digest for name, image in outside.images.items()}


def test_images_beside_a_want_list_are_a_delta_all_the_same(airgap: Airgap, outside: Outside, receipt: Path,
                                                            make_registry: MakeRegistry) -> None:
    outside.second_month()
    outside.pull("delta.tar", "--since", receipt, names=("team/new:1",)).ok()
    wants = wanted_of(airgap, outside, "delta.tar", make_registry())  # the base alone
    outside.pull("both/", "--from", wants, "--since", receipt).ok()
    assert outside.base.digest in blobs_in(outside.path("both")) and len(required(outside.path("both"))) == 6


# Layers that have addresses of their own.

@dataclass
class Windows:
    """Two versions of an image on a base that its registry has the address of alone."""

    outside: Outside
    elsewhere: MemoryRegistry

    def __post_init__(self) -> None:
        self.base = layer(20, BASE)
        url = f"https://{self.elsewhere.host}/v2/any/blobs/{self.base.digest}"
        self.layer = Blob(self.base.data, FOREIGN_LAYER, urls=(url,), diff_id=self.base.digest)
        for tag, seed in (("1", 21), ("2", 22)):
            self.outside.server.add("win/app", tag, image([self.layer, layer(seed)], docker=True))
        self.elsewhere.blobs[self.layer.digest] = self.outside.server.blobs.pop(self.layer.digest)

    def pull(self, output: str, *options: object, tags: tuple[str, ...] = ("1", "2")) -> Result:
        return self.outside.pull(output, *options, *self.trust, names=tuple(f"win/app:{tag}" for tag in tags))

    @property
    def trust(self) -> tuple[object, ...]:
        return ("--insecure", self.elsewhere.host)


@pytest.fixture
def windows(outside: Outside, running: Running, authority: Authority) -> Windows:
    return Windows(outside, running(MemoryRegistry(tls=server_context(authority.server()))))


def test_a_foreign_layer_that_is_wanted_comes_from_its_address(airgap: Airgap, outside: Outside, windows: Windows,
                                                               registry: Registry) -> None:
    windows.pull("first.tar", tags=("1",)).ok()
    windows.pull("delta.tar", "--since", outside.path("first.tar")).ok()
    wants = wanted_of(airgap, outside, "delta.tar", registry)
    said = {blob["digest"]: blob for image in json.loads(wants.read_text())["images"] for blob in image["blobs"]}
    assert said[windows.layer.digest]["urls"] == list(windows.layer.urls)
    assert said[windows.layer.digest]["mediaType"] == FOREIGN_LAYER
    assert all("urls" not in blob for digest, blob in said.items() if digest != windows.layer.digest)
    airgap.export("pull", "--from", wants, *plain(outside.server), *windows.trust, "--retry", 0, "--output",
                  outside.path("heal.tar")).ok()
    push(airgap, outside.path("heal.tar"), registry).ok()
    push(airgap, outside.path("delta.tar"), registry).ok()
    assert set(tags_of(registry)) == {"win/app:1", "win/app:2"}


def test_what_is_gone_outside_is_told_with_the_way_out(airgap: Airgap, outside: Outside, first: Path,
                                                       registry: Registry) -> None:
    outside.pull("delta.tar", "--since", first).ok()
    wants = wanted_of(airgap, outside, "delta.tar", registry)
    gone = outside.images["tools/db:5"].blobs[1]
    del outside.server.blobs[gone.digest]
    outside.heal(wants, "heal.tar").fails(
        3, gone.digest, f"hint: .*pull {outside.server.host}/tools/db:5 whole, without --since")


def test_a_blob_that_is_gone_leaves_the_others_of_its_repository(airgap: Airgap, outside: Outside, first: Path,
                                                                 registry: Registry) -> None:
    outside.pull("delta.tar", "--since", first).ok()
    wants = wanted_of(airgap, outside, "delta.tar", registry)
    gone = layer(1)
    del outside.server.blobs[gone.digest]
    result = airgap.export("pull", "--from", wants, *plain(outside.server), "--retry", 0, "--keep-going", "--report",
                           outside.path("report.json"), "--output", f"{outside.path('heal')}/")
    result.fails(3, f"team/app:(1|latest) is left out: .*{gone.digest}", "whole, without --since")
    listed = {blob["digest"] for image in json.loads(wants.read_text())["images"] for blob in image["blobs"]}
    assert listed - blobs_in(outside.path("heal")) == {gone.digest}
    airgap.export("verify", outside.path("heal")).ok()
    push(airgap, outside.path("heal"), registry).ok()
    push(airgap, outside.path("delta.tar"), registry).fails(5, "it lacks 1 blob, ")


def test_a_want_list_of_before_goes_when_nothing_is_missing_any_more(airgap: Airgap, outside: Outside, first: Path,
                                                                     registry: Registry) -> None:
    outside.pull("delta.tar", "--since", first).ok()
    wants = wanted_of(airgap, outside, "delta.tar", registry)
    push(airgap, first, registry).ok()
    said = push(airgap, outside.path("delta.tar"), registry, "--want-list", wants).ok().err
    assert not wants.exists() and f"{wants} was a want-list of before and is removed: nothing is missing" in said
    wants.write_text("a note of mine\n")
    assert "is removed" not in push(airgap, outside.path("delta.tar"), registry, "--want-list", wants).ok().err
    assert wants.read_text() == "a note of mine\n"


def test_a_want_list_stays_until_the_delta_is_in(airgap: Airgap, outside: Outside, first: Path, registry: Registry,
                                                 running: Running) -> None:
    outside.second_month()
    outside.pull("delta.tar", "--since", first).ok()
    wants = wanted_of(airgap, outside, "delta.tar", registry)
    said = wants.read_bytes()
    push(airgap, first, registry, "--want-list", wants).ok()  # it requires nothing
    assert wants.read_bytes() == said
    push(airgap, outside.path("delta.tar"), registry, "--dry-run", "--want-list", wants).ok()
    assert wants.read_bytes() == said
    proxy = running(FaultProxy(registry))
    proxy.rule("PUT", "/manifests/", status=403)
    for options in ((), ("--keep-going",)):
        push(airgap, outside.path("delta.tar"), proxy, "--want-list", wants, *options).fails(4)
        assert wants.read_bytes() == said
    push(airgap, outside.path("delta.tar"), registry, "--want-list", wants).ok()
    assert not wants.exists()


def test_a_dry_run_writes_no_want_list(airgap: Airgap, outside: Outside, first: Path, registry: Registry) -> None:
    outside.pull("delta.tar", "--since", first).ok()
    wants = outside.path("wants.json")
    result = push(airgap, outside.path("delta.tar"), registry, "--dry-run", "--want-list", wants)
    result.fails(5, "it lacks 7 blobs", "hint: .*--want-list FILE")
    assert not wants.exists()
