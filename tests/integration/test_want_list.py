"""What a registry lacks of a delta: written down inside, fetched outside, and the delta goes in."""

import json
from pathlib import Path
from typing import Any, Callable

import pytest
from conftest import MakeRegistry

from support.airgap import Airgap
from support.outside import WRITES, Outside, edited, push, tags_of
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
