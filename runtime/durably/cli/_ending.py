"""How ``durably run`` ends: the last lines, and the exit code."""

from __future__ import annotations

import os

from ..engine import Outcome
from ..errors import DurablyError, StepFailed
from ..hosting import Host
from ..types import Interrupt
from ._failures import message_of, show_uncaught
from ._live import Live, flush_output
from ._questions import commands_for, text_of
from ._screen import Screen
from ._wording import counted, duration, one_line, short_ids

WAITING = getattr(os, "EX_TEMPFAIL", 75)
"""Exit code of a run that waits for a person (sysexits.h)."""

_INTERRUPTED = 130


class Ending:
    """Tells how a run ended.

    Args:
        screen: Where to.
        live: What was written about its steps.
        again: The command line that continues it.
        store: The journal's URL.
    """

    def __init__(self, screen: Screen, live: Live, again: str, store: str) -> None:
        self._screen = screen
        self._live = live
        self._again = again
        self._store = store

    def of(self, outcome: Outcome, host: Host) -> int:
        """Write the last lines and return the exit code."""
        flush_output()
        if outcome.status == "waiting":
            self._wait(outcome.interrupts)
            return int(WAITING)
        if outcome.status == "done":
            self._done()
            return 0
        assert outcome.error is not None
        return self._failed(outcome.error, _ours(host))

    def _done(self) -> None:
        if self._live.run:
            took = duration(self._live.elapsed)
            self._last("ended", "green", f"done in {took}   {self._live.totals}")

    def _wait(self, questions: tuple[Interrupt, ...]) -> None:
        self._last("waiting", "yellow", f"waiting for {counted(len(questions), 'answer')}")
        short = short_ids([one.id for one in questions])
        for one in questions:
            self._screen.line(f"  {text_of(one.value, self._screen.width - 2)}")
            for command in commands_for(one.value, short[one.id], self._store):
                self._screen.line(f"    {command}")
        self._screen.line(f"  then continue with: {self._again}")

    def _failed(self, error: BaseException, ours: set[str]) -> int:
        code, said = 1, f"failed: {type(error).__name__}: {error}"
        if isinstance(error, KeyboardInterrupt):
            code, said = _INTERRUPTED, "interrupted"
        elif isinstance(error, SystemExit):
            code, said = self._exited(error)
        elif isinstance(error, DurablyError) and not isinstance(error, StepFailed):
            self._screen.line(f"durably: {message_of(error)}")
            said = f"stopped by {type(error).__name__}"
        else:
            show_uncaught(error, ours)
        mark = "stopped" if code == _INTERRUPTED else "failed"
        self._last(mark, "red", one_line(said, self._screen.width))
        self._screen.line(f"  continue with: {self._again}")
        return code

    def _exited(self, error: SystemExit) -> tuple[int, str]:
        """Do with ``sys.exit(…)`` what Python does."""
        if isinstance(error.code, int):
            return error.code, f"exited with status {error.code}"
        self._screen.line(str(error.code))
        return 1, "exited with status 1"

    def _last(self, mark: str, color: str, text: str) -> None:
        sign = self._screen.paint(getattr(self._screen.marks, mark), color)
        self._screen.line(f"{sign} {self._screen.paint(self._live.run, bold=True)} {text}")


def _ours(host: Host) -> set[str]:
    """Return the packages whose frames are no part of the program."""
    return {"durably", *(type(one).__module__.partition(".")[0] for one in host.adapters)}
