"""Gates: what a step passes before it is executed and leaves behind when it is over.

A gate is written once, as an asynchronous context manager, and serves plain code too: there its
coroutine is given the blocking way of doing things, never suspends, and is driven to its end.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from concurrent.futures import Future
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias, TypeVar

from ..types import StepPolicy
from .call import Call
from .replay.recorded_steps import Slot
from .timeouts import Deadline

T = TypeVar("T")


class Way(Protocol):
    """Sleep, wait and call for a gate, blocking or on an event loop (:mod:`.blocking_or_async`)."""

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

    def pieces(
        self, source: Any, deadline: Deadline | None
    ) -> AbstractAsyncContextManager[AsyncIterator[Any]]:
        """Open what yields a step's value in pieces; it is closed behind the block."""
        ...


class GatedStep(Protocol):
    """The part of a step that a gate reads (:class:`.step.step.Step`)."""

    @property
    def run(self) -> Any:
        """The run; typed Any, because the types of a run build on the types of gates."""

    @property
    def call(self) -> Call:
        """The call that the step makes."""
        ...

    @property
    def slot(self) -> Slot:
        """The step's identity."""
        ...

    @property
    def policy(self) -> StepPolicy:
        """The resolved policy."""
        ...

    @property
    def packed(self) -> bytes:
        """The request as it is recorded."""
        ...

    @property
    def inner(self) -> str:
        """Path of the lane inside the step."""
        ...

    @property
    def agent(self) -> str:
        """Name of the agent whose turn the step belongs to; empty if there is none."""
        ...

    @property
    def is_altered(self) -> bool:
        """Whether something else was done than the request says."""
        ...

    @property
    def is_done(self) -> bool:
        """Whether the step has an outcome, which is no failure, in this process."""
        ...

    @property
    def cached(self) -> bool:
        """Whether the value was served from a cache."""
        ...

    @property
    def stored(self) -> Any:
        """The outcome as the journal keeps it, once there is one."""

    @property
    def usage(self) -> Mapping[str, Any] | None:
        """Tokens and cost of the step, once it has an outcome."""


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

    def around(self, step: GatedStep, way: Way) -> AbstractAsyncContextManager[Verdict]:
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
