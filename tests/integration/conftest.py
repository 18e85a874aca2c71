"""Fixtures of the integration tests; tests/support/README.md lists them."""

import contextlib
import shutil
from pathlib import Path
from typing import Any, Callable, Iterator, Protocol, TypeVar

import pytest

from support import process
from support.airgap import Airgap, Result, executable, plain
from support.certs import Authority
from support.containerd import Containerd
from support.memory_registry import MemoryRegistry
from support.outside import Outside, push as push_into
from support.podman import Podman
from support.process import Unavailable
from support.proxy import FaultProxy
from support.pushing import BUSYBOX, LEGACY, Push
from support.registry import Registry, Tls
from support.source import SourceImages, source_images as built_source_images
from support.token_server import TokenServer

# The one user of the registries that want a user.
USER, PASSWORD = "alice", "correct:horse battery"

T = TypeVar("T")
MakeRegistry = Callable[..., Registry]


class Running(Protocol):
    """What the fixture `running` is."""

    def __call__(self, server: contextlib.AbstractContextManager[T], /) -> T: ...


def pytest_report_header() -> str:
    return f"airgap: {executable('airgap-export').parent}"


@pytest.fixture(scope="session")
def source_images() -> SourceImages:
    """`repository:tag` -> digest and media type of what `source` holds."""
    return built_source_images()


@pytest.fixture(scope="session")
def source(source_images: SourceImages, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Registry]:
    """A plain registry full of images. Read-only and shared: mark() it before counting requests."""
    with Registry(tmp_path_factory.mktemp("source"), storage=source_images.storage, read_only=True) as registry:
        yield registry


@pytest.fixture
def running() -> Iterator[Running]:
    """Starts any server of tests/support and stops it after the test: proxy = running(FaultProxy(source))."""
    with contextlib.ExitStack() as stack:
        yield stack.enter_context


@pytest.fixture
def make_registry(running: Running, source_images: SourceImages, tmp_path: Path) -> MakeRegistry:
    """make_registry(filled=True, htpasswd={…}, …): a registry of this test's own. Filled means read-only."""
    made = 0

    def make(filled: bool = False, **options: Any) -> Registry:
        nonlocal made
        made += 1
        if filled:
            options = {"storage": source_images.storage, "read_only": True} | options
        return running(Registry(tmp_path / f"registry-{made}", **options))

    return make


@pytest.fixture
def registry(make_registry: MakeRegistry) -> Registry:
    """An empty registry without TLS and passwords."""
    return make_registry()


@pytest.fixture
def mutable_source(make_registry: MakeRegistry, source_images: SourceImages, tmp_path: Path) -> Registry:
    """Holds what `source` holds, in a copy that the test may change."""
    shutil.copytree(source_images.storage, tmp_path / "mutable-source")
    return make_registry(storage=tmp_path / "mutable-source")


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """The CA behind tls_registry and the token server; no program trusts it unasked."""
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture
def tls(authority: Authority) -> Tls:
    """A server certificate for 127.0.0.1 and localhost."""
    issued = authority.server()
    return Tls(issued.cert, issued.key)


@pytest.fixture
def tls_registry(make_registry: MakeRegistry, authority: Authority, tls: Tls) -> Registry:
    """An empty registry behind TLS; authority.cert is its CA."""
    return make_registry(tls=tls, tls_context=authority.client_context())


@pytest.fixture
def htpasswd_registry(make_registry: MakeRegistry) -> Registry:
    """An empty registry that wants USER and PASSWORD."""
    return make_registry(htpasswd={USER: PASSWORD})


@pytest.fixture
def tokens(running: Running, authority: Authority) -> TokenServer:
    """The token server of token_registry; its one user is USER with PASSWORD."""
    return running(TokenServer(authority, users={USER: PASSWORD}))


@pytest.fixture
def token_registry(make_registry: MakeRegistry, tokens: TokenServer) -> Registry:
    """An empty registry that wants tokens of `tokens`: anybody may pull, USER may push."""
    return make_registry(token=tokens.auth())


@pytest.fixture
def airgap(tmp_path: Path) -> Airgap:
    """Runs the programs with a private home: airgap.export("pull", …).ok()."""
    return Airgap(tmp_path / "home")


@pytest.fixture
def bundle_dir(tmp_path: Path) -> Path:
    """Where a bundle may be written; does not exist yet."""
    return tmp_path / "bundle"


@pytest.fixture(scope="session")
def busybox_bundle(source: Registry, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An archive of the BUSYBOX and LEGACY of support.pushing; read only."""
    directory = tmp_path_factory.mktemp("busybox")
    Airgap(directory / "home").export("pull", f"{source.host}/{BUSYBOX}", f"{source.host}/{LEGACY}", *plain(source),
                                      "--output", directory / "bundle.tar").ok()
    return directory / "bundle.tar"


@pytest.fixture
def push(airgap: Airgap, busybox_bundle: Path) -> Push:
    """push(server): busybox_bundle into it, with one repeat."""
    def run(server: Any, *options: object) -> Result:
        return airgap.import_("push", busybox_bundle, server.host, *plain(server), "--retry", 1, *options)

    return run


@pytest.fixture
def outside(airgap: Airgap, running: Running, tmp_path: Path) -> Outside:
    """A registry outside, in its first month."""
    return Outside(airgap, running(MemoryRegistry()), tmp_path)


@pytest.fixture
def first(outside: Outside) -> Path:
    """The bundle of the first month of `outside`."""
    outside.pull("first.tar").ok()
    return outside.path("first.tar")


@pytest.fixture
def receipt(airgap: Airgap, first: Path, registry: Registry) -> Path:
    """What was said when the first bundle went into `registry`."""
    push_into(airgap, first, registry, "--receipt", first.with_name("receipt.json")).ok()
    return first.with_name("receipt.json")


@pytest.fixture
def proxy(running: Running, registry: Registry) -> FaultProxy:
    """In front of `registry`. Files about reading have one of their own, in front of `source`."""
    return running(FaultProxy(registry))


@pytest.fixture
def podman(running: Running, tmp_path: Path) -> Podman:
    """Skips, and says why, where podman cannot unpack layers."""
    reader = running(Podman(tmp_path / "podman"))
    try:
        reader.probe()
    except Unavailable as reason:
        pytest.skip(f"podman does not work here: {reason}")
    return reader


@pytest.fixture
def containerd(tmp_path: Path) -> Iterator[Containerd]:
    """Skips, and says why, where containerd cannot run."""
    daemon = Containerd(tmp_path / "ctd")
    try:
        daemon.start()
    except Unavailable as reason:
        pytest.skip(f"containerd does not run here: {reason}")
    yield daemon
    daemon.stop()


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    """A failed test shows the end of every log of the servers that run."""
    outcome: Any = yield
    report = outcome.get_result()
    if report.failed:
        for server in process.started:
            if server.alive:
                report.sections.append((f"log of {server.name} on port {server.port}", server.log_tail()))
