"""A module of one's own that reads a request body and tells what arrived; `LoadModule body_echo_module python:body_echo`."""

from __future__ import annotations

import hashlib

from coachwhip.api import Data, End, Module, Outcome, Request, Result, phases

MODULE = Module("body_echo_module", "mod_body_echo.c")


@MODULE.hook(phases.handler)
async def tell(r: Request) -> Result:
    """Length, digest and encoding of the body."""
    if r.handler != "body-echo":
        return Outcome.DECLINED
    digest, size = hashlib.sha1(usedforsecurity=False), 0
    if r.body is not None:
        while piece := await r.body.next():
            digest.update(piece)
            size += len(piece)
    text = f"{size} {digest.hexdigest()} {r.headers_in.get('Content-Encoding')} {r.headers_in.get('Content-Length')}\n"
    r.set_content_type("text/plain")
    r.send(Data(text.encode("latin-1")), End())
    return Outcome.OK
