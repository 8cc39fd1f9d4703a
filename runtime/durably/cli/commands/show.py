"""``durably show``: one run, or one of its steps."""

from __future__ import annotations

import json
import sys
from typing import Any

import click
import ormsgpack

from ...engine import fingerprint, shown_lane
from ...errors import UnknownRun
from ...hosting import Host, find_run
from ...journal.records import StepEnded
from ...types import RunView
from ..context import Loaded
from ..journal_location import json_option, open_existing, store_option
from ..output.continuation import to_continue
from ..output.questions import words_of
from ..output.run_record import (
    QuestionLine,
    StepLine,
    UnmetLine,
    bill,
    command_of,
    entries_of,
    questions_of,
    steps_of,
    title_of,
    unmet_of,
    value_of,
)
from ..output.screen import Screen
from ..output.text import (
    as_json,
    duration,
    moment,
    money,
    one_line,
    table,
    timestamp,
    tokens,
    visible,
)
from .runs import summary

_STEP_HEADINGS = ("", "KIND", "STEP", "STATUS", "TOKENS", "COST", "TIME", "TRIES", "IN")


@click.command()
@click.argument("run")
@click.option("--step", type=click.IntRange(min=1), metavar="N", help="One step in full.")
@store_option
@json_option
@click.pass_obj
def show(loaded: Loaded, run: str, store: str, *, step: int | None, as_json_text: bool) -> int:
    """Show the steps of RUN.

    Its questions and answers, too. The beginning of the run's id is enough.
    """
    host = open_existing(store, loaded.plugins)
    try:
        view = find_run(host.journal, run)
        entries = entries_of(host, view)
        steps = steps_of(entries)
        if step is not None:
            found = _one_step(host, view, steps, step)
            click.echo(as_json({"v": 1, **found})) if as_json_text else _print_step(found)
            return 0
        questions = questions_of(host, view, entries)
        unmet = [_unmet_json(host, view, one) for one in unmet_of(entries)]
        is_over = view.status in ("done", "running")
        how = "" if is_over else to_continue(host, view, store)
    finally:
        host.close()
    if as_json_text:
        click.echo(as_json({**_run_json(view, steps, questions), "unmet": unmet}))
    else:
        _print_run(view, steps, questions, unmet, how)
    return 0


def _run_json(
    view: RunView, steps: list[StepLine], questions: list[QuestionLine]
) -> dict[str, Any]:
    return {
        "v": 1,
        **summary(view),
        "command": view.meta.get("command"),
        "cwd": view.meta.get("cwd"),
        "steps": [_step_json(one) for one in steps],
        "questions": [_question_json(view, one) for one in questions],
    }


def _unmet_json(host: Host, view: RunView, line: UnmetLine) -> dict[str, Any]:
    record = line.record
    return {
        "row": line.row,
        "lane": record.lane,
        "kind": record.kind,
        "name": record.name,
        "label": record.label or record.name,
        "request": _plain(value_of(host, view, record.request)),
    }


def _question_json(view: RunView, line: QuestionLine) -> dict[str, Any]:
    asked = line.question
    return {
        "id": asked.id,
        "version": asked.version,
        "kind": asked.kind,
        "name": asked.name or None,
        "message": words_of(asked),
        "asked": timestamp(line.at),
        "expires": timestamp(asked.expires_at),
        "question": _plain(asked.value),
        "before": _plain(asked.args),
        "decision": line.decision,
        "after": _plain(line.after),
        "answer": _plain(line.answer),
        "answered": timestamp(line.answered),
        "by": line.by or None,
        "seen": line.seen or None,
        "open": asked.id in view.open,
    }


def _step_json(step: StepLine) -> dict[str, Any]:
    record = step.record
    said: dict[str, Any] = {
        "step": step.number,
        "lane": record.lane,
        "kind": record.kind,
        "name": record.name,
        "label": step.label,
        "status": step.status,
        "started": timestamp(record.started if isinstance(record, StepEnded) else record.at),
        "elapsed": None,
        "attempts": None,
        "usage": None,
        "cached": False,
    }
    if isinstance(record, StepEnded):
        said |= {
            "elapsed": round(record.elapsed, 6),
            "attempts": record.attempts,
            "usage": record.usage,
            "cached": record.cached,
        }
    return said


def _one_step(host: Host, view: RunView, steps: list[StepLine], wanted: int) -> dict[str, Any]:
    if wanted > len(steps):
        raise UnknownRun(
            f"run {view.run} has no step {wanted}; it has {len(steps)}. "
            f"`durably show {view.run}` lists them."
        )
    step = steps[wanted - 1]
    said = {"run": view.run, **_step_json(step), "request": None, "response": None, "error": None}
    record = step.record
    if isinstance(record, StepEnded):
        said["request"] = _plain(value_of(host, view, record.request))
        value = value_of(host, view, record.value)
        if isinstance(value, BaseException):
            said["error"] = f"{type(value).__name__}: {value}"
        else:
            said["error" if step.status == "failed" else "response"] = _plain(value)
    return said


def _plain(value: Any) -> Any:
    """Return any value as data that JSON can hold."""
    return _texts(ormsgpack.unpackb(fingerprint(value)[1], option=ormsgpack.OPT_NON_STR_KEYS))


def _texts(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(key): _texts(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_texts(item) for item in value]
    return f"{len(value)} bytes" if isinstance(value, bytes) else value


def _print_run(
    view: RunView,
    steps: list[StepLine],
    questions: list[QuestionLine],
    unmet: list[dict[str, Any]],
    how: str,
) -> None:
    screen = Screen(sys.stdout)
    ended = f", ended {moment(view.ended)}" if view.ended else ""
    facts = [("run", view.run), ("program", title_of(view))]
    if view.thread != view.run:
        facts.append(("thread", view.thread))
    facts.append(("status", f"{view.status}: {view.error}" if view.error else view.status))
    facts.append(("started", f"{moment(view.started)}{ended}"))
    if view.wake is not None:
        facts.append(("parked", f"until {moment(view.wake)}; durably resume --due continues it"))
    paid, saved = bill(steps)
    if paid or saved:
        facts.append(("paid", money(paid) + (f", {money(saved)} saved" if saved else "")))
    if command_of(view):
        facts.append(("directory", str(view.meta.get("cwd", ""))))
    for line in table([(name, one_line(text)) for name, text in facts]):
        screen.line(line)
    if steps:
        screen.line()
        rows = [_STEP_HEADINGS, *(_step_row(screen, one) for one in steps)]
        for index, line in enumerate(table(rows)):
            screen.line(screen.paint(line, bold=not index))
    _print_unmet(screen, unmet)
    _print_questions(screen, view, questions)
    if view.status == "superseded":
        successor = view.successor
        screen.line(f"\nthe thread continues with run {successor}: durably show {successor}")
    elif how:
        screen.line(f"\n{how}")


def _step_row(screen: Screen, step: StepLine) -> tuple[str, ...]:
    record = step.record
    ended = record if isinstance(record, StepEnded) else None
    return (
        str(step.number),
        record.kind,
        one_line(step.label, 60),
        "cached" if ended and ended.cached else step.status,
        tokens(ended.usage, screen.marks.arrow) if ended else "",
        money((ended.usage or {}).get("cost")) if ended and not ended.cached else "",
        duration(ended.elapsed) if ended else "",
        str(ended.attempts) if ended else "",
        one_line(shown_lane(record.lane), 60),
    )


def _print_unmet(screen: Screen, unmet: list[dict[str, Any]]) -> None:
    if unmet:
        screen.line("\neffects that the program, continued, has not come to again")
        headings = ("", "KIND", "STEP", "ROW", "REQUEST", "IN")
        rows = [headings, *map(_unmet_row, unmet)]
        for index, line in enumerate(table(rows)):
            screen.line(screen.paint(line, bold=not index))


def _unmet_row(said: dict[str, Any]) -> tuple[str, ...]:
    request = json.dumps(said["request"], ensure_ascii=False)
    row, lane = str(said["row"]), one_line(shown_lane(said["lane"]), 60)
    return ("", said["kind"], one_line(said["label"], 60), row, one_line(request, 60), lane)


def _print_questions(screen: Screen, view: RunView, questions: list[QuestionLine]) -> None:
    if questions:
        screen.line()
    for line in questions:
        asked = line.question
        screen.line(f"{asked.id[:8]}  {words_of(asked, screen.width - 10)}")
        if line.answered is not None:
            screen.line(f"          {_said(screen, line)}, {moment(line.answered)}")
        elif asked.id in view.open:
            screen.line("          waits for an answer; `durably approvals` says how to give it")
        elif view.status == "superseded":
            screen.line(f"          given up: run {view.successor} took this run's place")


def _said(screen: Screen, line: QuestionLine) -> str:
    """Return an answer for people: what was decided and by whom, an edit with its changes."""
    text = json.dumps(_plain(line.answer), ensure_ascii=False)
    if line.decision == "edit":
        text = f"edit: {line.changes(screen.marks.arrow)}"
    elif line.decision in ("approve", "reject") and line.question.dialect == "native":
        message = line.answer.get("message")
        text = f"{line.decision}: {message}" if message else str(line.decision)
    by = f" by {one_line(line.by)}" if line.by else ""
    return f"{one_line(text, screen.width - 40)}{by}"


def _print_step(found: dict[str, Any]) -> None:
    screen = Screen(sys.stdout)
    for name, value in found.items():
        if value is None or name in {"request", "response", "error"}:
            continue
        shown = shown_lane(value) if name == "lane" else str(value)
        screen.line(f"{name:<9} {one_line(shown)}")
    for name in ("request", "response", "error"):
        if found[name] is not None:
            text = found[name]
            if not isinstance(text, str):
                text = json.dumps(text, indent=2, ensure_ascii=False)
            screen.line(f"\n{screen.paint(name, bold=True)}\n{visible(text)}")
