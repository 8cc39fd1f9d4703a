"""Branches that share state come back, or are executed again, at the places where they were."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from durably.engine import Call, Scope, current


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
            self.beside.came_back(recorded.row)
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
        self.log.append(f"{name} begins")
        for number in range(steps):
            step = f"{name} {number}"
            await here().astep(Call("model", step, None), self.doing(step))
            self.log.append(step)

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
        beside.came_back(5)
        return "done"

    assert (await runs.adrive(run)).value == "done"
