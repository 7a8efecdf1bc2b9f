"""`coachwhip ctl`: apachectl's verbs. Whatever stands behind the verb goes to `coachwhip httpd`; a flag in its place does too.

`status` and `fullstatus` ask the running server for its status page. Source: Apache manual, "apachectl - Apache HTTP Server Control
Interface".
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from coachwhip.cli.flags import Flags

__all__ = ["run"]

#: Verb → the flags that it stands for.
VERBS = {
    "start": ["-k", "start"],
    "stop": ["-k", "stop"],
    "restart": ["-k", "restart"],
    "graceful": ["-k", "graceful"],
    "graceful-stop": ["-k", "graceful-stop"],
    "configtest": ["-t"],
}

USAGE = """\
usage: coachwhip ctl VERB [FLAG]…

  start           start the server
  stop            stop it at once
  restart         stop its workers at once and start new ones
  graceful        read the configuration again; requests under way are finished
  graceful-stop   stop once the requests under way are finished
  configtest      read the configuration and say whether it can be used
  status          a short status of the running server (mod_status)
  fullstatus      its whole status page as text

Flags are those of `coachwhip httpd`. STATUSURL in the environment names another page for the last two.
"""


def run(arguments: list[str]) -> int:
    """Do what the verb says; returns the exit status."""
    if not arguments or arguments[0] in ("help", "--help"):
        print(USAGE, end="", file=sys.stdout if arguments else sys.stderr)
        return 0 if arguments else 1
    verb, flags = arguments[0], arguments[1:]
    if verb in ("status", "fullstatus"):
        return _status(flags, in_full=verb == "fullstatus")
    from coachwhip.cli.httpd import run as httpd

    if verb in VERBS:
        return httpd([*flags, *VERBS[verb]])
    if verb.startswith("-"):
        return httpd(arguments)
    print(f"coachwhip ctl: there is no verb '{verb}'\n\n{USAGE}", end="", file=sys.stderr)
    return 1


def _status(words: list[str], *, in_full: bool) -> int:
    from coachwhip.cli.flags import FlagsError, parse_flags
    from coachwhip.cli.statuspage import StatusUnknown, show_status

    try:
        flags: Flags = parse_flags(words)
        print(show_status(flags, in_full=in_full))
    except FlagsError as error:
        print(f"coachwhip ctl: {str(error) or 'only flags may stand behind the verb'}\n\n{USAGE}", end="", file=sys.stderr)
        return 1
    except StatusUnknown as error:
        print(f"coachwhip ctl: {error}", file=sys.stderr)
        return 1
    return 0
