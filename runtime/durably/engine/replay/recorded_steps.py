"""Outcomes of steps, found by identity; read in the order in which the program comes to them.

A program that goes on where it was mostly comes to its steps in the order in which the journal has
them, so each is looked for in the next row first, and no index is made. The first step that is not
the next one has everything indexed. What this process adds is indexed only when a lane is entered
again: a lane's counters never go back, so its own steps never meet each other.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple, TypeAlias

from ...journal import Row
from ...journal.records import StepEnded

Exact: TypeAlias = "tuple[str, str, str, bytes, int]"
"""Lane, kind, name, fingerprint, and how many of these the lane had before."""


class Slot(NamedTuple):
    """A step's identity within its run."""

    lane: str
    kind: str
    name: str
    ordinal: int
    print: bytes
    nth: int

    @property
    def exact(self) -> Exact:
        """The identity by request."""
        return (self.lane, self.kind, self.name, self.print, self.nth)

    @property
    def place(self) -> tuple[str, str, str, int]:
        """The identity by position."""
        return self[:4]


class Held(NamedTuple):
    """A recorded step and its row number."""

    seq: int
    step: StepEnded


_SLOT = len(Slot._fields)
_held = tuple.__new__


class Outcomes:
    """The steps of one run that have an outcome.

    Args:
        rows: Those in the journal; each its own, with a value.
        read: Makes the record of a row.

    Attributes:
        is_blank: Whether there is nothing to be found.
    """

    def __init__(self, rows: Sequence[Row], read: Callable[[Row], StepEnded]) -> None:
        self._rows = rows
        self._read = read
        self._next = 0
        self._ahead: StepEnded | None = None
        self._fresh: list[tuple[int, StepEnded]] = []
        self._is_indexed = False
        self.is_blank = not rows
        self._exact: dict[Exact, Held] = {}
        self._place: dict[tuple[str, str, str, int], Held] = {}

    def __len__(self) -> int:
        """Return how many distinct steps there are."""
        return len(self._exact) if self._is_indexed else len(self._rows) + len(self._fresh)

    def add(self, seq: int, step: StepEnded) -> None:
        """Take one more in."""
        if self._is_indexed:
            self._index_one(Held(seq, step))
        else:
            self._fresh.append((seq, step))

    def exact(self, slot: Slot) -> Held | None:
        """Return the outcome of this very request."""
        if not self._is_indexed:
            step = self.ahead()
            if step is None:
                return None
            if step[:_SLOT] == slot:
                row = self._rows[self._next]
                self.pass_by()
                return _held(Held, (row.seq, step))
            self.index()
        return self._exact.get(slot.exact)

    @property
    def has_next(self) -> bool:
        """Whether the program, which met all others in their order, has rows before it."""
        return self._next < len(self._rows)

    def ahead(self) -> StepEnded | None:
        """Return the step of the next row, or None if there is none or the order was left."""
        if self._ahead is None and self._next < len(self._rows):
            self._ahead = self._read(self._rows[self._next])
        return self._ahead

    def pass_by(self) -> None:
        """Go on to the row after the next one."""
        self._next += 1
        self._ahead = None

    def met(self, steps: Iterable[Exact]) -> list[Held]:
        """Return the outcomes of *steps* that the program was given, in order.

        Empty if the journal holds a later one of them, which it comes to when it asks again.
        """
        ahead = {row.seq for row in self._rows[self._next :]}
        self.index()
        found = [self._exact[exact] for exact in steps if exact in self._exact]
        return [] if any(held.seq in ahead for held in found) else sorted(found)

    def placed(self, slot: Slot) -> Held | None:
        """Return the outcome recorded at the slot's position."""
        if self._next < len(self._rows):
            self.index()
        return self._place.get(slot.place)

    def all(self) -> Iterable[Held]:
        """Return every outcome."""
        self.index()
        return self._exact.values()

    def index(self) -> None:
        """Have every outcome found by identity, those yet to come too."""
        if self._is_indexed:
            return
        self._is_indexed = True
        self.is_blank = False
        for row in self._rows:
            self._index_one(Held(row.seq, self._read(row)))
        for seq, step in self._fresh:
            self._index_one(Held(seq, step))
        self._rows, self._fresh = (), []
        self._next, self._ahead = 0, None

    def _index_one(self, held: Held) -> None:
        step = held.step
        self._exact[step.lane, step.kind, step.name, step.print, step.nth] = held
        self._place[step.lane, step.kind, step.name, step.ordinal] = held
