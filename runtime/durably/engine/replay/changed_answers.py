"""People's answers about requests that differ from the journal, read back from it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple

from ...journal.records import Asked
from ..call import Call
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
    if log is None or CHANGED not in run.past.asked_names:
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


def is_other_work(
    run: Run, call: Call, row: int, differs: frozenset[Path], lane: str | None
) -> bool:
    """Return whether a person has said that an effect is not the one in a row.

    An answer ``other`` holds for every effect of its kind and name, and for all that was recorded
    before the question; but not for a request that differs in less than the one it was given to.

    Args:
        run: The run.
        call: The new effect.
        row: The row of the recorded effect.
        differs: The leaves in which the two requests differ.
        lane: Count only questions of this lane; None: of every lane.
    """
    return any(
        (one.kind, one.name, one.answer) == (call.kind, call.name, OTHER)
        and lane in (None, one.asked.lane)
        and run.past.asked_rows.get(one.asked.id, 0) > row
        and one.paths <= differs
        for one in changed_questions(run)
    )
