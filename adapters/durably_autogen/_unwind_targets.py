"""How a run gets out of AutoGen, which swallows exceptions or hangs on them.

Between an agent and the program that runs its team lies a runtime that turns exceptions into text
and waits for ever on any other ``BaseException``. So a step that cannot go on parks, and the
engine cancels the run's tasks: the runtimes' message handlers first, because they tell the queue
that they are done, then the rest.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import weakref
from collections.abc import Awaitable, Iterator
from typing import Any

from durably.adapting import Run, Scope, Suspended, live_scope

_RUNTIMES = "autogen.runtimes"
_LOGGER = "autogen_core"


async def stop(scope: Scope, error: BaseException) -> Any:
    """End the run with *error* from a place that no exception can leave; does not return."""
    if not isinstance(error, Suspended):  # else the run is being suspended already
        with contextlib.suppress(Suspended):
            scope.fatal(error)
    return await scope.park()


async def ended_by(
    scope: Scope,
    work: Awaitable[Any],
    token: Any,
    *,
    with_errors: bool = False,
    is_answer: bool = False,
) -> Any:
    """Return what *work* returns; what AutoGen cannot handle, once raised, ends the run.

    Args:
        scope: Where the work is done.
        work: What may raise.
        token: The CancellationToken around it.
        with_errors: Whether AutoGen cannot handle ordinary exceptions here either.
        is_answer: Whether AutoGen hands every exception to who waits for an answer.
    """
    try:
        return await work
    except (GeneratorExit, KeyboardInterrupt, SystemExit):
        raise
    except asyncio.CancelledError as error:
        if _is_asked_for(token):
            raise
        return await stop(scope, error)
    except BaseException as error:
        if isinstance(error, Exception) and not with_errors:
            raise
        if is_answer and not isinstance(error, Suspended):
            raise  # such as a ToolException, which is no Exception
        return await stop(scope, error)


def _is_asked_for(token: Any) -> bool:
    """Say whether somebody cancelled the current task, or the token it works under."""
    task = asyncio.current_task()
    return bool(task is None or task.cancelling() or getattr(token, "is_cancelled", bool)())


def remember_runtime(run: Run, runtime: Any) -> None:
    """Have the runtime's message handlers cancelled first when *run* is unwound."""
    known: Any = run.resources.setdefault(_RUNTIMES, weakref.WeakSet[Any]())
    known.add(runtime)


def handler_tasks(run: Run, loop: asyncio.AbstractEventLoop) -> Iterator[asyncio.Task[Any]]:
    """Yield the tasks in which the runtimes of *run*'s teams handle messages."""
    known: Any = run.resources.get(_RUNTIMES, ())
    for runtime in list(known):
        for task in list(getattr(runtime, "_background_tasks", ())):
            if task.get_loop() is loop:
                yield task


def give_cause(run: Run, error: RuntimeError) -> None:
    """Give an error that quotes a failed step's exception that exception as its cause."""
    if error.__cause__ is not None:
        return
    text = str(error)
    for failure, _ in reversed(list(run.failures.values())):
        said = str(failure)
        if failure is not error and said and said in text and type(failure).__name__ in text:
            error.__cause__ = failure
            return


class _Quiet(logging.Filter):
    """Drops what AutoGen logs about its handlers being cancelled while a run is unwound."""

    def filter(self, record: logging.LogRecord) -> bool:
        if not record.exc_info or not isinstance(record.exc_info[1], asyncio.CancelledError):
            return True
        scope = live_scope()
        return scope is None or not scope.run.unwinding


def quieten() -> None:
    """Put the log filter in, once."""
    logger = logging.getLogger(_LOGGER)
    if not any(isinstance(one, _Quiet) for one in logger.filters):
        logger.addFilter(_Quiet())


def unquieten() -> None:
    """Take the log filter out."""
    logger = logging.getLogger(_LOGGER)
    for one in [one for one in logger.filters if isinstance(one, _Quiet)]:
        logger.removeFilter(one)
