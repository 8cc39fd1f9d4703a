"""Questions to people: found in the journal, answered at once, or what the run waits for."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

from ...errors import AnswerRefused, DurablyError, Suspended
from ...journal.records import Answered, Asked
from ...people import fitting, is_native, question_of
from ...types import Interrupt
from ..base_scope import BaseScope
from ..daemon_threads import in_daemon_thread
from ..options import Answer, Extension
from ..order.shared_state import ain_place, in_place
from ..replay.fingerprint import fingerprint, unpack
from ..replay.fresh_text import equal_but_fresh
from ..replay.lane import Lane
from ..replay.recorded_steps import Slot
from ..run.run import Run
from .parked_calls import park

DEADLINE = "deadline"
"""Who answered where nobody did in time."""


def ask(
    run: Run,
    lane: Lane,
    name: str,
    value: Any,
    *,
    schema: Any = None,
    known: Asked | None = None,
) -> Any:
    """Return the answer to a question, recorded or given right now.

    Args:
        run: The run.
        lane: The lane that the question lies in.
        name: What asks; questions of a lane are counted by it.
        value: The question.
        schema: The schema of an answer.
        known: The recorded question that this one is, if the caller has found it.

    Raises:
        Suspended: Nobody has answered yet; the question is recorded and shown.
    """
    asking = _Asking(run, lane, name, value, schema, known)
    if asking.is_answered:
        return asking.recorded()
    return asking.settle(asking.at_once() or asking.prompted())


async def aask(
    run: Run,
    lane: Lane,
    name: str,
    value: Any,
    *,
    schema: Any = None,
    known: Asked | None = None,
) -> Any:
    """Like :func:`ask`; the event loop goes on while a person is asked at the terminal."""
    asking = _Asking(run, lane, name, value, schema, known)
    if asking.is_answered:
        return asking.recorded()
    answer = asking.at_once()
    if answer is None and run.options.prompter is not None:
        run.busy.add(asking)  # the run is not quiet while a person types
        try:
            answer = await in_daemon_thread("durably-terminal", asking.prompted)
        finally:
            run.busy.discard(asking)
            run.stir()
    return asking.settle(answer)


def ask_in(
    scope: BaseScope, name: str, value: Any, schema: Any = None, *, known: Asked | None = None
) -> Any:
    """Return the answer to a question that code in *scope* asks.

    Raises:
        Suspended: There is no answer yet; the question is recorded and shown.
    """
    with in_place(scope.run, scope.lane.path):
        return ask(scope.run, scope.lane, name, value, schema=schema, known=known)


async def aask_in(
    scope: BaseScope, name: str, value: Any, schema: Any = None, *, known: Asked | None = None
) -> Any:
    """Like :func:`ask_in`; parks where no exception can pass."""
    try:
        async with ain_place(scope.run, scope.lane.path):
            return await aask(scope.run, scope.lane, name, value, schema=schema, known=known)
    except Suspended:
        if not scope.parks:
            raise
    return await park(scope)


class _Asking:
    """One question that the program has come to."""

    def __init__(  # noqa: PLR0917 - the parts of a question
        self,
        run: Run,
        lane: Lane,
        name: str,
        value: Any,
        schema: Any,
        known: Asked | None = None,
    ) -> None:
        self._run = run
        self._lane = lane
        self._value = value
        self._schema = _data(schema)
        print_, packed = fingerprint(value)
        with run.lock:
            self._slot = lane.slot("human", name, print_)
            asked = known or _recorded(run, lane, self._slot, packed)
            if asked is not None:
                lane.take(asked.id)
                run.past.met_questions.add(asked.id)
            run.stir()
        self._asked = asked
        self._id = asked.id if asked is not None else _id(run, self._slot)
        self._interrupt: Interrupt | None = None

    @property
    def is_answered(self) -> bool:
        """Whether the journal holds the answer."""
        return self._asked is not None and self._id in self._run.past.answers

    def recorded(self) -> Any:
        """Return the answer that the journal holds."""
        run = self._run
        assert run.log is not None
        run.replayed += 1
        try:
            return run.log.value(run.past.answers[self._id].value)
        except DurablyError as error:
            run.stop(error)  # a framework would take it for its own failure

    def at_once(self) -> Answer | None:
        """Record the question if it is new; return what a plug-in or its deadline answers."""
        run, options = self._run, self._run.options
        interrupt = self._posed()
        answer = options.answerer(interrupt, run.info) if options.answerer else None
        return answer or self._overdue()

    def prompted(self) -> Answer | None:
        """Return what the person at the terminal answers, if there is one."""
        prompter = self._run.options.prompter
        return prompter(self._posed(), self._run.info) if prompter is not None else None

    def settle(self, answer: Answer | None) -> Any:
        """Record an answer and return it, or have the run wait for one."""
        run = self._run
        if answer is None or run.log is None:
            interrupt = self._posed()
            with run.lock:
                run.pending[self._id] = interrupt
            run.tell(run.options.listeners.interrupted, run.info, interrupt)
            raise Suspended(f"run {run.id} waits for an answer to {self._id}")
        try:
            given = fitting(self._posed(), answer.value)
        except AnswerRefused as error:
            run.stop(error)  # whoever answers at once is no person who could be told
        body, blobs = run.codec.split(given)
        answered = Answered(self._id, run.clock.now(), answer.by, body)
        run.append(answered, blobs=blobs, barrier=True)
        return given

    def _posed(self) -> Interrupt:
        """Return the question as it is recorded, after recording it if that is still to do."""
        if self._interrupt is None:
            asked = self._asked
            if asked is None or asked.print != self._slot.print:
                asked = self._pose(self._expiry())
            self._interrupt = self._read(asked)
        return self._interrupt

    def _pose(self, expires_at: float | None) -> Asked:
        """Record the question, anew if it is asked in other words or for longer than before."""
        run, slot, before = self._run, self._slot, self._asked
        if self._lane.leaf is not None:
            run.enter_lane(self._lane)
        stored = {"value": self._value, "schema": self._schema}
        if expires_at is not None:
            stored["expires_at"] = expires_at
        body, blobs = run.codec.split(stored)
        ordinal = before.ordinal if before is not None else slot.ordinal
        now = run.clock.now()
        asked = Asked(self._id, slot.lane, slot.name, ordinal, slot.print, slot.nth, now, body)
        run.append(asked, blobs=blobs, barrier=True)
        self._asked = asked
        return asked

    def _read(self, asked: Asked) -> Interrupt:
        log = self._run.log
        if log is None:
            return Interrupt(self._value, self._id, self._schema)
        return interrupt_of(asked, log.value(asked.question))

    def _expiry(self) -> float | None:
        """Return when a new question expires: durably's own may say so many seconds."""
        seconds = self._value.get("deadline") if is_native(self._value) else None
        if not isinstance(seconds, int | float) or isinstance(seconds, bool):
            return None
        return self._run.clock.now() + seconds

    def _overdue(self) -> Answer | None:
        """Return the default decision if the deadline is over, unless somebody is given longer."""
        run, interrupt = self._run, self._posed()
        question = question_of(interrupt)
        if question.expires_at is None or run.clock.now() < question.expires_at:
            return None
        escalate = run.options.escalate
        said = escalate(interrupt, run.info) if escalate is not None else None
        if isinstance(said, Extension):
            self._interrupt = self._read(self._pose(run.clock.now() + said.seconds))
            return None
        return said or (Answer(question.default, DEADLINE) if question.default else None)


def interrupt_of(asked: Asked, stored: Mapping[str, Any]) -> Interrupt:
    """Return a recorded question as people see it.

    Args:
        asked: Its record.
        stored: The record's ``question``, decoded.
    """
    value = stored["value"]
    if "expires_at" in stored and isinstance(value, Mapping):
        value = {**value, "expires_at": stored["expires_at"]}
    return Interrupt(value, asked.id, stored.get("schema"))


def _recorded(run: Run, lane: Lane, slot: Slot, packed: bytes) -> Asked | None:
    """Return the recorded question that this one is, word for word but for text made anew.

    An answer serves the text that it was given to, and no other.
    """
    asked = run.past.question(slot)
    if asked is not None and asked.id not in lane.taken:
        return asked
    if not run.past.asked or run.log is None:
        return None
    now = unpack(packed)
    for asked in _may_be_same(run, lane, slot):
        if asked.print == slot.print:
            return asked
        before = unpack(fingerprint(run.log.value(asked.question)["value"])[1])
        then = run.past.moment_of(0, asked.at)
        if equal_but_fresh(before, now, then, run.moment(), is_prompt=True):
            return asked
    return None


def _may_be_same(run: Run, lane: Lane, slot: Slot) -> list[Asked]:
    """Return the questions of a name that are left: in the lane, or anywhere if it was edited."""
    left = run.past.questions_left(lane, slot.name)
    if left or not run.program_changed():
        return left
    return [
        asked
        for asked in run.past.asked.values()
        if asked.name == slot.name and asked.id not in run.past.met_questions
    ]


def _id(run: Run, slot: Slot) -> str:
    """Make an id of 32 hex digits that is the same in every process."""
    text = f"{run.id}|{slot.lane}|{slot.name}|{slot.print.hex()}|{slot.nth}"
    return hashlib.blake2b(text.encode(errors="surrogatepass"), digest_size=16).hexdigest()


def _data(schema: Any) -> Any:
    """Return a response schema as data; a class is told as its JSON schema."""
    describe = getattr(schema, "model_json_schema", None)
    return describe() if callable(describe) else schema if isinstance(schema, dict) else None
