"""What a SQLite store does with its file."""

from __future__ import annotations

import asyncio
import os
import sqlite3
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from tests.support.forks import in_child

from durably.errors import JournalCorrupt, JournalTooNew, StorageError
from durably.journal import SqliteStorage
from durably.store import PutOp, SqliteStore

_INDEX = {"dims": 1, "embed": lambda texts: [[1.0]] * len(texts)}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where a store may be."""
    return tmp_path / "store.db"


def count(path: Path, table: str) -> int:
    db = sqlite3.connect(path)
    (found,) = db.execute(f"SELECT count(*) FROM {table}").fetchone()
    db.close()
    return found


def test_items_outlive_the_store(path: Path):
    """What was put is there when the file is opened again, by path or by URL."""
    with SqliteStore(path) as store:
        store.put(("a",), "k", {"x": "ü"})
    with SqliteStore(f"sqlite:///{path}") as again:
        assert again.get(("a",), "k").value == {"x": "ü"}
        assert again.url == f"sqlite:///{path}"


@pytest.mark.parametrize("first", ["journal", "store"])
def test_journal_and_store_share_a_file(path: Path, first: str):
    """Whichever comes first, the other finds its place in the file."""
    kinds = [SqliteStorage, SqliteStore] if first == "journal" else [SqliteStore, SqliteStorage]
    opened = [kind(path) for kind in kinds]
    for one in opened:
        if isinstance(one, SqliteStore):
            one.put(("a",), "k", {})
        else:
            assert one.acquire("t", "me", 30.0, 0.0).epoch == 1
            assert one.integrity() == []
        one.close()


def test_other_programs_database_is_refused(path: Path):
    """A database that is not durably's is left as it is."""
    db = sqlite3.connect(path)
    db.execute("CREATE TABLE theirs (x)")
    db.close()
    with pytest.raises(StorageError, match="another program"):
        SqliteStore(path)


def test_later_format_is_refused(path: Path):
    """A store of a later version is not touched."""
    SqliteStore(path).close()
    db = sqlite3.connect(path)
    db.execute("UPDATE store_meta SET version = 99")
    db.commit()
    db.close()
    with pytest.raises(JournalTooNew, match="format 99"):
        SqliteStore(path)


def test_lost_table_is_told(path: Path):
    """A file without its tables is damaged, and the message names it."""
    with SqliteStore(path) as store:
        db = sqlite3.connect(path)
        db.execute("DROP TABLE store_item")
        db.close()
        with pytest.raises(JournalCorrupt, match=r"store\.db: the store is damaged"):
            store.get(("a",), "k")


@pytest.mark.parametrize("url", ["postgres://host/db", "sqlite://host/x"])
def test_other_urls_are_refused(url: str):
    """A URL of something else is not taken for a file name."""
    with pytest.raises(StorageError, match="names no SQLite file"):
        SqliteStore(url)


def test_closed_store_says_so(path: Path):
    """Reads and writes after closing are errors, not crashes."""
    store = SqliteStore(path)
    store.close()
    with pytest.raises(StorageError, match="closed"):
        store.get(("a",), "k")
    with pytest.raises(StorageError, match="closed"):
        store.put(("a",), "k", {})


def test_connection_string(path: Path):
    """LangGraph's way of opening works, with ``setup()`` and its sweeper."""
    with SqliteStore.from_conn_string(str(path), ttl={"default_ttl": 5}) as store:
        store.setup()
        assert store.start_ttl_sweeper().result() is None
        store.put(("a",), "k", {})
        assert store.stop_ttl_sweeper()
        assert store.get(("a",), "k")


def test_memory_is_not_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """``:memory:`` makes no file, and two of them share nothing."""
    monkeypatch.chdir(tmp_path)
    with SqliteStore(":memory:") as one, SqliteStore("sqlite:///:memory:") as other:
        one.put(("a",), "k", {})
        assert other.get(("a",), "k") is None
    assert list(tmp_path.iterdir()) == []


def test_sweeping_takes_vectors_along(path: Path):
    """No vector is left behind by a sweep, a deletion or a second put."""
    now = [0.0]
    with SqliteStore(path, index=_INDEX, clock=lambda: now[0]) as store:
        store.put(("a",), "expires", {"x": 1}, ttl=1)
        store.put(("a",), "deleted", {"x": 1})
        store.put(("a",), "kept", {"x": 1})
        store.put(("a",), "kept", {"x": 2})
        assert count(path, "store_vector") == 3
        store.delete(("a",), "deleted")
        now[0] = 60.0
        assert store.sweep_ttl() == 1
    assert count(path, "store_vector") == 1


def test_failed_batch_leaves_nothing(path: Path):
    """A batch that fails inside SQLite is undone as a whole."""
    with SqliteStore(path) as store:
        store.put(("a",), "old", {"x": 1})
        db = sqlite3.connect(path)
        db.execute(
            "CREATE TRIGGER no BEFORE INSERT ON store_item WHEN NEW.key = 'bad' "
            "BEGIN SELECT raise(ABORT, 'refused'); END"
        )
        db.close()
        with pytest.raises(StorageError, match="refused"):
            store.batch(
                [PutOp(("a",), "old", None), PutOp(("a",), "new", {}), PutOp(("a",), "bad", {})]
            )
        assert [item.key for item in store.search(())] == ["old"]


def test_reading_waits_for_no_writer(path: Path):
    """While another connection holds the write lock, reads go on."""
    with SqliteStore(path, timeout=0.0) as store:
        store.put(("a",), "k", {})
        db = sqlite3.connect(path, isolation_level=None)
        db.execute("BEGIN IMMEDIATE")
        assert store.get(("a",), "k")
        assert store.search(())
        with pytest.raises(StorageError, match="locked by another process"):
            store.put(("a",), "k", {})
        db.execute("ROLLBACK")
        db.close()


async def test_async_calls_leave_the_loop_alone(path: Path):
    """SQLite's work and a plain embedding function run in other threads than the loop's."""
    seen: list[threading.Thread] = []

    def embed(texts: list[str]) -> list[list[float]]:
        seen.append(threading.current_thread())
        return [[1.0]] * len(texts)

    def clock() -> float:
        seen.append(threading.current_thread())
        return 0.0

    with SqliteStore(path, index={"embed": embed}, clock=clock) as store:
        await asyncio.gather(*(store.aput(("a",), str(n), {"n": n}) for n in range(5)))
        assert len(await store.asearch((), query="x")) == 5
    assert len(seen) == 12
    assert threading.current_thread() not in seen


_WRITER = """
import sys
from durably.store import SqliteStore
with SqliteStore(sys.argv[1]) as store:
    for number in range(20):
        store.put(("p", sys.argv[2]), str(number), {"n": number})
"""
_VICTIM = """
import os, signal, sys
from durably.store import SqliteStore
SqliteStore(sys.argv[1]).put(("a",), "k", {"x": 1})
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_processes_share_a_file(path: Path):
    """Processes that open and write one fresh file at the same time lose nothing."""
    running = [
        subprocess.Popen([sys.executable, "-c", _WRITER, str(path), name]) for name in ("a", "b")
    ]
    assert [process.wait() for process in running] == [0, 0]
    with SqliteStore(path) as store:
        assert len(store.search(("p",), limit=100)) == 40


def test_put_survives_a_kill(path: Path):
    """What was put is there after ``kill -9`` right behind it."""
    done = subprocess.run([sys.executable, "-c", _VICTIM, str(path)], check=False)
    assert done.returncode == -9
    with SqliteStore(path) as store:
        assert store.get(("a",), "k").value == {"x": 1}


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork() here")
def test_child_shares_the_store(path: Path):
    """A forked child uses the store as any other process does, and the parent's goes on."""

    def child() -> None:
        assert store.get(("a",), "k") is not None
        store.put(("a",), "child's", {"is": "there"})
        store.close()

    with SqliteStore(path) as store:
        store.put(("a",), "k", {})
        in_child(child)
        assert store.get(("a",), "child's") is not None
        store.put(("a",), "k", {})
