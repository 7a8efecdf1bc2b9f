"""Ask a server many questions fast: pipelined, on a few keep-alive connections.

Every connection carries the same questions in the same order whoever is asked, so that what depends on the place in
a connection (`Keep-Alive: max=`) is comparable. A question left unanswered because the server closed early is asked
again on a fresh connection, alone; if that gives nothing either, the answer is "none".
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from coachwhip.testing.raw import Client, FramingError
from conformance.answers import NO_ANSWER, Answer, answer_of

BATCH = 40
CONNECTIONS = 4
TIMEOUT = 30.0


@dataclass(frozen=True, slots=True)
class Question:
    """One request and what it is about: `category` counts it in reports."""

    category: str
    method: bytes
    target: bytes
    fields: tuple[tuple[bytes, bytes], ...] = ()

    @property
    def request(self) -> bytes:
        """The bytes on the wire."""
        lines = [self.method + b" " + self.target + b" HTTP/1.1", b"Host: localhost"]
        lines += [name + b": " + value for name, value in self.fields]
        return b"\r\n".join(lines) + b"\r\n\r\n"


class Asker:
    """A few threads that put questions to the server at `address`; a context manager."""

    def __init__(self, address: tuple[str, int], connections: int = CONNECTIONS) -> None:
        self._address = address
        self._threads = ThreadPoolExecutor(connections)

    def __enter__(self) -> Asker:
        return self

    def __exit__(self, *_: object) -> None:
        self._threads.shutdown(cancel_futures=True)

    def ask(self, questions: Sequence[Question]) -> list[Answer]:
        """Return one answer per question, in order."""
        batches = [questions[at : at + BATCH] for at in range(0, len(questions), BATCH)]
        return [answer for answers in self._threads.map(self._ask_batch, batches) for answer in answers]

    def _ask_batch(self, batch: Sequence[Question]) -> list[Answer]:
        answers = _converse(self._address, batch)
        answers += [(_converse(self._address, [left]) or [NO_ANSWER])[0] for left in batch[len(answers) :]]
        return answers


def _converse(address: tuple[str, int], batch: Sequence[Question]) -> list[Answer]:
    """Send the batch in one write and read answers until they are complete or the server closes."""
    answers: list[Answer] = []
    try:
        with Client(*address, timeout=TIMEOUT) as client:
            client.send(b"".join(question.request for question in batch))
            for question in batch:
                response = client.read_response(question.method)
                if response is None:
                    break
                answers.append(answer_of(response))
                if not response.is_complete or response.says_close:
                    break
    except FramingError as error:
        answers.append(Answer(b"(no HTTP) " + error.received[:80], (), b"", is_complete=False))
    except (TimeoutError, ConnectionResetError):
        answers.append(NO_ANSWER)
    return answers
