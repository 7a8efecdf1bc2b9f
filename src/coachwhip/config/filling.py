"""`${NAME}`: how a line is filled in with what was defined.

A line is filled in as a whole before it is cut into words (`util/words.py`), so a value with spaces is several words unless the line has
quotes around it. Source: Apache manual, `Define`; behaviour of 2.4.71.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from coachwhip.api.directives import DirectiveError

__all__ = ["HTACCESS_ROOM", "Filler", "Room"]

#: Characters that variables and macros may add to the files of the server, and to a `.htaccess`.
SERVER_ROOM = 64 << 20
HTACCESS_ROOM = 1 << 16


class Room:
    """How much variables and macros may still add to what is read: a few lines could else become any number of them."""

    def __init__(self, left: int = SERVER_ROOM) -> None:
        self.left = left

    def take(self, count: int) -> None:
        """Count characters that will be added. Raises DirectiveError."""
        self.left -= count
        if self.left < 0:
            raise DirectiveError("Macros and variables make this too long", alone=True)


class Filler:
    """Replaces `${NAME}` by what `Define` said, or by the environment; a name that is neither stays as it is."""

    def __init__(self, environment: Mapping[str, str], undefined: Callable[[str], None], room: Room | None = None) -> None:
        """`undefined` is told of every name that is not found, except of those with a colon (they are map look-ups)."""
        #: Lower-case name → value: `${x}` finds `Define X`.
        self.values: dict[str, str] = {}
        self.environment = environment
        #: Shared with the macros that are read beside the variables.
        self.room = room or Room()
        self._undefined = undefined

    def __call__(self, text: str) -> str:
        """`text` filled in; values are not filled in again. Raises DirectiveError."""
        start = text.find("${")
        if start < 0:
            return text
        out: list[str] = []
        done = 0
        while start >= 0 and (end := text.find("}", start)) >= 0:
            name = text[start + 2 : end]
            value = self.values.get(name.lower(), self.environment.get(name))
            if value is None:
                if ":" not in name:
                    self._undefined(name)
                value = text[start : end + 1]
            else:
                self.room.take(len(value))
            out += (text[done:start], value)
            done = end + 1
            start = text.find("${", done)
        return "".join(out) + text[done:]
