"""The cache that machines share: entries in a PostgreSQL database."""

from __future__ import annotations

import hashlib
import json
import threading
import time
from collections.abc import Callable, Mapping, Sequence

from durably.storage import CacheNamespace, FullKey, ThreadedCache, checked_values

from ._database import Connection, Database, Pool

_SWEEP_EVERY = 600.0

_GET = """
    SELECT digest, value FROM {s}.entry
    WHERE digest = ANY (%b) AND (expires IS NULL OR expires > %s)
"""
_SET = """
    INSERT INTO {s}.entry (digest, namespace, value, expires)
    SELECT * FROM unnest(%b::bytea[], %b::bytea[], %b::bytea[], %s::float8[])
        AS given (digest, namespace, value, expires) ORDER BY digest
    ON CONFLICT (digest) DO UPDATE SET value = excluded.value, expires = excluded.expires
"""
_CLAIM = """
    INSERT INTO {s}.claim AS held (digest, owner, expires) VALUES (%s, %s, %s)
    ON CONFLICT (digest) DO UPDATE SET owner = excluded.owner, expires = excluded.expires
    WHERE held.expires <= %s OR held.owner = excluded.owner
    RETURNING 1
"""
_RELEASE = "DELETE FROM {s}.claim WHERE digest = %s AND owner = %s"
_CLEAR = "DELETE FROM {s}.entry WHERE namespace = ANY (%b)"
_CLEAR_ALL = "DELETE FROM {s}.entry"
_SWEEP = """
    DELETE FROM {s}.entry WHERE digest IN (
        SELECT digest FROM {s}.entry WHERE expires <= %s LIMIT 10000 FOR UPDATE SKIP LOCKED
    )
"""
_SWEEP_CLAIMS = "DELETE FROM {s}.claim WHERE expires <= %s"


class PostgresCache(ThreadedCache):
    """Keeps entries in a PostgreSQL database; see ``Cache`` and ``Claims`` in ``durably.storage``.

    Expired entries are deleted when the cache is opened and every ten minutes of use.

    Args:
        conn: A URL or libpq's keywords, or a ``psycopg_pool.ConnectionPool`` to borrow from. The
            database may hold a journal as well.
        schema: Where the tables are, as for ``PostgresStorage``.
        patience: Seconds to go on trying when the server cannot be reached.
        connections: How many may be open at once.
        clock: Returns seconds since the epoch; entries expire by it.

    Attributes:
        url: What names this cache, without a password.

    Raises:
        StorageError: The database cannot be reached or used.
        JournalTooNew: A later version of durably wrote the schema.

    Example:
        >>> cache = PostgresCache("postgresql:///runs")  # doctest: +SKIP
        >>> cache.set({(("f",), "1"): (b"one", 60)})  # doctest: +SKIP
    """

    def __init__(
        self,
        conn: str | Pool,
        *,
        schema: str | None = None,
        patience: float = 30.0,
        connections: int = 8,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._database = Database(conn, schema=schema, patience=patience, connections=connections)
        self.url = self._database.address.url
        self._clock = clock
        self._sweeping = threading.Lock()
        self._swept = clock()
        self._sweep(self._swept)

    def get(self, keys: Sequence[FullKey]) -> dict[FullKey, bytes]:
        """Return the values of those keys that have one.

        Raises:
            StorageError: The database cannot be read.
        """
        names = {_digest(key): key for key in keys}
        if not names:
            return {}
        found = self._database.query(_GET, (list(names), self._clock()))
        return {names[name]: value for name, value in found}

    def set(self, pairs: Mapping[FullKey, tuple[bytes, float | None]]) -> None:
        """Keep each value for as many seconds as stand beside it, all or none; None is for ever.

        Raises:
            StorageError: The database cannot be written.
            TypeError: A value is not bytes; none was kept.
        """
        checked_values(pairs)
        now = self._clock()
        if pairs:
            names = [_digest(key) for key in pairs]
            spaces = [_space(namespace) for namespace, _ in pairs]
            values = [value for value, _ in pairs.values()]
            ends = [None if ttl is None else now + ttl for _, ttl in pairs.values()]
            self._database.query(_SET, (names, spaces, values, ends))
        if self._is_time_to_sweep(now):
            self._sweep(now)

    def _is_time_to_sweep(self, now: float) -> bool:
        # Not waited for: in a forked child the thread that holds the lock may not be there.
        if not self._sweeping.acquire(blocking=False):
            return False
        try:
            is_due = abs(now - self._swept) >= _SWEEP_EVERY
            self._swept = now if is_due else self._swept
            return is_due
        finally:
            self._sweeping.release()

    def clear(self, namespaces: Sequence[CacheNamespace] | None = None) -> None:
        """Forget the entries of exactly these namespaces; of all if None.

        Raises:
            StorageError: The database cannot be written.
        """
        if namespaces is None:
            self._database.query(_CLEAR_ALL, ())
        elif namespaces:
            self._database.query(_CLEAR, ([_space(namespace) for namespace in namespaces],))

    def claim(self, key: FullKey, owner: str, seconds: float) -> bool:
        """Say for *seconds* that *owner* computes *key*; False if another says so already.

        A claim keeps nobody from reading or setting the key; it is a hint to other processes.

        Raises:
            StorageError: The database cannot be written.
        """
        now = self._clock()
        return bool(self._database.query(_CLAIM, (_digest(key), owner, now + seconds, now)))

    def release(self, key: FullKey, owner: str) -> None:
        """Take *owner*'s claim back; another's is left alone.

        Raises:
            StorageError: The database cannot be written.
        """
        self._database.query(_RELEASE, (_digest(key), owner))

    def close(self) -> None:
        """Let go of the connections; closing twice does nothing."""
        self._database.close()

    def _sweep(self, now: float) -> None:
        def work(connection: Connection) -> None:
            self._database.rows(connection, _SWEEP, (now,))
            self._database.rows(connection, _SWEEP_CLAIMS, (now,))

        self._database.run(work)


def _digest(key: FullKey) -> bytes:
    namespace, name = key
    return _hashed(_space(namespace) + name.encode("utf-8", "surrogatepass"))


def _space(namespace: CacheNamespace) -> bytes:
    # JSON keeps ("a", "b") and ("a,b",) apart and has room for any string.
    return _hashed(json.dumps(list(namespace)).encode())


def _hashed(data: bytes) -> bytes:
    return hashlib.blake2b(data, digest_size=32, person=b"durably").digest()
