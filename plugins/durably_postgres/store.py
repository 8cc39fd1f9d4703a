"""The store of programs that run on several machines: items in a PostgreSQL database."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, TypeVar

from durably.storage import IndexConfig, Records, SharedStore, TTLConfig

from ._database import Database, Pool
from ._records import PostgresRecords

T = TypeVar("T")


class PostgresStore(SharedStore):
    """Keeps items in a PostgreSQL database; see :class:`~durably.BaseStore`.

    A batch is one transaction. The async methods do their work in a thread. Searching reads every
    item below the prefix, and a query compares with each vector there, in this process.

    Args:
        conn: A URL or libpq's keywords, or a ``psycopg_pool.ConnectionPool`` to borrow from. The
            database may hold a journal as well.
        index: What makes it find items by meaning.
        ttl: When its items expire.
        schema: Where the tables are, as for ``PostgresStorage``.
        patience: Seconds to go on trying when the server cannot be reached.
        connections: How many may be open at once.
        clock: Returns seconds since the epoch; tests put their own in.

    Attributes:
        url: What names this store, without a password.

    Raises:
        StorageError: The database cannot be reached or used.
        JournalTooNew: A later version of durably wrote the schema.
        EmbeddingError: The index has no usable ``embed``.

    Example:
        >>> with PostgresStore("postgresql:///memory") as store:  # doctest: +SKIP
        ...     store.put(("users", "42"), "likes", {"food": "pizza"})
    """

    def __init__(
        self,
        conn: str | Pool,
        *,
        index: IndexConfig | None = None,
        ttl: TTLConfig | None = None,
        schema: str | None = None,
        patience: float = 30.0,
        connections: int = 8,
        clock: Callable[[], float] = time.time,
    ) -> None:
        super().__init__(index=index, ttl=ttl, clock=clock)
        self._database = Database(conn, schema=schema, patience=patience, connections=connections)
        self.url = self._database.address.url

    @classmethod
    def from_conn_string(
        cls,
        conn_string: str,
        *,
        pipeline: bool = False,  # noqa: ARG003 - LangGraph's; does nothing here
        pool_config: Any = None,
        index: IndexConfig | None = None,
        ttl: TTLConfig | None = None,
    ) -> PostgresStore:
        """Open a store the way LangGraph's programs do, with ``with`` or ``async with``.

        Args:
            conn_string: A URL or libpq's keywords.
            pipeline: Does nothing.
            pool_config: Its ``max_size`` says how many connections may be open at once.
            index: What makes the store find items by meaning.
            ttl: When its items expire.

        Example:
            >>> with PostgresStore.from_conn_string(url) as store:  # doctest: +SKIP
            ...     store.setup()
        """
        connections = dict(pool_config or {}).get("max_size") or 8
        return cls(conn_string, index=index, ttl=ttl, connections=connections)

    def close(self) -> None:
        """Let go of the connections; closing twice does nothing."""
        self._database.close()

    def _look(self, work: Callable[[Records], T]) -> T:
        return self._database.look(
            lambda connection: work(PostgresRecords(self._database, connection))
        )

    def _change(self, work: Callable[[Records], T]) -> T:
        return self._database.transact(
            lambda connection: work(PostgresRecords(self._database, connection))
        )
