"""Tells of effects that only their order tells apart, once for each name of a run."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ...types import StepInfo
from ..call import Call
from ..replay.recorded_steps import EFFECTS, Slot
from .run import Run

_TOLD = "equal_effects"
_NONE: frozenset[str] = frozenset()


def may_be_told(run: Run, call: Call) -> bool:
    """Return whether equal calls would be told: it is an effect, and its name was not told yet."""
    told: Any = run.resources.get(_TOLD, _NONE)
    is_heard = bool(run.options.listeners.effect_ambiguous)
    is_effect = call.kind in EFFECTS and not call.pure
    return is_heard and is_effect and call.name not in told


def tell_equal(run: Run, call: Call, slot: Slot, rows: Sequence[int] = ()) -> None:
    """Tell that a request is not the only one of its lane, since that may lead to a wrong outcome.

    Should the program come to fewer of them when it is continued, nothing in the requests says
    which of the recorded outcomes is whose. They need arguments that differ, or a lane each.

    Args:
        run: The run.
        call: One of the equal calls.
        slot: Its identity.
        rows: Where the journal holds outcomes of others, if it does.
    """
    with run.lock:
        if not may_be_told(run, call):
            return
        told: Any = run.resources.setdefault(_TOLD, set())
        told.add(call.name)
    label = call.label or call.name
    info = StepInfo(run.id, run.info.thread, slot.lane, call.kind, call.name, label)
    run.tell(run.options.listeners.effect_ambiguous, info, list(rows))
