"""How ``durably run`` ends: the last lines, and the exit code."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence

from ...engine import Outcome
from ...errors import DurablyError, RunParked, StepFailed
from ...hosting import Host
from ...listeners import Listener
from ...people import question_of
from ...types import Interrupt, RunInfo
from .continuation import again
from .errors import message_of, show_uncaught
from .live import Totals, flush_output
from .questions import commands_for, words_of
from .screen import Screen
from .text import counted, duration, moment, one_line, short_ids

WAITING = getattr(os, "EX_TEMPFAIL", 75)
"""Exit code of a run that waits for a person or a time (sysexits.h)."""

_INTERRUPTED = 130


class Ending(Listener):
    """Tells how a run ended.

    Args:
        screen: Where to.
        totals: What was done, kept by somebody else; None if the end of a run that is done needs
            no words.
        words: The command line, after ``durably``.
        store: The journal's URL.
    """

    def __init__(
        self, screen: Screen, totals: Totals | None, words: Sequence[str], store: str
    ) -> None:
        self._screen = screen
        self._totals = totals
        self._words = words
        self._again = ""
        self._store = store
        self._run = ""
        self._began = time.monotonic()
        self._process = os.getpid()

    def run_started(self, run: RunInfo) -> None:
        """Note which run it is."""
        self._run = run.run

    def of(self, outcome: Outcome, host: Host) -> int:
        """Write the last lines and return the exit code.

        A child that the program has forked ends as it would without durably: the run is its
        parent's.
        """
        if self._process != os.getpid():
            return self._ended_in_child(outcome.error, _ours(host))
        flush_output()
        if outcome.status != "done":
            self._again = again(host, self._run, self._words)
        if outcome.status == "waiting":
            if outcome.interrupts:
                self._wait(outcome.interrupts)
            if isinstance(outcome.error, RunParked):
                self._parked(outcome.error)
            return int(WAITING)
        if outcome.status == "done":
            self._done()
            return 0
        assert outcome.error is not None
        return self._failed(outcome.error, _ours(host))

    def _ended_in_child(self, error: BaseException | None, ours: set[str]) -> int:
        if error is None:
            return 0
        if isinstance(error, SystemExit):
            raise error
        show_uncaught(error, ours)
        return _INTERRUPTED if isinstance(error, KeyboardInterrupt) else 1

    def _done(self) -> None:
        if self._totals is not None:
            took = duration(time.monotonic() - self._began)
            self._last("ended", "green", f"done in {took}   {self._totals}")

    def _wait(self, questions: tuple[Interrupt, ...]) -> None:
        tell_questions(self._screen, self._run, questions, self._store)
        self._screen.line(f"  then continue with: {self._again}")

    def _parked(self, error: RunParked) -> None:
        self._last("waiting", "yellow", f"parked until {moment(error.wake)}")
        self._screen.line(f"  {one_line(error.why, self._screen.width - 2)}")
        self._screen.line("  then continue it with: durably resume --due")
        self._screen.line(f"  or before that with: {self._again}")

    def _failed(self, error: BaseException, ours: set[str]) -> int:
        mark, code, said = "failed", 1, f"failed: {type(error).__name__}: {error}"
        if isinstance(error, KeyboardInterrupt):
            mark, code, said = "stopped", _INTERRUPTED, "interrupted"
        elif isinstance(error, SystemExit):
            code = self._exited(error)
            said = f"exited with status {code}"
        elif isinstance(error, DurablyError) and not isinstance(error, StepFailed):
            self._screen.line(f"durably: {message_of(error)}")
            said = f"stopped by {type(error).__name__}"
        else:
            show_uncaught(error, ours)
        self._last(mark, "red", one_line(said, self._screen.width))
        self._screen.line(f"  continue with: {self._again}")
        return code

    def _exited(self, error: SystemExit) -> int:
        """Do with ``sys.exit(…)`` what Python does."""
        if isinstance(error.code, int):
            return error.code
        self._screen.line(str(error.code))
        return 1

    def _last(self, mark: str, color: str, text: str) -> None:
        last_line(self._screen, self._run, mark, color, text)


def last_line(screen: Screen, run: str, mark: str, color: str, text: str) -> None:
    """Write how a run ended: a sign, its id and some words."""
    sign = screen.paint(getattr(screen.marks, mark), color)
    screen.line(f"{sign} {screen.paint(run, bold=True)} {text}")


def tell_questions(screen: Screen, run: str, questions: Sequence[Interrupt], store: str) -> None:
    """Write what a run waits for, and the commands that answer it."""
    last_line(screen, run, "waiting", "yellow", f"waiting for {counted(len(questions), 'answer')}")
    short = short_ids([one.id for one in questions])
    for one in questions:
        question = question_of(one)
        screen.line(f"  {words_of(question, screen.width - 2)}")
        for command in commands_for(question, short[one.id], store):
            screen.line(f"    {command}")


def _ours(host: Host) -> set[str]:
    """Return the packages whose frames are no part of the program."""
    return {"durably", *(type(one).__module__.partition(".")[0] for one in host.adapters)}
