"""A registry in memory that takes pushes, in whatever way a test wants: what docker-registry 2.8 never does to clients.

    registry = running(PushRegistry(location=lambda registry, path: "//" + registry.host + path))
"""

import base64
import itertools
import json
import re
import threading
import urllib.parse
from dataclasses import dataclass, field
from typing import Callable

from . import oci
from .http_server import Handler, HttpServer

_UPLOADS = re.compile(r"/v2/(?P<repository>.+)/blobs/uploads/$")
_SESSION = re.compile(r"/v2/(?P<repository>.+)/blobs/uploads/(?P<session>[0-9]+)$")
_BLOB = re.compile(r"/v2/(?P<repository>.+)/blobs/(?P<digest>[a-z0-9]+:[0-9a-f]+)$")
_REFERRERS = re.compile(r"/v2/(?P<repository>.+)/referrers/(?P<digest>[^/]+)$")
_MANIFEST = re.compile(r"/v2/(?P<repository>.+)/manifests/(?P<reference>[^/]+)$")


@dataclass(frozen=True)
class Seen:
    """A request: `size` is what its body had."""

    method: str
    path: str
    query: str
    authorization: str
    size: int


@dataclass
class PushRegistry(HttpServer):
    """A context manager. `location` makes the Location of an upload from its path on this server."""

    location: Callable[["PushRegistry", str], str | None] = lambda registry, path: path
    refuse_body: dict[str, int] = field(default_factory=dict)  # {"PUT": 405}: an upload by this method gets it
    most_bytes: int | None = None  # a larger request body gets 413
    mount: int = 202  # the answer to a mount: 201 mounts, 202 begins an upload, or an error
    lose_sessions: int = 0  # so many uploads are forgotten when they are committed
    forget_blobs: int = 0  # so many blobs are acknowledged and not kept
    quota: dict[str, int] = field(default_factory=dict)  # {"team": 1000}: bytes that a project may hold
    referrers_api: bool = False
    user: str | None = None  # "name:password"

    def __post_init__(self) -> None:
        self.blobs: dict[tuple[str, str], bytes] = {}  # repository, digest
        self.manifests: dict[tuple[str, str], tuple[str, bytes]] = {}  # repository, tag or digest
        self.seen: list[Seen] = []
        self.lock = threading.Lock()
        self.sessions: dict[str, bytes] = {}
        self.numbers = itertools.count(1)
        super().__init__(_handler_for(self))

    def __enter__(self) -> "PushRegistry":
        super().__enter__()
        return self

    def requests(self, method: str = ".*", path: str = "") -> list[Seen]:
        with self.lock:
            return [r for r in self.seen if re.fullmatch(method, r.method) and re.search(path, r.path)]


class _PushHandler(Handler):
    registry: PushRegistry

    def do_GET(self) -> None:
        body = self.read_body()
        path, _, query = self.path.partition("?")
        registry = self.registry
        with registry.lock:
            registry.seen.append(Seen(self.command, path, query, self.headers.get("Authorization", ""), len(body)))
            if not _SESSION.match(path) and not self._admitted():
                return self.answer(401, b"", {"WWW-Authenticate": 'Basic realm="tests"'})
            if registry.most_bytes is not None and len(body) > registry.most_bytes:
                return self.answer(413, b"<html>nginx</html>", {"Content-Type": "text/html"})
            serves: dict[re.Pattern[str], Callable[..., None]] = {
                _UPLOADS: self._begin, _SESSION: self._upload, _BLOB: self._blob, _MANIFEST: self._manifest}
            if registry.referrers_api:
                serves[_REFERRERS] = self._referrers
            for form, serve in serves.items():
                match = form.match(path)
                if match is not None:
                    return serve(*match.groups(), dict(urllib.parse.parse_qsl(query)), body)
            self.answer(200 if path == "/v2/" else 404, b"{}")

    do_HEAD = do_POST = do_PUT = do_PATCH = do_GET

    def _admitted(self) -> bool:
        user = self.registry.user
        wanted = "" if user is None else "Basic " + base64.b64encode(user.encode()).decode()
        return user is None or self.headers.get("Authorization") == wanted

    def _refuse(self, status: int, code: str, message: str = "") -> None:
        self.answer(status, json.dumps({"errors": [{"code": code, "message": message or code.lower()}]}).encode())

    def _begin(self, repository: str, query: dict[str, str], _: bytes) -> None:
        registry = self.registry
        if "mount" in query and registry.mount != 202:
            held = registry.blobs.get((query["from"], query["mount"]))
            if registry.mount == 201 and held is not None:
                registry.blobs[repository, query["mount"]] = held
            return self.answer(registry.mount)
        session = str(next(registry.numbers))
        registry.sessions[session] = b""
        self._accepted(f"/v2/{repository}/blobs/uploads/{session}")

    def _accepted(self, path: str) -> None:
        location = self.registry.location(self.registry, path)
        self.answer(202, b"", {} if location is None else {"Location": location})

    def _upload(self, repository: str, session: str, query: dict[str, str], body: bytes) -> None:
        registry = self.registry
        if body and self.command in registry.refuse_body:
            return self._refuse(registry.refuse_body[self.command], "UNSUPPORTED")
        if session not in registry.sessions:
            return self._refuse(404, "BLOB_UPLOAD_UNKNOWN")
        if self.command == "GET":
            return self.answer(204, b"", {"Range": f"0-{max(len(registry.sessions[session]), 1) - 1}"})
        registry.sessions[session] += body
        if self.command == "PATCH":
            return self._accepted(f"/v2/{repository}/blobs/uploads/{session}")
        data = registry.sessions.pop(session)
        if registry.lose_sessions > 0:
            registry.lose_sessions -= 1
            return self._refuse(404, "BLOB_UPLOAD_UNKNOWN")
        if oci.digest_of(data) != query.get("digest"):
            return self._refuse(400, "DIGEST_INVALID")
        project = repository.split("/")[0]
        held = sum(len(blob) for (name, _), blob in registry.blobs.items() if name.split("/")[0] == project)
        if held + len(data) > registry.quota.get(project, held + len(data)):
            return self._refuse(403, "DENIED", "quota exceeded")
        if registry.forget_blobs > 0:
            registry.forget_blobs -= 1
        else:
            registry.blobs[repository, query["digest"]] = data
        self.answer(201)

    def _blob(self, repository: str, digest: str, *_: object) -> None:
        data = self.registry.blobs.get((repository, digest))
        self.answer(404) if data is None else self.answer(200, data, {"Content-Type": "application/octet-stream"})

    def _referrers(self, repository: str, subject: str, *_: object) -> None:
        listed = []
        for (name, key), (media_type, data) in self.registry.manifests.items():
            if name == repository and ":" in key and json.loads(data).get("subject", {}).get("digest") == subject:
                listed.append({"mediaType": media_type, "digest": key, "size": len(data)})
        found = oci.index([], descriptors=listed)
        self.answer(200, found.data, {"Content-Type": found.media_type})

    def _manifest(self, repository: str, reference: str, _: dict[str, str], body: bytes) -> None:
        registry = self.registry
        if self.command == "PUT":
            parsed = json.loads(body)
            named = [entry["digest"] for entry in (*parsed.get("layers", ()), parsed["config"])]
            if any((repository, digest) not in registry.blobs for digest in named):
                return self._refuse(400, "MANIFEST_BLOB_UNKNOWN")
            for key in (reference, oci.digest_of(body)):
                registry.manifests[repository, key] = (self.headers["Content-Type"], body)
            return self.answer(201)
        held = registry.manifests.get((repository, urllib.parse.unquote(reference)))
        if held is None:
            return self._refuse(404, "MANIFEST_UNKNOWN")
        self.answer(200, held[1], {"Content-Type": held[0], "Docker-Content-Digest": oci.digest_of(held[1])})


def _handler_for(server: PushRegistry) -> type[Handler]:
    class BoundHandler(_PushHandler):
        registry = server

    return BoundHandler
