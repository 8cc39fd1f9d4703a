"""The storage of ordinary use: one SQLite file, shared by any number of threads and processes."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import threading
from collections.abc import Collection, Generator, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from ..errors import JournalCorrupt, JournalError, StorageError
from . import _schema
from ._commit import Append, GroupCommit
from ._location import placed
from ._refusals import check_free, lease_lost, missing_row, out_of_order
from ._sqlite_errors import explain, explained
from .storage import Lease, Row

_PAGE = 500
_IDLE_READERS = 4
_NO_BOUND = (1 << 63) - 1

# One statement checks the lease and writes the row: a transaction by itself, without BEGIN and
# COMMIT around it.
_APPEND = """
    INSERT INTO row (thread, seq, kind, run, body)
    SELECT id, ?, ?, ?, ? FROM thread WHERE id = ? AND epoch = ? AND owner = ?
"""
_LAST = "(SELECT coalesce(max(seq), 0) FROM row WHERE row.thread = thread.id)"
_HELD = f"SELECT id, {_LAST} FROM thread WHERE name = ? AND epoch = ? AND owner = ?"  # noqa: S608
_THREAD = f"""
    SELECT id, max(head, {_LAST}), epoch, owner, lease_until FROM thread WHERE name = ?
"""  # noqa: S608 - as below
_READ = "SELECT seq, kind, run, body FROM row WHERE thread = ? AND seq > ? ORDER BY seq"
_RENEW = f"""
    UPDATE thread SET owner = ?, lease_until = ?, head = max(head, {_LAST})
    WHERE name = ? AND epoch = ? AND owner = ?
"""  # noqa: S608 - as below
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
_ASKED = 64
_FETCH = f"""
    SELECT hash, data FROM blob WHERE thread = (SELECT id FROM thread WHERE name = ?)
    AND hash IN ({", ".join("?" * _ASKED)})
"""  # noqa: S608 - as below
_GAPS = """
    SELECT thread.name, max(head, coalesce(max(row.seq), 0)), count(row.seq),
        coalesce(max(row.seq), 0)
    FROM thread LEFT JOIN row ON row.thread = thread.id GROUP BY thread.id
    HAVING count(row.seq) <> coalesce(max(row.seq), 0) OR coalesce(max(row.seq), 0) < head
"""
_ORPHANS = "SELECT count(*) FROM row WHERE thread NOT IN (SELECT id FROM thread)"


class _Thread(NamedTuple):
    """A row of the table ``thread``, without its name."""

    key: int
    head: int
    epoch: int
    owner: str | None
    until: float


class _Tail:
    """Where the rows of a thread that is held go.

    Attributes:
        key: The thread's number in the file.
        head: Its last row.
    """

    __slots__ = ("head", "key")

    def __init__(self, key: int, head: int) -> None:
        self.key = key
        self.head = head


class SqliteStorage:
    """Keeps threads in a SQLite file; see :class:`~durably.journal.storage.Storage`.

    An append is on its way to the file when it returns, so it survives ``kill -9``; an append with
    a barrier is synced, which takes every earlier one along (https://sqlite.org/pragma.html,
    "synchronous": WAL with NORMAL loses no consistency in a power cut, only the last commits, and
    FULL syncs the log after the commit). Appends of several threads share a commit.

    Args:
        path: The file. When its directory is called ``.durably`` and is not there, it is made,
            with a ``.gitignore`` that keeps it out of version control.
        create: Make the file if it is not there.
        timeout: Seconds to wait for other processes' writes before giving up.

    Attributes:
        path: The file's absolute path.
        url: What names this storage, ``sqlite:///`` and the path.

    Raises:
        StorageError: The file cannot be opened, or belongs to another program.
        JournalCorrupt: The file is damaged, or is no database.
        JournalTooNew: A later version of durably wrote the file.

    Example:
        >>> storage = SqliteStorage("runs.db")
        >>> lease = storage.acquire("t", "me", ttl=30.0, now=time.time())
        >>> storage.append(lease, [Row(1, 1, "run", b"fact")], {}, barrier=True)
    """

    def __init__(
        self, path: str | os.PathLike[str], *, create: bool = True, timeout: float = 10.0
    ) -> None:
        self.path = placed(path, create=create)
        self.url = f"sqlite:///{self.path}"
        self._timeout = timeout
        self._process = os.getpid()
        self._writing = threading.Lock()
        self._readers: list[sqlite3.Connection] = []
        self._closed = False
        self._appends = GroupCommit(self._commit)
        self._tails: dict[tuple[str, int], _Tail] = {}  # by thread and epoch
        self._is_full = False
        with explained(self.path):
            self._db = self._connect()
            try:
                _schema.prepare(self._db, self.path, timeout)
            except BaseException:
                self._db.close()
                raise

    def acquire(self, thread: str, owner: str, ttl: float, now: float) -> Lease:
        """Take a thread; see :meth:`Storage.acquire`."""
        if ttl == 0:
            return self._ask(thread, owner, now)
        with self._change() as db:
            found = self._thread(db, thread)
            if found is None:
                added = db.execute(
                    "INSERT INTO thread (name, owner, epoch, lease_until) VALUES (?, ?, 1, ?)",
                    (thread, owner, now + ttl),
                )
                return self._held(Lease(thread, owner, 1, 0), added.lastrowid)
            check_free(thread, found.owner, found.until, owner, now)
            epoch = found.epoch + (found.owner != owner)
            db.execute(
                "UPDATE thread SET owner = ?, epoch = ?, lease_until = ?, head = ? WHERE id = ?",
                (owner, epoch, now + ttl, found.head, found.key),
            )
            return self._held(Lease(thread, owner, epoch, found.head), found.key)

    def _held(self, lease: Lease, key: int | None) -> Lease:
        """Remember where the rows of a thread go that was just taken."""
        assert key is not None
        self._tails[lease.thread, lease.epoch] = _Tail(key, lease.head)
        return lease

    def _ask(self, thread: str, owner: str, now: float) -> Lease:
        """Say whether *thread* could be taken, and change nothing."""
        with self._reader() as db:
            found = self._thread(db, thread)
        if found is None:
            return Lease(thread, owner, 0, 0)
        check_free(thread, found.owner, found.until, owner, now)
        return Lease(thread, owner, found.epoch, found.head)

    def renew(self, lease: Lease, until: float) -> None:
        """Extend a lease or give it back; see :meth:`Storage.renew`."""
        owner = lease.owner if until else None
        with self._change() as db:
            done = db.execute(_RENEW, (owner, until, lease.thread, lease.epoch, lease.owner))
            if until and done.rowcount == 0:
                raise self._lease_lost(lease)
            if not until:
                self._tails.pop((lease.thread, lease.epoch), None)

    def append(
        self, lease: Lease, rows: Sequence[Row], blobs: Mapping[bytes, bytes], *, barrier: bool
    ) -> None:
        """Append rows and blobs, all or nothing; see :meth:`Storage.append`.

        With a barrier and nothing to append, what was appended before is synced.
        """
        if rows or blobs or barrier:
            self._check_open()
            self._appends.submit(Append(lease, rows, blobs, barrier))

    def rewrite(self, lease: Lease, rows: Sequence[Row], blobs: Mapping[bytes, bytes]) -> None:
        """Replace everything a thread holds, all or nothing; see :class:`Rewriting`."""
        with self._change() as db:
            held = db.execute(_HELD, (lease.thread, lease.epoch, lease.owner)).fetchone()
            if held is None:
                raise self._lease_lost(lease)
            db.execute("DELETE FROM row WHERE thread = ?", held[:1])
            db.execute("DELETE FROM blob WHERE thread = ?", held[:1])
            db.execute("UPDATE thread SET head = 0 WHERE id = ?", held[:1])
            self._tails[lease.thread, lease.epoch] = _Tail(held[0], 0)
            self._write(Append(lease, rows, blobs, barrier=False))
        self.append(lease, (), {}, barrier=True)

    def read(self, thread: str, after: int = 0) -> Sequence[Row]:
        """Return the thread's rows with ``seq > after`` in order; see :meth:`Storage.read`."""
        with self._reader() as db:
            db.execute("BEGIN")
            found = self._thread(db, thread)
            key, head = found[:2] if found else (None, 0)
            rows = list(map(Row._make, db.execute(_READ, (key, after))))
            db.execute("COMMIT")
        for seq, row in enumerate(rows, after + 1):
            if row[0] != seq or not _is_sound(row):
                raise JournalCorrupt(missing_row(thread, seq, self.path))
        if head > after + len(rows):
            raise JournalCorrupt(missing_row(thread, after + len(rows) + 1, self.path))
        return rows

    def marks(self, thread: str, before: int, limit: int) -> Sequence[Row]:
        """Return the thread's last landmarks; see :meth:`Storage.marks`."""
        with self._reader() as db:
            found = db.execute(_MARKS, (thread, before or _NO_BOUND, limit)).fetchall()
        for row in map(Row._make, found):
            if not _is_sound(row):
                raise JournalCorrupt(missing_row(thread, row.seq, self.path))
        return [Row._make(fields) for fields in found]

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

    def delete(self, thread: str, now: float) -> None:
        """Forget a thread; see :meth:`Storage.delete`."""
        with self._change() as db:
            found = self._thread(db, thread)
            if found is None:
                return
            check_free(thread, found.owner, found.until, "", now)
            db.execute("DELETE FROM row WHERE thread = ?", (found.key,))
            db.execute("DELETE FROM blob WHERE thread = ?", (found.key,))
            db.execute("DELETE FROM thread WHERE id = ?", (found.key,))

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

    def close(self) -> None:
        """Let go of the file; closing twice does nothing."""
        if self._process != os.getpid():
            return  # the connections are the parent's
        with self._writing:
            self._closed = True
            self._db.close()
            while self._readers:
                self._readers.pop().close()

    def _connect(self) -> sqlite3.Connection:
        return sqlite3.connect(
            self.path, timeout=self._timeout, isolation_level=None, check_same_thread=False
        )

    def _check_open(self) -> None:
        if self._closed:
            raise StorageError(f"{self.path}: closed. Open the journal again to go on.")
        # SQLite forbids a connection to cross fork() (https://sqlite.org/howtocorrupt.html, 2.6).
        if self._process != os.getpid():
            raise StorageError(
                f"{self.path}: opened before fork(); open the journal again in the child process."
            )

    @contextlib.contextmanager
    def _change(self) -> Generator[sqlite3.Connection]:
        """Lend the writer for one transaction, with errors explained."""
        self._check_open()
        with self._writing, explained(self.path):
            self._sync(full=False)
            with self._transaction():
                yield self._db

    @contextlib.contextmanager
    def _transaction(self) -> Generator[None]:
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
            self._db.execute("COMMIT")
        except BaseException:
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")
            raise

    @contextlib.contextmanager
    def _reader(self) -> Generator[sqlite3.Connection]:
        """Lend a connection for reading; readers and the writer do not wait for each other."""
        self._check_open()
        with explained(self.path):
            try:
                db = self._readers.pop()
            except IndexError:
                db = self._connect()
            try:
                yield db
            except BaseException:
                db.close()
                raise
            if self._closed or len(self._readers) >= _IDLE_READERS:
                db.close()
            else:
                self._readers.append(db)

    def _commit(self, jobs: Sequence[Append]) -> Sequence[Exception | None]:
        """Write several appends in one transaction; each is all or nothing for itself."""
        with self._writing:
            try:
                self._sync(full=any(job.barrier for job in jobs))
                if len(jobs) == 1 and _is_plain(jobs[0]):
                    self._insert(jobs[0].lease, jobs[0].rows[0])
                    return [None]
                with self._transaction():
                    if len(jobs) > 1:
                        return [self._attempt(job) for job in jobs]
                    self._only(jobs[0])
                    return [None]
            except Exception as error:
                return [explain(error, self.path) for _ in jobs]

    def _sync(self, *, full: bool) -> None:
        """Have the next commit synced, or not."""
        if full is not self._is_full:
            self._db.execute(f"PRAGMA synchronous = {'FULL' if full else 'NORMAL'}")
            self._is_full = full

    def _only(self, job: Append) -> None:
        """Write the only append of a transaction, which is undone if it fails."""
        try:
            self._write(job)
        except BaseException:
            self._tails.pop((job.lease.thread, job.lease.epoch), None)  # looked up anew
            raise

    def _attempt(self, job: Append) -> Exception | None:
        """Write one append inside the transaction, or leave nothing of it."""
        self._db.execute("SAVEPOINT job")
        outcome = None
        try:
            self._only(job)
        except Exception as error:
            if not self._db.in_transaction:
                raise  # the medium failed, and SQLite has undone the whole transaction
            self._db.execute("ROLLBACK TO job")
            outcome = explain(error, self.path)
        self._db.execute("RELEASE job")
        return outcome

    def _write(self, job: Append) -> None:
        tail = self._tail(job.lease)
        for row in job.rows:
            self._insert(job.lease, row)
        if tail is None or (not job.rows and not self._holds(job.lease)):
            raise self._lease_lost(job.lease)
        self._db.executemany(
            "INSERT INTO blob (thread, hash, data) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
            ((tail.key, name, data) for name, data in job.blobs.items()),
        )
        if job.barrier:
            # A commit that changes nothing syncs nothing, and equal values are not a change.
            self._db.execute(
                "UPDATE thread SET head = ?, flushes = flushes + 1 WHERE id = ?",
                (tail.head, tail.key),
            )

    def _insert(self, lease: Lease, row: Row) -> None:
        seq, kind, run, body = row
        _, owner, epoch, _ = lease
        tail = self._tail(lease)
        if tail is None:
            raise self._lease_lost(lease)
        if seq != tail.head + 1:
            tail.head = self._last(tail.key)  # an append that was interrupted may have been made
            if seq != tail.head + 1:
                raise self._refusal(lease, row)
        done = self._db.execute(_APPEND, (seq, kind, run, body, tail.key, epoch, owner))
        if done.rowcount != 1:
            raise self._lease_lost(lease)
        tail.head = seq

    def _tail(self, lease: Lease) -> _Tail | None:
        """Return where the lease's rows go; None if it does not hold."""
        tail = self._tails.get((lease.thread, lease.epoch))
        if tail is None:
            held = self._db.execute(_HELD, (lease.thread, lease.epoch, lease.owner)).fetchone()
            if held is not None:
                tail = self._tails[lease.thread, lease.epoch] = _Tail(*held)
        return tail

    def _last(self, key: int) -> int:
        found = self._db.execute("SELECT max(seq) FROM row WHERE thread = ?", (key,)).fetchone()
        return found[0] or 0

    def _holds(self, lease: Lease) -> bool:
        held = self._db.execute(_HELD, (lease.thread, lease.epoch, lease.owner))
        return held.fetchone() is not None

    def _refusal(self, lease: Lease, row: Row) -> JournalError:
        held = self._db.execute(_HELD, (lease.thread, lease.epoch, lease.owner)).fetchone()
        return out_of_order(lease.thread, row.seq, held[1]) if held else self._lease_lost(lease)

    def _lease_lost(self, lease: Lease) -> JournalError:
        found = self._thread(self._db, lease.thread)
        return lease_lost(lease, found.owner if found else None)

    def _thread(self, db: sqlite3.Connection, name: str) -> _Thread | None:
        fields = db.execute(_THREAD, (name,)).fetchone()
        if fields is None:
            return None
        if not _is_sound_thread(fields):
            raise JournalCorrupt(
                f"{self.path}: the entry of thread {name!r} is damaged. Run `durably doctor`, and "
                "restore a copy of the journal; other threads are not affected."
            )
        return _Thread._make(fields)


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


def _is_plain(job: Append) -> bool:
    """Tell whether an append is one statement."""
    return len(job.rows) == 1 and not job.blobs and not job.barrier
