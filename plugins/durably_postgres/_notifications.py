"""Waiting for rows: the database tells of them, and where it cannot, one looks again and again.

A thread that somebody waits for is marked for a minute, and only appends to marked threads notify
(NOTIFY takes a lock of the whole database when it commits, which no append should pay for in vain).
"""

from __future__ import annotations

import contextlib
import secrets
import threading
import time
from collections.abc import Generator
from typing import Any

import psycopg

from durably.errors import DurablyError
from durably.storage import tell_of_forks

from ._binary_calls import TRUE, raw, row, whole
from ._database import Database

_MARK = """
    UPDATE {s}.thread SET awaited = now() + interval '60 s'
    WHERE digest = %s AND (awaited IS NULL OR awaited < now() + interval '40 s')
"""
_MORE = """
    SELECT (
        SELECT EXISTS (SELECT FROM {s}.row r WHERE r.thread = t.id AND r.seq > $1)
        FROM {s}.thread t WHERE t.digest = $2
    )
"""
_TELLING = 20.0
"""Seconds between two looks when the database tells of rows; a mark is renewed by then."""

_MOST_MARKS = 1024

_LOOKING = 0.1
"""Seconds between two looks when it does not, or the thread is not there to be marked."""

_PROOF = 1.0
"""Seconds in which a notification to oneself must arrive."""

_TURN = 1.0
"""Seconds after which a listener at the latest asks itself whether anybody waits."""


class Waiter:
    """Wakes those who wait for rows; one connection listens for all of them, while there are any.

    Args:
        database: Where the rows are.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._lock = threading.Lock()
        self._waiting: dict[str, set[threading.Event]] = {}
        self._marked: dict[bytes, float] = {}
        self._listener: threading.Thread | None = None
        self._is_told = False
        self._closed = threading.Event()
        tell_of_forks(self)

    def before_fork(self) -> None:
        """Do nothing: who waits goes on in the parent."""

    def after_fork(self, *, in_child: bool) -> None:
        """Begin with nobody waiting; the listener is the parent's thread."""
        if in_child:
            self._lock = threading.Lock()
            self._waiting, self._marked = {}, {}
            self._listener, self._is_told = None, False

    def wait(self, digest: bytes, after: int, timeout: float) -> bool:
        """Return whether the thread of that digest got a row with ``seq > after`` in time."""
        until = time.monotonic() + timeout
        with self._heard(digest.hex()) as event:
            while True:
                event.clear()
                self._mark(digest)
                has_more = self._has_more(digest, after)
                if has_more is None:
                    self._marked.pop(digest, None)  # there is no such thread yet, or any more
                left = until - time.monotonic()
                if left <= 0 or has_more:
                    return bool(has_more)
                is_told = self._is_told and has_more is not None
                event.wait(min(left, _TELLING if is_told else _LOOKING))

    def _has_more(self, digest: bytes, after: int) -> bool | None:
        """Say whether a thread has rows after one; None if there is no such thread."""
        statement = self._database.sql(_MORE)
        values = whole(after), raw(digest)
        [found] = self._database.run(lambda connection: row(connection, statement, values))
        return None if found is None else found == TRUE

    def _mark(self, digest: bytes) -> None:
        """Have appends to a thread tell of themselves for the next while."""
        now = time.monotonic()
        if now - self._marked.get(digest, -_TELLING) < _TELLING:
            return
        self._database.query(_MARK, (digest,))
        if len(self._marked) > _MOST_MARKS:
            self._marked.clear()
        self._marked[digest] = now

    def close(self) -> None:
        """Stop listening."""
        self._closed.set()
        self._wake()

    @contextlib.contextmanager
    def _heard(self, name: str) -> Generator[threading.Event]:
        """Lend an event that is set when the database tells of a thread."""
        event = threading.Event()
        with self._lock:
            self._waiting.setdefault(name, set()).add(event)
            if self._listener is None:
                self._listener = threading.Thread(
                    target=self._listen, name="durably-listener", daemon=True
                )
                self._listener.start()
        try:
            yield event
        finally:
            with self._lock:
                self._waiting[name].discard(event)
                if not self._waiting[name]:
                    del self._waiting[name]

    def _listen(self) -> None:
        """Hear what the database tells, until nobody has waited for a while."""
        pause = 0.0
        while not self._closed.wait(pause) and not self._is_over():
            with contextlib.suppress(psycopg.Error, DurablyError):
                conninfo = self._database.address.conninfo
                with psycopg.connect(conninfo, autocommit=True) as connection:
                    connection.execute("LISTEN durably")
                    self._is_told = self._proves(connection)
                    while self._is_told and not self._closed.is_set() and not self._is_over():
                        self._hear(connection, _TURN)
            self._is_told = False
            self._wake()  # what was told meanwhile was not heard
            pause = min(2 * pause + 0.1, 30.0)

    def _is_over(self) -> bool:
        """End the listener if nobody waits."""
        with self._lock:
            if not self._waiting:
                self._listener = None
            return self._listener is None

    def _proves(self, connection: psycopg.Connection[Any]) -> bool:
        """Tell whether notifications arrive; behind a pooler they may go to another session."""
        word = f"hello {secrets.token_hex(8)}"
        self._database.query("SELECT pg_notify('durably', %s)", (word,))
        until = time.monotonic() + _PROOF
        while (left := until - time.monotonic()) > 0:
            if word in self._hear(connection, left):
                return True
        return False

    def _hear(self, connection: psycopg.Connection[Any], seconds: float) -> list[str]:
        """Wait for notifications and pass them on; return what they said."""
        told = [one.payload for one in connection.notifies(timeout=seconds, stop_after=1)]
        with self._lock:
            for name in told:
                for event in self._waiting.get(name, ()):
                    event.set()
        return told

    def _wake(self) -> None:
        with self._lock:
            for events in self._waiting.values():
                for event in events:
                    event.set()
