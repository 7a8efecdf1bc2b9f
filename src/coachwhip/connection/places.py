"""Places: how many requests of one worker are worked on at the same time, beside what its loop answers at once.

A request has a place while a thread works on it or its `async def` handler runs, and gives it back while it waits for its client: one that
sends slowly keeps nobody waiting. Used by `exchange.py` alone.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable

__all__ = ["Place", "Places"]


class Places:
    """The places of one worker."""

    def __init__(self, count: int = 0) -> None:
        """`count`: 0 for as many as are asked for."""
        #: None where everyone has a place.
        self.free = asyncio.Semaphore(count) if count else None
        #: Requests that have a place or wait for one; not those that wait for their client.
        self.asked = 0


class Place:
    """One request's. A context manager: entering waits for it."""

    __slots__ = ("_is_held", "_places")

    def __init__(self, places: Places) -> None:
        self._places = places
        self._is_held = False

    async def __aenter__(self) -> Place:
        self._places.asked += 1
        try:
            await self._take()
        except asyncio.CancelledError:
            self._places.asked -= 1
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        self._places.asked -= 1
        self._give_back()

    async def outside(self, waiting: Awaitable[None]) -> None:
        """Wait for something with the place given back, and take one again; without one, just wait."""
        had_one = self._is_held
        self._give_back()
        self._places.asked -= 1
        try:
            await waiting
        finally:
            self._places.asked += 1
        if had_one:
            await self._take()

    async def _take(self) -> None:
        if self._places.free is not None:
            await self._places.free.acquire()
            self._is_held = True

    def _give_back(self) -> None:
        if self._places.free is not None and self._is_held:
            self._is_held = False
            self._places.free.release()
