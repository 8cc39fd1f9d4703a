"""``durably respond``, ``approve`` and ``reject``: answer a question that a run waits for."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, TypeVar

import click

from ...errors import AnswerRefused
from ...hosting import Inbox, Receipt, find_run, who_is_here
from ...people import Question
from ..journal_location import json_option, open_existing, store_option
from ..output.continuation import to_continue
from ..output.questions import commands_for, words_of
from ..output.screen import Screen
from ..output.text import as_json, counted, moment, one_line, timestamp
from .approvals import told
from .resume import continued

if TYPE_CHECKING:
    from ...hooks import Plugins
    from ..context import Loaded

F = TypeVar("F", bound=Callable[..., Any])
Answering = Callable[[Question], Any]


def answering_options(command: F) -> F:
    """Give a command what every answer may say besides itself."""
    for add in (
        click.option("--by", metavar="NAME", help="Who answers; you, if it is left out."),
        click.option(
            "--version",
            type=int,
            metavar="N",
            help="The version of the question that you saw; another one is not answered.",
        ),
        click.option(
            "--resume", "goes_on", is_flag=True, help="Continue the run if it waits for no other."
        ),
        store_option,
        json_option,
    ):
        command = add(command)
    return command


@click.command()
@click.argument("question")
@click.argument("text", required=False)
@click.option("--json-value", metavar="JSON", help="An answer that is not a text.")
@answering_options
@click.pass_obj
def respond(
    loaded: Loaded, /, question: str, text: str | None, json_value: str | None, **said: Any
) -> int:
    """Answer QUESTION with TEXT.

    The beginning of the question's id is enough.
    """
    if (text is None) == (json_value is None):
        raise click.UsageError("give the answer as TEXT or as --json-value, one of them")
    given = text if json_value is None else _parsed("--json-value", json_value)

    def answer(asked: Question) -> Any:
        if not asked.allowed:
            return given
        return {"type": "respond", "message" if json_value is None else "value": given}

    return _record(loaded.plugins, question, "respond", answer, **said)


@click.command()
@click.argument("question")
@click.option(
    "--set",
    "changes",
    metavar="NAME=VALUE",
    multiple=True,
    help="Change an argument; VALUE is JSON, or else a text.",
)
@click.option("--args", "whole", metavar="JSON", help="All arguments anew, as a JSON object.")
@click.option("--edit", is_flag=True, help="Change the arguments in your editor.")
@answering_options
@click.pass_obj
def approve(
    loaded: Loaded,
    /,
    question: str,
    changes: tuple[str, ...],
    whole: str | None,
    *,
    edit: bool,
    **said: Any,
) -> int:
    """Approve what QUESTION proposes.

    With --set, --args or --edit, with changed arguments.
    """
    if sum(map(bool, (changes, whole is not None, edit))) > 1:
        raise click.UsageError("--set, --args and --edit exclude each other; give one of them")

    def answer(asked: Question) -> Any:
        if changes:
            return {"type": "edit", "args": {**(asked.args or {}), **_changed(changes)}}
        if whole is not None:
            return {"type": "edit", "args": _parsed("--args", whole)}
        return _edited(asked) if edit else {"type": "approve"}

    verb = "edit" if changes or whole is not None or edit else "approve"
    return _record(loaded.plugins, question, verb, answer, **said)


@click.command()
@click.argument("question")
@click.option("-m", "--message", default="", help="Why; the model is told.")
@answering_options
@click.pass_obj
def reject(loaded: Loaded, /, question: str, message: str, **said: Any) -> int:
    """Reject what QUESTION proposes."""
    decided = {"type": "reject", "message": message} if message else {"type": "reject"}
    return _record(loaded.plugins, question, "reject", lambda _: decided, **said)


def _record(
    plugins: Plugins,
    wanted: str,
    verb: str,
    answer: Answering,
    *,
    by: str | None,
    version: int | None,
    store: str,
    as_json_text: bool,
    goes_on: bool,
) -> int:
    """Record an answer, say so, and continue the run or say how that is done."""
    if goes_on and as_json_text:
        raise click.UsageError("--resume runs the program, whose output is no JSON; drop --json")
    host = open_existing(store, plugins)
    try:
        inbox = Inbox(host)
        asked = inbox.find(wanted)
        _check(asked, verb, store)
        receipt = inbox.answer(asked.id, answer(asked), by=by or who_is_here(), version=version)
        view = find_run(host.journal, asked.run)
        how = to_continue(host, view, store)
    finally:
        host.close()
    if as_json_text:
        click.echo(as_json({"v": 1, **_json(receipt)}))
        return 0
    screen, goes_on = Screen(sys.stdout), goes_on and not receipt.left
    _print(screen, receipt, "" if goes_on else how)
    return continued(view, store, screen, how) if goes_on else 0


def _json(receipt: Receipt) -> dict[str, Any]:
    return {
        **told(receipt.question),
        "answer": receipt.answer,
        "by": receipt.by,
        "answered": timestamp(receipt.at),
        "new": receipt.is_new,
        "left": receipt.left,
    }


def _print(screen: Screen, receipt: Receipt, how: str) -> None:
    sign = screen.paint(screen.marks.ended, "green")
    said = receipt.answer.get("type") if isinstance(receipt.answer, Mapping) else None
    verb = said if isinstance(said, str) else "respond"
    when = "" if receipt.is_new else f", {moment(receipt.at)}; it was recorded already"
    asked = f"{receipt.question.id[:8]} {words_of(receipt.question, 60)}"
    screen.line(f"{sign} {asked}: {verb} by {one_line(receipt.by)}{when}")
    if receipt.left:
        more = counted(receipt.left, "more answer")
        screen.line(f"  the run waits for {more}: durably approvals")
    if how:
        screen.line(f"  {how}")


def _check(asked: Question, verb: str, store: str) -> None:
    """Refuse an answer that does not say clearly what is meant.

    A question without decisions takes a response only: whether "approve" means yes is a guess.
    """
    if verb == "respond" if not asked.allowed else verb in asked.allowed:
        return
    ways = "; ".join(commands_for(asked, asked.id[:8], store))
    raise AnswerRefused(
        f"question {asked.id[:8]} ({words_of(asked, 60)}) does not take {verb!r}. "
        f"Answer with: {ways}",
        "invalid",
    )


def _parsed(option: str, text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError as error:
        raise click.UsageError(f"{option} is not JSON: {error}") from error


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


def _edited(asked: Question) -> Any:
    """Have the arguments changed in the editor; saved as they were, they are approved."""
    before = json.dumps(asked.args or {}, indent=2, ensure_ascii=False, default=str)
    after = click.edit(before, extension=".json")
    if after is None:
        raise click.UsageError("the editor was left without saving; nothing was recorded")
    args = _parsed("what the editor saved", after)
    return {"type": "approve"} if args == asked.args else {"type": "edit", "args": args}
