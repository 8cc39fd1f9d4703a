"""A store that lives and dies with the process, for tests and throw-away programs."""

from __future__ import annotations

import heapq
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from operator import attrgetter

from ..process_fork import Guarded, tell_of_forks
from .batch import Batch
from .config import IndexConfig, TTLConfig
from .embedder import Vectors
from .local_store import LocalStore
from .namespaces import is_below
from .ops import Namespace, Result
from .records import Draft, Record, expiry


class InMemoryStore(Guarded, LocalStore):
    """Keeps items in this process's memory; see :class:`~durably.store.BaseStore`.

    Values are kept as JSON, exactly as :class:`~durably.store.SqliteStore` keeps them, so a
    program that works with this store works with that one. Any number of threads may use it.

    Args:
        index: What makes it find items by meaning.
        ttl: When its items expire.
        clock: Returns seconds since the epoch; tests put their own in.

    Raises:
        EmbeddingError: The index has no usable ``embed``.

    Example:
        >>> store = InMemoryStore()
        >>> store.put(("users", "42"), "likes", {"food": "pizza"})
        >>> store.get(("users", "42"), "likes").value
        {'food': 'pizza'}
    """

    def __init__(
        self,
        *,
        index: IndexConfig | None = None,
        ttl: TTLConfig | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        super().__init__(index=index, ttl=ttl, clock=clock)
        self._lock = threading.Lock()
        self._records = _MemoryRecords()
        tell_of_forks(self)

    async def _acarry_out(self, batch: Batch, vectors: Vectors) -> list[Result]:
        return self._carry_out(batch, vectors)  # a thread would cost more than the work

    def _run(self, batch: Batch, vectors: Vectors, now: float) -> list[Result]:
        with self._lock:
            results, touched = batch.read(self._records, vectors, now)
            self._records.touch(touched, now)
            batch.write(self._records, vectors, now)
        return results

    def _sweep(self, now: float) -> int:
        with self._lock:
            return self._records.sweep(now)


@dataclass(slots=True)
class _Kept(Record):
    """A record with what SQLite keeps in columns of their own."""

    expires: float | None
    vectors: Sequence[bytes]

    def is_live(self, now: float) -> bool:
        return self.expires is None or self.expires > now


class _MemoryRecords:
    """Records in dictionaries; see :class:`~durably.store.records.Records`."""

    def __init__(self) -> None:
        self._spaces: dict[Namespace, dict[str, _Kept]] = {}
        self._by_id: dict[int, _Kept] = {}
        self._last = 0

    def find(self, namespace: Namespace, key: str, now: float) -> Record | None:
        kept = self._spaces.get(namespace, {}).get(key)
        return kept if kept and kept.is_live(now) else None

    def below(self, prefix: Namespace, now: float) -> Iterator[Record]:
        for kept in self._below(prefix):
            if kept.is_live(now):
                yield kept

    def vectors(self, prefix: Namespace) -> Mapping[int, Sequence[bytes]]:
        return {kept.id: kept.vectors for kept in self._below(prefix) if kept.vectors}

    def namespaces(self, now: float) -> Iterable[Namespace]:
        return [
            namespace
            for namespace, keys in self._spaces.items()
            if any(kept.is_live(now) for kept in keys.values())
        ]

    def touch(self, ids: Iterable[int], now: float) -> None:
        for number in ids:
            kept = self._by_id[number]
            kept.expires = expiry(now, kept.ttl)

    def put(self, namespace: Namespace, key: str, draft: Draft, now: float) -> None:
        keys = self._spaces.setdefault(namespace, {})
        kept = keys.get(key)
        created = kept.created if kept and kept.is_live(now) else now
        if kept is None:
            self._last += 1
        number = kept.id if kept else self._last
        until = expiry(now, draft.ttl)
        kept = _Kept(
            number, namespace, key, draft.text, created, now, draft.ttl, until, draft.vectors
        )
        keys[key] = self._by_id[number] = kept

    def delete(self, namespace: Namespace, key: str) -> None:
        keys = self._spaces.get(namespace, {})
        kept = keys.pop(key, None)
        if kept is not None:
            del self._by_id[kept.id]
        if not keys:
            self._spaces.pop(namespace, None)

    def sweep(self, now: float) -> int:
        expired = [kept for kept in self._by_id.values() if not kept.is_live(now)]
        for kept in expired:
            self.delete(kept.namespace, kept.key)
        return len(expired)

    def _below(self, prefix: Namespace) -> Iterator[_Kept]:
        """Yield in the order of ids; each namespace has its own in that order already."""
        spaces = [
            keys.values() for namespace, keys in self._spaces.items() if is_below(namespace, prefix)
        ]
        return iter(heapq.merge(*spaces, key=attrgetter("id")))
