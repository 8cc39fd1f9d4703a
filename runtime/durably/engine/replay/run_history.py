"""The journal's records of one run, found by a step's identity.

A recorded outcome is given to the same request or to nobody (:mod:`.same_request`): the k-th
request with an equal fingerprint in the lane, or one that differs only in text that each process
made for itself. A position is no evidence: the program's world may have changed between two
processes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from functools import lru_cache
from itertools import count

from ...journal import Row
from ...journal.records import (
    FAILED,
    STEP_FAILED,
    STEP_OK,
    STEP_STARTED,
    TOLD,
    Answered,
    Asked,
    EffectsUnmet,
    Entry,
    LaneEntered,
    Ordered,
    Program,
    RunEnded,
    RunResumed,
    RunStarted,
    RunWaiting,
    StepAttempted,
    StepEnded,
    StepStarted,
    from_row,
    step_of,
)
from ..source_files import OWN
from .lane import Lane, inner_lane, inside
from .moment import Moment
from .recorded_lanes import RecordedLanes
from .recorded_steps import EFFECTS, Exact, Held, Outcomes, Slot, is_effect

REPEATABLE = frozenset({"model", "memory"})
"""Kinds whose failures change nothing outside, so that one nobody went on from is tried again."""

IDENTITY = 2
"""The rule by which lanes are named: 1 by their order, 2 by what they are and were given."""

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
        found: The last row that earlier processes wrote; 0 for a new run.
        passed_over: Lanes whose code is not executed again, since an outcome tells all of it.
        given_up_before: Where attempts failed, by the lane inside them: the row that says so.
        told_unmet: Rows of the effects of which was told that the program never came to them.
        unfinished: Effects that began and have no outcome, by exact identity.
        attempts: Failed attempts of steps that have no outcome yet, by exact identity.
        asked: Questions, by id.
        asked_names: The names of the questions.
        asked_rows: The row of each question, by its id.
        met_questions: The ids of the recorded questions that the program has asked again.
        proposed: Lanes of the steps that a person was asked about before they were executed.
        answers: Answers, by question id.
        lanes: The lanes that the journal knows by their content.
        identity: The rule by which lanes were named when the run began; see :data:`IDENTITY`.
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
        self._starts: dict[Exact, list[int]] = {}
        self.found = rows[-1].seq if rows else 0
        self.passed_over: set[str] = set()
        self.given_up_before: dict[str, int] = {}
        self.told_unmet: set[int] = set()
        self.attempts: dict[Exact, int] = {}
        self.asked: dict[str, Asked] = {}
        self.asked_names: set[str] = set()
        self.asked_rows: dict[str, int] = {}
        self.met_questions: set[str] = set()
        self.proposed: set[str] = set()
        self.answers: dict[str, Answered] = {}
        self._asked_exact: dict[Exact, Asked] = {}
        self.lanes = RecordedLanes()
        self.identity = IDENTITY
        self._entries: list[tuple[int, Moment]] = []
        self._activity: list[tuple[int, str]] = []
        self._begins: dict[str, int] = {}
        self._knows_steps = False
        self.orders: dict[str, list[str]] = {}
        self.files: dict[str, bytes] = {}
        self.parks = 0
        self.parked_since: float | None = None
        is_plain = _ORDERLY.isdisjoint([row.kind for row in rows])
        steps = [row for row in rows if row.kind in (STEP_OK, STEP_FAILED)]
        self._outcomes = Outcomes(steps, step_of)
        self._has_failures = not is_plain
        for row in rows:
            if row.kind == STEP_OK and is_plain:
                self.parks, self.parked_since = 0, None
            elif row.kind in (STEP_OK, STEP_FAILED):
                self.parks, self.parked_since = 0, None
                if self.unfinished or self.attempts:
                    self._settle_marks(step_of(row))
            elif row.kind != TOLD:
                self.add(from_row(thread, row))
        if not is_plain:
            self._outcomes.index()
        self._knows_lanes = bool(self.lanes)

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
        return self._outcomes.is_blank and not self._knows_lanes

    @property
    def has_steps(self) -> bool:
        """Whether the journal tells of a step, finished or begun."""
        return len(self._outcomes) > 0 or bool(self.unfinished or self.attempts)

    @property
    def has_unmet(self) -> bool:
        """Whether earlier processes may have recorded effects that the program has not come to."""
        return self.found > 0 and (self._outcomes.has_left or bool(self.unfinished))

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

    def enter_again(self, lane: str, causes: Iterable[int] = ()) -> None:
        """Let the outcomes of a lane that is about to be entered again be found anew.

        Args:
            lane: The path of the lane.
            causes: Rows of the outcomes that are the reason; these are executed again.
        """
        self._outcomes.release(lane)
        self.lanes.release(lane)
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
            self._settle_marks(step)
        if step.outcome == FAILED:
            self._has_failures = True
        self._outcomes.add(seq, step)

    def _settle_marks(self, step: StepEnded) -> None:
        exact = (step.lane, step.kind, step.name, step.print, step.nth)
        self.unfinished.pop(exact, None)
        self.attempts.pop(exact, None)
        if not step.overlapped:  # a marker left at this place is settled by this step
            lanes = (step.lane, *self.lanes.recorded_instead(step.lane))
            for mark in [one for one in self.unfinished if one[1:3] == exact[1:3]]:
                if mark[0] in lanes:
                    del self.unfinished[mark]

    def add(self, entry: Entry) -> None:
        """Take one more record in."""
        record = entry.record
        if isinstance(record, StepEnded):
            self.add_step(entry.seq, record)
        elif isinstance(record, StepStarted):
            self._note_activity(entry.seq, record.lane)
            exact = _exact(record)
            self.unfinished[exact] = record
            self._starts.setdefault(exact, []).append(entry.seq)
        elif isinstance(record, StepAttempted):
            self.attempts[_exact(record)] = record.attempt
            lane = record.lane if record.kind == "run" else inner_lane(record)
            self.given_up_before[lane] = entry.seq
        elif isinstance(record, Asked):
            self._note_activity(entry.seq, record.lane)
            self.asked_rows[record.id] = entry.seq
            self._add_question(record)
        elif isinstance(record, Answered):
            self.answers.setdefault(record.id, record)
        elif isinstance(record, RunEnded):
            self._causes.update(record.causes)
        elif isinstance(record, RunStarted | RunResumed):
            self._add_entry(entry.seq, record)
        else:
            self._add_circumstance(record)

    def _add_entry(self, seq: int, record: RunStarted | RunResumed) -> None:
        if isinstance(record, RunStarted):
            self.identity = int(record.meta.get("identity") or 1)
        facts = record.meta.get("process") or {}
        moment = Moment(
            record.at,
            record.at,
            int(facts.get("pid") or 0),
            str(facts.get("host") or ""),
            float(facts.get("born") or 0.0),
        )
        self._entries.append((seq, moment))

    def moment_of(self, seq: int, at: float) -> Moment:
        """Return the moment of a request.

        Args:
            seq: The row that holds it; 0 if that is not known.
            at: When it was made, in seconds since the epoch.
        """
        entries = self._entries
        found = [one for first, one in entries if (first < seq if seq else one.begun <= at)]
        return replace(found[-1] if found else Moment(at, at), at=at)

    def _add_circumstance(self, record: object) -> None:
        if isinstance(record, LaneEntered):
            self.lanes.add(record)
        elif isinstance(record, EffectsUnmet):
            self.told_unmet.update(record.rows)
        elif isinstance(record, Ordered):
            self.orders.setdefault(record.group, []).extend(record.who)
        elif isinstance(record, Program):
            for path, digest in record.files.items():
                if digest == OWN:
                    self.files[path] = OWN
                else:
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
        self.asked_names.add(asked.name)
        self._asked_exact[_exact(asked)] = asked
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
        return f"unfinished#{len(self._starts.get(exact, ()))}"

    def exact(self, slot: Slot) -> Held | None:
        """Return the recorded outcome of this very request, and claim it, if it is replayed."""
        held = self._outcomes.exact(slot)
        if held is None or not self._outcomes.claim(held):
            return None
        return held if not self._has_failures or self.replays(held) else None

    def vacant(self, slot: Slot, under_way: Iterable[Slot]) -> Slot:
        """Return a step's identity with a number that no outcome which stands has.

        Calls that were begun side by side may end in any order before a process dies, so an equal
        step may have been given this one's outcome. Recorded under the same identity, a second
        outcome would hide the first one.

        Args:
            slot: The step's own identity.
            under_way: The identities of the lane's steps that have no outcome yet.
        """
        taken = {one.exact for one in under_way}
        numbers = (slot._replace(nth=number) for number in count())
        return next(
            one for one in numbers if one.exact not in taken and not self.is_outcome_of(one)
        )

    def is_outcome_of(self, slot: Slot) -> bool:
        """Return whether an outcome that stands has this very identity, claimed or not."""
        held = self._outcomes.find(slot.exact)
        return held is not None and self.replays(held)

    def claim(self, held: Held) -> None:
        """Give an outcome to the step that asks; no other step is given it."""
        self._outcomes.claim(held)

    @property
    def has_left(self) -> bool:
        """Whether some recorded outcome may be unclaimed."""
        return self._outcomes.has_left

    def left(self, slot: Slot) -> list[Held]:
        """Return the unclaimed outcomes of the slot's kind and name in its lane, in order."""
        kind, name = slot.kind, slot.name
        return [
            held
            for held in self._outcomes.left(slot.lane)
            if held.step.kind == kind and held.step.name == name and self.replays(held)
        ]

    def left_inside(self, slot: Slot, lanes: Iterable[str]) -> list[Held]:
        """Return the unclaimed outcomes of the slot's kind and name anywhere inside *lanes*."""
        wanted = (slot.kind, slot.name)
        inside_them = (held for lane in lanes for held in self._outcomes.left_inside(lane))
        return [held for held in inside_them if held.step[1:3] == wanted and self.replays(held)]

    def effects_left(self, lane: str = "", *, inside: bool = True) -> list[Held]:
        """Return the unclaimed effects of a lane, and of the lanes in it, in order."""
        found = self._outcomes.left_inside(lane) if inside else self._outcomes.left(lane)
        return [held for held in found if is_effect(held.step) and self.replays(held)]

    def holds_effects(self, lane: str) -> bool:
        """Return whether earlier processes recorded an effect in a lane, or in one inside it."""
        return self._outcomes.holds_effects(lane) or any(
            inside(exact[0], lane) for exact in self.unfinished
        )

    def effects_at(self, lane: str, number: int) -> list[Held]:
        """Return the unclaimed effects at a place of a lane; see :meth:`Outcomes.effects_at`."""
        there = self._outcomes.effects_at(lane, number)
        return [held for held in there if is_effect(held.step) and self.replays(held)]

    def unmet(self, lane: str) -> list[Held]:
        """Return the outcomes of a lane, and of those in it, that no entry was given, in order."""
        return [held for held in self._outcomes.unmet(lane) if self.replays(held)]

    def starts_unmet(self, lane: str) -> list[tuple[int, StepStarted]]:
        """Return the rows and markers of effects half-way that the program has not come to."""
        left = ((self._starts[exact][-1], began) for exact, began in self.unfinished.items())
        return [
            (row, began)
            for row, began in left
            if row <= self.found and began.kind in EFFECTS and inside(began.lane, lane)
        ]

    def recorded_leaves(self) -> dict[int, str]:
        """Return the lane inside each step that earlier processes left to replay, by its row."""
        return {
            held.seq: held.step.leaf or inner_lane(held.step)
            for held in self._outcomes.all()
            if held.seq <= self.found and self.replays(held)
        }

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

    def questions_left(self, lane: Lane, name: str) -> list[Asked]:
        """Return the lane's questions of a name that this entry has not met, in order."""
        return [
            asked
            for asked in self.asked.values()
            if asked.name == name and asked.lane == lane.path and asked.id not in lane.taken
        ]

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
        """Return whether the outcome stands; one that ended the run, or an entry, does not."""
        if held.seq in self.given_up:
            return True
        if held.seq in self._causes:
            return False
        if held.step.outcome != FAILED:
            return True
        return held.step.kind not in REPEATABLE or self.was_survived(held)

    def was_survived(self, held: Held) -> bool:
        """Return whether the program continued after a failure, so that it is replayed as one.

        It did if a record follows in the failure's lane or in a lane around it, or in a branch that
        began later. A branch that had begun before says nothing: it may have run beside.
        """
        lane, seq = held.step.lane, held.seq
        if not self._knows_steps:
            self._knows_steps = True
            for one in self._outcomes.all():
                self._note_activity(one.seq, one.step.lane)
        for later, path in self._activity:
            if later <= seq:
                continue
            if inside(path, lane) or inside(lane, path):
                return True
            mine, theirs = _prefixes(lane), _prefixes(path)
            branch = next(one for one in theirs if one not in mine)
            if self._begins[branch] > seq:
                return True
        return False

    def survived(self, row: int) -> bool:
        """Return whether the program continued after the failure in a row."""
        return any(held.seq == row and self.was_survived(held) for held in self._outcomes.all())

    def _note_activity(self, seq: int, lane: str) -> None:
        self._activity.append((seq, lane))
        for path in _prefixes(lane):
            self._begins[path] = min(self._begins.get(path, seq), seq)


@lru_cache(maxsize=4096)
def _prefixes(lane: str) -> tuple[str, ...]:
    """Return the paths of a lane and of the lanes around it, the outermost first."""
    parts = lane.split("/") if lane else []
    return tuple("/".join(parts[: count + 1]) for count in range(len(parts)))


def _exact(
    record: StepStarted | StepAttempted | Asked,
) -> Exact:
    kind = "human" if isinstance(record, Asked) else record.kind
    return (record.lane, kind, record.name, record.print, record.nth)
