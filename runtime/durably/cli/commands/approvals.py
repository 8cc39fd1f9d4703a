"""``durably approvals``: the questions that runs wait for."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from typing import Any

import click

from ...hosting import Inbox
from ...people import (
    Question,
    as_ag_ui_interrupt,
    as_hitl_request,
    as_human_interrupt,
    as_tool_approval,
)
from ...types import RunView
from ..context import Loaded
from ..journal_location import is_missing, json_option, open_existing, store_option
from ..output.questions import commands_for, words_of
from ..output.screen import Screen
from ..output.text import as_json, counted, moment, short_ids, timestamp

_GIVEN_UP = 3
"""How many of the questions that were given up are named."""

_DIALECTS: Mapping[str, Callable[[Question], dict[str, Any]]] = {
    "ag-ui": as_ag_ui_interrupt,
    "agent-inbox": as_human_interrupt,
    "hitl": lambda question: as_hitl_request([question]),
    "tool-approval": as_tool_approval,
}


@click.command()
@store_option
@json_option
@click.option(
    "--as",
    "dialect",
    type=click.Choice([*_DIALECTS]),
    help="With --json: the questions in another client's words, too.",
)
@click.pass_obj
def approvals(loaded: Loaded, store: str, *, as_json_text: bool, dialect: str | None) -> int:
    """List the questions that wait, oldest first.

    Then the newest of those that were given up, since their threads got a new input.
    """
    if dialect and not as_json_text:
        raise click.UsageError("--as says how --json tells the questions; give both")
    found: list[Question] = []
    given_up: list[tuple[Question, RunView]] = []
    if not is_missing(store):
        host = open_existing(store, loaded.plugins)
        try:
            inbox = Inbox(host)
            found = inbox.pending()
            given_up = [] if as_json_text else inbox.superseded()
        finally:
            host.close()
    if as_json_text:
        click.echo(as_json({"v": 1, "questions": [told(one, dialect) for one in found]}))
        return 0
    screen = Screen(sys.stdout)
    if not found:
        screen.line("nothing waits for an answer")
    short = short_ids([one.id for one in found])
    for one in found:
        _print(screen, one, short[one.id], store)
    _print_given_up(screen, given_up)
    return 0


def _print_given_up(screen: Screen, given_up: list[tuple[Question, RunView]]) -> None:
    """Write which questions are not asked any more, and which runs took the place of theirs."""
    if not given_up:
        return
    screen.line(f"{counted(len(given_up), 'question')} given up, since a newer run took over:")
    for one, view in given_up[::-1][:_GIVEN_UP]:
        by = f"run {view.run} is superseded by run {view.successor}"
        screen.line(f"    {one.id[:8]}  {by}  {words_of(one, screen.width - 54)}")


def _print(screen: Screen, one: Question, identity: str, store: str) -> None:
    sign = screen.paint(screen.marks.waiting, "yellow")
    until = ""
    if one.expires_at is not None:
        until = f"  until {moment(one.expires_at)}"
        until += f", then {one.default['type']}" if one.default else ""
    title = one.entry.removeprefix("script:")
    screen.line(f"{sign} {identity}  {title} ({one.run}), {moment(one.asked_at)}{until}")
    screen.line(f"    {words_of(one, screen.width - 4)}")
    for command in commands_for(one, identity, store):
        screen.line(f"    {command}")


def told(one: Question, dialect: str | None = None) -> dict[str, Any]:
    """Return a question as ``--json`` prints it."""
    said = {
        "id": one.id,
        "version": one.version,
        "run": one.run,
        "thread": one.thread,
        "entry": one.entry,
        "kind": one.kind,
        "name": one.name or None,
        "message": words_of(one),
        "args": one.args,
        "args_schema": one.args_schema,
        "allowed": [*one.allowed] or None,
        "response_schema": one.response_schema,
        "asked": timestamp(one.asked_at),
        "expires": timestamp(one.expires_at),
        "default": one.default,
        "question": one.value,
    }
    return {**said, "as": _DIALECTS[dialect](one)} if dialect else said
