"""mod_negotiation -- which of several forms of a document a client gets.

Two ways in: MultiViews (a name that does not exist but has extensions beside it, `type_checker`, first) and type maps (`handler`).
Both gather variants, let `choose` choose, and say so in headers (`answers`). It does not know how a variant is sent.
Source: Apache manual, mod_negotiation, "Content Negotiation"; RFC 2295, RFC 2296.
"""

from __future__ import annotations

import errno
from dataclasses import dataclass

from coachwhip.api import (
    DECLINED,
    OK,
    Args,
    CoreDir,
    Data,
    Directive,
    DirectiveContext,
    DirectiveError,
    End,
    FileKind,
    FileStat,
    Module,
    Options,
    Order,
    Repeat,
    Request,
    Result,
    Server,
    Settings,
    Where,
    is_exhausted,
    phases,
    setting,
)
from coachwhip.api.core import ETag
from coachwhip.modules.mappers.mod_negotiation import answers
from coachwhip.modules.mappers.mod_negotiation.accept import CGI_TYPE, lower, parse_entries, parse_entry
from coachwhip.modules.mappers.mod_negotiation.choose import choose
from coachwhip.modules.mappers.mod_negotiation.typemap import TypeMapError, parse_type_map
from coachwhip.modules.mappers.mod_negotiation.variants import Discard, Force, Policy, Variant, wishes_of
from coachwhip.util.escapes import escape_path
from coachwhip.util.etags import ETagFlag, content_digest, make_digest_etag, make_etag

__all__ = ["MODULE", "NegotiationDir", "NegotiationServer"]

#: What a type map is called, as a handler and as a media type.
MAP_HANDLER = "type-map"
MAP_TYPE = "application/x-type-map"
#: A type map is read whole, up to this many bytes.
MAP_LIMIT = 1 << 24


@dataclass(frozen=True, slots=True)
class NegotiationDir:
    """What this directory says."""

    language_priority: tuple[str, ...] = ()
    force_priority: Force = Force.PREFER


@dataclass(frozen=True, slots=True)
class NegotiationServer:
    """What this server says. As in Apache, a virtual host cannot take back what the main server turned on."""

    cache_documents: bool = setting(False, fold=lambda outer, inner: outer or inner)


def _force(context: DirectiveContext, *words: str) -> Force:
    before = context.value_of(NegotiationDir, "force_priority")
    force, is_none = before or Force.NONE, before is Force.NONE
    for word in words:
        name = lower(word)
        if name == "none":
            if force:
                raise DirectiveError("Cannot combine ForceLanguagePriority options with None", alone=True)
            is_none = True
            continue
        if name not in ("prefer", "fallback"):
            raise DirectiveError(f"Invalid ForceLanguagePriority option {word}", alone=True)
        if is_none:
            raise DirectiveError(f"Cannot combine ForceLanguagePriority options None and {name.capitalize()}", alone=True)
        force |= Force[name.upper()]
    return force


MODULE = Module(
    "negotiation_module",
    "mod_negotiation.c",
    dir_config=NegotiationDir,
    server_config=NegotiationServer,
    replayable=True,
    directives=(
        Directive("CacheNegotiatedDocs", Args.FLAG, Where.SERVER, sets="cache_documents", help="Either 'on' or 'off' (default)"),
        Directive(
            "LanguagePriority",
            Args.WORDS,
            Where.FILEINFO,
            sets="language_priority",
            value=lambda context, *words: tuple(lower(word) for word in words),
            repeat=Repeat.APPEND,
            help="space-delimited list of MIME language abbreviations",
        ),
        Directive(
            "ForceLanguagePriority",
            Args.WORDS,
            Where.FILEINFO,
            sets="force_priority",
            value=_force,
            help="Force LanguagePriority elections, either None, or Fallback and/or Prefer",
        ),
    ),
)
LOG = MODULE.log


# -- MultiViews


def _has_multiviews(server: Server, settings: Settings) -> bool:
    return Options.MULTI_VIEWS in settings.get(CoreDir).options.value


@MODULE.hook(phases.type_checker, Order.FIRST, by_extension=True, acts=_has_multiviews)
def multiviews(r: Request) -> Result:
    """For a name that does not exist, take the best of the files that continue it with extensions."""
    if r.finfo.kind is not FileKind.MISSING:
        return DECLINED
    if r.filename is None or not r.filename.startswith("/"):
        return DECLINED
    found = _scan(r)
    if isinstance(found, int):
        return found
    if not found:
        return DECLINED
    prefers_scripts = r.method not in ("GET", "HEAD") or r.args is not None or bool(r.path_info)
    best = _negotiate(r, found, prefers_scripts)
    if isinstance(best, int):
        return best
    sub = best.sub or r.lookup_file(best.file_name)
    if sub.status != 200:
        return sub.status
    if sub.args is None:
        sub.args = r.args
    path_info = r.path_info
    r.becomes(sub)
    # The variant is a file; what followed the name in the URL still follows it.
    r.path_info = r.path_info or path_info
    r.mtime = None
    return OK


def _scan(r: Request) -> list[Variant] | int:
    """The variants of `r.filename`, sorted by name; those of a type map among them, if there is one; or a status."""
    filename = r.filename or ""
    folder, _, name = filename.rpartition("/")
    try:
        entries = r.files.list(folder or "/", name + ".")
    except OSError as error:
        LOG.error(r, "AH00686", "cannot read directory for multi: %s/", folder, error=error)
        return 503 if is_exhausted(error) else 403
    candidates = [
        entry.name
        for entry in entries
        if entry.is_link or entry.stat.kind is not FileKind.DIRECTORY
    ]
    variants: list[Variant] = []
    for candidate in sorted(candidates, key=_octets):
        sub = r.lookup_file(candidate)
        if not _is_variant(sub, name):
            continue
        if sub.handler == MAP_HANDLER or sub.content_type == MAP_TYPE:
            return _read_map(r, sub)
        variants.append(_variant_of(sub, candidate))
    if candidates and not variants:
        message = "Negotiation: discovered file(s) matching request: %s (None could be negotiated)."
        LOG.error(r, "AH00687", message, filename)
        return 404
    if candidates:
        r.vlist_validator = f"{r.files.stat(folder or '/').mtime_ns // 1000:x}"
    return variants


def _octets(name: str) -> bytes:
    return name.encode("utf-8", "surrogateescape")


def _is_variant(sub: Request, name: str) -> bool:
    """Whether a file may stand for `name`: served at all, and each extension either known to mod_mime or asked for."""
    if sub.finfo.kind is not FileKind.REGULAR:
        return False
    if sub.handler and not sub.content_type:
        sub.content_type = CGI_TYPE
    unknown: tuple[str, ...] | None = sub.state.get("mod_mime.c")
    if unknown is None or not _in_order(unknown, name.split(".")):
        return False
    return sub.status == 200 and bool(sub.content_type)


def _in_order(parts: tuple[str, ...], of: list[str]) -> bool:
    """Whether all `parts` occur in `of`, in this order."""
    rest = iter(of)
    return all(part in rest for part in parts)


def _variant_of(sub: Request, name: str) -> Variant:
    variant = Variant(
        file_name=name,
        encoding=", ".join(sub.content_encodings) or None,
        languages=tuple(sub.content_languages),
        sub=sub,
    )
    variant.take_type(parse_entry(sub.content_type or "")[0])
    return variant


# -- type maps


@MODULE.hook(phases.handler, handlers=(MAP_HANDLER, MAP_TYPE))
def type_map(r: Request) -> Result:
    """Answer with the variant that a type map leads to: its inline body, or an internal redirect to its name."""
    found = _read_map(r, r)
    if isinstance(found, int):
        return found
    best = _negotiate(r, found, prefers_scripts=False)
    if isinstance(best, int):
        return best
    # HTTP/1.0 caches know nothing of Vary.
    if not r.server.config(NegotiationServer).cache_documents and r.protocol_number < 1001:
        r.no_cache = True
    if best.body is not None:
        return _send_body(r, best, best.body)
    uri = r.uri.removesuffix(r.path_info) if r.path_info else r.uri
    folder = escape_path(_octets(uri[: uri.rfind("/") + 1])).decode("ascii")
    query = "" if r.args is None else f"?{r.args}"
    return r.internal_redirect(f"{folder}{best.file_name}{r.path_info}{query}")


def _send_body(r: Request, best: Variant, body: bytes) -> Result:
    r.allowed = {"GET", "OPTIONS", "POST"}
    if r.method not in ("GET", "HEAD", "POST"):
        return 405
    r.headers_out.set("Accept-Ranges", "bytes")
    if best.mime_type:
        r.set_content_type(f"{best.mime_type}; charset={best.charset}" if best.charset else best.mime_type)
    if best.languages:
        r.content_languages = list(best.languages)
    if best.encoding:
        r.content_encodings = [best.encoding]
    answer = r.meets_conditions()
    if answer is OK:
        r.send(Data(body), End())
    return answer


def _read_map(r: Request, holder: Request) -> list[Variant] | int:
    """The variants that the map at `holder.filename` lists, or a status."""
    path = holder.filename or ""
    try:
        data = r.files.read(path, MAP_LIMIT)
        result = parse_type_map(data, path)
    except OSError as error:
        LOG.error(r, "AH00683", "cannot access type map file: %s", path, error=error)
        if is_exhausted(error):
            return 503
        return 404 if error.errno in (errno.ENOENT, errno.ENOTDIR) else 403
    except TypeMapError as error:
        LOG.error(r, error.log_id, "%s", error)
        return 500
    if result.fault is not None:
        LOG.error(r, result.fault[0], "%s", result.fault[1])
    r.vlist_validator = _tag_of(holder.finfo, holder.core.file_etag.value, data)
    return result.variants


def _tag_of(stat: FileStat, parts: ETag, data: bytes) -> str:
    """The entity tag of a map, without quotes."""
    if ETag.DIGEST in parts:
        tag: bytes | None = make_digest_etag(content_digest(data))
    else:
        flags = ETagFlag(0)
        for part in parts:
            flags |= ETagFlag[part.name or "NONE"]
        tag = make_etag(stat.size, stat.mtime_ns // 1000, stat.inode, flags=flags)
    return tag.decode("ascii").strip('"') if tag else ""


# -- both


def _negotiate(r: Request, variants: list[Variant], prefers_scripts: bool) -> Variant | int:
    """Choose, set the headers, and answer the variant, or the status with which the request ends."""
    wishes = wishes_of(r)
    is_transparent = _is_transparent(r, variants)
    if is_transparent:
        wishes.read_negotiate(r.headers_in.get("Negotiate"), r.headers_in.get("User-Agent") if _says_trans(r) else None)
    folder = (r.filename or "").rpartition("/")[0]

    def length_of(variant: Variant) -> int:
        if variant.length is None:
            stat = variant.sub.finfo if variant.sub is not None else _stat(r, f"{folder}/{variant.file_name}")
            if stat is not None:
                variant.length = stat.size
        return -1 if variant.length is None else variant.length

    best, is_choice = choose(variants, wishes, _policy(r, prefers_scripts), length_of)
    if not is_choice:
        wishes.wants_alternates = True
        answers.set_headers(r, variants, wishes, is_list=True, is_transparent=is_transparent, length_of=length_of)
        (r.main or r).notes["variant-list"] = answers.variant_list(variants)
        if is_transparent and wishes.is_transparent:
            return 300
        if best is None:
            LOG.error(r, "AH00690", "no acceptable variant: %s", r.filename)
            return 406
    if best is None:
        return 406
    if is_transparent:
        status = _announce(r, best)
        if status is not None:
            return status
    answers.set_headers(r, variants, wishes, is_list=False, is_transparent=is_transparent, length_of=length_of)
    return best


def _says_trans(r: Request) -> bool:
    return r.headers_in.get("Negotiate") == "trans"


def _is_transparent(r: Request, variants: list[Variant]) -> bool:
    """Whether RFC 2295's rules can be kept: a plain GET, and all variants are files beside the name."""
    if r.method not in ("GET", "HEAD") or r.path_info:
        return False
    return not any("/" in variant.file_name or variant.body is not None for variant in variants)


def _stat(r: Request, path: str) -> FileStat | None:
    try:
        stat = r.files.stat(path)
    except OSError:
        return None
    return None if stat.kind is FileKind.MISSING else stat


def _policy(r: Request, prefers_scripts: bool) -> Policy:
    conf = r.config(NegotiationDir)
    discard = Discard.NOTHING
    if "no-gzip" in r.env:
        discard = Discard.ALL
    elif r.env.get("gzip-only-text/html") == "1":
        discard = Discard.ALL_BUT_HTML
    return Policy(conf.language_priority, conf.force_priority, r.env.get("prefer-language"), discard, prefers_scripts)


def _announce(r: Request, best: Variant) -> int | None:
    """`Content-Location` and `Variant-Vary` for a variant that the server chose; a status if it may not be sent."""
    if best.sub is None:
        sub = r.lookup_file(best.file_name)
        if sub.status != 200 and "TCN" not in sub.err_headers_out:
            return sub.status
        best.sub = sub
    sub = best.sub
    # A choice that leads to another choice cannot be described to the client.
    if "TCN" in sub.err_headers_out or sub.handler == MAP_HANDLER:
        return 506
    vary = sub.err_headers_out.get("Vary")
    if vary is not None:
        r.err_headers_out.set("Variant-Vary", vary)
        r.err_headers_out.set("Vary", vary)
        sub.err_headers_out.unset("Vary")
    r.err_headers_out.set("Content-Location", answers.name_in_url(best))
    return None


@MODULE.hook(phases.fixups, by_extension=True, in_place=True)
def fix_encoding(r: Request) -> Result:
    """Spell the content coding (`gzip`, `x-gzip`) as the client does."""
    if not r.content_encodings:
        return DECLINED
    encoding = ", ".join(r.content_encodings).removeprefix("x-")
    accepted = parse_entries(r.headers_in.get("Accept-Encoding"))
    names = [entry.name for entry in accepted or () if entry.name.removeprefix("x-") == encoding]
    if not names:
        return DECLINED
    r.content_encodings = [encoding if encoding in names else names[-1]]
    return OK
