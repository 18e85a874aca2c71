"""A user takes what accompanies an image, which costs a list of tags: paged, strange, endless, or somewhere else."""

from pathlib import Path
from typing import Any, Callable

import pytest
from conftest import Running

from support import oci
from support.airgap import Airgap, Result
from support.memory_registry import MemoryRegistry
from support.proxy import FaultProxy
from support.pulling import assert_unfinished, assert_whole, pull

IMAGE = oci.image([oci.tar_layer({"etc/motd": b"hello"})])
SIGNATURE = oci.signature_for(IMAGE)
SIGNATURE_TAG = oci.cosign_tag(IMAGE.digest)
NAME = "team/app:1"


@pytest.fixture
def registry(running: Running) -> MemoryRegistry:
    """A signed image, and the signature's tag among others. Lists have two tags a page."""
    served = running(MemoryRegistry(page_size=2))
    for tag in ("1", "2", "3", "4", "zz"):
        served.add("team/app", tag, IMAGE)
    served.add("team/app", SIGNATURE_TAG, SIGNATURE)
    return served


@pytest.fixture
def proxy(registry: MemoryRegistry, running: Running) -> FaultProxy:
    return running(FaultProxy(registry))


@pytest.fixture
def answer(airgap: Airgap, proxy: FaultProxy, bundle_dir: Path) -> Callable[..., Result]:
    """answer({"tags": …}, Link=…): what a pull says when every page of the list is this one."""
    def run(page: Any, **headers: str) -> Result:
        body = page if isinstance(page, bytes) else oci.to_json(page)
        proxy.rule("GET", "/tags/list", status=200, body=body, headers={"Content-Type": "application/json"} | headers)
        return pull(airgap, proxy, bundle_dir, image=NAME)

    return run


def holds_signature(bundle: Path) -> bool:
    return (bundle / "blobs/sha256" / SIGNATURE.digest.split(":")[1]).exists()


def test_every_page_is_read(airgap: Airgap, registry: MemoryRegistry, bundle_dir: Path) -> None:
    """R59."""
    pull(airgap, registry, bundle_dir, image=NAME).ok()
    assert len(registry.requests("GET", "/tags/list")) == 3
    assert holds_signature(bundle_dir)
    assert_whole(airgap, bundle_dir)


def test_a_list_is_asked_for_once_a_repository(airgap: Airgap, registry: MemoryRegistry, bundle_dir: Path) -> None:
    names = [f"{registry.host}/team/app:{tag}" for tag in ("1", "2", "3")]
    airgap.export("pull", *names, "--plain-http", registry.host, "--output", f"{bundle_dir}/").ok()
    assert len(registry.requests("GET", "/tags/list")) == 3  # pages


def test_no_list_is_asked_for_where_nothing_is_to_accompany(airgap: Airgap, registry: MemoryRegistry,
                                                            bundle_dir: Path) -> None:
    pull(airgap, registry, bundle_dir, "--no-referrers", image=NAME).ok()
    assert registry.requests("GET", "/tags/list") == []
    assert not holds_signature(bundle_dir)


# --- lists as they are in the wild (R57) ---

@pytest.mark.parametrize("page", [
    {"name": "team/app", "tags": None},
    {"name": "team/app"},
    {"tags": []},
    {"tags": ["1"], "manifest": {"a": {}}, "child": [], "errors": None},
], ids=["null", "no tags", "empty", "more members"])
def test_a_list_without_tags_is_a_list(page: Any, answer: Callable[..., Result]) -> None:
    """R57."""
    answer(page).ok()


@pytest.mark.parametrize("tag", [None, "", "..", "a/b", "x" * 129, "\x1b[31m", "sha256:" + "0" * 64, 7, {"a": 1}])
def test_what_no_tag_can_be_is_skipped_with_a_warning(tag: Any, answer: Callable[..., Result],
                                                      bundle_dir: Path) -> None:
    """R57."""
    result = answer({"tags": [tag, "1", SIGNATURE_TAG]})
    result.fails(0, "warning: .*/team/app lists 1 name that no tag can have")
    assert "\x1b" not in result.err
    assert holds_signature(bundle_dir)


# --- links (R58) ---

@pytest.mark.parametrize("link", [
    "</v2/team/app/tags/list?last=x>",
    '</v2/team/app/tags/list?last=x>; rel="prev"',
    "no link at all",
    "<",
    ">; rel=next",
], ids=["no rel", "another rel", "text", "half", "other half"])
def test_a_link_that_is_no_next_page_ends_the_list(link: str, answer: Callable[..., Result]) -> None:
    """R58."""
    answer({"tags": ["1"]}, Link=link).ok()


@pytest.mark.parametrize("link", [
    '<{origin}/v2/team/app/tags/list?n=9&last=2>; rel="next"',
    "</v2/team/app/tags/list?n=9&last=2>; rel=next",
    '</ignored>; rel="first", <list?n=9&last=2>; title="x, y"; rel="last next"',
], ids=["absolute", "no quotes", "relative, several"])
def test_the_next_page_is_found_in_every_form_of_a_link(link: str, airgap: Airgap, proxy: FaultProxy,
                                                        bundle_dir: Path) -> None:
    """R58."""
    proxy.rule("GET", "/tags/list$", headers={"Link": link.format(origin=proxy.origin)})
    pull(airgap, proxy, bundle_dir, image=NAME).ok()
    assert holds_signature(bundle_dir)


@pytest.mark.parametrize("link, reason", [
    ("<https://elsewhere.example/v2/team/app/tags/list>; rel=next",
     "next page is said to be at https://elsewhere.example"),
    ("<//elsewhere.example/tags>; rel=next", "next page is said to be at http://elsewhere.example"),
    ("<file:///etc/passwd>; rel=next", "cannot be read to its end"),
    ("<http://user:secret@127.0.0.1/>; rel=next", "cannot be read to its end"),
], ids=["other host", "other host, same scheme", "file", "credentials"])
def test_a_next_page_somewhere_else_is_exit_3(link: str, reason: str, answer: Callable[..., Result],
                                              proxy: FaultProxy, bundle_dir: Path) -> None:
    """R58."""
    result = answer({"tags": ["1"]}, Link=link).fails(3, reason, proxy.host, "--no-referrers")
    assert "secret" not in result.err
    assert_unfinished(bundle_dir)


# --- lists without an end (R59) ---

def test_pages_that_go_in_a_circle_are_exit_3(answer: Callable[..., Result], proxy: FaultProxy) -> None:
    """R59."""
    answer({"tags": ["1"]}, Link="</v2/team/app/tags/list>; rel=next").fails(3, "cannot be read to its end")
    assert len(proxy.requests("GET", "/tags/list")) == 2


def test_pages_without_news_are_exit_3(answer: Callable[..., Result], proxy: FaultProxy, registry: MemoryRegistry,
                                       airgap: Airgap, bundle_dir: Path) -> None:
    """R59: a new address each time, and the same tags."""
    for number in range(9):
        proxy.rule("GET", f"/tags/list{f'.last={number}' if number else ''}$", status=200,
                   body=oci.to_json({"tags": ["1", "2"]}),
                   headers={"Link": f"</v2/team/app/tags/list?last={number + 1}>; rel=next"})
    pull(airgap, proxy, bundle_dir, image=NAME).fails(3, "a page repeats what was there before")
    assert len(proxy.requests("GET", "/tags/list")) == 2


# --- no list at all ---

@pytest.mark.parametrize("page", [b"", b"<html>", b"[1", b"[]", b'{"tags": {}}', b'{"tags": ["1"], "tags": []}'])
def test_what_is_no_list_is_exit_3(page: bytes, answer: Callable[..., Result], proxy: FaultProxy) -> None:
    answer(page).fails(3, proxy.host, "not a registry answer")


def test_a_page_without_an_end_is_exit_6(answer: Callable[..., Result]) -> None:
    answer(b'{"tags": [' + b'"1", ' * 3_500_000).fails(6, "tag list of team/app.* over the limit of 16777216 bytes")


@pytest.mark.parametrize("status, expected", [(500, 3), (403, 4), (401, 4)])
def test_a_list_that_is_refused_fails_the_image_and_says_the_way_out(status: int, expected: int, airgap: Airgap,
                                                                     proxy: FaultProxy, bundle_dir: Path) -> None:
    """What is left behind is no success."""
    proxy.rule("GET", "/tags/list", status=status)
    pull(airgap, proxy, bundle_dir, image=NAME).fails(expected, proxy.host, "--no-referrers", NAME)
    assert_unfinished(bundle_dir)
    pull(airgap, proxy, bundle_dir, "--no-referrers", image=NAME).ok()


def test_a_repository_without_a_list_has_nothing_to_accompany(airgap: Airgap, proxy: FaultProxy,
                                                              bundle_dir: Path) -> None:
    proxy.rule("GET", "/tags/list", status=404)
    pull(airgap, proxy, bundle_dir, image=NAME).ok()
