"""The functions that give a text: `name(word)` and `%{name:string}`.

Each takes the scope and its argument, both sides one octet per character. The header functions are in `compiler`, since only
it knows whether this expression counts for `Vary`. Source: Apache manual, expr.html, "Functions"; every answer was compared
with 2.4.71, octet by octet where octets matter.
"""

from __future__ import annotations

import hashlib
import re
from binascii import a2b_base64, b2a_base64
from collections.abc import Callable, Mapping

from coachwhip.api.files import FileKind
from coachwhip.expr.errors import EvaluationError
from coachwhip.expr.scope import Scope, unoctets
from coachwhip.util.escapes import escape_path

Function = Callable[[Scope, str], str]

_LOWER = {code: code + 32 for code in range(ord("A"), ord("Z") + 1)}
_UPPER = {lower: upper for upper, lower in _LOWER.items()}
_LDAP = {code: f"\\{code:02x}" for code in (*range(0x20), *b'"()*+,;<>\\', *range(0x7F, 0x100))}
_PERCENT = re.compile(r"%([0-9A-Fa-f]{2})?")
_BASE64 = re.compile(r"[A-Za-z0-9+/]*")


def lower_case(text: str) -> str:
    """ASCII letters in lower case, all other octets as they are."""
    return text.translate(_LOWER)


def upper_case(text: str) -> str:
    """ASCII letters in upper case, all other octets as they are."""
    return text.translate(_UPPER)


def escape(text: str) -> str:
    """Percent-encode what cannot stand in a URL path."""
    return escape_path(text.encode("latin-1")).decode("latin-1")


def unescape(text: str) -> str:
    """Decode percent-encoding but leave `%2F`; "" if an escape is malformed or `%00` is among them."""
    escapes = _PERCENT.findall(text)
    if "" in escapes or "00" in escapes:
        return ""
    return _PERCENT.sub(lambda found: found[0] if found[1] in ("2f", "2F") else chr(int(found[1], 16)), text)


def encode_base64(text: str) -> str:
    """Base64 on one line, with padding."""
    return b2a_base64(text.encode("latin-1"), newline=False).decode("ascii")


def decode_base64(text: str) -> str:
    """Decode as far as the alphabet reaches, padded or not; cut at the first NUL."""
    found = _BASE64.match(text)
    digits = found[0] if found else ""
    if len(digits) % 4 == 1:
        digits = digits[:-1]
    return a2b_base64(digits + "=" * (-len(digits) % 4)).decode("latin-1").partition("\0")[0]


def ldap(text: str) -> str:
    """Escape for distinguished names (RFC 4514) and search filters (RFC 4515) at once."""
    return text.translate(_LDAP)


def md5(text: str) -> str:
    """The MD5 digest in hexadecimal; a fingerprint, not a protection."""
    return hashlib.md5(text.encode("latin-1"), usedforsecurity=False).hexdigest()


def sha1(text: str) -> str:
    """The SHA-1 digest in hexadecimal; a fingerprint, not a protection."""
    return hashlib.sha1(text.encode("latin-1"), usedforsecurity=False).hexdigest()


def environment(scope: Scope, name: str) -> str:
    """The first that exists of note, request variable and process variable."""
    for look in (scope.note, scope.reqenv, scope.osenv):
        if (value := look(name)) is not None:
            return value
    return ""


def read_file(scope: Scope, path: str) -> str:
    """A file's content, up to its first NUL.

    Raises:
        EvaluationError: it cannot be read.
    """
    try:
        content = scope.read_file(unoctets(path))
    except IsADirectoryError as error:
        raise EvaluationError(f"Cannot read from file {path}: it is a directory") from error
    except OSError as error:
        raise EvaluationError(f"Cannot open file {path}: {error.strerror}") from error
    return content.decode("latin-1").partition("\0")[0]


def file_size(scope: Scope, path: str) -> str:
    """Octets in a regular file, "0" for anything else."""
    stat = scope.file_stat(unoctets(path)) if path else None
    return str(stat.size) if stat and stat.kind is FileKind.REGULAR else "0"


def _pure(function: Callable[[str], str]) -> Function:
    return lambda _scope, argument: function(argument)


FUNCTIONS: Mapping[str, Function] = {
    "base64": _pure(encode_base64),
    "env": environment,
    "escape": _pure(escape),
    "file": read_file,
    "filesize": file_size,
    "ldap": _pure(ldap),
    "md5": _pure(md5),
    "note": lambda scope, name: scope.note(name) or "",
    "osenv": lambda scope, name: scope.osenv(name) or "",
    "reqenv": lambda scope, name: scope.reqenv(name) or "",
    "resp": lambda scope, name: scope.header_out(name) or "",
    "sha1": _pure(sha1),
    "tolower": _pure(lower_case),
    "toupper": _pure(upper_case),
    "unbase64": _pure(decode_base64),
    "unescape": _pure(unescape),
}

#: Functions that read a request field, and whether its name then belongs into `Vary`.
HEADER_FUNCTIONS = {"http": True, "req": True, "req_novary": False}

#: What mod_include adds: `v` reads its variables, which its scope gives as `reqenv`.
INCLUDE_FUNCTIONS: Mapping[str, Function] = {"v": FUNCTIONS["reqenv"]}

#: Functions that read files, refused in `.htaccess` and in mod_include's documents.
FILE_FUNCTIONS = frozenset({"file", "filesize"})
