"""``@task``: a function whose calls are steps."""

from __future__ import annotations

import asyncio
import functools
import inspect
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, Generic, Literal, ParamSpec, TypeVar, overload

from ..engine import Call, Scope, current
from ..types import RetryPolicy, StepPolicy
from ._futures import AsyncTaskFuture, TaskFuture
from ._pool import Pool

P = ParamSpec("P")
R = TypeVar("R")


class Task(Generic[P, R]):
    """A task; calling it inside an entrypoint begins a step and returns a future.

    Attributes:
        func: The function.
        name: What its steps are called.
    """

    def __init__(
        self,
        func: Callable[P, R] | Callable[P, Awaitable[R]],
        *,
        name: str | None = None,
        retry_policy: RetryPolicy | None = None,
        effect: Literal["once"] | None = None,
    ) -> None:
        self.func = func
        self.name: str = name or str(getattr(func, "__name__", type(func).__name__))
        self._policy = StepPolicy(retry=retry_policy, effect=effect)
        self._is_async = inspect.iscoroutinefunction(func)
        functools.update_wrapper(self, func, updated=())

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> TaskFuture[R] | AsyncTaskFuture[R]:
        """Begin the step.

        Returns:
            A future: ``.result()`` it in plain code, ``await`` it in a coroutine.

        Raises:
            RuntimeError: There is no run around the call, or a coroutine function was called
                where no event loop runs.
        """
        scope = current()
        if scope is None:
            raise RuntimeError(
                f"task {self.name!r} was called outside of a run; call it from an @entrypoint, "
                f"or call the plain function as {self.name}.func(…)"
            )
        call = Call(
            "task",
            self.name,
            [list(args), kwargs],
            effect=self._policy.effect == "once",
            policy=self._policy,
        )
        loop = _running_loop()
        if loop is None and self._is_async:
            raise RuntimeError(
                f"task {self.name!r} is a coroutine function and no event loop is running here; "
                "use ainvoke or astream"
            )
        step = scope.open(call)
        bound = functools.partial(self.func, *args, **kwargs)
        if loop is None:
            return TaskFuture(lambda: scope.perform(step, bound), pool_of(scope))
        execute: Callable[[], Awaitable[R]] = (
            bound if self._is_async else lambda: _in_thread(scope, bound)  # type: ignore[assignment]
        )

        def work() -> Coroutine[Any, Any, R]:
            return scope.aperform(step, execute)

        return AsyncTaskFuture(work, loop)


@overload
def task(func: Callable[P, Awaitable[R]], /) -> Task[P, R]: ...
@overload
def task(func: Callable[P, R], /) -> Task[P, R]: ...
@overload
def task(
    *,
    name: str | None = None,
    retry_policy: RetryPolicy | None = None,
    effect: Literal["once"] | None = None,
) -> Callable[[Callable[P, R]], Task[P, R]]: ...
def task(
    func: Callable[P, Any] | None = None,
    /,
    *,
    name: str | None = None,
    retry_policy: RetryPolicy | None = None,
    effect: Literal["once"] | None = None,
) -> Any:
    """Make a function's calls steps of the run they are made in.

    Args:
        func: A function or coroutine function.
        name: What the steps are called; the function's name if None.
        retry_policy: Attempts of a failing call.
        effect: ``"once"``: should the process die between the effect and its record, a person is
            asked instead of doing it again.

    Example:
        >>> @task
        ... def double(x: int) -> int:
        ...     return 2 * x
        >>> @entrypoint()
        ... def flow(x: int) -> int:
        ...     return double(x).result()
        >>> flow.invoke(21)
        42
    """

    def made(function: Callable[P, R]) -> Task[P, R]:
        return Task(function, name=name, retry_policy=retry_policy, effect=effect)

    return made if func is None else made(func)


def pool_of(scope: Scope) -> Pool:
    """Return the pool of the scope's run; it lives as long as the run."""
    pool = scope.run.resources.get("pool")
    if not isinstance(pool, Pool):
        pool = scope.run.resources.setdefault("pool", Pool())
    assert isinstance(pool, Pool)
    return pool


async def _in_thread(scope: Scope, function: Callable[[], Any]) -> Any:
    """Run a plain function off the event loop."""
    inner = current()
    assert inner is not None

    def work() -> Any:
        with inner.entered():
            return function()

    return await asyncio.wrap_future(TaskFuture(work, pool_of(scope)))


def _running_loop() -> asyncio.AbstractEventLoop | None:
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return None
