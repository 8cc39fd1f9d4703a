"""Order points: branches come through in the recorded order, whatever order they arrive in."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from durably.engine import Scope, current
from durably.journal.records import Ordered


def here() -> Scope:
    scope = current()
    assert scope is not None
    return scope


def body(delays: dict[str, int], seen: list[str], *, broken: bool) -> Callable[[], Any]:
    """Return a run whose branches arrive after their delays."""

    async def branch(who: str) -> None:
        for _ in range(delays[who]):
            await asyncio.sleep(0)
        await here().order_point("group", who)
        seen.append(who)

    async def run() -> list[str]:
        await asyncio.gather(*map(branch, delays))
        if broken:
            raise RuntimeError("stop")
        return seen

    return run


async def test_branches_pass_in_the_recorded_order_on_replay(runs: Any) -> None:
    """Three branches that finish in another order are let through as the first time."""
    first: list[str] = []
    await runs.adrive(body({"a": 5, "b": 0, "c": 9}, first, broken=True))
    assert first == ["b", "a", "c"]
    again: list[str] = []
    outcome = await runs.adrive(body({"a": 0, "b": 9, "c": 1}, again, broken=False))
    assert (outcome.status, again) == ("done", first)


async def test_the_order_is_recorded_once(runs: Any) -> None:
    """A replayed order adds nothing to the journal."""
    await runs.adrive(body({"a": 5, "b": 0, "c": 9}, [], broken=True))
    await runs.adrive(body({"a": 0, "b": 9, "c": 1}, [], broken=True))
    assert [one.who for one in runs.records(Ordered)] == [["b", "a", "c"]]


async def test_a_branch_that_never_comes_does_not_hold_up_the_others(runs: Any) -> None:
    """When nothing else is under way, its turn is given up."""
    await runs.adrive(body({"a": 5, "b": 0, "c": 9}, [], broken=True))
    seen: list[str] = []
    outcome = await runs.adrive(body({"c": 0, "a": 3}, seen, broken=False))
    assert outcome.status == "done"
    assert sorted(seen) == ["a", "c"]


async def test_a_branch_that_was_not_there_before_comes_last(runs: Any) -> None:
    """Who has no recorded turn waits for those who have."""
    await runs.adrive(body({"a": 5, "b": 0}, [], broken=True))
    seen: list[str] = []
    await runs.adrive(body({"new": 0, "a": 1, "b": 5}, seen, broken=False))
    assert seen == ["b", "a", "new"]


async def test_groups_are_ordered_apart(runs: Any) -> None:
    """A turn in one group says nothing of another."""

    async def run() -> list[str]:
        seen: list[str] = []

        async def pass_(group: str, who: str) -> None:
            await here().order_point(group, who)
            seen.append(group + who)

        await asyncio.gather(pass_("x", "1"), pass_("y", "1"), pass_("x", "2"))
        return seen

    outcome = await runs.adrive(run)
    assert outcome.value == ["x1", "y1", "x2"]
