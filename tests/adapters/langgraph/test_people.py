"""What a graph's nodes ask is asked by the run, and answered days later, from anywhere."""

from __future__ import annotations

import pytest
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.func import entrypoint as lg_entrypoint
from langgraph.graph import START, StateGraph
from langgraph.types import Command as LgCommand
from langgraph.types import interrupt

import durably

from .programs import INPUT, State, asking, chain, chat, fanned_out, nested, node, review

CONFIG = {"configurable": {"thread_id": "t1"}}


def asked(result):
    """Return what a waiting run asks: ids by question."""
    return {one.value: one.id for one in result["__interrupt__"]}


def answer(result, **answers):
    """Return the command that answers every question, with the same text if none is given."""
    return durably.Command(
        resume={one.id: answers.get(one.value.strip("?"), "yes") for one in result["__interrupt__"]}
    )


@pytest.mark.parametrize("saver", [None, InMemorySaver], ids=["lent", "own"])
def test_an_interrupt_is_answered_in_another_process(process, saver):
    """The run waits, and goes on with the answer; finished nodes are not executed again."""
    effects, checkpointer = [], saver and saver()

    def graph():
        nodes = (("a", node(effects, "a")), ("b", asking(effects, "b", "Go?")))
        return process(chain(*nodes, checkpointer=checkpointer))

    waiting = graph().invoke(INPUT, CONFIG)
    assert asked(waiting).keys() == {"Go?"}
    assert graph().invoke(durably.Command(resume="yes"), CONFIG) == {"log": ["a", "b: yes"]}
    assert effects.count("a") == 1


@pytest.mark.parametrize("kind", ["lent", "own", "own and lost"])
def test_interrupts_at_once_and_one_after_the_other(process, kind):
    """Questions asked at once are answered at once; equal ones that follow are not mixed up."""
    effects, saver = [], InMemorySaver()

    def graph():
        savers = {"lent": None, "own": saver, "own and lost": InMemorySaver()}
        return process(review(effects, savers[kind]))

    first = graph().invoke(INPUT, CONFIG)
    assert asked(first).keys() == {"Good?", "True?"}
    second = graph().invoke(answer(first, Good="fine", True_="-"), CONFIG)
    assert asked(second).keys() == {"True?"}
    assert asked(second)["True?"] != asked(first)["True?"]
    ids = asked(second)
    result = graph().invoke(durably.Command(resume={ids["True?"]: "no"}), CONFIG)
    assert sorted(result["log"]) == ["draft", "facts: no", "facts: yes", "send", "style: fine"]
    assert effects.count("draft") == effects.count("send") == 1


def test_answers_given_one_by_one(process):
    """A run with two open questions goes on waiting for the second."""
    effects = []
    first = process(review(effects)).invoke(INPUT, CONFIG)
    ids = asked(first)
    second = process(review(effects)).invoke(durably.Command(resume={ids["Good?"]: "ok"}), CONFIG)
    assert asked(second) == {"True?": ids["True?"]}


async def test_an_interrupt_is_answered_when_awaited(process):
    """Coroutines suspend and go on as functions do."""
    effects = []
    first = await process(review(effects)).ainvoke(INPUT, CONFIG)
    second = await process(review(effects)).ainvoke(answer(first), CONFIG)
    result = await process(review(effects)).ainvoke(answer(second), CONFIG)
    assert result["log"][-1] == "send"
    assert effects.count("draft") == effects.count("send") == 1


def test_branches_with_equal_questions_get_their_own_answers(process):
    """Each of several calls of one node is asked for itself."""
    effects = []
    waiting = process(fanned_out(effects)).invoke(INPUT, CONFIG)
    ids = [one.id for one in waiting["__interrupt__"]]
    assert len(set(ids)) == 3
    answers = dict(zip(ids, "xyz", strict=True))
    result = process(fanned_out(effects)).invoke(durably.Command(resume=answers), CONFIG)
    assert result == {"log": ["x", "y", "z"]}


def test_an_interrupt_in_an_inner_graph(process):
    """The question of a graph inside a graph is asked, and the inner graph goes on behind it."""
    effects = []
    waiting = process(nested(effects)).invoke(INPUT, CONFIG)
    result = process(nested(effects)).invoke(answer(waiting), CONFIG)
    assert "ask: yes" in result["log"]
    assert effects.count("in") == 1


def test_a_graph_in_a_task_asks(storage):
    """A question passes through the task and entrypoint around the graph."""
    effects = []
    graph = chain(("a", node(effects, "a")), ("b", asking(effects, "b", "Go?")))

    @durably.task
    def work(given):
        return graph.invoke(given)["log"]

    @durably.entrypoint(checkpointer=storage)
    def flow(given):
        return work(given).result()

    assert asked(flow.invoke(INPUT, CONFIG)).keys() == {"Go?"}
    assert flow.invoke(durably.Command(resume="yes"), CONFIG) == ["a", "b: yes"]
    assert effects.count("a") == 1


@pytest.mark.parametrize("saver", [None, InMemorySaver], ids=["lent", "own"])
async def test_a_run_asks_from_inside_a_node(process, saver):
    """Our own ``interrupt`` works in a node as LangGraph's does, beside a node that finishes."""
    effects, checkpointer = [], saver and saver()

    def ours(state):
        effects.append("ours")
        return {"log": [durably.interrupt("Go?")]}

    def graph():
        builder = StateGraph(State)
        builder.add_node("a", node(effects, "a"))
        builder.add_node("b", ours)
        builder.add_edge(START, "a")
        builder.add_edge(START, "b")
        return process(builder.compile(checkpointer=checkpointer))

    assert asked(graph().invoke(INPUT, CONFIG)).keys() == {"Go?"}
    assert graph().invoke(durably.Command(resume="yes"), CONFIG) == {"log": ["a", "yes"]}
    other = {"configurable": {"thread_id": "t2"}}
    assert asked(await graph().ainvoke(INPUT, other)).keys() == {"Go?"}
    assert await graph().ainvoke(durably.Command(resume="no"), other) == {"log": ["a", "no"]}
    assert effects.count("a") == 2


def test_a_functional_graph_asks(process):
    """LangGraph's own entrypoint is interrupted and resumed through the run."""

    @lg_entrypoint()
    def flow(x):
        return x + interrupt("How many?")

    assert asked(process(flow).invoke(1, CONFIG)).keys() == {"How many?"}
    assert process(flow).invoke(durably.Command(resume=41), CONFIG) == 42


def test_models_are_not_asked_again_after_a_question(process):
    """A node is executed again behind its question, the model call before it is not."""
    effects = []
    given = {"messages": [("user", "Hello?")]}
    process(chat(effects, ["Hi."])).invoke(given, CONFIG)
    waiting = process(chat(effects, [])).invoke(durably.Command(resume="Ann"), CONFIG)
    assert asked(waiting).keys() == {"Close?"}
    result = process(chat(effects, [])).invoke(durably.Command(resume="yes"), CONFIG)
    assert [message.content for message in result["messages"]] == ["Hi. Ann"]
    assert effects.count("forget") == 1


def test_a_durable_run_inside_a_graph_keeps_its_questions(storage):
    """A run that a node of a graph around it begins asks for itself, not for that graph."""
    inner = chain(("b", asking([], "b", "Go?")), name="inner")

    @durably.entrypoint(checkpointer=storage)
    def flow(given):
        return inner.invoke(given)["log"]

    seen = []

    def call(state):
        seen.append(flow.invoke(INPUT, CONFIG))
        return {"log": [interrupt("Outer?")]}

    outer = chain(("call", call), checkpointer=InMemorySaver(), name="outer")
    config = {"configurable": {"thread_id": "outer"}}
    assert asked(outer.invoke(INPUT, config)).keys() == {"Outer?"}
    assert asked(seen[0]).keys() == {"Go?"}
    assert flow.invoke(durably.Command(resume="yes"), CONFIG) == ["b: yes"]


def test_outside_of_runs_a_graph_interrupts_as_ever(process):
    """Without a run around it a graph returns its interrupts and is resumed by its caller."""
    graph = chain(("b", asking([], "b", "Go?")), checkpointer=InMemorySaver())
    process(graph)
    assert asked(graph.invoke(INPUT, CONFIG)).keys() == {"Go?"}
    assert graph.invoke(LgCommand(resume="yes"), CONFIG) == {"log": ["b: yes"]}
