"""The one error that reading a configuration raises, in Apache's shape, and its warnings.

Two shapes: what is wrong while lines are read is one line, nested through the files that include each other; what is wrong with a
directive that was read is `AH00526` with the sentence on a line of its own.
"""

from __future__ import annotations

from dataclasses import dataclass

from coachwhip.api.directives import Location
from coachwhip.config.lines import encode
from coachwhip.util.escapes import escape_errorlog_item

__all__ = ["COMMAND_LINE", "ConfigError", "ConfigWarning"]

#: The "file" of `-C` and `-c` lines.
COMMAND_LINE = "-c/-C directives"


class ConfigError(Exception):
    """The configuration cannot be used.

    `message` is the sentence alone, `location` the line it is about (None: no line is), `log_id` Apache's number for the
    shape ("AH00526", or "" for an error while reading), `snippet` the line as written, `hint` what was probably meant,
    `trail` the lines that included the file, outermost first.
    """

    def __init__(
        self,
        message: str,
        location: Location | None = None,
        log_id: str = "",
        snippet: str = "",
        hint: str = "",
        trail: tuple[Location, ...] = (),
    ) -> None:
        super().__init__(message)
        self.message = message
        self.location = location
        self.log_id = log_id
        self.snippet = snippet
        self.hint = hint
        self.trail = trail
        #: What was warned of before.
        self.warnings: tuple[ConfigWarning, ...] = ()

    @property
    def text(self) -> str:
        """The sentence, escaped for a log."""
        return escape_errorlog_item(encode(self.message))

    def included_from(self, line: Location) -> ConfigError:
        """The same error, one file further out."""
        return ConfigError(self.message, self.location, self.log_id, self.snippet, self.hint, (line, *self.trail))

    def __str__(self) -> str:
        text = self._apache()
        return f"{text}\n{self.hint}" if self.hint else text

    def _apache(self) -> str:
        if self.location is None:
            return f"{self.log_id}: {self.text}" if self.log_id else self.text
        if self.log_id:
            return f"{self.log_id}: Syntax error on line {self.location.line} of {self.location.file}:\n{self.text}"
        return "".join([_line_text(line) for line in (*self.trail, self.location)]) + self.text


def _line_text(line: Location) -> str:
    if line.file == COMMAND_LINE:
        return "Syntax error in -C/-c directive: "
    return f"Syntax error on line {line.line} of {line.file}: "


@dataclass(frozen=True, slots=True)
class ConfigWarning:
    """Something that Apache warns of and goes on."""

    message: str
    log_id: str = ""
    location: Location | None = None

    def __str__(self) -> str:
        text = escape_errorlog_item(encode(self.message))
        return f"{self.log_id}: {text}" if self.log_id else text
