"""What was probably meant."""

import pytest

from coachwhip.util.suggest import nearest

NAMES = ("DocumentRoot", "DirectoryIndex", "DirectorySlash", "ServerName", "ServerAlias")


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("DocumentRot", "DocumentRoot"),
        ("documentroot", "DocumentRoot"),
        ("DirectoryIndx", "DirectoryIndex"),
        ("ServeName", "ServerName"),
        ("Bananas", None),
        ("", None),
    ],
)
def test_the_nearest_name(typed: str, meant: str | None) -> None:
    assert nearest(typed, NAMES) == meant


def test_no_candidates() -> None:
    assert nearest("x", ()) is None
