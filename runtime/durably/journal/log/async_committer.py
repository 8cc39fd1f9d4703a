"""Writes what coroutines wait for: many appends with one commit, of any number of threads.

What ends in one round of an event loop is written together. Where a commit is slow, it is made in a
thread, and what ends meanwhile is the next commit.
"""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import os
import queue
import threading
from collections.abc import Iterable, Sequence
from typing import Protocol

from ..storage import Storage
from .append_cost import Pace, Sharing
from .group_commit import Append, interrupted
from .pending_append import Batch, Pending

_IDLE_SECONDS = 5.0
"""How long the thread stays when there is nothing to write."""


class DeferredLog(Protocol):
    """The part of a thread's log that the committer uses (:class:`.thread_log.ThreadLog`)."""

    turn: threading.Lock

    def defer(self, pending: Pending) -> None:
        """Have records written with the next append."""

    def gather(self) -> Batch | None:
        """Return the rows that were deferred; None if there are none to write."""

    def wrote(self, batch: Batch, error: Exception | None) -> None:
        """Settle a batch that was written, or that failed with *error*."""


class Committer:
    """Writes for all logs of a journal.

    Args:
        storage: Where to.
    """

    def __init__(self, storage: Storage) -> None:
        self._storage = storage
        self._rounds: dict[asyncio.AbstractEventLoop, dict[DeferredLog, None]] = {}
        self._due: dict[DeferredLog, None] = {}
        self._lock = threading.Lock()
        self._calls: queue.SimpleQueue[None] = queue.SimpleQueue()
        self._is_called = False
        self._process = 0

    async def write(self, log: DeferredLog, pending: Pending, pace: Pace) -> int:
        """Return the row of the first record when *pending* is written.

        A caller that is cancelled meanwhile loses nothing: it is written all the same.

        Raises:
            StorageError: Nothing was written, and nothing more can be.
            LeaseLost: Another process drives the thread now.
        """
        future = pending.future = asyncio.get_running_loop().create_future()
        log.defer(pending)
        if pace is Pace.QUICK:
            self._in_this_round(log, future.get_loop())
        else:
            self._soon((log,))
        await future
        return pending.first

    def _in_this_round(self, log: DeferredLog, loop: asyncio.AbstractEventLoop) -> None:
        due = self._rounds.get(loop)
        if due is None:
            due = self._rounds[loop] = {}
            loop.call_soon(self._end_round, loop, context=contextvars.Context())
        due[log] = None

    def _end_round(self, loop: asyncio.AbstractEventLoop) -> None:
        free, busy = _turns(self._rounds.pop(loop))
        self._write(free)
        if busy:  # a slow commit is under way, which the loop need not wait for
            self._soon(busy)

    def _soon(self, logs: Iterable[DeferredLog]) -> None:
        """Have the thread write what *logs* have to be written."""
        with self._lock:
            self._due.update(dict.fromkeys(logs))
            if self._is_called and self._process == os.getpid():
                return
            self._is_called = True
            is_running, self._process = self._process == os.getpid(), os.getpid()
        self._calls.put(None)
        if not is_running:
            threading.Thread(target=self._serve, name="durably-committer", daemon=True).start()

    def _serve(self) -> None:
        try:
            while (due := self._taken()) is not None:
                free, busy = _turns(due)
                if busy and not free:  # somebody else writes to each of them: wait for one
                    free = [busy.pop()]
                    free[0].turn.acquire()
                self._write(free)
                if busy:
                    self._soon(busy)
        except BaseException:
            self._process = 0  # the next one begins anew
            raise

    def _taken(self) -> Sequence[DeferredLog] | None:
        """Wait for something to do; None if there was nothing for a while."""
        try:
            self._calls.get(timeout=_IDLE_SECONDS)
        except queue.Empty:
            with self._lock:
                if not self._is_called:
                    self._process = 0
                    return None
            self._calls.get()  # it came at the last moment
        with self._lock:
            self._is_called = False
            due = list(self._due)
            self._due.clear()
            return due

    def _write(self, logs: Sequence[DeferredLog]) -> None:
        """Write what *logs*, whose turns are held, have to be written, and give the turns back."""
        with contextlib.ExitStack() as turns:
            for log in logs:
                turns.callback(log.turn.release)
            gathered = ((log, log.gather()) for log in logs)
            batches = [(log, batch) for log, batch in gathered if batch is not None]
            outcomes: Sequence[Exception | None] = [interrupted() for _ in batches]
            try:
                outcomes = self._append([batch.append for _, batch in batches])
            finally:
                for (log, batch), error in zip(batches, outcomes, strict=True):
                    log.wrote(batch, error)

    def _append(self, appends: Sequence[Append]) -> Sequence[Exception | None]:
        storage = self._storage
        assert isinstance(storage, Sharing)
        try:
            return storage.append_all(appends) if appends else ()
        except Exception as error:
            return [error for _ in appends]


def _turns(logs: Iterable[DeferredLog]) -> tuple[list[DeferredLog], list[DeferredLog]]:
    """Take the turns of *logs* that can be had at once; return these logs and the others."""
    free: list[DeferredLog] = []
    busy: list[DeferredLog] = []
    for log in logs:
        (free if log.turn.acquire(blocking=False) else busy).append(log)
    return free, busy
