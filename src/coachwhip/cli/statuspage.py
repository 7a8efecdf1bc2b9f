"""The status page of a running server as text, for `coachwhip ctl status` and `fullstatus`.

Where the page is: `STATUSURL`, else `/server-status` at the first address that the configuration listens on.
"""

from __future__ import annotations

import http.client
import os
from html.parser import HTMLParser
from urllib.parse import SplitResult, urlsplit

from coachwhip.api.mpm import Listener, ServerMpm
from coachwhip.cli.flags import Flags
from coachwhip.cli.operate import load_options
from coachwhip.config import ConfigError, load

__all__ = ["StatusUnknown", "show_status"]

#: Seconds to wait for the page.
PATIENCE = 10.0
#: Longest page that is read, in bytes.
LIMIT = 4 << 20


class StatusUnknown(Exception):
    """No page could be had; the text says why."""


def show_status(flags: Flags, *, in_full: bool) -> str:
    """The page as text; not `in_full`: the part above the table of requests.

    Raises:
        StatusUnknown: there is no server, or it gives no such page.
    """
    text = _to_text(_fetch(_address(flags)))
    return text if in_full else _summary(text)


def _address(flags: Flags) -> SplitResult:
    asked = os.environ.get("STATUSURL")
    if asked:
        return urlsplit(asked)
    try:
        listeners = load(load_options(flags)).main.config(ServerMpm).listeners
    except ConfigError as error:
        raise StatusUnknown(str(error)) from None
    if not listeners:
        raise StatusUnknown("the configuration listens nowhere")
    return urlsplit(f"http://{_authority(listeners[0])}/server-status")


def _authority(listener: Listener) -> str:
    host = "127.0.0.1" if listener.host in (None, "0.0.0.0") else listener.host  # noqa: S104 -- compared, not bound
    if host == "::":
        host = "::1"
    return f"[{host}]:{listener.port}" if host and ":" in host else f"{host}:{listener.port}"


def _fetch(url: SplitResult) -> str:
    if url.scheme != "http" or not url.hostname:
        raise StatusUnknown(f"'{url.geturl()}' is no http:// address")
    connection = http.client.HTTPConnection(url.hostname, url.port or 80, timeout=PATIENCE)
    try:
        connection.request("GET", (url.path or "/") + (f"?{url.query}" if url.query else ""))
        answer = connection.getresponse()
        body = answer.read(LIMIT)
    except (OSError, http.client.HTTPException) as error:
        raise StatusUnknown(f"{url.geturl()} gives no answer: {error}") from None
    finally:
        connection.close()
    if answer.status != 200:
        hint = "is mod_status loaded, with SetHandler server-status?" if answer.status == 404 else "is it allowed from here?"
        raise StatusUnknown(f"{url.geturl()} answers {answer.status} {answer.reason}: {hint}")
    return body.decode("utf-8", "replace")


class _Text(HTMLParser):
    """What a person sees of a page: words, with line ends where blocks and rows end."""

    BLOCKS = frozenset({"h1", "h2", "h3", "p", "dl", "dt", "dd", "pre", "table", "tr", "hr", "br", "address", "div", "title"})

    def __init__(self) -> None:
        super().__init__()
        self.parts: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in self.BLOCKS:
            self.parts.append("\n")
        elif tag in ("td", "th"):
            self.parts.append(" ")

    def handle_endtag(self, tag: str) -> None:
        if tag in self.BLOCKS:
            self.parts.append("\n")

    def handle_data(self, data: str) -> None:
        self.parts.append(data)


def _to_text(page: str) -> str:
    reader = _Text()
    reader.feed(page)
    reader.close()
    # Control characters of a logged request must not reach the terminal.
    shown = "".join([char for char in "".join(reader.parts) if char == "\n" or char.isprintable()])
    lines = [" ".join(line.split(" ")).rstrip() for line in shown.split("\n")]
    return "\n".join([line for line in lines if line])


def _summary(text: str) -> str:
    """Up to the table: its head is the first line that begins with Srv or Slot."""
    lines = text.split("\n")
    for at, line in enumerate(lines):
        if line.lstrip(" ").startswith(("Srv ", "Slot ")):
            return "\n".join(lines[:at])
    return text
