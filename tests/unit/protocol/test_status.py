"""Reason phrases, as Apache spells them."""

from coachwhip.protocol.status import REASONS, status_line


def test_apaches_own_spelling() -> None:
    assert REASONS[302] == "Found"
    assert REASONS[408] == "Request Timeout"
    assert REASONS[413] == "Request Entity Too Large"
    assert REASONS[414] == "Request-URI Too Long"
    assert REASONS[416] == "Requested Range Not Satisfiable"
    assert len(REASONS) == 60


def test_status_line() -> None:
    assert status_line(200) == "200 OK"
    assert status_line(599) == "500 Internal Server Error"
