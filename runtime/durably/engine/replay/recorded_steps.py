"""Outcomes of steps, found by identity; read in the order in which the program comes to them.

A program that goes on where it was mostly comes to its steps in the order in which the journal has
them, so each is looked for in the next row first, and no index is made. The first step that is not
the next one has everything indexed. What this process adds is indexed only when a lane is entered
again: a lane's counters never go back, so its own steps never meet each other.

An outcome is *claimed* when the program was given it. What is left unclaimed is kept by lane, so
that a step without an outcome of its own costs one look-up, however long the run is.
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


class Held(NamedTuple):
    """A recorded step and its row number."""

    seq: int
    step: StepEnded


EFFECTS = frozenset({"tool", "task", "code"})
"""Kinds of steps that may change the outside world."""


def is_effect(step: StepEnded) -> bool:
    """Return whether a recorded step may have changed the outside world."""
    return step.kind in EFFECTS and not step.pure


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
        self._lanes: dict[str, list[Held]] = {}
        self._left: dict[str, dict[int, Held]] = {}
        self._effects: dict[str, list[Held]] = {}
        self._effect_lanes: set[str] = set()
        self._met: set[int] = set()

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

    def find(self, exact: Exact) -> Held | None:
        """Return the outcome of an identity, claimed or not; None before anything is indexed."""
        return self._exact.get(exact) if self._is_indexed else None

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

    def claim(self, held: Held) -> bool:
        """Give an outcome to the step that asks; False if another step was given it before."""
        if not self._is_indexed:
            return True
        return self._left.get(held.step.lane, {}).pop(held.seq, None) is not None

    @property
    def has_left(self) -> bool:
        """Whether some outcome may be unclaimed."""
        if self._is_indexed:
            return any(self._left.values())
        return self._next < len(self._rows)

    def left(self, lane: str) -> list[Held]:
        """Return the unclaimed outcomes of *lane* itself, in the journal's order."""
        if not self.has_left:
            return []
        self.index()
        return list(self._left.get(lane, {}).values())

    def left_inside(self, lane: str) -> list[Held]:
        """Return the unclaimed outcomes of *lane* and of the lanes in it, in order."""
        if not self.has_left:
            return []
        self.index()
        lanes = [each for path, each in self._left.items() if _inside(path, lane)]
        return sorted(held for each in lanes for held in each.values())

    def effects_at(self, lane: str, number: int) -> list[Held]:
        """Return the unclaimed effects of *lane* that a new effect may stand for.

        These are the one with the same number, and the one that follows the last one claimed: a
        program that skips an effect is one number behind from then on.

        Args:
            lane: The path of the lane.
            number: How many effects the program came to in the lane before.
        """
        if not self.has_left:
            return []
        self.index()
        effects, left = self._effects.get(lane, []), self._left.get(lane, {})
        met = [place for place, held in enumerate(effects) if held.seq not in left]
        places = {number, met[-1] + 1 if met else 0}
        there = [effects[place] for place in sorted(places) if place < len(effects)]
        return [held for held in there if held.seq in left]

    def holds_effects(self, lane: str) -> bool:
        """Return whether *lane*, or a lane in it, held an effect when the run was taken up."""
        self.index()
        return lane in self._effect_lanes

    def release(self, lane: str) -> None:
        """Let the outcomes of *lane*, and of the lanes in it, be claimed anew."""
        self.index()
        for path, outcomes in self._lanes.items():
            if _inside(path, lane):
                left = self._left.get(path, {})
                self._met.update(held.seq for held in outcomes if held.seq not in left)
        self._leave(lane)

    def unmet(self, lane: str) -> list[Held]:
        """Return the outcomes of *lane*, and of the lanes in it, that no entry was given."""
        return [held for held in self.left_inside(lane) if held.seq not in self._met]

    def _leave(self, lane: str) -> None:
        """Have the newest outcomes of *lane*, and of the lanes in it, unclaimed."""
        for path, outcomes in self._lanes.items():
            if _inside(path, lane):
                self._effects.pop(path, None)
                newest = (held for held in outcomes if self._exact[_exact(held.step)] is held)
                self._put(path, newest)

    def _put(self, lane: str, outcomes: Iterable[Held]) -> None:
        left = self._left.setdefault(lane, {})
        for held in outcomes:
            left[held.seq] = held
            if held.step.kind in EFFECTS:
                self._effects.setdefault(lane, []).append(held)

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
        self._leave("")
        for lane in self._effects:
            parts = lane.split("/")
            self._effect_lanes.update("/".join(parts[: n + 1]) for n in range(len(parts)))
        met = {row.seq for row in self._rows[: self._next]}  # the program was given these
        if met:
            for lane, left in self._left.items():
                self._left[lane] = {seq: held for seq, held in left.items() if seq not in met}
        for seq, step in self._fresh:
            self._index_one(Held(seq, step))
        self._rows, self._fresh = (), []
        self._next, self._ahead = 0, None

    def _index_one(self, held: Held) -> None:
        self._exact[_exact(held.step)] = held
        self._lanes.setdefault(held.step.lane, []).append(held)


def _exact(step: StepEnded) -> Exact:
    return (step.lane, step.kind, step.name, step.print, step.nth)


def _inside(path: str, lane: str) -> bool:
    return path == lane or path.startswith(f"{lane}/") or not lane
