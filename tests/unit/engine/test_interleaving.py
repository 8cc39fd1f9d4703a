"""Branches that share state come back, or are executed again, at the places where they were."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from durably.engine import Call, Scope, current
from durably.engine.order.shared_state import Interleaving


def here() -> Scope:
    scope = current()
    assert scope is not None
    return scope


class Shared:
    """A list that branches add to before and after each of their steps.

    Args:
        breaks: At which step the run breaks off.
    """

    def __init__(self, breaks: str = "") -> None:
        self.log: list[str] = []
        self.breaks = breaks
        self.executed: list[str] = []
        self.newest = -1

    async def run(self) -> list[str]:
        scope = here()
        self.recorded = {one.name: one for one in scope.recorded("task")}
        self.beside = scope.interleaving(
            {one.row: one.value["beside"] for one in self.recorded.values()}
        )
        await asyncio.gather(self.branch("long", 4), self.branch("short", 1))
        return sorted(self.log)

    async def branch(self, name: str, steps: int) -> None:
        scope, lane = here(), f"{name}"
        recorded = self.recorded.get(name)
        if recorded is not None:
            await self.beside.turn(recorded.row)
            if recorded.row > self.newest:
                self.newest = recorded.row
                self.log[:] = recorded.value["log"]
            await self.beside.came_back(recorded.row)
            return
        with scope.span("branch", name, lane):
            await self.beside.begin(lane)
            is_finished = False
            try:
                await self.take(name, steps)
                await self.beside.aenter(lane)
                left, places = await self.beside.look(lane, lambda: list(self.log))
                is_finished = True
            finally:
                self.beside.end(lane, is_finished=is_finished)
        scope.step(Call("task", name, None), lambda: {"log": left, "beside": dict(places)})

    async def take(self, name: str, steps: int) -> None:
        self.add(name, f"{name} begins")
        for number in range(steps):
            step = f"{name} {number}"
            await here().astep(Call("model", step, None), self.doing(step))
            self.add(name, step)

    def add(self, name: str, entry: str) -> None:
        self.beside.turn_to(name, lambda: list(self.log))
        self.log.append(entry)

    def doing(self, step: str) -> Callable[[], Awaitable[str]]:
        async def do() -> str:
            if step == self.breaks:
                raise RuntimeError("the run breaks off")
            for _ in range(3):
                await asyncio.sleep(0.001)
            self.executed.append(step)
            return step

        return do


WHOLE = ["long 0", "long 1", "long 2", "long 3", "long begins", "short 0", "short begins"]


@pytest.mark.parametrize("breaks", ["long 0", "long 1", "long 2", "long 3"])
async def test_a_branch_that_is_executed_again_changes_what_is_shared_once(
    runs: Any, breaks: str
) -> None:
    """The short one is finished while the long one is in the middle; both are in the end once."""
    first = Shared(breaks)
    assert (await runs.adrive(first.run)).status == "failed"
    again = Shared()
    outcome = await runs.adrive(again.run)
    assert outcome.value == WHOLE
    assert {*first.executed, *again.executed} == {w for w in WHOLE if "begins" not in w}


async def test_what_is_finished_comes_back_without_being_executed(runs: Any) -> None:
    """A second look at a finished run executes nothing."""
    assert (await runs.adrive(Shared().run)).value == WHOLE
    again = Shared()
    assert (await runs.adrive(again.run)).value == WHOLE
    assert again.executed == []


async def test_a_branch_that_others_gave_up_can_still_come_back(runs: Any) -> None:
    """Nobody waits for ever for one that a changed program comes to late."""

    async def run() -> str:
        beside = here().interleaving({5: {}})
        await beside.begin("new")  # waits for row 5 until nothing has happened for a while
        await beside.turn(5)
        await beside.came_back(5)
        return "done"

    assert (await runs.adrive(run)).value == "done"


async def test_one_that_was_held_up_is_ahead_of_what_follows(runs: Any) -> None:
    """What could not begin before a branch came back has begun when that goes on."""
    order: list[str] = []

    async def begin(beside: Interleaving) -> None:
        await beside.begin("new")
        order.append("new")
        beside.end("new")

    async def run() -> list[str]:
        beside = here().interleaving({5: {}})
        new = asyncio.create_task(begin(beside))
        await asyncio.sleep(0)
        await beside.turn(5)
        await beside.came_back(5)
        order.append("what follows")
        await new
        return order

    assert (await runs.adrive(run)).value == ["new", "what follows"]


class Beside:
    """A branch that is over while another one is at work, which is in no step for a while.

    Args:
        does: What the one at work does first, given how it adds to what they share.
    """

    def __init__(self, does: Callable[[Callable[[], None]], None]) -> None:
        self.does = does
        self.shared: list[str] = []
        self.order: list[str] = []

    async def run(self) -> list[str]:
        self.beside = here().interleaving({})
        await self.beside.begin("over")
        working = asyncio.create_task(self.work())
        await asyncio.sleep(0)
        self.add("over")
        await self.beside.aenter("over")
        await self.beside.look("over", lambda: None)
        self.beside.end("over")
        self.order.append("over")
        await working
        return self.order

    async def work(self) -> None:
        await self.beside.begin("at work")
        self.does(lambda: self.add("at work"))
        await asyncio.sleep(0.1)
        self.order.append("at work")
        self.beside.end("at work")

    def add(self, name: str) -> None:
        self.beside.turn_to(name, lambda: list(self.shared))
        self.shared.append(name)


@pytest.mark.parametrize(
    ("does", "order"),
    [(lambda add: add(), ["at work", "over"]), (lambda add: None, ["over", "at work"])],
    ids=["changed", "untouched"],
)
async def test_who_looks_waits_for_those_that_changed_something(
    runs: Any, does: Any, order: list[str]
) -> None:
    """Who has turned to what is shared has to come to a step first, or to an end; nobody else."""
    assert (await runs.adrive(Beside(does).run)).value == order


async def test_steps_that_are_not_taken_again_count(runs: Any) -> None:
    """A branch passes over what comes back inside it, and no further than where it was."""
    order: list[str] = []

    async def long(beside: Interleaving) -> None:
        with here().span("branch", "long", "long"):
            await beside.begin("long")
            inside = here().interleaving({})
            async with inside.passing(here().lane.path, 3):
                order.append("long is past its steps")
            order.append("long goes on")

    async def short(beside: Interleaving) -> None:
        await beside.turn(7)
        order.append("short is back")
        await beside.came_back(7)

    async def run() -> None:
        beside = here().interleaving({7: {"long": 3}})
        await asyncio.gather(long(beside), short(beside))

    assert (await runs.adrive(run)).status == "done"
    assert order == ["long is past its steps", "short is back", "long goes on"]
