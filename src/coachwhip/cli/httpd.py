"""`coachwhip httpd`: Apache's command line, flag for flag; what each flag brings about.

`-v`, `-V`, `-l` and `-h` are answered before anything else is imported (`flags.py`, `versions.py`); all others read the
configuration (`operate.py`). Source: Apache manual, "httpd - Apache Hypertext Transfer Protocol Server".
"""

from __future__ import annotations

import sys

from coachwhip.cli.flags import USAGE, Flags, FlagsError, parse_flags

__all__ = ["run"]


def run(arguments: list[str]) -> int:
    """Do what the flags ask for; returns the exit status."""
    if arguments == ["--help"]:
        print(USAGE, end="")
        return 0
    try:
        flags = parse_flags(arguments)
    except FlagsError as error:
        return _show_usage(str(error))
    if flags.page == "h":
        return _show_usage("")
    return _show_page(flags) if flags.page in ("v", "V", "l") else _operate(flags)


def _show_usage(complaint: str) -> int:
    if complaint:
        print(f"httpd: {complaint}", file=sys.stderr)
    print(USAGE, end="", file=sys.stderr)
    return 1


def _show_page(flags: Flags) -> int:
    from coachwhip.cli import versions

    page = {"v": versions.server_version, "V": versions.settings, "l": versions.compiled_in}[flags.page]
    print(page(), end="")
    return 0


def _operate(flags: Flags) -> int:
    from coachwhip.cli.operate import operate

    return operate(flags)
