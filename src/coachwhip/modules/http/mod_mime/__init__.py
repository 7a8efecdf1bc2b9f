"""mod_mime -- type, language, coding, charset, handler and filters of a file by its name.

Runs in `type_checker`, behind mod_negotiation's MultiViews, which asks it about each candidate by a sub-request and reads the
extensions that it did not know from `r.state["mod_mime.c"]`. It never looks into a file. Source: Apache manual, mod_mime.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from coachwhip.api import (
    DECLINED,
    DIRECTORY,
    OK,
    Args,
    Directive,
    DirectiveContext,
    DirectiveError,
    Module,
    Repeat,
    Request,
    Result,
    Startup,
    Where,
    phases,
    setting,
)
from coachwhip.modules.http.mod_mime.extensions import (
    Extension,
    Meaning,
    MultiMatch,
    cut,
    fold_extensions,
    lower,
    meaning_of,
    with_field,
)
from coachwhip.modules.http.mod_mime.media_type import MediaTypeError, normalize
from coachwhip.util.words import cut_words

__all__ = ["MODULE", "MimeDir", "MimeServer", "parse_types"]

SOURCE = "mod_mime.c"
#: Groups of extensions whose meaning is kept for each set of settings, and how long one may be; names come from clients too.
MAX_MEANINGS = 64
MAX_EXTENSIONS = 32
#: The type of a folder, for the modules that handle folders.
DIRECTORY_TYPE = "httpd/unix-directory"
TYPES_FILE = "conf/mime.types"


@dataclass(frozen=True, slots=True)
class MimeDir:
    """What this directory says about names."""

    extensions: Mapping[str, Extension] = setting({}, fold=fold_extensions, lines=lambda said: said.lines.values())
    default_language: str | None = None
    multi_match: MultiMatch = MultiMatch.NEGOTIATED_ONLY
    use_path_info: bool = False


@dataclass(frozen=True, slots=True)
class MimeServer:
    """`TypesConfig`; only the main server's is read."""

    types_config: str | None = None


def _name(extension: str) -> str:
    return lower(extension).removeprefix(".")


def _add(context: DirectiveContext, field: str, value: str, extensions: tuple[str, ...]) -> dict[str, Extension]:
    said: Mapping[str, Extension] = context.value_of(MimeDir, "extensions") or {}
    return {name: with_field(said.get(name), field, lower(value), context.location) for name in map(_name, extensions)}


def _adder(name: str, field: str, help: str) -> Directive:
    return Directive(
        name,
        Args.ONE_THEN_WORDS,
        Where.FILEINFO,
        sets="extensions",
        value=lambda context, value, *extensions: _add(context, field, value, extensions),
        repeat=Repeat.UPDATE,
        help=f"{help} followed by one or more file extensions",
    )


def _remover(name: str, field: str) -> Directive:
    return Directive(
        name,
        Args.WORDS,
        Where.FILEINFO,
        sets="extensions",
        value=lambda context, *extensions: _add(context, field, "", extensions),
        repeat=Repeat.UPDATE,
        help="one or more file extensions",
    )


_NEGOTIATED = "NegotiatedOnly"
_MATCH_WORDS = {
    "any": (MultiMatch.ANY, "Any is incompatible with NegotiatedOnly, Filters and Handlers"),
    "handlers": (MultiMatch.HANDLERS, "Handlers is incompatible with Any and NegotiatedOnly"),
    "filters": (MultiMatch.FILTERS, "Filters is incompatible with Any and NegotiatedOnly"),
}


def _multi_match(context: DirectiveContext, *words: str) -> MultiMatch:
    """The words add up over the lines of a section; NegotiatedOnly and Any stand alone."""
    match: MultiMatch | None = context.value_of(MimeDir, "multi_match")
    for word in words:
        if lower(word) == lower(_NEGOTIATED):
            if match:
                raise DirectiveError("NegotiatedOnly is incompatible with Any, Filters and Handlers", alone=True)
            match = MultiMatch.NEGOTIATED_ONLY
            continue
        found = _MATCH_WORDS.get(lower(word))
        if found is None:
            raise DirectiveError(f"Unrecognized option '{word}'", alone=True)
        flag, conflict = found
        others = MultiMatch.ANY if flag is not MultiMatch.ANY else MultiMatch.HANDLERS | MultiMatch.FILTERS
        if match is not None and (not match or match & others):
            raise DirectiveError(conflict, alone=True)
        match = flag if match is None else match | flag
    return MultiMatch.NEGOTIATED_ONLY if match is None else match


MODULE = Module(
    "mime_module",
    SOURCE,
    dir_config=MimeDir,
    server_config=MimeServer,
    replayable=True,
    directives=(
        _adder("AddCharset", "charset", "a charset (e.g., iso-2022-jp),"),
        _adder("AddEncoding", "encoding", "an encoding (e.g., gzip),"),
        _adder("AddHandler", "handler", "a handler name"),
        _adder("AddInputFilter", "input_filters", "input filter name (or ; delimited names)"),
        _adder("AddLanguage", "language", "a language (e.g., fr),"),
        _adder("AddOutputFilter", "output_filters", "output filter name (or ; delimited names)"),
        _adder("AddType", "type", "a mime type"),
        Directive(
            "DefaultLanguage",
            Args.ONE,
            Where.FILEINFO,
            sets="default_language",
            help="language to use for documents with no other language file extension",
        ),
        Directive(
            "MultiviewsMatch",
            Args.WORDS,
            Where.FILEINFO,
            sets="multi_match",
            value=_multi_match,
            help="NegotiatedOnly (default), Handlers and/or Filters, or Any",
        ),
        _remover("RemoveCharset", "charset"),
        _remover("RemoveEncoding", "encoding"),
        _remover("RemoveHandler", "handler"),
        _remover("RemoveInputFilter", "input_filters"),
        _remover("RemoveLanguage", "language"),
        _remover("RemoveOutputFilter", "output_filters"),
        _remover("RemoveType", "type"),
        Directive(
            "TypesConfig",
            Args.ONE,
            Where.SERVER,
            sets="types_config",
            value=lambda context, path: context.server_path(path),
            help="the MIME types config file",
        ),
        Directive(
            "ModMimeUsePathInfo",
            Args.FLAG,
            Where.SECTION,
            sets="use_path_info",
            help="Set to 'yes' to allow mod_mime to use path info for type checking",
        ),
    ),
)
LOG = MODULE.log


def parse_types(text: str) -> dict[str, str]:
    """A `mime.types` file: on each line a type and its extensions; the last line that names an extension counts."""
    types: dict[str, str] = {}
    for line in text.split("\n"):
        if line.startswith("#"):
            continue
        kind, *extensions = cut_words(line) or ("",)
        types.update((lower(extension), kind) for extension in extensions)
    return types


@MODULE.hook(phases.post_config)
def read_types(startup: Startup) -> Result:
    """Read `TypesConfig`; without it the server does not start."""
    path = startup.main.config(MimeServer).types_config or f"{startup.server_root}/{TYPES_FILE}"
    try:
        data = startup.read_file(path)
    except OSError as error:
        message = f"could not open mime types config file {path}."
        LOG.error(startup.main, "AH01597", "%s", message, error=error)
        startup.refuse(f"AH01597: {message}", startup.main.settings.sources(MimeServer, "types_config"))
        return 500
    types = parse_types(data.decode("utf-8", "surrogateescape"))
    for server in (startup.main, *startup.servers):
        server.state[SOURCE] = types
    return OK


@MODULE.hook(phases.type_checker, by_extension=True, in_place=True)
def find_type(r: Request) -> Result:
    """Set what the name of the file says."""
    if r.finfo.kind is DIRECTORY:
        r.content_type = DIRECTORY_TYPE
        return OK
    if r.filename is None:
        return DECLINED
    conf = r.config(MimeDir)
    path = r.filename + r.path_info if conf.use_path_info else r.filename
    base, extensions = cut(path[path.rfind("/") + 1 :])
    meaning = _meaning(r, conf, extensions)
    if meaning.unknown is not None:
        r.state[SOURCE] = (base, *meaning.unknown)
    _apply(r, meaning)
    if not r.content_languages and conf.default_language is not None:
        r.content_languages = [conf.default_language]
    return OK if r.content_type else DECLINED


def _meaning(r: Request, conf: MimeDir, extensions: str) -> Meaning:
    """What these extensions mean here; kept, for most files of a site have one of a few."""
    derived = r.dir_settings.derived
    known: dict[str, Meaning] | None = derived.get(SOURCE)
    if known is None:
        known = derived[SOURCE] = {}
    meaning = known.get(extensions)
    if meaning is None:
        meaning = meaning_of(extensions, conf.extensions, r.server.state.get(SOURCE) or {}, conf.multi_match)
        if len(known) >= MAX_MEANINGS:
            known.clear()
        if len(extensions) <= MAX_EXTENSIONS:
            known[extensions] = meaning
    return meaning


def _apply(r: Request, meaning: Meaning) -> None:
    if meaning.languages:
        r.content_languages = [*r.content_languages, *meaning.languages]
    if meaning.encodings:
        r.content_encodings = [*r.content_encodings, *meaning.encodings]
    if meaning.handler is not None:
        r.handler = meaning.handler
    for name in meaning.input_filters:
        r.add_input_filter(name)
    for name in meaning.output_filters:
        r.add_output_filter(name)
    if meaning.content_type is not None:
        r.content_type = meaning.content_type
        return
    if meaning.type is not None:
        r.content_type = meaning.type
    if r.content_type:
        try:
            r.content_type = normalize(r.content_type, meaning.charset)
        except MediaTypeError as error:
            LOG.warn(r, error.log_id, "%s", error)
