"""The adapter for Python's own threads: a run goes with the code that it hands to another thread.

Python before 3.14 starts threads with an empty context, so a program's own thread would fall out
of its run and its steps would not be recorded.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable
from concurrent.futures import thread as pool_module
from typing import Any, ClassVar

from ..engine import Scope
from ..errors import Suspended
from ._adapter import Adapter, Seam

_POOL_WORKER = getattr(pool_module, "_worker", object())


def _start(scope: Scope, original: Callable[..., None], self: threading.Thread) -> None:
    # A pool's worker outlives the run; its work items carry the run one by one, see _submit.
    if getattr(self, "_target", None) is not _POOL_WORKER:
        _carry(scope, self)
    original(self)


def _carry(scope: Scope, thread: threading.Thread) -> None:
    """Have what *thread* runs be run in *scope*."""
    run = thread.run

    def carrying() -> None:
        vars(thread).pop("run", None)  # breaks the cycle through this closure
        # The run's own record says that it was suspended; a traceback would only look like a crash.
        with scope.entered(), contextlib.suppress(Suspended):
            run()

    thread.run = carrying  # type: ignore[method-assign]


def _submit(
    scope: Scope,
    original: Callable[..., Any],
    self: Any,
    fn: Callable[..., Any],
    /,
    *args: Any,
    **kwargs: Any,
) -> Any:
    def carrying() -> Any:
        with scope.entered():
            return fn(*args, **kwargs)

    return original(self, carrying)


class ThreadsAdapter(Adapter):
    """Carries the current scope into ``threading.Thread`` and ``ThreadPoolExecutor``."""

    name: ClassVar[str] = "threads"
    distribution: ClassVar[str] = "python"
    seams: ClassVar = (
        Seam(
            "threading:Thread.start",
            "support",
            _start,
            "steps in a program's own threads",
            carries=True,
        ),
        Seam(
            "concurrent.futures.thread:ThreadPoolExecutor.submit",
            "support",
            _submit,
            "steps in thread pools",
            carries=True,
        ),
    )
