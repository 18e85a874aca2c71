"""Real images for a source registry, built from Debian files that this machine has.

As a program it fills a running registry: python3 -m support.images HOST:PORT
"""

import argparse
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from . import skopeo
from .client import RegistryClient, sha256
from .debian_files import stage
from .layout import Layout

AMD64 = {"os": "linux", "architecture": "amd64"}
ARM64 = {"os": "linux", "architecture": "arm64", "variant": "v8"}


@dataclass(frozen=True)
class SourceImage:
    """An image that a registry holds."""

    repository: str
    tag: str
    digest: str
    media_type: str

    @property
    def name(self) -> str:
        """`repository:tag`, without the registry."""
        return f"{self.repository}:{self.tag}"


def fill(registry: str, work: Path) -> list[SourceImage]:
    """Builds the images below `work` and pushes them to a plain-http registry at `registry` (HOST:PORT)."""
    layout = build(work)
    pushed = []
    for tag, name in _NAMES.items():
        skopeo.copy(f"oci:{layout.directory}:{tag}", f"docker://{registry}/{name}")
        pushed.append(look_up(registry, name))
    # The same image with a Docker schema 2 manifest, as registries were filled for years.
    skopeo.copy(f"oci:{layout.directory}:busybox", f"docker://{registry}/legacy/busybox:1.35", "--format", "v2s2")
    return [*pushed, look_up(registry, "legacy/busybox:1.35")]


# What the layout calls it -> repository:tag in the registry.
_NAMES = {
    "base": "debian/base:12",
    "tools": "debian/tools:12",
    "app-1.0": "team/app:1.0",
    "app-1.1": "team/app:1.1",
    "web": "team/web:2.0",
    "busybox": "tools/busybox:1.35",
}


def build(work: Path) -> Layout:
    """A layout of images that share layers; `web` is an index for two platforms."""
    layout = Layout(work / "layout")
    base = stage(work / "base", "libc6", "bash")
    tools = stage(work / "tools", "coreutils", "grep", "sed", "gzip", under="/bin/")
    perl = stage(work / "perl", "perl-base")
    web = stage(work / "web", "ca-certificates", "tar")
    busybox = stage(work / "busybox", "busybox-static")
    (busybox / "bin" / "sh").symlink_to("busybox")
    settings = work / "settings" / "etc" / "app.conf"
    settings.parent.mkdir(parents=True)
    settings.write_text("version = 1.1\n")

    layout.new("base")
    layout.insert("base", base)
    layout.insert("base", tools, "tools")
    layout.insert("base", perl, "app-1.0")
    layout.insert("app-1.0", work / "settings", "app-1.1")
    layout.new("busybox")
    layout.insert("busybox", busybox)
    layout.insert("base", web, "web-amd64")
    layout.new("web-arm64", architecture="arm64")
    layout.insert("web-arm64", busybox)  # stands in for arm64 programs: only the platform in the index counts here
    layout.insert("web-arm64", web)
    layout.index("web", {"web-amd64": AMD64, "web-arm64": ARM64})
    return layout


def look_up(registry: str, name: str) -> SourceImage:
    """What a plain-http registry holds under `repository:tag`."""
    repository, tag = name.rsplit(":", 1)
    answer = RegistryClient(f"http://{registry}").manifest(repository, tag)
    return SourceImage(repository, tag, sha256(answer.body), answer.headers["Content-Type"])


def main() -> None:
    parser = argparse.ArgumentParser(description="Fill a registry (plain http) with images of real Debian files.")
    parser.add_argument("registry", help="HOST:PORT")
    registry = parser.parse_args().registry
    with tempfile.TemporaryDirectory(prefix="airgap-images-") as work:
        for image in fill(registry, Path(work)):
            kind = "index for amd64 and arm64" if "index" in image.media_type else "image"
            print(f"{registry}/{image.name}  {image.digest[:19]}…  {kind}")


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit(130)
