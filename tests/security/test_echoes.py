"""Whatever a client, or a file name, makes the server repeat: every place that repeats it, with every octet that means something there.

A payload is one dangerous octet (or a few that are one character) between two words; where it is repeated, the words must not stand
around the bare octet. Each place must also be seen to repeat the words at all, or it shows nothing.
"""

import base64
import os
import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import quote

import pytest

from coachwhip.testing import Response, Site
from coachwhip.testing.site import MODULES

LEFT, RIGHT = b"zqa", b"zqb"
MARKUP = {"less": b"<", "greater": b">", "ampersand": b"&", "quote": b'"'}
LINE_ENDS = {"cr": b"\r", "lf": b"\n", "crlf": b"\r\n"}
CONTROLS = {
    **LINE_ENDS, "tab": b"\t", "escape": b"\x1b", "bell": b"\x07", "backspace": b"\x08", "delete": b"\x7f",
    "vertical-tab": b"\x0b", "c1-csi": b"\x9b", "c1-utf8": b"\xc2\x9b", "next-line": b"\xc2\x85", "line-separator": b"\xe2\x80\xa8",
    "right-to-left": b"\xe2\x80\xae", "latin": b"\xe9", "not-utf8": b"\xff", "backslash": b"\\",
}  # fmt: skip
#: What a field line may hold at all (RFC 9110 §5.5): the others are refused with the request.
IN_FIELDS = {name: octet for name, octet in (CONTROLS | MARKUP).items() if not re.search(rb"[\x00-\x08\x0a-\x1f\x7f]", octet)}
#: In a file name everything may stand but a slash and NUL.
IN_NAMES = CONTROLS | MARKUP

CONFIG = r"""
ServerSignature On
ExtendedStatus On
UseCanonicalName Off
LogLevel info
Options +Indexes +MultiViews
IndexOptions FancyIndexing NameWidth=*
AddLanguage en .en
AddLanguage fr .fr
AddDescription "zqa<zqb" *.dat
LogFormat "%r|%U|%q|%f|%u|%{Referer}i|%{User-Agent}i|%{Cookie}C|%{c}C|%m|%v|%V|%{q}e" everything
CustomLog "{root}/logs/access.log" everything
ErrorLogFormat "%M|%{Referer}i|%{User-Agent}i|%V|%F"
SetEnvIf Request_URI (.*) q=$1
Redirect /moved http://x.example/
RedirectMatch ^/matched(.*) http://x.example/$1
Redirect 410 /gone
<Location /status>
    SetHandler server-status
</Location>
<Location /info>
    SetHandler server-info
</Location>
<Location /refused>
    Require all denied
</Location>
<Location /asked>
    AuthType Basic
    AuthName x
    AuthUserFile "{root}/users"
    Require valid-user
</Location>
"""


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    files = {"htdocs/some.html.en": "x", "htdocs/some.html.fr": "x", "htdocs/list/x.dat": "x", "users": "u:{SHA}x\n", "htdocs/a.txt": "x"}
    made = Site(config=CONFIG, files=files, modules=(*MODULES, "status", "info"))
    for name, octet in IN_NAMES.items():
        folder = os.path.join(os.fsencode(made.root), b"htdocs/names", name.encode())
        os.makedirs(os.path.join(folder, LEFT + octet + RIGHT + b"d"))
        Path(os.fsdecode(os.path.join(folder, LEFT + octet + RIGHT))).write_text("x")
    with made.start() as running:
        yield running


def ask(site: Site, target: bytes, *fields: bytes, method: bytes = b"GET", host: bytes = b"localhost") -> Response:
    lines = [method + b" " + target + b" HTTP/1.1", b"Host: " + host, b"Connection: close", *fields]
    return site.ask(b"\r\n".join(lines) + b"\r\n\r\n", method)


def in_path(octet: bytes) -> bytes:
    return quote(LEFT + octet + RIGHT, safe="").encode()


# -- pages

PAGES: dict[str, Callable[[Site, bytes], Response]] = {
    "404": lambda site, octet: ask(site, b"/none" + in_path(octet)),
    "403": lambda site, octet: ask(site, b"/refused/" + in_path(octet)),
    "401": lambda site, octet: ask(site, b"/asked/" + in_path(octet)),
    "405": lambda site, octet: ask(site, b"/a.txt?" + in_path(octet), method=b"PUT"),
    "410": lambda site, octet: ask(site, b"/gone/" + in_path(octet)),
    "400": lambda site, octet: ask(site, b"/%zz" + LEFT + octet + RIGHT),
    "501": lambda site, octet: ask(site, b"/", method=LEFT + b"-" + RIGHT),
    "redirect": lambda site, octet: ask(site, b"/moved/" + in_path(octet)),
    "matched redirect": lambda site, octet: ask(site, b"/matched/" + in_path(octet)),
    "folder redirect": lambda site, octet: ask(site, b"/names/" + _name_of(octet) + b"/" + in_path(octet) + b"d"),
    "listing": lambda site, octet: ask(site, b"/names/" + _name_of(octet) + b"/"),
    "listing of the folder": lambda site, octet: ask(site, b"/names/" + _name_of(octet) + b"/" + in_path(octet) + b"d/"),
    "sorted listing": lambda site, octet: ask(site, b"/list/?C=N;O=D&P=" + in_path(octet)),
    "variants": lambda site, octet: ask(site, b"/some.html", b"Accept-Language: " + in_path(octet)),
    "status": lambda site, octet: _twice(site, octet),
    "signature": lambda site, octet: ask(site, b"/none", host=LEFT + b"." + RIGHT),
}
#: These must repeat the words, or show nothing.
REPEATING = {"redirect", "matched redirect", "folder redirect", "listing", "listing of the folder", "status", "signature"}


def _name_of(octet: bytes) -> bytes:
    return next(name for name, one in IN_NAMES.items() if one == octet).encode()


def _twice(site: Site, octet: bytes) -> Response:
    """Ask, then look at what the status page says of it."""
    ask(site, b"/" + in_path(octet))
    return ask(site, b"/status?" + LEFT + quote(octet, safe="<>\"&").encode() + RIGHT)


@pytest.mark.parametrize("octet", IN_NAMES.values(), ids=IN_NAMES.keys())
@pytest.mark.parametrize("place", PAGES)
def test_a_page_repeats_no_markup_and_no_line_end_in_a_field(site: Site, place: str, octet: bytes) -> None:
    if place in ("400", "501") and not IN_FIELDS.keys() & {_name_of(octet).decode()}:
        pytest.skip("no request can hold it there")
    answer = PAGES[place](site, octet)
    whole = answer.body + b"".join(name + value for name, value in answer.headers)
    if place in REPEATING:
        assert LEFT in whole
    if octet in MARKUP.values():
        assert LEFT + octet + RIGHT not in answer.body
    for name, value in answer.headers:
        assert not re.search(rb"[\x00-\x08\x0a-\x1f\x7f]", name + value)
    assert answer.status < 500 or place == "501"


def test_a_description_of_the_administrator_is_markup(site: Site) -> None:
    """As in Apache: `AddDescription` may hold HTML."""
    assert b"zqa<zqb" in ask(site, b"/list/").body


def test_the_configuration_page_escapes_what_the_configuration_says(site: Site) -> None:
    body = ask(site, b"/info").body
    assert b"zqa&lt;zqb" in body
    assert b"zqa<zqb" not in body


# -- logs


def _basic(octet: bytes) -> bytes:
    return b"Authorization: Basic " + base64.b64encode(LEFT + octet + RIGHT + b":x")


#: Where an octet goes in a request: how it is asked.
SAID: dict[str, tuple[dict[str, bytes], Callable[[Site, bytes], object]]] = {
    "path": (IN_NAMES, lambda site, octet: ask(site, b"/none" + in_path(octet))),
    "existing path": (IN_NAMES, lambda site, octet: ask(site, b"/names/" + _name_of(octet) + b"/" + in_path(octet))),
    "denied path": (IN_NAMES, lambda site, octet: ask(site, b"/refused/" + in_path(octet))),
    "query": (IN_FIELDS, lambda site, octet: ask(site, b"/none?" + LEFT + octet.replace(b"\t", b"") + RIGHT)),
    "bad target": (IN_FIELDS, lambda site, octet: ask(site, b"/%zz" + LEFT + octet.replace(b"\t", b"") + RIGHT)),
    "referer": (IN_FIELDS, lambda site, octet: ask(site, b"/none", b"Referer: " + LEFT + octet + RIGHT)),
    "agent": (IN_FIELDS, lambda site, octet: ask(site, b"/none", b"User-Agent: " + LEFT + octet + RIGHT)),
    "cookie": (IN_FIELDS, lambda site, octet: ask(site, b"/none", b"Cookie: c=" + LEFT + octet + RIGHT)),
    "host": (IN_FIELDS, lambda site, octet: ask(site, b"/none", host=LEFT + octet + RIGHT)),
    "user": (IN_NAMES, lambda site, octet: ask(site, b"/asked/", _basic(octet))),
    "field name": (CONTROLS, lambda site, octet: ask(site, b"/none", LEFT + octet + RIGHT + b": x")),
    "field value": (CONTROLS, lambda site, octet: ask(site, b"/none", b"X: " + LEFT + octet + RIGHT)),
    "method": (IN_FIELDS, lambda site, octet: ask(site, b"/none", method=LEFT + octet + RIGHT)),
    "version": (IN_FIELDS, lambda site, octet: site.ask(b"GET / HTTP/" + LEFT + octet + RIGHT + b"\r\nHost: a\r\n\r\n")),
    "length": (IN_FIELDS, lambda site, octet: ask(site, b"/none", b"Content-Length: " + LEFT + octet + RIGHT)),
    "expectation": (IN_FIELDS, lambda site, octet: ask(site, b"/none", b"Expect: " + LEFT + octet + RIGHT)),
}  # fmt: skip
#: Requests that are refused before anything that a log names is known of them.
REFUSED_UNNAMED = ("field name", "field value", "host", "length", "expectation")
#: What may stand bare in a log: nothing beyond printable ASCII, which is what Apache lets through.
PRINTABLE = re.compile(rb"[ -~]*")


def _log(site: Site, name: str) -> bytes:
    path = Path(site.root, "logs", name)
    return path.read_bytes() if path.exists() else b""


@pytest.mark.parametrize("place", SAID)
def test_logs_hold_printable_lines_alone_whatever_is_said(site: Site, place: str) -> None:
    octets, say = SAID[place]
    begin, end = (f"/{word}-of-{place.replace(' ', '-')}".encode() for word in ("begin", "end"))
    ask(site, begin)
    for octet in octets.values():
        say(site, octet)
    ask(site, end)
    deadline = time.monotonic() + 10
    while end not in _log(site, "access.log") and time.monotonic() < deadline:
        time.sleep(0.02)
    assert [line for line in _log(site, "error.log").split(b"\n") if not PRINTABLE.fullmatch(line)] == []
    lines = _log(site, "access.log").split(b"\n")
    first, last = (next(at for at, line in enumerate(lines) if mark in line) for mark in (begin, end))
    said = lines[first + 1 : last]
    assert len(said) == len(octets), "one line for one request"
    assert [line for line in said if not PRINTABLE.fullmatch(line)] == []
    # The format has no quotes of its own.
    assert all(re.fullmatch(rb'(?:[^"\\]|\\.)*', line) for line in said)
    assert any(LEFT in line for line in said) or place in REFUSED_UNNAMED
