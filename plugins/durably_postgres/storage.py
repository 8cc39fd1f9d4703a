"""The storage of programs that run on several machines: threads in a PostgreSQL database."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

from durably.errors import JournalCorrupt
from durably.storage import Append, Lease, Row, check_free, lease_lost, missing_row

from ._append_call import Appender
from ._binary_calls import TRUE, Value, as_real, as_text, as_whole, raw, real, row, text, whole
from ._database import Connection, Database, Pool
from ._notifications import Waiter
from ._text import digest, restored, stored

_PAGE = 500
_NO_BOUND = (1 << 63) - 1

_TAKE = "SELECT epoch, head, holder, lease_until FROM {s}.take($1, $2, $3, $4, $5, $6)"
_RENEW = "SELECT {s}.renew($1, $2, $3, $4, $5)"
_HELD = """
    SELECT owner, lease_until, epoch,
        (SELECT coalesce(max(r.seq), 0) FROM {s}.row r WHERE r.thread = t.id)
    FROM {s}.thread t WHERE digest = %s
"""
_READ = """
    SELECT seq, kind, run, body FROM {s}.row
    WHERE thread = (SELECT id FROM {s}.thread WHERE digest = %s) AND seq > %s ORDER BY seq
"""
_MARKS = """
    SELECT seq, kind, run, body FROM {s}.row
    WHERE thread = (SELECT id FROM {s}.thread WHERE digest = %s) AND mark IS NOT NULL AND seq < %s
    ORDER BY seq DESC LIMIT %s
"""
_LANDMARKS = """
    SELECT r.mark, t.name, r.seq, r.kind, r.run, r.body
    FROM {s}.row r JOIN {s}.thread t ON t.id = r.thread
    WHERE r.mark > %s ORDER BY r.mark LIMIT 500
"""
_FETCH = """
    SELECT hash, data FROM {s}.blob
    WHERE thread = (SELECT id FROM {s}.thread WHERE digest = %s) AND hash = ANY (%b)
    ORDER BY hash, part
"""
_LOCK = """
    SELECT id, owner, epoch, lease_until FROM {s}.thread WHERE digest = %s FOR UPDATE
"""
_FORGET_ROWS = "DELETE FROM {s}.row WHERE thread = %s"
_FORGET_BLOBS = "DELETE FROM {s}.blob WHERE thread = %s"
_FORGET_THREAD = "DELETE FROM {s}.thread WHERE id = %s"


class PostgresStorage:
    """Keeps threads in a PostgreSQL database; see :class:`~durably.storage.Storage`.

    An append is committed when it returns, as durably as the server commits: with PostgreSQL's own
    setting (``synchronous_commit = on``) it is on the server's disk. Where a role or database says
    ``off``, appends survive the death of this process at once and a crash of the server a moment
    later; one with a barrier is synced all the same, and takes every earlier one along. Appends of
    several threads share a commit.

    A connection that is lost is replaced, and what was under way is done again without being done
    twice. Nothing depends on a session, so a pooler such as PgBouncer may be in between.

    Args:
        where: A URL such as ``postgresql://user:password@host/database``, libpq's keywords, or a
            ``psycopg_pool.ConnectionPool`` to borrow connections from.
        schema: Where the tables are; made if it is not there. By default what the URL's parameter
            ``schema`` says, or ``durably``.
        patience: Seconds to go on trying when the server cannot be reached.
        connections: How many may be open at once.

    Attributes:
        url: What names this storage, without a password.
        is_remote: An append is a trip to the server and back.

    Raises:
        StorageError: The database cannot be reached or used.
        JournalTooNew: A later version of durably wrote the schema.

    Example:
        >>> storage = PostgresStorage("postgresql:///runs")
        >>> lease = storage.acquire("t", "me", ttl=30.0, now=time.time())
        >>> storage.append(lease, [Row(1, 1, "run", b"fact")], {}, barrier=True)
    """

    is_remote = True

    def __init__(
        self,
        where: str | Pool,
        *,
        schema: str | None = None,
        patience: float = 30.0,
        connections: int = 8,
    ) -> None:
        self._database = Database(where, schema=schema, patience=patience, connections=connections)
        self.url = self._database.address.url
        self._appender = Appender(self._database)
        self._waiter = Waiter(self._database)

    def acquire(self, thread: str, owner: str, ttl: float, now: float) -> Lease:
        """Take a thread; see :meth:`Storage.acquire`."""
        if ttl == 0:
            return self._ask(thread, owner, now)
        dead: str | None = None
        while True:
            names = raw(digest(thread)), text(stored(thread)), text(stored(owner))
            epoch, head, holding, until = self._called(
                _TAKE, *names, real(now + ttl), real(now), text(dead)
            )
            holder = as_text(holding)
            if holder is None:
                return Lease(thread, owner, as_whole(epoch), as_whole(head))
            check_free(thread, restored(holder), as_real(until), owner, now)
            dead = holder  # its process has ended: ask again, unless somebody was faster

    def _ask(self, thread: str, owner: str, now: float) -> Lease:
        """Say whether *thread* could be taken, and change nothing."""
        found = self._database.query(_HELD, (digest(thread),))
        if not found:
            return Lease(thread, owner, 0, 0)
        [(holder, until, epoch, head)] = found
        check_free(thread, holder and restored(holder), until, owner, now)
        return Lease(thread, owner, epoch, head)

    def renew(self, lease: Lease, until: float) -> None:
        """Extend a lease or give it back; see :meth:`Storage.renew`."""
        name, owner = digest(lease.thread), stored(lease.owner)
        heir = owner if until else None
        place = raw(name), whole(lease.epoch)
        [held] = self._called(_RENEW, *place, text(owner), text(heir), real(until))
        if until and held != TRUE:
            found = self._database.query(_HELD, (name,))
            holder = found[0][0] if found else None
            raise lease_lost(lease, holder and restored(holder))

    def _called(self, call: str, *values: Value) -> list[bytes | None]:
        """Call a function of the database; return the fields of its row."""
        statement = self._database.sql(call)
        return self._database.run(lambda connection: row(connection, statement, values))

    def append(
        self, lease: Lease, rows: Sequence[Row], blobs: Mapping[bytes, bytes], *, barrier: bool
    ) -> None:
        """Append rows and blobs, all or nothing; see :meth:`Storage.append`.

        With a barrier and nothing to append, what was appended before is synced.
        """
        if rows or blobs or barrier:
            self._appender.append(lease, rows, blobs, barrier=barrier)

    def append_all(self, appends: Sequence[Append]) -> Sequence[Exception | None]:
        """Append to several threads with one commit; see :class:`~durably.storage.Sharing`."""
        return self._appender.append_all(appends)

    def rewrite(self, lease: Lease, rows: Sequence[Row], blobs: Mapping[bytes, bytes]) -> None:
        """Replace everything a thread holds, all or nothing; see :class:`Rewriting`."""

        def work(connection: Connection) -> None:
            found = self._database.rows(connection, _LOCK, (digest(lease.thread),))
            key, owner, epoch, _ = found[0] if found else (0, None, 0, 0.0)
            if (owner, epoch) != (stored(lease.owner), lease.epoch):
                raise lease_lost(lease, owner and restored(owner))
            for statement in (_FORGET_ROWS, _FORGET_BLOBS):
                self._database.rows(connection, statement, (key,))
            self._appender.put(connection, lease, rows, blobs)

        self._database.transact(work)

    def read(self, thread: str, after: int = 0) -> Sequence[Row]:
        """Return the thread's rows with ``seq > after`` in order; see :meth:`Storage.read`."""
        rows = _rows(self._database.query(_READ, (digest(thread), after)))
        if rows and rows[-1].seq != after + len(rows):  # they are in order, each once
            gap = next(seq for seq, row in enumerate(rows, after + 1) if row.seq != seq)
            raise JournalCorrupt(missing_row(thread, gap, self.url))
        return rows

    def marks(self, thread: str, before: int, limit: int) -> Sequence[Row]:
        """Return the thread's last landmarks; see :meth:`Storage.marks`."""
        found = self._database.query(_MARKS, (digest(thread), before or _NO_BOUND, limit))
        return _rows(found)

    def landmarks(self) -> Iterator[tuple[str, Row]]:
        """Yield ``(thread, row)`` for each landmark; see :meth:`Storage.landmarks`.

        No transaction stays open between two items, so a slow reader holds up nobody.
        """
        last = 0
        while True:
            page = self._database.query(_LANDMARKS, (last,))
            for last, thread, seq, kind, run, body in page:  # noqa: B007 - the next page's start
                yield restored(thread), Row(seq, kind, restored(run), body)
            if len(page) < _PAGE:
                return

    def fetch(self, thread: str, hashes: Collection[bytes]) -> Mapping[bytes, bytes]:
        """Return those of the thread's blobs that are there; see :meth:`Storage.fetch`."""
        name, wanted = digest(thread), list(hashes)
        parts: dict[bytes, list[bytes]] = {}
        for at in range(0, len(wanted), _PAGE):
            for key, data in self._database.query(_FETCH, (name, wanted[at : at + _PAGE])):
                parts.setdefault(key, []).append(data)
        return {key: b"".join(some) for key, some in parts.items()}

    def delete(self, thread: str, now: float) -> None:
        """Forget a thread; see :meth:`Storage.delete`."""
        name = digest(thread)

        def work(connection: Connection) -> None:
            for key, holder, _, until in self._database.rows(connection, _LOCK, (name,)):
                check_free(thread, holder and restored(holder), until, "", now)
                for statement in (_FORGET_ROWS, _FORGET_BLOBS, _FORGET_THREAD):
                    self._database.rows(connection, statement, (key,))

        self._database.transact(work)

    def wait(self, thread: str, after: int, timeout: float) -> bool:
        """Wait until a thread has a row with ``seq > after``; see :class:`Waiting`.

        The database tells of it within milliseconds. Where it cannot (a pooler in between keeps no
        sessions), the thread is looked at several times a second.
        """
        return self._waiter.wait(digest(thread), after, timeout)

    def close(self) -> None:
        """Let go of the connections; closing twice does nothing."""
        self._waiter.close()
        self._database.close()


def _rows(found: Iterable[tuple[int, int, str, bytes]]) -> list[Row]:
    rows = list(map(Row._make, found))
    if any("\\" in run for run in {row.run for row in rows}):
        return [row._replace(run=restored(row.run)) for row in rows]
    return rows
