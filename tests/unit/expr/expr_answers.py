"""The table of recorded answers: `apache_answers.tsv`, one question per line.

Columns: place, expression, answer, fields added to `Vary`. Lines that begin with `#` and empty lines structure the table.

place       what was asked of Apache
`test`      `Header … "expr=CONDITION"` in the server configuration
`if`        `<If "CONDITION">` there
`text`      `Header … "expr=TEMPLATE"` there
`word`      a word, as the octets that `base64(WORD)` gives
`htaccess`  `<If "CONDITION">` in `.htaccess`
`include`   `<!--#if expr="CONDITION" -->`

answer      `true`, `false`, a text in JSON quotes (one character per octet), `refused: …` with Apache's message at
            start-up, or `error: …` with its message for the request
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path

TABLE = Path(__file__).with_name("apache_answers.tsv")
UNKNOWN = "?"


@dataclass(frozen=True)
class Row:
    """A question and what Apache said."""

    line: int
    place: str
    expression: str
    answer: str = UNKNOWN
    vary: str = ""

    def answered(self, answer: str, vary: str = "") -> Row:
        """The same question with another answer."""
        return replace(self, answer=answer, vary=vary)

    def __str__(self) -> str:
        return "\t".join((self.place, self.expression, self.answer, self.vary)).rstrip("\t")


def load(path: Path = TABLE) -> list[Row]:
    """All rows in order."""
    lines = path.read_text("utf-8").split("\n")
    return [Row(number, *text.split("\t")) for number, text in enumerate(lines, 1) if text and not text.startswith("#")]


def save(rows: list[Row], path: Path = TABLE) -> None:
    """Write answers back, keeping comments and order."""
    lines = path.read_text("utf-8").split("\n")
    for row in rows:
        lines[row.line - 1] = str(row)
    path.write_text("\n".join(lines), "utf-8")


def quoted(raw: bytes) -> str:
    """A text answer."""
    return json.dumps(raw.decode("latin-1"))
