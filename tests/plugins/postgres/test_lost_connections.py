"""Sessions ended, lines cut, servers restarted: nothing is lost and nothing is there twice."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import psycopg
import pytest
from psycopg.sql import SQL, Identifier
from psycopg_pool import ConnectionPool
from tests.support import postgres as pg
from tests.support.forks import in_child
from tests.support.pg_wire import Line

from durably import Host, entrypoint, task
from durably.errors import StorageError
from durably.storage import Lease, Row
from durably_postgres import PostgresCache, PostgresStorage, PostgresStore

NOW = 100.0


def row(seq: int, kind: int = 20) -> Row:
    return Row(seq, kind, "run", b"body %d" % seq)


def named(url: str, application: str) -> str:
    return f"{url}&application_name={application}"


@pytest.fixture
def mine(empty_postgres_url: str) -> Iterator[PostgresStorage]:
    """A storage whose sessions can be told from others."""
    url = named(empty_postgres_url, "victim")
    with contextlib.closing(PostgresStorage(url, patience=20)) as made:
        yield made


def everything(storage: PostgresStorage) -> Iterator[Callable[[], object]]:  # noqa: C901 - a list
    """Yield what a storage can do, one after the other, each with its outcome checked."""
    held: list[Lease] = []

    def acquire() -> None:
        held.append(storage.acquire("t", "me", 30, NOW))
        assert held[-1] == ("t", "me", 1, 0)

    def append() -> None:
        storage.append(held[0], [row(1, kind=1), row(2)], {b"h": b"blob"}, barrier=False)

    def append_one() -> None:
        storage.append(held[0], [row(3)], {}, barrier=True)

    def large() -> None:
        storage.append(held[0], [row(4)], {b"large": b"x" * 20_000_000}, barrier=False)

    def sync() -> None:
        storage.append(held[0], [], {}, barrier=True)

    def renew() -> None:
        storage.renew(held[0], NOW + 60)

    def read() -> None:
        assert [*storage.read("t")] == [row(1, kind=1), row(2), row(3), row(4)]
        assert [*storage.landmarks()] == [("t", row(1, kind=1))]

    def fetch() -> None:
        found = storage.fetch("t", [b"h", b"large", b"no"])
        assert {key: len(data) for key, data in found.items()} == {b"h": 4, b"large": 20_000_000}

    def rewrite() -> None:
        storage.rewrite(held[0], [row(1), row(2)], {b"n": b"new"})
        assert [*storage.read("t")] == [row(1), row(2)]
        assert storage.fetch("t", [b"h", b"n"]) == {b"n": b"new"}

    def release() -> None:
        storage.renew(held[0], 0)
        assert storage.acquire("t", "you", 0, NOW).epoch == 1

    def delete() -> None:
        storage.delete("t", NOW)
        assert [*storage.read("t")] == []

    yield from (acquire, append, append_one, large, sync, renew, read, fetch, rewrite)
    yield from (release, delete)


def test_every_session_ended_before_every_step(
    mine: PostgresStorage, end_sessions: Callable[[str], int]
):
    """Whatever comes next works on a new connection, as if nothing had happened."""
    ended = 0
    for step in everything(mine):
        ended += end_sessions("victim")
        step()
    assert ended >= 11


@pytest.mark.parametrize("what", ["request", "reply"])
@pytest.mark.parametrize("after", [0, 1, 2])
def test_the_line_is_cut_at_every_step(line: Line, what: str, after: int):
    """A request that never arrived is done; one whose reply was lost is not done twice."""
    with contextlib.closing(PostgresStorage(line.url, patience=20)) as storage:
        for step in everything(storage):
            line.lose(what, after=after)
            step()
    assert line.lost >= 3


def test_a_try_that_ends_while_the_next_waits_is_recognised(line: Line, postgres_server: str):
    """A client that gave up on a reply meets its own rows, and does not take them for another's."""
    schema = line.url.rpartition("schema=")[2]
    with (
        contextlib.closing(PostgresStorage(line.url, patience=20)) as storage,
        psycopg.connect(postgres_server) as blocker,
        ThreadPoolExecutor(1) as pool,
    ):
        lease = storage.acquire("t", "me", 30, NOW)
        blocker.execute(SQL("SELECT FROM {} FOR UPDATE").format(Identifier(schema, "thread")))
        line.lose("wait")
        appending = pool.submit(storage.append, lease, [row(1)], {b"h": b"blob"}, barrier=False)
        blocked = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
        with psycopg.connect(postgres_server, autocommit=True) as watcher:
            until = time.monotonic() + 30
            while watcher.execute(blocked).fetchone() != (2,):
                assert time.monotonic() < until
        blocker.commit()
        appending.result()
        assert [*storage.read("t")] == [row(1)]
        assert storage.fetch("t", [b"h"]) == {b"h": b"blob"}


def test_replies_are_lost_while_many_share_commits(line: Line):
    """Threads whose appends were in one call all have their rows, each once and in order."""
    with contextlib.closing(PostgresStorage(line.url, patience=20)) as storage:

        def write(number: int) -> None:
            lease = storage.acquire(f"t{number}", "me", 30, NOW)
            for seq in range(1, 31):
                if number == 0 and seq % 5 == 0:
                    line.lose("reply")
                storage.append(lease, [row(seq)], {}, barrier=False)

        with ThreadPoolExecutor(8) as pool:
            list(pool.map(write, range(8)))
        for number in range(8):
            assert [*storage.read(f"t{number}")] == [row(seq) for seq in range(1, 31)]
    assert line.lost >= 3


def test_a_program_goes_on_when_its_sessions_end(
    empty_postgres_url: str, end_sessions: Callable[[str], int]
):
    """Sessions that end inside every task cost no step and no repetition."""
    done: list[int] = []

    @task
    def work(number: int) -> int:
        end_sessions("program")
        done.append(number)
        return number * number

    host = Host(named(empty_postgres_url, "program"))
    flow = entrypoint(checkpointer=host)(lambda count: [work(n).result() for n in range(count)])
    assert flow.invoke(8, {"configurable": {"thread_id": "t"}}) == [n * n for n in range(8)]
    assert done == [*range(8)]
    host.close()


def test_stores_and_caches_survive_it_too(
    empty_postgres_url: str, end_sessions: Callable[[str], int]
):
    """A store's and a cache's next call works on a new connection."""
    url = named(empty_postgres_url, "others")
    with (
        contextlib.closing(PostgresStore(url)) as store,
        contextlib.closing(PostgresCache(url)) as cache,
    ):
        end_sessions("others")
        store.put(("a",), "k", {"n": 1})
        cache.set({(("f",), "1"): (b"one", None)})
        end_sessions("others")
        assert [item.value for item in store.search(("a",))] == [{"n": 1}]
        assert cache.get([(("f",), "1")]) == {(("f",), "1"): b"one"}
        end_sessions("others")
        assert cache.claim((("f",), "1"), "me", 10)


@pytest.mark.parametrize("mode", ["fast", "immediate"])
def test_the_server_is_restarted_in_the_middle(mortal: pg.Server, mode: str):
    """Programs wait for it to come back; all that had been acknowledged is there, once."""
    with (
        pg.fresh_schema(mortal.url) as url,
        contextlib.closing(PostgresStorage(url)) as storage,
        ThreadPoolExecutor(4) as pool,
    ):
        began = time.monotonic()

        def write(number: int) -> int:
            lease = storage.acquire(f"t{number}", "me", 30, NOW)
            seq = 0
            while seq < 50 or time.monotonic() < began + 1.5:
                seq += 1
                storage.append(lease, [row(seq)], {}, barrier=False)
            return seq

        written = [pool.submit(write, number) for number in range(4)]
        time.sleep(0.3)
        mortal.stop(mode)
        mortal.start()
        for number, future in enumerate(written):
            expected = [row(seq) for seq in range(1, future.result() + 1)]
            assert [*storage.read(f"t{number}")] == expected


def test_a_barrier_outlives_the_server_where_commits_need_not(mortal: pg.Server):
    """Under ``synchronous_commit = off`` a barrier syncs its append and all earlier ones."""
    with pg.fresh_schema(mortal.url) as url:
        unsynced = f"{url}&options=-c%20synchronous_commit%3Doff"
        with contextlib.closing(PostgresStorage(unsynced)) as storage:
            lease = storage.acquire("t", "me", 30, NOW)
            for seq in (1, 2):
                storage.append(lease, [row(seq)], {}, barrier=False)
            storage.append(lease, [], {}, barrier=True)
            mortal.stop("immediate")
            mortal.start()
            assert [*storage.read("t")] == [row(1), row(2)]
            storage.append(lease, [row(3)], {}, barrier=True)
            mortal.stop("immediate")
            mortal.start()
            assert [*storage.read("t")] == [row(1), row(2), row(3)]


def test_a_server_that_stays_away_stops_the_run(mortal: pg.Server):
    """After its patience a storage gives up and says why, and no further step is taken."""
    done: list[int] = []

    @task
    def work(number: int) -> int:
        done.append(number)
        if done == [0, 1, 2]:
            mortal.stop()
        return number

    def body(count: int) -> list[Any]:
        found: list[Any] = []
        for number in range(count):
            with contextlib.suppress(Exception):  # as frameworks do
                found.append(work(number).result())
        return found

    with pg.fresh_schema(mortal.url) as url:
        host = Host(PostgresStorage(url, patience=0.5))
        flow = entrypoint(checkpointer=host)(body)
        try:
            with pytest.raises(StorageError, match="the server cannot be reached"):
                flow.invoke(9, {"configurable": {"thread_id": "t"}})
        finally:
            mortal.start()
        assert done == [0, 1, 2]
        # The lease could not be given back; it is now, and the run goes on in the same process.
        assert flow.invoke(None, {"configurable": {"thread_id": "t"}}) == [*range(9)]
        assert done == [0, 1, 2, 2, *range(3, 9)]
        host.close()


def test_no_connection_is_used_across_a_fork(storage: PostgresStorage):
    """A child process opens connections of its own; the parent's stay sound."""
    lease = storage.acquire("t", "me", 30, NOW)

    def child() -> None:
        own = storage.acquire("child's", "child", 30, NOW)
        storage.append(own, [row(1)], {}, barrier=False)
        storage.close()

    in_child(child)
    storage.append(lease, [row(1)], {}, barrier=False)
    assert [*storage.read("t")] == [*storage.read("child's")] == [row(1)]


def test_pool_of_the_programs_is_refused_in_a_child(postgres_server: str):
    """A pool that the program made is the parent's; the child is told to make another one."""
    with ConnectionPool(postgres_server, min_size=1, max_size=2) as pool:
        storage = PostgresStorage(pool)

        def child() -> None:
            with pytest.raises(StorageError, match="Make the pool in the child"):
                storage.read("t")

        in_child(child)
        assert not storage.read("t")


def test_what_is_closed_says_so(storage: PostgresStorage):
    """Closing twice does nothing; using it afterwards is an error that says what to do."""
    storage.close()
    storage.close()
    with pytest.raises(StorageError, match=r"closed\. Open it again"):
        storage.read("t")
