"""Whoever waits for a thread's rows is told of them, or looks often enough."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import psycopg
import pytest
from tests.support.pg_wire import Pooler

from durably import Inbox, entrypoint, interrupt
from durably.storage import Row
from durably_postgres import PostgresStorage

NOW = 100.0


def row(seq: int) -> Row:
    return Row(seq, 20, "run", b"")


@contextlib.contextmanager
def waiting(storage: PostgresStorage, thread: str, after: int) -> Iterator[threading.Event]:
    """Wait beside a block; the event says that the wait has ended with a row."""
    ended = threading.Event()

    def wait() -> None:
        if storage.wait(thread, after, 30):
            ended.set()

    with ThreadPoolExecutor(1) as pool:
        done = pool.submit(wait)
        yield ended
        done.result()


def test_a_row_that_is_there_ends_the_wait_at_once(storage: PostgresStorage):
    """Only rows after the given one are waited for."""
    storage.append(storage.acquire("t", "me", 30, NOW), [row(1), row(2)], {}, barrier=False)
    assert storage.wait("t", 1, 30) is True
    assert storage.wait("t", 2, 0) is False
    assert storage.wait("unknown", 0, 0.01) is False


def test_another_process_is_told_of_a_row(
    storage: PostgresStorage, empty_postgres_url: str, postgres_server: str
):
    """The database tells a listener, and nothing of an append is told while nobody waits."""
    lease = storage.acquire("t", "me", 30, NOW)
    with (
        contextlib.closing(PostgresStorage(empty_postgres_url)) as other,
        psycopg.connect(postgres_server, autocommit=True) as ear,
    ):
        ear.execute("LISTEN durably")
        storage.append(lease, [row(1)], {}, barrier=False)
        assert [*ear.notifies(timeout=0.2)] == []
        with waiting(other, "t", 1) as ended:
            until_marked(ear, empty_postgres_url)
            storage.append(lease, [row(2)], {}, barrier=False)
            assert ended.wait(30)
        told = [one.payload for one in ear.notifies(timeout=5, stop_after=2)]
        assert len([payload for payload in told if not payload.startswith("hello")]) == 1


def test_many_wait_over_one_connection(storage: PostgresStorage, postgres_server: str):
    """Waits of several threads share a listener, which ends when nobody waits any more."""
    leases = [storage.acquire(f"t{number}", "me", 30, NOW) for number in range(6)]
    with contextlib.ExitStack() as stack:
        events = [stack.enter_context(waiting(storage, f"t{number}", 0)) for number in range(6)]
        until(lambda: listeners(postgres_server) == 1)
        for lease in leases:
            storage.append(lease, [row(1)], {}, barrier=False)
        assert all(event.wait(30) for event in events)
    until(lambda: listeners(postgres_server) == 0)


def test_a_listener_whose_session_ends_is_replaced(
    storage: PostgresStorage, end_sessions: Callable[[str], int], postgres_server: str
):
    """What was told meanwhile is found by looking."""
    lease = storage.acquire("t", "me", 30, NOW)
    with waiting(storage, "t", 0) as ended:
        until(lambda: listeners(postgres_server) == 1)
        assert end_sessions("durably") >= 1
        storage.append(lease, [row(1)], {}, barrier=False)
        assert ended.wait(30)


def test_an_answer_reaches_whoever_waits_for_it(empty_postgres_url: str):
    """A program that waits for a person's answer goes on when another process records it."""
    flow = entrypoint(checkpointer=empty_postgres_url)(lambda _: interrupt("go on?"))
    config: Any = {"configurable": {"thread_id": "t"}}
    flow.invoke(0, config)
    with Inbox(empty_postgres_url) as inbox, Inbox(empty_postgres_url) as other:
        [question] = other.pending()
        with ThreadPoolExecutor(1) as pool:
            answered = pool.submit(inbox.wait, question.id, 30)
            other.answer(question.id, "yes")
            assert answered.result() is True
    assert flow.invoke(None, config) == "yes"


def test_behind_a_pooler_one_looks_again_and_again(empty_postgres_url: str):
    """Where notifications reach other sessions, a wait ends all the same."""
    pooler = Pooler(empty_postgres_url)
    with contextlib.closing(PostgresStorage(pooler.url)) as storage:
        lease = storage.acquire("t", "me", 30, NOW)
        with waiting(storage, "t", 0) as ended:
            time.sleep(0.2)
            storage.append(lease, [row(1)], {}, barrier=False)
            assert ended.wait(30)
    pooler.close()


def test_a_thread_that_is_not_there_yet_can_be_waited_for(storage: PostgresStorage):
    """The wait begins before the thread does."""
    with waiting(storage, "new", 0) as ended:
        time.sleep(0.05)
        storage.append(storage.acquire("new", "me", 30, NOW), [row(1)], {}, barrier=False)
        assert ended.wait(30)


def listeners(url: str) -> int:
    """Count the sessions that listen, by the statement they ended with."""
    with psycopg.connect(url) as connection:
        found = connection.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE query = 'LISTEN durably' "
            "AND application_name = 'durably'"
        ).fetchone()
    return int(found[0]) if found else 0


def until_marked(connection: psycopg.Connection, url: str) -> None:
    """Return when somebody's wait for a thread is known to the database."""
    schema = url.rpartition("=")[2]
    statement = f"SELECT count(*) FROM {schema}.thread WHERE awaited > now()"
    until(lambda: connection.execute(statement).fetchone() == (1,))


def until(is_so: Callable[[], bool]) -> None:
    end = time.monotonic() + 30
    while not is_so():
        assert time.monotonic() < end
        time.sleep(0.01)


@pytest.mark.parametrize("rows", [1, 3])
def test_appends_that_share_a_commit_are_told_one_by_one(storage: PostgresStorage, rows: int):
    """Each of several threads that are waited for is told, whoever commits for it."""
    leases = [storage.acquire(f"t{number}", "me", 30, NOW) for number in range(8)]
    with contextlib.ExitStack() as stack, ThreadPoolExecutor(8) as pool:
        events = [stack.enter_context(waiting(storage, f"t{number}", 0)) for number in range(8)]
        written = [row(seq) for seq in range(1, rows + 1)]
        list(pool.map(lambda lease: storage.append(lease, written, {}, barrier=False), leases))
        assert all(event.wait(30) for event in events)
