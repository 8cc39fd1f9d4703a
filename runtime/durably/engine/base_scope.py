"""The data of a scope: a place in a run, and how code enters that place."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Generic, Self, TypeVar

from .replay.lane import Lane, line_here
from .run.program_files import ProgramFiles
from .run.run import Run
from .scope_var import scope_var
from .step.step import Step
from .timeouts import Deadline
from .unwind import Region

ScopeT = TypeVar("ScopeT", bound="BaseScope")


class _Entered(Generic[ScopeT]):
    """A block in which a scope is the current one; a class because steps enter it all the time."""

    __slots__ = ("_before", "_scope")

    def __init__(self, scope: ScopeT) -> None:
        self._scope = scope

    def __enter__(self) -> ScopeT:
        scope = self._scope
        self._before = scope_var.get()
        scope_var.set(scope)
        if scope.lane.home is None:
            scope.lane.home = line_here()
        return scope

    def __exit__(self, *_: object) -> None:
        # Not a token: a generator may be closed in another context than it was entered in.
        scope_var.set(self._before)


class BaseScope:
    """A place in a run; :class:`.scope.Scope` adds the actions that are possible there.

    Attributes:
        run: The run.
        lane: The line of control that steps are counted in.
        leaf: Kind and name of the step that is being executed around this code, if any.
        region: The part of the run that this code lies in, if no exception can leave it.
        attempt: Which attempt of that step this is, from 1.
        local: What the room above keeps for this code and what it calls; the engine passes it on.
    """

    __slots__ = ("attempt", "lane", "leaf", "local", "region", "run")

    def __init__(
        self,
        run: Run,
        lane: Lane,
        leaf: tuple[str, str] | None = None,
        region: Region | None = None,
        local: object = None,
    ) -> None:
        self.run = run
        self.lane = lane
        self.leaf = leaf
        self.region = region
        self.local = local
        self.attempt = 1

    @property
    def is_left(self) -> bool:
        """Whether this process is a child that was forked while the parent drove the run."""
        return self.run.is_left

    @property
    def parks(self) -> bool:
        """Whether a call that cannot go on waits to be unwound, since no exception passes here."""
        return self.region is not None and self.region.is_here

    @property
    def program_files(self) -> ProgramFiles | None:
        """What the run knows of the program's files; None if there is no run yet."""
        return self.run.program_files

    def entered(self) -> AbstractContextManager[Self]:
        """Make this the current scope while the block runs."""
        return _Entered(self)

    def inner_of(self, step: Step) -> Self:
        """Return the scope for the code inside *step*; a new one for each attempt.

        Exceptions pass there, up to the step.
        """
        call, outer, deadline = step.call, self.lane, self.lane.deadline
        if step.policy.timeout:
            deadline = Deadline(call.name, step.policy.timeout, self.run.clock, deadline)
        lane = Lane(step.known_lane or step.slot, None, deadline, outer.agent)
        lane.home = step.line
        lane.leaf = step
        inner = type(self)(self.run, lane, (call.kind, call.name), None, self.local)
        inner.attempt = step.attempt
        return inner
