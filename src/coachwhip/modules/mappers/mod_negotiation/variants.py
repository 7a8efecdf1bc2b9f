"""The two sides of a negotiation: variants, and what the client and the administrator wish.

Records only; `choose.py` reasons about them. A `Variant` keeps what was found out about it while choosing, because Apache's second
round (after `prefer-language` led to nothing) goes on from there.
Source: Apache manual, "Content Negotiation"; RFC 2295.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from enum import Enum, Flag, auto

from coachwhip.api import Request
from coachwhip.modules.mappers.mod_negotiation.accept import PSEUDO_HTML, Entry, lower, parse_entries

__all__ = ["Discard", "Force", "Policy", "Variant", "Wishes", "is_identity", "wishes_of"]


class Force(Flag):
    """The words of `ForceLanguagePriority`."""

    NONE = 0
    PREFER = auto()
    FALLBACK = auto()


class Discard(Enum):
    """Which encoded variants are left out, by the environment (`no-gzip`, `gzip-only-text/html`)."""

    NOTHING = "nothing"
    ALL = "all"
    ALL_BUT_HTML = "all but text/html"


@dataclass(slots=True)
class Variant:
    """One form of a document, and how well it fits so far."""

    file_name: str = ""
    mime_type: str = ""
    charset: str = ""
    encoding: str | None = None
    languages: tuple[str, ...] = ()
    level: float = 0.0
    source_quality: float = 0.0
    description: str = ""
    #: Bytes, if they are known without looking at the file.
    length: int | None = None
    #: The content itself, from `Body:` of a type map.
    body: bytes | None = None
    #: The sub-request that found it (MultiViews).
    sub: Request | None = None

    mime_stars: int = 0
    level_matched: float = 0.0
    mime_quality: float = 1.0
    charset_quality: float = 1.0
    encoding_quality: float = 1.0
    language_quality: float = 1.0
    #: Place in `LanguagePriority`, -1 for none.
    language_index: int = -1
    is_definite: bool = True

    @property
    def is_pseudo_html(self) -> bool:
        """HTML under any of its three names."""
        return self.mime_type in PSEUDO_HTML

    def take_type(self, entry: Entry) -> None:
        """Set what a `Content-Type` says."""
        self.mime_type, self.charset = entry.name, entry.charset
        self.level, self.source_quality = entry.level, entry.quality


def is_identity(encoding: str | None) -> bool:
    """Whether an encoding changes nothing."""
    return not encoding or encoding in ("7bit", "8bit", "binary")


@dataclass(slots=True)
class Wishes:
    """What the client said. A list is None if the field is absent, and empty if it is empty."""

    types: list[Entry] | None = None
    languages: list[Entry] | None = None
    charsets: list[Entry] | None = None
    encodings: list[Entry] | None = None
    #: Some media type has a quality below 1, so the client means its wildcards.
    has_type_quality: bool = False

    #: The client understands lists of variants (RFC 2295).
    is_transparent: bool = False
    wants_alternates: bool = False
    #: The server may choose on the client's behalf.
    may_choose: bool = True
    #: Choose by RFC 2296.
    by_rvsa: bool = False
    #: Header fields are taken as they are, without repairs for careless clients.
    is_strict: bool = False

    def read_negotiate(self, value: str | None, user_agent: str | None) -> None:
        """Set the last five fields by `Negotiate`; called only for transparently negotiable documents."""
        if value is None or (value == "trans" and (user_agent or "").startswith("Lynx")):
            return
        self.may_choose = False
        for item in value.split(","):
            word = lower(item.strip(" \t"))
            if not _DIRECTIVE.fullmatch(word):
                continue
            self.is_transparent = self.wants_alternates = True
            if word == "1.0":
                self.may_choose = self.by_rvsa = self.is_strict = True
            elif word == "*":
                self.may_choose = self.is_strict = True


_DIRECTIVE = re.compile(r"trans|vlist|guess-small|\*|[0-9].*", re.DOTALL)


def wishes_of(r: Request) -> Wishes:
    """Read the four `Accept` fields of a request."""
    types = parse_entries(r.headers_in.get("Accept"))
    return Wishes(
        types=types,
        languages=parse_entries(r.headers_in.get("Accept-Language")),
        charsets=parse_entries(r.headers_in.get("Accept-Charset")),
        encodings=parse_entries(r.headers_in.get("Accept-Encoding")),
        has_type_quality=any(entry.quality < 1.0 for entry in types or ()),
    )


@dataclass(frozen=True, slots=True)
class Policy:
    """What the administrator said."""

    #: `LanguagePriority`, in lower case.
    language_priority: tuple[str, ...] = ()
    force: Force = Force.PREFER
    #: Variable `prefer-language`.
    prefer_language: str | None = None
    discard: Discard = field(default=Discard.NOTHING)
    #: A script is the better answer: the request has a query, path info, or is no GET.
    prefer_scripts: bool = False
