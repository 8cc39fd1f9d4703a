"""``durably respond``, ``approve`` and ``reject``: answer a question that a run waits for."""

from __future__ import annotations

import getpass
import json
import platform
import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import click

from ..errors import ResumeError, ThreadBusy
from ..hosting import Host
from ..types import Interrupt, RunView
from ._approvals import open_questions
from ._history import to_continue
from ._journals import open_existing, store_arguments, store_option
from ._questions import allowed, commands_for, text_of
from ._screen import Screen
from ._wording import counted, one_line

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..hooks import Plugins
    from ._app import Loaded


@click.command()
@click.argument("question")
@click.argument("text", required=False)
@click.option("--json-value", metavar="JSON", help="An answer that is not a text.")
@store_option
@click.pass_obj
def respond(
    loaded: Loaded, question: str, text: str | None, json_value: str | None, store: str
) -> int:
    """Answer QUESTION with TEXT.

    The beginning of the question's id is enough.
    """
    if (text is None) == (json_value is None):
        raise click.UsageError("give the answer as TEXT or as --json-value, one of them")

    def answer(asked: Any) -> Any:
        if json_value is not None:
            return _parsed(json_value)
        return text if allowed(asked) is None else {"type": "respond", "message": text}

    return _record(loaded.plugins, store, question, "respond", answer)


@click.command()
@click.argument("question")
@click.option(
    "--set",
    "changes",
    metavar="NAME=VALUE",
    multiple=True,
    help="Change an argument; VALUE is JSON, or else a text.",
)
@store_option
@click.pass_obj
def approve(loaded: Loaded, question: str, changes: tuple[str, ...], store: str) -> int:
    """Approve what QUESTION proposes.

    With --set, with changed arguments.
    """

    def answer(asked: Any) -> Any:
        if not changes:
            return {"type": "approve"}
        args = asked.get("args") if isinstance(asked, Mapping) else None
        return {"type": "edit", "args": {**dict(args or {}), **_changed(changes)}}

    return _record(loaded.plugins, store, question, "edit" if changes else "approve", answer)


@click.command()
@click.argument("question")
@click.option("-m", "--message", default="", help="Why; the model is told.")
@store_option
@click.pass_obj
def reject(loaded: Loaded, question: str, message: str, store: str) -> int:
    """Reject what QUESTION proposes."""
    said = {"type": "reject", "message": message} if message else {"type": "reject"}
    return _record(loaded.plugins, store, question, "reject", lambda _: said)


def _record(
    plugins: Plugins, store: str, wanted: str, verb: str, answer: Callable[[Any], Any]
) -> int:
    """Record an answer, say so, and say how the run is continued."""
    host = open_existing(store, plugins)
    try:
        view, asked = _found(host, wanted)
        _check(asked, verb, store)
        who = _who()
        try:
            host.answer(view, {asked.id: answer(asked.value)}, who)
        except ThreadBusy as error:
            hint = "It will ask again when it gets there; answer when it waits."
            raise ThreadBusy(error.thread, error.owner, hint) from None
    finally:
        host.close()
    screen = Screen(sys.stdout)
    sign = screen.paint(screen.marks.ended, "green")
    screen.line(f"{sign} {asked.id[:8]} {text_of(asked.value, 60)}: {verb} by {one_line(who)}")
    left = len(view.open) - 1
    if left:
        screen.line(f"  the run waits for {counted(left, 'more answer')}: durably approvals")
    screen.line(f"  {to_continue(view, store_arguments(store))}")
    return 0


def _found(host: Host, wanted: str) -> tuple[RunView, Interrupt]:
    questions = open_questions(host)
    found = [pair for pair in questions if wanted and pair[1].id.startswith(wanted)]
    if len(found) == 1:
        return found[0]
    if found:
        several = ", ".join(one.id for _, one in found)
        raise ResumeError(f"{wanted!r} may be any of {several}; give more of the id.")
    raise ResumeError(
        f"no open question has an id that begins with {wanted!r}; "
        "`durably approvals` lists those that wait."
    )


def _check(asked: Interrupt, verb: str, store: str) -> None:
    """Refuse an answer that does not say clearly what is meant.

    A question without decisions takes a response only: whether "approve" means yes is a guess.
    """
    verbs = allowed(asked.value)
    if verb == "respond" and verbs is None:
        return
    if verbs is None or verb not in verbs:
        ways = "; ".join(commands_for(asked.value, asked.id[:8], store))
        raise ResumeError(
            f"question {asked.id[:8]} ({text_of(asked.value, 60)}) does not take {verb!r}. "
            f"Answer with: {ways}"
        )


def _parsed(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError as error:
        raise click.UsageError(f"--json-value is not JSON: {error}") from error


def _changed(changes: tuple[str, ...]) -> dict[str, Any]:
    args: dict[str, Any] = {}
    for change in changes:
        name, equals, text = change.partition("=")
        if not (name and equals):
            raise click.UsageError(f"--set takes NAME=VALUE, not {change!r}")
        try:
            args[name] = json.loads(text)
        except ValueError:
            args[name] = text
    return args


def _who() -> str:
    try:
        user = getpass.getuser()
    except (OSError, KeyError, ImportError):
        user = "unknown"
    return f"{user}@{platform.node() or 'localhost'}"
