"""``durably resume``: runs that were parked, or wait, go on."""

from __future__ import annotations

import shlex
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import click

from ...hosting import decided, find_run, is_due, parked
from ...types import RunView
from ..context import Loaded
from ..journal_location import absolute, is_missing, open_existing, store_option
from ..output.continuation import Words, to_continue
from ..output.run_record import title_of
from ..output.run_summary import WAITING
from ..output.screen import Screen
from ..output.text import moment


@click.command()
@click.argument("runs", nargs=-1, metavar="[RUN]...")
@click.option("--due", is_flag=True, help="Every run that need not wait any more.")
@store_option
@click.pass_obj
def resume(loaded: Loaded, runs: tuple[str, ...], store: str, *, due: bool) -> int:
    """Continue RUN, or with --due every run that need not wait any more.

    That is a parked one whose time has come, and one whose questions are answered or overdue. Each
    is continued by the command that started it, in its directory. Made for cron: exit code 0 if all
    that were continued are done or there was none, 75 if one still waits, else 1.
    """
    if due == bool(runs):
        raise click.UsageError("name runs, or give --due; one of them")
    screen = Screen(sys.stdout)
    chosen = _chosen(loaded, runs, store, screen)
    codes = [continued(view, store, screen, how) for view, how in chosen]
    if any(code not in (0, WAITING) for code in codes):
        return 1
    return int(WAITING) if WAITING in codes else 0


def _chosen(
    loaded: Loaded, runs: Sequence[str], store: str, screen: Screen
) -> list[tuple[RunView, str]]:
    """Return the runs to continue, each with how that is done."""
    if is_missing(store) and not runs:
        return []
    host = open_existing(store, loaded.plugins)
    try:
        if runs:
            views = [find_run(host.journal, one) for one in runs]
            return [(view, to_continue(host, view, store)) for view in views]
        found, now = parked(host.journal), host.clock.now()
        due = [*(view for view in found if is_due(view, now)), *decided(host, now)]
        chosen = [(view, to_continue(host, view, store)) for view in due]
    finally:
        host.close()
    later = [view for view in found if not is_due(view, now)]
    for view in later:
        assert view.wake is not None
        screen.line(f"  {view.run}  {title_of(view)} is parked until {moment(view.wake)}")
    return chosen


def continued(view: RunView, store: str, screen: Screen, how: str) -> int:
    """Start the command that a run was started with, and return its exit code.

    Args:
        view: The run.
        store: The journal's URL.
        screen: Where to say so.
        how: What to say of a run that no command started.
    """
    words = [str(one) for one in view.meta.get("again") or ()]
    if words[:1] not in (["run"], ["exec"]):  # an application drives it, not a command
        screen.line(f"  {view.run}  {title_of(view)}: {how}")
        return int(WAITING)
    mark = screen.paint(screen.marks.again, "cyan")
    screen.line(f"{mark} {view.run}  {shlex.join(['durably', *words])}")
    told = Words.of(words).set("--store", absolute(store)).set("--run", view.run)
    place = str(view.meta.get("cwd") or "")
    argv = [sys.executable, "-m", "durably", *told.joined()]
    return subprocess.run(  # noqa: S603 - the command that the journal says started the run
        argv, cwd=place if place and Path(place).is_dir() else None, check=False
    ).returncode
