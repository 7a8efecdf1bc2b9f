"""Making load on one server once: chooses the tool, reads its figures, and puts the server's CPU time and memory beside them."""

from __future__ import annotations

import itertools
import json
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

from coachwhip.bench import ab, loadgen, wrk
from coachwhip.bench.launch import Live, pinned
from coachwhip.bench.loadgen import Outcome, Plan
from coachwhip.bench.proc import cpu_seconds, memory
from coachwhip.bench.requests import Requests
from coachwhip.bench.results import Sample
from coachwhip.bench.workloads import Tool, Workload

__all__ = ["Driver", "LoadFailed"]

#: Time in which a server sees that the generator is gone.
SETTLE = 0.1
#: Serial numbers that one run may use up.
SERIALS = 10_000_000
#: How often a server sees each request before it is measured, and the longest that this may take.
WARM_SIGHTS = 5
WARM_SECONDS = 20


class LoadFailed(Exception):
    """The generator could not do its work; the text says why."""


@dataclass(slots=True)
class Driver:
    """Makes load with the tools that there are."""

    core: int | None
    seconds: int
    own_generator: bool = False
    _serials: itertools.count[int] | None = None

    def tool_for(self, workload: Workload) -> str:
        """The name of the program that makes this workload's load."""
        wanted = {Tool.KEEP: "wrk", Tool.NEW: "ab"}.get(workload.tool)
        return wanted if wanted and not self.own_generator and shutil.which(wanted) else "loadgen"

    def sample(self, live: Live, workload: Workload, body: int) -> Sample:
        """One round. `body`: bytes of the body, for workloads that are counted by bytes.

        Raises:
            LoadFailed: no figures came of it.
        """
        before = cpu_seconds(live.leader)
        outcome = self.load(live, workload, max(self.seconds, workload.seconds))
        time.sleep(SETTLE)
        used = cpu_seconds(live.leader) - before
        requests = outcome.bytes / body if workload.by_bytes else float(outcome.requests)
        if not requests or not outcome.seconds:
            raise LoadFailed(f"no request was answered ({outcome.errors} errors)")
        held = memory(live.leader)
        return Sample(
            requests=requests, seconds=outcome.seconds, bytes=outcome.bytes, errors=outcome.errors + outcome.wrong_status,
            cpu_us=used / requests * 1e6, busy=used / outcome.seconds, p50_ms=outcome.p50_ms, p99_ms=outcome.p99_ms,
            pss_kib=held.pss, rss_kib=held.rss,
        )  # fmt: skip

    def warm(self, live: Live, workload: Workload) -> None:
        """Load until a server has seen every request several times: what is measured is how it goes on, not how it begins.

        Raises:
            LoadFailed: no figures came of it.
        """
        wanted = WARM_SIGHTS * len(workload.requests().items)
        deadline = time.monotonic() + WARM_SECONDS
        while wanted > 0 and time.monotonic() < deadline:
            wanted -= self.load(live, workload, workload.seconds).requests

    def load(self, live: Live, workload: Workload, seconds: int) -> Outcome:
        """Load alone, nothing measured of the server."""
        if self._serials is None:
            self._serials = itertools.count(int(time.time()) % 1_000_000 * SERIALS, SERIALS)
        serial = next(self._serials)
        requests = workload.requests()
        make = {"wrk": self._wrk, "ab": self._ab}.get(self.tool_for(workload), self._own)
        return make(live, workload, requests, serial, seconds)

    def hold(self, live: Live, workload: Workload, connections: int, look: Callable[[], None]) -> None:
        """Call `look` while that many idle connections are open."""
        plan = Plan(live.port, "hold", connections, 0.0, workload.requests().heads())
        with subprocess.Popen(  # noqa: S603
            self._generator(), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        ) as process:
            if process.stdin is None or process.stdout is None:
                raise LoadFailed("no pipe to the generator")
            process.stdin.write(json.dumps(asdict(plan)) + "\n")
            process.stdin.flush()
            said = process.stdout.readline()
            if not said:
                raise LoadFailed("the generator could not open all connections")
            look()
            process.stdin.close()

    def _generator(self) -> list[str]:
        return pinned(self.core, [sys.executable, "-m", loadgen.__name__])

    def _run(self, command: list[str], seconds: int, given: str | None = None) -> str:
        try:
            done = subprocess.run(  # noqa: S603
                command, capture_output=True, text=True, timeout=seconds + 90, input=given, stdin=None if given else subprocess.DEVNULL,
                check=False,
            )  # fmt: skip
        except subprocess.TimeoutExpired:
            raise LoadFailed(f"{command[0]} did not end") from None
        if done.returncode != 0:
            raise LoadFailed(f"the generator ended with status {done.returncode}: {done.stderr.strip()[-300:]}")
        return done.stdout

    def _wrk(self, live: Live, workload: Workload, requests: Requests, serial: int, seconds: int) -> Outcome:
        with tempfile.NamedTemporaryFile("w", suffix=".lua", encoding="ascii") as file:
            file.write(wrk.script(requests, serial))
            file.flush()
            command = wrk.command("wrk", file.name, workload.connections, seconds, live.port)
            output = self._run(pinned(self.core, command), seconds)
        try:
            return wrk.parse(output, workload.status >= 400)
        except ValueError as error:
            raise LoadFailed(str(error)) from None

    def _ab(self, live: Live, workload: Workload, requests: Requests, _: int, seconds: int) -> Outcome:
        runs: list[Outcome] = []
        with tempfile.TemporaryDirectory() as folder:
            table = Path(folder) / "percentiles"
            command = ab.command("ab", requests, workload.total, workload.connections, live.port, str(table))
            while not runs or sum(run.seconds for run in runs) < seconds:
                output = self._run(pinned(self.core, command), 60)
                try:
                    runs.append(ab.parse(output, table.read_text(encoding="ascii"), workload.status >= 400))
                except (ValueError, OSError) as error:
                    raise LoadFailed(str(error)) from None
        return ab.joined(runs)

    def _own(self, live: Live, workload: Workload, requests: Requests, serial: int, seconds: int) -> Outcome:
        mode = "new" if workload.tool is Tool.NEW else "keep"
        heads = requests.heads()
        if mode == "new":
            heads = [head.removesuffix("\r\n") + "Connection: close\r\n\r\n" for head in heads]
        plan = Plan(live.port, mode, workload.connections, float(seconds), heads, serial, 0, workload.status >= 400)
        output = self._run(self._generator(), seconds, json.dumps(asdict(plan)) + "\n")
        try:
            return Outcome(**json.loads(output))
        except (ValueError, TypeError):
            raise LoadFailed("the generator printed no figures") from None
