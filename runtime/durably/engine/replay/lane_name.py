"""Names a lane by what it is and was given, and finds the recorded lane of the same content.

A crew's lane is named by the texts of its agents and tasks and by its inputs, not by its number: a
world that changed between two processes (a set in another order, a folder with fewer files) then
leads each crew to its own record.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

from ..run.run import Run
from .fingerprint import fingerprint, packed_form, print_of, unpack
from .fresh_text import equal_but_fresh
from .lane import Lane, Leaf, inside
from .recorded_lanes import KnownLane
from .same_request import stored_request

UNNAMED: Final = object()
"""Stands for a lane whose order alone tells it from its siblings."""

_SHOWN = 4
"""Bytes of the fingerprint in a lane's name."""


class NamedLane(NamedTuple):
    """The name of a lane.

    Attributes:
        path: Its path.
        instead: Recorded lanes that it may have been, if the journal does not know the lane: the
            one at its place; in an edited program each that the program has not entered.
    """

    path: str
    instead: tuple[str, ...] = ()


def named_lane(
    run: Run, lane: Lane, stem: str, given: Any, siblings: Sequence[Any] | None = None
) -> NamedLane:
    """Return the name of a lane inside *lane*, and claim the recorded lane of its content.

    Args:
        run: The run.
        lane: The lane around it.
        stem: What it is, such as ``crew``.
        given: Its content: what it is made of and what it was given.
        siblings: The contents of every lane of the stem that there will be, if that is known.
    """
    packed, _ = packed_form(given)
    print_ = print_of(packed)
    segment = f"{stem}:{print_[:_SHOWN].hex()}"
    path = lane.child(segment, lane.count(("lane", segment)))
    place = lane.count(("lanes", stem))
    lanes = run.past.lanes
    if lanes.knows(path) and lanes.claim(path):
        return NamedLane(path, lanes.instead_of(path))
    left = lanes.left(lane.path, stem) if lanes else []
    found = _fresh(run, packed, left) or _edited(run, left, siblings)
    if found is not None:
        lanes.claim(found.path)
        return NamedLane(found.path, lanes.unclaimed(found.instead))
    lanes.claim(path)
    if run.program_changed():
        instead = tuple(known.path for known in left)
    else:
        instead = _instead(run, lanes.earlier(lane.path, stem), place) if lanes else ()
    run.record_lane(path, Leaf(stem, print_, packed), instead)
    return NamedLane(path, instead)


def _fresh(run: Run, packed: bytes, left: Sequence[KnownLane]) -> KnownLane | None:
    """Return the recorded lane whose content differs only in text that each process made."""
    now = unpack(packed) if left else None
    for known in left:
        then = run.past.moment_of(0, known.at)
        recorded = stored_request(run, known.content)
        if equal_but_fresh(recorded, now, then, run.moment()):
            return known
    return None


def _edited(
    run: Run, left: Sequence[KnownLane], siblings: Sequence[Any] | None
) -> KnownLane | None:
    """Return the recorded lane that this one was before the program was edited, if it was.

    Only where every sibling is known: else a lane that is new would take the record of one that is
    still to come.
    """
    if not left or siblings is None or not run.program_changed():
        return None
    prints = {fingerprint(one)[0] for one in siblings}
    return next((known for known in left if known.print not in prints), None)


def _instead(run: Run, there: Sequence[KnownLane], place: int) -> tuple[str, ...]:
    """Return the recorded lanes at a new lane's place that hold effects and are unclaimed.

    As for effects, these are the one with the same number and the one that follows the last one
    claimed.
    """
    holding = [known.path for known in there if run.past.holds_effects(known.path)]
    left = [path for path in run.past.lanes.unclaimed(holding) if _has_left(run, path)]
    met = [number for number, path in enumerate(holding) if path not in left]
    places = {place, met[-1] + 1 if met else 0}
    return tuple(path for number, path in enumerate(holding) if number in places and path in left)


def _has_left(run: Run, path: str) -> bool:
    """Return whether a recorded lane holds an effect that no step was given."""
    marks = (exact[0] for exact in run.past.unfinished)
    return bool(run.past.effects_left(path)) or any(inside(lane, path) for lane in marks)
