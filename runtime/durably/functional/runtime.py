"""What a function may ask for while it runs: context, store, writer, previous value, who it is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from ..engine import Scope, current
from ..types import StreamWriter
from .langchain.callbacks import heard_here

if TYPE_CHECKING:
    from ..store import BaseStore
    from .frame import Frame

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


def get_runtime(context_schema: type[ContextT] | None = None) -> Runtime[ContextT]:
    """Return the runtime of the run around this call.

    Args:
        context_schema: The context's type, for type checkers.

    Raises:
        RuntimeError: There is no run around the call.
    """
    del context_schema
    return frame_here("get_runtime").runtime(scope_here("get_runtime"))


def get_config() -> dict[str, Any]:
    """Return the config of the run around this call: ``configurable``, ``metadata``, ``tags`` ….

    Raises:
        RuntimeError: There is no run around the call.
    """
    return heard_here(frame_here("get_config").config)


def get_store() -> BaseStore:
    """Return the long-term memory of the entrypoint around this call.

    Raises:
        RuntimeError: There is no run around the call, or its entrypoint was given no store.
    """
    frame = frame_here("get_store")
    if frame.store is None:
        raise RuntimeError(
            f"entrypoint {frame.name!r} has no store; give it one: @entrypoint(store=…)"
        )
    return frame.store


def get_stream_writer() -> StreamWriter:
    """Return a function that hands its argument to whoever streams the run in mode ``custom``.

    Raises:
        RuntimeError: There is no run around the call.
    """
    scope = scope_here("get_stream_writer")

    def write(data: Any) -> None:
        scope.emit("custom", data)

    return write


def scope_here(asker: str) -> Scope:
    """Return the current scope.

    Raises:
        RuntimeError: There is no run around the call.
    """
    scope = current()
    if scope is None:
        raise RuntimeError(f"{asker}() was called outside of a run; call it from an @entrypoint")
    return scope


def frame_here(asker: str) -> Frame:
    """Return the frame of the entrypoint around this call.

    Raises:
        RuntimeError: There is none.
    """
    from .frame import Frame

    frame = scope_here(asker).local
    if not isinstance(frame, Frame):
        message = f"{asker}() was called outside of an @entrypoint"
        raise RuntimeError(message)  # noqa: TRY004 - a place, not a type, is wrong
    return frame
