"""`ErrorLogFormat`: what each format made of three lines of Apache 2.4.71, and which formats it refused."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest

from coachwhip.api.files import Files
from coachwhip.api.record import Record
from coachwhip.api.request import Request
from coachwhip.api.server import Connection, Server
from coachwhip.logs.formats import DEFAULT, BadErrorFormat, Entry, default_line, parse_error_format

NOW = 1795428062.225807
START = "AH00489: resuming normal operations"
MISSING = "AH00128: File does not exist: /htdocs/none"

MakeServer = Callable[..., Server]


class _Engine:
    startup: Any = None


def start_line(server: Server) -> Entry:
    """A notice of the parent process."""
    return Entry(server, NOW, 11, 12, level=5, module="mpm_event", message=START, source="event.py(3)")


def request_line(server: Server) -> Entry:
    """An info line about a request."""
    connection = Connection(server, ("127.0.0.1", 60890), ("127.0.0.1", 8080), id=1)
    connection.notes["log_id"] = "CCCCCCCCCCC"
    files: Files = None  # type: ignore[assignment]
    r = Request(_Engine(), connection, server, files, Record())  # type: ignore[arg-type]
    r.raw_headers = ((b"Referer", b'http://r/"x\\'), (b"User-Agent", b'UA "q"\t\\z'), (b"X-Id", b"7"))
    r.hostname = "h"
    r.env["E1"] = "v1"
    r.notes["log-id"] = "RRRRRRRRRRR"
    return Entry(server, NOW, 21, 22, 6, "core", MISSING, "core.py(4)", connection=connection, request=r)


@pytest.mark.parametrize(
    ("text", "at_start", "about_request"),
    [
        ("%M", START, MISSING),
        ("%%|%M", f"%|{START}", f"%|{MISSING}"),
        ("%a|%M", START, f"127.0.0.1:60890|{MISSING}"),
        ("%{c}a|%M", START, f"127.0.0.1:60890|{MISSING}"),
        ("%A|%M", START, f"127.0.0.1:8080|{MISSING}"),
        ("%{E1}e|%M", START, f"v1|{MISSING}"),
        ("%{PATH}e|%M", START, MISSING),
        ("%E|%M", START, MISSING),
        ("%F|%M", f"event.py(3)|{START}", f"core.py(4)|{MISSING}"),
        ("%7F|%M", START, MISSING),
        ("%6F|%M", START, f"core.py(4)|{MISSING}"),
        ("%{X-Id}i|%M", START, f"7|{MISSING}"),
        ("%{Nope}i|%M", START, MISSING),
        ("%-{Nope}i|%M", f"-|{START}", f"-|{MISSING}"),
        ("%{User-Agent}i|%M", START, f'UA "q"\\t\\\\z|{MISSING}'),
        ("%k|%M", START, f"0|{MISSING}"),
        ("%l|%M", f"notice|{START}", f"info|{MISSING}"),
        ("%12l|%M", START, MISSING),
        ("%0l|%M", f"notice|{START}", f"info|{MISSING}"),
        ("%-7l|%M", START, MISSING),
        ("%L|%M", START, f"RRRRRRRRRRR|{MISSING}"),
        ("%{c}L|%M", START, f"CCCCCCCCCCC|{MISSING}"),
        ("%{C}L|%M", START, MISSING),
        ("%m|%M", f"mpm_event|{START}", f"core|{MISSING}"),
        ("%P|%{g}T|%M", f"11|12|{START}", f"21|22|{MISSING}"),
        ("%v|%M", f"main.example|{START}", f"main.example|{MISSING}"),
        ("%V|%M", START, f"h|{MISSING}"),
        ("%M [a %{Nope}i b] end", f"{START} [a b] end", f"{MISSING} [a b] end"),
        ("%M [a %{Nope}i b]% end %E", f"{START} [a b]end", f"{MISSING} [a b]end"),
        ("[x %E] [%m] %M", f"[x [mpm_event] {START}", f"[x [core] {MISSING}"),
        ("%E: %M", f" {START}", f" {MISSING}"),
        ("a %E b %M", f"a b {START}", f"a b {MISSING}"),
        ("a% %E% b %M", f"ab {START}", f"ab {MISSING}"),
        ("\\ a\\ %E\\ b %M", f" {START}", f" {MISSING}"),
        ("%M% ,\\ referer\\ %{Referer}i", START, f'{MISSING}, referer http://r/"x\\\\'),
        ("%M, ref %{Nope}i", f"{START}, ref", f"{MISSING}, ref"),
        ("%M %-E", f"{START} -", f"{MISSING} -"),
        ("%-E%-E %M", f"-- {START}", f"-- {MISSING}"),
        ("%{Nope}i|%M|x", START, MISSING),
        ("%M|%{Nope}i", "", ""),
        ("%{Nope}i\\ x%M%{Nope}i", START, MISSING),
        ("%{Nope}i|%M %{Nope}i", "", ""),
        ("%{Nope}i|%M %-{Nope}i", f"{START} -", f"{MISSING} -"),
        ("a%7Fb %-7Fc %M", f" {START}", f" {MISSING}"),
        ("%-5{Nope}i %M", f"- {START}", f"- {MISSING}"),
        ("%M %{User-Agent}i%{Nope}i|z y", f"{START} y", f"{MISSING} y"),
        ('%M\\n|\\t|\\|\\x|"q', f'{START}\n|\t||x|"q', f'{MISSING}\n|\t||x|"q'),
        ("%M\\ |  |x", f"{START} |  |x", f"{MISSING} |  |x"),
    ],
)
def test_formats(make_server: MakeServer, text: str, at_start: str, about_request: str) -> None:
    server = make_server()
    form = parse_error_format(text, is_main=True)
    assert form.line(start_line(server)) == at_start
    assert form.line(request_line(server)) == about_request


@pytest.mark.parametrize(
    ("option", "shape"),
    [
        ("", r"Mon Nov 23 \d\d:\d\d:02 2026"),
        ("u", r"Mon Nov 23 \d\d:\d\d:02\.225806|Mon Nov 23 \d\d:\d\d:02\.22580\d 2026"),
        ("m", r"Mon Nov 23 \d\d:\d\d:02\.225 2026"),
        ("c", r"2026-11-23 \d\d:\d\d:02"),
        ("cu", r"2026-11-23 \d\d:\d\d:02\.22580\d"),
        ("x", r"Mon Nov 23 \d\d:\d\d:02 2026"),
    ],
)
def test_times(make_server: MakeServer, option: str, shape: str) -> None:
    line = parse_error_format("%{" + option + "}t|%M", is_main=True).line(start_line(make_server()))
    assert line is not None and re.fullmatch(shape, line.partition("|")[0], re.ASCII)


def test_a_required_item_drops_the_line(make_server: MakeServer) -> None:
    form = parse_error_format("[R:%L] Referer:'%+{Nope}i'", is_main=False)
    assert form.line(request_line(make_server())) is None


def test_once_lines_have_no_level_module_or_message(make_server: MakeServer) -> None:
    entry = request_line(make_server())
    entry.level, entry.module, entry.message = None, "", ""
    assert parse_error_format("R plain %k %l %m %a", is_main=False).line(entry) == "R plain 0 127.0.0.1:60890"


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("%Z %M", "Unrecognized error log format directive %Z"),
        ("%s|%M", "Unrecognized error log format directive %s"),
        ("%c|%M", "Unrecognized error log format directive %c"),
        ("%M%", "Ran off end of error log format parsing args to some directive"),
        ("%t", "main ErrorLogFormat must contain message format string '%M'"),
        ("%+7M%", "The '+' flag cannot be used in the main error log format"),
    ],
)
def test_refused(text: str, sentence: str) -> None:
    with pytest.raises(BadErrorFormat) as refused:
        parse_error_format(text, is_main=True)
    assert str(refused.value) == sentence


@pytest.mark.parametrize("make", [start_line, request_line])
def test_the_default_line_is_what_its_format_says(make_server: MakeServer, make: Callable[[Server], Entry]) -> None:
    entry = make(make_server())
    assert default_line(entry) == parse_error_format(DEFAULT, is_main=True).line(entry)


def test_the_default_line(make_server: MakeServer) -> None:
    line = default_line(request_line(make_server()))
    assert re.fullmatch(
        r"\[Mon Nov 23 \d\d:\d\d:02\.22580\d 2026\] \[core:info\] \[pid 21:tid 22\] \[client 127\.0\.0\.1:60890\] "
        r'AH00128: File does not exist: /htdocs/none, referer: http://r/"x\\\\',
        line,
        re.ASCII,
    )
