"""mod_hello -- greets whoever asks, in the words of the configuration.

    LoadModule hello_module python:hello
    <Location "/hello">
        SetHandler hello
        HelloGreeting "Good day"
    </Location>

The shape is that of every module: what it says per directory, its table, its behaviour.
"""

from __future__ import annotations

from dataclasses import dataclass

from coachwhip.api import Args, Data, Directive, DirectiveContext, DirectiveError, End, Module, Outcome, Request, Result, Where, phases
from coachwhip.util.escapes import escape_html


@dataclass(frozen=True, slots=True)
class HelloDir:
    """What this directory says, after all enclosing sections were folded together."""

    greeting: str = "Hello"
    shout: bool = False


def _greeting(context: DirectiveContext, word: str) -> str:
    """A greeting has at least one letter; a mistake is reported with file and line."""
    if not any(letter.isalpha() for letter in word):
        raise DirectiveError(f"'{word}' does not greet anybody")
    return word


MODULE = Module(
    "hello_module",
    "mod_hello.c",
    dir_config=HelloDir,
    replayable=True,
    directives=(
        Directive("HelloGreeting", sets="greeting", value=_greeting, args=Args.ONE, where=Where.FILEINFO, help="the word to greet with"),
        Directive("HelloShout", sets="shout", args=Args.FLAG, where=Where.FILEINFO, help="whether to greet in capitals"),
    ),
)
LOG = MODULE.log


@MODULE.hook(phases.fixups)
def remember_whom(r: Request) -> Result:
    """Find the name in the query, before the handler runs; nothing of it reaches the page unescaped."""
    if r.handler == "hello":
        name = (r.args or "").removeprefix("name=") or "world"
        r.notes["hello-name"] = name[:80]
    return Outcome.DECLINED


@MODULE.hook(phases.handler, handlers=("hello",))
def greet(r: Request) -> Result:
    """The handler `hello`."""
    r.allowed.add("GET")
    if r.method not in ("GET", "HEAD"):
        return 405
    conf = r.config(HelloDir)
    text = f"{conf.greeting}, {r.notes['hello-name']}!"
    if conf.shout:
        text = text.upper()
    LOG.info(r, "", "greeted %s", r.notes["hello-name"])
    r.set_content_type("text/html; charset=iso-8859-1")
    r.send(Data(f"<p>{escape_html(text)}</p>\n".encode("latin-1", "replace")), End())
    return Outcome.OK
