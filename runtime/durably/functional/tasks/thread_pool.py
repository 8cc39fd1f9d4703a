"""Threads for tasks: as many as there are calls under way, shared by every run of the process.

A waiting call never keeps another from starting, so tasks may call tasks to any depth.
"""

from __future__ import annotations

import contextlib
import contextvars
import os
import queue
import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Protocol

_IDLE_SECONDS = 5.0
_MAX_IDLE = 32
_TICK_SECONDS = 0.001
_QUIET_TICKS = 50


class Work(Protocol):
    """Something to be run once; whoever comes first does it."""

    def run(self) -> None:
        """Run it, unless that was done; must not raise."""
        ...


class Pool:
    """One run's way to the threads.

    The newest call is held back for a millisecond: most programs ask for its result at once, and
    then it runs in the asking thread and costs no other. When a second call comes, both are meant
    to run side by side.

    There is no lock: what is held back is put into and taken out of a deque, each by one atomic
    operation, so that nothing is lost; work that two threads take up is still run once (see Work).
    """

    def __init__(self) -> None:
        self._held: deque[Work] = deque()
        self._seen: Work | None = None
        self._quiet = 0
        self._is_watched = False

    def offer(self, work: Work) -> None:
        """Run *work* soon, in a thread, unless it is taken back."""
        held = self._held
        held.append(work)
        if len(held) > 1:
            self._begin_first()
        if not self._is_watched:
            self._is_watched = True
            _ticker.watch(self)

    def _begin_first(self) -> None:
        with contextlib.suppress(IndexError):  # it was taken meanwhile
            _threads.submit(self._held.popleft())

    def take_back(self, work: Work) -> bool:
        """Leave *work* to the caller, if it is still held back; say whether it was."""
        try:
            self._held.remove(work)
        except ValueError:
            return False
        return True

    def begin(self, work: Work) -> None:
        """Run *work* in a thread now, if it is still held back."""
        if self.take_back(work):
            _threads.submit(work)

    def tick(self) -> bool:
        """Begin what has been held back since the last tick; say whether to look again."""
        seen, self._seen = self._seen, next(iter(tuple(self._held)), None)
        if seen is not None and seen is self._seen:
            self.begin(seen)
        self._quiet = 0 if self._seen is not None else self._quiet + 1
        self._is_watched = self._quiet < _QUIET_TICKS
        # Held back after the look, by a thread that saw it watched before the line above.
        if not self._is_watched and self._held:
            self._is_watched = True
        return self._is_watched


class _Threads:
    """Runs work at once, in an idle thread if there is one and in a new one if not."""

    def __init__(self) -> None:
        self._queue: queue.SimpleQueue[Work] = queue.SimpleQueue()
        self._idle = 0
        self._lock = threading.Lock()

    def submit(self, work: Work) -> None:
        with self._lock:
            is_promised = self._idle > 0
            self._idle -= is_promised
        self._queue.put(work)
        if not is_promised:
            _start(self._serve, "durably-task")

    def _serve(self) -> None:
        self._queue.get().run()
        while self._waits():
            try:
                work = self._queue.get(timeout=_IDLE_SECONDS)
            except queue.Empty:
                if self._leaves():
                    return
                work = self._queue.get()  # promised between the timeout and the lock
            work.run()
            del work  # what it holds must not live until the next one comes

    def _waits(self) -> bool:
        """Count the calling thread as idle, unless there are enough of them."""
        with self._lock:
            is_wanted = self._idle < _MAX_IDLE
            self._idle += is_wanted
        return is_wanted

    def _leaves(self) -> bool:
        """Count the calling thread out, unless work was promised to be done by it."""
        with self._lock:
            is_free = self._idle > 0
            self._idle -= is_free
        return is_free


class _Ticker:
    """Looks after the pools that hold a call back; sleeps while there are none."""

    def __init__(self) -> None:
        self._pools: set[Pool] = set()
        self._lock = threading.Lock()
        self._wake = threading.Event()
        self._is_started = False

    def watch(self, pool: Pool) -> None:
        with self._lock:
            self._pools.add(pool)
            is_started, self._is_started = self._is_started, True
        self._wake.set()
        if not is_started:
            _start(self._serve, "durably-ticker")

    def _serve(self) -> None:
        while True:
            self._wake.wait()
            time.sleep(_TICK_SECONDS)
            with self._lock:
                self._pools = {pool for pool in self._pools if pool.tick()}
                if not self._pools:
                    self._wake.clear()


def _start(target: Callable[[], None], name: str) -> None:
    """Start a thread that belongs to no run: it outlives the one that needed it first."""
    thread = threading.Thread(target=target, name=name, daemon=True)
    contextvars.Context().run(thread.start)


_threads = _Threads()
_ticker = _Ticker()


def _forget_threads() -> None:
    """Begin anew in a forked child, where none of the threads goes on."""
    global _threads, _ticker
    _threads, _ticker = _Threads(), _Ticker()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_threads)
