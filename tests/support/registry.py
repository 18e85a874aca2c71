"""Debian's docker-registry 2.8 as the tests need it: plain, TLS, passwords, tokens, read-only."""

import json
import shutil
import ssl
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .access_log import AccessLog, Request
from .client import RegistryClient
from .endpoint import Endpoint
from .ports import free_port
from .process import ServerProcess

# Debian installs nginx and friends in /usr/sbin, which is not in everybody's PATH.
_SEARCH = "/usr/bin:/usr/sbin:/usr/local/bin"


def program(name: str) -> str:
    """The full path of an installed program."""
    found = shutil.which(name, path=_SEARCH)
    if found is None:
        raise RuntimeError(f"{name} is not installed; scripts/install-packages packages/*.txt installs it")
    return found


@dataclass(frozen=True)
class TokenAuth:
    """Where docker-registry sends clients for tokens, and the CA that signed their signer."""

    realm: str
    service: str
    issuer: str
    root_cert_bundle: Path


@dataclass(frozen=True)
class Tls:
    """Server certificate; with `client_ca`, clients must show one that it signed."""

    cert: Path
    key: Path
    client_ca: Path | None = None


@dataclass
class Registry(Endpoint):
    """One docker-registry process with its storage. A context manager: started and stopped.

    `htpasswd` maps users to passwords. `storage` may be a directory of an earlier registry.
    """

    directory: Path
    storage: Path | None = None
    tls: Tls | None = None
    htpasswd: dict[str, str] | None = None
    token: TokenAuth | None = None
    read_only: bool = False
    relative_urls: bool = False
    port: int = field(default_factory=free_port)
    tls_context: ssl.SSLContext | None = None  # for client(); from the CA that signed `tls`

    def __post_init__(self) -> None:
        self.directory.mkdir(parents=True, exist_ok=True)
        self.storage = self.storage or self.directory / "storage"
        self.storage.mkdir(parents=True, exist_ok=True)
        config = self.directory / "config.yml"
        config.write_text(json.dumps(self._config(), indent=2))  # JSON is YAML
        self.process = ServerProcess("registry", [program("docker-registry"), "serve", str(config)],
                                     self.directory, self.port, env={"PATH": _SEARCH})
        self._log = AccessLog(self.process.out_path, lambda target: self.client().request("GET", target))

    def __enter__(self) -> "Registry":
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        self.process.start()

    def stop(self) -> None:
        self.process.stop()

    def kill(self) -> None:
        self.process.kill()

    def client(self, **headers: str) -> RegistryClient:
        """A client of it; with passwords or tokens give Authorization="Basic …"."""
        return RegistryClient(self.origin, self.tls_context, headers)

    def mark(self) -> None:
        """requests() starts after what was asked until now."""
        self._log.mark()

    def requests(self, method: str = ".*", path: str = "", since_mark: bool = True) -> list[Request]:
        """What was asked, in order of completion; `method` matches whole, `path` anywhere (regular expressions)."""
        return self._log.requests(method, path, since_mark)

    def _config(self) -> dict[str, Any]:
        http: dict[str, Any] = {"addr": self.host, "secret": "the same for every registry of the tests",
                                "relativeurls": self.relative_urls}
        if self.tls is not None:
            http["tls"] = {"certificate": str(self.tls.cert), "key": str(self.tls.key)}
            if self.tls.client_ca is not None:
                http["tls"]["clientcas"] = [str(self.tls.client_ca)]
        return {
            "version": 0.1,
            "log": {"level": "warn", "accesslog": {"disabled": False}},
            "storage": {
                "filesystem": {"rootdirectory": str(self.storage)},
                "delete": {"enabled": True},
                "maintenance": {"uploadpurging": {"enabled": False}, "readonly": {"enabled": self.read_only}},
            },
            "http": http,
            # Manifests with foreign layers name their addresses; 2.8 refuses them unless allowed.
            "validation": {"manifests": {"urls": {"allow": [".*"]}}},
            **self._auth(),
        }

    def _auth(self) -> dict[str, Any]:
        if self.token is not None:
            return {"auth": {"token": {"realm": self.token.realm, "service": self.token.service,
                                       "issuer": self.token.issuer,
                                       "rootcertbundle": str(self.token.root_cert_bundle)}}}
        if self.htpasswd is not None:
            path = self.directory / "htpasswd"
            path.write_text("".join(_bcrypt(user, password) for user, password in self.htpasswd.items()))
            return {"auth": {"htpasswd": {"realm": "airgap tests", "path": str(path)}}}
        return {}


def _bcrypt(user: str, password: str) -> str:
    # Cost 4 is the least that bcrypt has: the registry checks it at every request.
    made = subprocess.run([program("htpasswd"), "-niBC", "4", user], input=password, text=True,
                          capture_output=True, check=True)
    return made.stdout.strip() + "\n"
