"""Which variant is chosen: every recorded answer of Apache 2.4.71 (`record_choices.py`), and the properties behind them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coachwhip.modules.mappers.mod_negotiation.accept import parse_entries
from coachwhip.modules.mappers.mod_negotiation.choose import choose
from coachwhip.modules.mappers.mod_negotiation.typemap import parse_type_map
from coachwhip.modules.mappers.mod_negotiation.variants import Discard, Force, Policy, Variant, Wishes

RECORDED = json.loads(Path(__file__).with_name("choices.json").read_text())
PRIORITY = ("en", "fr", "de", "pt-br")
FORCES = {"default": Force.PREFER, "none": Force.NONE, "both": Force.PREFER | Force.FALLBACK}


def wishes(fields: dict[str, str]) -> Wishes:
    types = parse_entries(fields.get("Accept"))
    said = Wishes(
        types=types,
        languages=parse_entries(fields.get("Accept-Language")),
        charsets=parse_entries(fields.get("Accept-Charset")),
        encodings=parse_entries(fields.get("Accept-Encoding")),
        has_type_quality=any(entry.quality < 1 for entry in types or ()),
    )
    said.read_negotiate(fields.get("Negotiate"), fields.get("User-Agent"))
    return said


def size(variant: Variant) -> int:
    return -1 if variant.length is None else variant.length


def variants(name: str) -> list[Variant]:
    return parse_type_map(RECORDED["maps"][name].encode(), "/x.map").variants


@pytest.mark.parametrize("name", RECORDED["maps"])
def test_apache_chooses_the_same(name: str) -> None:
    rows: list[dict[str, Any]] = [row for row in RECORDED["rows"] if row["map"] == name]
    assert rows
    for row in rows:
        said = wishes(row["fields"])
        best, is_choice = choose(variants(name), said, Policy(PRIORITY, FORCES[row["force"]]), size)
        if is_choice and best is not None:
            got = (200, best.file_name)
        else:
            got = (300 if said.is_transparent else 406, "")
        assert got == (row["status"], row["chosen"]), row


def languages() -> list[Variant]:
    return variants("languages")


def test_prefer_language_comes_before_what_the_client_wants() -> None:
    best, is_choice = choose(languages(), wishes({"Accept-Language": "de"}), Policy(prefer_language="fr"), size)
    assert is_choice
    assert best is not None
    assert best.file_name == "l.fr"


@pytest.mark.parametrize("tag", ["FR", "es", ""])
def test_prefer_language_is_an_exact_tag_and_else_ignored(tag: str) -> None:
    best, _ = choose(languages(), wishes({"Accept-Language": "de"}), Policy(prefer_language=tag), size)
    assert best is not None
    assert best.file_name == "l.de"


def test_after_prefer_language_failed_its_variants_are_out() -> None:
    """Apache remembers how they matched and does not look again: with a refused type, nothing is left but the others."""
    found = variants("all")
    best, is_choice = choose(found, wishes({"Accept": "text/plain"}), Policy(prefer_language="en"), size)
    assert is_choice
    assert best is not None
    assert best.file_name == "a.txt"


def test_encoded_variants_are_left_out_for_broken_clients() -> None:
    gzip = wishes({"Accept-Encoding": "gzip"})
    assert choose(variants("onlygz"), gzip, Policy(discard=Discard.ALL), size) == (None, False)
    best, _ = choose(variants("onlygz"), gzip, Policy(discard=Discard.ALL_BUT_HTML), size)
    assert best is not None


def test_scripts_win_where_there_is_something_to_process() -> None:
    script = Variant(file_name="s", mime_type="application/x-httpd-cgi", source_quality=1.0)
    page = Variant(file_name="p", mime_type="text/html", source_quality=1.0, level=2.0)
    assert choose([page, script], wishes({}), Policy(), size)[0] is page
    page, script = (
        Variant(file_name="p", mime_type="text/html", source_quality=1.0),
        Variant(file_name="s", mime_type="application/x-httpd-cgi", source_quality=1.0),
    )
    assert choose([page, script], wishes({}), Policy(prefer_scripts=True), size)[0] is script


FIELD = st.text(alphabet='aefnrt*-/;,=q.01 "\t', max_size=30)


@given(FIELD, FIELD, FIELD, FIELD)
def test_a_choice_is_one_of_the_variants(kind: str, language: str, charset: str, encoding: str) -> None:
    fields = {"Accept": kind, "Accept-Language": language, "Accept-Charset": charset, "Accept-Encoding": encoding}
    found = variants("all")
    best, is_choice = choose(found, wishes(fields), Policy(PRIORITY), size)
    assert best is None or best in found
    assert is_choice is (best is not None)
