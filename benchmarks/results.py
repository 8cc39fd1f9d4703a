"""What was measured: every round of every cell, with medians."""

from __future__ import annotations

import statistics
from dataclasses import dataclass, field
from typing import Any, NamedTuple

Figures = dict[str, float]


class Cell(NamedTuple):
    """One scenario on one subject in one size."""

    scenario: str
    subject: str
    size: int


@dataclass
class Results:
    """All figures of a run of the suite.

    Attributes:
        rounds: The figures of each cell, one for each round.
        notes: What kept a cell from being measured: ``cut``, an error, or what is not offered.
        about: The machine and the versions.
    """

    rounds: dict[Cell, list[Figures]] = field(default_factory=dict)
    notes: dict[Cell, str] = field(default_factory=dict)
    about: dict[str, Any] = field(default_factory=dict)

    def add(self, cell: Cell, figures: Figures) -> None:
        """Note what one round found."""
        self.rounds.setdefault(cell, []).append(figures)

    def median(self, cell: Cell, figure: str) -> float | None:
        """Return the median of a figure over the rounds, or None if there is none."""
        found = [one[figure] for one in self.rounds.get(cell, []) if figure in one]
        return statistics.median(found) if found else None

    def ratios(self, one: Cell, other: Cell, figure: str) -> list[float]:
        """Return *other* divided by *one* in each round that measured both."""
        pairs = zip(self.rounds.get(one, []), self.rounds.get(other, []), strict=False)
        return [theirs[figure] / ours[figure] for ours, theirs in pairs if ours.get(figure)]

    def to_json(self) -> dict[str, Any]:
        """Return everything as plain data."""
        return {
            "about": self.about,
            "cells": [{**cell._asdict(), "rounds": found} for cell, found in self.rounds.items()],
            "notes": [{**cell._asdict(), "note": note} for cell, note in self.notes.items()],
        }

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Results:
        """Rebuild what :meth:`to_json` returned."""
        results = cls(about=data["about"])
        for one in data["cells"]:
            results.rounds[_cell(one)] = one["rounds"]
        for one in data["notes"]:
            results.notes[_cell(one)] = one["note"]
        return results


def _cell(data: dict[str, Any]) -> Cell:
    return Cell(data["scenario"], data["subject"], data["size"])
