"""What one entrypoint's run hands to its body and its tasks."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ..engine import Scope
from ..hosting import place_of, thread_of
from ..types import CachePolicy, RetryPolicy
from .langchain.callbacks import heard_here
from .runtime import ExecutionInfo, RunControl, Runtime
from .tasks.open_tasks import Begun

if TYPE_CHECKING:
    from ..caching import StepCache
    from ..store import BaseStore
    from .streams.parts import Teller


@dataclass(slots=True)
class Frame:
    """The surroundings of an entrypoint's run.

    Attributes:
        name: The entrypoint's name.
        config: The config it was invoked with, LangGraph-style.
        context: What was given as ``context``.
        store: The long-term memory.
        cache: Where tasks' results serve other calls.
        previous: What the thread's last run saved.
        control: Asks the run to stop.
        retry: The entrypoint's retry policies, inherited by tasks without their own.
        caching: The entrypoint's cache policy, inherited likewise.
        namespace: Where the entrypoint lies in its caller, as streams tell it; empty at the top.
        tellers: Streams that hear of the entrypoint, from the outermost.
        begun: The body's tasks.
        outside: The event loop in which a plain body was called, as a notebook does; it cannot
            turn before the body returns.
        around: The event loop that waits for the body, or for the call that it is in. Plain code
            in another thread has coroutine tasks run there.
    """

    name: str
    config: dict[str, Any] = field(default_factory=dict[str, Any])
    context: Any = None
    store: BaseStore | None = None
    cache: StepCache | None = None
    previous: Any = None
    control: RunControl | None = None
    retry: RetryPolicy | Sequence[RetryPolicy] | None = None
    caching: CachePolicy | None = None
    namespace: tuple[str, ...] = ()
    tellers: tuple[Teller, ...] = ()
    outside: asyncio.AbstractEventLoop | None = None
    around: asyncio.AbstractEventLoop | None = None
    begun: Begun = field(init=False)

    def __post_init__(self) -> None:
        self.begun = Begun(self.name)

    def fill(
        self, names: tuple[str, ...], scope: Scope, given: Mapping[str, Any]
    ) -> dict[str, Any]:
        """Return *given* with the parameters called *names* filled in; what is given wins."""
        if not names:
            return dict(given)
        filled = dict(given)
        for name in names:
            if name not in filled:
                filled[name] = self._value(name, scope)
        return filled

    def _value(self, name: str, scope: Scope) -> Any:
        if name == "config":
            return heard_here(self.config)
        if name == "writer":
            return self.writer(scope)
        if name == "store":
            return self.store
        if name == "previous":
            return self.previous
        return self.runtime(scope)

    def writer(self, scope: Scope) -> Any:
        """Return a function that writes parts of mode ``custom``."""

        def write(data: Any) -> None:
            scope.emit("custom", data)

        return write

    def runtime(self, scope: Scope) -> Runtime[Any]:
        """Return what is handed to a parameter called ``runtime``."""
        return Runtime(
            context=self.context,
            store=self.store,
            stream_writer=self.writer(scope),
            heartbeat=scope.heartbeat,
            previous=self.previous,
            execution_info=self._info(scope),
            control=self.control,
        )

    def _info(self, scope: Scope) -> ExecutionInfo:
        place = place_of(self.config)
        return ExecutionInfo(
            checkpoint_id=str(place.get("checkpoint_id") or scope.run.id),
            checkpoint_ns="|".join(self.namespace),
            task_id=scope.lane.path or scope.run.id,
            thread_id=thread_of(self.config),
            run_id=scope.run.id,
            node_attempt=scope.attempt,
            node_first_attempt_time=scope.run.started,
        )


running_loop = asyncio._get_running_loop
"""Returns the event loop that runs in this thread, or None; ``get_running_loop`` would raise."""
