"""core's hooks: the document root, TRACE and OPTIONS, types and handlers from the configuration, and files."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import pytest

Serve = Callable[..., Any]
BARE = ("authz_core",)


@pytest.mark.parametrize(
    ("target", "path"),
    [("/a", "/a"), ("//a", "/a"), ("/a/../b", "/b"), ("/a%20b", "/a b"), ("/", "/")],
)
def test_document_root(serve: Serve, target: str, path: str) -> None:
    served = serve("", modules=BARE)
    assert served.ask(target).request.filename == f"{served.root}/htdocs{path}"


def test_server_path_is_cut_off(serve: Serve) -> None:
    served = serve("<VirtualHost *:80>\nServerName localhost\nServerPath /s\n</VirtualHost>", {"htdocs/f": "x"}, BARE)
    assert [served.ask(target).status for target in ("/f", "/s/f", "/sf")] == [200, 200, 404]


@pytest.mark.parametrize(
    ("method", "status", "ids"),
    [
        ("GET", 200, []),
        ("HEAD", 200, []),
        ("POST", 200, []),
        ("OPTIONS", 200, []),
        ("PUT", 405, []),
        ("FROB", 501, ["AH00135"]),
    ],
)
def test_methods_of_a_file(serve: Serve, method: str, status: int, ids: list[str]) -> None:
    answer = serve("", {"htdocs/f": "x"}, BARE).ask("/f", method=method)
    assert (answer.status, answer.ids) == (status, ids)


@pytest.mark.parametrize(("setting", "status"), [("On", 200), ("Off", 405), ("extended", 200)])
def test_trace(serve: Serve, setting: str, status: int) -> None:
    answer = serve(f"TraceEnable {setting}", {}, BARE).ask("/x", {"Cookie": "a=b"}, method="TRACE")
    assert answer.status == status
    if status == 200:
        assert answer.get("Content-Type") == "message/http"
        assert "*" in answer.request.record.headers, "every field is in the answer"


def test_options_of_the_server(serve: Serve) -> None:
    answer = serve("", {}, BARE).ask("*", method="OPTIONS")
    assert (answer.status, answer.get("Content-Length")) == (200, "0")


@pytest.mark.parametrize(
    ("lines", "kind", "handler"),
    [
        ("ForceType text/x-a", "text/x-a", None),
        ("ForceType none", None, None),
        ("SetHandler Some-Handler", None, "some-handler"),
        ("SetHandler none", None, None),
        ('SetHandler "%{tolower:ABC}"', None, "abc"),
    ],
)
def test_types_and_handlers(serve: Serve, lines: str, kind: str | None, handler: str | None) -> None:
    answer = serve(f"<Location /f>\n{lines}\n</Location>", {"htdocs/f": "x"}, BARE).ask("/f")
    assert (answer.request.content_type, answer.request.handler) == (kind, handler)


@pytest.mark.parametrize(("target", "ids"), [("/none", ["AH00128"]), ("/d/", ["AH00129"]), ("/f/more", ["AH00130"])])
def test_what_is_not_there(serve: Serve, target: str, ids: list[str]) -> None:
    answer = serve("", {"htdocs/f": "x", "htdocs/d/x": ""}, BARE).ask(target)
    assert (answer.status, answer.ids) == (404, ids)


def test_a_file_that_may_not_be_read(serve: Serve) -> None:
    if os.getuid() == 0:
        pytest.skip("root may read everything")
    served = serve("", {"htdocs/f": "x"}, BARE)
    (served.root / "htdocs/f").chmod(0)
    answer = served.ask("/f")
    assert (answer.status, answer.ids) == (403, ["AH00132"])
