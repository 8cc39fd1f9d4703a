"""Wrapped objects that are used inside a run ask through it, and what they did is done once."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
from langgraph.graph import END, START, StateGraph
from langgraph.types import interrupt
from typing_extensions import TypedDict

import durably
from durably import Command, entrypoint
from durably.testing import ModelServer, StoppingStorage

from . import places
from .objects import WRAPPED, World, letters_graph, wrapped_graph
from .places import PLACES, Flow
from .test_questions import NAMES, call, finished

FEW = (places.straight, places.plain_tasks_at_once, places.gathered_tasks)
PAIRS = [
    pytest.param(name, place, id=f"{name}-{place.__name__}")
    for name in WRAPPED
    for place in (PLACES if name == "graph" else FEW)
]


@pytest.mark.parametrize(("name", "place"), PAIRS)
def test_a_wrapped_object_asks_through_the_run_around_it(
    server: ModelServer, name: str, place: Flow
) -> None:
    """The code around it never sees a question as a value; each letter is sent once."""
    means = WRAPPED[name]
    world = World(server.url, asks=means.asks)

    def make(host: durably.Host) -> Any:
        world.host = host
        return place(host, means, world)

    result, asked = finished(make, means, StoppingStorage())
    assert result == [means.said.format(to) for to in NAMES]
    assert sorted(world.sent) == NAMES
    assert set(asked.values()) == {1}
    assert len(asked) == len(NAMES) * len(means.answers)
    assert server.count() == (0 if name.startswith("graph") else 2 * len(NAMES))


@pytest.mark.parametrize("place", FEW, ids=lambda place: place.__name__)
@pytest.mark.parametrize("name", ["graph", "graph-stream"])
def test_a_wrapped_object_goes_on_after_a_death_at_any_record(
    server: ModelServer, name: str, place: Flow
) -> None:
    """Dead after any record of either run, both go on: the result is right, and sent once."""
    means = WRAPPED[name]
    for stop in itertools.count(1):
        storage = StoppingStorage()
        world = World(server.url, asks=means.asks)

        def make(host: durably.Host, world: World = world) -> Any:
            world.host = host
            return place(host, means, world)

        result, _ = finished(make, means, storage, stop)
        assert result == [means.said.format(to) for to in NAMES], stop
        assert set(world.sent) == set(NAMES)
        assert len(world.sent) <= len(NAMES) + 1  # the record of one sending was lost
        if not storage.stopped:
            break


class Words(TypedDict):
    """The state of a graph that asks."""

    said: list[str]


def test_the_policies_of_a_wrapped_object_hold_inside_a_run(server: ModelServer) -> None:
    """A call that the wrapped object's own host wants approved is approved through the run."""
    world = World(server.url)
    outer = durably.Host("memory:")
    own = durably.Host("memory:", approve=("send",))
    world.host = own

    @entrypoint(checkpointer=outer)
    def flow(to: str) -> str:
        return wrapped_graph(world, to)

    [question] = call(flow, "ann")["__interrupt__"]
    assert world.sent == []
    assert call(flow, Command(resume={question.id: {"type": "approve"}})) == "ann: yes"
    assert world.sent == ["ann"]


def test_equal_questions_of_a_wrapped_object_have_answers_of_their_own() -> None:
    """An object that asks the same thing twice is not given its first answer again."""
    host = durably.Host("memory:")

    def ask(state: Words) -> dict[str, list[str]]:
        return {"said": [*state["said"], interrupt("And?")]}

    builder = StateGraph(Words)
    for name in ("one", "two"):
        builder.add_node(name, ask)
    builder.add_edge(START, "one")
    builder.add_edge("one", "two")
    builder.add_edge("two", END)
    wrapped = durably.wrap(builder.compile(), checkpointer=host)

    @entrypoint(checkpointer=host)
    def flow(said: list[str]) -> list[str]:
        return wrapped.invoke({"said": said})["said"]

    assert "__interrupt__" in call(flow, [])
    assert "__interrupt__" in call(flow, Command(resume="first"))
    assert call(flow, Command(resume="second")) == ["first", "second"]


def test_a_wrapped_object_in_a_run_shares_the_conversation_of_the_thread_that_is_named(
    server: ModelServer,
) -> None:
    """With a thread id it goes on in that thread, which calls outside of runs use too."""
    world = World(server.url)
    world.host = durably.Host("memory:")
    wrapped = durably.wrap(letters_graph(world), checkpointer=world.host)
    letters = {"configurable": {"thread_id": "letters"}}

    @entrypoint(checkpointer=world.host)
    def flow(to: str) -> str:
        return wrapped.invoke({"to": to}, letters)["said"]

    assert call(flow, "ann") == "ann: yes"
    assert call(flow, "ann") == "ann: yes"
    assert world.sent == ["ann", "ann"]  # another run of the entrypoint, so another call
    assert len(list(wrapped.get_state_history(letters))) == 2
