"""Prefixes, patterns and targets as pure text (answers of Apache 2.4.71)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coachwhip.modules.mappers.mod_alias.rules import Rule, find, match_prefix
from coachwhip.modules.mappers.mod_alias.targets import escape_target, is_url
from coachwhip.util.patterns import Pattern


@pytest.mark.parametrize(
    ("path", "fake", "covered"),
    [
        ("/a/b", "/a", 2),
        ("/a", "/a", 2),
        ("/ab", "/a", 0),
        ("/a/b", "/a/", 3),
        ("/a", "/a/", 0),
        ("/a//b", "/a/", 4),
        ("//a", "/a", 3),
        ("/a", "//a", 2),
        ("/A", "/a", 0),
        ("/a/b/c", "/a/b", 4),
        ("/", "/", 1),
        ("/x", "/", 1),
        ("/a", "a", 0),
        ("/a/..", "/a", 2),
    ],
)
def test_a_prefix_covers_whole_segments(path: str, fake: str, covered: int) -> None:
    assert match_prefix(path, fake) == covered


@given(st.text(alphabet="/ab", max_size=8), st.text(alphabet="/ab", max_size=8))
def test_what_is_covered_is_the_prefix_but_for_slashes(path: str, fake: str) -> None:
    covered = match_prefix(path, fake)
    if covered:
        assert [part for part in path[:covered].split("/") if part] == [part for part in fake.split("/") if part]
        assert path[covered : covered + 1] in ("", "/") or fake.endswith("/")


@given(st.text(alphabet="/ab", max_size=8), st.text(alphabet="/ab", max_size=8))
def test_a_prefix_matches_or_not_however_many_slashes_there_are(path: str, fake: str) -> None:
    assert bool(match_prefix(path, fake)) == bool(match_prefix(path.replace("/", "//"), fake))


@pytest.mark.parametrize(
    ("target", "escaped"),
    [
        ("http://x/a b?c d#e f", "http://x/a%20b?c d#e f"),
        ("/a b", "/a%20b"),
        ("//foo/bar", "//foo/bar"),
        ("http://x:80/", "http://x/"),
        ("http://x:080/", "http://x/"),
        ("HTTP://Host:443/a", "HTTP://Host:443/a"),
        ("https://h:443", "https://h"),
        ("ws://h:80/a", "ws://h:80/a"),
        ("http://h:99999/a", "http://h:99999/a"),
        ("http://h:65536/a", "http://h/a"),
        ("http://h:-1/a", "http://h:-1/a"),
        ("http://h:/x", "http://h/x"),
        ("http://h:abc/x?y", "http://h"),
        ("http://u:p@h:8080/1", "http://u:XXXXXXXX@h:8080/1"),
        ("http://u:@h/", "http://u:XXXXXXXX@h/"),
        ("http://:p@h/", "http://:XXXXXXXX@h/"),
        ("http://u@h/x", "http://u@h/x"),
        ("http://[::1]:80/a", "http://%5b::1%5d/a"),
        ("http://[::1/a", "http:"),
        ("http:///x", "http:///x"),
        ("http://h?x=y", "http://h?x=y"),
        ("http://h#x", "http://h#x"),
        ("http://h/a?b?c#d#e", "http://h/a?b?c#d#e"),
        ("mailto:a@b?c", "mailto:a@b?c"),
        ("http:/h/p", "http:/h/p"),
        ("1http://h/", ""),
        ("://h/", ""),
        ("foo", "foo"),
        ("^/a", "%5e/a"),
        ("http://h/\u00fc", "http://h/%c3%bc"),
        ("http://h/%20%", "http://h/%2520%25"),
        ("/a\r\nSet-Cookie: x", "/a%0d%0aSet-Cookie:%20x"),
    ],
)
def test_targets_are_escaped_up_to_the_query(target: str, escaped: str) -> None:
    assert escape_target(target.encode()) == escaped.encode()


@pytest.mark.parametrize(
    ("target", "yes"), [("http://x", True), ("a+.-1:", True), (":x", False), ("/a:b", False), ("a b:c", False), ("x", False)]
)
def test_is_url(target: str, yes: bool) -> None:
    assert is_url(target.encode()) is yes


def test_the_first_rule_that_matches_counts() -> None:
    rules = (Rule("/a/b", "/one"), Rule("^/(.*)\\.t$", "/two/$1$9", pattern=Pattern("^/(.*)\\.t$")), Rule("/a", "/three"))
    found = [find(rules, path, is_redirect=False) for path in ("/a/b/c", "/a/x.t", "/a/x", "/b")]
    assert [one.path if one else None for one in found] == ["/one/c", "/two/a/x", "/three/x", None]


def test_the_rest_of_the_path_is_escaped_in_a_redirect() -> None:
    found = find((Rule("/old", "/new%20"),), "/old/ ?%;a=b", is_redirect=True)
    assert found is not None
    assert found.url == b"/new%20/%20%3f%25;a=b"
