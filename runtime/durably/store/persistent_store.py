"""What stores have in common whose items outlive the process: transactions, threads, sweeping."""

from __future__ import annotations

import asyncio
from abc import abstractmethod
from collections.abc import Callable
from concurrent.futures import Future
from typing import TypeVar

from .batch import Batch
from .embedder import Vectors
from .local_store import LocalStore
from .ops import Result
from .records import Records

_SWEEP_INTERVAL = 5.0  # minutes, as in LangGraph

T = TypeVar("T")


class SharedStore(LocalStore):
    """A store whose records lie where other processes see them, and change in transactions.

    A kind of store says how records are looked at and changed; work may be done again from its
    beginning when a transaction has to be.
    """

    def setup(self) -> None:
        """Do nothing: opening has made the tables. LangGraph's programs call it."""

    def start_ttl_sweeper(self, sweep_interval_minutes: float | None = None) -> Future[None]:
        """Sweep now, and at the occasion of a write whenever the interval has passed.

        There is no thread: an expired item is never returned, so nobody waits for a sweep.

        Args:
            sweep_interval_minutes: The interval; None: as the store's configuration says, or 5.

        Returns:
            A future that is done, for programs that keep or cancel LangGraph's.
        """
        self._sweep_interval = sweep_interval_minutes or self._sweep_interval or _SWEEP_INTERVAL
        self.sweep_ttl()
        done: Future[None] = Future()
        done.set_result(None)
        return done

    def stop_ttl_sweeper(self, timeout: float | None = None) -> bool:  # noqa: ARG002
        """Leave sweeping to :meth:`sweep_ttl` again; always True."""
        self._sweep_interval = None
        return True

    @abstractmethod
    def _look(self, work: Callable[[Records], T]) -> T:
        """Do *work* on the records as one moment has them, waiting for nobody's changes."""

    @abstractmethod
    def _change(self, work: Callable[[Records], T]) -> T:
        """Do *work* on the records, all or nothing."""

    async def _acarry_out(self, batch: Batch, vectors: Vectors) -> list[Result]:
        return await asyncio.to_thread(self._carry_out, batch, vectors)

    def _run(self, batch: Batch, vectors: Vectors, now: float) -> list[Result]:
        if batch.writes:
            return self._change(lambda records: _carried_out(batch, records, vectors, now))
        results, touched = self._look(lambda records: batch.read(records, vectors, now))
        if touched:  # only now, so that reads of what does not expire wait for nobody
            self._change(lambda records: records.touch(touched, now))
        return results

    def _sweep(self, now: float) -> int:
        return self._change(lambda records: records.sweep(now))


def _carried_out(batch: Batch, records: Records, vectors: Vectors, now: float) -> list[Result]:
    results, touched = batch.read(records, vectors, now)
    records.touch(touched, now)
    batch.write(records, vectors, now)
    return results
