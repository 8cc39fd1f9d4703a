"""The gate before calls that a person must agree to: go on, with other arguments, or not at all."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any, Protocol

from ...errors import CallRejected
from ...limits import ApprovalPolicy
from ...people import Question, decision, described
from ...types import Decision
from ..gates import Instead, Refused, Served, Verdict, Way
from ..replay.fingerprint import fingerprint, unpack
from ..replay.lane import Lane
from ..replay.run_history import APPROVAL
from .questions import aask, ask
from .step import Step

_EVERYTHING = ApprovalPolicy()


class Review(Protocol):
    """What a person may make of a proposed call, in the words of its framework."""

    args: Mapping[str, Any]
    """The arguments by name."""

    call_id: str
    """The model's id of the call; empty if it has none."""

    def args_schema(self) -> Mapping[str, Any] | None:
        """Return the JSON schema of the arguments, if it is known."""

    def edited(self, args: Mapping[str, Any], notice: str) -> Callable[[], Any]:
        """Return what executes the call with other arguments.

        Args:
            args: All of them.
            notice: What the model is to be told in front of the result.

        Returns:
            A function of the kind that the call is executed by: for a coroutine one that returns
            a coroutine, for a stream one that returns an iterator.
        """
        ...

    def rejected(self, message: str) -> Any:
        """Return what the model is told instead of a result.

        Raises:
            NotImplementedError: No model asked; the program is told by :class:`CallRejected`.
        """

    def responded(self, answer: Any) -> Any:
        """Return the result that a person's own answer stands for."""


class Approval:
    """Asks a person before a step is executed.

    The question lies in the step's own lane, named by the request: calls made at the same time keep
    their own, and a call with other arguments is another question.
    """

    @asynccontextmanager
    async def around(self, step: Step, way: Way) -> AsyncGenerator[Verdict]:
        """Let *step* pass when somebody has agreed, in the form in which they did."""
        question = proposal(step)
        lane = Lane(step.inner)
        if way.may_suspend:
            answer = await aask(step.run, lane, APPROVAL, question)
        else:
            answer = ask(step.run, lane, APPROVAL, question)
        yield _verdict(step, *decision(answer))


def proposal(step: Step) -> dict[str, Any]:
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
        "agent": step._lane.agent,
        "tool_call_id": review.call_id if review is not None else "",
        "message": wanted.message,
        "args_schema": schema,
        "deadline": deadline,
        "default": _default(wanted) if deadline is not None else None,
    }
    return {**asked, **{name: value for name, value in more.items() if value}}


def _arguments(step: Step) -> Mapping[str, Any]:
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


def _verdict(step: Step, verb: Decision, said: Any) -> Verdict:
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
