"""Tools of unchanged graphs are steps, and wait for a person where a policy says so."""

from __future__ import annotations

from typing import Annotated

import pytest
from langchain_core.messages import AIMessage, HumanMessage, ToolMessage
from langchain_core.tools import tool
from langgraph.graph import START, MessagesState, StateGraph
from langgraph.prebuilt import InjectedState, ToolNode, tools_condition
from langgraph.types import interrupt

import durably
from durably import Inbox

CONFIG = {"configurable": {"thread_id": "t"}}
INPUT = {"messages": [HumanMessage("go")]}


def calls(*args):
    """Return the message in which a model calls the tool, once for each of *args*."""
    made = [
        {"name": "refund", "args": {"order": order, "amount": amount}, "id": f"call_{order}"}
        for order, amount in args
    ]
    return AIMessage("", tool_calls=made)


def agent(paid, *made, asks=False):
    """Return an agent as LangGraph's users write it: a model node, and a node of tools."""

    @tool
    def refund(order: str, amount: int, state: Annotated[dict, InjectedState]) -> str:
        """Pay money back."""
        note = interrupt("sure?") if asks else len(state["messages"])
        paid.append((order, amount))
        return f"paid {amount} ({note})"

    def model(state):
        has_results = isinstance(state["messages"][-1], ToolMessage)
        return {"messages": [AIMessage("done") if has_results else calls(*made)]}

    builder = StateGraph(MessagesState)
    builder.add_node("model", model)
    builder.add_node("tools", ToolNode([refund]))
    builder.add_edge(START, "model")
    builder.add_conditional_edges("model", tools_condition)
    builder.add_edge("tools", "model")
    return builder.compile()


def results(state):
    return {one.tool_call_id: one for one in state["messages"] if isinstance(one, ToolMessage)}


@pytest.fixture
def answer(storage):
    def decide(said, order):
        inbox = Inbox(durably.Host(storage))
        [found] = [one for one in inbox.pending() if one.args["order"] == order]
        return inbox.answer(found.id, said, by="ada")

    return decide


@pytest.mark.parametrize("is_async", [False, True])
@pytest.mark.parametrize(
    ("said", "done", "told"),
    [
        ("approve", [("7", 20)], "paid 20 (2)"),
        ({"type": "edit", "args": {"order": "7", "amount": 5}}, [("7", 5)], "paid 5 (2)"),
        ({"type": "reject", "message": "too late"}, [], "too late"),
        ({"type": "respond", "message": "in cash"}, [], "in cash"),
    ],
    ids=["approve", "edit", "reject", "respond"],
)
async def test_a_call_waits_and_is_decided_elsewhere(process, answer, is_async, said, done, told):  # noqa: PLR0917
    """The tool is called with what the person decided, and the model reads what became of it."""
    paid = []

    async def go(given):
        wrapped = process(agent(paid, ("7", 20)), approve=["refund"])
        return await wrapped.ainvoke(given, CONFIG) if is_async else wrapped.invoke(given, CONFIG)

    assert (await go(INPUT))["__interrupt__"]
    assert paid == []
    answer(said, "7")
    state = await go(None)
    assert (paid, state["messages"][-1].content) == (done, "done")
    message = results(state)["call_7"]
    assert told in message.content
    assert ("A person changed this call" in message.content) is ("args" in said)
    assert (message.status == "error") is (done == [] and "too late" in told)


def test_calls_of_one_turn_are_decided_one_by_one(process, storage):
    """Each call has a question of its own, asked together or in turn as LangGraph's pool has it."""
    paid = []
    decisions = {"1": "approve", "2": {"type": "edit", "args": {"order": "2", "amount": 9}}}
    given = INPUT
    for _ in range(3):
        state = process(agent(paid, ("1", 1), ("2", 2)), approve=["refund"]).invoke(given, CONFIG)
        given = None
        if "messages" in state:
            break
        inbox = Inbox(durably.Host(storage))
        asked = inbox.pending()[-1]
        inbox.answer(asked.id, decisions[asked.args["order"]])
    assert state["messages"][-1].content == "done"
    assert sorted(paid) == [("1", 1), ("2", 9)]


def test_a_tool_that_was_called_is_not_called_again(process):
    """A node that is executed again because it asked does not do again what its tools did."""
    paid = []
    first = process(agent(paid, ("1", 1)))
    first.invoke(INPUT, CONFIG)
    process(agent(paid, ("1", 1))).invoke(None, CONFIG)
    assert paid == [("1", 1)]


def test_a_tool_may_ask_by_itself(process):
    """LangGraph's own ``interrupt`` inside a tool is no failure of it."""
    paid = []
    [asked] = process(agent(paid, ("1", 1), asks=True)).invoke(INPUT, CONFIG)["__interrupt__"]
    assert asked.value == "sure?"
    wrapped = process(agent(paid, ("1", 1), asks=True))
    state = wrapped.invoke(durably.Command(resume="yes"), CONFIG)
    assert paid == [("1", 1)]
    assert results(state)["call_1"].content == "paid 1 (yes)"
