"""Every source file says what it is, stays small, is documented where others look, and has tests that are known by name."""

import ast
import re
from pathlib import Path

import pytest

from coachwhip.api import phases

ROOT = Path(__file__).resolve().parents[2]
SOURCE = ROOT / "src" / "coachwhip"
TESTS = ROOT / "tests"
MOST_LINES = 600

#: Source files without a test file of their own: what a path begins with → the tests that go through it, and why there.
#: The longest beginning counts.
COVERED_BY = {
    "__main__.py": ("cli/commands.py", "two lines; every command line of these tests starts here"),
    "api/": ("unit/config", "declarations: read, sorted and folded by every start; behaviour is tested where they are used"),
    "bench/": ("unit/bench", "drives programs that are not here; what can be computed is tested"),
    "checks.py": ("cli/test_as_apache.py", "what `-t` and a start say of a configuration, compared with Apache"),
    "cli/": ("cli/test_as_apache.py", "whole command lines, compared with what Apache printed"),
    "config/": ("unit/config/test_recorded.py", "some 760 configurations, each with what Apache says of it"),
    "connection/": ("test_cases.py", "sockets: every case, whole and byte by byte; RFC order in tests/rfc"),
    "expr/": ("unit/expr/test_expr_answers.py", "thousands of expressions with Apache's answers"),
    "filters/": ("test_cases.py", "heads, lengths and ranges of every recorded answer"),
    "hooks/": ("test_cases.py", "every request runs through it"),
    "launch.py": ("cli/test_lifecycle.py", "starts, stops and reloads real servers"),
    "modules/aaa/": ("cases/auth", "recorded cases of users, groups, hosts and containers"),
    "modules/cluster/": ("modules/mod_heartmonitor", "servers that send heartbeats to one another"),
    "modules/core/": ("modules/core/test_core_values.py", "what each row sets; refusals are in unit/config/recorded"),
    "modules/filters/mod_deflate/": ("cases/mod_deflate", "recorded cases"),
    "modules/generators/mod_autoindex/": ("cases/mod_autoindex", "recorded cases"),
    "modules/generators/mod_info.py": ("cases/mod_info", "recorded cases"),
    "modules/generators/mod_status/": ("cases/mod_status", "recorded cases"),
    "modules/loggers/": ("cases/mod_log_config", "recorded cases"),
    "modules/mappers/mod_negotiation/": ("cases/mod_negotiation", "recorded cases"),
    "modules/metadata/": ("cases/mod_setenvif", "recorded cases"),
    "modules/mpm/": ("modules/core/test_core_values.py", "what each row sets"),
    "mpm/": ("cli/test_lifecycle.py", "processes and signals: real servers"),
    "request/": ("test_cases.py", "the pipeline: every recorded case"),
    "request/replay.py": ("replay", "answers with replay on and off"),
    "request/watch.py": ("replay", "file changes"),
    "server.py": ("test_cases.py", "builds the server of every case"),
    "testing/": ("test_cases.py", "runs every case"),
    "util/strftime.py": ("cases/mod_autoindex", "formats of times in listings and logs"),
}


def sources() -> list[Path]:
    return sorted(SOURCE.rglob("*.py"))


def name_of(path: Path) -> str:
    return str(path.relative_to(SOURCE))


@pytest.mark.parametrize("folder", ["src", "tests", "conformance", "steps", "examples", "fuzz", "deploy", "faults"])
def test_files_are_small(folder: str) -> None:
    long = {}
    for path in (ROOT / folder).rglob("*.py"):
        lines = len(path.read_text(encoding="utf-8").split("\n")) - 1
        if lines > MOST_LINES:
            long[str(path.relative_to(ROOT))] = lines
    assert not long


def _public(node: ast.Module | ast.ClassDef, before: str = "") -> list[tuple[str, ast.AST]]:
    found: list[tuple[str, ast.AST]] = []
    for one in node.body:
        if isinstance(one, (ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)) and not one.name.startswith("_"):
            found.append((before + one.name, one))
            if isinstance(one, ast.ClassDef):
                found += _public(one, f"{before}{one.name}.")
    return found


def _undocumented(path: Path) -> list[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return [f"{name_of(path)}: {name}" for name, node in _public(tree) if not ast.get_docstring(node)]  # type: ignore[arg-type]


def test_the_hot_path_is_small() -> None:
    """It is fast because there is little of it, and is read as a whole."""
    assert sum(len((SOURCE / "connection" / name).read_text().splitlines()) for name in ("hot.py", "shapes.py")) < 400


def test_everything_public_in_api_has_a_docstring() -> None:
    assert not [name for path in sorted((SOURCE / "api").rglob("*.py")) for name in _undocumented(path)]


def _exported(path: Path) -> set[str]:
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.Assign) and any(isinstance(one, ast.Name) and one.id == "__all__" for one in node.targets):
            return set(ast.literal_eval(node.value))
    return set()


def test_whatever_a_file_exports_has_a_docstring() -> None:
    wrong = []
    for path in sources():
        exported = _exported(path)
        wrong += [line for line in _undocumented(path) if line.rpartition(": ")[2] in exported]
    assert not wrong


def test_every_phase_is_declared_in_order_and_says_what_it_is_for() -> None:
    declared = {one.name: one for one in vars(phases).values() if isinstance(one, phases.Phase)}
    listed = [*phases.STARTUP, *phases.CONNECTION, *phases.REQUEST]
    assert sorted(declared) == sorted(one.name for one in listed)
    assert len({id(one) for one in listed}) == len(listed)
    for one in listed:
        assert re.search(r": hook\((startup|connection|r)\)", one.purpose), one.name


def test_architecture_names_every_room() -> None:
    text = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
    rooms = {path.name for path in SOURCE.iterdir() if path.is_dir() and (path / "__init__.py").exists()}
    assert not {room for room in rooms if f"{room}/" not in text}


@pytest.mark.parametrize("room", ["config", "connection", "modules", "mpm", "protocol", "request"])
def test_rooms_with_a_process_or_a_data_model_have_a_page(room: str) -> None:
    text = (SOURCE / room / "README.md").read_text(encoding="utf-8")
    for name in re.findall(r"`([a-z0-9_]+\.py)`", text):
        assert list(SOURCE.rglob(name)) or list((TESTS / "unit" / room).rglob(name)), name


def _tests_by_name() -> tuple[set[str], str]:
    files = [*TESTS.rglob("test_*.py"), *(ROOT / "examples").rglob("test_*.py")]
    return {path.stem.removeprefix("test_") for path in files}, "\n".join(path.read_text(encoding="utf-8") for path in files)


def test_every_source_file_has_tests() -> None:
    """A file has a test named after it, a test that imports it, or a row above that says where else it is tested."""
    names, text = _tests_by_name()
    without = []
    for path in sources():
        inside = path.relative_to(SOURCE.parent).with_suffix("").parts
        if inside[-1] == "__init__":
            inside = inside[:-1]
            if not any(isinstance(node, (ast.FunctionDef, ast.ClassDef)) for node in ast.parse(path.read_text(encoding="utf-8")).body):
                continue
        is_named = any(name == inside[-1] or name.endswith(f"_{inside[-1]}") for name in names)
        is_imported = re.search(rf"\b{re.escape('.'.join(inside))}\b(?!\.)", text)
        if not is_named and not is_imported and _covering(name_of(path)) is None:
            without.append(name_of(path))
    assert not without


def _covering(name: str) -> str | None:
    return max((row for row in COVERED_BY if name.startswith(row)), key=len, default=None)


def test_the_list_of_tests_elsewhere_is_true() -> None:
    names = [name_of(path) for path in sources()]
    for row, (where, reason) in COVERED_BY.items():
        assert any(name.startswith(row) for name in names), f"{row}: there is no such source file"
        assert (TESTS / where).exists(), f"{row}: there is no tests/{where}"
        assert reason
