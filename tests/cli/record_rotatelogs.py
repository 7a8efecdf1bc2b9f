"""Run Debian's rotatelogs on every line of `rotatelogs_cases.py`, on a clock of ours, and write down what it did.

python tests/cli/record_rotatelogs.py     (needs apache2-utils and faketime)
"""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
import time
from pathlib import Path

from rotatelogs_cases import RECORDED, RUNS, START, ZONE, Run, lay_out, left_in, without_usage

PROGRAM = "/usr/bin/rotatelogs"
FAKE = "/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1"
#: Seconds that the program gets for what was written to it, and for a period that it waits out.
MOMENT, PERIOD = 0.15, 2.5


def set_clock(file: Path, seconds: int) -> None:
    """Let the program's clock stand there."""
    new = file.with_suffix(".new")
    new.write_text(time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(seconds - 5 * 3600)) + "\n")
    new.replace(file)


def record(run: Run) -> dict[str, object]:
    """One run."""
    with tempfile.TemporaryDirectory() as name:
        folder, clock = Path(name) / "in", Path(name) / "clock"
        folder.mkdir()
        lay_out(run, folder)
        set_clock(clock, START)
        environment = {**os.environ, "TZ": ZONE, "LD_PRELOAD": FAKE, "FAKETIME_TIMESTAMP_FILE": str(clock), "FAKETIME_NO_CACHE": "1"}
        program = subprocess.Popen([PROGRAM, *run.arguments.split()], cwd=folder, env=environment, stdin=subprocess.PIPE,
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE)  # fmt: skip
        assert program.stdin is not None
        time.sleep(MOMENT)
        for at, text in run.input:
            set_clock(clock, START + at)
            try:
                program.stdin.write(text.encode())
                program.stdin.flush()
            except BrokenPipeError:
                break
            time.sleep(PERIOD if "c" in run.arguments.split()[0] else MOMENT)
        out, err = program.communicate()
        return {
            "status": program.returncode,
            "out": out.decode(),
            "err": without_usage(err.decode()),
            "left": left_in(folder),
        }


def main() -> None:
    RECORDED.write_text(json.dumps({run.name: record(run) for run in RUNS}, indent=1) + "\n")


if __name__ == "__main__":
    main()
