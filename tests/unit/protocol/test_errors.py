"""The one error of the room."""

from coachwhip.protocol.errors import BadRequest


def test_detail_is_bounded() -> None:
    assert len(BadRequest(400, "x", detail=b"a" * 1000).detail) == 80


def test_errors_are_equal_when_they_say_the_same() -> None:
    assert BadRequest(400, "x", "AH1") == BadRequest(400, "x", "AH1")
    assert BadRequest(400, "x", "AH1") != BadRequest(400, "x", "AH2")
    assert len({BadRequest(400, "x"), BadRequest(400, "x")}) == 1
    assert repr(BadRequest(400, "x", "AH1")) == "BadRequest(400, 'x', 'AH1', detail=b'')"
