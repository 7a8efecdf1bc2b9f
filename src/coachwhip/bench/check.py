"""Before the load: does a server give the answer that the workload is about? A fast wrong answer must not win."""

from __future__ import annotations

import gzip
import socket
from http.client import HTTPException, HTTPResponse

from coachwhip.bench.requests import SERIAL
from coachwhip.bench.workloads import Workload

__all__ = ["WrongAnswer", "check"]

#: Larger bodies are judged by their announced length.
READ_UP_TO = 4 << 20
#: Longer lists of requests are of one kind.
ALL_UP_TO = 50


class WrongAnswer(Exception):
    """The answer is not what the workload asks for; the text says how it differs."""


def check(port: int, workload: Workload) -> int:
    """Send the requests of a workload, of many the first and the last; returns the length of the last body, in bytes.

    Raises:
        WrongAnswer: status, length or coding differ, or there was no answer.
    """
    heads = workload.requests().heads()
    size = 0
    for head in heads if len(heads) <= ALL_UP_TO else (heads[0], heads[-1]):
        size = _ask(port, head.replace(SERIAL, "0"), workload)
    return size


def _ask(port: int, head: str, workload: Workload) -> int:
    line = head.partition("\r\n")[0]
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=20) as sock:
            sock.sendall(head.encode("latin-1"))
            response = HTTPResponse(sock)
            response.begin()
            coding = response.headers.get("Content-Encoding", "")
            length = int(response.headers.get("Content-Length", "0"))
            body = response.read() if length <= READ_UP_TO and response.status != 304 else b""
    except (OSError, HTTPException, ValueError) as error:
        raise WrongAnswer(f"'{line}' got no answer: {error}") from None
    wanted = 206 if "\r\nRange: " in head else workload.status
    if response.status != wanted:
        raise WrongAnswer(f"'{line}' got status {response.status}, expected {wanted}")
    if coding != workload.encoding:
        raise WrongAnswer(f"'{line}' got content coding '{coding}', expected '{workload.encoding}'")
    size = len(gzip.decompress(body)) if coding == "gzip" else len(body) or length
    if workload.size is not None and size != workload.size:
        raise WrongAnswer(f"'{line}' got {size} bytes, expected {workload.size}")
    return size
