"""Run one case against one server: lay the site out, start, send, collect what came back.

`observe` gives what was seen, `check` compares it with what the case expects. The recorder and the test suite both
stand on these two, so a case means the same to either.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from coachwhip.testing import match
from coachwhip.testing.casefile import Case, CaseError, Exchange, joined_lines, unescape
from coachwhip.testing.launch import StartFailed
from coachwhip.testing.match import Places
from coachwhip.testing.raw import Client, FramingError, Response
from coachwhip.testing.site import Site

Seen = Response | str

_METHOD = re.compile(rb"([A-Za-z]+) \S+ HTTP/1\.[0-9]\r?$", re.MULTILINE)
_LOG_SECONDS = 2.0
_LOG_LINE_SECONDS = 0.1


@dataclass(slots=True)
class Observation:
    """What one run of a case gave: per exchange the responses (or a word such as `(closed)`), logs, or a refusal."""

    places: Places
    answers: list[list[Seen]] = field(default_factory=list)
    logs: dict[str, str] = field(default_factory=dict)
    refusal: StartFailed | None = None


def observe(case: Case, command: Sequence[str] | None, timeout: float = 5.0) -> Observation:
    """Run a case. `command` is an httpd-like program, None means Coachwhip."""
    site = Site(config=case.config, files=case.files, modules=case.modules, base=case.base)
    with site:
        observation = Observation(Places(site.root, site.port))
        try:
            site.start(command)
        except StartFailed as error:
            observation.refusal = StartFailed(error.status, error.output + site.log())
            return observation
        observation.answers = list(_converse(case, site, timeout))
        _collect_logs(case, site, observation)
    return observation


def _converse(case: Case, site: Site, timeout: float) -> Iterator[list[Seen]]:
    client: Client | None = None
    try:
        for exchange in case.exchanges:
            if client is None or "keep" not in exchange.options:
                if client is not None:
                    client.close()
                client = site.connect(timeout)
            before = [len(site.log(name)) for name in case.logs]
            yield _exchange(client, exchange, site)
            _await_log_line(case, site, before)
    finally:
        if client is not None:
            client.close()


def _await_log_line(case: Case, site: Site, before: list[int]) -> None:
    """Wait a moment for the line of this exchange: the next connection's may otherwise be written first."""
    deadline = time.monotonic() + _LOG_LINE_SECONDS
    while case.logs and time.monotonic() < deadline:
        if all(len(site.log(name)) > size for name, size in zip(case.logs, before, strict=True)):
            return
        time.sleep(0.002)


def request_bytes(exchange: Exchange, site: Site) -> bytes:
    """Turn the text of a request into bytes: head lines end in CRLF, body lines in LF; `raw` adds no blank line."""
    text = site.fill(exchange.request)
    if "raw" in exchange.options:
        return unescape(joined_lines(text, "\r\n"))
    head, blank, body = text.partition("\n\n")
    return unescape(joined_lines(head, "\r\n")) + b"\r\n" + (unescape(joined_lines(body, "\n")) if blank and body else b"")


def _exchange(client: Client, exchange: Exchange, site: Site) -> list[Seen]:
    data = request_bytes(exchange, site)
    methods = _METHOD.findall(data)
    wanted = int(exchange.options.get("responses", "1"))
    client.send(data, split=int(exchange.options.get("split", "0")))
    if "finish" in exchange.options:
        client.finish_sending()
    seen: list[Seen] = []
    for number in range(wanted):
        method = methods[number] if number < len(methods) else b"GET"
        last = _read_one(client, method)
        seen += [*last.interim, last] if isinstance(last, Response) else [last]
        if isinstance(last, str):
            break
    return seen


def _read_one(client: Client, method: bytes) -> Seen:
    try:
        return client.read_response(method) or match.CLOSED
    except FramingError as error:
        return f"{match.RAW}\n{match.text_of(error.received + client.read_rest())}"
    except TimeoutError:
        return match.NOTHING


def _collect_logs(case: Case, site: Site, observation: Observation) -> None:
    """Read the logs; a server may write a line a moment after the answer, so wait until what is expected is there."""
    deadline = time.monotonic() + _LOG_SECONDS
    for name, expected in case.logs.items():
        while any(match.log_differences(name, expected, site.log(name), observation.places)):
            if time.monotonic() > deadline or not expected:
                break
            time.sleep(0.02)
    if case.logs:
        site.stop()
    observation.logs = {name: site.log(name) for name in case.logs}


def check(case: Case, observation: Observation) -> Iterator[str]:
    """Yield what is not as the case expects, one line of text each."""
    refusal = observation.refusal
    if case.refused is not None:
        if refusal is None:
            yield "the configuration was accepted, expected a refusal"
            return
        yield from match.refusal_differences(case.refused, refusal.status, refusal.output)
        return
    if refusal is not None:
        yield f"the server did not start: status {refusal.status}: {refusal.output}"
        return
    for number, (exchange, answers) in enumerate(zip(case.exchanges, observation.answers, strict=True), 1):
        for problem in _check_exchange(exchange, answers, observation.places):
            yield f"request {number} ({exchange.request.partition(chr(10))[0]}): {problem}"
    for name, expected in case.logs.items():
        yield from match.log_differences(name, expected, observation.logs[name], observation.places)


def _check_exchange(exchange: Exchange, answers: list[Seen], places: Places) -> Iterator[str]:
    if len(answers) != len(exchange.expects):
        yield f"expected {len(exchange.expects)} responses, got {len(answers)}"
    for expected, answer in zip(exchange.expects, answers, strict=False):
        if isinstance(answer, str):
            if answer != expected:
                yield f"expected {expected.partition(chr(10))[0]!r}, got {answer!r}"
        elif expected in (match.CLOSED, match.NOTHING) or expected.startswith(match.RAW):
            yield f"expected {expected!r}, got {answer.status_line!r}"
        else:
            yield from match.differences(expected, answer, places)


def describe(case: Case, observation: Observation) -> tuple[list[list[str]], str | None, dict[str, str]]:
    """Write an observation as case-file text: expects per exchange, refusal, logs. Raises CaseError when it must not."""
    places, refusal = observation.places, observation.refusal
    if (refusal is None) == (case.refused is not None):
        what = "was accepted" if refusal is None else f"was refused: {refusal.output}"
        raise CaseError(f"the configuration {what}")
    if refusal is not None:
        return [], match.refusal_text(refusal.status, refusal.output, places), {}
    expects = [[a if isinstance(a, str) else match.render(a, places) for a in answers] for answers in observation.answers]
    logs = {name: match.log_text(name, content, places) for name, content in observation.logs.items()}
    return expects, None, logs
