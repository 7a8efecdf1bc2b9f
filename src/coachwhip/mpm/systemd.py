"""What a service manager hands to the server, and what it is told: listening sockets, and how the service is doing.

systemd's two protocols, which need no library: sockets from descriptor 3 on (`LISTEN_FDS`), and lines of text to a datagram socket
(`NOTIFY_SOCKET`). Both are found in the environment once, by `ServiceManager.from_environment`, and taken out of it: programs that the
server runs must not speak for it. One that takes its place (`handover.py`) gets them again. Where there is no service manager, nothing is
handed over and nothing is told.
Source: sd_listen_fds(3), sd_notify(3), sd_watchdog_enabled(3).
"""

from __future__ import annotations

import contextlib
import errno
import ipaddress
import itertools
import os
import re
import socket
import time
from collections.abc import Iterable, Mapping, MutableMapping
from dataclasses import dataclass, field

from coachwhip.mpm.listeners import BindError, ListenAddress, resolve

__all__ = ["HandedSockets", "ServiceManager"]

#: Where handed-over descriptors begin.
FIRST = 3
_COUNT = re.compile(r"[0-9]{1,4}", re.ASCII)
_MICROSECONDS = re.compile(r"[0-9]{1,15}", re.ASCII)


@dataclass(slots=True)
class HandedSockets:
    """Sockets that somebody else has bound for us. He keeps them, so they are never given back: `find` gives duplicates."""

    #: (name, socket), in the order in which they came.
    sockets: list[tuple[str, socket.socket]] = field(default_factory=list)

    @classmethod
    def from_environment(cls, environ: MutableMapping[str, str]) -> HandedSockets:
        """Those that are meant for this process.

        Raises:
            BindError: one is no listening TCP socket; the text says which.
        """
        pid, count = environ.pop("LISTEN_PID", ""), environ.pop("LISTEN_FDS", "")
        names = environ.pop("LISTEN_FDNAMES", "").split(":")
        if pid != str(os.getpid()) or not _COUNT.fullmatch(count):
            return cls()
        named = itertools.zip_longest(range(FIRST, FIRST + int(count)), names[: int(count)])
        return cls([(name or "unknown", _adopted(fd, name or "unknown")) for fd, name in named])

    def find(self, address: ListenAddress) -> socket.socket | None:
        """A duplicate of the socket that listens where `Listen` wants to; None if none does.

        Raises:
            BindError: the host's name has no address.
        """
        sock = self._match(address)
        return sock.dup() if sock is not None else None

    def check(self, wanted: Iterable[ListenAddress]) -> None:
        """Every socket must be listened on: clients would wait in another for ever.

        Raises:
            BindError: no `Listen` has one of them; the text says which.
        """
        used = [self._match(address) for address in wanted] if self.sockets else []
        for name, sock in self.sockets:
            if sock not in used:
                place = ListenAddress(*_place(sock))
                raise BindError(errno.EADDRNOTAVAIL, f"socket '{name}' was handed over for {place}, which no `Listen` takes")

    def _match(self, address: ListenAddress) -> socket.socket | None:
        if not self.sockets:
            return None
        places = [(host, address.port) for host in _hosts(address)]
        return next((sock for place in places for _, sock in self.sockets if _place(sock) == place), None)


def _adopted(fd: int, name: str) -> socket.socket:
    sock: socket.socket | None = None
    try:
        sock = socket.socket(fileno=fd)
        listens = sock.type == socket.SOCK_STREAM and sock.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN)
        if sock.family not in (socket.AF_INET, socket.AF_INET6) or not listens:
            raise OSError(errno.EINVAL, "it is no TCP socket that listens")
        sock.set_inheritable(False)
        sock.setblocking(False)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    except OSError as error:
        if sock is not None:
            sock.detach()
        text = f"socket '{name}', handed over as descriptor {fd}, cannot be used: {error.strerror}"
        raise BindError(error.errno or errno.EINVAL, text) from None
    return sock


def _place(sock: socket.socket) -> tuple[str, int]:
    host, port = sock.getsockname()[:2]
    return str(ipaddress.ip_address(host)), port


def _hosts(address: ListenAddress) -> list[str]:
    """The addresses of a `Listen`, the most fitting first: one without a host takes every IPv4 address where IPv6 is not bound."""
    return ["::", "0.0.0.0"] if address.host is None else [str(ipaddress.ip_address(resolve(address.host)))]  # noqa: S104


@dataclass(slots=True)
class ServiceManager:
    """What the parent process has to do with whoever manages it as a service."""

    handed: HandedSockets = field(default_factory=HandedSockets)
    #: Address of the socket that is told; "" for nobody.
    notify: bytes | str = ""
    #: Seconds from one sign of life to the next: half of what the service manager waits for one. 0: it does not wait.
    interval: float = 0.0
    #: What a process that takes the place of this one needs in its environment.
    environ: Mapping[str, str] = field(default_factory=dict)
    _next_beat: float = 0.0

    @classmethod
    def from_environment(cls, environ: MutableMapping[str, str]) -> ServiceManager:
        """What the environment of this process says, which is taken out of it.

        Raises:
            BindError: a socket was handed over that cannot be used.
        """
        notify = environ.pop("NOTIFY_SOCKET", "")
        watched, limit = environ.pop("WATCHDOG_PID", ""), environ.pop("WATCHDOG_USEC", "")
        is_watched = notify and watched in ("", str(os.getpid())) and _MICROSECONDS.fullmatch(limit)
        environ_of_another = {"NOTIFY_SOCKET": notify} if notify else {}
        if is_watched:
            # Not with the process id, which will be another one.
            environ_of_another["WATCHDOG_USEC"] = limit
        return cls(
            HandedSockets.from_environment(environ),
            # An abstract address begins with a NUL, which the environment cannot have in it.
            b"\0" + os.fsencode(notify[1:]) if notify.startswith("@") else notify,
            int(limit) / 2_000_000 if is_watched else 0.0,
            environ_of_another,
        )

    def ready(self, status: str) -> None:
        """The service is up, or has read its configuration again. Another process than the one that was started may say so."""
        self._tell("READY=1", f"MAINPID={os.getpid()}", _status(status))

    def taken_over(self, pid: int) -> None:
        """Another process is the service from now on. Where only the main process is listened to, that has to come from this one."""
        self._tell(f"MAINPID={pid}")

    def reloading(self) -> None:
        """The configuration is being read again; `ready` says when that is done, whatever came of it."""
        self._tell("RELOADING=1", f"MONOTONIC_USEC={time.monotonic_ns() // 1000}", _status("Reading the configuration again"))

    def stopping(self) -> None:
        """The service is about to end."""
        self._tell("STOPPING=1", _status("Finishing what is begun"))

    def status(self, text: str) -> None:
        """A line for people."""
        self._tell(_status(text))

    @property
    def wants_beat(self) -> bool:
        """Whether a sign of life is due."""
        return self.interval > 0 and time.monotonic() >= self._next_beat

    def beat(self) -> None:
        """The sign of life. Without it in time, the service manager kills the service and starts it again."""
        self._next_beat = time.monotonic() + self.interval
        self._tell("WATCHDOG=1")

    def _tell(self, *lines: str) -> None:
        if not self.notify:
            return
        # A service manager that is gone or does not listen is no reason to end.
        with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
            sock.setblocking(False)
            sock.sendto("\n".join(lines).encode("utf-8", "replace"), self.notify)


def _status(text: str) -> str:
    return f"STATUS={text}".replace("\n", " ")
