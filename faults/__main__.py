"""`python -m faults`: hold rows, print the table. Exit status 1 when a bar is missed, 2 when the command line is wrong."""

from __future__ import annotations

import argparse
import resource
import sys
from collections.abc import Sequence
from pathlib import Path

from faults.catalogue import rows as all_rows
from faults.rig import SERVERS
from faults.rows import Row, Stage, hold
from faults.show import print_verdicts, table_lines, write_json


def raise_descriptor_limit() -> None:
    """Rows hold thousands of connections: take as many descriptors as the system lets us."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def main(arguments: Sequence[str]) -> int:
    """Read the command line, hold the rows."""
    rows = all_rows()
    parser = argparse.ArgumentParser(prog="python -m faults", description="Inject faults under load, and measure what they cost.")
    parser.add_argument("rows", nargs="*", metavar="ROW", help=f"which ones (default: all): {' '.join(rows)}")
    parser.add_argument("--long", action="store_true", help="in full: minutes, with the numbers that the bars speak of")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write figures and outcomes there")
    parser.add_argument("--server", choices=sorted(SERVERS), default="coachwhip", help="whom to treat so (default: coachwhip)")
    parser.add_argument("--list", action="store_true", help="print the rows as in README.md, and hold none")
    asked = parser.parse_args(arguments)
    if unknown := [name for name in asked.rows if name not in rows]:
        parser.error(f"no such row: {' '.join(unknown)}")
    chosen = [rows[name] for name in asked.rows] or list(rows.values())
    if asked.list:
        print("\n".join(table_lines(chosen)))
        return 0
    raise_descriptor_limit()
    return _hold(chosen, Stage(SERVERS[asked.server], asked.long), asked.json)


def _hold(rows: Sequence[Row], stage: Stage, file: Path | None) -> int:
    verdicts = []
    for row in rows:
        print(f"{row.id} {row.title} …", file=sys.stderr, flush=True)
        verdicts.append(hold(row, stage))
    print_verdicts(verdicts)
    if file is not None:
        write_json(verdicts, file, stage.server.name, stage.is_long)
    return 0 if all(verdict.passed for verdict in verdicts) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
