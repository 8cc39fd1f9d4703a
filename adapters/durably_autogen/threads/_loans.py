"""Lends an agent or a team to one run at a time; runs that come meanwhile get copies of it."""

from __future__ import annotations

import copy
import threading
import weakref
from collections.abc import Callable, Coroutine, Generator
from contextlib import contextmanager
from typing import Any

from durably.adapting import Run, Seam

from ._conversation import Original
from ._copies import copied
from ._holders import MEMORY, bases_of, holders
from ._restore import is_team, renew

_MEMORIES = "autogen.memories"

_OUTSIDE = "ExternalTermination"
"""A class whose objects the program keeps hold of, to end a run from outside."""

_followers: weakref.WeakKeyDictionary[Any, weakref.WeakSet[Any]] = weakref.WeakKeyDictionary()
_in_use: set[int] = set()
_guard = threading.Lock()


def of_run(run: Run, memory: Any) -> Any:
    """Return what stands in the place of *memory* in a run: a tool may hold the program's own."""
    replaced: Any = run.resources.get(_MEMORIES)
    return memory if replaced is None else replaced.get(id(memory), memory)


def set_termination(scope: object, original: Callable[..., Any], self: Any) -> Any:
    """End the runs of copies, too, when a program sets an ``ExternalTermination``."""
    del scope
    for copied_one in list(_followers.get(self, ())):
        original(copied_one)
    return original(self)


SEAMS = (
    Seam(
        "autogen_agentchat.conditions:ExternalTermination.set",
        "support",
        set_termination,
        "runs of one team that overlap are not ended from outside",
        outside=True,
    ),
)


class Lent:
    """An agent or a team while one run has it.

    Attributes:
        target: The object itself, or a copy.
        original: As its program made it.
        is_new: Whether nothing was asked of it yet, so that there is nothing to be forgotten.
    """

    def __init__(self, target: Any, original: Original, *, is_new: bool) -> None:
        self.target = target
        self.original = original
        self.is_new = is_new


class Loans:
    """Lends one object of a program. Made when the object is wrapped, before it runs.

    Args:
        target: The agent or team.
    """

    def __init__(self, target: Any) -> None:
        self._is_new = not (is_team(target) and target._initialized)
        self._state: Any = None
        self._model: Any = None
        self._why_none = ""
        try:
            if not self._is_new:
                self._state = _at_once(target.save_state())
            self._model = copied(target)
        except Exception as error:  # needed only if runs do meet, or follow each other
            self._why_none = f"{type(error).__name__}: {error}"

    @contextmanager
    def lent(self, target: Any, run: Run) -> Generator[Lent]:
        """Lend *target*, or a copy of it if another run has it or a part of it.

        Raises:
            RuntimeError: It cannot be copied.
        """
        if self._model is None:
            raise RuntimeError(
                f"the conversations of threads cannot be kept apart: a copy of this "
                f"{type(target).__name__} could not be made ({self._why_none}). Wrap an object "
                "of its own for each thread, made anew for each run."
            )
        parts = {id(one) for one in holders(target).values()}
        with _guard:
            is_free = _in_use.isdisjoint(parts)
            if is_free:
                _in_use.update(parts)
        if not is_free:
            yield self._another(target, run)
            return
        try:
            self._note_memories(target)
            lent = Lent(target, Original(run.codec, self._model, self._state), is_new=self._is_new)
            self._is_new = False
            try:
                yield lent
            finally:
                renew(target)
                lent.original.restore(target)
        finally:
            with _guard:
                _in_use.difference_update(parts)

    def _another(self, target: Any, run: Run) -> Lent:
        other = copied(self._model)
        own = holders(other)
        memories = {
            id(one): own[path]
            for path, one in holders(target).items()
            if MEMORY in bases_of(one) and path in own
        }
        known: Any = run.resources.setdefault(_MEMORIES, {})
        known.update(memories)
        for path, one in holders(target).items():
            if _OUTSIDE in bases_of(one) and path in own:
                _followers.setdefault(one, weakref.WeakSet()).add(own[path])
        return Lent(other, Original(run.codec, self._model, self._state), is_new=False)

    def _note_memories(self, target: Any) -> None:
        """Take over what the program has put into memories since the object was wrapped."""
        for path, one in holders(self._model).items():
            if MEMORY in bases_of(one):
                found = holders(target).get(path)
                for name, value in vars(found).items() if found is not None else ():
                    if isinstance(value, list | dict | str):
                        vars(one)[name] = _copied_data(value)


def _copied_data(value: Any) -> Any:
    try:
        return copy.deepcopy(value)
    except Exception:  # more than data
        return value


def _at_once(work: Coroutine[Any, Any, Any]) -> Any:
    """Return what a coroutine returns that waits for nothing."""
    try:
        work.send(None)
    except StopIteration as end:
        return end.value
    work.close()
    raise RuntimeError("its save_state waits for something")


_loans: weakref.WeakKeyDictionary[Any, Loans] = weakref.WeakKeyDictionary()


def loans(target: Any) -> Loans:
    """Return what lends *target*: the same for each wrapping of it."""
    with _guard:
        known = _loans.get(target)
    if known is None:
        made = Loans(target)
        with _guard:
            known = _loans.setdefault(target, made)
    return known
