"""Getting out of AutoGen: whatever ends a run ends it at once, with its own error, and cleanly."""

from __future__ import annotations

import asyncio
import logging

import pytest
from autogen_agentchat.agents import AssistantAgent, BaseChatAgent
from autogen_agentchat.base import Response
from autogen_agentchat.messages import TextMessage
from autogen_agentchat.teams import RoundRobinGroupChat
from autogen_core import SingleThreadedAgentRuntime
from autogen_core.tools import FunctionTool, StaticWorkbench
from openai import BadRequestError

import durably
from durably.testing import Reply, Rule, When

from .programs import CHAT_SCRIPT, SUM_SCRIPT, Sums, adder, reviewed, round_robin, texts

CONFIG = {"configurable": {"thread_id": "t1"}}


class FullDisk(durably.MemoryStorage):
    """A storage that has room for a few appends only."""

    def __init__(self, room):
        super().__init__()
        self.room = room

    def append(self, lease, rows, blobs, *, barrier):
        """Append while there is room."""
        self.room -= 1
        if self.room < 0:
            raise durably.StorageError("the disk is full")
        super().append(lease, rows, blobs, barrier=barrier)


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
@pytest.mark.parametrize("room", [2, 3, 4])
async def test_a_full_disk_in_a_team_stops_the_run_with_its_error(serve, client, room, stream):
    """The journal's error reaches the caller, not as text, and the run can go on later."""
    server, storage = serve(CHAT_SCRIPT), FullDisk(room)
    host = durably.Host(storage)
    team = durably.wrap(round_robin(client(server), stream=stream), checkpointer=host)
    with pytest.raises(durably.StorageError, match="the disk is full"):
        await team.ainvoke("A poem.", CONFIG)
    storage.room = 1000
    done = await team.ainvoke(None, CONFIG)
    assert texts(done)[-1] == ("critic", "APPROVE")
    host.close()


async def test_a_full_disk_in_a_tool_stops_the_run(serve, client):
    """A tool whose start cannot be recorded is not called; its error is not told to the model."""
    server, sums = serve(SUM_SCRIPT), Sums()
    host = durably.Host(FullDisk(2))
    agent = durably.wrap(adder(client(server), sums.add), checkpointer=host)
    with pytest.raises(durably.StorageError):
        await agent.ainvoke("2 and 3", CONFIG)
    assert (sums.calls, server.count()) == ([], 1)
    host.close()


async def test_a_value_that_cannot_be_journaled_ends_the_run_with_its_error(host):
    """A tool's result that has no bytes is an EncodeError that names the step."""

    def unwritable() -> object:
        """Return what no journal takes."""
        return (item for item in ())

    @durably.entrypoint(checkpointer=host)
    async def flow(_: str) -> None:
        from autogen_core import CancellationToken

        await FunctionTool(unwritable, "Fails.").run_json({}, CancellationToken())

    with pytest.raises(durably.EncodeError) as caught:
        await flow.ainvoke("go", CONFIG)
    assert any("tool unwritable" in note for note in caught.value.__notes__)


async def test_a_models_error_is_the_cause_of_what_the_team_raises(host, serve, client):
    """AutoGen makes text of a model's error; the error itself is its cause, and is tried again."""
    script = [Rule(When(), Reply.error(400, "no such model"), times=1), *CHAT_SCRIPT]
    server = serve(script)
    team = durably.wrap(round_robin(client(server)), checkpointer=host)
    with pytest.raises(RuntimeError, match="no such model") as caught:
        await team.ainvoke("A poem.", CONFIG)
    assert isinstance(caught.value.__cause__, BadRequestError)
    done = await team.ainvoke(None, CONFIG)
    assert texts(done)[-1] == ("critic", "APPROVE")


class Odd(BaseException):
    """An exception of the kind that AutoGen waits for ever on."""


class Raiser(BaseChatAgent):
    """An agent that raises."""

    produced_message_types = (TextMessage,)

    def __init__(self, error):
        super().__init__("raiser", "Raises.")
        self.error = error

    async def on_messages(self, messages, cancellation_token):
        """Raise."""
        raise self.error

    async def on_reset(self, cancellation_token):
        """Do nothing."""


@pytest.mark.parametrize("error", [Odd("odd"), ValueError("even")], ids=["base", "ordinary"])
async def test_an_agent_that_raises_anything_ends_the_teams_run(host, error):
    """No exception of a member's makes a durable run of its team hang."""
    team = durably.wrap(RoundRobinGroupChat([Raiser(error)], max_turns=1), checkpointer=host)
    with pytest.raises((Odd, RuntimeError), match=str(error)):
        await team.ainvoke("Go.", CONFIG)


class BrokenBench(StaticWorkbench):
    """A workbench that raises instead of returning an error."""

    async def call_tool(self, name, arguments=None, cancellation_token=None, call_id=None):
        """Raise."""
        raise ValueError("the bench broke")


@pytest.mark.parametrize("in_team", [False, True], ids=["alone", "in a team"])
async def test_a_workbench_that_raises_ends_the_run(host, serve, client, in_team):
    """An assistant waits for ever for such a call's result; a durable run ends with the error."""
    bench = BrokenBench([FunctionTool(Sums().add, "Adds.")])
    agent = AssistantAgent("adder", client(serve(SUM_SCRIPT)), workbench=bench)
    target = RoundRobinGroupChat([agent], max_turns=1) if in_team else agent
    with pytest.raises(ValueError, match="the bench broke"):
        await durably.wrap(target, checkpointer=host).ainvoke("2 and 3", CONFIG)


async def test_a_tool_that_raises_past_except_exception_ends_the_run(host, serve, client):
    """A BaseException in a tool gets out as itself."""

    async def add(a: int, b: int) -> int:
        """Fail oddly."""
        raise Odd("odd")

    team = RoundRobinGroupChat([adder(client(serve(SUM_SCRIPT)), add)], max_turns=1)
    with pytest.raises(Odd):
        await durably.wrap(team, checkpointer=host).ainvoke("2 and 3", CONFIG)


async def test_a_team_is_usable_after_it_was_unwound(host, serve, client):
    """A new run on another thread begins as if the waiting one had not been."""
    server = serve(CHAT_SCRIPT)
    team = durably.wrap(reviewed(client(server)), checkpointer=host)
    await team.ainvoke("A poem.", CONFIG)
    other = {"configurable": {"thread_id": "t2"}}
    waiting = await team.ainvoke("A song.", other)
    assert "__interrupt__" in waiting
    done = await team.ainvoke(durably.Command(resume="APPROVE"), other)
    assert texts(done)[0] == ("user", "A song.")
    assert "A poem." not in str(server.requests[1].texts)


async def test_a_team_on_a_runtime_of_the_programs_own_is_recorded(host, serve, client, caplog):
    """Handlers run in the context of whoever started the runtime; their run is found."""
    server = serve(CHAT_SCRIPT)
    runtime = SingleThreadedAgentRuntime()
    runtime.start()

    def team():
        made = reviewed(client(server))
        members, stop = made._participants, made._termination_condition
        return RoundRobinGroupChat(members, termination_condition=stop, runtime=runtime)

    waiting = await durably.wrap(team(), checkpointer=host).ainvoke("A poem.", CONFIG)
    assert "__interrupt__" in waiting
    done = await durably.wrap(team(), checkpointer=host).ainvoke(
        durably.Command(resume="APPROVE"), CONFIG
    )
    assert texts(done)[-1] == ("boss", "APPROVE")
    assert server.count() == 1
    plain = await round_robin(client(server)).run(task="A poem.")
    assert texts(plain)[-1] == ("critic", "APPROVE")
    await runtime.stop()


async def test_a_nested_team_is_unwound_and_continued(host, serve, client, caplog):
    """A question in a team that is a member of a team suspends the whole."""
    server = serve(CHAT_SCRIPT)

    def team():
        inner = reviewed(client(server))
        return durably.wrap(RoundRobinGroupChat([inner], max_turns=1), checkpointer=host)

    with caplog.at_level(logging.WARNING):
        assert "__interrupt__" in await team().ainvoke("A poem.", CONFIG)
    assert caplog.records == []
    done = await team().ainvoke(durably.Command(resume="APPROVE"), CONFIG)
    assert texts(done)[-1] == ("boss", "APPROVE")
    assert server.count() == 1


async def test_a_cancelled_run_can_go_on(host, serve, client):
    """A run that its caller gives up leaves nothing behind, and is continued where it was."""
    loop, asked = asyncio.get_running_loop(), asyncio.Event()

    def answer(request):
        if "You judge" not in str(request.texts):
            return Reply.text("I wrote it.")
        late = Reply.text("APPROVE").delayed(0 if asked.is_set() else 60)
        loop.call_soon_threadsafe(asked.set)
        return late

    server = serve(answer)
    team = durably.wrap(round_robin(client(server)), checkpointer=host)
    running = asyncio.create_task(team.ainvoke("A poem.", CONFIG))
    await asked.wait()
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    done = await team.ainvoke(None, CONFIG)
    assert texts(done)[-1] == ("critic", "APPROVE")
    assert sorted(server.counts.values()) == [1, 2]


class Echo(BaseChatAgent):
    """An agent without a model."""

    produced_message_types = (TextMessage,)

    async def on_messages(self, messages, cancellation_token):
        """Say it again."""
        return Response(chat_message=TextMessage(content=messages[-1].content, source=self.name))

    async def on_reset(self, cancellation_token):
        """Do nothing."""


async def test_other_programs_logs_are_left_alone(host, caplog):
    """AutoGen's own errors are logged as ever while no run is being unwound."""
    team = RoundRobinGroupChat([Raiser(ValueError("even")), Echo("echo", "Echoes.")], max_turns=2)
    with pytest.raises(RuntimeError), caplog.at_level(logging.ERROR):
        await durably.wrap(team, checkpointer=host).ainvoke("Go.", CONFIG)
    assert "Error processing publish message" in caplog.text
