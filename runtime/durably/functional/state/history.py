"""Reading and editing the state of an entrypoint's threads."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from ...engine import Run
from ...errors import UnknownRun
from ...hosting import Host, place_of, thread_of
from ...journal.records import Entry, RunEnded, RunStarted, Saved, Updated
from ...types import StateSnapshot
from .snapshots import Moment, address, moments, snapshot, snapshots

Decode = Callable[[bytes], Any]


class History:
    """The states of threads on one host."""

    def __init__(self, host: Host, entry: str) -> None:
        self._host = host
        self._entry = entry

    def state(self, config: Mapping[str, Any]) -> StateSnapshot:
        """Return a thread's state now, or at the moment that ``checkpoint_id`` names.

        Raises:
            UnknownRun: The thread has no such moment.
        """
        thread = _thread(config)
        found = moments(_landmarks(self._host, thread))
        wanted = place_of(config).get("checkpoint_id")
        if wanted is None:
            if not found:
                return StateSnapshot({}, (), dict(config), None, None, None, (), ())
            return self._shown(thread, found, len(found) - 1)
        seq = str(wanted).partition(".")[0]
        for index, moment in enumerate(found):
            if f"{moment.seq:010d}" == seq:
                return self._shown(thread, found, index)
        raise UnknownRun(f"thread {thread!r} has no state {wanted!r}")

    def _shown(self, thread: str, found: list[Moment], index: int) -> StateSnapshot:
        parent = found[index - 1] if index else None
        is_newest = index == len(found) - 1
        return snapshot(thread, found[index], parent, self._decode(thread), is_newest=is_newest)

    def states(
        self,
        config: Mapping[str, Any],
        *,
        matching: Mapping[str, Any] | None,
        before: Mapping[str, Any] | None,
        limit: int | None,
    ) -> Iterator[StateSnapshot]:
        """Yield a thread's states, newest first."""
        thread = _thread(config)
        bound = place_of(before).get("checkpoint_id")
        given = 0
        for state in snapshots(thread, _landmarks(self._host, thread), self._decode(thread)):
            if limit is not None and given >= limit:
                return
            identity = state.config["configurable"]["checkpoint_id"]
            if bound is not None and identity[:10] >= str(bound)[:10]:
                continue
            metadata = state.metadata or {}
            if matching and any(metadata.get(key) != value for key, value in matching.items()):
                continue
            given += 1
            yield state

    def update(self, config: Mapping[str, Any], value: Any, save: Any) -> dict[str, Any]:
        """Edit a thread; a run that had not finished is given up."""
        thread = _thread(config)
        log = self._host.journal.take(thread)
        try:
            now = self._host.clock.now()
            body, blobs = self._host.codec.split(value)
            kept, more = self._host.codec.split(save)
            last = self._host.latest(log)
            if last is not None and last.status not in ("done", "cancelled"):
                log.append(last.run, RunEnded("cancelled", now, b"", [], "the state was edited"))
            meta = {"metadata": last.meta.get("metadata", {}) if last is not None else {}}
            record = Updated(now, body, kept, meta)
            seq = log.append("", record, blobs={**blobs, **more}, barrier=True)
        finally:
            log.release()
        edited = Moment(seq, "", self._entry, 0, now, "update", body, meta, pending=False)
        return address(thread, edited)

    def _decode(self, thread: str) -> Decode:
        def decode(body: bytes) -> Any:
            return self._host.journal.value(thread, body)

        return decode


def saved_before(run: Run, lane: str = "") -> Any:
    """Return what the thread had been told to remember when *run* began, or None.

    Args:
        run: The run.
        lane: Whose memory: the entrypoint's own, or that of a nested one that keeps one; the
            latter remembers earlier calls of the same run too.
    """
    if run.log is None or (run.log.was_empty and not lane):
        return None
    before: int | None = None if lane else 0
    for entry in run.log.marks():
        record = entry.record
        if before is None or entry.seq < before:
            if isinstance(record, Saved) and record.lane == lane:
                return run.log.value(record.value)
            if isinstance(record, Updated) and not lane:
                return run.log.value(record.save)
        elif entry.run == run.id and isinstance(record, RunStarted):
            before = int(record.meta.get("memory_before", entry.seq))
    return None


def _landmarks(host: Host, thread: str) -> list[Entry]:
    """Return a thread's landmarks, oldest first: what its states are made from."""
    return list(host.journal.marks(thread))[::-1]


def state_of(host: Host, run: Run) -> StateSnapshot | None:
    """Return the state that a run's thread is in now."""
    if run.log is None:
        return None
    thread = run.log.thread
    entries = _landmarks(host, thread)
    shown = snapshots(thread, entries, lambda body: host.journal.value(thread, body), latest=True)
    return next(shown, None)


def done_value(host: Host, thread: str, entry: str) -> tuple[Any] | None:
    """Return the value of the thread's newest moment if nothing is left for *entry* to do there."""
    ended: tuple[str, bytes] | None = None
    for mark in host.journal.marks(thread):
        record = mark.record
        if isinstance(record, RunStarted):
            if ended is None or record.entry != entry:
                return None
            if mark.run == ended[0]:
                return _value(host, thread, ended[1])
        elif ended is not None or (isinstance(record, RunEnded) and record.status != "done"):
            continue
        elif isinstance(record, Updated):
            return _value(host, thread, record.value)
        elif isinstance(record, RunEnded):
            ended = mark.run, record.value
    return None


def _value(host: Host, thread: str, body: bytes) -> tuple[Any]:
    return (host.journal.value(thread, body) if body else None,)


def _thread(config: Mapping[str, Any]) -> str:
    thread = thread_of(config)
    if thread is None:
        raise ValueError('config={"configurable": {"thread_id": …}} names no thread')
    return thread
