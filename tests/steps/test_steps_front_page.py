"""The front page and its Chinese sister: the same commands, the same headings, the same links."""

from __future__ import annotations

import re

from stepping import STEPS

ENGLISH, CHINESE = ((STEPS.parent / name).read_text() for name in ("README.md", "README.zh.md"))
FENCED = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)


def links(page: str) -> set[str]:
    """Return where a page links to, without the links between the two languages."""
    found = {target.replace("README.zh.md", "").replace("README.md", "") for target in re.findall(r"\]\(([^)#]+)\)", page)}
    return found - {""}


def test_the_same_commands() -> None:
    assert len(FENCED.findall(ENGLISH)) > 2
    assert FENCED.findall(CHINESE) == FENCED.findall(ENGLISH)


def test_the_same_headings_in_number_and_level() -> None:
    levels = [re.findall("^#+", FENCED.sub("", page), re.MULTILINE) for page in (ENGLISH, CHINESE)]
    assert levels[0] == levels[1]


def test_the_same_links() -> None:
    assert links(CHINESE) == links(ENGLISH)
