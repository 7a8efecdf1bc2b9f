"""Driving `ab`, ApacheBench: its command and the reading of what it prints.

Source: Apache's manual, programs/ab.
"""

from __future__ import annotations

import re

from coachwhip.bench.loadgen import Outcome
from coachwhip.bench.requests import Requests

__all__ = ["command", "joined", "parse"]


def command(program: str, requests: Requests, total: int, connections: int, port: int, table: str) -> list[str]:
    """A new connection for each request (no `-k`). Raises ValueError for requests that differ: `ab` sends one."""
    if not requests.is_single:
        raise ValueError("ab sends one request only")
    path, fields, host = requests.items[0]
    words = [program, "-q", "-r", "-n", str(total), "-c", str(connections), "-e", table, "-H", f"Host: {host}"]
    for name, value in fields:
        words += ["-H", f"{name}: {value}"]
    return [*words, f"http://127.0.0.1:{port}{path}"]


def parse(output: str, table: str, expects_failure: bool) -> Outcome:
    """Read `ab`'s report and its table of percentiles (`-e`).

    Raises:
        ValueError: the figures are missing.
    """
    requests = int(_number(output, "Complete requests"))
    refused = int(_number(output, "Non-2xx responses", "0"))
    failed = int(_number(output, "Failed requests", "0")) + int(_number(output, "Write errors", "0"))
    percentiles = dict(re.findall(r"^([0-9]+),([0-9.]+)$", table, re.MULTILINE))
    if "50" not in percentiles or "99" not in percentiles:
        raise ValueError("ab wrote no percentiles")
    return Outcome(
        requests=requests, seconds=float(_number(output, "Time taken for tests")), bytes=int(_number(output, "Total transferred")),
        errors=failed, wrong_status=requests - refused if expects_failure else refused,
        p50_ms=float(percentiles["50"]), p99_ms=float(percentiles["99"]),
    )  # fmt: skip


def _number(output: str, name: str, otherwise: str | None = None) -> str:
    match = re.search(rf"^{re.escape(name)}:\s+([0-9.]+)", output, re.MULTILINE)
    if match:
        return match[1]
    if otherwise is None:
        raise ValueError(f"ab printed no '{name}': {output[-300:].strip()}")
    return otherwise


def joined(runs: list[Outcome]) -> Outcome:
    """Several short runs as one; latencies are the medians of the runs'."""
    p50, p99 = (sorted(values)[len(runs) // 2] for values in ([run.p50_ms for run in runs], [run.p99_ms for run in runs]))
    return Outcome(
        requests=sum(run.requests for run in runs), seconds=sum(run.seconds for run in runs), bytes=sum(run.bytes for run in runs),
        errors=sum(run.errors for run in runs), wrong_status=sum(run.wrong_status for run in runs), p50_ms=p50, p99_ms=p99,
    )  # fmt: skip
