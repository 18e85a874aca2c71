"""A registry whose content is plain dictionaries: what docker-registry 2.8 cannot hold or refuses to.

sha512 manifests, the referrers API, paged tag lists, and manifests that are wrong on purpose. Read-only.
"""

import re
import ssl
import threading
import urllib.parse
from dataclasses import dataclass, field

from . import oci
from .http_server import Handler, HttpServer
from .oci import Manifest


@dataclass
class MemoryRegistry(HttpServer):
    """Serves what add() and put() gave it. A context manager."""

    referrers_api: bool = True
    page_size: int | None = None  # of tag lists
    tls: ssl.SSLContext | None = None
    blobs: dict[str, bytes] = field(default_factory=dict)
    seen: list[tuple[str, str]] = field(default_factory=list)  # method and path of every request

    def __post_init__(self) -> None:
        self._manifests: dict[tuple[str, str], tuple[str, bytes]] = {}  # repository, tag or digest
        self._tags: dict[str, list[str]] = {}
        self._referrers: dict[tuple[str, str], list[Manifest]] = {}
        self._lock = threading.Lock()
        super().__init__(_handler_for(self), self.tls)

    def __enter__(self) -> "MemoryRegistry":
        super().__enter__()
        return self

    def add(self, repository: str, tag: str | None, manifest: Manifest) -> str:
        """Holds the manifest with all that it names. The digest."""
        for blob in manifest.blobs:
            self.blobs[blob.digest] = blob.data
        for child in manifest.children:
            self.add(repository, None, child)
        self.put(repository, manifest.digest, manifest.data, manifest.media_type)
        if tag is not None:
            self.put(repository, tag, manifest.data, manifest.media_type)
        return manifest.digest

    def put(self, repository: str, reference: str, data: bytes, media_type: str) -> None:
        """Bytes under a tag or digest, right or wrong."""
        self._manifests[repository, reference] = (media_type, data)
        if ":" not in reference and reference not in self._tags.setdefault(repository, []):
            self._tags[repository].append(reference)

    def remove(self, repository: str, reference: str) -> None:
        """A manifest that is not served any more."""
        del self._manifests[repository, reference]

    def add_referrer(self, repository: str, subject: Manifest, referrer: Manifest) -> None:
        self.add(repository, None, referrer)
        self._referrers.setdefault((repository, subject.digest), []).append(referrer)

    def requests(self, method: str = ".*", path: str = "") -> list[tuple[str, str]]:
        with self._lock:
            return [(m, p) for m, p in self.seen if re.fullmatch(method, m) and re.search(path, p)]

    def respond(self, handler: Handler) -> None:
        with self._lock:
            self.seen.append((handler.command, handler.path))
        url = urllib.parse.urlsplit(handler.path)
        path = urllib.parse.unquote(url.path)
        if path == "/v2/":
            handler.answer(200, b"{}", {"Content-Type": "application/json"})
        elif found := re.fullmatch(r"/v2/(.+)/manifests/([^/]+)", path):
            self._manifest(handler, found[1], found[2])
        elif found := re.fullmatch(r"/v2/(.+)/blobs/([^/]+)", path):
            self._blob(handler, found[2])
        elif found := re.fullmatch(r"/v2/(.+)/tags/list", path):
            self._tag_list(handler, found[1], urllib.parse.parse_qs(url.query))
        elif (found := re.fullmatch(r"/v2/(.+)/referrers/([^/]+)", path)) and self.referrers_api:
            listed = oci.referrers_index(self._referrers.get((found[1], found[2]), []))
            handler.answer(200, listed.data, {"Content-Type": listed.media_type})
        else:
            _not_found(handler, "UNSUPPORTED")

    def _manifest(self, handler: Handler, repository: str, reference: str) -> None:
        if (repository, reference) not in self._manifests:
            _not_found(handler, "MANIFEST_UNKNOWN")
            return
        media_type, data = self._manifests[repository, reference]
        digest = reference if ":" in reference else oci.digest_of(data)
        handler.answer(200, data, {"Content-Type": media_type, "Docker-Content-Digest": digest})

    def _blob(self, handler: Handler, digest: str) -> None:
        data = self.blobs.get(digest)
        if data is None:
            _not_found(handler, "BLOB_UNKNOWN")
            return
        wanted = re.fullmatch(r"bytes=(\d+)-(\d*)", handler.headers.get("Range", ""))
        if wanted is None:
            handler.answer(200, data, {"Content-Type": "application/octet-stream"})
            return
        first, last = int(wanted[1]), int(wanted[2]) if wanted[2] else len(data) - 1
        if first >= len(data):
            handler.answer(416, b"", {"Content-Range": f"bytes */{len(data)}"})
            return
        handler.answer(206, data[first:last + 1], {"Content-Range": f"bytes {first}-{last}/{len(data)}"})

    def _tag_list(self, handler: Handler, repository: str, query: dict[str, list[str]]) -> None:
        if repository not in self._tags:
            _not_found(handler, "NAME_UNKNOWN")
            return
        tags = sorted(tag for tag in self._tags[repository] if tag > query.get("last", [""])[0])
        size = int(query.get("n", [str(len(tags) or 1)])[0])
        size = min(size, self.page_size or size)
        headers = {"Content-Type": "application/json"}
        if len(tags) > size:
            headers["Link"] = f'</v2/{repository}/tags/list?n={size}&last={tags[size - 1]}>; rel="next"'
        handler.answer(200, oci.to_json({"name": repository, "tags": tags[:size]}), headers)


def _not_found(handler: Handler, code: str) -> None:
    handler.answer(404, oci.to_json({"errors": [{"code": code, "message": "not here"}]}),
                   {"Content-Type": "application/json"})


def _handler_for(registry: MemoryRegistry) -> type[Handler]:
    class MemoryHandler(Handler):
        def do_GET(self) -> None:
            registry.respond(self)

        do_HEAD = do_GET

        def do_POST(self) -> None:
            self.read_body()
            self.answer(405, b'{"errors":[{"code":"UNSUPPORTED"}]}')

        do_PUT = do_PATCH = do_DELETE = do_POST

    return MemoryHandler
