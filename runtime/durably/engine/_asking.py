"""Questions to people: found in the journal, answered at once, or what the run waits for."""

from __future__ import annotations

import hashlib
from typing import Any

from ..errors import DurablyError, ProgramChanged, Suspended
from ..journal.records import Answered, Asked
from ..types import Interrupt
from ._answers import fitting
from ._identity import fingerprint, same_shape, unpack
from ._lane import Lane, line_here
from ._past import Slot
from ._run import Run


def ask(run: Run, lane: Lane, name: str, value: Any, schema: Any = None) -> Any:
    """Return the answer to a question, recorded or given right now.

    Raises:
        Suspended: Nobody has answered yet; the question is recorded and shown.
    """
    print_, packed = fingerprint(value)
    with run.lock:
        slot = run.past.slot(lane, "human", name, print_)
        asked = run.past.question(slot)
        if asked is None and lane.is_home(line_here()):
            asked = _displaced(run, lane, slot, packed)
        elif asked is not None:
            _check_untaken(run, lane, asked)
        if asked is not None:
            lane.taken.add(("human", name, asked.ordinal))
        run.activity += 1
    if asked is not None and asked.id in run.past.answers:
        return _recorded(run, asked)
    return _open(run, slot, asked, value, schema)


def _check_untaken(run: Run, lane: Lane, asked: Asked) -> None:
    """Stop the run if the answer was given to another question before its own came."""
    if ("human", asked.name, asked.ordinal) in lane.taken:
        run.stop(
            ProgramChanged(
                f"run {run.id}, {lane.path or 'the run'}: the questions come in another order than "
                f"in the journal, and an earlier one was given the answer to {asked.id}. Restore "
                "the order, or start a new run."
            )
        )


def _recorded(run: Run, asked: Asked) -> Any:
    assert run.log is not None
    run.replayed += 1
    try:
        return run.log.value(run.past.answers[asked.id].value)
    except DurablyError as error:
        run.stop(error)  # a framework would take it for its own failure


def _open(run: Run, slot: Slot, asked: Asked | None, value: Any, schema: Any) -> Any:
    identity = asked.id if asked is not None else _id(run, slot)
    interrupt = Interrupt(value, identity, schema)
    if asked is None:
        body, blobs = run.codec.split({"value": value, "schema": _data(schema)})
        record = Asked(
            identity,
            slot.lane,
            slot.name,
            slot.ordinal,
            slot.print,
            slot.nth,
            run.clock.now(),
            body,
        )
        run.append(record, blobs=blobs, barrier=True)
    answer = run.options.answerer(interrupt, run.info) if run.options.answerer else None
    if answer is not None and run.log is not None:
        given = fitting(value, answer.value, identity)
        body, blobs = run.codec.split(given)
        run.append(Answered(identity, run.clock.now(), answer.by, body), blobs=blobs, barrier=True)
        return given
    with run.lock:
        run.pending[identity] = interrupt
    run.tell(run.options.listeners.interrupted, run.info, interrupt)
    raise Suspended(f"run {run.id} waits for an answer to {identity}")


def _displaced(run: Run, lane: Lane, slot: Slot, packed: bytes) -> Asked | None:
    """Return the question asked at this position in other words, if it is the same question."""
    asked = run.past.displaced_question(slot, lane)
    if asked is None or run.log is None:
        return None
    before = unpack(fingerprint(run.log.value(asked.question)["value"])[1])
    if run.program_changed() or not same_shape(before, unpack(packed)):
        return None
    return asked


def _id(run: Run, slot: Slot) -> str:
    """Make an id of 32 hex digits that is the same in every process."""
    text = f"{run.id}|{slot.lane}|{slot.name}|{slot.print.hex()}|{slot.nth}"
    return hashlib.blake2b(text.encode(errors="surrogatepass"), digest_size=16).hexdigest()


def _data(schema: Any) -> Any:
    """Return a response schema as data; a class is told as its JSON schema."""
    describe = getattr(schema, "model_json_schema", None)
    return describe() if callable(describe) else schema if isinstance(schema, dict) else None
