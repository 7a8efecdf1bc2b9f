"""What a negotiated answer says about the choice: `Alternates`, `Vary`, `TCN`, and the list for 300 and 406 pages.

Source: RFC 2295 §8.3 (Alternates), §8.5 (TCN); the HTML of the list is Apache's.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from coachwhip.api import Request
from coachwhip.modules.mappers.mod_negotiation.variants import Variant, Wishes
from coachwhip.util.escapes import escape_html, escape_path_segment

__all__ = ["LengthOf", "name_in_url", "set_headers", "variant_list"]

LengthOf = Callable[[Variant], int]


def name_in_url(variant: Variant) -> str:
    """The variant's name as a relative reference."""
    return escape_path_segment(variant.file_name.encode("utf-8", "surrogateescape")).decode("ascii")


def _octets(text: str) -> str:
    """Text of a file as header fields hold it: one character per byte."""
    return text.encode("utf-8", "surrogateescape").decode("latin-1")


def set_headers(
    r: Request, variants: Sequence[Variant], wishes: Wishes, *, is_list: bool, is_transparent: bool, length_of: LengthOf
) -> None:
    """Set the fields on `err_headers_out`, so that error pages have them too."""
    headers = r.err_headers_out
    if wishes.wants_alternates and variants:
        listed = ", ".join(_alternate(variant, length_of) for variant in variants)
        headers.merge("Alternates", _octets(listed))
    differing = [name for name, of in _DIMENSIONS if len({of(variant) for variant in variants}) > 1]
    if is_transparent or differing:
        headers.merge("Vary", ", ".join(["negotiate", *differing] if is_transparent else differing))
    if is_transparent:
        headers.set("TCN", "list" if is_list else "choice")


#: Request fields and what a choice by them is about, in Apache's order.
_DIMENSIONS: tuple[tuple[str, Callable[[Variant], object]], ...] = (
    ("accept", lambda variant: variant.mime_type),
    ("accept-language", lambda variant: variant.languages),
    ("accept-charset", lambda variant: variant.charset),
    ("accept-encoding", lambda variant: variant.encoding or ""),
)


def _alternate(variant: Variant, length_of: LengthOf) -> str:
    quality = f"{variant.source_quality:1.3f}"[:5].rstrip("0").rstrip(".")
    facts = _facts(variant)
    # The size of a script is not that of its output.
    if not (variant.sub is not None and variant.sub.handler):
        length = length_of(variant)
        if length >= 0:
            facts.append(("length", str(length)))
    attributes = "".join(f" {{{name} {value}}}" for name, value in facts)
    return f'{{"{name_in_url(variant)}" {quality or "0"}{attributes}}}'


def _facts(variant: Variant) -> list[tuple[str, str]]:
    facts = (
        ("type", variant.mime_type),
        ("charset", variant.charset),
        ("language", ",".join(variant.languages)),
        ("encoding", variant.encoding or ""),
    )
    return [(name, value) for name, value in facts if value]


def variant_list(variants: Sequence[Variant]) -> str:
    """The list of variants as HTML."""
    items = "".join(_item(variant) for variant in variants)
    return _octets(f"Available variants:\n<ul>\n{items}</ul>\n")


def _item(variant: Variant) -> str:
    """One line; what a type map says is escaped here, where Apache trusts it."""
    shown = {"type": variant.mime_type, "language": ",".join(variant.languages), "charset": variant.charset}
    if variant.encoding is not None:
        shown["encoding"] = variant.encoding
    facts = "".join(f", {name} {escape_html(value)}" for name, value in shown.items() if value or name == "encoding")
    name = escape_html(variant.file_name)
    return f'<li><a href="{name_in_url(variant)}">{name}</a> {variant.description}{facts}</li>\n'
