"""Apache's message numbers: each stands for one text, as in Apache, where people look it up."""

import ast
import re
from collections import defaultdict
from pathlib import Path

SOURCE = Path(__file__).resolve().parents[2] / "src" / "coachwhip"

#: Numbers whose text in Apache has a word that is filled in, and which we write out.
SEVERAL_TEXTS = {
    "AH01382": "Request %s read timeout",
}


def _texts() -> dict[str, set[str]]:
    """Number → the literal texts that stand behind it in a call."""
    found = defaultdict(set)
    for path in SOURCE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Call):
                continue
            for first, second in zip(node.args, node.args[1:], strict=False):
                if _is_number(first) and isinstance(second, ast.Constant) and isinstance(second.value, str):
                    found[first.value].add(second.value)  # type: ignore[attr-defined]
    return found


def _is_number(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, str) and bool(re.fullmatch(r"AH[0-9]{5}", node.value))


def test_a_number_has_one_text() -> None:
    several = {number: sorted(texts) for number, texts in _texts().items() if len(texts) > 1}
    assert set(several) <= set(SEVERAL_TEXTS), several


def test_numbers_are_found_at_all() -> None:
    assert len(_texts()) > 30


def test_numbers_are_written_as_apache_writes_them() -> None:
    wrong = []
    for path in SOURCE.rglob("*.py"):
        for found in re.finditer(r'"AH[0-9]*"', path.read_text(encoding="utf-8")):
            if not re.fullmatch(r'"AH[0-9]{5}"', found[0]):
                wrong.append(f"{path.relative_to(SOURCE)}: {found[0]}")
    assert not wrong
