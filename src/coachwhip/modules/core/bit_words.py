"""Words that stand for bits: `Options`, `AllowOverride`, `AllowOverrideList`, `FileETag`.

How their arguments become `OptionSet`, `Override` and `ETagSet`; the rows are in `directives_dir.py`.
Source: Apache manual, "Apache Core Features"; accepted words and sentences compared with 2.4.71.
"""

from __future__ import annotations

from coachwhip.api.core import CoreDir, ETag, ETagSet, Options, OptionSet, Override
from coachwhip.api.directives import DirectiveContext, Where
from coachwhip.api.values import refuse

__all__ = ["read_allow_override", "read_allow_override_list", "read_file_etag", "read_options"]

_OPTIONS: dict[str, Options] = {
    "indexes": Options.INDEXES,
    "includes": Options.INCLUDES | Options.INCLUDES_EXEC,
    "includesnoexec": Options.INCLUDES,
    "followsymlinks": Options.FOLLOW_SYM_LINKS,
    "symlinksifownermatch": Options.SYM_LINKS_IF_OWNER_MATCH,
    "execcgi": Options.EXEC_CGI,
    "multiviews": Options.MULTI_VIEWS,
    "runscripts": Options.MULTI_VIEWS | Options.EXEC_CGI,
    "none": Options.NONE,
    "all": Options.ALL,
}


def read_options(context: DirectiveContext, raw: str) -> OptionSet:
    """`Options`: an absolute set, or additions and removals. Raises DirectiveError."""
    so_far: OptionSet = context.value_of(CoreDir, "options") or OptionSet()
    words = context.words(raw)
    signed = [word[0] in "+-" for word in words]
    for position, word in enumerate(words):
        name = word.lstrip("+-") if signed[position] else word
        lower = name.lower()
        if signed[position] is not signed[0]:
            raise refuse("Either all Options must start with + or -, or no Option may.")
        if lower in ("none", "all"):
            _check_whole(name.capitalize(), is_first=position == 0, is_signed=signed[position])
        bits = _OPTIONS.get(lower)
        if bits is None:
            raise refuse(f"Illegal option {name}")
        _check_granted(context, bits, name)
        so_far = _with_option(so_far, bits, word[0] if signed[position] else "", is_first=position == 0)
    return so_far


def _check_whole(name: str, *, is_first: bool, is_signed: bool) -> None:
    """`None` and `All` stand first, and without a sign."""
    if not is_first:
        raise refuse(f"'Options {name}' must be the first {'O' if name == 'None' else 'o'}ption given.")
    if is_signed:
        raise refuse(f"You may not use 'Options +{name}' or 'Options -{name}'.")


def _check_granted(context: DirectiveContext, bits: Options, name: str) -> None:
    granted = context.override_options
    if granted is not None and bits & ~granted:
        raise refuse(f"Option {name} not allowed here")


def _with_option(so_far: OptionSet, bits: Options, sign: str, *, is_first: bool) -> OptionSet:
    if sign == "+":
        # Includes without exec takes exec away again.
        remove = so_far.remove & ~bits
        add = so_far.add | bits
        if bits is Options.INCLUDES:
            return OptionSet(so_far.base, add & ~Options.INCLUDES_EXEC, remove | Options.INCLUDES_EXEC)
        return OptionSet(so_far.base, add, remove)
    if sign == "-":
        return OptionSet(so_far.base, so_far.add & ~bits, so_far.remove | bits)
    base = Options.NONE if is_first or so_far.base is None else so_far.base
    return OptionSet(base | bits)


_CLASSES = {
    "limit": Where.LIMIT,
    "options": Where.OPTIONS,
    "fileinfo": Where.FILEINFO,
    "authconfig": Where.AUTHCONFIG,
    "indexes": Where.INDEXES,
}


def read_allow_override(context: DirectiveContext, raw: str) -> Override:
    """`AllowOverride`: classes, `Options=` and `Nonfatal=`. Raises DirectiveError."""
    _warn_if_useless(
        context, f"Useless use of AllowOverride in line {context.location.line} of {context.location.file}.", "AH00114"
    )
    classes = Where(0)
    options: Options | None = None
    nonfatal = ""
    for word in context.words(raw):
        name, equals, value = word.partition("=")
        lower = name.lower()
        if lower in _CLASSES:
            classes |= _CLASSES[lower]
            if lower == "options":
                options = _option_list(value) if equals else None
        elif lower == "nonfatal":
            nonfatal = _nonfatal(value, bool(equals)) or nonfatal
        elif lower == "none":
            classes = Where(0)
        elif lower == "all":
            classes = Where.ALL
        else:
            raise refuse(f"Illegal override option {name}")
    return Override(classes, options, nonfatal)


def _nonfatal(value: str, is_given: bool) -> str:
    lower = value.lower()
    if not is_given:
        raise refuse("=Override, =Unknown or =All expected after Nonfatal")
    return lower if lower in ("override", "unknown", "all") else ""


def _option_list(text: str) -> Options:
    granted = Options.NONE
    for name in text.split(","):
        if not name:
            continue
        bits = _OPTIONS.get(name.lower())
        if bits is None:
            raise refuse(f"Illegal option {name}")
        granted |= bits
    return granted


def _warn_if_useless(context: DirectiveContext, message: str, log_id: str) -> None:
    # Only folders have .htaccess files.
    if context.is_inside("Location", "LocationMatch", "Files", "FilesMatch", "If", "ElseIf", "Else"):
        context.warn(message, log_id)


def read_allow_override_list(context: DirectiveContext, *words: str) -> frozenset[str]:
    """`AllowOverrideList`: names that may stand in `.htaccess`, lower case; others are left out with a warning."""
    where = f"{context.location.file}:{context.location.line}"
    _warn_if_useless(context, f"Useless use of AllowOverrideList at {where}", "AH00115")
    if [word.lower() for word in words] == ["none"]:
        return frozenset()
    names: set[str] = set()
    for word in words:
        if word.lower() == "none":
            raise refuse("'None' not allowed with other directives in AllowOverrideList")
        found = context.where_of(word)
        if found is None:
            context.warn(f"Discarding unrecognized directive `{word}' in AllowOverrideList at {where}", "AH00116")
        elif not found.override:
            context.warn(f"Discarding directive `{word}' not allowed in AllowOverrideList at {where}", "AH02304")
        else:
            names.add(word.lower())
    return frozenset(names)


_ETAG = {
    "inode": ETag.INODE,
    "mtime": ETag.MTIME,
    "size": ETag.SIZE,
    "digest": ETag.DIGEST,
    "all": ETag.INODE | ETag.MTIME | ETag.SIZE,
}


def read_file_etag(context: DirectiveContext, raw: str) -> ETagSet:
    """`FileETag`: an absolute set, or additions and removals. Raises DirectiveError."""
    etag: ETagSet = context.value_of(CoreDir, "file_etag") or ETagSet()
    for word in context.words(raw):
        sign, name = (word[0], word[1:]) if word[0] in "+-" else ("", word)
        if name.lower() == "none":
            if sign:
                raise refuse("FileETag keyword 'None' cannot be used with '+' or '-'")
            etag = ETagSet(ETag.NONE)
            continue
        bits = _ETAG.get(name.lower())
        if bits is None:
            raise refuse(f"Unknown keyword '{name}' for FileETag directive")
        etag = _with_etag(etag, bits, sign)
    return etag


def _with_etag(etag: ETagSet, bits: ETag, sign: str) -> ETagSet:
    if sign == "+":
        return ETagSet(etag.base, etag.add | bits, etag.remove & ~bits)
    if sign == "-":
        return ETagSet(etag.base, etag.add & ~bits, etag.remove | bits)
    return ETagSet((etag.base or ETag.NONE) | bits)
