"""Places: no more than there are, given back while a client is waited for, and by whoever is cancelled."""

from __future__ import annotations

import asyncio

import pytest

from coachwhip.connection.places import Place, Places


class Work:
    """A request that has its place until it is told to end."""

    def __init__(self, places: Places) -> None:
        self.began = False
        self.ends = asyncio.Event()
        #: Set when what it waits for from its client is there.
        self.arrives: asyncio.Future[None] | None = None
        self.task = asyncio.ensure_future(self._run(places))

    async def _run(self, places: Places) -> None:
        async with Place(places) as place:
            self.began = True
            if self.arrives is not None:
                await place.outside(self.arrives)
            await self.ends.wait()


async def turns() -> None:
    """Let all go as far as they can."""
    for _ in range(10):
        await asyncio.sleep(0)


@pytest.mark.parametrize(("count", "begin"), [(2, 2), (0, 5)])
def test_so_many_begin_and_the_others_as_places_come_free(count: int, begin: int) -> None:
    asyncio.run(so_many(count, begin))


async def so_many(count: int, begin: int) -> None:
    places = Places(count)
    works = [Work(places) for _ in range(5)]
    await turns()
    assert sum(work.began for work in works) == begin
    assert places.asked == 5
    works[0].ends.set()
    await turns()
    assert sum(work.began for work in works) == min(begin + 1, 5)
    for work in works:
        work.ends.set()
    await asyncio.gather(*[work.task for work in works])
    assert places.asked == 0


def test_who_waits_for_a_client_keeps_nobody_waiting() -> None:
    asyncio.run(one_waits_for_a_client())


async def one_waits_for_a_client() -> None:
    places = Places(1)
    slow = Work(places)
    slow.arrives = asyncio.get_running_loop().create_future()
    other = Work(places)
    await turns()
    assert slow.began and other.began
    assert places.asked == 1
    slow.arrives.set_result(None)
    slow.ends.set()
    await turns()
    assert not slow.task.done()
    other.ends.set()
    await asyncio.gather(slow.task, other.task)


@pytest.mark.parametrize("waits_for", ["its end", "its client", "a place"])
def test_who_is_cancelled_leaves_the_place_to_another(waits_for: str) -> None:
    asyncio.run(one_is_cancelled(waits_for))


async def one_is_cancelled(waits_for: str) -> None:
    places = Places(1)
    first = Work(places)
    if waits_for == "its client":
        first.arrives = asyncio.get_running_loop().create_future()
    await turns()
    cancelled = Work(places) if waits_for == "a place" else first
    await turns()
    cancelled.task.cancel()
    await asyncio.gather(cancelled.task, return_exceptions=True)
    first.ends.set()
    others = [Work(places) for _ in range(2)]
    await turns()
    assert [work.began for work in others] == [True, False]
    for work in others:
        work.ends.set()
    await asyncio.gather(first.task, *[work.task for work in others], return_exceptions=True)
    assert places.asked == 0
