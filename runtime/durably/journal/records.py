"""The facts that a journal holds, and how each is written as one row.

A record is a named tuple; its row's body is the msgpack array of its fields followed by a CRC-32
over the row's place and content, so that a damaged or misplaced row is refused by every storage.
Fields are only ever added at the end, with a default: a journal written by an earlier version
reads as if the newer fields had been left at theirs.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any, NamedTuple, TypeAlias
from zlib import crc32

from ormsgpack import packb, unpackb

from ..errors import JournalCorrupt
from .storage import Row

OK, FAILED = 0, 1
"""Outcomes of a step."""

SUPERSEDED = "superseded"
"""Status of a run that was given up since another one took its place on the thread."""


class RunStarted(NamedTuple):
    """A run began on the thread."""

    entry: str
    """What was started: ``script:crew.py``, ``crewai:Crew``, ``module:function``."""
    at: float
    """Seconds since the epoch."""
    request: bytes
    """Fingerprint of what the run was given, to tell the same command from another."""
    value: bytes
    """What the run was given, encoded."""
    meta: dict[str, Any]
    """Command line, working directory, versions, user metadata."""


class RunResumed(NamedTuple):
    """A process took up an unfinished run again."""

    at: float
    meta: dict[str, Any]


class RunEnded(NamedTuple):
    """A run came to its end."""

    status: str
    """``done``, ``failed``, ``cancelled`` or ``superseded``."""
    at: float
    value: bytes
    """The result, or the error that ended the run, encoded; empty when it could not be written."""
    causes: list[int]
    """Rows of the failed steps that ended the run; only these are executed again."""
    message: str = ""
    """The error in words, readable without decoding it."""
    successor: str = ""
    """The run of the same thread that took the place of one that is ``superseded``."""


class RunWaiting(NamedTuple):
    """A run was unwound because it waits for answers, or for a time."""

    at: float
    open: list[str]
    """Ids of the questions it waits for."""
    wake: float | None = None
    """When it is to go on by itself: a provider was down, or a quota used up."""
    why: str = ""
    """What it was parked for, in words."""


class Asked(NamedTuple):
    """A question was asked (an interrupt)."""

    id: str
    lane: str
    name: str
    ordinal: int
    print: bytes
    nth: int
    at: float
    question: bytes
    """The question record, encoded."""


class Answered(NamedTuple):
    """A question was answered."""

    id: str
    at: float
    by: str
    value: bytes
    version: int = 0
    """The row of the question that whoever answered had seen; 0 if they did not say."""


class Saved(NamedTuple):
    """The thread's short-term memory after a run (``entrypoint.final(save=…)``)."""

    at: float
    value: bytes
    lane: str = ""
    """Whose memory it is: the run's own, or a nested entrypoint's that keeps one."""


class Updated(NamedTuple):
    """The thread's state was edited from outside of a run."""

    at: float
    value: bytes
    """What the thread's last run is taken to have returned, encoded."""
    save: bytes
    """What the thread's next run gets as its previous value, encoded."""
    meta: dict[str, Any]


class StepEnded(NamedTuple):
    """A step has an outcome."""

    lane: str
    kind: str
    name: str
    ordinal: int
    """How many steps of this kind and name the lane had before."""
    print: bytes
    """Fingerprint of the request."""
    nth: int
    """How many steps of this kind, name and fingerprint the lane had before."""
    outcome: int
    started: float
    elapsed: float
    """Seconds, all attempts and waits included."""
    attempts: int
    value: bytes
    request: bytes = b""
    """The request in plain form; what is shown when it differs."""
    overlapped: bool = False
    """Another step of the lane was under way at the same time, so ordinals were a race."""
    label: str = ""
    usage: dict[str, Any] | None = None
    cached: bool = False
    """The value was served from a cache; nothing was paid for it."""
    adapter: str = ""
    """The adapter that caught the step."""
    agent: str = ""
    """The agent whose turn it was, if an adapter said so."""
    pure: bool = False
    """It surely changed nothing outside, though its kind may."""
    leaf: str = ""
    """Path of the lane inside it, if an earlier request of the step named that lane."""


class StepStarted(NamedTuple):
    """An effect is about to happen."""

    lane: str
    kind: str
    name: str
    ordinal: int
    print: bytes
    nth: int
    at: float
    label: str = ""
    request: bytes = b""
    """The request in plain form; shown where another process finds the effect unfinished."""


class LaneEntered(NamedTuple):
    """A lane that is named by its content was entered for the first time."""

    lane: str
    stem: str
    """The part of the lane's last segment that names no content, such as ``crew``."""
    print: bytes
    """Fingerprint of the content."""
    content: bytes
    """The content in plain form, encoded; compared with the content of a later process."""
    at: float
    instead: list[str]
    """Recorded lanes that it may have been: they stood at its place and were not entered."""


class StepAttempted(NamedTuple):
    """One attempt of a step failed and another is to follow."""

    lane: str
    kind: str
    name: str
    print: bytes
    nth: int
    attempt: int
    at: float
    retry_at: float
    error: str


class Ordered(NamedTuple):
    """Who came next among unordered branches."""

    group: str
    who: list[str]


class EffectsUnmet(NamedTuple):
    """Effects that earlier processes recorded, and that the continued program never came to."""

    rows: list[int]
    """Rows of their outcomes, or of the start markers of those without an outcome."""


class Program(NamedTuple):
    """Source files of the program as they were, by content hash."""

    files: dict[str, bytes]


class Told(NamedTuple):
    """Parts of the run's stream that no other record tells, as they were written."""

    parts: list[bytes]
    """Each an encoded list of mode, lane in segments, and data."""


Record: TypeAlias = (
    RunStarted
    | RunResumed
    | RunEnded
    | RunWaiting
    | Asked
    | Answered
    | Saved
    | Updated
    | StepEnded
    | StepStarted
    | StepAttempted
    | LaneEntered
    | Ordered
    | EffectsUnmet
    | Program
    | Told
)

KINDS: Mapping[type[Any], int] = {
    RunStarted: 1,
    RunResumed: 2,
    RunEnded: 3,
    RunWaiting: 4,
    Asked: 5,
    Answered: 6,
    Saved: 7,
    Updated: 8,
    StepEnded: 16,
    StepStarted: 17,
    StepAttempted: 18,
    Ordered: 19,
    Program: 20,
    Told: 22,
    LaneEntered: 23,
    EffectsUnmet: 24,
}
"""What the journal says for each record; the numbers never change."""

TOLD = KINDS[Told]
STEP_OK, STEP_STARTED, STEP_FAILED = KINDS[StepEnded], KINDS[StepStarted], 21
"""A step's outcome is told by its row's kind too, so that it is known without reading the row."""

_TYPES = {number: made for made, number in KINDS.items()} | {STEP_FAILED: StepEnded}


class Entry(NamedTuple):
    """A record with its place."""

    seq: int
    run: str
    record: Record


def to_row(thread: str, seq: int, run: str, record: Record) -> Row:
    """Write *record* as the row at *seq* of *thread*."""
    kind = KINDS[type(record)]
    if type(record) is StepEnded and record.outcome == FAILED:
        kind = STEP_FAILED
    packed = packb([*record])
    crc = crc32(packed, _place(thread, seq, kind, run))
    return _new(Row, (seq, kind, run, packed + crc.to_bytes(4, "big")))


def from_row(thread: str, row: Row) -> Entry:
    """Read a row back.

    Raises:
        JournalCorrupt: The row is damaged, or stands in another row's place.
    """
    verify(thread, (row,))
    made = _TYPES.get(row.kind)
    if made is None:
        raise JournalCorrupt(
            f"row {row.seq} of thread {thread!r} is of kind {row.kind}, which this version of "
            "durably does not know. Use the version that wrote it."
        )
    fields = unpackb(row.body[:-4])
    return Entry(row.seq, row.run, made(*fields[: len(made._fields)]))


def verify(thread: str, rows: Iterable[Row]) -> None:
    """Check that rows are what was written in their place.

    Raises:
        JournalCorrupt: One is damaged, or stands in another row's place.
    """
    for seq, kind, run, body in rows:
        crc = int.from_bytes(body[-4:], "big")
        if crc32(body[:-4], _place(thread, seq, kind, run)) != crc:
            raise JournalCorrupt(
                f"row {seq} of thread {thread!r} (run {run}) is damaged: its checksum does not "
                "match. Restore the journal from a copy, or start the thread anew with --new."
            )


def step_of(row: Row) -> StepEnded:
    """Read the row of a step's outcome, which was verified before."""
    fields = unpackb(row.body[:-4])
    if len(fields) == _STEP_FIELDS:
        return _new(StepEnded, fields)
    return StepEnded(*fields[:_STEP_FIELDS])


_new = tuple.__new__  # a named tuple's own constructor is a function in Python, twice as slow
_STEP_FIELDS = len(StepEnded._fields)


def _place(thread: str, seq: int, kind: int, run: str) -> int:
    """Return the checksum of a row's place, which its content's is added to."""
    place = f"{seq}\0{kind}\0{run}".encode(errors="surrogatepass")
    return crc32(place, _thread_crc(thread))


@lru_cache(maxsize=256)
def _thread_crc(thread: str) -> int:
    return crc32(f"{thread}\0".encode(errors="surrogatepass"))
