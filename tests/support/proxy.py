"""A proxy in front of a real registry that misbehaves by rule and remembers what it was asked.

    with FaultProxy(registry) as proxy:
        proxy.rule("GET", "/blobs/", times=1, cut_after=1000)
        ...
        assert len(proxy.requests("GET", "/blobs/")) == 2
"""

import http.client
import re
import ssl
import threading
import time
import urllib.parse
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.message import Message
from typing import Callable, Iterator

from .http_server import Handler, HttpServer

_HOP_BY_HOP = {"connection", "keep-alive", "transfer-encoding", "te", "trailer", "upgrade", "proxy-connection"}
_PIECE = 16 * 1024


@dataclass(frozen=True)
class ProxiedRequest:
    """What a client sent. `path` includes the query. `body_size` is what it announced, -1 when chunked."""

    method: str
    path: str
    headers: Message
    body_size: int


@dataclass
class Rule:
    """Which requests it is for (`method` whole, `path` anywhere: regular expressions), and what happens to them.

    The first `skip` matches pass untouched, then it applies `times` times (None: always).
    """

    method: str
    path: str
    skip: int = 0
    times: int | None = None
    # Instead of asking the registry:
    status: int | None = None  # answer this, with `headers` and `body`
    body: bytes = b""
    redirect_to: str | None = None  # an origin: 307 to the same path there
    drop: bool = False  # close the connection without an answer
    drop_upload_after: int | None = None  # read so many bytes of the request's body, then close
    # Before asking:
    upload_rate: int | None = None  # bytes a second of the request's body
    delay: float = 0  # seconds
    strip_range: bool = False  # the registry then answers 200 with everything
    on_match: Callable[[], None] | None = None  # called first: stop the registry, say
    # To the answer:
    headers: dict[str, str | None] = field(default_factory=dict)  # set, or remove with None
    lose_answer: bool = False  # the registry did what was asked, and nobody hears of it
    cut_after: int | None = None  # close after so many bytes of the body
    rate: int | None = None  # bytes a second
    flip_byte: int | None = None  # offset of a byte of the body that arrives changed
    replace_body: bytes | None = None  # same headers otherwise; the length follows
    after_answer: Callable[[], None] | None = None  # called when all is sent

    matched: int = 0

    def applies(self, method: str, path: str) -> bool:
        if not re.fullmatch(self.method, method) or not re.search(self.path, path):
            return False
        self.matched += 1
        return self.matched > self.skip and (self.times is None or self.matched <= self.skip + self.times)


class FaultProxy(HttpServer):
    """Forwards to `upstream` (an origin, or anything with one); rules are tried in order, the first one wins."""

    def __init__(self, upstream: object, tls: ssl.SSLContext | None = None,
                 upstream_tls: ssl.SSLContext | None = None) -> None:
        self.upstream = urllib.parse.urlsplit(str(getattr(upstream, "origin", upstream)))
        self.upstream_tls = upstream_tls or getattr(upstream, "tls_context", None)
        self._lock = threading.Lock()
        self._rules: list[Rule] = []
        self._seen: list[ProxiedRequest] = []
        self._sent: list[tuple[ProxiedRequest, int]] = []
        self._received: list[tuple[ProxiedRequest, int]] = []
        self._busy = 0
        super().__init__(_handler_for(self), tls)

    def __enter__(self) -> "FaultProxy":
        super().__enter__()
        return self

    def rule(self, method: str = ".*", path: str = "", **what: object) -> Rule:
        """Adds a rule; `what` are the fields of Rule."""
        added = Rule(method, path, **what)  # type: ignore[arg-type]
        with self._lock:
            self._rules.append(added)
        return added

    def clear_rules(self) -> None:
        with self._lock:
            self._rules.clear()

    def mark(self) -> None:
        """Forgets what was asked until now."""
        with self._lock:
            self._seen.clear()
            self._sent.clear()
            self._received.clear()

    def requests(self, method: str = ".*", path: str = "") -> list[ProxiedRequest]:
        with self._lock:
            return [r for r in self._seen if re.fullmatch(method, r.method) and re.search(path, r.path)]

    def bytes_sent(self, method: str = ".*", path: str = "") -> int:
        """Bytes of bodies that went to clients, whether they heard them to the end or not."""
        with self._lock:
            return sum(count for r, count in self._sent if re.fullmatch(method, r.method) and re.search(path, r.path))

    def bytes_received(self, method: str = ".*", path: str = "") -> int:
        """Bytes of bodies that came from clients so far, whole or not."""
        with self._lock:
            return sum(count for r, count in self._received if re.fullmatch(method, r.method) and re.search(path, r.path))

    def cut_uploads(self, method: str = ".*", path: str = "") -> int:
        """Requests whose body did not come to its end."""
        return sum(1 for r in self.requests(method, path) if self._bytes_of(r) < r.body_size)

    def _bytes_of(self, request: ProxiedRequest) -> int:
        with self._lock:
            return sum(count for r, count in self._received if r is request)

    def received(self, request: ProxiedRequest, count: int) -> None:
        """For the handler."""
        with self._lock:
            self._received.append((request, count))

    @contextmanager
    def serving(self, request: ProxiedRequest) -> Iterator[Callable[[int], None]]:
        """For the handler: what it yields is told of bytes that were sent."""
        counts: list[int] = []
        with self._lock:
            self._busy += 1
        try:
            yield counts.append
        finally:
            with self._lock:
                self._busy -= 1
                self._sent.append((request, sum(counts)))

    def wait_until_idle(self, timeout: float = 30) -> None:
        """Until every request that arrived is answered, whether its client still lives or not."""
        deadline = time.monotonic() + timeout
        while True:
            with self._lock:
                if self._busy == 0:
                    return
            assert time.monotonic() < deadline, "the proxy is still serving"
            time.sleep(0.005)

    def saw_credentials(self) -> bool:
        """Whether any request carried Authorization, a cookie, or a header of registry credentials."""
        names = {name.lower() for request in self.requests() for name in request.headers}
        return bool(names & {"authorization", "cookie", "x-registry-auth", "proxy-authorization"})

    def rule_for(self, request: ProxiedRequest) -> Rule:
        with self._lock:
            self._seen.append(request)
            for rule in self._rules:
                if rule.applies(request.method, request.path):
                    return rule
        return Rule(".*", "")

    def connect(self) -> http.client.HTTPConnection:
        assert self.upstream.hostname is not None
        if self.upstream.scheme == "https":
            return http.client.HTTPSConnection(self.upstream.hostname, self.upstream.port, context=self.upstream_tls)
        return http.client.HTTPConnection(self.upstream.hostname, self.upstream.port)


class _Hangup(Exception):
    """The rule says that the connection ends here."""


class _ProxyHandler(Handler):
    proxy: FaultProxy
    _count: Callable[[int], None]

    def do_GET(self) -> None:
        size = -1 if "Transfer-Encoding" in self.headers else int(self.headers.get("Content-Length", "0"))
        request = ProxiedRequest(self.command, self.path, self.headers, size)
        rule = self.proxy.rule_for(request)
        try:
            with self.proxy.serving(request) as self._count:
                if rule.drop_upload_after is not None:
                    self.rfile.read(rule.drop_upload_after)
                    raise _Hangup
                self._serve(rule, self._receive(rule, request))
                if rule.after_answer is not None:
                    self.wfile.flush()
                    rule.after_answer()
        except (_Hangup, OSError, http.client.HTTPException):
            self.close_connection = True

    do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_GET

    def _receive(self, rule: Rule, request: ProxiedRequest) -> bytes:
        """The request's body, or what there is of it when the client goes away."""
        if rule.upload_rate is None:
            body = self.read_body()
            self.proxy.received(request, len(body))
            return body
        pieces: list[bytes] = []
        begin = time.monotonic()
        count = 0
        while count < request.body_size:
            try:
                piece = self.rfile.read1(min(_PIECE, request.body_size - count))
            except OSError:
                break
            if not piece:
                break
            pieces.append(piece)
            count += len(piece)
            self.proxy.received(request, len(piece))
            time.sleep(max(0, begin + count / rule.upload_rate - time.monotonic()))
        return b"".join(pieces)

    def _serve(self, rule: Rule, body: bytes) -> None:
        if rule.on_match is not None:
            rule.on_match()
        time.sleep(rule.delay)
        if rule.drop:
            raise _Hangup
        given = {name: value for name, value in rule.headers.items() if value is not None}
        if rule.status is not None:
            self.answer(rule.status, rule.body, given)
        elif rule.redirect_to is not None:
            self.answer(307, b"", {"Location": rule.redirect_to + self.path} | given)
        else:
            self._forward(rule, body)

    def _forward(self, rule: Rule, body: bytes) -> None:
        connection = self.proxy.connect()
        try:
            connection.putrequest(self.command, self.path, skip_host=True, skip_accept_encoding=True)
            for name, value in self._headers_to_send(rule, body):
                connection.putheader(name, value)
            connection.endheaders(body)
            response = connection.getresponse()
            if rule.lose_answer:
                raise _Hangup
            self._relay(rule, response)
        finally:
            connection.close()

    def _headers_to_send(self, rule: Rule, body: bytes) -> list[tuple[str, str]]:
        left_out = _HOP_BY_HOP | {"content-length", "expect"}  # Expect is answered by the base class
        if rule.strip_range:
            left_out = left_out | {"range"}
        headers = [(name, value) for name, value in self.headers.items() if name.lower() not in left_out]
        if body or self.command in ("POST", "PUT", "PATCH"):
            headers.append(("Content-Length", str(len(body))))
        if self.proxy.tls is not None:
            headers.append(("X-Forwarded-Proto", "https"))  # so that Location names this proxy
        return headers

    def _relay(self, rule: Rule, response: http.client.HTTPResponse) -> None:
        data = rule.replace_body
        answered: dict[str, str] = {name: value for name, value in response.headers.items()
                                    if name.lower() not in _HOP_BY_HOP}
        if data is not None:
            answered["Content-Length"] = str(len(data))
        for name, value in rule.headers.items():
            for old in [known for known in answered if known.lower() == name.lower()]:
                del answered[old]
            if value is not None:
                answered[name] = value
        self.send_response_only(response.status)
        for name, value in answered.items():
            self.send_header(name, value)
        framed = any(name.lower() == "content-length" for name in answered)
        bodiless = self.command == "HEAD" or response.status in (204, 304)
        if not framed and not bodiless:
            self.send_header("Connection", "close")
        self.end_headers()
        if not bodiless:
            self._relay_body(rule, response, data)
        if not framed and not bodiless:
            raise _Hangup

    def _relay_body(self, rule: Rule, response: http.client.HTTPResponse, data: bytes | None) -> None:
        sent = 0
        for piece in [data] if data is not None else iter(lambda: response.read(_PIECE), b""):
            if rule.flip_byte is not None and sent <= rule.flip_byte < sent + len(piece):
                at = rule.flip_byte - sent
                piece = piece[:at] + bytes([piece[at] ^ 1]) + piece[at + 1:]
            if rule.cut_after is not None and sent + len(piece) >= rule.cut_after:
                self.wfile.write(piece[:rule.cut_after - sent])
                raise _Hangup
            self.wfile.write(piece)
            self._count(len(piece))
            sent += len(piece)
            if rule.rate is not None:
                time.sleep(len(piece) / rule.rate)


def _handler_for(server: FaultProxy) -> type[Handler]:
    class BoundHandler(_ProxyHandler):
        proxy = server

    return BoundHandler
