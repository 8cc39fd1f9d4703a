"""Calls of graphs are steps: what comes back, what is executed again, and what is not."""

from __future__ import annotations

import threading

import pytest
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.func import entrypoint as lg_entrypoint
from langgraph.func import task as lg_task

import durably
from durably.hosting import all_runs
from durably.journal.records import StepEnded

from .programs import INPUT, chain, leaving, nested, node, three

CONFIG = {"configurable": {"thread_id": "t1"}}
ALL = {"log": ["a", "b", "c"]}


def steps(storage):
    """Return the recorded steps, oldest first."""
    host = durably.Host(storage)
    return [
        entry.record
        for view in all_runs(host.journal)
        for entry in host.journal.read(view.thread)
        if isinstance(entry.record, StepEnded)
    ]


def test_a_wrapped_graph_returns_what_the_graph_returns(process):
    """The result is the graph's own."""
    effects = []
    assert process(three(effects)).invoke(INPUT, CONFIG) == ALL
    assert effects == ["a", "b", "c"]


async def test_a_wrapped_graph_can_be_awaited(process):
    """``ainvoke`` is a step as ``invoke`` is."""
    effects = []
    assert await process(three(effects)).ainvoke(INPUT, CONFIG) == ALL
    assert effects == ["a", "b", "c"]


def test_outside_of_runs_a_graph_is_left_alone(process):
    """Seams that are in do nothing where there is no run."""
    effects = []
    graph = three(effects)
    process(graph)
    assert graph.invoke(INPUT) == ALL
    assert [*graph.stream(INPUT, stream_mode="values")][-1] == ALL
    assert effects == ["a", "b", "c"] * 2


@pytest.mark.parametrize("saver", [None, InMemorySaver], ids=["lent", "own"])
def test_a_failed_graph_goes_on_where_it_failed(process, saver):
    """Nodes that finished before another failed are not executed again."""
    effects, checkpointer = [], saver and saver()
    with pytest.raises(ValueError, match="full"):
        process(three(effects, checkpointer, ["disk full"])).invoke(INPUT, CONFIG)
    assert process(three(effects, checkpointer)).invoke(None, CONFIG) == ALL
    assert effects == ["a", "b", "b", "c"]


def test_an_own_checkpointer_that_forgot_is_made_up_for(process):
    """A graph whose checkpoints died with the process goes on from the journal."""
    effects = []
    with pytest.raises(ValueError, match="full"):
        process(three(effects, InMemorySaver(), ["disk full"])).invoke(INPUT, CONFIG)
    assert process(three(effects, InMemorySaver())).invoke(None, CONFIG) == ALL
    assert effects == ["a", "b", "b", "c"]


async def test_a_failed_graph_goes_on_when_awaited(process):
    """The same holds for coroutines."""
    effects = []
    with pytest.raises(ValueError, match="full"):
        await process(three(effects, failures=["disk full"])).ainvoke(INPUT, CONFIG)
    assert await process(three(effects)).ainvoke(None, CONFIG) == ALL
    assert effects == ["a", "b", "b", "c"]


def test_an_own_checkpointer_keeps_one_conversation(process):
    """Runs of one thread go on with the state that the graph's own checkpointer holds."""
    effects, saver = [], InMemorySaver()
    graph = process(three(effects, saver))
    graph.invoke(INPUT, CONFIG)
    assert graph.invoke({"log": ["more"]}, CONFIG)["log"] == [*"abc", "more", *"abc"]
    assert graph.target.get_state(CONFIG).values["log"] == [*"abc", "more", *"abc"]


def test_a_graph_called_in_an_entrypoint_is_replayed(storage):
    """A finished call is a step of the entrypoint's run: its nodes are not executed again."""
    effects, failures = [], ["later"]
    graph = three(effects)

    @durably.entrypoint(checkpointer=storage)
    def flow(given):
        result = graph.invoke(given)
        if failures:
            raise ValueError(failures.pop())
        return result["log"]

    with pytest.raises(ValueError, match="later"):
        flow.invoke(INPUT, CONFIG)
    assert flow.invoke(None, CONFIG) == ["a", "b", "c"]
    assert effects == ["a", "b", "c"]


def test_a_graph_called_in_a_task_is_part_of_it(storage):
    """A task that failed after its graph is executed again, the graph is not."""
    effects, failures = [], ["later"]
    graph = three(effects)

    @durably.task
    def work(given):
        result = graph.invoke(given)
        if failures:
            raise ValueError(failures.pop())
        return result["log"]

    @durably.entrypoint(checkpointer=storage)
    def flow(given):
        return work(given).result()

    with pytest.raises(ValueError, match="later"):
        flow.invoke(INPUT, CONFIG)
    assert flow.invoke(None, CONFIG) == ["a", "b", "c"]
    assert effects == ["a", "b", "c"]


def test_a_retried_task_goes_on_with_its_graph(storage):
    """An attempt finds what the one before it left in the graph's own checkpointer."""
    effects = []
    graph = three(effects, InMemorySaver(), ["disk full"])

    @durably.task(retry_policy=durably.RetryPolicy(retry_on=ValueError, initial_interval=0))
    def work(given):
        return graph.invoke(given, {"configurable": {"thread_id": "graph"}})["log"]

    @durably.entrypoint(checkpointer=storage)
    def flow(given):
        return work(given).result()

    assert flow.invoke({"log": ["given"]}, CONFIG) == ["given", "a", "b", "c"]
    assert effects == ["a", "b", "b", "c"]


def test_a_checkpointer_without_a_thread_is_refused_as_ever(process):
    """What LangGraph misses in a call's configuration it still misses inside a run."""
    graph = three([], InMemorySaver())

    @durably.entrypoint()
    def flow(given):
        return graph.invoke(given)

    with pytest.raises(ValueError, match="Checkpointer requires"):
        flow.invoke(INPUT)


async def test_a_graph_called_in_an_asynchronous_entrypoint_is_replayed(storage):
    """Both calls of one graph keep their own results."""
    effects, failures = [], ["later"]
    graph = three(effects)

    @durably.entrypoint(checkpointer=storage)
    async def flow(given):
        first = await graph.ainvoke(given)
        second = await graph.ainvoke({"log": ["x"]})
        if failures:
            raise ValueError(failures.pop())
        return first["log"] + second["log"]

    with pytest.raises(ValueError, match="later"):
        await flow.ainvoke(INPUT, CONFIG)
    assert await flow.ainvoke(None, CONFIG) == ["a", "b", "c", "x", "a", "b", "c"]
    assert effects == ["a", "b", "c"] * 2


def test_a_survived_failure_of_a_graph_is_replayed(storage):
    """A graph's failure that the program went on from is not tried again."""
    effects, failures = [], ["later"]

    @durably.entrypoint(checkpointer=storage)
    def flow(given):
        with pytest.raises(ValueError, match="full"):
            three(effects, failures=["disk full"]).invoke(given)
        if failures:
            raise RuntimeError(failures.pop())
        return "survived"

    with pytest.raises(RuntimeError, match="later"):
        flow.invoke(INPUT, CONFIG)
    assert flow.invoke(None, CONFIG) == "survived"
    assert effects == ["a", "b"]


def test_graphs_inside_a_graph_are_part_of_it(process, storage):
    """One step is the graph's call; what it contains is inside that step's lane."""
    effects = []
    inner = chain(("in", node(effects, "in")), name="inner")

    def out(state):
        return inner.invoke(state)

    outer = chain(("out", out), ("sub", inner), name="outer")
    wrapped = process(outer)
    assert wrapped.invoke(INPUT, CONFIG)["log"] == ["in"] * 3
    names = [step.name for step in steps(storage) if "/" not in step.lane]
    assert names == ["outer"]


def test_a_functional_graph_and_its_tasks_are_steps(process):
    """LangGraph's own entrypoints are graphs; their tasks are not executed again."""
    effects, failures = [], ["later"]

    @lg_task
    def double(x):
        effects.append(x)
        return 2 * x

    @lg_entrypoint()
    def flow(x):
        total = sum(future.result() for future in [double(x), double(x + 1)])
        if failures:
            raise ValueError(failures.pop())
        return total

    with pytest.raises(ValueError, match="later"):
        process(flow).invoke(1, CONFIG)
    assert process(flow).invoke(None, CONFIG) == 6
    assert sorted(effects) == [1, 2]


def test_a_command_to_the_parent_graph_is_replayed(process):
    """A command that an inner graph's node gave its parent works again in another process."""
    effects = []
    waiting = process(nested(effects)).invoke(INPUT, CONFIG)
    answer = durably.Command(resume={waiting["__interrupt__"][0].id: "yes"})
    result = process(nested(effects)).invoke(answer, CONFIG)
    assert result["log"][-2:] == ["left", "last"]
    assert effects.count("first") == effects.count("in") == effects.count("leave") == 1


def test_a_recorded_command_to_the_parent_graph_is_given_again(process):
    """The graph that is left for its parent is not executed twice when the parent fails later."""
    effects, failures = [], ["later"]
    graph = leaving(effects, failures)
    with pytest.raises(ValueError, match="later"):
        process(graph).invoke(INPUT, CONFIG)
    assert process(leaving(effects, failures)).invoke(None, CONFIG)["log"] == ["left", "end"]
    assert effects == ["leave", "end", "end"]


def test_a_state_that_cannot_be_written_stays_in_the_process(storage):
    """A node's live object is handed on; in another process its node is executed again."""
    effects, failures = [], ["later"]

    def connect(state):
        effects.append("connect")
        return {"log": [threading.Lock()]}

    def use(state):
        effects.append("use")
        if failures:
            raise ValueError(failures.pop())
        return {"log": [state["log"][0].locked()]}

    @durably.entrypoint(checkpointer=storage)
    def flow(given):
        return chain(("connect", connect), ("use", use)).invoke(given, stream_mode="updates")[1:]

    with pytest.raises(ValueError, match="later"):
        flow.invoke(INPUT, CONFIG)
    with pytest.raises(durably.EncodeError):  # the result of the call itself has to be written
        flow.invoke(None, CONFIG)
    assert effects == ["connect", "use", "connect", "use"]


@pytest.mark.parametrize("version", ["v1", "v2"])
def test_a_result_keeps_its_version(storage, version):
    """The typed container of newer results survives the journal."""
    failures = ["later"]

    @durably.entrypoint(checkpointer=storage)
    def flow(given):
        result = three([]).invoke(given, version=version)
        if failures:
            raise ValueError(failures.pop())
        return result if version == "v1" else result.value

    with pytest.raises(ValueError, match="later"):
        flow.invoke(INPUT, CONFIG)
    assert flow.invoke(None, CONFIG) == ALL
