"""Outcomes of steps that serve other steps with the same request."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from typing import Any, cast

from ..caching import FullKey, StepCache
from ..engine import GatedStep, Served, Way
from ..types import CachePolicy


class CacheGate:
    """Serves a step from the cache, or keeps what executing it came to.

    The key is the fingerprint of the request: every argument that changes the answer. What is kept
    is what the journal keeps, so an adapter restores a cached answer as it restores a recorded
    one. Callers of the same request at the same time wait for the first of them.

    Args:
        policy: For how long, and for whom.
        cache: Where.
    """

    def __init__(self, policy: CachePolicy, cache: StepCache) -> None:
        self._policy = policy
        self._cache = cache

    @asynccontextmanager
    async def around(self, step: GatedStep, way: Way) -> AsyncGenerator[Served | None]:
        """Serve the step if there is a value; else keep the one that it has in the end."""
        visit = self._cache.visit(
            self._key(step), ttl=self._policy.ttl, hint=step.call.hint, blocks=not way.may_suspend
        )
        async with visit as entry:
            if entry.hit and isinstance(entry.value, Mapping):
                kept = cast("Mapping[str, Any]", entry.value)
                yield Served(kept["value"], kept["usage"], is_cached=True, is_stored=True)
                return
            yield None
            if (
                step.is_done and not step.is_altered
            ):  # what answers another request is no answer here
                usage = dict(step.usage) if step.usage else None
                entry.put({"value": step.stored, "usage": usage})

    def _key(self, step: GatedStep) -> FullKey:
        call, run = step.call, step.run
        whose = {"run": run.id, "thread": run.info.thread}.get(self._policy.scope, "")
        namespace = ("durably", "step", call.adapter, call.kind, call.name)
        if self._policy.key_func is None:
            return (*namespace, whose), step.slot.print.hex()
        key = self._policy.key_func(call.request)
        return (*namespace, whose, "own key"), key if isinstance(key, str) else key.hex()
