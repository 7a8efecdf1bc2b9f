"""When the system tells that a socket takes more: for large files, later than it does by itself, so that each piece is larger.

Linux tells when a third of a socket's buffer is free. Where half of the largest buffer must have been sent as well, one GiB over a fast
line takes a quarter fewer pieces, and half a buffer is left to be sent meanwhile. Slow lines are not concerned: their buffers do not grow
that far. Nothing is held back by it, for it never forbids what the buffer has room for. Source: tcp(7), tcp_notsent_lowat and tcp_wmem.
"""

from __future__ import annotations

import functools
import socket

__all__ = ["largest_buffer", "tell_later"]

_SYSCTL = "/proc/sys/net/ipv4/"
_NOTSENT_LOWAT = getattr(socket, "TCP_NOTSENT_LOWAT", None)


def tell_later(sock: socket.socket) -> None:
    """Let a socket that a file larger than its buffer goes out on tell of room when half of that is sent. Costs up to two system calls."""
    size = largest_buffer()
    if not size or _NOTSENT_LOWAT is None:
        return
    try:
        # `SendBufferSize` may have made it larger than the system would.
        size = max(size, sock.getsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF))
        sock.setsockopt(socket.IPPROTO_TCP, _NOTSENT_LOWAT, size)
    except OSError:
        # It is no TCP socket, or nobody is there any more: whoever sends finds out.
        return


@functools.cache
def largest_buffer() -> int:
    """Bytes to which the system lets a send buffer grow. 0 if it does not say, or its administrator bounds what may wait unsent."""
    try:
        with open(_SYSCTL + "tcp_wmem", encoding="ascii") as opened:
            size = int(opened.read().split()[2])
        with open(_SYSCTL + "tcp_notsent_lowat", encoding="ascii") as opened:
            bound = int(opened.read())
    except (OSError, ValueError, IndexError):
        return 0
    return size if size <= bound else 0
