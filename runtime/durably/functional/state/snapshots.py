"""A thread's state and history in LangGraph's shape: snapshots, folded from the journal.

There are no checkpoints in the journal. A snapshot stands for a moment: a run began, a run was
done, the state was edited. Its ``checkpoint_id`` is that moment's row number, followed by the row
up to which the run had come if it had been suspended then.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from ...journal.records import (
    SUPERSEDED,
    Answered,
    Asked,
    Entry,
    RunEnded,
    RunStarted,
    RunWaiting,
    Updated,
)
from ...types import Interrupt, PregelTask, StateSnapshot

Decode = Callable[[bytes], Any]


@dataclass(slots=True)
class Moment:
    """One moment of a thread.

    Attributes:
        seq: The row that it stands for.
        run: Whose it is.
        entry: The run's entrypoint.
        step: Its number, from -1.
        at: Seconds since the epoch.
        source: ``input``, ``loop``, ``update`` or ``fork``.
        values: What the last finished run had returned, encoded; None if none had.
        meta: The run's metadata.
        pending: Whether the run was still to be done at this moment.
        result: What the run returned, if it is done by now.
        error: What ended it, if it failed.
        asked: Its questions, by id.
        open: Ids of the questions that have no answer.
        upto: The row at which the run was last suspended.
    """

    seq: int
    run: str
    entry: str
    step: int
    at: float
    source: str
    values: bytes | None
    meta: Mapping[str, Any]
    pending: bool
    result: bytes | None = None
    error: bytes | None = None
    asked: dict[str, Asked] = field(default_factory=dict[str, Asked])
    open: list[str] = field(default_factory=list[str])
    upto: int = 0
    is_done: bool = False

    @property
    def checkpoint_id(self) -> str:
        """The moment's address."""
        own = f"{self.seq:010d}"
        return f"{own}.{self.upto:010d}" if self.upto and not self.is_done else own


def moments(entries: Iterable[Entry]) -> list[Moment]:
    """Return a thread's moments, oldest first."""
    found: list[Moment] = []
    begun: dict[str, Moment] = {}
    values: bytes | None = None
    for entry in entries:
        record = entry.record
        step = len(found) - 1
        if isinstance(record, RunStarted):
            source = str(record.meta.get("source", "input"))
            moment = Moment(
                entry.seq,
                entry.run,
                record.entry,
                step,
                record.at,
                source,
                values,
                record.meta,
                pending=True,
            )
            begun[entry.run] = moment
            found.append(moment)
        elif isinstance(record, Updated):
            values = record.value
            found.append(
                Moment(
                    entry.seq,
                    entry.run,
                    "",
                    step,
                    record.at,
                    "update",
                    values,
                    record.meta,
                    pending=False,
                )
            )
        elif entry.run in begun:
            moment = begun[entry.run]
            _take(moment, entry)
            if isinstance(record, RunEnded) and record.status == "done":
                values = record.value
                found.append(
                    Moment(
                        entry.seq,
                        entry.run,
                        moment.entry,
                        step,
                        record.at,
                        "loop",
                        values,
                        moment.meta,
                        pending=False,
                    )
                )
    return found


def _take(moment: Moment, entry: Entry) -> None:
    record = entry.record
    if isinstance(record, Asked):
        moment.asked[record.id] = record
    elif isinstance(record, RunWaiting):
        moment.open, moment.upto = list(record.open), entry.seq
    elif isinstance(record, Answered):
        moment.open = [one for one in moment.open if one != record.id]
    elif isinstance(record, RunEnded) and record.status != SUPERSEDED:  # it is shown as it was left
        moment.open = []
        moment.is_done = record.status == "done"
        moment.result = record.value if moment.is_done else None
        moment.error = None if moment.is_done else record.value


def snapshots(
    thread: str, entries: Iterable[Entry], decode: Decode, *, latest: bool = False
) -> Iterator[StateSnapshot]:
    """Yield a thread's snapshots, newest first; values are decoded as they are yielded."""
    found = moments(entries)
    for index in range(len(found) - 1, -1, -1):
        parent = found[index - 1] if index else None
        is_newest = index == len(found) - 1
        yield snapshot(thread, found[index], parent, decode, is_newest=is_newest)
        if latest:
            return


def snapshot(
    thread: str, moment: Moment, parent: Moment | None, decode: Decode, *, is_newest: bool
) -> StateSnapshot:
    """Return one moment as LangGraph would show it."""
    interrupts = _interrupts(moment, decode, only_open=is_newest)
    name = moment.entry.rpartition(":")[2].rpartition(".")[2]
    task = PregelTask(
        moment.run,
        name,
        ("__pregel_pull", name),
        decode(moment.error) if moment.error else None,
        interrupts,
        None,
        decode(moment.result) if moment.result else None,
    )
    metadata = {
        "source": moment.source,
        "step": moment.step,
        "parents": {},
        **moment.meta.get("metadata", {}),
    }
    return StateSnapshot(
        values=decode(moment.values) if moment.values else None,
        next=(name,) if moment.pending else (),
        config=address(thread, moment),
        metadata=metadata,
        created_at=datetime.fromtimestamp(moment.at, UTC).isoformat(),
        parent_config=address(thread, parent) if parent is not None else None,
        tasks=(task,) if moment.pending else (),
        interrupts=interrupts if moment.pending else (),
    )


def address(thread: str, moment: Moment) -> dict[str, Any]:
    """Return the config that addresses a moment."""
    place = {"thread_id": thread, "checkpoint_ns": "", "checkpoint_id": moment.checkpoint_id}
    return {"configurable": place}


def _interrupts(moment: Moment, decode: Decode, *, only_open: bool) -> tuple[Interrupt, ...]:
    """Return the open questions of the newest moment; of an earlier one, the last it asked."""
    chosen = moment.open if only_open else moment.open or list(moment.asked)[-1:]
    shown = [(one, decode(moment.asked[one].question)) for one in chosen if one in moment.asked]
    return tuple(Interrupt(body["value"], one, body.get("schema")) for one, body in shown)
