"""Coroutines share commits, and an event loop goes on while a slow one is made."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from tests.unit.func.places import thread

from durably import Host, SqliteStorage, StorageError, Suspended, entrypoint, interrupt, task
from durably.journal.records import STEP_OK, StepEnded, StepStarted, from_row
from durably.storage import Append, Lease, Row


class Watched(SqliteStorage):
    """Tells how many rows each append and each shared one brought; may be slow, and may fail."""

    def __init__(self, path: Path, *, is_remote: bool = False) -> None:
        super().__init__(path)
        self.is_remote = is_remote
        self.alone: list[int] = []
        self.shared: list[list[int]] = []
        self.begun = threading.Event()
        self.go_on = threading.Event()
        self.go_on.set()
        self.fails = False
        self.taking, self.given_back = threading.Event(), threading.Event()
        self.may_take = threading.Event()
        self.may_take.set()
        self.forbidden = 0

    def acquire(self, thread: str, owner: str, ttl: float, now: float) -> Lease:
        assert threading.get_ident() != self.forbidden
        self.taking.set()
        assert self.may_take.wait(20)
        return super().acquire(thread, owner, ttl, now)

    def renew(self, lease: Lease, until: float) -> None:
        assert threading.get_ident() != self.forbidden
        super().renew(lease, until)
        if not until:
            self.given_back.set()

    def append(
        self, lease: Lease, rows: Sequence[Row], blobs: Mapping[bytes, bytes], *, barrier: bool
    ) -> None:
        assert threading.get_ident() != self.forbidden
        if any(row.kind == STEP_OK for row in rows):
            self.alone.append(sum(row.kind == STEP_OK for row in rows))
            self.begun.set()
            assert self.go_on.wait(20)
            if self.fails:
                raise StorageError("the disk is full")
        super().append(lease, rows, blobs, barrier=barrier)

    def append_all(self, appends: Sequence[Append]) -> Sequence[Exception | None]:
        assert threading.get_ident() != self.forbidden
        self.shared.append([len(one.rows) for one in appends])
        self.begun.set()
        assert self.go_on.wait(20)
        if self.fails:
            return [StorageError("the disk is full") for _ in appends]
        return super().append_all(appends)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "j.db"


@pytest.fixture
def quick(path: Path) -> Iterator[Watched]:
    """A storage whose commits cost little."""
    with contextlib.closing(Watched(path)) as storage:
        yield storage


@pytest.fixture
def remote(path: Path) -> Iterator[Watched]:
    """A storage whose commits are slow, as a server's are."""
    with contextlib.closing(Watched(path, is_remote=True)) as storage:
        yield storage


def steps_of(storage: SqliteStorage, name: str = "t") -> list[str]:
    """Return the values of the thread's steps in the order of the journal."""
    host = Host(storage)
    read = [from_row(name, row).record for row in storage.read(name)]
    ended = [one for one in read if isinstance(one, StepEnded)]
    return [host.journal.value(name, one.value) for one in ended]


@task
async def echo(word: str) -> str:
    return word


@task
async def wait_for(word: str, event: asyncio.Event) -> str:
    await event.wait()
    return word


async def test_what_ends_in_one_round_of_the_loop_is_one_append(quick: Watched) -> None:
    """A hundred steps that end together cost one commit, and go on in the order of the journal."""
    went_on: list[str] = []

    @task
    async def sleep(number: int) -> str:
        await asyncio.sleep(0)
        return str(number)

    async def branch(number: int) -> None:
        went_on.append(await sleep(number))

    @entrypoint(checkpointer=Host(quick))
    async def flow(_: Any) -> None:
        await asyncio.gather(*map(branch, range(100)))

    await flow.ainvoke(1, thread())
    assert quick.shared == [[100]]
    assert went_on == steps_of(quick)


async def test_a_step_with_nothing_beside_it_is_committed_where_it_is(quick: Watched) -> None:
    """One after another, steps pay for no round of the event loop."""

    @entrypoint(checkpointer=Host(quick))
    async def flow(_: Any) -> str:
        return "".join([await echo(word) for word in "abc"])

    assert await flow.ainvoke(1, thread()) == "abc"
    assert (quick.alone, quick.shared) == ([1, 1, 1], [])


async def test_the_loop_goes_on_while_a_slow_commit_is_made(remote: Watched) -> None:
    """What ends meanwhile is the next commit, and no value is seen before its own."""
    seen: list[str] = []

    @entrypoint(checkpointer=Host(remote))
    async def flow(_: Any) -> None:
        async def branch(word: str) -> None:
            seen.append(await echo(word))

        await asyncio.gather(branch("a"), branch("b"), branch("c"), late("d"), late("e"))

    async def late(word: str) -> None:
        await asyncio.to_thread(remote.begun.wait, 20)  # the event loop goes on
        steps = [asyncio.ensure_future(echo(word))]
        for _ in range(20):
            await asyncio.sleep(0)
        if word == "e":
            assert seen == []
            remote.go_on.set()
        seen.append(await steps[0])

    remote.go_on.clear()
    await flow.ainvoke(1, thread())
    assert sum(remote.shared[0]) <= 3  # the thread may be quicker than the loop
    assert sum(map(sum, remote.shared)) == len("abcde") + 2  # the memory, and the end
    assert len(remote.shared) <= 5
    assert seen == steps_of(remote)


async def test_runs_of_one_loop_share_commits(remote: Watched) -> None:
    """What the steps of several runs bring while a commit is made is written with the next."""
    host, events = Host(remote), [asyncio.Event() for _ in range(8)]
    all_here = asyncio.Barrier(9)

    @entrypoint(checkpointer=host)
    async def flow(number: int) -> str:
        await all_here.wait()
        return await wait_for(str(number), events[number])

    runs = [asyncio.ensure_future(flow.ainvoke(n, thread(f"t{n}"))) for n in range(8)]
    await all_here.wait()
    for _ in range(20):
        await asyncio.sleep(0)
    remote.go_on.clear()
    events[0].set()
    await asyncio.to_thread(remote.begun.wait, 20)
    for event in events:
        event.set()
    for _ in range(20):
        await asyncio.sleep(0)
    remote.go_on.set()
    assert await asyncio.gather(*runs) == list(map(str, range(8)))
    assert len(remote.shared[0]) == 1
    assert len(remote.shared[1]) >= 7  # the first may be quick to bring what comes next


async def test_a_failing_shared_commit_stops_the_run(remote: Watched) -> None:
    """No branch goes on, none begins another step, and what was not recorded is done again."""
    begun: list[str] = []

    @task
    async def noted(word: str) -> str:
        begun.append(word)
        return word

    async def branch(word: str) -> None:
        await noted(word)
        with contextlib.suppress(Exception):  # a framework that swallows errors
            await noted(word + "2")

    async def body(_: Any) -> None:
        await asyncio.gather(*map(branch, "ab"))

    remote.fails = True
    with pytest.raises(StorageError, match="disk is full"):
        await entrypoint(checkpointer=Host(remote))(body).ainvoke(1, thread())
    assert begun == ["a", "b"]
    remote.fails = False
    await entrypoint(checkpointer=Host(remote))(body).ainvoke(None, thread())
    assert begun == ["a", "b", "a", "b", "a2", "b2"]


async def test_a_cancelled_coroutine_loses_nothing(remote: Watched) -> None:
    """The outcome of a step that is being written is in the journal, whoever waits for it."""

    @entrypoint(checkpointer=Host(remote))
    async def flow(_: Any) -> str:
        step = asyncio.ensure_future(echo("paid for"))
        await asyncio.to_thread(remote.begun.wait, 20)
        step.cancel()
        with pytest.raises(asyncio.CancelledError):
            await step
        remote.go_on.set()
        return await echo("next")

    remote.go_on.clear()
    assert await flow.ainvoke(1, thread()) == "next"
    assert steps_of(remote) == ["paid for", "next"]


async def test_a_cancelled_run_loses_nothing(remote: Watched) -> None:
    """What is being written when the whole run is cancelled is there when it goes on."""
    begun: list[str] = []

    @task
    async def noted(word: str) -> str:
        begun.append(word)
        return word

    @entrypoint(checkpointer=Host(remote))
    async def flow(_: Any) -> list[str]:
        return list(await asyncio.gather(*map(noted, "abc")))

    remote.go_on.clear()
    running = asyncio.ensure_future(flow.ainvoke(1, thread()))
    await asyncio.to_thread(remote.begun.wait, 20)
    running.cancel()
    threading.Timer(0.05, remote.go_on.set).start()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert await flow.ainvoke(None, thread()) == ["a", "b", "c"]
    assert begun == ["a", "b", "c"]


async def test_nothing_slow_is_done_in_the_thread_of_the_loop(remote: Watched) -> None:
    """From taking the thread to giving it back, with a step, an effect, a failure, a memory."""

    @task(effect="once")
    async def pay() -> str:
        raise ValueError("no money")

    @entrypoint(checkpointer=Host(remote))
    async def flow(word: str) -> str:
        with pytest.raises(ValueError, match="no money"):
            await pay()
        return await echo(word)

    remote.forbidden = threading.get_ident()
    assert await flow.ainvoke("a", thread()) == "a"
    assert await flow.ainvoke("b", thread()) == "b"


async def test_the_loop_goes_on_while_a_thread_is_taken(remote: Watched) -> None:
    """A run whose caller is gone by then gives the thread back."""

    @entrypoint(checkpointer=Host(remote))
    async def flow(word: str) -> str:
        return await echo(word)

    remote.may_take.clear()
    opening = asyncio.ensure_future(flow.ainvoke("a", thread()))
    await asyncio.to_thread(remote.taking.wait, 20)  # the event loop goes on
    opening.cancel()
    with pytest.raises(asyncio.CancelledError):
        await opening
    remote.may_take.set()
    await asyncio.to_thread(remote.given_back.wait, 20)
    assert await flow.ainvoke("b", thread()) == "b"


async def test_an_effect_begins_only_after_its_mark_is_written(remote: Watched) -> None:
    """The loop goes on while the mark is on its way, and the effect waits for it."""
    done: list[str] = []

    @task(effect="once")
    async def pay() -> str:
        done.append("paid")
        return "receipt"

    @entrypoint(checkpointer=Host(remote))
    async def flow(_: Any) -> str:
        paying = asyncio.ensure_future(pay())
        await asyncio.to_thread(remote.begun.wait, 20)
        assert done == []
        remote.go_on.set()
        return await paying

    remote.go_on.clear()
    assert await flow.ainvoke(1, thread()) == "receipt"
    kinds = [type(from_row("t", row).record) for row in remote.read("t")]
    assert kinds.index(StepStarted) < kinds.index(StepEnded)


async def test_a_question_comes_behind_what_is_being_written(remote: Watched) -> None:
    """An append that is made at once takes along what was waiting to be written before it."""

    @entrypoint(checkpointer=Host(remote))
    async def flow(_: Any) -> Any:
        steps = [asyncio.ensure_future(echo(word)) for word in "ab"]
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        try:
            return interrupt("sure?")
        except Suspended:
            await asyncio.gather(*steps)
            raise

    told = await flow.ainvoke(1, thread())
    assert told["__interrupt__"][0].value == "sure?"
    assert steps_of(remote) == ["a", "b"]


async def test_synced_steps_of_several_branches_share_the_sync(quick: Watched) -> None:
    """With ``durability="power"`` a lone step is synced where it is, and many in one go."""

    @entrypoint(checkpointer=Host(quick))
    async def flow(_: Any) -> list[str]:
        await echo("alone")
        return list(await asyncio.gather(*map(echo, "abcdefgh")))

    await flow.ainvoke(1, thread(), durability="power")
    assert quick.alone == [1]
    assert sum(map(sum, quick.shared)) == 8
    assert len(quick.shared) < 8


class Line:
    """Lets plain tasks end one after the other, each when the one before is under way."""

    def __init__(self, storage: Watched, count: int) -> None:
        self.ended = 0
        self._count = count
        self._storage = storage
        self._lock = threading.Lock()

    def end(self, number: int) -> int:
        """End the first; the others when its commit is under way, and let that go on at last."""
        if number:
            assert self._storage.begun.wait(20)
            with self._lock:
                self.ended += 1
                is_last = self.ended == self._count - 1
            if is_last:
                threading.Timer(0.2, self._storage.go_on.set).start()
        return number


def test_threads_of_one_run_share_commits(quick: Watched) -> None:
    """What the others finish while one is committed is the next commit."""
    line = Line(quick, 12)
    quick.go_on.clear()

    @task
    def work(number: int) -> int:
        return line.end(number)

    @entrypoint(checkpointer=Host(quick))
    def flow(count: int) -> list[int]:
        begun = [work(number) for number in range(count)]
        return [one.result() for one in begun]

    assert flow.invoke(12, thread()) == list(range(12))
    assert quick.alone[0] == 1
    assert sum(quick.alone) == 12
    assert len(quick.alone) <= 4
    assert sorted(map(int, steps_of(quick))) == list(range(12))


def test_a_failing_commit_fails_every_thread_that_shared_it(quick: Watched) -> None:
    """No thread goes on, and all of them are executed again."""
    line = Line(quick, 6)
    quick.go_on.clear()
    quick.fails = True

    @task
    def work(number: int) -> int:
        return line.end(number)

    @entrypoint(checkpointer=Host(quick))
    def flow(count: int) -> list[int]:
        begun = [work(number) for number in range(count)]
        return [one.result() for one in begun]

    with pytest.raises(StorageError, match="disk is full"):
        flow.invoke(6, thread())
    assert steps_of(quick) == []
    quick.fails = False
    assert flow.invoke(None, thread()) == list(range(6))
