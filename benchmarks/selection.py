"""Which cells a run of the suite measures."""

from __future__ import annotations

import argparse
from collections.abc import Collection, Iterator

from .results import Cell
from .scenarios.catalogue import BY_NAME, SCENARIOS, Scenario
from .targets import TARGETS

Job = list[Cell]
"""Cells that one process measures: they differ in size only."""


def chosen(options: argparse.Namespace) -> list[Job]:
    """Return what the options of the command line ask for."""
    scenarios = [BY_NAME[name] for name in options.only] if options.only else SCENARIOS
    words = [word.strip() for word in (options.peers or "").split(",")]
    sizes = tuple(map(int, options.sizes.split(","))) if options.sizes else None
    needed = _needed() if options.quick else None
    return [
        job
        for scenario in scenarios
        for job in _jobs(scenario, sizes or scenario.sizes, needed)
        if any(word in job[0].subject for word in words)
    ]


def _jobs(
    scenario: Scenario, sizes: Collection[int], needed: Collection[Cell] | None
) -> Iterator[Job]:
    for subject in scenario.subjects:
        cells = [Cell(scenario.name, subject, size) for size in sizes]
        job = [cell for cell in cells if needed is None or cell in needed]
        if job:
            yield job


def _needed() -> set[Cell]:
    """Return the cells without which a target cannot be judged."""
    values = (value for target in TARGETS for value in (target.ours, target.against) if value)
    return {value.cell for value in values}
