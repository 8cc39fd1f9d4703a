"""Recording answers: who was first, what was seen, and whether it is in time.

All of it is decided while the thread is held, from the records that are there then: of two people
who answer at once, one is first and the other is told so.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from ...engine import fingerprint, interrupt_of
from ...errors import AnswerRefused
from ...journal import Codec, ThreadLog
from ...journal.records import SUPERSEDED, Answered, Asked, RunEnded, RunResumed, RunWaiting
from ...people import Question, fitting, question_of


@dataclass(slots=True)
class Posed:
    """What the journal holds of one question.

    Attributes:
        asked: Its newest record.
        version: That record's row.
        first_at: When it was first asked.
        answered: Its answer, if it has one.
    """

    asked: Asked
    version: int
    first_at: float
    answered: Answered | None = None


@dataclass(slots=True)
class Asking:
    """The questions of one run, and whether it is over.

    Attributes:
        run: The run's id.
        posed: Questions by id, in the order in which they were first asked.
        open: Ids of those that the run waits for, or will when it comes to them again.
        ended: How the run ended, if it did.
    """

    run: str
    posed: dict[str, Posed] = field(default_factory=dict[str, Posed])
    open: set[str] = field(default_factory=set[str])
    ended: RunEnded | None = None

    @property
    def is_superseded(self) -> bool:
        """Whether the run was given up since another one took its place on the thread."""
        return self.ended is not None and self.ended.status == SUPERSEDED

    def take(self, seq: int, record: object) -> None:
        """Take one more record in."""
        if isinstance(record, Asked):
            before = self.posed.get(record.id)
            first_at = before.first_at if before is not None else record.at
            answered = before.answered if before is not None else None
            self.posed[record.id] = Posed(record, seq, first_at, answered)
            self.open.add(record.id)
        elif isinstance(record, Answered) and record.id in self.posed:
            posed = self.posed[record.id]
            posed.answered = posed.answered or record
            self.open.discard(record.id)
        elif isinstance(record, RunWaiting):
            self.open = set(record.open)
        elif isinstance(record, RunEnded):
            self.ended, self.open = record, set()
        elif isinstance(record, RunResumed):
            self.ended = None


def asking_of(log: ThreadLog, run: str) -> Asking:
    """Return the questions of *run* on a thread that is held."""
    asking = Asking(run)
    for seq, _, record in log.marks_of(run):
        asking.take(seq, record)
    return asking


def record_answers(
    log: ThreadLog,
    codec: Codec,
    run: str,
    answers: Mapping[str, Any],
    *,
    by: str,
    now: float,
    versions: Mapping[str, int] | None = None,
    strict: bool = False,
) -> list[Answered]:
    """Record answers to questions of a run on a thread that is held; all of them, or none.

    The same answer once more is taken without being recorded again.

    Args:
        log: The thread.
        codec: Writes values.
        run: Whose questions.
        answers: Answers by question id.
        by: Who answered.
        now: When, in seconds since the epoch.
        versions: Which version of the question each answer is to, where its author said so.
        strict: See :func:`durably.people.fitting`.

    Returns:
        The records that were made; an answer that was there already has none.

    Raises:
        AnswerRefused: One of them is not taken; nothing was recorded.
    """
    records, blobs = checked_answers(
        log,
        codec,
        asking_of(log, run),
        answers,
        by=by,
        now=now,
        versions=versions,
        strict=strict,
    )
    if records:
        log.append(run, *records, blobs=blobs, barrier=True)
        log.catch_up()
    return records


def checked_answers(
    log: ThreadLog,
    codec: Codec,
    asking: Asking,
    answers: Mapping[str, Any],
    *,
    by: str,
    now: float,
    versions: Mapping[str, int] | None = None,
    strict: bool = False,
) -> tuple[list[Answered], dict[bytes, bytes]]:
    """Return the records and blobs of answers that are taken, for the caller to append.

    Arguments and errors are those of :func:`record_answers`.
    """
    run, seen = asking.run, versions or {}
    records: list[Answered] = []
    blobs: dict[bytes, bytes] = {}
    for identity, answer in answers.items():
        posed = asking.posed.get(identity)
        if posed is None:
            raise _unasked(log, asking, identity)
        shown = interrupt_of(posed.asked, log.value(posed.asked.question))
        _check_over(asking, posed)
        given = fitting(shown, answer, strict=strict)
        if posed.answered is not None and _is_same(log, posed.answered, given):
            continue
        version = seen.get(identity, 0)
        _check_open(asking, run, posed, version)
        _check_in_time(question_of(shown), posed, now)
        body, parts = codec.split(given)
        records.append(Answered(identity, now, by, body, version))
        blobs |= parts
    return records, blobs


def _unasked(log: ThreadLog, asking: Asking, identity: str) -> AnswerRefused:
    """Return why an answer to a question that the run never asked is not taken."""
    for entry in log.marks():
        if isinstance(entry.record, Asked) and entry.record.id == identity:
            other = asking_of(log, entry.run)
            if other.is_superseded:
                return _superseded(other, identity)
    said = f"run {asking.run} asked no question {identity!r}. {_open_ones(asking)}"
    return AnswerRefused(said, "unknown")


def _is_same(log: ThreadLog, answered: Answered, given: Any) -> bool:
    return fingerprint(log.value(answered.value))[0] == fingerprint(given)[0]


def _check_over(asking: Asking, posed: Posed) -> None:
    check_superseded(asking, posed.asked.id)
    if asking.ended is None or posed.answered is not None:
        return
    raise AnswerRefused(
        f"interrupt {posed.asked.id} is not asked any more: run {asking.run} ended at "
        f"{_time(asking.ended.at)} ({asking.ended.status}). Nothing was recorded.",
        "over",
        at=asking.ended.at,
    )


def check_superseded(asking: Asking, identity: str) -> None:
    """Refuse an answer to a question of a run that was given up; one that was given stays.

    Raises:
        AnswerRefused: Another run has taken the place of the one that asked.
    """
    if asking.is_superseded and asking.posed[identity].answered is None:
        raise _superseded(asking, identity)


def _superseded(asking: Asking, identity: str) -> AnswerRefused:
    ended = asking.ended
    assert ended is not None
    return AnswerRefused(
        f"interrupt {identity} is not asked any more: run {asking.run} is superseded. "
        f"{ended.message[:1].upper()}{ended.message[1:]} at {_time(ended.at)}, and run "
        f"{ended.successor} took its place. Nothing was recorded. `durably approvals` lists what "
        f"run {ended.successor} asks, if it asks anything; `durably show {ended.successor}` tells "
        f"what it did.",
        "superseded",
        at=ended.at,
        successor=ended.successor,
    )


def _check_open(asking: Asking, run: str, posed: Posed, version: int) -> None:
    identity, first = posed.asked.id, posed.answered
    if first is not None:
        who = first.by or "somebody"
        raise AnswerRefused(
            f"interrupt {identity} of run {run} was answered already, otherwise, by {who} at "
            f"{_time(first.at)}; that answer stands. `durably show {run}` tells it.",
            "answered",
            by=first.by,
            at=first.at,
        )
    if identity not in asking.open:
        raise AnswerRefused(
            f"interrupt {identity} is not asked any more: when run {run} was continued it did not "
            f"come to it again. {_open_ones(asking)}",
            "stale",
        )
    if version and version != posed.version:
        raise AnswerRefused(
            f"interrupt {identity} was asked anew at {_time(posed.asked.at)}: the answer is to "
            f"version {version}, and it is at version {posed.version} now. Look at it again.",
            "stale",
            at=posed.asked.at,
        )


def _check_in_time(question: Question, posed: Posed, now: float) -> None:
    until = question.expires_at
    if until is None or now < until or question.default is None:
        return
    raise AnswerRefused(
        f"interrupt {posed.asked.id} expired at {_time(until)}; its default "
        f"({question.default['type']}) is taken when the run continues.",
        "expired",
        at=until,
    )


def _open_ones(asking: Asking) -> str:
    found = ", ".join(one for one in asking.posed if one in asking.open)
    return f"Open questions: {found or 'none'}."


def _time(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="seconds")
