"""What is taken by its lines or its shape is valid for the ordinary parser too: a short piece of `python -m fuzz.heads`."""

import pytest
from fuzz.heads import NAMES, Heads, compare, search

from coachwhip.connection.judging import Unusual
from coachwhip.connection.lines import Lines


def test_no_head_is_taken_that_the_parser_refuses():
    by_lines, by_shape, by_latest, valid = search(8_000, seed=7)
    assert by_lines > 400
    assert by_shape > 200
    assert by_latest > 20
    assert valid > 400


@pytest.mark.parametrize("head", [
    b"GET /a HTTP/1.1\r\nNoColon\r\nHost: a\r\n\r\n",
    b"GET /a HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\n",
    b"GET /a HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
    b"GET /a HTTP/1.1\r\nHost: a\r\nRange: c\r\n\r\n",
    b"GET /a#b HTTP/1.1\r\nHost: a\r\n\r\n",
])  # fmt: skip
def test_the_comparison_sees_faults(head):
    assert compare((head.split(b"\r\n")[0], {}), head) is not None
    lines = Lines()
    lines.care_about(NAMES)
    assert compare(Heads(lines).by_lines(head), head) is None


def knowing():
    """Heads, one of whose shape is known: with a cookie and a user agent, which log lines take."""
    heads = Heads(Lines())
    heads.lines.care_about(("user-agent",), logged=True)
    for _ in range(3):
        heads.learn(b"GET /a HTTP/1.1\r\nHost: a\r\nUser-Agent: one\r\nCookie: c=1\r\n\r\n")
    return heads


def test_the_values_of_loose_fields_do_not_change_a_shape():
    heads = knowing()
    for way in (heads.by_shape, heads.by_latest):
        line, values = way(b"GET /b HTTP/1.1\r\nHost: a\r\nUser-Agent: two\r\nCookie: d=2\r\n\r\n")
        assert line == b"GET /b HTTP/1.1"
        assert values == {"host": "a", "user-agent": b"two"}


def test_where_a_value_was_cut_out_is_a_part_of_the_shape():
    heads = Heads(Lines())
    for _ in range(3):
        heads.learn(b"GET /a HTTP/1.1\r\nHost: aUser-Agent\r\n\r\n")
    assert heads.by_shape(b"GET /a HTTP/1.1\r\nHost: aUser-Agent\r\n\r\n") is not None
    assert heads.by_shape(b"GET /a HTTP/1.1\r\nHost: a\r\nUser-Agent: one\r\n\r\n") is None


@pytest.mark.parametrize("tail", [
    pytest.param(b"Cookie: d=2\r\nUser-Agent: two\r\n\r\n", id="in another order"),
    pytest.param(b"User-Agent: two\r\n\r\n", id="one of them only"),
    pytest.param(b"User-Agent: one\r\nCookie: \r\n\r\n", id="an empty value"),
    pytest.param(b"User-Agent: one\r\nCookie:  \r\n\r\n", id="a blank value"),
    pytest.param(b"User-Agent: one\r\nCookie: c=1\r\n\r\n\r\n", id="an empty line more"),
    pytest.param(b"\r\nCookie: c=1\r\n\r\n", id="behind the end of the head"),
    pytest.param(b"\r\nCookie: c=1\r\n", id="the beginning of something behind the end of the head"),
    pytest.param(b"\r\nCookie: c=1\r\nUser-Agent: a\r\n", id="more of it"),
    pytest.param(b"\r\r\nCookie: c=1\n", id="without an end"),
    pytest.param(b"Cookie: c=1\r\rX\r\n\r\n", id="a bare carriage return behind a value"),
    pytest.param(b"Cookie: c=1\r\n\r\nGET /b HTTP/1.1\r\nHost: a\r\n\r\n", id="a second request"),
    pytest.param(b"Cookie: c\0=1\r\n\r\n", id="NUL"),
    pytest.param(b"Cookie: c\n=1\r\n\r\n", id="a bare line feed"),
    pytest.param(b"Cookie: c\r=1\r\n\r\n", id="a bare carriage return"),
    pytest.param(b"User-Agent: a\r\nUser-Agent: b\r\n\r\n", id="two that a log line would have to join"),
    pytest.param(b'User-Agent: "\r\n\r\n', id="a value that a log line would have to escape"),
    pytest.param(b"User-Agent:one\r\n\r\n", id="another shape"),
    pytest.param(b"X-B: 1\r\n\r\n", id="another line"),
])  # fmt: skip
def test_a_head_of_another_shape_is_judged_by_its_lines(tail):
    heads = knowing()
    head = b"GET /a HTTP/1.1\r\nHost: a\r\n" + tail
    assert heads.by_shape(head) is heads.by_latest(head) is None


def test_a_field_that_answers_depend_on_is_not_loose():
    heads = knowing()
    heads.lines.care_about(("cookie",))
    heads.learn(b"GET /a HTTP/1.1\r\nHost: a\r\nCookie: c=1\r\n\r\n")
    assert heads.by_shape(b"GET /a HTTP/1.1\r\nHost: a\r\nCookie: c=2\r\n\r\n") is None


def test_a_line_that_is_no_line_is_unusual():
    with pytest.raises(Unusual):
        Lines().read(b"GET /a HTTP/1.1\r\nNoColon\r\n\r\n", 100)
