"""``durably tail``: what a thread's run does, as it does it, from another terminal."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from typing import Any

import click

from ...engine import interrupt_of
from ...errors import UnknownRun
from ...hosting import Host, find_run, follow
from ...journal.records import (
    FAILED,
    SUPERSEDED,
    Answered,
    Asked,
    Entry,
    RunEnded,
    RunResumed,
    RunStarted,
    RunWaiting,
    StepAttempted,
    StepEnded,
    StepStarted,
)
from ...types import Interrupt, RunInfo, StepInfo
from ..context import Loaded
from ..journal_location import json_option, open_existing, shown, store_option
from ..output.live import Live
from ..output.run_summary import WAITING, last_line, tell_questions
from ..output.screen import Screen
from ..output.text import duration, moment, one_line, timestamp


@click.command()
@click.argument("thread")
@store_option
@json_option
@click.option(
    "--timeout",
    type=click.FloatRange(min=0),
    metavar="SECONDS",
    help="Give up after so much silence.",
)
@click.pass_obj
def tail(
    loaded: Loaded, thread: str, store: str, *, as_json_text: bool, timeout: float | None
) -> int:
    """Follow the newest run of THREAD, wherever it is driven.

    A run's id will do as well. What it has done so far is told first. A thread that has no run yet
    is waited for, and so is a run whose process has died. Exit code: 0 when the run is done, 1 if
    it failed, 75 if it waits. With --json each line is an object.
    """
    host = open_existing(store, loaded.plugins)
    try:
        thread = _thread(host, thread)
        screen = Screen(sys.stdout)
        lines = _Lines(screen, host, thread, store)
        code = 0
        for entry in follow(host.journal, thread, timeout=timeout):
            if not as_json_text:
                lines.tell(entry)
            elif type(entry.record) in _NAMES:
                click.echo(json.dumps({"v": 1, **_data(entry)}, default=str))
            code = _code(entry.record)
        return code
    except TimeoutError as error:
        raise click.ClickException(str(error)) from None
    finally:
        host.close()


def _thread(host: Host, wanted: str) -> str:
    """Return the thread of that name, else that of the run of that id."""
    if next(host.journal.marks(wanted), None) is not None:
        return wanted
    try:
        return find_run(host.journal, wanted).thread
    except UnknownRun:
        return wanted  # it may be about to begin


def _code(record: object) -> int:
    if isinstance(record, RunWaiting):
        return int(WAITING)
    return int(isinstance(record, RunEnded) and record.status == "failed")


class _Lines:
    """Writes what ``durably run`` would write, and how the run ended."""

    def __init__(self, screen: Screen, host: Host, thread: str, store: str) -> None:
        self._screen = screen
        self._host = host
        self._store = store
        self._live = Live(screen, "", shown(store))
        self._run = RunInfo("", thread, "", resumed=False)
        self._began = 0.0
        self._questions: dict[str, Interrupt] = {}

    def tell(self, entry: Entry) -> None:
        """Write what a record says."""
        record = entry.record
        if isinstance(record, RunStarted):
            self._began = record.at
            self._run = self._run._replace(run=entry.run, entry=record.entry)
            title = record.entry.removeprefix("script:")
            self._live = Live(self._screen, title, shown(self._store))
            self._live.run_started(self._run)
        elif isinstance(record, RunResumed):
            done = self._live.totals.executed
            self._live.run_started(self._run._replace(resumed=True, recorded=done))
        elif isinstance(record, StepEnded | StepAttempted):
            self._step(record)
        elif isinstance(record, Asked):
            stored = self._host.journal.value(self._run.thread, record.question)
            self._questions[record.id] = interrupt_of(record, stored)
            self._live.interrupted(self._run, self._questions[record.id])
        elif isinstance(record, RunEnded | RunWaiting):
            self._ends(record)

    def _step(self, record: StepEnded | StepAttempted) -> None:
        run, thread = self._run.run, self._run.thread
        label = record.label if isinstance(record, StepEnded) else ""
        info = StepInfo(run, thread, record.lane, record.kind, record.name, label or record.name)
        if isinstance(record, StepAttempted):
            self._live.retried(info, record.error, record.retry_at - record.at)
            return
        info = info._replace(elapsed=record.elapsed, usage=record.usage, cached=record.cached)
        error = self._host.journal.value(thread, record.value) if record.outcome == FAILED else None
        self._live.step_finished(info, error)

    def _ends(self, record: RunEnded | RunWaiting) -> None:
        if isinstance(record, RunWaiting):
            self._waits(record)
        elif record.status == "done":
            took = duration(record.at - self._began)
            self._last("ended", "green", f"done in {took}   {self._live.totals}")
        elif record.status == SUPERSEDED:
            said = f"superseded: {record.message}; run {record.successor} took its place"
            self._last("stopped", "yellow", said)
        else:
            self._last("failed", "red", f"{record.status}: {record.message}")

    def _waits(self, record: RunWaiting) -> None:
        if record.wake is not None:
            self._last("waiting", "yellow", f"parked until {moment(record.wake)}: {record.why}")
        asked = [self._questions[one] for one in record.open if one in self._questions]
        if asked:
            tell_questions(self._screen, self._run.run, asked, self._store)

    def _last(self, mark: str, color: str, text: str) -> None:
        said = one_line(text, self._screen.width)
        last_line(self._screen, self._run.run, mark, color, said)


_NAMES: Mapping[type[Any], str] = {
    RunStarted: "started",
    RunResumed: "resumed",
    RunEnded: "ended",
    RunWaiting: "waits",
    Asked: "asked",
    Answered: "answered",
    StepStarted: "began",
    StepEnded: "step",
    StepAttempted: "retry",
}
_TOLD = (
    "entry",
    "status",
    "message",
    "successor",
    "open",
    "why",
    "id",
    "by",
    "lane",
    "kind",
    "name",
    "label",
    "elapsed",
    "attempt",
    "attempts",
    "usage",
    "cached",
    "agent",
    "error",
)
_TIMES = ("at", "started", "wake", "retry_at")


def _data(entry: Entry) -> dict[str, Any]:
    """Return what ``--json`` prints of a record: its place, what it is, and what it says."""
    record = entry.record
    said = record._asdict()
    told = {"row": entry.seq, "run": entry.run, "what": _NAMES[type(record)]}
    told |= {name: said[name] for name in _TOLD if name in said}
    if isinstance(record, StepEnded):
        told["status"] = "failed" if record.outcome == FAILED else "done"
    return told | {name: timestamp(said[name]) for name in _TIMES if name in said}
