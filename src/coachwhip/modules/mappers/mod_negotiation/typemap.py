"""Type maps: the files that list the variants of a document (`AddHandler type-map .var`).

Bytes in, variants out; opens nothing. The format is that of mail headers: blocks of fields between blank lines, comments in
parentheses or behind `#`, and `Body:` with the content itself up to a tag. Source: Apache manual, mod_negotiation, "Type maps".
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from coachwhip.modules.mappers.mod_negotiation.accept import SPACES, lower, parse_entry, parse_languages, take_token
from coachwhip.modules.mappers.mod_negotiation.variants import Variant

__all__ = ["TypeMap", "TypeMapError", "parse_type_map"]

#: A body, with its closing tag, ends within as many bytes.
BODY_LIMIT = 8191
_LENGTH = re.compile(r"[0-9]{1,18}")
_COMMENT = re.compile(r"\([^)]*\)?")
_SPACES = SPACES.encode("ascii")


class TypeMapError(ValueError):
    """A field cannot be read; the document fails with 500. Carries httpd's message number."""

    def __init__(self, log_id: str, message: str) -> None:
        super().__init__(message)
        self.log_id = log_id


class _EndOfMap(Exception):
    """What follows cannot be read: the variants before it still count."""

    def __init__(self, log_id: str, message: str) -> None:
        super().__init__(message)
        self.log_id = log_id


@dataclass(slots=True)
class TypeMap:
    """The variants, in order, and the (number, message) of a fault at which reading stopped, if it did."""

    variants: list[Variant] = field(default_factory=list)
    fault: tuple[str, str] | None = None


def parse_type_map(data: bytes, path: str) -> TypeMap:
    """Read a map. `path` is where it stands: inline bodies are named after it.

    Raises:
        TypeMapError: a line is no field, or a field is empty.
    """
    reader = _Reader(data, path)
    result = TypeMap()
    try:
        for variant in iter(reader.next_block, None):
            if variant.file_name and reader.has_content:
                result.variants.append(variant)
    except _EndOfMap as end:
        result.fault = (end.log_id, str(end))
    return result


class _Reader:
    """A position in the map."""

    def __init__(self, data: bytes, path: str) -> None:
        self._data = data
        self._at = 0
        self._path = path
        #: Whether the block that was read last says anything about its content.
        self.has_content = False

    def next_block(self) -> Variant | None:
        """The fields up to a blank line or the end; None when nothing is left."""
        if self._at >= len(self._data):
            return None
        variant = Variant()
        self.has_content = False
        while (line := self._next_field()) is not None:
            self._take_field(variant, line)
        return variant

    # -- lines

    def _line(self) -> bytes:
        """The next line with its line end, b"" at the end."""
        end = self._data.find(b"\n", self._at) + 1 or len(self._data)
        line = self._data[self._at : end]
        self._at = end
        return line

    def _next_field(self) -> str | None:
        """The next field with its continuation lines; None at a blank line and at the end."""
        line = self._line()
        while line.startswith(b"#"):
            line = self._line()
        if not line.strip(_SPACES):
            return None
        if line[:5].lower() != b"body:":
            line += self._continuation()
        return line.decode("utf-8", "surrogateescape")

    def _continuation(self) -> bytes:
        """Lines that begin with white space, without it; comment lines between them are dropped."""
        lines: list[bytes] = []
        while self._at < len(self._data):
            following = self._data[self._at : self._at + 1]
            if following == b"#":
                self._line()
                continue
            if following not in _SPACES:
                break
            start = self._at
            line = self._line()
            if not line.strip(_SPACES):
                self._at = start
                break
            lines.append(line.lstrip(_SPACES).rstrip(b"\n") + b"\n")
        return b"".join(lines)

    # -- fields

    def _take_field(self, variant: Variant, line: str) -> None:
        name, colon, text = line.partition(":")
        if not colon:
            raise TypeMapError("AH00681", f"Syntax error in type map, no ':' in {self._path} for header {lower(line)}")
        text = text.lstrip(SPACES)
        if not text:
            message = f"Syntax error in type map --- no header body: {lower(name)}:{line[len(name) + 1 :]} for {self._path}"
            raise TypeMapError("AH00682", message)
        text = _COMMENT.sub(lambda found: " " * len(found[0]), text)
        take = _FIELDS.get(lower(name))
        if take is not None:
            take(self, variant, text)

    def _uri(self, variant: Variant, text: str) -> None:
        variant.file_name = take_token(text, 0)[0]

    def _content_type(self, variant: Variant, text: str) -> None:
        variant.take_type(parse_entry(text)[0])
        self.has_content = True

    def _content_length(self, variant: Variant, text: str) -> None:
        token = take_token(text, 0)[0]
        if not _LENGTH.fullmatch(token):
            raise _EndOfMap("AH00684", f"Parse error in type map, Content-Length: '{token}' in {self._path} is invalid.")
        variant.length = int(token)
        self.has_content = True

    def _content_language(self, variant: Variant, text: str) -> None:
        variant.languages = parse_languages(text)
        self.has_content = True

    def _content_encoding(self, variant: Variant, text: str) -> None:
        variant.encoding = take_token(text, 0)[0]
        self.has_content = True

    def _description(self, variant: Variant, text: str) -> None:
        variant.description = text.replace("\n", " ")[:-1]

    def _body(self, variant: Variant, text: str) -> None:
        tag = text.rstrip(SPACES).encode("utf-8", "surrogateescape")
        window = self._data[self._at : self._at + BODY_LIMIT - len(tag)]
        end = window.find(tag)
        if end < 0:
            shown = tag.decode("utf-8", "surrogateescape")
            message = f"Syntax error in type map, no end tag '{shown}' found in {self._path} for Body: content."
            raise _EndOfMap("AH00685", message)
        variant.body = window[:end]
        variant.length = end
        variant.file_name = self._path.rpartition("/")[2]
        self._at += end + len(tag)
        self._line()


_FIELDS = {
    "uri": _Reader._uri,
    "content-type": _Reader._content_type,
    "content-length": _Reader._content_length,
    "content-language": _Reader._content_language,
    "content-encoding": _Reader._content_encoding,
    "description": _Reader._description,
    "body": _Reader._body,
}
