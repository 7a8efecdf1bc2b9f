"""Apache's flags: words to a `Flags` record, by the rules of getopt.

Imports nothing heavy: `-v`, `-V` and `-l` are answered with no more than this and `versions.py`. What the flags bring about is in
`httpd.py`. Source: Apache manual, "httpd - Apache Hypertext Transfer Protocol Server"; messages compared with 2.4.71.
"""

from __future__ import annotations

from dataclasses import dataclass, field

__all__ = ["DUMPS", "SIGNALS", "USAGE", "Flags", "FlagsError", "parse_flags"]

#: Flags that take a value, in the next word or in the rest of the same one.
WITH_VALUE = "CDEcdefk"
ALONE = "?LMSTVXhltv"
#: Words of `-k`.
SIGNALS = ("start", "restart", "graceful", "graceful-stop", "stop")
#: `-D` names that ask for a print instead of a start.
DUMPS = ("DUMP_INCLUDES", "DUMP_VHOSTS", "DUMP_RUN_CFG", "DUMP_MODULES")
#: Words of `-e`, in order of severity, and what traces more.
LEVELS = ("emerg", "alert", "crit", "error", "warn", "notice", "info", "debug", *(f"trace{n}" for n in range(1, 9)))

USAGE = """\
usage: httpd [-d FOLDER] [-f FILE] [-D NAME]… [-C LINE]… [-c LINE]…
             [-k start|restart|graceful|graceful-stop|stop]
             [-e LEVEL] [-E FILE] [-t] [-T] [-S] [-M] [-L] [-l] [-v] [-V] [-X] [-h]

which configuration
  -d FOLDER   ServerRoot, until the configuration names another
  -f FILE     the configuration; a relative name is taken from ServerRoot
  -C LINE     read this line before the configuration
  -c LINE     read this line after the configuration
  -D NAME     make <IfDefine NAME> true
  -T          do not ask whether DocumentRoot exists

running
  -k WORD     start, or tell the server that PidFile names to stop, graceful-stop, restart, or
              read its configuration again without dropping a request (graceful)
  -X          one process in the foreground
  -D FOREGROUND, -D NO_DETACH
              stay in the foreground
  -D BIG_SECURITY_HOLE
              let `User root` be: a fault in any module is root's then
  -e LEVEL    show messages of the start from this level on (see LogLevel)
  -E FILE     write the messages of the start to FILE

looking, without serving
  -t          read the configuration and say whether it can be used
  -S          virtual hosts and run settings (-t -D DUMP_VHOSTS -D DUMP_RUN_CFG)
  -M          loaded modules (-t -D DUMP_MODULES)
  -t -D DUMP_INCLUDES, -t -D DUMP_CONFIG
              the files that were read; the configuration that came of them
  -L          the directives of the loaded modules
  -l          the modules that are always there
  -v, -V      version; version and built-in settings
  -h          this page
"""


class FlagsError(Exception):
    """The flags make no sense; the text, if there is one, stands above the usage page."""


@dataclass(slots=True)
class Flags:
    """What was asked for."""

    #: `-d` and `-f` as given.
    server_root: str | None = None
    config_file: str | None = None
    #: `-C`, `-c` and `-D`, in order; `-S` and `-M` add their names to `defines`.
    before: list[str] = field(default_factory=list)
    after: list[str] = field(default_factory=list)
    defines: list[str] = field(default_factory=list)
    #: A word of `SIGNALS`.
    signal: str = "start"
    #: "" to run, or the flag that asks for a page: "h", "v", "V", "l", "L".
    page: str = ""
    #: `-t`, and whether a dump was asked for (`-S`, `-M`, or a name of `DUMPS`).
    tests: bool = False
    #: False under `-T`.
    check_document_root: bool = True
    one_process: bool = False
    #: Severity of `-e`, a word of `LEVELS`.
    level: str = "notice"
    error_file: str | None = None

    @property
    def dumps(self) -> list[str]:
        """The names of `DUMPS` that were asked for, in the order in which they are printed."""
        return [name for name in DUMPS if name in self.defines]

    @property
    def in_foreground(self) -> bool:
        """Whether the server stays where it was started."""
        return self.one_process or not {"FOREGROUND", "NO_DETACH"}.isdisjoint(self.defines)

    def show_level(self, level: str) -> bool:
        """Whether a message of the start is severe enough to be shown."""
        return LEVELS.index(level) <= LEVELS.index(self.level)


def parse_flags(words: list[str]) -> Flags:
    """The record of these words. A page that needs no configuration ends the reading where it stands.

    Raises:
        FlagsError: a flag is unknown, lacks its value or has a wrong one, or something is left over.
    """
    flags = Flags()
    left = list(words)
    while left and left[0] != "--" and left[0].startswith("-") and left[0] != "-":
        letters = left.pop(0)[1:]
        while letters and not _is_final(flags):
            letter, letters = letters[0], letters[1:]
            if letter in WITH_VALUE:
                if not letters and not left:
                    raise FlagsError(f"option requires an argument -- {letter}")
                value, letters = letters or left.pop(0), ""
                _take(flags, letter, value)
            elif letter in ALONE:
                _set(flags, letter)
            else:
                raise FlagsError(f"illegal option -- {letter}")
        if _is_final(flags):
            return flags
    if left and left[0] == "--":
        left.pop(0)
    if left:
        raise FlagsError
    return flags


def _is_final(flags: Flags) -> bool:
    return flags.page in ("h", "v", "l")


def _take(flags: Flags, letter: str, value: str) -> None:
    if letter == "k":
        if value not in SIGNALS:
            raise FlagsError(f"illegal option -- k: {value} is none of {', '.join(SIGNALS)}")
        flags.signal = value
    elif letter == "e":
        if value.lower() not in LEVELS:
            raise FlagsError(f"-e: {value} is none of {', '.join(LEVELS)}")
        flags.level = value.lower()
    elif letter == "d":
        flags.server_root = value
    elif letter == "f":
        flags.config_file = value
    elif letter == "E":
        flags.error_file = value
    else:
        {"C": flags.before, "c": flags.after, "D": flags.defines}[letter].append(value)


def _set(flags: Flags, letter: str) -> None:
    if letter in "hvVlL?":
        flags.page = "h" if letter == "?" else letter
    elif letter == "t":
        flags.tests = True
    elif letter == "T":
        flags.check_document_root = False
    elif letter == "X":
        flags.one_process = True
    else:
        flags.defines += ["DUMP_VHOSTS", "DUMP_RUN_CFG"] if letter == "S" else ["DUMP_MODULES"]
