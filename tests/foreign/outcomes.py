"""Outcomes of tests: a pytest plug-in that writes them down as they come, and how they are read.

Line by line, so that what a crashed or killed session had done is known.
"""

from __future__ import annotations

import json
import os
from dataclasses import astuple, dataclass
from pathlib import Path

FILE = "OUTCOMES_FILE"
"""The variable that says where to write."""

_PASSED = frozenset({"passed", "xfailed", "xpassed"})


@dataclass(frozen=True)
class Outcome:
    """What became of a test.

    Attributes:
        test: Its node id.
        word: ``passed``, ``failed``, ``skipped``, ``xfailed`` or ``xpassed``.
        text: The end of its failure's report.
        steps: How many steps it journaled, as the plug-in that puts tests into runs says.
    """

    test: str
    word: str
    text: str = ""
    steps: int = 0

    @property
    def is_pass(self) -> bool:
        """Whether the suite would count it as a success."""
        return self.word in _PASSED


def pytest_runtest_logreport(report) -> None:
    """Write down a test's outcome: of its call, and of whatever else did not pass."""
    if report.when == "call" or not report.passed:
        word = report.outcome
        if hasattr(report, "wasxfail"):
            word = "xfailed" if report.skipped else "xpassed"
        steps = getattr(report, "durably_steps", 0)
        _write(Outcome(report.nodeid, word, str(report.longreprtext)[-4000:], steps))


def pytest_collectreport(report) -> None:
    """Write down a module that cannot be collected."""
    if report.failed:
        _write(Outcome(report.nodeid, "failed", str(report.longreprtext)[-4000:]))


def _write(outcome: Outcome) -> None:
    if FILE in os.environ and "PYTEST_XDIST_WORKER" not in os.environ:
        with Path(os.environ[FILE]).open("a", encoding="utf-8") as file:
            file.write(json.dumps(astuple(outcome)) + "\n")


def read(path: Path) -> dict[str, Outcome]:
    """Return the outcomes in a file by test; a failure stands, whatever else is said."""
    found: dict[str, Outcome] = {}
    for line in path.read_text(encoding="utf-8").splitlines() if path.exists() else ():
        outcome = Outcome(*json.loads(line))
        if outcome.test not in found or outcome.word == "failed":
            found[outcome.test] = outcome
    return found
