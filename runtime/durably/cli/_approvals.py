"""``durably approvals``: the questions that runs wait for."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import click

from ..hosting import Host, all_runs
from ..types import Interrupt, RunView
from ._history import title_of
from ._journals import is_missing, json_option, open_existing, store_option
from ._questions import allowed, commands_for, text_of
from ._screen import Screen
from ._wording import as_json, short_ids

if TYPE_CHECKING:
    from ._app import Loaded


@click.command()
@store_option
@json_option
@click.pass_obj
def approvals(loaded: Loaded, store: str, *, as_json_text: bool) -> int:
    """List the questions that wait, oldest first."""
    found: list[tuple[RunView, Interrupt]] = []
    if not is_missing(store):
        host = open_existing(store, loaded.plugins)
        try:
            found = open_questions(host)
        finally:
            host.close()
    if as_json_text:
        questions = [_json(view, one) for view, one in found]
        click.echo(as_json({"v": 1, "questions": questions}))
        return 0
    screen = Screen(sys.stdout)
    if not found:
        screen.line("nothing waits for an answer")
    short = short_ids([one.id for _, one in found])
    for view, one in found:
        sign = screen.paint(screen.marks.waiting, "yellow")
        screen.line(f"{sign} {short[one.id]}  {title_of(view)} ({view.run})")
        screen.line(f"    {text_of(one.value, screen.width - 4)}")
        for command in commands_for(one.value, short[one.id], store):
            screen.line(f"    {command}")
    return 0


def open_questions(host: Host) -> list[tuple[RunView, Interrupt]]:
    """Return every open question with its run."""
    return [
        (view, one) for view in all_runs(host.journal) if view.open for one in host.questions(view)
    ]


def _json(view: RunView, one: Interrupt) -> dict[str, Any]:
    return {
        "id": one.id,
        "run": view.run,
        "thread": view.thread,
        "entry": view.entry,
        "message": text_of(one.value),
        "question": one.value,
        "allowed": allowed(one.value),
        "response_schema": one.response_schema,
    }
