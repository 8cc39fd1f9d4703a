"""The SQLite cache: a file that processes and a journal share."""

from __future__ import annotations

import contextlib
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.support.forks import in_child

from durably.caching import Claims, FullKey, SqliteCache
from durably.errors import JournalCorrupt, JournalTooNew, StorageError
from durably.journal import LANDMARK, Row, SqliteStorage
from durably.testing import FakeClock

KEY: FullKey = (("f",), "1")

WRITER = """
import sys
from durably.caching import SqliteCache
cache = SqliteCache(path=sys.argv[1])
for number in range(50):
    cache.set({(("p", sys.argv[2]), str(number)): (b"%d" % number, 600)})
cache.close()
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "cache.db"


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def cache(path: Path, clock: FakeClock) -> Iterator[SqliteCache]:
    with contextlib.closing(SqliteCache(path=path, clock=clock.now)) as made:
        yield made


def ask(path: Path, question: str) -> Any:
    """Look into the file past the cache."""
    with contextlib.closing(sqlite3.connect(path)) as db:
        return db.execute(question).fetchone()[0]


def test_entries_outlast_the_object(path: Path):
    """What was set is there when the file is opened again."""
    with contextlib.closing(SqliteCache(path)) as cache:
        cache.set({KEY: (b"one", None)})
    with contextlib.closing(SqliteCache(path)) as cache:
        assert cache.get([KEY]) == {KEY: b"one"}


def test_processes_write_at_once(path: Path, cache: SqliteCache):
    """Several processes set entries at the same time, and none is lost."""
    running = [
        subprocess.Popen([sys.executable, "-c", WRITER, str(path), str(number)])
        for number in range(3)
    ]
    assert [process.wait(60) for process in running] == [0, 0, 0]
    assert ask(path, "SELECT count(*) FROM cache_entry") == 150


@pytest.mark.parametrize("cache_first", [True, False])
def test_shares_a_journals_file(path: Path, cache_first: bool):
    """Cache and journal live in one file, whichever is opened first."""
    with contextlib.ExitStack() as stack:
        makers: list[Any] = [SqliteCache, SqliteStorage]
        made = [
            stack.enter_context(contextlib.closing(make(path)))
            for make in (makers if cache_first else makers[::-1])
        ]
        cache, storage = made if cache_first else made[::-1]
        cache.set({KEY: (b"one", None)})
        lease = storage.acquire("t", "me", 60, time.time())
        storage.append(lease, [Row(1, LANDMARK, "run", b"row")], {}, barrier=True)
        assert cache.get([KEY]) == {KEY: b"one"}
        assert list(storage.read("t")) == [Row(1, LANDMARK, "run", b"row")]
        assert storage.integrity() == []
        cache.clear()
        assert len(storage.read("t")) == 1


def test_uses_a_write_ahead_log(path: Path, cache: SqliteCache):
    """Readers do not wait for a writer, nor it for them."""
    assert ask(path, "PRAGMA journal_mode") == "wal"


def test_opening_deletes_what_has_expired(path: Path, cache: SqliteCache, clock: FakeClock):
    """Expired entries and claims leave the file when the cache is opened."""
    cache.set({KEY: (b"one", 60), (("f",), "2"): (b"two", None)})
    cache.claim(KEY, "me", 60)
    clock.advance(60)
    SqliteCache(path, clock=clock.now).close()
    assert ask(path, "SELECT count(*) FROM cache_entry") == 1
    assert ask(path, "SELECT count(*) FROM cache_claim") == 0


def test_setting_deletes_what_has_expired_now_and_then(
    path: Path, cache: SqliteCache, clock: FakeClock
):
    """A cache that stays open does not grow by what has expired."""
    for number in range(30):
        cache.set({(("f",), str(number)): (b"value", 60)})
        clock.advance(120)
    assert ask(path, "SELECT count(*) FROM cache_entry") <= 6


def test_claim_excludes_others(cache: SqliteCache):
    """A claim is one owner's, who may repeat it; other keys are free."""
    assert isinstance(cache, Claims)
    assert cache.claim(KEY, "me", 60)
    assert cache.claim(KEY, "me", 60)
    assert not cache.claim(KEY, "you", 60)
    assert cache.claim((("f",), "2"), "you", 60)


def test_claim_expires(cache: SqliteCache, clock: FakeClock):
    """A dead owner's claim holds nobody up for longer than it said."""
    assert cache.claim(KEY, "me", 60)
    clock.advance(60)
    assert cache.claim(KEY, "you", 60)
    assert not cache.claim(KEY, "me", 60)


def test_release_is_the_owners(cache: SqliteCache):
    """Only the owner takes a claim back."""
    assert cache.claim(KEY, "me", 60)
    cache.release(KEY, "you")
    assert not cache.claim(KEY, "you", 60)
    cache.release(KEY, "me")
    assert cache.claim(KEY, "you", 60)


async def test_claims_are_made_on_event_loops_too(cache: SqliteCache):
    """The async twins know the same claims."""
    assert await cache.aclaim(KEY, "me", 60)
    assert not cache.claim(KEY, "you", 60)
    await cache.arelease(KEY, "me")
    assert cache.claim(KEY, "you", 60)


def test_set_is_all_or_nothing(path: Path, cache: SqliteCache):
    """When one entry cannot be written, none of its call is."""
    with contextlib.closing(sqlite3.connect(path)) as db:
        db.execute(
            "CREATE TRIGGER full BEFORE INSERT ON cache_entry WHEN NEW.key = X'32' "
            "BEGIN SELECT RAISE(ABORT, 'no room'); END"
        )
    with pytest.raises(StorageError, match=r"cache\.db: the cache could not be used .*no room"):
        cache.set({KEY: (b"one", None), (("f",), "2"): (b"two", None)})
    assert cache.get([KEY]) == {}
    cache.set({KEY: (b"one", None)})
    assert cache.get([KEY]) == {KEY: b"one"}


def test_another_programs_database_is_left_alone(path: Path):
    """A foreign database is refused before anything is written to it."""
    with contextlib.closing(sqlite3.connect(path)) as db:
        db.execute("CREATE TABLE cache (ns TEXT, key TEXT)")
    with pytest.raises(StorageError, match="another program"):
        SqliteCache(path)
    assert ask(path, "SELECT count(*) FROM sqlite_master") == 1


def test_no_database_is_refused(path: Path):
    """A file that is no database is named."""
    path.write_bytes(b"not a database" * 1_000)
    with pytest.raises(JournalCorrupt, match=r"cache\.db"):
        SqliteCache(path)


def test_later_format_is_refused(path: Path, cache: SqliteCache):
    """A cache of a later release is neither read nor changed."""
    with contextlib.closing(sqlite3.connect(path)) as db, db:
        db.execute("UPDATE cache_meta SET value = 2 WHERE name = 'format'")
    with pytest.raises(JournalTooNew, match="format 2"):
        SqliteCache(path)


def test_memory_is_no_file():
    """SQLite's name for memory is answered with the cache that is meant."""
    with pytest.raises(StorageError, match="InMemoryCache"):
        SqliteCache(":memory:")


def test_closed_cache_says_so(path: Path):
    """Using a closed cache is an error that says what to do; closing again is none."""
    cache = SqliteCache(path)
    cache.close()
    cache.close()
    with pytest.raises(StorageError, match="closed"):
        cache.get([KEY])


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_child_shares_the_cache(cache: SqliteCache):
    """A forked child uses the cache as any other process does."""
    other = (("f",), "2")
    cache.set({other: (b"parent's", None)})

    def child() -> None:
        assert cache.get([other]) == {other: b"parent's"}
        cache.set({KEY: (b"child's", None)})
        cache.close()

    in_child(child)
    assert cache.get([KEY]) == {KEY: b"child's"}
