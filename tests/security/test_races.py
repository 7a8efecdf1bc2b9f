"""Links that come and go while clients read: nothing behind them is ever sent. `python -m conformance.races` is the long form."""

import sys

import pytest
from conformance.races import OPTIONS, race

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="names are exchanged in one moment on Linux only")


@pytest.mark.parametrize("options", OPTIONS)
def test_a_link_that_comes_and_goes_lets_no_foreign_byte_out(options: str) -> None:
    figures = race(options, swaps=400)
    assert figures.foreign == 0, str(figures)
    statuses = {status for _, status in figures.answers}
    assert {200, 403} <= statuses <= {200, 403, 404}, str(figures)
