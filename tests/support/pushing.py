"""What the tests of pushing to registries that misbehave share: two images, and what is left of them.

The fixtures `push` and `proxy` of conftest.py go with them.
"""

from typing import Callable

from .airgap import Result
from .oci import to_json
from .registry import Registry
from .source import SourceImages

BUSYBOX = "tools/busybox:1.35"  # a layer of 1.1 MB and a config
LEGACY = "legacy/busybox:1.35"  # of Docker media types, with the same layer
UPLOADS = "/blobs/uploads/"
TAG = r"/manifests/1\.35$"

Push = Callable[..., Result]


def error(code: str, message: str = "no") -> bytes:
    """The body of a registry's refusal."""
    return to_json({"errors": [{"code": code, "message": message}]})


def assert_complete(registry: Registry, source_images: SourceImages) -> None:
    for name in (BUSYBOX, LEGACY):
        image = source_images[name]
        assert registry.client().digest(image.repository, image.tag) == image.digest


def assert_nothing_published(registry: Registry) -> None:
    for name in (BUSYBOX, LEGACY):
        assert not registry.client().has_manifest(*name.split(":"))
