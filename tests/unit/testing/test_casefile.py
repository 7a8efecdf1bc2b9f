"""The case file format: what its sections mean, and that reading loses nothing."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from coachwhip.testing.casefile import CaseError, escape, joined_lines, parse, unescape, with_results
from coachwhip.testing.match import text_of
from coachwhip.testing.site import DEFAULT_MTIME, MODULES, FileSpec, Link

TEXT = """\
# The title
# and a note

== config
Alias /x /y

== files
htdocs/a.txt = "hello\\n\\x00" mode=0600 mtime=2024-01-02T03:04:05Z
htdocs/big = 3 * "ab"
htdocs/sp\\x20ace = ""
htdocs/folder/
htdocs/link -> a.txt

== file htdocs/.htaccess
Options None

== request split=1 keep
GET / HTTP/1.1
Host: x

body\\

== expect
HTTP/1.1 100 Continue

== expect
HTTP/1.1 200 OK

hello

== log error.log
core:error AH00001
"""


def test_sections_are_read() -> None:
    case = parse(TEXT)
    assert (case.title, case.notes, case.config) == ("The title", ["and a note"], "Alias /x /y\n")
    assert case.files == {
        "htdocs/a.txt": FileSpec(b"hello\n\0", 0o600, DEFAULT_MTIME),
        "htdocs/big": FileSpec(b"ababab"),
        "htdocs/sp ace": FileSpec(b""),
        "htdocs/folder": None,
        "htdocs/link": Link("a.txt"),
        "htdocs/.htaccess": "Options None\n",
    }
    (exchange,) = case.exchanges
    assert exchange.options == {"split": "1", "keep": ""}
    assert exchange.request == "GET / HTTP/1.1\nHost: x\n\nbody\\"
    assert exchange.expects == ["HTTP/1.1 100 Continue", "HTTP/1.1 200 OK\n\nhello"]
    assert case.logs == {"error.log": "core:error AH00001"}
    assert case.refused is None


def test_results_are_replaced_and_all_else_is_kept() -> None:
    same = with_results(TEXT, [["HTTP/1.1 100 Continue", "HTTP/1.1 200 OK\n\nhello"]], None, parse(TEXT).logs)
    assert same == TEXT
    changed = parse(with_results(TEXT, [["HTTP/1.1 404 Not Found"]], None, {"error.log": ""}))
    assert changed.exchanges[0].expects == ["HTTP/1.1 404 Not Found"]
    assert changed.logs == {"error.log": ""}
    assert changed.files == parse(TEXT).files


def test_a_refusal_is_recorded() -> None:
    text = "# t\n\n== config\nNo\n\n== refused\n"
    assert parse(with_results(text, [], "status 1 AH00526", {})).refused == "status 1 AH00526"


def test_modules_change_the_default_set_or_replace_it() -> None:
    changed = parse("# t\n\n== modules +session -mime\n").modules
    assert set(changed) == (set(MODULES) | {"session"}) - {"mime"}
    assert parse("# t\n\n== modules alias dir\n").modules == ("alias", "dir")


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("no title\n", 1),
        ("# t\n\n== nonsense\n", 3),
        ("# t\n\n== expect\nHTTP/1.1 200 OK\n", 3),
        ("# t\n\n== files\nwhat is this\n", 3),
        ("# t\n\n== base some\n", 3),
    ],
)
def test_mistakes_name_their_line(text: str, line: int) -> None:
    with pytest.raises(CaseError, match=f"line {line}"):
        parse(text)


def test_lines_end_unless_a_single_backslash_says_no() -> None:
    assert joined_lines("a\nb", "\r\n") == "a\r\nb\r\n"
    assert joined_lines("a\\\nb\\", "\n") == "ab"
    assert unescape(joined_lines("a\\\\", "\n")) == b"a\\\n"


@example(b"\x80\x00x00")
@example(b"\x80\\x41")
@given(st.binary())
def test_escaping_is_reversible(data: bytes) -> None:
    assert unescape(escape(data)) == data


@given(st.binary(min_size=1))
def test_a_body_survives_being_written_and_read(data: bytes) -> None:
    text = f"# t\n\n== request\nGET /\n\n== expect\nHTTP/1.1 200 OK\n\n{text_of(data)}\n"
    body = parse(text).exchanges[0].expects[0].partition("\n\n")[2]
    assert unescape(joined_lines(body, "\n")) == data
