"""What the documents say is there: links, files, tests, commands. And none of them speaks of one machine."""

import ast
import re
import shlex
import subprocess
from functools import cache
from pathlib import Path

import pytest

from coachwhip.cli.main import COMMANDS

ROOT = Path(__file__).resolve().parents[2]
TEXTS = ("README.md", "README.zh.md", "ARCHITECTURE.md", "COMPATIBILITY.md", "SECURITY.md", "CONTRIBUTING.md", "CHANGELOG.md")
#: Commands of other programs that a block may show.
FOREIGN = {"make", "pip", "python", "cd", "curl", "apt-get", "a2enconf", "ab", "wrk", "."}


@cache
def tracked() -> list[Path]:
    """The files that git keeps; without git, all that are not made by tools."""
    done = subprocess.run(["git", "-C", str(ROOT), "ls-files", "-z"], capture_output=True, check=False)
    if done.returncode == 0:
        return [path for name in done.stdout.decode().split("\0") if name and (path := ROOT / name).is_file()]
    folders = ("src", "tests", "conformance", "steps", "examples", "fuzz", "faults")
    return [path for folder in folders for path in (ROOT / folder).rglob("*") if path.is_file() and "__pycache__" not in path.parts]


def documents() -> list[Path]:
    found = {ROOT / name for name in TEXTS} | {path for path in tracked() if path.suffix == ".md"}
    return sorted(path for path in found if path.exists())


def test_the_documents_that_people_look_for_are_there() -> None:
    wanted = {"README.md", "ARCHITECTURE.md", "COMPATIBILITY.md", "SECURITY.md", "CONTRIBUTING.md", "CHANGELOG.md", "LICENSE", "NOTICE"}
    assert not {name for name in wanted if not (ROOT / name).is_file()}


@pytest.mark.parametrize("path", documents(), ids=lambda path: str(path.relative_to(ROOT)))
def test_links_lead_somewhere(path: Path) -> None:
    text = re.sub(r"```.*?```|`[^`\n]*`", "", path.read_text(encoding="utf-8"), flags=re.DOTALL)
    targets = [target.partition("#")[0] for target in re.findall(r"\]\(([^)\s]+)\)", text)]
    wrong = [target for target in targets if target and "://" not in target and not (path.parent / target).exists()]
    assert not wrong


# -- commands


def _blocks(path: Path) -> list[str]:
    return re.findall(r"^```[a-z]*\n(.*?)^```", path.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)


def _commands(path: Path) -> list[list[str]]:
    """Lines of code blocks that begin with a program, in words, without comments and variables before them."""
    found = []
    for block in _blocks(path):
        for line in block.split("\n"):
            words = shlex.split(line, comments=True) if line[:1].isalpha() and line[:1].islower() else []
            while words and re.fullmatch(r"[A-Z_]+=.*", words[0]):
                words.pop(0)
            if words:
                found.append(words)
    return found


@pytest.mark.parametrize("name", ["README.md", "README.zh.md"])
def test_commands_of_the_readme_exist(name: str) -> None:
    commands = _commands(ROOT / name)
    assert commands
    for words in commands:
        if words[0] == "coachwhip":
            assert words[1] in COMMANDS, words
        elif words[0] == "make":
            assert words[1] in _targets(), words
        else:
            assert words[0] in FOREIGN, words


def _targets() -> set[str]:
    return set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))


@pytest.mark.parametrize("path", documents(), ids=lambda path: str(path.relative_to(ROOT)))
def test_modules_that_are_to_be_run_exist(path: Path) -> None:
    if path.name == "COMPATIBILITY.md":
        return
    for dotted in re.findall(r"python -m ([a-z_.]+[a-z_])", path.read_text(encoding="utf-8")):
        if dotted.split(".")[0] in ("coachwhip", "conformance", "steps", "faults"):
            where = [ROOT / "src" / Path(*dotted.split(".")), ROOT / Path(*dotted.split("."))]
            assert any(one.with_suffix(".py").exists() or (one / "__main__.py").exists() for one in where), dotted


def test_make_targets_of_contributing_exist() -> None:
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    assert set(re.findall(r"`make ([a-z]+)", text)) <= _targets()


# -- what SECURITY.md refers to


def _security_rows() -> list[tuple[str, str, str]]:
    rows = re.findall(r"^\| (.+?) \| (.+?) \| (.+?) \|$", (ROOT / "SECURITY.md").read_text(encoding="utf-8"), re.MULTILINE)
    return [row for row in rows if "/" in row[1] and not row[1].startswith("-")]


@pytest.mark.parametrize(("attack", "answered", "shown"), _security_rows(), ids=lambda text: text[:40])
def test_every_attack_names_files_and_tests_that_exist(attack: str, answered: str, shown: str) -> None:
    for name in re.findall(r"`([a-z0-9_/]+\.py)`", answered):
        assert (ROOT / "src" / "coachwhip" / name).is_file(), name
    proofs = re.findall(r"`([a-zA-Z0-9_/.-]+)(?:::(\w+))?`", shown)
    assert proofs, attack
    for name, function in proofs:
        path = ROOT / "tests" / name
        assert path.exists(), name
        if function:
            functions = {node.name for node in ast.parse(path.read_text(encoding="utf-8")).body if isinstance(node, ast.FunctionDef)}
            assert function in functions, f"{name}::{function}"


def test_the_table_of_attacks_was_read() -> None:
    assert len(_security_rows()) > 15


# -- one machine's matters


#: A home or a checkout of somebody's, written out; package indexes belong into a person's own settings.
PRIVATE = re.compile(rb"(?<![\w.}/])/(?:home|root|Users|work)/[a-z]|\bindex-url\b|\bpythonhosted\b")


def test_no_file_names_a_folder_of_one_machine() -> None:
    here = Path(__file__).resolve()
    wrong = []
    for path in tracked():
        data = path.read_bytes() if path.resolve() != here else b""
        if b"\0" not in data and (found := PRIVATE.search(data)):
            line = data.count(b"\n", 0, found.start()) + 1
            wrong.append(f"{path.relative_to(ROOT)}:{line}: {found[0].decode()}")
    assert not wrong


def test_nothing_is_left_to_do_later() -> None:
    words = re.compile(r"#.*\b(?:TO" + r"DO|FIX" + r"ME|HA" + r"CK)\b")
    wrong = [str(path.relative_to(ROOT)) for path in tracked() if path.suffix == ".py" and words.search(path.read_text(encoding="utf-8"))]
    assert not wrong
