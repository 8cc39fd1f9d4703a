"""What SQLite's errors mean for a journal, and what to do about each."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Generator

from ...errors import JournalCorrupt, JournalError, StorageError

_DAMAGED = (
    "Run `durably doctor`; then restore a copy, or move the file away to begin a new journal."
)

_MEANINGS: dict[int, tuple[type[JournalError], str]] = {
    sqlite3.SQLITE_FULL: (
        StorageError,
        "the disk is full. Free space and run again; nothing that was recorded is lost.",
    ),
    sqlite3.SQLITE_READONLY: (
        StorageError,
        "read-only. Give this user write access to the file and its directory, and run again.",
    ),
    sqlite3.SQLITE_BUSY: (
        StorageError,
        (
            "locked by another process for too long. Let it finish (`lsof` names it) and run "
            "again; nothing that was recorded is lost."
        ),
    ),
    sqlite3.SQLITE_IOERR: (
        StorageError,
        (
            "the operating system reports an input/output error. Check the disk and the space on "
            "it, and run again; nothing that was recorded is lost."
        ),
    ),
    sqlite3.SQLITE_CANTOPEN: (
        StorageError,
        "cannot be opened. Check that its directory is there and that this user may write in it.",
    ),
    sqlite3.SQLITE_PERM: (
        StorageError,
        "access denied. Give this user write access to the file and its directory.",
    ),
    sqlite3.SQLITE_TOOBIG: (
        StorageError,
        "a value is larger than SQLite can hold. Let the step return a reference to it instead.",
    ),
    sqlite3.SQLITE_NOTADB: (
        JournalCorrupt,
        (
            "not a SQLite database, or damaged at its beginning. Move the file away, restore a "
            "copy, or name another journal."
        ),
    ),
    sqlite3.SQLITE_CORRUPT: (JournalCorrupt, f"damaged. {_DAMAGED}"),
    # The statements are fixed, so a table, a column or an index is not what it was.
    sqlite3.SQLITE_ERROR: (JournalCorrupt, f"its tables are damaged. {_DAMAGED}"),
    sqlite3.SQLITE_CONSTRAINT: (JournalCorrupt, f"its indexes are damaged. {_DAMAGED}"),
}


def explain(error: Exception, path: str) -> Exception:
    """Return what *error* means for the journal at *path*; another kind of error as it is."""
    if isinstance(error, UnicodeEncodeError):
        return JournalError(
            f"{path}: {error.object!r} cannot be stored, it is not valid Unicode "
            f"({error.reason}). Use another id."
        )
    if isinstance(error, UnicodeDecodeError):  # in text that was read, or in SQLite's own message
        return JournalCorrupt(f"{path}: damaged. {_DAMAGED} ({error})")
    if not isinstance(error, sqlite3.Error):
        return error
    code = getattr(error, "sqlite_errorcode", None)
    if code is None:
        return _without_code(error, path)
    # An extended result code carries its primary one in the low byte.
    kind, meaning = _MEANINGS.get(
        code & 0xFF, (StorageError, "SQLite failed. Run `durably doctor`, and run again.")
    )
    return kind(f"{path}: {meaning} (SQLite: {error})")


def _without_code(error: sqlite3.Error, path: str) -> JournalError:
    """Explain an error that the ``sqlite3`` module found by itself."""
    if isinstance(error, sqlite3.ProgrammingError):
        return StorageError(f"{path}: {error} Open the journal again to go on.")
    return JournalCorrupt(f"{path}: damaged. {_DAMAGED} ({error})")


@contextlib.contextmanager
def explained(path: str) -> Generator[None]:
    """Turn errors of SQLite inside the block into errors of the journal at *path*."""
    try:
        yield
    except (sqlite3.Error, UnicodeError) as error:
        raise explain(error, path) from error
