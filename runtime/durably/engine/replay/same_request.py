"""Finds the recorded outcome of a request: the same request's, or none.

The rule, in order: the next row, byte for byte (:mod:`..step.fast_path`); the k-th request with an
equal fingerprint in the lane; an unclaimed request of the lane that differs only in text that each
process made for itself, or in text that the configuration calls meaningless.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from ..call import Call
from ..run.equal_effects import may_be_told, tell_equal
from ..run.run import Run
from .accepted import without_patterns
from .fingerprint import differences, fingerprint, unpack
from .fresh_text import equal_but_fresh
from .recorded_steps import Held, Slot

SHOWN_DIFFERENCES = 5


class Match(NamedTuple):
    """A recorded outcome that serves a new request.

    Attributes:
        held: The recorded step.
        differences: The differences between the two requests; empty if there are none.
    """

    held: Held
    differences: list[str]


def matched(
    run: Run, call: Call, slot: Slot, packed: bytes, instead: Sequence[str] = ()
) -> Match | None:
    """Return the recorded outcome that serves a request, and claim it.

    Args:
        run: The run.
        call: The call.
        slot: Its identity.
        packed: The request in plain form, packed.
        instead: Recorded lanes that the step's lane may have been before the program was edited.
    """
    held = run.past.exact(slot)
    if held is not None:
        return Match(held, [])
    if not run.past.has_left:
        return None
    left = run.past.left(slot)
    if instead and run.program_changed():
        left += run.past.left_inside(slot, instead)
    equal = [held for held in left if held.step.print == slot.print]
    for held in equal:
        if not _is_for_later(run, slot, held):
            run.past.claim(held)
            return Match(held, [])
    now = unpack(packed) if left else None
    fitting = _fitting(run, call, now, [held for held in left if held not in equal])
    found = next(fitting, None)
    if found is None:
        return None
    held, recorded = found
    second = next(fitting, None) if may_be_told(run, call) else None
    if second is not None and _outcome(second[0]) != _outcome(held):
        tell_equal(run, call, slot, [held.seq, second[0].seq])
    run.past.claim(held)
    return Match(held, list(differences(recorded, now))[:SHOWN_DIFFERENCES])


def _fitting(run: Run, call: Call, now: Any, left: list[Held]) -> Iterator[tuple[Held, Any]]:
    """Yield recorded steps whose request is the new one in another process, with that request."""
    for held in left:
        recorded = recorded_request(run, held)
        if is_same(run, call, recorded, now, held):
            yield held, recorded


def _outcome(held: Held) -> tuple[int, bytes]:
    return held.step.outcome, held.step.value


def _is_for_later(run: Run, slot: Slot, held: Held) -> bool:
    """Return whether a recorded step belongs to an equal call that the program is yet to make.

    Of equal calls that were begun side by side, the last may be the only one that had ended when
    the process died. Given to the first, its outcome would change places with the first's own.
    """
    is_later = held.step.lane == slot.lane and held.step.nth > slot.nth
    return is_later and not run.past.is_outcome_of(slot)


def is_same(run: Run, call: Call, recorded: Any, now: Any, held: Held) -> bool:
    """Return True if two plain forms are one request in different processes.

    Args:
        run: The run.
        call: The new call; in a prompt, a duration may differ.
        recorded: The plain form of the recorded request.
        now: The plain form of the new one.
        held: The recorded step.
    """
    then = run.past.moment_of(held.seq, held.step.started)
    if equal_but_fresh(recorded, now, then, run.moment(), is_prompt=call.kind == "model"):
        return True
    patterns = run.options.volatile
    return bool(patterns) and (
        without_patterns(recorded, patterns) == without_patterns(now, patterns)
    )


def differing(run: Run, packed: bytes, held: Held) -> list[str]:
    """Return a few lines that say how a packed request differs from a recorded one."""
    found = differences(recorded_request(run, held), unpack(packed))
    return list(found)[:SHOWN_DIFFERENCES]


def not_recorded(found: list[str]) -> str:
    """Return what to say of a request that is not the recorded one."""
    return (
        f"the request is not the one in the journal ({'; '.join(found)}). Undo the change, start "
        "a new run, or continue with on_change='rerun'."
    )


def recorded_request(run: Run, held: Held) -> Any:
    """Return the plain form of a recorded step's request; None if it was not kept."""
    return stored_request(run, held.step.request)


def stored_request(run: Run, body: bytes) -> Any:
    """Return the plain form of a stored request; None if it was not kept."""
    if not body or run.log is None:
        return None
    # As data: what was stored may still have been dates and tuples.
    return unpack(fingerprint(run.log.value(body))[1])
