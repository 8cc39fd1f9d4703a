"""Runs a suite without durably and inside durable runs, and tells the two apart."""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from .outcomes import FILE, Outcome, read
from .suites import Suite

_HERE = Path(__file__).parent


@dataclass
class Comparison:
    """A suite's outcomes, both ways.

    Attributes:
        plain: Without durably.
        durable: Inside durable runs.
        unsteady: Tests that were lost in the whole suite and not when they were run again alone.
    """

    plain: dict[str, Outcome]
    durable: dict[str, Outcome]
    unsteady: list[str] = field(default_factory=list)

    @property
    def lost(self) -> list[str]:
        """Tests that pass without durably and do not inside durable runs."""
        there = _passing(self.durable) | set(self.unsteady)
        return sorted(_passing(self.plain) - there)

    @property
    def steps(self) -> int:
        """How many steps were journaled; without any, nothing was compared."""
        return sum(outcome.steps for outcome in self.durable.values())

    @property
    def is_good(self) -> bool:
        """Whether the suite was run, durably was at work in it, and nothing was lost."""
        return bool(self.plain) and self.steps > 0 and not self.lost

    def report(self) -> str:
        """Return the figures, whole and by folder, and for each lost test why it fails."""
        lines = [
            f"without durably:     {_counted(self.plain)}",
            f"inside durable runs: {_counted(self.durable)}; {self.steps} steps journaled",
            f"lost: {len(self.lost)}, unsteady: {len(self.unsteady)}",
            *self._by_folder(),
        ]
        if not self.steps:
            lines.append("NO STEP WAS JOURNALED: durably was not at work, so this proves nothing")
        for test in self.lost:
            outcome = self.durable.get(test, Outcome(test, "never came to an end"))
            lines += [f"\n{test}: {outcome.word}", outcome.text]
        return "\n".join(lines + [f"unsteady: {test}" for test in self.unsteady])

    def _by_folder(self) -> list[str]:
        """Return a table of what passed, a line for each folder."""
        plain, durable = _passing(self.plain), _passing(self.durable)
        counted = Counter(str(Path(test.partition("::")[0]).parent) for test in plain)
        within = Counter(str(Path(test.partition("::")[0]).parent) for test in plain & durable)
        return [f"{counted[one]:6} {within[one]:6}  {one}" for one in sorted(counted)]


def compare(
    suite: Suite, checkout: Path, python: str, only: Sequence[str], more: Sequence[str]
) -> Comparison:
    """Run *suite* both ways, and what was lost once more by itself.

    Args:
        suite: Which.
        checkout: The framework's repository.
        python: The interpreter that has the framework, its tests' requirements and durably.
        only: Paths or node ids in place of the whole suite.
        more: More options for pytest.
    """
    tests = tuple(only) or suite.tests

    def both_ways(chosen: Sequence[str]) -> Comparison:
        plain = _run(suite, checkout, python, chosen, more, durable=False)
        return Comparison(plain, _run(suite, checkout, python, chosen, more, durable=True))

    compared = both_ways(tests)
    if compared.lost:
        again = both_ways(compared.lost)
        compared.unsteady += sorted(set(compared.lost) - set(again.lost))
    return compared


def _run(
    suite: Suite,
    checkout: Path,
    python: str,
    tests: Sequence[str],
    more: Sequence[str],
    *,
    durable: bool,
) -> dict[str, Outcome]:
    """Run pytest once, and return what became of each test."""
    plugins = ["-p", "outcomes", *(("-p", "durably.testing.active") if durable else ())]
    command = [python, "-m", "pytest", *plugins, "-p", "no:cacheprovider", "-q"]
    command += ["--continue-on-collection-errors", *suite.options, *more, *tests]
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "outcomes.jsonl")
        path = os.pathsep.join(filter(None, [str(_HERE), os.environ.get("PYTHONPATH", "")]))
        # A worker of pytest-xdist is told so by its environment, and the suite's pytest is none.
        mine = {key: said for key, said in os.environ.items() if "PYTEST_XDIST" not in key}
        environment = {**dict(suite.environment), **mine, "PYTHONPATH": path, FILE: str(file)}
        subprocess.run(
            command,
            cwd=checkout / suite.folder,
            env=environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            check=False,
        )
        return read(file)


def _passing(outcomes: dict[str, Outcome]) -> set[str]:
    return {test for test, outcome in outcomes.items() if outcome.is_pass}


def _counted(outcomes: dict[str, Outcome]) -> str:
    words = [outcome.word for outcome in outcomes.values()]
    return ", ".join(f"{words.count(word)} {word}" for word in sorted(set(words))) or "nothing"
