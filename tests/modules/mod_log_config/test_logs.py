"""Where lines go and which requests get one: conditions, virtual hosts, programs, buffers; and what is refused."""

from __future__ import annotations

import pytest

from coachwhip.testing.site import Site, StartFailed

FILES = {"htdocs/a.txt": "a", "htdocs/err.txt": "e"}
MODULES = ("mpm_event", "authz_core", "setenvif", "env", "mime")


def get(path: str, host: str = "h") -> bytes:
    return f"GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode("latin-1")


def logs_of(config: str, requests: list[bytes], *names: str) -> list[list[str]]:
    """The lines of each log after the server was stopped in the ordinary way."""
    with Site(config=config, files=FILES, modules=MODULES) as site:
        site.start()
        for request in requests:
            site.ask(request)
        site.stop()
        return [site.log(name).split("\n")[:-1] for name in names]


HOSTS = """\
ServerName main.example
SetEnvIf Request_URI "^/a" is_a
LogFormat "main %v %p %>s %U" n
LogFormat "default %v %r"
CustomLog logs/main.log n
GlobalLog logs/global.log "global %v %U"
TransferLog logs/transfer.log
CustomLog logs/env.log "%>s %<U %>U %{is_a}e %{REDIRECT_is_a}e" env=is_a
CustomLog logs/expr.log "%>s %<U %>U" "expr=%{REQUEST_STATUS} -eq 404"
ErrorDocument 404 /err.txt
<VirtualHost *:{port}>
    ServerName main.example
</VirtualHost>
<VirtualHost *:{port}>
    ServerName own.example
    LogFormat "vh %v %p %U" n
    CustomLog logs/own.log n
</VirtualHost>
<VirtualHost *:{port}>
    ServerName inh.example:8443
    LogFormat "inhdefault %v %r"
    LogFormat "inh %v %p %U" n
</VirtualHost>
<VirtualHost *:{port}>
    ServerName clf.example
    TransferLog logs/t2.log
    CustomLog logs/c2.log CLF
</VirtualHost>
"""


def test_which_server_writes_which_log() -> None:
    """Every line as Apache 2.4.71 wrote it for this configuration and these requests."""
    requests = [
        get("/a.txt"), get("/anone"), get("/a.txt", "own.example"), get("/none", "own.example"), get("/a.txt", "inh.example"),
        get("/none", "inh.example"), get("/a.txt", "clf.example"),
    ]  # fmt: skip
    names = ("main.log", "global.log", "transfer.log", "env.log", "expr.log", "own.log", "t2.log", "c2.log")
    found = dict(zip(names, logs_of(HOSTS, requests, *names), strict=True))
    assert found["main.log"] == [
        "main main.example 80 200 /a.txt",
        "main main.example 80 404 /anone",
        "main inh.example 8443 200 /a.txt",
        "main inh.example 8443 404 /none",
    ]
    assert found["global.log"] == [
        "global main.example /a.txt",
        "global main.example /anone",
        "global own.example /a.txt",
        "global own.example /none",
        "global inh.example /a.txt",
        "global inh.example /none",
        "global clf.example /a.txt",
    ]
    assert found["transfer.log"] == [
        "default main.example GET /a.txt HTTP/1.1",
        "default main.example GET /anone HTTP/1.1",
        "inhdefault inh.example GET /a.txt HTTP/1.1",
        "inhdefault inh.example GET /none HTTP/1.1",
    ]
    assert found["env.log"] == ["200 /a.txt /a.txt 1 -", "404 /anone /err.txt - 1", "200 /a.txt /a.txt 1 -"]
    assert found["expr.log"] == ["404 /anone /err.txt", "404 /none /err.txt"]
    assert found["own.log"] == ["vh own.example 80 /a.txt", "vh own.example 80 /none"]
    assert found["t2.log"] == ["default clf.example GET /a.txt HTTP/1.1"]
    assert len(found["c2.log"]) == 1 and found["c2.log"][0].endswith('] "GET /a.txt HTTP/1.1" 200 1')


@pytest.mark.parametrize("condition", ["", "CustomLog logs/e.log \"%U\" \"expr=%{HTTP_USER_AGENT} == 'odd'\"\n"])
def test_every_request_has_its_line_when_answers_are_given_again(condition: str) -> None:
    config = 'CustomLog logs/a.log "%m %U %{User-Agent}i %>s %B %I"\n' + condition
    requests = [
        f"GET /a.txt HTTP/1.1\r\nHost: h\r\nUser-Agent: {agent}\r\nConnection: close\r\n\r\n".encode("latin-1")
        for agent in ["one", "one", "one", "one", "two", "odd", "one", "odd"]
    ]
    lines, odd = logs_of(config, requests, "a.log", "e.log")
    assert lines == [
        f"GET /a.txt {agent} 200 1 {len(requests[0])}" for agent in ["one", "one", "one", "one", "two", "odd", "one", "odd"]
    ]
    assert odd == (["/a.txt", "/a.txt"] if condition else [])


@pytest.mark.parametrize("mark", ["|$cat", "||/usr/bin/tee", "|/usr/bin/tee"])
def test_a_program_gets_the_lines(mark: str) -> None:
    target = f"{mark} > {{root}}/logs/out.log" if mark == "|$cat" else f"{mark} {{root}}/logs/out.log"
    with Site(config=f'CustomLog "{target}" "%m %U"', files=FILES, modules=MODULES) as site:
        site.start()
        site.ask(get("/a.txt"))
        site.ask(get("/none"))
        site.stop()
        # The program ends when it has read all that the server wrote.
        for _ in range(100_000):
            if site.log("out.log").count("\n") == 2:
                break
        assert site.log("out.log") == "GET /a.txt\nGET /none\n"


def test_buffered_logs_are_complete_when_the_server_has_stopped() -> None:
    (lines,) = logs_of('BufferedLogs On\nCustomLog logs/b.log "%U"', [get(f"/{n}") for n in range(5)], "b.log")
    assert lines == [f"/{n}" for n in range(5)]


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ('LogFormat "%z"', "Unrecognized LogFormat directive %z"),
        ('LogFormat "%^zz"', "Unrecognized LogFormat directive %^"),
        ('LogFormat "%{abc"', "Ran off end of LogFormat parsing args to some directive"),
        ('LogFormat "abc %>"', "Ran off end of LogFormat parsing args to some directive"),
        ('CustomLog logs/a "%z"', "Unrecognized LogFormat directive %z"),
        ("CustomLog logs/a c env=", "missing environment variable name"),
        ("CustomLog logs/a c env=!", "missing environment variable name"),
        ("CustomLog logs/a c foo", "error in condition clause"),
        ('CustomLog logs/a c "expr=-z"', "syntax error, unexpected"),
        ("<VirtualHost *>\nGlobalLog logs/a c\n</VirtualHost>", "GlobalLog cannot occur within <VirtualHost> section"),
        ("BufferedLogs maybe", "BufferedLogs must be On or Off"),
        ("CustomLog none/a c", "Cannot access directory '{root}/none/' for log file 'none/a'"),
        ('CustomLog "|/nonexistent/x y" c', "AH00104: unable to start piped log program '/nonexistent/x y'"),
        ('ErrorLog "|/nonexistent/x y"', "AH00089: Couldn't start ErrorLog process '/nonexistent/x y'"),
        ("LogIOTrackTTFU On", "LogIOTrackTTFU"),
    ],
)
def test_refused(line: str, sentence: str) -> None:
    with Site(config=line, modules=MODULES) as site:
        with pytest.raises(StartFailed) as refused:
            site.start()
        assert site.fill(sentence) in refused.value.output


def test_a_condition_on_the_clients_name_waits_for_nobody() -> None:
    """A request that is refused before the name was looked up has its line all the same: the name is the address then."""
    config = (
        "HostnameLookups On\n"
        "CustomLog logs/address.log %U \"expr=%{REMOTE_HOST} == '127.0.0.1'\"\n"
        "CustomLog logs/name.log %U \"expr=%{REMOTE_HOST} != '127.0.0.1'\"\n"
        "CustomLog logs/all.log %U\n"
        'LogMessage "message %{REMOTE_HOST}"\nLogLevel info\n'
        "<Location /closed>\nRequire all denied\n</Location>\n"
    )
    with Site(config=config, files=FILES, modules=(*MODULES, "log_debug")) as site:
        site.start()
        answers = [site.ask(get(path)) for path in ("/closed", "/a.txt")]
        site.stop()
        assert [answer.status for answer in answers] == [403, 200]
        assert [site.log(f"{name}.log").split() for name in ("address", "name", "all")] == [["/closed"], ["/a.txt"], ["/closed", "/a.txt"]]
        assert "message 127.0.0.1" in site.log("error.log")
        assert "fault while" not in site.log("error.log")
