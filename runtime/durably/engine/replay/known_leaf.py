"""Finds traces of an unfinished step: the lane inside it, and its start marker."""

from __future__ import annotations

from collections.abc import Sequence

from ..call import Call
from ..run.run import Run
from .fingerprint import unpack
from .fresh_text import equal_but_fresh
from .lane import inner_lane, leaf_stem
from .recorded_steps import Exact, Slot
from .same_request import stored_request


def known_leaf(run: Run, call: Call, slot: Slot, packed: bytes) -> str:
    """Return the path of the recorded lane inside a step, and claim it; empty if there is none.

    A step without an outcome may have steps and answers inside. They are found again although the
    request holds a clock reading or an id of its process.
    """
    lanes = run.past.lanes
    own = inner_lane(slot)
    if lanes.knows(own):
        lanes.claim(own)
        return ""
    left = lanes.left(slot.lane, leaf_stem(slot.kind, slot.name))
    now = unpack(packed) if left else None
    for lane in left:
        then = run.past.moment_of(0, lane.at)
        recorded = stored_request(run, lane.content)
        if equal_but_fresh(recorded, now, then, run.moment(), is_prompt=call.kind == "model"):
            lanes.claim(lane.path)
            return lane.path
    return ""


def unfinished_mark(
    run: Run, call: Call, slot: Slot, packed: bytes, instead: Sequence[str] = ()
) -> Exact | None:
    """Return the identity of the start marker that an earlier process left for a step.

    The marker is found by the request, else by a request that differs only in text that each
    process made, else by place and name: an effect that may have happened is never forgotten
    because its arguments changed.

    Args:
        run: The run.
        call: The call.
        slot: Its identity.
        packed: The request in plain form, packed.
        instead: Recorded lanes that the step's lane may have been.
    """
    unfinished = run.past.unfinished
    if slot.exact in unfinished:
        return slot.exact
    kind, name = slot.kind, slot.name
    lanes = (slot.lane, *instead)
    named = [exact for exact in unfinished if exact[0] in lanes and exact[1:3] == (kind, name)]
    for exact in named:
        began = unfinished[exact]
        recorded = unpack(began.request) if began.request else None
        then = run.past.moment_of(0, began.at)
        is_prompt = call.kind == "model"
        if equal_but_fresh(recorded, unpack(packed), then, run.moment(), is_prompt=is_prompt):
            return exact
    return named[0] if named else None
