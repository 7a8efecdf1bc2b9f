"""The house rules that can be read off the source: imports go down only, modules look through recorded windows only."""

import ast
import importlib
import inspect
from pathlib import Path

import pytest

SOURCE = Path(__file__).resolve().parents[2] / "src" / "coachwhip"

#: Room → the rooms it may import, itself aside. Top to bottom.
ROOMS = {
    "cli": {
        "bench", "checks", "launch", "server", "mpm", "connection", "request", "config", "hooks", "filters", "logs", "expr", "api",
        "protocol", "util", "sites", "modules", "build",
    },
    "build": set(),
    "checks": {"server", "mpm", "config", "api", "util"},
    "launch": {"checks", "server", "mpm", "request", "config", "logs", "api", "util"},
    "server": {"request", "config", "hooks", "filters", "logs", "expr", "api", "protocol", "util", "modules"},
    "mpm": {"connection", "request", "config", "hooks", "logs", "api", "protocol", "util"},
    "connection": {"request", "hooks", "filters", "logs", "api", "protocol", "util"},
    "request": {"config", "hooks", "filters", "logs", "expr", "api", "protocol", "util"},
    "config": {"expr", "api", "protocol", "util", "modules"},
    "hooks": {"expr", "api", "protocol", "util"},
    "filters": {"expr", "api", "protocol", "util"},
    "logs": {"expr", "api", "protocol", "util"},
    "expr": {"api", "protocol", "util"},
    "api": {"protocol", "util"},
    "protocol": {"util"},
    "util": set(),
    "modules": {"api", "expr", "protocol", "util", "build"},
    "sites": set(),
    "bench": {"util"},
}

#: What modules may import of Python's own library: nothing with which a hook could look past the record, or import something else.
ALLOWED_IN_MODULES = {
    "__future__", "base64", "collections", "collections.abc", "dataclasses", "enum", "errno", "functools", "hashlib", "hmac", "itertools",
    "re", "struct", "typing", "urllib.parse", "zlib",
}  # fmt: skip
#: Names and attributes that lead to all the rest.
FORBIDDEN_NAMES = {
    "open", "exec", "eval", "compile", "input", "breakpoint", "globals", "locals", "vars", "__import__", "__builtins__", "__loader__",
    "__spec__", "__globals__", "__subclasses__", "__dict__", "__code__",
}  # fmt: skip
#: What the rooms that modules may import do with the world themselves; each is no input of an answer, or says itself that it is one.
WORLDLY = {
    "os", "time", "random", "secrets", "socket", "pathlib", "subprocess", "io", "shutil", "glob", "tempfile", "datetime", "ctypes", "sys",
    "threading", "asyncio", "select", "mmap", "fcntl", "pwd", "grp", "importlib", "uuid", "signal", "multiprocessing",
}  # fmt: skip
WINDOWS = {
    "api/datagrams.py": "sockets of watchdogs, which no request waits for",
    "api/server.py": "paths of a configuration while it is read",
    "api/storage.py": "what watchdogs keep; its only handler is volatile",
    "api/watchdog.py": "work beside requests",
    "build.py": "what was installed, the same while the process lives",
    "util/cores.py": "the same while the process lives",
    "util/dates.py": "the calendar, of a moment that is given",
    "util/memory.py": "for live counters, which are volatile",
    "util/passwords.py": "crypt(3), a function of its arguments",
    "util/strftime.py": "the calendar, of a moment that is given",
}


def files(folder: Path) -> list[Path]:
    return sorted(folder.rglob("*.py"))


def room_of(path: Path) -> str:
    first = path.relative_to(SOURCE).parts[0]
    return first.removesuffix(".py")


def imported(path: Path) -> list[tuple[int, str]]:
    """(line, dotted name) of everything that a file imports, wherever the import stands."""
    found = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found += [(node.lineno, alias.name) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}:{node.lineno}: relative import"
            found += [(node.lineno, f"{node.module}.{alias.name}") for alias in node.names]
    return found


@pytest.mark.parametrize("room", sorted(ROOMS))
def test_imports_go_down_only(room):
    wrong = []
    for path in files(SOURCE):
        if room_of(path) != room:
            continue
        for line, name in imported(path):
            parts = name.split(".")
            if parts[0] != "coachwhip" or len(parts) < 2 or parts[1].startswith("_") or parts[1].isupper():
                continue
            if parts[1] not in ROOMS[room] | {room}:
                wrong.append(f"{path.relative_to(SOURCE)}:{line} imports {name}")
    assert not wrong, "\n".join(wrong)


def test_every_room_is_in_the_table():
    rooms = {room_of(path) for path in files(SOURCE)}
    assert rooms - set(ROOMS) <= {"__init__", "__main__", "testing"}


def test_nothing_imports_the_testing_room():
    wrong = [
        f"{path.relative_to(SOURCE)}:{line}"
        for path in files(SOURCE)
        if room_of(path) != "testing"
        for line, name in imported(path)
        if name.startswith("coachwhip.testing")
    ]
    assert not wrong


def test_modules_do_not_import_each_other():
    wrong = []
    for path in files(SOURCE / "modules"):
        shelf = path.relative_to(SOURCE / "modules").parts
        for line, name in imported(path):
            parts = name.split(".")
            if parts[:2] == ["coachwhip", "modules"] and len(parts) > 3 and parts[2] != shelf[0]:
                wrong.append(f"modules/{'/'.join(shelf)}:{line} imports {name}")
    assert not wrong, "\n".join(wrong)


def looks_past_the_record(source: str) -> list[str]:
    """Where a module's source could look at something that is not recorded: line, and what it looks with."""
    tree = ast.parse(source)
    houses, wrong = {}, []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names = [(alias.name, None, alias.asname or alias.name) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names = [(node.module, alias.name, alias.asname or alias.name) for alias in node.names]
        else:
            continue
        for module, name, here in names:
            if module.partition(".")[0] != "coachwhip":
                if module not in ALLOWED_IN_MODULES:
                    wrong.append(f"{node.lineno}: imports {module}")
                continue
            found = importlib.import_module(module)
            if name is not None and not hasattr(found, name):
                found = importlib.import_module(f"{module}.{name}")
            elif name is not None:
                found = getattr(found, name)
            if inspect.ismodule(found):
                houses[here] = found
            if _is_foreign(found):
                wrong.append(f"{node.lineno}: imports {name} from {module}")
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load) and node.id in FORBIDDEN_NAMES:
            wrong.append(f"{node.lineno}: names {node.id}")
        elif isinstance(node, ast.Attribute):
            of = houses.get(ast.unparse(node.value))
            if node.attr in FORBIDDEN_NAMES - {"compile", "open"} or (of is not None and _is_foreign(getattr(of, node.attr, None))):
                wrong.append(f"{node.lineno}: names {ast.unparse(node)}")
    return wrong


def _is_foreign(found: object) -> bool:
    return inspect.ismodule(found) and found.__name__.partition(".")[0] != "coachwhip" and found.__name__ not in ALLOWED_IN_MODULES


def test_modules_look_through_recorded_windows_only():
    wrong = []
    for path in files(SOURCE / "modules"):
        wrong += [f"{path.relative_to(SOURCE)}:{line}" for line in looks_past_the_record(path.read_text(encoding="utf-8"))]
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("source", [
    "import os", "import os.path", "from os import stat", "from time import time", "import secrets", "from datetime import datetime",
    "import builtins\nbuiltins.open('/x')", "from importlib import import_module", "import sys\nsys.modules['os']", "import uuid",
    "__import__('os')", "f = open\nf('/x')", "eval('1')", "r.__init__.__globals__['os']", "from coachwhip.api.storage import os",
    "from coachwhip.util import dates\ndates.time.time()", "import coachwhip.util.dates as d\nd.time.time()",
    "def hook(r):\n    import socket\n",
])  # fmt: skip
def test_a_module_that_looks_past_the_record_is_found(source):
    assert looks_past_the_record(source)


def test_what_modules_may_import_looks_at_the_world_where_it_is_known_to():
    rooms = [path for room in ("api", "expr", "protocol", "util") for path in files(SOURCE / room)] + [SOURCE / "build.py"]
    found = {str(path.relative_to(SOURCE)) for path in rooms if any(name.partition(".")[0] in WORLDLY for _, name in imported(path))}
    assert found == set(WINDOWS)


def test_every_file_says_what_it_is():
    said = {path: ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or "" for path in files(SOURCE)}
    assert not [str(path.relative_to(SOURCE)) for path, text in said.items() if len(text) < 10]
