"""People in the loop: a question suspends the run, and any process may go on with the answer."""

from __future__ import annotations

import asyncio
import logging

import pytest
from autogen_agentchat.agents import UserProxyAgent
from autogen_agentchat.conditions import TextMentionTermination
from autogen_agentchat.teams import RoundRobinGroupChat
from autogen_core.models import UserMessage

import durably
from durably.testing import Reply, Rule, When

from .programs import (
    CHAT_SCRIPT,
    SUM_SCRIPT,
    adder,
    never_asked,
    reviewed,
    texts,
    writers,
)

CONFIG = {"configurable": {"thread_id": "t1"}}


async def never_asked_async(prompt, cancellation_token):
    """Stand in for an asynchronous terminal that nobody sits at."""
    never_asked(prompt)


def question(result):
    """Return the one question of a waiting run."""
    (interrupt,) = result["__interrupt__"]
    return interrupt.value


@pytest.mark.parametrize("input_func", [never_asked, never_asked_async, None])
async def test_a_user_proxy_asks_and_the_answer_continues_elsewhere(
    host, serve, client, caplog, input_func
):
    """The run waits without a task, a thread or a log line, and is answered on another object."""
    server = serve(CHAT_SCRIPT)
    with caplog.at_level(logging.WARNING):
        team = reviewed(client(server), input_func)
        waiting = await durably.wrap(team, checkpointer=host).ainvoke("A poem.", CONFIG)
    assert question(waiting) == {
        "kind": "input_required",
        "name": "boss",
        "message": "Enter your response:",
    }
    assert asyncio.all_tasks() == {asyncio.current_task()}
    assert caplog.records == []

    fresh = durably.wrap(reviewed(client(server)), checkpointer=host)
    done = await fresh.ainvoke(durably.Command(resume="APPROVE"), CONFIG)
    assert texts(done)[-1] == ("boss", "APPROVE")
    assert server.count() == 1


async def test_an_answer_is_used_in_the_same_process_on_the_same_object(host, serve, client):
    """The object that was unwound in the middle goes on as if it had waited."""
    server = serve(CHAT_SCRIPT)
    team = durably.wrap(reviewed(client(server)), checkpointer=host)
    await team.ainvoke("A poem.", CONFIG)
    again = await team.ainvoke(durably.Command(resume="Again, please."), CONFIG)
    assert question(again)["name"] == "boss"
    done = await team.ainvoke(durably.Command(resume="APPROVE"), CONFIG)
    assert texts(done) == [
        ("user", "A poem."),
        ("writer", "I wrote it."),
        ("boss", "Again, please."),
        ("writer", "I wrote it better."),
        ("boss", "APPROVE"),
    ]
    assert server.count() == 2


async def test_a_waiting_run_runs_the_programs_finally_and_not_its_except(host, serve, client):
    """A suspended run is unwound like a cancelled one: resources are given back."""
    server, seen = serve(CHAT_SCRIPT), []

    @durably.entrypoint(checkpointer=host)
    async def flow(_: str) -> object:
        try:
            return texts(await reviewed(client(server)).run(task="A poem."))
        except Exception:
            seen.append("except")
            raise
        finally:
            seen.append("finally")

    await flow.ainvoke("go", CONFIG)
    assert seen == ["finally"]
    done = await flow.ainvoke(durably.Command(resume="APPROVE"), CONFIG)
    assert done[-1] == ("boss", "APPROVE")


@pytest.mark.parametrize("kind", ["async", "sync"])
async def test_a_tool_may_ask_a_person(host, serve, client, kind):
    """interrupt() inside a tool suspends the run; with the answer the tool runs to its end."""
    server, done = serve(SUM_SCRIPT), []

    def ask(a: int, b: int) -> int:
        """Add, if a person agrees."""
        if durably.interrupt({"message": f"Add {a} and {b}?"}) == "yes":
            done.append((a, b))
        return a + b

    async def aask(a: int, b: int) -> int:
        """Add, if a person agrees."""
        return ask(a, b)

    ask.__name__ = aask.__name__ = "add"

    def agent():
        return adder(client(server), ask if kind == "sync" else aask)

    waiting = await durably.wrap(agent(), checkpointer=host).ainvoke("2 and 3", CONFIG)
    assert question(waiting) == {"message": "Add 2 and 3?"}
    assert done == []
    fresh = durably.wrap(agent(), checkpointer=host)
    result = await fresh.ainvoke(durably.Command(resume="yes"), CONFIG)
    assert texts(result)[-1] == ("adder", "The sum is 5.")
    assert (done, server.count()) == ([(2, 3)], 2)


async def test_parallel_tools_ask_together(host, serve, client):
    """Two tools that ask at the same time surface both questions, and each gets its answer."""
    from durably.testing import Reply, Rule, When

    both = Reply.tools(("add", {"a": 1, "b": 1}), ("add", {"a": 2, "b": 2}))
    server = serve([Rule(When(tool="add"), Reply.text("Done.")), Rule(When(), both)])

    async def add(a: int, b: int) -> str:
        """Ask a person for the sum."""
        return durably.interrupt({"message": f"{a} + {b}?"})

    def agent():
        return durably.wrap(adder(client(server), add), checkpointer=host)

    waiting = await agent().ainvoke("go", CONFIG)
    asked = {one.value["message"]: one.id for one in waiting["__interrupt__"]}
    assert set(asked) == {"1 + 1?", "2 + 2?"}
    answers = {asked["1 + 1?"]: "two", asked["2 + 2?"]: "four"}
    done = await agent().ainvoke(durably.Command(resume=answers), CONFIG)
    results = next(m for m in done.messages if type(m).__name__ == "ToolCallExecutionEvent")
    assert [one.content for one in results.content] == ["two", "four"]
    assert server.count() == 2


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        ({"type": "respond", "value": "5"}, "5"),
        ({"type": "reject"}, "it is not repeated"),
        ({"type": "approve"}, "done"),
    ],
    ids=["respond", "reject", "approve"],
)
async def test_a_tool_left_half_way_asks_a_person(serve, client, answer, told):
    """With effect="once" a tool whose process died is not repeated unasked; the model is told."""
    server, begun, calls = serve(SUM_SCRIPT), asyncio.Event(), []

    async def add(a: int, b: int) -> str:
        """Die the first time."""
        calls.append((a, b))
        if len(calls) == 1:
            begun.set()
            await asyncio.get_running_loop().create_future()
        return "done"

    agent = durably.wrap(
        adder(client(server), add),
        checkpointer="memory:",
        policies={"add": durably.StepPolicy(effect="once")},
    )
    running = asyncio.create_task(agent.ainvoke("2 and 3", CONFIG))
    await begun.wait()
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running

    waiting = await agent.ainvoke(None, CONFIG)
    assert question(waiting)["name"] == "add"
    assert len(calls) == 1
    done = await agent.ainvoke(durably.Command(resume=answer), CONFIG)
    (result,) = next(m for m in done.messages if m.type == "ToolCallExecutionEvent").content
    assert told in result.content
    assert result.is_error == (answer["type"] == "reject")
    assert len(calls) == (2 if answer["type"] == "approve" else 1)


ASKED: list[str] = []
"""The prompts of every copy of the agent: a wrapped team's run works on a copy."""


class Chat(UserProxyAgent):
    """Asks by means of its own; perhaps after a model had a look at what was said."""

    def __init__(self, answers, look=None):
        super().__init__("boss")
        self._answers, self._look = answers, look

    async def _get_input(self, prompt, cancellation_token):
        ASKED.append(prompt)
        return self._answers.pop(0)

    async def on_messages_stream(self, messages, cancellation_token):
        if self._look is not None:
            said = UserMessage(content=messages[-1].to_text(), source="boss")
            await self._look.create([said])
        async for item in super().on_messages_stream(messages, cancellation_token):
            yield item


@pytest.mark.parametrize("looks", [True, False])
async def test_what_a_subclass_asks_by_itself_is_asked_once(host, serve, client, looks):
    """Whether or not its turn has other steps in it, its answers come from the journal."""
    server = serve([*CHAT_SCRIPT, Rule(When(), Reply.text("Seen."))])
    answers = ["Again, please.", "APPROVE"]
    ASKED.clear()

    def team():
        boss = Chat(answers, client(server) if looks else None)
        stop = TextMentionTermination("APPROVE", sources=["boss"])
        return RoundRobinGroupChat([writers(client(server))[0], boss], termination_condition=stop)

    told = [
        texts(await durably.wrap(team(), checkpointer=host).ainvoke(given, CONFIG))
        for given in ("A poem.", None)
    ]
    assert told[0] == told[1]
    assert [text for source, text in told[0] if source == "boss"] == ["Again, please.", "APPROVE"]
    assert len(ASKED) == len(answers)


async def test_another_task_on_a_waiting_thread_gives_the_run_up(host, serve, client):
    """A wrapped team's new input closes the question of the run that waited."""
    server = serve(CHAT_SCRIPT)

    def team():
        return durably.wrap(reviewed(client(server)), checkpointer=host)

    await team().ainvoke("A poem.", CONFIG)
    [before] = durably.Inbox(host).pending()
    await team().ainvoke("A longer poem.", CONFIG)
    [now] = durably.Inbox(host).pending()
    assert team().get_state(CONFIG).run == now.run != before.run
    with pytest.raises(durably.AnswerRefused, match=f"run {now.run} took its place"):
        durably.Inbox(host).answer(before.id, "APPROVE")
    with pytest.raises(durably.AnswerRefused, match="superseded"):
        await team().ainvoke(durably.Command(resume={before.id: "APPROVE"}), CONFIG)
    done = await team().ainvoke(durably.Command(resume="APPROVE"), CONFIG)
    assert texts(done)[0] == ("user", "A longer poem.")
