"""Objects of every framework ask through the run around them, wherever a program calls them."""

from __future__ import annotations

import asyncio
import functools
import inspect
from typing import Any

import pytest

import durably
from durably.hooks import Plugins
from durably.testing import ModelServer, StoppingStorage

from .objects import MEANS, Means, World
from .places import PLACES, Flow

CONFIG = {"configurable": {"thread_id": "t"}}
NAMES = ["ann", "bob"]
_ROUNDS = 20


@functools.cache
def _plugins() -> Plugins:
    return Plugins()


def call(flow: Any, given: Any) -> Any:
    """Invoke a flow as its program would."""
    if inspect.iscoroutinefunction(flow.func):
        return asyncio.run(flow.ainvoke(given, CONFIG))
    return flow.invoke(given, CONFIG)


def answer(means: Means, asked: Any) -> Any:
    """Return what a person says to one question."""
    value = asked.value
    is_call = isinstance(value, dict) and value.get("kind") == "tool_call"
    first = is_call or (isinstance(value, dict) and str(value.get("message")).startswith("Write"))
    return means.answers[0] if first else means.answers[-1]


def finished(make: Any, means: Means, storage: StoppingStorage, stop: int | None = None) -> Any:
    """Start a flow, answer what it asks in new hosts, and return its end and all questions."""
    asked: dict[str, int] = {}
    given: Any = NAMES
    storage.stop_after(stop)
    for _ in range(_ROUNDS):
        host = durably.Host(storage, approve=means.approve, plugins=_plugins(), config=False)
        try:
            result = call(make(host), given)
        except durably.StorageError:
            assert storage.stopped
            storage.stop_after(None)
            given = None
            continue
        finally:
            host.close()
        if not isinstance(result, dict):
            return result, asked
        questions = result["__interrupt__"]
        for one in questions:
            asked[one.id] = asked.get(one.id, 0) + 1
        given = durably.Command(resume={one.id: answer(means, one) for one in questions})
    raise AssertionError(f"it has not ended, and asked {asked}")


@pytest.mark.parametrize("place", PLACES, ids=lambda place: place.__name__)
@pytest.mark.parametrize("name", MEANS)
def test_an_object_asks_through_the_run_around_it(
    server: ModelServer, place: Flow, name: str
) -> None:
    """Each question is asked once, and with the answers each letter is sent once."""
    means = MEANS[name]
    world = World(server.url, asks=means.asks)
    result, asked = finished(lambda host: place(host, means, world), means, StoppingStorage())
    assert result == [means.said.format(to) for to in NAMES]
    assert sorted(world.sent) == NAMES
    assert set(asked.values()) == {1}
    assert len(asked) == len(NAMES) * len(means.answers)
    assert server.count() == (0 if name.startswith("graph") else 2 * len(NAMES))
