"""Runs an unchanged script as Python would, with a durable run around it."""

from __future__ import annotations

import builtins
import io
import os
import sys
import threading
from collections.abc import Mapping, Sequence
from concurrent.futures import thread as pool_module
from dataclasses import dataclass
from importlib.machinery import SourceFileLoader
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any

from ..engine import Outcome, drive, fingerprint
from ..errors import LaunchError
from ..types import RunView
from ._host import Host
from ._runs import all_runs, find_run
from ._threads import UNFINISHED


@dataclass(frozen=True, slots=True)
class Script:
    """A script that can be started.

    Attributes:
        path: The file, as it was named.
        args: Its own arguments.
        code: Its compiled source.
    """

    path: str
    args: tuple[str, ...]
    code: CodeType

    @property
    def entry(self) -> str:
        """What its runs are called."""
        return f"script:{Path(self.path).name}"

    @property
    def command(self) -> dict[str, Any]:
        """What makes two starts the same command."""
        return {"script": str(Path(self.path).resolve()), "args": list(self.args)}


def load_script(path: str, args: Sequence[str]) -> Script:
    """Read and compile a script.

    Raises:
        LaunchError: It is not there, cannot be read, or is not Python.
    """
    try:
        with io.open_code(str(Path(path).resolve())) as file:
            source = file.read()
    except FileNotFoundError as error:
        raise LaunchError(f"there is no script {path!r} in {Path.cwd()}") from error
    except IsADirectoryError as error:
        raise LaunchError(f"{path!r} is a directory; name the script in it") from error
    except OSError as error:
        raise LaunchError(f"script {path!r} cannot be read: {error.strerror}") from error
    try:
        code = compile(source, os.path.abspath(path), "exec", dont_inherit=True)  # noqa: PTH100
    except SyntaxError as error:
        where = f", line {error.lineno}" if error.lineno else ""
        raise LaunchError(f"{path!r} is not Python{where}: {error.msg}") from error
    except ValueError as error:
        raise LaunchError(f"{path!r} is not Python: {error}") from error
    return Script(path, tuple(args), code)


def unfinished(host: Host, script: Script, thread: str | None = None) -> RunView | None:
    """Return the newest run of this very command, if it is not over."""
    wanted = fingerprint(script.command)[0]
    for view in reversed(all_runs(host.journal)):
        if view.request == wanted and (thread is None or view.thread == thread):
            return view if view.status in {*UNFINISHED, "running"} else None
    return None


def launch(
    host: Host,
    script: Script,
    *,
    new: bool = False,
    run: str | None = None,
    thread: str | None = None,
    answers: Mapping[str, Any] | None = None,
) -> Outcome:
    """Run a script durably: continue its unfinished run, or start a new one.

    Args:
        host: Where the run is kept.
        script: What to run.
        new: Start a new run even if there is an unfinished one.
        run: Take up this run, finished or not; a unique beginning of its id is enough.
        thread: The thread of a new run, or whose unfinished run to continue.
        answers: Answers to the run's open questions.

    Raises:
        ThreadBusy: Another process is driving the run.
        UnknownRun: There is no such run.
        LaunchError: The run was another script's.
    """
    view = _chosen(host, script, new=new, run=run, thread=thread)
    meta = {"command": script.command, "cwd": str(Path.cwd()), "pid": os.getpid()}
    if view is None:
        taken = host.begin(script.entry, script.command, thread=thread, meta=meta)
    else:
        taken = host.resume(view, answers=answers, meta=meta)
    try:
        return drive(taken, lambda: execute(script))
    finally:
        host.release(taken)


def _chosen(
    host: Host, script: Script, *, new: bool, run: str | None, thread: str | None
) -> RunView | None:
    if run is None:
        return None if new else unfinished(host, script, thread)
    view = find_run(host.journal, run)
    command = view.meta.get("command") or {}
    if view.entry != script.entry:
        started = command.get("script", view.entry)
        raise LaunchError(f"run {view.run} was started from {started}, not from {script.path}")
    if command.get("args") != list(script.args):
        shown = " ".join(command.get("args") or ()) or "no arguments"
        raise LaunchError(
            f"run {view.run} was started with {shown}; give the same arguments to continue it"
        )
    return view


def execute(script: Script) -> None:
    """Execute the script as ``__main__`` in this process, then wait for the threads it started."""
    main = ModuleType("__main__")
    file = script.code.co_filename
    main.__dict__.update(
        __file__=file,
        __builtins__=builtins,
        __cached__=None,
        __loader__=SourceFileLoader("__main__", file),
        __annotations__={},
    )
    saved = sys.argv[:], sys.path[:], sys.modules["__main__"]
    sys.argv[:] = [script.path, *script.args]
    _set_first_path(str(Path(script.path).resolve().parent))
    sys.modules["__main__"] = main
    try:
        exec(script.code, main.__dict__)  # noqa: S102 - running the user's script is the purpose
        _join_threads()
    finally:
        sys.argv[:], sys.path[:], sys.modules["__main__"] = saved


def _set_first_path(folder: str) -> None:
    """Put the script's folder where Python would have put it."""
    if sys.flags.safe_path:
        sys.path.insert(0, folder)
    else:
        sys.path[0] = folder


def _join_threads() -> None:
    """Wait for the program's own threads: what they do belongs to the run."""
    workers = getattr(pool_module, "_threads_queues", {})
    for thread in threading.enumerate():
        if thread.daemon or thread is threading.current_thread() or thread in workers:
            continue
        if thread is not threading.main_thread():
            thread.join()
