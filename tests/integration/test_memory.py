"""Memory does not grow with images: 64 MiB are enough, however large they are."""

from pathlib import Path

import pytest
from conftest import MakeRegistry

from support.airgap import Airgap, plain
from support.oci import OCI_LAYER, Blob, image, push, tar_layer
from support.peak import peak_of
from support.registry import Registry

MIB = 1 << 20
LARGE = 300 * MIB
MOST = 64 * MIB


@pytest.fixture
def large(registry: Registry) -> Registry:
    """An image with one large layer, and some small ones beside it."""
    layers = [Blob(bytes(LARGE), OCI_LAYER), *[tar_layer({"file": bytes([n]) * MIB}) for n in range(8)]]
    push(registry.client(), "team/large", "1", image(layers))
    return registry


def test_a_mirror_holds_no_layer_in_memory(airgap: Airgap, large: Registry, make_registry: MakeRegistry, tmp_path: Path
                                           ) -> None:
    target = make_registry()
    assert peak_of(airgap, tmp_path, "airgap-export", "mirror", f"{large.host}/team/large:1", *plain(large, target),
                   "--jobs", 8, "--to", target.host) < MOST
    assert target.client().has_manifest("team/large", "1")


@pytest.mark.parametrize("form", ["bundle/", "bundle.tar", "volumes.tar", "tree/"])
def test_a_bundle_is_made_and_pushed_without_holding_a_layer_in_memory(form: str, airgap: Airgap, large: Registry,
                                                                       make_registry: MakeRegistry, tmp_path: Path
                                                                       ) -> None:
    target = make_registry()
    how = {"volumes.tar": ["--volume-size", "100MiB"], "tree/": ["--format", "skopeo-dir"]}.get(form, [])
    assert peak_of(airgap, tmp_path, "airgap-export", "pull", f"{large.host}/team/large:1", *plain(large), "--jobs", 8,
                   *how, "--output", f"{tmp_path}/{form}") < MOST
    assert peak_of(airgap, tmp_path, "airgap-import", "push", f"{tmp_path}/{form}", target.host, *plain(target),
                   "--jobs", 8) < MOST
    assert target.client().has_manifest("large" if form == "tree/" else "team/large", "1")


def test_a_pipe_holds_no_layer_in_memory_on_either_side(airgap: Airgap, large: Registry, make_registry: MakeRegistry,
                                                        tmp_path: Path) -> None:
    target = make_registry()
    carried = tmp_path / "carried"
    assert peak_of(airgap, tmp_path, "airgap-export", "pull", f"{large.host}/team/large:1", *plain(large), "--jobs", 8,
                   "--output", "-", writes=carried) < MOST
    assert peak_of(airgap, tmp_path, "airgap-import", "push", "-", target.host, *plain(target), "--jobs", 8,
                   reads=carried) < MOST
    assert target.client().has_manifest("team/large", "1")
