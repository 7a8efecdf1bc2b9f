"""Each part of `server-info`, with the lines of the configuration and where they stand; texts as the real Apache has them."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from coachwhip.testing import Site

MODULES = ("mpm_event", "authz_core", "authz_host", "alias", "dir", "mime", "info")
CONFIG = """\
<Location /info>
    SetHandler server-info
</Location>
AddModuleInfo mod_alias.c 'see <a href="x">here</a>'
Alias /x/ "{root}/htdocs/"
<VirtualHost *:1>
  ServerName "a <b>"
  <Directory "{root}/htdocs">
     Options Indexes
     <IfModule mod_alias.c>
        Redirect /a /b
     </IfModule>
  </Directory>
</VirtualHost>
"""


#: Apache's titles in Apache's order; where it names its libraries, ours names its own.
SETTINGS = ["Server Version", "Server Built", "Server loaded Python Version", "Compiled with Python Version",
            "Server loaded PCRE Version", "Compiled with PCRE Version", "Module Magic Number", "Hostname/port", "Timeouts", "MPM Name",
            "MPM Information", "Server Architecture", "Server Root", "Config File", "Server Built With"]  # fmt: skip
#: Those of Apache 2.4.71.
HOOKS = """Pre-Config, Check Configuration, Test Configuration, Post Configuration, Open Logs, Pre-MPM, MPM, Drop Privileges,
Retrieve Optional Functions, Child Init, Pre-Connection, Create Connection, Process Connection, Create Request, Pre-Read Request,
Post-Read Request, Header Parse, HTTP Scheme, Default Port, Quick Handler, Pre-Translate Name, Translate Name, Map to Storage,
Check Access, Check Access (legacy), Verify User ID, Note Authentication Failure, Verify User Access, Check Type, Fixups,
Insert Filters, Content Handlers, Transaction Logging, Insert Errors, Generate Log ID, Monitor, Child Status, End Generation,
Error Logging, Query MPM Attributes, Query MPM Name, Register Timed Callback, Extend Expression Parser, Set Management Items"""


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    with Site(config=CONFIG, modules=MODULES).start() as running:
        yield running


def page(site: Site, query: str = "") -> str:
    answer = site.ask(f"GET /info{query} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode())
    assert answer.status == 200
    return answer.body.decode().replace(site.root, "{root}")


def test_configuration_lines_with_their_places(site: Site) -> None:
    shown = page(site, "?config")
    lines = shown[shown.index("{root}/conf/case.conf") :].split("<dd>")[1:]
    assert [line.removesuffix("\n") for line in lines] == [
        "<tt>&nbsp;&nbsp;&nbsp;1:&nbsp;&lt;Location /info&gt;</tt></dd>",
        "<tt>&nbsp;&nbsp;&nbsp;2:&nbsp;&nbsp;&nbsp;SetHandler <i>server-info</i></tt></dd>",
        "<tt>&nbsp;&nbsp;&nbsp;&nbsp;:&nbsp;&lt;/Location&gt;</tt></dd>",
        "<tt>&nbsp;&nbsp;&nbsp;4:&nbsp;AddModuleInfo <i>mod_alias.c 'see &lt;a href=&quot;x&quot;&gt;here&lt;/a&gt;'</i></tt></dd>",
        "<tt>&nbsp;&nbsp;&nbsp;5:&nbsp;Alias <i>/x/ &quot;{root}/htdocs/&quot;</i></tt></dd>",
        "<tt>&nbsp;&nbsp;&nbsp;6:&nbsp;&lt;VirtualHost *:1&gt;</tt></dd>",
        "<tt>&nbsp;&nbsp;&nbsp;7:&nbsp;&nbsp;&nbsp;ServerName <i>&quot;a &lt;b&gt;&quot;</i></tt></dd>",
        "<tt>&nbsp;&nbsp;&nbsp;8:&nbsp;&nbsp;&nbsp;&lt;Directory &quot;{root}/htdocs&quot;&gt;</tt></dd>",
        "<tt>&nbsp;&nbsp;&nbsp;9:&nbsp;&nbsp;&nbsp;&nbsp;&nbsp;Options <i>Indexes</i></tt></dd>",
        "<tt>&nbsp;&nbsp;11:&nbsp;&nbsp;&nbsp;&nbsp;&nbsp;Redirect <i>/a /b</i></tt></dd>",
        "<tt>&nbsp;&nbsp;&nbsp;&nbsp;:&nbsp;&nbsp;&nbsp;&lt;/Directory&gt;</tt></dd>",
        "<tt>&nbsp;&nbsp;&nbsp;&nbsp;:&nbsp;&lt;/VirtualHost&gt;</tt></dd></dl><hr /></body></html>",
    ]


def test_server_settings(site: Site) -> None:
    shown = page(site, "?server")
    assert "<dt><strong>Config File:</strong> <tt>{root}/conf/httpd.conf</tt></dt>" in shown
    assert "<dt><strong>MPM Name:</strong> <tt>event</tt></dt>" in shown
    assert "<dt><strong>MPM Information:</strong> <tt>Max Daemons: 16 Threaded: yes Forked: yes</tt></dt>" in shown
    assert re.findall("<strong>([^<]+):</strong>", shown) == SETTINGS
    assert "\n -D APR_HAS_SENDFILE\n" in shown
    assert "<dt><strong>Timeouts:</strong> <tt>connection: 60 &nbsp;&nbsp; keep-alive: 5</tt></dt>" in shown


def test_module_list_is_sorted(site: Site) -> None:
    names = re.findall(r"<dd>([a-z_]+\.c)</dd>", page(site, "?list"))
    assert names == sorted(names)
    assert {"core.c", "event.c", "mod_alias.c", "mod_info.c"} <= set(names)


def test_hooks_lead_to_their_modules(site: Site) -> None:
    shown = page(site, "?hooks")
    titles = re.findall(r"<strong>([^<]+):</strong>", shown)
    assert titles == HOOKS.replace("\n", " ").split(", ")
    handlers = shown[shown.index("Content Handlers:") :].split("</tt>")[0]
    assert '<a href="?mod_info.c">mod_info.c</a>' in handlers


def test_providers(site: Site) -> None:
    assert "<dt><strong>authz</strong> (version <tt>0</tt>):\n <br />\n<tt>&nbsp;&nbsp;all</tt><br/>" in page(site, "?providers")


@pytest.mark.parametrize("query", ["?mod_alias.c", "?MOD_Alias.C"])
def test_one_module(site: Site, query: str) -> None:
    shown = page(site, query)
    assert "<tt>Create Directory Config</tt>, <tt>Merge Directory Configs</tt>, <tt>Create Server Config</tt>" in shown
    assert "<tt>Translate Name</tt>, <tt>Fixups</tt></dt>" in shown
    assert "&nbsp;&nbsp;&nbsp;5:&nbsp;Alias <i>" in shown
    assert "SetHandler" not in shown
    assert '<dt><strong>Additional Information:</strong>\n</dt><dd>see <a href="x">here</a></dd>' in shown


def test_a_module_that_is_not_there(site: Site) -> None:
    assert "Module Name" not in page(site, "?mod_nothing.c")


def test_everything(site: Site) -> None:
    shown = page(site)
    assert shown.count("<strong>Module Name:</strong>") == len(re.findall(r'<a href="#[a-z_]+\.c">[a-z_]+\.c</a>, ', shown))
    for part in ("modules", "server", "startup_hooks", "request_hooks", "other_hooks", "providers"):
        assert f'<a name="{part}">' in shown
