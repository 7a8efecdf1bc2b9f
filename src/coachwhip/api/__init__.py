"""All that a module author imports.

    from coachwhip.api import Args, Directive, Module, Outcome, Request, Where, phases

A module file declares a settings record, a `Module` with its table, and hooks; see `examples/` and any file of `modules/`.
"""

from coachwhip.api import phases
from coachwhip.api.buckets import Brigade, Bucket, Data, End, File, Flush, OpenFile, Stream
from coachwhip.api.core import CoreDir, CoreServer, ErrorDocument, Options
from coachwhip.api.directives import Args, Directive, DirectiveContext, DirectiveError, Join, Location, Repeat, Where
from coachwhip.api.files import DIRECTORY, MISSING, REGULAR, DirEntry, FileKind, Files, FileStat, is_exhausted
from coachwhip.api.filters import FilterType, InputFilter, InputFilterError, OutputFilter, RegisteredFilter
from coachwhip.api.headers import Headers, HeadersIn
from coachwhip.api.log import Level, ModuleLog
from coachwhip.api.module import Hook, Module
from coachwhip.api.outcome import DECLINED, DONE, OK, Outcome, Result
from coachwhip.api.phases import Order
from coachwhip.api.providers import Providers
from coachwhip.api.request import Request
from coachwhip.api.server import Connection, Server, Settings, Startup
from coachwhip.api.settings import append, overlay, prepend, setting

__all__ = [
    "DECLINED",
    "DIRECTORY",
    "DONE",
    "MISSING",
    "OK",
    "REGULAR",
    "Args",
    "Brigade",
    "Bucket",
    "Connection",
    "CoreDir",
    "CoreServer",
    "Data",
    "DirEntry",
    "Directive",
    "DirectiveContext",
    "DirectiveError",
    "End",
    "ErrorDocument",
    "File",
    "FileKind",
    "FileStat",
    "Files",
    "FilterType",
    "Flush",
    "Headers",
    "HeadersIn",
    "Hook",
    "InputFilter",
    "InputFilterError",
    "Join",
    "Level",
    "Location",
    "Module",
    "ModuleLog",
    "OpenFile",
    "Options",
    "Order",
    "Outcome",
    "OutputFilter",
    "Providers",
    "RegisteredFilter",
    "Repeat",
    "Request",
    "Result",
    "Server",
    "Settings",
    "Startup",
    "Stream",
    "Where",
    "append",
    "is_exhausted",
    "overlay",
    "phases",
    "prepend",
    "setting",
]
