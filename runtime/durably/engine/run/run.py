"""One execution on a thread: its past, what it waits for, and the way to its journal."""

from __future__ import annotations

import itertools
import sys
import threading
import uuid
from collections.abc import Awaitable, Callable, Hashable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple, NoReturn

from ...errors import DurablyError, Suspended
from ...journal import NO_BLOBS, Codec, Pace, Pending, Row, ThreadLog
from ...journal.records import Entry, LaneEntered, Ordered, Program, Record, StepEnded, Told
from ...listeners import Handler, Listeners, tell
from ...process_fork import tell_of_forks
from ...types import Interrupt, RunInfo
from ..options import Options, Stored
from ..replay.fingerprint import unpack
from ..replay.lane import Lane, Leaf, inside
from ..replay.moment import Moment
from ..replay.run_history import Past
from .held_lanes import Held, is_working
from .program_files import ProgramFiles


class FailedStep(NamedTuple):
    """A step that an exception came out of."""

    row: int
    lane: str
    inner: str
    is_replayed: bool


Sink = Callable[[str, tuple[str, ...], Any], None]
"""Takes ``(mode, namespace, data)`` of each stream part."""

_NOTHING: Mapping[bytes, bytes] = {}
_SPLIT = 1024
"""Bytes of a plain form above which it is stored in parts."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Run:
    """One run, driven by this process.

    Attributes:
        id: The run's id.
        log: Its thread's journal, or None if nothing is kept.
        pace: What recording a coroutine's outcome costs.
        past: Its records so far.
        program_files: The files of the program, and whether they were edited.
        root: The lane that everything else lies in.
        sink: Takes stream parts, if the run is streamed.
        parts: Those that are to be recorded with the next append.
        hold: Waits while the consumer of the stream has too much to take; asked before each step
            of a coroutine.
        pending: Questions asked in this process that have no answer, by id.
        failure: What must end the run whatever the program does, if anything.
        wake: When it is to go on, in seconds since the epoch, if it is parked.
        parked_for: The error that it was parked for.
        unwinding: Whether parked tasks are being cancelled.
        over: Whether this process is through with it; seams are inert from then on.
        cut: Whether it was over before its code had come to the end.
        is_cancelled: Whether whoever called it has cancelled it.
        held: Lanes whose code cannot go on by itself: it is parked, or waits for other code.
        targets: What finds the tasks to be cancelled first, as its scopes named it; a set.
        sweepers: The tasks that unwind regions of it from outside.
        leaving: What is known of tasks that are cancelled to unwind a region, by task.
        busy: What is under way: the steps that are being executed, questions at the terminal.
        activity: Another number after everything that happens, to tell quiet from busy.
        resources: What other rooms keep for as long as the run lives, by name or by whose it is.
        failures: Exceptions that steps raised, by identity, with the steps from the innermost on.
        made_before: How many tokens the process had made when this entry into the run began.
        is_left: Whether this process is a child that was forked while the parent drove the run.
        interleaved: What holds steps up for others that were recorded before them, by branch.
    """

    def __init__(
        self,
        info: RunInfo,
        log: ThreadLog | None,
        codec: Codec,
        options: Options,
        rows: Sequence[Row] = (),
        *,
        started: float,
        sink: Sink | None = None,
    ) -> None:
        self.info = info
        self.id = info.run
        self.log = log
        self.pace = log.pace if log is not None else Pace.FREE
        self.codec = codec
        self.options = options
        self.clock = options.clock
        self.past = Past(rows, info.thread)
        self.program_files = ProgramFiles(
            options.sources, self.past.files, has_stepped=self.past.has_steps, flush=self._flush
        )
        self.root = Lane("")
        self.sink = sink
        self.parts: list[bytes] = []
        self.hold: Callable[[], Awaitable[None]] | None = None
        self.lock = threading.RLock()
        self.pending: dict[str, Interrupt] = {}
        self.failure: BaseException | None = None
        self.wake: float | None = None
        self.parked_for: BaseException | None = None
        self.unwinding = False
        self.over = self.cut = self.is_cancelled = False
        self.held: list[Held] = []
        self.targets: dict[Any, None] = {}
        self.sweepers: set[Any] = set()
        self.leaving: dict[Any, Any] = {}
        self.busy: set[object] = set()
        self.activity = 0
        self._stirs = itertools.count(1)
        self.failures: dict[int, tuple[BaseException, list[FailedStep]]] = {}
        self.interleaved: dict[str, Any] = {}
        self.started = started
        self._ticks: dict[str, int] = {}
        self._ids: dict[tuple[str, str], int] = {}
        self._entered: list[LaneEntered] = []
        self._lanes: set[str] = set()
        self._orders: list[tuple[str, str]] = []
        self._order_heads: dict[str, int] = {}
        self.resources: dict[Hashable, object] = {}
        self.made_before = 0
        self.replayed = 0
        self.executed = 0
        self.is_left = False
        tell_of_forks(self)

    def before_fork(self) -> None:
        """Do nothing: the run goes on in the parent."""

    def after_fork(self, *, in_child: bool) -> None:
        """Leave the run to the parent: what the child still does in it is done as without it."""
        if not in_child:
            return
        self.is_left = True
        self.log, self.pace = None, Pace.FREE
        self.sink = self.hold = None
        self.lock = threading.RLock()
        self.options = replace(self.options, listeners=Listeners())
        self.pending = {}
        self.failure = self.wake = self.parked_for = None
        self.over = self.cut = False

    @property
    def stopping(self) -> bool:
        """Whether no new step may start."""
        return bool(self.pending) or self.failure is not None or self.wake is not None

    def check(self) -> None:
        """Raise Suspended if no new step may start (the signal is sticky)."""
        if self.stopping:
            raise Suspended(f"run {self.id} is being suspended")
        if self.over:
            raise Suspended(f"run {self.id} is over; code that it left behind takes no more steps")

    def stop(self, error: BaseException) -> NoReturn:
        """End the run with *error*, whatever the program or its framework would do with it."""
        with self.lock:
            if self.failure is None:
                self.failure = error
        raise Suspended(str(error)) from error

    def park(self, wake: float, error: BaseException) -> NoReturn:
        """Suspend the run until *wake*; of several such times the earliest counts."""
        with self.lock:
            if self.wake is None or wake < self.wake:
                self.wake, self.parked_for = wake, error
        raise Suspended(f"run {self.id} is parked") from error

    def stir(self) -> None:
        """Take note that something happened."""
        self.activity = next(self._stirs)

    def is_quiet(self, seen: int) -> bool:
        """Say whether nothing is under way, and nothing happened since ``activity`` was *seen*."""
        return self.activity == seen and not is_working(self.busy, self.held)

    @property
    def has_parked(self) -> bool:
        """Whether a call of it is parked."""
        return any(one.region is not None for one in tuple(self.held))

    def tell(self, handlers: tuple[Handler, ...], *args: Any) -> None:
        """Tell listeners, if there are any."""
        if handlers:
            tell(handlers, *args)

    def emit(self, mode: str, namespace: tuple[str, ...], data: Any) -> None:
        """Hand one part to whoever streams this run."""
        if self.sink is not None:
            self.sink(mode, namespace, data)

    def append(
        self,
        *records: Record,
        blobs: Mapping[bytes, bytes] = _NOTHING,
        barrier: bool = False,
        ended: tuple[str, Record] | None = None,
    ) -> int:
        """Append records and take them into the past; a failing journal stops the run.

        Args:
            *records: What happened.
            blobs: Parts that the records refer to.
            barrier: Whether they must survive a power cut.
            ended: The run that this one takes the place of, and its end.

        Returns:
            The first record's row number; 0 if nothing is kept.
        """
        log = self.log
        if log is None:
            return 0
        try:
            return log.append(
                self.id, *records, blobs=blobs, barrier=barrier, owner=self, ended=ended
            )
        except DurablyError as error:
            self.stop(error)

    async def aappend(
        self,
        *records: Record,
        blobs: Mapping[bytes, bytes] = _NOTHING,
        barrier: bool = False,
        is_alone: bool = False,
    ) -> int:
        """Like :meth:`append`; the event loop goes on where the journal is slow.

        What is recorded at the same time shares a commit, and its coroutines go on in the order of
        the journal. One that is cancelled meanwhile loses nothing: it is written all the same.

        Args:
            *records: What happened.
            blobs: Parts that the records refer to.
            barrier: Whether they must survive a power cut.
            is_alone: Whether nothing else is under way, so that a commit nearby is best made here.
        """
        log = self.log
        if log is None:
            return 0
        pace = log.barrier_pace if barrier else log.pace
        if self.spares(pace, is_alone=is_alone):
            return self.append(*records, blobs=blobs, barrier=barrier)
        pending = Pending(self.id, records, blobs, barrier=barrier, owner=self)
        try:
            return await log.write(pending, pace)
        except DurablyError as error:
            self.stop(error)

    def spares(self, pace: Pace, *, is_alone: bool) -> bool:
        """Say whether an append of that pace holds nobody up, and is best made where it is.

        Args:
            pace: What it costs.
            is_alone: Whether nothing else of the run is under way.
        """
        if pace is Pace.FREE or pace is Pace.REMOTE or not is_alone:
            return pace is Pace.FREE
        return pace is Pace.QUICK or self.log is None or not self.log.is_shared

    @property
    def is_alone(self) -> bool:
        """Whether no more than one step is under way."""
        return len(self.busy) <= 1

    def append_step(self, step: StepEnded, blobs: Mapping[bytes, bytes]) -> int:
        """Do what :meth:`append` does for a step's outcome, and let its lane's time go on."""
        log = self.log
        if log is None:
            return 0
        if self._orders or self.parts or self._entered or self.program_files.has_news:
            return self.append(step, blobs=blobs)
        try:
            row = log.append(self.id, step, blobs=blobs)
        except DurablyError as error:
            self.stop(error)
        with self.lock:
            self.tick(step)
            self.past.add_step(row, step)
        return row

    def take_in(self, first: int, records: Sequence[Record]) -> None:
        """Take records into the past that the journal holds from row *first* on."""
        with self.lock:
            for seq, record in enumerate(records, first):
                if isinstance(record, StepEnded):
                    self.tick(record)
                self.past.add(Entry(seq, self.id, record))

    def _flush(self) -> None:
        """Write what rides on the next append, without one."""
        if not self.over:
            self.append()

    def side_records(self) -> Sequence[Record]:
        """Return what rides on the next append: stream parts, order points, files loaded since."""
        if not (self._orders or self.parts or self._entered or self.program_files.has_news):
            return ()
        side: list[Record] = []
        with self.lock:
            side += self._entered
            self._entered = []
            if self.parts:
                side.append(Told(self.parts))
                self.parts = []
            groups: dict[str, list[str]] = {}
            for group, who in self._orders:
                groups.setdefault(group, []).append(who)
            side += [Ordered(group, who) for group, who in groups.items()]
            self._orders.clear()
            if files := self.program_files.take():
                side.append(Program(files))
        return side

    def enter_lane(self, lane: Lane) -> None:
        """Record the content of a lane inside a step, once something is about to happen there."""
        step, lane.leaf = lane.leaf, None
        if step is not None and self.log is not None:
            self.record_lane(step.inner, step.leaf)

    def record_lane(self, path: str, leaf: Leaf, instead: Sequence[str] = ()) -> None:
        """Record the content of a lane that is entered for the first time, with the next append.

        Args:
            path: The path of the lane.
            leaf: Its content.
            instead: Recorded lanes that it may have been.
        """
        if path in self._lanes or self.past.lanes.knows(path):
            return
        self._lanes.add(path)
        body, blobs = self.stored(leaf.packed)
        entered = LaneEntered(path, leaf.stem, leaf.print, body, self.clock.now(), [*instead])
        if blobs:
            self.append(entered, blobs=blobs)
        else:
            with self.lock:
                self._entered.append(entered)

    def stored(self, packed: bytes) -> Stored:
        """Return a packed plain form as the journal keeps it: a large one in parts."""
        if len(packed) <= _SPLIT:
            return packed, NO_BLOBS
        return self.codec.split(unpack(packed), is_large=True)

    def moment(self) -> Moment:
        """Return the moment of a request that the program makes now."""
        now = self.clock.now()
        return replace(self.past.moment_of(0, now), at=now, made_before=self.made_before)

    def program_changed(self) -> bool:
        """Say whether a file of the program is not what it was when the run recorded it."""
        return self.program_files.changed()

    def remember_order(self, group: str, who: str) -> None:
        """Record that *who* came next in *group*, with the next append."""
        with self.lock:
            self._orders.append((group, who))
        self.order_passed(group)

    def order_head(self, group: str) -> str | None:
        """Return who came next in *group* when it was recorded; None past the record."""
        recorded = self.past.orders.get(group, ())
        head = self._order_heads.get(group, 0)
        return recorded[head] if head < len(recorded) else None

    def order_passed(self, group: str) -> None:
        """Go on to the next of *group*'s recorded order."""
        self._order_heads[group] = self._order_heads.get(group, 0) + 1
        self.stir()

    def order_forget(self, group: str) -> None:
        """Give up the rest of *group*'s recorded order: who was recorded next never came."""
        self._order_heads[group] = len(self.past.orders.get(group, ()))

    def tick(self, step: StepEnded) -> None:
        """Let the lane's replayable time go on to when *step* ended."""
        if self.program_files.is_open:
            self.program_files.close()
        ended, lane = int((step.started + step.elapsed) * 1_000_000), step.lane
        if ended > self._ticks.get(lane, 0):
            self._ticks[lane] = ended

    def pass_on(self, lane: str) -> None:
        """Let the time at which *lane* ended be its parent's: what comes next there is later."""
        with self.lock:
            ended, parent = self._ticks.get(lane), lane.rpartition("/")[0]
            if ended is not None:
                self._ticks[parent] = max(ended, self._ticks.get(parent, ended))

    def now(self, lane: str) -> datetime:
        """Return a time that is the same on replay: the lane's last step's end, then microseconds.

        Two calls never return the same time, unless they are made by branches side by side.
        """
        with self.lock:
            now = self._ticks[lane] = self._last_tick(lane) + 1
        return _EPOCH + timedelta(microseconds=now)

    def _last_tick(self, lane: str) -> int:
        while lane not in self._ticks and lane:
            lane = lane.rpartition("/")[0]
        return self._ticks.get(lane, _micros(self.started))

    def uuid(self, lane: str) -> uuid.UUID:
        """Return an id that is the same on replay: the n-th asked for in the lane."""
        with self.lock:
            count = self._ids[lane, "uuid"] = self._ids.get((lane, "uuid"), 0) + 1
        return uuid.uuid5(uuid.NAMESPACE_OID, f"{self.id}|{lane}|{count}")

    def note_failure(self, error: BaseException, step: FailedStep) -> None:
        """Remember which step *error* came out of; it may come out of those around it too."""
        with self.lock:
            self.failures.setdefault(id(error), (error, []))[1].append(step)

    def retry(self, lane: Lane) -> None:
        """Have *lane* entered again by its framework, and what it is retried for executed again."""
        error = sys.exc_info()[1]
        with self.lock:
            failed = self.failed_in(error) if error is not None else []
            self.past.enter_again(lane.path, self.past.retry_causes(lane, failed))

    def failed_in(self, error: BaseException) -> list[int]:
        """Return the rows of the steps whose failure *error* is, or was made from.

        What a failed step was itself made from lies inside it. A failure beside it was survived:
        the program had gone on to this one.
        """
        seen: set[int] = set()
        rows: set[int] = set()
        todo: list[tuple[BaseException | None, str]] = [(error, "")]
        while todo:
            one, within = todo.pop()
            if one is None or id(one) in seen:
                continue
            seen.add(id(one))
            if id(one) in self.failures:
                steps = [step for step in self.failures[id(one)][1] if inside(step.lane, within)]
                if not steps:
                    continue
                rows.update(step.row for step in steps)
                if steps[0].is_replayed:
                    rows.update(self.past.failed_inside(steps[0].inner))
                within = steps[0].inner
            inner = one.exceptions if isinstance(one, BaseExceptionGroup) else ()
            todo += [(each, within) for each in (one.__cause__, self._context(one), *inner)]
        return sorted(rows) or self._failed_by_message(error)

    def _context(self, error: BaseException) -> BaseException | None:
        """Return the error that *error* was raised while handling, if that may be its cause.

        A failure that the program had survived is no cause of the next one, unless nothing was
        executed since: then the run would end by the replayed failure for ever.
        """
        context = error.__context__
        if context is None or context is error.__cause__ or not self.executed:
            return context
        _, steps = self.failures.get(id(context), (None, []))
        survived = steps and all(self.past.survived(step.row) for step in steps)
        return None if survived else context

    def _failed_by_message(self, error: BaseException) -> list[int]:
        """Find the failed step in a framework's error that only quotes it."""
        text = str(error)
        quoted = [steps for one, steps in self.failures.values() if str(one) and str(one) in text]
        return sorted(step.row for step in quoted[-1]) if quoted else []


def _micros(seconds: float) -> int:
    return round(seconds * 1_000_000)
