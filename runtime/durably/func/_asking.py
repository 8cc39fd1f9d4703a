"""``interrupt``: ask a person from anywhere inside a run."""

from __future__ import annotations

from typing import Any

from ._runtime import scope_here


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
    return scope_here("interrupt").ask("interrupt", value, response_schema)


def idempotency_key() -> str:
    """Return a key that is the same whenever the step around this call is executed again.

    Give it to a remote side that can refuse to do the same thing twice.

    Raises:
        RuntimeError: The call is not inside a step.
    """
    scope = scope_here("idempotency_key")
    if scope.leaf is None:
        raise RuntimeError("idempotency_key() was called outside of a step; call it in a task")
    return f"{scope.run.id}/{scope.lane.path}"
