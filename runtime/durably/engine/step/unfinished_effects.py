"""Effects that an earlier process left half-way: done again, failed, or put to a person."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from ...errors import OutcomeUnknown
from ...people import decision
from ...types import Decision, OnUnfinished
from ..base_scope import BaseScope
from ..replay.fingerprint import unpack
from .questions import aask_in, ask_in
from .step import Step


class Decided(NamedTuple):
    """What becomes of an effect that is not executed again.

    Attributes:
        verb: ``respond`` with the answer for its value, or ``reject``.
        answer: What a person said.
    """

    verb: Decision
    answer: Any


_REFUSED: Final = Decided("reject", None)


def decided(scope: BaseScope, step: Step) -> Decided | None:
    """Return what a person or the policy decided about the step; None: it is executed."""
    question = _question(step)
    if question is None:
        return None
    if _rule(step) == "fail":
        return _REFUSED
    return _read(ask_in(scope.inner_of(step), _name(step), question))


async def adecided(scope: BaseScope, step: Step) -> Decided | None:
    """Like :func:`decided`, for coroutines."""
    question = _question(step)
    if question is None:
        return None
    if _rule(step) == "fail":
        return _REFUSED
    return _read(await aask_in(scope.inner_of(step), _name(step), question))


def settle(step: Step, found: Decided) -> Any:
    """Record the outcome that was decided.

    Raises:
        OutcomeUnknown: The effect was left to fail.
    """
    if found.verb == "respond":
        step.begin(announce=False)
        return step.finish(step.call.responded(found.answer))
    return step.refuse(
        OutcomeUnknown(
            f"{step.call.label or step.call.name} began in an earlier process and its outcome "
            "is not known; it is not repeated"
        )
    )


def _read(answer: Any) -> Decided | None:
    verb, said = decision(answer)
    return None if verb == "approve" else Decided(verb, said)


def _question(step: Step) -> Mapping[str, Any] | None:
    """Return what to ask about the step, if it was left half-way and is not just done again."""
    call, run = step.call, step.run
    if not run.past.unfinished or step.slot.exact not in run.past.unfinished:
        return None
    if _rule(step) == "rerun":
        run.tell(run.options.listeners.effect_repeated, step.info())
        return None
    shown = call.label or call.name
    return {
        "kind": "confirmation",
        "name": call.name,
        "message": (
            f"{shown} began, but its process died before the outcome was recorded. Do it again "
            "(approve), give the result it had (respond), or let it fail (reject)?"
        ),
        "args": unpack(step.packed),
        "allowed": ["approve", "respond", "reject"],
    }


def _rule(step: Step) -> OnUnfinished:
    return step.policy.on_unfinished or ("ask" if step.policy.effect == "once" else "rerun")


def _name(step: Step) -> str:
    """Return what the question is called; each start of the effect has its own."""
    return step.run.past.doubt(step.slot.exact)
