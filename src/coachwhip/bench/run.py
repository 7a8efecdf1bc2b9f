"""A run of the bench: for each workload all servers are started, checked and warmed, then loaded in turn, round by round.

Interleaving lets a drift of the machine hit all of them. A server that cannot take part gets a row that says why.
"""

from __future__ import annotations

import contextlib
import shlex
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from coachwhip.bench import machine, site
from coachwhip.bench.check import WrongAnswer, check
from coachwhip.bench.contenders import Contender, Place
from coachwhip.bench.drive import Driver, LoadFailed
from coachwhip.bench.launch import Cores, Live, StartFailed, free_port, raise_descriptor_limit, running
from coachwhip.bench.proc import cpu_seconds, memory
from coachwhip.bench.results import Row, Run, ServerFacts, WorkloadFacts
from coachwhip.bench.workloads import Serves, Tool, Workload

__all__ = ["NO_FILES", "Bench"]

#: Descriptors that a server and a generator need beside those of connections.
SPARE = 300
#: Stands for the temporary folder of a workload where configurations are shown.
FOLDER = "/tmp/bench"  # noqa: S108 -- shown, not used
#: Why one that cannot take part has no figures.
NO_FILES = "serves no files"
#: Connections opened beforehand: the first ones pay for what is allocated once.
WARM = 100

#: Told of each step: workload, server, what is done. A step is one round of one server.
Watch = Callable[[str, str, str], None]


@dataclass(slots=True)
class _Entrant:
    """A server that is running for a workload, and its row."""

    live: Live
    row: Row
    body: int


@dataclass(slots=True)
class Bench:
    """What is to be run, and how."""

    contenders: list[Contender]
    workloads: list[Workload]
    rounds: int
    cores: Cores
    driver: Driver
    watch: Watch
    #: Given the run after each workload, so that what was measured outlives an interruption.
    keep: Callable[[Run], None]

    def run(self) -> Run:
        """Run everything; the result is whole even where single servers failed."""
        limit = raise_descriptor_limit()
        result = Run(datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"), machine.facts(), self.rounds, self.driver.seconds)
        result.machine["cores used"] = (
            "not bound" if self.cores.server is None else f"server on {self.cores.server}, load on {self.cores.load}"
        )
        for workload in self.workloads:
            self._one(workload, min(workload.connections, limit - SPARE), result)
            self.keep(result)
        return result

    def _one(self, workload: Workload, connections: int, result: Run) -> None:
        result.workloads.append(WorkloadFacts(workload.name, workload.title, self.driver.tool_for(workload), connections))
        with tempfile.TemporaryDirectory(prefix="bench-") as name, contextlib.ExitStack() as stack:
            folder = Path(name)
            folder.chmod(0o755)
            site.build(workload.site, folder / "www")
            entrants = []
            for contender in self.contenders:
                row = Row(workload.name, contender.key)
                result.rows.append(row)
                entrant = self._enter(contender, workload, connections, folder, row, stack)
                if entrant is not None:
                    entrants.append(entrant)
                    _note_server(result, entrant.live, folder)
            if workload.tool is Tool.IDLE:
                self._hold(entrants, workload, connections)
            else:
                self._rounds(entrants, workload)

    def _enter(
        self, contender: Contender, workload: Workload, connections: int, folder: Path, row: Row, stack: contextlib.ExitStack
    ) -> _Entrant | None:
        """Start, check and warm one server; None if it cannot take part."""
        if contender.serves is not Serves.FILES and contender.serves not in workload.beside:
            row.note = NO_FILES
            return None
        self.watch(workload.name, contender.key, "starts")
        place = Place(folder / contender.key, folder / "www", free_port(), connections, workload.features, workload.tool is not Tool.NEW)
        try:
            live = stack.enter_context(running(contender, place, self.cores.server))
            body = check(live.port, workload)
            if workload.tool is not Tool.IDLE:
                self.driver.warm(live, workload)
        except (StartFailed, WrongAnswer, LoadFailed) as error:
            row.note = str(error)
            return None
        return _Entrant(live, row, body)

    def _rounds(self, entrants: list[_Entrant], workload: Workload) -> None:
        for number in range(self.rounds):
            shift = number % max(len(entrants), 1)
            for entrant in entrants[shift:] + entrants[:shift]:
                self.watch(workload.name, entrant.live.contender.key, f"round {number + 1} of {self.rounds}")
                try:
                    entrant.row.samples.append(self.driver.sample(entrant.live, workload, entrant.body))
                except LoadFailed as error:
                    entrant.row.note = str(error)

    def _hold(self, entrants: list[_Entrant], workload: Workload, connections: int) -> None:
        """Memory and idle CPU per open connection; once, since a server's memory has no rounds."""
        for entrant in entrants:
            self.watch(workload.name, entrant.live.contender.key, f"{connections} connections")
            look = _IdleLook(entrant.live.leader, entrant.row, connections)
            try:
                self.driver.hold(entrant.live, workload, WARM, lambda: None)
                time.sleep(0.5)
                look.before()
                self.driver.hold(entrant.live, workload, connections, look.during)
            except LoadFailed as error:
                entrant.row.note = str(error)


@dataclass(slots=True)
class _IdleLook:
    """A server's memory before and with its idle connections."""

    leader: int
    row: Row
    connections: int
    base: int = 0

    def before(self) -> None:
        self.base = memory(self.leader).pss

    def during(self) -> None:
        time.sleep(0.5)
        held = memory(self.leader).pss
        used = cpu_seconds(self.leader)
        time.sleep(2)
        self.row.extra |= {
            "bytes_per_connection": (held - self.base) * 1024 / self.connections,
            "base_kib": float(self.base),
            "held_kib": float(held),
            "idle_cpu_ms_per_s": (cpu_seconds(self.leader) - used) / 2 * 1000,
        }


def _note_server(result: Run, live: Live, folder: Path) -> None:
    """Remember a server's facts, from the first workload it takes part in, without paths that are this run's alone."""
    contender = live.contender
    if any(facts.key == contender.key for facts in result.servers):
        return
    version = contender.version(contender.find())
    command = shlex.join(live.command).replace(str(folder), FOLDER).replace(sys.executable, "python")
    conf = live.conf.replace(str(folder), FOLDER)
    result.servers.append(ServerFacts(contender.key, contender.title, version, command, conf, contender.note))
