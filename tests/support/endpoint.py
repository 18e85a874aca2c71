"""A server of the tests on loopback, as clients name it."""


class Endpoint:
    """Mixed into servers, which set both."""

    port: int
    tls: object  # whatever is true where it speaks TLS

    @property
    def host(self) -> str:
        """As it stands in an image name: `127.0.0.1:PORT`."""
        return f"127.0.0.1:{self.port}"

    @property
    def origin(self) -> str:
        return f"{'https' if self.tls else 'http'}://{self.host}"
