"""Tells of recorded effects that the continued program never came to, where that is known."""

from __future__ import annotations

from typing import cast

from ...errors import ProgramChanged
from ...journal.records import EffectsUnmet, StepEnded, StepStarted
from ...types import Kind, StepInfo
from ..call import Call
from ..replay.lane import shown_lane
from ..replay.same_request import stored_request
from ..replay.unmet import Unmet, unmet_effects
from .run import Run

_SHOWN = 5


def told_unmet(run: Run, lane: str = "") -> EffectsUnmet | None:
    """Tell of the effects in a lane that the program has left without coming to them.

    Under ``on_change="error"`` the run is stopped instead, and nothing is recorded: under another
    rule it still can go on.

    Args:
        run: The run.
        lane: The lane, whose code is over; by default the run's own.

    Returns:
        What is to be recorded; None if there is nothing to be told.
    """
    if run.log is None or not run.past.has_unmet:
        return None
    with run.lock:
        found = unmet_effects(run.past, lane)
        stopping = [one for one in found if _stops(run, one.record)]
        if stopping:
            run.failure = run.failure or ProgramChanged(_words(run, stopping))
        if stopping or not found:
            return None
        run.past.told_unmet.update(one.row for one in found)
    for one in found:
        request = stored_request(run, one.record.request)
        run.tell(run.options.listeners.effect_unmet, _info(run, one), one.row, request)
    return EffectsUnmet([one.row for one in found])


def leave(run: Run, lane: str) -> None:
    """Tell of what the code of a lane left there, now that an outcome tells all of the lane.

    Raises:
        Suspended: The run is stopped, since the program changed.
    """
    if run.stopping:
        return
    record = told_unmet(run, lane)
    if record is not None:
        run.append(record)
    elif run.failure is not None:
        run.stop(run.failure)


def _stops(run: Run, record: StepEnded | StepStarted) -> bool:
    """Return whether the run must not end well without the effect.

    Names whose arguments say which item they are about may go: their items were consumed.
    """
    adapter, agent = "", ""
    if isinstance(record, StepEnded):
        adapter, agent = record.adapter, record.agent
    call = Call(cast("Kind", record.kind), record.name, None, adapter=adapter)
    policy = run.options.terms(call, agent).policy
    action = policy.on_change or run.options.on_change
    return action == "error" and not run.options.is_item(record.name)


def _info(run: Run, one: Unmet) -> StepInfo:
    record = one.record
    label = record.label or record.name
    return StepInfo(run.id, run.info.thread, record.lane, record.kind, record.name, label)


def _words(run: Run, found: list[Unmet]) -> str:
    """Return the effects in words: what they are called, and where the journal holds them."""
    told = [
        f"{one.record.label or one.record.name} (row {one.row}"
        + (f", {shown_lane(one.record.lane)})" if one.record.lane else ")")
        for one in found[:_SHOWN]
    ]
    if len(found) > _SHOWN:
        told.append(f"{len(found) - _SHOWN} more")
    return (
        f"run {run.id}: the program did not come to effects that the journal holds: "
        f"{', '.join(told)}. Undo the change, start a new run, or continue with on_change='auto'."
    )
