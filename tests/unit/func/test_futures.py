"""Futures of tasks behave as those of concurrent.futures do, whoever waits for them."""

from __future__ import annotations

import concurrent.futures as cf
import threading
from collections.abc import Callable
from typing import Any

import pytest

from durably import InMemorySaver, entrypoint, task


def run(body: Callable[[], Any]) -> Any:
    @entrypoint(checkpointer=InMemorySaver())
    def flow(_: None) -> Any:
        return body()

    return flow.invoke(0, {"configurable": {"thread_id": "t"}})


@task
def double(x: int) -> int:
    return 2 * x


@task
def broken() -> None:
    raise KeyError("gone")


def test_wait_and_as_completed_see_futures_that_run_elsewhere() -> None:
    """The module's own functions find the lock and the lists that they expect."""

    def body() -> list[int]:
        futures = [double(x) for x in range(5)]
        done, left = cf.wait(futures)
        assert not left
        return sorted(one.result() for one in cf.as_completed([*done]))

    assert run(body) == [0, 2, 4, 6, 8]


def test_a_callback_is_called_once_before_and_after_the_end() -> None:
    """Whether it is added before the task ends or after it."""
    seen: list[int] = []

    def body() -> int:
        future = double(4)
        future.add_done_callback(lambda one: seen.append(one.result()))
        value = future.result()
        future.add_done_callback(lambda one: seen.append(one.result() + 1))
        return value

    assert run(body) == 8
    assert seen == [8, 9]


def test_a_failure_is_raised_and_told() -> None:
    """``exception()`` returns it, and every ``result()`` raises the very same one."""

    def body() -> bool:
        future = broken()
        error = future.exception()
        with pytest.raises(KeyError) as first:
            future.result()
        with pytest.raises(KeyError) as second:
            future.result()
        return first.value is second.value is error

    assert run(body) is True


def test_a_call_that_has_not_begun_can_be_cancelled() -> None:
    """It never runs, and asking for its result says so; one that has begun cannot be."""
    ran: list[str] = []

    @task
    def noted(name: str) -> str:
        ran.append(name)
        return name

    def body() -> list[bool]:
        held = noted("held")
        is_cancelled = held.cancel()
        with pytest.raises(cf.CancelledError):
            held.result()
        done = noted("done")
        done.result()
        return [is_cancelled, held.cancelled(), held.done(), done.cancel(), done.cancelled()]

    assert run(body) == [True, True, True, False, False]
    assert ran == ["done"]


def test_many_threads_ask_for_one_result() -> None:
    """The task runs once, and all of them get its value."""
    ran: list[int] = []
    gate = threading.Barrier(9)

    @task
    def counted() -> int:
        ran.append(1)
        return 7

    def body() -> list[int]:
        future = counted()
        values: list[int] = []

        def ask() -> None:
            gate.wait()
            values.append(future.result())

        askers = [threading.Thread(target=ask) for _ in range(8)]
        for asker in askers:
            asker.start()
        gate.wait()
        for asker in askers:
            asker.join()
        return values

    assert run(body) == [7] * 8
    assert ran == [1]


def test_a_time_out_leaves_the_task_to_its_thread() -> None:
    """``result(timeout=…)`` raises when the time is over; the task goes on and is recorded."""
    go_on = threading.Event()

    @task
    def waits() -> str:
        go_on.wait()
        return "done"

    def body() -> str:
        future = waits()
        with pytest.raises(TimeoutError):
            future.result(timeout=0)
        go_on.set()
        return future.result()

    assert run(body) == "done"
