"""What the journal holds of one run, found by a step's identity.

A step is found first by its request's fingerprint (the k-th of that fingerprint in its lane), then
by its position among the steps of its kind and name in the lane. Fingerprints alone would lose a
step whose prompt holds today's date; positions alone would hand results to the wrong one of two
concurrent calls.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from ...journal import Row
from ...journal.records import (
    FAILED,
    STEP_FAILED,
    STEP_OK,
    STEP_STARTED,
    TOLD,
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
    from_row,
    step_of,
)
from .lane import Lane, inner_lane, inside
from .recorded_steps import Exact, Held, Outcomes, Slot

REPEATABLE = frozenset({"model", "memory"})
"""Kinds whose failures change nothing outside, so that one nobody went on from is tried again."""

APPROVAL = "approval"
"""What the question is called whether a step may be executed."""

_ORDERLY = frozenset({STEP_FAILED, STEP_STARTED})
"""Rows of these kinds are understood together with the steps' outcomes."""


class Past:
    """An index over one run's records; grows with the run.

    Args:
        rows: The run's rows, verified.
        thread: The thread that they lie in.

    Attributes:
        unfinished: Effects that began and have no outcome, by exact identity.
        attempts: Failed attempts of steps that have no outcome yet, by exact identity.
        asked: Questions, by id.
        proposed: Lanes of the steps that a person was asked about before they were executed.
        answers: Answers, by question id.
        orders: Who came next, by group of branches.
        files: The program's files as recorded, by path.
        parks: How often in a row the run was parked, with no step finished since.
        parked_since: When the first of these began, if any.
        given_up: Rows of the failures that a retry policy gave up on in this process: a framework
            that tries once more gets the failure at once, so that retries never multiply.
    """

    def __init__(self, rows: Sequence[Row] = (), thread: str = "") -> None:
        self._causes: set[int] = set()
        self.given_up: set[int] = set()
        self.unfinished: dict[Exact, StepStarted] = {}
        self._starts: dict[Exact, int] = {}
        self.attempts: dict[Exact, int] = {}
        self.asked: dict[str, Asked] = {}
        self.proposed: set[str] = set()
        self.answers: dict[str, Answered] = {}
        self._asked_exact: dict[Exact, Asked] = {}
        self._asked_place: dict[tuple[str, str, str, int], Asked] = {}
        self.orders: dict[str, list[str]] = {}
        self.files: dict[str, bytes] = {}
        self.parks = 0
        self.parked_since: float | None = None
        is_plain = _ORDERLY.isdisjoint([row.kind for row in rows])
        steps = [row for row in rows if row.kind == STEP_OK] if is_plain else []
        self._outcomes = Outcomes(steps, step_of)
        self._has_failures = not is_plain
        for row in rows:
            if is_plain and row.kind == STEP_OK:
                self.parks, self.parked_since = 0, None
            elif row.kind != TOLD:
                self.add(from_row(thread, row))

    @classmethod
    def of(cls, entries: Iterable[Entry]) -> Past:
        """Return the past that records tell of."""
        past = cls()
        for entry in entries:
            past.add(entry)
        return past

    @property
    def is_blank(self) -> bool:
        """Whether no step that the program comes to can have an outcome yet."""
        return self._outcomes.is_blank

    @property
    def is_orderly(self) -> bool:
        """Whether there is a step ahead, and all that there are have values that are replayed."""
        return not self._has_failures and not self.proposed and self._outcomes.has_next

    def ahead(self) -> StepEnded | None:
        """Return the step that the journal holds next, if the program is still in its order."""
        return self._outcomes.ahead()

    def pass_by(self) -> None:
        """Take note that the program has come to the step that was ahead."""
        self._outcomes.pass_by()

    @property
    def finished(self) -> int:
        """How many distinct steps have an outcome that would be replayed."""
        if not self._has_failures:
            return len(self._outcomes)
        return sum(1 for held in self._outcomes.all() if self.replays(held))

    def enter_again(self, causes: Iterable[int] = ()) -> None:
        """Have what this process adds be found too: a lane is about to be entered again.

        Args:
            causes: Rows of the outcomes that are the reason, which are to be executed again.
        """
        self._outcomes.index()
        self._causes.update(causes)
        self._has_failures = self._has_failures or bool(self._causes)

    def retry_causes(self, lane: Lane, failed: Iterable[int]) -> list[int]:
        """Return the rows of the outcomes for which a framework enters *lane* again.

        A step failed, or else the model's last answer was not to the framework's liking: replayed,
        it would be rejected again. An entry that came to no step was left for no step's sake.

        Args:
            lane: The entry that is given up.
            failed: Rows of the steps that failed of the exception being handled.
        """
        met = self._outcomes.met(lane.met())
        if not met:
            return []
        within = {one.seq for one in self._outcomes.all() if inside(one.step.lane, lane.path)}
        if causes := within.intersection(failed):
            return sorted(causes)
        if met[-1].step.outcome == FAILED:
            return [met[-1].seq]
        return [held.seq for held in met if held.step.kind == "model"][-1:]

    def add_step(self, seq: int, step: StepEnded) -> None:
        """Take in that a step has an outcome."""
        self.parks, self.parked_since = 0, None
        if self.unfinished or self.attempts:
            exact = (step.lane, step.kind, step.name, step.print, step.nth)
            self.unfinished.pop(exact, None)
            self.attempts.pop(exact, None)
        if step.outcome == FAILED:
            self._has_failures = True
        self._outcomes.add(seq, step)

    def add(self, entry: Entry) -> None:
        """Take one more record in."""
        record = entry.record
        if isinstance(record, StepEnded):
            self.add_step(entry.seq, record)
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

    def _add_question(self, asked: Asked) -> None:
        if asked.name == APPROVAL:
            self.proposed.add(asked.lane)
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

    def doubt(self, exact: Exact) -> str:
        """Return the name of the question what to do about a half-way effect.

        Each start has its own, so that one answer is not taken for the next death's.
        """
        return f"unfinished#{self._starts.get(exact, 0)}"

    def exact(self, slot: Slot) -> Held | None:
        """Return the recorded outcome of this very request, if it is one to replay."""
        held = self._outcomes.exact(slot)
        if held is None or not self._has_failures or self.replays(held):
            return held
        return None

    def displaced(self, slot: Slot, lane: Lane) -> Held | None:
        """Return the outcome recorded at the slot's position for another request.

        None if a step of this entry has taken it, or if it ran beside others of its lane, as this
        one would: then its position was the outcome of a race and says nothing.
        """
        held = self._outcomes.placed(slot)
        if held is None or held.step.overlapped:
            return None
        if held.seq in lane.taken or not self.replays(held):
            return None
        return held

    def finished_in(self, lane: str, kind: str) -> list[Held]:
        """Return the outcomes of *kind* in *lane* itself that would be replayed, in order."""
        found = [
            held
            for held in self._outcomes.all()
            if held.step.lane == lane and held.step.kind == kind and self.replays(held)
        ]
        return sorted(found, key=lambda held: held.seq)

    def question(self, slot: Slot) -> Asked | None:
        """Return the question recorded for this very request."""
        return self._asked_exact.get(slot.exact)

    def displaced_question(self, slot: Slot, lane: Lane) -> Asked | None:
        """Return the question recorded at the slot's position, unless it was met already."""
        asked = self._asked_place.get(slot.place)
        return None if asked is None or asked.id in lane.taken else asked

    def failed_inside(self, lane: str) -> Iterator[int]:
        """Yield the rows of the failures that made a step fail whose lane *lane* is.

        Exceptions from the journal are not linked to others; the last that happened in the lane is
        taken for what the step failed of.
        """
        within = [held for held in self._outcomes.all() if inside(held.step.lane, lane)]
        for held in sorted(within, reverse=True):
            if held.step.outcome != FAILED:
                return
            yield held.seq

    def replays(self, held: Held) -> bool:
        """Say whether the outcome stands; one that ended the run, or an entry, does not."""
        if held.seq in self.given_up:
            return True
        if held.seq in self._causes:
            return False
        if held.step.outcome != FAILED:
            return True
        if held.step.kind not in REPEATABLE:
            return True
        return any(
            other.seq > held.seq and inside(other.step.lane, held.step.lane)
            for other in self._outcomes.all()
        )


def _exact(
    record: StepStarted | StepAttempted | Asked,
) -> Exact:
    kind = "human" if isinstance(record, Asked) else record.kind
    return (record.lane, kind, record.name, record.print, record.nth)
