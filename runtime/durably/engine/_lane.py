"""Lanes: the logical lines of control that steps are counted in."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Hashable
from typing import Any, TypeAlias

from ._deadline import Deadline

Line: TypeAlias = "tuple[int, asyncio.Task[Any] | None]"
"""Who executes: a thread, and the asyncio task in it, if any."""


def line_here() -> Line:
    """Return who executes the calling code."""
    loop = asyncio._get_running_loop()
    task = asyncio.current_task(loop) if loop is not None else None
    return threading.get_ident(), task


class Lane:
    """One entry into a line of control, such as ``crew/task[1]/agent:Writer``.

    A lane that is entered again by its framework's own retry is a new object with the same path:
    its counters start anew, so that the steps finished before are met again and replayed.

    Attributes:
        path: Segments joined by ``/``; the same in every process.
        owner: What tells a retry of this very lane from another lane inside it.
        taken: Recorded steps that were met in this entry, by ``(kind, name, ordinal)``.
        active: The steps of this entry that the program has come to and that have no outcome yet.
        home: Who executes the code of this entry; None until it is known.
        deadline: What limits the attempt that the lane lies in, if anything.
        agent: The name of the agent whose turn it is, if an adapter said so.
    """

    __slots__ = ("_counts", "active", "agent", "deadline", "home", "owner", "path", "taken")

    def __init__(
        self,
        path: str,
        owner: Hashable | None = None,
        deadline: Deadline | None = None,
        agent: str = "",
    ) -> None:
        self.path = path
        self.deadline = deadline
        self.agent = agent
        self.owner = owner
        self.taken: set[tuple[str, str, int]] = set()
        self.active: set[Any] = set()
        self.home: Line | None = None
        self._counts: dict[Hashable, int] = {}

    def count(self, key: Hashable) -> int:
        """Return how often *key* was counted before, and count it."""
        number = self._counts.get(key, 0)
        self._counts[key] = number + 1
        return number

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


def inside(path: str, lane: str) -> bool:
    """Say whether *path* is *lane* or lies within it."""
    return path == lane or path.startswith(f"{lane}/") or not lane
