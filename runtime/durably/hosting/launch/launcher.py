"""Runs an unchanged program as Python would, with a durable run around it."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from ...engine import Dormant, Outcome, Run, drive, drive_when_used, fingerprint
from ...errors import LaunchError
from ...types import RunView
from ..host import Host
from ..run_views import all_runs, find_run
from ..thread_runs import UNFINISHED
from .programs import Program


def unfinished(host: Host, program: Program, thread: str | None = None) -> RunView | None:
    """Return the newest run of this very command, if it is not over."""
    wanted = fingerprint(program.command)[0]
    for view in reversed(all_runs(host.journal)):
        if view.request == wanted and (thread is None or view.thread == thread):
            return view if view.status in {*UNFINISHED, "running"} else None
    return None


def launch(
    host: Host,
    program: Program,
    *,
    new: bool = False,
    run: str | None = None,
    thread: str | None = None,
    answers: Mapping[str, Any] | None = None,
    approve: Sequence[str] = (),
    again: Sequence[str] = (),
) -> Outcome:
    """Run a program durably: continue its unfinished run, or start a new one.

    Args:
        host: Where the run is kept.
        program: What to run.
        new: Start a new run even if there is an unfinished one.
        run: Take up this run, finished or not; a unique beginning of its id is enough.
        thread: The thread of a new run, or whose unfinished run to continue.
        answers: Answers to the run's open questions.
        approve: What a person must agree to (see :class:`Host`). What a continued run was started
            with holds as well.
        again: The command line that continues the run, without the command's own name.

    Raises:
        ThreadBusy: Another process is driving the run.
        UnknownRun: There is no such run.
        LaunchError: The run was another program's.
    """
    taken = begin(
        host,
        program,
        new=new,
        run=run,
        thread=thread,
        answers=answers,
        approve=approve,
        again=again,
    )
    try:
        return drive(taken, program.execute)
    finally:
        host.release(taken)


def begin(
    host: Host,
    program: Program,
    *,
    new: bool = False,
    run: str | None = None,
    thread: str | None = None,
    answers: Mapping[str, Any] | None = None,
    approve: Sequence[str] = (),
    again: Sequence[str] = (),
) -> Run:
    """Take a program's run up again, or start one; see :func:`launch`."""
    view = _chosen(host, program, new=new, run=run, thread=thread)
    asked = [*approve] if view is None else [*(view.meta.get("approve") or ()), *approve]
    host.ask_before(asked)
    place = {"cwd": str(Path.cwd()), "pid": os.getpid()}
    meta = {"command": program.command, "approve": asked, "again": [*again], **place}
    if view is None:
        return host.begin(program.entry, program.command, thread=thread, meta=meta)
    return host.resume(view, answers=answers, meta=meta)


def launch_when_used(
    program: Program, begin_run: Callable[[], tuple[Host, Run] | None]
) -> Outcome | None:
    """Run a program durably from its first step on; None if it comes to none.

    Args:
        program: What to run.
        begin_run: Begins its run (see :func:`begin`), called at its first step; None if it is to
            have none.

    Raises:
        BaseException: What came out of a program that has come to no step.
    """
    begun: list[tuple[Host, Run]] = []

    def first_step() -> Run | None:
        found = begin_run()
        if found is None:
            return None
        begun.append(found)
        return found[1]

    try:
        return drive_when_used(Dormant(first_step), program.execute)
    finally:
        for host, run in begun:
            host.release(run)


def _chosen(
    host: Host, program: Program, *, new: bool, run: str | None, thread: str | None
) -> RunView | None:
    if run is None:
        return None if new else unfinished(host, program, thread)
    view = find_run(host.journal, run)
    command = view.meta.get("command") or {}
    if view.entry != program.entry:
        started = command.get("script", view.entry)
        raise LaunchError(f"run {view.run} was started from {started}, not from {program.name}")
    if command.get("args") != list(program.args):
        shown = " ".join(command.get("args") or ()) or "no arguments"
        raise LaunchError(
            f"run {view.run} was started with {shown}; give the same arguments to continue it"
        )
    return view
