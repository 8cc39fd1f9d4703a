"""Steps whose request is not the one in the journal: replayed, executed again, or refused."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ...errors import ProgramChanged
from ..replay.fingerprint import differences, fingerprint, same_shape, unpack
from ..replay.recorded_steps import Held

if TYPE_CHECKING:
    from ..replay.lane import Lane
    from .step import Step

_SHOWN_DIFFERENCES = 5


def check_untaken(step: Step, lane: Lane, held: Held) -> None:
    """Stop the run if the outcome stood in for another request before its own came."""
    if held.seq in lane.taken:
        step.run.stop(
            ProgramChanged(
                f"{_where(step)}: the steps come in another order than in the journal, and an "
                "earlier one, whose request had changed, was given the outcome that belongs here. "
                "Restore the order, or continue with on_change='rerun'."
            )
        )


def displaced(step: Step, lane: Lane) -> Held | None:
    """Decide about an outcome that was recorded at the step's position for another request."""
    run, slot = step.run, step.slot
    held = run.past.displaced(slot, lane)
    if held is None or held.step.print == slot.print:
        return None
    recorded, now = _recorded_request(step, held), unpack(step.packed)
    action = step.policy.on_change or run.options.on_change
    if action == "auto":
        # A tool's arguments come from recorded answers: other arguments are another call.
        same_step = step.call.kind != "tool" and same_shape(recorded, now)
        action = "replay" if same_step and not run.program_changed() else "rerun"
    found = list(differences(recorded, now))[:_SHOWN_DIFFERENCES]
    if action == "error":
        run.stop(
            ProgramChanged(
                f"{_where(step)}: the request is not the one in the journal ({'; '.join(found)}). "
                "Undo the change, start a new run, or continue with on_change='rerun'."
            )
        )
    run.tell(run.options.listeners.step_changed, step.info(), action, found)
    return held if action == "replay" else None


def _recorded_request(step: Step, held: Held) -> Any:
    if not held.step.request or step.run.log is None:
        return None
    # As data: what was stored may still have been dates and tuples.
    return unpack(fingerprint(step.run.log.value(held.step.request))[1])


def _where(step: Step) -> str:
    place = step.slot.lane or "the run"
    return f"run {step.run.id}, {place}: {step.call.kind} {step.call.name}"
