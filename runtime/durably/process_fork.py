"""Objects that a fork of the process concerns: told before it, and after it in both processes.

A child inherits a copy of every object, but only the thread that forked: locks that other threads
held stay held for ever, and what those threads were doing is never finished.
"""

from __future__ import annotations

import os
import threading
import weakref
from typing import Protocol


class ForkAware(Protocol):
    """What is told of forks; see :func:`tell_of_forks`. Its methods must not raise."""

    def before_fork(self) -> None:
        """Make ready; called in the parent, in the thread that forks."""
        ...

    def after_fork(self, *, in_child: bool) -> None:
        """Go on in the parent, or begin anew in the child."""
        ...


_PATIENCE = 10.0
"""Seconds that a fork waits for a lock."""


class Guarded:
    """Mixed into an object whose ``_lock`` guards all that it holds: a child gets it whole."""

    _lock: threading.Lock
    _is_taken = False

    def before_fork(self) -> None:
        """Take the lock; given up where the thread that forks may hold it itself."""
        self._is_taken = self._lock.acquire(timeout=_PATIENCE)

    def after_fork(self, *, in_child: bool) -> None:
        """Give the lock back, in both processes."""
        del in_child
        if self._is_taken:
            self._is_taken = False
            self._lock.release()


parents: list[int] = []
"""The processes that this one was forked from, since durably was imported."""

_aware: weakref.WeakSet[ForkAware] = weakref.WeakSet()
_told: list[ForkAware] = []
_left: list[object] = []


def tell_of_forks(one: ForkAware) -> None:
    """Tell *one* of forks from now on, for as long as it lives."""
    _aware.add(one)


def leave_to_parent(one: object) -> None:
    """Keep *one* alive in a forked child: to close it there would close the parent's."""
    _left.append(one)


def _before() -> None:
    _told[:] = _everybody()
    for one in _told:
        one.before_fork()


def _everybody() -> list[ForkAware]:
    while True:
        try:
            return list(_aware)
        except RuntimeError:  # another thread has just added one
            continue


def _in_parent() -> None:
    while _told:
        _told.pop().after_fork(in_child=False)


def _in_child() -> None:
    parents.append(os.getppid())
    told = _told[:]
    _told.clear()
    for one in told:
        one.after_fork(in_child=True)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_before, after_in_parent=_in_parent, after_in_child=_in_child)
