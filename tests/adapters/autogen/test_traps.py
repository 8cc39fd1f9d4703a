"""What a program around agents may do, and what frameworks and models do that nobody expects."""

from __future__ import annotations

import asyncio
import sys
from datetime import datetime

import pytest
from autogen_agentchat.agents import AssistantAgent
from autogen_agentchat.teams import RoundRobinGroupChat
from autogen_core import FunctionCall, SingleThreadedAgentRuntime
from autogen_core.models import CreateResult, RequestUsage, UserMessage
from autogen_core.tools import FunctionTool
from autogen_ext.models.replay import ReplayChatCompletionClient
from openai import BadRequestError

import durably
from durably.testing import Reply, Rule, When

from .programs import CHAT_SCRIPT, INFO, Sums, adder, reviewed, round_robin, texts, writers

CONFIG = {"configurable": {"thread_id": "t1"}}


async def test_a_program_that_swallows_everything_still_waits(drive, serve, client):
    """A bare except around a team that asks does not make the run go on without the answer."""
    server, after = serve(CHAT_SCRIPT), []

    async def body():
        try:
            return texts(await reviewed(client(server)).run(task="A poem."))
        except BaseException:
            after.append("swallowed")
        return (await client(server).create([UserMessage(content="And?", source="user")])).content

    waiting = await drive(body)
    (interrupt,) = waiting["__interrupt__"]
    assert (after, server.count()) == (["swallowed"], 1)
    done = await drive(body, answers={interrupt.id: "APPROVE"})
    assert done[-1] == ("boss", "APPROVE")
    assert server.count() == 1


async def gathered(*works):
    """Await works side by side."""
    return await asyncio.gather(*works)


async def grouped(*works):
    """Await works side by side in a task group."""
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(work) for work in works]
    return [task.result() for task in tasks]


@pytest.mark.parametrize("together", [gathered, grouped])
async def test_a_team_beside_one_that_asks_does_nothing_twice(drive, serve, client, together):
    """What was under way at the question is recorded, what was not yet is done later."""
    server = serve(CHAT_SCRIPT)

    async def body():
        asking = asyncio.wait_for(reviewed(client(server)).run(task="A poem."), 60)
        return [texts(one) for one in await together(asking, working())]

    async def working():
        return await RoundRobinGroupChat(writers(client(server)), max_turns=2).run(task="A song.")

    (interrupt,) = (await drive(body))["__interrupt__"]
    first, second = await drive(body, answers={interrupt.id: "APPROVE"})
    assert first[-1] == ("boss", "APPROVE")
    assert second[-1] == ("critic", "Again, please.")
    assert list(server.counts.values()) == [1, 1, 1]


async def test_two_runs_share_one_runtime(host, serve, client):
    """Teams of two runs on one runtime of the program's own do not mix up; both replay."""
    server, runtime = serve(CHAT_SCRIPT), SingleThreadedAgentRuntime()
    runtime.start()

    async def one(number, task):
        team = RoundRobinGroupChat(writers(client(server)), max_turns=2, runtime=runtime)
        config = {"configurable": {"thread_id": f"t{number}"}}
        return await durably.wrap(team, checkpointer=host).ainvoke(task, config)

    first = await asyncio.gather(*(one(n, f"Poem {n}.") for n in range(2)))
    assert [texts(result)[0] for result in first] == [("user", "Poem 0."), ("user", "Poem 1.")]
    asked = server.count()
    again = [await one(n, None) for n in range(2)]
    assert [a.model_dump_json() for a in again] == [f.model_dump_json() for f in first]
    assert server.count() == asked == 4
    await runtime.stop()


@pytest.mark.parametrize("ids", [("", ""), ("same", "same")], ids=["empty", "equal"])
async def test_calls_whose_ids_do_not_tell_them_apart(drive, ids):
    """Some models give calls no ids, or one id to two: each call keeps its own result."""
    sums, usage = Sums(), RequestUsage(prompt_tokens=1, completion_tokens=1)
    calls = [
        FunctionCall(id=ids[n], name="add", arguments=f'{{"a": {n}, "b": 1}}') for n in range(2)
    ]

    async def body():
        asked = CreateResult(
            finish_reason="function_calls", content=list(calls), usage=usage, cached=False
        )
        scripted = ReplayChatCompletionClient([asked, "Done."], model_info=INFO)
        agent = AssistantAgent("adder", scripted, tools=[FunctionTool(sums.add, "Adds.")])
        return str([one.model_dump_json() for one in (await agent.run(task="go")).messages])

    first = await drive(body)
    assert first.index('"content":"1"') < first.index('"content":"2"')
    assert await drive(body) == first
    assert sorted(sums.calls) == [(0, 1), (1, 1)]


async def test_a_prompt_that_holds_the_time_replays_later(drive, serve, client):
    """A system message that holds the time is another text each time, and the same step."""
    server = serve([Rule(When(), Reply.text("Hello."))])

    def now():
        return datetime.now().strftime("%A, %B %d, %H:%M:%S.%f")  # noqa: DTZ005 - as programs do

    async def body():
        agent = AssistantAgent("host", client(server), system_message=f"It is {now()}.")
        return (await agent.run(task="Hello?")).model_dump_json()

    first = await drive(body)
    assert await drive(body) == first
    assert server.count() == 1


async def test_a_failure_that_the_program_survives_replays(drive, serve, client):
    """A model's error that the program handled is raised again on replay, without a request."""
    server = serve([Rule(When(user="one"), Reply.error(400)), Rule(When(), Reply.text("Fine."))])

    async def body():
        model, seen = client(server), ""
        try:
            await model.create([UserMessage(content="one", source="user")])
        except BadRequestError as error:
            seen = str(error)
        made = await model.create([UserMessage(content="two", source="user")])
        return seen, made.content

    first = await drive(body)
    assert await drive(body) == first
    assert server.count() == 2


async def test_a_stream_that_breaks_off_is_asked_for_again(host, serve, client):
    """A connection that dies in the middle of an answer ends the run; it goes on from there."""
    broken = Rule(When(system="You judge"), Reply.text("Again, please.").cut(after=2), times=1)
    server = serve([broken, *CHAT_SCRIPT])

    def team():
        return durably.wrap(round_robin(client(server), stream=True), checkpointer=host)

    with pytest.raises(RuntimeError):
        await team().ainvoke("A poem.", CONFIG)
    done = await team().ainvoke(None, CONFIG)
    assert texts(done)[-1] == ("critic", "APPROVE")
    assert sorted(server.counts.values()) == [1, 1, 1, 2]


async def test_a_team_in_a_thread_with_a_loop_of_its_own(drive, serve):
    """asyncio.run in a thread that the program starts is part of the run."""
    from .programs import client_of

    server = serve(CHAT_SCRIPT)

    async def inside():
        model = client_of(server.url)
        try:
            return (await round_robin(model).run(task="A poem.")).model_dump_json()
        finally:
            await model.close()

    async def body():
        return await asyncio.to_thread(asyncio.run, inside())

    first = await drive(body)
    assert await drive(body) == first
    assert server.count() == 4


@pytest.mark.skipif(sys.version_info < (3, 12), reason="eager tasks came with Python 3.12")
async def test_eager_tasks(drive, serve, client):
    """A loop that begins tasks at once changes nothing."""
    server, loop = serve(CHAT_SCRIPT), asyncio.get_running_loop()
    loop.set_task_factory(asyncio.eager_task_factory)

    async def body():
        return texts(await reviewed(client(server)).run(task="A poem."))

    (interrupt,) = (await drive(body))["__interrupt__"]
    assert (await drive(body, answers={interrupt.id: "APPROVE"}))[-1] == ("boss", "APPROVE")
    assert server.count() == 1


async def test_the_context_of_the_program_is_seen_by_tools(drive, serve, client):
    """What the program put into a context variable is there in a tool, as without durably."""
    import contextvars

    who, seen = contextvars.ContextVar("who", default="nobody"), []
    script = [Rule(When(tool="add"), Reply.text("5.")), Rule(When(), Reply.tool("add", {"a": 2}))]

    async def add(a: int) -> int:
        """Add."""
        seen.append(who.get())
        return a

    async def body():
        who.set("ada")
        team = RoundRobinGroupChat([adder(client(serve(script)), add)], max_turns=1)
        await team.run(task="2 and 3")

    await drive(body)
    assert seen == ["ada"]
