"""Error logs: ids, once-lines, escaping, the bound of a line, and what cannot be opened."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from coachwhip.api.log import Level, LogTargetError, ModuleLog
from coachwhip.api.providers import Providers
from coachwhip.api.server import Connection, Server, Startup
from coachwhip.logs.errors import LINE_LIMIT, ErrorLog, open_error_logs
from coachwhip.logs.targets import LogRoom

LOG = ModuleLog("core")
MakeServer = Callable[..., Server]


def with_lines(server: Server) -> list[str]:
    """Give the server a log that a test can read."""
    lines: list[str] = []
    server.errors = ErrorLog(server, lambda level, line: lines.append(line))
    return lines


def startup_of(root: Path, server: Server) -> Startup:
    return Startup(str(root), server, [], [], Providers(), {}, {})


def a_connection(server: Server) -> Connection:
    return Connection(server, ("127.0.0.1", 5), ("127.0.0.1", 80), id=1)


def test_text_of_clients_is_escaped(make_server: MakeServer) -> None:
    server = make_server()
    lines = with_lines(server)
    LOG.error(server, "AH1", "%s", 'a"b\\c\td\ne\xe9\x1b[31m')
    assert lines[0].endswith('AH1: a"b\\\\c\\td\\ne\\xc3\\xa9\\x1b[31m')


def test_levels_of_modules(make_server: MakeServer) -> None:
    server = make_server(log_levels={"": Level.ERROR, "core": Level.TRACE3})
    lines = with_lines(server)
    LOG.trace(3, server, "", "seen")
    LOG.trace(4, server, "", "not seen")
    ModuleLog("env").warn(server, "", "not seen")
    assert len(lines) == 1 and "[core:trace3]" in lines[0]


def test_debug_lines_name_the_place_where_they_were_said(make_server: MakeServer) -> None:
    server = make_server(log_levels={"": Level.DEBUG})
    lines = with_lines(server)
    LOG.debug(server, "", "here")
    assert re.search(r"\] test_errors\.py\([0-9]+\): here$", lines[0])


def test_a_notice_about_a_server_is_written_whatever_the_level(make_server: MakeServer) -> None:
    server = make_server(log_levels={"": Level.CRIT})
    lines = with_lines(server)
    LOG.notice(server, "AH00489", "seen")
    LOG.notice(a_connection(server), "", "not seen")
    LOG.error(server, "", "not seen")
    assert len(lines) == 1 and lines[0].endswith("] AH00489: seen") and "[core:notice]" in lines[0]


def test_syslog_gets_no_notice_below_its_level(make_server: MakeServer) -> None:
    server = make_server(log_levels={"": Level.CRIT})
    lines: list[str] = []
    server.errors = ErrorLog(server, lambda level, line: lines.append(line), stamped=False)
    LOG.notice(server, "", "not seen")
    LOG.crit(server, "", "seen")
    assert len(lines) == 1


def test_what_the_system_said_stands_before_the_client(make_server: MakeServer) -> None:
    server = make_server()
    lines = with_lines(server)
    connection = a_connection(server)
    LOG.error(connection, "AH1", "cannot open %s", "x", error=FileNotFoundError(2, "No such file or directory"))
    assert lines[0].endswith("] (2)No such file or directory: [client 127.0.0.1:5] AH1: cannot open x")


def test_once_lines_come_before_the_first_line_of_a_connection(make_server: MakeServer) -> None:
    server = make_server(error_log_formats={"": ("%{c}L %M",), "connection": ("[%{C}L] %a", "%+{Nope}i")})
    lines = with_lines(server)
    connection = a_connection(server)
    LOG.error(connection, "", "one")
    LOG.error(connection, "", "two")
    number = connection.notes["log_id"]
    assert lines == [f"[{number}] 127.0.0.1:5", f"{number} one", f"{number} two"]


def test_ids_look_like_apaches_and_differ(make_server: MakeServer) -> None:
    server = make_server()
    with_lines(server)
    found = []
    for _ in range(100):
        connection = a_connection(server)
        LOG.error(connection, "", "x")
        found.append(connection.notes["log_id"])
    assert len(set(found)) == 100
    assert all(re.fullmatch(r"[A-Za-z0-9+/]{11}", number) for number in found)


def test_a_long_line_is_cut_to_apaches_bound(make_server: MakeServer, tmp_path: Path) -> None:
    server = make_server(error_log=str(tmp_path / "e.log"))
    startup = startup_of(tmp_path, server)
    open_error_logs(startup, LogRoom(startup.server_root))
    LOG.error(server, "", "y" * 20000)
    LOG.error(server, "", "next")
    first, second, rest = (tmp_path / "e.log").read_bytes().split(b"\n")
    assert len(first) == LINE_LIMIT - 1 == 8190 and second.endswith(b"next") and rest == b""


def test_a_full_disk_stops_nothing(make_server: MakeServer, tmp_path: Path) -> None:
    server = make_server(error_log="/dev/full")
    open_error_logs(startup_of(tmp_path, server), LogRoom(str(tmp_path)))
    LOG.error(server, "", "lost")


@pytest.mark.parametrize(
    ("target", "sentence"),
    [
        ("none/e.log", r"^\(2\)No such file or directory: AH00091: httpd: could not open error log file .*/none/e.log\.$"),
        ("|/nonexistent/x", r"^\(2\)No such file or directory: AH00089: Couldn't start ErrorLog process '/nonexistent/x'\.$"),
    ],
)
def test_what_cannot_be_opened(make_server: MakeServer, tmp_path: Path, target: str, sentence: str) -> None:
    with pytest.raises(LogTargetError, match=sentence):
        open_error_logs(startup_of(tmp_path, make_server(error_log=target)), LogRoom(str(tmp_path)))
