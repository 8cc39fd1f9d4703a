"""A SQLite file for a store: its connections, its tables, its errors."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import threading
from collections.abc import Generator

from ...errors import JournalCorrupt, JournalError, JournalTooNew, StorageError
from ...journal import SqliteStorage

IN_MEMORY = ":memory:"

_IDLE_READERS = 4

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
        self._process = os.getpid()
        self._writing = threading.Lock()
        self._pooling = threading.Lock()
        self._readers: list[sqlite3.Connection] = []
        self._closed = False
        with _explained(self.path):
            self._writer = self._connect()
            try:
                _migrate(self._writer, self.path)
            except BaseException:
                self._writer.close()
                raise

    @contextlib.contextmanager
    def writing(self) -> Generator[sqlite3.Connection]:
        """Lend the writer inside a transaction that is committed at the end, or undone."""
        self._check_usable()
        with (
            self._writing,
            _explained(self.path),
            _transaction(self._writer, "BEGIN IMMEDIATE"),
        ):
            yield self._writer

    @contextlib.contextmanager
    def reading(self) -> Generator[sqlite3.Connection]:
        """Lend a connection that sees one state of the file and waits for no writer."""
        if self.path == IN_MEMORY:  # which only the connection that made it can see
            with self.writing() as db:
                yield db
            return
        self._check_usable()
        with _explained(self.path):
            db = self._taken() or self._connect()
            try:
                with _transaction(db, "BEGIN"):
                    yield db
            except BaseException:
                db.close()
                raise
            self._give_back(db)

    def close(self) -> None:
        """Let go of the file; closing twice does nothing."""
        if self._process != os.getpid():
            return  # the connections are the parent's
        with self._writing, self._pooling:
            self._closed = True
            self._writer.close()
            while self._readers:
                self._readers.pop().close()

    def _taken(self) -> sqlite3.Connection | None:
        with self._pooling:
            return self._readers.pop() if self._readers else None

    def _give_back(self, db: sqlite3.Connection) -> None:
        with self._pooling:
            if not self._closed and len(self._readers) < _IDLE_READERS:
                self._readers.append(db)
                return
        db.close()

    def _connect(self) -> sqlite3.Connection:
        db = sqlite3.connect(
            self.path, timeout=self._timeout, isolation_level=None, check_same_thread=False
        )
        db.execute("PRAGMA synchronous = NORMAL")
        return db

    def _check_usable(self) -> None:
        if self._closed:
            raise StorageError(f"{self.path}: the store is closed. Open it again to go on.")
        # SQLite forbids a connection to cross fork() (https://sqlite.org/howtocorrupt.html, 2.6).
        if self._process != os.getpid():
            raise StorageError(
                f"{self.path}: opened before fork(); open the store again in the child process."
            )


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
