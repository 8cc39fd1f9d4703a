"""Streams of graphs: parts pass through, and are the same on replay."""

from __future__ import annotations

import pytest
from langgraph.config import get_stream_writer

import durably

from .programs import INPUT, asking, chain, node, three

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
    """What a node writes passes through the graph's stream to the run's, with a namespace."""
    flow = streaming(storage, writing([]), [], stream_mode="custom")
    parts = [*flow.stream(INPUT, CONFIG, stream_mode="custom", subgraphs=True)]
    assert [data for _, data in parts] == ["half-way"]
    assert parts[0][0][0].startswith("writing")


def test_a_streamed_run_tells_what_nodes_did(process):
    """The nodes of a wrapped graph are among the steps that its stream tells of."""
    parts = [*process(three([])).stream(INPUT, CONFIG, stream_mode="updates")]
    assert [part for part in parts if "three" not in part] == UPDATES


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
