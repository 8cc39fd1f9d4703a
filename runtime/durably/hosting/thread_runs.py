"""What an ``invoke`` means for its thread: a new run, or the continuation of the unfinished one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..engine import Run, Sink, fingerprint
from ..errors import ResumeError
from ..journal import durability_of
from ..types import Command, RunView
from .entry_identity import continuable
from .fork import fork
from .host import Host
from .people.command_answers import answers_of
from .run_views import new_run_id

_NOT_METADATA = frozenset({"thread_id", "checkpoint_id", "checkpoint_ns"})
UNFINISHED = frozenset({"stopped", "waiting", "failed"})


_RESERVED = ("thread_id", "checkpoint_id", "checkpoint_ns")


def checked(config: Mapping[str, Any] | None) -> None:
    """Refuse a config that would not do what it says.

    Raises:
        TypeError: It, or its ``configurable``, is no mapping; or a limit is no number.
        ValueError: It names a thread outside of ``configurable``, or a limit below 1.
    """
    if not config:
        return
    if not isinstance(config, Mapping):
        raise TypeError(f"a config is a mapping, not {config!r}")
    place = config.get("configurable")
    if place is not None and not isinstance(place, Mapping):
        raise TypeError(f"config['configurable'] is a mapping, not {place!r}")
    misplaced = [name for name in _RESERVED if name in config]
    if misplaced:
        raise ValueError(
            f"config has {misplaced[0]!r} beside 'configurable', where it means nothing; write "
            f'{{"configurable": {{"{misplaced[0]}": …}}}}'
        )
    for name in ("recursion_limit", "max_concurrency"):
        limit = config.get(name)
        if limit is None:
            continue
        if isinstance(limit, bool) or not isinstance(limit, int):
            raise TypeError(f"config[{name!r}] is a whole number, not {limit!r}")
        if limit < 1:
            raise ValueError(f"{name} must be at least 1, not {limit!r}")


def place_of(config: Mapping[str, Any] | None) -> Mapping[str, Any]:
    """Return what a LangGraph-style config addresses: its ``configurable``, maybe empty."""
    place: Mapping[str, Any] = (config or {}).get("configurable") or {}
    return place


def thread_of(config: Mapping[str, Any] | None) -> str | None:
    """Return the thread id in a LangGraph-style config, or None.

    A UUID, a number or another value with a text of its own names the thread of that text, as in
    LangGraph.

    Raises:
        TypeError: The config is not as :func:`checked` wants it.
        ValueError: Nor is it; or the id is empty, a list or mapping, or has another text in each
            process.
    """
    checked(config)
    thread = place_of(config).get("thread_id")
    if thread is None:
        return None
    cls: Any = type(thread)
    if cls.__hash__ is None:
        raise ValueError(
            f"config['configurable']['thread_id'] is {thread!r}, a {cls.__name__}, which names no "
            "thread; give a text, a number or a UUID"
        )
    if cls.__str__ is object.__str__ and cls.__repr__ is object.__repr__:
        raise ValueError(
            f"config['configurable']['thread_id'] is {thread!r}, whose text is another in each "
            "process; give a text, a number or a UUID"
        )
    if not str(thread):
        raise ValueError("config['configurable']['thread_id'] is empty; name the thread")
    return str(thread)


def named_thread(config: Mapping[str, Any] | None) -> str:
    """Return the thread id in a LangGraph-style config.

    Raises:
        ValueError: There is none, or it is one that :func:`thread_of` refuses.
    """
    thread = thread_of(config)
    if thread is None:
        raise ValueError('config={"configurable": {"thread_id": …}} names no thread')
    return thread


def open_run(
    host: Host,
    entry: str,
    given: Any,
    config: Mapping[str, Any] | None,
    sink: Sink | None = None,
    *,
    same_input_continues: bool,
    durability: str | None = None,
    call: str = "",
    former: str = "",
) -> Run:
    """Return the run that an ``invoke(given, config)`` is about, ready to be driven.

    ``None`` and :class:`Command` continue the thread's last run. Anything else starts a new run,
    unless *same_input_continues* and the thread's last run was given the same and is unfinished:
    a service that crashed and makes the same call again goes on where it was. A new run takes the
    place of the thread's unfinished one: that is ``superseded``, and its questions are closed.

    *call* is what the program would call to continue the run, for people; *former* is what *entry*
    was recorded as before entries had names.

    A ``checkpoint_id`` in the config addresses an earlier moment: the new run is a fork that begins
    with what had been done by then.

    Raises:
        ResumeError: There is nothing to continue, it was started as something else, or an answer
            does not fit.
        ThreadBusy: Another run is driving the thread.
    """
    thread = thread_of(config)
    meta = {"metadata": _metadata(config), "call": call}
    mode = durability_of(durability)
    continues = given is None or isinstance(given, Command)
    if thread is None:
        if continues:
            raise ResumeError(
                f"{entry}: to continue a run, name its thread: "
                'config={"configurable": {"thread_id": …}}'
            )
        run_id = new_run_id()
        log = host.journal.take(run_id, mode)
        return host.begin_on(log, entry, given, run_id=run_id, meta=meta, sink=sink)
    log = host.journal.take(thread, mode)
    try:
        checkpoint = _checkpoint(config)
        if checkpoint is not None:
            return fork(host, log, entry, given, checkpoint_id=checkpoint, meta=meta, sink=sink)
        last = host.latest(log) if continues or same_input_continues else None
        if continues:
            last = continuable(_existing(last, thread), entry, former)
            answers = answers_of(host, last, given) if isinstance(given, Command) else None
            return host.taken_up(log, last, answers=answers, meta=meta, sink=sink)
        if last is not None and last.entry in (entry, former) and _is_same(last, given):
            last = continuable(last, entry, former)
            return host.taken_up(log, last, meta=meta, sink=sink)
    except BaseException:
        log.release()
        raise
    return host.begin_on(log, entry, given, meta=meta, sink=sink, supersedes=True)


def _checkpoint(config: Mapping[str, Any] | None) -> str | None:
    checkpoint = place_of(config).get("checkpoint_id")
    return str(checkpoint) if checkpoint is not None else None


def _metadata(config: Mapping[str, Any] | None) -> dict[str, Any]:
    """Return what a state's metadata says of the config: its metadata, and what names the run."""
    told = {**((config or {}).get("metadata") or {}), **place_of(config)}
    return {
        key: value
        for key, value in told.items()
        if isinstance(value, str | int | float | bool)
        and key not in _NOT_METADATA
        and not key.startswith("__")
    }


def _existing(last: RunView | None, thread: str) -> RunView:
    if last is None:
        raise ResumeError(f"thread {thread!r} has no run to continue")
    return last


def _is_same(last: RunView, given: Any) -> bool:
    return last.status in UNFINISHED and last.request == fingerprint(given)[0]
