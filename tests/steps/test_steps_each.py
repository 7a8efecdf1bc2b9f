"""What holds for each step alike: it starts, answers and ends; it is short, alone, and says what it teaches."""

from __future__ import annotations

import ast
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from stepping import SCRIPTS, Running, eventually
from steps.lab.catalogue import STEPS as CATALOGUE

BIG = b"My WebServer\n" * 4000
SERVERS = range(1, 15)


def code_lines(path: Path) -> int:
    """Count lines of code: no blank line, comment, docstring or import."""
    source = path.read_text()
    skipped: set[int] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Module | ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) and ast.get_docstring(node):
            skipped |= set(range(node.body[0].lineno, (node.body[0].end_lineno or 0) + 1))
        if isinstance(node, ast.Import | ast.ImportFrom):
            skipped.add(node.lineno)
    lines = enumerate(source.splitlines(), 1)
    return sum(1 for number, line in lines if number not in skipped and line.strip() and not line.strip().startswith("#"))


@pytest.mark.parametrize("number", SERVERS)
def test_starts_answers_and_ends(start: Callable[..., Running], number: int) -> None:
    step = start(number)
    page = (step.root / "index.html").read_bytes()
    assert step.get("/").endswith(b"<h1>My WebServer</h1>\n" if number == 1 else page)
    if number > 1:
        assert step.get("/index.html").endswith(page)
        assert step.get("/big.html").endswith(BIG)
    step.end()
    assert eventually(lambda: set(step.others()) == set(step.others("Z"))), "a process is still running"


@pytest.mark.parametrize("number", range(6, 15))
def test_ends_quietly_on_control_c(start: Callable[..., Running], number: int) -> None:
    step = start(number)
    os.killpg(step.process.pid, signal.SIGINT)  # as the terminal does
    step.process.wait(10)
    assert step.errors.read_text() == ""


@pytest.mark.parametrize("number", range(3, 15))
def test_a_missing_page_has_a_status(start: Callable[..., Running], number: int) -> None:
    assert start(number).get("/missing.html").split(b" ")[1] == b"404"


OUTSIDE = ("/../secret", "//etc/passwd", "/..//../secret", "/%2e%2e/secret", "/%2e%2e%2fsecret", "/.hidden", "/%00")


@pytest.mark.parametrize("number", range(3, 15))
def test_nothing_outside_the_folder_is_served(start: Callable[..., Running], number: int) -> None:
    step = start(number)
    (step.root.parent / "secret").write_text("secret")
    (step.root / ".hidden").write_text("secret")
    answers = [step.get(target) for target in OUTSIDE]
    assert [answer.split(b" ")[1] for answer in answers] == [b"404"] * len(OUTSIDE)
    assert not any(b"secret" in answer or b"root:" in answer for answer in answers)


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.stem)
def test_a_step_is_short_and_stands_alone(path: Path) -> None:
    assert 5 <= code_lines(path) <= 80
    for node in ast.walk(ast.parse(path.read_text())):
        names = [name.name for name in node.names] if isinstance(node, ast.Import) else []
        names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
        assert {name.partition(".")[0] for name in names} <= sys.stdlib_module_names


def test_the_catalogue_lists_every_step() -> None:
    assert [step.file for step in CATALOGUE] == [path.name for path in SCRIPTS]
    assert [step.number for step in CATALOGUE] == list(range(1, len(SCRIPTS) + 1))


@pytest.mark.parametrize("step", CATALOGUE, ids=lambda step: step.file)
def test_the_docstring_says_what_is_new_where_it_is_in_apache_and_where_it_is_done_properly(step: object) -> None:
    from steps.lab.catalogue import PACKAGE, Step

    assert isinstance(step, Step)
    doc = ast.get_docstring(ast.parse((SCRIPTS[0].parent / step.file).read_text())) or ""
    assert doc.startswith(f"Step {step.number}: ")
    assert "\n\nNew: " in doc
    assert "\nIn Apache: " in doc
    assert "Wrong, and left so: " in doc or step.number == len(CATALOGUE)
    assert bool(step.properly) == (step.number >= 6)
    for name in step.properly:
        assert name in doc
        assert (PACKAGE / name).is_file(), f"{name} is not a file of Coachwhip"
