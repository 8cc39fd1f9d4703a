"""Objects of each framework that send a letter and ask a person, by each means of theirs.

An object is made anew for each call; it is called with whom to write to, in plain code or in a
coroutine, and returns what it says in the end.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, TypedDict

from autogen_agentchat.agents import AssistantAgent, UserProxyAgent
from autogen_agentchat.conditions import SourceMatchTermination
from autogen_agentchat.messages import BaseTextChatMessage
from autogen_agentchat.teams import RoundRobinGroupChat
from autogen_ext.models.openai import OpenAIChatCompletionClient
from crewai import LLM, Agent, Crew, Task
from crewai.tools import tool as crew_tool
from langchain_core.tools import tool as graph_tool
from langgraph.graph import END, START, StateGraph
from langgraph.types import interrupt
from tests.adapters.autogen.programs import INFO, never_asked

import durably

CALL = '<<send {"to": "%s"}>><<say Told %s.>>'
"""Has the model call the tool, and then say something with the tool's result."""


@dataclass
class World:
    """What the programs do outside, and how often.

    Attributes:
        url: Where the model is.
        sent: To whom letters were sent.
        asks: Whether the tool asks before it sends.
        host: Where wrapped objects keep their runs.
    """

    url: str
    asks: bool = False
    sent: list[str] = field(default_factory=list[str])
    host: durably.Host | None = None

    def send(self, to: str) -> str:
        """Send a letter."""
        answer = durably.interrupt({"message": f"Write to {to}?"}) if self.asks else "yes"
        self.sent.append(to)
        return f"{to}: {answer}"


def _client(world: World) -> OpenAIChatCompletionClient:
    return OpenAIChatCompletionClient(
        model="gpt-4o-mini", api_key="any", base_url=world.url, model_info=INFO, max_retries=0
    )


def _writer(world: World, client: Any) -> AssistantAgent:
    return AssistantAgent("writer", client, tools=[world.send], max_tool_iterations=2)


async def agent(world: World, to: str) -> str:
    """Run an AutoGen agent."""
    client = _client(world)
    try:
        result = await _writer(world, client).run(task=CALL % (to, to))
    finally:
        await client.close()
    return str(result.messages[-1].to_text())


def _team(world: World, client: Any) -> RoundRobinGroupChat:
    boss = UserProxyAgent("boss", input_func=never_asked)
    stop = SourceMatchTermination(["boss"])
    return RoundRobinGroupChat([_writer(world, client), boss], termination_condition=stop)


async def team(world: World, to: str) -> str:
    """Run an AutoGen team: who writes, and a person who has the last word."""
    client = _client(world)
    try:
        result = await _team(world, client).run(task=CALL % (to, to))
    finally:
        await client.close()
    return _last_words(result)


def _last_words(result: Any) -> str:
    said = [one.to_text() for one in result.messages if isinstance(one, BaseTextChatMessage)]
    return " ".join(said[1:])


def _crew(world: World, to: str, *, human_input: bool) -> Crew:
    @crew_tool("send")
    def send(to: str) -> str:
        """Send a letter."""
        return world.send(to)

    model = LLM(model="gpt-4o-mini", max_retries=0)
    writer = Agent(role="Writer", goal="write", backstory="You write.", tools=[send], llm=model)
    job = Task(
        description=CALL % (to, to),
        expected_output="a word",
        agent=writer,
        human_input=human_input,
    )
    return Crew(agents=[writer], tasks=[job])


def crew(world: World, to: str, *, human_input: bool = False) -> str:
    """Run a crew."""
    return str(_crew(world, to, human_input=human_input).kickoff())


async def acrew(world: World, to: str, *, human_input: bool = False) -> str:
    """Run a crew in a coroutine."""
    return str(await _crew(world, to, human_input=human_input).kickoff_async())


class State(TypedDict):
    """What a graph passes on."""

    to: str
    said: str


def letters_graph(world: World) -> Any:
    """Return a graph that sends a letter and has it checked."""

    @graph_tool
    def send(to: str) -> str:
        """Send a letter."""
        return world.send(to)

    def write(state: State) -> dict[str, str]:
        return {"said": send.invoke({"to": state["to"]})}

    def check(state: State) -> dict[str, str]:
        return {"said": f"{state['said']} {interrupt('Good?')}"} if world.asks else {}

    builder = StateGraph(State)
    builder.add_node("write", write)
    builder.add_node("check", check)
    builder.add_edge(START, "write")
    builder.add_edge("write", "check")
    builder.add_edge("check", END)
    return builder.compile(name="letters")


def graph(world: World, to: str) -> str:
    """Run a graph."""
    return str(letters_graph(world).invoke({"to": to})["said"])


async def agraph(world: World, to: str) -> str:
    """Run a graph in a coroutine."""
    return str((await letters_graph(world).ainvoke({"to": to}))["said"])


def wrapped_graph(world: World, to: str) -> str:
    """Invoke a wrapped graph."""
    return str(_wrapped(world, letters_graph(world)).invoke({"to": to})["said"])


async def awrapped_graph(world: World, to: str) -> str:
    """Invoke a wrapped graph in a coroutine."""
    return str((await _wrapped(world, letters_graph(world)).ainvoke({"to": to}))["said"])


def streamed_graph(world: World, to: str) -> str:
    """Return what the parts of a wrapped graph's stream say."""
    parts = list(_wrapped(world, letters_graph(world)).stream({"to": to}, stream_mode="values"))
    return str(parts[-1]["said"])


async def astreamed_graph(world: World, to: str) -> str:
    """Return what the parts of a wrapped graph's stream say, in a coroutine."""
    stream = _wrapped(world, letters_graph(world)).astream({"to": to}, stream_mode="values")
    parts = [part async for part in stream]
    return str(parts[-1]["said"])


async def awrapped_team(world: World, to: str) -> str:
    """Invoke a wrapped AutoGen team."""
    client = _client(world)
    try:
        return _last_words(await _wrapped(world, _team(world, client)).ainvoke(CALL % (to, to)))
    finally:
        await client.close()


def wrapped_team(world: World, to: str) -> str:
    """Invoke a wrapped AutoGen team in plain code."""
    client = _client(world)
    try:
        return _last_words(_wrapped(world, _team(world, client)).invoke(CALL % (to, to)))
    finally:
        asyncio.run(client.close())


def wrapped_crew(world: World, to: str) -> str:
    """Invoke a wrapped crew."""
    return str(_wrapped(world, _crew(world, to, human_input=True)).invoke({}))


async def awrapped_crew(world: World, to: str) -> str:
    """Invoke a wrapped crew in a coroutine."""
    return str(await _wrapped(world, _crew(world, to, human_input=True)).ainvoke({}))


def _wrapped(world: World, target: object) -> durably.Durable:
    assert world.host is not None
    return durably.wrap(target, checkpointer=world.host)


@dataclass(frozen=True)
class Means:
    """One means by which an object of a framework asks a person.

    Attributes:
        run: Calls the object in plain code.
        arun: Calls it in a coroutine.
        approve: The calls that have to be approved.
        asks: Whether the tool asks by itself.
        answers: What a person says, one answer after the other, for each letter.
        said: What the object says in the end.
    """

    arun: Callable[[World, str], Awaitable[str]]
    run: Callable[[World, str], str]
    answers: tuple[Any, ...]
    said: str
    approve: tuple[str, ...] = ()
    asks: bool = False


def _plain(call: Callable[[World, str], Any]) -> Callable[[World, str], str]:
    return lambda world, to: str(asyncio.run(call(world, to)))


APPROVE = {"type": "approve"}
_SEND = ("send",)


def _human(world: World, to: str) -> str:
    return crew(world, to, human_input=True)


async def _ahuman(world: World, to: str) -> str:
    return await acrew(world, to, human_input=True)


MEANS: dict[str, Means] = {
    "team-proxy": Means(team, _plain(team), ("fine",), "Told {0}. ({0}: yes) fine"),
    "team-approval": Means(
        team, _plain(team), (APPROVE, "fine"), "Told {0}. ({0}: yes) fine", approve=_SEND
    ),
    "team-interrupt": Means(
        team, _plain(team), ("do", "fine"), "Told {0}. ({0}: do) fine", asks=True
    ),
    "agent-approval": Means(
        agent, _plain(agent), (APPROVE,), "Told {0}. ({0}: yes)", approve=_SEND
    ),
    "agent-interrupt": Means(agent, _plain(agent), ("do",), "Told {0}. ({0}: do)", asks=True),
    "crew-human-input": Means(_ahuman, _human, ("",), "Told {0}. ({0}: yes)"),
    "crew-approval": Means(acrew, crew, (APPROVE,), "Told {0}. ({0}: yes)", approve=_SEND),
    "crew-interrupt": Means(acrew, crew, ("do",), "Told {0}. ({0}: do)", asks=True),
    "graph-approval": Means(agraph, graph, (APPROVE,), "{0}: yes", approve=_SEND),
    "graph-interrupt": Means(agraph, graph, ("do", "good"), "{0}: do good", asks=True),
}
WRAPPED: dict[str, Means] = {
    "graph": Means(awrapped_graph, wrapped_graph, ("do", "good"), "{0}: do good", asks=True),
    "graph-stream": Means(
        astreamed_graph, streamed_graph, ("do", "good"), "{0}: do good", asks=True
    ),
    "team": Means(awrapped_team, wrapped_team, ("fine",), "Told {0}. ({0}: yes) fine"),
    "crew": Means(awrapped_crew, wrapped_crew, ("",), "Told {0}. ({0}: yes)"),
}
"""The same with wrapped objects, whose runs are their own."""
