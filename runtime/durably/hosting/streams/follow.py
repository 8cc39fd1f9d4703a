"""Following a thread's run from anywhere: what its journal tells, as it is committed.

The run may be driven by another process, on another machine, or by nobody for a while: a run that
was killed goes on in the same stream when it is continued.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import AsyncGenerator, Callable, Iterator, Mapping, Sequence
from contextlib import aclosing
from typing import Any, Generic, Protocol, TypeVar

from ...engine import Outcome, in_daemon_thread, inner_lane, interrupt_of, segments
from ...journal import Journal, wait_for_rows
from ...journal.records import (
    FAILED,
    SUPERSEDED,
    Asked,
    Entry,
    RunEnded,
    RunResumed,
    RunStarted,
    RunWaiting,
    StepEnded,
    StepStarted,
    Told,
    from_row,
)
from ...types import Interrupt
from .pipe import apipe

P = TypeVar("P")

_TOLD = frozenset({"updates", "tasks", "values", "custom", "messages"})

_LOOK_UP = 5.0
"""Seconds after which a follower that hears nothing asks whether it is still wanted."""


def follow(
    journal: Journal,
    thread: str,
    *,
    after: int = 0,
    timeout: float | None = None,
    is_wanted: Callable[[], bool] = lambda: True,
) -> Iterator[Entry]:
    """Yield the records of a thread's newest run, in order, until it ends or waits for somebody.

    Those that are there come at once, the others as they are committed. A thread that has no run
    yet is waited for; a newer run takes the place of one that was given up.

    Args:
        journal: Where the thread is.
        thread: Its id.
        after: A row number: only what comes after it.
        timeout: Seconds without anything new after which it is given up; None waits for ever.
        is_wanted: Asked now and then.

    Raises:
        TimeoutError: Nothing new came in time.
    """
    begun = next((one for one in journal.marks(thread) if isinstance(one.record, RunStarted)), None)
    run, row = (begun.run, max(after, begun.seq - 1)) if begun is not None else ("", after)
    heard = time.monotonic()
    while is_wanted():
        entries = [from_row(thread, one) for one in journal.storage.read(thread, row)]
        for place, entry in enumerate(entries):
            if isinstance(entry.record, RunStarted):
                run = entry.run
            if entry.run == run:
                yield entry
                if _is_over(entry, entries[place + 1 :]):
                    return
        if entries:
            row, heard = entries[-1].seq, time.monotonic()
        left = _LOOK_UP if timeout is None else heard + timeout - time.monotonic()
        if not wait_for_rows(journal.storage, thread, row, min(max(left, 0.0), _LOOK_UP)):
            _check_in_time(thread, heard, timeout)


def _is_over(entry: Entry, later: Sequence[Entry]) -> bool:
    """Say whether a run has come to an end from which nobody has taken it up again yet."""
    if not isinstance(entry.record, RunEnded | RunWaiting):
        return False
    if isinstance(entry.record, RunEnded) and entry.record.status == SUPERSEDED:
        return False  # the run that took its place follows
    return not any(
        one.run == entry.run and isinstance(one.record, RunResumed | RunEnded | RunWaiting)
        for one in later
    )


def _check_in_time(thread: str, heard: float, timeout: float | None) -> None:
    if timeout is not None and time.monotonic() - heard >= timeout:
        raise TimeoutError(f"thread {thread!r}: nothing new for {timeout:g} seconds")


def joinable(modes: frozenset[str]) -> frozenset[str]:
    """Return *modes* if a journal tells of them all.

    Raises:
        ValueError: It does not tell of one.
    """
    untold = sorted(modes - _TOLD)
    if untold:
        raise ValueError(
            f"parts of stream mode {untold[0]!r} are told only where the run is driven; a journal "
            f"tells {', '.join(sorted(_TOLD))}"
        )
    return modes


class Hearer(Protocol):
    """Who is told what a journal tells; the words are those of a run's own stream."""

    def began(self, run: str, given: Any) -> None:
        """Hear that the run begins."""

    def take(self, mode: str, lanes: tuple[str, ...], data: Any) -> None:
        """Hear of a step."""

    def waits(self, interrupts: tuple[Interrupt, ...]) -> None:
        """Hear that the run waits."""

    def done(self, value: Any) -> None:
        """Hear what the run returned."""

    def failed(self, error: BaseException) -> None:
        """Hear what ended the run."""


class Retelling:
    """Tells the records of one thread as they would have been told where the run was driven.

    Values are those that the journal keeps: what an adapter makes of them is the program's.

    Args:
        journal: Decodes values.
        thread: The thread's id.
        hearer: Who is told.

    Attributes:
        failure: What ended the run, unless it was taken up again.
    """

    def __init__(self, journal: Journal, thread: str, hearer: Hearer) -> None:
        self._journal = journal
        self._thread = thread
        self._hearer = hearer
        self._begun: set[tuple[Any, ...]] = set()
        self._asked: dict[str, Asked] = {}
        self.failure: BaseException | None = None

    def tell(self, entry: Entry) -> None:
        """Tell one record."""
        record = entry.record
        if isinstance(record, StepEnded):
            self._step(record)
        elif isinstance(record, StepStarted):
            self._begins(record, record.label)
        elif isinstance(record, Told):
            for part in record.parts:
                mode, lanes, data = self._value(part)
                self._hearer.take(mode, tuple(lanes), data)
        elif isinstance(record, RunStarted):
            self._hearer.began(entry.run, self._value(record.value))
        elif isinstance(record, RunResumed):
            self.failure = None
        elif isinstance(record, Asked):
            self._asked[record.id] = record
        elif isinstance(record, RunWaiting):
            self._hearer.waits(self._questions(record.open))
        elif isinstance(record, RunEnded):
            self._ends(record)

    def _step(self, step: StepEnded) -> None:
        exact = _exact(step)
        if exact not in self._begun:
            self._begins(step, step.label or self._request(step))
        self._begun.discard(exact)
        value = self._value(step.value)
        if step.outcome == FAILED:
            self._task(step, result=None, error=f"{type(value).__name__}: {value}")
            return
        update = {step.name: value}
        if step.cached:
            update["__metadata__"] = {"cached": True}
        self._hearer.take("updates", segments(step.lane), update)
        self._task(step, result=value, error=None)

    def _begins(self, step: StepEnded | StepStarted, given: Any) -> None:
        self._begun.add(_exact(step))
        self._task(step, input=given)

    def _task(self, step: StepEnded | StepStarted, **data: Any) -> None:
        part = {"id": inner_lane(step), "name": step.name, "kind": step.kind, **data}
        self._hearer.take("tasks", segments(step.lane), part)

    def _request(self, step: StepEnded) -> Any:
        return self._value(step.request)

    def _ends(self, ended: RunEnded) -> None:
        if ended.status == "done":
            self._hearer.done(self._value(ended.value))
        elif ended.status == "failed":
            error = self._value(ended.value)
            if not isinstance(error, BaseException):
                error = RuntimeError(ended.message)
            self._hearer.failed(error)
            self.failure = error

    def _questions(self, wanted: Sequence[str]) -> tuple[Interrupt, ...]:
        found = [self._asked[one] for one in wanted if one in self._asked]
        return tuple(interrupt_of(one, self._stored(one)) for one in found)

    def _stored(self, asked: Asked) -> Mapping[str, Any]:
        stored: Mapping[str, Any] = self._value(asked.question)
        return stored

    def _value(self, body: bytes) -> Any:
        return self._journal.value(self._thread, body) if body else None


def _exact(step: StepEnded | StepStarted) -> tuple[Any, ...]:
    return (step.lane, step.kind, step.name, step.print, step.nth)


class Following(Generic[P]):
    """A stream of what a thread's journal tells, in the words of one kind of consumer.

    Args:
        journal: Where the thread is.
        thread: Its id.
        hearer: Makes what hears of the run, from what takes the parts.
        timeout: See :func:`follow`.
    """

    def __init__(
        self,
        journal: Journal,
        thread: str,
        hearer: Callable[[Callable[[P], None]], Hearer],
        timeout: float | None,
    ) -> None:
        self._journal = journal
        self._thread = thread
        self._hearer = hearer
        self._timeout = timeout
        self._left = threading.Event()

    def parts(self) -> Iterator[P]:
        """Yield the parts as they come.

        Raises:
            TimeoutError: Nothing new came in time.
            Exception: What ended the run, after its last part.
        """
        parts: deque[P] = deque()
        retelling = Retelling(self._journal, self._thread, self._hearer(parts.append))
        for entry in follow(
            self._journal,
            self._thread,
            timeout=self._timeout,
            is_wanted=lambda: not self._left.is_set(),
        ):
            retelling.tell(entry)
            while parts:
                yield parts.popleft()
        if retelling.failure is not None:
            raise retelling.failure

    async def aparts(self) -> AsyncGenerator[P]:
        """Like :meth:`parts`, without holding up the event loop."""

        async def execute(emit: Callable[[P], None]) -> Outcome:
            def work() -> None:
                for part in self.parts():
                    emit(part)

            try:
                await in_daemon_thread("durably-follower", work)
            finally:
                self._left.set()
            return Outcome("done")

        async with aclosing(apipe(execute)) as parts:
            async for part in parts:
                yield part
