"""Branches that share state: on replay each is held to the place where it was.

A branch that was finished is not executed again: what it left behind (a flow's state) comes back
as it was recorded. That holds what the branches beside it had done by then, too. One of those that
is executed again must have come to the same step first, and no further, or its changes would be
made twice or be lost.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Callable, Generator, Mapping
from contextlib import asynccontextmanager, contextmanager
from math import inf
from typing import Any, NamedTuple, TypeVar

from ...journal.records import OK
from ..replay.lane import inside
from ..run.run import Run
from .branch_order import LOOK_EVERY, Patience

T = TypeVar("T")

Places = Mapping[str, int]
"""How many steps each branch had come to, by the path of its lane."""

_BEFORE_BEGIN = -1
_SETTLING_SECONDS = 0.5
_START_SECONDS = 0.05
_ALONE = object()


class _Place:
    """Where a branch is that is being executed.

    Attributes:
        end: Where the journal holds its end.
        steps: How many steps it has come to.
        inside: How many of them it is inside of.
        found: What is shared, as the branch found it when it first turned to it since its last
            step; None if it has not.
    """

    __slots__ = ("end", "found", "inside", "steps")

    def __init__(self, end: float) -> None:
        self.end = end
        self.steps = 0
        self.inside = 0
        self.found: Any = None


class Interleaving:
    """The branches of one lane that share state.

    Args:
        run: The run.
        back: Finished branches that will come back from the journal: the row of each, and where
            the others were.
    """

    def __init__(self, run: Run, back: Mapping[int, Places]) -> None:
        self._run = run
        self._back = dict(back)
        self._places: dict[str, _Place] = {}
        self._gone: set[str] = set()
        self._failed: dict[str, int] = {}
        self._looks: dict[str, Callable[[], None]] = {}
        self._beginning: dict[str, _Place] = {}

    async def begin(self, branch: str, row: float = inf) -> None:
        """Let a branch begin, once those are back that were finished before it began.

        Args:
            branch: The path of its lane.
            row: Where the journal holds its end, if it is executed although it was finished.
        """
        self._places[branch] = place = _Place(row)
        self._run.interleaved[branch] = self
        self._beginning[branch] = place
        try:
            await self._await(branch, place)
        finally:
            del self._beginning[branch]

    def end(self, branch: str, *, is_finished: bool = True) -> None:
        """Take note that a branch is over; one that failed will be executed again some time."""
        place = self._places.pop(branch, None)
        if place is not None and not is_finished:
            self._failed[branch] = place.steps
        self._gone.add(branch)
        self._run.interleaved.pop(branch, None)
        self._run.stir()
        for look in list(self._looks.values()):
            look()

    def places(self, besides: str) -> Places:
        """Return where the branches are that are being executed, *besides* one."""
        executing = {branch: steps for branch, (steps, _) in self._where(besides).items()}
        return {**self._failed, **executing}

    def turn_to(self, branch: str, see: Callable[[], Any]) -> None:
        """Take note that a branch gets hold of what the branches share.

        Args:
            branch: The path of its lane.
            see: Returns what is shared, in a form that can be compared; not None.
        """
        place = self._places.get(branch)
        if place is not None and place.found is None:
            place.found = see() if len(self._places) > 1 else _ALONE

    async def look(self, besides: str, take: Callable[[], T]) -> tuple[T, Places]:
        """Take a look at what the branches share, and tell where they were meanwhile.

        It is taken while nobody is in the middle of changing anything: while each of the others is
        inside a step, or has not turned to what is shared since its last one, or had left it as
        it was by when the one that looks turned to it. Whoever is none of these for half a second
        is not waited for.

        Args:
            besides: The branch that looks.
            take: Takes the look.
        """
        seen: asyncio.Future[tuple[T, dict[str, tuple[int, bool]]]]
        seen = asyncio.get_running_loop().create_future()

        def try_it() -> None:
            before = self._where(besides)
            if not seen.done() and self._are_settled(besides):
                taken = take()
                if self._where(besides) == before:
                    seen.set_result((taken, before))

        # Tried at the very end of another branch: what follows on that would be ahead otherwise.
        self._looks[besides] = try_it
        try:
            for _ in range(round(_SETTLING_SECONDS / LOOK_EVERY)):
                try_it()
                if seen.done() or (await asyncio.wait({seen}, timeout=LOOK_EVERY))[0]:
                    break
        finally:
            del self._looks[besides]
        taken, before = seen.result() if seen.done() else (take(), self._where(besides))
        return taken, {**self._failed, **{branch: steps for branch, (steps, _) in before.items()}}

    def _where(self, besides: str) -> dict[str, tuple[int, bool]]:
        places = list(self._places.items())
        return {one: (its.steps, its.inside > 0) for one, its in places if one != besides}

    def _are_settled(self, besides: str) -> bool:
        places = dict(self._places)
        mine = places.pop(besides, None)
        as_found = (None, mine.found if mine is not None else None)
        return all(its.inside > 0 or its.found in as_found for its in places.values())

    async def turn(self, row: int) -> None:
        """Wait until the others are where they were when the branch of *row* was finished."""
        wanted = self._back.get(row, {})  # others may have given it up
        patience = Patience(self._run, lambda: not self._places.keys().isdisjoint(wanted))
        while not all(self._has_come_to(one, steps) for one, steps in wanted.items()):
            await asyncio.sleep(LOOK_EVERY)
            if patience.is_over:
                break

    async def came_back(self, row: int) -> None:
        """Let those go on that waited for the branch that was finished at *row*.

        Those that could not begin before had begun before anything that follows on it. So they are
        ahead of that again when this returns: at their first step or their end, unless that takes
        them long.
        """
        self._back.pop(row, None)
        self._run.stir()
        ahead = {one: its for one, its in self._beginning.items() if not self._before(one, its)}
        for _ in range(round(_START_SECONDS / LOOK_EVERY)):
            if all(its.steps or self._places.get(one) is not its for one, its in ahead.items()):
                break
            await asyncio.sleep(LOOK_EVERY)

    @asynccontextmanager
    async def passing(self, lane: str, steps: int) -> AsyncGenerator[None]:
        """Have the branches that *lane* lies in pass over steps at once that are not taken again.

        A branch in a branch that comes back takes none of its own, and the one around it must
        count them as it did. It goes on from the block when it is its turn.
        """
        around = _around(self._run, lane)
        places = [gate._arrive(branch, steps) for branch, gate in around]
        try:
            yield
            for (branch, gate), place in zip(around, places, strict=True):
                await gate._await(branch, place)
        finally:
            for branch, gate in around:
                gate.leave(branch)

    def steps(self, branch: str) -> int:
        """Return how many steps a branch has come to."""
        place = self._places.get(branch)
        return place.steps if place is not None else 0

    def enter(self, branch: str) -> None:
        """Come to a branch's next step, and wait until it may begin."""
        place = self._arrive(branch)
        patience = Patience(self._run)
        while self._is_early(branch, place, patience):
            time.sleep(LOOK_EVERY)

    async def aenter(self, branch: str) -> None:
        """Like :meth:`enter`, for coroutines."""
        await self._await(branch, self._arrive(branch))

    def leave(self, branch: str) -> None:
        """Go on from a step, to the next one."""
        place = self._places.get(branch)
        if place is not None:
            place.inside -= 1
            place.found = None

    async def _await(self, branch: str, place: _Place) -> None:
        patience = Patience(self._run)
        while self._is_early(branch, place, patience):  # noqa: ASYNC110 - threads end the wait
            await asyncio.sleep(LOOK_EVERY)

    def _arrive(self, branch: str, steps: int = 1) -> _Place:
        place = self._places.get(branch) or _Place(inf)
        place.steps += steps
        place.inside += 1
        self._run.stir()
        return place

    def _is_early(self, branch: str, place: _Place, patience: Patience) -> bool:
        before = self._before(branch, place)
        if before and patience.is_over:
            for row in before:
                self._back.pop(row, None)
            return False
        return bool(before)

    def _before(self, branch: str, place: _Place) -> list[int]:
        """Return the rows of those that come back before a branch goes on from its place."""
        return [
            row
            for row, places in list(self._back.items())
            if row < place.end and places.get(branch, _BEFORE_BEGIN) <= place.steps
        ]

    def _has_come_to(self, branch: str, steps: int) -> bool:
        place = self._places.get(branch)
        return place.steps >= steps if place is not None else branch in self._gone or steps <= 0


@contextmanager
def in_place(run: Run, lane: str) -> Generator[None]:
    """Take a step of *lane* while the block runs, when it is its turn."""
    around = _around(run, lane)
    for branch, gate in around:
        gate.enter(branch)
    try:
        yield
    finally:
        for branch, gate in around:
            gate.leave(branch)


@asynccontextmanager
async def ain_place(run: Run, lane: str) -> AsyncGenerator[None]:
    """Like :func:`in_place`, for coroutines."""
    around = _around(run, lane)
    for branch, gate in around:
        await gate.aenter(branch)
    try:
        yield
    finally:
        for branch, gate in around:
            gate.leave(branch)


def _around(run: Run, lane: str) -> list[tuple[str, Interleaving]]:
    """Return the branches that *lane* lies in, the outermost first, and what holds them up."""
    found = [
        (branch, gate) for branch, gate in list(run.interleaved.items()) if inside(lane, branch)
    ]
    return sorted(found, key=lambda one: len(one[0]))


class Recorded(NamedTuple):
    """A finished step as the journal holds it."""

    name: str
    ordinal: int
    row: int
    value: Any


def recorded(run: Run, lane: str, kind: str) -> list[Recorded]:
    """Return the steps of *kind* in *lane* itself that have an outcome to replay, in order."""
    log = run.log
    if log is None:
        return []
    return [
        Recorded(held.step.name, held.step.ordinal, held.seq, log.value(held.step.value))
        for held in run.past.finished_in(lane, kind)
        if held.step.outcome == OK
    ]
