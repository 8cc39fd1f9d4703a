"""Effects that a continued workflow never comes to: nested ones, cancelled ones, what it saves."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from typing import Any

import pytest

from durably import Listener, ProgramChanged, StepInfo, entrypoint, task

from .places import Place, thread


class Told(Listener):
    """Notes the effects of which it is told that nobody came to them."""

    def __init__(self) -> None:
        self.unmet: list[str] = []
        self.finished: list[str] = []

    def step_finished(self, step: StepInfo, error: BaseException | None) -> None:
        self.finished.append(step.name)

    def effect_unmet(self, step: StepInfo, row: int, request: Any) -> None:
        self.unmet.append(step.name)


@task
def pay(amount: int) -> int:
    return amount


@task
def mail(to: str) -> str:
    return to


def continued(
    place: Place, bodies: list[Callable[[Any], Any]], on_change: str = "auto"
) -> tuple[Any, list[str]]:
    """Run each body in a process of its own, all but the last killed at its end; what was told."""
    told: list[str] = []
    for number, body in enumerate(bodies):
        is_last = number == len(bodies) - 1

        def flow(given: Any, body: Any = body, is_last: bool = is_last) -> Any:
            value = body(given)
            if not is_last:
                raise RuntimeError("killed")
            return value

        watcher = Told()
        made = place.flow(flow, listeners=[watcher], on_change=on_change if is_last else "auto")
        if is_last:
            return made.invoke(None, thread()), watcher.unmet
        with pytest.raises(RuntimeError, match="killed"):
            made.invoke(1 if not number else None, thread())
        told += watcher.unmet
    raise AssertionError(told)


@entrypoint()
def order(amount: int) -> int:
    return pay(amount).result()


@entrypoint()
def idle(amount: int) -> int:
    return amount


def test_what_a_finished_nested_entrypoint_did_is_not_told(place: Place) -> None:
    """It has returned, so its code is not executed again."""

    def body(_: Any) -> int:
        return order.invoke(2)

    assert continued(place, [body, body]) == (2, [])


def test_a_nested_entrypoint_that_is_not_called_any_more_is_told(place: Place) -> None:
    """Of the call and what it did inside, each effect is told."""

    def body(_: Any) -> int:
        return order.invoke(2)

    _, told = continued(place, [body, lambda _: 0])
    assert "pay" in told


def test_the_effect_of_the_branch_that_is_not_taken_again_is_told(place: Place) -> None:
    """The program ends without its effect, and says so."""

    def first(_: Any) -> str:
        pay(2).result()
        return mail("ann").result()

    def second(_: Any) -> str:
        return mail("ann").result()

    assert continued(place, [first, second]) == ("ann", ["pay"])


def test_a_run_that_is_stopped_for_it_saves_nothing(place: Place) -> None:
    """The next run on the thread begins with what the last one that ended well had left."""

    def first(_: Any) -> int:
        return pay(2).result()

    with pytest.raises(ProgramChanged, match="pay"):
        continued(place, [first, lambda _: "saved"], on_change="error")
    seen: list[Any] = []

    def later(_: Any, *, previous: Any = None) -> None:
        seen.append(previous)

    place.flow(later).invoke(2, thread())
    assert seen == [None]


@task
async def mail_later(to: str) -> str:
    return to


@task
async def slow() -> None:
    await mail_later("ann")
    await asyncio.sleep(60)


async def test_effects_of_a_task_that_was_cancelled_are_not_told(place: Place) -> None:
    """A cancelled task comes back as cancelled, with all that it had done."""
    watcher, is_last = Told(), False

    async def flow(_: Any) -> str:
        future = slow()
        async with asyncio.timeout(30):
            while "mail_later" not in watcher.finished:  # noqa: ASYNC110 - no event is set by it
                await asyncio.sleep(0)
        future.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await future
        await mail_later("bob")
        if not is_last:
            raise RuntimeError("killed")
        return "end"

    with pytest.raises(RuntimeError, match="killed"):
        await place.flow(flow, listeners=[watcher]).ainvoke(1, thread())
    is_last = True
    assert await place.flow(flow, listeners=[watcher]).ainvoke(None, thread()) == "end"
    assert watcher.unmet == []
