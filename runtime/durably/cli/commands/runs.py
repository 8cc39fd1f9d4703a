"""``durably runs``: the runs of a journal."""

from __future__ import annotations

import sys
from typing import Any

import click

from ...engine import Past
from ...errors import DurablyError
from ...hosting import Host, all_runs
from ...types import RunView
from ..context import Loaded
from ..journal_location import is_missing, json_option, open_existing, shown, store_option
from ..output.questions import text_of
from ..output.run_record import bill, entries_of, steps_of, title_of
from ..output.screen import Screen
from ..output.text import as_json, moment, money, one_line, short_ids, table, timestamp

_NEWEST = 20
_COLORS = {"done": "green", "failed": "red", "waiting": "yellow", "running": "cyan"}
_HEADINGS = ("RUN", "PROGRAM", "STATUS", "STEPS", "PAID", "STARTED", "")


@click.command()
@store_option
@json_option
@click.option("--all", "everything", is_flag=True, help=f"All runs, not the newest {_NEWEST}.")
@click.pass_obj
def runs(loaded: Loaded, store: str, *, as_json_text: bool, everything: bool) -> int:
    """List runs, the newest first."""
    views: list[RunView] = []
    rows: list[dict[str, Any]] = []
    if not is_missing(store):
        host = open_existing(store, loaded.plugins)
        try:
            views = all_runs(host.journal)[::-1]
            chosen = views if everything else views[:_NEWEST]
            rows = [_row(host, view) for view in chosen]
        finally:
            host.close()
    if as_json_text:
        click.echo(as_json({"v": 1, "runs": rows}))
        return 0
    screen = Screen(sys.stdout)
    if not rows:
        screen.line(f"no runs yet in {shown(store)}")
        return 0
    _print(screen, rows)
    if len(rows) < len(views):
        screen.line(f"{len(views) - len(rows)} older runs are not shown; --all shows them")
    return 0


def summary(view: RunView) -> dict[str, Any]:
    """Return what every ``--json`` output says of a run."""
    return {
        "run": view.run,
        "thread": view.thread,
        "entry": view.entry,
        "status": view.status,
        "started": timestamp(view.started),
        "ended": timestamp(view.ended),
        "error": view.error or None,
        "wake": timestamp(view.wake),
    }


def _row(host: Host, view: RunView) -> dict[str, Any]:
    waiting = [{"id": one.id, "question": text_of(one.value)} for one in _open(host, view)]
    steps: int | None = None
    paid = 0.0
    try:
        entries = entries_of(host, view)
        steps, paid = Past.of(entries).finished, bill(steps_of(entries))[0]
    except DurablyError as error:
        view.error = view.error or str(error)
    return {
        **summary(view),
        "at": view.started,
        "wakes": view.wake,
        "program": title_of(view),
        "steps": steps,
        "paid": paid or None,
        "waiting_for": waiting,
    }


def _open(host: Host, view: RunView) -> list[Any]:
    try:
        return host.questions(view) if view.open else []
    except DurablyError:
        return []  # a damaged thread is told of where its steps are counted


def _parked(row: dict[str, Any]) -> str:
    return f"parked until {moment(row['wakes'])}: {row['error']}" if row["wakes"] else ""


def _print(screen: Screen, rows: list[dict[str, Any]]) -> None:
    marks = screen.marks
    signs = {
        "done": marks.ended,
        "failed": marks.failed,
        "waiting": marks.waiting,
        "running": marks.begin,
    }
    cells: list[tuple[str, ...]] = [_HEADINGS]
    for row in rows:
        waiting = row["waiting_for"]
        short = short_ids([one["id"] for one in waiting])
        asked = "; ".join(f"{short[one['id']]} {one['question']}" for one in waiting)
        status = row["status"]
        cells.append(
            (
                row["run"],
                one_line(row["program"], 30),
                f"{signs.get(status, marks.stopped)} {status}",
                "?" if row["steps"] is None else str(row["steps"]),
                money(row["paid"]),
                moment(row["at"]),
                one_line(asked or _parked(row) or row["error"] or "", 60),
            )
        )
    lines = table(cells)
    screen.line(screen.paint(lines[0], bold=True))
    for row, line in zip(rows, lines[1:], strict=True):
        screen.line(screen.paint(line, _COLORS.get(row["status"], "")))
