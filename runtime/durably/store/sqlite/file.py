"""A SQLite file for a store: its connections, its tables, its errors."""

from __future__ import annotations

import contextlib
import sqlite3
import threading
from collections.abc import Generator

from ...errors import JournalCorrupt, JournalError, JournalTooNew, StorageError
from ...journal import Connections, SqliteStorage
from ...process_fork import tell_of_forks

IN_MEMORY = ":memory:"

_IDLE = 5

_MIGRATIONS: tuple[tuple[str, ...], ...] = (
    (
        # A namespace is its labels with periods between; ids grow with the order of first puts.
        """
        CREATE TABLE store_item (
            id INTEGER PRIMARY KEY,
            namespace TEXT NOT NULL,
            key TEXT NOT NULL,
            value TEXT NOT NULL,
            created REAL NOT NULL,
            updated REAL NOT NULL,
            ttl REAL,
            expires REAL,
            UNIQUE (namespace, key)
        )
        """,
        "CREATE INDEX store_expiry ON store_item (expires) WHERE expires IS NOT NULL",
        """
        CREATE TABLE store_vector (
            id INTEGER PRIMARY KEY,
            item INTEGER NOT NULL,
            vector BLOB NOT NULL
        )
        """,
        "CREATE INDEX store_vector_item ON store_vector (item)",
        """
        CREATE TRIGGER store_forget AFTER DELETE ON store_item BEGIN
            DELETE FROM store_vector WHERE item = OLD.id;
        END
        """,
    ),
)

_HINTS: dict[int, str] = {
    sqlite3.SQLITE_FULL: "the disk is full; free space and try again",
    sqlite3.SQLITE_READONLY: "read-only; give this user write access to it and its directory",
    sqlite3.SQLITE_BUSY: "locked by another process for too long; let it finish and try again",
    sqlite3.SQLITE_CANTOPEN: "cannot be opened; check that its directory is there and accessible",
    sqlite3.SQLITE_TOOBIG: "a value is larger than SQLite can hold; store a reference to it",
}
_DAMAGED = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_ERROR})


class SqliteFile:
    """Lends connections for reading and writing, any number of threads at a time.

    Args:
        path: The file, or :data:`IN_MEMORY`.
        timeout: Seconds to wait for other processes' writes.

    Attributes:
        path: The file's absolute path, or :data:`IN_MEMORY`.

    Raises:
        StorageError: The file cannot be opened, or belongs to another program.
        JournalCorrupt: The file is damaged, or is no database.
        JournalTooNew: A later version of durably wrote the file.
    """

    def __init__(self, path: str, timeout: float) -> None:
        self.path = path if path == IN_MEMORY else _prepared(path, timeout)
        self._timeout = timeout
        self._writing = threading.Lock()
        self._connections = Connections(self.path, self._connect, _IDLE)
        self._memory = self._connect() if path == IN_MEMORY else None
        self._closed = False
        with _explained(self.path), self._lent() as db:
            _migrate(db, self.path)
        tell_of_forks(self)

    @contextlib.contextmanager
    def writing(self) -> Generator[sqlite3.Connection]:
        """Lend a connection inside a transaction that is committed at the end, or undone."""
        self._check_open()
        with (
            self._writing,
            _explained(self.path),
            self._lent() as db,
            _transaction(db, "BEGIN IMMEDIATE"),
        ):
            yield db

    @contextlib.contextmanager
    def reading(self) -> Generator[sqlite3.Connection]:
        """Lend a connection that sees one state of the file and waits for no writer."""
        if self._memory is not None:  # which only the connection that made it can see
            with self.writing() as db:
                yield db
            return
        self._check_open()
        with _explained(self.path), self._lent() as db, _transaction(db, "BEGIN"):
            yield db

    def close(self) -> None:
        """Let go of the file; closing twice does nothing."""
        with self._writing:
            self._closed = True
            self._connections.close()
            if self._memory is not None:
                self._memory.close()

    def before_fork(self) -> None:
        """Wait until nobody writes to a store in memory, which the child gets a copy of."""
        if self._memory is not None:
            self._writing.acquire()

    def after_fork(self, *, in_child: bool) -> None:
        """Let writers in again."""
        if in_child:
            self._writing = threading.Lock()
        elif self._memory is not None:
            self._writing.release()

    def _lent(self) -> contextlib.AbstractContextManager[sqlite3.Connection]:
        if self._memory is not None:
            return contextlib.nullcontext(self._memory)
        return self._connections.lent()

    def _connect(self) -> sqlite3.Connection:
        db = sqlite3.connect(
            self.path, timeout=self._timeout, isolation_level=None, check_same_thread=False
        )
        db.execute("PRAGMA synchronous = NORMAL")
        return db

    def _check_open(self) -> None:
        if self._closed:
            raise StorageError(f"{self.path}: the store is closed. Open it again to go on.")


def _prepared(path: str, timeout: float) -> str:
    """Make the file one of durably's and return its absolute path.

    A file may hold a journal and a store, whichever comes first, and the journal knows its files
    by their header; so the journal sets the file up, and refuses other programs' databases.
    """
    journal = SqliteStorage(path, timeout=timeout)
    journal.close()
    return journal.path


def _migrate(db: sqlite3.Connection, path: str) -> None:
    with _transaction(db, "BEGIN IMMEDIATE"):
        db.execute("CREATE TABLE IF NOT EXISTS store_meta (version INTEGER NOT NULL)")
        (version,) = db.execute("SELECT coalesce(max(version), 0) FROM store_meta").fetchone()
        if version > len(_MIGRATIONS):
            raise JournalTooNew(
                f"{path}: its store was written by a later durably (format {version}; this one "
                f"reads up to {len(_MIGRATIONS)}). Upgrade durably, or name another file."
            )
        if version == len(_MIGRATIONS):
            return
        for migration in _MIGRATIONS[version:]:
            for statement in migration:
                db.execute(statement)
        db.execute("DELETE FROM store_meta")
        db.execute("INSERT INTO store_meta (version) VALUES (?)", (len(_MIGRATIONS),))


@contextlib.contextmanager
def _transaction(db: sqlite3.Connection, begin: str) -> Generator[None]:
    db.execute(begin)
    try:
        yield
        db.execute("COMMIT")
    except BaseException:
        if db.in_transaction:
            db.execute("ROLLBACK")
        raise


@contextlib.contextmanager
def _explained(path: str) -> Generator[None]:
    """Turn errors of SQLite inside the block into durably's."""
    try:
        yield
    except sqlite3.Error as error:
        raise _explanation(error, path) from error


def _explanation(error: sqlite3.Error, path: str) -> JournalError:
    # An extended result code carries its primary one in the low byte.
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    if code in _DAMAGED:
        return JournalCorrupt(
            f"{path}: the store is damaged. Restore a copy, or name another file. (SQLite: {error})"
        )
    hint = _HINTS.get(code, "SQLite failed; check the disk and try again")
    return StorageError(f"{path}: {hint}. (SQLite: {error})")
