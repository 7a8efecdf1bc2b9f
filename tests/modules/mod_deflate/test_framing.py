"""Content-Length or chunks: a compressed answer has a length only if nothing of it had to go on before the end, as in Apache.

Sizes and framings were compared with the real Apache: up to 64 KiB at once, beyond that once a buffer (8,096 bytes) has come out of zlib.
"""

from __future__ import annotations

import gzip
import hashlib
from collections.abc import Iterator

import pytest

from coachwhip.testing import Site
from coachwhip.testing.raw import Response

#: Text that gzip cannot make much smaller than half.
NOISE = b"".join(hashlib.sha1(b"%d" % n, usedforsecurity=False).hexdigest().encode() for n in range(30_000))
MODULES = ("mpm_event", "authz_core", "dir", "mime", "deflate")
SIZES = {"chunked": (200_000, 300_000, 1_000_000), "length": (69, 5_000, 65_536), "plain": (0, 1, 68)}


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    files = {f"htdocs/{n}.txt": NOISE[:n] for sizes in SIZES.values() for n in sizes}
    files["htdocs/zeros.txt"] = bytes(4_000_000)
    with Site(config="SetOutputFilter DEFLATE\n", files=files, modules=MODULES).start() as running:
        yield running


def ask(site: Site, name: str, method: str = "GET", version: str = "1.1") -> tuple[Response, dict[bytes, bytes]]:
    request = f"{method} /{name} HTTP/{version}\r\nHost: localhost\r\nAccept-Encoding: gzip\r\n\r\n"
    found = site.ask(request.encode(), method.encode())
    return found, {name.lower(): value for name, value in found.headers}


@pytest.mark.parametrize(("framing", "size"), [(framing, size) for framing, sizes in SIZES.items() for size in sizes])
def test_framing_by_size(site: Site, framing: str, size: int) -> None:
    found, fields = ask(site, f"{size}.txt")
    assert (fields.get(b"content-encoding") == b"gzip") == (framing != "plain")
    assert (b"transfer-encoding" in fields) == (framing == "chunked")
    assert (b"content-length" in fields) == (framing != "chunked")
    assert (found.body if framing == "plain" else gzip.decompress(found.body)) == NOISE[:size]


def test_what_shrinks_below_a_buffer_has_a_length(site: Site) -> None:
    found, fields = ask(site, "zeros.txt")
    assert int(fields[b"content-length"]) == len(found.body) < 8_096
    assert gzip.decompress(found.body) == bytes(4_000_000)


def test_head_has_no_transfer_encoding(site: Site) -> None:
    _, fields = ask(site, "300000.txt", "HEAD")
    assert b"transfer-encoding" not in fields
    assert b"content-length" not in fields
    assert fields[b"content-encoding"] == b"gzip"


def test_an_old_client_reads_until_the_end(site: Site) -> None:
    found, fields = ask(site, "300000.txt", version="1.0")
    assert fields[b"connection"] == b"close"
    assert b"transfer-encoding" not in fields
    assert gzip.decompress(found.body) == NOISE[:300_000]
