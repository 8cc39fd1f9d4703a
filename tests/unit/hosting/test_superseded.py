"""A waiting run whose thread gets a new input is given up, and everybody who asks is told."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from durably import (
    AnswerRefused,
    Command,
    Entrypoint,
    Host,
    Inbox,
    MemoryStorage,
    SqliteStorage,
    ThreadBusy,
    entrypoint,
    interrupt,
)
from durably.engine import drive
from durably.errors import EncodeError
from durably.hosting import all_runs, follow, open_run
from durably.journal import Lease, Row, Storage
from durably.journal.records import RunEnded, RunStarted
from durably.testing import FakeClock
from durably.types import RunView

CONFIG = {"configurable": {"thread_id": "t"}}
NOON = 1_700_000_000.0
LIMITED = {
    "kind": "confirmation",
    "message": "Go?",
    "allowed": ["approve", "reject"],
    "deadline": 3600,
    "default": {"type": "reject"},
}


@pytest.fixture(params=["memory", "sqlite"])
def storage(request: pytest.FixtureRequest, tmp_path: Path) -> Storage:
    return MemoryStorage() if request.param == "memory" else SqliteStorage(tmp_path / "j.db")


@pytest.fixture
def host(storage: Storage) -> Iterator[Host]:
    made = Host(storage, config=False, clock=FakeClock(NOON))
    yield made
    made.close()


def asking(host: Host, question: Any = "Which one?") -> Entrypoint:
    @entrypoint(checkpointer=host)
    def flow(given: Any) -> Any:
        return [given, interrupt(question)] if given != "no question" else given

    return flow


def runs(host: Host) -> list[RunView]:
    return all_runs(host.journal)


@pytest.mark.parametrize("way", ["invoke", "ainvoke", "stream", "astream"])
async def test_a_new_input_gives_a_waiting_run_up(host, way):
    """The old run is superseded by the new one, in whatever way that is begun."""

    @entrypoint(checkpointer=host)
    async def flow(given: int) -> Any:
        return [given, interrupt("Which one?")]

    plain = asking(host)

    async def call(given: Any) -> None:
        if way == "invoke":
            await asyncio.to_thread(plain.invoke, given, CONFIG)
        elif way == "stream":
            await asyncio.to_thread(lambda: list(plain.stream(given, CONFIG)))
        elif way == "ainvoke":
            await flow.ainvoke(given, CONFIG)
        else:
            [_ async for _ in flow.astream(given, CONFIG)]

    await call(1)
    [before] = Inbox(host).pending()
    await call(2)
    [question] = Inbox(host).pending()
    old, new = runs(host)
    assert (old.status, old.successor, old.open) == ("superseded", new.run, [])
    assert old.error == f"the thread got a new input; run {new.run} took its place"
    assert (new.status, new.successor) == ("waiting", "")
    assert (question.run, question.id != before.id) == (new.run, True)
    [(closed, view)] = Inbox(host).superseded()
    assert (closed.id, view.run) == (before.id, old.run)


def test_an_answer_to_a_superseded_run_is_refused(host):
    """Whoever answers learns which run took the place, and where to look; nothing is recorded."""
    flow = asking(host)
    flow.invoke(1, CONFIG)
    [before] = Inbox(host).pending()
    flow.invoke(2, CONFIG)
    old, new = runs(host)
    rows = len(host.journal.read("t"))
    with pytest.raises(AnswerRefused) as error:
        Inbox(host).answer(before.id, "this one")
    refused = error.value
    assert (refused.reason, refused.successor, refused.at) == ("superseded", new.run, NOON)
    assert f"run {old.run} is superseded. The thread got a new input" in str(refused)
    assert f"run {new.run} took its place. Nothing was recorded." in str(refused)
    with pytest.raises(AnswerRefused, match=f"run {old.run} is superseded") as error:
        flow.invoke(Command(resume={before.id: "this one"}), CONFIG)
    assert error.value.reason == "superseded"
    assert len(host.journal.read("t")) == rows
    assert flow.invoke(Command(resume="that one"), CONFIG) == [2, "that one"]


def test_an_answer_that_was_in_time_stays_told(host):
    """A double click after the new input is confirmed as it was; it changes nothing."""
    flow = asking(host)
    flow.invoke(1, CONFIG)
    [before] = Inbox(host).pending()
    Inbox(host).answer(before.id, "this one", by="ada")
    flow.invoke(2, CONFIG)
    again = Inbox(host).answer(before.id, "this one", by="bob")
    assert (again.by, again.is_new) == ("ada", False)
    assert Inbox(host).superseded() == []


def test_it_is_told_at_once_while_the_new_run_works(host, storage):
    """Nobody is asked to try again later for a question that is over."""
    flow = asking(host)
    flow.invoke(1, CONFIG)
    [before] = Inbox(host).pending()
    at_work, told = threading.Event(), threading.Event()

    def body(_: Any) -> str:
        at_work.set()
        told.wait(30)
        return "done"

    works = entrypoint(checkpointer=host)(body)
    thread = threading.Thread(target=works.invoke, args=(2, CONFIG))
    thread.start()
    at_work.wait(30)
    with pytest.raises(AnswerRefused, match="is superseded"):
        Inbox(Host(storage, config=False)).answer(before.id, "x")
    told.set()
    thread.join()


def test_whoever_waits_for_the_answer_is_let_go(host):
    """It can come no more."""
    flow = asking(host)
    flow.invoke(1, CONFIG)
    [before] = Inbox(host).pending()
    flow.invoke(2, CONFIG)
    assert Inbox(host).wait(before.id, timeout=600) is False


@pytest.mark.parametrize("durability", ["sync", "power", "async", "exit"])
def test_both_facts_are_one_commit(storage, durability):
    """The old run's end and the new one's beginning are written together, or neither is."""
    watched = Watched(storage)
    host = Host(watched, config=False)
    flow = asking(host)
    flow.invoke(1, CONFIG)
    watched.appends.clear()
    flow.invoke(2, CONFIG, durability=durability)
    [together] = [one for one in watched.appends if {1, 3} <= {*one}]
    assert together.index(3) < together.index(1)
    assert sum(kinds.count(1) for kinds in watched.appends) == 1
    host.close()


class Watched:
    """A storage that notes the kinds of the rows of each append."""

    def __init__(self, inner: Storage) -> None:
        self._inner = inner
        self.appends: list[list[int]] = []

    def append(
        self, lease: Lease, rows: Sequence[Row], blobs: Mapping[bytes, bytes], *, barrier: bool
    ) -> None:
        self.appends.append([row.kind for row in rows])
        self._inner.append(lease, rows, blobs, barrier=barrier)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)


def test_a_run_that_cannot_begin_gives_nothing_up(host):
    """An input that cannot be written, or a thread that is driven, leaves the question open."""
    flow = asking(host)
    flow.invoke(1, CONFIG)
    before = Inbox(host).pending()
    with pytest.raises(EncodeError):
        flow.invoke(threading.Lock(), CONFIG)
    log = host.journal.take("t")
    with pytest.raises(ThreadBusy):
        flow.invoke(2, CONFIG)
    log.release()
    assert [one.id for one in Inbox(host).pending()] == [one.id for one in before]


def test_continuing_gives_nothing_up(host):
    """``None`` and a command go on with the run that waits."""
    flow = asking(host)
    flow.invoke(1, CONFIG)
    flow.invoke(None, CONFIG)
    assert flow.invoke(Command(resume="x"), CONFIG) == [1, "x"]
    flow.invoke("no question", CONFIG)
    assert [one.status for one in runs(host)] == ["done", "done"]


def test_an_earlier_moment_with_a_new_input_gives_it_up_too(host):
    """A thread has one newest run, whichever moment it began from."""
    flow = asking(host)
    flow.invoke("no question", CONFIG)
    done = flow.get_state(CONFIG).config
    flow.invoke(1, CONFIG)
    flow.invoke("no question", done)
    assert [one.status for one in runs(host)] == ["done", "superseded", "done"]
    assert Inbox(host).pending() == []


@pytest.mark.parametrize(
    ("ended", "status"), [(KeyboardInterrupt, "superseded"), (ValueError, "failed")]
)
def test_a_run_that_stopped_is_given_up_and_one_that_failed_has_ended(host, ended, status):
    """What ended a run stays what is told of it."""

    @entrypoint(checkpointer=host)
    def flow(given: int) -> int:
        if given == 1:
            raise ended("stop")
        return given

    with pytest.raises(ended):
        flow.invoke(1, CONFIG)
    assert flow.invoke(2, CONFIG) == 2
    assert [one.status for one in runs(host)] == [status, "done"]


def test_a_deadline_of_a_superseded_question_decides_nothing(host):
    """The default of a question that is over is not taken; the new one's is."""
    flow = asking(host, LIMITED)
    flow.invoke(1, CONFIG)
    [before] = Inbox(host).pending()
    flow.invoke(2, CONFIG)
    late = Host(host.journal.storage, config=False, clock=FakeClock(NOON + 3600))
    assert asking(late, LIMITED).invoke(None, CONFIG) == [2, {"type": "reject"}]
    with pytest.raises(AnswerRefused) as error:
        Inbox(late).answer(before.id, "approve")
    assert error.value.reason == "superseded"


def test_the_history_shows_the_moment_as_it_was_left(host):
    """A state of the past has its questions, and can be forked with an answer to them."""
    flow = asking(host)
    flow.invoke(1, CONFIG)
    asked = flow.get_state(CONFIG)
    flow.invoke(2, CONFIG)
    past = list(flow.get_state_history(CONFIG))[1]
    assert past.config == asked.config
    assert past.interrupts == asked.interrupts
    given = Command(resume={asked.interrupts[0].id: "this one"})
    assert flow.invoke(given, asked.config) == [1, "this one"]
    assert [one.status for one in runs(host)] == ["superseded", "superseded", "done"]


def test_the_same_input_continues_a_wrapped_objects_run_and_another_gives_it_up(host):
    """``wrap`` takes an equal input for the same call; a different one is a new run."""

    def call(given: Any, ask: Callable[[Any], Any]) -> str:
        run = open_run(host, "entry", given, CONFIG, same_input_continues=True)
        try:
            drive(run, lambda: ask(given))
        finally:
            host.release(run)
        return run.id

    first = call("a", interrupt)
    assert call("a", interrupt) == first
    second = call("b", interrupt)
    old, new = runs(host)
    assert (old.run, old.status, old.successor) == (first, "superseded", second)
    assert (new.run, new.status) == (second, "waiting")


def test_a_follower_goes_on_with_the_run_that_took_over(host):
    """The end of the run that was given up ends no stream."""

    @entrypoint(checkpointer=host)
    def flow(given: int) -> int:
        if given == 1:
            raise KeyboardInterrupt
        return given

    with pytest.raises(KeyboardInterrupt):
        flow.invoke(1, CONFIG)
    followed = follow(host.journal, "t", timeout=0)
    seen = [next(followed)]
    flow.invoke(2, CONFIG)
    seen += followed
    told = [one.record for one in seen if isinstance(one.record, RunStarted | RunEnded)]
    old, new = runs(host)
    assert [type(one) for one in told] == [RunStarted, RunEnded] * 2
    assert [one.status for one in told if isinstance(one, RunEnded)] == ["superseded", "done"]
    assert {one.run for one in seen} == {old.run, new.run}
