"""Connections to a SQLite file that are lent and given back; none of them crosses a fork.

A connection must not be used, nor closed, in a child (https://sqlite.org/howtocorrupt.html, 2.6).
Nor may a child open one of its own while it has inherited one to the same file: SQLite takes the
parent's locks for the child's, the parent deletes the write-ahead log under the child, and what the
child has committed is gone. So all connections are closed before a fork, and opened again in either
process when they are needed.
"""

from __future__ import annotations

import os
import sqlite3
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager

from ...errors import StorageError
from ...process_fork import leave_to_parent, tell_of_forks

PATIENCE = 10.0
"""Seconds that a fork waits for connections to be given back."""

_crossed: set[str] = set()
"""Files to which this process has inherited connections that were in use when it was forked."""


def cross(path: str, connection: object) -> None:
    """Remember, in a forked child, that a connection to the file *path* was inherited."""
    _crossed.add(os.path.realpath(path))
    leave_to_parent(connection)


def check_uncrossed(path: str) -> None:
    """Raise if a connection to the file was in use when this process was forked.

    Raises:
        StorageError: One was; to open the file again would not be safe either.
    """
    if _crossed and os.path.realpath(path) in _crossed:
        raise StorageError(
            f"{path}: another thread was in the middle of using it when this process was forked, "
            "so it cannot be used here. Fork before it is used, or start the process by another "
            "method (spawn, forkserver)."
        )


class Connections:
    """Lends connections to any number of threads, and keeps a few for later.

    Args:
        path: The file.
        connect: Opens one.
        kept: How many idle ones are kept.

    Attributes:
        are_wanted_back: Whether a fork waits for what is lent.
    """

    def __init__(self, path: str, connect: Callable[[], sqlite3.Connection], kept: int) -> None:
        self._path = path
        self._connect = connect
        self._kept = kept
        self._idle: list[sqlite3.Connection] = []
        self._lent: set[sqlite3.Connection] = set()
        self._changed = threading.Condition()
        self._is_closed = False
        self.are_wanted_back = False
        tell_of_forks(self)

    @contextmanager
    def lent(self) -> Generator[sqlite3.Connection]:
        """Lend a connection; one that failed is closed and not lent again.

        Raises:
            StorageError: A fork came while the parent was using one.
        """
        db = self.take()
        is_sound = False
        try:
            yield db
            is_sound = True
        finally:
            self.give_back(db, is_sound=is_sound)

    def take(self) -> sqlite3.Connection:
        """Return a connection that is to be given back."""
        with self._changed:
            while self.are_wanted_back:
                self._changed.wait()
            check_uncrossed(self._path)
            db = self._idle.pop() if self._idle else self._connect()
            self._lent.add(db)
            return db

    def give_back(self, db: sqlite3.Connection, *, is_sound: bool = True) -> None:
        """Take a connection back that was lent."""
        with self._changed:
            self._lent.discard(db)
            is_kept = is_sound and not self._is_closed and len(self._idle) < self._kept
            if is_kept and not self.are_wanted_back:
                self._idle.append(db)
            else:
                db.close()
            if self.are_wanted_back:
                self._changed.notify_all()

    def close(self) -> None:
        """Close what is idle, and the rest as it is given back."""
        with self._changed:
            self._is_closed = True
            while self._idle:
                self._idle.pop().close()

    def before_fork(self) -> None:
        """Wait until no connection is lent, and close those that are idle."""
        with self._changed:
            self.are_wanted_back = True
            self._changed.wait_for(lambda: not self._lent, PATIENCE)
            while self._idle:
                self._idle.pop().close()

    def after_fork(self, *, in_child: bool) -> None:
        """Lend again."""
        if in_child:
            self._changed = threading.Condition()
            if self._lent:
                cross(self._path, self._lent)
                self._lent = set()
        with self._changed:
            self.are_wanted_back = False
            self._changed.notify_all()
