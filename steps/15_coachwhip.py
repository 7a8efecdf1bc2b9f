"""Step 15: Coachwhip itself, serving the same folder.

New: everything that the steps left out (bodies, ranges, conditional requests, compression, TLS, logs, Apache's whole
configuration language), with the ideas of the steps underneath: several processes that inherit one listener, a loop in
each, interned header lines, replay.
In Apache: httpd. In Coachwhip: cli/serve.py, then server.py; ARCHITECTURE.md shows a request's way through it.
"""

import os
import sys
from importlib.util import find_spec
from pathlib import Path

PORT = int(sys.argv[1]) if len(sys.argv) > 1 else 8000
ROOT = Path(__file__).with_name("www")

if not find_spec("coachwhip"):
    sys.exit("Coachwhip is not installed: run `pip install .` in the folder above this one.")
os.execv(sys.executable, [sys.executable, "-m", "coachwhip", "serve", str(ROOT), "--port", str(PORT)])
