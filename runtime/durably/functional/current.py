"""Functions that code inside a run calls for its surroundings: runtime, config, store, writer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..engine import Scope, current
from ..types import StreamWriter
from .frame import Frame
from .langchain.callbacks import heard_here
from .runtime import ContextT, Runtime

if TYPE_CHECKING:
    from ..store import BaseStore


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
    frame = scope_here(asker).local
    if not isinstance(frame, Frame):
        message = f"{asker}() was called outside of an @entrypoint"
        raise RuntimeError(message)  # noqa: TRY004 - a place, not a type, is wrong
    return frame
