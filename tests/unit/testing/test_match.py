"""Expectations: placeholders match what they stand for and nothing else, and every difference is told."""

from __future__ import annotations

import gzip
from dataclasses import replace

import pytest

from coachwhip.testing.match import (
    Places,
    differences,
    log_differences,
    log_text,
    refusal_differences,
    refusal_text,
    render,
)
from coachwhip.testing.raw import Response

PLACES = Places("/tmp/root", 12_345)
RESPONSE = Response(
    200,
    b"OK",
    b"HTTP/1.1 200 OK",
    (
        (b"Date", b"Mon, 23 Nov 2026 09:13:13 GMT"),
        (b"Server", b"Apache/2.4.71 (Debian)"),
        (b"Location", b"http://localhost:12345/tmp/root/x"),
        (b"Content-Type", b"text/plain"),
    ),
    b"line\nno end",
)


def told(expected: str, response: Response) -> list[str]:
    return list(differences(expected, response, PLACES))


def test_what_is_rendered_matches_itself_and_another_run() -> None:
    text = render(RESPONSE, PLACES)
    assert "Date: {date}" in text
    assert "Server: {product}/{version} ({platform})" in text
    assert "Location: http://localhost:{port}{root}/x" in text
    assert told(text, RESPONSE) == []
    elsewhere = replace(RESPONSE, headers=(*RESPONSE.headers[:2], (b"Location", b"http://localhost:9/r/x"), RESPONSE.headers[3]))
    assert list(differences(text, elsewhere, Places("/r", 9))) == []


@pytest.mark.parametrize(
    "changed",
    [
        replace(RESPONSE, status_line=b"HTTP/1.1 200 Fine"),
        replace(RESPONSE, body=b"line\nno end\n"),
        replace(RESPONSE, body=b""),
        replace(RESPONSE, is_complete=False),
        replace(RESPONSE, headers=RESPONSE.headers[1:]),
        replace(RESPONSE, headers=(*RESPONSE.headers, (b"X", b"y"))),
        replace(RESPONSE, headers=((b"Date", b"yesterday"), *RESPONSE.headers[1:])),
        replace(RESPONSE, headers=((b"Date", RESPONSE.headers[0][1] + b"\n"), *RESPONSE.headers[1:])),
    ],
)
def test_every_change_is_told(changed: Response) -> None:
    assert len(told(render(RESPONSE, PLACES), changed)) >= 1


def test_header_order_is_free_and_allow_is_a_set() -> None:
    text = render(replace(RESPONSE, headers=(*RESPONSE.headers, (b"Allow", b"GET,POST"))), PLACES)
    got = replace(RESPONSE, headers=((b"Allow", b"POST,GET"), *RESPONSE.headers[::-1]))
    assert told(text, got) == []


def test_gzip_is_compared_unpacked() -> None:
    headers = ((b"Content-Encoding", b"gzip"), (b"Content-Length", b"30"))
    packed = replace(RESPONSE, headers=headers, body=gzip.compress(b"hello\n", 9))
    text = render(packed, PLACES)
    assert text.endswith("{gunzip}\nhello")
    assert told(text, replace(packed, body=gzip.compress(b"hello\n", 1))) == []
    assert told(text, replace(packed, body=gzip.compress(b"other\n", 9))) != []
    assert told(text, replace(packed, body=b"hello\n")) != []


def test_large_bodies_are_digests() -> None:
    large = replace(RESPONSE, body=b"x" * 10_000)
    text = render(large, PLACES)
    assert "10000 bytes}" in text
    assert told(text, large) == []
    assert told(text, replace(large, body=b"y" * 10_000)) != []


ERROR_LOG = """\
[Mon Nov 23 09:13:13.692984 2026] [mpm_event:notice] [pid 1:tid 2] AH00489: configured
[Mon Nov 23 09:13:13.693464 2026] [authz_core:error] [pid 1:tid 2] [client 127.0.0.1:5] AH01630: denied: /x
[Mon Nov 23 09:13:13.693464 2026] [core:alert] [pid 1:tid 2] [client 127.0.0.1:5] /x/.htaccess: no number
"""


def test_the_error_log_is_compared_by_number() -> None:
    text = log_text("error.log", ERROR_LOG, PLACES)
    assert text == "authz_core:error AH01630\ncore:alert"
    assert list(log_differences("error.log", text, ERROR_LOG, PLACES)) == []
    assert list(log_differences("error.log", "core:alert", ERROR_LOG, PLACES)) != []


def test_other_logs_are_compared_whole() -> None:
    content = '127.0.0.1 [23/Nov/2026:09:07:56 +0000] "GET /" 200 51234\n'
    text = log_text("access.log", content, PLACES)
    assert text == '127.0.0.1 [{time}] "GET /" 200 51234'
    assert list(log_differences("access.log", text.replace("51234", "{number}"), content, PLACES)) == []
    assert list(log_differences("access.log", text, content + content, PLACES)) != []


def test_refusals_are_compared_by_status_number_and_place() -> None:
    output = "AH00526: Syntax error on line 3 of /tmp/root/conf/case.conf:\nInvalid command 'X'\n"
    text = refusal_text(1, output, PLACES)
    assert text.split("\n")[0] == "status 1 AH00526 conf/case.conf:3"
    assert list(refusal_differences(text, 1, "AH00526: /r/conf/case.conf:3: no directive X")) == []
    assert len(list(refusal_differences(text, 0, "AH00526: /r/conf/case.conf:3"))) == 1
    assert len(list(refusal_differences(text, 1, "/r/conf/case.conf:3"))) == 1
    assert len(list(refusal_differences(text, 1, "AH00526: /r/conf/case.conf:33"))) == 1
    assert list(refusal_differences("", 1, output)) != []


def error_page(status: int, words: str, *, signature: str = "") -> Response:
    """A built-in page in its own words."""
    body = f"<!DOCTYPE html>\n<html>\n<head>\n<title>{status} Reason</title>\n</head><body>{words}\n{signature}</body></html>\n"
    headers = ((b"Content-Length", b"%d" % len(body)), (b"Content-Type", b"text/html; charset=iso-8859-1"))
    return Response(status, b"Reason", b"HTTP/1.1 %d Reason" % status, headers, body.encode())


SIGNED = "<address>Apache/2.4.71 (Debian) Server at localhost Port 80</address>\n"


def test_a_built_in_page_is_known_by_its_status_and_signature_alone() -> None:
    text = render(error_page(404, "some words", signature=SIGNED), PLACES)
    assert "some words" not in text
    assert "Content-Length: {length}" in text
    assert text.endswith("{page 404}\n<address>{product}/{version} ({platform}) Server at localhost Port 80</address>")
    ours = SIGNED.replace("Apache/2.4.71 (Debian)", "Other/1.0.0 (Unix)")
    assert told(text, error_page(404, "other words", signature=ours)) == []


@pytest.mark.parametrize(
    "other",
    [
        error_page(404, "words", signature=SIGNED),
        error_page(403, "words"),
        replace(error_page(404, "words"), body=b"<p>words</p>"),
        replace(error_page(404, "words"), body=error_page(500, "words").body),
        replace(error_page(404, "words"), headers=((b"Content-Length", b"1"), (b"Content-Type", b"text/plain"))),
    ],
)
def test_what_is_not_that_page(other: Response) -> None:
    assert told(render(error_page(404, "words"), PLACES), other)
