"""Steps whose request is not the one in the journal: replayed, executed again, or refused."""

from __future__ import annotations

from typing import Any, NamedTuple

from ...errors import ProgramChanged
from ...types import OnChange
from ..call import Call
from ..replay.fingerprint import differences, fingerprint, same_shape, unpack
from ..replay.lane import Lane
from ..replay.recorded_steps import Held, Slot
from ..run.run import Run

_SHOWN_DIFFERENCES = 5


class Displaced(NamedTuple):
    """The decision about a recorded outcome that stands at a changed step's position.

    Attributes:
        held: The recorded step, if its outcome serves the new request; else None.
        action: ``replay`` or ``rerun``.
        found: The differences between the two requests.
    """

    held: Held | None
    action: str
    found: list[str]


def check_untaken(run: Run, call: Call, slot: Slot, lane: Lane, held: Held) -> None:
    """Stop the run if the outcome stood in for another request before its own came."""
    if held.seq in lane.taken:
        run.stop(
            ProgramChanged(
                f"{_where(run, call, slot)}: the steps come in another order than in the journal, "
                "and an earlier one, whose request had changed, was given the outcome that belongs "
                "here. Restore the order, or continue with on_change='rerun'."
            )
        )


def displaced(
    run: Run, call: Call, slot: Slot, lane: Lane, *, packed: bytes, on_change: OnChange | None
) -> Displaced | None:
    """Decide about an outcome that was recorded at the step's position for another request.

    Args:
        run: The run.
        call: The call.
        slot: Its identity.
        lane: The lane that the step lies in.
        packed: The request as it is recorded.
        on_change: The step's own policy; None for the host's.
    """
    held = run.past.displaced(slot, lane)
    if held is None or held.step.print == slot.print:
        return None
    recorded, now = _recorded_request(run, held), unpack(packed)
    action = on_change or run.options.on_change
    if action == "auto":
        # A tool's arguments come from recorded answers: other arguments are another call.
        same_step = call.kind != "tool" and same_shape(recorded, now)
        action = "replay" if same_step and not run.program_changed() else "rerun"
    found = list(differences(recorded, now))[:_SHOWN_DIFFERENCES]
    if action == "error":
        run.stop(
            ProgramChanged(
                f"{_where(run, call, slot)}: the request is not the one in the journal "
                f"({'; '.join(found)}). Undo the change, start a new run, or continue with "
                "on_change='rerun'."
            )
        )
    return Displaced(held if action == "replay" else None, action, found)


def _recorded_request(run: Run, held: Held) -> Any:
    if not held.step.request or run.log is None:
        return None
    # As data: what was stored may still have been dates and tuples.
    return unpack(fingerprint(run.log.value(held.step.request))[1])


def _where(run: Run, call: Call, slot: Slot) -> str:
    return f"run {run.id}, {slot.lane or 'the run'}: {call.kind} {call.name}"
