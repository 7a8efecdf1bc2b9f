"""Type maps: blocks, continuation lines, comments, inline bodies, and what is wrong with broken ones."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coachwhip.modules.mappers.mod_negotiation.accept import single
from coachwhip.modules.mappers.mod_negotiation.typemap import TypeMapError, parse_type_map

PATH = "/srv/doc.var"


def names(data: bytes) -> list[str]:
    return [variant.file_name for variant in parse_type_map(data, PATH).variants]


def test_all_fields() -> None:
    (variant,) = parse_type_map(
        b"URI: a.html.fr\n"
        b'Content-Type: Text/HTML; level=3; charset="ISO-8859-1"; qs=0.7\n'
        b"Content-Language: FR, fr-CA\nContent-Encoding: x-gzip (old)\nContent-Length: 12\nDescription: In French\n",
        PATH,
    ).variants
    assert (variant.file_name, variant.mime_type, variant.charset) == ("a.html.fr", "text/html", "iso-8859-1")
    assert (variant.level, variant.source_quality) == (3.0, single(0.7))
    assert (variant.languages, variant.encoding, variant.length) == (("fr", "fr-ca"), "x-gzip", 12)
    assert variant.description == "In French"


def test_blank_lines_part_the_variants_and_comments_do_not_count() -> None:
    assert names(b"# c\nURI: a\n# c\nContent-Type: t/a\n  \t\nURI: b\nContent-Type: t/b\n\n\n# end") == ["a", "b"]


def test_a_block_needs_a_name_and_a_word_about_its_content() -> None:
    assert names(b"URI: a\n\nContent-Type: t/a\n\nURI: c\nDescription: x\n\nURI: d\nContent-Language: en\n") == ["d"]


def test_a_line_that_begins_with_a_blank_continues_the_one_before() -> None:
    (variant,) = parse_type_map(b"URI: a\nContent-Type: t/a\n\t;qs=0.5\n# between\n  ;charset=x\n\nURI: b\n", PATH).variants
    assert (variant.source_quality, variant.charset) == (0.5, "x")


def test_parentheses_hold_comments_even_inside_quotes() -> None:
    (variant,) = parse_type_map(b'URI: a\nContent-Type: t/a (b) ;charset="x(y)z"\n', PATH).variants
    assert variant.charset == "x   z"


def test_inline_bodies() -> None:
    first, second = parse_type_map(
        b"Content-Type: text/html\nBody:--x--\n<p>a\n\nURI: no field\n--x-- cut off\n\nContent-Type: text/plain\nBody: END\nbEND\n",
        PATH,
    ).variants
    assert first.body == b"<p>a\n\nURI: no field\n"
    assert (first.length, first.file_name) == (20, "doc.var")
    assert second.body == b"b"


def test_without_its_end_tag_a_body_ends_the_map() -> None:
    result = parse_type_map(b"URI: a\nContent-Type: t/a\n\nContent-Type: t/b\nBody:END\nnever\n", PATH)
    assert [variant.file_name for variant in result.variants] == ["a"]
    assert result.fault is not None
    assert result.fault[0] == "AH00685"


@pytest.mark.parametrize("length", [b"x", b"-1", b"1x", b"0x10", b"\xd9\xa1", b"1" * 30])
def test_a_bad_length_ends_the_map(length: bytes) -> None:
    before, after = b"URI: a\nContent-Type: t/a\n\nURI: b\nContent-Length: ", b"\n\nURI: c\nContent-Type: t/c\n"
    result = parse_type_map(before + length + after, PATH)
    assert [variant.file_name for variant in result.variants] == ["a"]
    assert result.fault is not None
    assert result.fault[0] == "AH00684"


@pytest.mark.parametrize(("line", "log_id"), [(b"no field\n", "AH00681"), (b"URI:\n", "AH00682"), (b"URI: \t\n", "AH00682")])
def test_what_is_no_field_fails_the_document(line: bytes, log_id: str) -> None:
    with pytest.raises(TypeMapError) as caught:
        parse_type_map(line, PATH)
    assert caught.value.log_id == log_id


@given(st.binary(max_size=200))
def test_any_bytes_end_in_variants_or_an_error(data: bytes) -> None:
    try:
        result = parse_type_map(data, PATH)
    except TypeMapError:
        return
    assert all(variant.file_name for variant in result.variants)
