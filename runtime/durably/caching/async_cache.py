"""The async half of a cache whose work blocks: each method does its twin's work in a thread."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence

from .cache import FullKey, Namespace


class ThreadedCache(ABC):
    """What a cache derives from that reads files or waits for servers; see :class:`Cache`.

    A kind of cache says how it gets, sets, clears, and how processes claim what they compute.
    """

    @abstractmethod
    def get(self, keys: Sequence[FullKey]) -> dict[FullKey, bytes]:
        """See :meth:`Cache.get`."""

    @abstractmethod
    def set(self, pairs: Mapping[FullKey, tuple[bytes, float | None]]) -> None:
        """See :meth:`Cache.set`."""

    @abstractmethod
    def clear(self, namespaces: Sequence[Namespace] | None = None) -> None:
        """See :meth:`Cache.clear`."""

    @abstractmethod
    def claim(self, key: FullKey, owner: str, seconds: float) -> bool:
        """See :meth:`Claims.claim`."""

    @abstractmethod
    def release(self, key: FullKey, owner: str) -> None:
        """See :meth:`Claims.release`."""

    async def aget(self, keys: Sequence[FullKey]) -> dict[FullKey, bytes]:
        """Like :meth:`get`, in a thread."""
        return await asyncio.to_thread(self.get, keys)

    async def aset(self, pairs: Mapping[FullKey, tuple[bytes, float | None]]) -> None:
        """Like :meth:`set`, in a thread."""
        await asyncio.to_thread(self.set, pairs)

    async def aclear(self, namespaces: Sequence[Namespace] | None = None) -> None:
        """Like :meth:`clear`, in a thread."""
        await asyncio.to_thread(self.clear, namespaces)

    async def aclaim(self, key: FullKey, owner: str, seconds: float) -> bool:
        """Like :meth:`claim`, in a thread."""
        return await asyncio.to_thread(self.claim, key, owner, seconds)

    async def arelease(self, key: FullKey, owner: str) -> None:
        """Like :meth:`release`, in a thread."""
        await asyncio.to_thread(self.release, key, owner)
