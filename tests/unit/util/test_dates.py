"""HTTP dates (RFC 9110 §5.6.7) and log times. Answers of `parse_http_date` were recorded from Apache's library."""

import os
import time
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coachwhip.util.dates import clf_time, http_date, parse_http_date

NOV = 784111777  # Sun, 06 Nov 1994 08:49:37 GMT


@pytest.fixture(params=["UTC", "America/New_York", "Asia/Kolkata"])
def zone(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    monkeypatch.setenv("TZ", request.param)
    time.tzset()
    yield request.param
    monkeypatch.undo()
    time.tzset()


def test_http_date_is_an_imf_fixdate_whatever_the_zone(zone: str) -> None:
    assert http_date(NOV) == "Sun, 06 Nov 1994 08:49:37 GMT"
    assert http_date(NOV + 0.999) == "Sun, 06 Nov 1994 08:49:37 GMT"


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("Sun, 06 Nov 1994 08:49:37 GMT", NOV),
        ("Sunday, 06-Nov-94 08:49:37 GMT", NOV),
        ("Sun Nov  6 08:49:37 1994", NOV),
        ("Sun, 6 Nov 1994 08:49:37 GMT", NOV),
        ("  Sun, 06 Nov 1994 08:49:37 GMT", NOV),
        ("Mon, 06 Nov 1994 08:49:37 GMT", NOV),
        ("xxx, 06 Nov 1994 08:49:37 GMT", NOV),
        ("Sun 06 Nov 1994 08:49:37 GMT", NOV),
        ("Sun, 06-Nov-94 08:49:37 GMT", NOV),
        ("Sun Nov 06 08:49:37 1994", NOV),
        ("Sun Nov  6 08:49:37 1994 GMT", NOV),
        ("Sun, 06 Nov 1994 08:49:37 PST", NOV),
        ("Sun, 06 Nov 1994 08:49:37 +0200", NOV),
        ("Sun, 06 Nov 1994 08:49:37 GMT; length=5", NOV),
        ("Sun, 06 Nov 1994 23:59:60 GMT", 784166400),
        ("Sun, 06 Nov 1994 23:59:61 GMT", 784166401),
        ("Sunday, 06-Nov-69 08:49:37 GMT", 3150953377),
        ("Sunday, 06-Nov-70 08:49:37 GMT", 26729377),
        ("Sunday, 06-Nov-00 08:49:37 GMT", 973500577),
        ("Fri, 29 Feb 2000 00:00:00 GMT", 951782400),
        ("Fri, 01 Jan 9999 00:00:00 GMT", 253370764800),
    ],
)
def test_readable_dates(text: str, seconds: int) -> None:
    assert parse_http_date(text) == seconds
    assert parse_http_date(text.encode("ascii")) == seconds


@pytest.mark.parametrize(
    "text",
    [
        "",
        "0",
        "Sun,",
        "Sun, 06 Nov 1994 08:49:37",
        "Sun, 06 Nov 1994 08:49:37GMT",
        "Sun, 06 nov 1994 08:49:37 GMT",
        "Sun, 06 NOV 1994 08:49:37 GMT",
        "Sun, 06 Foo 1994 08:49:37 GMT",
        "06 Nov 1994 08:49:37 GMT",
        "Sun,06 Nov 1994 08:49:37 GMT",
        "Sun,  6 Nov 1994 08:49:37 GMT",
        "Sun, 06 Nov 94 08:49:37 GMT",
        "Sun, 06-Nov-1994 08:49:37 GMT",
        "Sun Nov 6 08:49:37 1994",
        "Sun, 31 Feb 1994 08:49:37 GMT",
        "Sun, 29 Feb 1994 08:49:37 GMT",
        "Sun, 31 Apr 1996 08:49:37 GMT",
        "Sun, 00 Apr 1996 08:49:37 GMT",
        "Sun, 06 Nov 1994 24:49:37 GMT",
        "Sun, 06 Nov 1994 23:60:37 GMT",
        "Sun, 06 Nov 1994 23:59:62 GMT",
        "Tue, 29 Feb 0000 23:59:59 GMT",
        "Thu, 01 Jan 1970 00:00:00 GMT",
        "Fri, 01 Jan 1960 00:00:00 GMT",
        "Sun, ٠٦ Nov 1994 08:49:37 GMT",
    ],
)
def test_what_is_no_date(text: str) -> None:
    assert parse_http_date(text) is None


@given(st.integers(min_value=1, max_value=253402300799))
def test_what_is_written_can_be_read(seconds: int) -> None:
    assert parse_http_date(http_date(seconds)) == seconds


@given(st.text() | st.binary())
def test_no_text_makes_trouble(text: str | bytes) -> None:
    try:
        answer = parse_http_date(text)
    except UnicodeEncodeError:  # a lone surrogate that no decoding makes
        return
    assert answer is None or answer > 0


@pytest.mark.parametrize(
    ("name", "clf"),
    [
        ("UTC", "10/Oct/2000:20:55:36 +0000"),
        ("America/New_York", "10/Oct/2000:16:55:36 -0400"),
        ("Asia/Kolkata", "11/Oct/2000:02:25:36 +0530"),
        ("America/St_Johns", "10/Oct/2000:18:25:36 -0230"),
    ],
)
def test_local_times(name: str, clf: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", name)
    time.tzset()
    try:
        assert clf_time(971211336) == clf
    finally:
        monkeypatch.undo()
        time.tzset()
    assert os.environ.get("TZ") != name or name == "UTC"
