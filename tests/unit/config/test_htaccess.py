"""`.htaccess`: what Apache accepts and refuses (recorded), and what comes out of it."""

from pathlib import Path

import pytest
from config_cases import Case, htaccess_cases, lay_out, load_text, our_htaccess_answer

from coachwhip.api import CoreDir, Options, Where
from coachwhip.api.core import Override
from coachwhip.config import ConfigError, Folded, SectionKind
from coachwhip.config.htaccess import read_htaccess

EVERYTHING = Override(Where.ALL)


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("root")
    lay_out(folder)
    return folder


@pytest.mark.parametrize("case", htaccess_cases(), ids=str)
def test_same_words_as_apache(case: Case, root: Path) -> None:
    assert our_htaccess_answer(case, root) == case.ours


def read(root: Path, text: str, override: Override = EVERYTHING):
    return read_htaccess(text.encode(), "/d/.htaccess", "/d/", override, frozenset(), load_text(b"", root))


def test_the_section_holds_what_the_file_says(root: Path) -> None:
    section = read(root, "Options Indexes\n<Files x>\nForceType a/b\n</Files>\n<If true>\nForceType c/d\n</If>\n")
    assert section.kind is SectionKind.HTACCESS
    assert section.pattern == "/d/"
    assert Folded((section,)).get(CoreDir).options.value == Options.INDEXES
    assert [inner.get(CoreDir, "force_type") for inner in (*section.files, *section.ifs)] == ["a/b", "c/d"]


def test_values_know_their_line(root: Path) -> None:
    section = read(root, "\n# here\nForceType a/b\n")
    (source,) = section.sources[CoreDir, "force_type"]
    assert str(source) == "/d/.htaccess:3"


def test_an_error_names_file_and_line(root: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        read(root, "\nOptions Nope\n")
    assert caught.value.message == "Illegal option Nope"
    assert str(caught.value.location) == "/d/.htaccess:2"
    assert caught.value.snippet == "Options Nope"


@pytest.mark.parametrize("opening", ["<Files x>", "<IfModule core.c>", "<If true>"])
def test_deep_nesting_is_an_error_not_a_crash(opening: str, root: Path) -> None:
    closing = f"</{opening[1:].split()[0]}>"
    with pytest.raises(ConfigError, match="nested too deeply"):
        read(root, f"{opening}\n" * 5000 + f"{closing}\n" * 5000)


def test_what_a_file_defines_does_not_outlive_it(root: Path) -> None:
    loaded = load_text(b"", root)
    text = b"<Macro A>\nForceType a/b\n</Macro>\nUse A\n"
    for _again in range(2):
        section = read_htaccess(text, "/d/.htaccess", "/d/", EVERYTHING, frozenset(), loaded)
        assert section.get(CoreDir, "force_type") == "a/b"
    assert loaded.reading.macros is None
    assert loaded.warnings == []


def nested(body: str, heading: str, use: str) -> str:
    """Twelve macros, each of which uses the one before it four times."""
    text = f"<Macro M0{heading}>\n{body}\n</Macro>\n"
    for number in range(1, 12):
        text += f"<Macro M{number}{heading}>\n" + f"Use M{number - 1}{use}\n" * 4 + "</Macro>\n"
    return text


@pytest.mark.parametrize(
    "text",
    [
        nested("ForceType a/b", "", "") + "Use M11\n",
        nested("ForceType a/b", " $x", " $x$x$x$x") + "Use M11 abcd\n",
        "<Macro M $x>\n" + "$x" * 10_000 + "\n</Macro>\nUse M " + "y" * 10_000 + "\n",
    ],
    ids=["lines", "arguments", "one line"],
)
def test_macros_cannot_make_any_number_of_lines(text: str, root: Path) -> None:
    with pytest.raises(ConfigError, match="too long"):
        read(root, text)


def test_many_lines_of_one_directive_are_put_together_once(root: Path) -> None:
    section = read(root, "".join(f"ErrorDocument {400 + number % 5} /{number}\n" for number in range(5_000)))
    assert len(section.get(CoreDir, "error_documents")) == 5
    assert len(section.sources[CoreDir, "error_documents"]) == 5_000
