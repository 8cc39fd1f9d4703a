"""Streams: what comes, in which order, when, and what happens to a consumer that leaves."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import pytest
from tests.unit.func.places import Place, thread

from durably import Command, Interrupt, get_stream_writer, interrupt, task


@task
def double(x: int) -> int:
    get_stream_writer()(f"doubling {x}")
    return 2 * x


@task
async def adouble(x: int) -> int:
    get_stream_writer()(f"doubling {x}")
    return 2 * x


def chain(x: int) -> int:
    return double(double(x).result()).result()


def test_updates_are_results_in_the_order_of_completion(place: Place) -> None:
    """One part for each finished task, and the entrypoint's own at the end."""
    parts = list(place.flow(chain).stream(1, thread(), stream_mode="updates"))
    assert parts == [{"double": 2}, {"double": 4}, {"chain": 4}]


def test_several_modes_come_with_their_names(place: Place) -> None:
    """Parts of all modes are in one order: the order in which things happened."""
    parts = list(place.flow(chain).stream(1, thread(), stream_mode=["updates", "custom", "values"]))
    assert parts == [
        ("custom", "doubling 1"),
        ("updates", {"double": 2}),
        ("custom", "doubling 2"),
        ("updates", {"double": 4}),
        ("updates", {"chain": 4}),
        ("values", 4),
    ]


async def test_coroutines_stream_alike(place: Place) -> None:
    """An astream yields what stream yields."""

    async def chain(x: int) -> int:
        return await adouble(await adouble(x))

    flow = place.flow(chain)
    parts = [part async for part in flow.astream(1, thread(), stream_mode=["updates", "custom"])]
    assert parts == [
        ("custom", "doubling 1"),
        ("updates", {"adouble": 2}),
        ("custom", "doubling 2"),
        ("updates", {"adouble": 4}),
        ("updates", {"chain": 4}),
    ]


def test_parts_are_delivered_while_the_run_goes_on(place: Place) -> None:
    """A part is in the consumer's hands before the step after it ends."""
    seen = threading.Event()

    @task
    def first() -> str:
        return "first"

    @task
    def second() -> bool:
        return seen.wait(10)

    def body(_: str) -> bool:
        first().result()
        return second().result()

    parts = place.flow(body).stream("", thread(), stream_mode="updates")
    assert next(parts) == {"first": "first"}
    seen.set()
    assert list(parts) == [{"second": True}, {"body": True}]


async def test_parts_are_delivered_while_a_coroutine_goes_on(place: Place) -> None:
    """The same in an event loop."""
    seen = asyncio.Event()

    @task
    async def first() -> str:
        return "first"

    @task
    async def second() -> bool:
        return await asyncio.wait_for(seen.wait(), 10)

    async def body(_: str) -> bool:
        await first()
        return await second()

    parts = place.flow(body).astream("", thread(), stream_mode="updates")
    assert await anext(parts) == {"first": "first"}
    seen.set()
    assert [part async for part in parts] == [{"second": True}, {"body": True}]


def test_a_consumer_that_leaves_early_lets_the_run_end(place: Place) -> None:
    """What the run still does is recorded; the thread is free when the stream is closed."""
    flow = place.flow(chain)
    parts = flow.stream(1, thread(), stream_mode="updates")
    next(parts)
    parts.close()  # type: ignore[attr-defined]
    assert flow.invoke(None, thread()) == 4


async def test_a_consumer_that_leaves_a_coroutine_early_can_go_on_later(place: Place) -> None:
    """The run is cancelled; a later invoke continues it."""
    calls: list[str] = []

    @task
    async def act(x: str) -> str:
        calls.append(x)
        return x

    async def body(_: str) -> str:
        found = await act("a")
        await asyncio.sleep(0 if len(calls) > 1 else 0.001)
        return found + await act("b")

    flow = place.flow(body)
    before = asyncio.all_tasks()
    parts = flow.astream("", thread(), stream_mode="updates")
    assert await anext(parts) == {"act": "a"}
    await parts.aclose()  # type: ignore[attr-defined]
    assert asyncio.all_tasks() == before
    assert await flow.ainvoke(None, thread()) == "ab"
    assert calls == ["a", "b"]


def test_parts_come_before_the_error_that_ends_the_stream(place: Place) -> None:
    """Nothing that happened is lost because something failed."""

    def body(x: int) -> None:
        double(x).result()
        raise ZeroDivisionError

    parts = place.flow(body).stream(1, thread(), stream_mode="updates")
    assert next(parts) == {"double": 2}
    with pytest.raises(ZeroDivisionError):
        next(parts)


def test_a_stream_ends_with_the_questions_the_run_waits_for(place: Place) -> None:
    """The interrupts are the last part, and the same as invoke's."""

    def body(x: int) -> Any:
        return interrupt(double(x).result())

    flow = place.flow(body)
    parts = list(flow.stream(1, thread(), stream_mode="updates"))
    assert parts[0] == {"double": 2}
    [asked] = parts[-1]["__interrupt__"]
    assert isinstance(asked, Interrupt)
    assert asked.value == 2
    again = list(flow.stream(Command(resume="ok"), thread(), stream_mode="updates"))
    assert again[-1] == {"body": "ok"}


def test_an_unknown_mode_is_refused(place: Place) -> None:
    """A misspelt mode is an error before anything runs."""
    with pytest.raises(ValueError, match="update"):
        list(place.flow(chain).stream(1, thread(), stream_mode="update"))
    assert place.entries() == []


def test_a_writer_outside_of_a_stream_goes_nowhere(place: Place) -> None:
    """A program that streams may be invoked."""
    assert place.flow(chain).invoke(1, thread()) == 4


def test_a_writer_outside_of_a_run_says_so() -> None:
    """There is nobody who could listen."""
    with pytest.raises(RuntimeError, match="outside of a run"):
        get_stream_writer()
