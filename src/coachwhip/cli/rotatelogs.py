"""`coachwhip rotatelogs`: reads a log from its standard input and writes it to a row of files; Apache's program, flag for flag.

Runs beside the server for every piped log, so it imports next to nothing. What the files are called and when they change is in
`logs/rotation.py`.
"""

from __future__ import annotations

import os
import select
import signal
import sys
import time

from coachwhip.logs.rotation import Rotation, RotationFailed, Rules

__all__ = ["parse", "run"]

USAGE = """\
Usage: rotatelogs [-vlfDtTec] [-L linkname] [-p prog] [-n number] <logfile> \
{<seconds>|<size>(B|K|M|G)} [minutes from UTC]

  <logfile>      name of the files; the start of each is put behind it, or into its place as strftime says where it has a %
  <seconds>      a file for each such period, counted from midnight
  <size>(B|K|M|G)  a new file when one is larger than that; after a period, both count
  -l             periods and names by local time, instead of UTC
  -f             open the first file at once
  -c             a file for each period, even if nothing is written to it
  -D             make folders that are missing
  -t             one file, emptied at the start and for each period
  -T             empty every file but the first when it is opened
  -n number      that many files in turn: <logfile>, <logfile>.1, ...
  -L linkname    a hard link to the file at hand
  -p prog        program to run for each new file: prog <new file> [<file before>]
  -e             copy everything to standard output
  -v             say what is done on standard error

In a configuration: CustomLog "|coachwhip rotatelogs logs/access.%Y-%m-%d 86400" common
"""
READ_SIZE = 64 << 10
_FLAGS = {
    "l": "local", "f": "forced", "D": "folders", "t": "truncate", "T": "truncate_later", "c": "empty", "v": "verbose",
}  # fmt: skip
_UNITS = {"B": 1, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30}
#: Larger numbers of seconds or minutes are a mistake.
_MOST = 2**31 - 1


class BadArguments(Exception):
    """The command line is wrong; the text says where. `usage`: whether the usage helps."""

    def __init__(self, text: str, *, usage: bool = True) -> None:
        super().__init__(text)
        self.usage = usage


def run(arguments: list[str]) -> int:
    """Read standard input to its end; returns the exit status."""
    try:
        rules, is_echoed = parse(arguments)
    except BadArguments as error:
        print(error, file=sys.stderr)
        if error.usage:
            print(USAGE, file=sys.stderr)
        return 1
    # Whoever starts this at a terminal can stop it; programs that it starts for new files are never waited for.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    signal.signal(signal.SIGCHLD, _reap)
    rotation = Rotation(rules, time.time, _say)
    if rules.verbose:
        _say(_described(rules))
    try:
        if rules.forced:
            rotation.open()
        return _copy(rotation, rules, is_echoed)
    except RotationFailed as error:
        _say(str(error))
        return 2


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def _reap(number: int, frame: object) -> None:
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            continue
    except ChildProcessError:
        return


def _copy(rotation: Rotation, rules: Rules, is_echoed: bool) -> int:
    """From standard input to the files until it ends."""
    is_timed = rules.empty and rules.period > 0
    waiting = select.poll()
    waiting.register(0, select.POLLIN)
    while True:
        if is_timed and not waiting.poll(max(0, rotation.seconds_left()) * 1000):
            rotation.turn()
            if rotation.seconds_left() <= 0:
                # The next file could not be opened: until it can, that is tried once a second.
                waiting.poll(1000)
            continue
        data = os.read(0, READ_SIZE)
        if not data:
            return 0
        if is_echoed and not _echo(data):
            _say("Unable to write to stdout")
            return 4
        rotation.write(data)


def _echo(data: bytes) -> bool:
    try:
        while data:
            data = data[os.write(1, data) :]
    except OSError:
        return False
    return True


def _described(rules: Rules) -> str:
    def yes(flag: bool) -> str:
        return "yes" if flag else "no"

    pairs = (
        ("Rotation time interval:", rules.period),
        ("Rotation size interval:", rules.size),
        ("Rotation time UTC offset:", rules.offset),
        ("Rotation based on localtime:", yes(rules.local)),
        ("Rotation file date pattern:", yes(rules.is_pattern)),
        ("Rotation file forced open:", yes(rules.forced)),
        ("Create parent directories:", yes(rules.folders)),
        ("Rotation verbose:", "yes"),
        ("Rotation create empty logs:", yes(rules.empty)),
        ("Rotation file name:", rules.name),
        ("Post-rotation prog:", rules.program or "not used"),
    )
    return "\n".join([f"{label} {value!s:>{40 - len(label)}}" for label, value in pairs])


# -- the command line


def parse(arguments: list[str]) -> tuple[Rules, bool]:
    """The rules, and whether everything is copied to standard output.

    Raises:
        BadArguments: an option is unknown or lacks its argument, or a value is wrong.
    """
    rules = Rules()
    options, words = _split(arguments)
    is_echoed = False
    for letter, value in options:
        if letter == "e":
            is_echoed = True
        elif letter == "L":
            rules.link = value
        elif letter == "p":
            rules.program = value
        elif letter == "n":
            rules.numbers = _number(value)
            if rules.numbers < 1:
                raise BadArguments("Invalid -n argument", usage=False)
        else:
            setattr(rules, _FLAGS[letter], True)
    if not 2 <= len(words) <= 4:
        raise BadArguments("Incorrect number of arguments")
    rules.name = words[0]
    for at, word in enumerate(words[1:], 1):
        # Without a unit, what stands last is the offset, unless it stands alone.
        if 1 < at == len(words) - 1 and not _unit_of(word):
            _read_offset(rules, word)
        else:
            _read_rule(rules, word)
    if rules.numbers and rules.is_pattern:
        raise BadArguments("Cannot use -n with % in filename", usage=False)
    return rules, is_echoed


def _split(arguments: list[str]) -> tuple[list[tuple[str, str]], list[str]]:
    """Options with their values, and the words behind them (getopt's rules: options end at the first word)."""
    options: list[tuple[str, str]] = []
    at = 0
    while at < len(arguments) and arguments[at][:1] == "-" and arguments[at] != "-":
        letters = arguments[at][1:]
        at += 1
        if letters == "-":
            break
        while letters:
            letter, letters = letters[0], letters[1:]
            if letter in _FLAGS or letter == "e":
                options.append((letter, ""))
            elif letter not in "Lpn":
                raise BadArguments(f"rotatelogs: illegal option -- {letter}")
            elif letters:
                options.append((letter, letters))
                letters = ""
            elif at < len(arguments):
                options.append((letter, arguments[at]))
                at += 1
            else:
                raise BadArguments(f"rotatelogs: option requires an argument -- {letter}")
    return options, arguments[at:]


def _unit_of(word: str) -> str:
    return next((unit for unit in _UNITS if unit in word), "")


def _read_rule(rules: Rules, word: str) -> None:
    """A size, which has a unit, or a period."""
    unit = _unit_of(word)
    if unit:
        if rules.size:
            raise BadArguments("Rotation size parameter allowed only once")
        rules.size = _number(word) * _UNITS[unit] if word.find(unit) == len(word) - 1 else 0
        if rules.size <= 0:
            raise BadArguments("Invalid rotation size parameter")
    elif rules.period:
        raise BadArguments("Rotation time parameter allowed only once")
    else:
        rules.period = _number(word)
        if rules.period <= 0:
            raise BadArguments("Invalid rotation time parameter")


def _read_offset(rules: Rules, word: str) -> None:
    if rules.local:
        raise BadArguments("UTC offset parameter is not valid with -l")
    rules.offset = _number(word) * 60


def _number(text: str) -> int:
    """What C's `atoi` makes of it: blanks, a sign, digits; the rest is not looked at. 0 for a number that no clock knows."""
    text = text.lstrip(" \t")
    sign, digits = (-1, text[1:]) if text[:1] == "-" else (1, text[1:] if text[:1] == "+" else text)
    end = 0
    while end < len(digits) and digits[end] in "0123456789":
        end += 1
    value = int(digits[:end]) if 0 < end <= 10 else 0
    return sign * value if value <= _MOST else 0
