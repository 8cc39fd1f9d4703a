"""How wrapped flows are run: each run with a state of its own, and a copy where runs overlap."""

from __future__ import annotations

import copy
import logging
import threading
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from typing import Any

from durably.adapting import Run, recall, remember
from durably.errors import ResumeError

from ._state import Before, Unwritable, crewai_names, make_new, pristine, restore

_log = logging.getLogger("durably")

_LOCKS = (type(threading.Lock()), type(threading.RLock()))
_NOT_YET = ("_usage_aggregation_handler", "_pending_feedback_context")
"""What a flow keeps only while it is under way."""


class LentFlow:
    """A flow while one run has it.

    Args:
        flow: The flow, or a copy of it.
        run: The run.
        original: What :func:`pristine` kept of it.
    """

    def __init__(self, flow: Any, run: Run, original: Mapping[str, Any]) -> None:
        self.flow = flow
        self._run = run
        make_new(flow, original)
        self._before = Before(run.codec, flow)
        kept = recall(run)
        if kept is not None and "lost" in kept:
            raise ResumeError(
                f"what {run.info.entry} left on thread {run.info.thread!r} is not known: its state "
                f"could not be written when its last run ended ({kept['lost']}). Begin another "
                "thread."
            )
        if kept is not None:
            restore(flow, kept)

    def keep(self) -> None:
        """Keep what the flow has come to for the thread's next run."""
        if self._run.stopping:
            return
        try:
            left = self._before.data_left()
        except Unwritable:
            _log.warning(
                "thread %r cannot be given another input: the state of %s cannot be written",
                self._run.info.thread,
                self._run.info.entry,
            )
            left = {"lost": "a value in it is no data"}
        remember(self._run, left)


class FlowLending:
    """Lends one flow to one run at a time; runs that come meanwhile get copies.

    A flow keeps its state on itself. A thread's first run begins with the state that the flow had
    when it was wrapped, under an id of its own; the next ones with what its last run came to. That
    can be read from the flow until another run has it.

    Args:
        flow: The flow.
    """

    def __init__(self, flow: Any) -> None:
        self._flow = flow
        self._free = threading.Lock()
        self._kept = pristine(flow)

    @contextmanager
    def flow(self, run: Run) -> Generator[LentFlow]:
        """Lend the flow, in the state of the run's thread.

        Raises:
            ResumeError: The thread's state is not there.
        """
        if not self._free.acquire(blocking=False):
            yield LentFlow(copy_of(self._flow), run, self._kept)
            return
        try:
            yield LentFlow(self._flow, run, self._kept)
        finally:
            self._free.release()


def copy_of(flow: Any) -> Any:
    """Return another flow of the same class that shares what works, such as memory and models."""
    made = object.__new__(type(flow))
    held = dict(vars(flow))
    private = getattr(flow, "__pydantic_private__", None)
    if private is not None:
        object.__setattr__(made, "__pydantic_private__", _own_parts(private))
        object.__setattr__(made, "__pydantic_extra__", flow.__pydantic_extra__)
        object.__setattr__(made, "__pydantic_fields_set__", set(flow.__pydantic_fields_set__))
    else:  # before 1.14 a flow was no pydantic model
        theirs = crewai_names(type(flow))
        held.update(_own_parts({name: held[name] for name in theirs & held.keys()}))
    vars(made).update(held)
    made._methods = _methods_of(made, flow._methods)
    return made


def _own_parts(parts: dict[str, Any]) -> dict[str, Any]:
    return {name: None if name in _NOT_YET else _own_part(value) for name, value in parts.items()}


def _own_part(value: Any) -> Any:
    if isinstance(value, _LOCKS):
        return type(value)() if type(value) is _LOCKS[1] else threading.Lock()
    return copy.copy(value) if isinstance(value, dict | list | set) else value


def _methods_of(made: Any, methods: dict[Any, Callable[..., Any]]) -> dict[Any, Any]:
    """Return a flow's methods, bound to its copy; those of a declared flow are built anew."""
    if not all(hasattr(type(made), str(name)) for name in methods):
        built: dict[Any, Any] = made._action_bound_methods()
        return built
    bound = {name: getattr(made, str(name)) for name in methods}
    return {
        name: one if hasattr(one, "__self__") else one.__get__(made, type(made))
        for name, one in bound.items()
    }
