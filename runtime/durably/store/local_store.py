"""What the two stores of this room have in common: prepare a batch, embed, carry it out."""

from __future__ import annotations

import time
from abc import abstractmethod
from collections.abc import Callable, Iterable

from .base import BaseStore
from .batch import Batch
from .config import IndexConfig, TTLConfig
from .embedder import Embedder, Vectors
from .ops import Op, Result

_NO_VECTORS = Vectors({}, {})
_SECONDS_PER_MINUTE = 60.0


class LocalStore(BaseStore):
    """A store that carries batches out in this process.

    Args:
        index: What makes it find items by meaning.
        ttl: When its items expire.
        clock: Returns seconds since the epoch.
    """

    supports_ttl = True

    def __init__(
        self,
        *,
        index: IndexConfig | None = None,
        ttl: TTLConfig | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.index_config = index
        self.ttl_config = ttl
        self._embedder = Embedder(index) if index else None
        self._clock = clock
        self._sweep_interval = (ttl or {}).get("sweep_interval_minutes")
        self._next_sweep = 0.0

    def batch(self, ops: Iterable[Op]) -> list[Result]:
        """Carry out several operations at once; see :meth:`BaseStore.batch`."""
        batch = Batch(ops, self._embedder)
        vectors = _NO_VECTORS
        if self._embedder is not None and (batch.texts or batch.queries):
            vectors = self._embedder.embed(batch.texts, batch.queries)
        return self._carry_out(batch, vectors)

    async def abatch(self, ops: Iterable[Op]) -> list[Result]:
        """Carry out several operations at once; see :meth:`BaseStore.abatch`."""
        batch = Batch(ops, self._embedder)
        vectors = _NO_VECTORS
        if self._embedder is not None and (batch.texts or batch.queries):
            vectors = await self._embedder.aembed(batch.texts, batch.queries)
        return await self._acarry_out(batch, vectors)

    def sweep_ttl(self) -> int:
        """Delete the items that have expired, which no read returns any more.

        Returns:
            How many those were.
        """
        return self._sweep(self._clock())

    def _carry_out(self, batch: Batch, vectors: Vectors) -> list[Result]:
        now = self._clock()
        results = self._run(batch, vectors, now)
        if self._sweep_interval and batch.writes and now >= self._next_sweep:
            self._next_sweep = now + self._sweep_interval * _SECONDS_PER_MINUTE
            self._sweep(now)
        return results

    @abstractmethod
    async def _acarry_out(self, batch: Batch, vectors: Vectors) -> list[Result]:
        """Do the same without blocking the loop for long."""

    @abstractmethod
    def _run(self, batch: Batch, vectors: Vectors, now: float) -> list[Result]:
        """Carry a batch out, all or nothing."""

    @abstractmethod
    def _sweep(self, now: float) -> int:
        """Delete what has expired by *now*."""
