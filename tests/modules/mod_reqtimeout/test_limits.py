"""`RequestReadTimeout`: every form, and Apache's refusals."""

from __future__ import annotations

import pytest

from coachwhip.api import DirectiveError
from coachwhip.api.timeouts import ReadLimit
from coachwhip.modules.filters.mod_reqtimeout import MODULE, ReqtimeoutServer
from coachwhip.testing.settings import settings


def conf(line: str) -> ReqtimeoutServer:
    return settings(MODULE, ReqtimeoutServer, line)


def test_every_stage_and_form() -> None:
    found = conf("RequestReadTimeout handshake=5 HEADER=10-30,minrate=100 body=0")
    assert (found.handshake, found.header, found.body) == (ReadLimit(5), ReadLimit(10, 30, 100), ReadLimit(0))


def test_what_no_line_names_keeps_its_default() -> None:
    assert conf("RequestReadTimeout body=9").header == ReadLimit(20, 40, 500)


@pytest.mark.parametrize(
    ("argument", "message"),
    [
        ("body=9-3,minrate=5", "RequestReadTimeout: body=9-3,minrate=5: Maximum timeout must be larger than initial timeout"),
        ("header=20-40", "RequestReadTimeout: header=20-40: Must set MinRate option if using timeout range"),
        ("header=20,MinRate=0", "RequestReadTimeout: header=20,MinRate=0: Minimum data rate must be larger than 0"),
        ("foo=3", "RequestReadTimeout: foo=3: Unknown RequestReadTimeout parameter"),
        ("header=x", "RequestReadTimeout: header=x: Value 'x' not numerical"),
        ("header=20,foo=5", "RequestReadTimeout: header=20,foo=5: Cannot parse ',foo=5'"),
        ("header", "Invalid RequestReadTimeout parameter. Parameter must be in the form 'key=value'"),
    ],
)
def test_refused(argument: str, message: str) -> None:
    with pytest.raises(DirectiveError) as error:
        conf(f"RequestReadTimeout {argument}")
    assert error.value.message == message
