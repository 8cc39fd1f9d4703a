"""The tables of a SQLite journal, and how a file is brought to them.

``PRAGMA user_version`` counts the migrations that a file has seen; ``PRAGMA application_id`` tells
a journal from another program's database. All missing migrations run in one transaction.
"""

from __future__ import annotations

import sqlite3
import time

from ...errors import JournalTooNew, StorageError

_APPLICATION_ID = 0x64757261

_MIGRATIONS: tuple[tuple[str, ...], ...] = (
    (
        """
        CREATE TABLE thread (
            id INTEGER PRIMARY KEY,
            name TEXT NOT NULL UNIQUE,
            owner TEXT,
            epoch INTEGER NOT NULL,
            lease_until REAL NOT NULL,
            head INTEGER NOT NULL DEFAULT 0,
            flushes INTEGER NOT NULL DEFAULT 0
        )
        """,
        # A plain rowid table: WITHOUT ROWID would push bodies over a quarter page to other pages.
        """
        CREATE TABLE row (
            id INTEGER PRIMARY KEY,
            thread INTEGER NOT NULL,
            seq INTEGER NOT NULL,
            kind INTEGER NOT NULL,
            run TEXT NOT NULL,
            body BLOB NOT NULL,
            UNIQUE (thread, seq)
        )
        """,
        # The head tells a thread whose last rows were lost to damage from one that ended there.
        """
        CREATE TRIGGER head AFTER INSERT ON row BEGIN
            UPDATE thread SET head = NEW.seq WHERE id = NEW.thread;
        END
        """,
        "CREATE INDEX landmark ON row (id) WHERE kind < 16",
        """
        CREATE TABLE blob (
            id INTEGER PRIMARY KEY,
            thread INTEGER NOT NULL,
            hash BLOB NOT NULL,
            data BLOB NOT NULL,
            UNIQUE (thread, hash)
        )
        """,
        f"PRAGMA application_id = {_APPLICATION_ID}",
        "PRAGMA user_version = 1",
    ),
    (
        # A trigger that moves the head with each row makes each commit a page larger. The head is
        # moved where it costs nothing: when a thread is taken or given back.
        "DROP TRIGGER head",
        # A thread that has had many runs is taken without reading their steps.
        "CREATE INDEX mark ON row (thread, seq) WHERE kind < 16",
        "PRAGMA user_version = 2",
    ),
)

VERSION = len(_MIGRATIONS)
"""The version that this release writes."""


def prepare(db: sqlite3.Connection, path: str, timeout: float) -> None:
    """Set a writer's connection up and bring the file to :data:`VERSION`.

    Args:
        db: A connection in autocommit mode.
        path: The file's name, for messages.
        timeout: Seconds to wait for other processes that open the file at the same time.

    Raises:
        JournalTooNew: A later release of durably wrote the file.
        StorageError: The file is another program's database.
    """
    version = _version(db, path)
    if not version:  # both take effect on an empty file only
        db.execute("PRAGMA page_size = 8192")
        db.execute("PRAGMA auto_vacuum = INCREMENTAL")
    _use_wal(db, timeout)
    _set_up(db)
    if version < VERSION:
        _migrate(db, path)


def open_again(db: sqlite3.Connection, path: str) -> None:
    """Set another writer's connection up for a file that was prepared before.

    Raises:
        StorageError: The file is not what it was.
    """
    if _version(db, path) != VERSION:
        raise StorageError(
            f"{path}: removed or replaced while it was in use. Put the file back, or open the "
            "journal again to begin a new one."
        )
    _set_up(db)


def _set_up(db: sqlite3.Connection) -> None:
    db.execute("PRAGMA synchronous = NORMAL")
    # Only with this does fsync on macOS reach the medium; elsewhere it changes nothing.
    db.execute("PRAGMA fullfsync = ON")


def _version(db: sqlite3.Connection, path: str) -> int:
    # One statement sees one state of the file, which another process may be setting up just now.
    version, application, tables = db.execute(
        "SELECT user_version, application_id, (SELECT count(*) FROM sqlite_master) "
        "FROM pragma_user_version, pragma_application_id"
    ).fetchone()
    if application == _APPLICATION_ID and version > VERSION:
        raise JournalTooNew(
            f"{path}: written by a later durably (format {version}; this one reads up to "
            f"{VERSION}). Upgrade durably, or name another journal."
        )
    if application == _APPLICATION_ID and version > 0:
        return int(version)
    if version or application or tables:
        raise StorageError(
            f"{path}: a SQLite database of another program; it was not touched. "
            "Name another file for the journal."
        )
    return 0


def _use_wal(db: sqlite3.Connection, timeout: float) -> None:
    # Where a file system cannot do WAL, SQLite stays with its rollback journal: slower, as safe.
    deadline = time.monotonic() + timeout
    while True:
        try:
            db.execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError as error:
            # For this one statement SQLite does not wait by itself.
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                raise
            time.sleep(0.01)


def _migrate(db: sqlite3.Connection, path: str) -> None:
    db.execute("BEGIN IMMEDIATE")
    try:
        # Read again under the lock: another process may have been faster.
        for migration in _MIGRATIONS[_version(db, path) :]:
            for statement in migration:
                db.execute(statement)
        db.execute("COMMIT")
    except BaseException:
        if db.in_transaction:
            db.execute("ROLLBACK")
        raise
