"""mod_deflate -- gzip for responses, and off requests and responses.

`DEFLATE` (out) compresses, `INFLATE` (out) and `DEFLATE` (in) inflate. The rules of when are in `output` and `input`, the format in
`gzip`; nothing here does I/O. Source: Apache manual, mod_deflate.
"""

from __future__ import annotations

from coachwhip.api import FilterType, InputFilter, Module, OutputFilter, Request
from coachwhip.modules.filters.mod_deflate.input import InflateBody, takes_gzip_off
from coachwhip.modules.filters.mod_deflate.output import Deflate, Inflate
from coachwhip.modules.filters.mod_deflate.settings import DIRECTIVES, DeflateDir, DeflateServer

MODULE = Module(
    "deflate_module",
    "mod_deflate.c",
    DIRECTIVES,
    dir_config=DeflateDir,
    server_config=DeflateServer,
    replayable=True,
)


@MODULE.output_filter("DEFLATE", FilterType.CONTENT_SET)
def make_deflate(r: Request) -> OutputFilter:
    """Compress this response if its first brigade and its client allow it."""
    return Deflate(r, MODULE.log)


@MODULE.output_filter("INFLATE", FilterType.RESOURCE)
def make_inflate(r: Request) -> OutputFilter:
    """Take gzip off this response."""
    return Inflate(r, MODULE.log)


@MODULE.input_filter("DEFLATE", FilterType.CONTENT_SET)
def make_inflate_body(r: Request) -> InputFilter | None:
    """Take gzip off this request's body, if it is on."""
    return InflateBody(r, MODULE.log) if takes_gzip_off(r) else None
