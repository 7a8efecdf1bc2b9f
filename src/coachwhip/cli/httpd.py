"""`coachwhip httpd`: Apache's command line. (First form: serves in the foreground.)"""

from __future__ import annotations

import os
import sys

from coachwhip.config import ConfigError, LoadOptions
from coachwhip.server import StartRefused

__all__ = ["run"]


def run(arguments: list[str]) -> int:
    """Parse the flags and act."""
    root, file = "/usr/local/apache2", "conf/httpd.conf"
    before: list[str] = []
    after: list[str] = []
    defines: list[str] = []
    alone = False
    words = list(arguments)
    while words:
        word = words.pop(0)
        flag, value = word[:2], word[2:]
        if flag in ("-d", "-f", "-C", "-c", "-D", "-k", "-E", "-e") and not value:
            value = words.pop(0)
        if flag == "-d":
            root = os.path.abspath(value)
        elif flag == "-f":
            file = value
        elif flag == "-C":
            before.append(value)
        elif flag == "-c":
            after.append(value)
        elif flag == "-D":
            defines.append(value)
        elif flag == "-X":
            alone = True
    options = LoadOptions(root, file, defines=defines, before=before, after=after)
    from coachwhip.launch import launch

    try:
        return launch(options, alone=alone)
    except (ConfigError, StartRefused, OSError) as error:
        print(error, file=sys.stderr)
        return 1
