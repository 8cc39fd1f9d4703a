"""Kills the process at a chosen step, and runs a command until it has survived every kill."""

from __future__ import annotations

import os
import signal
import subprocess
import tempfile
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias

from ..hooks import Plugins
from ..journal import Lease, Row, Storage
from ..journal.records import STEP_FAILED, STEP_OK
from ..listeners import Listener
from ..markers import hookimpl
from ..types import StepInfo
from .forwarding_storage import PassingStorage

ENABLED = "DURABLY_TEST"
"""Environment variable: ``1`` lets ``durably run`` obey the two below."""

KILL_AFTER = "DURABLY_TEST_KILL_AFTER"
"""Environment variable: die when the record of the n-th step executed here is on disk."""

KILL_BEFORE = "DURABLY_TEST_KILL_BEFORE"
"""Environment variable: die before the record of the n-th step executed here reaches the disk."""

Moment: TypeAlias = Literal["after", "before"]

_KILLED = -getattr(signal, "SIGKILL", signal.SIGTERM)
_OUTCOMES = (STEP_OK, STEP_FAILED)


def _die() -> None:
    os.kill(os.getpid(), -_KILLED)
    threading.Event().wait()  # the signal may take a moment; nothing more may happen until then


class KillAfter(Listener):
    """Kills its own process (SIGKILL) right after the record of the n-th executed step.

    Args:
        n: Which step, from 1; steps that are replayed do not count, steps that fail do.

    Example:
        >>> Host("sqlite:///runs.db", listeners=[KillAfter(3)])  # doctest: +SKIP
    """

    def __init__(self, n: int) -> None:
        self._left = n
        self._lock = threading.Lock()

    def step_finished(self, step: StepInfo, error: BaseException | None) -> None:
        """Count one more step, and die if it is the one."""
        del step, error
        with self._lock:
            self._left -= 1
            if self._left == 0:
                _die()


class KillingStorage(PassingStorage):
    """A storage that kills its own process (SIGKILL) before an append reaches the one inside.

    Args:
        inner: The real storage.
        at_append: Which append, from 1.
        only_steps: Count only appends that hold the outcome of a step.

    Example:
        >>> Host(KillingStorage(SqliteStorage("runs.db"), at_append=2))  # doctest: +SKIP
    """

    def __init__(self, inner: Storage, at_append: int, *, only_steps: bool = False) -> None:
        super().__init__(inner)
        self._left = at_append
        self._only_steps = only_steps
        self._lock = threading.Lock()

    def append(
        self, lease: Lease, rows: Sequence[Row], blobs: Mapping[bytes, bytes], *, barrier: bool
    ) -> None:
        """Append, or die first."""
        if not self._only_steps or any(row.kind in _OUTCOMES for row in rows):
            with self._lock:
                self._left -= 1
                if self._left == 0:
                    _die()
        self._inner.append(lease, rows, blobs, barrier=barrier)


class _Killer:
    """The plug-in behind :func:`kill_at`."""

    def __init__(self, n: int, when: Moment) -> None:
        self._n = n
        self._when = when

    @hookimpl
    def register_listeners(self) -> list[Listener]:
        return [KillAfter(self._n)] if self._when == "after" else []

    @hookimpl(tryfirst=True)
    def open_storage(self, url: str) -> Storage | None:
        if self._when == "after":
            return None
        return KillingStorage(Plugins().open_storage(url), self._n, only_steps=True)


def kill_at(n: int, *, when: Moment = "after") -> object:
    """Return a plug-in by which a host's process dies (SIGKILL) at the n-th executed step.

    Args:
        n: Which step executed by this process, from 1.
        when: ``"after"`` its record is on disk, or ``"before"``: when the step has happened and
            its record has not (the journal must be given to the host as a URL).

    Raises:
        ValueError: *n* is less than 1.

    Example:
        >>> Host("sqlite:///runs.db", plugins=[kill_at(2, when="before")])  # doctest: +SKIP
    """
    if n < 1:
        raise ValueError(f"steps are counted from 1, not {n}")
    return _Killer(n, when)


def kills_asked_for(environment: Mapping[str, str]) -> list[object]:
    """Return the plug-ins that an environment asks for; none unless :data:`ENABLED` is ``1``.

    Raises:
        ValueError: A variable holds something else than a whole number from 1.
    """
    if environment.get(ENABLED) != "1":
        return []
    found: list[object] = []
    moments: tuple[tuple[str, Moment], ...] = ((KILL_AFTER, "after"), (KILL_BEFORE, "before"))
    for name, when in moments:
        if environment.get(name):
            found.append(kill_at(int(environment[name]), when=when))
    return found


@dataclass(frozen=True, slots=True)
class Report:
    """What became of a command that was killed and run again until it ended by itself.

    Attributes:
        kills: How often it was killed.
        returncode: The last process's exit status.
        stdout: What the last process printed.
        stderr: What the last process printed as errors.
    """

    kills: int
    returncode: int
    stdout: str
    stderr: str


def crash_matrix(
    command: Sequence[str],
    *,
    env: Mapping[str, str] | None = None,
    cwd: str | Path | None = None,
    max_kills: int = 50,
    when: Literal["after", "both"] = "after",
    timeout: float = 60.0,
) -> Report:
    """Run a command again and again, killing it after each step, until it ends by itself.

    The command must be a ``durably run …`` or put :func:`kill_at` into its host by itself.

    Args:
        command: Program and arguments.
        env: The environment; this process's by default.
        cwd: Where it runs.
        max_kills: How many kills are enough.
        when: ``"after"``: one kill for each step, after its record. ``"both"``: one more before
            the record, so that every effect happens once more than it is recorded.
        timeout: Seconds that each process may take.

    Raises:
        AssertionError: It was killed *max_kills* times and had not ended.
        subprocess.TimeoutExpired: A process took too long; it was killed with its children.

    Example:
        >>> report = crash_matrix(["durably", "run", "crew.py"], cwd=tmp)  # doctest: +SKIP
        >>> assert (report.kills, report.returncode) == (7, 0)  # doctest: +SKIP
    """
    stderr = ""
    base = dict(os.environ if env is None else env)
    for kills in range(max_kills + 1):
        before = when == "both" and kills % 2 == 0
        asked = {ENABLED: "1", KILL_BEFORE if before else KILL_AFTER: "1"}
        returncode, stdout, stderr = _run(command, {**base, **asked}, cwd, timeout)
        if returncode != _KILLED:
            return Report(kills, returncode, stdout, stderr)
    raise AssertionError(
        f"{command[0]} was killed {max_kills + 1} times and has not ended; "
        f"the last process said: {stderr[-2000:]}"
    )


def _run(
    command: Sequence[str], env: Mapping[str, str], cwd: str | Path | None, timeout: float
) -> tuple[int, str, str]:
    """Run one process to its end; files, because a pipe would wait for its children as well."""
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        process = subprocess.Popen(  # noqa: S603 - running the command is the purpose
            list(command),
            env=dict(env),
            cwd=cwd,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=err,
            start_new_session=True,
        )
        try:
            process.wait(timeout)
        except BaseException:
            _kill_group(process)
            raise
        texts: list[str] = []
        for file in (out, err):
            file.seek(0)
            texts.append(file.read().decode(errors="replace"))
    return process.returncode, texts[0], texts[1]


def _kill_group(process: subprocess.Popen[bytes]) -> None:
    """Kill a process that is still running, and whatever it started."""
    if os.name == "posix":
        os.killpg(process.pid, signal.SIGKILL)
    else:
        process.kill()
    process.wait()
