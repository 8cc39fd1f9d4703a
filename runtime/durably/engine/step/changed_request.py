"""Effects that differ from the journal: before one is executed, a person is asked what it is.

A model's call without an outcome of its own is executed again, and told: that costs money and
changes nothing. An effect is another matter. Where a recorded effect stands at its place and the
program has not come to it, either the world changed between two processes, or the effect is the
recorded one in other words, and nobody but a person can tell which.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final, NamedTuple, NoReturn

from ...errors import ProgramChanged
from ...journal.records import Asked
from ..replay.accepted import differing_paths, differs_only_at
from ..replay.changed_answers import (
    ABORT,
    ALIASES,
    CHANGED,
    OTHER,
    SAME,
    changed_questions,
    is_other_work,
)
from ..replay.fingerprint import differences, unpack
from ..replay.lane import inner_lane, leaf_stem
from ..replay.recorded_lanes import KnownLane
from ..replay.recorded_steps import Held
from ..replay.same_request import SHOWN_DIFFERENCES, not_recorded, recorded_request, stored_request
from .step import Step

SCHEMA: Final = {"type": "string", "enum": [SAME, OTHER, ABORT]}
_SHOWN_EFFECTS = 5


class Candidate(NamedTuple):
    """A recorded step that the program has not come to, and that a new effect may be.

    Attributes:
        row: The row of its outcome, or 0 where it has none and only its lane is known.
        name: Its name.
        request: The plain form of its request.
        held: The recorded step, if it has an outcome.
        lane: The lane inside it, if it has no outcome.
    """

    row: int
    name: str
    request: Any
    held: Held | None = None
    lane: KnownLane | None = None


def may_be_changed(step: Step) -> bool:
    """Return whether a new effect must be compared with recorded ones before it is executed."""
    return step.is_new_effect and (step.run.past.has_left or bool(step.lane_instead))


def candidates(step: Step) -> list[Candidate]:
    """Return the recorded effects that the new effect *step* may be; empty to execute it.

    In an edited program only ``effect="once"`` asks: steps that differ are new there.
    """
    run, call = step.run, step.call
    if run.options.is_item(call.name):
        return []
    if run.program_changed() and step.policy.effect != "once":
        return []
    found = [_candidate(step, held) for held in _effects_at(step)]
    found += _leaves_at(step)
    for one in found:
        if _was_called_same(step, one):
            return [one]
    still_open = [one for one in found if not _was_called_other(step, one)]
    return (still_open or _branch(step))[:_SHOWN_EFFECTS]


def _was_called_other(step: Step, one: Candidate) -> bool:
    """Return whether a person has said that the step is other work than a recorded effect.

    In the step's own lane only an answer that was given there counts: in another lane the same
    name is another place. Lanes that the program did not enter have no place of their own.
    """
    run, call = step.run, step.call
    is_own = one.held is None or one.held.step.lane == step.slot.lane
    lane = step.slot.lane if is_own else None
    differs = frozenset(differing_paths(one.request, unpack(step.packed)))
    return is_other_work(run, call, one.row, differs, lane)


def _candidate(step: Step, held: Held) -> Candidate:
    return Candidate(held.seq, held.step.name, recorded_request(step.run, held), held)


def _effects_at(step: Step) -> list[Held]:
    """Return the unclaimed effects at the place of *step*."""
    past, slot = step.run.past, step.slot
    # Where steps were begun side by side, then or now, their numbers were the outcome of a race.
    found = [
        held
        for held in past.effects_left(slot.lane, inside=False)
        if held.step[1:3] == (slot.kind, slot.name)
        and (step.may_have_siblings or held.step.overlapped)
    ]
    if not step.is_beside:
        at_place = past.effects_at(slot.lane, step.effect_number)
        found = [*at_place, *(held for held in found if held not in at_place)]
    for lane in step.lane_instead:
        found += past.effects_left(lane)
    return found


def _branch(step: Step) -> list[Candidate]:
    """Return the effect of another name that was recorded since a person said ``other``.

    Work of one name that was called other work goes on without a question; a program that takes
    another branch than the last process did is asked about.
    """
    run, slot = step.run, step.slot
    asked = [row for row in _other_rows(step) if row]
    if not asked or step.is_beside:
        return []
    left = run.past.effects_left(slot.lane, inside=False)
    newest = (held for held in left if held.seq > max(asked))
    return [_candidate(step, held) for held in newest if held.step.name != slot.name][:1]


def _other_rows(step: Step) -> Iterator[int]:
    run, call = step.run, step.call
    for one in changed_questions(run):
        if (one.kind, one.name, one.answer) == (call.kind, call.name, OTHER):
            yield run.past.asked_rows.get(one.asked.id, 0)


def _was_called_same(step: Step, one: Candidate) -> bool:
    """Return whether a person called the new request and a recorded one the same."""
    asked = asked_before(step, [one])
    answered = None if asked is None else step.run.past.answers.get(asked.id)
    log = step.run.log
    return answered is not None and log is not None and log.value(answered.value) == SAME


def _leaves_at(step: Step) -> Iterator[Candidate]:
    """Yield the unfinished leaves of the step's name, in which something was recorded."""
    run, slot = step.run, step.slot
    left = run.past.lanes.left(slot.lane, leaf_stem(slot.kind, slot.name))
    if not left:
        return
    # A step that has an outcome by now is served as a whole: nothing enters the lane inside it.
    held = run.past.finished_in(slot.lane, slot.kind)
    finished = {one.step.leaf or inner_lane(one.step) for one in held}
    for lane in left:
        if lane.path in finished:
            continue
        yield Candidate(0, slot.name, stored_request(run, lane.content), lane=lane)


def question(step: Step, found: list[Candidate]) -> dict[str, Any]:
    """Return the question what a new effect is."""
    now = unpack(step.packed)
    first = found[0]
    lines = list(differences(first.request, now))[:SHOWN_DIFFERENCES]
    others = f" and {len(found) - 1} more" if len(found) > 1 else ""
    return {
        "kind": "input_required",
        "name": CHANGED,
        "message": (
            f"{step.call.label or step.call.name} is about to be executed. At this place the "
            f"journal holds {first.name}{others}, which the program has not come to "
            f"({'; '.join(lines)}). Is it the same call ({SAME}: the recorded outcome is used), "
            f"other work ({OTHER}: it is executed), or should the run end ({ABORT})?"
        ),
        "args": {
            "recorded": [{"name": one.name, "request": one.request} for one in found],
            "now": {"kind": step.call.kind, "name": step.call.name, "request": now},
            "row": first.row,
            "lane": first.lane.path if first.lane is not None else "",
        },
        "response_schema": SCHEMA,
        "aliases": ALIASES,
    }


def asked_before(step: Step, found: list[Candidate]) -> Asked | None:
    """Return the question that an earlier process asked about the same two requests."""
    first, now = found[0], unpack(step.packed)
    about = (first.row, first.lane.path if first.lane is not None else "")
    for one in changed_questions(step.run):
        if (one.row, one.lane) == about and differs_only_at(first.request, now, one.paths):
            return one.asked
    return None


def stop_changed(step: Step, found: list[Candidate]) -> NoReturn:
    """End the run because an effect differs from the recorded one.

    Raises:
        Suspended: Always; the run fails with :class:`ProgramChanged`.
    """
    lines = list(differences(found[0].request, unpack(step.packed)))[:SHOWN_DIFFERENCES]
    step.run.stop(ProgramChanged(f"{step.place}: {not_recorded(lines)}"))
