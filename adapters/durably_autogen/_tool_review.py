"""What a person may make of a tool call: other arguments, a refusal, a result of their own."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from typing import Any

Again = Callable[[Mapping[str, Any]], Any]


class WorkbenchReview:
    """The review of a call through a workbench, whose results are ``ToolResult`` objects.

    Args:
        name: What the model calls the tool.
        tool: The tool, if the workbench is made of a list of tools.
        args: The arguments.
        again: Calls the tool with other arguments.
        call_id: The model's id of the call.
        in_pieces: Whether the call is streamed.
    """

    def __init__(
        self,
        name: str,
        tool: Any,
        args: Mapping[str, Any] | None,
        again: Again,
        *,
        call_id: Any = None,
        in_pieces: bool = False,
    ) -> None:
        self.args: Mapping[str, Any] = dict(args or {})
        self.call_id = str(call_id or "")
        self._name = name
        self._tool = tool
        self._again = again
        self._in_pieces = in_pieces

    def args_schema(self) -> Mapping[str, Any] | None:
        """Return the JSON schema of the tool's arguments, if the tool is known."""
        return _parameters(self._tool)

    def edited(self, args: Mapping[str, Any], notice: str) -> Callable[[], Any]:
        """Return what calls the tool with other arguments, and tells the model so."""
        if self._in_pieces:
            return lambda: _noted_pieces(self._again(args), notice)
        return lambda: _noted(self._again(args), notice)

    def rejected(self, message: str) -> Any:
        """Return a failed result that says so."""
        return self._as_made(tool_result(self._name, message, is_error=True))

    def responded(self, answer: Any) -> Any:
        """Return a person's answer as the tool's result."""
        return self._as_made(tool_result(self._name, answer))

    def _as_made(self, result: Any) -> Any:
        return [result] if self._in_pieces else result


class ToolReview:
    """The review of a call without a workbench, from a program's own code.

    Args:
        tool: The tool.
        args: The arguments.
        again: Calls the tool with other arguments.
        in_pieces: Whether the call is streamed.
    """

    call_id = ""

    def __init__(
        self, tool: Any, args: Mapping[str, Any], again: Again, *, in_pieces: bool = False
    ) -> None:
        self.args: Mapping[str, Any] = dict(args)
        self._tool = tool
        self._again = again
        self._in_pieces = in_pieces

    def args_schema(self) -> Mapping[str, Any] | None:
        """Return the JSON schema of the tool's arguments."""
        return _parameters(self._tool)

    def edited(self, args: Mapping[str, Any], notice: str) -> Callable[[], Any]:
        """Return what calls the tool with other arguments; no model reads the result here."""
        del notice
        return lambda: self._again(args)

    def rejected(self, message: str) -> Any:
        """Say that no model can be told."""
        raise NotImplementedError(message)

    def responded(self, answer: Any) -> Any:
        """Return a person's answer as the tool's result."""
        return [answer] if self._in_pieces else answer


def tool_result(name: str, said: object, *, is_error: bool = False) -> Any:
    """Return *said* as what a workbench returns."""
    from autogen_core.tools import TextResultContent, ToolResult

    if isinstance(said, ToolResult):
        return said
    text = said if isinstance(said, str | Exception) else json.dumps(said, default=str)
    return ToolResult(name=name, result=[TextResultContent(content=str(text))], is_error=is_error)


def _parameters(tool: Any) -> Mapping[str, Any] | None:
    schema = getattr(tool, "schema", None)
    found = schema.get("parameters") if isinstance(schema, Mapping) else None
    return found if isinstance(found, Mapping) else None


async def _noted(result: Awaitable[Any], notice: str) -> Any:
    return _with_notice(await result, notice)


async def _noted_pieces(pieces: AsyncIterator[Any], notice: str) -> AsyncIterator[Any]:
    async for piece in pieces:
        yield _with_notice(piece, notice)


def _with_notice(result: Any, notice: str) -> Any:
    """Put *notice* in front of what the model reads; pieces on the way to a result stay."""
    from autogen_core.tools import TextResultContent, ToolResult

    if not isinstance(result, ToolResult):
        return result
    told = [TextResultContent(content=notice), *result.result]
    return result.model_copy(update={"result": told})
