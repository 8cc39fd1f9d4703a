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
from ...journal.records import Answered, Asked
from ...people import Question, question_of
from ...types import RunView
from ..host import DEFAULT_URL, Host
from ..run_views import fold
from .answer_records import asking_of, record_answers

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
        views, asked, first_at = self._landmarks()
        found = [
            self._question(view, asked[identity], first_at[identity])
            for view in views.values()
            for identity in view.open
            if identity in asked
        ]
        return sorted(found, key=lambda one: one.asked_at)

    def find(self, wanted: str) -> Question:
        """Return the question whose id is, or uniquely begins with, *wanted*; open or not.

        Raises:
            AnswerRefused: There is none, or there are several.
        """
        return self._found(wanted)[1]

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
            AnswerRefused: It is unclear, wrong, late, or not the first; nothing was recorded.
            ThreadBusy: A process is driving the run.
        """
        view, question = self._found(wanted)
        log = self._taken(view.thread)
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
            Whether it is answered.

        Raises:
            AnswerRefused: There is no such question, or there are several.
        """
        view, question = self._found(wanted)
        journal, thread = self.host.journal, view.thread
        after, until = question.version, time.monotonic() + timeout
        while wait_for_rows(journal.storage, thread, after, max(0.0, until - time.monotonic())):
            entries = journal.read(thread, after)
            records = [one.record for one in entries]
            if any(isinstance(one, Answered) and one.id == question.id for one in records):
                return True
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

    def _found(self, wanted: str) -> tuple[RunView, Question]:
        views, asked, first_at = self._landmarks()
        chosen = _chosen(wanted, views.values(), asked)
        run, _, _ = asked[chosen]
        return views[run], self._question(views[run], asked[chosen], first_at[chosen])

    def _landmarks(
        self,
    ) -> tuple[dict[str, RunView], dict[str, tuple[str, int, Asked]], dict[str, float]]:
        """Return all runs, and all questions by id: run, version, record, first time."""
        marks = [*self.host.journal.landmarks()]
        asked: dict[str, tuple[str, int, Asked]] = {}
        first_at: dict[str, float] = {}
        for _, (seq, run, record) in marks:
            if isinstance(record, Asked):
                asked[record.id] = (run, seq, record)
                first_at.setdefault(record.id, record.at)
        return fold(marks), asked, first_at

    def _question(self, view: RunView, asked: tuple[str, int, Asked], asked_at: float) -> Question:
        _, version, record = asked
        stored = self.host.journal.value(view.thread, record.question)
        return question_of(
            interrupt_of(record, stored),
            version=version,
            run=view.run,
            thread=view.thread,
            entry=view.entry,
            asked_at=asked_at,
        )


def _chosen(
    wanted: str, views: Iterable[RunView], asked: Mapping[str, tuple[str, int, Asked]]
) -> str:
    """Return the one id that *wanted* begins; among the open ones, if one of these fits."""
    begun = [one for one in asked if wanted and one.startswith(wanted)]
    waiting = {identity for view in views for identity in view.open}
    found = [one for one in begun if one in waiting] or begun
    if len(found) == 1:
        return found[0]
    if found:
        several = ", ".join(found)
        raise AnswerRefused(f"{wanted!r} may be any of {several}; give more of the id.", "unknown")
    raise AnswerRefused(
        f"no question has an id that begins with {wanted!r}; `durably approvals` lists those that "
        "wait.",
        "unknown",
    )
