"""The store of ordinary use: one SQLite file, shared by any number of threads and processes."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable
from concurrent.futures import Future

from ..errors import StorageError
from ._batch import Batch
from ._embedding import Vectors
from ._local import LocalStore
from ._sqlite_file import IN_MEMORY, SqliteFile
from ._sqlite_records import SqliteRecords
from .config import IndexConfig, TTLConfig
from .ops import Result

_SCHEME = "sqlite:///"
_SWEEP_INTERVAL = 5.0  # minutes, as in LangGraph


class SqliteStore(LocalStore):
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

    def close(self) -> None:
        """Let go of the file; closing twice does nothing."""
        self._file.close()

    async def _acarry_out(self, batch: Batch, vectors: Vectors) -> list[Result]:
        return await asyncio.to_thread(self._carry_out, batch, vectors)

    def _run(self, batch: Batch, vectors: Vectors, now: float) -> list[Result]:
        if batch.writes:
            with self._file.writing() as db:
                records = SqliteRecords(db)
                results, touched = batch.read(records, vectors, now)
                records.touch(touched, now)
                batch.write(records, vectors, now)
            return results
        with self._file.reading() as db:
            results, touched = batch.read(SqliteRecords(db), vectors, now)
        if touched:  # only now, so that reads of what does not expire wait for nobody
            with self._file.writing() as db:
                SqliteRecords(db).touch(touched, now)
        return results

    def _sweep(self, now: float) -> int:
        with self._file.writing() as db:
            return SqliteRecords(db).sweep(now)


def _path(path_or_url: str | os.PathLike[str]) -> str:
    text = os.fspath(path_or_url)
    path = text.removeprefix(_SCHEME)
    if "://" in path:
        raise StorageError(
            f"{text!r} names no SQLite file. Give a path, 'sqlite:///path' or {IN_MEMORY!r}."
        )
    return path
