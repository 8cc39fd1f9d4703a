"""Tasks in tasks to any depth, many at once, and nothing left behind."""

from __future__ import annotations

import asyncio
import concurrent.futures
import threading

import pytest
from tests.unit.func.places import Place, thread

from durably import Suspended, entrypoint, task


def test_plain_tasks_call_tasks_to_any_depth(place: Place) -> None:
    """A waiting task holds no place that another would need."""

    @task
    def down(depth: int) -> int:
        return 0 if depth == 0 else 1 + down(depth - 1).result()

    assert place.flow(lambda depth: down(depth).result()).invoke(120, thread()) == 120


def test_parallel_plain_tasks_call_tasks_to_any_depth() -> None:
    """The same when each level begins two."""

    @task
    def down(depth: int, side: int) -> int:
        if depth == 0:
            return 1
        return sum(future.result() for future in [down(depth - 1, 0), down(depth - 1, 1)])

    assert entrypoint()(lambda depth: down(depth, 0).result()).invoke(6) == 64


async def test_coroutines_call_tasks_to_any_depth(place: Place) -> None:
    """The same for coroutines."""

    @task
    async def down(depth: int) -> int:
        return 0 if depth == 0 else 1 + await down(depth - 1)

    async def body(depth: int) -> int:
        return await down(depth)

    assert await place.flow(body).ainvoke(30, thread()) == 30


async def test_coroutines_and_plain_tasks_call_each_other() -> None:
    """A plain task in a coroutine runs in a thread and may call plain tasks there."""

    @task
    def plain(depth: int) -> str:
        return "." if depth == 0 else plain(depth - 1).result() + "p"

    @task
    async def slow(depth: int) -> str:
        return await plain(depth) + "s"

    async def body(depth: int) -> str:
        return await slow(depth)

    assert await entrypoint()(body).ainvoke(5) == ".ppppps"


def test_a_thousand_plain_tasks_at_once(place: Place) -> None:
    """Every result comes back to the call it belongs to."""

    @task
    def square(x: int) -> int:
        return x * x

    def body(n: int) -> list[int]:
        return [future.result() for future in [square(x) for x in range(n)]]

    assert place.flow(body).invoke(1000, thread()) == [x * x for x in range(1000)]
    assert place.flow(body).invoke(None, thread()) == [x * x for x in range(1000)]


async def test_two_thousand_coroutines_at_once(place: Place) -> None:
    """The same for coroutines."""

    @task
    async def square(x: int) -> int:
        await asyncio.sleep(0)
        return x * x

    async def body(n: int) -> list[int]:
        return list(await asyncio.gather(*map(square, range(n))))

    assert await place.flow(body).ainvoke(2000, thread()) == [x * x for x in range(2000)]


def test_tasks_begun_together_run_side_by_side() -> None:
    """Each waits for the other: one after the other they would never end."""
    meeting = threading.Barrier(3)

    @task
    def meet(x: int) -> int:
        meeting.wait(10)
        return x

    def body(_: str) -> list[int]:
        return [future.result() for future in [meet(1), meet(2), meet(3)]]

    assert entrypoint()(body).invoke("") == [1, 2, 3]


def test_a_task_runs_while_its_caller_does_something_else() -> None:
    """A task that nobody asks for is begun all the same."""
    begun = threading.Event()

    @task
    def announce() -> None:
        begun.set()

    def body(_: str) -> bool:
        future = announce()
        arrived = begun.wait(10)
        future.result()
        return arrived

    assert entrypoint()(body).invoke("") is True


def test_futures_work_with_the_standard_library() -> None:
    """wait, as_completed, timeouts, callbacks and exception() do what they always do."""

    @task
    def square(x: int) -> int:
        if x < 0:
            raise ValueError(x)
        return x * x

    def body(_: str) -> list[object]:
        one, two, bad = square(1), square(2), square(-1)
        done, _rest = concurrent.futures.wait([one, two, bad], timeout=10)
        called: list[int] = []
        three = square(3)
        three.add_done_callback(lambda future: called.append(future.result()))
        first = [f.result(10) for f in concurrent.futures.as_completed([three], 10)]
        return [len(done), str(bad.exception(10)), first, called, one.result(), two.result(10)]

    assert entrypoint()(body).invoke("") == [3, "-1", [9], [9], 1, 4]


def test_tasks_nobody_asks_for_are_finished_before_the_run_ends(place: Place) -> None:
    """Their results are recorded, and they are not executed again."""
    calls: list[int] = []

    @task
    def act(n: int) -> None:
        calls.append(n)

    def body(n: int) -> str:
        for x in range(n):
            act(x)
        return "done"

    assert place.flow(body).invoke(5, thread()) == "done"
    assert sorted(calls) == [0, 1, 2, 3, 4]


async def test_coroutines_nobody_awaits_are_finished_before_the_run_ends(place: Place) -> None:
    """The same for coroutines."""
    calls: list[int] = []

    @task
    async def act(n: int) -> None:
        await asyncio.sleep(0)
        calls.append(n)

    async def body(n: int) -> str:
        for x in range(n):
            act(x)
        return "done"

    before = asyncio.all_tasks()
    assert await place.flow(body).ainvoke(5, thread()) == "done"
    assert sorted(calls) == [0, 1, 2, 3, 4]
    assert asyncio.all_tasks() == before


async def test_cancelling_an_invoke_cancels_the_run(place: Place) -> None:
    """The run's code is unwound, its tasks are gone, and it can be continued."""
    entered = asyncio.Event()
    closed: list[str] = []

    @task
    async def wait(x: str) -> str:
        entered.set()
        try:
            await asyncio.sleep(3600 if not closed else 0)
        finally:
            closed.append(x)
        return x

    async def body(_: str) -> list[str]:
        return list(await asyncio.gather(wait("a"), wait("b")))

    before = asyncio.all_tasks()
    running = asyncio.create_task(place.flow(body).ainvoke("", thread()))
    await entered.wait()
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert sorted(closed) == ["a", "b"]
    assert asyncio.all_tasks() == before
    assert await place.flow(body).ainvoke(None, thread()) == ["a", "b"]


async def test_a_cancelled_task_future_cancels_its_call() -> None:
    """A future that is cancelled, or times out, ends the coroutine behind it."""
    closed: list[str] = []

    @task
    async def wait() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            closed.append("closed")

    async def body(_: str) -> str:
        future = wait()
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        future.cancel()
        try:
            await future
        except asyncio.CancelledError:
            return "cancelled"
        return "not cancelled"

    assert await entrypoint()(body).ainvoke("") == "cancelled"
    assert closed == ["closed"]


def test_code_that_outlives_its_run_takes_no_more_steps(place: Place) -> None:
    """A thread that the program left behind cannot write to the thread of another run."""
    over, outcome = threading.Event(), list[object]()
    calls: list[int] = []

    @task
    def act() -> None:
        calls.append(1)

    def late() -> None:
        over.wait(10)
        try:
            act().result()
        except BaseException as error:
            outcome.append(error)

    def body(_: str) -> threading.Thread | str:
        left.append(threading.Thread(target=late))
        left[0].start()
        return "done"

    left: list[threading.Thread] = []
    place.flow(body).invoke("", thread())
    over.set()
    left[0].join()
    assert calls == []
    assert isinstance(outcome[0], Suspended)


async def test_cancelling_a_plain_entrypoint_lets_its_step_end_and_begins_no_other(
    place: Place,
) -> None:
    """A thread cannot be cancelled: what is under way in it is recorded before the run is left."""
    entered, leave = threading.Event(), threading.Event()
    calls: list[str] = []

    @task
    def act(x: str) -> str:
        calls.append(x)
        entered.set()
        leave.wait(10)
        return x

    def body(_: str) -> str:
        return act("a").result() + act("b").result()

    running = asyncio.create_task(place.flow(body).ainvoke("", thread()))
    await asyncio.to_thread(entered.wait, 10)
    running.cancel()
    await asyncio.sleep(0)
    leave.set()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert calls == ["a"]
    assert await place.flow(body).ainvoke(None, thread()) == "ab"
    assert calls == ["a", "b"]


async def test_a_plain_workflow_is_invoked_where_an_event_loop_runs(place: Place) -> None:
    """Notebooks do so: the loop cannot turn meanwhile, and tasks do without it."""

    @task
    def double(number: int) -> int:
        return 2 * number

    @task
    def outer(number: int) -> int:
        return double(number).result() + 1

    def body(number: int) -> list[int]:
        beside = [double(number), double(number + 1)]
        return [outer(number).result(), *(future.result() for future in beside)]

    assert place.flow(body).invoke(3, thread()) == [7, 6, 8]


async def test_a_plain_workflow_may_run_an_event_loop_of_its_own(place: Place) -> None:
    """Tasks that are called in it are awaited there."""

    @task
    async def double(number: int) -> int:
        await asyncio.sleep(0)
        return 2 * number

    async def inner(number: int) -> list[int]:
        return [*await asyncio.gather(double(number), double(number + 1))]

    flow = place.flow(lambda number: asyncio.run(inner(number)))
    assert await asyncio.to_thread(flow.invoke, 3, thread()) == [6, 8]
