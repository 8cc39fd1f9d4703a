"""The command or the call that continues one run, and no other."""

from __future__ import annotations

import json
import os
import shlex
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

from ...errors import DurablyError
from ...hosting import DEFAULT_URL, Host, all_runs, find_run
from ...types import RunView
from ..journal_location import VARIABLE, absolute, file_of, store_arguments
from .run_record import command_of

_REPEATED = frozenset(
    {
        "--once",
        "--approve",
        "--retry",
        "--timeout",
        "--cache",
        "--rate",
        "--concurrency",
        "--fallback",
        "--on-exhausted",
        "--budget",
    }
)
"""Options of which each says something more, as ``click`` takes them."""


class Words(NamedTuple):
    """A command line after ``durably``, in parts.

    Attributes:
        command: ``run`` or ``exec``.
        options: Its own options with their values.
        program: What it starts, and that program's arguments.
    """

    command: str
    options: list[tuple[str, str]]
    program: list[str]

    @classmethod
    def of(cls, words: Sequence[str]) -> Words:
        """Return a command line in parts, as ``Start.again`` writes it."""
        command, *rest = map(str, words)
        options: list[tuple[str, str]] = []
        while rest and rest[0].startswith("--") and rest[0] != "--":
            options.append((rest[0], rest[1]))
            rest = rest[2:]
        return cls(command, options, rest)

    def joined(self) -> list[str]:
        """Return the command line."""
        return [self.command, *(word for pair in self.options for word in pair), *self.program]

    def with_options_of(self, earlier: Words) -> Words:
        """Return this command line with the options of an earlier one that it does not set."""
        own = {name for name, _ in self.options}
        more = [
            (name, value)
            for name, value in earlier.options
            if (name, value) not in self.options and (name in _REPEATED or name not in own)
        ]
        return self._replace(options=[*self.options, *more])

    def without(self, *names: str) -> Words:
        """Return this command line without the options called *names*."""
        return self._replace(options=[one for one in self.options if one[0] not in names])

    def set(self, name: str, value: str) -> Words:
        """Return this command line with an option set, in front."""
        return self._replace(options=[(name, value), *self.without(name).options])


def again(host: Host, run: str, words: Sequence[str]) -> str:
    """Return the command that continues the run that this command has driven.

    Args:
        host: Where the run is kept.
        run: Its id.
        words: This command line, after ``durably``.
    """
    told = Words.of(words)
    try:
        view = find_run(host.journal, run)
        first = view.meta.get("again") or ()
        if first:
            told = told.with_options_of(Words.of(first).without("--run", "--store"))
        told = _addressed(host, view, told)
    except DurablyError:  # the journal is gone; the words are still right for the newest run
        pass
    return shlex.join(["durably", *told.joined()])


def to_continue(host: Host, view: RunView, store: str) -> str:
    """Say how a run is continued, or why it cannot be.

    Args:
        host: Where it is kept.
        view: The run.
        store: The journal's URL, as it is found from this directory.
    """
    first = view.meta.get("again") or shlex.split(command_of(view))[1:]
    if not first:
        return _by_call(host, view)
    told = Words.of(first).without("--store")
    place = str(view.meta.get("cwd") or "")
    elsewhere = bool(place) and place != str(Path.cwd())
    for _, url in pairwise(_store_from(place, store) if elsewhere else store_arguments(store)):
        told = told.set("--store", url)
    told = _addressed(host, view, told)
    where = f"cd {shlex.quote(place)} && " if elsewhere else ""
    return f"continue with: {where}{shlex.join(['durably', *told.joined()])}"


def _addressed(host: Host, view: RunView, told: Words) -> Words:
    """Name the run if the command by itself would continue or begin another one."""
    thread = dict(told.options).get("--thread")
    same = [
        one
        for one in all_runs(host.journal)
        if one.request == view.request and thread in (None, one.thread)
    ]
    return told if not same or same[-1].run == view.run else told.set("--run", view.run)


def _by_call(host: Host, view: RunView) -> str:
    """Say the same of a run that an application drives: a call continues a thread's newest run."""
    newest = next(one for one in reversed(all_runs(host.journal)) if one.thread == view.thread)
    if newest.run != view.run:
        return (
            f"it cannot be continued any more: run {newest.run} has begun on thread "
            f"{view.thread!r} after it"
        )
    call = str(view.meta.get("call") or "invoke")
    config = f'{{"configurable": {{"thread_id": {json.dumps(view.thread)}}}}}'
    owner = "" if "." in call else f", a method of {view.entry}"
    return f"continue with: {call}(None, {config}){owner}"


def _store_from(place: str, store: str) -> list[str]:
    """Return the ``--store`` arguments by which another directory finds the same journal."""
    if file_of(store) is None:
        return store_arguments(store)
    usual = file_of(DEFAULT_URL)
    here = file_of(absolute(store))
    if usual is not None and VARIABLE not in os.environ and here == Path(place, usual):
        return []
    return ["--store", absolute(store)]
