"""No time-out uses the wall clock: in the rooms that wait, it is read for logs and counters alone."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

SOURCE = Path(__file__).resolve().parents[2] / "src" / "coachwhip"
#: The rooms that wait. Modules cannot read a clock at all (`test_layers.py`).
WAITING = ("connection", "mpm", "logs")
ABOUT_WAITING = ("deadline", "until", "expir", "timeout", "patience", "limit")


def is_wall_clock(node: ast.AST) -> bool:
    return isinstance(node, ast.Call) and ast.unparse(node.func) in ("time.time", "time.time_ns", "datetime.now", "datetime.datetime.now")


def reads_wall_clock(node: ast.AST) -> bool:
    return any(is_wall_clock(one) for one in ast.walk(node))


def waits(text: str) -> Iterator[str]:
    """Statements that compare with the wall clock, wait by it, or keep it as the end of something."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Compare) and reads_wall_clock(node):
            yield ast.unparse(node)
        elif isinstance(node, ast.Call) and ast.unparse(node.func).endswith(("call_later", "call_at", "sleep", "wait")):
            if any(reads_wall_clock(argument) for argument in node.args):
                yield ast.unparse(node)
        elif isinstance(node, (ast.Assign, ast.AnnAssign)) and node.value is not None and reads_wall_clock(node.value):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            if any(word in ast.unparse(target).lower() for target in targets for word in ABOUT_WAITING):
                yield ast.unparse(node)


@pytest.mark.parametrize("room", WAITING)
def test_no_time_out_uses_the_wall_clock(room: str) -> None:
    found = {str(path.relative_to(SOURCE)): list(waits(path.read_text(encoding="utf-8"))) for path in sorted((SOURCE / room).rglob("*.py"))}
    assert not {name: lines for name, lines in found.items() if lines}


@pytest.mark.parametrize(
    "text",
    [
        "if time.time() > end: close()",
        "self.deadline = time.time() + 5",
        "self._rests_until: float = time.time() + 1",
        "loop.call_later(end - time.time(), close)",
    ],
)
def test_a_time_out_by_the_wall_clock_is_seen(text: str) -> None:
    assert list(waits(text))


@pytest.mark.parametrize("text", ["started = time.time()", "line(now=time.time())", "if time.monotonic() > end: close()"])
def test_logs_may_tell_the_time(text: str) -> None:
    assert not list(waits(text))
