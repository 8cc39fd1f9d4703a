"""Tools of langchain-core: every call of a ``BaseTool`` inside a run is a step.

A node is executed again from its top when it asked a person or its process died; what its tools
did before is not done again, and a person can be asked before they do it.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from durably.adapting import Call, Scope, Seam, call_label, policy_of
from durably.errors import EncodeError

from ._requests import without_ids
from ._signals import carried, unwrapped


def _run(
    scope: Scope,
    original: Callable[..., Any],
    self: Any,
    tool_input: Any,
    *args: Any,
    **options: Any,
) -> Any:
    if scope.within("tool", self.name):
        return original(self, tool_input, *args, **options)

    def called(given: Any) -> Any:
        with carried():
            return original(self, given, *args, **options)

    use = _Use(scope, self, tool_input, called, options.get("tool_call_id"))
    with unwrapped():
        made = scope.step(use.described(), lambda: called(tool_input))
    return original(self, tool_input, *args, **options) if made is _AGAIN else made


async def _arun(
    scope: Scope,
    original: Callable[..., Awaitable[Any]],
    self: Any,
    tool_input: Any,
    *args: Any,
    **options: Any,
) -> Any:
    if scope.within("tool", self.name):
        return await original(self, tool_input, *args, **options)

    async def called(given: Any) -> Any:
        with carried():
            return await original(self, given, *args, **options)

    use = _Use(scope, self, tool_input, called, options.get("tool_call_id"), is_async=True)
    with unwrapped():
        made = await scope.astep(use.described(), lambda: called(tool_input))
    return await original(self, tool_input, *args, **options) if made is _AGAIN else made


_AGAIN = object()
"""Stands for a recorded result that could not be written: the tool is called again."""


class _Use:
    """One use of a tool, and the review of it by a person."""

    def __init__(
        self,
        scope: Scope,
        tool: Any,
        given: Any,
        called: Callable[[Any], Any],
        call_id: str | None,
        *,
        is_async: bool = False,
    ) -> None:
        self.args: Mapping[str, Any] = _visible(tool, given)
        self.call_id = call_id or ""
        self._scope = scope
        self._tool = tool
        self._given = given
        self._called = called
        self._is_async = is_async

    def described(self) -> Call:
        """Return the step; what LangGraph injects (state, stores) is no part of the request."""
        tool = self._tool
        return Call(
            "tool",
            tool.name,
            without_ids(self.args),
            label=call_label(tool.name, self.args),
            dump=self._dumped,
            load=lambda stored: stored[0] if stored else _AGAIN,
            effect=True,
            adapter="langgraph",
            policy=policy_of(tool, getattr(tool, "func", None), getattr(tool, "coroutine", None)),
            review=self,
        )

    def _dumped(self, value: Any) -> Any:
        try:
            self._scope.run.codec.encode([value])
        except EncodeError:
            return None
        return [value]

    def args_schema(self) -> Mapping[str, Any] | None:
        """Return the JSON schema of the arguments that the model gives."""
        schema = self._tool.tool_call_schema
        if isinstance(schema, Mapping):
            return schema
        describe = getattr(schema, "model_json_schema", None) or getattr(schema, "schema", None)
        return describe() if describe is not None else None

    def edited(self, args: Mapping[str, Any], notice: str) -> Callable[[], Any]:
        """Return what calls the tool with other arguments, and tells the model so."""
        hidden = {}
        if isinstance(self._given, Mapping):
            hidden = {key: self._given[key] for key in self._given if key not in self.args}
        given: Any = {**hidden, **args}
        if not isinstance(self._given, Mapping):
            given = next(iter(args.values()), self._given)
        if not self._is_async:
            return lambda: _noted(self._called(given), notice)

        async def execute() -> Any:
            return _noted(await self._called(given), notice)

        return execute

    def rejected(self, message: str) -> Any:
        """Return the message that the model reads in place of a result."""
        if not self.call_id:
            raise NotImplementedError(message)
        return self._message(message, status="error")

    def responded(self, answer: Any) -> Any:
        """Return a person's answer as the tool's result."""
        return self._message(answer) if self.call_id else answer

    def _message(self, said: Any, **more: Any) -> Any:
        from langchain_core.messages import ToolMessage

        text = said if isinstance(said, str) else json.dumps(said, default=str)
        return ToolMessage(text, name=self._tool.name, tool_call_id=self.call_id, **more)


def _visible(tool: Any, given: Any) -> Mapping[str, Any]:
    """Return the arguments that the model gave, without what was injected beside them."""
    if not isinstance(given, Mapping):
        names = [*tool.args] or ["input"]
        return {names[0]: given}
    schema = tool.tool_call_schema
    fields = getattr(schema, "model_fields", None)
    if fields is None:
        fields = schema.get("properties", given) if isinstance(schema, Mapping) else given
    return {name: value for name, value in given.items() if name in fields}


def _noted(result: Any, notice: str) -> Any:
    """Put *notice* in front of the text that a model reads."""
    content = getattr(result, "content", None)
    if not hasattr(result, "tool_call_id") or not isinstance(content, str):
        return result
    return result.model_copy(update={"content": f"{notice}\n{content}"})


SEAMS = tuple(
    Seam(
        f"langchain_core.tools.base:BaseTool.{name}",
        "tool",
        around,
        "tools inside a node are called again when the node is executed again",
        params=("tool_input",),
        optional=True,
    )
    for name, around in (("run", _run), ("arun", _arun))
)
