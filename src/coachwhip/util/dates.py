"""Calendar text of HTTP and of the access log, independent of the process's locale.

Knows nothing of "now": callers pass seconds since the epoch. Used by the connection (``Date``), the logs (``%t``) and the
conditional-request rules (``Last-Modified``, ``If-Modified-Since``).
"""

from __future__ import annotations

import re
import time
from calendar import timegm
from math import floor

from coachwhip.util.remember import remember

DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_MONTH_NUMBER = {name.encode("ascii"): number for number, name in enumerate(MONTHS, 1)}


@remember(most=64)
def _http_date(seconds: int) -> str:
    t = time.gmtime(seconds)
    return (
        f"{DAYS[t.tm_wday]}, {t.tm_mday:02d} {MONTHS[t.tm_mon - 1]} {t.tm_year:04d} "
        f"{t.tm_hour:02d}:{t.tm_min:02d}:{t.tm_sec:02d} GMT"
    )


def http_date(seconds: float) -> str:
    """Return *seconds* since the epoch as an IMF-fixdate (RFC 9110 §5.6.7), e.g. ``Sun, 06 Nov 1994 08:49:37 GMT``.

    Fractions are cut off, as for every second-granular date of HTTP.
    """
    return _http_date(floor(seconds))


_CLOCK = rb"(?P<hour>[0-9]{2}):(?P<minute>[0-9]{2}):(?P<second>[0-9]{2})"
# What follows the weekday and one space. Apache ignores whatever follows the zone's space, and the zone itself.
_SHAPES = (
    re.compile(rb"(?P<day>[0-9]{1,2}) (?P<month>[A-Z][a-z]{2}) (?P<year>[0-9]{4}) " + _CLOCK + rb" "),
    re.compile(rb"(?P<day>[0-9]{2})-(?P<month>[A-Z][a-z]{2})-(?P<year>[0-9]{2}) " + _CLOCK + rb" "),
    re.compile(rb"(?P<month>[A-Z][a-z]{2}) (?P<day>[ 0-9][0-9]) " + _CLOCK + rb" (?P<year>[0-9]{4})"),
)
_MONTH_LENGTH = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)


def parse_http_date(text: str | bytes) -> int | None:
    """Return the seconds since the epoch that an HTTP date names, or None when it names none.

    The three forms of RFC 9110 §5.6.7, read as leniently as Apache reads them: any word may stand for the weekday, the
    zone is taken for GMT whatever it says, text may follow. The epoch itself and everything before it is no date, since
    Apache uses 0 for "unreadable".
    """
    raw = text.encode("utf-8", "surrogateescape") if isinstance(text, str) else text
    _, _, rest = raw.lstrip(b" \t").partition(b" ")
    for shape in _SHAPES:
        if found := shape.match(rest):
            return _seconds(found)
    return None


def _seconds(found: re.Match[bytes]) -> int | None:
    month = _MONTH_NUMBER.get(found["month"])
    day, year = int(found["day"]), int(found["year"])
    hour, minute, second = int(found["hour"]), int(found["minute"]), int(found["second"])
    if len(found["year"]) == 2:
        year += 2000 if year < 70 else 1900
    # 61 is Apache's allowance for leap seconds.
    if month is None or hour > 23 or minute > 59 or second > 61 or not 1 <= day <= _MONTH_LENGTH[month - 1]:
        return None
    if month == 2 and day == 29 and not _is_leap(year):
        return None
    if year < 1970:
        return None
    return timegm((year, month, day, hour, minute, second, 0, 1, 0)) or None


def _is_leap(year: int) -> bool:
    return year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)


def clf_time(seconds: float) -> str:
    """Return *seconds* since the epoch in the common log format's local time: ``10/Oct/2000:13:55:36 -0700``."""
    t = time.localtime(int(seconds // 1))
    offset = (t.tm_gmtoff or 0) // 60
    sign = "-" if offset < 0 else "+"
    hours, minutes = divmod(abs(offset), 60)
    return (
        f"{t.tm_mday:02d}/{MONTHS[t.tm_mon - 1]}/{t.tm_year:04d}:"
        f"{t.tm_hour:02d}:{t.tm_min:02d}:{t.tm_sec:02d} {sign}{hours:02d}{minutes:02d}"
    )
