"""`coachwhip explain`: which lines decided an answer, for people and as JSON."""

import json
import os

import pytest

from coachwhip.cli.main import main

CONFIG = """\
LoadModule mpm_event_module m
LoadModule authz_core_module m
LoadModule mime_module m
LoadModule alias_module m
Listen 80
Listen 127.0.0.1:81
ServerName localhost
DocumentRoot {root}/htdocs
TypesConfig {root}/mime.types
ErrorLog {root}/none/such.log
<Directory {root}/htdocs>
    AllowOverride All
    Require all granted
</Directory>
<VirtualHost *:80>
    ServerName a.test
    ServerAlias b.test
    Redirect /old /new
</VirtualHost>
"""


@pytest.fixture
def site(tmp_path):
    (tmp_path / "htdocs").mkdir()
    (tmp_path / "htdocs" / "a.txt").write_text("a\n")
    os.utime(tmp_path / "htdocs" / "a.txt", (1_600_000_000, 1_600_000_000))
    (tmp_path / "mime.types").write_text("text/plain txt\n")
    (tmp_path / "httpd.conf").write_text(CONFIG.replace("{root}", str(tmp_path)))
    return tmp_path


def explained(site, capsys, *words):
    assert main(["explain", "-d", str(site), "-f", "httpd.conf", "--json", *words]) == 0
    return json.loads(capsys.readouterr().out)


def test_the_virtual_host_and_why(site, capsys):
    for url, reason in (
        ("http://a.test/a.txt", "its ServerName matches 'a.test'"),
        ("http://b.test/a.txt", "its ServerAlias matches 'b.test'"),
        ("http://c.test/a.txt", "the first for 127.0.0.1:80: no ServerName or ServerAlias matches 'c.test'"),
        ("http://c.test:81/a.txt", "the main server: no virtual host is for 127.0.0.1:81"),
    ):
        assert explained(site, capsys, url)["host_reason"] == reason


def test_the_lines_that_took_part_with_their_places(site, capsys):
    found = explained(site, capsys, "http://a.test/old/x")
    assert found["status"] == 302
    assert {"source": f"{site}/httpd.conf:18", "text": "Redirect /old /new", "settings": ["AliasServer.redirects"]} in found["lines"]


def test_of_what_is_said_about_extensions_only_those_of_the_file_took_part(site, capsys):
    (site / "htdocs" / ".htaccess").write_text(
        "AddLanguage en .en\nAddType text/html .txt .html\nAddType text/css .css\nAddCharset utf-8 .txt\n"
        "<Files a.*>\nAddType text/markdown .txt .md\nRemoveLanguage .en\n</Files>\n"
    )
    found = explained(site, capsys, "/a.txt")
    assert "Content-Type: text/markdown; charset=utf-8" in found["head"]
    said = [(line["text"], line["settings"]) for line in found["lines"] if "MimeDir.extensions" in line["settings"]]
    assert said == [(text, ["MimeDir.extensions"]) for text in ("AddType text/markdown .txt .md", "AddCharset utf-8 .txt")]


def test_sections_and_htaccess_in_order_and_files_absent_or_there(site, capsys):
    absent = {"path": f"{site}/htdocs/.htaccess", "how": "stat", "found": False}
    assert absent in explained(site, capsys, "/a.txt")["files"]
    (site / "htdocs" / ".htaccess").write_text("<Files a.txt>\nRequire all denied\n</Files>\n")
    found = explained(site, capsys, "/a.txt")
    assert found["status"] == 403
    assert [step["text"] for step in found["steps"] if step["kind"] == "section"] == [
        f"<Directory {site}/htdocs/>", f"{site}/htdocs/.htaccess", "<Files a.txt>",
    ]  # fmt: skip
    assert "Require all denied" in [line["text"] for line in found["lines"]]
    assert {**absent, "found": True} in found["files"]
    assert any("AH01630" in line for line in found["log"])


def test_fields_count_and_the_head_is_shown(site, capsys):
    found = explained(site, capsys, "/a.txt", "-H", "Range: bytes=0-0")
    assert "range" in found["headers"]
    assert found["head"].startswith("HTTP/1.1 206 Partial Content\r\n")


def test_people_see_the_same(site, capsys):
    assert main(["explain", "-d", str(site), "-f", "httpd.conf", "http://a.test/a.txt"]) == 0
    shown = capsys.readouterr().out
    for words in ("GET /a.txt HTTP/1.1  →  200", "Virtual host", "its ServerName matches", "AllowOverride All", "httpd.conf:11", "absent"):
        assert words in shown


@pytest.mark.parametrize(("words", "complaint"), [
    (["ftp://a.test/"], "is no URL"), (["http:///x"], "is no URL"), (["/a b"], "is no URL"), (["/", "-H", "No colon"], "malformed"),
    (["a.txt"], "is no URL"), ([""], "is no URL"),
    (["/", "--client", "a.test"], "is no IP address"), (["/", "--local", "x"], "is no IP address"),
])  # fmt: skip
def test_mistakes_are_said_in_a_line(site, capsys, words, complaint):
    assert main(["explain", "-d", str(site), "-f", "httpd.conf", *words]) == 1
    assert complaint in capsys.readouterr().err


def test_a_mistake_in_a_htaccess_is_shown_with_its_line(site, capsys):
    (site / "htdocs" / ".htaccess").write_text("AddType text/html .x\nAdType text/html .y\n")
    found = explained(site, capsys, "/a.txt")
    [mistake] = [step for step in found["steps"] if step["kind"] == "mistake"]
    assert found["status"] == 500 and mistake["source"] == f"{site}/htdocs/.htaccess:2"
    assert mistake["text"].startswith("Invalid command 'AdType'")


def test_where_other_requests_come_in_is_said(site, capsys):
    (site / "htdocs" / ".htaccess").write_text("ErrorDocument 404 /a.txt\nDirectoryIndex a.txt\n")
    with open(site / "httpd.conf", "a") as file:
        file.write("LoadModule dir_module m\n")
    steps = [(step["kind"], step["text"]) for step in explained(site, capsys, "/none")["steps"]]
    at = steps.index(("redirect", "/a.txt in place of /none"))
    assert ("hook", "handler: core.c answered 404") in steps[:at] and ("hook", "handler: core.c answered OK") in steps[at:]
    assert main(["explain", "-d", str(site), "-f", "httpd.conf", "/"]) == 0
    assert "  sub-request /a.txt" in capsys.readouterr().out


@pytest.mark.parametrize(("words", "why"), [
    (["/a.txt"], ""), (["/a.txt", "-X", "POST"], "out of the ordinary"), (["/a.txt", "-H", "Upgrade: x"], "out of the ordinary"),
    (["/a.txt", "-H", 'If-Match: "x"'], "status or headers"), (["/status"], "live counters"), (["/off/a"], "Replay Off"),
])  # fmt: skip
def test_why_an_answer_is_not_replayed(site, capsys, words, why):
    with open(site / "httpd.conf", "a") as file:
        file.write("LoadModule status_module m\n<Location /status>\nSetHandler server-status\n</Location>\n")
        file.write("<Location /off>\nReplay Off\n</Location>\n")
    found = explained(site, capsys, *words)
    assert found["volatile"] == why
    assert found["status"] == {"/status": 200, "/off/a": 404}.get(words[0], 412 if why.startswith("status") else 200)
    assert any(line["text"] == "Replay Off" for line in found["lines"]) is (why == "Replay Off")


def test_where_nobody_listens_the_first_address_answers_and_that_is_said(site, capsys):
    config = (site / "httpd.conf").read_text()
    (site / "httpd.conf").write_text(config.replace("Listen 80\n", "Listen 8080\n").replace("*:80", "*:8080"))
    assert main(["explain", "-d", str(site), "-f", "httpd.conf", "--json", "http://a.test/old/x"]) == 0
    said = capsys.readouterr()
    assert said.err == "coachwhip explain: nobody listens on port 80; this is what port 8080 would answer\n"
    assert json.loads(said.out)["status"] == 302
    found = explained(site, capsys, "/none")
    assert found["host_reason"].startswith("the first for 127.0.0.1:8080: ")


def test_heads_are_judged_by_the_servers_own_limits(site, capsys):
    with open(site / "httpd.conf", "a") as file:
        file.write("LimitRequestLine 30\n")
    assert main(["explain", "-d", str(site), "-f", "httpd.conf", "/" + "x" * 40]) == 1
    assert "exceeds LimitRequestLine" in capsys.readouterr().err


def test_lines_are_whole_where_nobody_looks_on(site, capsys):
    alias = f"Alias /{'long/' * 30} {site}/htdocs/"
    with open(site / "httpd.conf", "a") as file:
        file.write(f"{alias}\n")
    number = (site / "httpd.conf").read_text().count("\n")
    main(["explain", "-d", str(site), "-f", "httpd.conf", "/" + "long/" * 30 + "a.txt"])
    [line] = [line for line in capsys.readouterr().out.splitlines() if line.strip().startswith("Alias")]
    assert line.split(alias)[1].strip() == f"{site}/httpd.conf:{number}"
