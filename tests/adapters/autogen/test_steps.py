"""What a step is: model calls, tool calls and code, each recorded once, whoever makes them."""

from __future__ import annotations

import re
import warnings

import pytest
from autogen_agentchat.agents import AssistantAgent, CodeExecutorAgent
from autogen_agentchat.messages import MultiModalMessage, TextMessage
from autogen_agentchat.teams import Swarm
from autogen_agentchat.tools import AgentTool
from autogen_core import CancellationToken, Image
from autogen_core.models import SystemMessage, UserMessage
from autogen_core.tools import (
    FunctionTool,
    ImageResultContent,
    StaticWorkbench,
    ToolOverride,
    ToolResult,
)
from autogen_ext.models.cache import ChatCompletionCache
from autogen_ext.models.replay import ReplayChatCompletionClient
from PIL import Image as Picture
from pydantic import BaseModel

import durably
from durably.testing import Reply, Rule, When

from .programs import SUM_SCRIPT, Sums, adder, texts

CONFIG = {"configurable": {"thread_id": "t1"}}


class Watch(durably.Listener):
    """Notes the steps that were executed and replayed."""

    def __init__(self):
        self.done, self.replayed, self.spans = [], [], []

    def step_finished(self, step, error):
        self.done.append((step.kind, step.name))

    def step_replayed(self, step):
        self.replayed.append((step.kind, step.name))

    def span_started(self, lane, kind, name):
        self.spans.append((kind, name))


@pytest.fixture
def watch():
    return Watch()


@pytest.fixture
def host(watch):
    made = durably.Host("memory:", listeners=[watch])
    yield made
    made.close()


@pytest.fixture
def twice(drive):
    """Return a function that runs a body in a run, replays the run, and returns both results."""

    async def runs(body):
        return await drive(body), await drive(body)

    return runs


async def test_a_client_that_the_program_calls_itself_is_a_step(twice, serve, client, watch):
    """A model call outside of any agent is recorded and replayed, totals included."""
    server = serve([Rule(When(), Reply.text("Hi.").using(prompt=7, completion=3))])
    clients = []

    async def body():
        clients.append(client(server))
        result = await clients[-1].create([UserMessage(content="Hello?", source="user")])
        return result.content, clients[-1].total_usage(), clients[-1].actual_usage()

    first, again = await twice(body)
    assert first == again
    assert first[1].prompt_tokens == 7
    assert (server.count(), watch.done) == (1, [("model", "gpt-4o-mini")])


async def test_a_cache_around_a_client_is_one_step(twice, serve, client, watch):
    """A wrapper of a client and the client itself are one step, streamed or not."""
    server = serve([Rule(When(), Reply.text("Hi there."))])

    async def body():
        cached = ChatCompletionCache(client(server))
        question = [UserMessage(content="Hello?", source="user")]
        whole = await cached.create(question)
        other = [UserMessage(content="Hello again?", source="user")]
        pieces = [piece async for piece in cached.create_stream(other)]
        return whole.content, pieces[:-1], pieces[-1].content

    first, again = await twice(body)
    assert first == again
    assert watch.done == [("model", "gpt-4o-mini")] * 2
    assert server.count() == 2


async def test_a_client_that_answers_from_a_list_goes_on_where_it_was(drive, watch):
    """A scripted client is moved on by replayed calls, so that live ones get the next answer."""
    said = []

    async def body():
        scripted = ReplayChatCompletionClient(["one", "two"])
        question = [UserMessage(content="Next?", source="user")]
        said.append((await scripted.create(question)).content)
        if len(said) == 1:
            raise RuntimeError("the process dies here")
        said.append((await scripted.create(question)).content)
        return said

    with pytest.raises(RuntimeError, match="dies"):
        await drive(body)
    assert await drive(body) == ["one", "one", "two"]


class Answer(BaseModel):
    """What the model is to fill in."""

    number: int


@pytest.mark.parametrize(
    "change",
    [
        {"tool_choice": "required"},
        {"json_output": True},
        {"extra_create_args": {"seed": 7}},
        {"tools": []},
        {"json_output": Answer},
    ],
    ids=["tool choice", "json mode", "extra arguments", "tools", "structured"],
)
async def test_what_changes_the_answer_makes_another_request(host, drive, serve, client, change):
    """The same messages with another option are another step, not a replay."""
    server = serve([Rule(When(), Reply.text('{"number": 1}'))])
    tool = FunctionTool(Sums().add, "Adds.")
    options = [{"tools": [tool]}]

    async def body():
        question = [SystemMessage(content="Be brief."), UserMessage(content="?", source="user")]
        await client(server).create(question, **options[0])

    await drive(body)
    options[0] = {"tools": [tool], **change}
    host.options.on_change = "error"
    with pytest.raises(durably.ProgramChanged):
        await drive(body)
    assert server.count() == 1


async def test_another_picture_makes_another_request(host, drive, serve, client):
    """Pictures count by their pixels."""
    server = serve([Rule(When(), Reply.text("A picture."))])
    colours = ["red"]

    async def body():
        picture = Image.from_pil(Picture.new("RGB", (2, 2), colours[0]))
        message = UserMessage(content=["What is it?", picture], source="user")
        return (await client(server).create([message])).content

    await drive(body)
    await drive(body)
    assert server.count() == 1
    colours[0] = "blue"
    host.options.on_change = "rerun"
    await drive(body)
    assert server.count() == 2


async def test_a_message_with_a_picture_survives_the_journal(host, serve, client):
    """A run is given a picture, and replays with it in another process."""
    server = serve([Rule(When(), Reply.text("Red."))])
    picture = Image.from_pil(Picture.new("RGB", (2, 2), "red"))
    task = MultiModalMessage(content=["Which colour?", picture], source="user")
    agent = AssistantAgent("seer", model_client=client(server))
    first = await durably.wrap(agent, checkpointer=host).ainvoke([task], CONFIG)
    fresh = AssistantAgent("seer", model_client=client(server))
    again = await durably.wrap(fresh, checkpointer=host).ainvoke(None, CONFIG)
    assert again.model_dump_json() == first.model_dump_json()
    assert server.count() == 1


async def test_a_tool_called_without_a_workbench_is_a_step(twice, watch):
    """A program that calls a tool itself gets the recorded value back, of its own type."""
    sums = Sums()

    async def body():
        tool = FunctionTool(sums.add, "Adds.", name="plus")
        return await tool.run_json({"a": 1, "b": 2}, CancellationToken())

    assert await twice(body) == (3, 3)
    assert (sums.calls, watch.done) == ([(1, 2)], [("tool", "plus")])


async def test_a_tool_in_a_workbench_is_one_step_under_its_own_name(twice, watch):
    """A tool that a workbench shows under another name is one step, named as it was defined."""
    sums = Sums()

    async def body():
        tool = FunctionTool(sums.add, "Adds.")
        bench = StaticWorkbench([tool], tool_overrides={"add": ToolOverride(name="plus")})
        return await bench.call_tool("plus", {"a": 1, "b": 2})

    first, again = await twice(body)
    assert first == again
    assert first.to_text() == "3"
    assert (sums.calls, watch.done) == ([(1, 2)], [("tool", "add")])


class Camera(StaticWorkbench):
    """A workbench of the program's own, whose results hold pictures."""

    async def call_tool(self, name, arguments=None, cancellation_token=None, call_id=None):
        """Take a picture."""
        await super().call_tool(name, arguments, cancellation_token, call_id)
        picture = Image.from_pil(Picture.new("RGB", (2, 2), "red"))
        return ToolResult(name=name, result=[ImageResultContent(content=picture)])


async def test_a_workbench_defined_late_is_one_step_with_its_base(twice, watch):
    """A subclass that calls super() is one step; pictures in results survive the journal."""

    async def body():
        result = await Camera([FunctionTool(Sums().add, "Adds.")]).call_tool(
            "add", {"a": 1, "b": 2}
        )
        return result.to_text()

    first, again = await twice(body)
    assert first == again
    assert first.startswith("[Image: ")
    assert watch.done == [("tool", "add")]


async def test_a_tool_that_raises_is_told_to_the_model_and_not_called_again(host, serve, client):
    """AutoGen tells the model of a tool's error; the replay does too, without a call."""
    calls = []

    def explode(a: int) -> int:
        """Fail."""
        calls.append(a)
        raise ValueError("no such number")

    script = [
        Rule(When(result="no such number"), Reply.text("It failed.")),
        Rule(When(), Reply.tool("explode", {"a": 1})),
    ]
    server = serve(script)

    def agent():
        return adder(client(server), explode)

    first = await durably.wrap(agent(), checkpointer=host).ainvoke("go", CONFIG)
    again = await durably.wrap(agent(), checkpointer=host).ainvoke(None, CONFIG)
    assert texts(first)[-1] == ("adder", "It failed.")
    assert again.model_dump_json() == first.model_dump_json()
    assert (calls, server.count()) == ([1], 2)


async def test_a_synchronous_tool_sees_the_run(host, serve, client):
    """A tool that runs in a thread of the pool can ask for its idempotency key."""
    keys = []

    def add(a: int, b: int) -> int:
        """Add."""
        keys.append(durably.idempotency_key())
        return a + b

    agent = adder(client(serve(SUM_SCRIPT)), add)
    await durably.wrap(agent, checkpointer=host).ainvoke("2 and 3", CONFIG)
    assert len(keys) == 1
    assert re.search(r"agent:adder:[0-9a-f]{8}/add~", keys[0])


async def test_parallel_calls_of_one_tool_keep_their_results(host, serve, client):
    """Two calls at once are two steps, and each replays to its own place."""
    sums = Sums()
    both = Reply.tools(("add", {"a": 1, "b": 1}), ("add", {"a": 2, "b": 2}))
    server = serve([Rule(When(tool="add"), Reply.text("2 and 4.")), Rule(When(), both)])
    first = await durably.wrap(adder(client(server), sums.add), checkpointer=host).ainvoke(
        "go", CONFIG
    )
    fresh = durably.wrap(adder(client(server), sums.add), checkpointer=host)
    again = await fresh.ainvoke(None, CONFIG)
    assert again.model_dump_json() == first.model_dump_json()
    assert sorted(sums.calls) == [(1, 1), (2, 2)]


async def test_an_agent_as_a_tool_is_a_span(host, serve, client, watch):
    """A tool that runs an agent is executed again, and what it did is replayed."""
    script = [
        Rule(When(system="You are the expert"), Reply.text("Forty-two.")),
        Rule(When(tool="expert"), Reply.text("The expert says forty-two.")),
        Rule(When(), Reply.tool("expert", {"task": "What is it?"})),
    ]
    server = serve(script)

    def chief():
        expert = AssistantAgent(
            "expert", model_client=client(server), system_message="You are the expert."
        )
        tools = [AgentTool(expert)]
        return AssistantAgent(
            "chief",
            model_client=client(server, parallel_tool_calls=False),
            tools=tools,
            max_tool_iterations=2,
        )

    first = await durably.wrap(chief(), checkpointer=host).ainvoke("Ask.", CONFIG)
    assert watch.done == [("model", "gpt-4o-mini")] * 3
    assert watch.spans == [("agent", "chief"), ("tool", "expert"), ("agent", "expert")]
    again = await durably.wrap(chief(), checkpointer=host).ainvoke(None, CONFIG)
    assert again.model_dump_json() == first.model_dump_json()
    assert server.count() == 3


async def test_a_handoff_is_no_step(host, serve, client, watch):
    """Handing over to another agent costs no record of its own."""
    script = [
        Rule(When(system="You are alice"), Reply.tool("transfer_to_bob")),
        Rule(When(system="You are bob"), Reply.text("TERMINATE")),
    ]
    server = serve(script)

    def swarm():
        alice = AssistantAgent(
            "alice", model_client=client(server), handoffs=["bob"], system_message="You are alice."
        )
        bob = AssistantAgent("bob", model_client=client(server), system_message="You are bob.")
        return Swarm([alice, bob], max_turns=2)

    first = await durably.wrap(swarm(), checkpointer=host).ainvoke("Go.", CONFIG)
    assert watch.done == [("model", "gpt-4o-mini")] * 2
    again = await durably.wrap(swarm(), checkpointer=host).ainvoke(None, CONFIG)
    assert again.model_dump_json() == first.model_dump_json()


async def test_executed_code_is_a_step(twice, tmp_path, watch):
    """Code that an agent executes is executed once."""
    from autogen_ext.code_executors.local import LocalCommandLineCodeExecutor

    code = "with open('ran.txt', 'a') as file: file.write('once ')\nprint('ran')"
    task = TextMessage(content=f"```python\n{code}\n```", source="user")

    async def body():
        with warnings.catch_warnings(action="ignore"):
            executor = LocalCommandLineCodeExecutor(work_dir=tmp_path)
            agent = CodeExecutorAgent("coder", executor)
        return texts(await agent.run(task=task))

    first, again = await twice(body)
    assert first == again
    assert "ran" in first[-1][1]
    assert (tmp_path / "ran.txt").read_text() == "once "
    assert ("code", "coder") in watch.done
