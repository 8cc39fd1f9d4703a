"""Forks: a new run that begins with the steps that an earlier one had taken up to a moment."""

from __future__ import annotations

from collections.abc import Sequence

from ..errors import UnknownRun
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
