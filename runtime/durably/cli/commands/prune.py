"""``durably prune``: forget threads whose runs are over."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable
from typing import cast

import click

from ...errors import DurablyError, StorageError
from ...hosting import all_runs
from ...journal import Rewriting, Storage
from ...journal import keep_latest as keep_last_run
from ...policies import duration
from ...types import RunView
from ..context import Loaded
from ..journal_location import is_missing, json_option, open_existing, shown, store_option
from ..output.screen import Screen
from ..output.text import as_json, counted


def _seconds(_ctx: click.Context, _param: click.Parameter, said: str) -> float:
    try:
        return duration(said)
    except ValueError as error:
        raise click.BadParameter(str(error)) from None


@click.command()
@store_option
@json_option
@click.option(
    "--older-than",
    "age",
    callback=_seconds,
    required=True,
    metavar="DURATION",
    help="Only threads whose last run ended longer ago: 12h, 30d, 8w.",
)
@click.option("--failed", is_flag=True, help="Threads whose last run failed, too.")
@click.option(
    "--keep-latest",
    is_flag=True,
    help="Keep each thread's last finished run and its memory; forget what was before.",
)
@click.option("--dry-run", is_flag=True, help="Say what would be forgotten, and change nothing.")
@click.pass_obj
def prune(
    loaded: Loaded,
    store: str,
    *,
    as_json_text: bool,
    age: float,
    failed: bool,
    keep_latest: bool,
    dry_run: bool,
) -> int:
    """Forget threads whose runs are over.

    What waits for a person or a time, was stopped half-way, or is being driven is kept.
    """
    chosen: list[str] = []
    kept: dict[str, str] = {}
    if not is_missing(store):
        host = open_existing(store, loaded.plugins)
        try:
            over = {"done", "cancelled", *(["failed"] if failed else [])}
            chosen = _old(all_runs(host.journal), over, before=time.time() - age)
            if not dry_run:
                kept = _forget(host.journal.storage, chosen, keeps_latest=keep_latest)
        finally:
            host.close()
    forgotten = [thread for thread in chosen if thread not in kept]
    if as_json_text:
        click.echo(as_json({"v": 1, "dry_run": dry_run, "threads": forgotten, "kept": kept}))
    else:
        _print(Screen(sys.stdout), forgotten, kept, store, is_dry=dry_run)
    return 1 if kept else 0


def _old(views: Iterable[RunView], over: set[str], *, before: float) -> list[str]:
    """Return the threads all of whose runs are over, the last of them since *before* or longer."""
    threads: dict[str, list[RunView]] = {}
    for view in views:
        threads.setdefault(view.thread, []).append(view)
    return [
        thread
        for thread, runs in threads.items()
        if runs[-1].status in over
        and all(run.status not in ("waiting", "running") for run in runs)
        and max(run.ended or run.started for run in runs) < before
    ]


def _forget(storage: Storage, threads: Iterable[str], *, keeps_latest: bool) -> dict[str, str]:
    """Forget *threads*; return those that had to be kept, and why."""
    if keeps_latest and not hasattr(storage, "rewrite"):
        raise StorageError("this storage cannot forget a part of a thread; leave out --keep-latest")
    kept: dict[str, str] = {}
    for thread in threads:
        try:
            if keeps_latest:
                keep_last_run(cast("Rewriting", storage), thread, time.time())
            else:
                storage.delete(thread, time.time())
        except DurablyError as error:
            kept[thread] = str(error)
    return kept


def _print(
    screen: Screen, forgotten: list[str], kept: dict[str, str], store: str, *, is_dry: bool
) -> None:
    for thread in forgotten if is_dry else ():
        screen.line(thread)
    for thread, why in kept.items():
        screen.line(f"{thread} is kept: {why}")
    verb = "would be forgotten" if is_dry else "forgotten"
    screen.line(f"{counted(len(forgotten), 'thread')} {verb} in {shown(store)}")
