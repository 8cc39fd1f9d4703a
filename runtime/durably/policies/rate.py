"""How often steps may begin, in all processes that share the cache."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager

from ..caching import Cache
from ..engine import Clock, GatedStep, Way
from ..limits import RatePolicy
from ..types import retry_after
from .estimates import Estimates, used
from .ledger import Ledger
from .turns import Turns
from .window import Window


class RateGate:
    """Lets attempts through no faster than a rate allows, in the order in which they came.

    Tokens are reserved as estimated and corrected when the attempt has ended. A server that says
    how long to wait closes the gate for that time, for every process.

    Args:
        policy: The limits.
        name: What the limits are shared by.
        cache: Where the window is kept.
        clock: Time.
        estimates: Says what a step will take.
    """

    def __init__(
        self, policy: RatePolicy, name: str, cache: Cache, clock: Clock, estimates: Estimates
    ) -> None:
        self._policy = policy
        self._clock = clock
        self._estimates = estimates
        self._queue = Turns(1)
        # The limits are part of the key: a window of other limits says nothing about these.
        limits = f"{policy.requests}/{policy.tokens}/{policy.per:g}"
        key = (("durably", "rate"), f"{policy.name or name} {limits}")
        self._ledger = Ledger(cache, key, 2 * policy.per, clock)

    @asynccontextmanager
    async def around(self, step: GatedStep, way: Way) -> AsyncGenerator[None]:
        """Wait until the attempt may begin."""
        tokens = self._estimates.of(step).total if self._policy.tokens is not None else 0
        if way.may_wait:
            async with self._queue.taken(way):
                wait, at = await self._try(way, tokens)
                while wait:
                    await way.sleep(wait)
                    wait, at = await self._try(way, tokens)
        else:  # plain code on an event loop's thread: waiting would stop everything on it
            _, at = await self._try(way, tokens, may_wait=False)
        try:
            yield
        except Exception as error:
            asked_for = retry_after(error)
            if asked_for:
                await self._change(way, lambda one: one.close(self._clock.now(), asked_for))
            raise
        finally:
            self._estimates.learn(step)
            if tokens:
                took = used(step.usage)
                await self._change(way, lambda one: one.correct(at, took - tokens))

    async def _try(self, way: Way, tokens: int, *, may_wait: bool = True) -> tuple[float, float]:
        """Let a step through, or not; return the seconds to wait for it, and the time now."""

        def edit(packed: bytes | None) -> tuple[tuple[float, float], bytes]:
            window, now = Window(self._policy, packed), self._clock.now()
            wait = window.wait(now, tokens) if may_wait else 0.0
            if wait <= 0:
                window.take(now, tokens)
            return (wait, now), window.packed()

        return await self._ledger.change(way, edit)

    async def _change(self, way: Way, change: Callable[[Window], None]) -> None:
        def edit(packed: bytes | None) -> tuple[None, bytes]:
            window = Window(self._policy, packed)
            change(window)
            return None, window.packed()

        await self._ledger.change(way, edit)
