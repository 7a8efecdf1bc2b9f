"""The command `coachwhip`: finds the subcommand and hands over. Nothing heavy is imported before it is known what was asked."""

from __future__ import annotations

import os
import sys
from importlib import import_module

__all__ = ["httpd_main", "main"]

#: What a shell makes of a program that Ctrl-C ended, and of one whose reader went away (`coachwhip httpd -L | head`).
INTERRUPTED = 130
UNREAD = 141
#: Subcommand → (module with a function `run(arguments) -> exit status`, what it does).
COMMANDS = {
    "serve": ("coachwhip.cli.serve", "serve a folder"),
    "httpd": ("coachwhip.cli.httpd", "Apache's own command line, flag for flag"),
    "ctl": ("coachwhip.cli.ctl", "start, stop, reload and look at a server: apachectl's verbs"),
    "rotatelogs": ("coachwhip.cli.rotatelogs", "write a log that is piped to it into a row of files: Apache's rotatelogs"),
    "explain": ("coachwhip.cli.explain", "show which lines of the configuration decided an answer"),
    "bench": ("coachwhip.cli.bench", "load this and other servers, with tables and plots"),
}


def main(arguments: list[str] | None = None) -> int:
    """Run a subcommand; returns the exit status."""
    words = sys.argv[1:] if arguments is None else arguments
    if not words or words[0] in ("-h", "--help", "help"):
        print(_usage())
        return 0 if words else 2
    if words[0] in ("-V", "--version", "version"):
        from coachwhip import __version__

        print(f"coachwhip {__version__}")
        return 0
    found = COMMANDS.get(words[0])
    if found is None:
        print(f"coachwhip: there is no command '{words[0]}'\n\n{_usage()}", file=sys.stderr)
        return 2
    try:
        status: int = import_module(found[0]).run(words[1:])
        sys.stdout.flush()
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        # The interpreter flushes once more when it ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        return UNREAD
    return status


def httpd_main() -> int:
    """The command `coachwhip-httpd`, for programs that expect an httpd binary."""
    return main(["httpd", *sys.argv[1:]])


def _usage() -> str:
    lines = ["usage: coachwhip COMMAND …", ""]
    lines += [f"  {name:<12}{text}" for name, (_, text) in COMMANDS.items()]
    return "\n".join(lines)
