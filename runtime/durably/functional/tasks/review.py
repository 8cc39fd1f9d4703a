"""What a person may make of a task's call: its arguments by name, and the call with others."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

Calling = Callable[[Any], Callable[[], Any]]


class TaskReview:
    """The review of one call of a task.

    Args:
        func: The task's function.
        args: Its positional arguments.
        kwargs: Its keyword arguments.
        calling: Returns what calls the function with another ``[args, kwargs]``.
        filled: Names of parameters that the runtime fills in.
    """

    call_id = ""

    def __init__(
        self,
        func: Callable[..., Any],
        args: Sequence[Any],
        kwargs: Mapping[str, Any],
        calling: Calling,
        filled: Collection[str],
    ) -> None:
        self._func = func
        self._calling = calling
        self._filled = filled
        self._bound = _bound(func, args, kwargs)
        self.args: Mapping[str, Any] = (
            dict(self._bound.arguments)
            if self._bound is not None
            else {"args": list(args), "kwargs": dict(kwargs)}
        )

    def args_schema(self) -> Mapping[str, Any] | None:
        """Return the JSON schema of the arguments, as far as the annotations tell it."""
        from pydantic import TypeAdapter
        from pydantic.errors import PydanticUserError

        try:
            schema = TypeAdapter(self._func).json_schema()
        except (PydanticUserError, NameError, TypeError):
            return None  # an annotation that says nothing about data
        if schema.get("type") != "object":
            return None
        properties = schema.get("properties", {})
        for name in self._filled:
            properties.pop(name, None)
        required = [one for one in schema.get("required", ()) if one not in self._filled]
        return {**schema, "properties": properties, "required": required}

    def edited(self, args: Mapping[str, Any], notice: str) -> Callable[[], Any]:
        """Return what calls the function with other arguments; no model reads the result here."""
        del notice
        if self._bound is None:
            return self._calling([args.get("args", ()), args.get("kwargs", {})])
        bound = self._bound.signature.bind_partial()
        known = self._bound.signature.parameters
        bound.arguments.update({name: args[name] for name in known if name in args})
        return self._calling([bound.args, bound.kwargs])

    def rejected(self, message: str) -> Any:
        """Say that no model can be told: the program is, by an error."""
        raise NotImplementedError(message)

    def responded(self, answer: Any) -> Any:
        """Return a person's answer as the task's result."""
        return answer


def _bound(
    func: Callable[..., Any], args: Sequence[Any], kwargs: Mapping[str, Any]
) -> inspect.BoundArguments | None:
    try:
        return inspect.signature(func).bind_partial(*args, **kwargs)
    except (TypeError, ValueError):
        return None  # a function without a signature, or one that will refuse the call
