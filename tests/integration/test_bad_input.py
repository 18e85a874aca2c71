"""What an operator mistypes, and places that cannot be written.

A message to act on, the right exit status, nothing half made.
"""

import os
import resource
import subprocess
import tempfile
import threading
from pathlib import Path
from typing import Iterator

import pytest
from conftest import Running

from support.airgap import Airgap, executable, plain
from support.memory_registry import MemoryRegistry
from support.oci import image, tar_layer
from support.proxy import FaultProxy
from support.raw_server import RawServer, reply
from support.small_bundle import small_image

APP = image([tar_layer({"app": b"app"})])
BIG = small_image(7, size=3_000_000)


@pytest.fixture(scope="module")
def memory() -> Iterator[MemoryRegistry]:
    with MemoryRegistry() as registry:
        registry.add("team/app", "1", APP)
        registry.add("team/big", "1", BIG)
        yield registry


# What stands for HOST is a registry that works.
BAD_NAMES = {
    "": "it is empty",
    " ": "may not occur",
    "HOST/Team/app:1": "upper-case",
    "HOST/team/app:": "the tag after ':' is missing",
    "HOST/team/app:a b": "the tag 'a b'",
    "HOST/team/app:-x": "tag",
    f"HOST/team/app:{'x' * 129}": "128 is the limit",
    "HOST/team/app@sha256:12": "64 lower-case hex digits",
    f"HOST/team/app@md5:{'0' * 32}": "neither sha256 nor sha512",
    f"HOST/team/app@sha256:{'A' * 64}": "lower-case",
    "docker://HOST/team/app:1": "leave out what stands before",
    "https://HOST/team/app:1": "leave out what stands before",
    "HOST/team//app": "a '/' has nothing",
    "HOST/../app": "must start and end with a letter or digit",
    "HOST/": "the repository is missing",
    "HOST/team/app\n": r"app\\x0a",
    "HOST/\x1b[31mred": r"\\x1b\[31mred",
    "HOST:1/app": "port",
    "host:port/app": "port",
    "[::1/app": "IPv6",
    "a" * 300: "at most 255",
    "é/app": "may not occur",
}


@pytest.mark.parametrize("name", BAD_NAMES)
def test_a_name_that_is_none_is_refused_before_anything_is_asked(name: str, airgap: Airgap, memory: MemoryRegistry,
                                                                 bundle_dir: Path) -> None:
    asked = len(memory.requests())
    done = airgap.export("pull", name.replace("HOST", memory.host), *plain(memory), "--output", bundle_dir)
    done.fails(2, "bad image name", BAD_NAMES[name], "a name looks like")
    assert "\x1b" not in done.err
    assert len(memory.requests()) == asked
    assert not bundle_dir.exists()


def test_a_list_names_the_line_that_is_bad(airgap: Airgap, memory: MemoryRegistry, tmp_path: Path) -> None:
    names = tmp_path / "images.txt"
    names.write_text(f"# ours\n{memory.host}/team/app:1\n\n{memory.host}/Team/app:1\n")
    airgap.export("pull", "--from", names, *plain(memory), "--output", tmp_path / "b").fails(
        2, r"images\.txt:4|images\.txt.*line 4", "upper-case")


@pytest.mark.parametrize("name", ["team/app:none", "team/none:1", f"team/app@sha256:{'0' * 64}"])
def test_an_image_that_does_not_exist_is_a_registrys_answer(name: str, airgap: Airgap, memory: MemoryRegistry,
                                                            bundle_dir: Path) -> None:
    airgap.export("pull", f"{memory.host}/{name}", *plain(memory), "--output", bundle_dir).fails(
        3, f"{memory.host}/{name} does not exist", "check the name and the tag")
    assert not (bundle_dir / "SHA256SUMS").exists()


def test_a_repository_that_does_not_exist_has_no_tags_to_take(airgap: Airgap, memory: MemoryRegistry, bundle_dir: Path
                                                              ) -> None:
    airgap.export("pull", f"{memory.host}/team/none", "--all-tags", *plain(memory), "--output", bundle_dir).fails(
        3, f"{memory.host}/team/none does not exist", "check the name")
    assert not (bundle_dir / "SHA256SUMS").exists()


def test_a_host_that_does_not_exist_is_named(airgap: Airgap, bundle_dir: Path) -> None:
    """Retried as well: a resolver may be slow to come up."""
    airgap.export("pull", "registry.invalid/app:1", "--retry", "1", "--output", bundle_dir).fails(
        3, "cannot resolve the host name registry.invalid")


@pytest.mark.parametrize("name", [["team/app:1"], ["team/app", "--all-tags"]], ids=["a tag", "all tags"])
@pytest.mark.parametrize("page", ["a page everywhere", "a page that is not there", "another protocol", "nothing"])
def test_a_server_that_is_no_registry_is_refused(page: str, name: list[str], airgap: Airgap, running: Running,
                                                 bundle_dir: Path) -> None:
    body = b"<html><body>Welcome to nginx!</body></html>"
    answers = {"a page everywhere": reply(200, body, {"Content-Type": "text/html"}),
               "a page that is not there": reply(404, body, {"Content-Type": "text/html"}),
               "another protocol": b"SSH-2.0-OpenSSH_9.2\r\n", "nothing": b""}
    server = running(RawServer(lambda request: answers[page]))
    done = airgap.export("pull", f"{server.host}/{name[0]}", *name[1:], *plain(server), "--retry", "0", "--output",
                         bundle_dir)
    done.fails(3, server.host)
    if page == "a page everywhere":
        assert "registry" in done.err
    assert not (bundle_dir / "SHA256SUMS").exists()


BAD_OPTIONS = {
    ("--nope",): "unknown option '--nope'",
    ("--platfrom", "all"): "did you mean '--platform'",
    ("--platform", "amd64"): "bad platform 'amd64'",
    ("--jobs", "0"): "--jobs: expected a number from 1",
    ("--retry", "many"): "--retry: expected a number",
    ("--stall-timeout", "-1"): "--stall-timeout: expected a number",
    ("--scoped", "--flat"): "exclude each other",
    ("--map", "nothing"): "there is no '='",
    ("--from", "/nowhere/images.txt"): "/nowhere/images.txt: No such file",
    ("--from", "/"): "is a directory, and no list",
    ("--plain-http", "http://registry:5000"): "is not a host",
    ("--authfile", "/nowhere/auth.json"): "/nowhere/auth.json",
    ("--cert-dir", "/nowhere"): "/nowhere",
}


@pytest.mark.parametrize("options", BAD_OPTIONS, ids=" ".join)
def test_options_that_cannot_be_meant_are_refused(options: tuple[str, ...], airgap: Airgap, memory: MemoryRegistry,
                                                  bundle_dir: Path) -> None:
    airgap.export("pull", f"{memory.host}/team/app:1", *plain(memory), "--output", bundle_dir, *options).fails(
        2, BAD_OPTIONS[options])
    assert not bundle_dir.exists()


@pytest.mark.parametrize("arguments, says", [
    ((), "Usage"), (("pul",), "did you mean 'pull'"), (("pull",), "--output"), (("pull", "--output", "x"), "no images"),
    (("list",), "BUNDLE is missing"), (("list", "/nowhere"), "there is no bundle at /nowhere"),
    (("verify", "/dev/null"), "neither a directory nor a file"), (("list", "a", "b"), "b"),
    (("mirror", "a/b:1"), "--to"), (("mirror", "--to", "registry.invalid"), "no images")])
def test_half_a_command_is_refused(arguments: tuple[str, ...], says: str, airgap: Airgap, tmp_path: Path) -> None:
    done = airgap.export(*arguments, cwd=tmp_path)
    assert done.status == 2 and says in done.err + done.out, done
    assert sorted(path.name for path in tmp_path.iterdir()) == ["home"]


def test_a_push_of_one_argument_says_what_it_expects(airgap: Airgap, memory: MemoryRegistry) -> None:
    airgap.import_("push", memory.host).fails(
        2, rf"expected BUNDLE\.\.\. REGISTRY\[/PREFIX\], found '{memory.host}' alone")


@pytest.mark.parametrize("form", ["bundle", "bundle.tar"])
def test_a_registry_before_the_bundle_is_told(form: str, airgap: Airgap, memory: MemoryRegistry, tmp_path: Path) -> None:
    bundle = tmp_path / form
    airgap.export("pull", f"{memory.host}/team/app:1", *plain(memory), "--output", bundle).ok()
    asked = len(memory.requests())
    airgap.import_("push", f"{memory.host}/mirror", bundle, *plain(memory)).fails(
        2, f"{bundle} is on this machine", "the registry seems to stand first", "the bundle comes first")
    assert len(memory.requests()) == asked


@pytest.mark.parametrize("command", ["list", "verify"])
def test_what_is_no_bundle_gets_a_hint_at_what_may_be_one(command: str, airgap: Airgap, memory: MemoryRegistry,
                                                          tmp_path: Path) -> None:
    stick = tmp_path / "stick"
    (stick / "System Volume Information").mkdir(parents=True)
    images = stick / "images.txt"
    airgap.import_(command, stick).fails(2, "is no bundle", "name a directory or a .tar file")
    for lines in (1, 100):
        images.write_text(f"{memory.host}/team/app:1\n" * lines)
        airgap.import_(command, images).fails(2, "is no bundle", "name a directory or a .tar file")
    airgap.export("pull", "--from", images, *plain(memory), "--output", stick / "june.tar").ok()
    airgap.import_(command, stick).fails(2, "is no bundle", "name a file in it: june.tar")


@pytest.mark.parametrize("command", ["push", "list", "verify"])
def test_a_file_for_the_outside_is_known_by_what_it_is(command: str, airgap: Airgap, tmp_path: Path) -> None:
    where = ("registry.invalid",) if command == "push" else ()
    for content, problem, hint in [
            ('{"kind": "airgap-receipt", "format": 1}', "is no bundle, but a receipt", "--since of 'airgap-export pull'"),
            ('{"kind": "airgap-lock", "format": 1}', "is no bundle, but a lock", "--from of 'airgap-export pull'"),
            ('{"kind": "airgap-want-list"}', "is no bundle, but a want-list", "--from of 'airgap-export pull'"),
            ("quay.io:\n  images:\n    a/b: []\n", "is no bundle, but text", "a list of images is for --from")]:
        (tmp_path / "file").write_text(content)
        airgap.import_(command, tmp_path / "file", *where).fails(2, f"{tmp_path}/file: it {problem}", hint)


def test_a_bundle_where_a_list_is_expected_is_known_as_one(airgap: Airgap, memory: MemoryRegistry, tmp_path: Path) -> None:
    for form in ("bundle/", "bundle.tar", "bundle.tar.zst"):
        airgap.export("pull", f"{memory.host}/team/app:1", *plain(memory), "--output", f"{tmp_path}/{form}").ok()
    (tmp_path / "receipt.json").write_text('{"kind": "airgap-receipt", "format": 1}')
    for name, kind, hint in [("bundle", "a directory", "'airgap-export list' shows those in a bundle"),
                             ("bundle.tar", "an archive", "--since leaves out what it holds"),
                             ("bundle.tar.zst", "an archive", "--since leaves out what it holds"),
                             ("bundle/bundle.json", "the bundle.json of a bundle", "--since leaves out what it holds"),
                             ("receipt.json", "a receipt", "--since takes it")]:
        for command, output in (("pull", ("--output", tmp_path / "other.tar")), ("plan", ())):
            airgap.export(command, "--from", tmp_path / name, *output).fails(
                2, f"{tmp_path}/{name} is {kind}, and no list", hint)


@pytest.mark.parametrize("arguments, says", [
    (("push",), "BUNDLE"), (("push", "tree"), r"expected BUNDLE\.\.\. REGISTRY.*, found 'tree' alone"),
    (("push", "/nowhere", "registry.invalid"), "/nowhere"), (("verify",), "BUNDLE is missing")])
def test_half_a_push_is_refused(arguments: tuple[str, ...], says: str, airgap: Airgap, tmp_path: Path) -> None:
    airgap.import_(*arguments, cwd=tmp_path).fails(2, says)


BAD_TARGETS = {"": "host is missing", "http://HOST": "leave out", "HOST/Mirror": "upper-case", "HOST/a:1": "no tag",
               "HOST//a": "a '/'", "HOST/../a": "'..'", "a host": "cannot be part of a host name",
               "host:99999": "port"}


@pytest.mark.parametrize("target", BAD_TARGETS)
def test_a_destination_that_is_none_is_refused(target: str, airgap: Airgap, memory: MemoryRegistry, bundle_dir: Path
                                               ) -> None:
    airgap.export("pull", f"{memory.host}/team/app:1", *plain(memory), "--output", bundle_dir).ok()
    asked = len(memory.requests())
    airgap.import_("push", bundle_dir, target.replace("HOST", memory.host), *plain(memory)).fails(
        2, "bad destination registry", BAD_TARGETS[target], "a destination looks like")
    assert len(memory.requests()) == asked


@pytest.mark.parametrize("epoch", ["", "yesterday", "-1", "1.5", "8583494400", "9" * 30])
def test_a_source_date_epoch_that_is_no_time_is_refused(epoch: str, airgap: Airgap, memory: MemoryRegistry,
                                                        bundle_dir: Path) -> None:
    asked = len(memory.requests())
    airgap.export("pull", f"{memory.host}/team/app:1", *plain(memory), "--output", bundle_dir,
                  env={"SOURCE_DATE_EPOCH": epoch}).fails(2, f"SOURCE_DATE_EPOCH is '{epoch}'")
    assert len(memory.requests()) == asked


@pytest.mark.parametrize("finished", [True, False])
@pytest.mark.parametrize("inside", ["more/", "more/bundle.tar", "blobs/more.tar"])
def test_output_inside_a_bundle_is_refused(inside: str, finished: bool, airgap: Airgap, memory: MemoryRegistry,
                                           bundle_dir: Path) -> None:
    bundle_dir.mkdir()
    if finished:
        airgap.export("pull", f"{memory.host}/team/app:1", *plain(memory), "--output", bundle_dir).ok()
    else:
        (bundle_dir / ".partial").mkdir()
        (bundle_dir / ".partial" / "lock").touch()
    (bundle_dir / inside).parent.mkdir(parents=True, exist_ok=True)
    airgap.export("pull", f"{memory.host}/team/app:1", *plain(memory), "--output", f"{bundle_dir}/{inside}").fails(
        2, "is a bundle", "write beside it")


def test_output_that_exists_as_something_else_is_refused_and_untouched(airgap: Airgap, memory: MemoryRegistry,
                                                                       tmp_path: Path) -> None:
    """R154."""
    (tmp_path / "letter.txt").write_text("dear")
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "letter.txt").write_text("dear")
    (tmp_path / "folder.tar").mkdir()
    (tmp_path / "link.tar").symlink_to(tmp_path / "letter.txt")
    (tmp_path / "astray").symlink_to(tmp_path / "nowhere")
    os.mkfifo(tmp_path / "pipe.tar")
    (tmp_path / "other.tar").write_text("dear")
    refusals = {"letter.txt": "is no directory", "full": "not empty and is no bundle", 
                "folder.tar": "it is a directory", "link.tar": "symbolic link", "astray": "symbolic link",
                "pipe.tar": "no regular file", "other.tar": "", "nowhere/b.tar": "there is no directory", "b.tar.gz": "FILE.tar", "letter.txt/b": ""}
    before = sorted(tmp_path.rglob("*"))
    airgap.export("pull", f"{memory.host}/team/app:1", *plain(memory), "--output", tmp_path / "full").fails(
        2, "a file in it: NAME.tar")
    for name, says in refusals.items():
        done = airgap.export("pull", f"{memory.host}/team/app:1", *plain(memory), "--output", tmp_path / name)
        assert done.status in (2, 7) and says in done.err and name.split("/")[0] in done.err, done
    for name in ("/", "//", "/tmp/.."):
        airgap.export("pull", f"{memory.host}/team/app:1", *plain(memory), "--output", name).fails(2, "root directory")
    assert sorted(tmp_path.rglob("*")) == before
    assert (tmp_path / "letter.txt").read_text() == (tmp_path / "other.tar").read_text() == "dear"


@pytest.fixture
def mounts(tmp_path: Path) -> Iterator[Path]:
    """A place to mount file systems in; they go with the test."""
    place = tmp_path / "medium"
    place.mkdir()
    yield place
    subprocess.run(["umount", "--lazy", place], capture_output=True)


def mount(place: Path, *options: str) -> None:
    command = ["mount", "-t", "tmpfs", "-o", ",".join(options), "tmpfs", place]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode != 0:
        pytest.skip(f"cannot mount a file system here: {done.stderr.strip()}")


@pytest.mark.parametrize("form", ["bundle", "bundle.tar"])
def test_a_medium_that_is_too_small_is_known_before_the_first_byte(form: str, airgap: Airgap, memory: MemoryRegistry,
                                                                   mounts: Path) -> None:
    """R122, promise 5. With space it goes on."""
    mount(mounts, "size=1m")
    pull = ("pull", f"{memory.host}/team/big:1", *plain(memory), "--output", mounts / form)
    blob = f"/blobs/{BIG.blobs[1].digest}"
    asked = len(memory.requests("GET", blob))
    airgap.export(*pull).fails(7, "2.9 MiB more are needed", "free")
    assert len(memory.requests("GET", blob)) == asked
    subprocess.run(["mount", "-o", "remount,size=16m", mounts], check=True)
    airgap.export(*pull).ok()
    airgap.import_("verify", mounts / form).ok()


def test_a_finished_archive_and_its_successor_need_room_at_once(airgap: Airgap, memory: MemoryRegistry, mounts: Path
                                                                ) -> None:
    mount(mounts, "size=5m")
    pull = ("pull", f"{memory.host}/team/big:1", *plain(memory), "--output", mounts / "bundle.tar")
    airgap.export(*pull).ok()
    airgap.export(*pull, f"{memory.host}/team/app:1", "--overwrite").fails(7, "2.9 MiB more are needed")
    airgap.export(*pull, "--overwrite").ok()
    airgap.import_("verify", mounts / "bundle.tar").ok()


@pytest.mark.parametrize("form", ["bundle", "bundle.tar"])
def test_a_file_larger_than_may_be_written_is_known_before_the_first_byte(
        form: str, airgap: Airgap, memory: MemoryRegistry, tmp_path: Path) -> None:
    pull = ["pull", f"{memory.host}/team/big:1", *plain(memory), "--output", str(tmp_path / form)]
    asked = len(memory.requests("GET", BIG.blobs[1].digest))
    for dry in ([], ["--dry-run"]):
        limited = subprocess.run([executable("airgap-export"), *pull, *dry], env=airgap.environment(),
                                 capture_output=True, text=True,
                                 preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (10**6, 10**6)))
        assert limited.returncode == 7, limited.stderr
        assert "takes no file larger than 977 KiB" in limited.stderr and "ulimit -f" in limited.stderr
    assert len(memory.requests("GET", BIG.blobs[1].digest)) == asked


@pytest.mark.parametrize("form", ["bundle", "bundle.tar"])
def test_a_write_that_fails_midway_leaves_what_a_rerun_finishes(form: str, airgap: Airgap, memory: MemoryRegistry,
                                                                running: Running, tmp_path: Path) -> None:
    """R141: a limit on the size of files, which comes while the layer does, stands for a disk that fills up."""
    output = tmp_path / form
    proxy = running(FaultProxy(memory))
    started = threading.Event()
    limits: list[subprocess.Popen[bytes]] = []

    def limit() -> None:
        assert started.wait(20)
        resource.prlimit(limits[0].pid, resource.RLIMIT_FSIZE, (10**6, resource.RLIM_INFINITY))

    proxy.rule("GET", BIG.blobs[1].digest, times=1, on_match=limit)
    pull = ("pull", f"{proxy.host}/team/big:1", *plain(proxy), "--output", output)
    limits.append(airgap.start("airgap-export", *pull))
    started.set()
    _, said = limits[0].communicate(timeout=60)
    assert limits[0].returncode == 7, said
    assert "File too large" in said.decode() and form in said.decode()
    assert not (output / "SHA256SUMS").exists() and not output.is_file()
    airgap.import_("list", output).fails(5, "unfinished")
    airgap.export(*pull).ok()
    airgap.import_("verify", output).ok()


@pytest.mark.parametrize("form", ["bundle", "bundle.tar"])
def test_a_read_only_medium_is_named(form: str, airgap: Airgap, memory: MemoryRegistry, mounts: Path) -> None:
    """R124."""
    mount(mounts, "ro")
    airgap.export("pull", f"{memory.host}/team/app:1", *plain(memory), "--output", mounts / form).fails(
        7, f"{mounts / form} lies on a file system that is mounted read-only", "mount it for writing")


@pytest.mark.parametrize("mode", [0o700, 0o755])
@pytest.mark.parametrize("form", ["bundle", "bundle.tar"])
def test_a_place_of_another_user_is_exit_7_before_the_first_byte(form: str, mode: int, airgap: Airgap,
                                                                  memory: MemoryRegistry) -> None:
    """The program runs as nobody, where a directory of root must not be entered or not be written."""
    if os.geteuid() != 0:
        pytest.skip("only root can become another user")
    with tempfile.TemporaryDirectory() as place:
        os.chmod(place, mode)
        pull = [executable("airgap-export"), "pull", f"{memory.host}/team/big:1", *plain(memory), "--output", f"{place}/{form}"]
        asked = len(memory.requests("GET", BIG.blobs[1].digest))
        done = subprocess.run(["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", *pull],
                              env=airgap.environment({"HOME": "/nonexistent"}), capture_output=True, text=True)
        assert os.listdir(place) == []
    assert done.returncode == 7, done
    assert place in done.stderr and "Permission denied" in done.stderr and "run as a user who may" in done.stderr, done
    assert len(memory.requests("GET", BIG.blobs[1].digest)) == asked


def test_a_report_that_cannot_be_written_is_known_first(airgap: Airgap, memory: MemoryRegistry, bundle_dir: Path
                                                        ) -> None:
    pull = ("pull", f"{memory.host}/team/app:1", *plain(memory), "--output", bundle_dir)
    for place in ("/nowhere/report.json", "/"):
        airgap.export(*pull, "--report", place).fails(7, f"cannot write the report file '{place}'")
    assert not bundle_dir.exists()


def test_standard_output_that_is_full_or_closed_is_noticed(airgap: Airgap, memory: MemoryRegistry) -> None:
    """A bundle through a pipe into nothing (R134)."""
    pull = [str(executable("airgap-export")), "pull", f"{memory.host}/team/app:1", *plain(memory), "--output", "-"]
    with open("/dev/full", "wb") as full:
        done = subprocess.run(pull, stdout=full, stderr=subprocess.PIPE, env=airgap.environment(), text=True)
    assert done.returncode == 7 and "No space left" in done.stderr and "starts from nothing" in done.stderr, done
    gone = subprocess.run(["bash", "-c", 'set -o pipefail; "$@" | true', "-", *pull], stderr=subprocess.PIPE,
                          env=airgap.environment(), text=True)
    assert gone.returncode == 7 and "the reader of the pipe went away" in gone.stderr, gone


def test_a_terminal_gets_no_bundle(airgap: Airgap, memory: MemoryRegistry) -> None:
    leader, follower = os.openpty()
    pull = [executable("airgap-export"), "pull", f"{memory.host}/team/app:1", *plain(memory), "--output", "-"]
    done = subprocess.run(pull, stdout=follower, stderr=subprocess.PIPE, env=airgap.environment(), text=True)
    os.close(leader)
    os.close(follower)
    assert done.returncode == 2 and "terminal" in done.stderr, done
