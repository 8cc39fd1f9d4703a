"""Runs the suite: rounds of every scenario and subject in turn, each in a fresh process."""

from __future__ import annotations

import contextlib
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from .place import CHECKOUT
from .results import Cell, Results

SLOW = 15.0
"""Seconds of one measurement after which it is not repeated in later rounds."""


@dataclass(frozen=True)
class Plan:
    """What is to be run.

    Attributes:
        jobs: Cells that differ in size only, for one process each.
        rounds: How often everything is measured.
        limit: Seconds after which a process is ended; what it had not measured is cut.
        folder: Below it measurements keep their data.
        postgres: The URL of a server, if one is needed.
    """

    jobs: Sequence[Sequence[Cell]]
    rounds: int
    limit: float
    folder: Path
    postgres: str = ""


def run(plan: Plan, results: Results, tell: Callable[[str], None]) -> None:
    """Run every round, in an order of its own, and note what it finds.

    What a machine does besides then falls on all subjects alike. What was cut is not tried again,
    and what took long is measured once.
    """
    once: set[Cell] = set()
    for number in range(plan.rounds):
        jobs = [*plan.jobs]
        random.Random(number).shuffle(jobs)
        for index, cells in enumerate(jobs, 1):
            left = [cell for cell in cells if cell not in results.notes and cell not in once]
            if left:
                said = _measure(plan, left, results, once)
                tell(f"[{number + 1}/{plan.rounds} {index}/{len(jobs)}] {said}")


def _measure(plan: Plan, cells: list[Cell], results: Results, once: set[Cell]) -> str:
    """Measure cells that differ in size only, noting those that took long; return what to say."""
    scenario, subject, _ = cells[0]
    with tempfile.TemporaryDirectory(dir=plan.folder) as folder:
        command = [sys.executable, "-m", "benchmarks.worker", scenario, subject, folder]
        command += [plan.postgres, *(str(cell.size) for cell in cells)]
        output, error, is_cut = _output(command, plan.limit)
    said = {one["size"]: one for one in map(json.loads, output.splitlines())}
    words: list[str] = []
    for cell in cells:
        told = said.get(cell.size, {})
        if "figures" in told:
            results.add(cell, told["figures"])
            if told["took"] > SLOW:
                once.add(cell)
            words.append(f"{cell.size}: {_brief(told['figures'])}")
            continue
        note = told.get("missing") or told.get("error")
        results.notes[cell] = note or (f"cut at {plan.limit:.0f} s" if is_cut else error[-400:])
        words.append(f"{cell.size}: {results.notes[cell]}")
    return f"{scenario}: {subject}  " + "  ".join(words)


def _output(command: list[str], limit: float) -> tuple[str, str, bool]:
    """Run a command; return what it wrote, and whether it was ended at the limit."""
    with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as err:
        process = subprocess.Popen(
            command,
            stdout=out,
            stderr=err,
            stdin=subprocess.DEVNULL,
            cwd=CHECKOUT,
            start_new_session=True,
        )
        try:
            process.wait(limit)
            is_cut = False
        except subprocess.TimeoutExpired:
            is_cut = True
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)  # and what it had started
            process.wait()
        out.seek(0)
        err.seek(0)
        lines = [line for line in out if line.startswith("{") and line.endswith("}\n")]
        return "".join(lines), err.read(), is_cut


def _brief(figures: dict[str, float]) -> str:
    return " ".join(f"{name}={value:,.4g}" for name, value in figures.items())
