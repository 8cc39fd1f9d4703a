"""State that processes change one after the other, kept in the cache that they share."""

from __future__ import annotations

import logging
import uuid
from collections.abc import Callable
from typing import TypeVar

from ..caching import Cache, Claims, FullKey
from ..engine import Clock, Way
from .turns import Turns

T = TypeVar("T")
Edit = Callable[[bytes | None], tuple[T, bytes]]
"""Takes what is kept; returns what the caller wants to know, and what to keep."""

_HOLD = 5.0
_PAUSES = (0.002, 0.25)

_log = logging.getLogger("durably")


class Ledger:
    """One piece of state in a cache.

    In a cache that offers :class:`Claims` a change is made under a claim, so that two processes do
    not change the same state at once. A process that dies holding one blocks the others for some
    seconds. A cache that fails is told of in the log, and the change is made on nothing: a limit
    that cannot be looked up must not stop a program.

    Args:
        cache: Where it is kept.
        key: Its place there.
        ttl: Seconds after the last change in which it means something.
        clock: Time.
    """

    def __init__(self, cache: Cache, key: FullKey, ttl: float, clock: Clock) -> None:
        self._cache = cache
        self._claims = cache if isinstance(cache, Claims) else None
        self._key = key
        self._ttl = ttl
        self._clock = clock
        self._turns = Turns(1)

    async def change(self, way: Way, edit: Edit[T]) -> T:
        """Change the state, and return what *edit* says."""
        if not way.may_wait:
            return await self._changed(way, edit)
        async with self._turns.taken(way):
            return await self._changed(way, edit)

    async def _changed(self, way: Way, edit: Edit[T]) -> T:
        try:
            return await self._exclusively(way, edit)
        except Exception:
            _log.warning("the limit %s cannot be looked up", self._key[0], exc_info=True)
            return edit(None)[0]

    async def _exclusively(self, way: Way, edit: Edit[T]) -> T:
        claims, owner = self._claims, uuid.uuid4().hex

        def edited() -> T:
            told, kept = edit(self._cache.get([self._key]).get(self._key))
            self._cache.set({self._key: (kept, self._ttl)})
            return told

        if claims is None:
            return await way.call(edited)
        pause, longest = _PAUSES
        give_up = self._clock.monotonic() + 2 * _HOLD
        while not await way.call(claims.claim, self._key, owner, _HOLD):
            if self._clock.monotonic() >= give_up:
                break  # a claim is a courtesy; a stuck one must not stop the program
            await way.sleep(pause)
            pause = min(2 * pause, longest)
        try:
            return await way.call(edited)
        finally:
            await way.call(claims.release, self._key, owner)
