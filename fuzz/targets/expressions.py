"""Expressions (ap_expr): any text is one or is refused with its place; what was read can be evaluated, in the scope of a real request.

Conditions and templates, as the server's files and as `.htaccess` may have them. In `.htaccess` no file function is let through.
"""

from __future__ import annotations

import random
import zlib
from pathlib import Path

from coachwhip.expr import EvaluationError, ExprError, Expression, parse
from coachwhip.util.patterns import PatternLimit
from fuzz.guard import Fence
from fuzz.target import Check, Target, kind_of, require, words
from fuzz.world import World, lay_out, loads

_WORDS = words("expressions")
_ATOMS = ("'a'", "''", "12", "$1", "%{HTTP_HOST}", "'x$0%{REQUEST_URI}'", "req('Host')", "%{tolower:AB}", "%{QUERY_STRING}", "md5('x')")
_UNARY = ("-n", "-z", "-T", "-R", "-f", "-d", "-e", "-s", "-L", "-h", "-x", "-F", "-U", "-A")
_COMPARE = ("==", "!=", "<", ">=", "-eq", "-ge", "=", "eq", "-strmatch", "-strcmatch", "-fnmatch", "-ipmatch")
_PATTERNS = ("/o/", "m#^(.)(.)?#i", "/(?<name>x|y)/", "m!a*b+!", "/(a|b)*c/", "/^$/", "/[[:alpha:]]/")
_HEAD = b"GET /a.txt?a=1&b=two HTTP/1.1\r\nHost: www.example.com\r\nUser-Agent: Agent/1.0\r\nX-Num: 12\r\nX-Latin: \xe9\r\n\r\n"
_CONFIG = "DocumentRoot {root}\n<Directory {root}>\nRequire all granted\n</Directory>\n"


def _parsed(text: str, choice: int) -> Expression | ExprError:
    try:
        return parse(text, string=choice % 3 == 0, restricted=choice % 2 == 0)
    except ExprError as error:
        require(1 <= error.column <= len(text) + 1, "the place of an error is in the text")
        return error


def _prepare(folder: Path) -> Check:
    root = folder.resolve()
    lay_out(root, {"a.txt": b"a\n"})
    world = World(root, loads() + _CONFIG)
    request = world.ask(_HEAD).request
    fence = Fence(root)

    def check(data: bytes) -> str:
        choice = zlib.adler32(data)
        expression = _parsed(data.decode("utf-8", "surrogateescape"), choice)
        if isinstance(expression, ExprError):
            return kind_of(expression.message, root, data, _WORDS)
        fence.opened.clear()
        scope = world.pipeline.expr_scope(request)
        try:
            answer = expression.text(scope) if expression.is_string else expression.test(scope)
        except EvaluationError as error:
            return f"no answer: {kind_of(str(error), root, data, _WORDS)}"
        except PatternLimit:
            return "pattern limit"
        require(isinstance(answer, str if expression.is_string else bool), "an answer of its kind")
        require(choice % 2 != 0 or not fence.opened, "in .htaccess nothing is read")
        return f"{type(answer).__name__} {sorted(expression.variables)[:2]}"

    return check


def _word(chance: random.Random, depth: int) -> str:
    roll = chance.random()
    if depth == 0 or roll < 0.5:
        return chance.choice(_ATOMS)
    if roll < 0.7:
        return f"{_word(chance, depth - 1)} . {_word(chance, depth - 1)}"
    return f"{chance.choice(('tolower', 'base64', 'escape', 'unescape', 'sha1', 'ldap', 'unbase64'))}({_word(chance, depth - 1)})"


def _condition(chance: random.Random, depth: int) -> str:
    roll = chance.random()
    if depth and roll < 0.2:
        return f"({_condition(chance, depth - 1)} {chance.choice(('&&', '||', 'and', 'or'))} {_condition(chance, depth - 1)})"
    if depth and roll < 0.3:
        return f"!({_condition(chance, depth - 1)})"
    if roll < 0.45:
        return f"{chance.choice(_UNARY)} {_word(chance, 1)}"
    if roll < 0.6:
        return f"{_word(chance, 1)} {chance.choice(('=~', '!~'))} {chance.choice(_PATTERNS)}"
    if roll < 0.7:
        return f"{_word(chance, 1)} in {{{', '.join(_word(chance, 1) for _ in range(chance.randrange(1, 4)))}}}"
    return f"{_word(chance, 2)} {chance.choice(_COMPARE)} {_word(chance, 2)}"


def _generate(chance: random.Random) -> bytes:
    return (_condition(chance, 3) if chance.random() < 0.8 else f"a{chance.choice(_ATOMS[4:])}b%{{tolower:X%{{HTTP_HOST}}}}").encode()


EXPRESSIONS = Target("expressions", _WORDS, _generate, _prepare)
