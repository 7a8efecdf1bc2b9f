"""What a client is told when a request fails: the built-in page, an `ErrorDocument`, and what goes wrong with those."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from coachwhip.api import phases
from coachwhip.api.module import Module
from coachwhip.api.outcome import Outcome
from coachwhip.api.request import Request
from coachwhip.protocol.status import REASONS
from coachwhip.request.errors import DROPS_CONNECTION, SENTENCES

MakeWorld = Callable[..., Any]


def ending(status: int, act: Callable[[Request], Any] = lambda r: None) -> Module:
    """A module that ends every first request in its fixups."""
    made = Module("probe_module", "mod_probe.c", replayable=True)

    @made.hook(phases.fixups)
    def end(r: Request) -> Any:
        act(r)
        return status if r.prev is None and r.main is None else Outcome.DECLINED

    return made


@pytest.mark.parametrize("status", [s for s in REASONS if s >= 300 and s != 304])
def test_every_error_has_a_page_that_names_it(world: MakeWorld, status: int) -> None:
    answer = world().add(ending(status)).ask("/")
    assert answer.status == status
    assert f"<title>{status} {REASONS[status]}</title>" in answer.body.decode()
    assert answer.fields["Content-Type"] == "text/html; charset=iso-8859-1"
    assert int(answer.fields["Content-Length"]) == len(answer.body)
    assert answer.reply.close == (status in DROPS_CONNECTION)


def test_every_status_has_words_of_its_own() -> None:
    assert {s for s in REASONS if s >= 300 and s != 304} <= set(SENTENCES)
    assert len(set(SENTENCES.values())) == len(SENTENCES)


def test_an_unknown_status_looks_like_a_500(world: MakeWorld) -> None:
    answer = world().add(ending(418)).ask("/")
    assert (answer.status, answer.r.status, answer.reply.close) == (500, 418, False)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=40)
@given(location=st.text(st.characters(min_codepoint=32, max_codepoint=255, exclude_characters="\x7f"), max_size=30))
def test_nothing_from_outside_becomes_markup(world: MakeWorld, location: str) -> None:
    w = world().add(ending(301, lambda r: r.headers_out.set("Location", location)))
    text = w.ask("/").body.decode("latin-1")
    assert text.count("<") == w.ask("/").body.count(b"<")
    assert "<script" not in text and text.count('"') == 6 + 2 * bool(location)


def test_a_method_is_escaped(world: MakeWorld) -> None:
    assert b"&lt;" not in world().ask("PUT /").body
    assert b"PUT" in world().ask("PUT /").body


def test_only_lasting_fields_stay(world: MakeWorld) -> None:
    def act(r: Request) -> None:
        r.headers_out.set("X-Normal", "1")
        r.err_headers_out.set("X-Always", "1")
        r.headers_out.set("Location", "/elsewhere")
        r.content_encodings = ["gzip"]

    failed = world().add(ending(403, act)).ask("/").fields
    assert "X-Always" in failed and not {"X-Normal", "Location", "Content-Encoding"} & set(failed)
    assert world().add(ending(302, act)).ask("/").fields["Location"] == "/elsewhere"


def test_allow_with_405(world: MakeWorld) -> None:
    assert world("", {"htdocs/f": ""}).ask("PUT /f").fields["Allow"] == "HEAD,GET,POST,OPTIONS,TRACE"


def test_notes_of_modules_are_shown(world: MakeWorld) -> None:
    assert b"<p>because</p>" in world().add(ending(403, lambda r: r.notes.__setitem__("error-notes", "because"))).ask("/").body


def test_signature(world: MakeWorld) -> None:
    page = world("ServerSignature EMail\nServerAdmin a@b").ask("/none").body.decode()
    assert 'Server at <a href="mailto:a@b">localhost</a> Port 80</address>' in page


def test_a_head_request_gets_no_page(world: MakeWorld) -> None:
    answer = world().ask("HEAD /none")
    assert (answer.status, answer.body) == (404, b"")
    assert "Content-Length" not in answer.fields


@pytest.mark.parametrize(
    ("document", "status", "body", "location"),
    [
        ('"plain words"', 404, b"plain words", None),
        ("/e", 404, b"document", None),
        ("http://elsewhere/e", 302, None, "http://elsewhere/e"),
        ('"asked for %{REQUEST_URI}"', 404, b"asked for /none", None),
    ],
)
def test_error_documents(world: MakeWorld, document: str, status: int, body: bytes | None, location: str | None) -> None:
    answer = world(f"ErrorDocument 404 {document}", {"htdocs/e": "document"}).ask("/none")
    assert (answer.status, answer.fields.get("Location")) == (status, location)
    assert body is None or answer.body == body


def test_the_document_knows_what_it_is_for(world: MakeWorld) -> None:
    answer = world("ErrorDocument 404 /e", {"htdocs/e": "x"}).ask("POST /none?q")
    env = answer.r.env
    assert (answer.r.method, env["REDIRECT_STATUS"], env["REDIRECT_REQUEST_METHOD"]) == ("GET", "404", "POST")


def test_conditions_do_not_hide_an_error(world: MakeWorld) -> None:
    w = world("ErrorDocument 404 /e", {"htdocs/e": "x"})
    tag = w.ask("/e").fields["ETag"]
    assert w.ask("/e", {"If-None-Match": tag}).status == 304
    assert w.ask("/none", {"If-None-Match": tag, "Range": "bytes=0-0"}).status == 404


def test_a_document_that_fails_leaves_the_first_error(world: MakeWorld) -> None:
    answer = world("ErrorDocument 403 /missing").add(ending(403)).ask("/")
    assert answer.status == 403
    assert b"403 Forbidden" in answer.body and b"404 Not Found" in answer.body


def test_a_document_that_leads_in_a_circle(world: MakeWorld) -> None:
    answer = world("ErrorDocument 404 /none").ask("/none")
    assert (answer.status, len(answer.log)) == (404, 2)
