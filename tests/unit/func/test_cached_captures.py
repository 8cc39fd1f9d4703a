"""Cached tasks that capture something: what they change themselves keeps no call from the cache."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from durably import CachePolicy, Entrypoint, InMemoryCache, SqliteCache, entrypoint, task


def flow_of(called: Any, cache: Any = None) -> Entrypoint:
    """Return an entrypoint that calls one task with its input, whichever kind it is."""
    if not asyncio.iscoroutinefunction(called.func):
        return entrypoint(cache=cache or InMemoryCache())(lambda x: called(x).result())

    async def body(x: Any) -> Any:
        return await called(x)

    return entrypoint(cache=cache or InMemoryCache())(body)


def run(flow: Entrypoint, *inputs: Any) -> list[Any]:
    if not asyncio.iscoroutinefunction(flow.func):
        return [flow.invoke(one) for one in inputs]

    async def main() -> list[Any]:
        return [await flow.ainvoke(one) for one in inputs]

    return asyncio.run(main())


@pytest.fixture(params=["plain", "coroutine"])
def kind(request: pytest.FixtureRequest) -> Callable[[Callable[..., Any]], Any]:
    def made(function: Callable[..., Any]) -> Any:
        if request.param == "plain":
            return task(cache_policy=CachePolicy())(function)

        async def coroutine(x: Any) -> Any:
            await asyncio.sleep(0)
            return function(x)

        return task(cache_policy=CachePolicy())(coroutine)

    return made


def test_a_list_that_the_task_logs_to(kind: Any) -> None:
    """The list grows with each computation; equal calls are still served."""
    log: list[int] = []

    def double(x: int) -> int:
        log.append(x)
        return 2 * x

    assert run(flow_of(kind(double)), 1, 1, 2, 1, 2) == [2, 2, 4, 2, 4]
    assert log == [1, 2]


def test_a_list_within_what_is_captured(kind: Any) -> None:
    """However deep it lies: in a dict, in a function that is called, in a list of lists."""
    logs: dict[str, Any] = {"all": [[]], "set": set(), "bytes": bytearray()}

    def note(x: int) -> None:
        logs["all"][0].append(x)
        logs["set"].add(x)
        logs["bytes"].append(x)

    def double(x: int) -> int:
        note(x)
        return 2 * x

    assert run(flow_of(kind(double)), 1, 1, 2, 1) == [2, 2, 4, 2]
    assert logs["all"] == [[1, 2]]


def test_a_counter(kind: Any) -> None:
    """A mapping that gets new keys and new values."""
    counter: Counter[int] = Counter()

    def double(x: int) -> int:
        counter[x] += 1
        return 2 * x

    assert run(flow_of(kind(double)), 1, 2, 1, 2) == [2, 4, 2, 4]
    assert counter == {1: 1, 2: 1}


@dataclass
class Client:
    """An object that counts its calls, and whose answers depend on how it is set."""

    factor: int = 2
    calls: int = 0
    seen: list[int] = field(default_factory=list)

    def scaled(self, x: int) -> int:
        self.calls += 1
        self.seen.append(x)
        return self.factor * x


def test_a_client_that_counts_its_calls(kind: Any) -> None:
    """Its statistics are no reason to ask it again."""
    client = Client()

    def scaled(x: int) -> int:
        return client.scaled(x)

    assert run(flow_of(kind(scaled)), 1, 1, 2, 1) == [2, 2, 4, 2]
    assert client.calls == 2


def test_a_method_of_an_object_that_counts_its_calls() -> None:
    """The same for the object that a task's method is bound to."""
    client = Client()
    assert run(flow_of(task(cache_policy=CachePolicy())(client.scaled)), 1, 1, 2) == [2, 2, 4]
    assert client.seen == [1, 2]


def test_what_others_change_counts_as_it_is(kind: Any) -> None:
    """A setting of the client is no statistics: after a change the task is computed again."""
    client, rates = Client(), {"eur": 2}

    def scaled(x: int) -> int:
        return client.scaled(x) * rates["eur"]

    flow = flow_of(kind(scaled))
    assert run(flow, 1, 1) == [4, 4]
    client.factor = 3
    assert run(flow, 1, 1) == [6, 6]
    rates["eur"] = 5
    assert run(flow, 1, 1) == [15, 15]
    assert client.calls == 3


def test_a_variable_that_is_bound_anew_counts_as_it_is() -> None:
    """The enclosing function gives it another value between two calls."""
    log: list[int] = []
    factor = 2

    @task(cache_policy=CachePolicy())
    def scaled(x: int) -> int:
        log.append(x)
        return factor * x

    flow = flow_of(scaled)
    assert run(flow, 1, 1) == [2, 2]
    factor = 3
    assert run(flow, 1, 1) == [3, 3]
    assert log == [1, 1]


def test_a_task_that_is_made_in_each_run(kind: Any) -> None:
    """It has the same code each time, and logs to the same list."""
    log: list[int] = []
    cache = InMemoryCache()

    @entrypoint(cache=cache)
    def flow(x: int) -> int:
        @task(cache_policy=CachePolicy())
        def double(x: int) -> int:
            log.append(x)
            return 2 * x

        return double(x).result()

    assert run(flow, 1, 1, 2, 1, 2) == [2, 2, 4, 2, 4]
    assert log == [1, 2]


def test_another_process_finds_the_results(tmp_path: Path, kind: Any) -> None:
    """Its list is as empty at its first call as this one's was."""

    def process() -> list[int]:
        log: list[int] = []

        def double(x: int) -> int:
            log.append(x)
            return 2 * x

        run(flow_of(kind(double), SqliteCache(tmp_path / "cache.db")), 1, 2, 3)
        return log

    assert process() == [1, 2, 3]
    assert process() == []


def test_tasks_side_by_side(kind: Any) -> None:
    """Calls that change the same list at the same time are still found later."""
    log: list[int] = []

    def double(x: int) -> int:
        log.append(x)
        return 2 * x

    made = kind(double)
    if asyncio.iscoroutinefunction(made.func):

        async def body(_: int) -> list[int]:
            return list(await asyncio.gather(*(made(x) for x in range(4))))

        flow = entrypoint(cache=InMemoryCache())(body)
    else:

        def plain(_: int) -> list[int]:
            return [future.result() for future in [made(x) for x in range(4)]]

        flow = entrypoint(cache=InMemoryCache())(plain)
    run(flow, 0)
    run(flow, 0)
    before = len(log)
    assert run(flow, 0) == [[0, 2, 4, 6]]
    assert len(log) == before


def test_a_task_that_fails_after_a_change(kind: Any) -> None:
    """The failed attempt's entry in the log keeps no later call from the cache."""
    log: list[int] = []

    def double(x: int) -> int:
        log.append(x)
        if len(log) == 1:
            raise ConnectionError("no")
        return 2 * x

    flow = flow_of(kind(double))
    with pytest.raises(ConnectionError):
        run(flow, 1)
    assert run(flow, 1, 1) == [2, 2]
    assert log == [1, 1]
