"""What a function may ask for while it runs: context, store, writer, previous value, who it is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from ..types import StreamWriter

if TYPE_CHECKING:
    from ..store import BaseStore

ContextT = TypeVar("ContextT")


def _write_nowhere(_: Any) -> None:
    """Take a part that nobody streams."""


def _no_heartbeat() -> None:
    """Take a sign of life that nobody waits for."""


@dataclass(frozen=True, slots=True)
class ExecutionInfo:
    """Which execution this is; fields as in LangGraph's ``ExecutionInfo``.

    Attributes:
        checkpoint_id: The run's place in its thread.
        checkpoint_ns: The lane.
        task_id: The step, if the code runs inside one.
        thread_id: The thread, if it was named.
        run_id: The run.
        node_attempt: Which attempt of the step this is, from 1.
        node_first_attempt_time: When the first began, in seconds since the epoch.
    """

    checkpoint_id: str
    checkpoint_ns: str
    task_id: str
    thread_id: str | None = None
    run_id: str | None = None
    node_attempt: int = 1
    node_first_attempt_time: float | None = None


class RunControl:
    """Asks a run to stop early; as LangGraph's ``RunControl``. One for each run.

    A run that has not begun does not begin; one that is under way can look at
    ``runtime.drain_requested`` and finishes what it does.
    """

    __slots__ = ("_reason",)

    def __init__(self) -> None:
        self._reason: str | None = None

    def request_drain(self, reason: str = "shutdown") -> None:
        """Ask the run to stop."""
        self._reason = reason

    @property
    def drain_requested(self) -> bool:
        """Whether the run was asked to stop."""
        return self._reason is not None

    @property
    def drain_reason(self) -> str | None:
        """Why, if it was."""
        return self._reason


@dataclass(frozen=True, slots=True)
class Runtime(Generic[ContextT]):
    """What is handed to a parameter called ``runtime``; fields as in LangGraph's ``Runtime``.

    Attributes:
        context: What the caller gave as ``context``.
        store: The long-term memory, if the entrypoint has one.
        stream_writer: Writes parts of mode ``custom``.
        heartbeat: Tells an idle timeout that there is progress.
        previous: What the thread's last run saved.
        execution_info: Which execution this is.
        server_info: Always None; LangGraph's servers fill it in.
        control: Asks the run to stop.
    """

    context: ContextT = field(default=None)  # type: ignore[assignment]
    store: BaseStore | None = None
    stream_writer: StreamWriter = _write_nowhere
    heartbeat: Callable[[], None] = _no_heartbeat
    previous: Any = None
    execution_info: ExecutionInfo | None = None
    server_info: None = None
    control: RunControl | None = None

    @property
    def drain_requested(self) -> bool:
        """Whether the run was asked to stop."""
        return self.control is not None and self.control.drain_requested

    @property
    def drain_reason(self) -> str | None:
        """Why, if it was."""
        return self.control.drain_reason if self.control is not None else None
