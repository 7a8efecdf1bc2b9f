"""Driving output filters: in what order, when they are made, and what they are fed."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from coachwhip.api.buckets import Brigade, Data, End, File, Stream
from coachwhip.api.filters import FilterType, RegisteredFilter
from coachwhip.api.record import Record
from coachwhip.filters import chain
from coachwhip.filters.chain import Chain, brigades, run_whole


class FakeFile:
    """An open file of so many bytes."""

    def __init__(self, size: int) -> None:
        self.size = size

    def read_at(self, offset: int, count: int) -> bytes:
        return b"x" * min(count, self.size - offset)


def suffix(text: bytes) -> RegisteredFilter:
    """A filter that puts `text` behind every piece of data."""

    def run(brigade: Brigade) -> Brigade:
        return [Data(b.data + text) if isinstance(b, Data) else b for b in brigade]

    return RegisteredFilter(text.decode(), FilterType.RESOURCE, make_output=lambda r: run)


def request(*filters: RegisteredFilter) -> Any:
    return SimpleNamespace(output_filters=[(f, None) for f in filters], record=Record())


def data(brigade: Brigade) -> list[bytes]:
    return [b.data for b in brigade if isinstance(b, Data)]


def test_filters_run_in_the_order_of_the_list() -> None:
    assert data(Chain(request(suffix(b"1"), suffix(b"2"))).feed([Data(b"a")])) == [b"a12"]


def test_a_filter_is_made_when_the_first_brigade_reaches_it() -> None:
    made: list[str] = []
    late = RegisteredFilter("late", FilterType.RESOURCE, make_output=lambda r: made.append("made"))
    filters = Chain(request(late))
    assert made == []
    filters.feed([Data(b"a")])
    filters.feed([End()])
    assert made == ["made"]


def test_a_filter_may_stay_out_of_it() -> None:
    filters = Chain(request(RegisteredFilter("none", FilterType.RESOURCE, make_output=lambda r: None), suffix(b"!")))
    assert data(filters.feed([Data(b"a")])) == [b"a!"]


def test_an_empty_chain_says_so() -> None:
    assert Chain(request()).is_empty
    assert not Chain(request(suffix(b"!"))).is_empty


def test_a_stream_is_fed_piece_by_piece() -> None:
    output: Brigade = [Data(b"head"), Stream(iter([b"a", b"b"])), End()]
    assert [data(b) for b in brigades(output, cut=False)] == [[b"head"], [b"a"], [b"b"], []]


def test_a_large_file_is_cut_only_for_filters(monkeypatch: Any) -> None:
    monkeypatch.setattr(chain, "PIECE", 4)
    whole = File(FakeFile(10), 0, 10)  # type: ignore[arg-type]
    assert next(brigades([whole, End()], cut=False))[0] is whole
    pieces = [b for brigade in brigades([whole, End()], cut=True) for b in brigade if isinstance(b, File)]
    assert [(p.start, p.length) for p in pieces] == [(0, 4), (4, 4), (8, 2)]


def test_a_subrequest_is_filtered_whole_and_ended() -> None:
    filtered = run_whole(request(suffix(b"!")), [Data(b"a"), Stream(iter([b"b"]))])
    assert data(filtered) == [b"a!", b"b!"]
    assert isinstance(filtered[-1], End)
