"""Streams of graphs: parts pass through, and are the same on replay."""

from __future__ import annotations

import pytest
from langgraph.config import get_stream_writer

import durably

from .programs import INPUT, asking, chain, chat, node, three

CONFIG = {"configurable": {"thread_id": "t1"}}
UPDATES = [{name: {"log": [name]}} for name in "abc"]


def writing(effects):
    """Return a graph whose node writes into the stream."""

    def write(state):
        effects.append("write")
        get_stream_writer()("half-way")
        return {"log": ["write"]}

    return chain(("write", write), name="writing")


def streaming(storage, graph, failures, **options):
    """Return an entrypoint that streams *graph*, and may fail afterwards."""

    @durably.entrypoint(checkpointer=storage)
    def flow(given):
        parts = [*graph.stream(given, **options)]
        if failures:
            raise ValueError(failures.pop())
        return parts

    return flow


def test_a_stream_is_replayed(storage):
    """The same parts come again, and no node is executed again."""
    effects = []
    flow = streaming(storage, three(effects), ["later"], stream_mode="updates")
    with pytest.raises(ValueError, match="later"):
        flow.invoke(INPUT, CONFIG)
    assert flow.invoke(None, CONFIG) == UPDATES
    assert effects == ["a", "b", "c"]


def test_a_broken_stream_goes_on_where_it_broke(storage):
    """In the next process every part comes, the finished nodes' from the journal."""
    effects = []
    graph = three(effects, failures=["disk full"])
    flow = streaming(storage, graph, [], stream_mode=["updates"])
    with pytest.raises(ValueError, match="full"):
        flow.invoke(INPUT, CONFIG)
    assert flow.invoke(None, CONFIG) == [("updates", part) for part in UPDATES]
    assert effects == ["a", "b", "b", "c"]


async def test_an_asynchronous_stream_is_replayed(storage):
    """``astream`` is one step as ``stream`` is."""
    effects, failures = [], ["later"]
    graph = three(effects)

    @durably.entrypoint(checkpointer=storage)
    async def flow(given):
        parts = [part async for part in graph.astream(given, stream_mode="updates")]
        if failures:
            raise ValueError(failures.pop())
        return parts

    with pytest.raises(ValueError, match="later"):
        await flow.ainvoke(INPUT, CONFIG)
    assert await flow.ainvoke(None, CONFIG) == UPDATES
    assert effects == ["a", "b", "c"]


async def test_an_asynchronous_stream_that_is_left_early_is_closed(storage):
    """The graph is unwound when its consumer stops, and its finished nodes are not repeated."""
    effects, failures = [], ["later"]
    graph = three(effects)

    @durably.entrypoint(checkpointer=storage)
    async def flow(given):
        parts = graph.astream(given, stream_mode="updates")
        first = await anext(parts)
        await parts.aclose()
        if failures:
            raise ValueError(failures.pop())
        return first

    with pytest.raises(ValueError, match="later"):
        await flow.ainvoke(INPUT, CONFIG)
    assert await flow.ainvoke(None, CONFIG) == UPDATES[0]
    assert len(effects) == len(set(effects))


@pytest.mark.parametrize("version", ["v1", "v2"])
def test_a_streaming_graph_asks(storage, version):
    """A question in the middle of a stream suspends the run; the parts go on behind the answer."""
    effects = []
    graph = chain(("a", node(effects, "a")), ("b", asking(effects, "b", "Go?")))
    flow = streaming(storage, graph, [], stream_mode=["updates", "values"], version=version)
    assert flow.invoke(INPUT, CONFIG)["__interrupt__"][0].value == "Go?"
    parts = flow.invoke(durably.Command(resume="yes"), CONFIG)
    assert "__interrupt__" not in str(parts)
    assert "b: yes" in str(parts[-1])
    assert effects.count("a") == 1


async def test_an_asynchronous_streaming_graph_asks(storage):
    """The same holds for ``astream``."""
    effects = []
    graph = chain(("a", node(effects, "a")), ("b", asking(effects, "b", "Go?")))

    @durably.entrypoint(checkpointer=storage)
    async def flow(given):
        return [part async for part in graph.astream(given, stream_mode="updates")]

    assert (await flow.ainvoke(INPUT, CONFIG))["__interrupt__"][0].value == "Go?"
    parts = await flow.ainvoke(durably.Command(resume="yes"), CONFIG)
    assert parts == [{"a": {"log": ["a"]}}, {"b": {"log": ["b: yes"]}}]


def test_parts_reach_whoever_streams_the_run(storage):
    """What a node writes passes through the graph's stream to the run's."""
    flow = streaming(storage, writing([]), [], stream_mode="custom")
    assert [*flow.stream(INPUT, CONFIG, stream_mode="custom")] == ["half-way"]


def test_a_streamed_run_tells_what_nodes_did(process):
    """The nodes of a wrapped graph are among the steps that its stream tells of."""
    parts = [*process(three([])).stream(INPUT, CONFIG, stream_mode="updates")]
    assert [part for part in parts if "three" not in part] == UPDATES


@pytest.mark.parametrize("version", ["v1", "v2"])
def test_an_invoked_graph_writes_into_the_stream_of_the_run(storage, version):
    """What nodes write while a graph is invoked reaches whoever streams the run."""

    @durably.entrypoint(checkpointer=storage)
    def flow(given):
        result = writing([]).invoke(given, version=version)
        return result["log"] if version == "v1" else result.value["log"]

    parts = [*flow.stream(INPUT, CONFIG, stream_mode=["custom", "values"])]
    assert parts == [("custom", "half-way"), ("values", ["write"])]


async def test_tokens_of_a_wrapped_graph_reach_its_stream(process):
    """A model's tokens are parts of mode ``messages`` while the graph is awaited."""
    effects = []
    chatting = process(chat(effects, ["Good morning."]))
    given = {"messages": [("user", "Hello?")]}
    parts = [part async for part in chatting.astream(given, CONFIG, stream_mode="messages")]
    assert "".join(token.content for token, _ in parts).startswith("Good morning.")


def test_tokens_of_a_graph_in_an_entrypoint_are_told_once(storage):
    """The entrypoint listens to models by itself; a graph inside does not tell them again."""
    graph = chat([], ["Good morning."])

    @durably.entrypoint(checkpointer=storage)
    def flow(given):
        return graph.invoke({"messages": [("user", given)]})

    parts = [*flow.stream("Hello?", CONFIG, stream_mode="messages")]
    assert "".join(token.content for token, _ in parts) == "Good morning."


def test_a_stream_that_is_left_early_is_not_recorded(storage):
    """A consumer may stop; the nodes that ran are not executed again."""
    effects, failures = [], ["later"]
    graph = three(effects)

    @durably.entrypoint(checkpointer=storage)
    def flow(given):
        parts = graph.stream(given, stream_mode="updates")
        first, second = next(parts), next(parts)
        parts.close()
        if failures:
            raise ValueError(failures.pop())
        return [first, second]

    with pytest.raises(ValueError, match="later"):
        flow.invoke(INPUT, CONFIG)
    assert flow.invoke(None, CONFIG) == UPDATES[:2]
    assert len(effects) == len(set(effects))
