"""A server that sends exactly the bytes it is told: for answers that no real server gives.

    def script(request: RawRequest) -> bytes:
        return reply(200, b"{}", {"Content-Length": "-1"})

    with RawServer(script) as server: ...
"""

import socket
import ssl
import threading
import time
from dataclasses import dataclass
from typing import Callable, Iterable

from .endpoint import Endpoint
from .ports import free_port


@dataclass(frozen=True)
class RawRequest:
    """Header names are in lower case; the last of several with one name counts."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes
    number: int  # 0 for the first request of this server


@dataclass(frozen=True)
class Pause:
    """Between pieces: wait so many seconds."""

    seconds: float


KEEP = object()  # as the last piece: the connection stays open for another request

Piece = bytes | Pause | object
Script = Callable[[RawRequest], bytes | Iterable[Piece]]


def reply(status: int, body: bytes = b"", headers: dict[str, str] | None = None, length: bool = True) -> bytes:
    """An HTTP/1.1 answer. `headers` win over the length; length=False sends none, the body ends by closing."""
    fields = {"Content-Length": str(len(body))} if length else {}
    fields |= headers or {}
    head = f"HTTP/1.1 {status} Scripted\r\n" + "".join(f"{name}: {value}\r\n" for name, value in fields.items())
    return head.encode("latin-1") + b"\r\n" + body


class RawServer(Endpoint):
    """Runs `script` for each request and sends the bytes or pieces that it gives, then closes."""

    def __init__(self, script: Script, tls: ssl.SSLContext | None = None) -> None:
        self.script = script
        self.port = free_port()
        self.tls = tls
        self.seen: list[RawRequest] = []
        self._lock = threading.Lock()
        self._listener = socket.create_server(("127.0.0.1", self.port), backlog=128)
        self._thread = threading.Thread(target=self._accept, daemon=True)

    def __enter__(self) -> "RawServer":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        try:
            connection.settimeout(60)
            stream = self.tls.wrap_socket(connection, server_side=True) if self.tls else connection
            with stream:
                while self._one_request(stream):
                    pass
        except OSError:
            pass  # the client hung up, as clients do

    def _one_request(self, stream: socket.socket) -> bool:
        """Whether the connection goes on."""
        request = self._read(stream)
        if request is None:
            return False
        pieces = self.script(request)
        for piece in [pieces] if isinstance(pieces, bytes) else pieces:
            if piece is KEEP:
                return True
            if isinstance(piece, Pause):
                time.sleep(piece.seconds)
            else:
                assert isinstance(piece, bytes)
                stream.sendall(piece)
        return False

    def _read(self, stream: socket.socket) -> RawRequest | None:
        head = b""
        while b"\r\n\r\n" not in head:
            more = stream.recv(65536)
            if not more:
                return None
            head += more
        top, _, body = head.partition(b"\r\n\r\n")
        lines = top.decode("latin-1").split("\r\n")
        method, path, _ = lines[0].split(" ", 2)
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines[1:])}
        if headers.get("expect", "").lower() == "100-continue":
            stream.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
        while len(body) < int(headers.get("content-length", "0")):
            more = stream.recv(65536)
            if not more:
                return None
            body += more
        with self._lock:
            request = RawRequest(method, path, headers, body, len(self.seen))
            self.seen.append(request)
        return request
