"""Gates: what a step passes before it is executed and leaves behind when it is over.

A gate is written once, as an asynchronous context manager, and serves plain code too: there its
coroutine is given the blocking way of doing things, never suspends, and is driven to its end.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Iterator
from concurrent.futures import Future
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias, TypeVar

from ..types import StepPolicy
from .clock import Clock
from .step.async_commit import abegin, afail, afinish
from .timeouts import Deadline, acall_within, call_within

if TYPE_CHECKING:
    from .step.step import Step

T = TypeVar("T")


class Way(Protocol):
    """How a gate waits: by blocking a thread, or by leaving its event loop free."""

    may_wait: bool
    """Whether waiting for another step is safe: a blocked event loop would never see it end."""

    may_suspend: bool
    """Whether the event loop goes on meanwhile."""

    async def sleep(self, seconds: float) -> None:
        """Wait."""

    async def wait(self, future: Future[T]) -> T:
        """Return a future's result when there is one; cancel it when the wait is cancelled."""
        ...

    async def call(self, function: Callable[..., T], *args: Any) -> T:
        """Call a function that reads or writes files."""
        ...

    async def execute(self, function: Callable[[], Any], deadline: Deadline | None) -> Any:
        """Call what executes a step."""

    async def begin(self, step: Step) -> None:
        """Enter a step for real."""

    async def finish(self, step: Step, value: Any) -> Any:
        """Record a step's value, and only then return it."""

    async def fail(self, step: Step, error: Exception) -> None:
        """Record a step's failure."""

    def pieces(
        self, source: Any, deadline: Deadline | None
    ) -> AbstractAsyncContextManager[AsyncIterator[Any]]:
        """Open what yields a step's value in pieces; it is closed behind the block."""
        ...


class Blocking:
    """The way of plain code: nothing here ever suspends."""

    may_suspend = False

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.may_wait = not _is_on_event_loop()

    async def sleep(self, seconds: float) -> None:
        """Block for *seconds*."""
        self._clock.sleep(seconds)

    async def wait(self, future: Future[T]) -> T:
        """Block until there is a result."""
        try:
            return future.result()
        except BaseException:
            future.cancel()
            raise

    async def call(self, function: Callable[..., T], *args: Any) -> T:
        """Call *function* here."""
        return function(*args)

    async def execute(self, function: Callable[[], Any], deadline: Deadline | None) -> Any:
        """Call *function*, no longer than its deadline allows."""
        return function() if deadline is None else call_within(deadline, function)

    async def begin(self, step: Step) -> None:
        """Enter *step*."""
        step.begin()

    async def finish(self, step: Step, value: Any) -> Any:
        """Record *value*, and return it."""
        return step.finish(value)

    async def fail(self, step: Step, error: Exception) -> None:
        """Record *error*."""
        step.fail(error)

    def pieces(
        self, source: Iterator[Any], deadline: Deadline | None
    ) -> AbstractAsyncContextManager[AsyncIterator[Any]]:
        """Yield what *source* yields, each piece no later than the deadline allows."""
        return _Closing(_blocking_pieces(source, deadline), source, deadline)


class Awaiting:
    """The way of coroutines."""

    may_wait = may_suspend = True

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    async def sleep(self, seconds: float) -> None:
        """Suspend for *seconds*."""
        await self._clock.asleep(seconds)

    async def wait(self, future: Future[T]) -> T:
        """Suspend until there is a result."""
        return future.result() if future.done() else await asyncio.wrap_future(future)

    async def call(self, function: Callable[..., T], *args: Any) -> T:
        """Call *function* in a thread."""
        return await asyncio.to_thread(function, *args)

    async def execute(
        self, function: Callable[[], Awaitable[Any]], deadline: Deadline | None
    ) -> Any:
        """Await *function*'s result, no longer than its deadline allows."""
        return await (function() if deadline is None else acall_within(deadline, function))

    async def begin(self, step: Step) -> None:
        """Enter *step*."""
        await abegin(step)

    async def finish(self, step: Step, value: Any) -> Any:
        """Record *value*, and return it."""
        return await afinish(step, value)

    async def fail(self, step: Step, error: Exception) -> None:
        """Record *error*."""
        await afail(step, error)

    def pieces(
        self, source: AsyncIterator[Any], deadline: Deadline | None
    ) -> AbstractAsyncContextManager[AsyncIterator[Any]]:
        """Yield what *source* yields, each piece no later than the deadline allows."""
        return _Closing(_awaited_pieces(source, deadline), source, None)


class _Closing:
    """Lends pieces, and closes what they came from, whichever kind of iterator it is."""

    def __init__(
        self, pieces: AsyncGenerator[Any, None], source: Any, deadline: Deadline | None
    ) -> None:
        self._pieces = pieces
        self._source = source
        self._deadline = deadline

    async def __aenter__(self) -> AsyncIterator[Any]:
        return self._pieces

    async def __aexit__(self, *_: object) -> None:
        await self._pieces.aclose()
        if self._deadline is not None and self._deadline.is_over:
            return  # a thread that was given up is still in it
        aclose, close = (getattr(self._source, name, None) for name in ("aclose", "close"))
        if aclose is not None:
            await aclose()
        elif close is not None:
            close()


_END = object()


async def _blocking_pieces(
    source: Iterator[Any], deadline: Deadline | None
) -> AsyncGenerator[Any, None]:
    def following() -> Any:
        return next(source, _END)

    while True:
        piece = following() if deadline is None else call_within(deadline, following)
        if piece is _END:
            return
        yield piece


async def _awaited_pieces(
    source: AsyncIterator[Any], deadline: Deadline | None
) -> AsyncGenerator[Any, None]:
    async def following() -> Any:
        return await anext(source, _END)

    while True:
        piece = await (following() if deadline is None else acall_within(deadline, following))
        if piece is _END:
            return
        yield piece


Verdict: TypeAlias = "Served | Instead | Refused | None"
"""What a gate decides: go on (None), or what becomes of the step otherwise."""


@dataclass(frozen=True, slots=True)
class Served:
    """A value that stands in for executing the step.

    Attributes:
        value: The value as it is stored, if *is_stored*, else as the step would return it.
        usage: What getting it took when it was computed, for people.
        is_cached: Whether an earlier step computed it.
        is_stored: Whether it is in the form in which the journal keeps it.
    """

    value: Any
    usage: Any = None
    is_cached: bool = False
    is_stored: bool = False


@dataclass(frozen=True, slots=True)
class Instead:
    """Something else to execute in the step's place.

    Attributes:
        execute: Does it: a plain function in plain code, a coroutine function in coroutines.
    """

    execute: Callable[[], Any]


@dataclass(frozen=True, slots=True)
class Refused:
    """The step is not to be executed; it fails.

    Attributes:
        error: What the program is told.
    """

    error: Exception


class Gate(Protocol):
    """One thing that is put around steps: a cache, an approval, a budget, a rate."""

    def around(self, step: Step, way: Way) -> AbstractAsyncContextManager[Verdict]:
        """Let *step* pass when its time has come.

        The block around is left when the step has its outcome, or the attempt its end; what came
        of it can be read from the step. The block's value is None to go on, or what else to do.

        Raises:
            Suspended: The run must wait, for a person or for a time.
        """
        ...


class Terms:
    """What is put around a step, resolved once for all steps of its kind and name.

    Attributes:
        policy: Every field as it was resolved.
        once: Gates passed once by each step, the outermost first.
        each: Gates passed by each attempt.
        are_gated: Whether there is more to do than to call, to retry and to watch the time.
    """

    __slots__ = ("are_gated", "each", "once", "policy")

    def __init__(
        self, policy: StepPolicy, once: tuple[Gate, ...] = (), each: tuple[Gate, ...] = ()
    ) -> None:
        self.policy = policy
        self.once = once
        self.each = each
        self.are_gated = bool(once or each or policy.fallback or policy.on_exhausted)

    def with_gate(self, gate: Gate) -> Terms:
        """Return these terms with *gate* among those passed once."""
        return self if gate in self.once else Terms(self.policy, (gate, *self.once), self.each)


def _is_on_event_loop() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True
