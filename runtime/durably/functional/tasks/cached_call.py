"""Tasks whose results serve other calls."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, cast

from ...caching import Cache, FullKey, StepCache, cache_key, cache_namespace
from ...engine import Step, current
from ...types import CachePolicy
from ..frame import Frame


class Cached:
    """One function's results in a cache.

    A call that finds its result there ends like one that computed it, except that its step is
    marked ``cached``. Callers of the same key at the same time compute it once.
    """

    def __init__(self, func: Callable[..., Any], policy: CachePolicy) -> None:
        self._func = func
        self._policy = policy

    def around(self, step: Step, function: Callable[[], Any]) -> Callable[[], Any]:
        """Return what executes *step*: a look into the cache, else *function*."""

        def cached() -> Any:
            with _cache().entry(self._key(step), ttl=self._policy.ttl) as entry:
                if entry.hit:
                    step.cached = True
                    return entry.value
                value = function()
                entry.put(value)
                return value

        return cached

    def aaround(
        self, step: Step, function: Callable[[], Awaitable[Any]]
    ) -> Callable[[], Awaitable[Any]]:
        """Like :meth:`around`, for coroutines."""

        async def cached() -> Any:
            async with _cache().aentry(self._key(step), ttl=self._policy.ttl) as entry:
                if entry.hit:
                    step.cached = True
                    return entry.value
                value = await function()
                entry.put(value)
                return value

        return cached

    def clear(self, cache: Cache) -> None:
        """Forget every result of the function, as it is now, that *cache* holds."""
        cache.clear([cache_namespace(self._func)])

    def _key(self, step: Step) -> FullKey:
        args, kwargs = cast("list[Any]", step.call.request)
        return cache_key(self._func, self._policy, args, kwargs)


def _cache() -> StepCache:
    scope = current()
    assert scope is not None
    frame = scope.local
    assert isinstance(frame, Frame)
    assert frame.cache is not None
    return frame.cache
