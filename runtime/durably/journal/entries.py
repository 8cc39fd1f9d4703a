"""Reads a thread of a storage as records: every row, or the landmarks alone."""

from __future__ import annotations

from collections.abc import Iterator

from .records import Entry, from_row
from .storage import Storage

_FIRST_PAGE, _PAGE = 8, 256


def read_entries(storage: Storage, thread: str, after: int = 0) -> list[Entry]:
    """Return the records of *thread* after row *after*, in order; empty for an unknown thread."""
    return [from_row(thread, row) for row in storage.read(thread, after)]


def newest_landmarks(storage: Storage, thread: str) -> Iterator[Entry]:
    """Yield the landmarks of *thread*, newest first, without reading the rows between them.

    The first page is small: most callers stop at the newest run's beginning.
    """
    before, page = 0, _FIRST_PAGE
    while True:
        rows = storage.marks(thread, before, page)
        for row in rows:
            yield from_row(thread, row)
        if len(rows) < page:
            return
        before, page = rows[-1].seq, _PAGE
