"""A token server whose tokens docker-registry accepts: GET with Basic, and OAuth2 by POST.

    tokens = TokenServer(authority, users={"alice": "secret"})
    registry = Registry(directory, token=tokens.auth())
"""

import base64
import secrets
import ssl
import threading
import time
import urllib.parse
from dataclasses import dataclass, field
from email.message import Message
from typing import Any

import jwt
from cryptography.hazmat.primitives import serialization

from . import oci
from .certs import Authority
from .http_server import Handler, HttpServer
from .registry import TokenAuth

_REGISTRY_LEEWAY = 60  # seconds: docker-registry accepts a token that long after its end


@dataclass(frozen=True)
class TokenRequest:
    """What the token server was asked. `fields` are the query of a GET or the form of a POST."""

    method: str
    fields: dict[str, list[str]]
    headers: Message

    @property
    def scopes(self) -> list[str]:
        return [scope for value in self.fields.get("scope", []) for scope in value.split(" ")]


@dataclass
class TokenServer(HttpServer):
    """Issues tokens. Nobody may push without a user; pulling is free unless `anonymous_pull` is off.

    `lifetime` is how long the registry accepts a token, in seconds; `announced` is what expires_in says
    (None: the field is left out). `refuse` answers the next requests with a status instead.
    """

    authority: Authority
    users: dict[str, str] = field(default_factory=dict)
    anonymous_pull: bool = True
    lifetime: float = 300
    announced: int | None = 300
    name_of_token: str = "token"  # some servers say only access_token
    may_delete: bool = True  # a user may delete
    oauth2: bool = True  # off: POST is 404, as on servers that know only GET
    tls: ssl.SSLContext | None = None
    service: str = "airgap-test-registry"
    issuer: str = "airgap-test-tokens"

    def __post_init__(self) -> None:
        key, certificate = self.authority.token_signer()
        self._key = key
        self._chain = [base64.b64encode(certificate.public_bytes(serialization.Encoding.DER)).decode()]
        self._lock = threading.Lock()
        self._seen: list[TokenRequest] = []
        self._refusals: list[tuple[int, bytes]] = []
        self._refresh_tokens: dict[str, str] = {}  # token -> user
        super().__init__(_handler_for(self), self.tls)

    def __enter__(self) -> "TokenServer":
        super().__enter__()
        return self

    @property
    def realm(self) -> str:
        return f"{self.origin}/token"

    def auth(self, realm: str | None = None) -> TokenAuth:
        """For Registry(token=…); `realm` may point elsewhere, to a proxy for example."""
        return TokenAuth(realm or self.realm, self.service, self.issuer, self.authority.cert)

    def requests(self, method: str | None = None) -> list[TokenRequest]:
        with self._lock:
            return [request for request in self._seen if method in (None, request.method)]

    def refuse(self, status: int, body: bytes = b"{}", times: int = 1) -> None:
        """The next `times` requests get this answer."""
        with self._lock:
            self._refusals += [(status, body)] * times

    def identity_token(self, user: str) -> str:
        """A refresh token, as `docker login` keeps it under identitytoken."""
        token = secrets.token_urlsafe(24)
        with self._lock:
            self._refresh_tokens[token] = user
        return token

    def issue(self, user: str | None, scopes: list[str]) -> str:
        """A signed token for what `user` may do of `scopes`."""
        now = time.time()
        claims = {"iss": self.issuer, "aud": self.service, "sub": user or "", "jti": secrets.token_hex(8),
                  "iat": int(now) - 120, "nbf": int(now) - 120, "exp": int(now + self.lifetime) - _REGISTRY_LEEWAY,
                  "access": [entry for entry in map(lambda scope: self._grant(user, scope), scopes) if entry]}
        return jwt.encode(claims, self._key, algorithm="RS256",  # type: ignore[arg-type]
                          headers={"x5c": self._chain})

    def respond(self, request: TokenRequest, handler: Handler) -> None:
        with self._lock:
            self._seen.append(request)
            refusal = self._refusals.pop(0) if self._refusals else None
        if refusal is not None:
            handler.answer(refusal[0], refusal[1], {"Content-Type": "application/json"})
            return
        if request.method == "POST" and not self.oauth2:
            handler.answer(404)
            return
        known, user = self._who(request)
        if not known:
            handler.answer(401, b'{"details":"incorrect username or password"}',
                           {"WWW-Authenticate": 'Basic realm="tokens"', "Content-Type": "application/json"})
            return
        handler.answer(200, oci.to_json(self._reply(request, user)), {"Content-Type": "application/json"})

    def _reply(self, request: TokenRequest, user: str | None) -> dict[str, Any]:
        name = "access_token" if request.method == "POST" else self.name_of_token
        reply: dict[str, Any] = {name: self.issue(user, request.scopes)}
        if self.announced is not None:
            reply["expires_in"] = self.announced
        offline = request.fields.get("access_type") == ["offline"] or request.fields.get("offline_token") == ["true"]
        if user is not None and offline:
            reply["refresh_token"] = self.identity_token(user)
        return reply

    def _who(self, request: TokenRequest) -> tuple[bool, str | None]:
        """Whether the request may have a token, and as which user."""
        if request.method == "POST":
            form = {name: values[0] for name, values in request.fields.items()}
            if form.get("grant_type") == "refresh_token":
                with self._lock:
                    user = self._refresh_tokens.get(form.get("refresh_token", ""))
                return user is not None, user
            name, password = form.get("username", ""), form.get("password", "")
            return self._right(name, password), name
        header = request.headers.get("Authorization")
        if header is None:
            return True, None
        name, _, password = base64.b64decode(header.removeprefix("Basic ")).decode().partition(":")
        return self._right(name, password), name

    def _right(self, name: str, password: str) -> bool:
        return name in self.users and self.users[name] == password

    def _grant(self, user: str | None, scope: str) -> dict[str, Any] | None:
        """`repository:team/app:pull,push` as the access entry that is granted, if any."""
        kind, _, rest = scope.partition(":")
        name, _, wanted = rest.rpartition(":")
        allowed = {"pull", "push", "*", *["delete"] * self.may_delete} if user else ({"pull"} if self.anonymous_pull else set())
        actions = [action for action in wanted.split(",") if action in allowed]
        return {"type": kind, "name": name, "actions": actions} if actions else None


def _handler_for(server: TokenServer) -> type[Handler]:
    class TokenHandler(Handler):
        def do_GET(self) -> None:
            query = urllib.parse.urlsplit(self.path).query
            server.respond(TokenRequest("GET", urllib.parse.parse_qs(query), self.headers), self)

        def do_POST(self) -> None:
            form = urllib.parse.parse_qs(self.read_body().decode())
            server.respond(TokenRequest("POST", form, self.headers), self)

    return TokenHandler
