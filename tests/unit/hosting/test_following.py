"""A run is followed from anywhere: another host, another process, before it begins and after."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from durably import (
    Command,
    Host,
    MemoryStorage,
    SqliteStorage,
    entrypoint,
    get_stream_writer,
    interrupt,
    task,
)
from durably.journal import Storage
from durably_postgres import PostgresStorage

PROGRAM = Path(__file__).with_name("followed.py")
T = {"configurable": {"thread_id": "t"}}
Open = Callable[[], Storage]


@pytest.fixture(params=["memory", "sqlite", "postgres"])
def opened(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Open]:
    """Opens one journal again and again, as several processes would."""
    memory = MemoryStorage()
    made: list[Storage] = []

    def again() -> Storage:
        if request.param == "memory":
            return memory
        if request.param == "sqlite":
            made.append(SqliteStorage(tmp_path / "j.db"))
        else:
            made.append(PostgresStorage(request.getfixturevalue("empty_postgres_url")))
        return made[-1]

    yield again
    for storage in made:
        storage.close()


@task
def double(number: int) -> int:
    return 2 * number


class Gate:
    """Lets steps through one at a time."""

    def __init__(self) -> None:
        self._open = threading.Semaphore(0)

    def open(self) -> None:
        self._open.release()

    def wait(self) -> None:
        assert self._open.acquire(timeout=30)


def test_steps_come_as_they_are_committed(opened: Open) -> None:
    """Each update is told while the run goes on; the end comes after all of them."""
    gate = Gate()

    @entrypoint(checkpointer=Host(opened()))
    def flow(count: int) -> int:
        total = 0
        for number in range(count):
            gate.wait()
            total += double(number).result()
        return total

    parts = Host(opened()).join_stream("t", stream_mode=["updates", "values"], timeout=30)
    running = threading.Thread(target=lambda: flow.invoke(3, T))
    running.start()
    for number in range(3):
        gate.open()
        assert next(parts) == ("updates", {"double": 2 * number})
    assert list(parts) == [("values", 6)]
    running.join()


def test_what_was_recorded_before_comes_first(opened: Open) -> None:
    """Whoever comes late misses nothing, in the shapes of the entrypoint's own stream."""

    def flow(number: int) -> int:
        return double(double(number).result()).result()

    mine = entrypoint(checkpointer=Host(opened()))(flow)
    theirs = entrypoint(checkpointer=Host(opened()))(flow)
    for mode in ("updates", "values", "tasks"):
        own = list(mine.stream(5, T, stream_mode=mode))
        joined = list(theirs.join_stream(T, stream_mode=mode, timeout=30))
        if mode == "tasks":  # a task's part names its run
            own, joined = ([without_id(one) for one in some] for some in (own, joined))
        assert joined == own


def without_id(part: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in part.items() if name != "id"}


async def test_an_event_loop_goes_on_while_a_run_is_followed(opened: Open) -> None:
    """The asynchronous form tells the same, also of a run in its own loop."""

    @task
    async def adouble(number: int) -> int:
        return 2 * number

    @entrypoint(checkpointer=Host(opened()))
    async def flow(number: int) -> int:
        return await adouble(await adouble(number))

    async def followed() -> list[Any]:
        return [part async for part in flow.ajoin_stream(T, timeout=30)]

    async with asyncio.TaskGroup() as group:
        parts = group.create_task(followed())
        await flow.ainvoke(5, T)
    assert parts.result() == [{"adouble": 10}, {"adouble": 20}, {"flow": 20}]


def test_a_stream_ends_where_the_run_waits(opened: Open) -> None:
    """The question is its last part; once it is answered, joining again tells the rest."""

    @entrypoint(checkpointer=Host(opened()))
    def flow(number: int) -> str:
        return f"{double(number).result()} {interrupt('sure?')}"

    flow.invoke(1, T)
    joined = Host(opened())
    first, second = joined.join_stream("t", timeout=30)
    assert (first, second["__interrupt__"][0].value) == ({"double": 2}, "sure?")
    flow.invoke(Command(resume="yes"), T)
    assert [*joined.join_stream("t", stream_mode="values", timeout=30)][-1] == "2 yes"


def test_a_failed_run_raises_what_ended_it(opened: Open) -> None:
    """After its last part, as where it was invoked; a continuation takes that back."""
    is_broken = True

    @entrypoint(checkpointer=Host(opened()))
    def flow(number: int) -> int:
        found = double(number).result()
        if is_broken:
            raise ValueError("the server is on fire")
        return found

    with pytest.raises(ValueError, match="on fire"):
        flow.invoke(1, T)
    parts = Host(opened()).join_stream("t", timeout=30)
    assert next(parts) == {"double": 2}
    with pytest.raises(ValueError, match="on fire"):
        next(parts)
    is_broken = False
    flow.invoke(None, T)
    assert list(flow.join_stream(T, timeout=30)) == [{"double": 2}, {"flow": 2}]


def test_the_newest_run_is_followed(opened: Open) -> None:
    """Earlier runs of the thread are over and not told."""

    @entrypoint(checkpointer=Host(opened()))
    def flow(number: int) -> int:
        return double(number).result()

    for number in (1, 2, 3):
        flow.invoke(number, T)
    assert list(Host(opened()).join_stream("t", timeout=30)) == [{"double": 6}]


def test_silence_ends_a_stream_only_if_it_was_asked_to(opened: Open) -> None:
    """A thread that never begins is given up after the time-out."""
    with pytest.raises(TimeoutError, match=r"thread 'nobody': nothing new for 0\.05 seconds"):
        list(Host(opened()).join_stream("nobody", timeout=0.05))


def test_parts_that_a_journal_does_not_tell_are_refused(opened: Open) -> None:
    """So is what no stream has, and a config that names no thread."""
    host = Host(opened())
    flow = entrypoint(checkpointer=host)(lambda given: given)
    with pytest.raises(ValueError, match="'checkpoints' are told only where the run is driven"):
        list(flow.join_stream(T, stream_mode=["updates", "checkpoints"]))
    with pytest.raises(ValueError, match="unknown stream mode"):
        host.join_stream("t", stream_mode="all")
    with pytest.raises(ValueError, match="names no thread"):
        list(flow.join_stream({}))


def test_what_a_task_writes_is_followed_if_the_host_records_it(opened: Open) -> None:
    """Parts come while the task goes, in front of its result; a replayed task writes none."""
    gate = Gate()

    @task
    def speak(count: int) -> int:
        write = get_stream_writer()
        for number in range(count):
            write({"token": number})
            gate.wait()
        return count

    @entrypoint(checkpointer=Host(opened(), stream_resumable=True))
    def flow(count: int) -> Any:
        return speak(count).result(), interrupt("go on?")

    parts = Host(opened()).join_stream("t", stream_mode=["custom", "updates"], timeout=30)
    running = threading.Thread(target=lambda: flow.invoke(3, T))
    running.start()
    for number in range(3):
        assert next(parts) == ("custom", {"token": number})
        gate.open()
    rest = list(parts)
    running.join()
    assert rest[0] == ("updates", {"speak": 3})
    assert len(rest) == 2
    assert flow.invoke(Command(resume="yes"), T) == (3, "yes")
    assert [*flow.join_stream(T, stream_mode="custom", timeout=30)] == [
        {"token": number} for number in range(3)
    ]


def test_parts_that_cannot_be_written_harm_nothing(opened: Open) -> None:
    """They are told where the run is driven, and the others are recorded."""

    @task
    def speak() -> str:
        write = get_stream_writer()
        for part in (1, threading.Lock(), 2):
            write(part)
        return "done"

    @entrypoint(checkpointer=Host(opened(), stream_resumable=True))
    def flow(_: Any) -> str:
        return speak().result()

    assert len(list(flow.stream(1, T, stream_mode="custom"))) == 3
    assert list(flow.join_stream(T, stream_mode="custom", timeout=30)) == [1, 2]


def test_nothing_of_them_is_recorded_otherwise(opened: Open) -> None:
    """Without the option a journal holds what it needs to go on, and no more."""

    @task
    def speak() -> str:
        get_stream_writer()("word")
        return "done"

    @entrypoint(checkpointer=Host(opened()))
    def flow(_: Any) -> str:
        return speak().result()

    flow.invoke(1, T)
    assert list(flow.join_stream(T, stream_mode="custom", timeout=30)) == []


@pytest.mark.parametrize("opened", ["sqlite", "postgres"], indirect=True)
def test_a_stream_outlives_the_process_that_it_follows(
    opened: Open, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    """A run is killed and continued by a third process; its consumer sees one stream."""
    is_server = isinstance(opened(), PostgresStorage)
    url = request.getfixturevalue("empty_postgres_url") if is_server else f"{tmp_path / 'j.db'}"
    parts = Host(opened()).join_stream("t", stream_mode=["updates", "values"], timeout=60)
    with program(url, "3") as first:
        say(first, "one")
        assert next(parts) == ("updates", {"told": "one"})
        say(first, "two")
        assert next(parts) == ("updates", {"told": "two"})
        first.kill()
        first.wait()
    with program(url) as second:
        say(second, "three")
        rest = list(itertools.islice(parts, 3))
    assert rest[0] == ("updates", {"told": "three"})
    assert rest[1:] == [("values", ["one", "two", "three"])]


@contextlib.contextmanager
def program(*args: str) -> Iterator[subprocess.Popen[str]]:
    """Run the program beside this process."""
    command = [sys.executable, str(PROGRAM), *args]
    with subprocess.Popen(command, stdin=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            if process.poll() is None:
                process.stdin and process.stdin.close()
                process.wait(30)


def say(process: subprocess.Popen[str], word: str) -> None:
    assert process.stdin is not None
    process.stdin.write(f"{word}\n")
    process.stdin.flush()
