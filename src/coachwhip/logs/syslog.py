"""Lines for the system's logger: RFC 3164 datagrams, sent without waiting.

The C library's own functions know one program name for the whole process and wait for a logger that is stopped; neither will
do here.
"""

from __future__ import annotations

import os
import socket
import threading
import time

from coachwhip.util.dates import MONTHS

__all__ = ["FACILITIES", "Syslog", "parse_syslog"]

#: RFC 3164 §4.1.1, under the names that `ErrorLog syslog:FACILITY` takes.
FACILITIES = {
    "kern": 0, "user": 1, "mail": 2, "daemon": 3, "auth": 4, "syslog": 5, "lpr": 6, "news": 7, "uucp": 8, "cron": 9, "authpriv": 10,
    "ftp": 11, **{f"local{n}": 16 + n for n in range(8)},
}  # fmt: skip
_DEFAULT_FACILITY = FACILITIES["local7"]
SOCKET = "/dev/log"


def parse_syslog(target: str, program: str) -> tuple[int, str]:
    """Facility and tag of `syslog[:FACILITY[:TAG]]`; an unknown facility is `local7`, as in Apache."""
    _, _, rest = target.partition(":")
    facility, _, tag = rest.partition(":")
    return FACILITIES.get(facility.lower(), _DEFAULT_FACILITY), tag or program


class Syslog:
    """One facility and tag on the logger's socket."""

    __slots__ = ("_address", "_facility", "_lock", "_socket", "_tag", "lost")

    def __init__(self, facility: int, tag: str, address: str = SOCKET) -> None:
        self._facility = facility
        self._tag = tag
        self._address = address
        self._socket: socket.socket | None = None
        self._lock = threading.Lock()
        #: Lines that no logger took.
        self.lost = 0

    def write(self, severity: int, text: str) -> None:
        """Send one line; `severity` 0 to 7. Never raises and never waits."""
        t = time.localtime()
        clock = f"{MONTHS[t.tm_mon - 1]} {t.tm_mday:2d} {t.tm_hour:02d}:{t.tm_min:02d}:{t.tm_sec:02d}"
        data = f"<{self._facility * 8 + severity}>{clock} {self._tag}[{os.getpid()}]: {text}".encode("utf-8", "surrogateescape")
        with self._lock:
            # A logger that was restarted has a new socket: try again once.
            if not self._send(data) and not self._send(data):
                self.lost += 1

    def _send(self, data: bytes) -> bool:
        try:
            if self._socket is None:
                self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
                self._socket.setblocking(False)
                self._socket.connect(self._address)
            self._socket.send(data)
        except BlockingIOError:
            return False
        except OSError:
            self.close()
            return False
        return True

    def close(self) -> None:
        """Give the socket back."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None
