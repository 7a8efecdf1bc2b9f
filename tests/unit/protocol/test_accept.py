"""``Accept`` and its kin. How Apache weighs each member was recorded from a type map's choice between en and fr."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coachwhip.protocol.accept import AcceptEntry, parse_accept, parse_media_type, parse_quality


@pytest.mark.parametrize(
    ("text", "quality"),
    [
        ("1", 1.0), ("0", 0.0), ("0.6", 0.6), (".6", 0.6), ("0.5001", 0.5), ("0.501", 0.501), (".4999", 0.499),
        ("0.", 0.0), ("00.6", 0.0), ("0 .6", 0.0), ("0.6x", 0.6), (" 0.6", 0.6), ("1.5", 1.0), ("2", 1.0), ("-1", 1.0),
        ("abc", 1.0), ("", 1.0),
    ],
)  # fmt: skip
def test_quality(text: str, quality: float) -> None:
    assert parse_quality(text) == quality


@pytest.mark.parametrize(
    ("value", "weights"),
    [
        ("", {}),
        ("en", {"en": 1.0}),
        ("en;q=.6, fr;q=0.5", {"en": 0.6, "fr": 0.5}),
        ('en;q="0.6", fr;q=0.5', {"en": 0.6, "fr": 0.5}),
        ("en;q= 0.6,fr", {"en": 0.6, "fr": 1.0}),
        ("en;q = 0.3,fr", {"en": 0.3, "fr": 1.0}),
        ("en;Q=0.3,fr", {"en": 0.3, "fr": 1.0}),
        ("en;qs=0.3,fr", {"en": 0.3, "fr": 1.0}),
        ("en;q 0.3,fr", {"en": 0.3, "fr": 1.0}),
        ("en;q,fr;q=0.5", {"en": 1.0, "fr": 0.5}),
        ("en;q=0.9;q=0.3", {"en": 0.3}),
        ('en;x="a,b";q=0.3, fr', {"en": 0.3, "fr": 1.0}),
        ('en;x="a;b";q=0.3, fr', {"en": 0.3, "fr": 1.0}),
        ('en;x=",;q=0.3, fr', {"en": 1.0}),
        ("en;;q=0.3", {"en": 0.3}),
        ("en fr", {"en": 1.0, "fr": 1.0}),
        ("en fr;q=0.3", {"en": 1.0, "fr": 0.3}),
        (",en;q=0.2,,fr", {"en": 0.2, "fr": 1.0}),
        ("EN;q=0.3,FR", {"en": 0.3, "fr": 1.0}),
        ('"en", fr;q=0.2', {'"en"': 1.0, "fr": 0.2}),
    ],
)
def test_lists(value: str, weights: dict[str, float]) -> None:
    assert {entry.name: entry.quality for entry in parse_accept(value)} == weights
    assert parse_accept(value.encode("latin-1")) == parse_accept(value)


def test_level_and_charset() -> None:
    assert parse_accept("text/html;level=3;charset=UTF-8;q=0.5") == [AcceptEntry("text/html", 0.5, 3.0, "utf-8")]
    assert parse_accept("text/html;level=x") == [AcceptEntry("text/html")]


@given(st.binary() | st.text(alphabet=st.characters(max_codepoint=255)))
def test_nothing_is_an_error(value: bytes | str) -> None:
    assert all(0.0 <= entry.quality <= 1.0 for entry in parse_accept(value))
    parse_media_type(value)


@pytest.mark.parametrize(
    ("value", "kind", "parameters"),
    [
        ("text/html", "text/html", {}),
        (" Text/HTML ; Charset=UTF-8", "text/html", {"charset": "UTF-8"}),
        ('a/b;x="1;\\"2";y=3', "a/b", {"x": '1;"2', "y": "3"}),
        ("a/b; x=1; x=2", "a/b", {"x": "1"}),
        ("a/b; x; y=1", "a/b", {"y": "1"}),
        ("nonsense", "nonsense", {}),
        ("", "", {}),
    ],
)
def test_media_types(value: str, kind: str, parameters: dict[str, str]) -> None:
    assert parse_media_type(value) == (kind, parameters)
