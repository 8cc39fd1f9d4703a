"""What PostgreSQL's errors mean for a journal, which of them pass, and what to do about each.

Codes are those of appendix A of its manual; the first two characters name a class.
"""

from __future__ import annotations

import psycopg
from psycopg_pool import PoolClosed

from durably.errors import JournalCorrupt, JournalError, StorageError

_LOST = frozenset({"57P01", "57P02", "57P03", "57P05", "25P03", "25006", "08"})
"""The session ended, or its server does not take writes (any more): another may do."""

_BUSY = frozenset({"40001", "40P01", "53300", "55P03", "55006", "23505"})
"""Somebody was in the way: the same may succeed in a moment.

A row that is there already (23505) is one whose append was not acknowledged before.
"""

_MEANINGS: dict[str, tuple[type[JournalError], str]] = {
    "": (StorageError, "the server cannot be reached. Check the URL, the server and the network"),
    "08": (StorageError, "the connection was lost. Check the server and the network"),
    "25006": (StorageError, "this server takes no writes. Name the primary"),
    "28": (StorageError, "the server refused user or password. Correct the URL"),
    "3D000": (StorageError, "there is no such database. Create it, or name another"),
    "42501": (
        StorageError,
        "the user lacks a right. Grant CREATE on the database, or let an owner create the schema",
    ),
    "42P01": (JournalCorrupt, "a table is missing. Restore a copy, or name another schema"),
    "42883": (JournalCorrupt, "a function is missing. Restore a copy, or name another schema"),
    "53100": (StorageError, "the server's disk is full. Free space"),
    "53200": (StorageError, "the server is out of memory"),
    "53300": (StorageError, "the server takes no more connections. Raise max_connections"),
    "54": (StorageError, "a value is larger than PostgreSQL can hold. Return a reference to it"),
    "57": (StorageError, "the server was shut down or ended the session. Start it"),
    "XX001": (JournalCorrupt, "the server found a damaged table. Restore a copy"),
    "XX002": (JournalCorrupt, "the server found a damaged index. Rebuild it with REINDEX"),
}


def is_lost(error: psycopg.Error) -> bool:
    """Tell whether another connection may succeed where this one failed."""
    code = error.sqlstate
    if code is None:  # found by libpq or psycopg, not told by the server
        return isinstance(error, psycopg.OperationalError) and not isinstance(error, PoolClosed)
    return code in _LOST or code[:2] in _LOST


def passes(error: psycopg.Error) -> bool:
    """Tell whether the same may succeed if it is tried again."""
    return is_lost(error) or error.sqlstate in _BUSY


def explained(error: Exception, place: str) -> Exception:
    """Return what *error* means for the journal at *place*; another kind of error as it is."""
    if isinstance(error, UnicodeEncodeError):
        return JournalError(
            f"{place}: {error.object!r} cannot be stored, it is not valid Unicode "
            f"({error.reason}). Use another id."
        )
    if not isinstance(error, psycopg.Error):
        return error
    code = error.sqlstate or ""
    kind, meaning = (
        _MEANINGS.get(code)
        or _MEANINGS.get(code[:2])
        or (StorageError, "PostgreSQL failed; see its log")
    )
    said = str(error).strip() or type(error).__name__
    return kind(f"{place}: {meaning}; nothing that was recorded is lost. (PostgreSQL: {said})")
