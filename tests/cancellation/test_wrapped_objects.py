"""A wrapped team, graph or crew that is cancelled at any round of the event loop goes on."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

import pytest
from typing_extensions import TypedDict

import durably
from durably import Host
from durably.testing import ModelServer, Reply, Rule, When

from .interruptions import PATIENCE, WAYS, CountingLoop

CONFIG = {"configurable": {"thread_id": "t"}}
SEEDS = 8
SCRIPT = (
    Rule(When(system="a checker"), Reply.text("Good.")),
    Rule(When(result="sent to ann"), Reply.tool("send", {"to": "bob"})),
    Rule(When(result="sent to bob"), Reply.text("Sent to both.")),
    Rule(When(), Reply.tool("send", {"to": "ann"})),
)


@dataclass
class Outside:
    """What an object works on.

    Attributes:
        url: Address of the model.
        sent: To whom mails were sent.
    """

    url: str
    sent: list[str] = field(default_factory=list)

    async def send(self, to: str) -> str:
        """Send a mail."""
        self.sent.append(to)
        return f"sent to {to}"


def sorted_sum(one: list[str], other: list[str]) -> list[str]:
    """Merge what nodes beside each other return, whichever ends first."""
    return sorted([*one, *other])


class State(TypedDict):
    """The state of the graph."""

    sent: Annotated[list[str], sorted_sum]


def team(outside: Outside) -> tuple[Any, Any]:
    """Return an AutoGen team, and its task."""
    from autogen_agentchat.agents import AssistantAgent
    from autogen_agentchat.conditions import MaxMessageTermination
    from autogen_agentchat.teams import RoundRobinGroupChat
    from autogen_ext.models.openai import OpenAIChatCompletionClient

    model = OpenAIChatCompletionClient(
        model="gpt-4o-mini", base_url=outside.url, api_key="any", max_retries=0
    )
    clerk = AssistantAgent("clerk", model, tools=[outside.send], max_tool_iterations=3)
    checker = AssistantAgent("checker", model, system_message="You are a checker.")
    return RoundRobinGroupChat(
        [clerk, checker], termination_condition=MaxMessageTermination(3)
    ), "Write to ann and bob."


def graph(outside: Outside) -> tuple[Any, Any]:
    """Return a LangGraph graph with two nodes side by side and one after them, and its input.

    The mails are tasks inside the nodes. LangGraph executes a node in an asyncio task of its own: a
    cancellation between that one's end and the node's loses the node's record, and it runs again.
    """
    from langgraph.graph import END, START, StateGraph

    send = durably.task(outside.send)

    async def ann(_: State) -> dict[str, list[str]]:
        await asyncio.sleep(0)
        return {"sent": [await send("ann")]}

    async def bob(_: State) -> dict[str, list[str]]:
        await asyncio.sleep(0)
        return {"sent": [await send("bob")]}

    async def last(state: State) -> dict[str, list[str]]:
        return {"sent": [f"{len(state['sent'])} in all"]}

    built = StateGraph(State)
    for name, node in {"ann": ann, "bob": bob, "last": last}.items():
        built.add_node(name, node)
    for name in ("ann", "bob"):
        built.add_edge(START, name)
        built.add_edge(name, "last")
    built.add_edge("last", END)
    return built.compile(), {"sent": []}


def crew(outside: Outside) -> tuple[Any, Any]:
    """Return a crew, which works in a thread, and its inputs."""
    from crewai import LLM, Agent, Crew, Task
    from crewai.tools import tool

    @tool("send")
    def send(to: str) -> str:
        """Send a mail."""
        outside.sent.append(to)
        return f"sent to {to}"

    model = LLM(model="gpt-4o-mini", base_url=outside.url, api_key="any", max_retries=0)
    clerk = Agent(role="clerk", goal="mail", backstory="b", tools=[send], llm=model)
    checker = Agent(role="a checker", goal="check", backstory="b", llm=model)
    tasks = [
        Task(description="Write to ann and bob.", expected_output="words", agent=clerk),
        Task(description="Check it.", expected_output="words", agent=checker),
    ]
    return Crew(agents=[clerk, checker], tasks=tasks), {}


def words(result: Any) -> list[str]:
    """Return what a result says, without ids and times."""
    if isinstance(result, dict):
        return list(result["sent"])
    if hasattr(result, "raw"):
        return [output.raw for output in result.tasks_output]
    return [message.to_text() for message in result.messages]


@pytest.fixture
def model() -> Iterator[ModelServer]:
    """Serve the scripted model."""
    with ModelServer(SCRIPT) as server:
        yield server


async def cancelled(seed: int, wrapped: Any, given: Any) -> Any:
    """Cancel a run up to three times at random rounds, then let it come to its end."""
    choices = random.Random(seed)
    loop = asyncio.get_running_loop()
    assert isinstance(loop, CountingLoop)

    async def call() -> Any:
        begun = wrapped.get_state(CONFIG) is not None
        return await wrapped.ainvoke(None if begun else given, CONFIG)

    for _ in range(choices.randint(1, 3)):
        await choices.choice(WAYS)(loop, call, int(choices.expovariate(1 / 40)))
        loop.in_rounds(0, lambda: None)
    result = await asyncio.wait_for(call(), PATIENCE)
    left = [one for one in asyncio.all_tasks() if one is not asyncio.current_task()]
    assert not left, left
    return result


@pytest.mark.filterwarnings("ignore:Cannot set an attribute:ImportWarning")  # CrewAI's own
@pytest.mark.parametrize("seed", range(SEEDS))
@pytest.mark.parametrize(
    "make",
    [
        pytest.param(team, marks=pytest.mark.autogen),
        pytest.param(graph, marks=pytest.mark.langgraph),
        pytest.param(crew, marks=pytest.mark.crewai),
    ],
)
def test_cancelled_object_ends_and_goes_on(
    make: Callable[[Outside], tuple[Any, Any]],
    seed: int,
    model: ModelServer,
    tmp_path: Path,
):
    """It comes to the result of a run that nothing cancelled, and each mail is sent once."""
    host = Host("memory:" if seed % 2 else f"sqlite:///{tmp_path / 'runs.db'}")
    outside, untouched = Outside(model.url), Outside(model.url)
    plain, given = make(untouched)
    target, _ = make(outside)
    with asyncio.Runner(loop_factory=CountingLoop) as runner:
        wrapped = durably.wrap(plain, checkpointer="memory:")
        expected = words(runner.run(wrapped.ainvoke(given, CONFIG)))
        found = runner.run(cancelled(seed, durably.wrap(target, checkpointer=host), given))
    assert words(found) == expected
    assert sorted(outside.sent) == sorted(untouched.sent) == ["ann", "bob"]
    host.close()
