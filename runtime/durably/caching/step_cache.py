"""What a step asks of a cache: is there a value, does somebody compute it, or must I?"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import threading
import time
import uuid
from collections.abc import AsyncGenerator, Coroutine, Generator
from typing import Any, Protocol, TypeVar
from weakref import WeakKeyDictionary

from ..errors import DecodeError, EncodeError
from ..journal import Codec
from .cache import Cache, Claims, FullKey
from .single_flight import SingleFlight, Turn

T = TypeVar("T")

_FIRST_PAUSE = 0.02
_LONGEST_PAUSE = 1.0

_log = logging.getLogger("durably")


class Clock(Protocol):
    """What is asked for time; the engine's clocks fit."""

    def monotonic(self) -> float:
        """Return seconds that never go back."""
        ...

    def sleep(self, seconds: float, /) -> None:
        """Block the calling thread."""
        ...

    async def asleep(self, seconds: float, /) -> None:
        """Suspend the calling task."""
        ...


class _SystemClock:
    monotonic = staticmethod(time.monotonic)
    sleep = staticmethod(time.sleep)
    asleep = staticmethod(asyncio.sleep)


class Entry:
    """What the cache has for one key, and where a computed value is put.

    Attributes:
        hit: Whether there is a value.
        value: The value, an object of its own for each caller; None unless :attr:`hit`.
    """

    __slots__ = ("_codec", "_data", "_hint", "_key", "hit", "value")

    def __init__(self, key: FullKey, codec: Codec, hint: Any) -> None:
        self._key = key
        self._codec = codec
        self._hint = hint
        self._data: bytes | None = None
        self.hit = False
        self.value: Any = None

    def put(self, value: Any) -> None:
        """Keep *value* when the block around is left without an exception.

        It is encoded now, so later changes to the object do not count. A value that the codec
        cannot write is not kept, and a warning says so.
        """
        try:
            self._data = self._codec.encode(value, hint=self._hint)
        except EncodeError as error:
            _log.warning("the result of %s is not cached: %s", self._key[0], error)

    def _fill(self, data: bytes) -> None:
        try:
            self.value = self._codec.decode(data, hint=self._hint)
            self.hit = True
        except DecodeError as error:
            _log.warning("a cached result of %s is computed anew: %s", self._key[0], error)


class StepCache:
    """A cache as steps use it: typed values, one computation at a time, no failure of its own.

    Within a process callers of the same key wait for the first of them, however many StepCaches
    there are over the cache. With a cache that processes share and that offers :class:`Claims`,
    other processes wait as well, but no longer than *patience*: a claim is a courtesy. A cache
    that fails is a cache without the value; the log says so, and the step is computed.

    Args:
        cache: Where values are kept.
        codec: Makes them bytes.
        clock: Is asked for the time and for pauses between looks at another process's claim.
        patience: Seconds a claim holds, and seconds to wait for another process at most.

    Example:
        >>> steps = StepCache(InMemoryCache(), Codec())
        >>> key = cache_key(slow_square, CachePolicy(ttl=60), [7])
        >>> with steps.entry(key, ttl=60) as entry:
        ...     if not entry.hit:
        ...         entry.put(slow_square(7))
    """

    def __init__(
        self, cache: Cache, codec: Codec, clock: Clock | None = None, *, patience: float = 60.0
    ) -> None:
        self._codec = codec
        self._flights = _flights_of(cache)
        time_: Clock = clock or _SystemClock()
        self._blocking = _Blocking(cache, time_, patience)
        self._awaiting = _Awaiting(cache, time_, patience)

    @contextlib.contextmanager
    def entry(
        self, key: FullKey, *, ttl: float | None = None, hint: Any = None
    ) -> Generator[Entry]:
        """Look a key up, and hold others off while the block computes and puts its value.

        The value is in the cache when the block has been left. When it is left by an exception,
        nothing is kept and the next caller who waits computes.

        Args:
            key: What :func:`cache_key` returned.
            ttl: Seconds to keep a value; None for ever.
            hint: A class for the codec; see :meth:`Codec.encode`.
        """
        visit = _Visit(self._blocking, Entry(key, self._codec, hint), key, ttl)
        at_once(visit.begin(self._flights))
        try:
            yield visit.entry
            at_once(visit.keep())
        finally:
            at_once(visit.end())

    @contextlib.asynccontextmanager
    async def aentry(
        self, key: FullKey, *, ttl: float | None = None, hint: Any = None
    ) -> AsyncGenerator[Entry]:
        """Like :meth:`entry`, without blocking the event loop."""
        async with self.visit(key, ttl=ttl, hint=hint) as entry:
            yield entry

    @contextlib.asynccontextmanager
    async def visit(
        self,
        key: FullKey,
        *,
        ttl: float | None = None,
        hint: Any = None,
        blocks: bool = False,
    ) -> AsyncGenerator[Entry]:
        """Like :meth:`aentry`; for plain code as well, where it *blocks* and never suspends."""
        way = self._blocking if blocks else self._awaiting
        visit = _Visit(way, Entry(key, self._codec, hint), key, ttl)
        await visit.begin(self._flights)
        try:
            yield visit.entry
            await visit.keep()
        finally:
            await visit.end()


class _Way:
    """What both ways to the cache, by blocking and by awaiting, have in common."""

    def __init__(self, cache: Cache, clock: Clock, patience: float) -> None:
        self.cache = cache
        self.claims: Claims | None = cache if isinstance(cache, Claims) else None
        self.clock = clock
        self.patience = patience


class _Blocking(_Way):
    """Never suspends, so its coroutines end at the first step."""

    async def enter(self, flights: SingleFlight[bytes], key: FullKey) -> Turn[bytes]:
        return flights.enter(key)

    async def get(self, key: FullKey) -> bytes | None:
        return self.cache.get([key]).get(key)

    async def set(self, key: FullKey, data: bytes, ttl: float | None) -> None:
        self.cache.set({key: (data, ttl)})

    async def claim(self, claims: Claims, key: FullKey, owner: str) -> bool:
        return claims.claim(key, owner, self.patience)

    async def release(self, claims: Claims, key: FullKey, owner: str) -> None:
        claims.release(key, owner)

    async def pause(self, seconds: float) -> None:
        self.clock.sleep(seconds)


class _Awaiting(_Way):
    """Leaves the event loop free."""

    async def enter(self, flights: SingleFlight[bytes], key: FullKey) -> Turn[bytes]:
        return await flights.aenter(key)

    async def get(self, key: FullKey) -> bytes | None:
        return (await self.cache.aget([key])).get(key)

    async def set(self, key: FullKey, data: bytes, ttl: float | None) -> None:
        await self.cache.aset({key: (data, ttl)})

    async def claim(self, claims: Claims, key: FullKey, owner: str) -> bool:
        return await claims.aclaim(key, owner, self.patience)

    async def release(self, claims: Claims, key: FullKey, owner: str) -> None:
        await claims.arelease(key, owner)

    async def pause(self, seconds: float) -> None:
        await self.clock.asleep(seconds)


class _Visit:
    """One caller's visit to one entry: the same decisions for both ways."""

    def __init__(
        self, way: _Blocking | _Awaiting, entry: Entry, key: FullKey, ttl: float | None
    ) -> None:
        self.entry = entry
        self._way = way
        self._key = key
        self._ttl = ttl
        self._turn: Turn[bytes] | None = None
        self._claim: str | None = None

    async def begin(self, flights: SingleFlight[bytes]) -> None:
        """Wait for whoever computes the value; then fill the entry, or be the one who computes."""
        turn = self._turn = await self._way.enter(flights, self._key)
        try:
            data = turn.value if turn.landed else await self._look(turn)
            if data is not None:
                self.entry._fill(data)
                if self.entry.hit:
                    turn.land(data)
        except BaseException:
            await self.end()
            raise

    async def keep(self) -> None:
        """Set what was put into the entry, then give it to those who wait."""
        data = self.entry._data
        if data is None:
            return
        try:
            await self._way.set(self._key, data, self._ttl)
        except Exception:
            _log.warning("the cache failed; %s is not cached", self._key[0], exc_info=True)
        if self._turn is not None:
            self._turn.land(data)

    async def end(self) -> None:
        """Let others have their turn."""
        if self._turn is not None:
            self._turn.leave()
        owner, self._claim = self._claim, None
        if owner is not None and self._way.claims is not None:
            try:
                await self._way.release(self._way.claims, self._key, owner)
            except Exception:
                _log.warning("the cache failed; its claim will expire", exc_info=True)

    async def _look(self, turn: Turn[bytes]) -> bytes | None:
        try:
            data = await self._way.get(self._key)
            if data is None and self._way.claims is not None and not turn.alone:
                data = await self._compete(self._way.claims)
            return data
        except Exception:
            _log.warning("the cache failed; %s is computed", self._key[0], exc_info=True)
            return None

    async def _compete(self, claims: Claims) -> bytes | None:
        """Claim the key, or wait for the process that did."""
        way, owner, pause = self._way, uuid.uuid4().hex, _FIRST_PAUSE
        give_up = way.clock.monotonic() + way.patience
        self._claim = owner  # before it is made: should this be cancelled, it is taken back
        while not await way.claim(claims, self._key, owner):
            if way.clock.monotonic() >= give_up:
                return None
            await way.pause(pause)
            pause = min(2 * pause, _LONGEST_PAUSE)
            data = await way.get(self._key)
            if data is not None:
                return data
        # Whoever held the claim before may have set the value just before letting go.
        return await way.get(self._key)


_flights: WeakKeyDictionary[Cache, SingleFlight[bytes]] = WeakKeyDictionary()
_flights_lock = threading.Lock()


if hasattr(os, "register_at_fork"):  # a child must not find it held by a thread it has not got
    os.register_at_fork(
        before=_flights_lock.acquire,
        after_in_parent=_flights_lock.release,
        after_in_child=_flights_lock.release,
    )


def _flights_of(cache: Cache) -> SingleFlight[bytes]:
    """Return the flights of a cache, which all of its StepCaches share."""
    with _flights_lock:
        try:
            return _flights.setdefault(cache, SingleFlight())
        except TypeError:  # a class without room for a weak reference
            return SingleFlight()


def at_once(work: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine that never suspends, and return what it returns."""
    try:
        work.send(None)
    except StopIteration as end:
        return end.value  # type: ignore[no-any-return]
    raise AssertionError("a coroutine in plain code was suspended")
