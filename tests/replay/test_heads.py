"""What is taken by its lines is valid for the ordinary parser too: a short piece of `python -m fuzz.heads`."""

import pytest
from fuzz.heads import NAMES, compare, search

from coachwhip.connection.lines import Lines


def test_lines_accept_nothing_that_the_parser_refuses():
    taken, valid = search(8_000, seed=7)
    assert taken > 400
    assert valid > 400


class Credulous(Lines):
    """Takes whatever comes."""

    def read(self, head, limit):
        return head.split(b"\r\n")[0], {}, {}


@pytest.mark.parametrize("head", [
    b"GET /a HTTP/1.1\r\nNoColon\r\nHost: a\r\n\r\n",
    b"GET /a HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\n",
    b"GET /a HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
    b"GET /a HTTP/1.1\r\nHost: a\r\nCookie: c\r\n\r\n",
    b"GET /a#b HTTP/1.1\r\nHost: a\r\n\r\n",
])  # fmt: skip
def test_the_comparison_sees_faults(head):
    assert compare(Credulous(), head) is not None
    lines = Lines()
    lines.care_about(NAMES)
    assert compare(lines, head) is None
