"""Lanes: the logical lines of control that steps are counted in."""

from __future__ import annotations

import asyncio
import re
import threading
from collections.abc import Collection, Hashable, Iterator
from functools import lru_cache
from typing import Any, NamedTuple, Protocol, TypeAlias

from ...journal.records import StepAttempted, StepEnded, StepStarted
from ..timeouts import Deadline
from .recorded_steps import EFFECTS, Slot

_PLACE_KEY = 2
"""Of how many parts a key is that steps of one kind and name are counted by."""

_STEP_KEY = 3
"""Of how many parts a key is that steps of one request are counted by."""

_PRINT = re.compile(r":[0-9a-f]{8}(?=[#/]|$)")
"""The print of a lane's content in its path (see :mod:`.lane_name`)."""

Line: TypeAlias = "tuple[int, asyncio.Task[Any] | None]"
"""Who executes: a thread, and the asyncio task in it, if any."""


def line_here() -> Line:
    """Return who executes the calling code."""
    loop = _running_loop()
    return _thread(), None if loop is None else asyncio.current_task(loop)


def line_now(line: Line) -> Line:
    """Return what :func:`line_here` does; cheaply if it still is *line*, as it mostly is."""
    thread, task = line
    if task is None or thread != _thread():
        return line_here()
    now = asyncio.current_task(task.get_loop())  # without asking which loop it is: that is dear
    return line if now is task else line_here()


_running_loop, _thread = asyncio._get_running_loop, threading.get_ident


class Leaf(NamedTuple):
    """The content of the lane inside a step.

    Attributes:
        stem: The part of its segment that names no content (see :func:`leaf_stem`).
        print: The fingerprint of the step's request.
        packed: The step's request in plain form, packed.
    """

    stem: str
    print: bytes
    packed: bytes


class LeafStep(Protocol):
    """The part of a step that its inner lane needs (:class:`..step.step.Step`)."""

    @property
    def inner(self) -> str:
        """Path of the lane inside the step."""
        ...

    @property
    def leaf(self) -> Leaf:
        """The content of that lane."""
        ...


def leaf_stem(kind: str, name: str) -> str:
    """Return the stem of the lanes inside steps of *kind* and *name*."""
    return f"{kind}:{name}~"


class Lane:
    """One entry into a line of control, such as ``crew/task[1]/agent``.

    A lane that is entered again by its framework's own retry is a new object with the same path:
    its counters start anew, so that the steps finished before are met again and replayed.

    Args:
        path: Segments joined by ``/``, the same in every process; or the step that the lane lies
            in (see :func:`inner_lane`).
        owner: See the attribute.
        deadline: See the attribute.

    Attributes:
        owner: What tells a retry of this very lane from another lane inside it.
        taken: What was met in this entry out of its place: the rows of recorded steps, the ids of
            recorded questions. Positions would not do: processes that died in the middle of calls
            made at the same time may have given one position to two of them.
        active: The steps of this entry that the program has come to and that have no outcome yet.
        home: Who executes the code of this entry; None until it is known.
        deadline: What limits the attempt that the lane lies in, if anything.
        is_calling: Whether its code has begun calls side by side, and has waited for none since.
        agent: The name of the agent whose turn it is, if an adapter said so.
        leaf: The step around this lane, until the journal knows the lane inside it by its content.
        instead: Recorded lanes that stood at this lane's place, and that the program has not
            entered.
    """

    __slots__ = (
        "_again",
        "_counts",
        "_path",
        "active",
        "agent",
        "deadline",
        "home",
        "instead",
        "is_calling",
        "leaf",
        "owner",
        "taken",
    )

    def __init__(
        self,
        path: str | Slot | StepStarted,
        owner: Hashable | None = None,
        deadline: Deadline | None = None,
        agent: str = "",
    ) -> None:
        self._path = path
        self.deadline = deadline
        self.agent = agent
        self.owner = owner
        # Every step opens a lane, and few have steps inside: containers are made when needed.
        self.taken: Collection[int | str] = ()
        self.active: Collection[Any] = ()
        self.home: Line | None = None
        self.is_calling = False
        self._counts: dict[tuple[Any, ...], int] | None = None
        self._again: Lane | None = None
        self.leaf: LeafStep | None = None
        self.instead: tuple[str, ...] = ()

    @property
    def path(self) -> str:
        """Segments joined by ``/``."""
        path = self._path
        if isinstance(path, str):
            return path
        path = self._path = inner_lane(path)  # made for those steps only in which others are taken
        return path

    def slot(self, kind: str, name: str, print_: bytes) -> Slot:
        """Count one more step and return its identity."""
        counts, place, exact = self._counted, (kind, name), (kind, name, print_)
        ordinal, nth = counts.get(place, 0), counts.get(exact, 0)
        counts[place], counts[exact] = ordinal + 1, nth + 1
        return _new(Slot, (self.path, kind, name, ordinal, print_, nth))

    def meets(self, step: StepEnded, kind: str, name: str) -> bool:
        """Count one more step if it is, by its place, the recorded *step*; say whether it is."""
        if step.name != name or step.kind != kind or step.lane != self.path:
            return False
        counts, place, exact = self._counted, (kind, name), (kind, name, step.print)
        ordinal, nth = counts.get(place, 0), counts.get(exact, 0)
        if step.ordinal != ordinal or step.nth != nth:
            return False
        counts[place], counts[exact] = ordinal + 1, nth + 1
        return True

    @property
    def effects(self) -> int:
        """How many effects the program has come to in this entry."""
        kinds = ((key, count) for key, count in self._counted.items() if len(key) == _PLACE_KEY)
        return sum(count for key, count in kinds if key[0] in EFFECTS)

    def count(self, key: tuple[Any, ...]) -> int:
        """Return how often *key* was counted before, and count it."""
        counts = self._counted
        number = counts.get(key, 0)
        counts[key] = number + 1
        return number

    @property
    def _counted(self) -> dict[tuple[Any, ...], int]:
        if self._counts is None:
            self._counts = {}
        return self._counts

    def take(self, what: int | str) -> None:
        """Note that the outcome in a row, or the answer to a question, was met."""
        if isinstance(self.taken, set):
            self.taken.add(what)
        else:
            self.taken = {what}

    def enter(self, step: Any) -> None:
        """Note that the program has come to a step that has no outcome."""
        if isinstance(self.active, set):
            self.active.add(step)
        else:
            self.active = {step}

    def leave(self, step: Any) -> None:
        """Note that a step has an outcome, or will get none."""
        if isinstance(self.active, set):
            self.active.discard(step)

    def again(self) -> Lane:
        """Return a new entry into the same lane; its counters start anew."""
        again = self._again = Lane(self.path, self.owner, self.deadline, self.agent)
        again.leaf, again.instead = self.leaf, self.instead
        return again

    def newest(self) -> Lane:
        """Return the entry that came last, this one or one made from it."""
        return self if self._again is None else self._again.newest()

    def met(self) -> Iterator[tuple[str, str, str, bytes, int]]:
        """Yield the exact identities of the steps that the program has come to in this entry."""
        for key, count in self._counted.items():
            if len(key) == _STEP_KEY:
                yield from ((self.path, *key, nth) for nth in range(count))

    @property
    def came_to(self) -> int:
        """Grows when the program comes to a step, a question or a lane of a new kind in it."""
        return len(self._counted)

    def is_home(self, line: Line | None) -> bool:
        """Say whether *line* executes the lane's own code, and is not a branch beside it.

        Only the lane's own code comes to its steps in an order that is the same on replay. None
        stands for code whose adapter opens a lane for each branch.
        """
        home = self.home
        if line is None or line == home:
            return True
        if home is None or (home[0] == line[0] and home[1] is None):
            self.home = line  # a program that begins an event loop goes on in it
            return True
        return line == (home[0], None)

    def child(self, segment: str, number: int) -> str:
        """Return the path of the *number*-th lane called *segment* inside this one."""
        name = segment.replace("/", "∕")  # noqa: RUF001 - a slash look-alike keeps paths splittable
        name = f"{name}#{number}" if number else name
        return f"{self.path}/{name}" if self.path else name


_new = tuple.__new__


def shown_lane(path: str) -> str:
    """Return a lane's path as people are shown it, without the prints of lanes' contents."""
    return _PRINT.sub("", path)


@lru_cache(maxsize=1024)
def segments(path: str) -> tuple[str, ...]:
    """Return the segments of a lane's path."""
    return tuple(filter(None, path.split("/")))


def inside(path: str, lane: str) -> bool:
    """Say whether *path* is *lane* or lies within it."""
    return path == lane or path.startswith(f"{lane}/") or not lane


def inner_lane(step: Slot | StepStarted | StepEnded | StepAttempted) -> str:
    """Return the path of the lane that a step opens for what happens inside it.

    It is made from the request, not from the position, so that parallel calls keep theirs.
    """
    segment = f"{step.name}~{step.print.hex()[:16]}".replace("/", "∕")  # noqa: RUF001 - as in Lane
    segment = f"{segment}#{step.nth}" if step.nth else segment
    return f"{step.lane}/{segment}" if step.lane else segment
