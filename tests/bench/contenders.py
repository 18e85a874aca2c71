"""Who runs, with which command: airgap, and what people use otherwise for the same work."""

import json
import shlex
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from corpus import Blob, Corpus
from support.airgap import executable
from support.memory_registry import MemoryRegistry
from support.registry import Registry, program

JOBS = 6


@dataclass(frozen=True)
class Course:
    """What every contender works on. `certs` holds ca.crt when the registries speak TLS."""

    corpus: Corpus
    source: Registry
    out: Path  # where outputs go
    work: Path  # lists and configurations, written before the clock starts
    certs: Path | None

    def output(self, name: str) -> Path:
        return self.out / name


@dataclass(frozen=True)
class Exporter:
    """`command` writes `output`, which is not there before."""

    name: str
    output: Path
    command: list[str]


@dataclass(frozen=True)
class Importer:
    """`command` fills an empty registry with the output of the exporter `needs`."""

    name: str
    needs: str
    command: Callable[[Registry], list[str]]


# --- airgap -----------------------------------------------------------------------------------------------------------


def airgap_export(course: Course, output: Path | str, *options: str) -> list[str]:
    images = course.work / "images.txt"
    names = [f"{course.source.host}/{image.repository}:{image.tag}" for image in course.corpus.images]
    images.write_text("\n".join(names) + "\n")
    return [str(executable("airgap-export")), "pull", "--from", str(images), "--platform", "all",
            *_airgap_transport(course, course.source), "--jobs", str(JOBS), *options, "--output", str(output)]


def airgap_export_of(names: list[str], sources: tuple[Registry | MemoryRegistry, ...], output: Path, work: Path) -> list[str]:
    """Of other registries than the course's, by plain http."""
    images = work / "others.txt"
    images.write_text("\n".join(names) + "\n")
    hosts = [option for source in sources for option in ("--plain-http", source.host)]
    return [str(executable("airgap-export")), "pull", "--from", str(images), "--platform", "all", "--no-referrers", *hosts,
            "--output", str(output)]


@dataclass(frozen=True)
class Form:
    """Of a bundle: what it is called, and with which options it is written."""

    output: str
    options: tuple[str, ...] = ()


OURS = {"airgap-dir": Form("bundle"), "airgap-tar": Form("bundle.tar"), "airgap-zst": Form("bundle.tar.zst"),
        "airgap-volumes": Form("bundle.tar", ("--volume-size", "300MiB"))}


def airgap_import(course: Course, bundle: Path, target: Registry) -> list[str]:
    return [str(executable("airgap-import")), "push", str(bundle), target.host, *_airgap_transport(course, target),
            "--jobs", str(JOBS)]


def airgap_list(bundle: Path) -> list[str]:
    return [str(executable("airgap-import")), "list", str(bundle)]


def _airgap_transport(course: Course, registry: Registry) -> list[str]:
    return ["--cert-dir", str(course.certs)] if course.certs else ["--plain-http", registry.host]


# --- skopeo -----------------------------------------------------------------------------------------------------------


def _skopeo_export(course: Course, output: Path) -> list[str]:
    trust = {"cert-dir": str(course.certs)} if course.certs else {"tls-verify": False}
    images = {image.repository: [image.tag] for image in course.corpus.images}
    listed = course.work / "sync.yaml"
    listed.write_text(json.dumps({course.source.host: {**trust, "images": images}}))  # JSON is YAML
    return [program("skopeo"), "--insecure-policy", "sync", "--src", "yaml", "--dest", "dir", "--all", str(listed),
            str(output)]


def _skopeo_import(course: Course, tree: Path, target: Registry) -> list[str]:
    trust = ["--dest-cert-dir", str(course.certs)] if course.certs else ["--dest-tls-verify=false"]
    return [program("skopeo"), "--insecure-policy", "sync", "--src", "dir", "--dest", "docker", "--all", *trust,
            str(tree), target.host]


# --- curl -------------------------------------------------------------------------------------------------------------


def _curl(course: Course) -> str:
    trust = f" --cacert '{course.certs}/ca.crt'" if course.certs else ""
    return f"'{program('curl')}' -q -sS --fail --http1.1 --parallel --parallel-max {JOBS}{trust}"


def _curl_export(course: Course, output: Path, *then: str) -> list[str]:
    """GET of each unique blob into a file of its own, then the steps of `then` in that directory."""
    blobs = course.corpus.unique_blobs
    config, sums = course.work / "get.curl", course.work / "blobs.sha256"
    config.write_text("".join(f'url = "{course.source.origin}/v2/{repository}/blobs/{blob.digest}"\n'
                              f'output = "{blob.hex}"\n' for repository, blob in blobs))
    sums.write_text("".join(f"{blob.hex}  {blob.hex}\n" for _, blob in blobs))
    return _script(f"mkdir '{output}'", f"cd '{output}'", f"{_curl(course)} -K '{config}'",
                   *(step.format(sums=sums) for step in then))


_SHA256SUM = "sha256sum --check --quiet '{sums}'"
_SYNC = "sync *"  # fsync of each file


def _curl_import(course: Course, files: Path, target: Registry) -> list[str]:
    """POST for each unique blob, then PUT to the locations that the POSTs gave; the clock covers both."""
    blobs = [blob for _, blob in course.corpus.unique_blobs]
    posts, puts = course.work / "post.curl", course.work / "put.curl"
    post = f'url = "{target.origin}/v2/bench/blobs/uploads/"\noutput = /dev/null\n'
    posts.write_text('request = POST\ndata = ""\nwrite-out = "%header{location}\\n"\n' + post * len(blobs))
    # Line by line: whatever location comes first takes the first blob, all are in one repository.
    ends = course.work / "put.ends"
    ends.write_text("".join(_put_end(files, blob) for blob in blobs))
    return _script(f"{_curl(course)} -K '{posts}' 2>/dev/null > '{puts}.locations'",
                   f"""paste -d '' '{puts}.locations' '{ends}' | sed 's/^/url = "/; s/\\t/\\n/g' > '{puts}'""",
                   f"{_curl(course)} -H 'Expect:' -K '{puts}' > /dev/null")


def _put_end(files: Path, blob: Blob) -> str:
    return f'&digest={blob.digest}"\tupload-file = "{files / blob.hex}"\n'


def _script(*steps: str) -> list[str]:
    return [shutil.which("bash") or "/bin/bash", "-euc", "\n".join(steps)]


# --- All of them ------------------------------------------------------------------------------------------------------


def exporters(course: Course) -> list[Exporter]:
    def curl(name: str, *then: str) -> Exporter:
        return Exporter(name, course.output(name), _curl_export(course, course.output(name), *then))

    skopeo, directory, tar = (course.output(name) for name in ("skopeo", "airgap-dir", "airgap.tar"))
    packed, volumes = course.output("airgap.tar.zst"), course.output("airgap-volumes")
    return [
        Exporter("airgap-dir", directory, airgap_export(course, f"{directory}/")),
        Exporter("airgap-tar", tar, airgap_export(course, tar)),
        Exporter("airgap-zst", packed, airgap_export(course, packed)),
        Exporter("airgap-volumes", volumes, _script(f"mkdir '{volumes}'", shlex.join(airgap_export(
            course, volumes / "bundle.tar", *OURS["airgap-volumes"].options)))),
        Exporter("skopeo", skopeo, _skopeo_export(course, skopeo)),
        curl("curl"),
        curl("curl+sha256sum", _SHA256SUM),
        curl("curl+sync", _SYNC),
        curl("curl+sha256sum+sync", _SHA256SUM, _SYNC),
    ]


def importers(course: Course) -> list[Importer]:
    directory, tar, skopeo, files = (course.output(n) for n in ("airgap-dir", "airgap.tar", "skopeo", "curl"))
    return [
        Importer("airgap-dir", "airgap-dir", lambda target: airgap_import(course, directory, target)),
        Importer("airgap-tar", "airgap-tar", lambda target: airgap_import(course, tar, target)),
        Importer("skopeo", "skopeo", lambda target: _skopeo_import(course, skopeo, target)),
        Importer("curl", "curl", lambda target: _curl_import(course, files, target)),
    ]
