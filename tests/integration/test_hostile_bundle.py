"""A bundle whose check sums are all right, because somebody who means harm wrote them (R98, R101-R103, R116, R120).

Without a signature check sums prove nothing. What the metadata says is checked by itself, and never trusted as a path, a size
or a text for the terminal.
"""

import gzip
import hashlib
import json
import shutil
from pathlib import Path
from typing import Any, Callable

import pytest

from support.airgap import Airgap, plain
from support.oci import digest_of
from support.registry import Registry
from support.small_bundle import SmallBundle, file_of, make_small_bundle, small_image
from support.small_volumes import write_volumes

Info = dict[str, Any]


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> SmallBundle:
    return make_small_bundle(tmp_path_factory.mktemp("small"))


@pytest.fixture
def bundle(small: SmallBundle, tmp_path: Path) -> Path:
    return Path(shutil.copytree(small.directory, tmp_path / "bundle"))


def seal(bundle: Path) -> None:
    """Check sums that fit whatever is there."""
    sums = bundle / "SHA256SUMS"
    comment = sums.read_text().splitlines()[0]
    files = sorted(str(p.relative_to(bundle)) for p in bundle.rglob("*") if p.is_file() and p != sums)
    lines = [f"{hashlib.sha256((bundle / name).read_bytes()).hexdigest()}  {name}" for name in files]
    sums.write_text("\n".join([comment, *lines]) + "\n")


def edit(bundle: Path, name: str, change: Callable[[Any], object]) -> None:
    value = json.loads((bundle / name).read_text())
    change(value)
    (bundle / name).write_text(json.dumps(value))
    seal(bundle)


def assert_refused(airgap: Airgap, bundle: Path, registry: Registry, *says: str) -> None:
    """By every command, with nothing pushed and no control character on the terminal."""
    push = ("push", bundle, registry.host, *plain(registry), "--retry", "0")
    for command in (("list", bundle), ("verify", bundle), push):
        done = airgap.import_(*command)
        assert done.status in (5, 6), done
        assert all(text in done.err + done.out for text in says), done
        assert "\x1b" not in done.err + done.out
    assert registry.client().repositories() == []


def test_a_sealed_copy_is_a_good_bundle(airgap: Airgap, bundle: Path, registry: Registry) -> None:
    """So what the tests below see is what they changed."""
    edit(bundle, "bundle.json", lambda info: info.update(later={"optional": [1]}))
    airgap.import_("verify", bundle).ok()
    airgap.import_("push", bundle, registry.host, *plain(registry)).ok()


def first(key: str, **values: object) -> Callable[[Info], object]:
    """Changes members of the first entry of a list."""
    return lambda info: info[key][0].update(values)


ZEROS = f"sha256:{'0' * 64}"
BUNDLE_JSON: dict[str, Callable[[Info], object]] = {
    "a critical member that this program does not know": lambda i: i.update(critical=["volumes"], volumes=3),
    "an unknown way of storing": first("blobs", stored={"way": "zstd-patch", "size": 10}),
    "a name with escape codes": first("images", name="h.example/\x1b[31mapp:1"),
    "a name with a path": first("images", name="h.example/../../etc:1"),
    "a target outside": first("images", target="../../admin/app:1"),
    "a digest that is a path": first("images", digest="sha256:../../../../etc/passwd"),
    "an image that is not there": first("images", digest=ZEROS),
    "a blob that is not there": lambda i: i["blobs"].insert(0, dict(i["blobs"][0], digest=ZEROS)),
    "a blob twice": lambda i: i["blobs"].insert(0, i["blobs"][0]),
    "an image twice": lambda i: i["images"].insert(0, i["images"][0]),
    "an exbibyte": first("blobs", size=2**60),
    "a negative size": first("blobs", size=-1),
    "a size that is not whole": first("blobs", size=1.5),
    "a size beyond 64 bits": first("blobs", size=2**70),
    "other totals": lambda i: i["totals"].update(bytes=1),
    "sequence zero": lambda i: i.update(sequence=0),
    "no images member": lambda i: i.pop("images"),
    "a creator with escape codes": lambda i: i.update(creator="\x1b]0;gotcha\x07"),
}


@pytest.mark.parametrize("lie", BUNDLE_JSON)
def test_a_lie_in_bundle_json_is_refused(lie: str, airgap: Airgap, bundle: Path, registry: Registry) -> None:
    edit(bundle, "bundle.json", BUNDLE_JSON[lie])
    assert_refused(airgap, bundle, registry, "bundle.json")


def test_a_newer_format_says_which_program_reads_it(airgap: Airgap, bundle: Path, registry: Registry) -> None:
    edit(bundle, "bundle.json", lambda info: info.update(format=2, needs="3.1.0"))
    assert_refused(airgap, bundle, registry, "3.1.0")
    assert "is refused" in airgap.import_("verify", bundle).fails(6).out


def test_check_sums_of_another_stream_are_refused(airgap: Airgap, bundle: Path, registry: Registry) -> None:
    edit(bundle, "bundle.json", lambda info: info.update(stream="0" * 32))
    assert_refused(airgap, bundle, registry, "SHA256SUMS", "stream")


def test_two_images_with_one_target_are_not_pushed(airgap: Airgap, bundle: Path, registry: Registry) -> None:
    """The target in a bundle is a proposal; a collision is refused before anything is written."""
    edit(bundle, "bundle.json", first("images", target="team/two:1"))
    airgap.import_("push", bundle, registry.host, *plain(registry)).fails(2, "team/two:1", "--map FROM=TO")
    assert registry.client().repositories() == []


def test_a_platform_is_text_and_nothing_else(airgap: Airgap, bundle: Path) -> None:
    edit(bundle, "bundle.json", first("images", platforms=[{"os": "linux", "architecture": "\x1b[2Jx\n"}]))
    shown = airgap.import_("list", bundle).ok().out
    assert r"linux/\x1b[2Jx\x0a" in shown and "\x1b" not in shown


JSON = {"two roots": b"{}{}", "no object": b"7", "nothing": b"", "a NUL": b'{"format":1,"a":"\0"}', "no UTF-8": b'{"\xff":1}',
        "a member twice": b'{"format":1,"format":1}', "depth": b"[" * 100_000, "a huge number": b'{"format":1e999}',
        "half a surrogate": b'{"format":"\\ud800"}'}


@pytest.mark.parametrize("file", ["bundle.json", "index.json", "manifest.json", "oci-layout"])
@pytest.mark.parametrize("content", JSON)
def test_metadata_that_is_no_good_json_is_refused(content: str, file: str, airgap: Airgap, bundle: Path,
                                                  registry: Registry) -> None:
    (bundle / file).write_bytes(JSON[content])
    seal(bundle)
    assert_refused(airgap, bundle, registry, file)


OTHERS: dict[str, tuple[str, Callable[[Any], object]]] = {
    "an index of another digest": ("index.json", lambda v: v["manifests"][0].update(digest=ZEROS)),
    "an index with one image more": ("index.json", lambda v: v["manifests"].append(v["manifests"][0])),
    "an index with one image less": ("index.json", lambda v: v["manifests"].pop()),
    "an index with another name": ("index.json", lambda v: v["manifests"][0]["annotations"].update(
        {"org.opencontainers.image.ref.name": "latest; rm -rf /"})),
    "a layer outside": ("manifest.json", lambda v: v[0].update(Layers=["../../../../etc/shadow"])),
    "a config outside": ("manifest.json", lambda v: v[0].update(Config="/etc/shadow")),
    "a tag of something else": ("manifest.json", lambda v: v[0].update(RepoTags=["docker.io/library/debian:12"])),
    "another layout version": ("oci-layout", lambda v: v.update(imageLayoutVersion="2.0.0")),
}


@pytest.mark.parametrize("lie", OTHERS)
def test_metadata_files_that_disagree_are_refused(lie: str, airgap: Airgap, bundle: Path, registry: Registry) -> None:
    file, change = OTHERS[lie]
    edit(bundle, file, change)
    assert_refused(airgap, bundle, registry, file)


SUMS: dict[str, Callable[[list[str]], object]] = {
    "a path outside": lambda lines: lines.append(f"{'0' * 64}  ../../etc/passwd"),
    "a file twice": lambda lines: lines.append(lines[-1]),
    "another order": lambda lines: lines.append(lines.pop(1)),
    "a file less": lambda lines: lines.pop(2),
    "Windows line ends": lambda lines: lines.__setitem__(slice(None), [line + "\r" for line in lines]),
    "no comment": lambda lines: lines.pop(0),
    "binary marks": lambda lines: lines.__setitem__(1, lines[1].replace("  ", " *")),
    "upper-case digits": lambda lines: lines.__setitem__(1, lines[1][:64].upper() + lines[1][64:]),
    "escape codes": lambda lines: lines.append(f"{'0' * 64}  \x1b[31mred"),
}


@pytest.mark.parametrize("lie", SUMS)
def test_check_sums_have_one_form(lie: str, airgap: Airgap, bundle: Path, registry: Registry) -> None:
    lines = (bundle / "SHA256SUMS").read_text().splitlines()
    SUMS[lie](lines)
    (bundle / "SHA256SUMS").write_text("\n".join(lines) + "\n", newline="")
    assert_refused(airgap, bundle, registry, "SHA256SUMS")


def test_a_manifest_that_names_what_bundle_json_does_not_is_refused(airgap: Airgap, small: SmallBundle, bundle: Path,
                                                                    registry: Registry) -> None:
    """Whole files, right check sums: only the reference leads nowhere. Nothing reaches the registry."""
    manifest = json.loads(small.one.data)
    manifest["layers"][0]["digest"] = ZEROS
    data = json.dumps(manifest, separators=(",", ":")).encode()
    (bundle / file_of(small.one.digest)).unlink()
    (bundle / file_of(digest_of(data))).write_bytes(data)
    for file in ("bundle.json", "index.json"):
        text = (bundle / file).read_text()
        (bundle / file).write_text(text.replace(small.one.digest, digest_of(data)))
    edit(bundle, "bundle.json", lambda info: info["blobs"].sort(
        key=lambda blob: (["manifest", "config", "layer"].index(blob["kind"]), blob["digest"])))
    done = airgap.import_("verify", bundle)
    assert done.status in (5, 6) and ZEROS in done.out, done
    assert airgap.import_("push", bundle, registry.host, *plain(registry)).status in (5, 6)
    assert registry.client().tags("team/one") == []


def test_no_byte_of_a_path_moves_the_terminal(airgap: Airgap, small: SmallBundle, registry: Registry, tmp_path: Path) -> None:
    """Whoever makes a stick names its folders and files."""
    folder = tmp_path / "a\x1b[31m\nb"
    folder.mkdir()
    volumes = write_volumes(airgap, {"one": small_image(1, size=200_000)}, tmp_path / "set")
    for name in ("partial", "missing"):
        (folder / name).mkdir()
    shutil.copy(volumes[0], folder / "partial" / "p\x1b[31m\nq.001.tar.partial")
    shutil.copy(volumes[1], folder / "missing" / "m\x1b[31m\nq.002.tar")
    shutil.copytree(small.directory, folder / "damaged")
    (folder / "damaged" / "index.json").write_text("{}")
    archive = folder / "c.tar"
    archive.write_bytes(small.archive.read_bytes()[:-1] + b"x")
    packed = folder / "c.tar.gz"
    packed.write_bytes(gzip.compress(archive.read_bytes()))
    for bundle in (*(folder / name for name in ("partial", "missing", "damaged", "nowhere", "c.tar", "c.tar.gz")), folder):
        for command in (("list", bundle), ("verify", bundle), ("push", bundle, registry.host, *plain(registry), "--retry", "0"),
                        ("push", bundle, registry.host, *plain(registry), "--keep-going")):
            done = airgap.import_(*command)
            assert "\x1b" not in done.err + done.out, done
