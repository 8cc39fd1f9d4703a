"""Timeouts of one attempt, for coroutines and plain functions alike.

A coroutine is cancelled at its deadline. A plain function cannot be; it runs in a thread of its
own, the caller stops waiting, and whatever the function still does is cut off from the run: its
steps are refused and its result is dropped.
"""

from __future__ import annotations

import asyncio
import contextvars
import threading
from collections.abc import Awaitable, Callable
from typing import Any

from ..errors import NodeTimeoutError
from ..types import TimeoutPolicy
from .cancellation import wait_out
from .clock import Clock
from .scope_var import scope_var


class Deadline:
    """The limits of one attempt, and the signs of life within it.

    Args:
        name: What is limited, for the error.
        policy: The limits, in seconds (see :meth:`TimeoutPolicy.coerce`).
        clock: Time.
        outer: The deadline around this one; it takes this one's signs of life for its own.

    Attributes:
        expired: Whether the attempt was given up.
    """

    __slots__ = ("_beaten", "_clock", "_name", "_outer", "_policy", "_started", "expired")

    def __init__(
        self, name: str, policy: TimeoutPolicy, clock: Clock, outer: Deadline | None
    ) -> None:
        self._name = name
        self._policy = policy
        self._clock = clock
        self._outer = outer
        self._started = self._beaten = clock.monotonic()
        self.expired = False

    @property
    def is_over(self) -> bool:
        """Whether this attempt, or one around it, was given up."""
        return self.expired or (self._outer is not None and self._outer.is_over)

    def beat(self, *, explicit: bool = False) -> None:
        """Take note of a sign of life.

        Args:
            explicit: Whether the program gave it on purpose (``runtime.heartbeat()``).
        """
        if explicit or self._policy.refresh_on == "auto":
            self._beaten = self._clock.monotonic()
        if self._outer is not None:
            self._outer.beat(explicit=explicit)

    def left(self) -> float:
        """Return the seconds until the attempt is given up, unless there are signs of life."""
        now = self._clock.monotonic()
        ends = [
            since + float(limit)  # type: ignore[arg-type]
            for since, limit in (
                (self._started, self._policy.run_timeout),
                (self._beaten, self._policy.idle_timeout),
            )
            if limit is not None
        ]
        return max(0.0, min(ends) - now)

    def expire(self) -> NodeTimeoutError:
        """Give the attempt up."""
        self.expired = True
        elapsed = self._clock.monotonic() - self._started
        run, idle = self._policy.run_timeout, self._policy.idle_timeout
        over_run = run is not None and elapsed >= float(run)  # type: ignore[arg-type]
        return NodeTimeoutError(
            self._name,
            elapsed,
            kind="run" if over_run else "idle",
            run_timeout=run,  # type: ignore[arg-type]
            idle_timeout=idle,  # type: ignore[arg-type]
        )


def call_within(deadline: Deadline, execute: Callable[[], Any]) -> Any:
    """Return what *execute* returns, or raise when its deadline passes.

    Raises:
        NodeTimeoutError: The deadline passed; *execute* goes on unheard.
    """
    done = threading.Event()
    ended: list[tuple[bool, Any]] = []
    context = contextvars.copy_context()
    _leave_home()

    def work() -> None:
        try:
            ended.append((True, context.run(execute)))
        except BaseException as error:
            ended.append((False, error))
        finally:
            done.set()

    threading.Thread(target=work, name="durably-timed", daemon=True).start()
    while not done.wait(deadline.left()):
        if deadline.left() <= 0:
            raise deadline.expire()
    is_value, outcome = ended[0]
    if is_value:
        return outcome
    raise outcome


def _leave_home() -> None:
    """Let the lane here belong to whoever executes its code next."""
    scope = scope_var.get()
    if scope is not None:
        scope.lane.home = None


async def acall_within(deadline: Deadline, execute: Callable[[], Awaitable[Any]]) -> Any:
    """Like :func:`call_within`, for a coroutine, which is cancelled.

    Raises:
        NodeTimeoutError: The deadline passed.
    """
    _leave_home()
    task = asyncio.ensure_future(execute())
    try:
        while True:
            await asyncio.wait({task}, timeout=deadline.left())
            if task.done():
                return task.result()
            if deadline.left() <= 0:
                break
    except asyncio.CancelledError:
        task.cancel()
        await wait_out({task})
        raise
    error = deadline.expire()
    task.cancel()
    await asyncio.wait({task})
    raise error
