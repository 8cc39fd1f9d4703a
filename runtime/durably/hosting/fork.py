"""Forks: a new run that begins with the steps that an earlier one had taken up to a moment."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..engine import Run, Sink
from ..errors import ResumeError, UnknownRun
from ..journal import ThreadLog, copied_id, with_copied_ids
from ..journal.records import (
    Answered,
    Asked,
    Entry,
    Ordered,
    Program,
    Record,
    RunStarted,
    RunWaiting,
    StepEnded,
)
from ..types import Command, RunView
from .entry_identity import continuable
from .host import Host
from .newest_run import given_up
from .people.answer_records import Asking, checked_answers
from .people.command_answers import answers_of
from .run_views import fold, new_run_id

_KEPT = (Answered, Asked, Ordered, Program, RunWaiting, StepEnded)


def split_id(checkpoint_id: str) -> tuple[int, int]:
    """Return the row of a snapshot's moment, and the row up to which its run had come.

    Raises:
        UnknownRun: It is no snapshot's id.
    """
    own, _, upto = checkpoint_id.partition(".")
    if not own.isdigit() or (upto and not upto.isdigit()):
        raise UnknownRun(f"{checkpoint_id!r} is no checkpoint_id of durably's")
    return int(own), int(upto or own)


def started_at(entries: Sequence[Entry], seq: int) -> Entry | None:
    """Return the beginning of the run that the row at *seq* belongs to."""
    at = next((one for one in entries if one.seq == seq), None)
    if at is None:
        return None
    return next(
        (one for one in entries if one.run == at.run and isinstance(one.record, RunStarted)), None
    )


def kept_records(entries: Sequence[Entry], run: str, upto: int) -> list[Record]:
    """Return what a fork of *run* takes over: its steps, questions and answers up to a row."""
    return [
        one.record
        for one in entries
        if one.run == run and one.seq <= upto and isinstance(one.record, _KEPT)
    ]


def first_question(entries: Sequence[Entry], run: str) -> int:
    """Return the row at which *run* first waited for an answer; 0 if it never did."""
    return next(
        (one.seq for one in entries if one.run == run and isinstance(one.record, RunWaiting)), 0
    )


def fork(
    host: Host,
    log: ThreadLog,
    entry: str,
    given: Any,
    *,
    checkpoint_id: str,
    meta: Mapping[str, Any],
    sink: Sink | None,
) -> Run:
    """Begin a run from an earlier moment of a thread that is held.

    With a new input the run begins there with the memory of that moment. ``None`` executes the
    moment's run again; ``Command(resume=…)`` answers the question it waited for, anew. The fork's
    questions have ids of its own; those of the run that is forked are understood here too. The
    thread's unfinished run is given up.

    Raises:
        UnknownRun: The thread has no such moment.
        ResumeError: There is no question to answer there, or the run was started as another entry.
    """
    seq, upto = split_id(checkpoint_id)
    start = started_at(log.entries, seq)
    if start is None:
        raise UnknownRun(f"thread {log.thread!r} has no state {checkpoint_id!r}")
    if given is not None and not isinstance(given, Command):
        branch = {**meta, "memory_before": seq + 1}
        run = host.begin_on(log, entry, given, meta=branch, sink=sink, supersedes=True)
        log.catch_up()
        return run
    begun = start.record
    assert isinstance(begun, RunStarted)
    continuable(RunView(start.run, log.thread, begun.entry, begun.at), entry)
    if isinstance(given, Command) and upto == seq:
        upto = first_question(log.entries, start.run)
        if upto == 0:
            raise ResumeError(f"run {start.run} of thread {log.thread!r} never asked a question")
    before = begun.meta.get("memory_before", start.seq)
    forked = begun._replace(
        at=host.clock.now(),
        meta={**begun.meta, **meta, "source": "fork", "memory_before": before},
    )
    run_id = new_run_id()
    kept = kept_records(log.entries, start.run, upto)
    records = [with_copied_ids(run_id, one) for one in kept]
    blobs: Mapping[bytes, bytes] = {}
    if isinstance(given, Command):  # refused before anything is given up for it
        origin = _view_at(log, start.run, upto)
        asking = Asking(run_id)
        for record in records:
            asking.take(0, record)
        answers = _answers(asking, answers_of(host, origin, given))
        answered, blobs = checked_answers(
            log, host.codec, asking, answers, by="", now=host.clock.now()
        )
        records += answered
    ended = given_up(log, run_id, "the thread was forked", host.clock.now())
    log.append(run_id, forked, *records, blobs=blobs, barrier=bool(blobs), ended=ended)
    log.catch_up()
    return host.taken_up(log, _view_at(log, run_id), sink=sink)


def _view_at(log: ThreadLog, run: str, upto: int | None = None) -> RunView:
    """Return a run of a thread that is held as it was at row *upto*; None: as it is now."""
    entries = (one for one in log.entries if one.run == run and (not upto or one.seq <= upto))
    return fold((log.thread, one) for one in entries)[run]


def _answers(asking: Asking, answers: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return answers by the ids that a fork's questions have.

    They name questions by their ids in the run that is forked, which whoever answers has seen.
    """
    return {
        own if (own := copied_id(asking.run, identity)) in asking.posed else identity: answer
        for identity, answer in answers.items()
    }
