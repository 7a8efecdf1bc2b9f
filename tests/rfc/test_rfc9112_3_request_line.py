"""RFC 9112 section 3: the request line. Every verdict was recorded from Apache 2.4.71 with three ``HttpProtocolOptions``."""

import pytest

from coachwhip.protocol.errors import BadRequest
from coachwhip.protocol.request_line import HTTP_09, HTTP_10, HTTP_11, parse_request_line
from coachwhip.protocol.targets import TargetForm, parse_target


def verdict(line: bytes, *, strict: bool = True, lenient_methods: bool = True, allow_09: bool = True) -> str:
    try:
        parse_request_line(line, strict=strict, lenient_methods=lenient_methods, allow_09=allow_09)
    except BadRequest as error:
        return f"{error.status} {error.log_id}"
    return "ok"


@pytest.mark.parametrize(
    ("line", "strict", "unsafe", "registered"),
    [
        (b" GET /a.txt HTTP/1.1", "400 AH03447", "400 AH03447", "400 AH03447"),
        (b"GET  /a.txt HTTP/1.1", "400 AH03448", "ok", "400 AH03448"),
        (b"GET\t/a.txt HTTP/1.1", "400 AH03447", "400 AH03447", "400 AH03447"),
        (b"GET /a.txt\tHTTP/1.1", "400 AH03447", "400 AH03447", "400 AH03447"),
        (b"GET /a.txt  HTTP/1.1", "400 AH03448", "ok", "400 AH03448"),
        (b"GET /a.txt HTTP/1.1 ", "400 AH03448", "ok", "400 AH03448"),
        (b"GET /a.txt HTTP/1.1 x", "400 AH03448", "400 AH03449", "400 AH03448"),
        (b"GET /a b HTTP/1.1", "400 AH03448", "400 AH03449", "400 AH03448"),
        (b"GET", "400 AH03454", "400 AH03454", "400 AH03454"),
        (b"GET ", "400 AH03454", "400 AH03454", "400 AH03454"),
        (b"GET /a.txt ", "ok", "ok", "400 AH02401"),
        (b"GET /a.txt\t", "400 AH03447", "400 AH03447", "400 AH03447"),
        (b"/a.txt HTTP/1.1", "400 AH03445", "400 AH03450", "400 AH03445"),
        (b"G(T /a.txt HTTP/1.1", "400 AH03445", "ok", "400 AH03445"),
        (b"G\x01T /a.txt HTTP/1.1", "400 AH03445", "400 AH03445", "400 AH03445"),
        (b"GET /a\x01 HTTP/1.1", "400 AH03454", "400 AH03454", "400 AH03454"),
        (b"GET /a\x00b HTTP/1.1", "400 AH00566", "400 AH00566", "400 AH00566"),
        (b"GET /a\x7f HTTP/1.1", "400 AH03454", "400 AH03454", "400 AH03454"),
        (b"GET /\xe9 HTTP/1.1", "ok", "ok", "ok"),
        (b"GET /a\r HTTP/1.1", "400 AH03448", "400 AH03447", "400 AH03448"),
        (b"GET /a.txt HTTP/1.10", "400 AH02418", "400 AH02418", "400 AH02418"),
        (b"GET /a.txt HTTP/1.", "400 AH02418", "400 AH02418", "400 AH02418"),
        (b"GET /a.txt http/1.1", "400 AH02418", "ok", "400 AH02418"),
        (b"GET /a.txt Http/1.1", "400 AH02418", "ok", "400 AH02418"),
        (b"GET /a.txt HTTP/2.0", "ok", "ok", "ok"),
        (b"GET /a.txt HTTP/3.7", "ok", "ok", "ok"),
        (b"GET /a.txt HTTP/0.9", "400 AH02418", "400 AH02418", "400 AH02418"),
        (b"GET /a.txt HTTP/1.0", "ok", "ok", "ok"),
        (b"GET /a.txt HTTPS/1.1", "400 AH02418", "400 AH02418", "400 AH02418"),
        (b"GET /a.txt#x HTTP/1.1", "400 AH02421", "ok", "400 AH02421"),
        (b"GET a.txt HTTP/1.1", "400 AH03450", "400 AH03450", "400 AH03450"),
        (b"GET * HTTP/1.1", "400 AH03450", "400 AH03450", "400 AH03450"),
        (b"OPTIONS * HTTP/1.1", "ok", "ok", "ok"),
        (b"OPTIONS *x HTTP/1.1", "400 AH03450", "400 AH03450", "400 AH03450"),
        (b"OPTIONS foo HTTP/1.1", "400 AH03450", "400 AH03450", "400 AH03450"),
        (b"GET main.test:80 HTTP/1.1", "400 AH03450", "400 AH03450", "400 AH03450"),
        (b"CONNECT main.test:80 HTTP/1.1", "ok", "ok", "ok"),
        (b"CONNECT main.test HTTP/1.1", "400 AH03450", "400 AH03450", "400 AH03450"),
        (b"CONNECT /x HTTP/1.1", "400 AH03450", "400 AH03450", "400 AH03450"),
        (b"GET http://u:p@main.test/a.txt HTTP/1.1", "400 AH02422", "ok", "400 AH02422"),
        (b"GET http://u@main.test/a.txt HTTP/1.1", "400 AH02422", "ok", "400 AH02422"),
        (b"GET http://@main.test/a.txt HTTP/1.1", "400 AH02422", "ok", "400 AH02422"),
        (b"GET http://main.test HTTP/1.1", "ok", "ok", "ok"),
        (b"GET http://main.test?x HTTP/1.1", "ok", "ok", "ok"),
        (b"GET http:a.txt HTTP/1.1", "400 AH03450", "400 AH03450", "400 AH03450"),
        (b"GET http://main.test:/a.txt HTTP/1.1", "ok", "ok", "ok"),
        (b"GET http://main.test:0/a.txt HTTP/1.1", "ok", "ok", "ok"),
        (b"GET http://main.test:8x/a.txt HTTP/1.1", "400 AH03450", "400 AH03450", "400 AH03450"),
        (b"GET http://main.test:80:80/a.txt HTTP/1.1", "400 AH03450", "400 AH03450", "400 AH03450"),
        (b"GET http://[::1]/a.txt HTTP/1.1", "ok", "ok", "ok"),
        (b"GET http://[::1]:80/a.txt HTTP/1.1", "ok", "ok", "ok"),
        (b"GET http://[::1/a.txt HTTP/1.1", "400 AH03450", "400 AH03450", "400 AH03450"),
        (b"GET http://[::g]/a.txt HTTP/1.1", "ok", "ok", "ok"),
        (b"GET ftp://main.test/a.txt HTTP/1.1", "ok", "ok", "ok"),
        (b"GET HTTP://main.test/a.txt HTTP/1.1", "ok", "ok", "ok"),
        (b"GET https://main.test/a.txt HTTP/1.1", "ok", "ok", "ok"),
        (b"GET foo://main.test/a.txt HTTP/1.1", "ok", "ok", "ok"),
        (b"GET //main.test/a.txt HTTP/1.1", "ok", "ok", "ok"),
        (b"GET //a.txt HTTP/1.1", "ok", "ok", "ok"),
        (b"GET ? HTTP/1.1", "ok", "ok", "ok"),
        (b"GET ?x=1 HTTP/1.1", "ok", "ok", "ok"),
        (b"GET ?http://a/ HTTP/1.1", "400 AH03450", "400 AH03450", "400 AH03450"),
        (b"GET ?x=a:b HTTP/1.1", "400 AH03450", "400 AH03450", "400 AH03450"),
        (b"GET ?/a://b HTTP/1.1", "ok", "ok", "ok"),
        (b"GET /?a#b HTTP/1.1", "400 AH02421", "ok", "400 AH02421"),
        (b"GET /a.txt?x^\"<> HTTP/1.1", "ok", "ok", "ok"),
        (b"get /a.txt HTTP/1.1", "ok", "ok", "501 AH02423"),
        (b"FOO /a.txt HTTP/1.1", "ok", "ok", "501 AH02423"),
        (b"PRI * HTTP/2.0", "400 AH03450", "400 AH03450", "501 AH02423"),
        (b"HEAD /a.txt", "400 AH03444", "ok", "400 AH02401"),
        (b"POST /a.txt", "400 AH03444", "ok", "400 AH02401"),
        (b"GET /a.txt HTTP/1.1x", "400 AH02418", "400 AH02418", "400 AH02418"),
        (b"GET /a.txt HTTQ/1.1", "400 AH02418", "400 AH02418", "400 AH02418"),
        (b"GET /a.txt 1.1", "400 AH02418", "400 AH02418", "400 AH02418"),
        (b"GET /a.txt HTTP/11", "400 AH02418", "400 AH02418", "400 AH02418"),
        (b"GET /a.txt HTTP/x.y", "400 AH02418", "400 AH02418", "400 AH02418"),
        (b"OPTIONS http://main.test HTTP/1.1", "ok", "ok", "ok"),
        (b"OPTIONS http://main.test/ HTTP/1.1", "ok", "ok", "ok"),
        (b"GET mailto:x HTTP/1.1", "400 AH03450", "400 AH03450", "400 AH03450"),
        (b"GET a:/a.txt HTTP/1.1", "ok", "ok", "ok"),
        (b"GET /a.txt;x HTTP/1.1", "ok", "ok", "ok"),
        (b"GET /%zz HTTP/1.1", "ok", "ok", "ok"),
        (b"GET /%00 HTTP/1.1", "ok", "ok", "ok"),
        (b"GET http://ma in/ HTTP/1.1", "400 AH03448", "400 AH03449", "400 AH03448"),
        (b"GET http://ma<in/a.txt HTTP/1.1", "ok", "ok", "ok"),
        (b"GET http://main.test\\x/a.txt HTTP/1.1", "ok", "ok", "ok"),
        (b"GET http://main_x.test/a.txt HTTP/1.1", "ok", "ok", "ok"),
        (b"GET http://%6dain.test/a.txt HTTP/1.1", "ok", "ok", "ok"),
        (b"GET http://main.test/a.txt HTTP/1.0", "ok", "ok", "ok"),
        # Below, Apache is laxer than RFC 9110 §4.2.1 (an http URI has a host) or takes a port that is none.
        (b"GET http:///a.txt HTTP/1.1", "400 AH03450", "ok", "400 AH03450"),
        (b"GET http:/a.txt HTTP/1.1", "400 AH03450", "ok", "400 AH03450"),
        (b"GET http://main.test:99999/a.txt HTTP/1.1", "400 AH03450", "400 AH03450", "400 AH03450"),
    ],
)
def test_request_line(line: bytes, strict: str, unsafe: str, registered: str) -> None:
    assert verdict(line) == strict
    assert verdict(line, strict=False) == unsafe
    assert verdict(line, lenient_methods=False, allow_09=False) == registered


def test_the_parts() -> None:
    line = parse_request_line(b"GET /a?b=c HTTP/1.1")
    assert (line.method, line.target, line.version) == (b"GET", b"/a?b=c", HTTP_11)
    assert (line.uri.path, line.uri.query) == (b"/a", b"b=c")
    assert parse_request_line(b"GET / HTTP/1.0").version == HTTP_10
    assert parse_request_line(b"GET / HTTP/2.7").version == 2007
    assert parse_request_line(b"GET /").version == HTTP_09


@pytest.mark.parametrize(
    ("method", "target", "form", "path", "query", "scheme", "host", "port"),
    [
        # §3.2.1
        (b"GET", b"/", TargetForm.ORIGIN, b"/", None, None, None, None),
        (b"GET", b"/a?", TargetForm.ORIGIN, b"/a", b"", None, None, None),
        (b"GET", b"/a?b?c", TargetForm.ORIGIN, b"/a", b"b?c", None, None, None),
        (b"GET", b"//h/a", TargetForm.ORIGIN, b"//h/a", None, None, None, None),
        (b"GET", b"?q", TargetForm.ORIGIN, b"/", b"q", None, None, None),
        # §3.2.2
        (b"GET", b"http://h", TargetForm.ABSOLUTE, b"/", None, b"http", b"h", None),
        (b"GET", b"HTTP://H:8080/a?q", TargetForm.ABSOLUTE, b"/a", b"q", b"http", b"H", 8080),
        (b"GET", b"http://h?q", TargetForm.ABSOLUTE, b"/", b"q", b"http", b"h", None),
        (b"GET", b"http://h:/a", TargetForm.ABSOLUTE, b"/a", None, b"http", b"h", None),
        (b"GET", b"http://[::1]:80/a", TargetForm.ABSOLUTE, b"/a", None, b"http", b"[::1]", 80),
        (b"GET", b"ftp://h/a", TargetForm.ABSOLUTE, b"/a", None, b"ftp", b"h", None),
        # §3.2.3
        (b"CONNECT", b"h:443", TargetForm.AUTHORITY, b"", None, None, b"h", 443),
        (b"CONNECT", b"[::1]:443", TargetForm.AUTHORITY, b"", None, None, b"[::1]", 443),
        # §3.2.4
        (b"OPTIONS", b"*", TargetForm.ASTERISK, b"*", None, None, None, None),
    ],
)
def test_target_forms(
    method: bytes,
    target: bytes,
    form: TargetForm,
    path: bytes,
    query: bytes | None,
    scheme: bytes | None,
    host: bytes | None,
    port: int | None,
) -> None:
    uri = parse_target(target, method=method)
    assert (uri.form, uri.path, uri.query, uri.scheme, uri.host, uri.port) == (form, path, query, scheme, host, port)
