"""What an ``invoke`` means for its thread: a new run, or the continuation of the unfinished one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from ..engine import Outcome, Run, Sink, fingerprint
from ..errors import ResumeError
from ..types import Command, Interrupt, RunView
from ._host import Host

UNFINISHED = frozenset({"stopped", "waiting", "failed"})


def thread_of(config: Mapping[str, Any] | None) -> str | None:
    """Return the thread id in a LangGraph-style config, or None.

    Raises:
        ValueError: It is neither a string nor a number.
    """
    if not config:
        return None
    thread = (config.get("configurable") or {}).get("thread_id")
    if thread is None:
        return None
    if not isinstance(thread, str | int) or thread == "":
        raise ValueError(
            f"config['configurable']['thread_id'] must be a non-empty string, not {thread!r}"
        )
    return str(thread)


def open_run(
    host: Host,
    entry: str,
    given: Any,
    config: Mapping[str, Any] | None,
    sink: Sink | None = None,
    *,
    same_input_continues: bool,
) -> Run:
    """Return the run that an ``invoke(given, config)`` is about, ready to be driven.

    ``None`` and :class:`Command` continue the thread's last run. Anything else starts a new run,
    unless *same_input_continues* and the thread's last run was given the same and is unfinished:
    a service that crashed and makes the same call again goes on where it was.

    Raises:
        ResumeError: There is nothing to continue, or an answer does not fit.
        ThreadBusy: Another run is driving the thread.
    """
    thread = thread_of(config)
    meta = {"metadata": dict((config or {}).get("metadata") or {})}
    continues = given is None or isinstance(given, Command)
    if thread is None:
        if continues:
            raise ResumeError(
                f"{entry}: to continue a run, name its thread: "
                'config={"configurable": {"thread_id": …}}'
            )
        return host.begin(entry, given, meta=meta, sink=sink)
    log = host.journal.take(thread)
    try:
        last = host.latest(log)
        if continues:
            last = _existing(last, thread)
            answers = _answers(host, last, given) if isinstance(given, Command) else None
            return host.taken_up(log, last, answers=answers, meta=meta, sink=sink)
        if same_input_continues and last is not None and _is_same(last, entry, given):
            return host.taken_up(log, last, meta=meta, sink=sink)
    except BaseException:
        log.release()
        raise
    return host.begin_on(log, entry, given, meta=meta, sink=sink)


def _existing(last: RunView | None, thread: str) -> RunView:
    if last is None:
        raise ResumeError(f"thread {thread!r} has no run to continue")
    return last


def _is_same(last: RunView, entry: str, given: Any) -> bool:
    return (
        last.status in UNFINISHED and last.entry == entry and last.request == fingerprint(given)[0]
    )


def _answers(host: Host, view: RunView, command: Command) -> Mapping[str, Any]:
    """Return the command's answers by interrupt id."""
    value = command.resume
    if value is None:
        raise ResumeError("Command() says nothing; give Command(resume=…) an answer")
    if isinstance(value, Mapping) and value and all(map(_is_id, value)):
        return cast("Mapping[str, Any]", value)  # refused one by one, each with its reason
    if not view.open:
        raise ResumeError(
            f"run {view.run} on thread {view.thread!r} waits for no answer (it is {view.status})"
        )
    if len(view.open) > 1:
        asked = "; ".join(f"{one.id}: {one.value!r}" for one in host.questions(view))
        raise ResumeError(
            f"run {view.run} waits for {len(view.open)} answers; give Command(resume={{id: answer, "
            f"…}}). Open questions: {asked}"
        )
    return {view.open[0]: value}


def _is_id(key: object) -> bool:
    return isinstance(key, str) and len(key) == 32 and not set(key) - set("0123456789abcdef")  # noqa: PLR2004 - as in engine/_asking


def delivered(outcome: Outcome) -> Any:
    """Return what ``invoke`` returns for an outcome, or raise what it raises."""
    if outcome.status == "waiting":
        return {"__interrupt__": list[Interrupt](outcome.interrupts)}
    if outcome.status == "done":
        return outcome.value
    assert outcome.error is not None
    raise outcome.error
