"""Who watches runs: the ``Listener`` that plug-ins override, compiled to bound methods."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from typing import Any, TypeAlias

from .types import Interrupt, RunInfo, StepInfo

_log = logging.getLogger("durably")

Handler: TypeAlias = Callable[..., object]


class Listener:
    """Watches runs. Override the methods you need; the others cost nothing.

    A listener watches and never steers: what it raises is logged under its name and dropped, so
    that a broken dashboard cannot break a run. Methods are called in the thread that runs the
    step, between its record and its return, so they should be quick.

    Example:
        >>> class Counter(Listener):
        ...     def __init__(self) -> None:
        ...         self.replayed = 0
        ...
        ...     def step_replayed(self, step: StepInfo) -> None:
        ...         self.replayed += 1
    """

    def run_started(self, run: RunInfo) -> None:
        """A run begins, or is taken up again (``run.resumed``)."""

    def run_ended(self, run: RunInfo, status: str, error: BaseException | None) -> None:
        """This process is through with a run: ``done``, ``failed``, ``waiting`` or ``stopped``."""

    def span_started(self, lane: str, kind: str, name: str) -> None:
        """A container of steps is entered: a crew, a task, an agent's turn."""

    def span_ended(self, lane: str, kind: str, name: str, error: BaseException | None) -> None:
        """A container of steps is left."""

    def step_started(self, step: StepInfo) -> None:
        """A step is about to be executed."""

    def step_finished(self, step: StepInfo, error: BaseException | None) -> None:
        """A step was executed; its outcome is in the journal."""

    def step_replayed(self, step: StepInfo) -> None:
        """A step's outcome came from the journal; nothing was executed."""

    def step_retried(self, step: StepInfo, error: BaseException, delay: float) -> None:
        """An attempt failed; the next follows in *delay* seconds."""

    def step_changed(self, step: StepInfo, action: str, differences: list[str]) -> None:
        """A step's request is not the recorded one; *action* is ``replay`` or ``rerun``."""

    def effect_repeated(self, step: StepInfo) -> None:
        """An effect that had begun when an earlier process died is executed again."""

    def effect_ambiguous(self, step: StepInfo, rows: list[int]) -> None:
        """Only its order tells an effect from others of its lane, whose requests are equal.

        Told once for each name of a run: when the second one is recorded (*rows* is empty then), or
        when one that holds text of its process may be any of those recorded in *rows*.
        """

    def effect_unmet(self, step: StepInfo, row: int, request: Any) -> None:
        """The program, continued, never came to an effect that the journal holds in *row*."""

    def interrupted(self, run: RunInfo, interrupt: Interrupt) -> None:
        """A question was asked."""


class Listeners:
    """Every listener of one host, one tuple of bound methods for each event.

    Built once, so that the hot path pays one truth test for an event that nobody watches.
    """

    __slots__ = (
        "effect_ambiguous",
        "effect_repeated",
        "effect_unmet",
        "interrupted",
        "run_ended",
        "run_started",
        "span_ended",
        "span_started",
        "step_changed",
        "step_finished",
        "step_replayed",
        "step_retried",
        "step_started",
    )

    effect_ambiguous: tuple[Handler, ...]
    effect_repeated: tuple[Handler, ...]
    effect_unmet: tuple[Handler, ...]
    interrupted: tuple[Handler, ...]
    run_ended: tuple[Handler, ...]
    run_started: tuple[Handler, ...]
    span_ended: tuple[Handler, ...]
    span_started: tuple[Handler, ...]
    step_changed: tuple[Handler, ...]
    step_finished: tuple[Handler, ...]
    step_replayed: tuple[Handler, ...]
    step_retried: tuple[Handler, ...]
    step_started: tuple[Handler, ...]

    def __init__(self, found: Iterable[Listener] = ()) -> None:
        listeners = tuple(found)
        for event in self.__slots__:
            base = getattr(Listener, event)
            handlers = tuple(
                getattr(listener, event)
                for listener in listeners
                if getattr(type(listener), event) is not base
            )
            setattr(self, event, handlers)


def tell(handlers: tuple[Handler, ...], *args: Any) -> None:
    """Call *handlers* in order; log what they raise and go on."""
    for handler in handlers:
        try:
            handler(*args)
        except Exception:
            owner = type(getattr(handler, "__self__", handler)).__qualname__
            name = getattr(handler, "__name__", "?")
            _log.exception("listener %s failed in %s; the run goes on", owner, name)
