"""``durably run``: an unchanged script, durably."""

from __future__ import annotations

import os
import shlex
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click

from ..errors import LaunchError, ThreadBusy
from ..hooks import Listener, Plugins
from ..hosting import Host, Script, launch, load_script
from ..types import OnChange, StepPolicy
from ._ending import Ending
from ._journals import shown, store_arguments, store_option
from ._live import Live
from ._screen import Screen

if TYPE_CHECKING:
    from ._app import Loaded


@dataclass(frozen=True, slots=True)
class Start:
    """The command line of a ``durably run``; the fields are its options."""

    script: str
    args: tuple[str, ...]
    new: bool
    run: str | None
    thread: str | None
    store: str
    on_change: OnChange | None
    once: tuple[str, ...]
    quiet: bool

    def again(self) -> str:
        """Return the command line that continues the run."""
        words = ["durably", "run", *store_arguments(self.store)]
        for option, value in (
            ("--run", self.run),
            ("--thread", self.thread),
            ("--on-change", self.on_change),
        ):
            words += [option, value] if value else []
        for pattern in self.once:
            words += ["--once", pattern]
        return shlex.join([*words, self.script, *self.args])


@click.command(context_settings={"allow_interspersed_args": False})
@click.option("--new", is_flag=True, help="Start a new run, even if there is an unfinished one.")
@click.option("--run", metavar="ID", help="Take up this run, finished or not.")
@click.option("--thread", metavar="ID", help="The thread of the run.")
@store_option
@click.option(
    "--on-change",
    type=click.Choice(["auto", "replay", "rerun", "error"]),
    help="What to do with a step whose request is not the recorded one.",
)
@click.option(
    "--once",
    metavar="PATTERN",
    multiple=True,
    help="Ask before repeating effects of this name that were under way when the process died.",
)
@click.option("--quiet", "-q", is_flag=True, help="Write no lines about steps.")
@click.argument("script")
@click.argument("args", nargs=-1, type=click.UNPROCESSED)
@click.pass_obj
def run(loaded: Loaded, /, **options: Any) -> int:
    """Run SCRIPT durably, or continue it.

    The same command continues an unfinished run. Everything after SCRIPT is the script's own.
    Exit code: the script's, or 75 if it waits for a person.
    """
    start = Start(**options)
    if start.new and start.run:
        raise click.UsageError("--new starts another run than --run names; give one of them")
    script = load_script(start.script, start.args)
    screen = Screen(sys.stderr)
    plugins = _plugins(loaded.plugins, screen)
    live = Live(screen, start.script, shown(start.store), plugins.price)
    totals = None if start.quiet else live.totals
    ending = Ending(screen, totals, start.again(), start.store)
    host = _host(start, plugins, [ending] if start.quiet else [ending, live])
    try:
        return _launched(host, start, script, ending)
    finally:
        host.close()


def _launched(host: Host, start: Start, script: Script, ending: Ending) -> int:
    try:
        outcome = launch(host, script, new=start.new, run=start.run, thread=start.thread)
    except ThreadBusy as error:
        where = "another --thread" if start.thread else "--new to start another run"
        hint = f"Wait until it has ended, or use {where}."
        raise ThreadBusy(error.thread, error.owner, hint) from None
    return ending.of(outcome, host)


def _host(start: Start, plugins: Plugins, listeners: list[Listener]) -> Host:
    return Host(
        start.store,
        plugins=plugins,
        listeners=listeners,
        policies={pattern: StepPolicy(effect="once") for pattern in start.once},
        on_change=start.on_change or "auto",
    )


def _plugins(installed: Plugins, screen: Screen) -> Plugins:
    """Return the plug-ins to run with, and name the broken ones: their steps would be lost."""
    for name, why in installed.broken.items():
        mark = screen.paint(screen.marks.warning, "yellow")
        screen.line(f"{mark} plug-in {name} failed to load, what it does is missing: {why}")
    if os.environ.get("DURABLY_TEST") != "1":
        return installed
    from ..testing import kills_asked_for

    try:
        return Plugins(kills_asked_for(os.environ))
    except ValueError as error:
        raise LaunchError(f"DURABLY_TEST_KILL_… must be a number from 1 on: {error}") from error
