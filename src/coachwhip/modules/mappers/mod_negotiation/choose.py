"""Choosing a variant: Apache's own algorithm, and RFC 2296's for clients that ask for it.

A pure function over `Variant`s, `Wishes` and a `Policy`. Each variant gets a quality per dimension; the best is the one that no
later one beats. Source: Apache manual, "Content Negotiation"; every row of its tests is an answer of Apache 2.4.71.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from coachwhip.modules.mappers.mod_negotiation.accept import CGI_TYPE, PSEUDO_HTML, Entry, lower, single
from coachwhip.modules.mappers.mod_negotiation.variants import Discard, Force, Policy, Variant, Wishes, is_identity

__all__ = ["choose"]

#: What wildcards are worth to a client that gives no qualities at all, by the number of "stars" matched.
_WILDCARD = {1: single(0.01), 2: single(0.02)}
_SPECIFIC = 3
#: A variant without a language beside others that have one; `LanguagePriority`'s fallback; identity that is not mentioned.
_BARELY = single(0.0001)
#: A variant in another dialect of a language that the client named.
_DIALECT = single(0.001)
_SCRIPT = single(0.001)
_DEFAULT_CHARSET = "iso-8859-1"

#: Size of a variant in bytes, -1 if it cannot be told.
LengthOf = Callable[[Variant], int]


def choose(variants: Sequence[Variant], wishes: Wishes, policy: Policy, length_of: LengthOf) -> tuple[Variant | None, bool]:
    """The best variant, or None, and whether it may be sent as the client's choice (else it gets the list)."""
    types = _with_defaults(wishes, policy)
    bare_language = _BARELY if not wishes.is_strict and any(v.languages for v in variants) else 1.0
    preferred = policy.prefer_language
    while True:
        best: Variant | None = None
        best_quality = 0.0
        for variant in _considered(variants, preferred, policy.discard):
            _rate_type(variant, types, wishes)
            if preferred is not None:
                variant.language_quality, variant.is_definite = 1.0, True
            else:
                _rate_language(variant, wishes, policy, bare_language)
            _rate_encoding(variant, wishes)
            _rate_charset(variant, wishes)
            if not wishes.may_choose:
                continue
            if wishes.by_rvsa:
                quality = _better_by_rvsa(variant, best, best_quality)
            else:
                quality = _better(variant, best, best_quality, length_of)
            if quality is not None:
                best, best_quality = variant, quality
        is_choice = best is not None and best_quality > 0 and (best.is_definite or not wishes.by_rvsa)
        if preferred is None or is_choice:
            return best, is_choice
        preferred = None


def _with_defaults(wishes: Wishes, policy: Policy) -> list[Entry]:
    """The client's media types, "anything" for none, and what scripts are worth."""
    script = 2.0 if policy.prefer_scripts else _SCRIPT
    types = [Entry("*/*")] if wishes.types is None else wishes.types
    return [*types, Entry(CGI_TYPE, 0.0 if wishes.by_rvsa else script)]


def _considered(variants: Sequence[Variant], language: str | None, discard: Discard) -> Iterable[Variant]:
    for variant in variants:
        if language is not None and language not in variant.languages:
            continue
        if _is_discarded(variant, discard):
            continue
        yield variant


def _is_discarded(variant: Variant, discard: Discard) -> bool:
    if discard is Discard.NOTHING or is_identity(variant.encoding) or variant.encoding == "identity":
        return False
    return discard is Discard.ALL or not variant.mime_type.startswith("text/html")


# -- media type


def _rate_type(variant: Variant, types: Iterable[Entry], wishes: Wishes) -> None:
    """By the most specific item that matches, not the one with the highest quality."""
    quality, is_definite = 0.0, True
    for wanted in types:
        before = variant.mime_stars
        if not _matches_type(wanted, variant) or variant.mime_stars == before:
            continue
        quality = wanted.quality
        if not wishes.has_type_quality and wishes.may_choose:
            quality = _WILDCARD.get(variant.mime_stars, quality)
        is_definite = variant.mime_stars == _SPECIFIC
    variant.mime_quality = quality
    variant.is_definite = variant.is_definite and is_definite


def _matches_type(wanted: Entry, variant: Variant) -> bool:
    name, offered = wanted.name, variant.mime_type
    if name in ("*", "*/*"):
        variant.mime_stars = max(variant.mime_stars, 1)
        return True
    if len(name) > 2 and name.endswith("/*") and offered.startswith(name[:-1]):
        variant.mime_stars = max(variant.mime_stars, 2)
        return True
    is_same = name == offered or (name == "text/html" and variant.is_pseudo_html)
    if not is_same or wanted.level < variant.level:
        return False
    variant.level_matched = variant.level
    variant.mime_stars = _SPECIFIC
    return True


# -- language


def _rate_language(variant: Variant, wishes: Wishes, policy: Policy, bare: float) -> None:
    if not variant.languages:
        if not wishes.is_strict:
            variant.language_quality = bare
        return
    if wishes.languages is None:
        variant.is_definite = False
    else:
        _match_languages(variant, wishes.languages, wishes.is_strict)
    _apply_priority(variant, policy)


def _match_languages(variant: Variant, wanted: Sequence[Entry], is_strict: bool) -> None:
    """The best over the variant's languages of the longest range that fits each; `*` fits what nothing else does."""
    star = next((entry for entry in wanted if entry.name == "*"), None)
    best: Entry | None = None
    is_dialect = on_star = False
    for language in variant.languages:
        longest = _longest_range(language, wanted)
        if not is_strict:
            is_dialect = is_dialect or _shares_prefix(language, wanted)
        if best is None or (longest is not None and longest.quality > best.quality):
            best = longest
        on_star = on_star or longest is None
    if star is not None and on_star and (best is None or star.quality > best.quality):
        best = star
        variant.is_definite = False
    if best is not None:
        variant.language_quality = best.quality
    else:
        variant.language_quality = _DIALECT if is_dialect else 0.0


def _longest_range(language: str, wanted: Iterable[Entry]) -> Entry | None:
    """The longest language range that the tag equals, or begins with up to a hyphen."""
    longest: Entry | None = None
    for entry in wanted:
        if entry.name == "*" or not (language == entry.name or language.startswith(entry.name + "-")):
            continue
        if len(entry.name) > (len(longest.name) if longest else 0):
            longest = entry
    return longest


def _shares_prefix(language: str, wanted: Iterable[Entry]) -> bool:
    """Whether the client named another dialect (`en-US` for `en` or `en-GB`) before any range that fits."""
    for entry in wanted:
        if entry.name == "*":
            continue
        if entry.name and (language == entry.name or language.startswith(entry.name + "-")):
            return False
        prefix, hyphen, _ = entry.name.partition("-")
        if hyphen and language.startswith(prefix):
            return True
    return False


def _apply_priority(variant: Variant, policy: Policy) -> None:
    """`LanguagePriority` breaks ties (Prefer) and lets in what the client did not ask for (Fallback)."""
    prefers = Force.PREFER in policy.force and variant.language_index < 0
    falls_back = Force.FALLBACK in policy.force and not variant.language_quality
    if not prefers and not falls_back:
        return
    places = [policy.language_priority.index(tag) for tag in map(lower, variant.languages) if tag in policy.language_priority]
    if not places:
        return
    if variant.language_quality:
        if Force.PREFER in policy.force:
            variant.language_index = min(places)
    elif Force.FALLBACK in policy.force:
        variant.language_index = min(places)
        variant.language_quality = _BARELY
        variant.is_definite = False


# -- charset and encoding


def _rate_charset(variant: Variant, wishes: Wishes) -> None:
    charset = variant.charset
    if wishes.charsets is None:
        if charset:
            variant.is_definite = False
        return
    if not charset:
        is_text = variant.mime_type.startswith("text/") or variant.mime_type in PSEUDO_HTML
        if not is_text or wishes.is_strict:
            return
        charset = _DEFAULT_CHARSET
    exact = next((entry for entry in wishes.charsets if entry.name == charset), None)
    if exact is not None:
        variant.charset_quality = exact.quality
        return
    stars = [entry for entry in wishes.charsets if entry.name == "*"]
    if stars:
        variant.charset_quality = stars[-1].quality
        variant.is_definite = False
        return
    variant.charset_quality = 1.0 if charset == _DEFAULT_CHARSET else 0.0


def _rate_encoding(variant: Variant, wishes: Wishes) -> None:
    is_plain = is_identity(variant.encoding)
    if wishes.encodings is None:
        variant.encoding_quality = 1.0 if is_plain else 0.5
        return
    encoding = "identity" if is_plain else (variant.encoding or "").removeprefix("x-")
    star: Entry | None = None
    for entry in wishes.encodings:
        name = entry.name.removeprefix("x-")
        if name == encoding:
            variant.encoding_quality = entry.quality
            return
        if name == "*":
            star = entry
    unmentioned = _BARELY if is_plain else 0.0
    variant.encoding_quality = unmentioned if star is None else star.quality


# -- better or not: the new best quality if it is, None if not


def _better_by_rvsa(variant: Variant, best: Variant | None, best_quality: float) -> float | None:
    if variant.encoding_quality == 0:
        return None
    quality = single(variant.mime_quality * variant.source_quality)
    quality = single(single(quality * variant.charset_quality) * variant.language_quality)
    if quality <= 0:
        return None
    if quality > best_quality or (
        quality == best_quality and best is not None and variant.encoding_quality > best.encoding_quality
    ):
        return quality
    return None


def _better(variant: Variant, best: Variant | None, best_quality: float, length_of: LengthOf) -> float | None:
    """Type, language, its priority, level, charset, encoding, size: the first that differs decides."""
    if not (variant.encoding_quality and variant.language_quality and variant.source_quality):
        return None
    if not (variant.charset_quality and variant.mime_quality):
        return None
    quality = single(variant.mime_quality * variant.source_quality)
    if quality == 0 or quality < best_quality:
        return None
    if quality > best_quality or best is None:
        return quality
    verdict = (
        _sign(variant.language_quality - best.language_quality)
        or _compare_priority(variant.language_index, best.language_index)
        or _compare_levels(variant, best)
        or _compare_charsets(variant, best)
        or _sign(variant.encoding_quality - best.encoding_quality)
        or _sign(length_of(best) - length_of(variant))
    )
    return quality if verdict > 0 else None


def _sign(difference: float) -> int:
    return (difference > 0) - (difference < 0)


def _compare_priority(index: int, best: int) -> int:
    if index == best:
        return 0
    if best == -1:
        return 1
    return -1 if index == -1 else _sign(best - index)


def _compare_levels(variant: Variant, best: Variant) -> int:
    """The highest level that the client named; failing that, the lowest there is. Only among equal types."""
    if variant.is_pseudo_html and not best.is_pseudo_html:
        return 0
    if not variant.is_pseudo_html and variant.mime_type != best.mime_type:
        return 0
    return _sign(variant.level_matched - best.level_matched) or _sign(best.level - variant.level)


def _compare_charsets(variant: Variant, best: Variant) -> int:
    """By quality; for equal ones, another charset than Latin-1 is taken over it."""
    verdict = _sign(variant.charset_quality - best.charset_quality)
    if verdict:
        return verdict
    return int(variant.charset not in ("", _DEFAULT_CHARSET) and best.charset in ("", _DEFAULT_CHARSET))
