"""The cache that processes share: tables in a SQLite file, a journal's own one if you like."""

from __future__ import annotations

import contextlib
import json
import os
import sqlite3
import threading
import time
from collections.abc import Callable, Generator, Mapping, Sequence

from ..errors import JournalTooNew, StorageError
from ..journal import Connections, SqliteStorage
from ..process_fork import tell_of_forks
from .async_cache import ThreadedCache
from .cache import FullKey, Namespace, checked

_FORMAT = 1
_IDLE = 4
_SWEEP_EVERY = 600.0
_SWEEP_AT_MOST = 10_000

_TABLES = (
    "CREATE TABLE IF NOT EXISTS cache_meta (name TEXT PRIMARY KEY, value REAL NOT NULL)",
    """
    CREATE TABLE IF NOT EXISTS cache_entry (
        id INTEGER PRIMARY KEY,
        namespace TEXT NOT NULL,
        key BLOB NOT NULL,
        value BLOB NOT NULL,
        expires REAL,
        UNIQUE (namespace, key)
    )
    """,
    """
    CREATE TABLE IF NOT EXISTS cache_claim (
        namespace TEXT NOT NULL,
        key BLOB NOT NULL,
        owner TEXT NOT NULL,
        expires REAL NOT NULL,
        PRIMARY KEY (namespace, key)
    ) WITHOUT ROWID
    """,
    """
    CREATE INDEX IF NOT EXISTS cache_expiry ON cache_entry (expires) WHERE expires IS NOT NULL
    """,
    "INSERT OR IGNORE INTO cache_meta (name, value) VALUES ('format', 1), ('swept', 0)",
)
_GET = """
    SELECT value FROM cache_entry
    WHERE namespace = ? AND key = ? AND (expires IS NULL OR expires > ?)
"""
_SET = """
    INSERT INTO cache_entry (namespace, key, value, expires) VALUES (?, ?, ?, ?)
    ON CONFLICT (namespace, key) DO UPDATE SET value = excluded.value, expires = excluded.expires
"""
_CLAIM = """
    INSERT INTO cache_claim (namespace, key, owner, expires) VALUES (?, ?, ?, ?)
    ON CONFLICT (namespace, key) DO UPDATE SET owner = excluded.owner, expires = excluded.expires
    WHERE cache_claim.expires <= ? OR cache_claim.owner = excluded.owner
"""
_SWEEP_TURN = "UPDATE cache_meta SET value = ? WHERE name = 'swept' AND abs(value - ?) >= ?"
_SWEEP = f"""
    DELETE FROM cache_entry WHERE id IN (
        SELECT id FROM cache_entry WHERE expires <= ? LIMIT {_SWEEP_AT_MOST}
    )
"""  # noqa: S608 - no caller's text in it


class SqliteCache(ThreadedCache):
    """Keeps entries in a SQLite file; see :class:`Cache` and :class:`Claims`.

    The file is set up as a journal is, so a cache may share the journal's file, and nothing is
    ever written to another program's database. Expired entries are deleted when the cache is
    opened and every ten minutes of use; SQLite uses their space again.

    Args:
        path: The file; made if it is not there.
        clock: Returns seconds since the epoch; entries expire by it.
        timeout: Seconds to wait for other processes' writes before giving up.

    Attributes:
        path: The file's absolute path.

    Raises:
        StorageError: The file cannot be opened, or belongs to another program.
        JournalCorrupt: The file is damaged, or is no database.
        JournalTooNew: A later version of durably wrote it.

    Example:
        >>> cache = SqliteCache("cache.db")
        >>> cache.set({(("f",), "1"): (b"one", 60)})
        >>> cache.get([(("f",), "1")])
        {(('f',), '1'): b'one'}
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        clock: Callable[[], float] = time.time,
        timeout: float = 10.0,
    ) -> None:
        if str(path) == ":memory:":
            raise StorageError("':memory:' is not a file. Use InMemoryCache().")
        # A journal that finds foreign tables in its file refuses it: it must have been there first.
        storage = SqliteStorage(path, timeout=timeout)
        self.path = storage.path
        storage.close()
        self._clock = clock
        self._timeout = timeout
        self._closed = False
        self._connections = Connections(self.path, self._connect, _IDLE)
        self._writing = threading.Lock()
        with self._change() as db:
            self._prepare(db)
        tell_of_forks(self)

    def get(self, keys: Sequence[FullKey]) -> dict[FullKey, bytes]:
        """Return the values of those keys that have one.

        Raises:
            StorageError: The file cannot be read.
        """
        found: dict[FullKey, bytes] = {}
        now = self._clock()
        with self._connection() as db:
            for key in keys:
                row = db.execute(_GET, (*_stored(key), now)).fetchone()
                if row is not None and isinstance(row[0], bytes):
                    found[key] = row[0]
        return found

    def set(self, pairs: Mapping[FullKey, tuple[bytes, float | None]]) -> None:
        """Keep each value for as many seconds as stand beside it, all or none; None is for ever.

        Raises:
            StorageError: The file cannot be written.
            TypeError: A value is not bytes; none was kept.
        """
        checked(pairs)
        now = self._clock()
        with self._change() as db:
            db.executemany(
                _SET,
                (
                    (*_stored(key), value, None if ttl is None else now + ttl)
                    for key, (value, ttl) in pairs.items()
                ),
            )
            if db.execute(_SWEEP_TURN, (now, now, _SWEEP_EVERY)).rowcount:
                _sweep(db, now)

    def clear(self, namespaces: Sequence[Namespace] | None = None) -> None:
        """Forget the entries of exactly these namespaces; of all if None.

        Raises:
            StorageError: The file cannot be written.
        """
        with self._change() as db:
            if namespaces is None:
                db.execute("DELETE FROM cache_entry")
                return
            db.executemany(
                "DELETE FROM cache_entry WHERE namespace = ?",
                [(_namespace(namespace),) for namespace in namespaces],
            )

    def claim(self, key: FullKey, owner: str, seconds: float) -> bool:
        """Say for *seconds* that *owner* computes *key*; False if another says so already.

        A claim keeps nobody from reading or setting the key; it is a hint to other processes.

        Raises:
            StorageError: The file cannot be written.
        """
        now = self._clock()
        with self._change() as db:
            made = db.execute(_CLAIM, (*_stored(key), owner, now + seconds, now))
            return made.rowcount == 1

    def release(self, key: FullKey, owner: str) -> None:
        """Take *owner*'s claim back; another's is left alone.

        Raises:
            StorageError: The file cannot be written.
        """
        with self._change() as db:
            db.execute(
                "DELETE FROM cache_claim WHERE namespace = ? AND key = ? AND owner = ?",
                (*_stored(key), owner),
            )

    def close(self) -> None:
        """Let go of the file; closing twice does nothing."""
        with self._writing:
            self._closed = True
            self._connections.close()

    def before_fork(self) -> None:
        """Do nothing: the connections are closed by themselves."""

    def after_fork(self, *, in_child: bool) -> None:
        """Let writers in again."""
        if in_child:
            self._writing = threading.Lock()

    def _prepare(self, db: sqlite3.Connection) -> None:
        for statement in _TABLES:
            db.execute(statement)
        (found,) = db.execute("SELECT value FROM cache_meta WHERE name = 'format'").fetchone()
        if found > _FORMAT:
            raise JournalTooNew(
                f"{self.path}: its cache was written by a later durably (format {found:.0f}; this "
                f"one reads up to {_FORMAT}). Upgrade durably, or name another file for the cache."
            )
        _sweep(db, self._clock())

    @contextlib.contextmanager
    def _connection(self) -> Generator[sqlite3.Connection]:
        """Lend a connection, with errors explained; one that failed is not lent again."""
        self._check_open()
        try:
            with self._connections.lent() as db:
                yield db
        except sqlite3.Error as error:
            raise StorageError(
                f"{self.path}: the cache could not be used (SQLite: {error}). Check the disk and "
                "this user's access to the file, or name another file for the cache."
            ) from error

    def _check_open(self) -> None:
        if self._closed:
            raise StorageError(f"{self.path}: the cache was closed. Open it again to go on.")

    def _connect(self) -> sqlite3.Connection:
        # NORMAL is WAL's safe setting: a faster one would endanger a journal in the same file.
        db = sqlite3.connect(
            self.path, timeout=self._timeout, isolation_level=None, check_same_thread=False
        )
        db.execute("PRAGMA synchronous = NORMAL")
        return db

    @contextlib.contextmanager
    def _change(self) -> Generator[sqlite3.Connection]:
        """Lend a connection for one transaction; a failure closes it, which undoes all of it."""
        with self._writing, self._connection() as db:
            db.execute("BEGIN IMMEDIATE")
            yield db
            db.execute("COMMIT")


def _sweep(db: sqlite3.Connection, now: float) -> None:
    db.execute(_SWEEP, (now,))
    db.execute("DELETE FROM cache_claim WHERE expires <= ?", (now,))


def _stored(key: FullKey) -> tuple[str, bytes]:
    namespace, name = key
    return _namespace(namespace), name.encode("utf-8", "surrogatepass")


def _namespace(parts: Namespace) -> str:
    # JSON keeps ("a", "b") and ("a,b",) apart and has room for any string.
    return json.dumps(list(parts))
