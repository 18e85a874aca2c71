"""Many tags: what they cost a registry, counted at its log, and that they do not wait for each other."""

import threading
from pathlib import Path

import pytest
from conftest import MakeRegistry, Running

from support.airgap import Airgap, plain
from support.oci import image, push, tar_layer
from support.proxy import FaultProxy
from support.registry import Registry

TAGS = 1000
IMAGES = 10  # manifests that the tags share


@pytest.fixture
def thousand(registry: Registry) -> Registry:
    client = registry.client()
    for number in range(IMAGES):
        manifest = image([tar_layer({"app": b"version %d" % number})])
        push(client, "team/app", f"0.{number}", manifest)
        for tag in range(number, TAGS - IMAGES, IMAGES):
            client.put_manifest("team/app", f"1.{tag}", manifest.data, manifest.media_type)
    registry.mark()
    return registry


@pytest.mark.parametrize("form", ["bundle/", "bundle.tar"])
def test_tags_that_have_not_changed_cost_a_head_each(form: str, airgap: Airgap, thousand: Registry,
                                                     tmp_path: Path) -> None:
    pull = ("pull", f"{thousand.host}/team/app", "--all-tags", *plain(thousand), "--output", f"{tmp_path}/{form}")
    airgap.export(*pull).ok()
    assert len(thousand.requests("HEAD", "/manifests/")) == TAGS
    assert len(thousand.requests("GET", "/manifests/")) == IMAGES  # what tags share is asked for once
    thousand.mark()
    airgap.export(*pull).ok()
    assert len(thousand.requests("HEAD", "/manifests/")) == TAGS
    assert thousand.requests("GET", "/manifests/") == [] and thousand.requests("GET", "/blobs/") == []
    assert len(thousand.requests("GET", "/tags/list")) <= 11  # pages of 100


def test_a_mirror_of_tags_that_have_not_changed_costs_a_head_on_each_side(airgap: Airgap, thousand: Registry,
                                                                          make_registry: MakeRegistry) -> None:
    target = make_registry()
    mirror = ("mirror", f"{thousand.host}/team/app", "--all-tags", *plain(thousand, target), "--to", target.host)
    airgap.export(*mirror).ok()
    assert len(thousand.requests("GET", "/manifests/")) == IMAGES
    assert len(target.client().tags("team/app")) == TAGS
    thousand.mark()
    target.mark()
    airgap.export(*mirror).ok()
    for side in (thousand, target):
        assert len(side.requests("HEAD", "/manifests/")) == TAGS
        assert side.requests("GET", "/manifests/|/blobs/") == []
    assert target.requests("POST|PUT|PATCH|DELETE") == [] and target.requests("GET", "/v2/.") == []


def test_a_mirror_asks_both_sides_for_many_tags_at_the_same_time(airgap: Airgap, thousand: Registry, running: Running,
                                                                 make_registry: MakeRegistry) -> None:
    """Four workers: no answer comes before four requests have arrived."""
    target = make_registry()
    fronts = [running(FaultProxy(thousand)), running(FaultProxy(target))]
    words = [f"{fronts[0].host}/team/app:1.{tag}" for tag in range(20)]
    mirror = ("mirror", *words, *plain(*fronts), "--no-referrers", "--jobs", 4, "--to", fronts[1].host)
    airgap.export(*mirror).ok()
    barriers = [threading.Barrier(4, timeout=20) for _ in fronts]
    heads = [front.rule("HEAD", "/manifests/", times=4, on_match=barrier.wait)
             for front, barrier in zip(fronts, barriers)]
    airgap.export(*mirror).ok()
    assert [(rule.matched, barrier.broken) for rule, barrier in zip(heads, barriers)] == [(20, False)] * 2
