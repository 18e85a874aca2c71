"""The monthly update: some images of the corpus are built anew, on the same bases."""

import json
import random
from dataclasses import dataclass

from corpus import Corpus, Image
from support import oci
from support.client import RegistryClient

_EACH, _FIRST = 10, 4  # of so many images one is new; these have layers of common sizes
_OWN_LAYERS = 2  # on top: the application and its settings


@dataclass(frozen=True)
class Update:
    """`new_bytes` counts blobs and manifests that were not there, and the manifests of what stayed as it was."""

    images: int
    new_bytes: int


def publish_update(corpus: Corpus, client: RegistryClient) -> Update:
    """The tags of every tenth image move."""
    rebuilt = corpus.images[_FIRST::_EACH]
    new_bytes = sum(image.manifest_bytes for image in corpus.images if image not in rebuilt)
    for number, image in enumerate(rebuilt):
        new_bytes += _rebuild(image, number, client)
    return Update(len(rebuilt), new_bytes)


def _rebuild(image: Image, number: int, client: RegistryClient) -> int:
    """With as many bytes as before, of which no compression makes fewer."""
    manifest = json.loads(client.manifest(image.repository, image.tag).body)
    config = json.loads(client.blob(image.repository, manifest["config"]["digest"]))
    noise = random.Random(number)
    layers = [oci.tar_layer({f"opt/app-{i}": noise.randbytes(layer["size"])})
              for i, layer in enumerate(manifest["layers"][-_OWN_LAYERS:])]
    config["rootfs"]["diff_ids"][-_OWN_LAYERS:] = [layer.diff_id for layer in layers]
    new_config = oci.Blob(oci.to_json(config), oci.OCI_CONFIG)
    manifest["config"] = new_config.descriptor()
    manifest["layers"][-_OWN_LAYERS:] = [layer.descriptor() for layer in layers]
    rebuilt = oci.Manifest(oci.to_json(manifest), oci.OCI_MANIFEST, (new_config, *layers))
    oci.push(client, image.repository, image.tag, rebuilt)
    return len(rebuilt.data) + sum(len(blob.data) for blob in rebuilt.blobs)
