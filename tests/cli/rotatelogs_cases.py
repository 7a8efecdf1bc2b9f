"""Runs of rotatelogs: arguments, what there was before, what was written to it when; and what it left behind, as comparable data.

`recorded/rotatelogs.json` has what Debian's rotatelogs (Apache 2.4.71) did; `record_rotatelogs.py` writes it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

RECORDED = Path(__file__).parent / "recorded" / "rotatelogs.json"
#: When every run begins: 2026-03-01 10:00:30 UTC, half a minute into its hour.
START = 1772359230
#: The zone of every run: five hours behind UTC.
ZONE = "EST5"


@dataclass(frozen=True)
class Run:
    """One run. The input is (seconds since the start, text)."""

    name: str
    arguments: str
    input: tuple[tuple[int, str], ...] = ((0, "one\ntwo\n"),)
    #: Files (name → content) and folders (name with a slash at its end) that are there already.
    before: dict[str, str] = field(default_factory=dict)


def _arguments(*lines: str) -> list[Run]:
    """Argument lists that are looked at without any input."""
    return [Run(f"arguments {line}", f"-v {line}", ()) for line in lines]


THREE = ((0, "one\ntwo\n"), (5, "three\nfour\n"), (10, "five\nsix\n"))
HOURS = ((0, "one\n"), (60, "two\n"), (3600, "three\n"), (7200, "four\n"))

RUNS: list[Run] = [
    *_arguments(
        "a", "", "a 5 6 7 8", "-x a 5", "-- a 5", "-n", "-n 0 a 5", "-n -1 a 5", "-n x a 5", "-n 2x a 5M", "-n 3 a 5M", "a -n 3 5",
        "-L", "-L cur a 5", "-p", "-p /bin/true a 5", "-p /none/of/these a 5", "a 0", "a -5", "a abc", "a 5X", "a 5b", "a 5",
        "a 86400", "a 99999999999", "a 2147483648", "a 5M", "a 5B", "a 7K", "a 1G", "a M", "a 0M", "a 5MB", "a 5MM", "a 5Bx", "a 3B2",
        "a 1.5M", "a 5M 10", "a 5M 10 20", "a 5 10", "a 5 x", "a 5 10M", "a 5 10M 7", "a 5 7 10M", "a 5 10 20", "a 5 10M 20M",
        "a 5M 6M", "a 5M -300", "a 86400 +30", "a 86400 30x", "-l a 5", "-l a 5 10", "-l a 5M 10", "-l a 5 10M", "-D a 5", "-f a.%Y 5",
        "-t a 5", "-T a 5", "-e a 5", "-c a 5", "-vlfDtTec a 5",
    ),
    Run("time: the name has the start of the period", "a 3600", HOURS),
    Run("time: what happens is told", "-v a 3600", HOURS),
    Run("time: with an offset", "-v a 86400 -300", ((0, "one\n"), (14 * 3600, "two\n"), (19 * 3600, "three\n"))),
    Run("time: with an offset of half an hour", "a 3600 +30", HOURS),
    Run("time: local", "-l a 86400", ((0, "one\n"), (14 * 3600, "two\n"), (19 * 3600, "three\n"))),
    Run("time: local, name by strftime", "-l a.%Y%m%d%H%M%S%Z 86400", ((0, "one\n"), (14 * 3600, "two\n"), (19 * 3600, "three\n"))),
    Run("time: name by strftime", "a.%Y%m%d%H%M%S%% 3600", HOURS),
    Run("time: name by strftime with an offset", "a.%Y%m%d%H%M 3600 90", HOURS),
    Run("time: name that comes again", "a.%M 3600", HOURS),
    Run("time: name that comes again, truncated", "-T a.%M 3600", HOURS, {"a.00": "old\n"}),
    Run("time: a file that is there is appended to", "a 3600", HOURS, {f"a.{START - 30}": "old\n"}),
    Run("time: truncated", "-t a 3600", HOURS, {"a": "old\n"}),
    Run("time: truncated, told", "-vt a 3600", HOURS),
    Run("time: later ones truncated", "-T a 3600", HOURS, {f"a.{START - 30}": "old\n", f"a.{START + 3570}": "old\n"}),
    Run("time: later ones truncated, name without a pattern", "-T -t a 3600", HOURS, {"a": "old\n"}),
    Run("time: numbered", "-v -n 3 a 3600", HOURS, {"a": "old\n", "a.1": "old\n"}),
    Run("time: numbered, truncated", "-t -n 2 a 3600", HOURS, {"a": "old\n", "a.1": "old\n"}),
    Run("time: numbered, one only", "-n 1 a 3600", HOURS, {"a": "old\n"}),
    Run("time: numbered by strftime", "-n 2 a.%Y 3600", HOURS),
    Run("size", "a 8B", THREE),
    Run("size: told", "-v a 8B", THREE),
    Run("size: below", "-v a 9B", THREE),
    Run("size: of a file that is there", "-v a.%Y 8B", THREE, {"a.2026": "older than\n"}),
    Run("size: name that does not change", "a.%Y 8B", THREE),
    Run("size: truncated", "-t a 8B", THREE, {"a": "old\n"}),
    Run("size: numbered", "-v -n 2 a 7B", THREE, {"a": "old\n", "a.1": "old\n"}),
    Run("size: numbered, first is full", "-n 3 a 7B", THREE, {"a": "much too old\n"}),
    Run("size: numbered, two are full", "-v -n 3 a 7B", THREE, {"a": "much too old\n", "a.1": "much too old\n"}),
    Run("size: numbered, second is full", "-v -n 3 a 7B", THREE, {"a": "x\n", "a.1": "much too old\n"}),
    Run("size: numbered, one only, and full", "-v -n 1 a 7B", THREE, {"a": "much too old\n"}),
    Run("size: numbered, forced, first is full", "-v -f -n 3 a 7B", THREE, {"a": "much too old\n"}),
    Run("size and time: numbered, first is full", "-v -n 3 a 3600 7B", HOURS, {"a": "much too old\n"}),
    Run("size: local", "-l a 7B", THREE),
    Run("size: local, by strftime", "-l a.%H%M%S 7B", THREE),
    Run("size: with an offset", "a.%H%M%S 7B 60", THREE),
    Run("size and time", "-v a 3600 6B", HOURS),
    Run("size and time, local", "-v -l a 3600 6B", HOURS),
    Run("forced: opened at once", "-f a 3600", ()),
    Run("forced: told", "-vf a 3600", ((3600, "one\n"),)),
    Run("not forced: nothing comes of nothing", "a 3600", ()),
    Run("echo", "-e a 3600", HOURS),
    Run("link", "-L cur a 3600", HOURS),
    Run("link: told", "-v -L cur a 3600", HOURS),
    Run("link: over a file that is there", "-L cur a 3600", before={"cur": "old\n"}),
    Run("link: to where no folder is", "-v -L no/cur a 3600"),
    Run("program", "-p /bin/echo a 3600", HOURS[:2]),
    Run("program: told, with the file before", "-v -p /bin/echo a 3600", HOURS[:3]),
    Run("program: numbered", "-p /bin/echo -n 2 a 3600", HOURS[:3]),
    Run("program: that is not there", "-p /bin/none a 3600", HOURS[:1]),
    Run("program: is a path", "-p echo a 3600", HOURS[:1]),
    Run("folders", "-D x/y/a.%Y 3600"),
    Run("folders: told", "-vD x/%Y/%H/a 3600", HOURS),
    Run("folders: not asked for", "x/a 3600"),
    Run("folders: not asked for, later", "%H/a 3600", HOURS, {"10/": ""}),
    Run("a folder in the place of the file", "a.%Y 3600", before={"a.2026/": ""}),
    Run("a folder in the place of the next file", "a.%H 3600", HOURS, {"a.11/": ""}),
    Run("a folder in the place of the next file, told", "-v a.%H 3600", HOURS[:3], {"a.11/": ""}),
    Run("empty: a file for each period", "-c a 1", ((0, ""), (1, ""), (2, "two\n"))),
    Run("empty: told", "-vc a 1", ((0, ""), (1, ""))),
    Run("empty: not by size alone", "-c a 5M", ()),
]  # fmt: skip


def lay_out(run: Run, folder: Path) -> None:
    """Make what is there before."""
    for name, text in run.before.items():
        if name.endswith("/"):
            (folder / name).mkdir(parents=True)
        else:
            (folder / name).write_text(text)


def left_in(folder: Path) -> dict[str, str]:
    """Files with their content; of several names of one file the later ones say which it is."""
    found: dict[str, str] = {}
    seen: dict[int, str] = {}
    for path in sorted(folder.rglob("*")):
        name = str(path.relative_to(folder))
        if path.is_dir():
            found[name + "/"] = ""
            continue
        number = path.stat().st_ino
        found[name] = f"(the same as {seen[number]})" if number in seen else path.read_text()
        seen[number] = name
    return found


def without_usage(text: str) -> str:
    """What was said before the usage, whose wording is each program's own."""
    return text.partition("Usage:")[0]
