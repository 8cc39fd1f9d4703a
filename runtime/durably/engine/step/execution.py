"""Performs streams, and steps with gates: pass these, attempt, fall back on other models, park.

One coroutine serves plain code and coroutines; see :mod:`..blocking_or_async`.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator, Sequence
from contextlib import AsyncExitStack, aclosing
from typing import Any

from ...caching import at_once
from ...types import ParkPolicy, default_retry_on, is_outage, retry_after
from ..base_scope import BaseScope
from ..gates import Instead, Refused, Served, Way
from .admission import aadmitted, admitted, settled
from .async_commit import abegin, afail, afinish
from .iteration import each, iterate
from .parked_calls import signal_unwound
from .step import Step


async def performed(scope: BaseScope, step: Step, way: Way, execute: Callable[[], Any]) -> Any:
    """Return what :meth:`Scope.perform` returns, for a step with gates."""
    async with AsyncExitStack() as around:
        settled = await _entered(scope, step, way, around)
        if isinstance(settled, Settled):
            return settled.value
        tries = _Tries(step, settled or execute)
        try:
            while True:
                try:
                    async with AsyncExitStack() as attempt:
                        execute = await tries.admitted(way, attempt)
                        inner = scope.inner_of(step)
                        deadline = inner.lane.deadline if step.timeout else None
                        with inner.entered():
                            value = await way.execute(execute, deadline)
                        return await _finish(way, step, value)
                except Exception as error:
                    delay = await tries.after(way, error)
                await way.sleep(delay)
        except BaseException as error:
            step.abandon()
            signal_unwound(step, error)
            raise


async def _finish(way: Way, step: Step, value: Any) -> Any:
    """Record *value*, and only then return it."""
    return await afinish(step, value) if way.may_suspend else step.finish(value)


async def performed_pieces(
    scope: BaseScope, step: Step, way: Way, source: Callable[[], Any]
) -> AsyncGenerator[Any, None]:
    """Yield what :meth:`Scope.stream` yields, for a step that has to be executed."""
    pieces: list[Any] = []
    async with AsyncExitStack() as around:
        settled = await _entered(scope, step, way, around)
        if isinstance(settled, Settled):
            pieces += settled.value
        else:
            tries = _Tries(step, settled or source)
            async with aclosing(_new_pieces(scope, step, way, tries, pieces)) as new:
                async for piece in new:
                    yield piece
            pieces = pieces[-1:]
    for piece in pieces:  # the gates are open again: the consumer may take its time
        yield piece


async def _new_pieces(
    scope: BaseScope, step: Step, way: Way, tries: _Tries, pieces: list[Any]
) -> AsyncGenerator[Any, None]:
    """Execute a stream; yield what it yields but the last piece, and collect all in *pieces*."""
    try:
        while True:
            try:
                async with AsyncExitStack() as attempt:
                    source = await tries.admitted(way, attempt)
                    async with _opened(scope, step, way, source) as new:
                        async for piece in new:
                            if pieces:
                                yield pieces[-1]
                            pieces.append(piece)
                    await _finish(way, step, pieces)
                    return
            except Exception as error:
                delay = await tries.after(way, error)
            pieces.clear()
            await way.sleep(delay)
    except BaseException as error:
        step.abandon()
        signal_unwound(step, error)
        raise


def _opened(scope: BaseScope, step: Step, way: Way, source: Callable[[], Any]) -> Any:
    """Open a stream inside the step's own scope."""
    inner = scope.inner_of(step)
    deadline = inner.lane.deadline if step.timeout else None
    made = source()
    is_async = isinstance(made, AsyncIterator)
    return way.pieces(iterate(inner, made) if is_async else each(inner, made), deadline)


def stepwise(pieces: AsyncGenerator[Any, None]) -> Iterator[Any]:
    """Yield from an asynchronous generator that never suspends."""
    try:
        while (piece := at_once(_following(pieces))) is not _END:
            yield piece
    finally:
        at_once(_closed(pieces))


_END = object()


async def _following(pieces: AsyncGenerator[Any, None]) -> Any:
    return await anext(pieces, _END)


async def _closed(pieces: AsyncGenerator[Any, None]) -> None:
    await pieces.aclose()


class Settled:
    """The step has its outcome without being executed.

    Attributes:
        value: What the step returns.
    """

    __slots__ = ("value",)

    def __init__(self, value: Any) -> None:
        self.value = value


async def _entered(
    scope: BaseScope, step: Step, way: Way, around: AsyncExitStack
) -> Settled | Callable[[], Any] | None:
    """Pass the gates that a step passes once; return its outcome, or what to execute instead."""
    try:
        found = await aadmitted(scope, step) if way.may_suspend else admitted(scope, step)
        if found is not None:
            return Settled(settled(step, found))
        instead: Callable[[], Any] | None = None
        for gate in step.terms.once:
            verdict = await around.enter_async_context(gate.around(step, way))
            step.is_altered = step.is_altered or verdict is not None
            if isinstance(verdict, Served):
                return Settled(step.serve(verdict))
            if isinstance(verdict, Refused):
                step.refuse(verdict.error)
            if isinstance(verdict, Instead):
                instead = verdict.execute
        return instead
    except BaseException:
        step.abandon()
        raise


class _Tries:
    """The attempts of one step: its own, and those of the models that it falls back on."""

    def __init__(self, step: Step, execute: Callable[[], Any]) -> None:
        self._step = step
        self._execute = execute
        self._models: Sequence[str] = step.policy.fallback or ()
        self._has_begun = False

    async def admitted(self, way: Way, attempt: AsyncExitStack) -> Callable[[], Any]:
        """Pass the gates of one attempt, and return what to execute."""
        for gate in self._step.terms.each:
            await attempt.enter_async_context(gate.around(self._step, way))
        if not self._has_begun:
            if way.may_suspend:
                await abegin(self._step)
            else:
                self._step.begin()
            self._has_begun = True
        return self._execute

    async def after(self, way: Way, error: Exception) -> float:
        """Return the seconds until the next attempt.

        Raises:
            Suspended: The run is parked.
            Exception: *error*, if there is to be no other attempt.
        """
        step = self._step
        delay = step.retry_in(error)
        if delay is not None:
            return delay
        if self._fall_back(error):
            return 0.0
        self._park(error)
        if way.may_suspend:
            await afail(step, error)
        else:
            step.fail(error)
        raise error

    def _fall_back(self, error: Exception) -> bool:
        """Go on to the next model, if there is one and *error* may be this one's own trouble."""
        make = self._step.call.with_model
        if make is None or not (is_outage(error) or default_retry_on(error)):
            return False
        while self._models:
            model, *self._models = self._models
            try:
                self._execute = make(model)
            except Exception as broken:
                error.add_note(f"the fallback {model} cannot be used: {broken}")
                continue
            step = self._step
            step.model, step._first = model, step._attempts  # it has its own attempts
            step.is_altered = True
            step.attempted(error, 0.0)
            return True
        return False

    def _park(self, error: Exception) -> None:
        """Let the run wait for better times, if *error* is an outage and the policy says so.

        Raises:
            Suspended: It waits; the step is tried again when it goes on.
        """
        policy, run = self._step.policy.on_exhausted, self._step.run
        if not isinstance(policy, ParkPolicy) or run.log is None or not is_outage(error):
            return
        now, since, limit = run.clock.now(), run.past.parked_since, policy.give_up_after
        if limit is not None and since is not None and now - since >= limit:
            return
        delay = policy.wait(run.past.parks, retry_after(error))
        self._step.attempted(error, delay)
        run.park(now + delay, error)
