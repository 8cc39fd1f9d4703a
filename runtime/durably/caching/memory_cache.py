"""The cache of one process."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence

from ..process_fork import Guarded, tell_of_forks
from .cache import FullKey, Namespace, checked

_SWEEP_AFTER = 1_024


class InMemoryCache(Guarded):
    """Keeps entries in this process, shared by its threads and event loops; see :class:`Cache`.

    Args:
        max_entries: How many there may be; the least recently used ones make room.
        clock: Returns seconds; entries expire by it.

    Raises:
        ValueError: There would be no room for one entry.

    Example:
        >>> cache = InMemoryCache(max_entries=1_000)
        >>> cache.set({(("f",), "1"): (b"one", None)})
        >>> len(cache)
        1
    """

    def __init__(
        self, *, max_entries: int = 100_000, clock: Callable[[], float] = time.time
    ) -> None:
        if max_entries < 1:
            raise ValueError(f"max_entries must be at least 1, not {max_entries}")
        self._max = max_entries
        self._clock = clock
        self._entries: OrderedDict[FullKey, tuple[bytes, float | None]] = OrderedDict()
        self._until_sweep = _SWEEP_AFTER
        self._lock = threading.Lock()
        tell_of_forks(self)

    def __len__(self) -> int:
        return len(self._entries)

    def get(self, keys: Sequence[FullKey]) -> dict[FullKey, bytes]:
        """Return the values of those keys that have one."""
        found: dict[FullKey, bytes] = {}
        with self._lock:
            now = self._clock()
            for key in keys:
                entry = self._entries.get(key)
                if entry is None:
                    continue
                value, expires = entry
                if _is_over(expires, now):
                    del self._entries[key]
                else:
                    self._entries.move_to_end(key)
                    found[key] = value
        return found

    def set(self, pairs: Mapping[FullKey, tuple[bytes, float | None]]) -> None:
        """Keep each value for as many seconds as stand beside it; None is for ever.

        Raises:
            TypeError: A value is not bytes; none was kept.
        """
        checked(pairs)
        with self._lock:
            now = self._clock()
            for key, (value, ttl) in pairs.items():
                self._entries[key] = (value, None if ttl is None else now + ttl)
                self._entries.move_to_end(key)
            self._until_sweep -= len(pairs)
            if self._until_sweep <= 0:
                self._sweep(now)
            while len(self._entries) > self._max:
                self._entries.popitem(last=False)

    def clear(self, namespaces: Sequence[Namespace] | None = None) -> None:
        """Forget the entries of exactly these namespaces; of all if None."""
        with self._lock:
            if namespaces is None:
                self._entries.clear()
                return
            gone = set(namespaces)
            for key in [key for key in self._entries if key[0] in gone]:
                del self._entries[key]

    async def aget(self, keys: Sequence[FullKey]) -> dict[FullKey, bytes]:
        """Like :meth:`get`; nothing here blocks."""
        return self.get(keys)

    async def aset(self, pairs: Mapping[FullKey, tuple[bytes, float | None]]) -> None:
        """Like :meth:`set`; nothing here blocks."""
        self.set(pairs)

    async def aclear(self, namespaces: Sequence[Namespace] | None = None) -> None:
        """Like :meth:`clear`; nothing here blocks."""
        self.clear(namespaces)

    def _sweep(self, now: float) -> None:
        for key in [key for key, (_, end) in self._entries.items() if _is_over(end, now)]:
            del self._entries[key]
        # After as many settings as there are entries: what it costs each setting is constant.
        self._until_sweep = max(_SWEEP_AFTER, len(self._entries))


def _is_over(expires: float | None, now: float) -> bool:
    return expires is not None and expires <= now
