"""Which answers are replayed, which never are, and how both are logged."""

import email.utils
import os
import sys
import time
import types

import pytest
from places import MODULES, OLD, get, settle, warm

from coachwhip.api import Module, Outcome, phases
from coachwhip.request import replay as replay_room

SITE = """
AddLanguage en .en
AddLanguage fr .fr
MaxKeepAliveRequests 0
Redirect permanent /moved /a.txt
Redirect 302 /moved302 /a.txt
Redirect 303 /moved303 /a.txt
Redirect 305 /moved305 /a.txt
Redirect 307 /moved307 /a.txt
Redirect 308 /moved308 /a.txt
Redirect gone /gone
SetEnvIf User-Agent odd odd=1
<Directory {root}/htdocs>
AllowOverride All
Options +Indexes +MultiViews
Require all granted
</Directory>
<Location /secret>
AuthType Basic
AuthName x
AuthUserFile {root}/users
Require valid-user
</Location>
<Location /closed>
Require all denied
</Location>
<Location /off>
Replay Off
</Location>
"""


@pytest.fixture
def site(place):
    for path in ("a.txt", "off/a.txt", "file/a.txt", "closed/a.txt", "secret/a.txt", "list/a.txt", "foo.html.en", "foo.html.fr"):
        place.write(f"htdocs/{path}", "a page\n")
    place.write("htdocs/file/.htaccess", "Replay Off\n")
    place.write("users", "")
    settle()
    return place


CASES = {
    200: ("/a.txt",),
    206: ("/a.txt", "Range: bytes=1-2"),
    301: ("/moved",),
    **{status: (f"/moved{status}",) for status in (302, 303, 305, 307, 308)},
    410: ("/gone",),
    304: ("/a.txt", f"If-Modified-Since: {email.utils.formatdate(OLD, usegmt=True)}"),
    401: ("/secret/a.txt",),
    403: ("/closed/a.txt",),
    404: ("/nothing",),
    406: ("/foo", "Accept: image/png"),
    # Its page is sent in chunks.
    416: ("/a.txt", "Range: bytes=99-"),
}


@pytest.mark.parametrize("status", sorted(CASES))
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_these_statuses_are_replayed(site, status, method):
    server = site.serve(SITE)
    line = server.line()
    first = line.ask(get(*CASES[status], method=method))
    again = warm(line, get(*CASES[status], method=method), times=4)
    assert int(first[9:12]) == status
    assert first.split(b"\r\n")[2:] == again.split(b"\r\n")[2:]
    # A field that no answer depended on before is known from the second request on.
    assert server.hits >= 1, server.replay.counters


def test_a_range_that_comes_to_lie_inside_is_sent(site):
    server = site.serve(SITE)
    line, request = server.line(), get("/a.txt", "Range: bytes=99-")
    assert warm(line, request, times=4).startswith(b"HTTP/1.1 416 ") and server.hits >= 1
    site.write("htdocs/a.txt", b"x" * 100)
    answer = line.ask(request)
    assert answer.startswith(b"HTTP/1.1 206 ") and answer.endswith(b"\r\n\r\nx")


@pytest.mark.parametrize("path", ["/off/a.txt", "/file/a.txt", "/off/none", "/status"])
def test_nothing_is_kept_where_replay_is_off_or_counters_are_shown(site, path):
    server = site.serve(SITE + "<Location /status>\nSetHandler server-status\n</Location>\n")
    warm(server.line(), get(path), times=4)
    assert server.hits == 0
    assert server.replay.counters.volatile == {"live counters" if path == "/status" else "Replay Off": 4}


YOUNG = {
    "a file": ("/a.txt",),
    "the index of a folder": ("/list/",),
    "the best of several": ("/foo",),
    "an error page": ("/nothing",),
    "a condition": ("/a.txt", 'If-None-Match: "other"'),
}


@pytest.mark.parametrize("kind", YOUNG)
def test_a_weak_tag_is_never_replayed_and_grows_strong_at_the_very_second(site, monkeypatch, kind):
    for path in ("a.txt", "list/index.html", "foo.html.en", "foo.html.fr", "err.html"):
        site.write(f"htdocs/{path}", "a page\n")
    server = site.serve(SITE + "ErrorDocument 404 /err.html\n")
    line, request = server.line(), get(*YOUNG[kind])
    settle()
    monkeypatch.setattr(time, "time", lambda: now)
    monkeypatch.setattr(replay_room, "is_settled_time", lambda seen, looked: True)
    now = OLD + 1.0
    assert b"\r\nETag: W/" in warm(line, request, times=5)
    assert server.hits == 0
    now = OLD + 1.001
    grown = warm(line, request, times=5)
    assert b'\r\nETag: "' in grown
    assert server.hits >= 2


def test_an_error_page_elsewhere_does_not_turn_replay_on_again(site):
    server = site.serve(SITE + "ErrorDocument 404 /a.txt\n")
    warm(server.line(), get("/off/none"), times=4)
    assert server.hits == 0


def test_replay_off_needs_the_class_options_in_htaccess(site):
    server = site.serve(SITE.replace("AllowOverride All", "AllowOverride FileInfo"))
    assert server.ask(get("/file/a.txt")).startswith(b"HTTP/1.1 500 ")


@pytest.mark.parametrize("replayable", [False, True])
def test_a_foreign_module_is_replayed_only_if_it_says_so(site, replayable, monkeypatch):
    module = Module("guest_module", "mod_guest.c", replayable=replayable)

    @module.hook(phases.fixups)
    def look(r):
        return Outcome.DECLINED

    holder = types.ModuleType("guest_of_test")
    holder.MODULE = module
    monkeypatch.setitem(sys.modules, "guest_of_test", holder)
    server = site.serve("LoadModule guest_module python:guest_of_test\n" + SITE)
    warm(server.line(), get("/a.txt"), times=4)
    assert server.hits == (2 if replayable else 0)
    assert ("module mod_guest.c" in server.replay.counters.volatile) is not replayable


def test_keep_alive_counts_down_and_ends_in_time_by_the_host_that_answers(site):
    config = "MaxKeepAliveRequests 5\n<VirtualHost *:*>\nServerName other.test\n</VirtualHost>\n"
    config += "<VirtualHost *:*>\nServerName a.test\nMaxKeepAliveRequests 3\n</VirtualHost>\n"
    server = site.serve(SITE.replace("MaxKeepAliveRequests 0", config))
    for _ in range(4):
        for host, limit in (("other.test", 5), ("a.test", 3)):
            line = server.line()
            answers = [line.ask(get("/a.txt", "Connection: keep-alive", host=host)) for _ in range(limit + 1)]
            assert [b"max=%d\r\n" % (limit - n) in answer for n, answer in enumerate(answers)] == [True] * limit + [False]
            assert b"\r\nConnection: close\r\n" in answers[-1]
            assert line.is_over()
    assert server.hits > 20


@pytest.mark.parametrize("path", ["a.txt", "large.txt"])
def test_a_connection_rests_as_long_as_the_host_that_answers_says(site, path):
    site.write("htdocs/large.txt", b"x" * (8 << 20))
    settle()
    config = "<VirtualHost *:*>\nServerName other.test\n</VirtualHost>\n"
    config += "<VirtualHost *:*>\nServerName a.test\nKeepAliveTimeout 2\n</VirtualHost>\n"
    server = site.serve(SITE + config)
    for _ in range(4):
        line = server.line()
        line.ask(get(f"/{path}", host="other.test"))
        line.ask(get(f"/{path}", host="a.test"))
        for seconds, is_over in ((1, False), (3, True)):
            for connection in list(server.worker.connections):
                connection.check_time(time.monotonic() + seconds)
            assert line.is_over() is is_over
    assert server.hits == 4


def test_log_lines_are_those_of_a_server_without_replay(site):
    asked = [get(*case) for case in CASES.values()]
    asked += [get("/a.txt", f'User-Agent: "{name}\\', f"Referer: r{name}") for name in "abc"]
    asked += [get("/a.txt", "Connection: close"), get("/nothing", version="1.0")]
    logs = {}
    for name, last in (("on", ""), ("off", "Replay Off\n")):
        server = site.serve(SITE + 'LogLevel debug\nErrorLogFormat "%l %M"\nErrorLog {root}/logs/error-NAME.log\n'.replace("NAME", name)
            + 'CustomLog {root}/logs/NAME.log "%a %A %b %B %H %{Referer}i %{User-Agent}i %{Host}i %k %m %p %P %q %r %R %s %>s '
            '%u %U %v %V %X %{ETag}o %I %O"\n'
            .replace("NAME", name) + last, modules=(*MODULES, "logio"))  # fmt: skip
        for _ in range(3):
            for request in asked:
                server.ask(request)
            line = server.line()
            for request in asked:
                if b"close" not in request and b"1.0" not in request:
                    line.ask(request)
        assert (server.hits > 15) is (name == "on")
        server.close()
        site.servers.remove(server)
        logs[name] = site.log(f"{name}.log").split("\n"), site.log(f"error-{name}.log").split("\n")
    assert logs["on"] == logs["off"]


@pytest.mark.parametrize("format", ["", 'ErrorLogFormat "%{Referer}i %{X-Own}i %M"\n'], ids=["by default", "of its own"])
def test_error_lines_are_about_the_request_at_hand(site, format):
    server = site.serve(SITE + "LogLevel info\n" + format)
    asked = [("Referer: http://r1/", "X-Own: 1"), ("Referer: http://r2/",), ("X-Own: 3",), ("Referer: http://r4/", "X-Own: 4"), ()]
    line = server.line()
    for fields in asked:
        line.ask(get("/nothing", *fields))
    assert server.hits == 3
    said = [text for text in site.log("error.log").splitlines() if "AH00128" in text]
    for text, fields in zip(said, asked, strict=True):
        wanted = [field.partition(": ")[2] for field in fields if format or field.startswith("Referer")]
        if format:
            assert text.split("AH00128")[0].split() == wanted
        else:
            assert text.partition(", referer: ")[2].split() == wanted


@pytest.mark.parametrize("end", ["keep-alive", "close"])
def test_what_the_error_log_speaks_of_has_a_name_of_its_own_each_time(site, end):
    server = site.serve(f'''{SITE}LogLevel info
        ErrorLogFormat "line %{{c}}L %L %M"
        ErrorLogFormat connection "connection %{{c}}L"
        ErrorLogFormat request "request %{{c}}L %L"
        CustomLog {{root}}/logs/names.log "%{{c}}L %L"''')
    for _ in range(5):
        server.ask(get("/nothing", f"Connection: {end}"))
    assert server.hits == 3
    server.turn()
    words = [text.split()[:3] for text in site.log("error.log").splitlines()]
    names = [text.split() for text in site.log("names.log").splitlines()]
    assert len({name for pair in names for name in pair}) == 10
    assert words == [word for c, r in names for word in (["connection", c], ["request", c, r], ["line", c, r])]


@pytest.mark.parametrize("sendfile_size", [0, 16 << 20], ids=["a file", "in memory"])
@pytest.mark.parametrize("fields", [(), ("Connection: close",)], ids=["stays", "closes"])
def test_a_large_answer_is_logged_when_it_is_out_or_cut(site, monkeypatch, sendfile_size, fields):
    monkeypatch.setattr("coachwhip.request.replay.SENDFILE_SIZE", sendfile_size)
    size = 8 << 20
    site.write("htdocs/large.txt", b"x" * size)
    settle()
    config = f'{SITE}ReplayMaxBody 16777216\nCustomLog {{root}}/logs/large.log "%s %X %b %O"\n'
    server = site.serve(config, modules=(*MODULES, "logio"))
    request = get("/large.txt", *fields)
    whole = [server.ask(request) for _ in range(3)]
    line = server.line()
    line.ask(get("/a.txt"))
    whole.append(line.ask(request))
    counted = server.worker.hot.tally.bytes
    line = server.line()
    line.ask(get("/a.txt"))
    line.send(request)
    for _ in range(5):
        server.turn()
    line.close()
    before = server.worker.hot.tally.bytes
    for _ in range(10_000):
        server.turn()
        if server.worker.hot.tally.bytes != before:
            break
    server.turn()
    assert server.hits == 3
    *complete, cut = [line.split() for line in site.log("large.log").splitlines() if " 7 " not in line]
    assert complete == [["200", "-" if fields else "+", str(size), str(len(answer))] for answer in whole]
    assert cut[:2] == ["200", "X"]
    assert 0 < int(cut[2]) == int(cut[3]) - (len(whole[0]) - size) < size
    assert server.worker.hot.tally.bytes - counted == int(cut[3])


def test_a_request_that_comes_while_a_large_answer_is_sent_is_answered_after_it(site):
    size = 8 << 20
    site.write("htdocs/large.txt", b"x" * size)
    settle()
    server = site.serve(f'{SITE}CustomLog {{root}}/logs/order.log "%U %I %b"\n', modules=(*MODULES, "logio"))
    request, next_one = get("/large.txt"), get("/a.txt", "User-Agent: next")
    for one in (request, next_one):
        for _ in range(3):
            server.ask(one)
    line = server.line()
    for own in (get("/a.txt"), request):
        line.ask(own)
    line.send(request)
    for _ in range(5):
        server.turn()
    line.send(next_one)
    for _ in range(5):
        server.turn()
    assert line.read().endswith(b"\r\n\r\n" + b"x" * size)
    assert line.read().startswith(b"HTTP/1.1 200 OK\r\n")
    *_, large, small = site.log("order.log").splitlines()
    assert (large, small) == (f"/large.txt {len(request)} {size}", f"/a.txt {len(next_one)} 7")


def test_a_client_that_was_gone_before_its_kept_answer_is_logged(site):
    server = site.serve(f'{SITE}CustomLog {{root}}/logs/gone.log "%s %X %b"\n')
    line = server.line()
    warm(line, get("/a.txt"))
    line.send(get("/a.txt"))
    line.reset()
    for _ in range(5):
        server.turn()
    assert site.log("gone.log").splitlines()[2:] == ["200 + 7", "200 X -"]


def test_a_write_through_a_mapping_shows_within_a_second(site):
    import mmap
    import time

    server = site.serve(SITE)
    line = server.line()
    with open(f"{site.root}/htdocs/a.txt", "r+b") as file, mmap.mmap(file.fileno(), 0) as memory:
        assert warm(line, get("/a.txt")).endswith(b"\r\n\r\na page\n")
        assert server.hits == 1
        memory[0] = ord("b")
        memory.flush()
        time.sleep(1.01)
        assert line.ask(get("/a.txt")).endswith(b"\r\n\r\nb page\n")
    os.utime(f"{site.root}/htdocs/a.txt", (OLD, OLD))


def test_what_a_refused_link_leads_to_is_asked_each_time_where_nothing_can_be_watched(site, blind):
    os.symlink(f"{site.root}/beside", f"{site.root}/htdocs/link.txt")
    server = site.serve("Options SymLinksIfOwnerMatch\n" + SITE)
    line = server.line()
    settle()
    assert warm(line, get("/link.txt")).startswith(b"HTTP/1.1 403 ") and server.hits == 1
    site.write("beside", "now there\n")
    assert line.ask(get("/link.txt")).endswith(b"\r\n\r\nnow there\n")


def test_the_scoreboard_shows_who_was_given_a_kept_answer_last_and_when(site):
    server = site.serve(SITE)
    one, other = server.line(), server.line("127.0.0.2")
    warm(one, get("/a.txt"), times=5)
    board = server.instance.startup.scoreboard
    began = max(slot.last_used for slot in board.slots())
    time.sleep(0.02)
    other.ask(get("/a.txt"))
    latest = max(board.slots(), key=lambda slot: slot.last_used)
    assert latest.client == "127.0.0.2" and latest.last_used > began
    assert server.replay.counters.hits == 4


@pytest.mark.parametrize("field", ["If-Unmodified-Since", "If-Modified-Since"])
def test_a_date_where_nothing_says_when_the_answer_changed_is_judged_each_time(site, field):
    site.write("htdocs/v.var", "URI: a\nContent-Type: text/plain\nBody:----x----\nsaid here\n----x----\n")
    server = site.serve(SITE + "AddHandler type-map .var\n")
    settle()
    warm(server.line(), get("/v.var"), times=4)
    assert server.hits >= 1
    before = server.hits
    warm(server.line(), get("/v.var", f"{field}: {email.utils.formatdate(time.time(), usegmt=True)}"), times=5)
    assert server.hits == before


def test_the_time_of_a_folder_that_an_expression_asks_for_is_an_input(site):
    site.write("htdocs/dated/a.txt", "")
    os.utime(f"{site.root}/htdocs/dated", (OLD, OLD))
    server = site.serve(SITE + "<If \"%{LAST_MODIFIED} -gt 20250101000000\">\nErrorDocument 403 young\n</If>\n"
        + "<Directory {root}/htdocs/dated>\nOptions None\n</Directory>\n")  # fmt: skip
    settle()
    line = server.line()
    assert not warm(line, get("/dated/")).endswith(b"young") and server.hits == 1
    site.write("htdocs/dated/b.txt", "")
    assert line.ask(get("/dated/")).endswith(b"\r\n\r\nyoung")


@pytest.mark.parametrize("code", ["%{replay}n", "%<{replay}n"])
def test_the_notes_say_it_of_an_error_page_elsewhere_too(site, code):
    server = site.serve(f'{SITE}ErrorDocument 404 /a.txt\nCustomLog {{root}}/logs/note.log "{code}"\n')
    warm(server.line(), get("/nothing"))
    server.ask(get("/off/none"))
    server.ask(get("/nothing", "TE: trailers"))
    server.turn()
    assert site.log("note.log").splitlines() == ["miss", "miss", "hit", "Replay Off", "out of the ordinary"]


def test_the_notes_say_what_replay_did(site):
    server = site.serve(SITE)
    line = server.line()
    warm(line, get("/a.txt"))
    line.ask(get("/off/a.txt"))
    line.ask(get("/a.txt", "TE: trailers"))
    server.ask(get("/%zz"))
    server.turn()
    assert site.log("replay.log").splitlines() == ["miss", "miss", "hit", "Replay Off", "out of the ordinary", "status or headers"]
    counters = server.replay.counters
    assert (server.hits, counters.misses) == (1, 5)
    assert counters.volatile == {"Replay Off": 1, "out of the ordinary": 1, "status or headers": 1}
