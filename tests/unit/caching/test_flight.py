"""Single flight: who computes, who waits, and what happens when the one who computes fails."""

from __future__ import annotations

import asyncio
import contextvars
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from durably.caching import SingleFlight

WAIT = 30


def until(condition: Callable[[], bool]) -> None:
    """Let other threads run until something has happened."""
    pause = threading.Event()
    for _ in range(WAIT * 1_000):
        if condition():
            return
        pause.wait(0.001)
    raise AssertionError("it did not happen")


async def auntil(condition: Callable[[], bool]) -> None:
    """Let other tasks run until something has happened."""
    for _ in range(100):
        if condition():
            return
        await asyncio.sleep(0)
    raise AssertionError("it did not happen")


def waiting(flights: SingleFlight[Any], key: str = "k") -> int:
    """Count who waits for a key."""
    flight = flights._flights.get(key)
    return len(flight.waiting) if flight else 0


def is_empty(flights: SingleFlight[Any]) -> bool:
    return not flights._flights


class Gate:
    """A computation that counts its calls and ends when it is let."""

    def __init__(self) -> None:
        self.calls = 0
        self.open = threading.Event()

    def __call__(self) -> int:
        self.calls += 1
        assert self.open.wait(WAIT)
        return self.calls


class AsyncGate:
    """The same for an event loop."""

    def __init__(self) -> None:
        self.calls = 0
        self.open = asyncio.Event()

    async def __call__(self) -> int:
        self.calls += 1
        await self.open.wait()
        return self.calls


def test_threads_compute_once():
    """Threads that want one key at once all get the value of one computation."""
    flights, gate = SingleFlight[int](), Gate()
    with ThreadPoolExecutor(5) as pool:
        futures = [pool.submit(flights.run, "k", gate) for _ in range(5)]
        until(lambda: waiting(flights) == 4)
        gate.open.set()
        assert [future.result(WAIT) for future in futures] == [1] * 5
    assert is_empty(flights)


async def test_tasks_compute_once():
    """The same for tasks of one event loop."""
    flights, gate = SingleFlight[int](), AsyncGate()
    tasks = [asyncio.create_task(flights.arun("k", gate)) for _ in range(5)]
    await auntil(lambda: waiting(flights) == 4)
    gate.open.set()
    assert await asyncio.gather(*tasks) == [1] * 5
    assert is_empty(flights)


def test_loops_and_threads_compute_once():
    """The same for tasks of several event loops and a thread together."""
    flights, gate = SingleFlight[int](), Gate()

    async def compute() -> int:
        return await asyncio.to_thread(gate)

    def loop() -> int:
        return asyncio.run(flights.arun("k", compute))

    with ThreadPoolExecutor(4) as pool:
        futures = [pool.submit(loop), pool.submit(loop), pool.submit(loop)]
        until(lambda: waiting(flights) == 2)
        futures.append(pool.submit(flights.run, "k", gate))
        until(lambda: waiting(flights) == 3)
        gate.open.set()
        assert [future.result(WAIT) for future in futures] == [1] * 4


def test_keys_do_not_wait_for_each_other():
    """Another key is computed while the first one still is."""
    flights, gate = SingleFlight[int](), Gate()
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(flights.run, "k", gate)
        until(lambda: gate.calls == 1)
        assert flights.run("other", lambda: 7) == 7
        gate.open.set()
        assert first.result(WAIT) == 1


def test_later_call_computes_again():
    """A flight is no cache: once it has landed, the next call computes."""
    flights, values = SingleFlight[int](), iter(range(2))
    assert [flights.run("k", lambda: next(values)) for _ in range(2)] == [0, 1]


def test_failure_is_not_shared():
    """The caller who computed has the failure; the next who waits computes for all others."""
    flights, gate = SingleFlight[int](), Gate()

    def fail() -> int:
        gate()
        raise ValueError("mine")

    with ThreadPoolExecutor(3) as pool:
        first = pool.submit(flights.run, "k", fail)
        until(lambda: gate.calls == 1)
        others = [pool.submit(flights.run, "k", gate) for _ in range(2)]
        until(lambda: waiting(flights) == 2)
        gate.open.set()
        with pytest.raises(ValueError, match="mine"):
            first.result(WAIT)
        assert [other.result(WAIT) for other in others] == [2, 2]
    assert is_empty(flights)


def test_each_caller_has_its_own_failure():
    """When all fail, each raises what its own computation raised."""
    flights, gate = SingleFlight[int](), threading.Event()
    raised = [ValueError(str(number)) for number in range(3)]

    def fail(number: int) -> int:
        assert gate.wait(WAIT)
        raise raised[number]

    with ThreadPoolExecutor(3) as pool:
        futures = [pool.submit(flights.run, "k", lambda n=number: fail(n)) for number in range(3)]
        until(lambda: waiting(flights) == 2)
        gate.set()
        assert [future.exception(WAIT) for future in futures] == raised
    assert is_empty(flights)


async def test_cancelled_leader_hands_over():
    """When the task that computes is cancelled, one that waits computes."""
    flights, gate = SingleFlight[int](), AsyncGate()
    leader = asyncio.create_task(flights.arun("k", gate))
    await auntil(lambda: gate.calls == 1)
    others = [asyncio.create_task(flights.arun("k", gate)) for _ in range(2)]
    await auntil(lambda: waiting(flights) == 2)
    leader.cancel()
    with pytest.raises(asyncio.CancelledError):
        await leader
    gate.open.set()
    assert await asyncio.gather(*others) == [2, 2]
    assert is_empty(flights)


async def test_cancelled_waiter_is_passed_over():
    """A task that was cancelled while it waited is not given the lead."""
    flights, gate = SingleFlight[int](), AsyncGate()
    leader = asyncio.create_task(flights.arun("k", gate))
    await auntil(lambda: gate.calls == 1)
    gone = asyncio.create_task(flights.arun("k", gate))
    last = asyncio.create_task(flights.arun("k", gate))
    await auntil(lambda: waiting(flights) == 2)
    gone.cancel()
    with pytest.raises(asyncio.CancelledError):
        await gone
    leader.cancel()
    gate.open.set()
    assert await last == 2
    assert is_empty(flights)


async def test_waiter_cancelled_while_it_is_given_the_lead_passes_it_on():
    """The lead is not lost when it arrives together with a cancellation."""
    flights, gate = SingleFlight[int](), AsyncGate()
    turn = contextvars.copy_context().run(flights.enter, "k")
    unlucky = asyncio.create_task(flights.arun("k", gate))
    last = asyncio.create_task(flights.arun("k", gate))
    await auntil(lambda: waiting(flights) == 2)
    turn.leave()
    unlucky.cancel()
    with pytest.raises(asyncio.CancelledError):
        await unlucky
    gate.open.set()
    assert await last == 1
    assert is_empty(flights)


def test_own_key_is_computed_not_waited_for():
    """A call inside its own computation, in a thread of its context too, does not wait for it."""
    flights = SingleFlight[str]()

    def outer() -> str:
        context = contextvars.copy_context()
        with ThreadPoolExecutor(1) as pool:
            in_thread = pool.submit(context.run, flights.run, "k", lambda: "thread").result(WAIT)
        return f"{flights.run('k', lambda: 'here')} {in_thread}"

    assert flights.run("k", outer) == "here thread"
    assert is_empty(flights)


async def test_child_task_does_not_wait_for_its_parent():
    """A task begun inside the computation computes by itself."""
    flights = SingleFlight[str]()

    async def inner() -> str:
        return "inner"

    async def outer() -> str:
        return await asyncio.create_task(flights.arun("k", inner))

    async with asyncio.timeout(WAIT):
        assert await flights.arun("k", outer) == "inner"


async def test_blocking_call_on_a_loop_does_not_wait():
    """A blocking call on an event loop's thread never waits for a task of that loop."""
    flights, gate = SingleFlight[int](), AsyncGate()
    leader = asyncio.create_task(flights.arun("k", gate))
    await auntil(lambda: gate.calls == 1)
    assert flights.run("k", lambda: 7) == 7
    gate.open.set()
    assert await leader == 1


def test_turn_tells_its_part():
    """A turn says whether to compute, whether the value has landed, and ends once."""
    flights = SingleFlight[int]()
    turn = flights.enter("k")
    assert (turn.landed, turn.alone) == (False, False)
    inside = flights.enter("k")
    assert (inside.landed, inside.alone) == (False, True)
    assert inside.land(2) == 2
    assert not is_empty(flights)
    assert turn.land(1) == 1
    turn.leave()
    assert is_empty(flights)
