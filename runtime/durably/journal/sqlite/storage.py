"""The storage of ordinary use: one SQLite file, shared by any number of threads and processes."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import threading
from collections.abc import Generator, Mapping, Sequence

from ...errors import JournalError, StorageError
from ...process_fork import tell_of_forks
from ..leases.refusals import check_free, lease_lost, out_of_order
from ..log.group_commit import Append, GroupCommit
from ..storage import Lease, Row
from . import schema as _schema
from .connections import PATIENCE, check_uncrossed, cross
from .errors import explain, explained
from .file_location import placed
from .reader import LAST, SqliteReading

# One statement checks the lease and writes the row: a transaction by itself, without BEGIN and
# COMMIT around it.
_APPEND = """
    INSERT INTO row (thread, seq, kind, run, body)
    SELECT id, ?, ?, ?, ? FROM thread WHERE id = ? AND epoch = ? AND owner = ?
"""
_HELD = f"SELECT id, {LAST} FROM thread WHERE name = ? AND epoch = ? AND owner = ?"  # noqa: S608
_RENEW = f"""
    UPDATE thread SET owner = ?, lease_until = ?, head = max(head, {LAST})
    WHERE name = ? AND epoch = ? AND owner = ?
"""  # noqa: S608 - no caller's text in it

_SPARE_PAGES, _PAGES_AT_ONCE = 32, 256


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


class SqliteStorage(SqliteReading):
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
        is_remote: An append is made in less time than it takes to change threads.

    Raises:
        StorageError: The file cannot be opened, or belongs to another program.
        JournalCorrupt: The file is damaged, or is no database.
        JournalTooNew: A later version of durably wrote the file.

    Example:
        >>> storage = SqliteStorage("runs.db")
        >>> lease = storage.acquire("t", "me", ttl=30.0, now=time.time())
        >>> storage.append(lease, [Row(1, 1, "run", b"fact")], {}, barrier=True)
    """

    is_remote = False

    def __init__(
        self, path: str | os.PathLike[str], *, create: bool = True, timeout: float = 10.0
    ) -> None:
        super().__init__(placed(path, create=create), timeout)
        self._writing = threading.Lock()
        self._appends = GroupCommit(self._commit)
        self._tails: dict[tuple[str, int], _Tail] = {}  # by thread and epoch
        self._inherited: set[tuple[str, int]] = set()
        self._is_full = False
        self._is_open = self._is_quiet = True
        check_uncrossed(self.path)
        with explained(self.path):
            self._db = self._connect()
            try:
                _schema.prepare(self._db, self.path, timeout)
            except BaseException:
                self._db.close()
                raise
        tell_of_forks(self)

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
        if (lease.thread, lease.epoch) in self._inherited:
            raise self._lease_lost(lease)
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

    def append_all(self, appends: Sequence[Append]) -> Sequence[Exception | None]:
        """Append to several threads with one commit; see :class:`Sharing`."""
        self._check_open()
        return self._appends.submit_all(appends)

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
        self._shrink()

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
        self._shrink()

    def _shrink(self) -> None:
        """Give the pages that are free now back to the file system, but for a few.

        A transaction moves some of them to the end of the file and cuts it, and lets other writers
        in before the next one. What was forgotten stays so if another process does not let us in.
        """
        more = _SPARE_PAGES + 1
        with contextlib.suppress(StorageError):
            while more > _SPARE_PAGES:
                before = more
                with self._writing, explained(self.path):
                    self._sync(full=False)
                    self._db.execute(f"PRAGMA incremental_vacuum({_PAGES_AT_ONCE})").fetchall()
                    (more,) = self._db.execute("PRAGMA freelist_count").fetchone()
                if more == before:
                    return  # made before files were set up for it

    def close(self) -> None:
        """Let go of the file; closing twice does nothing."""
        with self._writing:
            self._closed = True
            self._db.close()
            self._readers.close()

    def before_fork(self) -> None:
        """Wait for the commit under way, and close the writer: no connection crosses a fork."""
        self._is_quiet = self._writing.acquire(timeout=PATIENCE)
        if self._is_quiet:
            self._db.close()
            self._is_open = False

    def after_fork(self, *, in_child: bool) -> None:
        """Let writers in again; leases that the parent holds are none of the child's."""
        if not in_child:
            if self._is_quiet:
                self._writing.release()
            return
        if not self._is_quiet:
            cross(self.path, self._db)
            self._is_open = False
        self._writing = threading.Lock()
        self._appends = GroupCommit(self._commit)
        self._inherited.update(self._tails)
        self._tails = {}

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
        """Have the next commit synced, or not; open the writer that a fork has closed."""
        if not self._is_open:
            self._open_again()
        if full is not self._is_full:
            self._db.execute(f"PRAGMA synchronous = {'FULL' if full else 'NORMAL'}")
            self._is_full = full

    def _open_again(self) -> None:
        check_uncrossed(self.path)
        db = self._connect()
        try:
            _schema.open_again(db, self.path)
        except BaseException:
            db.close()
            raise
        self._db, self._is_open, self._is_full = db, True, False

    def _only(self, job: Append) -> None:
        """Write the only append of a transaction, which is undone if it fails."""
        try:
            self._write(job)
        except BaseException:
            self._tails.pop((job.lease.thread, job.lease.epoch), None)  # looked up anew
            raise

    def _attempt(self, job: Append) -> Exception | None:
        """Write one append inside the transaction, or leave nothing of it."""
        is_plain = _is_plain(job)  # and undone by itself
        outcome = None
        if not is_plain:
            self._db.execute("SAVEPOINT job")
        try:
            self._only(job)
        except Exception as error:
            if not self._db.in_transaction:
                raise  # the medium failed, and SQLite has undone the whole transaction
            if not is_plain:
                self._db.execute("ROLLBACK TO job")
            outcome = explain(error, self.path)
        if not is_plain:
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
        if job.barrier and not job.rows:
            # A commit that changes nothing syncs nothing, and equal values are not a change.
            self._db.execute("UPDATE thread SET flushes = flushes + 1 WHERE id = ?", (tail.key,))

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
        if tail is None and (lease.thread, lease.epoch) not in self._inherited:
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


def _is_plain(job: Append) -> bool:
    """Tell whether an append is one statement."""
    return len(job.rows) == 1 and not job.blobs
