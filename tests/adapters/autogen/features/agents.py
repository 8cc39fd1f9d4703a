"""Agents by themselves: tools, structured answers, memory, handoffs, code, other agents."""

from __future__ import annotations

from typing import Any

from autogen_agentchat.agents import (
    AssistantAgent,
    CodeExecutorAgent,
    MessageFilterAgent,
    MessageFilterConfig,
    PerSourceFilter,
    SocietyOfMindAgent,
)
from autogen_agentchat.conditions import TextMentionTermination
from autogen_agentchat.messages import TextMessage
from autogen_agentchat.teams import RoundRobinGroupChat
from autogen_agentchat.tools import AgentTool, TeamTool
from autogen_core import CancellationToken
from autogen_core.memory import (
    ListMemory,
    Memory,
    MemoryContent,
    MemoryQueryResult,
    UpdateContextResult,
)
from autogen_core.models import SystemMessage, UserMessage
from autogen_ext.code_executors.local import LocalCommandLineCodeExecutor
from autogen_ext.tools.code_execution import PythonCodeExecutionTool
from pydantic import BaseModel

from durably.testing import Reply, Rule, When

from ._kit import Kit, feature

ADDS = [
    Rule(When(tool="add"), Reply.text("The sum is 5.")),
    Rule(When(), Reply.tool("add", {"a": 2, "b": 3})),
]


def adding(kit: Kit) -> Any:
    """Return a tool whose calls are seen."""

    async def add(a: int, b: int) -> int:
        """Add two numbers."""
        kit.effect(f"add {a} {b}")
        return a + b

    return add


@feature(ADDS, steps="model 2, tool 1")
async def tool_loop(kit: Kit) -> Any:
    agent = AssistantAgent("adder", kit.client(), tools=[adding(kit)], max_tool_iterations=3)
    return await agent.run(task="2 and 3?")


@feature(ADDS, steps="model 1, tool 1")
async def tool_summary(kit: Kit) -> Any:
    agent = AssistantAgent("adder", kit.client(), tools=[adding(kit)])
    return await agent.run(task="2 and 3?")


@feature(ADDS, steps="model 2, tool 1")
async def reflect_on_tool_use(kit: Kit) -> Any:
    agent = AssistantAgent("adder", kit.client(), tools=[adding(kit)], reflect_on_tool_use=True)
    return await agent.run(task="2 and 3?")


@feature(ADDS, steps="model 2, tool 1")
async def streamed_tokens(kit: Kit) -> Any:
    agent = AssistantAgent(
        "adder",
        kit.client(),
        tools=[adding(kit)],
        reflect_on_tool_use=True,
        model_client_stream=True,
    )
    return [item async for item in agent.run_stream(task="2 and 3?")]


@feature(
    [
        Rule(When(tool="add"), Reply.text("Both.")),
        Rule(When(), Reply.tools(("add", {"a": 1, "b": 1}), ("add", {"a": 2, "b": 2}))),
    ],
    steps="model 2, tool 2",
    at_once=True,
)
async def parallel_tools(kit: Kit) -> Any:
    agent = AssistantAgent("adder", kit.client(), tools=[adding(kit)], reflect_on_tool_use=True)
    return [item async for item in agent.run_stream(task="Both?")]


class Fact(BaseModel):
    """What the model is to fill in."""

    number: int
    why: str


@feature([Rule(When(), Reply.text('{"number": 42, "why": "it is"}'))], steps="model 1")
async def structured_output(kit: Kit) -> Any:
    agent = AssistantAgent("seer", kit.client(), output_content_type=Fact)
    return await agent.run(task="The number?")


@feature(
    [
        Rule(When(anywhere="Ada likes tea"), Reply.text("Tea.")),
        Rule(When(), Reply.text("I do not know.")),
    ],
    steps="model 1",
)
async def list_memory(kit: Kit) -> Any:
    memory = ListMemory()
    await memory.add(MemoryContent(content="Ada likes tea", mime_type="text/plain"))
    agent = AssistantAgent("waiter", kit.client(), memory=[memory])
    return await agent.run(task="What does Ada like?")


class Shelf(Memory):
    """A memory in another place, which is asked over a wire."""

    component_type = "memory"

    def __init__(self, kit: Kit) -> None:
        self._kit = kit

    async def update_context(self, model_context: Any) -> UpdateContextResult:
        """Tell the model what is known."""
        found = await self.query("tea")
        await model_context.add_message(SystemMessage(content=str(found.results[0].content)))
        return UpdateContextResult(memories=found)

    async def query(self, query: Any, cancellation_token: Any = None, **more: Any) -> Any:
        """Ask the other place."""
        self._kit.effect(f"query {query}")
        return MemoryQueryResult(
            results=[MemoryContent(content="Ada likes tea", mime_type="text/plain")]
        )

    async def add(self, content: MemoryContent, cancellation_token: Any = None) -> None:
        """Keep something there."""
        self._kit.effect(f"keep {content.content}")

    async def clear(self) -> None:
        """Forget."""
        self._kit.effect("clear")

    async def close(self) -> None:
        """Do nothing."""


@feature([Rule(When(anywhere="Ada likes tea"), Reply.text("Tea."))], steps="memory 3, model 1")
async def remote_memory(kit: Kit) -> Any:
    memory = Shelf(kit)
    await memory.add(MemoryContent(content="Ada likes tea", mime_type="text/plain"))
    agent = AssistantAgent("waiter", kit.client(), memory=[memory])
    result = await agent.run(task="What does Ada like?")
    await memory.clear()
    return result


@feature([Rule(When(), Reply.tool("transfer_to_bob"))], steps="model 1")
async def handoff_alone(kit: Kit) -> Any:
    agent = AssistantAgent("alice", kit.client(), handoffs=["bob"])
    return await agent.run(task="Go.")


@feature(
    [
        Rule(When(result="2"), Reply.text("Done.")),
        Rule(When(result="1"), Reply.tool("count", {"n": 2})),
        Rule(When(), Reply.tool("count", {"n": 1})),
    ],
    steps="model 3, tool 2",
)
async def several_tool_iterations(kit: Kit) -> Any:
    def count(n: int) -> str:
        """Count."""
        kit.effect(f"count {n}")
        return str(n)

    agent = AssistantAgent("counter", kit.client(), tools=[count], max_tool_iterations=5)
    return await agent.run(task="Go.")


@feature(
    [
        Rule(When(user="again"), Reply.text("You said Hello.")),
        Rule(When(), Reply.text("Hello.")),
    ],
    steps="model 3",
)
async def one_agent_several_runs(kit: Kit) -> Any:
    agent = AssistantAgent("host", kit.client())
    first = await agent.run(task="Hello?")
    second = await agent.run(task="Say it again.")
    await agent.on_reset(CancellationToken())
    third = await agent.run(task="Hello?")
    return [first, second, third, await agent.save_state()]


@feature([Rule(When(), Reply.text("Hello."))], steps="model 3")
async def direct_messages(kit: Kit) -> Any:
    agent = AssistantAgent("host", kit.client())
    task = TextMessage(content="Hello?", source="user")
    whole = await agent.on_messages([task], CancellationToken())
    pieces = [piece async for piece in agent.on_messages_stream([task], CancellationToken())]
    again = await agent.run(task=task)
    return [whole, pieces, again]


@feature([Rule(When(), Reply.text("```python\nprint('ran')\n```"))], steps="code 1, model 2")
async def code_executor_with_model(kit: Kit) -> Any:
    executor = LocalCommandLineCodeExecutor(work_dir=kit.directory)
    async with executor:
        agent = CodeExecutorAgent("coder", executor, model_client=kit.client())
        return await agent.run(task="Print it.")


@feature(steps="code 1")
async def code_executor(kit: Kit) -> Any:
    executor = LocalCommandLineCodeExecutor(work_dir=kit.directory)
    code = "open('effects', 'a').write('ran\\n')\nprint('ran')"
    agent = CodeExecutorAgent("coder", executor)
    return await agent.run(task=f"```python\n{code}\n```")


@feature(
    [
        Rule(When(tool="run_python"), Reply.text("It printed ran.")),
        Rule(When(), Reply.tool("CodeExecutor", {"code": "print('ran')"})),
    ],
    steps="model 2, tool 1",
)
async def code_tool(kit: Kit) -> Any:
    tool = PythonCodeExecutionTool(LocalCommandLineCodeExecutor(work_dir=kit.directory))
    agent = AssistantAgent("coder", kit.client(), tools=[tool], reflect_on_tool_use=False)
    again = AssistantAgent("reader", kit.client(), system_message="Read.")
    first = await agent.run(task="Run it.")
    del again
    second = await kit.client().create(
        [UserMessage(content=str(first.messages[-1].content), source="user")]
    )
    return [first, second]


SOCIETY = [
    Rule(When(system="You write", anywhere="better"), Reply.text("I wrote it better.")),
    Rule(When(system="You write"), Reply.text("I wrote it.")),
    Rule(When(system="You judge"), Reply.text("APPROVE")),
    Rule(When(), Reply.text("They wrote it.")),
]


@feature(SOCIETY, steps="model 6")
async def society_of_mind(kit: Kit) -> Any:
    client = kit.client()
    members = [
        AssistantAgent("writer", client, system_message="You write."),
        AssistantAgent("critic", client, system_message="You judge."),
    ]
    inner = RoundRobinGroupChat(members, termination_condition=TextMentionTermination("APPROVE"))
    society = SocietyOfMindAgent("society", inner, model_client=client)
    outer = RoundRobinGroupChat([society], max_turns=2)
    return [item async for item in outer.run_stream(task="A poem.")]


@feature(
    [
        Rule(When(system="You listen", anywhere="secret"), Reply.text("I heard it.")),
        Rule(When(system="You listen"), Reply.text("I heard nothing.")),
        Rule(When(), Reply.text("The secret is out.")),
    ],
    steps="model 2",
)
async def message_filter(kit: Kit) -> Any:
    teller = AssistantAgent("teller", kit.client(), system_message="You tell.")
    listener = AssistantAgent("listener", kit.client(), system_message="You listen.")
    config = MessageFilterConfig(
        per_source=[PerSourceFilter(source="user", position="first", count=1)]
    )
    deaf = MessageFilterAgent("listener", listener, config)
    return await RoundRobinGroupChat([teller, deaf], max_turns=2).run(task="Go.")


EXPERT = [
    Rule(When(system="You know", anywhere="second"), Reply.text("And the second is two.")),
    Rule(When(system="You know"), Reply.text("The first is one.")),
    Rule(When(result="two"), Reply.text("One and two.")),
    Rule(When(result="one"), Reply.tool("expert", {"task": "The second?"})),
    Rule(When(), Reply.tool("expert", {"task": "The first?"})),
]


@feature(EXPERT, steps="model 5")
async def agent_tool(kit: Kit) -> Any:
    expert = AssistantAgent("expert", kit.client(), system_message="You know.")
    client = kit.client(parallel_tool_calls=False)
    chief = AssistantAgent("chief", client, tools=[AgentTool(expert)], max_tool_iterations=5)
    return [item async for item in chief.run_stream(task="Both?")]


@feature(EXPERT, steps="model 5", since="0.7")
async def team_tool(kit: Kit) -> Any:
    expert = AssistantAgent("expert", kit.client(), system_message="You know.")
    team = RoundRobinGroupChat([expert], max_turns=1, name="expert", description="Knows.")
    client = kit.client(parallel_tool_calls=False)
    tool = TeamTool(team, "expert", "Knows.", return_value_as_last_message=True)
    chief = AssistantAgent("chief", client, tools=[tool], max_tool_iterations=5)
    return await chief.run(task="Both?")
