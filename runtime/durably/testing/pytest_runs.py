"""One test's durable run: begun before its fixtures, over with the last line of the test itself."""

from __future__ import annotations

import contextvars
import functools
import inspect
from collections.abc import Callable, Generator, Iterable
from contextlib import AbstractContextManager, contextmanager
from types import MethodType
from typing import Any, NoReturn

import pytest

from ..engine import Run, Scope, announce, conclude, scope_var
from ..errors import Suspended
from ..hosting import Host
from ..types import Interrupt
from .kept_values import KeptValues

MEMORY = "memory:"


class Stage:
    """What all tests of a process share: one host.

    Questions are put the program's own way, which the tests of a program stand in for, and values
    that cannot be written are kept alive: its runs end with their tests.

    Args:
        url: The journal; one in memory is emptied after each test.
    """

    def __init__(self, url: str) -> None:
        self.url = url
        self.host = Host(url)
        self.kept = KeptValues(self.host.codec)
        self.host.options.asks_here = True
        self.host.options.unwritable = self.kept.keep

    def begin(self, thread: str) -> TestRun:
        """Begin the run of the test whose id is *thread*."""
        return TestRun(self, self.host.begin("pytest", None, thread=thread))

    def strike(self, run: Run) -> None:
        """Put away what a test's run leaves behind."""
        self.host.release(run)
        self.kept.clear()
        if self.url == MEMORY:
            self.host.journal.storage.delete(run.info.thread, self.host.clock.now())

    def close(self) -> None:
        """Close the journal."""
        self.host.close()


class TestRun:
    """A test's run.

    The calling code itself is put into the run, not a copy of its context, so that what fixtures
    and tests do to context variables is seen where it is seen without durably.
    """

    __test__ = False

    def __init__(self, stage: Stage, run: Run) -> None:
        self._stage = stage
        self.run = run
        self.scope = Scope(run, run.root)
        self._entered: AbstractContextManager[Scope] = self.scope.entered()
        announce(run)
        self._entered.__enter__()

    @property
    def steps(self) -> int:
        """How many steps were journaled."""
        return self.run.executed

    def join(self, context: contextvars.Context) -> None:
        """Let what runs in *context*, which was made before the run, be in the run."""
        context.run(scope_var.set, self.scope)

    @contextmanager
    def telling(self) -> Generator[None]:
        """Make a suspended run the failure of the block, past whatever swallowed the signal."""
        try:
            yield
        except (KeyboardInterrupt, pytest.exit.Exception):
            raise
        except BaseException as error:
            if isinstance(error, Suspended) or self.run.stopping:
                self._explain(error)
            raise
        if self.run.stopping:
            self._explain(None)

    def _explain(self, cause: BaseException | None) -> NoReturn:
        run = self.run
        if run.pending:
            raise pytest.fail.Exception(_asked(run.pending.values())) from cause
        raise run.failure or RuntimeError(f"the test's run was stopped: {cause}") from cause

    def end(self, error: BaseException | None) -> None:
        """Leave the run and record its end.

        What the test leaves behind (a thread, a client in a module) may serve the next test, so
        the run's end does not stop it.
        """
        self._entered.__exit__(None, None, None)
        try:
            conclude(self.run, error=error)
        finally:
            self.run.cut = False
            self._stage.strike(self.run)


@contextmanager
def outside() -> Generator[None]:
    """Leave the current run while something is made that outlives it."""
    before = scope_var.get()
    scope_var.set(None)
    try:
        yield
    finally:
        scope_var.set(before)


def carrying(function: Callable[..., Any], scope: Scope) -> Callable[..., Any]:
    """Return *function* with its coroutine or async generator run in *scope*.

    For plug-ins whose event loop goes on in a context that was made before the test's run.
    """
    if inspect.ismethod(function):
        return MethodType(carrying(function.__func__, scope), function.__self__)
    if inspect.isasyncgenfunction(function):

        @functools.wraps(function)
        async def generate(*args: Any, **kwargs: Any) -> Any:
            async for item in scope.iterate(function(*args, **kwargs)):
                yield item

        return generate
    if inspect.iscoroutinefunction(function):

        @functools.wraps(function)
        async def run(*args: Any, **kwargs: Any) -> Any:
            with scope.entered():
                return await function(*args, **kwargs)

        return run
    return function


def _asked(questions: Iterable[Interrupt]) -> str:
    """Say what was asked, and what a test can do about it."""
    shown = "; ".join(repr(one.value) for one in questions)
    return (
        f"the test asked a person, and its durable run waits for the answer: {shown}. Give the "
        "answer in the test, as by replacing the function that reads it, or with a plug-in that "
        "has the answer_interrupt hook."
    )
