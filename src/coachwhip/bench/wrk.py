"""Driving `wrk`: the script that tells it what to send and to print its figures as JSON, and the reading of them.

Source: wrk's SCRIPTING file. `summary` and `latency` are in microseconds and bytes.
"""

from __future__ import annotations

import json

from coachwhip.bench.loadgen import Outcome
from coachwhip.bench.requests import SERIAL, Requests

__all__ = ["MARK", "command", "parse", "script"]

MARK = "coachwhip-bench "

_DONE = """
function done(summary, latency, requests)
  local e = summary.errors
  print(string.format('%s{"requests":%%d,"duration":%%d,"bytes":%%.0f,"failed":%%d,"status":%%d,"p50":%%d,"p99":%%d}',
    summary.requests, summary.duration, summary.bytes, e.connect + e.read + e.write + e.timeout, e.status,
    latency:percentile(50), latency:percentile(99)))
end
""".replace("%s{", MARK + "{").replace("%%", "%")

_LISTED = """
local heads = {
%s}
local at, serial = 0, %d
function request()
  at = at %% #heads + 1
  local parts = heads[at]
  if #parts == 1 then return parts[1] end
  serial = serial + 1
  return table.concat(parts, serial)
end
"""


def script(requests: Requests, serial: int) -> str:
    """The Lua program for one run; serial numbers begin after `serial`."""
    if requests.is_single:
        # Without a `request` function wrk sends one ready-made head, which costs it less.
        path, fields, host = requests.items[0]
        lines = [f"wrk.path = {_lua(path)}", f"wrk.headers[{_lua('Host')}] = {_lua(host)}"]
        lines += [f"wrk.headers[{_lua(name)}] = {_lua(value)}" for name, value in fields]
        return "\n".join(lines) + "\n" + _DONE
    rows = ["  { " + ", ".join(_lua(part) for part in head.split(SERIAL)) + " },\n" for head in requests.heads()]
    return _LISTED % ("".join(rows), serial) + _DONE


def _lua(text: str) -> str:
    """A Lua string: JSON's escapes for visible ASCII and CR LF mean the same there."""
    return json.dumps(text, ensure_ascii=True).replace("\\u00", "\\x")


def command(program: str, script_file: str, connections: int, seconds: int, port: int) -> list[str]:
    """One thread, since it has one core."""
    return [program, "-t1", f"-c{connections}", f"-d{seconds}s", "--timeout", "30s", "-s", script_file, f"http://127.0.0.1:{port}/"]


def parse(output: str, expects_failure: bool) -> Outcome:
    """Read what the script printed. `expects_failure`: statuses from 400 on are what was asked for.

    Raises:
        ValueError: the figures are missing.
    """
    line = next((line for line in output.splitlines() if line.startswith(MARK)), None)
    if line is None:
        raise ValueError(f"wrk printed no figures: {output[-300:].strip()}")
    seen = json.loads(line.removeprefix(MARK))
    wrong = seen["requests"] - seen["status"] if expects_failure else seen["status"]
    return Outcome(
        requests=seen["requests"], seconds=seen["duration"] / 1e6, bytes=seen["bytes"], errors=seen["failed"], wrong_status=wrong,
        p50_ms=seen["p50"] / 1000, p99_ms=seen["p99"] / 1000,
    )  # fmt: skip
