"""A request body between the wire and its reader: framing, limits, filters, splits."""

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coachwhip.api.core import CoreServer
from coachwhip.api.filters import InputFilterError
from coachwhip.api.request import BodyError
from coachwhip.connection.body import HIGH_WATER, RequestBody, limits_of
from coachwhip.protocol.fields import Limits
from coachwhip.protocol.framing import BodyKind, Framing


class Upper:
    """Decodes nothing, but shows that it was there."""

    def feed(self, data: bytes) -> bytes:
        return data.upper()

    def finish(self) -> bytes:
        return b"!"


class Broken(Upper):
    def feed(self, data: bytes) -> bytes:
        raise InputFilterError(400, "not what it claims to be")


def make(kind: BodyKind, length: int = 0, *, limit: int = 0, asked: list[bool] | None = None) -> RequestBody:
    framing = Framing(kind, length, True, False, False)
    return RequestBody(framing, asyncio.get_event_loop(), lambda: asked.append(True) if asked is not None else None, limit, Limits())


async def read_all(body: RequestBody) -> bytes:
    data = b""
    while piece := await body.next():
        data += piece
    return data


def test_a_length_is_taken_exactly_and_the_rest_given_back():
    async def run():
        body = make(BodyKind.LENGTH, 5)
        assert body.feed(b"ab") == b""
        assert body.feed(b"cdeGET /") == b"GET /"
        assert body.done
        assert await read_all(body) == b"abcde"

    asyncio.run(run())


@given(st.lists(st.binary(min_size=1, max_size=20), max_size=5), st.lists(st.integers(1, 9), min_size=1, max_size=60))
def test_chunks_come_out_the_same_however_they_are_split(chunks, sizes):
    wire = b"".join(b"%x\r\n%b\r\n" % (len(chunk), chunk) for chunk in chunks) + b"0\r\nA: b\r\n\r\nrest"

    async def run():
        body = make(BodyKind.CHUNKED)
        at, rest = 0, b""
        for size in [*sizes, len(wire)]:
            piece = wire[at : at + size]
            at += size
            rest += piece if body.done else body.feed(piece)
        assert rest == b"rest"
        assert await read_all(body) == b"".join(chunks)
        assert body.trailers == [(b"A", b"b")]

    asyncio.run(run())


def test_the_socket_is_left_alone_while_much_waits():
    async def run():
        body = make(BodyKind.LENGTH, 10 * HIGH_WATER)
        assert body.wants_more
        body.feed(b"x" * HIGH_WATER)
        assert not body.wants_more
        await body.next()
        assert body.wants_more

    asyncio.run(run())


def test_the_client_is_asked_on_the_first_read_unless_nothing_or_too_much_is_announced():
    async def run():
        for length, limit, expected in ((5, 0, [True]), (5, 4, []), (0, 0, [])):
            asked: list[bool] = []
            body = make(BodyKind.LENGTH, length, limit=limit, asked=asked)
            body.feed(b"x" * length)
            try:
                await body.next()
            except BodyError as error:
                assert (error.status, limit) == (413, 4)
            assert asked == expected

    asyncio.run(run())


def test_what_arrived_before_a_failure_is_read_then_the_failure():
    async def run():
        body = make(BodyKind.LENGTH, 5)
        body.feed(b"ab")
        body.fail(BodyError(400, "gone"))
        assert await body.next() == b"ab"
        with pytest.raises(BodyError, match="gone"):
            await body.next()

    asyncio.run(run())


def test_a_waiting_reader_hears_of_bytes_and_of_failures():
    async def run():
        body = make(BodyKind.LENGTH, 5)
        reader = asyncio.ensure_future(body.next())
        await asyncio.sleep(0)
        assert body.is_awaited
        body.feed(b"ab")
        assert await reader == b"ab"
        reader = asyncio.ensure_future(body.next())
        await asyncio.sleep(0)
        body.fail(BodyError(408, "late"))
        with pytest.raises(BodyError, match="late"):
            await reader

    asyncio.run(run())


def test_input_filters_decode_in_order_and_finish_once():
    async def run():
        body = make(BodyKind.LENGTH, 5)
        body.filter_by([Upper(), Upper()])
        body.feed(b"ab")
        assert await body.next() == b"AB"
        body.feed(b"cde")
        assert await read_all(body) == b"CDE!!"
        assert await body.next() == b""

    asyncio.run(run())


def test_an_input_filter_that_refuses_ends_the_body():
    async def run():
        body = make(BodyKind.LENGTH, 2)
        body.filter_by([Broken()])
        body.feed(b"ab")
        for _ in range(2):
            with pytest.raises(BodyError) as refused:
                await body.next()
            assert refused.value.status == 400

    asyncio.run(run())


@pytest.mark.parametrize(("trailers", "refused"), [
    (b"A: 1\r\nB: 2\r\n", False),
    (b"A: 1\r\nB: 2\r\nC: 3\r\n", True),
    (b"A: " + b"x" * 38 + b"\r\n", False),
    (b"A: " + b"x" * 39 + b"\r\n", True),
])  # fmt: skip
def test_trailers_keep_to_the_limits_of_their_server(trailers, refused):
    async def run():
        framing = Framing(BodyKind.CHUNKED, 0, True, False, False)
        lines = limits_of(CoreServer(limit_request_field_size=40, limit_request_fields=2))
        body = RequestBody(framing, asyncio.get_event_loop(), lambda: None, 0, lines)
        body.feed(b"1\r\na\r\n0\r\n" + trailers + b"\r\n")
        try:
            return await read_all(body)
        except BodyError as error:
            return error.status

    assert asyncio.run(run()) == (400 if refused else b"a")
