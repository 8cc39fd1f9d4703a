"""``durably run``: an unchanged script or module, durably."""

from __future__ import annotations

import sys
from typing import Any

import click

from ...errors import ThreadBusy
from ...hosting import Host, Program, launch, load_module, load_script
from ..context import Loaded
from ..journal_location import shown
from ..output.live import Live
from ..output.run_summary import Ending
from ..output.screen import Screen
from ..start_options import Start, check_options, plugins_to_run_with, start_options


@click.command(context_settings={"allow_interspersed_args": False})
@start_options
@click.option("-m", "as_module", is_flag=True, help="SCRIPT is a module's name, as in python -m.")
@click.argument("script")
@click.argument("args", nargs=-1, type=click.UNPROCESSED)
@click.pass_obj
def run(
    loaded: Loaded, /, *, script: str, args: tuple[str, ...], as_module: bool, **options: Any
) -> int:
    """Run SCRIPT durably, or continue it.

    The same command continues an unfinished run. Everything after SCRIPT is the script's own.
    Exit code: the script's, or 75 if it waits for a person.
    """
    start = Start(**options)
    check_options(start)
    program: Program = load_module(script, args) if as_module else load_script(script, args)
    screen = Screen(sys.stderr)
    plugins = plugins_to_run_with(loaded.plugins, screen)
    live = Live(screen, program.name, shown(start.store))
    words = ["-m", script, *args] if as_module else [script, *args]
    totals = None if start.quiet else live.totals
    again = start.again("run", words)
    ending = Ending(screen, totals, again, start.store)
    listeners = [ending] if start.quiet else [ending, live]
    host = start.host(plugins, listeners, None if as_module else script)
    try:
        return _launched(host, start, program, ending, again)
    finally:
        host.close()


def _launched(host: Host, start: Start, program: Program, ending: Ending, again: list[str]) -> int:
    try:
        outcome = launch(
            host,
            program,
            new=start.new,
            run=start.run,
            thread=start.thread,
            approve=start.approve,
            again=again,
        )
    except ThreadBusy as error:
        raise start.busy(error) from None
    return ending.of(outcome, host)
