"""Case files: one readable text file per behaviour, with the configuration, the files, the requests and the answers.

This file knows the format alone (text → `Case` → text); `play.py` runs a case, `match.py` compares. The format:

    # Title, one line
    # More words, if it needs them.

    == config
    Alias /x/ "{root}/htdocs/"

    == files
    htdocs/a.txt = "hello\\n" mode=0600 mtime=2024-01-02T03:04:05Z
    htdocs/big.txt = 5000 * "0123456789"
    htdocs/empty/
    htdocs/link -> a.txt

    == file htdocs/.htaccess
    Options +Indexes

    == request
    GET /x/a.txt HTTP/1.1
    Host: localhost

    == expect
    HTTP/1.1 200 OK
    Date: {date}

    hello

`== modules` names the modules to load (otherwise a default set; `+name`/`-name` change that set), `== base none` says
that the configuration is complete, `== refused` that the server must not start, `== log NAME` what a log holds in the
end. Escapes in request and body text: `\\r \\n \\t \\\\ \\xHH`, and `\\` at the end of a line for "no line end here".
"""

from __future__ import annotations

import calendar
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass, field

from coachwhip.testing.site import DEFAULT_MTIME, MODULES, Content, FileSpec, Link

_SECTION = re.compile(r"== ([a-z]+)(?: (.*))?")
_ESCAPE = re.compile(rb"\\(?:x([0-9A-Fa-f]{2})|(.))", re.DOTALL)
_SIMPLE = {b"r": b"\r", b"n": b"\n", b"t": b"\t", b"\\": b"\\", b'"': b'"', b"0": b"\0"}
_FILE_LINE = re.compile(r'(\S+) = (?:([0-9]+) \* )?"((?:[^"\\]|\\.)*)"((?: [a-z]+=\S+)*)')
_OPTION = re.compile(r"([a-z-]+)(?:=(\S+))?")
_MTIME_FORMAT = "%Y-%m-%dT%H:%M:%SZ"


class CaseError(ValueError):
    """A case file that cannot be read; the message names the line."""


@dataclass(slots=True)
class Exchange:
    """One request and the expected responses (interim ones too), as text with placeholders.

    `options` come from the section line: `responses=N` (default 1), `split=N` (bytes per write), `keep` (go on with the
    connection of the request before), `finish` (half-close after sending), `raw` (no blank
    line is added at the end).
    """

    request: str
    options: dict[str, str] = field(default_factory=dict)
    expects: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Case:
    """One case file. `refused` is text when the configuration must be refused, `logs` maps log names to text."""

    title: str
    notes: list[str] = field(default_factory=list)
    config: str = ""
    base: bool = True
    modules: tuple[str, ...] = MODULES
    modules_text: str | None = None
    files: dict[str, Content] = field(default_factory=dict)
    exchanges: list[Exchange] = field(default_factory=list)
    refused: str | None = None
    logs: dict[str, str] = field(default_factory=dict)


def unescape(text: str) -> bytes:
    """Turn case-file text into bytes; raises CaseError for an unknown escape."""

    def replace(found: re.Match[bytes]) -> bytes:
        if found[1] is not None:
            return bytes([int(found[1], 16)])
        if found[2] not in _SIMPLE:
            raise CaseError(f"unknown escape {found[0]!r}")
        return _SIMPLE[found[2]]

    return _ESCAPE.sub(replace, text.encode("utf-8", "surrogateescape"))


def escape(data: bytes) -> str:
    """Write bytes as case-file text; the reverse of `unescape` up to line ends."""
    try:
        return "".join(map(_escaped, data.decode("utf-8")))
    except UnicodeDecodeError:
        return "".join(_escaped(chr(byte)) if byte < 0x80 else f"\\x{byte:02x}" for byte in data)


def _escaped(character: str) -> str:
    if character.isprintable() or character == "\n":
        return "\\\\" if character == "\\" else character
    known = {"\r": "\\r", "\t": "\\t"}
    return known.get(character) or "".join(f"\\x{byte:02x}" for byte in character.encode())


def joined_lines(text: str, ending: str) -> str:
    """Give every line `ending`, except those that end in a single backslash, which is dropped."""
    lines = text.split("\n")
    out = []
    for line in lines:
        slashes = len(line) - len(line.rstrip("\\"))
        out.append(line[:-1] if slashes % 2 else line + ending)
    return "".join(out)


def parse(text: str) -> Case:
    """Read a case file; raises CaseError."""
    lines = text.split("\n")
    intro = [line[1:].removeprefix(" ") for line in _before_sections(lines)]
    if not intro:
        raise CaseError("line 1: expected '# Title'")
    case = Case(intro[0], notes=intro[1:])
    for number, name, argument, body in _sections(lines):
        try:
            _read_section(case, name, argument, body)
        except CaseError as error:
            raise CaseError(f"line {number}: {error}") from None
    return case


def _before_sections(lines: list[str]) -> Iterator[str]:
    for line in lines:
        if not line.startswith("#"):
            return
        yield line


def _sections(lines: list[str]) -> Iterator[tuple[int, str, str, str]]:
    """Yield line number, name, argument and body; the blank line before the next section belongs to neither."""
    starts = [number for number, line in enumerate(lines) if line.startswith("== ")]
    for start, end in zip(starts, [*starts[1:], len(lines)], strict=True):
        matched = _SECTION.fullmatch(lines[start])
        if matched is None:
            raise CaseError(f"line {start + 1}: expected '== name'")
        body = lines[start + 1 : end]
        if body and body[-1] == "":
            body.pop()
        yield start + 1, matched[1], matched[2] or "", "\n".join(body)


def _read_section(case: Case, name: str, argument: str, body: str) -> None:
    read = _SECTIONS.get(name)
    if read is None:
        raise CaseError(f"unknown section {name!r}; expected one of {', '.join(_SECTIONS)}")
    read(case, argument, body)


def _read_config(case: Case, argument: str, body: str) -> None:
    case.config = body + "\n"


def _read_base(case: Case, argument: str, body: str) -> None:
    if argument != "none":
        raise CaseError("expected '== base none'")
    case.base = False


def _read_modules(case: Case, argument: str, body: str) -> None:
    words = (argument + " " + body).split()
    case.modules_text = " ".join(words)
    if not any(word[0] in "+-" for word in words):
        case.modules = tuple(words)
        return
    dropped = {word[1:] for word in words if word[0] == "-"}
    added = tuple(word[1:] for word in words if word[0] == "+")
    case.modules = tuple(name for name in MODULES if name not in dropped) + added


def _read_files(case: Case, argument: str, body: str) -> None:
    for line in filter(None, body.split("\n")):
        path, content = _file_line(line)
        case.files[path] = content


def _file_line(line: str) -> tuple[str, Content]:
    path, arrow, target = line.partition(" -> ")
    if arrow:
        return path, Link(target)
    if line.endswith("/"):
        return line.rstrip("/"), None
    matched = _FILE_LINE.fullmatch(line)
    if matched is None:
        raise CaseError(f"not a file, folder or link: {line!r}")
    return _path(matched[1]), _spec(unescape(matched[3]) * int(matched[2] or 1), matched[4])


def _path(text: str) -> str:
    return unescape(text).decode("utf-8", "surrogateescape")


def _spec(data: bytes, options: str) -> FileSpec:
    mode, mtime = 0o644, DEFAULT_MTIME
    for option in options.split():
        key, _, value = option.partition("=")
        if key == "mode":
            mode = int(value, 8)
        elif key == "mtime":
            mtime = calendar.timegm(time.strptime(value, _MTIME_FORMAT))
        else:
            raise CaseError(f"unknown file option {key!r}")
    return FileSpec(data, mode, mtime)


def _read_file(case: Case, argument: str, body: str) -> None:
    path, _, options = argument.partition(" ")
    if options:
        case.files[path] = _spec((body + "\n").encode(), options)
    else:
        case.files[path] = body + "\n"


def _read_request(case: Case, argument: str, body: str) -> None:
    options = {}
    for word in argument.split():
        matched = _OPTION.fullmatch(word)
        if matched is None:
            raise CaseError(f"unknown request option {word!r}")
        options[matched[1]] = matched[2] or ""
    case.exchanges.append(Exchange(body, options))


def _read_expect(case: Case, argument: str, body: str) -> None:
    if not case.exchanges:
        raise CaseError("an '== expect' needs an '== request' before it")
    case.exchanges[-1].expects.append(body)


def _read_refused(case: Case, argument: str, body: str) -> None:
    case.refused = body


def _read_log(case: Case, argument: str, body: str) -> None:
    case.logs[argument] = body


_SECTIONS = {
    "config": _read_config,
    "base": _read_base,
    "modules": _read_modules,
    "files": _read_files,
    "file": _read_file,
    "request": _read_request,
    "expect": _read_expect,
    "refused": _read_refused,
    "log": _read_log,
}


def with_results(text: str, expects: list[list[str]], refused: str | None, logs: dict[str, str]) -> str:
    """Return the case file `text` with its expectations, refusal and logs replaced; all else stays as written."""
    lines = text.split("\n")
    out = lines[: next((n for n, line in enumerate(lines) if line.startswith("== ")), len(lines))]
    pending = iter(expects)
    for _, name, argument, body in _sections(lines):
        if name == "expect":
            continue
        if name == "refused":
            body = refused or ""
        if name == "log":
            body = logs.get(argument, "")
        out += [f"== {name} {argument}".rstrip(), *([body] if body else []), ""]
        if name == "request":
            for expect in next(pending):
                out += ["== expect", expect, ""]
    return "\n".join(out)
