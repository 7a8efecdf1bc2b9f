"""What a server answered, kept on disk: Apache is asked once per scenario, then only the candidate is run again.

A store knows requests as bytes and answers as a head and a body; bodies are kept once however often they came.
"""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from coachwhip.testing.raw import Header, Response

_SCHEMA = """
CREATE TABLE IF NOT EXISTS bodies (digest BLOB PRIMARY KEY, body BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS answers (
    request BLOB PRIMARY KEY, status_line BLOB NOT NULL, headers BLOB NOT NULL, is_complete INTEGER NOT NULL,
    digest BLOB NOT NULL) WITHOUT ROWID;
"""


@dataclass(frozen=True, slots=True)
class Answer:
    """One final response, as far as it is compared. `status_line` is empty when the server closed without one."""

    status_line: bytes
    headers: tuple[Header, ...]
    body: bytes
    is_complete: bool = True

    @property
    def status(self) -> int:
        """The status code; 0 when there was no answer."""
        return int(self.status_line[9:12]) if self.status_line.startswith(b"HTTP/") else 0

    def get(self, name: bytes) -> bytes:
        """The first value of a header, empty when absent; `name` is lower-case."""
        return next((value for key, value in self.headers if key.lower() == name), b"")


NO_ANSWER = Answer(b"", (), b"", is_complete=False)


def answer_of(response: Response | None) -> Answer:
    """Reduce what the wire gave to what is compared."""
    if response is None:
        return NO_ANSWER
    return Answer(response.status_line, response.headers, response.body, response.is_complete)


class AnswerStore:
    """Answers by request bytes in one SQLite file."""

    def __init__(self, path: Path) -> None:
        self._db = sqlite3.connect(path)
        self._db.executescript(_SCHEMA)

    def close(self) -> None:
        """Close the file; what `put` wrote is kept."""
        self._db.close()

    def find(self, requests: Iterable[bytes]) -> dict[bytes, Answer]:
        """Return the answers that are known for `requests`."""
        found: dict[bytes, Answer] = {}
        query = "SELECT status_line, headers, body, is_complete FROM answers JOIN bodies USING (digest) WHERE request = ?"
        for request in requests:
            row = self._db.execute(query, (request,)).fetchone()
            if row is not None:
                found[request] = Answer(row[0], _unpack(row[1]), row[2], bool(row[3]))
        return found

    def put(self, pairs: Iterable[tuple[bytes, Answer]]) -> None:
        """Keep answers, replacing older ones to the same request."""
        with self._db:
            for request, answer in pairs:
                digest = hashlib.blake2b(answer.body, digest_size=16).digest()
                self._db.execute("INSERT OR IGNORE INTO bodies VALUES (?, ?)", (digest, answer.body))
                row = (request, answer.status_line, _pack(answer.headers), answer.is_complete, digest)
                self._db.execute("INSERT OR REPLACE INTO answers VALUES (?, ?, ?, ?, ?)", row)


def _pack(headers: Sequence[Header]) -> bytes:
    return b"\n".join(name + b":" + value for name, value in headers)


def _unpack(block: bytes) -> tuple[Header, ...]:
    pairs = (line.partition(b":") for line in block.split(b"\n") if line)
    return tuple((name, value) for name, _, value in pairs)
