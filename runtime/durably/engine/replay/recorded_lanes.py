"""The lanes that the journal knows by their content: crews, their tasks, leaves with steps inside.

A lane's path holds only a fingerprint of its content. The content itself is recorded once, so that
a lane whose content holds a clock reading or an id of its process is found again.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from ...journal.records import LaneEntered


class KnownLane(NamedTuple):
    """A recorded lane.

    Attributes:
        path: Its path.
        stem: The part of its segment that names no content.
        print: The fingerprint of its content.
        content: The content, encoded.
        at: When it was entered, in seconds since the epoch.
        instead: Recorded lanes that it may have been, when it was new.
        is_new: Whether this process was the first to enter it.
    """

    path: str
    stem: str
    print: bytes
    content: bytes
    at: float
    instead: list[str]
    is_new: bool


class RecordedLanes:
    """The lanes of one run, by the lane around them and their stem, in order."""

    def __init__(self) -> None:
        self._children: dict[tuple[str, str], dict[str, KnownLane]] = {}
        self._instead: dict[str, list[str]] = {}
        self._claimed: set[str] = set()

    def __bool__(self) -> bool:
        return bool(self._instead)

    def add(self, record: LaneEntered) -> None:
        """Take in that a lane was entered."""
        if record.lane in self._instead:
            return
        self._instead[record.lane] = record.instead
        parent = record.lane.rpartition("/")[0]
        is_new = record.lane in self._claimed
        known = KnownLane(*record, is_new)
        self._children.setdefault((parent, record.stem), {})[record.lane] = known

    def knows(self, path: str) -> bool:
        """Return whether a lane was recorded."""
        return path in self._instead

    def unclaimed(self, paths: Iterable[str]) -> tuple[str, ...]:
        """Return those of *paths* that no code was given."""
        return tuple(path for path in paths if path not in self._claimed)

    def recorded_instead(self, path: str) -> Sequence[str]:
        """Return the lanes that a lane may have been when it was new; none of an unknown lane."""
        return self._instead.get(path, ())

    def instead_of(self, path: str) -> tuple[str, ...]:
        """Return the unclaimed lanes that a recorded lane may have been."""
        return self.unclaimed(self._instead[path])

    def claim(self, path: str) -> bool:
        """Give a recorded lane to the code that enters it; False if other code was given it."""
        if path in self._claimed:
            return False
        self._claimed.add(path)
        return True

    def release(self, path: str) -> None:
        """Let the lanes inside *path* be claimed anew: the lane around them is entered again."""
        self._claimed = {one for one in self._claimed if not one.startswith(f"{path}/")}

    def earlier(self, parent: str, stem: str) -> list[KnownLane]:
        """Return the lanes of a stem inside *parent* that earlier processes entered, in order."""
        known = self._children.get((parent, stem), {})
        return [lane for lane in known.values() if not lane.is_new]

    def left(self, parent: str, stem: str) -> list[KnownLane]:
        """Return the unclaimed lanes of a stem inside *parent*, in order."""
        known = self._children.get((parent, stem), {})
        return [lane for path, lane in known.items() if path not in self._claimed]
