"""The store of ordinary use: one SQLite file, shared by any number of threads and processes."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from typing import TypeVar

from ...errors import StorageError
from ..config import IndexConfig, TTLConfig
from ..persistent_store import SharedStore
from ..records import Records
from .file import IN_MEMORY, SqliteFile
from .records import SqliteRecords

_SCHEME = "sqlite:///"

T = TypeVar("T")


class SqliteStore(SharedStore):
    """Keeps items in a SQLite file; see :class:`~durably.store.BaseStore`.

    A put is on its way to the file when it returns, so it survives ``kill -9``. A batch is one
    transaction, so others see all of it or nothing. The file may hold a journal as well.

    The async methods do their work in a thread. Searching reads every item below the prefix:
    namespaces keep it fast, and a query compares with each vector there (quick with numpy
    installed, up to some ten thousand).

    Args:
        path_or_url: The file, or ``sqlite:///`` and the file, or ``":memory:"``. It is made if it
            is not there.
        index: What makes it find items by meaning.
        ttl: When its items expire.
        timeout: Seconds to wait for other processes' writes before giving up.
        clock: Returns seconds since the epoch; tests put their own in.

    Attributes:
        path: The file's absolute path, or ``":memory:"``.
        url: What names this store, ``sqlite:///`` and the path.

    Raises:
        StorageError: The file cannot be opened, or belongs to another program.
        JournalCorrupt: The file is damaged, or is no database.
        JournalTooNew: A later version of durably wrote the file.
        EmbeddingError: The index has no usable ``embed``.

    Example:
        >>> with SqliteStore("memory.db") as store:
        ...     store.put(("users", "42"), "likes", {"food": "pizza"})
    """

    def __init__(
        self,
        path_or_url: str | os.PathLike[str],
        *,
        index: IndexConfig | None = None,
        ttl: TTLConfig | None = None,
        timeout: float = 10.0,
        clock: Callable[[], float] = time.time,
    ) -> None:
        super().__init__(index=index, ttl=ttl, clock=clock)
        self._file = SqliteFile(_path(path_or_url), timeout)
        self.path = self._file.path
        self.url = _SCHEME + self.path

    @classmethod
    def from_conn_string(
        cls,
        conn_string: str,
        *,
        index: IndexConfig | None = None,
        ttl: TTLConfig | None = None,
    ) -> SqliteStore:
        """Open a store the way LangGraph's programs do, with ``with`` or ``async with``.

        Example:
            >>> with SqliteStore.from_conn_string("memory.db") as store:
            ...     store.setup()
        """
        return cls(conn_string, index=index, ttl=ttl)

    def close(self) -> None:
        """Let go of the file; closing twice does nothing."""
        self._file.close()

    def _look(self, work: Callable[[Records], T]) -> T:
        with self._file.reading() as db:
            return work(SqliteRecords(db))

    def _change(self, work: Callable[[Records], T]) -> T:
        with self._file.writing() as db:
            return work(SqliteRecords(db))


def _path(path_or_url: str | os.PathLike[str]) -> str:
    text = os.fspath(path_or_url)
    path = text.removeprefix(_SCHEME)
    if "://" in path:
        raise StorageError(
            f"{text!r} names no SQLite file. Give a path, 'sqlite:///path' or {IN_MEMORY!r}."
        )
    return path
