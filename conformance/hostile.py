"""`python -m conformance.hostile DIR`: the bad-request data in DIR and our own against the candidate, whole, byte by byte and in sevens.

DIR holds `badreq.py` (fixture builder and runner) and `bad_requests.jsonl`; what the fuzzers and we have found beside it is in
`tests/hostile/bad_requests.jsonl`, written alike. This script only drives them: build the fixture without the modules that we do not
have, start the server, run, stop. Its ports are the fixture's own, so one
run at a time. Exit status 1 when a case gets an answer that is not allowed, or when after a run the server is not as it was
(`health.py`; the first run is the one that warms it up, so memory is compared from there).
"""

from __future__ import annotations

import argparse
import shlex
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from coachwhip.testing.launch import StartFailed, start_command
from conformance.health import Health, complaints, look
from conformance.oracle import CANDIDATE

WITHOUT = "cgi,headers,http2,proxy,rewrite,vhost_alias"
PORT = 18080
SPLITS = (0, 1, 7)
OWN = Path(__file__).parent.parent / "tests" / "hostile" / "bad_requests.jsonl"


def runner(data: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the data's own program and return what it printed."""
    command = [sys.executable, str(data / "badreq.py"), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603


def run(data: Path, candidate: Sequence[str], rig: Path, without: str, only: str) -> int:
    """Build, start, run whole and split; print each run's output. Returns how many runs had failures."""
    built = runner(data, "build", "--rig", str(rig), "--without", without)
    if built.returncode:
        raise StartFailed(built.returncode, built.stdout + built.stderr)
    server = start_command([*candidate, "-d", str(rig), "-f", str(rig / "httpd.conf")], PORT)
    failures = 0
    pid_file, error_log = rig / "run" / "httpd.pid", rig / "logs" / "error.log"
    before: Health | None = None
    try:
        for split in SPLITS:
            print(f"== {f'{split} bytes at a time' if split else 'whole requests'}")
            failed = False
            for cases in (data / "bad_requests.jsonl", OWN):
                arguments = ["--rig", str(rig), str(cases), "--without", without, "--logs", str(rig / "logs"), "--split", str(split)]
                result = runner(data, "run", *arguments, *(["--only", only] if only else []))
                print(result.stdout + result.stderr, end="", flush=True)
                failed = failed or result.returncode != 0
            worse = list(complaints(before, pid_file, error_log)) if before is not None else []
            print("\n".join(worse) if worse else f"health: {look(pid_file)}", flush=True)
            before = before or look(pid_file)
            failures += failed or bool(worse)
    finally:
        server.stop()
    return failures


def main(arguments: Sequence[str]) -> int:
    """Read the command line and run."""
    parser = argparse.ArgumentParser(prog="python -m conformance.hostile", description=__doc__)
    parser.add_argument("data", type=Path, metavar="DIR", help="holds badreq.py and bad_requests.jsonl")
    parser.add_argument("--candidate", default=CANDIDATE, metavar="CMD", help="an httpd-like command (default: ours)")
    parser.add_argument("--without", default=WITHOUT, metavar="M,N", help="modules that the candidate does not have")
    parser.add_argument("--only", default="", metavar="REGEX", help="only the cases whose id matches")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="coachwhip-hostile-") as folder:
        Path(folder).chmod(0o755)
        try:
            failures = run(options.data.resolve(), shlex.split(options.candidate), Path(folder), options.without, options.only)
        except StartFailed as error:
            print(error, file=sys.stderr)
            return 2
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
