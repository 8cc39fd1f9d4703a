"""A journal that fails stops the run before its next step, whatever the program catches."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from tests.unit.func.faults import FailingStorage
from tests.unit.func.places import Place, thread

from durably import Entrypoint, StorageError, entrypoint, interrupt, task

STEPS = 4
APPENDS = 1 + STEPS + 2
"""The beginning, the steps, what the thread remembers, the end."""


def failing(place: Place, body: Any, at: int) -> Entrypoint:
    return entrypoint(checkpointer=place.host(FailingStorage(place.storage(), at)))(body)


@pytest.mark.parametrize("at", range(1, APPENDS + 1))
def test_a_failing_append_stops_the_run_and_a_later_one_goes_on(place: Place, at: int) -> None:
    """The error passes `except Exception`; each step whose record was kept runs once."""
    calls: list[int] = []

    @task
    def act(n: int) -> int:
        calls.append(n)
        return n

    def body(_: int) -> list[int]:
        found = []
        for n in range(STEPS):
            try:
                found.append(act(n).result())
            except Exception:
                found.append(-1)
        return found

    with pytest.raises(StorageError, match="disk is full"):
        failing(place, body, at).invoke(0, thread())
    recorded = min(max(at - 2, 0), STEPS)
    in_flight = 1 if 2 <= at < 2 + STEPS else 0
    assert calls == list(range(recorded + in_flight))
    flow = place.flow(body)
    given = None if place.entries() else 0
    assert flow.invoke(given, thread()) == list(range(STEPS))
    assert len(calls) == STEPS + in_flight


@pytest.mark.parametrize("at", range(2, 5))
async def test_a_failing_append_stops_a_coroutine_alike(place: Place, at: int) -> None:
    """The same for gathered coroutines: none of them starts after the failure."""
    calls: list[int] = []

    @task
    async def act(n: int) -> int:
        await asyncio.sleep(0)
        calls.append(n)
        return n

    async def body(_: int) -> list[object]:
        found: list[object] = []
        for n in range(STEPS):
            found += await asyncio.gather(act(n), return_exceptions=True)
        return found

    with pytest.raises(StorageError, match="disk is full"):
        await failing(place, body, at).ainvoke(0, thread())
    assert calls == list(range(at - 1))
    assert await place.flow(body).ainvoke(None, thread()) == list(range(STEPS))
    assert len(calls) == STEPS + 1


def test_a_question_that_cannot_be_recorded_is_not_shown(place: Place) -> None:
    """The run ends with the storage's error, not with an interrupt."""

    def body(_: int) -> object:
        return interrupt("?")

    with pytest.raises(StorageError):
        failing(place, body, 2).invoke(0, thread())
    assert "__interrupt__" in place.flow(body).invoke(None, thread())


def test_a_failing_storage_gives_the_thread_back(place: Place) -> None:
    """The next run need not wait for the lease of the one that stopped."""
    with pytest.raises(StorageError):
        failing(place, lambda _: 1, 1).invoke(0, thread())
    assert place.flow(lambda _: 2).invoke(0, thread()) == 2
