"""`python -m steps`: list the steps, measure them, and write what was measured into the texts.

python -m steps list                        the steps, and how to start one
python -m steps measure [--quick] [KEY …]   start, load and stop every step, Apache and nginx; write results/
python -m steps text                        fill the tables and figures of the two READMEs, draw the plots
"""

from __future__ import annotations

import argparse
import shutil

from steps.lab import plan, text
from steps.lab.catalogue import STEPS


def main() -> int:
    """Run one command; return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m steps", description="Measure the steps, and tell of it.")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("list", help="list the steps")
    measure = commands.add_parser("measure", help="measure every step, Apache and nginx (needs ab; under ten minutes)")
    measure.add_argument("--quick", action="store_true", help="one short round: shows that it works, proves nothing")
    measure.add_argument("only", nargs="*", metavar="KEY", help="measure only these, and print instead of storing")
    commands.add_parser("text", help="fill the marked blocks of the READMEs and draw the plots")
    chosen = parser.parse_args()
    if chosen.command == "list":
        for step in STEPS:
            print(f"python steps/{step.file} [PORT]    {step.title}")
    elif chosen.command == "text":
        text.write_all()
    elif not shutil.which("ab"):
        parser.error("ab is not installed (Debian: apt-get install apache2-utils)")
    else:
        result = plan.measure(plan.QUICK if chosen.quick else plan.FULL, chosen.only, plan.say_progress)
        if chosen.only or chosen.quick:
            print(plan.as_json(result))
        else:
            plan.store(result)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
