"""The gate before calls that a person must agree to: go on, with other arguments, or not at all."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

from ...errors import CallRejected
from ...limits import ApprovalPolicy
from ...people import Question, decision, described
from ...types import Decision
from ..gates import GatedStep, Instead, Refused, Served, Verdict, Way
from ..replay.fingerprint import fingerprint, unpack
from ..replay.lane import Lane
from ..replay.run_history import APPROVAL
from .questions import aask, ask

_EVERYTHING = ApprovalPolicy()


class Approval:
    """Asks a person before a step is executed.

    The question lies in the step's own lane, named by the request: calls made at the same time keep
    their own, and a call with other arguments is another question.
    """

    @asynccontextmanager
    async def around(self, step: GatedStep, way: Way) -> AsyncGenerator[Verdict]:
        """Let *step* pass when somebody has agreed, in the form in which they did."""
        question = proposal(step)
        lane = Lane(step.inner)
        if way.may_suspend:
            answer = await aask(step.run, lane, APPROVAL, question)
        else:
            answer = ask(step.run, lane, APPROVAL, question)
        yield _verdict(step, *decision(answer))


def proposal(step: GatedStep) -> dict[str, Any]:
    """Return the question whether *step* may be executed."""
    call, policy = step.call, step.policy.approve
    wanted = policy if isinstance(policy, ApprovalPolicy) else _EVERYTHING
    review = call.review
    able = {"approve", "reject", "respond"} if review is None else {*wanted.allowed}
    asked: dict[str, Any] = {
        "kind": "tool_call" if call.kind == "tool" else "confirmation",
        "name": call.name,
        "args": _arguments(step),
        "allowed": [one for one in wanted.allowed if one in able],
    }
    schema = review.args_schema() if review is not None and "edit" in wanted.allowed else None
    deadline = _seconds(wanted.deadline)
    more: dict[str, Any] = {
        "agent": step.agent,
        "tool_call_id": review.call_id if review is not None else "",
        "message": wanted.message,
        "args_schema": schema,
        "deadline": deadline,
        "default": _default(wanted) if deadline is not None else None,
    }
    return {**asked, **{name: value for name, value in more.items() if value}}


def _arguments(step: GatedStep) -> Mapping[str, Any]:
    """Return what the step is asked to do, by name, as data."""
    review = step.call.review
    given = step.call.request if review is None else review.args
    found = unpack(step.packed if review is None else fingerprint(given)[1])
    if not isinstance(found, Mapping):
        return {"request": found}
    order = given if isinstance(given, Mapping) else found
    return {name: found[name] for name in order if name in found}


def _default(policy: ApprovalPolicy) -> dict[str, Any]:
    if policy.default == "approve":
        return {"type": "approve"}
    return {"type": "reject", "message": "nobody decided in time"}


def _seconds(limit: float | timedelta | None) -> float | None:
    return limit.total_seconds() if isinstance(limit, timedelta) else limit


def _verdict(step: GatedStep, verb: Decision, said: Any) -> Verdict:
    review, call = step.call.review, step.call
    if verb == "approve":
        return None
    if verb == "edit" and review is not None:
        call.label = described(Question(id="", name=call.name, args=said))
        return Instead(review.edited(said, notice(said)))
    if verb == "respond":
        return Served(call.responded(said))
    if review is None:
        return Refused(CallRejected(call.name, said))
    try:
        return Served(review.rejected(refusal(call.name, said)))
    except NotImplementedError:
        return Refused(CallRejected(call.name, said))


def notice(args: Mapping[str, Any]) -> str:
    """Return what a model is told about a call that a person changed."""
    shown = json.dumps(args, ensure_ascii=False, default=str)
    return (
        "[A person changed this call before it was made. It was executed with these arguments: "
        f"{shown}. The change is intended; do not make the original call again.]"
    )


def refusal(name: str, message: str | None) -> str:
    """Return what a model is told about a call that a person rejected."""
    why = f" They say: {message}" if message else ""
    return (
        f"A person rejected this call of {name}; it was not executed.{why} "
        "Do not make the same call again unless you are asked to."
    )
