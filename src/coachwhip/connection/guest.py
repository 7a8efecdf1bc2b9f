"""Who asks before there is a connection object: a new connection for which no answer is ready that ends it, or that will ask for more.

A guest serves one new connection after the other. If one of them stays, the guest's record becomes that connection's, which goes on
from there.
"""

from __future__ import annotations

import os

from coachwhip.api.server import Connection
from coachwhip.connection.peer import Sending
from coachwhip.connection.states import IDLE
from coachwhip.request.replay import Entry, Table

__all__ = ["Guest"]


class _Rest:
    """See `Rest`."""

    __slots__ = ("deadline",)

    def __init__(self) -> None:
        self.deadline = 0.0


class Guest:
    """Implements `Peer`."""

    __slots__ = ("clock", "entry", "error", "fd", "info", "local", "sending", "socket", "state", "table")

    def __init__(self, info: Connection, local: tuple[str, int], table: Table | None) -> None:
        """`local`: the address that it serves. `table`: where its kept answers are; None if nothing is answered at accept."""
        self.info = info
        self.table = table
        self.state = IDLE
        self.socket = None
        self.local = local
        #: The new connection's descriptor; -1 once it is closed again.
        self.fd = -1
        #: The answer that was given, if something is to follow of it or if it is to be logged: that is in `sending`.
        self.entry: Entry | None = None
        self.sending: Sending | None = None
        #: Its deadline is set if an answer was given and logged, and the connection stays.
        self.clock = _Rest()
        #: What went wrong.
        self.error: Exception | None = None

    @property
    def is_answered(self) -> bool:
        """An answer was given, at least in part, and the connection stays."""
        return self.entry is not None or self.clock.deadline > 0

    def replayed(self, entry: Entry, sending: Sending | None) -> None:
        """See `Peer`."""
        if sending is None and entry.close:
            os.close(self.fd)
            self.fd = -1
            self.info.bytes_out = 0
            if entry.log:
                # Lines of the error log may have noted something of this connection.
                self.info.notes.clear()
        else:
            self.entry, self.sending = entry, sending

    def fault(self, error: Exception) -> None:
        """See `Peer`."""
        self.error = error
