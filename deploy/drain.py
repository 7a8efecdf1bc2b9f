"""Clients behind a load balancer, for trying out how a server is stopped: none of their requests may be lost.

Some keep their connections, some open one per request, and some are in the middle of a long download. Once `leave` is called the load
balancer brings no more connections, as a Kubernetes service does for a pod that is going; connections that are open go on.
"""

from __future__ import annotations

import http.client
import threading
import time
from dataclasses import dataclass, field

__all__ = ["Load"]

#: Seconds that a client waits for anything.
PATIENCE = 30.0
#: Seconds between two requests of a client, and between two reads of a download.
PAUSE = 0.01
#: Bytes per read of a download.
SIP = 64 << 10


@dataclass(slots=True)
class Load:
    """So many clients of either kind, on one server."""

    port: int
    path: str = "/"
    download: str | None = None
    keeping: int = 8
    opening: int = 4
    downloading: int = 0
    #: Answers that came whole; what went wrong instead; connections that had been closed while they were idle, which a client
    #: learns when it uses them again, and asks anew.
    answered: int = 0
    failed: list[str] = field(default_factory=list)
    stale: int = 0
    _gone: threading.Event = field(default_factory=threading.Event)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _threads: list[threading.Thread] = field(default_factory=list)

    def begin(self) -> None:
        """Let all clients ask."""
        kinds = [self._keep] * self.keeping + [self._open] * self.opening + [self._sip] * self.downloading
        self._threads = [threading.Thread(target=kind) for kind in kinds]
        for thread in self._threads:
            thread.start()

    def leave(self) -> None:
        """No more connections are brought from now on."""
        self._gone.set()

    def end(self) -> None:
        """Wait until no client has a connection any more."""
        self.leave()
        for thread in self._threads:
            thread.join()

    def _count(self, failure: str = "") -> None:
        with self._lock:
            if failure:
                self.failed.append(failure)
            else:
                self.answered += 1

    def _open(self) -> None:
        while not self._gone.is_set():
            self._ask(self._connection(), "one request")
            time.sleep(PAUSE)

    def _keep(self) -> None:
        while not self._gone.is_set():
            connection, is_first = self._connection(), True
            while self._ask(connection, "first of many" if is_first else "one of many", is_reused=not is_first):
                is_first = False
                time.sleep(PAUSE)

    def _connection(self) -> http.client.HTTPConnection:
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)

    def _ask(self, connection: http.client.HTTPConnection, what: str, *, is_reused: bool = False) -> bool:
        """One request; whether the connection can have another."""
        answer = None
        try:
            connection.request("GET", self.path, headers={} if what != "one request" else {"Connection": "close"})
            answer = connection.getresponse()
            body = answer.read()
        except (OSError, http.client.HTTPException) as error:
            connection.close()
            if is_reused and answer is None and isinstance(error, ConnectionError):
                with self._lock:
                    self.stale += 1
            else:
                self._count(f"{what}: {type(error).__name__}: {error}")
            return False
        self._count("" if answer.status == 200 and body else f"{what}: {answer.status}")
        if answer.will_close:
            connection.close()
        return not answer.will_close

    def _sip(self) -> None:
        connection = self._connection()
        try:
            connection.request("GET", self.download or self.path, headers={"Connection": "close"})
            answer = connection.getresponse()
            left = int(answer.headers["Content-Length"])
            while sip := answer.read(SIP):
                left -= len(sip)
                time.sleep(PAUSE)
        except (OSError, http.client.HTTPException) as error:
            self._count(f"download: {type(error).__name__}: {error}")
        else:
            self._count("" if answer.status == 200 and not left else f"download: {answer.status}, {left} bytes short")
        finally:
            connection.close()
