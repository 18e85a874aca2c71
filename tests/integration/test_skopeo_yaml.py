"""A user of `skopeo sync` brings the YAML along: it means the same here, and what skopeo passes over is told."""

import base64
import json
import re
from pathlib import Path
from typing import Any, Callable

import pytest
from conftest import PASSWORD, USER, MakeRegistry, Running

from support import oci
from support.airgap import Airgap, Result
from support.certs import Authority
from support.memory_registry import MemoryRegistry
from support.proxy import FaultProxy
from support.registry import Registry, Tls

IMAGE = oci.image([oci.tar_layer({"etc/motd": b"hello"})])
TAGS = ("1.0.0", "1.1.0", "1.10", "1.9.9-rc.1", "2.0.0", "latest")
PullYaml = Callable[..., Result]


@pytest.fixture
def memory(running: Running) -> MemoryRegistry:
    served = running(MemoryRegistry())
    for tag in TAGS:
        served.add("team/app", tag, IMAGE)
    return served


@pytest.fixture
def pull_yaml(airgap: Airgap, bundle_dir: Path, tmp_path: Path) -> PullYaml:
    """pull_yaml(text or value, options…): what a pull of that file says; JSON is YAML."""
    def run(content: Any, *options: object) -> Result:
        file = tmp_path / "sync.yaml"
        file.write_text(content if isinstance(content, str) else json.dumps(content))
        file.chmod(0o600)
        return airgap.export("pull", "--from", file, *options, "--retry", 0, "--output", f"{bundle_dir}/")

    return run


def names(airgap: Airgap, bundle: Path) -> list[str]:
    """The images of a bundle without their registry."""
    images = airgap.import_("list", bundle, "--json").ok().events()[0]["images"]
    return sorted(image["name"].split("/", 1)[1] for image in images)


def plain(server: Any, **section: Any) -> dict[str, Any]:
    return {server.host: {"tls-verify": False, **section}}


# --- what skopeo's own tests of sync ask for ---

def test_an_empty_list_takes_all_tags(airgap: Airgap, memory: MemoryRegistry, pull_yaml: PullYaml,
                                      bundle_dir: Path) -> None:
    pull_yaml(f"{memory.host}:\n  tls-verify: false\n  images:\n    team/app: []\n").ok()
    assert names(airgap, bundle_dir) == sorted(f"team/app:{tag}" for tag in TAGS)
    airgap.import_("verify", bundle_dir).ok()


def test_no_list_takes_all_tags_too(airgap: Airgap, source: Registry, pull_yaml: PullYaml, bundle_dir: Path) -> None:
    pull_yaml(f"{source.host}:\n  tls-verify: false\n  images:\n    team/app:\n").ok()
    assert names(airgap, bundle_dir) == ["team/app:1.0", "team/app:1.1"]


def test_a_regular_expression_chooses_tags(airgap: Airgap, memory: MemoryRegistry, pull_yaml: PullYaml,
                                           bundle_dir: Path) -> None:
    pull_yaml(plain(memory, **{"images-by-tag-regex": {"team/app": r"^1\.\d+\.0$"}})).ok()
    assert names(airgap, bundle_dir) == ["team/app:1.0.0", "team/app:1.1.0"]


def test_a_digest_takes_one_image(airgap: Airgap, memory: MemoryRegistry, pull_yaml: PullYaml,
                                  bundle_dir: Path) -> None:
    pull_yaml(plain(memory, images={"team/app": [IMAGE.digest]})).ok()
    assert names(airgap, bundle_dir) == [f"team/app@{IMAGE.digest}"]


def test_several_registries_and_repositories_are_taken(airgap: Airgap, source: Registry, memory: MemoryRegistry,
                                                       pull_yaml: PullYaml, bundle_dir: Path) -> None:
    pull_yaml(f"""
# Numbers need no quotes: 1.10 stays 1.10.
{source.host}:
  tls-verify: false
  images:
    team/app: [1.0]
    tools/busybox:
      - 1.35
{memory.host}:
  tls-verify: false
  images:
    team/app:
      - 1.10
      - latest
""", "--scoped").ok()
    assert names(airgap, bundle_dir) == ["team/app:1.0", "team/app:1.10", "team/app:latest", "tools/busybox:1.35"]


def test_tls_verify_false_is_for_its_registry_alone(source: Registry, memory: MemoryRegistry,
                                                    pull_yaml: PullYaml) -> None:
    images = {"team/app": ["1.0"]}
    pull_yaml({source.host: {"images": images, "tls-verify": False}}).ok()
    pull_yaml({source.host: {"images": images, "tls-verify": True}}).fails(3, source.host)
    pull_yaml({source.host: {"images": images}}).fails(3, source.host)
    pull_yaml(plain(memory, images={"team/app": ["latest"]}) | {source.host: {"images": images}}).fails(3, source.host)


def test_the_file_goes_before_the_command_line(source: Registry, pull_yaml: PullYaml) -> None:
    images = {"team/app": ["1.0"]}
    pull_yaml({source.host: {"images": images, "tls-verify": True}}, "--insecure", source.host).fails(3, source.host)
    pull_yaml({source.host: {"images": images}}, "--insecure", source.host).ok()


# --- versions ---

@pytest.mark.parametrize("constraint, tags", [
    (">=1.0.0, <2", ["1.0.0", "1.1.0", "1.10"]),
    ("^1.0.0-0", ["1.0.0", "1.1.0", "1.10", "1.9.9-rc.1"]),
    ("1.0 - 1.1 || 2.x", ["1.0.0", "1.1.0", "2.0.0"]),
    ("*", ["1.0.0", "1.1.0", "1.10", "2.0.0"]),
])
def test_a_version_constraint_chooses_tags(constraint: str, tags: list[str], airgap: Airgap, memory: MemoryRegistry,
                                           pull_yaml: PullYaml, bundle_dir: Path) -> None:
    pull_yaml(plain(memory, **{"images-by-semver": {"team/app": constraint}})).ok()
    assert names(airgap, bundle_dir) == sorted(f"team/app:{tag}" for tag in tags)


def test_a_repository_in_several_blocks_is_listed_once_and_carried_once(airgap: Airgap, memory: MemoryRegistry,
                                                                        pull_yaml: PullYaml, bundle_dir: Path) -> None:
    pull_yaml(plain(memory, images={"team/app": ["1.0.0"]}, **{"images-by-tag-regex": {"team/app": r"^1\.0"},
                                                               "images-by-semver": {"team/app": "~1.0"}})).ok()
    assert names(airgap, bundle_dir) == ["team/app:1.0.0"]
    assert len(memory.requests("GET", "/tags/list")) == 1


def test_a_signature_among_all_tags_still_belongs_to_its_image(airgap: Airgap, memory: MemoryRegistry,
                                                               pull_yaml: PullYaml, bundle_dir: Path) -> None:
    memory.add("team/app", oci.cosign_tag(IMAGE.digest), oci.signature_for(IMAGE))
    pull_yaml(plain(memory, images={"team/app": []})).ok()
    images = json.loads((bundle_dir / "bundle.json").read_text())["images"]
    assert len(images) == len(TAGS) + 1
    assert [image["subject"] for image in images if image.get("subject")] == [IMAGE.digest]


# --- credentials and certificates ---

def test_credentials_reach_their_own_registry_and_no_other(make_registry: MakeRegistry, source: Registry,
                                                           running: Running, pull_yaml: PullYaml) -> None:
    guarded = make_registry(filled=True, htpasswd={USER: PASSWORD})
    proxy, other = running(FaultProxy(guarded)), running(FaultProxy(source))
    credentials = {"username": USER, "password": PASSWORD}
    pull_yaml(plain(proxy, images={"tools/busybox": ["1.35"]}, credentials=credentials)
              | plain(other, images={"team/app": ["1.0"]})).ok()
    assert proxy.saw_credentials()
    assert not other.saw_credentials()


def test_wrong_credentials_are_exit_4_and_are_not_shown(make_registry: MakeRegistry, pull_yaml: PullYaml) -> None:
    guarded = make_registry(filled=True, htpasswd={USER: PASSWORD})
    result = pull_yaml(plain(guarded, images={"tools/busybox": []},
                             credentials={"username": USER, "password": "hunter2"})).fails(4, guarded.host)
    assert "hunter2" not in result.err
    assert base64.b64encode(f"{USER}:hunter2".encode()).decode() not in result.err


def test_a_cert_dir_is_for_its_registry_alone(make_registry: MakeRegistry, authority: Authority, tls: Tls,
                                              pull_yaml: PullYaml, tmp_path: Path) -> None:
    first, second = (make_registry(filled=True, tls=tls, tls_context=authority.client_context()) for _ in range(2))
    certs = tmp_path / "certs"
    certs.mkdir()
    (certs / "ca.crt").write_bytes(authority.cert.read_bytes())
    trusted = {first.host: {"images": {"tools/busybox": ["1.35"]}, "cert-dir": str(certs)}}
    pull_yaml(trusted).ok()
    pull_yaml(trusted | {second.host: {"images": {"team/app": ["1.0"]}}}).fails(3, second.host, "unknown authority")


# --- what skopeo passes over (exit 0 there) ---

@pytest.mark.parametrize("section, message", [
    ({"image": {"team/app": []}}, r"sync.yaml:1:\d+: unknown key 'image'"),
    ({"images": {"Team/app": []}}, r"sync.yaml:1:\d+: bad image name"),
    ({"images": {"team/app": ["not a tag"]}}, r"sync.yaml:1:\d+: 'not a tag' is no tag"),
    ({"images": {"team/app:1": []}}, "has a tag or a digest"),
    ({"images-by-tag-regex": {"team/app": "("}}, r"sync.yaml:1:\d+: bad regular expression"),
    ({"images-by-semver": {"team/app": "newest"}}, r"sync.yaml:1:\d+: bad version constraint"),
])
def test_a_mistake_in_the_file_is_exit_2_before_any_request(section: dict[str, Any], message: str,
                                                            memory: MemoryRegistry, pull_yaml: PullYaml,
                                                            bundle_dir: Path) -> None:
    pull_yaml(plain(memory, **section)).fails(2, message)
    assert memory.requests(".*", "") == []
    assert not bundle_dir.exists()


@pytest.mark.parametrize("lines, place, message, hint", [
    (["images:", "  team/app: *nowhere"], "3:15", "anchors and aliases are not taken", "needs quotes"),
    (["images:", "  team/app: &here []", "  team/web: *here"], "3:15", "anchors and aliases are not taken", "write the"),
    (["images-by-tag-regex:", "  team/app: *-alpine"], "3:15", "anchors and aliases are not taken", "needs quotes"),
    (["images: {a: []}", "credentials:", "  username: me", "  pasword: canary-4711"], "5:5", "unknown key, not shown", "mean 'password'"),
    (["images: {a: []}", "credentials:", "  canary-4711: me"], "4:5", "unknown key, not shown",
     "there are: username, password, identitytoken"),
    (["images-by-semvers:", "  team/app: 1"], "2:3", "unknown key 'images-by-semvers'", "mean 'images-by-semver'"),
])
def test_a_mistake_is_shown_at_its_line_and_column_with_what_was_meant(
        lines: list[str], place: str, message: str, hint: str, airgap: Airgap, tmp_path: Path) -> None:
    file = tmp_path / "sync.yaml"
    file.write_text("127.0.0.1:1:\n" + "".join(f"  {line}\n" for line in lines))
    said = airgap.export("pull", "--from", file, "--output", tmp_path / "b.tar").fails(
        2, re.escape(f"{file}:{place}: {message}"), f"hint: .*{hint}")
    assert "canary-4711" not in said.out + said.err


@pytest.mark.parametrize("block, rule", [("images-by-tag-regex", "^3"), ("images-by-semver", ">=3")])
def test_what_matches_nothing_is_exit_2(block: str, rule: str, memory: MemoryRegistry, pull_yaml: PullYaml) -> None:
    pull_yaml(plain(memory, **{block: {"team/app": rule}})).fails(
        2, rf"sync.yaml:1:\d+: no tag of {memory.host}/team/app .*'{rule.replace('^', '.')}' \(6 tags\)", "--allow-empty",
        "1.0.0, 1.1.0")


def test_allow_empty_takes_the_rest(airgap: Airgap, memory: MemoryRegistry, pull_yaml: PullYaml,
                                    bundle_dir: Path) -> None:
    nothing = plain(memory, **{"images-by-semver": {"team/app": ">=3"}})
    pull_yaml(nothing, "--allow-empty").fails(2, "no tag of any repository is wanted")
    some = plain(memory, images={"team/app": ["latest"]}, **{"images-by-semver": {"team/app": ">=3"}})
    pull_yaml(some, "--allow-empty").fails(0, "warning: .*no tag of")
    assert names(airgap, bundle_dir) == ["team/app:latest"]


@pytest.mark.parametrize("status, exit_status", [(404, 3), (401, 4), (503, 3)])
def test_a_tag_list_that_fails_fails_the_run(status: int, exit_status: int, memory: MemoryRegistry, running: Running,
                                             pull_yaml: PullYaml, bundle_dir: Path) -> None:
    proxy = running(FaultProxy(memory))
    proxy.rule("GET", "/tags/list", status=status)
    pull_yaml(plain(proxy, images={"team/app": []})).fails(exit_status, f"{proxy.host}")
    assert not (bundle_dir / "SHA256SUMS").exists()


def test_keep_going_takes_the_other_repositories(airgap: Airgap, memory: MemoryRegistry, pull_yaml: PullYaml,
                                                 bundle_dir: Path) -> None:
    pull_yaml(plain(memory, images={"team/app": [], "team/none": []}), "--keep-going").fails(
        3, f"{memory.host}/team/none is left out: .*does not exist")
    assert names(airgap, bundle_dir) == sorted(f"team/app:{tag}" for tag in TAGS)


# --- the command line's word for it ---

def test_all_tags_of_a_repository(airgap: Airgap, source: Registry, bundle_dir: Path) -> None:
    airgap.export("pull", "--all-tags", f"{source.host}/team/app", f"{source.host}/tools/busybox:1.35", "--plain-http",
                  source.host, "--output", f"{bundle_dir}/").ok()
    assert names(airgap, bundle_dir) == ["team/app:1.0", "team/app:1.1", "tools/busybox:1.35"]


def test_the_file_may_come_by_standard_input(airgap: Airgap, source: Registry, bundle_dir: Path) -> None:
    yaml = f"{source.host}:\n  tls-verify: no\n  images: {{team/app: [1.0]}}\n"
    airgap.export("pull", "--from", "-", "--output", f"{bundle_dir}/", input=yaml.encode()).ok()
    assert names(airgap, bundle_dir) == ["team/app:1.0"]


def test_a_list_may_be_a_link(airgap: Airgap, source: Registry, bundle_dir: Path, tmp_path: Path) -> None:
    (tmp_path / "lists").write_text(f"{source.host}/team/app:1.0\n")
    (tmp_path / "today").symlink_to("lists")
    airgap.export("pull", "--from", tmp_path / "today", "--plain-http", source.host, "--output", f"{bundle_dir}/").ok()
    assert names(airgap, bundle_dir) == ["team/app:1.0"]
