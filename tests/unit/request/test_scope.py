"""What expressions see of a request, and that every look is an input of the answer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

MakeWorld = Callable[..., Any]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("REQUEST_METHOD", "GET"),
        ("REQUEST_URI", "/d/f"),
        ("QUERY_STRING", "q=1"),
        ("REQUEST_FILENAME", "{root}/htdocs/d/f"),
        ("DOCUMENT_ROOT", "{root}/htdocs"),
        ("SERVER_NAME", "localhost"),
        ("SERVER_PORT", "80"),
        ("SERVER_PROTOCOL", "HTTP/1.1"),
        ("THE_REQUEST", "GET /d/f?q=1 HTTP/1.1"),
        ("LAST_MODIFIED", "20240102030405"),
        ("IS_SUBREQ", "false"),
        ("HTTPS", "off"),
        ("REMOTE_USER", ""),
        ("NO_SUCH_THING", ""),
    ],
)
def test_variables(world: MakeWorld, monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv("TZ", "UTC")
    w = world("", {"htdocs/d/f": ""})
    r = w.ask("/d/f?q=1").r
    assert r.expr_scope().variable(name) == value.replace("{root}", str(w.root))


def test_a_field_that_decides_stands_in_vary(world: MakeWorld) -> None:
    answer = world("<If \"%{HTTP:X-Kind} == 'a'\">\nForceType text/x-a\n</If>", {"htdocs/f": ""}).ask("/f", {"X-Kind": "a"})
    assert (answer.fields["Content-Type"], answer.fields["Vary"]) == ("text/x-a", "X-Kind")
    assert "x-kind" in answer.record.headers


@pytest.mark.parametrize(
    ("expression", "recorded"),
    [
        ("%{REMOTE_ADDR} == 'x'", "client_ip"),
        ("-f '/none'", "/none"),
    ],
)
def test_looks_are_recorded(world: MakeWorld, expression: str, recorded: str) -> None:
    record = world(f'<If "{expression}">\n</If>', {"htdocs/f": ""}).ask("/f").record
    assert recorded in record.facts or any(path == recorded for path, _ in record.files)


@pytest.mark.parametrize("expression", ["%{TIME_YEAR} -gt 2000", "%{REMOTE_PORT} == '1'", "%{SCRIPT_USER} == 'x'"])
def test_what_changes_by_itself_is_not_replayed(world: MakeWorld, expression: str) -> None:
    assert world(f'<If "{expression}">\n</If>', {"htdocs/f": ""}).ask("/f").record.volatile is not None


def test_variables_in_any_case(world: MakeWorld) -> None:
    scope = world("", {"htdocs/f": ""}).ask("/f").r.expr_scope()
    scope._r.env["Name"] = "1"
    scope._r.notes["Name"] = "2"
    assert (scope.reqenv("NAME"), scope.note("name")) == ("1", "2")


def test_after_the_answer_no_name_is_looked_up(world: MakeWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    w = world("HostnameLookups On", {"htdocs/f": ""})
    monkeypatch.setattr(w.pipeline, "resolve", {"127.0.0.1": "a.test"}.get)
    r = w.ask("/f").r
    r.may_block, r.traffic.finished = False, 1.0
    assert r.expr_scope().variable("REMOTE_HOST") == "127.0.0.1"
    assert r.expr_scope().resolve("localhost") is None
    r.may_block, r.traffic.finished = True, None
    assert r.expr_scope().variable("REMOTE_HOST") == "a.test"
    r.may_block, r.traffic.finished = False, 1.0
    assert r.expr_scope().variable("REMOTE_HOST") == "a.test"
