"""How types are taken apart and put together (answers of Apache 2.4.71)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coachwhip.modules.http.mod_mime.media_type import MediaTypeError, normalize


@pytest.mark.parametrize(
    ("text", "charset", "normal"),
    [
        ("text/html", None, "text/html"),
        ("text/html", "utf-8", "text/html; charset=utf-8"),
        ("text/html;charset=x;y=z", None, "text/html; charset=x; y=z"),
        ("text/html;charset=x;y=z", "utf-8", "text/html; charset=utf-8; y=z"),
        ('text/html;charset=x;y="a', None, 'text/html; charset=x; y="a'),
        ('text/x-a;q="a b";r=c', None, 'text/x-a; q="a b"; r=c'),
        ("text/x;charset", None, "text/x"),
        ("text/x;CHARSET=foo;charset=bar;charset=baz", "utf-8", "text/x; CHARSET=foo; charset=utf-8"),
        ("text/x; charset=foo; charset=bar", None, "text/x; charset=foo; charset=bar"),
        (" text / x ", None, "text/x"),
    ],
)
def test_normal_form(text: str, charset: str | None, normal: str) -> None:
    assert normalize(text, charset) == normal


@pytest.mark.parametrize(
    ("text", "log_id"),
    [
        ("", "AH01598"),
        ("nosubtype", "AH01599"),
        ("a;b/c", "AH01599"),
        ("a b/c", "AH01600"),
        ("text/", "AH01601"),
        ("text/x;", "AH01602"),
        ("text/x;=b", "AH01603"),
        ("text/x;a=", "AH01604"),
        ("text/x;a,b=c", "AH01605"),
        ('text/x;a="b"c', "AH01606"),
        ('text/x;a="b\r"', "AH01607"),
        ("text/x;a=b.c;d=e/f", "AH01608"),
        ("text/x;a=;b", "AH01609"),
    ],
)
def test_what_cannot_be_taken_apart(text: str, log_id: str) -> None:
    with pytest.raises(MediaTypeError) as caught:
        normalize(text, None)
    assert caught.value.log_id == log_id


@given(st.text(alphabet='ab/;= "\\\t\x00é', max_size=30))
def test_total_and_stable(text: str) -> None:
    try:
        once = normalize(text, None)
    except MediaTypeError:
        return
    assert normalize(once, None) == once
