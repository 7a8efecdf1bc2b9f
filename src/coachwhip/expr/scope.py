"""`Scope`: everything that an expression may ask about the request, the connection and the machine.

This room has no sockets, no files and no clock. Whoever evaluates an expression hands it a scope; the recording of what was
read, and the permission to read it, are the scope's business.
"""

from __future__ import annotations

from typing import Protocol

from coachwhip.api.files import FileStat


class Scope(Protocol):
    """The world of one evaluation.

    Every `str` that goes in or out holds one octet per character (Latin-1), so that comparing and matching see bytes as
    Apache does. `octets()` turns a path or configuration text (surrogateescape) into that form. Only the paths of
    `file_stat`, `read_file`, `lookup_file` and `lookup_uri` are given with surrogateescape, ready for use.
    """

    def variable(self, name: str) -> str:
        """The value of `%{name}`, "" if there is none. Upper case, one of `variables.VARIABLES` or of a module's own."""

    def header_in(self, name: str, *, vary: bool) -> str | None:
        """A request field. `vary`: the answer now depends on it, so its name belongs (once) into the response's `Vary`."""

    def header_out(self, name: str) -> str | None:
        """A response field, from the fields of success or else from those that errors keep too."""

    def note(self, name: str) -> str | None:
        """A note that a module left with the request; the case of letters does not count."""

    def reqenv(self, name: str) -> str | None:
        """An environment variable of the request (`SetEnv`, `SetEnvIf`, `[E=]`); the case of letters does not count."""

    def osenv(self, name: str) -> str | None:
        """An environment variable of the server process."""

    def file_stat(self, path: str, *, follow: bool = True) -> FileStat | None:
        """What stands at `path`; None if nothing does or it cannot be seen. `follow`: through a final link."""

    def read_file(self, path: str) -> bytes:
        """The content of a regular file. Raises OSError."""

    def lookup_file(self, path: str) -> bool:
        """True if a sub-request for the file would be allowed and find it (`-F`)."""

    def lookup_uri(self, uri: str) -> bool:
        """True if a sub-request for the URL path would be allowed (`-U`, `-A`)."""

    def client_address(self) -> str:
        """The client's IP address (`-R`), after mod_remoteip."""

    def resolve(self, host: str) -> str | None:
        """The first IP address of a host name, for `-ipmatch` with a name on its left; None if it has none."""

    def captures(self) -> tuple[str, ...]:
        """What `$0`, `$1`, … stand for now: the last value that `set_captures` was given, at first ()."""

    def set_captures(self, values: tuple[str, ...]) -> None:
        """A regular expression with groups matched, or () if it did not."""


def octets(text: str) -> str:
    """`text` (UTF-8 read with surrogateescape) with one character per octet."""
    return text if text.isascii() else text.encode("utf-8", "surrogateescape").decode("latin-1")


def unoctets(text: str) -> str:
    """The reverse of `octets`."""
    return text if text.isascii() else text.encode("latin-1").decode("utf-8", "surrogateescape")
