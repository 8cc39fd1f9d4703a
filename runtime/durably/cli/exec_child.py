"""A Python process below ``durably exec``: its program, durably from its first step on."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from ..adapting import ThreadsAdapter, activate
from ..engine import Outcome, Run
from ..errors import DurablyError, ThreadBusy
from ..hooks import Plugins
from ..hosting import (
    Commanded,
    Host,
    Program,
    begin,
    launch_when_used,
    load_code,
    load_module,
    load_script,
)
from .commands.exec import OUTCOME, PROGRAM, SETTINGS, SITE
from .journal_location import shown
from .output.errors import message_of, show_uncaught
from .output.live import Live
from .output.run_summary import Ending
from .output.screen import Screen
from .process_exit import exit_with
from .start_options import Start, plugins_to_run_with

_Load = Callable[[str, Sequence[str]], Program]

_LOADERS: dict[str, _Load] = {"file": load_script, "module": load_module, "code": load_code}


def main() -> None:
    """Run the program that ``sys.argv`` names, and end the process as it would have ended."""
    exit_with(take_over)


def take_over() -> int:
    """Run the program that ``sys.argv`` names (how, what, its arguments); return its exit code."""
    how, what, *args = sys.argv[1:]
    settings = json.loads(os.environ[SETTINGS])
    screen = Screen(sys.stderr)
    try:
        program = _LOADERS[how](what, args)
        command = Commanded(program, tuple(settings["command"]), settings["cwd"])
        taken = _TakenOver(settings, command, screen)
        activate([ThreadsAdapter(), *taken.plugins.adapters()])
        return taken.run()
    except DurablyError as error:
        screen.line(f"durably: {message_of(error)}")
        return 1


class _TakenOver:
    """The program of this process, and whether it is the one that the command is about."""

    def __init__(self, settings: dict[str, Any], program: Commanded, screen: Screen) -> None:
        self._start = Start(**settings["start"])
        self._store: str = settings["store"]
        self._place = Path(settings["place"])
        self._program = program
        self._screen = screen
        self._process = os.getpid()
        self.plugins: Plugins = plugins_to_run_with(Plugins(), screen)
        self._host: Host | None = None
        self._ending: Ending | None = None

    def run(self) -> int:
        """Run it, and return the exit code that Python would end with."""
        try:
            outcome = launch_when_used(self._program, self._begin)
        except DurablyError:
            raise
        except Exception as error:
            show_uncaught(error, {"durably"})
            return 1
        return 0 if outcome is None else self._ended(outcome)

    def _begin(self) -> tuple[Host, Run] | None:
        if not self._is_first():
            return None
        _leave_children_alone()
        start = self._start
        live = Live(self._screen, self._program.name, shown(start.store))
        words = ["--", *self._program.words]
        totals = None if start.quiet else live.totals
        again = start.again("exec", words)
        self._ending = Ending(self._screen, totals, again, start.store)
        listeners = [self._ending] if start.quiet else [self._ending, live]
        self._host = host = start.host(self.plugins, listeners, store=self._store)
        try:
            run = begin(
                host,
                self._program,
                new=start.new,
                run=start.run,
                thread=start.thread,
                approve=start.approve,
                again=again,
            )
        except ThreadBusy as error:
            host.close()
            raise SystemExit(f"durably: {start.busy(error)}") from None
        return host, run

    def _is_first(self) -> bool:
        """Say whether no other process has been the command's program."""
        try:
            with (self._place / PROGRAM).open("x", encoding="utf-8") as file:
                file.write(str(os.getpid()))
        except FileExistsError:
            first = (self._place / PROGRAM).read_text(encoding="utf-8")
            self._screen.line(
                f"durably: process {os.getpid()} is not recorded; the program of this command is "
                f"process {first}. Give each program a durably exec of its own."
            )
            return False
        except OSError:  # the command is over and has left this process behind
            return False
        return True

    def _ended(self, outcome: Outcome) -> int:
        assert self._host is not None
        assert self._ending is not None
        if self._process == os.getpid():  # else a child that the program has forked
            (self._place / OUTCOME).write_text(outcome.status, encoding="utf-8")
        try:
            return self._ending.of(outcome, self._host)
        finally:
            self._host.close()


def _leave_children_alone() -> None:
    """Take out of the environment what makes Python processes hand over their programs."""
    os.environ.pop(SETTINGS, None)
    os.environ.pop(f"{SETTINGS}_PID", None)
    path = os.environ.get("PYTHONPATH", "").split(os.pathsep)
    left = [one for one in path if one != str(SITE)]
    if any(left):
        os.environ["PYTHONPATH"] = os.pathsep.join(left)
    else:
        os.environ.pop("PYTHONPATH", None)
