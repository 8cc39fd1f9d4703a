"""What the journal holds of one run, in the form that ``durably show`` prints."""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from ..engine import Past
from ..errors import DurablyError
from ..hosting import Host
from ..journal.records import FAILED, Answered, Asked, Entry, StepEnded, StepStarted
from ..types import RunView


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
    """One question, with its answer if there is one."""

    id: str
    at: float
    question: Any
    answer: Any = None
    answered: float | None = None
    by: str = ""


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


def questions_of(host: Host, view: RunView, entries: Iterable[Entry]) -> list[QuestionLine]:
    """Return a run's questions in the order in which they were asked."""
    entries = list(entries)
    answers = {one.record.id: one.record for one in entries if isinstance(one.record, Answered)}
    lines: list[QuestionLine] = []
    for one in entries:
        asked = one.record
        if not isinstance(asked, Asked):
            continue
        question = value_of(host, view, asked.question)
        question = question["value"] if isinstance(question, Mapping) else question
        given = answers.get(asked.id)
        if given is None:
            lines.append(QuestionLine(asked.id, asked.at, question))
        else:
            said = value_of(host, view, given.value)
            lines.append(QuestionLine(asked.id, asked.at, question, said, given.at, given.by))
    return lines


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


def to_continue(view: RunView, store: list[str]) -> str:
    """Say how a run is continued."""
    command = command_of(view)
    if not command:
        return f"continue with: the same call on thread {view.thread!r}"
    if store:
        command = command.replace("durably run", f"durably run {shlex.join(store)}", 1)
    place = str(view.meta.get("cwd") or "")
    where = f"cd {shlex.quote(place)} && " if place and place != str(Path.cwd()) else ""
    return f"continue with: {where}{command}"
