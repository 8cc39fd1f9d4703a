"""A program of which nobody knows yet whether it will take a step: its run begins when it does."""

from __future__ import annotations

import contextvars
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Any, Self

from ..process_fork import tell_of_forks
from .driver import Outcome, announce, conclude
from .replay.lane import Lane
from .run.program_files import ProgramFiles
from .run.run import Run
from .scope import Scope
from .scope_var import scope_var
from .step.step import Step


class Dormant(Scope):
    """The scope of such a program; it turns into one at the root of a run when that is asked for.

    Args:
        begin: Begins the run, or takes it up again; None if this program is to have none.
    """

    __slots__ = ("__weakref__", "_begin", "_is_left", "_lock", "_scope")

    def __init__(self, begin: Callable[[], Run | None]) -> None:
        self.leaf = None
        self.region = None
        self.local = None
        self.attempt = 1
        self._begin: Callable[[], Run | None] | None = begin
        self._lock = threading.RLock()
        self._scope: Scope | None = None
        self._is_left = False
        tell_of_forks(self)

    def before_fork(self) -> None:
        """Do nothing: the program goes on in the parent."""

    def after_fork(self, *, in_child: bool) -> None:
        """Leave the run to the parent, begun or not."""
        self._is_left = self._is_left or in_child

    @property
    def is_left(self) -> bool:
        """Whether this process is a forked child of the program's."""
        return self._is_left

    @property
    def is_awake(self) -> bool:
        """Whether the run has begun."""
        return self._scope is not None

    def awake(self) -> Scope | None:
        """Return the scope at the root of the run, which begins now at the latest."""
        with self._lock:
            if self._begin is not None:
                begin, self._begin = self._begin, None
                run = begin()
                if run is not None:
                    run.root.home = (threading.main_thread().ident or 0, None)
                    announce(run)
                    self._scope = Scope(run, run.root)
        return self._scope

    @property
    def program_files(self) -> ProgramFiles | None:
        """What the run knows of the program's files; None before it has begun."""
        return None if self._scope is None else self._scope.program_files

    @contextmanager
    def entered(self) -> Generator[Self]:
        """Make this the current scope while the block runs; no reason to begin the run."""
        before = scope_var.get()
        scope_var.set(self)
        try:
            yield self
        finally:
            scope_var.set(before)

    def inner_of(self, step: Step) -> Scope:  # type: ignore[override]
        """Return the scope for the code inside *step*, which is an ordinary one."""
        return self._awoken().inner_of(step)

    @property
    def run(self) -> Run:  # type: ignore[override]
        """The run."""
        return self._awoken().run

    @property
    def lane(self) -> Lane:  # type: ignore[override]
        """The run's own lane."""
        return self._awoken().lane

    def _awoken(self) -> Scope:
        scope = self.awake()
        if scope is None:
            raise RuntimeError("this program has no durable run")
        return scope


def drive_when_used(dormant: Dormant, body: Callable[[], Any]) -> Outcome | None:
    """Call *body*, and record how its run ended; None if it has come to no step.

    Raises:
        BaseException: What came out of a body that has come to no step.
    """
    try:
        with dormant.entered():
            value = contextvars.copy_context().run(body)
    except BaseException as error:
        if not dormant.is_awake:
            raise
        return conclude(dormant.run, error=error)
    return conclude(dormant.run, value=value) if dormant.is_awake else None
