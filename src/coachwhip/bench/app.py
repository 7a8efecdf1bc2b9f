"""The application that WSGI and ASGI servers answer with in the bench: the same 612 bytes for every path."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from typing import Any

__all__ = ["asgi", "wsgi"]

BODY = b"<!DOCTYPE html>\n<title>A page</title>\n<p>".ljust(611, b"x") + b"\n"
HEADERS = (("Content-Type", "text/html"), ("Content-Length", str(len(BODY))))
_RAW = [(name.lower().encode(), value.encode()) for name, value in HEADERS]


def wsgi(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """PEP 3333."""
    start_response("200 OK", list(HEADERS))
    return [BODY]


async def asgi(scope: dict[str, Any], receive: Callable[[], Awaitable[Any]], send: Callable[[Any], Awaitable[None]]) -> None:
    """ASGI 3."""
    if scope["type"] == "http":
        await send({"type": "http.response.start", "status": 200, "headers": _RAW})
        await send({"type": "http.response.body", "body": BODY})
