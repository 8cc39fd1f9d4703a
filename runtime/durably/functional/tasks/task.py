"""``@task``: a function whose calls are steps."""

from __future__ import annotations

import asyncio
import concurrent.futures
import functools
import inspect
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from datetime import timedelta
from typing import Any, Generic, Literal, ParamSpec, Protocol, TypeVar, overload

from ...engine import (
    NOTHING,
    Call,
    Scope,
    Step,
    cancel_again,
    current,
    is_in_child,
    wait_out,
)
from ...policies import effect_of, retry_of
from ...types import CachePolicy, RetryPolicy, StepPolicy, TimeoutPolicy
from ..frame import Frame, running_loop
from ..injection import injected, positions
from ..langchain.callbacks import atraced_task, is_traced_here, traced_task
from . import cancellations
from .futures import AsyncTaskFuture, Starter, TaskFuture
from .loop_futures import LoopTaskFuture
from .review import TaskReview
from .task_policy import TaskPolicy
from .thread_pool import Pool

P = ParamSpec("P")
R = TypeVar("R")

Timeout = float | timedelta | TimeoutPolicy | None
Retry = RetryPolicy | Sequence[RetryPolicy] | None

_CANCELLED = (asyncio.CancelledError, concurrent.futures.CancelledError)
_GRACE = 1.5
"""How much longer than it had a replayed program may take to cancel a task again."""


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
        retry_policy: Retry = None,
        cache_policy: CachePolicy | None = None,
        timeout: Timeout = None,
        effect: Literal["once"] | None = None,
    ) -> None:
        if inspect.isgeneratorfunction(func) or inspect.isasyncgenfunction(func):
            raise NotImplementedError(
                f"task {getattr(func, '__name__', func)!r} is a generator function; return a list, "
                "or write parts with get_stream_writer()"
            )
        self.func = func
        self.name: str = name or str(getattr(func, "__name__", type(func).__name__))
        own = StepPolicy(
            retry=retry_of(retry_policy),
            effect=effect_of(effect),
            timeout=TimeoutPolicy.coerce(timeout),
        )
        if cache_policy is not None and not isinstance(cache_policy, CachePolicy):
            raise TypeError(f"cache_policy is a CachePolicy, not {cache_policy!r}")
        self._policy = TaskPolicy(self.name, func, own, cache_policy, func, _called(func))
        called = _called(func)
        self._is_async = any(map(inspect.iscoroutinefunction, (called, inspect.unwrap(called))))
        self._names = injected(func)
        self._positions = positions(func) if self._names else {}
        functools.update_wrapper(self, func, updated=())

    def __durably_take_policy__(self, policy: StepPolicy) -> None:
        """Put a policy around the task: ``@durably.policy`` stands above ``@task``."""
        self._policy.take(policy)

    def __get__(self, instance: object, owner: type | None = None) -> Any:
        """Bind a task that is defined in a class body to *instance*, as a method is bound."""
        if instance is None:
            return self
        return functools.partial(self, instance)  # type: ignore[arg-type]

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> TaskFuture[R] | AsyncTaskFuture[R]:
        """Begin the step.

        Returns:
            A future: ``.result()`` it in plain code, ``await`` it in a coroutine.

        Raises:
            RuntimeError: There is no run around the call, or a coroutine function was called
                where no event loop runs.
        """
        scope = current()
        if scope is None and is_in_child():
            raise RuntimeError(
                f"task {self.name!r} was called in a process that was forked inside a run, which "
                "is the parent's; call it in the parent, or invoke an @entrypoint in the child"
            )
        if scope is None:
            raise RuntimeError(
                f"task {self.name!r} was called outside of a run; call it from an @entrypoint, "
                f"or call the plain function as {self.name}.func(…)"
            )
        frame = scope.local if isinstance(scope.local, Frame) else None
        loop = running_loop()
        if frame is not None and loop is frame.outside:
            loop = None
        elsewhere = self._loop_elsewhere(frame) if loop is None and self._is_async else None
        if cancellations.NOTED in scope.run.resources:
            cancellations.record(scope.run)
        request = [list(args), kwargs]
        future: TaskFuture[R] | AsyncTaskFuture[R]
        if scope.run.past.is_orderly:
            value = scope.replayed_next("task", self.name, request)
            if value is not NOTHING:
                return _ended(scope, loop, value)
        step = scope.open(self._call(frame, request))
        if loop is not None:
            future = self._begin_async(scope, frame, step, loop)
        elif elsewhere is not None:
            future = self._begin_elsewhere(scope, frame, step, elsewhere)
        else:
            future = self._begin_plain(scope, frame, step)
        if frame is not None and step.held is None:
            frame.begun.add(future)
        return future

    def _loop_elsewhere(self, frame: Frame | None) -> asyncio.AbstractEventLoop:
        """Return the event loop in which a coroutine function runs that plain code calls.

        Raises:
            RuntimeError: There is none that turns meanwhile.
        """
        around = frame.around if frame is not None else None
        if around is None or around is running_loop():
            raise RuntimeError(
                f"task {self.name!r} is a coroutine function and no event loop is running here; "
                "use ainvoke or astream"
            )
        return around

    def _call(self, frame: Frame | None, request: Any) -> Call:
        policy = self._policy.own
        if frame is not None and (frame.retry or frame.cache):
            policy = self._policy.around(frame)
        return Call("task", self.name, request, effect=self._policy.is_effect, policy=policy)

    def _begin_plain(self, scope: Scope, frame: Frame | None, step: Step) -> TaskFuture[R]:
        """Begin the step in plain code."""
        if step.held is not None and not scope.run.interleaved:
            return _recorded(step)
        scope.lane.is_calling = step.is_in_time
        if step.terms.once:
            self._let_review(step, lambda request: self._calling(frame, request))
        execute = self._calling(frame, step.call.request)
        caching = self._policy.caching_in(frame)
        if caching is not None:
            execute = caching.around(step, execute)
        elif self._policy.hosts_cache is not None:
            execute = self._policy.hosts_cache.watched(execute)
        work = functools.partial(scope.perform, step, execute)
        return TaskFuture(work, pool_of(scope), functools.partial(cancellations.dropped, step))

    def _begin_async(
        self, scope: Scope, frame: Frame | None, step: Step, loop: asyncio.AbstractEventLoop
    ) -> AsyncTaskFuture[R]:
        """Begin the step in a coroutine; a plain function runs off the event loop."""
        starter = starter_of(scope, loop)
        if step.held is not None and not scope.run.interleaved:
            return _arecorded(step, starter)
        dropped = functools.partial(cancellations.dropped, step)
        return AsyncTaskFuture(self._awaited(scope, frame, step), starter, dropped)

    def _begin_elsewhere(
        self, scope: Scope, frame: Frame | None, step: Step, loop: asyncio.AbstractEventLoop
    ) -> TaskFuture[R]:
        """Begin the step, a coroutine's, for plain code: *loop* turns in another thread."""
        if step.held is not None and not scope.run.interleaved:
            return _recorded(step)
        scope.lane.is_calling = step.is_in_time
        dropped = functools.partial(cancellations.dropped, step)
        return LoopTaskFuture(self._awaited(scope, frame, step), loop, pool_of(scope), dropped)

    def _awaited(
        self, scope: Scope, frame: Frame | None, step: Step
    ) -> Callable[[], Coroutine[Any, Any, R]]:
        """Return what performs the step in an event loop."""
        if step.terms.once:
            self._let_review(step, functools.partial(self._acalling, scope, frame))
        execute = self._acalling(scope, frame, step.call.request)
        caching = self._policy.caching_in(frame)
        if caching is not None:
            execute = caching.aaround(step, execute)
        elif self._policy.hosts_cache is not None:
            execute = self._policy.hosts_cache.awatched(execute)
        return functools.partial(scope.aperform, step, execute)

    def _acalling(self, scope: Scope, frame: Frame | None, request: Any) -> Callable[[], Any]:
        """Return the call of the function in an event loop; plain code runs in a thread."""
        function = self._calling(frame, request)
        return function if self._is_async else functools.partial(_in_thread, scope, function)

    def _let_review(self, step: Step, calling: Callable[[Any], Callable[[], Any]]) -> None:
        """Let a person, who may be asked before, change the call."""
        args, kwargs = step.call.request
        step.call.review = TaskReview(self.func, args, kwargs, calling, self._names)

    def _calling(self, frame: Frame | None, request: Any) -> Callable[[], Any]:
        """Return the call of the function, with the arguments that the runtime fills in."""
        args: list[Any]
        args, kwargs = request
        guarded = cancellations.aguarded if self._is_async else cancellations.guarded
        if not self._names and not is_traced_here():
            return guarded(self.name, self.func, args, kwargs)
        trace: Callable[..., Any] = atraced_task if self._is_async else traced_task

        def function() -> Any:
            given = kwargs
            if frame is not None and self._names:
                inner = current()
                assert inner is not None
                given = frame.fill(self._left(args), inner, kwargs)
            return trace(self.name, self.func, args, given)

        return guarded(self.name, function, (), {})

    def _left(self, args: Sequence[Any]) -> tuple[str, ...]:
        """Return the names of the parameters to be filled in that *args* leave open."""
        if not self._names or not args:
            return self._names
        given = len(args)
        return tuple(one for one in self._names if self._positions.get(one, given) >= given)

    def clear_cache(self, cache: Any) -> None:
        """Forget every result of this task that *cache* holds."""
        if self._policy.caching is not None:
            self._policy.caching.clear(cache)

    async def aclear_cache(self, cache: Any) -> None:
        """Like :meth:`clear_cache`."""
        await asyncio.to_thread(self.clear_cache, cache)


class _Decorator(Protocol):
    """Makes a task of a function, its settings being given."""

    @overload
    def __call__(self, func: Callable[P, Awaitable[R]], /) -> Task[P, R]: ...
    @overload
    def __call__(self, func: Callable[P, R], /) -> Task[P, R]: ...


@overload
def task(func: Callable[P, Awaitable[R]], /) -> Task[P, R]: ...
@overload
def task(func: Callable[P, R], /) -> Task[P, R]: ...
@overload
def task(
    *,
    name: str | None = None,
    retry_policy: Retry = None,
    cache_policy: CachePolicy | None = None,
    timeout: Timeout = None,
    effect: Literal["once"] | None = None,
) -> _Decorator: ...
def task(
    func: Callable[P, Any] | None = None,
    /,
    *,
    name: str | None = None,
    retry_policy: Retry = None,
    cache_policy: CachePolicy | None = None,
    timeout: Timeout = None,
    effect: Literal["once"] | None = None,
) -> Any:
    """Make a function's calls steps of the run they are made in.

    Args:
        func: A function, coroutine function, bound method, partial or callable object.
        name: What the steps are called; the function's name if None.
        retry_policy: Attempts of a failing call; of several policies the first that applies.
        cache_policy: Whether results serve other calls; needs a cache on the entrypoint.
        timeout: Seconds that one attempt may take, or a :class:`TimeoutPolicy`.
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
        return Task(
            function,
            name=name,
            retry_policy=retry_policy,
            cache_policy=cache_policy,
            timeout=timeout,
            effect=effect,
        )

    return made if func is None else made(func)


def pool_of(scope: Scope) -> Pool:
    """Return the pool of the scope's run; it lives as long as the run."""
    pool = scope.run.resources.get("pool")
    if isinstance(pool, Pool):
        return pool
    made = scope.run.resources.setdefault("pool", Pool())
    assert isinstance(made, Pool)
    return made


def starter_of(scope: Scope, loop: asyncio.AbstractEventLoop) -> Starter:
    """Return what begins tasks in an event loop, the same for all of the run's."""
    starter = scope.run.resources.get(loop)
    if not isinstance(starter, Starter):
        starter = scope.run.resources[loop] = Starter(loop)
    return starter


def _ended(
    scope: Scope, loop: asyncio.AbstractEventLoop | None, value: Any
) -> TaskFuture[Any] | AsyncTaskFuture[Any]:
    """Return the future of a task whose value is known."""
    if loop is None:
        return TaskFuture.ended(value)
    return AsyncTaskFuture.ended(starter_of(scope, loop), value)


def _replayed(step: Step) -> tuple[Any, BaseException | None]:
    """Return the value of a step that is in the journal, and what it raised."""
    try:
        return step.replay(), None
    except BaseException as error:
        return None, error


def _recorded(step: Step) -> TaskFuture[Any]:
    """Return the future, for plain code, of a step that is in the journal."""
    value, error = _replayed(step)
    if isinstance(error, _CANCELLED):
        return TaskFuture.cancelled_before()
    return TaskFuture.ended(value, error)


def _arecorded(step: Step, starter: Starter) -> AsyncTaskFuture[Any]:
    """Return the future, for coroutines, of a step that is in the journal."""
    value, error = _replayed(step)
    if isinstance(error, asyncio.CancelledError):
        assert step.held is not None
        return AsyncTaskFuture.cancelled_before(starter, _GRACE * step.held.step.elapsed + 1)
    return AsyncTaskFuture.ended(starter, value, error)


async def _in_thread(scope: Scope, function: Callable[[], Any]) -> Any:
    """Run a plain function off the event loop."""
    inner = current()
    assert inner is not None

    def work() -> Any:
        inner.lane.home = None  # this thread's from now on
        with inner.entered():
            return function()

    future = TaskFuture(work, pool_of(scope))
    try:
        return await future
    except asyncio.CancelledError:
        if not scope.run.is_cancelled or future.cancelled():
            raise
    # The whole run is cancelled: what the thread has begun is recorded before the run ends.
    await wait_out({asyncio.wrap_future(future)})
    cancel_again()
    return future.result()


def _called(func: Any) -> Any:
    """Return the function that calling *func* runs."""
    while isinstance(func, functools.partial):
        func = func.func
    if inspect.isroutine(func):
        return func
    return getattr(type(func), "__call__", func)  # noqa: B004 - what a callable object runs
