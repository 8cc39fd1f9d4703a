"""A database as the storage, the store and the cache use it: lent connections, and second tries."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias, TypeVar

import psycopg
from psycopg import pq
from psycopg.rows import tuple_row
from psycopg.sql import SQL, Identifier
from psycopg_pool import ConnectionPool, PoolTimeout

from durably.errors import StorageError
from durably.storage import leave_to_parent, tell_of_forks

from ._address import Address, address, of_pool
from ._errors import explained, is_lost, passes
from ._schema import prepare

Pool: TypeAlias = ConnectionPool[Any]
Connection: TypeAlias = psycopg.Connection[Any]
Values: TypeAlias = Sequence[Any] | Mapping[str, Any]
T = TypeVar("T")

_LONGEST_PAUSE = 1.0
_TURN = 2.0
"""Seconds after which a pool that got no connection begins anew instead of pausing longer."""

_OPTIONS: dict[str, Any] = {"autocommit": True, "prepare_threshold": None}
"""No prepared statements: a pooler may give each transaction another session."""


class Database:
    """Does work on connections, again on another one where a connection was lost.

    Args:
        given: What names the database, or a pool of psycopg's to borrow from.
        schema: Where the tables are; see :func:`~durably_postgres._address.address`.
        patience: Seconds to go on trying while the server cannot be reached.
        connections: How many may be open at once.

    Attributes:
        address: Where it is.

    Raises:
        StorageError: It cannot be reached or used.
        JournalTooNew: A later version of durably wrote the schema.
    """

    def __init__(
        self, given: str | Pool, *, schema: str | None, patience: float, connections: int
    ) -> None:
        self.address = address(given if isinstance(given, str) else of_pool(given), schema)
        self._patience = patience
        self._is_left = False
        self._opening = threading.Lock()
        self._is_closed = False
        self._is_away = False  # waited for in vain: until it is back, nobody waits as long again
        self._statements: dict[str, bytes] = {}
        self._is_ours = isinstance(given, str)
        self._connections = connections
        self._prepare(given)
        self._pool: Pool = _pool(self.address, connections) if isinstance(given, str) else given
        tell_of_forks(self)

    def before_fork(self) -> None:
        """Do nothing: the child does not touch what is connected."""

    def after_fork(self, *, in_child: bool) -> None:
        """Leave the connections to the parent; the child's are opened when it needs one."""
        if in_child:
            leave_to_parent(self._pool)
            self._is_left = True
            self._opening = threading.Lock()

    def _opened(self) -> Pool:
        """Return the pool; in a forked child another one than the parent's."""
        if self._is_left:  # and ours, since any other is refused
            with self._opening:
                if self._is_left:
                    self._pool = _pool(self.address, self._connections)
                    self._is_left = False
        return self._pool

    def sql(self, text: str) -> bytes:
        """Return a fixed statement with the schema's name where it says ``{s}``."""
        found = self._statements.get(text)
        if found is None:
            whole = SQL(text).format(s=Identifier(self.address.schema))  # pyright: ignore[reportArgumentType]
            found = self._statements[text] = whole.as_bytes(None)
        return found

    def rows(self, connection: Connection, text: str, values: Values) -> list[Any]:
        """Carry a statement out on a connection; return its rows as tuples."""
        with connection.cursor(binary=True, row_factory=tuple_row) as cursor:
            cursor.execute(self.sql(text), values, prepare=False)
            return cursor.fetchall() if cursor.description else []

    def query(self, text: str, values: Values) -> list[Any]:
        """Carry a single statement out; return its rows as tuples."""
        return self.run(lambda connection: self.rows(connection, text, values))

    def run(self, work: Callable[[Connection], T]) -> T:
        """Return what *work* returns for a connection, outside of any transaction.

        While the connection is lost on the way, or others are in the way, it is called again, so
        it must not matter whether it had been done before.

        Raises:
            JournalError: It failed; says why.
        """
        until = time.monotonic() + min(self._patience, _TURN if self._is_away else self._patience)
        pause = 0.0
        while True:
            self._check_usable()
            try:
                done = self._attempt(work, until)
            except (psycopg.Error, UnicodeEncodeError) as error:
                is_over = time.monotonic() + pause >= until
                if isinstance(error, UnicodeEncodeError) or is_over or not passes(error):
                    self._is_away = is_over
                    raise explained(self._reason(error), self.address.url) from error
            else:
                self._is_away = False
                return done
            time.sleep(pause)
            pause = min(2 * pause + 0.02, _LONGEST_PAUSE)

    def transact(self, work: Callable[[Connection], T]) -> T:
        """Do the same inside a transaction."""

        def whole(connection: Connection) -> T:
            with connection.transaction():
                return work(connection)

        return self.run(whole)

    def look(self, work: Callable[[Connection], T]) -> T:
        """Do the same inside a transaction that sees one moment and changes nothing."""

        def whole(connection: Connection) -> T:
            connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
            return work(connection)

        return self.transact(whole)

    def close(self) -> None:
        """Close the connections, unless the pool is somebody else's; twice does nothing."""
        self._is_closed = True
        if self._is_ours and not self._is_left:
            self._pool.close()

    def _attempt(self, work: Callable[[Connection], T], until: float) -> T:
        left = until - time.monotonic()
        with self._opened().connection(timeout=min(max(left, _LONGEST_PAUSE), _TURN)) as connection:
            try:
                return work(connection)
            except psycopg.Error as error:
                if is_lost(error):
                    connection.close()  # the pool replaces it
                raise

    def _prepare(self, given: str | Pool) -> None:
        """Bring the schema up to date over a connection of its own, whose errors say more."""
        place = self.address.url
        until = time.monotonic() + self._patience
        while True:
            try:
                if isinstance(given, str):
                    with psycopg.connect(self.address.conninfo, **_OPTIONS) as connection:
                        return prepare(connection, self.address.schema, place)
                with given.connection() as connection:
                    return prepare(connection, self.address.schema, place)
            except psycopg.Error as error:
                is_passing = passes(error) if error.sqlstate else self._is_starting()
                if time.monotonic() >= until or not is_passing:
                    raise explained(error, place) from error
                time.sleep(0.1)

    def _is_starting(self) -> bool:
        """Tell whether the server will take connections soon, so that waiting makes sense."""
        return pq.PGconn.ping(self.address.conninfo.encode()) == pq.Ping.REJECT

    def _reason(self, error: Exception) -> Exception:
        """Find out why a pool had no connection to lend, which it does not say itself."""
        if isinstance(error, PoolTimeout) and self._is_ours:
            try:
                psycopg.connect(self.address.conninfo).close()
            except psycopg.Error as reason:
                return reason
        return error

    def _check_usable(self) -> None:
        if self._is_closed:
            raise StorageError(f"{self.address.url}: closed. Open it again to go on.")
        if self._is_left and not self._is_ours:
            raise StorageError(
                f"{self.address.url}: its pool of connections was opened before fork(). Make the "
                "pool in the child process, or give the URL instead of a pool."
            )


def _pool(where: Address, connections: int) -> Pool:
    return ConnectionPool(
        where.conninfo,
        min_size=1,
        max_size=max(1, connections),
        kwargs=_OPTIONS,
        open=True,
        name="durably",
        reconnect_timeout=_TURN,
    )
