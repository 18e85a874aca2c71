"""A forward proxy for HTTP_PROXY and HTTPS_PROXY."""

from pathlib import Path

from .ports import free_port
from .process import ServerProcess
from .registry import program


class TinyProxy:
    """One tinyproxy process; with `user` and `password` it wants them. A context manager."""

    def __init__(self, directory: Path, user: str | None = None, password: str | None = None) -> None:
        self.port = free_port()
        directory.mkdir(parents=True, exist_ok=True)
        self._log = directory / "tinyproxy-requests.log"
        config = directory / "tinyproxy.conf"
        # No ConnectPort line: CONNECT may go to every port.
        config.write_text(f'Port {self.port}\nListen 127.0.0.1\nTimeout 60\nMaxClients 50\n'
                          f'LogFile "{self._log}"\nLogLevel Connect\n'
                          + (f"BasicAuth {user} {password}\n" if user else ""))
        self.process = ServerProcess("tinyproxy", [program("tinyproxy"), "-d", "-c", str(config)], directory,
                                     self.port)
        self._login = f"{user}:{password}@" if user else ""

    def __enter__(self) -> "TinyProxy":
        self.process.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()  # it has nothing to lose, and sometimes sleeps through SIGTERM

    @property
    def url(self) -> str:
        """For the environment variables, user and password included."""
        return f"http://{self._login}127.0.0.1:{self.port}"

    def requests(self) -> list[str]:
        """The request lines it saw: `GET http://…`, `CONNECT host:port HTTP/1.1`."""
        lines = self._log.read_text().splitlines() if self._log.exists() else []
        return [line.partition("): ")[2] for line in lines if "Request (file descriptor" in line]
