"""Step 4 with switches, the server under suspicion: `fork_server.py PORT BACKLOG one|fork leave|reap _exit|exit`.

It stands alone and imports what step 4 imports, so that a child inherits as much memory as there.
"""

import os
import re  # noqa: F401  (see above)
import signal
import socket
import sys
from pathlib import Path

PORT, BACKLOG = int(sys.argv[1]), int(sys.argv[2])
FORKS, REAPS, TAKES_ITSELF_APART = sys.argv[3] == "fork", sys.argv[4] == "reap", sys.argv[5] == "exit"
PAGE = Path(__file__).parents[1].joinpath("www", "big.html").read_bytes()
HEAD = f"HTTP/1.0 200 OK\r\nContent-Type: text/html\r\nContent-Length: {len(PAGE)}\r\n\r\n".encode()


def reap(*_: object) -> None:
    """Wait for every child that has ended."""
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    except ChildProcessError:
        return


if REAPS:
    signal.signal(signal.SIGCHLD, reap)
listener = socket.create_server(("127.0.0.1", PORT), backlog=BACKLOG)
while True:
    client, _ = listener.accept()
    if FORKS and os.fork():
        client.close()
        continue
    client.recv(1024)
    client.sendall(HEAD + PAGE)
    client.close()
    if TAKES_ITSELF_APART:
        sys.exit(0)
    if FORKS:
        os._exit(0)
