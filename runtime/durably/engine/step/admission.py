"""Questions before an effect: whether it is a recorded one, whether it was left unfinished."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Iterator
from typing import Any, NamedTuple

from ..base_scope import BaseScope
from ..replay.changed_answers import ABORT, CHANGED, OTHER, SAME
from ..replay.recorded_steps import Held
from .changed_request import (
    Candidate,
    asked_before,
    candidates,
    may_be_changed,
    question,
    stop_changed,
)
from .questions import aask_in, ask_in
from .step import Step
from .unfinished_effects import Decided, adecided, decided, settle

_SIBLINGS_SECONDS = 0.25
"""How long an effect waits for those that were begun beside it to find their own outcomes."""
_LOOK_SECONDS = 0.005


class Served(NamedTuple):
    """A recorded step whose outcome serves the new one."""

    held: Held


def admitted(scope: BaseScope, step: Step) -> Served | Decided | None:
    """Return what stands for executing the step; None: it is executed.

    Raises:
        Suspended: A person is asked, or the run ends.
    """
    if may_be_changed(step):
        for pause in _pauses(step):
            threading.Event().wait(pause)
        found = candidates(step)
        if found:
            answer = _by_policy(step, found)
            if answer is None:
                known = asked_before(step, found)
                answer = ask_in(scope, CHANGED, question(step, found), known=known)
            served = _settled(step, found, answer)
            if served is not None:
                return served
    return decided(scope, step) if step.run.past.unfinished else None


async def aadmitted(scope: BaseScope, step: Step) -> Served | Decided | None:
    """Like :func:`admitted`, for coroutines."""
    if may_be_changed(step):
        for pause in _pauses(step):
            await asyncio.sleep(pause)
        found = candidates(step)
        if found:
            answer = _by_policy(step, found)
            if answer is None:
                known = asked_before(step, found)
                answer = await aask_in(scope, CHANGED, question(step, found), known=known)
            served = _settled(step, found, answer)
            if served is not None:
                return served
    return await adecided(scope, step) if step.run.past.unfinished else None


def settled(step: Step, found: Served | Decided) -> Any:
    """Return the outcome that stands for executing the step.

    Raises:
        Exception: The recorded failure, or OutcomeUnknown.
    """
    return step.serve_recorded(found.held) if isinstance(found, Served) else settle(step, found)


def _pauses(step: Step) -> Iterator[float]:
    """Yield pauses while effects beside this one may still find the outcomes that are left.

    The wait has an end, and a question behind it: the clock never decides for an outcome.
    """
    if not step.may_have_siblings:
        return
    ends = time.monotonic() + _SIBLINGS_SECONDS
    yield 0.0
    while candidates(step) and time.monotonic() < ends:
        yield _LOOK_SECONDS


def _by_policy(step: Step, found: list[Candidate]) -> str | None:
    """Return the answer that ``on_change`` gives; None to ask."""
    action = step.policy.on_change or step.run.options.on_change
    if action == "error":
        stop_changed(step, found)
    return SAME if action == "replay" else None


def _settled(step: Step, found: list[Candidate], answer: str) -> Served | None:
    first = found[0]
    if answer == ABORT:
        stop_changed(step, found)
    if answer == OTHER:
        return None
    if first.held is not None:
        return Served(first.held)
    if first.lane is not None:
        step.adopt(first.lane.path)
    return None
