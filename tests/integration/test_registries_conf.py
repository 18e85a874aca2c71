"""registries.conf as podman and skopeo have it: mirrors, locations, blocked registries, short names, files and their order."""

from pathlib import Path
from typing import Any, Callable

import pytest
from conftest import MakeRegistry, Running

from support import oci, skopeo
from support.airgap import Airgap, Result, plain
from support.memory_registry import MemoryRegistry
from support.ports import free_port
from support.proxy import FaultProxy
from support.pulling import BUSYBOX, assert_whole
from support.registry import Registry
from support.small_bundle import small_image, small_layer
from support.source import SourceImages

Conf = Callable[[str], Path]
Pull = Callable[..., Result]


@pytest.fixture
def conf(airgap: Airgap, tmp_path: Path) -> Conf:
    """conf(text): what registries.conf says in every run of this test."""
    def write(text: str) -> Path:
        file = tmp_path / "registries.conf"
        file.write_text(text)
        airgap.env["CONTAINERS_REGISTRIES_CONF"] = str(file)
        return file

    return write


@pytest.fixture
def pull(airgap: Airgap, bundle_dir: Path) -> Pull:
    """pull(image, options…): for linux/amd64, without repeats."""
    def run(*arguments: object, **how: Any) -> Result:
        return airgap.export("pull", *arguments, "--platform", "linux/amd64", "--retry", 0, "--output",
                             f"{bundle_dir}/", **how)

    return run


@pytest.fixture
def dead() -> str:
    """A host and port where nobody answers."""
    return f"127.0.0.1:{free_port()}"


def rule(location: str, *mirrors: str, prefix: str = "", more: str = "") -> str:
    """A [[registry]]; everything is reached over plain http, as insecure allows. Mirrors: "host/path" or that and
    lines of TOML."""
    lines = ["[[registry]]", *([f'prefix = "{prefix}"'] if prefix else []), f'location = "{location}"',
             "insecure = true", more]
    for mirror in mirrors:
        place, _, rest = mirror.partition("\n")
        lines += ["[[registry.mirror]]", f'location = "{place}"', "insecure = true", rest]
    return "\n".join(lines) + "\n"


def names_in(airgap: Airgap, bundle: Path) -> list[str]:
    return sorted(image["name"] for image in airgap.import_("list", bundle, "--json").ok().events()[0]["images"])


def digest_by_skopeo(conf: Path, image: str) -> str:
    """Where skopeo reads the name by the same file."""
    return skopeo.digest_with(("--registries-conf", str(conf)), f"docker://{image}")


def memory(running: Running, tag: str, image: oci.Manifest, **options: Any) -> MemoryRegistry:
    registry = running(MemoryRegistry(**options))
    registry.add("team/app", tag, image)
    return registry


def pulled_digest(airgap: Airgap, bundle: Path) -> str:
    return str(airgap.import_("list", bundle, "--json").ok().events()[0]["images"][0]["digest"])


def test_a_mirror_answers_when_the_registry_is_down(airgap: Airgap, conf: Conf, pull: Pull, dead: str, source: Registry,
                                                    source_images: SourceImages, bundle_dir: Path) -> None:
    file = conf(rule(dead, source.host))
    pull(f"{dead}/{BUSYBOX}").fails(3, f"asking {dead}|location cannot be asked", "--no-referrers")
    pull(f"{dead}/{BUSYBOX}", "--no-referrers").ok()
    assert names_in(airgap, bundle_dir) == [f"{dead}/{BUSYBOX}"]  # the name is the one that was asked for
    assert pulled_digest(airgap, bundle_dir) == source_images[BUSYBOX].digest
    assert digest_by_skopeo(file, f"{dead}/{BUSYBOX}") == source_images[BUSYBOX].digest
    assert_whole(airgap, bundle_dir)


def test_mirrors_are_asked_in_order_and_the_registry_last(airgap: Airgap, conf: Conf, pull: Pull, dead: str,
                                                          make_registry: MakeRegistry, running: Running,
                                                          source_images: SourceImages, bundle_dir: Path) -> None:
    empty, origin = running(MemoryRegistry()), make_registry(filled=True)
    file = conf(rule(origin.host, f"{dead}/hub", f"{empty.host}/hub"))
    done = pull(f"{origin.host}/{BUSYBOX}").ok()
    assert done.err.count("fails, the next place is asked") == 1  # the one that is down; the other only lacks it
    assert f"mirror {dead}/hub/tools/busybox fails" in done.err
    assert ("HEAD", "/v2/hub/tools/busybox/manifests/1.35") in empty.seen
    assert pulled_digest(airgap, bundle_dir) == source_images[BUSYBOX].digest
    assert digest_by_skopeo(file, f"{origin.host}/{BUSYBOX}") == source_images[BUSYBOX].digest


def test_nothing_but_the_mirror_is_asked_for_what_it_has(airgap: Airgap, conf: Conf, pull: Pull,
                                                         make_registry: MakeRegistry) -> None:
    mirror, origin = make_registry(filled=True), make_registry(filled=True)
    conf(rule(origin.host, mirror.host))
    pull(f"{origin.host}/{BUSYBOX}", "--no-referrers").ok()
    assert origin.requests() == []
    assert mirror.requests("GET", "/blobs/")


def test_when_all_are_down_the_error_names_them_all(conf: Conf, pull: Pull, dead: str) -> None:
    first, second = f"127.0.0.1:{free_port()}", f"127.0.0.1:{free_port()}"
    conf(rule(dead, first, second))
    pull(f"{dead}/{BUSYBOX}").fails(3, rf"asking {dead}/tools/busybox after {first}/tools/busybox failed, "
                                       rf"{second}/tools/busybox failed")


def test_a_mirror_for_digests_is_never_asked_for_a_tag(airgap: Airgap, conf: Conf, pull: Pull, running: Running,
                                                       bundle_dir: Path) -> None:
    old, new = small_image(1), small_image(2)
    mirror, origin = memory(running, "1", old), memory(running, "1", new)
    mirror.add("team/app", None, new)
    conf(rule(origin.host, f'{mirror.host}\npull-from-mirror = "digest-only"'))
    pull(f"{origin.host}/team/app:1").ok()
    assert pulled_digest(airgap, bundle_dir) == new.digest  # the mirror's stale tag counts for nothing
    assert mirror.requests(path="/manifests/1$") == []
    assert mirror.requests("GET", "/blobs/") and not origin.requests("GET", "/blobs/")


def test_a_stale_mirror_for_digests_leaves_what_it_lacks_to_the_registry(airgap: Airgap, conf: Conf, pull: Pull,
                                                                         running: Running, bundle_dir: Path) -> None:
    mirror, origin = memory(running, "1", small_image(1)), memory(running, "1", small_image(2))
    conf(rule(origin.host, mirror.host, more="mirror-by-digest-only = true"))
    pull(f"{origin.host}/team/app:1").ok()
    assert pulled_digest(airgap, bundle_dir) == small_image(2).digest


def test_wrong_bytes_of_a_mirror_are_replaced_by_the_registrys(airgap: Airgap, conf: Conf, pull: Pull, running: Running,
                                                               bundle_dir: Path) -> None:
    image = small_image(1)
    mirror, origin = memory(running, "1", image), memory(running, "1", image)
    layer = image.blobs[-1]
    mirror.blobs[layer.digest] = bytes(len(layer.data))
    conf(rule(origin.host, mirror.host))
    done = pull(f"{origin.host}/team/app:1").ok()
    assert f"{layer.digest} is read again, at {origin.host}/team/app after {mirror.host}/team/app" in done.err
    assert_whole(airgap, bundle_dir)


def test_a_wrong_manifest_of_a_mirror_is_replaced_by_the_registrys(airgap: Airgap, conf: Conf, pull: Pull,
                                                                   running: Running, bundle_dir: Path) -> None:
    image = small_image(1)
    mirror, origin = memory(running, "1", image), memory(running, "1", image)
    mirror.put("team/app", image.digest, image.data + b" ", image.media_type)
    conf(rule(origin.host, mirror.host))
    pull(f"{origin.host}/team/app:1").ok()
    assert pulled_digest(airgap, bundle_dir) == image.digest
    assert_whole(airgap, bundle_dir)


def test_a_wrong_manifest_that_nobody_has_right_is_an_integrity_failure(conf: Conf, pull: Pull, running: Running) -> None:
    image = small_image(1)
    mirror, origin = memory(running, "1", image), running(MemoryRegistry())
    mirror.put("team/app", image.digest, image.data + b" ", image.media_type)
    conf(rule(origin.host, mirror.host))
    pull(f"{origin.host}/team/app:1").fails(5, rf"http://{mirror.host} served wrong bytes")


def test_all_tags_are_those_of_the_registry_not_of_a_mirror(airgap: Airgap, conf: Conf, pull: Pull, running: Running,
                                                            bundle_dir: Path, dead: str) -> None:
    mirror, origin = memory(running, "1", small_image(1)), memory(running, "1", small_image(1))
    origin.add("team/app", "2", small_image(2))
    conf(rule(origin.host, mirror.host) + rule(dead, mirror.host))
    pull("--all-tags", f"{origin.host}/team/app").ok()
    assert names_in(airgap, bundle_dir) == [f"{origin.host}/team/app:{tag}" for tag in "12"]
    pull("--all-tags", f"{dead}/team/app").fails(3, dead)  # a mirror may know a part of them alone


def test_signatures_are_found_where_a_mirror_knows_of_none(airgap: Airgap, conf: Conf, pull: Pull, running: Running,
                                                           bundle_dir: Path) -> None:
    image, referrer = small_image(1), small_image(2)
    mirror, origin = memory(running, "1", image), memory(running, "1", image)
    origin.add_referrer("team/app", image, referrer)
    conf(rule(origin.host, mirror.host))
    pull(f"{origin.host}/team/app:1").ok()
    assert f"{origin.host}/team/app@{referrer.digest}" in names_in(airgap, bundle_dir)


@pytest.mark.parametrize("asked", ["the referrers", "the tags"])
@pytest.mark.parametrize("location", ["fails", "is blocked"])
def test_signatures_are_not_lost_where_mirrors_alone_answer(location: str, asked: str, airgap: Airgap, conf: Conf,
                                                            pull: Pull, running: Running, bundle_dir: Path) -> None:
    """A mirror that lists none may not know; one that lists some does."""
    image, signature = small_image(1), small_image(2)
    tag = image.digest.replace(":", "-") + ".sig"
    mirror, origin = (memory(running, "1", image, referrers_api=asked == "the referrers") for _ in range(2))
    proxy = running(FaultProxy(origin))
    proxy.rule("GET", "/referrers/" if asked == "the referrers" else "/tags/list", status=503)
    conf(rule(proxy.host, mirror.host, more="blocked = true" if location == "is blocked" else ""))
    origin.add_referrer("team/app", image, signature)
    origin.add("team/app", tag, signature)
    pull(f"{proxy.host}/team/app:1").fails(3, "accompanies sha256:", f"location (is|could|cannot be)", "--no-referrers")
    assert not bundle_dir.exists()
    pull(f"{proxy.host}/team/app:1", "--no-referrers").ok()
    assert names_in(airgap, bundle_dir) == [f"{proxy.host}/team/app:1"]
    if asked == "the referrers":
        mirror.add_referrer("team/app", image, signature)
    mirror.add("team/app", tag, signature)
    pull(f"{proxy.host}/team/app:1").ok()
    assert f"{proxy.host}/team/app:{tag}" in names_in(airgap, bundle_dir)


def test_a_large_config_is_read_twice_from_the_mirror_alone(conf: Conf, pull: Pull, running: Running) -> None:
    """It is not kept between resolving and fetching; to be asked for again is no complaint about the bytes."""
    config = {"architecture": "amd64", "os": "linux", "config": {"Labels": {"notes": "x" * 100_000}},
              "rootfs": {"type": "layers", "diff_ids": []}}
    image = oci.artifact(oci.Blob(oci.to_json(config), oci.OCI_CONFIG), [small_layer(1, 2000)])
    mirror, origin = memory(running, "1", image), memory(running, "1", image)
    conf(rule(origin.host, mirror.host))
    pull(f"{origin.host}/team/app:1", "--no-referrers").ok()
    assert len(mirror.requests("GET", f"/blobs/{image.blobs[0].digest}")) == 2
    assert origin.requests() == []


def test_a_prefix_is_read_at_its_location_and_keeps_its_name(airgap: Airgap, conf: Conf, pull: Pull, source: Registry,
                                                             source_images: SourceImages, bundle_dir: Path) -> None:
    file = conf(rule(f"{source.host}/tools", prefix="quay.io/org") +
                rule(dead_end := "127.0.0.1:9/nowhere", prefix="quay.io"))
    pull("quay.io/org/busybox:1.35").ok()
    assert names_in(airgap, bundle_dir) == ["quay.io/org/busybox:1.35"]
    assert pulled_digest(airgap, bundle_dir) == source_images[BUSYBOX].digest
    assert digest_by_skopeo(file, "quay.io/org/busybox:1.35") == source_images[BUSYBOX].digest
    pull("quay.io/organ/busybox:1.35").fails(3, dead_end.partition("/")[0])  # another prefix


def test_what_is_nowhere_is_told_with_the_places_that_were_asked(conf: Conf, pull: Pull, running: Running) -> None:
    mirror, origin = running(MemoryRegistry()), running(MemoryRegistry())
    conf(rule(f"{origin.host}/org", f"{mirror.host}/hub", prefix="quay.io"))
    pull("quay.io/app:1").fails(3, "quay.io/app:1 does not exist in its registry",
                                f"quay.io/app was looked for at {mirror.host}/hub/app, {origin.host}/org/app")


def test_a_wildcard_stands_for_all_subdomains(airgap: Airgap, conf: Conf, pull: Pull, source: Registry,
                                              source_images: SourceImages, bundle_dir: Path) -> None:
    file = conf(f'[[registry]]\nprefix = "*.corp.example"\n[[registry.mirror]]\nlocation = "{source.host}"\n'
                "insecure = true\n")
    pull(f"a.b.corp.example/{BUSYBOX}", "--no-referrers").ok()
    assert pulled_digest(airgap, bundle_dir) == source_images[BUSYBOX].digest
    assert digest_by_skopeo(file, f"a.b.corp.example/{BUSYBOX}") == source_images[BUSYBOX].digest


def test_a_blocked_registry_is_not_asked(conf: Conf, pull: Pull, make_registry: MakeRegistry) -> None:
    origin = make_registry(filled=True)
    file = conf(rule(origin.host, more="blocked = true"))
    pull(f"{origin.host}/{BUSYBOX}").fails(2, rf"{origin.host}/tools/busybox is blocked by {file}:1:1",
                                           "--registries-conf")
    assert origin.requests() == []


def test_a_blocked_registry_with_a_mirror_is_read_from_the_mirror_alone(conf: Conf, pull: Pull,
                                                                        make_registry: MakeRegistry) -> None:
    mirror, origin = make_registry(filled=True), make_registry(filled=True)
    conf(rule(origin.host, mirror.host, more="blocked = true"))
    pull(f"{origin.host}/{BUSYBOX}", "--no-referrers").ok()
    assert origin.requests() == []


def test_a_blocked_target_is_not_pushed_to(airgap: Airgap, conf: Conf, pull: Pull, source: Registry, registry: Registry,
                                           bundle_dir: Path) -> None:
    pull(f"{source.host}/{BUSYBOX}", *plain(source)).ok()
    file = conf(rule(registry.host, more="blocked = true"))
    airgap.import_("push", bundle_dir, registry.host).fails(2, rf"is blocked by {file}:1:1")
    assert registry.requests() == []


def test_an_insecure_target_needs_no_option(airgap: Airgap, conf: Conf, pull: Pull, source: Registry, registry: Registry,
                                            source_images: SourceImages, bundle_dir: Path) -> None:
    pull(f"{source.host}/{BUSYBOX}", *plain(source)).ok()
    airgap.import_("push", bundle_dir, registry.host, "--retry", 0).fails(3)
    conf(rule(registry.host))
    airgap.import_("push", bundle_dir, registry.host).ok()
    assert registry.client().digest("tools/busybox", "1.35") == source_images[BUSYBOX].digest


def test_pushing_never_asks_a_mirror_of_the_target(airgap: Airgap, conf: Conf, pull: Pull, running: Running,
                                                   registry: Registry, bundle_dir: Path) -> None:
    image = small_image(1)
    mirror = memory(running, "1", image)  # holds all of it: a tool that asked here would send nothing
    pull(f"{mirror.host}/team/app:1", *plain(mirror)).ok()
    mirror.seen.clear()
    conf(rule(registry.host, mirror.host))
    airgap.import_("push", bundle_dir, registry.host).ok()
    assert mirror.seen == []
    assert registry.client().digest("team/app", "1") == image.digest


def test_a_list_that_wants_tls_verified_wins_over_insecure(airgap: Airgap, conf: Conf, pull: Pull, source: Registry,
                                                           tmp_path: Path) -> None:
    conf(rule(source.host))
    listed = tmp_path / "sync.yaml"
    listed.write_text(f'"{source.host}":\n  tls-verify: true\n  images:\n    tools/busybox: ["1.35"]\n')
    pull("--from", listed).fails(3)


@pytest.mark.parametrize("from_list", [False, True])
def test_an_alias_says_what_a_short_name_means(airgap: Airgap, conf: Conf, pull: Pull, source: Registry, from_list: bool,
                                               source_images: SourceImages, bundle_dir: Path, tmp_path: Path) -> None:
    file = conf(rule(source.host) + f'[aliases]\nmybox = "{source.host}/tools/busybox"\n')
    listed = tmp_path / "images.txt"
    listed.write_text("mybox:1.35\n")
    done = pull(*(("--from", listed) if from_list else ("mybox:1.35",))).ok()
    assert f"mybox:1.35 is {source.host}/{BUSYBOX}, says {file}" in done.err
    assert names_in(airgap, bundle_dir) == [f"{source.host}/{BUSYBOX}"]


def test_an_alias_does_not_change_what_a_yaml_says(airgap: Airgap, conf: Conf, pull: Pull, running: Running, dead: str,
                                                   bundle_dir: Path, tmp_path: Path) -> None:
    served = running(MemoryRegistry())
    served.add("app", "1", small_image(1))
    conf(rule(served.host) + f'[aliases]\napp = "{dead}/app"\n')
    listed = tmp_path / "sync.yaml"
    listed.write_text(f'"{served.host}":\n  images:\n    app: ["1"]\n')
    pull("--from", listed).ok()
    assert names_in(airgap, bundle_dir) == [f"{served.host}/app:1"]


def test_the_users_files_are_read_and_drop_ins_come_last(airgap: Airgap, pull: Pull, dead: str, source: Registry,
                                                         source_images: SourceImages, bundle_dir: Path) -> None:
    airgap.env["CONTAINERS_REGISTRIES_CONF"] = ""
    folder = airgap.home / ".config" / "containers"
    (folder / "registries.conf.d").mkdir(parents=True)
    (folder / "registries.conf").write_text(rule(dead, prefix="quay.io"))
    pull(f"quay.io/{BUSYBOX}").fails(3, dead)
    (folder / "registries.conf.d" / "10-inside.conf").write_text(rule(source.host, prefix="quay.io"))
    pull(f"quay.io/{BUSYBOX}").ok()
    assert pulled_digest(airgap, bundle_dir) == source_images[BUSYBOX].digest


def test_the_option_names_the_one_file_or_none(airgap: Airgap, conf: Conf, pull: Pull, source: Registry,
                                               tmp_path: Path) -> None:
    conf(rule(source.host, more="blocked = true"))
    pull(f"{source.host}/{BUSYBOX}").fails(2, "blocked")
    pull(f"{source.host}/{BUSYBOX}", *plain(source), "--registries-conf", "none").ok()
    other = tmp_path / "other.conf"
    other.write_text(rule(source.host))
    pull(f"{source.host}/{BUSYBOX}", "--registries-conf", other).ok()


@pytest.mark.parametrize(("text", "message"), [
    ("[[registry]\n", r"registries.conf:1:\d+: this is not TOML"),
    ('[[registry]]\nlocation = "https://a.example"\n', r"registries.conf:2:12: bad location 'https://a.example'"),
    ('[[registry]]\nlocation = "a.example"\ninsecure = "yes"\n', r"registries.conf:3:12: expected true or false"),
    ("[registries.search]\nregistries = ['docker.io']\n", r"format of version 1, which is not read"),
    ("[aliases]\n'a.example/b' = 'c.example/d'\n", r"bad short name 'a.example/b'"),
])
def test_a_bad_file_is_refused_with_its_place(airgap: Airgap, conf: Conf, pull: Pull, registry: Registry, text: str,
                                              message: str, bundle_dir: Path) -> None:
    conf(text)
    pull("app:1").fails(2, message)
    assert not bundle_dir.exists()


def test_a_named_file_that_is_absent_is_refused(pull: Pull, tmp_path: Path) -> None:
    pull("app:1", "--registries-conf", tmp_path / "absent.conf").fails(2, "absent.conf")


def test_a_key_of_another_program_is_passed_over_with_a_warning(airgap: Airgap, conf: Conf, pull: Pull,
                                                                source: Registry) -> None:
    conf("sausage = 1\n" + rule(source.host))
    assert "registries.conf:1:11: unknown key 'sausage', passed over\n" in pull(f"{source.host}/{BUSYBOX}").ok().err


@pytest.mark.parametrize("text, said", [
    ("unqualified-search-registrie = []\n", "1:32: unknown key 'unqualified-search-registrie', passed over; "
                                            "did you mean 'unqualified-search-registries'?"),
    ("[aliasses]\n", "1:1: unknown key 'aliasses', passed over; did you mean 'aliases'?")])
def test_a_misspelt_key_is_shown_with_what_was_meant(text: str, said: str, conf: Conf, pull: Pull, source: Registry
                                                     ) -> None:
    """podman passes over it too; a typo in `blocked` or `insecure` would do harm unseen."""
    conf(text + rule(source.host))
    assert f"registries.conf:{said}" in pull(f"{source.host}/{BUSYBOX}").ok().err
