"""Wildcards. Answers were recorded from APR's fnmatch and Apache's host matching."""

import pytest

from coachwhip.util.wildcards import fnmatch, is_fnmatch, strcasecmp_match, strcmp_match


@pytest.mark.parametrize(
    ("pattern", "text", "matches"),
    [
        ("*", "", True),
        ("*", "a/b", True),
        ("*.html", "a.html", True),
        ("*.html", "a.htm", False),
        ("a*b*c", "axxbyyc", True),
        ("a*b*c", "axxcyyb", False),
        ("?", "", False),
        ("?", "a", True),
        ("?", "é", False),
        ("??", "é", True),
        ("[a-c]x", "bx", True),
        ("[a-c]x", "dx", False),
        ("[!a-c]x", "dx", True),
        ("[^a-c]x", "bx", False),
        ("[]a]", "]", True),
        ("[a", "[a", True),
        ("[a", "a", False),
        ("\\*", "*", True),
        ("\\*", "x", False),
        ("a\\", "a\\", True),
        ("[\\]]", "]", True),
        ("A*", "abc", False),
        ("", "", True),
        ("*\n", "x\n", True),
        ("*x", "x\n", False),
    ],
)
def test_fnmatch(pattern: str, text: str, matches: bool) -> None:
    assert fnmatch(pattern, text) is matches


@pytest.mark.parametrize(
    ("pattern", "text", "matches"),
    [
        ("/a/*", "/a/b", True),
        ("/a/*", "/a/b/c", False),
        ("/a/*/c", "/a/b/c", True),
        ("/a?c", "/a/c", False),
        ("/a[/]c", "/a/c", False),
        ("/*/x", "//x", True),
        ("/*", "/.a", True),
    ],
)
def test_pathname_keeps_slashes_apart(pattern: str, text: str, matches: bool) -> None:
    assert fnmatch(pattern, text, pathname=True) is matches


@pytest.mark.parametrize(
    ("pattern", "text", "plain", "by_segment"),
    [
        ("*", ".a", False, False),
        ("?a", ".a", False, False),
        ("[.]a", ".a", False, False),
        (".*", ".a", True, True),
        ("a/*", "a/.b", True, False),
        ("a*", "a.b", True, True),
    ],
)
def test_a_leading_dot_wants_a_dot(pattern: str, text: str, plain: bool, by_segment: bool) -> None:
    assert fnmatch(pattern, text, period=True) is plain
    assert fnmatch(pattern, text, period=True, pathname=True) is by_segment


def test_casefold() -> None:
    assert fnmatch("*.HTM[A-L]", "x.html", casefold=True)
    assert not fnmatch("*.HTM[A-L]", "x.html")


def test_file_names_are_matched_as_octets() -> None:
    assert fnmatch("a*", b"a\xff".decode("utf-8", "surrogateescape"))
    assert fnmatch(b"?", b"\xff")


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        *(("a", False), ("*", True), ("a?", True), ("[a]", True), ("[a", False)),
        *(("[*", True), ("a]", False), ("\\*", False), ("\\[a]", False)),
    ],
)
def test_is_fnmatch(text: str, answer: bool) -> None:
    assert is_fnmatch(text) is answer


@pytest.mark.parametrize(
    ("pattern", "text", "exact", "folded"),
    [
        ("*.example.com", "www.example.com", True, True),
        ("*.example.com", "WWW.EXAMPLE.COM", False, True),
        ("*.example.com", "example.com", False, False),
        ("www?.example.com", "www1.example.com", True, True),
        ("[a].test", "a.test", False, False),
        ("*", "", True, True),
        ("a*", "A\n", False, True),
    ],
)
def test_host_patterns(pattern: str, text: str, exact: bool, folded: bool) -> None:
    assert strcmp_match(pattern, text) is exact
    assert strcasecmp_match(pattern, text) is folded


def test_many_stars_do_not_explode() -> None:
    assert not fnmatch("*a" * 40 + "b", "a" * 4000)
    assert not strcmp_match("*a" * 40 + "b", "a" * 4000)
