"""Cancelled tasks and runs: what a program cancels is recorded, and nothing hangs."""

from __future__ import annotations

import asyncio
import concurrent.futures
import time
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from tests.unit.func.places import Place, thread

from durably import (
    Command,
    InMemorySaver,
    NodeCancelledError,
    RetryPolicy,
    entrypoint,
    interrupt,
    task,
)

SOON = 30
"""Seconds after which something hangs."""


class World:
    """What tasks do: they wait for ever in the first process, and return at once in a second."""

    def __init__(self) -> None:
        self.calls: list[str] = []
        self.is_first = True
        self.began = asyncio.Event()

    def task(self) -> Any:
        @task
        async def work(name: str) -> str:
            self.calls.append(name)
            self.began.set()
            if self.is_first and name.startswith("slow"):
                await asyncio.sleep(3600)
            return name

        return work


async def by_timeout(work: Any, _: World) -> str:
    try:
        async with asyncio.timeout(0.05):
            return str(await work("slow"))
    except TimeoutError:
        return "timeout"


async def by_wait_for(work: Any, _: World) -> str:
    try:
        return str(await asyncio.wait_for(work("slow"), 0.05))
    except TimeoutError:
        return "timeout"


async def by_wait_for_at_once(work: Any, _: World) -> str:
    try:
        return str(await asyncio.wait_for(work("slow"), 1e-9))
    except TimeoutError:
        return "timeout"


async def by_cancel(work: Any, world: World) -> str:
    future = work("slow")
    if world.is_first:
        await world.began.wait()
    else:
        await asyncio.sleep(0)
    future.cancel()
    try:
        return str(await future)
    except asyncio.CancelledError:
        return "cancelled"


async def by_cancel_before_it_begins(work: Any, _: World) -> str:
    future = work("slow")
    future.cancel()
    try:
        return str(await future)
    except asyncio.CancelledError:
        return "cancelled"


async def by_a_cancelled_gather(work: Any, _: World) -> str:
    gathered = asyncio.gather(work("slow a"), work("slow b"))
    await asyncio.sleep(0)
    gathered.cancel()
    try:
        return str(await gathered)
    except asyncio.CancelledError:
        return "cancelled"


async def by_a_task_group(work: Any, _: World) -> str:
    async def fails() -> None:
        await work("quick")
        raise ValueError

    async def waits() -> None:
        await work("slow")

    try:
        async with asyncio.TaskGroup() as group:
            group.create_task(waits())
            group.create_task(fails())
    except ExceptionGroup:
        return "failed"
    return "done"


async def by_first_completed(work: Any, _: World) -> str:
    done, pending = await asyncio.wait(
        {asyncio.ensure_future(one) for one in (work("slow"), work("quick"))},
        return_when=asyncio.FIRST_COMPLETED,
    )
    for one in pending:
        one.cancel()
    return f"{sorted(one.result() for one in done)}"


WAYS = [
    by_timeout,
    by_wait_for,
    by_wait_for_at_once,
    by_cancel,
    by_cancel_before_it_begins,
    by_a_cancelled_gather,
    by_a_task_group,
    by_first_completed,
]


@pytest.mark.parametrize("way", WAYS)
async def test_what_the_program_cancelled_stays_cancelled(
    place: Place, way: Callable[[Any, World], Awaitable[str]]
) -> None:
    """In a second process the task would return at once; the program goes on as in the first."""
    world = World()
    work = world.task()

    async def body(_: int) -> list[Any]:
        first = await way(work, world)
        return [first, await work("after"), interrupt("ok?")]

    flow = place.flow(body)
    await asyncio.wait_for(flow.ainvoke(0, thread()), SOON)
    seen, world.is_first = [*world.calls], False
    done = await asyncio.wait_for(place.flow(body).ainvoke(Command(resume=1), thread()), SOON)
    assert done[0] in ("timeout", "cancelled", "failed", "['quick']")
    assert world.calls == seen


async def test_a_cancellation_that_the_program_does_not_make_again_is_told_all_the_same(
    place: Place,
) -> None:
    """A continued program that waits for the task instead gets the cancellation; it never hangs."""
    world = World()
    work = world.task()

    async def cancels(_: int) -> Any:
        return [await by_cancel(work, world), interrupt("ok?")]

    async def waits(_: int) -> Any:
        try:
            return await work("slow")
        except asyncio.CancelledError:
            return "cancelled"

    waits.__qualname__ = cancels.__qualname__
    await place.flow(cancels).ainvoke(0, thread())
    done = await asyncio.wait_for(place.flow(waits).ainvoke(Command(resume=1), thread()), SOON)
    assert done == "cancelled"


async def test_a_cancelled_run_executes_its_tasks_again(place: Place) -> None:
    """The cancellation came from outside: it is no outcome of the tasks that were under way."""
    world = World()
    work = world.task()

    async def body(_: int) -> Any:
        return [await work("first"), await asyncio.gather(work("slow a"), work("slow b"))]

    running = asyncio.create_task(place.flow(body).ainvoke(0, thread()))
    while "slow b" not in world.calls:
        await world.began.wait()
        world.began.clear()
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asyncio.wait_for(running, SOON)
    world.is_first = False
    assert await place.flow(body).ainvoke(None, thread()) == ["first", ["slow a", "slow b"]]
    assert world.calls == ["first", "slow a", "slow b", "slow a", "slow b"]


@pytest.mark.parametrize("rounds", range(40))
async def test_a_run_that_is_cancelled_in_any_round_of_the_loop_ends(
    place: Place, rounds: int
) -> None:
    """And can be continued to its end."""

    @task
    async def step(n: int) -> int:
        await asyncio.sleep(0)
        return n

    async def body(_: int) -> list[Any]:
        first = await step(0)
        return [first, *await asyncio.gather(step(1), step(2), step(3)), await step(4)]

    flow = place.flow(body)
    running = asyncio.create_task(flow.ainvoke(0, thread()))
    for _ in range(rounds):
        await asyncio.sleep(0)
    running.cancel()
    done, _ = await asyncio.wait({running}, timeout=SOON)
    assert done, "the run hangs"
    state = await flow.aget_state(thread())
    given = 0 if state.created_at is None else None
    assert await asyncio.wait_for(flow.ainvoke(given, thread()), SOON) == [0, 1, 2, 3, 4]


async def test_a_blocked_loop_loses_no_cancellation() -> None:
    """A task is cancelled in the very round in which it was to begin."""

    @task
    async def step(n: int) -> int:
        await asyncio.sleep(0.05)
        return n

    @entrypoint(checkpointer=InMemorySaver())
    async def flow(_: int) -> str:
        try:
            async with asyncio.timeout(0.01):
                gathered = asyncio.gather(step(1), step(2))
                time.sleep(0.05)  # noqa: ASYNC251 - the fault is a loop that is blocked
                return str(await gathered)
        except TimeoutError:
            return "timeout"

    assert await asyncio.wait_for(flow.ainvoke(0, thread()), SOON) == "timeout"


def test_a_plain_task_that_was_cancelled_before_it_began_stays_so(place: Place) -> None:
    """Its future is cancelled in the continuation too, whatever its thread would have done."""
    calls: list[str] = []

    @task
    def work(name: str) -> str:
        calls.append(name)
        return name

    def body(_: int) -> Any:
        future = work("cancelled")
        was_cancelled = future.cancel()
        try:
            value = future.result()
        except concurrent.futures.CancelledError:
            value = "nothing"
        return [was_cancelled, value, work("after").result(), interrupt("ok?")]

    place.flow(body).invoke(0, thread())
    done = place.flow(body).invoke(Command(resume=1), thread())
    assert done == [True, "nothing", "after", 1]
    assert calls == ["after"]


ERRORS = [asyncio.CancelledError, concurrent.futures.CancelledError]


def raising(error: type[BaseException], *, is_async: bool, calls: list[int]) -> Any:
    policy = RetryPolicy(max_attempts=2, initial_interval=0.001, jitter=False)

    @task(retry_policy=policy)
    def plain() -> None:
        calls.append(1)
        raise error("mine")

    @task(retry_policy=policy)
    async def coroutine() -> None:
        calls.append(1)
        raise error("mine")

    return coroutine if is_async else plain


@pytest.mark.parametrize("error", ERRORS)
@pytest.mark.parametrize("is_async", [False, True])
async def test_a_cancelled_error_of_ones_own_is_a_failure(
    place: Place, error: type[BaseException], is_async: bool
) -> None:
    """It is tried again, recorded, seen by the program as an Exception, and replayed as such."""
    calls: list[int] = []
    work = raising(error, is_async=is_async, calls=calls)

    async def body(_: int) -> Any:
        try:
            await work()
        except Exception as caught:
            found = type(caught).__name__
        [gathered] = await asyncio.gather(work(), return_exceptions=True)
        return [found, type(gathered).__name__, interrupt("ok?")]

    await asyncio.wait_for(place.flow(body).ainvoke(0, thread()), SOON)
    done = await asyncio.wait_for(place.flow(body).ainvoke(Command(resume=1), thread()), SOON)
    assert done[0] == done[1] in ("NodeCancelledError", "CancelledError")
    assert len(calls) == 4


@pytest.mark.parametrize("error", ERRORS)
def test_the_same_in_plain_code(place: Place, error: type[BaseException]) -> None:
    """The future raises NodeCancelledError, which names the task and keeps what was raised."""
    work = raising(error, is_async=False, calls=[])

    def body(_: int) -> None:
        work().result()

    with pytest.raises(NodeCancelledError, match="'plain'") as caught:
        place.flow(body).invoke(0, thread())
    assert isinstance(caught.value.__cause__, error)
    [failed] = place.flow(body).get_state(thread()).tasks
    assert isinstance(failed.error, NodeCancelledError)


async def test_a_body_that_raises_a_cancelled_error_fails(place: Place) -> None:
    """The caller of ainvoke is not told that it was cancelled itself."""

    async def body(_: int) -> None:
        raise asyncio.CancelledError

    with pytest.raises(NodeCancelledError, match="'body'"):
        await place.flow(body).ainvoke(0, thread())


async def test_a_task_that_awaits_something_cancelled_fails(place: Place) -> None:
    """Somebody cancelled a future that it waited for, and not the task."""

    @task
    async def work() -> None:
        future = asyncio.get_running_loop().create_future()
        future.cancel()
        await future

    async def body(_: int) -> str:
        try:
            await work()
        except NodeCancelledError as error:
            return error.node
        return "nothing"

    assert await place.flow(body).ainvoke(0, thread()) == "work"
