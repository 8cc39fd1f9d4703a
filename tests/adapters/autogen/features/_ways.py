"""Runs a feature four ways: plain, durable, replayed, and killed after each of its steps."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

from durably import Host
from durably.hosting import all_runs
from durably.testing import ModelServer

from ._kit import Feature, answer_to
from ._process import Errand, Seen, Way, run_process

_OF_ONE_PROCESS = frozenset({"id", "created_at", "request_id", "full_message_id", "team_id"})
"""Fields that are another in every plain run."""

_MOST_QUESTIONS = 20


class Journey:
    """What became of one feature on its way to the end.

    Attributes:
        last: What the process that came to the end showed.
        requests: How often the model was asked, by request.
        effects: What was done to the outside world, and how often.
        steps: How many steps were executed by all processes.
        notes: Where the code came along.
        waits: What the processes showed that waited for people.
        kills: How often it was killed.
    """

    def __init__(self) -> None:
        self.last = Seen("not begun")
        self.requests: Counter[str] = Counter()
        self.effects: Counter[str] = Counter()
        self.steps: Counter[str] = Counter()
        self.notes: list[str] = []
        self.waits: list[Seen] = []
        self.kills = 0


class FourWays:
    """Runs one feature in one directory, on one model server."""

    def __init__(self, feature: Feature, directory: Path) -> None:
        self.feature = feature
        self._directory = directory

    def plain(self) -> Journey:
        """Run it without durably."""
        return self._journey("plain", "plain")

    def durable(self, way: Way = "script") -> Journey:
        """Run it to its end; people answer one question at a time."""
        return self._journey(f"durable-{way}", way)

    def replayed(self, way: Way = "script", of: Way = "script") -> Journey:
        """Run what :meth:`durable` finished once more."""
        return self._journey(f"durable-{of}", way)

    def killed(self) -> Journey:
        """Run it with a kill after each step in turn."""
        return self._journey("killed", "script", kill=True)

    def _journey(self, place: str, way: Way, *, kill: bool = False) -> Journey:
        directory, made = self._directory / place, Journey()
        directory.mkdir(exist_ok=True)
        before = _lines(directory / "effects")
        answers: dict[str, Any] = {}
        with ModelServer(self.feature.script) as server:
            while True:
                seen = run_process(self._errand(server.url, directory, way, kill, answers))
                made.steps.update(seen.steps)
                answers = {}
                if seen.status == "killed":
                    made.kills += 1
                elif seen.status == "waiting":
                    made.waits.append(seen)
                    assert len(made.waits) < _MOST_QUESTIONS, seen
                    answers = self._answered(directory, seen)
                else:
                    break
            made.requests = server.counts
        made.last = seen
        made.effects = Counter(_lines(directory / "effects")) - Counter(before)
        made.notes = _lines(directory / "notes")
        return made

    def _errand(self, url: str, *rest: Any) -> Errand:
        return Errand(self.feature.program.__module__, self.feature.name, url, *rest)

    def _answered(self, directory: Path, seen: Seen) -> dict[str, Any]:
        """Answer the first open question only; the others are still open in the next process."""
        host = Host(f"sqlite:///{directory}/journal.db")
        try:
            (view,) = all_runs(host.journal)
            assert set(view.open) == set(seen.questions), (view.open, seen.questions)
        finally:
            host.close()
        first = view.open[0]
        shown = json.dumps(seen.questions[first], ensure_ascii=False)
        return {first: answer_to(shown, self.feature.answers)}


def _lines(path: Path) -> list[str]:
    return path.read_text(encoding="utf-8").splitlines() if path.exists() else []


def timeless(value: Any) -> Any:
    """Return what a program saw without what is another in every plain run."""
    if isinstance(value, dict):
        return {key: timeless(item) for key, item in value.items() if key not in _OF_ONE_PROCESS}
    if isinstance(value, list):
        return [timeless(item) for item in value]
    return value


def counted(steps: Counter[str]) -> str:
    """Return steps as a feature states them: ``"model 2, tool 1"``."""
    return ", ".join(f"{kind} {number}" for kind, number in sorted(steps.items())) or "none"
