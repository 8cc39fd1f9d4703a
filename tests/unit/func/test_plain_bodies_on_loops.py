"""Plain entrypoints and tasks that an event loop drives, and that call coroutine tasks."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import pytest
from tests.unit.func.places import Place, Watcher, thread

import durably
from durably import Command, InMemoryCache, RetryPolicy, entrypoint, interrupt, task
from durably.errors import NodeTimeoutError
from durably.testing import FakeClock


@task
async def double(x: int) -> int:
    await asyncio.sleep(0)
    return 2 * x


@task
def doubled_by_a_plain_task(x: int) -> int:
    return double(x).result()


def run(flow: Any, given: Any, name: str = "t") -> Any:
    return asyncio.run(flow.ainvoke(given, thread(name)))


def test_a_plain_body_calls_coroutine_tasks(place: Place) -> None:
    """One after the other, side by side, and in a plain task that it calls."""

    def body(x: int) -> list[int]:
        first = double(x).result()
        beside = [double(first + n) for n in range(4)]
        return [*(one.result() for one in beside), doubled_by_a_plain_task(first).result()]

    assert run(place.flow(body), 1) == [4, 6, 8, 10, 4]


def test_a_plain_task_of_a_coroutine_body_calls_coroutine_tasks(place: Place) -> None:
    """The task runs in a thread, and its coroutine in the body's event loop."""
    threads: set[threading.Thread] = set()

    @task
    async def where() -> None:
        threads.add(threading.current_thread())

    @task
    def plain() -> None:
        where().result()

    async def body(_: int) -> None:
        await plain()

    run(place.flow(body), 1)
    assert threads == {threading.main_thread()}


def test_coroutine_tasks_side_by_side_share_the_loop(place: Place) -> None:
    """Each waits for the other: neither keeps the other from starting."""

    def body(_: int) -> list[int]:
        met = asyncio.Event()

        @task
        async def first() -> int:
            await met.wait()
            return 1

        @task
        async def second() -> int:
            met.set()
            return 2

        beside = [first(), second()]
        return [one.result() for one in beside]

    assert run(place.flow(body), 0) == [1, 2]


async def test_parts_are_streamed(place: Place) -> None:
    """The stream of a plain body tells of its coroutine tasks."""

    def body(x: int) -> int:
        return double(double(x).result()).result()

    parts = [part async for part in place.flow(body).astream(1, thread())]
    assert parts == [{"double": 2}, {"double": 4}, {"body": 4}]


def test_what_was_finished_is_replayed(place: Place) -> None:
    """A continuation in another process executes only what is new."""
    watcher = Watcher()

    def body(x: int) -> Any:
        beside = [double(x), double(x + 1)]
        return [*(one.result() for one in beside), interrupt("ok?")]

    run(place.flow(body), 1)
    flow = place.flow(body, listeners=[watcher])
    assert run(flow, Command(resume="yes")) == [2, 4, "yes"]
    assert (watcher.replayed, watcher.executed) == (["double", "double"], [])


def test_a_question_asked_in_a_coroutine_task(place: Place) -> None:
    """It surfaces, and its answer is given to the task."""

    @task
    async def ask(x: int) -> str:
        return f"{interrupt(x)}!"

    def body(x: int) -> str:
        return ask(x).result()

    assert run(place.flow(body), 1)["__interrupt__"][0].value == 1
    assert run(place.flow(body), Command(resume="yes")) == "yes!"


def test_a_failing_task_is_tried_again(place: Place) -> None:
    """By its own policy; what it fails with in the end the body sees."""
    calls: list[int] = []
    clock = FakeClock()

    @task(retry_policy=RetryPolicy(max_attempts=3, jitter=False))
    async def flaky(x: int) -> int:
        calls.append(x)
        raise ConnectionError("no")

    def body(x: int) -> str:
        try:
            return str(flaky(x).result())
        except ConnectionError as error:
            return f"{error}: {len(calls)} attempts"

    assert run(place.flow(body, clock=clock), 1) == "no: 3 attempts"
    assert clock.slept == [0.5, 1.0]


def test_a_task_is_cancelled_at_its_deadline(place: Place) -> None:
    """The coroutine's clean-up runs, and the body sees the timeout."""
    cleaned: list[int] = []

    @task(timeout=0.01)
    async def slow(x: int) -> int:
        try:
            await asyncio.sleep(60)
        finally:
            cleaned.append(x)
        return x

    def body(x: int) -> str:
        try:
            return str(slow(x).result())
        except NodeTimeoutError:
            return "too slow"

    assert run(place.flow(body), 7) == "too slow"
    assert cleaned == [7]


def test_an_attempt_of_the_body_is_given_up_at_its_deadline(place: Place) -> None:
    """What its coroutine tasks were doing is cancelled."""
    cleaned = asyncio.Event()

    @task
    async def slow() -> None:
        try:
            await asyncio.sleep(60)
        finally:
            cleaned.set()

    def body(_: int) -> None:
        slow().result()

    flow = entrypoint(checkpointer=place.host(), timeout=0.05)(body)

    async def main() -> None:
        with pytest.raises(NodeTimeoutError):
            await flow.ainvoke(0, thread())
        await asyncio.wait_for(cleaned.wait(), 5)

    asyncio.run(main())


def test_a_cancelled_run_ends_at_once_and_can_be_continued(place: Place) -> None:
    """The coroutine task under way is cancelled with it, and executed again later."""
    calls: list[int] = []
    began = asyncio.Event()

    @task
    async def slow(x: int) -> int:
        calls.append(x)
        began.set()
        if len(calls) == 1:
            await asyncio.sleep(3600)
        return x

    def body(x: int) -> int:
        return double(x).result() + slow(x).result()

    async def main() -> int:
        flow = place.flow(body)
        running = asyncio.create_task(flow.ainvoke(1, thread()))
        await began.wait()
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asyncio.wait_for(running, 10)
        return int(await flow.ainvoke(None, thread()))

    assert asyncio.run(main()) == 3
    assert calls == [1, 1]


def test_policies_and_caches_hold(place: Place) -> None:
    """An approval is asked for, and a cached result serves the second call."""
    calls: list[int] = []

    @task
    @durably.policy(approve=True, cache=60)
    async def pay(x: int) -> int:
        calls.append(x)
        return x

    def body(x: int) -> list[int]:
        return [pay(x).result(), pay(x).result()]

    flow = place.flow(body, cache=InMemoryCache())
    assert run(flow, 5)["__interrupt__"][0].value["name"] == "pay"
    assert run(flow, Command(resume="approve")) == [5, 5]
    assert calls == [5]


def test_a_nested_plain_entrypoint_calls_coroutine_tasks(place: Place) -> None:
    """Called by a plain body that a loop drives, or awaited by a coroutine body."""

    @entrypoint()
    def inner(x: int) -> int:
        return double(x).result()

    def calls(x: int) -> int:
        return int(inner.invoke(x))

    async def awaits(x: int) -> int:
        return int(await inner.ainvoke(x))

    assert run(place.flow(calls), 2) == 4
    assert run(place.flow(awaits), 2, "other") == 4


def test_without_a_turning_loop_a_coroutine_task_is_refused(place: Place) -> None:
    """Invoke has no event loop; a body that blocks the loop's own thread would wait for ever."""

    def body(x: int) -> int:
        return double(x).result()

    with pytest.raises(RuntimeError, match="use ainvoke or astream"):
        place.flow(body).invoke(1, thread())

    @entrypoint()
    def inner(x: int) -> int:
        return double(x).result()

    async def blocks(x: int) -> int:
        return int(inner.invoke(x))

    with pytest.raises(RuntimeError, match="use ainvoke or astream"):
        run(place.flow(blocks), 1, "other")
