"""Many tags: what they cost a registry, counted at its log, and that they do not wait for each other."""

from pathlib import Path

import pytest

from support.airgap import Airgap, plain
from support.oci import image, push, tar_layer
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
