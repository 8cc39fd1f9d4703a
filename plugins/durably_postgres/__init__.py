"""Journals, long-term memory and step caches in PostgreSQL.

``postgresql://user:password@host/database`` names all three. The client library, psycopg 3, is
imported when the first of them is opened.

PostgresStorage     a journal's storage
PostgresSaver       the same with LangGraph's methods; AsyncPostgresSaver for its async programs
PostgresStore       long-term memory
PostgresCache       a step cache
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from durably import hookimpl
from durably.errors import PluginError

if TYPE_CHECKING:
    from durably import BaseStore
    from durably.storage import Cache, Storage

    from .cache import PostgresCache as PostgresCache
    from .saver import AsyncPostgresSaver as AsyncPostgresSaver
    from .saver import PostgresSaver as PostgresSaver
    from .storage import PostgresStorage as PostgresStorage
    from .store import PostgresStore as PostgresStore

_HOMES = {
    "AsyncPostgresSaver": "saver",
    "PostgresCache": "cache",
    "PostgresSaver": "saver",
    "PostgresStorage": "storage",
    "PostgresStore": "store",
}
_SCHEMES = ("postgresql://", "postgres://")
_CLIENT = ("psycopg", "psycopg_pool")


@hookimpl
def open_storage(url: str) -> Storage | None:
    """Open a journal at ``postgresql://…``."""
    return _class("PostgresStorage")(url) if url.startswith(_SCHEMES) else None


@hookimpl
def open_cache(url: str) -> Cache | None:
    """Open a cache by the same URLs."""
    return _class("PostgresCache")(url) if url.startswith(_SCHEMES) else None


@hookimpl
def open_store(url: str) -> BaseStore | None:
    """Open a long-term memory by the same URLs."""
    return _class("PostgresStore")(url) if url.startswith(_SCHEMES) else None


@hookimpl
def lend_name(name: str) -> object:
    """Lend this plug-in's classes to ``durably``: ``from durably import PostgresSaver``."""
    return __getattr__(name) if name in _HOMES else None


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    try:
        return _class(name)
    except PluginError as error:
        raise ImportError(str(error), name=__name__) from error


def _class(name: str) -> Any:
    """Return one of the classes, importing the client library.

    Raises:
        PluginError: The client library is not installed, or does not find libpq.
    """
    try:
        home = importlib.import_module(f"{__name__}.{_HOMES[name]}")
    except ImportError as error:
        if not str(error.name).startswith(_CLIENT) and "pq" not in str(error):
            raise
        raise PluginError(
            f"{name} needs psycopg 3: install durably[postgres] "
            f'(`python -m pip install "durably[postgres]"`). {error}'
        ) from error
    return getattr(home, name)
