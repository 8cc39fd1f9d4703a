"""``interrupt``: ask a person from anywhere inside a run."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar, cast, overload

from ..engine import Run
from .current import scope_here
from .tasks.cancellations import record

T = TypeVar("T")

_REFUSED = "refused"


@overload
def interrupt(value: Any, *, response_schema: type[T]) -> T: ...
@overload
def interrupt(value: Any, *, response_schema: Mapping[str, Any] | None = None) -> Any: ...
def interrupt(value: Any, *, response_schema: Any = None) -> Any:
    """Ask a question, and return its answer when the run is continued with one.

    The run is unwound and nothing waits in memory; when it is continued, it is executed from the
    top, finished steps are replayed, and this call returns the answer.

    Args:
        value: What is asked; any value that can be journaled.
        response_schema: What an answer must look like: a pydantic model, dataclass or
            ``TypedDict``, which the answer is made into, or a JSON schema, which is only told to
            whoever answers. An answer that the class refuses is not taken: ``invoke`` raises what
            the class raised, and the question is open again, under a new id.

    Raises:
        RuntimeError: There is no run around the call.

    Example:
        >>> answer = interrupt({"message": "Publish?"})  # doctest: +SKIP
    """
    scope = scope_here("interrupt")
    record(scope.run)
    if response_schema is None or isinstance(response_schema, Mapping):
        return scope.ask("interrupt", value, response_schema)
    told, made = _class_schema(response_schema)
    refused, mine = _refused(scope.run), object()
    while True:
        answer = scope.ask("interrupt", value, told)
        refused.pop(mine, None)
        try:
            return made(answer)
        except ValueError as error:  # pydantic's ValidationError is one
            refused[mine] = error


def _class_schema(wanted: Any) -> tuple[Mapping[str, Any], Callable[[Any], Any]]:
    """Return a class's JSON schema, and what makes an answer one of it."""
    from pydantic import TypeAdapter

    adapter: TypeAdapter[Any] = TypeAdapter(wanted)
    return adapter.json_schema(), adapter.validate_python


def _refused(run: Run) -> dict[object, ValueError]:
    """Return why the last answers to questions that are open again were not taken."""
    return cast("dict[object, ValueError]", run.resources.setdefault(_REFUSED, {}))


def refusal(run: Run) -> ValueError | None:
    """Return why an answer was not taken, if its question is open again."""
    return next(iter(_refused(run).values()), None)


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
