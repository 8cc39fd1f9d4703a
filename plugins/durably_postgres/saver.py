"""Checkpointers in PostgreSQL by LangGraph's names."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager, contextmanager
from typing import Any, TypeAlias

import psycopg
from psycopg.conninfo import make_conninfo
from psycopg_pool import AsyncConnectionPool, ConnectionPool

from durably.storage import Saver

from ._address import of_pool
from ._database import Pool
from .storage import PostgresStorage

Given: TypeAlias = (
    str | Pool | AsyncConnectionPool[Any] | psycopg.Connection[Any] | psycopg.AsyncConnection[Any]
)
"""What LangGraph's programs hand to a checkpointer."""


class PostgresSaver(Saver, PostgresStorage):
    """A checkpointer in a PostgreSQL database, for sync and async programs alike.

    Args:
        conn: A URL or libpq's keywords; or a ``ConnectionPool`` to borrow from; or a connection or
            an ``AsyncConnectionPool``, of which only the address is used.
        options: As for :class:`PostgresStorage`.

    Example:
        >>> with PostgresSaver.from_conn_string("postgresql:///runs") as saver:  # doctest: +SKIP
        ...     flow = entrypoint(checkpointer=saver)(body)
    """

    def __init__(self, conn: Given, **options: Any) -> None:
        super().__init__(_reachable(conn), **options)

    @classmethod
    @contextmanager
    def from_conn_string(
        cls,
        conn_string: str,
        *,
        pipeline: bool = False,  # noqa: ARG003 - LangGraph's; appends share a trip anyway
        **options: Any,
    ) -> Generator[PostgresSaver]:
        """Open a database for the length of a ``with`` block.

        Args:
            conn_string: A URL or libpq's keywords.
            pipeline: Does nothing.
            options: As for :class:`PostgresStorage`.
        """
        saver = cls(conn_string, **options)
        try:
            yield saver
        finally:
            saver.close()


class AsyncPostgresSaver(PostgresSaver):
    """:class:`PostgresSaver` under the name that LangGraph's async programs use."""

    async def setup(self) -> None:  # type: ignore[override]
        """Do nothing: opening has made the tables."""

    @classmethod
    @asynccontextmanager
    async def from_conn_string(  # type: ignore[override]
        cls,
        conn_string: str,
        *,
        pipeline: bool = False,  # noqa: ARG003 - as above
        **options: Any,
    ) -> AsyncGenerator[AsyncPostgresSaver]:
        """Open a database for the length of an ``async with`` block."""
        saver = cls(conn_string, **options)
        try:
            yield saver
        finally:
            saver.close()


def _reachable(conn: Given) -> str | Pool:
    if isinstance(conn, str | ConnectionPool):
        return conn
    if isinstance(conn, AsyncConnectionPool):
        return of_pool(conn)
    return make_conninfo(conn.info.dsn, password=conn.info.password or None)
