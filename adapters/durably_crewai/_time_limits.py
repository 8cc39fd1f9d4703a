"""Agents' time limits: one that ran out stays so, since the program may have gone another way."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from functools import partial
from typing import Any

from durably.adapting import Call, Scope

_NAME = "max_execution_time"


@contextmanager
def time_limit_recorded(scope: Scope, agent: Any, *, is_retry: bool) -> Generator[None]:
    """Record that an agent's turn took too long; on replay say so again, and execute nothing.

    A turn that is replayed takes no time. Had the program survived the ``TimeoutError``, it would
    go the way of a turn that was finished. One that ended the run is tried again.

    Args:
        scope: The place around the agent's turn; the agent's own steps lie in another lane.
        agent: The agent.
        is_retry: Whether the turn is a part of one whose time is watched already.

    Raises:
        TimeoutError: The journal holds that its time ran out, or it ran out now.
    """
    limit = getattr(agent, _NAME, None)
    if limit is None or is_retry:
        yield
        return
    call = Call("code", _NAME, {"seconds": limit}, pure=True, adapter="crewai")
    step = scope.open(call)
    if step.held is not None:
        scope.child("agent").pass_over()
        scope.perform(step, lambda: None)
    try:
        yield
    except TimeoutError as error:
        scope.perform(step, partial(_raise, error))
        raise
    finally:
        step.abandon()


def _raise(error: TimeoutError) -> None:
    raise error
