"""A wrapped object that is used inside a run: the run around it asks its questions.

The object keeps a run of its own, on the journal, the thread and with the policies that it was
wrapped with. Each question of that run is asked by the run around it too, which waits for the
answer and hands it on; the code that used the object never sees the question as a value.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ..adapting import live_scope
from ..engine import Outcome, Scope
from ..errors import Suspended
from ..journal.records import RunEnded, RunStarted
from ..types import Command, Interrupt
from .host import Host
from .thread_runs import thread_of

_CALLER = "caller"
"""The key in a run's metadata that names the call which began it."""


def scope_around() -> Scope | None:
    """Return where a wrapped object is used inside a run; None if it is not.

    The code of a script under ``durably run`` is around all that it uses, and goes on with the
    questions of a wrapped object itself.
    """
    scope = live_scope()
    if scope is None or (scope.local is None and not scope.lane.path):
        return None
    return scope


@dataclass(frozen=True)
class Found:
    """The run that an earlier process began for the same call.

    Attributes:
        done: How it ended, if it is done.
    """

    done: Outcome | None


class NestedUse:
    """One call of a wrapped object inside a run.

    A continued program that makes the same call again finds the run that the call began, and gets
    its result if that run is done. Without a thread id of its own, the call has a thread that no
    other call has; with the thread id of the run around it, it has one that is named after both.

    Args:
        host: Where the object's runs are kept.
        entry: The object's identity.
        scope: Where it is used.
        given: Its input.
        config: The config that it is used with.

    Attributes:
        config: The config of its own run.
    """

    def __init__(
        self, host: Host, entry: str, scope: Scope, given: Any, config: Mapping[str, Any] | None
    ) -> None:
        self._host = host
        self._entry = entry
        self._scope = scope
        self._begins = given is not None and not isinstance(given, Command)
        self._given = given
        self.config = config
        if self._begins:
            self._begin(config)

    def _begin(self, config: Mapping[str, Any] | None) -> None:
        run, thread = self._scope.run, thread_of(config)
        place = self._scope.child(f"wrapped:{self._entry}", given=self._given).lane.path
        self._call = f"{run.id}/{place}"
        if thread is None:
            thread = self._call
        elif thread == run.info.thread:
            thread = f"{thread}/{self._entry}"
        self._thread = thread
        given = dict(config or {})
        self.config = {
            **given,
            "configurable": {**(given.get("configurable") or {}), "thread_id": thread},
            "metadata": {**(given.get("metadata") or {}), _CALLER: self._call},
        }

    def found(self) -> Found | None:
        """Return the run that this call began in an earlier process, or None.

        A run that the thread has left behind for a newer one is none.
        """
        if not self._begins:
            return None
        ended: dict[str, RunEnded] = {}
        is_newest = True
        for mark in self._host.journal.marks(self._thread):
            record = mark.record
            if isinstance(record, RunEnded):
                ended.setdefault(mark.run, record)
            elif isinstance(record, RunStarted):
                if (record.meta.get("metadata") or {}).get(_CALLER) == self._call:
                    return self._found(ended.get(mark.run), is_newest=is_newest)
                is_newest = False
        return None

    def _found(self, end: RunEnded | None, *, is_newest: bool) -> Found | None:
        if end is not None and end.status == "done":
            value = self._host.journal.value(self._thread, end.value) if end.value else None
            return Found(Outcome("done", value))
        return Found(None) if is_newest else None

    def answers(self, outcome: Outcome) -> Command | None:
        """Return what people said to the questions that the object waits for; None if it does not.

        Raises:
            Suspended: An answer is missing, and the run around the object waits for it.
        """
        if not _waits(outcome):
            return None
        missing: Suspended | None = None
        said: dict[str, Any] = {}
        for one in outcome.interrupts:
            try:
                said[one.id] = self._scope.ask(self._name(one), one.value, one.response_schema)
            except Suspended as signal:  # the others are asked too
                missing = signal
        if missing is not None:
            raise missing
        return Command(resume=said)

    async def aanswers(self, outcome: Outcome) -> Command | None:
        """Like :meth:`answers`, for coroutines."""
        if not _waits(outcome):
            return None
        missing: Suspended | None = None
        said: dict[str, Any] = {}
        for one in outcome.interrupts:
            try:
                asked = self._scope.aask(self._name(one), one.value, one.response_schema)
                said[one.id] = await asked
            except Suspended as signal:
                missing = signal
        if missing is not None:
            raise missing
        return Command(resume=said)

    def _name(self, question: Interrupt) -> str:
        """Return the name under which a question is asked; no other of the object's has it.

        An answered question is not asked again, so that equal ones cannot be told apart by number.
        """
        return f"{self._entry}#{question.id[:12]}"


def _waits(outcome: Outcome) -> bool:
    return outcome.status == "waiting" and outcome.error is None
