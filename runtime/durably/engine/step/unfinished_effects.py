"""Effects that an earlier process left unfinished: executed again, failed, or put to a person."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from ...errors import OutcomeUnknown
from ...journal.records import Asked, StepStarted
from ...people import decision
from ...types import Decision, OnUnfinished
from ..base_scope import BaseScope
from ..replay.accepted import differing_paths, differs_only_at
from ..replay.fingerprint import unpack
from ..replay.known_leaf import unfinished_mark
from ..replay.lane import Lane, inner_lane
from ..replay.recorded_steps import Exact
from ..replay.same_request import stored_request
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
    """Return the decision of a person or of the policy about the step; None: it is executed."""
    doubt = _doubt(step)
    if doubt is None:
        return None
    if _rule(step) == "fail":
        return _REFUSED
    inner = _scope_of(scope, step, doubt)
    return _read(step, doubt, ask_in(inner, doubt.name, doubt.question, known=doubt.asked))


async def adecided(scope: BaseScope, step: Step) -> Decided | None:
    """Like :func:`decided`, for coroutines."""
    doubt = _doubt(step)
    if doubt is None:
        return None
    if _rule(step) == "fail":
        return _REFUSED
    inner = _scope_of(scope, step, doubt)
    answer = await aask_in(inner, doubt.name, doubt.question, known=doubt.asked)
    return _read(step, doubt, answer)


class _Doubt(NamedTuple):
    """An effect that began in an earlier process, and the question about it.

    Attributes:
        mark: The identity of its start marker.
        name: The question's name; each start of the effect has its own.
        lane: The lane that the question lies in: that of the effect that began.
        question: The question.
        asked: The question as an earlier process asked it, if it did.
    """

    mark: Exact
    name: str
    lane: str
    question: Mapping[str, Any]
    asked: Asked | None


def _scope_of(scope: BaseScope, step: Step, doubt: _Doubt) -> BaseScope:
    inner = scope.inner_of(step)
    if doubt.mark != step.slot.exact:
        inner.lane = Lane(doubt.lane)
    return inner


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


def _read(step: Step, doubt: _Doubt, answer: Any) -> Decided | None:
    step.run.past.unfinished.pop(doubt.mark, None)
    verb, said = decision(answer)
    return None if verb == "approve" else Decided(verb, said)


def _doubt(step: Step) -> _Doubt | None:
    """Return the doubt about a step that was left unfinished; None if it is just executed."""
    call, run = step.call, step.run
    mark = unfinished_mark(run, call, step.slot, step.packed, step.lane_instead)
    if mark is None:
        return None
    if _rule(step) == "rerun":
        run.tell(run.options.listeners.effect_repeated, step.info())
        run.past.unfinished.pop(mark, None)  # another thread may have met it, too
        return None
    began = run.past.unfinished[mark]
    name, lane = run.past.doubt(mark), inner_lane(began)
    asked = _asked_before(step, began, name, lane) if mark != step.slot.exact else None
    return _Doubt(mark, name, lane, _question(step, began, is_other=mark != step.slot.exact), asked)


def _asked_before(step: Step, began: StepStarted, name: str, lane: str) -> Asked | None:
    """Return the question of an earlier process, if the request differs as it did then."""
    run = step.run
    recorded, now = stored_request(run, began.request), unpack(step.packed)
    for asked in run.past.asked.values():
        if (asked.name, asked.lane) == (name, lane) and run.log is not None:
            args = run.log.value(asked.question)["value"]["args"]
            paths = frozenset(differing_paths(recorded, args.get("now")))
            if differs_only_at(recorded, now, paths):
                return asked
    return None


def _question(step: Step, began: StepStarted, *, is_other: bool) -> Mapping[str, Any]:
    """Return the question about an effect that began; both requests if they differ."""
    call, now = step.call, unpack(step.packed)
    shown, before = call.label or call.name, began.label or began.name
    other = f" It began as {before}; the program now calls {shown}." if is_other else ""
    recorded = stored_request(step.run, began.request)
    return {
        "kind": "confirmation",
        "name": call.name,
        "message": (
            f"{before} began, but its process died before the outcome was recorded.{other} Do it "
            "again (approve), give the result it had (respond), or let it fail (reject)?"
        ),
        "args": {"began": recorded, "now": now} if is_other else now,
        "allowed": ["approve", "respond", "reject"],
    }


def _rule(step: Step) -> OnUnfinished:
    return step.policy.on_unfinished or ("ask" if step.policy.effect == "once" else "rerun")
