"""mod_heartbeat -- tells others once a second how many workers are busy and how many are idle, in a UDP datagram.

`v=1&ready=75&busy=0`, sent by one worker for all. Source: Apache manual, mod_heartbeat; the message compared with 2.4.71.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from coachwhip.api import Args, Directive, DirectiveContext, Module, Startup, Where
from coachwhip.api.datagrams import Address, DatagramSender, read_address
from coachwhip.api.watchdog import Place

__all__ = ["MODULE", "Heartbeat", "HeartbeatServer"]


@dataclass(frozen=True, slots=True)
class HeartbeatServer:
    """What the main server says counts."""

    #: Where heartbeats are sent; None: nowhere.
    address: Address | None = None


def _read_address(context: DirectiveContext, word: str) -> Address:
    return read_address(context, HeartbeatServer, word, _MESSAGES, place="address")


_MESSAGES = {"failed": "apr_sockaddr_info_get failed.", "Unable to parse": "Unable to parse address."}

MODULE = Module(
    "heartbeat_module",
    "mod_heartbeat.c",
    (
        Directive("HeartbeatAddress", Args.ONE, Where.SERVER, "address", _read_address, global_only=True,
                  help="address and port that heartbeats are sent to"),
    ),
    server_config=HeartbeatServer,
    replayable=True,
)  # fmt: skip
LOG = MODULE.log


@MODULE.provider("watchdog", "_heartbeat_")
class Heartbeat:
    """Sends one heartbeat each round."""

    place: ClassVar[Place] = Place.ONE_WORKER

    def __init__(self, startup: Startup) -> None:
        self._startup = startup
        self._sender: DatagramSender | None = None
        #: Whether the latest one could not be sent: said once.
        self._failed = False

    @classmethod
    def is_needed(cls, startup: Startup) -> bool:
        """If there is somebody to tell."""
        return startup.main.config(HeartbeatServer).address is not None

    def step(self, now: float) -> None:
        """See `Watchdog`."""
        address = self._startup.main.config(HeartbeatServer).address
        busy, idle = self._startup.scoreboard.busy_and_idle()
        if address is None:
            return
        try:
            if self._sender is None:
                self._sender = DatagramSender(address)
            self._sender.send(f"v=1&ready={idle}&busy={busy}".encode("ascii"))
        except OSError as error:
            if not self._failed:
                LOG.error(self._startup.main, "", "cannot send a heartbeat to %s:%d", *address, error=error)
            self._failed = True
        else:
            self._failed = False

    def stop(self) -> None:
        """See `Watchdog`."""
        if self._sender is not None:
            self._sender.close()
