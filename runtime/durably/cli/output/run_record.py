"""What the journal holds of one run, in the form that ``durably show`` prints."""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, cast

from ...engine import Past, interrupt_of
from ...errors import AnswerRefused, DurablyError
from ...hosting import Host
from ...journal.records import (
    FAILED,
    Answered,
    Asked,
    EffectsUnmet,
    Entry,
    StepEnded,
    StepStarted,
)
from ...people import Question, decision_of, question_of
from ...types import Interrupt, RunView


@dataclass(frozen=True, slots=True)
class StepLine:
    """One recorded step.

    Attributes:
        number: Its place among the run's steps, from 1.
        record: Its outcome, or its start if it has no outcome.
    """

    number: int
    record: StepEnded | StepStarted

    @property
    def status(self) -> str:
        """``done``, ``failed`` or ``unfinished``."""
        if isinstance(self.record, StepStarted):
            return "unfinished"
        return "failed" if self.record.outcome == FAILED else "done"

    @property
    def label(self) -> str:
        """What people are shown."""
        return self.record.label or self.record.name


@dataclass(frozen=True, slots=True)
class QuestionLine:
    """One question, with its answer if there is one.

    Attributes:
        question: What was asked, in the words of the last time.
        at: When it was first asked.
        answer: What was answered.
        answered: When, or None if it was not.
        by: Who answered.
        seen: The version that they said they had seen; 0 if they did not say.
    """

    question: Question
    at: float
    answer: Any = None
    answered: float | None = None
    by: str = ""
    seen: int = 0

    @property
    def decision(self) -> str | None:
        """The verb of an answer that is a decision."""
        if self.answered is None or not self.question.allowed:
            return None
        try:
            return str(decision_of(self.answer)["type"])
        except AnswerRefused:
            return None

    @property
    def after(self) -> Mapping[str, Any] | None:
        """The arguments that were decided: as proposed or as edited; None if none were."""
        if self.decision == "edit":
            edited: Mapping[str, Any] = decision_of(self.answer)["args"]
            return edited
        return self.question.args if self.decision == "approve" else None

    def changes(self, arrow: str) -> str:
        """Return what an edit changed: ``amount 20 → 5``."""
        before, after = self.question.args or {}, self.after or {}
        names = dict.fromkeys([*before, *after])
        told = [
            f"{name} {before.get(name, 'none')} {arrow} {after.get(name, 'none')}"
            for name in names
            if before.get(name) != after.get(name)
        ]
        return ", ".join(told) if self.decision == "edit" else ""


def entries_of(host: Host, view: RunView) -> list[Entry]:
    """Return the records of one run, in order."""
    return [one for one in host.journal.read(view.thread) if one.run == view.run]


def steps_of(entries: Iterable[Entry]) -> list[StepLine]:
    """Return a run's steps in the order of their outcomes, then those without one."""
    entries = list(entries)
    records: list[StepEnded | StepStarted] = [
        one.record for one in entries if isinstance(one.record, StepEnded)
    ]
    records += Past.of(entries).unfinished.values()
    return [StepLine(number, record) for number, record in enumerate(records, 1)]


@dataclass(frozen=True, slots=True)
class UnmetLine:
    """An effect that the continued program never came to.

    Attributes:
        row: Its row.
        record: What the journal holds of it.
    """

    row: int
    record: StepEnded | StepStarted


def unmet_of(entries: Iterable[Entry]) -> list[UnmetLine]:
    """Return the effects of which a run was told that its program never came to them, in order."""
    entries = list(entries)
    unmet = [one.record for one in entries if isinstance(one.record, EffectsUnmet)]
    told = {row for record in unmet for row in record.rows}
    return [
        UnmetLine(one.seq, one.record)
        for one in entries
        if one.seq in told and isinstance(one.record, StepEnded | StepStarted)
    ]


def bill(steps: Iterable[StepLine]) -> tuple[float, float]:
    """Return what a run's steps cost in US dollars, and what its cached ones would have cost."""
    paid = saved = 0.0
    for one in steps:
        if isinstance(one.record, StepEnded):
            cost = float((one.record.usage or {}).get("cost") or 0.0)
            paid, saved = (paid, saved + cost) if one.record.cached else (paid + cost, saved)
    return paid, saved


def questions_of(host: Host, view: RunView, entries: Iterable[Entry]) -> list[QuestionLine]:
    """Return a run's questions in the order in which they were asked."""
    asked: dict[str, list[Entry]] = {}
    answers: dict[str, Answered] = {}
    for one in entries:
        if isinstance(one.record, Asked):
            asked.setdefault(one.record.id, []).append(one)
        elif isinstance(one.record, Answered):
            answers.setdefault(one.record.id, one.record)
    lines: list[QuestionLine] = []
    for identity, times in asked.items():
        question = _question(host, view, times[-1])
        first = cast("Asked", times[0].record)
        given = answers.get(identity)
        if given is None:
            lines.append(QuestionLine(question, first.at))
            continue
        said = value_of(host, view, given.value)
        lines.append(QuestionLine(question, first.at, said, given.at, given.by, seen=given.version))
    return lines


def _question(host: Host, view: RunView, entry: Entry) -> Question:
    asked = cast("Asked", entry.record)
    stored = value_of(host, view, asked.question)
    if not isinstance(stored, Mapping):  # it cannot be read here, and says why
        return question_of(Interrupt(stored, asked.id), version=entry.seq)
    return question_of(interrupt_of(asked, stored), version=entry.seq)


def value_of(host: Host, view: RunView, body: bytes) -> Any:
    """Return a stored value, or a text that says why it cannot be shown."""
    if not body:
        return None
    try:
        return host.journal.value(view.thread, body)
    except DurablyError as error:
        return f"(cannot be shown here: {error})"


def command_of(view: RunView) -> str:
    """Return the command line that continues a run; empty if no script started it."""
    command = cast("Mapping[str, Any]", view.meta.get("command") or {})
    if "script" not in command:
        return ""
    path = str(command["script"])
    inside = os.path.relpath(path)
    path = path if inside.startswith(os.pardir) else inside
    return shlex.join(["durably", "run", path, *map(str, command.get("args") or ())])


def title_of(view: RunView) -> str:
    """Return what was run, for people."""
    return view.entry.removeprefix("script:")
