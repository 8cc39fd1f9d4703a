"""What the commands that start programs have in common: options, a host, how they begin."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import click

from ..errors import LaunchError, ThreadBusy
from ..hooks import Plugins
from ..hosting import Host
from ..listeners import Listener
from ..types import OnChange, StepPolicy
from .journal_location import store_arguments, store_option
from .output.screen import Screen
from .policy_options import PolicyOptions, policy_options
from .terminal_prompts import prompter_here

F = TypeVar("F", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True, kw_only=True)
class Start(PolicyOptions):
    """The options of a command line that starts a program."""

    new: bool
    run: str | None
    thread: str | None
    store: str
    on_change: OnChange | None
    once: Sequence[str]
    approve: Sequence[str]
    quiet: bool
    no_input: bool

    def again(self, command: str, words: Iterable[str]) -> list[str]:
        """Return what continues the run after ``durably``: *command*, its options and words."""
        given = [command, *store_arguments(self.store)]
        for option, value in (
            ("--run", self.run),
            ("--thread", self.thread),
            ("--on-change", self.on_change),
        ):
            given += [option, value] if value else []
        for option, patterns in (("--once", self.once), ("--approve", self.approve)):
            for pattern in patterns:
                given += [option, pattern]
        return [*given, *self.words(), *words]

    def host(
        self,
        plugins: Plugins,
        listeners: Sequence[Listener],
        program: str | None = None,
        store: str = "",
    ) -> Host:
        """Return the host that the options describe.

        Args:
            plugins: The plug-ins to run with.
            listeners: Who watches.
            program: The program's file, if it has one.
            store: Another name for the journal.
        """
        return Host(
            store or self.store,
            plugins=plugins,
            listeners=listeners,
            policies={pattern: StepPolicy(effect="once") for pattern in self.once},
            config=self.over(Path(program) if program else None),
            on_change=self.on_change or "auto",
            catch_input=True,
            prompter=None if self.no_input else prompter_here(Screen(sys.stderr)),
        )

    def busy(self, error: ThreadBusy) -> ThreadBusy:
        """Return *error* with what to do about it."""
        where = "another --thread" if self.thread else "--new to start another run"
        hint = f"Wait until it has ended, or use {where}."
        return ThreadBusy(error.thread, error.owner, hint)


def start_options(command: F) -> F:
    """Give a command the options of :class:`Start`."""
    command = policy_options(command)
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


_OPTIONS: tuple[Callable[[Any], Any], ...] = (
    click.option(
        "--new", is_flag=True, help="Start a new run, even if there is an unfinished one."
    ),
    click.option("--run", metavar="ID", help="Take up this run, finished or not."),
    click.option("--thread", metavar="ID", help="The thread of the run."),
    store_option,
    click.option(
        "--on-change",
        type=click.Choice(["auto", "replay", "rerun", "error"]),
        help="What to do with a step whose request is not the recorded one.",
    ),
    click.option(
        "--once",
        metavar="PATTERN",
        multiple=True,
        help="Ask before repeating effects of this name that were under way when the process died.",
    ),
    click.option(
        "--approve",
        metavar="PATTERN",
        multiple=True,
        help="Ask before each call of this tool (a name, a glob, or a kind such as 'tool').",
    ),
    click.option("--quiet", "-q", is_flag=True, help="Write no lines about steps."),
    click.option(
        "--no-input",
        is_flag=True,
        help="Ask nobody at this terminal; questions wait for an answer from elsewhere.",
    ),
)


def check_options(start: Start) -> None:
    """Refuse options that contradict each other.

    Raises:
        UsageError: They do.
    """
    if start.new and start.run:
        raise click.UsageError("--new starts another run than --run names; give one of them")


def plugins_to_run_with(installed: Plugins, screen: Screen) -> Plugins:
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
