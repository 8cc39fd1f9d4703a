"""People's answers about requests that differ from the journal, read back from it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple

from ...journal.records import Asked
from ..run.run import Run
from .accepted import Path, differing_paths

CHANGED: Final = "changed"
"""The name of the question."""

SAME, OTHER, ABORT = "same", "other", "abort"
ALIASES: Final = {"replay": SAME, "rerun": OTHER}
"""Words of ``on_change`` that are taken for an answer."""


class ChangedQuestion(NamedTuple):
    """A recorded question about a changed request.

    Attributes:
        asked: Its record.
        row: The row of the recorded step; 0 where the step had no outcome.
        lane: The lane inside the recorded step, where that had no outcome.
        recorded: The plain form of the recorded request.
        kind: The kind of the new call.
        name: The name of the new call.
        request: The plain form of the new request.
        answer: ``same``, ``other``, ``abort``; empty if there is no answer.
    """

    asked: Asked
    row: int
    lane: str
    recorded: Any
    kind: str
    name: str
    request: Any
    answer: str

    @property
    def paths(self) -> frozenset[Path]:
        """The leaves in which the two requests differ."""
        return frozenset(differing_paths(self.recorded, self.request))


def changed_questions(run: Run) -> Iterator[ChangedQuestion]:
    """Yield the questions about changed requests that the run's journal holds, oldest first."""
    log = run.log
    if log is None:
        return
    for asked in [one for one in [*run.past.asked.values()] if one.name == CHANGED]:
        args: Mapping[str, Any] = log.value(asked.question)["value"]["args"]
        now, answered = args["now"], run.past.answers.get(asked.id)
        yield ChangedQuestion(
            asked,
            args["row"],
            args["lane"],
            args["recorded"][0]["request"],
            now["kind"],
            now["name"],
            now["request"],
            "" if answered is None else str(log.value(answered.value)),
        )


def other_until(run: Run, kind: str, name: str, lane: str | None = None) -> tuple[int, float]:
    """Return how far a person's answer ``other`` reaches for effects of a kind and name.

    Args:
        run: The run.
        kind: The kind of the effects.
        name: Their name.
        lane: Count only questions of this lane; None: of every lane.

    Returns:
        The row of the newest question that was answered so, and when it was asked; zeros if there
        is none. What was recorded before that question is no longer compared with such effects.
    """
    newest = (0, 0.0)
    if CHANGED in run.past.asked_names:
        for one in changed_questions(run):
            if lane is not None and one.asked.lane != lane:
                continue
            if (one.kind, one.name, one.answer) == (kind, name, OTHER):
                newest = max(newest, (run.past.asked_rows.get(one.asked.id, 0), one.asked.at))
    return newest
