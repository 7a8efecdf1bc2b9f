"""The two READMEs say what was measured, quote what the scripts say, and say the same in both languages."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from stepping import SCRIPTS, STEPS
from steps.lab.claims import claims
from steps.lab.plan import RESULTS
from steps.lab.text import BLOCK, INLINE, MAKERS, READMES, draw, everything, fill

PAGES = pytest.mark.parametrize("page", READMES.values(), ids=READMES)
FENCED = re.compile(r"^```([a-z]+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def figures() -> dict[str, dict[str, dict[str, dict[str, float]]]]:
    """Return a fresh copy of what was measured."""
    loaded: dict[str, dict[str, dict[str, dict[str, float]]]] = json.loads(RESULTS.read_text())
    return loaded


def test_texts_and_plots_are_made_from_the_stored_figures() -> None:
    stale = [path.name for path, content in everything().items() if path.read_text() != content]
    assert stale == [], "run `python -m steps text`"


@PAGES
def test_code_in_the_text_is_code_of_the_steps(page: Path) -> None:
    sources = [script.read_text() for script in SCRIPTS]
    quoted = [code for language, code in FENCED.findall(page.read_text()) if language == "python"]
    assert len(quoted) >= 6
    for code in quoted:
        assert any(code in source for source in sources), code


def test_both_languages_have_the_same_commands_figures_and_pictures() -> None:
    english, chinese = (page.read_text() for page in READMES.values())
    assert FENCED.findall(english) == FENCED.findall(chinese)
    for pattern in (BLOCK, INLINE):
        assert sorted(mark[1:-1] for mark in pattern.findall(english)) == sorted(mark[1:-1] for mark in pattern.findall(chinese))
    assert len(re.findall("^#", english, re.MULTILINE)) == len(re.findall("^#", chinese, re.MULTILINE))
    pictures = [re.findall(r"\((results/[a-z.]+svg)\)", text) for text in (english, chinese)]
    assert pictures[0] == [name.replace(".zh.svg", ".svg") for name in pictures[1]]


@PAGES
def test_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#]+)\)", page.read_text()):
        assert (STEPS / target).exists(), target


@PAGES
def test_every_block_has_a_maker_and_every_maker_a_block(page: Path) -> None:
    assert {name for _, name, _ in BLOCK.findall(page.read_text())} == set(MAKERS)


def test_a_mark_that_names_nothing_is_an_error() -> None:
    with pytest.raises(KeyError):
        fill("<!--= servers.99_nothing.close_small.median .0f -->1<!--/-->", {"servers": {}}, "en")


def test_marks_are_filled_with_figures_and_ratios() -> None:
    page = "<!--= a.b ,.0f -->?<!--/--> and <!--= a.b / a.c .1f -->?<!--/-->"
    filled = "<!--= a.b ,.0f -->3,000<!--/--> and <!--= a.b / a.c .1f -->1.5<!--/-->"
    assert fill(page, {"a": {"b": [1000.0, 3000.0, 5000.0], "c": 2000}}, "en") == filled


@pytest.mark.parametrize(("microseconds", "verdict"), [(40, "confirmed."), (60, "more than a quarter"), (31, "less than a quarter")])
def test_a_verdict_follows_the_figures(microseconds: float, verdict: str) -> None:
    changed = figures()
    changed["servers"]["01_string"]["close_small_cpu_us"]["median"] = 30.0
    changed["servers"]["02_files"]["close_small_cpu_us"]["median"] = microseconds
    assert verdict in claims(changed, "en").splitlines()[1]


@pytest.mark.parametrize(("rate", "microseconds", "verdict"), [(900, 60, "confirmed"), (900, 30, "undecided"), (1100, 30, "refuted")])
def test_apache_is_only_beaten_if_it_is(rate: float, microseconds: float, verdict: str) -> None:
    changed = figures()
    changed["servers"].setdefault("apache", dict(changed["servers"]["03_head"]))
    changed["servers"]["03_head"].update(blog_small={"median": 1000.0}, close_small_cpu_us={"median": 40.0})
    changed["servers"]["apache"].update(blog_small={"median": rate}, close_small_cpu_us={"median": microseconds})
    assert verdict in claims(changed, "en").splitlines()[2]
    assert ("不成立" in claims(changed, "zh").splitlines()[2]) == (verdict == "refuted")


def test_figures_without_apache_and_nginx_make_a_page_as_well() -> None:
    changed = figures()
    for missing in ("apache", "nginx", "15_coachwhip"):
        changed["servers"].pop(missing, None)
    for language, page in READMES.items():
        assert "-->–<!--/-->" in fill(page.read_text(), changed, language)
        assert len(draw(changed, language)) == 5
