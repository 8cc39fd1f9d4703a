"""The storages that come with durably, offered through the same door as everybody else's."""

from __future__ import annotations

from ..journal import MemoryStorage, SqliteStorage, Storage
from .specs import hookimpl

_SQLITE = "sqlite:///"


@hookimpl
def open_storage(url: str) -> Storage | None:
    """Open ``memory:``, ``sqlite:///path``, or a bare path that ends in ``.db``."""
    if url in {"memory", "memory:", "memory://"}:
        return MemoryStorage()
    if url.startswith(_SQLITE):
        return SqliteStorage(url.removeprefix(_SQLITE))
    if "://" not in url and url.endswith(".db"):
        return SqliteStorage(url)
    return None
