"""Tool calls: one step each, whether they come through a workbench or not.

Tools that run an agent or a team keep the conversation with it between calls, so they are spans:
they are executed again, and the steps inside them are replayed.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from typing import Any

from durably.adapting import Call, Review, Scope, Seam, call_label, policy_of
from durably.errors import OutcomeUnknown

from ._spans import told
from ._streams import closing
from ._tool_review import ToolReview, WorkbenchReview, tool_result
from ._unwind_targets import ended_by

Arguments = Mapping[str, Any] | None


async def _call_tool(
    scope: Scope,
    original: Callable[..., Awaitable[Any]],
    self: Any,
    name: str,
    arguments: Arguments = None,
    *args: Any,
    **kwargs: Any,
) -> Any:
    tool = _tool_of(self, name)
    own_name = tool.name if tool is not None else name
    if scope.within("tool", own_name):  # a workbench around another, or super()
        return await original(self, name, arguments, *args, **kwargs)
    if _runs_agents(tool):
        with scope.span("tool", name, _segment(name, kwargs)):
            return await original(self, name, arguments, *args, **kwargs)

    async def execute() -> Any:
        await asyncio.sleep(0)  # see _together
        return await original(self, name, arguments, *args, **kwargs)

    review = WorkbenchReview(
        name,
        tool,
        arguments,
        lambda edited: original(self, name, dict(edited), *args, **kwargs),
        call_id=kwargs.get("call_id"),
    )
    try:
        return await scope.astep(_tool_step(own_name, review, tool), execute)
    except OutcomeUnknown as error:
        return tool_result(name, error, is_error=True)


async def _call_tool_stream(
    scope: Scope,
    original: Callable[..., AsyncIterator[Any]],
    self: Any,
    name: str,
    arguments: Arguments = None,
    *args: Any,
    **kwargs: Any,
) -> AsyncIterator[Any]:
    def source() -> AsyncIterator[Any]:
        return original(self, name, arguments, *args, **kwargs)

    tool = _tool_of(self, name)
    own_name = tool.name if tool is not None else name
    if scope.within("tool", own_name):
        pieces = source()
    elif _runs_agents(tool):
        pieces = _span_stream(scope.child(_segment(name, kwargs)), name, source())
    else:
        review = WorkbenchReview(
            name,
            tool,
            arguments,
            lambda edited: original(self, name, dict(edited), *args, **kwargs),
            call_id=kwargs.get("call_id"),
            in_pieces=True,
        )
        step = _tool_step(own_name, review, tool)
        pieces = scope.astream(step, lambda: _together(source()))
    try:
        async with closing(pieces) as open_pieces:
            async for piece in open_pieces:
                yield piece
    except OutcomeUnknown as error:
        yield tool_result(name, error, is_error=True)


async def _together(source: AsyncIterator[Any]) -> AsyncIterator[Any]:
    """Let calls that are made at the same time all begin before one of them can ask a person.

    A run that waits begins no step, so the others' questions would come up one by one.
    """
    await asyncio.sleep(0)
    async with closing(source) as pieces:
        async for piece in pieces:
            yield piece


async def _span_stream(inner: Scope, name: str, source: AsyncIterator[Any]) -> AsyncIterator[Any]:
    with told(inner, "tool", name):
        async with closing(inner.iterate(source)) as pieces:
            async for piece in pieces:
                yield piece


async def _run_json(
    scope: Scope,
    original: Callable[..., Awaitable[Any]],
    self: Any,
    args: Mapping[str, Any],
    *rest: Any,
    **kwargs: Any,
) -> Any:
    """Catch a tool that is called without a workbench."""
    if scope.within("tool", self.name) or _runs_agents(self) or _is_handoff(self):
        return await original(self, args, *rest, **kwargs)
    returned = self.return_type()
    hint = returned if isinstance(returned, type) else None
    review = ToolReview(self, args, lambda edited: original(self, edited, *rest, **kwargs))
    step = _tool_step(self.name, review, self, hint=hint)
    return await scope.astep(step, lambda: original(self, args, *rest, **kwargs))


async def _run_json_stream(
    scope: Scope,
    original: Callable[..., AsyncIterator[Any]],
    self: Any,
    args: Mapping[str, Any],
    *rest: Any,
    **kwargs: Any,
) -> AsyncIterator[Any]:
    """Catch a stream tool that is called without a workbench."""

    def source() -> AsyncIterator[Any]:
        return original(self, args, *rest, **kwargs)

    if scope.within("tool", self.name) or _runs_agents(self):
        pieces = source()
    else:
        review = ToolReview(
            self, args, lambda edited: original(self, edited, *rest, **kwargs), in_pieces=True
        )
        pieces = scope.astream(_tool_step(self.name, review, self), source)
    async with closing(pieces) as open_pieces:
        async for piece in open_pieces:
            yield piece


async def _list_tools(
    scope: Scope, original: Callable[..., Awaitable[Any]], self: Any, *args: Any, **kwargs: Any
) -> Any:
    """Ask an MCP server what it can do once, and never cancel it meanwhile: that would kill it."""
    step = Call("task", f"{type(self).__name__}.list_tools", None, adapter="autogen")
    return await scope.astep(step, lambda: original(self, *args, **kwargs))


async def _execute_tool_call(
    scope: Scope, original: Callable[..., Awaitable[Any]], *args: Any, **kwargs: Any
) -> Any:
    """Let no exception through: the assistant would wait for ever for the results."""
    token = kwargs.get("cancellation_token")
    return await ended_by(scope, original(*args, **kwargs), token, with_errors=True)


def _tool_step(name: str, review: Review, tool: Any, *, hint: type | None = None) -> Call:
    return Call(
        "tool",
        name,
        review.args,
        label=call_label(name, review.args),
        hint=hint,
        effect=True,
        adapter="autogen",
        policy=policy_of(tool, getattr(tool, "_func", None)),
        review=review,
    )


def _tool_of(workbench: Any, name: str) -> Any:
    """Return the tool that a workbench made of a list of tools calls *name*, or None."""
    own = getattr(workbench, "_override_name_to_original", {}).get(name, name)
    tools = getattr(workbench, "_tools", None)
    if not isinstance(tools, list):
        return None
    return next((tool for tool in tools if getattr(tool, "name", None) == own), None)


def _runs_agents(tool: object) -> bool:
    return any(cls.__name__ == "TaskRunnerTool" for cls in type(tool).__mro__)


def _is_handoff(tool: Any) -> bool:
    """Say whether *tool* only returns a handoff's message, which the assistant asks it for."""
    module = getattr(getattr(tool, "_func", None), "__module__", None) or ""
    return str(module).startswith("autogen_agentchat.")


def _segment(name: str, kwargs: Mapping[str, Any]) -> str:
    """Name the lane of a call by the call's id, which tells parallel calls apart."""
    return f"tool:{name}:{kwargs.get('call_id') or ''}".rstrip(":")


_LOSES = "tool calls are repeated"

SEAMS = (
    Seam(
        "autogen_core.tools:Workbench.call_tool",
        "tool",
        _call_tool,
        _LOSES,
        params=("name", "arguments"),
        subclasses=True,
    ),
    Seam(
        "autogen_core.tools._workbench:StreamWorkbench.call_tool_stream",
        "tool",
        _call_tool_stream,
        _LOSES,
        params=("name", "arguments"),
        subclasses=True,
        optional=True,
    ),
    Seam(
        "autogen_core.tools:BaseTool.run_json",
        "tool",
        _run_json,
        _LOSES,
        params=("args",),
        subclasses=True,
    ),
    Seam(
        "autogen_core.tools:BaseStreamTool.run_json_stream",
        "tool",
        _run_json_stream,
        _LOSES,
        params=("args",),
        subclasses=True,
        optional=True,
    ),
    Seam(
        "autogen_ext.tools.mcp:McpWorkbench.list_tools",
        "support",
        _list_tools,
        "MCP servers are asked for their tools again",
    ),
    Seam(
        "autogen_agentchat.agents._assistant_agent:AssistantAgent._execute_tool_call",
        "support",
        _execute_tool_call,
        "a workbench or handoff that raises makes the run hang",
        optional=True,
    ),
)
