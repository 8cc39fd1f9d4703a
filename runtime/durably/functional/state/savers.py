"""Checkpointers by LangGraph's names: the journal's storages, with what savers offer."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

from ...journal import MemoryStorage, Saver, SqliteStorage


class InMemorySaver(Saver, MemoryStorage):
    """A checkpointer that lives and dies with the process; LangGraph's ``InMemorySaver``."""


class SqliteSaver(Saver, SqliteStorage):
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
