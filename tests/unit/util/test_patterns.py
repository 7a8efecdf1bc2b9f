"""Apache's regular expressions. Matches, spans and substitutions were recorded from Apache 2.4.71."""

import pytest

from coachwhip.util.patterns import BARREN_LENGTH, MOST_BARREN, Pattern, PatternError, PatternLimit, substitute


@pytest.mark.parametrize(
    ("pattern", "text", "groups"),
    [
        ("b", "abc", ("b",)),
        ("^b", "abc", None),
        ("a.c", "xa\nc", ("a\nc",)),
        ("c$", "abc", ("c",)),
        ("c$", "abc\n", None),
        ("^b", "a\nb", None),
        ("(a)(b)?(c)", "ac", ("ac", "a", None, "c")),
        ("A", "a", None),
        ("(?i)A", "a", ("a",)),
        (r"\x61", "a", ("a",)),
        (r"\Qa.\E", "a.", ("a.",)),
        (r"\d+", "٣3", ("3",)),
        (r"\w", "é", None),
        ("[[:alpha:]]+", "1abc", ("abc",)),
        ("a|", "", ("",)),
    ],
)
def test_search(pattern: str, text: str, groups: tuple[str | None, ...] | None) -> None:
    found = Pattern(pattern).match(text)
    assert (None if found is None else found.groups()) == groups


def test_options() -> None:
    assert Pattern("A", ignorecase=True).match("a")
    assert Pattern("^b$", multiline=True).match("a\nb\nc")
    assert Pattern("a b # c", extended=True).match("ab")
    assert not Pattern("a.c", dotall=False).match("a\nc")
    assert Pattern("c$", dollar_endonly=False).match("c\n")


def test_octets_above_127() -> None:
    """A file name is UTF-8, a header value is Latin-1; a pattern sees the octets of either."""
    assert Pattern(r"\xe9").match("é") is None
    assert Pattern(r"\xc3\xa9").match("é")
    assert Pattern(r"\x{e9}").match("é", charset="latin-1")
    found = Pattern("(?<rest>.*)$").match("caf\udce9")
    assert found is not None
    assert found.group("rest") == "caf\udce9"
    header = Pattern("é").match("Ã©!", charset="latin-1")
    assert header is not None
    assert header.group() == "Ã©"
    assert Pattern("a").match(b"\xffa")


def test_named_groups() -> None:
    found = Pattern("(?<first>a)(?<second>b)?").match("a")
    assert found is not None
    assert found.named() == {"first": "a"}
    assert found.pattern.names == {"first": 1, "second": 2}
    assert found.group("none") is None
    assert found.group(9) is None
    assert found.span(1) == (0, 1)
    assert found.span(2) == (-1, -1)


def test_one_name_may_stand_for_several_groups() -> None:
    assert Pattern("(?<n>a)|(?<n>b)").match("b")


@pytest.mark.parametrize(
    ("pattern", "message"),
    [
        ("(", "missing closing parenthesis (at octet 1 of '(')"),
        ("[a", "missing terminating ] for character class (at octet 2 of '[a')"),
        ("a**b*+*", "quantifier does not follow a repeatable item"),
        (r"\u0041", "PCRE2 does not support"),
    ],
)
def test_bad_patterns_say_what_is_wrong(pattern: str, message: str) -> None:
    with pytest.raises(PatternError) as caught:
        Pattern(pattern)
    assert message in str(caught.value)


def test_catastrophic_backtracking_is_given_up() -> None:
    with pytest.raises(PatternLimit, match="too many steps"):
        Pattern("^(a+)+$").match("a" * 60 + "b")


def test_long_subjects_are_no_catastrophe() -> None:
    assert Pattern("^(a|b)*$").match("ab" * 20000)


@pytest.mark.parametrize(
    ("template", "text"),
    [
        ("", ""),
        ("$0", "qx"),
        ("/$1/$2/", "/q//"),
        ("$10", "q0"),
        (r"\$1\&\x", "$1&x"),
        (r"\\$1", r"\q"),
        ("$&", "$&"),
        ("a$", "a$"),
        ("a\\", "a\\"),
        ("$9$a$", "$a$"),
    ],
)
def test_substitution(template: str, text: str) -> None:
    found = Pattern("(q)x(y)?").match("qx")
    assert found is not None
    assert substitute(template, found) == text


def test_what_did_not_match_is_remembered_within_bounds() -> None:
    pattern = Pattern("x")
    for number in range(3 * MOST_BARREN):
        assert pattern.match(f"{number}") is None and pattern.match(f"{number}") is None
        assert pattern.match(f"{number}x") is not None
    assert pattern.match("y" * 10 * BARREN_LENGTH) is None
    assert len(pattern._barren) <= MOST_BARREN and max(map(len, pattern._barren)) <= BARREN_LENGTH
