"""``durably exec``: a command that starts the program itself, such as ``crewai run``.

Every Python process below the command meets :mod:`..exec_site.sitecustomize` on its path and hands
its program over to :mod:`..exec_child`. The first of them that takes a step of an agent is *the*
program: its run is the command's. Whatever else the command starts runs as ever.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from ...errors import LaunchError
from ..journal_location import absolute
from ..output.run_summary import WAITING
from ..output.screen import Screen
from ..start_options import Start, check_options, start_options

SITE = Path(__file__).parents[1] / "exec_site"

SETTINGS = "DURABLY_EXEC"
"""Environment variable: what the processes below a command have to know, as JSON."""

PROGRAM, OUTCOME, WITHOUT = "program", "outcome", "without"
"""Files by which these processes tell of themselves."""

_SIGNALLED = 128


@click.command("exec", context_settings={"allow_interspersed_args": False})
@start_options
@click.argument("command", nargs=-1, required=True, type=click.UNPROCESSED)
def exec_(command: tuple[str, ...], **options: Any) -> int:
    """Run COMMAND, and make the agent program that it starts durable.

    For commands that start the program in a process of its own: durably exec -- crewai run. The
    same command in the same directory continues an unfinished run. Exit code: the command's, or 75
    if the program waits for a person.
    """
    start = Start(**options)
    check_options(start)
    with tempfile.TemporaryDirectory(prefix="durably-exec-") as place:
        settings = {
            "start": asdict(start),
            "store": absolute(start.store),
            "command": list(command),
            "cwd": str(Path.cwd()),
            "place": place,
        }
        code = _run(command, _environment(settings))
        return _exit_code(code, Path(place))


def _environment(settings: Mapping[str, Any]) -> dict[str, str]:
    before = os.environ.get("PYTHONPATH")
    path = os.pathsep.join([str(SITE), before] if before else [str(SITE)])
    return {**os.environ, "PYTHONPATH": path, SETTINGS: json.dumps(settings)}


def _run(command: tuple[str, ...], env: Mapping[str, str]) -> int:
    try:
        process = subprocess.Popen(command, env=env)  # noqa: S603 - what it is for
    except OSError as error:
        raise LaunchError(f"{command[0]!r} cannot be started: {error.strerror}") from error
    with _leaving_signals_to(process):
        code = process.wait()
    return code if code >= 0 else _SIGNALLED - code


@contextmanager
def _leaving_signals_to(process: subprocess.Popen[bytes]) -> Generator[None]:
    """Have the command end by a signal first: it gets Ctrl-C from the terminal by itself."""

    def pass_on(number: int, frame: object) -> None:
        del frame
        process.send_signal(number)

    before = {
        signal.SIGINT: signal.signal(signal.SIGINT, lambda *_: None),
        signal.SIGTERM: signal.signal(signal.SIGTERM, pass_on),
    }
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _exit_code(code: int, place: Path) -> int:
    if not (place / PROGRAM).exists():
        _say_that_nothing_was_durable(place)
        return code
    outcome = place / OUTCOME
    status = outcome.read_text(encoding="utf-8") if outcome.exists() else ""
    # A command such as `crewai run` reports success whatever became of the program.
    return int(WAITING) if status == "waiting" else code


def _say_that_nothing_was_durable(place: Path) -> None:
    screen = Screen(sys.stderr)
    mark = screen.paint(screen.marks.warning, "yellow")
    screen.line(f"{mark} nothing was recorded: no Python program below this command took a step")
    without = sorted({file.read_text(encoding="utf-8") for file in place.glob(f"{WITHOUT}-*")})
    for python in without:
        screen.line(f"  durably is not installed for {python}: add it to that environment")
