"""Lanes: the logical lines of control that steps are counted in."""

from __future__ import annotations

from collections.abc import Hashable


class Lane:
    """One entry into a line of control, such as ``crew/task[1]/agent:Writer``.

    A lane that is entered again by its framework's own retry is a new object with the same path:
    its counters start anew, so that the steps finished before are met again and replayed.

    Attributes:
        path: Segments joined by ``/``; the same in every process.
        owner: What tells a retry of this very lane from another lane inside it.
        taken: Recorded steps that were met in this entry, by ``(kind, name, ordinal)``.
        active: How many steps are being executed in this entry now.
    """

    __slots__ = ("_counts", "active", "owner", "path", "taken")

    def __init__(self, path: str, owner: Hashable | None = None) -> None:
        self.path = path
        self.owner = owner
        self.taken: set[tuple[str, str, int]] = set()
        self.active: set[object] = set()
        self._counts: dict[Hashable, int] = {}

    def count(self, key: Hashable) -> int:
        """Return how often *key* was counted before, and count it."""
        number = self._counts.get(key, 0)
        self._counts[key] = number + 1
        return number

    def child(self, segment: str, number: int) -> str:
        """Return the path of the *number*-th lane called *segment* inside this one."""
        name = segment.replace("/", "∕")  # noqa: RUF001 - a slash look-alike keeps paths splittable
        name = f"{name}#{number}" if number else name
        return f"{self.path}/{name}" if self.path else name


def inside(path: str, lane: str) -> bool:
    """Say whether *path* is *lane* or lies within it."""
    return path == lane or path.startswith(f"{lane}/") or not lane
