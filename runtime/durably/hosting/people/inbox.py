"""The inbox: every question that runs of one journal wait for, and the answers to them.

What the commands, a web page or a webhook use. Nothing of a program runs here: an answer is
recorded, and whoever continues the run goes on with it.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Self

from ...engine import Clock, interrupt_of
from ...errors import AnswerRefused, ThreadBusy
from ...journal import Storage, ThreadLog, wait_for_rows
from ...journal.records import SUPERSEDED, Answered, Entry, RunEnded
from ...people import Question, question_of
from ...types import RunView
from ..host import DEFAULT_URL, Host
from ..run_views import fold
from .answer_records import Asking, Posed, asking_of, check_superseded, record_answers

_ATTEMPTS = 60
_PAUSE = 0.05
_BUSY = "It will ask again when it gets there; answer when it waits."


@dataclass(frozen=True, slots=True)
class Receipt:
    """What became of an answer.

    Attributes:
        question: What was answered.
        answer: The answer as it is recorded.
        by: Who gave it first.
        at: When, in seconds since the epoch.
        is_new: Whether it was recorded now; False if the very same answer was there already.
        left: How many other questions the run waits for.
    """

    question: Question
    answer: Any
    by: str
    at: float
    is_new: bool
    left: int


class Inbox:
    """The open questions of a journal.

    Args:
        checkpointer: The journal: a URL, a storage, or a host to share.
        plugins: Objects with hook implementations.
        clock: Time.

    Example:
        >>> inbox = Inbox("memory:")
        >>> inbox.pending()
        []
        >>> inbox.close()
    """

    def __init__(
        self,
        checkpointer: str | Storage | Host = DEFAULT_URL,
        *,
        plugins: Iterable[object] = (),
        clock: Clock | None = None,
    ) -> None:
        self._owns = not isinstance(checkpointer, Host)
        self.host = (
            checkpointer
            if isinstance(checkpointer, Host)
            else Host(checkpointer, plugins=plugins, clock=clock)
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the journal, unless the host is somebody else's."""
        if self._owns:
            self.host.close()

    def pending(self) -> list[Question]:
        """Return the open questions of all runs, those asked first in front."""
        views, askings = self._landmarks()
        found = [
            self._question(view, askings[view.run].posed[identity])
            for view in views.values()
            for identity in view.open
            if identity in askings[view.run].posed
        ]
        return sorted(found, key=lambda one: one.asked_at)

    def superseded(self) -> list[tuple[Question, RunView]]:
        """Return the questions given up without an answer, each with its run, newest last.

        Their threads got a new input or were forked; :attr:`RunView.successor` is the run that took
        the place of theirs.
        """
        views, askings = self._landmarks()
        given_up = [view for view in views.values() if view.status == "superseded"]
        return [
            (self._question(view, posed), view)
            for view in sorted(given_up, key=lambda one: one.ended or 0.0)
            for posed in askings[view.run].posed.values()
            if posed.answered is None
        ]

    def find(self, wanted: str) -> Question:
        """Return the question whose id is, or uniquely begins with, *wanted*; open or not.

        Raises:
            AnswerRefused: There is none, or there are several.
        """
        return self._found(wanted)[2]

    def answer(
        self, wanted: str, answer: Any, *, by: str = "", version: int | None = None
    ) -> Receipt:
        """Record an answer; the run goes on with it when it is continued.

        Sending the same answer twice does no harm. Of two people who answer at once one is first,
        and the other is told who it was.

        Args:
            wanted: The question's id, or its unique beginning.
            answer: A decision in any client's words (:func:`durably.people.decision_of`) where the
                question names decisions, else a value.
            by: Who answers, for the record.
            version: The :attr:`Question.version` that they had seen, so that an answer to words
                that have changed since is refused.

        Raises:
            AnswerRefused: It is unclear, wrong, late, or not the first, or its run was superseded;
                nothing was recorded.
            ThreadBusy: A process is driving the run.
        """
        view, asking, question = self._found(wanted)
        check_superseded(asking, question.id)
        try:
            log = self._taken(view.thread)
        except ThreadBusy:
            check_superseded(self._found(question.id)[1], question.id)
            raise
        try:
            records = record_answers(
                log,
                self.host.codec,
                view.run,
                {question.id: answer},
                by=by,
                now=self.host.clock.now(),
                versions={question.id: version} if version is not None else None,
                strict=True,
            )
            return self._receipt(log, view, question, is_new=bool(records))
        finally:
            log.release()

    def wait(self, wanted: str, timeout: float) -> bool:
        """Wait until a question is answered, here or anywhere else.

        The journal tells of it within milliseconds, in PostgreSQL too. Call it in a thread where an
        event loop runs.

        Args:
            wanted: The question's id, or its unique beginning.
            timeout: Seconds to wait at most.

        Returns:
            Whether it is answered; False at once when its run is superseded.

        Raises:
            AnswerRefused: There is no such question, or there are several.
        """
        view, _, question = self._found(wanted)
        journal, thread = self.host.journal, view.thread
        after, until = question.version, time.monotonic() + timeout
        while wait_for_rows(journal.storage, thread, after, max(0.0, until - time.monotonic())):
            entries = journal.read(thread, after)
            for entry in entries:
                if isinstance(entry.record, Answered) and entry.record.id == question.id:
                    return True
                if _gives_up(entry, view.run):
                    return False
            after = entries[-1].seq
        return False

    def _receipt(
        self, log: ThreadLog, view: RunView, question: Question, *, is_new: bool
    ) -> Receipt:
        asking = asking_of(log, view.run)
        answered = asking.posed[question.id].answered
        assert answered is not None
        value = log.value(answered.value)
        left = len(asking.open)
        return Receipt(question, value, answered.by, answered.at, is_new, left)

    def _taken(self, thread: str) -> ThreadLog:
        """Take a thread; another answer holds it for a moment only, a run for as long as it goes.

        Raises:
            ThreadBusy: A run holds it.
        """
        for attempt in itertools.count(1):
            try:
                return self.host.journal.take(thread)
            except ThreadBusy as error:
                if attempt == _ATTEMPTS:
                    raise ThreadBusy(error.thread, error.owner, _BUSY) from None
            self.host.clock.sleep(_PAUSE)
        raise AssertionError("counting came to an end")

    def _found(self, wanted: str) -> tuple[RunView, Asking, Question]:
        views, askings = self._landmarks()
        run, identity = _chosen(wanted, views, askings)
        posed = askings[run].posed[identity]
        return views[run], askings[run], self._question(views[run], posed)

    def _landmarks(self) -> tuple[dict[str, RunView], dict[str, Asking]]:
        """Return all runs, and what each of them asked, by the run's id."""
        marks = [*self.host.journal.landmarks()]
        askings: dict[str, Asking] = {}
        for _, (seq, run, record) in marks:
            if run not in askings:
                askings[run] = Asking(run)
            askings[run].take(seq, record)
        return fold(marks), askings

    def _question(self, view: RunView, posed: Posed) -> Question:
        stored = self.host.journal.value(view.thread, posed.asked.question)
        return question_of(
            interrupt_of(posed.asked, stored),
            version=posed.version,
            run=view.run,
            thread=view.thread,
            entry=view.entry,
            asked_at=posed.first_at,
        )


def _gives_up(entry: Entry, run: str) -> bool:
    ended = entry.record
    return entry.run == run and isinstance(ended, RunEnded) and ended.status == SUPERSEDED


def _chosen(
    wanted: str, views: Mapping[str, RunView], askings: Mapping[str, Asking]
) -> tuple[str, str]:
    """Return the run and id of the one question whose id *wanted* begins; an open one, if one fits.

    Raises:
        AnswerRefused: There is none, or there are several.
    """
    begun = [
        (run, identity)
        for run, asking in askings.items()
        if run in views
        for identity in asking.posed
        if wanted and identity.startswith(wanted)
    ]
    found = [(run, one) for run, one in begun if one in views[run].open] or begun
    if len(found) == 1:
        return found[0]
    if len({identity for _, identity in found}) == 1:
        several = "; ".join(f"run {run} on thread {views[run].thread!r}" for run, _ in found)
        raise AnswerRefused(
            f"question {found[0][1]} was asked by several runs, since an earlier version of "
            f"durably copied a thread with its questions' ids: {several}. Answer it where its "
            "thread is named: invoke(Command(resume=…), config).",
            "unknown",
        )
    if found:
        several = ", ".join(identity for _, identity in found)
        raise AnswerRefused(f"{wanted!r} may be any of {several}; give more of the id.", "unknown")
    raise AnswerRefused(
        f"no question has an id that begins with {wanted!r}; `durably approvals` lists those that "
        "wait.",
        "unknown",
    )
