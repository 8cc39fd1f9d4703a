"""The reading half of the SQLite storage: threads, landmarks, blobs, and whether all is sound."""

from __future__ import annotations

import contextlib
import sqlite3
import time
from collections.abc import Collection, Generator, Iterator, Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple

from ...errors import JournalCorrupt, StorageError
from ..leases.refusals import missing_row
from ..storage import Row
from .connections import Connections
from .errors import explained

LAST = "(SELECT coalesce(max(seq), 0) FROM row WHERE row.thread = thread.id)"
"""The last row of a thread."""

_PAGE = 500
_IDLE_READERS = 4
_NO_BOUND = (1 << 63) - 1
_THREAD = f"""
    SELECT id, max(head, {LAST}), epoch, owner, lease_until FROM thread WHERE name = ?
"""  # noqa: S608 - no caller's text in it
_READ = "SELECT seq, kind, run, body FROM row WHERE thread = ? AND seq > ? ORDER BY seq"
_MARKS = """
    SELECT seq, kind, run, body FROM row INDEXED BY mark
    WHERE thread = (SELECT id FROM thread WHERE name = ?) AND kind < 16 AND seq < ?
    ORDER BY seq DESC LIMIT ?
"""
_LANDMARKS = f"""
    SELECT row.id, thread.name, row.seq, row.kind, row.run, row.body
    FROM row INDEXED BY landmark LEFT JOIN thread ON thread.id = row.thread
    WHERE row.kind < 16 AND row.id > ? ORDER BY row.id LIMIT {_PAGE}
"""  # noqa: S608 - no caller's text in it
_LATENESS = 0.005
_SHORTEST_PAUSE, _LONGEST_PAUSE = 0.001, 0.02
_ASKED = 64
_FETCH = f"""
    SELECT hash, data FROM blob WHERE thread = (SELECT id FROM thread WHERE name = ?)
    AND hash IN ({", ".join("?" * _ASKED)})
"""  # noqa: S608 - no caller's text in it
_MORE = """
    SELECT EXISTS (
        SELECT 1 FROM row WHERE thread = (SELECT id FROM thread WHERE name = ?) AND seq > ?
    )
"""
_GAPS = """
    SELECT thread.name, max(head, coalesce(max(row.seq), 0)), count(row.seq),
        coalesce(max(row.seq), 0)
    FROM thread LEFT JOIN row ON row.thread = thread.id GROUP BY thread.id
    HAVING count(row.seq) <> coalesce(max(row.seq), 0) OR coalesce(max(row.seq), 0) < head
"""
_ORPHANS = "SELECT count(*) FROM row WHERE thread NOT IN (SELECT id FROM thread)"


class Found(NamedTuple):
    """A row of the table ``thread``, without its name."""

    key: int
    head: int
    epoch: int
    owner: str | None
    until: float


_row = partial(tuple.__new__, Row)  # a named tuple's own constructor takes twice as long


class SqliteReading:
    """Reads a file that holds a journal; each caller has a connection of its own.

    Args:
        path: The file's absolute path.
        timeout: Seconds to wait for other processes.

    Attributes:
        path: The file's absolute path.
        url: What names the storage, ``sqlite:///`` and the path.
    """

    def __init__(self, path: str, timeout: float) -> None:
        self.path = path
        self.url = f"sqlite:///{path}"
        self._timeout = timeout
        self._readers = Connections(path, self._connect, _IDLE_READERS)
        self._closed = False

    def read(self, thread: str, after: int = 0) -> Sequence[Row]:
        """Return the thread's rows with ``seq > after`` in order; see :meth:`Storage.read`."""
        with self._reader() as db:
            db.execute("BEGIN")
            found = self._thread(db, thread)
            key, head = found[:2] if found else (None, 0)
            rows = list(map(_row, db.execute(_READ, (key, after))))
            db.execute("COMMIT")
        if not _are_sound(rows, after):
            for seq, row in enumerate(rows, after + 1):
                if row.seq != seq or not _is_sound(row):
                    raise JournalCorrupt(missing_row(thread, seq, self.path))
        if head > after + len(rows):
            raise JournalCorrupt(missing_row(thread, after + len(rows) + 1, self.path))
        return rows

    def marks(self, thread: str, before: int, limit: int) -> Sequence[Row]:
        """Return the thread's last landmarks; see :meth:`Storage.marks`."""
        with self._reader() as db:
            found = db.execute(_MARKS, (thread, before or _NO_BOUND, limit)).fetchall()
        rows = list(map(_row, found))
        for row in rows:
            if not _is_sound(row):
                raise JournalCorrupt(missing_row(thread, row.seq, self.path))
        return rows

    def landmarks(self) -> Iterator[tuple[str, Row]]:
        """Yield ``(thread, row)`` for each landmark; see :meth:`Storage.landmarks`.

        No read transaction stays open between two items, so a slow reader holds up nobody.
        """
        last = 0
        while True:
            with self._reader() as db:
                page = db.execute(_LANDMARKS, (last,)).fetchall()
            for _, thread, *fields in page:
                row = Row._make(fields)
                if not isinstance(thread, str) or not _is_sound(row):
                    raise JournalCorrupt(missing_row(str(thread), row.seq, self.path))
                yield thread, row
            if len(page) < _PAGE:
                return
            last = page[-1][0]

    def fetch(self, thread: str, hashes: Collection[bytes]) -> Mapping[bytes, bytes]:
        """Return those of the thread's blobs that are there; see :meth:`Storage.fetch`."""
        wanted = list(hashes)
        blobs: dict[bytes, bytes] = {}
        with self._reader() as db:
            for at in range(0, len(wanted), _ASKED):
                some = wanted[at : at + _ASKED]
                some += some[:1] * (_ASKED - len(some))  # one statement, however many are asked for
                blobs.update(db.execute(_FETCH, (thread, *some)))
        for key, data in blobs.items():
            if not isinstance(data, bytes):
                raise JournalCorrupt(
                    f"{self.path}: blob {key.hex()} of thread {thread!r} is damaged. "
                    "Run `durably doctor`, and restore a copy of the journal."
                )
        return blobs

    def wait(self, thread: str, after: int, timeout: float) -> bool:
        """Wait until a thread has a row with ``seq > after``; see :class:`Waiting`.

        SQLite tells a connection by ``PRAGMA data_version`` whether another one has committed, in
        this process or elsewhere. It is asked a thousand times a second, and less often as the
        silence grows: a row is seen later by half a percent of the silence before it.
        """
        began = time.monotonic()
        while (found := self._watch(thread, after, began, timeout)) is None:
            pass  # the connection was wanted back; what another one sees is asked anew
        return found

    def _watch(self, thread: str, after: int, began: float, timeout: float) -> bool | None:
        """Do what :meth:`wait` does, on one connection; None if it is wanted back."""
        version = None
        with self._reader() as db:
            while not self._readers.are_wanted_back:
                seen, version = version, db.execute("PRAGMA data_version").fetchone()
                if version != seen and db.execute(_MORE, (thread, after)).fetchone() == (1,):
                    return True
                silence = time.monotonic() - began
                if silence >= timeout:
                    return False
                pause = min(max(silence * _LATENESS, _SHORTEST_PAUSE), _LONGEST_PAUSE)
                time.sleep(min(pause, timeout - silence))
                self._check_open()
        return None

    def integrity(self) -> list[str]:
        """Return what is wrong with the file, one sentence each; empty when nothing is.

        It reads the whole file (``PRAGMA quick_check``) and looks for gaps in each thread.

        Raises:
            StorageError: The file cannot be read.
        """
        try:
            with self._reader() as db:
                findings = [str(found) for (found,) in db.execute("PRAGMA quick_check")]
                gaps = db.execute(_GAPS).fetchall()
                (orphans,) = db.execute(_ORPHANS).fetchone()
        except JournalCorrupt as error:
            return [str(error)]
        findings = [f"{self.path}: {found}" for found in findings if found != "ok"]
        for name, head, count, last in gaps:
            findings.append(
                f"{self.path}: thread {name!r} should hold rows 1 to {head}, but holds {count}, "
                f"the last of them {last}."
            )
        if orphans:
            findings.append(f"{self.path}: {orphans} rows belong to no thread.")
        return findings

    def _connect(self) -> sqlite3.Connection:
        return sqlite3.connect(
            self.path, timeout=self._timeout, isolation_level=None, check_same_thread=False
        )

    def _check_open(self) -> None:
        if self._closed:
            raise StorageError(f"{self.path}: closed. Open the journal again to go on.")

    @contextlib.contextmanager
    def _reader(self) -> Generator[sqlite3.Connection]:
        """Lend a connection for reading; readers and the writer do not wait for each other."""
        self._check_open()
        with explained(self.path), self._readers.lent() as db:
            yield db

    def _thread(self, db: sqlite3.Connection, name: str) -> Found | None:
        fields = db.execute(_THREAD, (name,)).fetchone()
        if fields is None:
            return None
        if not _is_sound_thread(fields):
            raise JournalCorrupt(
                f"{self.path}: the entry of thread {name!r} is damaged. Run `durably doctor`, and "
                "restore a copy of the journal; other threads are not affected."
            )
        return Found._make(fields)


def _are_sound(rows: Sequence[Row], after: int) -> bool:
    """Tell whether rows follow each other, and are of the types that were written."""
    if not rows:
        return True
    seqs, *fields = zip(*rows, strict=True)
    types = [set(map(type, field)) for field in fields]
    return seqs == tuple(range(after + 1, after + 1 + len(rows))) and types == _TYPES


_TYPES = [{int}, {str}, {bytes}]


def _is_sound(row: tuple[Any, ...]) -> bool:
    """Tell whether the fields are of the types that were written; damage may change them."""
    seq, kind, run, body = row
    return type(seq) is int and type(kind) is int and type(run) is str and type(body) is bytes


def _is_sound_thread(fields: tuple[Any, ...]) -> bool:
    _, head, epoch, owner, until = fields
    return (
        type(head) is type(epoch) is int
        and (owner is None or type(owner) is str)
        and type(until) is float
    )
