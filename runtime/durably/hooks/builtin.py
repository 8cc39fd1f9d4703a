"""Storages, caches and stores that come with durably, offered as everybody else's are."""

from __future__ import annotations

from ..caching import Cache, InMemoryCache, SqliteCache
from ..journal import MemoryStorage, SqliteStorage, Storage
from ..markers import hookimpl
from ..store import BaseStore, InMemoryStore, SqliteStore

_SQLITE = "sqlite:///"


@hookimpl
def open_storage(url: str) -> Storage | None:
    """Open ``memory:``, ``sqlite:///path``, or a bare path that ends in ``.db``."""
    if _is_memory(url):
        return MemoryStorage()
    path = _sqlite_path(url)
    return SqliteStorage(path) if path else None


@hookimpl
def open_cache(url: str) -> Cache | None:
    """Open a cache by the same URLs."""
    if _is_memory(url):
        return InMemoryCache()
    path = _sqlite_path(url)
    return SqliteCache(path) if path else None


@hookimpl
def open_store(url: str) -> BaseStore | None:
    """Open a long-term memory by the same URLs."""
    if _is_memory(url):
        return InMemoryStore()
    path = _sqlite_path(url)
    return SqliteStore(path) if path else None


def _is_memory(url: str) -> bool:
    return url in {"memory", "memory:", "memory://"}


def _sqlite_path(url: str) -> str:
    """Return the file that a URL or bare path names; empty if it is none of SQLite's."""
    if url.startswith(_SQLITE):
        return url.removeprefix(_SQLITE)
    return url if "://" not in url and url.endswith(".db") else ""
