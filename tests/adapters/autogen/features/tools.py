"""Tools: functions, workbenches, streams, MCP servers, errors; called by the program too."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import AsyncGenerator, Mapping
from pathlib import Path
from typing import Any

from autogen_agentchat.agents import AssistantAgent
from autogen_core import CancellationToken
from autogen_core.tools import (
    BaseStreamTool,
    BaseTool,
    FunctionTool,
    StaticStreamWorkbench,
    StaticWorkbench,
    ToolOverride,
)
from autogen_ext.tools.mcp import McpWorkbench, StdioServerParams, mcp_server_tools
from pydantic import BaseModel

import durably
from durably.testing import Reply, Rule, When

from ._kit import Kit, feature
from .agents import ADDS, adding

FAILS = [
    Rule(When(result="no such number"), Reply.text("It failed.")),
    Rule(When(), Reply.tool("add", {"a": 2, "b": 3})),
]


@feature(ADDS, steps="model 2, tool 1")
async def sync_tool(kit: Kit) -> Any:
    def add(a: int, b: int) -> int:
        """Add two numbers."""
        kit.effect(f"add {a} {b}")
        return a + b

    agent = AssistantAgent("adder", kit.client(), tools=[add], reflect_on_tool_use=True)
    return await agent.run(task="2 and 3?")


@feature(FAILS, steps="model 2, tool 1")
async def tool_error(kit: Kit) -> Any:
    def add(a: int, b: int) -> int:
        """Add two numbers."""
        kit.effect("add")
        raise ValueError("no such number")

    agent = AssistantAgent("adder", kit.client(), tools=[add], reflect_on_tool_use=True)
    return await agent.run(task="2 and 3?")


@feature(
    [
        Rule(When(tool="subtract"), Reply.text("No such tool.")),
        Rule(When(), Reply.tool("subtract", {"a": 2})),
    ],
    steps="model 2",
)
async def unknown_tool(kit: Kit) -> Any:
    agent = AssistantAgent("adder", kit.client(), tools=[adding(kit)], reflect_on_tool_use=True)
    return await agent.run(task="2 and 3?")


@feature(
    [
        Rule(When(tool="add"), Reply.text("Wrong.")),
        Rule(When(), Reply.tool("add", '{"a": 2, "b"')),
    ],
    steps="model 2",
)
async def arguments_that_are_no_json(kit: Kit) -> Any:
    agent = AssistantAgent("adder", kit.client(), tools=[adding(kit)], reflect_on_tool_use=True)
    return await agent.run(task="2 and 3?")


@feature(ADDS, steps="model 2, tool 1")
async def static_workbench(kit: Kit) -> Any:
    tool = FunctionTool(adding(kit), "Adds.", name="original")
    bench = StaticWorkbench([tool], tool_overrides={"original": ToolOverride(name="add")})
    async with bench:
        agent = AssistantAgent("adder", kit.client(), workbench=bench, reflect_on_tool_use=True)
        return await agent.run(task="2 and 3?")


class Question(BaseModel):
    """What a tool is asked."""

    a: int
    b: int


class Answer(BaseModel):
    """What a tool answers."""

    total: int


class Adder(BaseTool[Question, Answer]):
    """A tool that is a class, and answers with a model."""

    def __init__(self, kit: Kit) -> None:
        super().__init__(Question, Answer, "add", "Adds.")
        self._kit = kit

    async def run(self, args: Question, cancellation_token: CancellationToken) -> Answer:
        """Add."""
        self._kit.effect("add")
        return Answer(total=args.a + args.b)


@feature(ADDS, steps="model 2, tool 1")
async def tool_class(kit: Kit) -> Any:
    agent = AssistantAgent("adder", kit.client(), tools=[Adder(kit)], reflect_on_tool_use=True)
    return await agent.run(task="2 and 3?")


class Slow(BaseStreamTool[Question, str, Answer]):
    """A tool that tells of its progress."""

    def __init__(self, kit: Kit) -> None:
        super().__init__(Question, Answer, "add", "Adds.")
        self._kit = kit

    async def run(self, args: Question, cancellation_token: CancellationToken) -> Answer:
        """Add at once."""
        return Answer(total=args.a + args.b)

    async def run_stream(
        self, args: Question, cancellation_token: CancellationToken
    ) -> AsyncGenerator[str | Answer, None]:
        """Add step by step."""
        self._kit.effect("add")
        yield "counting"
        yield "still counting"
        yield Answer(total=args.a + args.b)


@feature(ADDS, steps="model 2, tool 1")
async def stream_tool(kit: Kit) -> Any:
    bench = StaticStreamWorkbench([Slow(kit)])
    agent = AssistantAgent("adder", kit.client(), workbench=bench, reflect_on_tool_use=True)
    return [item async for item in agent.run_stream(task="2 and 3?")]


@feature(steps="tool 6")
async def tools_called_by_the_program(kit: Kit) -> Any:
    token = CancellationToken()
    function = FunctionTool(adding(kit), "Adds.")
    seen = [
        await function.run_json({"a": 1, "b": 1}, token),
        await function.run_json({"a": 1, "b": 1}, token, call_id="again"),
        await Adder(kit).run_json({"a": 1, "b": 2}, token),
        await StaticWorkbench([function]).call_tool("add", {"a": 1, "b": 3}),
    ]
    seen += [item async for item in Slow(kit).run_json_stream({"a": 1, "b": 4}, token)]
    bench = StaticStreamWorkbench([Slow(kit)])
    seen += [item async for item in bench.call_tool_stream("add", {"a": 1, "b": 5})]
    return seen


class Bench(StaticWorkbench):
    """A workbench of the program's own, with state."""

    def __init__(self, kit: Kit, tools: Any) -> None:
        super().__init__(tools)
        self._kit = kit

    async def call_tool(
        self, name: str, arguments: Mapping[str, Any] | None = None, **more: Any
    ) -> Any:
        """Call and count."""
        self._kit.effect("bench")
        return await super().call_tool(name, arguments, **more)


@feature(ADDS, steps="model 2, tool 1")
async def own_workbench(kit: Kit) -> Any:
    bench = Bench(kit, [FunctionTool(adding(kit), "Adds.")])
    agent = AssistantAgent("adder", kit.client(), workbench=bench, reflect_on_tool_use=True)
    return await agent.run(task="2 and 3?")


SERVER = str(Path(__file__).with_name("mcp_server.py"))


def server_of(kit: Kit) -> StdioServerParams:
    """Return how the small MCP server is started."""
    return StdioServerParams(
        command=sys.executable,
        args=[SERVER, str(kit.directory / "effects")],
        read_timeout_seconds=20,
    )


@feature(ADDS, steps="model 2, task 2, tool 1")
async def mcp_workbench(kit: Kit) -> Any:
    async with McpWorkbench(server_of(kit)) as bench:
        agent = AssistantAgent("adder", kit.client(), workbench=bench, reflect_on_tool_use=True)
        return await agent.run(task="2 and 3?")


@feature(ADDS, steps="model 2, tool 1", kills=False)
async def mcp_tools(kit: Kit) -> Any:
    tools = await mcp_server_tools(server_of(kit))
    agent = AssistantAgent("adder", kit.client(), tools=tools, reflect_on_tool_use=True)
    return await agent.run(task="2 and 3?")


@feature(ADDS, steps="model 2, task 2, tool 1", answers={"Add": "yes"}, plain=False, kills=False)
async def mcp_workbench_and_a_person(kit: Kit) -> Any:
    async with McpWorkbench(server_of(kit)) as bench:
        agent = AssistantAgent("adder", kit.client(), workbench=bench, reflect_on_tool_use=True)
        first = await agent.run(task="2 and 3?")
        answer = durably.interrupt({"message": "Add?"})
    with contextlib.suppress(ValueError):
        kit.note(str(answer))
    return [first, answer]
