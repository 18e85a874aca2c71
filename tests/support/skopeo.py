"""skopeo: the independent client that reads and writes what airgap reads and writes."""

import json
import subprocess
from pathlib import Path
from typing import Any

from .client import sha256
from .registry import program


def run(*arguments: str) -> str:
    """`skopeo ARGUMENTS`; its standard output. A failure carries its error text."""
    done = subprocess.run([program("skopeo"), "--insecure-policy", *arguments], capture_output=True, text=True,
                          stdin=subprocess.DEVNULL, timeout=300)
    if done.returncode != 0:
        raise RuntimeError(f"skopeo {' '.join(arguments)}: {done.stderr}")
    return done.stdout


def copy(source: str, destination: str, *options: str) -> None:
    """Every platform, TLS not verified on either side: loopback only."""
    run("copy", "--quiet", "--all", "--src-tls-verify=false", "--dest-tls-verify=false", *options, source, destination)


def raw(image: str, *options: str) -> bytes:
    """The manifest's bytes of `docker://HOST/name:tag`, `oci:DIR:name` or `oci-archive:FILE:name`."""
    tls = ("--tls-verify=false",) if image.startswith("docker://") else ()
    return run("inspect", "--raw", *tls, *options, image).encode()


def digest(image: str, *options: str) -> str:
    return sha256(raw(image, *options))


def digest_with(global_options: tuple[str, ...], image: str) -> str:
    """The same for `docker://…`, TLS as the options say, which stand before the command."""
    return sha256(run(*global_options, "inspect", "--raw", image).encode())


def copy_to_dir(source: str, directory: Path, *options: str) -> dict[str, Any]:
    """Copies with all blobs, which skopeo verifies, into `directory`; the manifest as stored there."""
    copy(source, f"dir:{directory}", "--preserve-digests", *options)
    parsed: dict[str, Any] = json.loads((directory / "manifest.json").read_bytes())
    return parsed


def sync(source: Path | str, destination: Path | str, *options: str, src: str = "docker", dest: str = "dir") -> None:
    """`skopeo sync` with any transports; TLS not verified on either side."""
    run("sync", "--src", src, "--dest", dest, *(("--src-tls-verify=false",) if src != "dir" else ()),
        *(("--dest-tls-verify=false",) if dest != "dir" else ()), *options, str(source), str(destination))
