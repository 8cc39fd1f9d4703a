"""What the journal holds of one run, found by a step's identity.

A step is found first by its request's fingerprint (the k-th of that fingerprint in its lane), then
by its position among the steps of its kind and name in the lane. Fingerprints alone would lose a
step whose prompt holds today's date; positions alone would hand results to the wrong one of two
concurrent calls.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from ..journal.records import (
    FAILED,
    Answered,
    Asked,
    Entry,
    Ordered,
    Program,
    RunEnded,
    RunWaiting,
    StepAttempted,
    StepEnded,
    StepStarted,
)
from ._lane import Lane, inside

REPEATABLE = frozenset({"model", "memory"})
"""Kinds whose failures change nothing outside, so that one nobody went on from is tried again."""


class Slot(NamedTuple):
    """A step's identity within its run."""

    lane: str
    kind: str
    name: str
    ordinal: int
    print: bytes
    nth: int

    @property
    def exact(self) -> tuple[str, str, str, bytes, int]:
        """The identity by request."""
        return (self.lane, self.kind, self.name, self.print, self.nth)

    @property
    def place(self) -> tuple[str, str, str, int]:
        """The identity by position."""
        return (self.lane, self.kind, self.name, self.ordinal)


class Held(NamedTuple):
    """A recorded step and its row number."""

    seq: int
    step: StepEnded


class Past:
    """An index over one run's records; grows with the run.

    Attributes:
        finished: How many distinct steps have an outcome.
        unfinished: Effects that began and have no outcome, by exact identity.
        attempts: Failed attempts of steps that have no outcome yet, by exact identity.
        asked: Questions, by id.
        answers: Answers, by question id.
        orders: Who came next, by group of branches.
        files: The program's files as recorded, by path.
        parks: How often in a row the run was parked, with no step finished since.
        parked_since: When the first of these began, if any.
    """

    def __init__(self, entries: Iterable[Entry] = ()) -> None:
        self._exact: dict[tuple[str, str, str, bytes, int], Held] = {}
        self._place: dict[tuple[str, str, str, int], Held] = {}
        self._trail: list[tuple[int, str]] = []
        self._causes: set[int] = set()
        self.unfinished: dict[tuple[str, str, str, bytes, int], StepStarted] = {}
        self._starts: dict[tuple[str, str, str, bytes, int], int] = {}
        self.attempts: dict[tuple[str, str, str, bytes, int], int] = {}
        self.asked: dict[str, Asked] = {}
        self.answers: dict[str, Answered] = {}
        self._asked_exact: dict[tuple[str, str, str, bytes, int], Asked] = {}
        self._asked_place: dict[tuple[str, str, str, int], Asked] = {}
        self.orders: dict[str, list[str]] = {}
        self.files: dict[str, bytes] = {}
        self.parks = 0
        self.parked_since: float | None = None
        for entry in entries:
            self.add(entry)

    @property
    def finished(self) -> int:
        """How many distinct steps have an outcome that would be replayed."""
        return sum(1 for held in self._exact.values() if self.replays(held))

    def add(self, entry: Entry) -> None:
        """Take one more record in."""
        record = entry.record
        if isinstance(record, StepEnded):
            self._add_step(Held(entry.seq, record))
        elif isinstance(record, StepStarted):
            exact = _exact(record)
            self.unfinished[exact] = record
            self._starts[exact] = self._starts.get(exact, 0) + 1
        elif isinstance(record, StepAttempted):
            self.attempts[_exact(record)] = record.attempt
        elif isinstance(record, Asked):
            self._add_question(record)
        elif isinstance(record, Answered):
            self.answers.setdefault(record.id, record)
        elif isinstance(record, RunEnded):
            self._causes.update(record.causes)
        else:
            self._add_circumstance(record)

    def _add_circumstance(self, record: object) -> None:
        if isinstance(record, Ordered):
            self.orders.setdefault(record.group, []).extend(record.who)
        elif isinstance(record, Program):
            for path, digest in record.files.items():
                self.files.setdefault(path, digest)
        elif isinstance(record, RunWaiting) and record.wake is not None:
            self.parks += 1
            if self.parked_since is None:
                self.parked_since = record.at

    def _add_step(self, held: Held) -> None:
        step = held.step
        self.parks, self.parked_since = 0, None
        exact = (step.lane, step.kind, step.name, step.print, step.nth)
        self._exact[exact] = held
        self._place[step.lane, step.kind, step.name, step.ordinal] = held
        self._trail.append((held.seq, step.lane))
        self.unfinished.pop(exact, None)
        self.attempts.pop(exact, None)

    def _add_question(self, asked: Asked) -> None:
        before = self.asked.get(asked.id)
        if before is not None:  # asked again in other words, which are the ones that count
            self._asked_exact.pop(_exact(before), None)
        self.asked[asked.id] = asked
        self._asked_exact[_exact(asked)] = asked
        self._asked_place[asked.lane, "human", asked.name, asked.ordinal] = asked
        # An effect that asked a person was unwound on purpose: it did not die half-way. The
        # question whether it did is asked in its name, before it begins again.
        for exact, started in list(self.unfinished.items()):
            lane = inner_lane(started)
            is_doubt = lane == asked.lane and asked.name == self.doubt(exact)
            if inside(asked.lane, lane) and not is_doubt:
                del self.unfinished[exact]

    def doubt(self, exact: tuple[str, str, str, bytes, int]) -> str:
        """Return the name of the question what to do about a half-way effect.

        Each start has its own, so that one answer is not taken for the next death's.
        """
        return f"unfinished#{self._starts.get(exact, 0)}"

    def slot(self, lane: Lane, kind: str, name: str, print_: bytes) -> Slot:
        """Count one more step in *lane* and return its identity."""
        ordinal = lane.count((kind, name))
        nth = lane.count((kind, name, print_))
        return Slot(lane.path, kind, name, ordinal, print_, nth)

    def exact(self, slot: Slot) -> Held | None:
        """Return the recorded outcome of this very request, if it is one to replay."""
        held = self._exact.get(slot.exact)
        return held if held is not None and self.replays(held) else None

    def displaced(self, slot: Slot, lane: Lane) -> Held | None:
        """Return the outcome recorded at the slot's position for another request.

        None if a step of this entry has taken it, or if it ran beside others of its lane, as this
        one would: then its position was the outcome of a race and says nothing.
        """
        held = self._place.get(slot.place)
        if held is None or held.step.overlapped:
            return None
        if (slot.kind, slot.name, slot.ordinal) in lane.taken or not self.replays(held):
            return None
        return held

    def question(self, slot: Slot) -> Asked | None:
        """Return the question recorded for this very request."""
        return self._asked_exact.get(slot.exact)

    def displaced_question(self, slot: Slot, lane: Lane) -> Asked | None:
        """Return the question recorded at the slot's position, unless it was met already."""
        if (slot.kind, slot.name, slot.ordinal) in lane.taken:
            return None
        return self._asked_place.get(slot.place)

    def drop(self, rows: Iterable[int]) -> None:
        """Have the failures in *rows* executed again: they ended an attempt of the whole."""
        self._causes.update(rows)

    def failed_inside(self, lane: str) -> Iterator[int]:
        """Yield the rows of the failures that made a step fail whose lane *lane* is.

        Exceptions from the journal are not linked to others; the last that happened in the lane is
        taken for what the step failed of.
        """
        within = [held for held in self._exact.values() if inside(held.step.lane, lane)]
        for held in sorted(within, reverse=True):
            if held.step.outcome != FAILED:
                return
            yield held.seq

    def replays(self, held: Held) -> bool:
        """Say whether the outcome stands; a failure that ended the run, or its lane, does not."""
        if held.step.outcome != FAILED:
            return True
        if held.seq in self._causes:
            return False
        if held.step.kind not in REPEATABLE:
            return True
        return any(seq > held.seq and inside(lane, held.step.lane) for seq, lane in self._trail)


def inner_lane(step: Slot | StepStarted) -> str:
    """Return the path of the lane that a step opens for what happens inside it.

    It is made from the request, not from the position, so that parallel calls keep theirs.
    """
    segment = f"{step.name}~{step.print.hex()[:16]}".replace("/", "∕")  # noqa: RUF001 - as in Lane
    segment = f"{segment}#{step.nth}" if step.nth else segment
    return f"{step.lane}/{segment}" if step.lane else segment


def _exact(
    record: StepStarted | StepAttempted | Asked,
) -> tuple[str, str, str, bytes, int]:
    kind = "human" if isinstance(record, Asked) else record.kind
    return (record.lane, kind, record.name, record.print, record.nth)
