"""What an entrypoint works with: its checkpointer, store and cache, checked when it is declared."""

from __future__ import annotations

import threading
from typing import Any, TypeAlias

from ...caching import Cache
from ...hooks import Plugins
from ...hosting import Host
from ...journal import Storage
from ...types import CachePolicy

Checkpointer: TypeAlias = "str | Storage | Host | bool | None"

_STORE = ("get", "put", "search", "delete")


def checked_checkpointer(given: Any) -> Checkpointer:
    """Return *given* if runs can be kept there.

    Raises:
        TypeError: They cannot.
    """
    if given is None or isinstance(given, bool) or (isinstance(given, str) and given):
        return given
    if isinstance(given, Host | Storage) and not isinstance(given, type):
        return given
    raise TypeError(
        f"{_shown(given)} is no checkpointer; give a URL, an InMemorySaver, a SqliteSaver or a Host"
    )


def checked_cache_policy(given: Any) -> CachePolicy | None:
    """Return *given* if it says how results are cached.

    Raises:
        TypeError: It does not.
    """
    if given is None or isinstance(given, CachePolicy):
        return given
    raise TypeError(f"cache_policy is a CachePolicy, not {_shown(given)}")


class Resources:
    """An entrypoint's store and cache; one that is given by its URL is opened when it is used.

    Args:
        store: Long-term memory, or its URL.
        cache: Where tasks' results serve other calls, or its URL.
        checkpointer: A host whose plug-ins open URLs, if it is one.

    Raises:
        TypeError: What was given is neither.
    """

    def __init__(self, store: Any, cache: Any, checkpointer: Any) -> None:
        is_store = all(callable(getattr(store, name, None)) for name in _STORE)
        if isinstance(store, type) or not (store is None or isinstance(store, str) or is_store):
            raise TypeError(
                f"{_shown(store)} is no store; give a URL, an InMemoryStore or a SqliteStore"
            )
        is_cache = isinstance(cache, Cache)
        if isinstance(cache, type) or not (cache is None or isinstance(cache, str) or is_cache):
            raise TypeError(
                f"{_shown(cache)} is no cache; give a URL, an InMemoryCache or a SqliteCache"
            )
        self._store = store
        self._cache = cache
        self._host = checkpointer if isinstance(checkpointer, Host) else None
        self._lock = threading.Lock()

    @property
    def store(self) -> Any:
        """The long-term memory, or None.

        Raises:
            PluginError: No plug-in knows its URL.
        """
        with self._lock:
            if isinstance(self._store, str):
                self._store = self._plugins.open_store(self._store)
            return self._store

    @property
    def cache(self) -> Any:
        """The cache, or None.

        Raises:
            PluginError: No plug-in knows its URL.
        """
        with self._lock:
            if isinstance(self._cache, str):
                self._cache = self._plugins.open_cache(self._cache)
            return self._cache

    @property
    def _plugins(self) -> Plugins:
        return self._host.plugins if self._host is not None else Plugins()


def _shown(given: Any) -> str:
    if isinstance(given, type):
        return f"the class {given.__name__}"
    return f"{given!r}"
