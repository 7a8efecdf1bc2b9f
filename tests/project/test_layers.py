"""The house rules that can be read off the source: imports go down only, modules look through recorded windows only."""

import ast
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

#: What a module would look past the record with.
FORBIDDEN_IN_MODULES = {"os", "time", "random", "secrets", "socket", "pathlib", "subprocess", "io", "shutil", "glob", "tempfile"}


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


def test_modules_look_through_recorded_windows_only():
    wrong = []
    for path in files(SOURCE / "modules"):
        if path == SOURCE / "modules" / "__init__.py":
            continue
        for line, name in imported(path):
            if name.split(".")[0] in FORBIDDEN_IN_MODULES:
                wrong.append(f"{path.relative_to(SOURCE)}:{line} imports {name}")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in ("open", "exec", "eval"):
                wrong.append(f"{path.relative_to(SOURCE)}:{node.lineno} calls {node.func.id}()")
    assert not wrong, "\n".join(wrong)


def test_every_file_says_what_it_is():
    said = {path: ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or "" for path in files(SOURCE)}
    assert not [str(path.relative_to(SOURCE)) for path, text in said.items() if len(text) < 10]
