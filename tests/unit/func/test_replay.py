"""Finished steps are replayed: after a failure, a suspension, and in any order of calls."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Any

import pytest
from tests.unit.func.places import Place, Watcher, thread

from durably import Command, ProgramChanged, interrupt, task


def test_finished_steps_are_not_executed_again_after_a_failure(place: Place) -> None:
    """Only what had not finished runs when a failed run is continued."""
    calls: list[int] = []
    broken = [True]

    @task
    def square(x: int) -> int:
        calls.append(x)
        return x * x

    def body(n: int) -> int:
        total = sum(square(i).result() for i in range(n))
        if broken:
            raise RuntimeError("the program died here")
        return total

    with pytest.raises(RuntimeError, match="died here"):
        place.flow(body).invoke(4, thread())
    broken.clear()
    assert place.flow(body).invoke(None, thread()) == 14
    assert calls == [0, 1, 2, 3]


async def test_finished_steps_are_not_executed_again_in_a_coroutine(place: Place) -> None:
    """The same holds for coroutines, for tasks that are plain functions too."""
    calls: list[str] = []
    broken = [True]

    @task
    async def slow(x: str) -> str:
        calls.append(x)
        await asyncio.sleep(0)
        return x + "!"

    @task
    def plain(x: str) -> str:
        calls.append(x)
        return x + "?"

    async def body(x: str) -> list[str]:
        found = [await slow(x), await plain(x)]
        found += await asyncio.gather(slow("b"), slow("c"), plain("d"))
        if broken:
            raise RuntimeError("the program died here")
        return found

    with pytest.raises(RuntimeError, match="died here"):
        await place.flow(body).ainvoke("a", thread())
    broken.clear()
    assert await place.flow(body).ainvoke(None, thread()) == ["a!", "a?", "b!", "c!", "d?"]
    assert sorted(calls) == ["a", "a", "b", "c", "d"]


def test_finished_steps_are_not_executed_again_after_a_suspension(place: Place) -> None:
    """A run that waited for a person replays what came before the question."""
    watcher = Watcher()

    @task
    def draft(topic: str) -> str:
        return f"about {topic}"

    def body(topic: str) -> str:
        text = draft(topic).result()
        return text + str(interrupt(text)) + draft("end").result()

    waiting = place.flow(body, listeners=[watcher]).invoke("tea", thread())
    assert [one.value for one in waiting["__interrupt__"]] == ["about tea"]
    done = place.flow(body, listeners=[watcher]).invoke(Command(resume=", yes, "), thread())
    assert done == "about tea, yes, about end"
    assert watcher.executed == ["draft", "draft"]
    assert watcher.replayed == ["draft"]


def test_the_same_call_twice_is_two_steps(place: Place) -> None:
    """Equal calls keep their own results, in their order."""
    counter = iter(range(100))
    broken = [True]

    @task
    def draw(pot: str) -> int:
        return next(counter)

    def body(_: str) -> list[int]:
        found = [draw("a").result(), draw("a").result(), draw("b").result(), draw("a").result()]
        if broken:
            raise RuntimeError("stop")
        return found

    with pytest.raises(RuntimeError):
        place.flow(body).invoke("", thread())
    broken.clear()
    assert place.flow(body).invoke(None, thread()) == [0, 1, 2, 3]


@pytest.mark.parametrize("seed", range(4))
async def test_concurrent_coroutines_in_another_order_keep_their_results(
    place: Place, seed: int
) -> None:
    """Branches that reach their calls in another order on resume get their own results."""
    broken = [True]
    executed: list[int] = []

    @task
    async def look_up(x: int) -> int:
        executed.append(x)
        return x * 10

    async def branch(x: int, turns: int) -> int:
        for _ in range(turns):
            await asyncio.sleep(0)
        return await look_up(x)

    async def body(_: int) -> list[int]:
        turns = [0, 3, 1, 2] if broken else [(3 + seed) % 4, seed, 2, (1 + seed) % 4]
        found = await asyncio.gather(*(branch(x, n) for x, n in enumerate(turns)))
        if broken:
            raise RuntimeError("stop")
        return found

    with pytest.raises(RuntimeError):
        await place.flow(body).ainvoke(0, thread())
    broken.clear()
    assert await place.flow(body).ainvoke(None, thread()) == [0, 10, 20, 30]
    assert sorted(executed) == [0, 1, 2, 3]


@pytest.mark.parametrize("finished", range(1, 5))
async def test_a_half_finished_batch_of_coroutines_resumes_in_another_order(
    place: Place, finished: int
) -> None:
    """What a killed batch had not finished is executed, never answered with a sibling's result."""
    order = [0, 1, 2, 3, 4]
    limit = [finished]
    running: list[asyncio.Future[Any]] = []

    @task
    async def look_up(x: int) -> int:
        if limit and limit[0] == 0:
            running[0].cancel()  # as if the process had died before the call
            await asyncio.sleep(3600)
        if limit:
            limit[0] -= 1
        return x * 10

    async def branch(x: int) -> tuple[int, int]:
        for _ in range(2 * order.index(x)):
            await asyncio.sleep(0)
        return x, await look_up(x)

    async def body(_: int) -> dict[int, int]:
        return dict(await asyncio.gather(*(branch(x) for x in range(5))))

    running.append(asyncio.ensure_future(place.flow(body).ainvoke(0, thread())))
    with pytest.raises(asyncio.CancelledError):
        await running[0]
    limit.clear()
    order.reverse()
    done = await place.flow(body).ainvoke(None, thread())
    assert done == {x: x * 10 for x in range(5)}


@pytest.mark.parametrize("first", [[4, 3, 2, 1, 0], [2, 0, 4, 1, 3]])
def test_a_half_finished_batch_in_threads_resumes_in_another_order(
    place: Place, first: list[int]
) -> None:
    """The same for plain tasks that are begun together."""
    order = [0, 1, 2, 3, 4]
    broken = [True]

    @task
    def look_up(x: int) -> int:
        if broken and x in {1, 4}:
            raise KeyboardInterrupt  # as if the process had died in these two
        return x * 10

    def body(_: int) -> dict[int, int]:
        futures = {x: look_up(x) for x in order}
        return {x: future.result() for x, future in futures.items()}

    with pytest.raises(KeyboardInterrupt):
        place.flow(body).invoke(0, thread())
    broken.clear()
    order[:] = first
    assert place.flow(body).invoke(None, thread()) == {x: x * 10 for x in range(5)}


def test_swapped_calls_get_their_own_results(place: Place) -> None:
    """Two calls whose order was changed in the program are found by what they ask."""
    names = ["first", "second"]
    broken = [True]

    @task
    def greet(name: str) -> str:
        return f"hello {name}"

    def body(_: str) -> list[str]:
        found = [greet(name).result() for name in names]
        if broken:
            raise RuntimeError("stop")
        return found

    with pytest.raises(RuntimeError):
        place.flow(body).invoke("", thread())
    broken.clear()
    names.reverse()
    watcher = Watcher()
    done = place.flow(body, listeners=[watcher]).invoke(None, thread())
    assert done == ["hello second", "hello first"]
    assert watcher.executed == []


def test_a_volatile_argument_replays_and_says_so(place: Place) -> None:
    """A clock reading in the arguments does not repeat the step; the difference is reported."""
    broken = [True]
    watcher = Watcher()
    times: list[datetime] = []

    @task
    def report(at: datetime, topic: str) -> str:
        return f"{topic} on {at:%d}"

    def body(topic: str) -> str:
        times.append(datetime.now(UTC))
        found = report(times[-1], topic).result()
        if broken:
            raise RuntimeError("stop")
        return found

    with pytest.raises(RuntimeError):
        place.flow(body).invoke("tea", thread())
    broken.clear()
    done = place.flow(body, listeners=[watcher]).invoke(None, thread())
    assert done == f"tea on {times[0]:%d}"
    [(name, action, differences)] = watcher.changed
    assert (name, action) == ("report", "replay")
    assert f"{times[0]:%f}" in differences[0]
    assert f"{times[1]:%f}" in differences[0]


def test_a_long_request_is_recorded_as_it_was_given(place: Place) -> None:
    """What a task does to a history that it was given is not in its request; only news differ."""
    broken = [True]
    watcher = Watcher()
    times: list[datetime] = []

    @task
    def answer(history: list[dict[str, object]], about: tuple[str, datetime]) -> int:
        history[:] = [{"content": "forgotten"}]
        return len(about)

    def body(_: str) -> int:
        history = [{"role": "user", "content": f"{n} {'word ' * 60}"} for n in range(100)]
        times.append(datetime.now(UTC))
        about = ("tea", times[-1])
        found = answer(history, about).result()
        if broken:
            raise RuntimeError("stop")
        return found

    with pytest.raises(RuntimeError):
        place.flow(body).invoke("", thread())
    broken.clear()
    assert place.flow(body, listeners=[watcher]).invoke(None, thread()) == 2
    [(_, action, [difference])] = watcher.changed
    assert action == "replay"
    assert f"{times[1]:%f}" in difference


def test_one_recorded_result_is_never_given_to_two_calls(place: Place) -> None:
    """A result stands in for no other call: where tasks come in another order the run asks."""
    order = ["a", "b", "c"]
    broken = [True]

    @task
    def look_up(x: str) -> str:
        return x.upper()

    def body(_: str) -> list[str]:
        found = [look_up(x).result() for x in (order[:2] if broken else order)]
        if broken:
            raise RuntimeError("stop")
        return found

    with pytest.raises(RuntimeError):
        place.flow(body).invoke("", thread())
    broken.clear()
    order[:] = ["c", "a", "b"]
    [question] = place.flow(body).invoke(None, thread())["__interrupt__"]
    assert question.value["name"] == "changed"
    with pytest.raises(ProgramChanged, match="look_up"):
        place.flow(body, on_change="error").invoke(None, thread())
    assert place.flow(body, on_change="rerun").invoke(None, thread()) == ["C", "A", "B"]
