"""Tasks whose results serve other calls."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any, cast

from ...caching import (
    Cache,
    FullKey,
    StepCache,
    cache_key,
    cache_namespace,
    own_changes_noted,
)
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
        computed = self.watched(function)

        def cached() -> Any:
            with _cache().entry(self._key(step), ttl=self._policy.ttl) as entry:
                if entry.hit:
                    step.cached = True
                    return entry.value
                value = computed()
                entry.put(value)
                return value

        return cached

    def aaround(
        self, step: Step, function: Callable[[], Awaitable[Any]]
    ) -> Callable[[], Awaitable[Any]]:
        """Like :meth:`around`, for coroutines."""
        computed = self.awatched(function)

        async def cached() -> Any:
            async with _cache().aentry(self._key(step), ttl=self._policy.ttl) as entry:
                if entry.hit:
                    step.cached = True
                    return entry.value
                value = await computed()
                entry.put(value)
                return value

        return cached

    def watched(self, function: Callable[[], Any]) -> Callable[[], Any]:
        """Return what calls *function*, and learns what the task changes of what it captures."""

        def computed() -> Any:
            with own_changes_noted(self._func):
                return function()

        return computed

    def awatched(self, function: Callable[[], Awaitable[Any]]) -> Callable[[], Awaitable[Any]]:
        """Like :meth:`watched`, for coroutines."""

        async def computed() -> Any:
            with own_changes_noted(self._func):
                return await function()

        return computed

    def for_hosts(self) -> CachePolicy:
        """Return the policy for a cache that finds steps by their names.

        Tasks of one name that are different functions do not get each other's results.
        """
        return replace(self._policy, key_func=self._whole_key)

    def _whole_key(self, request: Any) -> str:
        args, kwargs = request
        namespace, key = cache_key(self._func, self._policy, args, kwargs)
        return "/".join((*namespace, key))

    def clear(self, cache: Cache) -> None:
        """Forget every result of the function, as it is now, that *cache* holds."""
        cache.clear([cache_namespace(self._func)])

    def _key(self, step: Step) -> FullKey:
        args, kwargs = cast("list[Any]", step.call.request)
        namespace, key = cache_key(self._func, self._policy, args, kwargs)
        run = step.run
        whose = {"run": run.id, "thread": run.info.thread}.get(self._policy.scope)
        return namespace, key if whose is None else f"{key} {self._policy.scope} {whose}"


def _cache() -> StepCache:
    scope = current()
    assert scope is not None
    frame = scope.local
    assert isinstance(frame, Frame)
    assert frame.cache is not None
    return frame.cache
