"""Finds the recorded effects that a continued program never came to."""

from __future__ import annotations

from typing import NamedTuple

from ...journal.records import StepEnded, StepStarted
from .recorded_steps import is_effect
from .run_history import Past


class Unmet(NamedTuple):
    """A recorded effect that no step of the program was given.

    Attributes:
        row: The row of its outcome; of its start marker, if it has no outcome.
        record: What the journal holds of it.
    """

    row: int
    record: StepEnded | StepStarted


def unmet_effects(past: Past, lane: str = "") -> list[Unmet]:
    """Return the effects of earlier processes that the program never came to, in order.

    Not among them are effects inside a step, or in a lane, whose outcome came back as a whole: the
    code around them was not executed; nor are those of an attempt that failed and was followed by
    another. Of a step that was not met itself, it alone is returned. What
    a cache served was no effect.

    Args:
        past: The run's records, when the program has come to all that it comes to.
        lane: Only what lies in this lane, or inside it.
    """
    unmet = past.unmet(lane)
    found = [Unmet(held.seq, held.step) for held in unmet if is_effect(held.step)]
    found += [Unmet(row, began) for row, began in past.starts_unmet(lane)]
    left = [one for one in found if one.row not in past.told_unmet and _is_own(past, one)]
    if not any(one.record.lane for one in left):
        return sorted(left, key=lambda one: one.row)
    leaves = past.recorded_leaves()
    for held in unmet:
        if not is_effect(held.step):  # it is not told, so what is inside it is
            leaves.pop(held.seq, None)
    told = past.passed_over.union(leaves.values())
    outermost = [one for one in left if told.isdisjoint(_around(one.record.lane))]
    return sorted(outermost, key=lambda one: one.row)


def _is_own(past: Past, one: Unmet) -> bool:
    """Return whether it was an effect, which no cache served and no attempt gave up with others."""
    record = one.record
    if isinstance(record, StepEnded) and record.cached:
        return False
    given_up = past.given_up_before
    return not given_up or all(one.row > given_up.get(path, 0) for path in _around(record.lane))


def _around(lane: str) -> list[str]:
    """Return the path of a lane and of the lanes around it; the run's own is empty."""
    parts = lane.split("/")
    return ["", *("/".join(parts[: count + 1]) for count in range(len(parts)))]
