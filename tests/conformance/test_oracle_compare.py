"""The oracle's eye: what it must see, what it must overlook. An instrument that cannot fail is a defect."""

from __future__ import annotations

import gzip
from dataclasses import replace

import pytest
from conformance.answers import NO_ANSWER, Answer, AnswerStore
from conformance.asking import Question
from conformance.compare import allowance_for, compare
from conformance.findings import Outcome

PLAIN = Answer(
    b"HTTP/1.1 200 OK",
    ((b"Date", b"one"), (b"Server", b"Apache/2.4.71 (Debian)"), (b"ETag", b'"x"'), (b"Content-Length", b"5")),
    b"hello",
)


def with_header(answer: Answer, name: bytes, value: bytes) -> Answer:
    kept = tuple(pair for pair in answer.headers if pair[0] != name)
    return replace(answer, headers=(*kept, (name, value)))


def parts(expected: Answer, got: Answer, *, with_order: bool = False) -> list[str]:
    return [difference.part for difference in compare(expected, got, with_order=with_order)]


@pytest.mark.parametrize(
    ("got", "seen"),
    [
        (replace(PLAIN, status_line=b"HTTP/1.1 200 Fine"), ["status"]),
        (with_header(PLAIN, b"ETag", b'"y"'), ["header etag"]),
        (with_header(PLAIN, b"X-New", b""), ["header x-new"]),
        (replace(PLAIN, headers=PLAIN.headers[:-1]), ["header content-length"]),
        (replace(PLAIN, headers=(*PLAIN.headers, (b"ETag", b'"x"'))), ["header etag"]),
        (replace(PLAIN, body=b"hellO"), ["body"]),
        (replace(PLAIN, is_complete=False), ["body"]),
    ],
)
def test_sees_each_kind_of_difference(got: Answer, seen: list[str]) -> None:
    assert parts(PLAIN, got) == seen


def test_sees_a_missing_answer() -> None:
    assert "status" in parts(PLAIN, NO_ANSWER)


def test_overlooks_date_server_and_case_of_names() -> None:
    got = with_header(with_header(PLAIN, b"Date", b"two"), b"Server", b"other")
    got = replace(got, headers=tuple((name.upper(), value) for name, value in got.headers))
    assert parts(PLAIN, got, with_order=False) == []


def test_order_of_headers_counts_only_when_asked_for() -> None:
    got = replace(PLAIN, headers=PLAIN.headers[::-1])
    assert parts(PLAIN, got) == []
    assert parts(PLAIN, got, with_order=True) == ["header order"]


def test_allow_is_a_set() -> None:
    assert parts(with_header(PLAIN, b"Allow", b"GET,POST"), with_header(PLAIN, b"Allow", b"POST,GET")) == []
    assert parts(with_header(PLAIN, b"Allow", b"GET"), with_header(PLAIN, b"Allow", b"GET,PUT")) == ["header allow"]


def multipart(boundary: bytes, piece: bytes = b"x") -> Answer:
    body = b"\r\n--" + boundary + b"\r\n\r\n" + piece + b"\r\n--" + boundary + b"--\r\n"
    kind = b"multipart/byteranges; boundary=" + boundary
    length = b"%d" % len(body)
    return Answer(b"HTTP/1.1 206 Partial Content", ((b"Content-Length", length), (b"Content-Type", kind)), body)


def test_boundaries_may_differ_even_in_length_but_parts_may_not() -> None:
    assert parts(multipart(b"aaaa"), multipart(b"bbbbbb")) == []
    assert parts(multipart(b"aaaa"), multipart(b"aaaa", b"y")) == ["body"]


def signed(product: bytes, text: bytes = b"Not Found") -> Answer:
    body = b"<p>" + text + b"</p><address>Apache/2.4.71 (" + product + b") Server at localhost Port 80</address>"
    return Answer(b"HTTP/1.1 404 Not Found", ((b"Content-Length", b"%d" % len(body)),), body)


def test_the_product_in_signed_pages_may_differ_but_the_page_may_not() -> None:
    assert parts(signed(b"Debian"), signed(b"Coachwhip 0.1")) == []
    assert parts(signed(b"Debian"), signed(b"Coachwhip 0.1", b"Gone")) == ["header content-length", "body"]


def test_the_length_of_an_unseen_signed_page_may_differ_by_the_product_name_alone() -> None:
    expected = Answer(b"HTTP/1.1 404 X", ((b"Server", b"Apache/2.4.71 (Debian)"), (b"Content-Length", b"100")), b"")
    got = Answer(b"HTTP/1.1 404 X", ((b"Server", b"Apache/2.4.71 (Other 1)"), (b"Content-Length", b"101")), b"")
    (difference,) = compare(expected, got)
    assert allowance_for(difference, expected, got) is not None
    too_long = with_header(got, b"Content-Length", b"102")
    (difference,) = compare(expected, too_long)
    assert allowance_for(difference, expected, too_long) is None


def packed(text: bytes, level: int) -> Answer:
    return Answer(b"HTTP/1.1 200 OK", ((b"Content-Encoding", b"gzip"),), gzip.compress(text, level, mtime=0))


def test_compressed_bytes_may_differ_but_not_what_they_hold() -> None:
    text = bytes(range(256)) * 40
    first, second = packed(text, 1), packed(text, 9)
    (difference,) = compare(first, second)
    assert (difference.part, allowance_for(difference, first, second) is not None) == ("compressed bytes", True)
    assert parts(first, packed(text + b"x", 9)) == ["body"]


def test_an_unlisted_difference_fails_the_run() -> None:
    outcome = Outcome()
    question = Question("plain", b"GET", b"/")
    outcome.judge(question, PLAIN, PLAIN, with_order=True)
    assert outcome.unlisted == []
    outcome.judge(question, PLAIN, replace(PLAIN, body=b"other"), with_order=True)
    assert [finding.question for finding in outcome.unlisted] == [question]
    assert outcome.by_category() == {"plain": 1}


def test_answers_come_back_from_the_store_as_they_were(tmp_path: object) -> None:
    store = AnswerStore(tmp_path / "answers.sqlite")  # type: ignore[operator]
    odd = Answer(b"HTTP/1.1 200 OK", ((b"A", b"b: c"), (b"A", b"")), b"\x00body", is_complete=False)
    store.put([(b"GET /", odd)])
    assert store.find([b"GET /", b"GET /other"]) == {b"GET /": odd}
    store.close()


def error_page(status: int, words: str) -> Answer:
    body = f"<!DOCTYPE html>\n<html><head>\n<title>{status} Reason</title>\n</head><body>{words}</body></html>\n".encode()
    headers = ((b"Content-Type", b"text/html; charset=iso-8859-1"), (b"Content-Length", b"%d" % len(body)))
    return Answer(b"HTTP/1.1 %d Reason" % status, headers, body)


def is_allowed(expected: Answer, got: Answer) -> bool:
    return all(allowance_for(difference, expected, got) for difference in compare(expected, got))


def test_error_pages_may_use_their_own_words() -> None:
    assert compare(error_page(404, "some"), error_page(404, "other words"))
    assert is_allowed(error_page(404, "some"), error_page(404, "other words"))
    assert is_allowed(error_page(300, "pick <ul><li>a</ul>"), error_page(300, "choose one: <ul><li>a</ul>"))


@pytest.mark.parametrize(
    "got",
    [
        error_page(403, "some"),
        with_header(error_page(404, "other words"), b"X-New", b"1"),
        replace(error_page(404, "x"), body=b"<html><p>other words</html>"),
        replace(error_page(404, "x"), body=error_page(500, "other words").body),
        error_page(404, "<ul><li>b</ul>"),
        error_page(404, "<address>Apache/2.4.71 (Debian) Server at localhost Port 80</address>"),
    ],
)
def test_what_else_differs_in_error_pages_counts(got: Answer) -> None:
    assert not is_allowed(error_page(404, "some"), got)


def test_a_part_of_packed_bytes_need_only_lie_at_the_same_place() -> None:
    def part(body: bytes, place: bytes) -> Answer:
        headers = ((b"Content-Encoding", b"gzip"), (b"Content-Range", place), (b"Content-Length", b"%d" % len(body)))
        return Answer(b"HTTP/1.1 206 Partial Content", headers, body)

    assert is_allowed(part(b"abc", b"bytes 0-2/9"), part(b"abd", b"bytes 0-2/8"))
    assert not is_allowed(part(b"abc", b"bytes 0-2/9"), part(b"abd", b"bytes 1-3/9"))
    assert not is_allowed(part(b"abc", b"bytes 0-2/9"), part(b"ab", b"bytes 0-1/9"))
