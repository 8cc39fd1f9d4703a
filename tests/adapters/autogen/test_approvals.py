"""Tool calls of unchanged agents wait for a person: approved, edited, rejected, answered."""

from __future__ import annotations

import pytest
from autogen_agentchat.agents import AssistantAgent
from autogen_core import CancellationToken
from autogen_core.tools import FunctionTool

import durably
from durably import AnswerRefused, CallRejected, Inbox
from durably.testing import Reply, Rule, When

from .programs import SUM_SCRIPT, Sums, adder

CONFIG = {"configurable": {"thread_id": "t"}}
BOTH = [
    Rule(When(tool="add"), Reply.text("Both were added.")),
    Rule(
        When(user="both"),
        Reply.tools(("add", {"a": 1, "b": 1}), ("add", {"a": 2, "b": 2})),
    ),
]


class Desk:
    """A person's desk and the processes in which a team runs, over one journal."""

    def __init__(self, tmp_path):
        self.url = f"sqlite:///{tmp_path}/journal.db"
        self.made = []

    def wrapped(self, agent, approve=("add",), **more):
        host = durably.Host(self.url, approve=approve, **more)
        self.made.append(host)
        return durably.wrap(agent, checkpointer=host)

    def inbox(self):
        self.made.append(durably.Host(self.url))
        return Inbox(self.made[-1])

    def answer(self, said, position=0, **more):
        inbox = self.inbox()
        return inbox.answer(inbox.pending()[position].id, said, by="ada", **more)

    def close(self):
        for host in self.made:
            host.close()


@pytest.fixture
def desk(tmp_path):
    made = Desk(tmp_path)
    yield made
    made.close()


def tool_texts(server):
    """Return what the model was last told of its tool calls."""
    return [result.text for result in server.requests[-1].tool_results]


@pytest.mark.parametrize(
    ("said", "outcome"),
    [
        ({"type": "approve"}, ([(2, 3)], ["5"])),
        (
            {"type": "edit", "args": {"a": 4, "b": 4}},
            ([(4, 4)], ["A person changed this call", '{"a": 4, "b": 4}', "8"]),
        ),
        (
            {"type": "reject", "message": "not on a Friday"},
            ([], ["A person rejected this call of add", "not on a Friday"]),
        ),
        ({"type": "respond", "message": "I did it: 5"}, ([], ["I did it: 5"])),
    ],
    ids=["approve", "edit", "reject", "respond"],
)
async def test_a_call_waits_and_is_decided_elsewhere(desk, serve, client, said, outcome):
    """The tool is called with what the person decided, once, and the model is told of it."""
    calls, told = outcome
    server = serve(SUM_SCRIPT)
    sums = Sums()

    def agent():
        return adder(client(server), sums.add)

    waiting = await desk.wrapped(agent()).ainvoke("What is 2 and 3?", CONFIG)
    [asked] = waiting["__interrupt__"]
    assert (sums.calls, server.count()) == ([], 1)
    [question] = desk.inbox().pending()
    assert (question.id, question.name, question.args) == (asked.id, "add", {"a": 2, "b": 3})
    assert question.args_schema["required"] == ["a", "b"]
    assert question.tool_call_id
    desk.answer(said)
    done = await desk.wrapped(agent()).ainvoke(None, CONFIG)
    assert done.messages[-1].content == "The sum is 5."
    assert (sums.calls, server.count()) == (calls, 2)
    assert all(part in tool_texts(server)[0] for part in told)
    await desk.wrapped(agent()).ainvoke(None, CONFIG)
    assert (sums.calls, server.count()) == (calls, 2)


async def test_calls_made_at_the_same_time_are_decided_one_by_one(desk, serve, client):
    """Two calls of one turn wait side by side; each gets its own answer, in any order."""
    server = serve(BOTH)
    sums = Sums()

    def agent():
        return adder(client(server), sums.add)

    await desk.wrapped(agent()).ainvoke("Add both.", CONFIG)
    waiting = desk.inbox().pending()
    assert sorted(one.args["a"] for one in waiting) == [1, 2]
    later = max(range(2), key=lambda at: waiting[at].args["a"])
    receipt = desk.answer({"type": "edit", "args": {"a": 7, "b": 0}}, later)
    assert receipt.left == 1
    assert (await desk.wrapped(agent()).ainvoke(None, CONFIG))["__interrupt__"]
    assert sums.calls in ([], [(7, 0)])
    desk.answer("approve")
    await desk.wrapped(agent()).ainvoke(None, CONFIG)
    assert sorted(sums.calls) == [(1, 1), (7, 0)]
    assert server.count() == 2
    assert sorted(text.splitlines()[-1] for text in tool_texts(server)) == ["2", "7"]


async def test_an_edit_is_held_to_the_tools_schema(desk, serve, client):
    """The tool would refuse it later; the person is told now."""
    server = serve(SUM_SCRIPT)
    await desk.wrapped(adder(client(server), Sums().add)).ainvoke("What is 2 and 3?", CONFIG)
    with pytest.raises(AnswerRefused, match="'b' is missing"):
        desk.answer({"type": "edit", "args": {"a": 1}})
    with pytest.raises(AnswerRefused, match="a: 'one' is not of type integer"):
        desk.answer({"type": "edit", "args": {"a": "one", "b": 1}})


async def test_a_question_once_asked_is_not_passed_by_without_the_rule(desk, serve, client):
    """A run continued without ``approve`` does not call what a person was asked about."""
    server = serve(SUM_SCRIPT)
    sums = Sums()
    await desk.wrapped(adder(client(server), sums.add)).ainvoke("What is 2 and 3?", CONFIG)
    again = desk.wrapped(adder(client(server), sums.add), approve=())
    assert (await again.ainvoke(None, CONFIG))["__interrupt__"]
    desk.answer({"type": "reject"})
    await desk.wrapped(adder(client(server), sums.add), approve=()).ainvoke(None, CONFIG)
    assert sums.calls == []


async def test_a_streamed_team_waits_too(desk, serve, client):
    """Calls through a streaming workbench are the same calls."""
    server = serve(SUM_SCRIPT)
    sums = Sums()

    def agent():
        return AssistantAgent(
            "adder",
            model_client=client(server),
            tools=[FunctionTool(sums.add, "Add.")],
            max_tool_iterations=3,
            model_client_stream=True,
        )

    parts = [one async for one in desk.wrapped(agent()).astream("What is 2 and 3?", CONFIG)]
    assert parts
    desk.answer({"type": "edit", "args": {"a": 5, "b": 5}})
    done = await desk.wrapped(agent()).ainvoke(None, CONFIG)
    assert done.messages[-1].content == "The sum is 5."
    assert sums.calls == [(5, 5)]
    assert "A person changed this call" in tool_texts(server)[0]


async def test_a_program_that_calls_a_tool_itself_is_told_by_an_error(desk, tmp_path):
    """Where no model asked, a rejection is an exception that the program may handle."""
    sums = Sums()
    tool = FunctionTool(sums.add, "Add.")

    @durably.entrypoint(checkpointer=durably.Host(desk.url, approve=["add"]))
    async def flow(_):
        try:
            return await tool.run_json({"a": 1, "b": 2}, CancellationToken())
        except CallRejected as error:
            return str(error)

    await flow.ainvoke(0, CONFIG)
    desk.answer({"type": "reject", "message": "no"})
    done = await flow.ainvoke(None, CONFIG)
    assert done == "a person rejected the call of add; it was not executed: no"
    await flow.ainvoke(0, {"configurable": {"thread_id": "u"}})
    desk.answer({"type": "edit", "args": {"a": 2, "b": 2}})
    assert await flow.ainvoke(None, {"configurable": {"thread_id": "u"}}) == 4
    assert sums.calls == [(2, 2)]


async def test_a_tool_that_reads_the_terminal_itself_asks_durably(desk, serve, client, monkeypatch):
    """A plain function in AutoGen's thread pool that calls ``input()`` waits like everybody."""
    monkeypatch.setattr("sys.stdin", None)
    server = serve(SUM_SCRIPT)
    calls = []

    def add(a: int, b: int) -> int:
        """Add two numbers."""
        calls.append(input(f"{a} + {b}? "))
        return a + b

    async def go(given):
        wrapped = desk.wrapped(adder(client(server), add), approve=(), catch_input=True)
        return await wrapped.ainvoke(given, CONFIG)

    [asked] = (await go("What is 2 and 3?"))["__interrupt__"]
    assert asked.value["message"] == "2 + 3?"
    desk.answer("five")
    assert (await go(None)).messages[-1].content == "The sum is 5."
    assert (calls, server.count()) == (["five"], 2)
