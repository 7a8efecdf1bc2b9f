"""Recording the page visits of the `mix` workload: serves the site of `site.py` on loopback and writes down what a browser asks.

    python -m coachwhip.bench.record pageload.json
    chromium --user-data-dir=$(mktemp -d) http://127.0.0.1:PORT/home.html     (then about.html, then home.html again)

Stop it with Ctrl-C or SIGTERM. Only requests for files of the site are kept, in their order; `Host` is replaced when they are sent
again. The recorder sends `Last-Modified` and no entity tag, so that a conditional request means the same to every server.
"""

from __future__ import annotations

import json
import signal
import sys
import tempfile
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from coachwhip.bench.site import TYPES, build

__all__ = ["main"]


class Recorder(SimpleHTTPRequestHandler):
    """Serves files and remembers the heads it was asked with."""

    protocol_version = "HTTP/1.1"
    extensions_map = {f".{extension}": kind for extension, kind in TYPES.items()}  # noqa: RUF012
    seen: list[dict[str, Any]] = []  # noqa: RUF012 -- one recording per process

    def do_GET(self) -> None:
        if Path(self.translate_path(self.path)).is_file():
            self.seen.append({"path": self.path, "fields": list(self.headers.items())})
        super().do_GET()


def main(arguments: list[str]) -> int:
    """Serve until interrupted, then write the recording to the file named; returns the exit status."""
    if len(arguments) != 1:
        print("usage: python -m coachwhip.bench.record FILE", file=sys.stderr)
        return 2
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder) / "www"
        build("visit", root)
        with ThreadingHTTPServer(("127.0.0.1", 0), lambda *a: Recorder(*a, directory=str(root))) as server:
            for number in (signal.SIGINT, signal.SIGTERM):
                signal.signal(number, signal.default_int_handler)
            print(f"http://127.0.0.1:{server.server_port}/home.html", flush=True)
            try:
                server.serve_forever()
            except KeyboardInterrupt:
                print(f"{len(Recorder.seen)} requests", file=sys.stderr)
    Path(arguments[0]).write_text(json.dumps({"requests": Recorder.seen}, indent=1) + "\n", encoding="ascii")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
