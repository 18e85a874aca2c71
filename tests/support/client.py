"""A small registry client, written apart from airgap's own: fills registries and looks at them."""

import hashlib
import http.client
import json
import ssl
import urllib.parse
from dataclasses import dataclass, field
from typing import Any

MANIFEST_TYPES = (
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.docker.distribution.manifest.v2+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
)


def sha256(data: bytes) -> str:
    return "sha256:" + hashlib.sha256(data).hexdigest()


@dataclass(frozen=True)
class Answer:
    status: int
    headers: http.client.HTTPMessage
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)


class UnexpectedStatus(AssertionError):
    """The registry answered, but not with what was asked for."""


@dataclass
class RegistryClient:
    """Talks to one origin (`http://127.0.0.1:5000`); `headers` go with every request."""

    origin: str
    tls: ssl.SSLContext | None = None
    headers: dict[str, str] = field(default_factory=dict)

    def request(self, method: str, target: str, body: bytes | None = None,
                headers: dict[str, str] | None = None) -> Answer:
        """One request on a connection of its own. `target` is a path, or a full URL."""
        url = urllib.parse.urlsplit(urllib.parse.urljoin(self.origin, target))
        assert url.hostname is not None
        connection = (http.client.HTTPSConnection(url.hostname, url.port, timeout=60, context=self.tls)
                      if url.scheme == "https" else http.client.HTTPConnection(url.hostname, url.port, timeout=60))
        try:
            path = urllib.parse.urlunsplit(("", "", url.path, url.query, ""))
            connection.request(method, path, body, {**self.headers, **(headers or {})})
            response = connection.getresponse()
            return Answer(response.status, response.headers, response.read())
        finally:
            connection.close()

    def expect(self, statuses: tuple[int, ...], method: str, target: str, body: bytes | None = None,
               headers: dict[str, str] | None = None) -> Answer:
        answer = self.request(method, target, body, headers)
        if answer.status not in statuses:
            raise UnexpectedStatus(f"{method} {target}: {answer.status} {answer.body[:300]!r}")
        return answer

    def manifest(self, repository: str, reference: str) -> Answer:
        return self.expect((200,), "GET", f"/v2/{repository}/manifests/{reference}",
                           headers={"Accept": ", ".join(MANIFEST_TYPES)})

    def digest(self, repository: str, reference: str) -> str:
        """The digest of the manifest's bytes, whatever the registry says it is."""
        return sha256(self.manifest(repository, reference).body)

    def has_manifest(self, repository: str, reference: str) -> bool:
        return self.expect((200, 404), "HEAD", f"/v2/{repository}/manifests/{reference}",
                           headers={"Accept": ", ".join(MANIFEST_TYPES)}).status == 200

    def tags(self, repository: str) -> list[str]:
        answer = self.expect((200, 404), "GET", f"/v2/{repository}/tags/list")
        return sorted(answer.json().get("tags") or []) if answer.status == 200 else []

    def repositories(self) -> list[str]:
        return list(self.expect((200,), "GET", "/v2/_catalog?n=1000").json()["repositories"])

    def blob(self, repository: str, digest: str) -> bytes:
        return self.expect((200,), "GET", f"/v2/{repository}/blobs/{digest}").body

    def has_blob(self, repository: str, digest: str) -> bool:
        return self.expect((200, 404), "HEAD", f"/v2/{repository}/blobs/{digest}").status == 200

    def put_blob(self, repository: str, digest: str, data: bytes) -> None:
        start = self.expect((202,), "POST", f"/v2/{repository}/blobs/uploads/", b"")
        location = start.headers["Location"]
        separator = "&" if "?" in location else "?"
        self.expect((201, 204), "PUT", f"{location}{separator}digest={urllib.parse.quote(digest)}", data,
                    {"Content-Type": "application/octet-stream"})

    def put_manifest(self, repository: str, reference: str, data: bytes, media_type: str) -> None:
        self.expect((201,), "PUT", f"/v2/{repository}/manifests/{reference}", data, {"Content-Type": media_type})

    def delete_manifest(self, repository: str, digest: str) -> None:
        self.expect((202,), "DELETE", f"/v2/{repository}/manifests/{digest}")
