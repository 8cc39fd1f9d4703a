"""``interrupt``: ask a person from anywhere inside a run."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..engine import Scope, current


def interrupt(value: Any, *, response_schema: Any = None) -> Any:
    """Ask a question, and return its answer when the run is continued with one.

    The run is unwound and nothing waits in memory; when it is continued, it is executed from the
    top, finished steps are replayed, and this call returns the answer.

    Args:
        value: What is asked; any value that can be journaled.
        response_schema: What an answer must look like, told to whoever answers.

    Raises:
        RuntimeError: There is no run around the call.

    Example:
        >>> answer = interrupt({"message": "Publish?"})  # doctest: +SKIP
    """
    return _scope("interrupt").ask("interrupt", value, response_schema)


def get_stream_writer() -> Callable[[Any], None]:
    """Return a function that hands its argument to whoever streams the run in mode ``custom``."""
    scope = _scope("get_stream_writer")

    def write(data: Any) -> None:
        scope.emit("custom", data)

    return write


def idempotency_key() -> str:
    """Return a key that is the same whenever the step around this call is executed again.

    Give it to a remote side that can refuse to do the same thing twice.

    Raises:
        RuntimeError: The call is not inside a step.
    """
    scope = _scope("idempotency_key")
    if scope.leaf is None:
        raise RuntimeError("idempotency_key() was called outside of a step; call it in a task")
    return f"{scope.run.id}/{scope.lane.path}"


def _scope(what: str) -> Scope:
    scope = current()
    if scope is None:
        raise RuntimeError(f"{what}() was called outside of a run; call it from an @entrypoint")
    return scope
