"""nginx in front of a registry: what real front ends do to clients.

    with Nginx(directory, registry, rate_limit_429("2r/s")) as front: ...
"""

import os
from dataclasses import dataclass
from pathlib import Path

from .access_log import AccessLog, Request
from .client import RegistryClient
from .endpoint import Endpoint
from .ports import free_port
from .process import ServerProcess
from .registry import Tls, program


@dataclass(frozen=True)
class Snippet:
    """Configuration text: for the http block, the server block, and every location that proxies."""

    http: str = ""
    server: str = ""
    location: str = ""


def redirect_blobs(origin: str) -> Snippet:
    """Blob downloads are sent to another origin, as registries with object storage do."""
    return Snippet(server=f"location ~ ^/v2/.+/blobs/sha {{\n"
                          f"  if ($request_method ~ ^(GET|HEAD)$) {{ return 307 {origin}$request_uri; }}\n"
                          f"  proxy_pass http://upstream_registry;\n}}")


def rate_limit(rate: str = "5r/s", status: int = 429, burst: int = 0) -> Snippet:
    """More requests than `rate` get `status`, with Retry-After."""
    zone = f"limit_req zone=all{f' burst={burst}' if burst else ''} {'nodelay' if burst else ''};"
    return Snippet(http=f"limit_req_zone $server_addr zone=all:1m rate={rate};",
                   location=f"{zone}\nlimit_req_status {status};",
                   server=f"error_page {status} @limited;\nlocation @limited {{\n"
                          f"  add_header Retry-After 1 always;\n  return {status};\n}}")


def body_limit(size: str) -> Snippet:
    """client_max_body_size: larger uploads get 413."""
    return Snippet(server=f"client_max_body_size {size};")


def slow(bytes_a_second: str) -> Snippet:
    """Answers drip: `50k`, say."""
    return Snippet(location=f"limit_rate {bytes_a_second};")


def no_ranges() -> Snippet:
    """Range is ignored: a 200 with everything."""
    return Snippet(location='proxy_set_header Range "";\nmax_ranges 0;')


class Nginx(Endpoint):
    """One nginx process on a free loopback port; a context manager."""

    def __init__(self, directory: Path, upstream_origin: object, *snippets: Snippet, tls: Tls | None = None) -> None:
        self.port = free_port()
        self.tls = tls
        directory.mkdir(parents=True, exist_ok=True)
        upstream = str(getattr(upstream_origin, "origin", upstream_origin)).removeprefix("http://")
        config = directory / "nginx.conf"
        config.write_text(self._config(directory, upstream, snippets))
        self.process = ServerProcess("nginx", [program("nginx"), "-p", str(directory), "-c", str(config),
                                               "-e", str(directory / "error.log")], directory, self.port)
        self._log = AccessLog(directory / "access.log", lambda target: RegistryClient(self.origin).request("GET", target))

    def __enter__(self) -> "Nginx":
        self.process.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.process.stop()

    def requests(self, method: str = ".*", path: str = "") -> list[Request]:
        """As Registry.requests(), what nginx refuses by itself included. Not behind TLS."""
        return self._log.requests(method, path)

    def _config(self, directory: Path, upstream: str, snippets: tuple[Snippet, ...]) -> str:
        def joined(part: str) -> str:
            return "\n".join(getattr(snippet, part) for snippet in snippets)

        limit = "" if "client_max_body_size" in joined("server") else "client_max_body_size 0;"
        kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
        temp = "\n".join(f"{kind}_temp_path {directory / kind};" for kind in kinds)
        # Started by root its workers would be another user, who cannot enter the tests' directories.
        user = "user root;" if os.getuid() == 0 else ""
        return f"""{user}
daemon off;
worker_processes 1;
pid {directory / "nginx.pid"};
events {{ worker_connections 512; }}
http {{
  access_log {directory / "access.log"};
  {temp}
  upstream upstream_registry {{ server {upstream}; }}
  {joined("http")}
  server {{
    listen {self.host}{" ssl" if self.tls else ""};
    {self._tls_config()}
    {limit}
    proxy_request_buffering off;
    proxy_http_version 1.1;
    proxy_set_header Host $http_host;
    proxy_set_header X-Forwarded-Proto $scheme;
    {joined("server")}
    location / {{
      proxy_pass http://upstream_registry;
      {joined("location")}
    }}
  }}
}}
"""

    def _tls_config(self) -> str:
        if self.tls is None:
            return ""
        client = ("" if self.tls.client_ca is None else
                  f"ssl_client_certificate {self.tls.client_ca}; ssl_verify_client on;")
        return f"ssl_certificate {self.tls.cert}; ssl_certificate_key {self.tls.key}; {client}"
