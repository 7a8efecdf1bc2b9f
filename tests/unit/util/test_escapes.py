"""Escaping, octet by octet as Apache 2.4.71 does it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coachwhip.util import escapes

ALNUM = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
ALL = bytes(range(256))


def kept(escape: object) -> bytes:
    """The octets that a function leaves as they are."""
    assert callable(escape)
    return bytes(octet for octet in ALL if escape(b"x" + bytes((octet,))) == b"x" + bytes((octet,)))


def test_the_octets_that_need_no_escape() -> None:
    assert set(kept(escapes.escape_path)) == set(ALNUM + b"!$&'()*+,-./:;=@_~")
    assert set(kept(escapes.escape_path_segment)) == set(ALNUM + b"!$&'()*+,-.:=@_~")
    assert set(kept(escapes.escape_urlencoded)) == set(ALNUM + b"*-._")


def test_escapes_are_lower_case_hexadecimal() -> None:
    assert escapes.escape_path(b"/a b/\xc3\xa9?#%") == b"/a%20b/%c3%a9%3f%23%25"
    assert escapes.escape_uri(b"/a b") == b"/a%20b"
    assert escapes.escape_path_segment(b"a/b;c") == b"a%2fb%3bc"
    assert escapes.escape_urlencoded(b"a b+c") == b"a+b%2bc"


@pytest.mark.parametrize(
    ("path", "reference"),
    [(b"a:b/c", b"./a:b/c"), (b"/a:b", b"/a:b"), (b"a/b:c", b"a/b:c"), (b"./a:b", b"./a:b"), (b"", b""), (b"a b:", b"./a%20b:")],
)
def test_a_colon_in_the_first_segment_is_no_scheme(path: bytes, reference: bytes) -> None:
    assert escapes.escape_path(path, dot_slash=True) == reference


def test_html() -> None:
    assert escapes.escape_html("<a href=\"x\">'&amp;é") == "&lt;a href=&quot;x&quot;&gt;'&amp;amp;é"


@pytest.mark.parametrize(
    ("item", "access", "error"),
    [
        (b"plain text", "plain text", "plain text"),
        (b'say "hi"', 'say \\"hi\\"', 'say "hi"'),
        (b"a\\b", "a\\\\b", "a\\\\b"),
        (b"\b\t\n\v\r", "\\b\\t\\n\\v\\r", "\\b\\t\\n\\v\\r"),
        (b"\x00\x0c\x1b[2J\x7f", "\\x00\\x0c\\x1b[2J\\x7f", "\\x00\\x0c\\x1b[2J\\x7f"),
        (b"caf\xc3\xa9", "caf\\xc3\\xa9", "caf\\xc3\\xa9"),
    ],
)
def test_log_items(item: bytes, access: str, error: str) -> None:
    assert escapes.escape_logitem(item) == access
    assert escapes.escape_errorlog_item(item) == error


@given(st.binary())
def test_a_log_item_is_one_line_of_printable_ascii(item: bytes) -> None:
    for text in (escapes.escape_logitem(item), escapes.escape_errorlog_item(item)):
        assert text.isascii()
        assert text.isprintable()


@given(st.binary())
def test_a_quoted_log_item_ends_where_its_quote_ends(item: bytes) -> None:
    unescaped = escapes.escape_logitem(item).replace("\\\\", "").replace('\\"', "")
    assert '"' not in unescaped
