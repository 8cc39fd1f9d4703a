"""Checkpointers by LangGraph's names: the journal's storages, with what savers offer."""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections.abc import AsyncGenerator, Generator, Sequence
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any, Literal

from ..journal import MemoryStorage, SqliteStorage, copy_thread, keep_latest


class _Saver:
    """What every checkpointer offers besides keeping rows."""

    def setup(self) -> None:
        """Do nothing: a journal is made when it is opened."""

    def delete_thread(self, thread_id: str) -> None:
        """Forget a thread: its runs, its memory, its history.

        Raises:
            ThreadBusy: Somebody is driving it.
        """
        self.delete(str(thread_id), time.time())  # type: ignore[attr-defined]

    def copy_thread(self, source_thread_id: str, target_thread_id: str) -> None:
        """Copy a thread's runs, memory and history to a new thread.

        Raises:
            JournalError: The target is not empty.
            ThreadBusy: Somebody is driving the target.
        """
        copy_thread(self, str(source_thread_id), str(target_thread_id), time.time())  # type: ignore[arg-type]

    def prune(
        self,
        thread_ids: Sequence[str],
        *,
        strategy: Literal["keep_latest", "delete"] = "keep_latest",
    ) -> None:
        """Forget the older part of threads.

        Args:
            thread_ids: Which threads.
            strategy: ``keep_latest`` keeps each thread's last finished run and what came after it,
                ``delete`` keeps nothing.

        Raises:
            ThreadBusy: Somebody is driving one of them; those before it are pruned.
            ValueError: There is no such strategy.
        """
        if strategy not in ("keep_latest", "delete"):
            raise ValueError(f"unknown strategy {strategy!r}; there are keep_latest and delete")
        for thread in thread_ids:
            if strategy == "delete":
                self.delete_thread(thread)
            else:
                keep_latest(self, str(thread), time.time())  # type: ignore[arg-type]

    async def adelete_thread(self, thread_id: str) -> None:
        """Like :meth:`delete_thread`."""
        await asyncio.to_thread(self.delete_thread, thread_id)

    async def acopy_thread(self, source_thread_id: str, target_thread_id: str) -> None:
        """Like :meth:`copy_thread`."""
        await asyncio.to_thread(self.copy_thread, source_thread_id, target_thread_id)

    async def aprune(
        self,
        thread_ids: Sequence[str],
        *,
        strategy: Literal["keep_latest", "delete"] = "keep_latest",
    ) -> None:
        """Like :meth:`prune`."""
        await asyncio.to_thread(self.prune, thread_ids, strategy=strategy)


class InMemorySaver(_Saver, MemoryStorage):
    """A checkpointer that lives and dies with the process; LangGraph's ``InMemorySaver``."""


class SqliteSaver(_Saver, SqliteStorage):
    """A checkpointer in a SQLite file, for sync and async programs alike.

    Args:
        path: The file, or an open connection to it (of which only the file's name is used).

    Example:
        >>> with SqliteSaver.from_conn_string("runs.db") as saver:  # doctest: +SKIP
        ...     flow = entrypoint(checkpointer=saver)(body)
    """

    def __init__(self, path: str | Path | sqlite3.Connection, **options: Any) -> None:
        super().__init__(_file_of(path), **options)

    @classmethod
    @contextmanager
    def from_conn_string(cls, conn_string: str) -> Generator[SqliteSaver]:
        """Open a file for the length of a ``with`` block."""
        saver = cls(conn_string)
        try:
            yield saver
        finally:
            saver.close()


class AsyncSqliteSaver(SqliteSaver):
    """:class:`SqliteSaver` under the name that LangGraph's async programs use."""

    @classmethod
    @asynccontextmanager
    async def from_conn_string(  # type: ignore[override]
        cls, conn_string: str
    ) -> AsyncGenerator[AsyncSqliteSaver]:
        """Open a file for the length of an ``async with`` block."""
        saver = cls(conn_string)
        try:
            yield saver
        finally:
            saver.close()


def _file_of(path: str | Path | sqlite3.Connection) -> str | Path:
    if not isinstance(path, sqlite3.Connection):
        if str(path) == ":memory:":
            raise ValueError("SqliteSaver keeps a file; for memory use InMemorySaver()")
        return path
    name = next((row[2] for row in path.execute("PRAGMA database_list") if row[1] == "main"), "")
    if not name:
        raise ValueError("this connection has no file; for memory use InMemorySaver()")
    return str(name)
