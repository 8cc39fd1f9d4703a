"""What a cache is: rows of bytes that may be gone at any time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol, TypeAlias, runtime_checkable

Namespace: TypeAlias = tuple[str, ...]
"""What entries are cleared by: one for each function, see :func:`cache_namespace`."""

FullKey: TypeAlias = tuple[Namespace, str]
"""A namespace and a key inside it."""


@runtime_checkable
class Cache(Protocol):
    """Keeps values for steps; methods and arguments are those of LangGraph's ``BaseCache``.

    One thing differs: values are bytes. What turns them into objects is durably's codec, so a
    cache needs no serializer and never builds an object from what it read. Methods may be called
    from any thread; a value that was set is found by every later ``get``, until it expires, is
    cleared, or has to make room.

    Example:
        >>> cache = InMemoryCache()
        >>> cache.set({(("f",), "1"): (b"one", 60)})
        >>> cache.get([(("f",), "1"), (("f",), "2")])
        {(('f',), '1'): b'one'}
    """

    def get(self, keys: Sequence[FullKey]) -> dict[FullKey, bytes]:
        """Return the values of those keys that have one."""
        ...

    def set(self, pairs: Mapping[FullKey, tuple[bytes, float | None]]) -> None:
        """Keep each value for as many seconds as stand beside it; None is for ever."""
        ...

    def clear(self, namespaces: Sequence[Namespace] | None = None) -> None:
        """Forget the entries of exactly these namespaces; of all if None."""
        ...

    async def aget(self, keys: Sequence[FullKey]) -> dict[FullKey, bytes]:
        """Like :meth:`get`, without blocking the event loop."""
        ...

    async def aset(self, pairs: Mapping[FullKey, tuple[bytes, float | None]]) -> None:
        """Like :meth:`set`, without blocking the event loop."""
        ...

    async def aclear(self, namespaces: Sequence[Namespace] | None = None) -> None:
        """Like :meth:`clear`, without blocking the event loop."""
        ...


@runtime_checkable
class Claims(Protocol):
    """What a cache that processes share may offer besides, so that they do not compute at once."""

    def claim(self, key: FullKey, owner: str, seconds: float) -> bool:
        """Say for *seconds* that *owner* computes *key*; False if another says so already."""
        ...

    def release(self, key: FullKey, owner: str) -> None:
        """Take *owner*'s claim back; another's is left alone."""
        ...

    async def aclaim(self, key: FullKey, owner: str, seconds: float) -> bool:
        """Like :meth:`claim`, without blocking the event loop."""
        ...

    async def arelease(self, key: FullKey, owner: str) -> None:
        """Like :meth:`release`, without blocking the event loop."""
        ...


def checked(pairs: Mapping[FullKey, tuple[bytes, float | None]]) -> None:
    """Refuse values that are not bytes, before any is kept.

    Raises:
        TypeError: One is not; says which.
    """
    for key, (value, _) in pairs.items():
        if not isinstance(value, bytes):
            raise TypeError(
                f"the cache value of {key!r} is a {type(value).__qualname__}, not bytes; encode "
                "it first, with durably's codec or your own"
            )
