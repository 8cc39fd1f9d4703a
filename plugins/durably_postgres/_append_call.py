"""Appends: the rows and blobs of several threads, written by one call of a function.

One call is one transaction and one trip to the server and back. What is too large for one message
goes in pieces, in a transaction around them.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple, TypeVar

from durably.errors import JournalError
from durably.storage import (
    Append,
    GroupCommit,
    Lease,
    Row,
    lease_lost,
    out_of_order,
    tell_of_forks,
)

from . import _arrays as arrays
from ._arrays import ARRAY_OF, BOOL, BYTEA, INT4, INT8, TEXT
from ._binary_calls import sent
from ._database import Connection, Database
from ._text import digest, restored, stored

_PART = 8 * 2**20
"""Bytes of a part of a blob. Part of the format: the parts of one blob are cut once and for all."""

_MESSAGE = 16 * 2**20
"""Bytes of rows and blobs that one call carries at most, give or take one row."""

_COLUMNS = (BYTEA, TEXT, INT8, INT8, INT4, INT8, INT4, TEXT, BYTEA, INT4, BYTEA, INT4, BYTEA)
_TYPES = [*(ARRAY_OF[kind] for kind in _COLUMNS), BOOL]

_NEVER = -1
"""In place of a first row's number: the rows do not even follow each other."""

_CALL = "SELECT {s}.append($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)"
_THERE = """
    SELECT r.seq, r.kind, r.run, r.body FROM {s}.row r JOIN {s}.thread t ON t.id = r.thread
    WHERE t.digest = %s AND r.seq BETWEEN %s AND %s ORDER BY r.seq
"""
_HELD = """
    SELECT t.owner, t.epoch,
        (SELECT coalesce(max(r.seq), 0) FROM {s}.row r WHERE r.thread = t.id)
    FROM {s}.thread t WHERE t.digest = %s
"""

T = TypeVar("T")


class Job(NamedTuple):
    """One append, made ready by whoever asked for it, so that a bad text is that caller's alone."""

    lease: Lease
    rows: Sequence[Row]
    blobs: Mapping[bytes, bytes]
    barrier: bool
    digest: bytes
    owner: bytes
    runs: Sequence[bytes]
    size: int


class _Part(NamedTuple):
    hash: bytes
    number: int
    data: bytes


class _Piece(NamedTuple):
    """What one call carries of one job."""

    job: Job
    first: int
    rows: Sequence[tuple[Row, bytes]]
    parts: Sequence[_Part]


class Appender:
    """Writes appends; callers who come while a commit is under way share the next one.

    Args:
        database: Where to.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._group = GroupCommit(self._commit)
        self._call = database.sql(_CALL)
        tell_of_forks(self)

    def before_fork(self) -> None:
        """Do nothing: what is being committed is the parent's."""

    def after_fork(self, *, in_child: bool) -> None:
        """Wait for no thread of the parent's."""
        if in_child:
            self._group = GroupCommit(self._commit)

    def append(
        self, lease: Lease, rows: Sequence[Row], blobs: Mapping[bytes, bytes], *, barrier: bool
    ) -> None:
        """Append rows and blobs, all or nothing; see :meth:`~durably.storage.Storage.append`."""
        self._group.submit(_job(lease, rows, blobs, barrier=barrier))

    def append_all(self, appends: Sequence[Append]) -> Sequence[Exception | None]:
        """Append to several threads with one commit; see :class:`~durably.storage.Sharing`."""
        return self._group.submit_all([_job(*one[:3], barrier=one.barrier) for one in appends])

    def put(
        self,
        connection: Connection,
        lease: Lease,
        rows: Sequence[Row],
        blobs: Mapping[bytes, bytes],
    ) -> None:
        """Do the same inside a transaction that is there already."""
        refused = self._put(connection, _job(lease, rows, blobs, barrier=True))
        if refused is not None:
            raise refused

    def _commit(self, jobs: Sequence[Job]) -> Sequence[Exception | None]:
        """Write several jobs, each all or nothing; return for each its error, or None."""
        outcomes: list[Exception | None] = [None] * len(jobs)
        for group in _groups(jobs):
            try:
                refused = self._write([jobs[index] for index in group])
            except Exception as error:
                refused = dict.fromkeys(range(len(group)), error)
            for place, reason in refused.items():
                outcomes[group[place]] = reason
        return outcomes

    def _put(self, connection: Connection, job: Job) -> JournalError | None:
        """Write one job, however large; return why it was refused, if it was."""
        for piece in _pieces(job):
            if not self._send(connection, [piece], barrier=job.barrier):
                return self._refusal(connection, job)
        return None

    def _write(self, jobs: Sequence[Job]) -> Mapping[int, Exception]:
        """Write jobs that fit into one call, or a single one; return those that were refused."""
        tries = itertools.count()

        def work(connection: Connection) -> Mapping[int, Exception]:
            # The reply to an earlier try was lost, not necessarily the rows. It may still be under
            # way, and end while this one waits for the lock: so they are looked for again.
            is_again = next(tries) > 0
            there = self._those_there(connection, jobs) if is_again else ()
            left = [n for n in range(len(jobs)) if n not in there]
            refused = self._try(connection, [jobs[n] for n in left])
            if refused and is_again:
                there = self._those_there(connection, jobs)
            return {left[n]: why for n, why in refused.items() if left[n] not in there}

        return self._database.run(work)

    def _try(self, connection: Connection, jobs: Sequence[Job]) -> Mapping[int, Exception]:
        if not jobs:
            return {}
        if jobs[0].size > _MESSAGE:
            return self._write_large(connection, jobs[0])
        barrier = any(job.barrier for job in jobs)
        accepted = self._send(connection, [_whole(job) for job in jobs], barrier=barrier)
        lost = [n for n in range(len(jobs)) if n + 1 not in accepted]
        return {n: self._refusal(connection, jobs[n]) for n in lost}

    def _write_large(self, connection: Connection, job: Job) -> Mapping[int, Exception]:
        with connection.transaction() as transaction:
            # A process that is stopped half-way must not hold the thread for ever.
            connection.execute("SET LOCAL idle_in_transaction_session_timeout = '60s'")
            refused = self._put(connection, job)
            if refused is not None:
                transaction.force_rollback = True
        return {} if refused is None else {0: refused}

    def _send(
        self, connection: Connection, pieces: Sequence[_Piece], *, barrier: bool
    ) -> Sequence[int]:
        """Call the function; return which pieces were accepted, counted from 1."""
        packed = _packed(pieces, barrier=barrier)
        found = sent(connection, self._call, packed, _TYPES)
        return arrays.numbers(found.get_value(0, 0) or b"")

    def _those_there(self, connection: Connection, jobs: Sequence[Job]) -> Collection[int]:
        """Return which jobs' rows are in their threads."""
        return {n for n, job in enumerate(jobs) if self._is_there(connection, job)}

    def _is_there(self, connection: Connection, job: Job) -> bool:
        if not job.rows:
            return False  # writing blobs again, or syncing again, changes nothing
        wanted = (job.digest, job.rows[0].seq, job.rows[-1].seq)
        return self._database.rows(connection, _THERE, wanted) == [
            (row.seq, row.kind, run.decode(), row.body)
            for row, run in zip(job.rows, job.runs, strict=True)
        ]

    def _refusal(self, connection: Connection, job: Job) -> JournalError:
        """Say why an append was not accepted."""
        found = self._database.rows(connection, _HELD, (job.digest,))
        owner, epoch, head = found[0] if found else (None, 0, 0)
        if owner != job.owner.decode() or epoch != job.lease.epoch:
            return lease_lost(job.lease, owner and restored(owner))
        culprit = next((row.seq for n, row in enumerate(job.rows, head + 1) if row.seq != n), 0)
        return out_of_order(job.lease.thread, culprit, head)


def _job(lease: Lease, rows: Sequence[Row], blobs: Mapping[bytes, bytes], *, barrier: bool) -> Job:
    size = sum(len(row.body) for row in rows) + sum(map(len, blobs.values()))
    runs = [stored(row.run).encode() for row in rows]
    owner = stored(lease.owner).encode()
    return Job(lease, rows, blobs, barrier, digest(lease.thread), owner, runs, size)


def _groups(jobs: Sequence[Job]) -> Iterator[list[int]]:
    """Yield jobs that one call can carry: of different threads, and not too large together."""
    group: list[int] = []
    threads: set[bytes] = set()
    size = 0
    for index, job in enumerate(jobs):
        if group and (job.digest in threads or size + job.size > _MESSAGE):
            yield group
            group, threads, size = [], set(), 0
        group.append(index)
        threads.add(job.digest)
        size += job.size
    yield group


def _whole(job: Job) -> _Piece:
    """Return a job as one piece."""
    rows = list(zip(job.rows, job.runs, strict=True))
    return _Piece(job, _first(job.rows), rows, list(_parts(job.blobs)))


def _pieces(job: Job) -> Sequence[_Piece]:
    """Cut a job into what a call can carry, the blobs first."""
    whole = _whole(job)
    if job.size <= _MESSAGE or whole.first == _NEVER:
        return [whole._replace(parts=[]) if whole.first == _NEVER else whole]
    blobs = [_Piece(job, 0, [], some) for some in _portions(whole.parts, lambda one: one.data)]
    rows = _portions(whole.rows, lambda one: one[0].body)
    return [*blobs, *(_Piece(job, some[0][0].seq, some, []) for some in rows)]


def _parts(blobs: Mapping[bytes, bytes]) -> Iterator[_Part]:
    for key, data in blobs.items():
        for at in range(0, len(data) or 1, _PART):
            yield _Part(key, at // _PART, data[at : at + _PART])


def _portions(items: Iterable[T], data: Callable[[T], bytes]) -> Iterator[list[T]]:
    portion: list[T] = []
    size = 0
    for item in items:
        if portion and size + len(data(item)) > _MESSAGE:
            yield portion
            portion, size = [], 0
        portion.append(item)
        size += len(data(item))
    if portion:
        yield portion


def _first(rows: Sequence[Row]) -> int:
    """Return the number of the first row, if the others follow it; 0 if there is none."""
    if not rows:
        return 0
    first = rows[0].seq
    if first < 1 or any(row.seq != seq for seq, row in enumerate(rows, first)):
        return _NEVER
    return first


def _packed(pieces: Sequence[_Piece], *, barrier: bool) -> list[bytes]:
    """Return the arguments of the function ``append``, in PostgreSQL's binary format."""
    jobs = [piece.job for piece in pieces]
    rows = [(at, row, run) for at, piece in enumerate(pieces, 1) for row, run in piece.rows]
    parts = [(at, part) for at, piece in enumerate(pieces, 1) for part in piece.parts]
    return [
        arrays.of_bytes(BYTEA, [job.digest for job in jobs]),
        arrays.of_bytes(TEXT, [job.owner for job in jobs]),
        arrays.of_numbers(INT8, [job.lease.epoch for job in jobs]),
        arrays.of_numbers(INT8, [piece.first for piece in pieces]),
        arrays.of_numbers(INT4, [at for at, _, _ in rows]),
        arrays.of_numbers(INT8, [row.seq for _, row, _ in rows]),
        arrays.of_numbers(INT4, [row.kind for _, row, _ in rows]),
        arrays.of_bytes(TEXT, [run for _, _, run in rows]),
        arrays.of_bytes(BYTEA, [row.body for _, row, _ in rows]),
        arrays.of_numbers(INT4, [at for at, _ in parts]),
        arrays.of_bytes(BYTEA, [part.hash for _, part in parts]),
        arrays.of_numbers(INT4, [part.number for _, part in parts]),
        arrays.of_bytes(BYTEA, [part.data for _, part in parts]),
        b"\x01" if barrier else b"\x00",
    ]
