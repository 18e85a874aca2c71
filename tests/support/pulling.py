"""What the tests of reading registries share: one pull, and what it may leave behind."""

import base64
import json
from pathlib import Path
from typing import Any

from .airgap import Airgap, Result, plain
from .registry import Registry

BUSYBOX = "tools/busybox:1.35"  # config and one layer, 1 MB


def pull(airgap: Airgap, server: Any, bundle: Path, *options: object, image: str = BUSYBOX, retry: int = 1,
         **how: Any) -> Result:
    """One image of a plain server into a bundle (a path that ends in .tar, or a directory)."""
    return airgap.export("pull", f"{server.host}/{image}", *plain(server), "--retry", retry, *options,
                         "--output", bundle if bundle.suffix else f"{bundle}/", **how)


def assert_unfinished(bundle: Path) -> None:
    """Nothing is there that a reader takes for a bundle (SPEC.md, "Unfinished bundles": SHA256SUMS comes last)."""
    assert not (bundle / "SHA256SUMS").exists()
    assert not bundle.is_file()


def assert_whole(airgap: Airgap, bundle: Path) -> None:
    airgap.import_("verify", bundle).ok()


def largest_layer(registry: Registry, image: str = BUSYBOX) -> dict[str, Any]:
    """Its descriptor."""
    repository, tag = image.rsplit(":", 1)
    layers = registry.client().manifest(repository, tag).json()["layers"]
    return dict(max(layers, key=lambda layer: int(layer["size"])))


def auth_file(path: Path, **content: Any) -> Path:
    """An auth.json or config.json with mode 0600: auth_file(path, auths={host: login(user, password)})."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content))
    path.chmod(0o600)
    return path


def login(user: str, password: str) -> dict[str, str]:
    """As `podman login` writes it."""
    return {"auth": base64.b64encode(f"{user}:{password}".encode()).decode()}
