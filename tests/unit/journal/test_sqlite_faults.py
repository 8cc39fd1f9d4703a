"""What the SQLite storage says and keeps when the file, the disk or another process fails it."""

from __future__ import annotations

import contextlib
import os
import random
import shutil
import sqlite3
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from durably.errors import JournalCorrupt, JournalError, JournalTooNew, LeaseLost, StorageError
from durably.journal.records import Program, from_row, to_row
from durably.journal.sqlite import schema as _schema
from durably.journal.sqlite.storage import SqliteStorage
from durably.journal.storage import Lease, Row


def row(seq: int, body: bytes = b"body") -> Row:
    return Row(seq, 16, "run", body)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "journal.db"


@pytest.fixture
def storage(path: Path) -> Iterator[SqliteStorage]:
    opened = SqliteStorage(path, timeout=0.05)
    yield opened
    opened.close()


@pytest.fixture
def lease(storage: SqliteStorage) -> Lease:
    return storage.acquire("t", "me", 60, time.time())


@pytest.fixture
def blocker(path: Path, storage: SqliteStorage) -> Iterator[sqlite3.Connection]:
    """Another program's connection, which holds the write lock."""
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    yield other
    other.close()


@pytest.fixture
def guarded() -> Iterator[Path]:
    """A directory in which file permissions count, even where the tests run as root."""
    directory = Path(tempfile.mkdtemp())
    root = os.geteuid() == 0
    if root:
        os.chown(directory, 65534, 65534)
        os.seteuid(65534)
    yield directory
    directory.chmod(0o700)
    if root:
        os.seteuid(0)
    shutil.rmtree(directory)


def test_missing_directory(tmp_path: Path):
    """A directory other than .durably is not made behind the user's back."""
    with pytest.raises(StorageError, match=r"journal\.db: its directory is not there\. Make it"):
        SqliteStorage(tmp_path / "missing" / "journal.db")
    with pytest.raises(StorageError, match="its directory is not there"):
        SqliteStorage(tmp_path / "missing" / ".durably" / "journal.db")
    assert list(tmp_path.iterdir()) == []


def test_missing_file_is_not_made_unasked(path: Path):
    """With ``create=False`` a journal that is not there is an error and stays away."""
    with pytest.raises(StorageError, match=r"journal\.db: no such journal"):
        SqliteStorage(path, create=False)
    assert not path.exists()


def test_directory_as_path(tmp_path: Path):
    """A directory is refused with the name of a file to use."""
    with pytest.raises(StorageError, match=r"a directory\. Name a file, such as .*journal\.db"):
        SqliteStorage(tmp_path)


def test_memory_is_not_a_file():
    """SQLite's name for a private database in memory leads to the storage that is one."""
    with pytest.raises(StorageError, match="MemoryStorage"):
        SqliteStorage(":memory:")


def test_readonly_directory(guarded: Path):
    """A journal that cannot be made says so."""
    guarded.chmod(0o500)
    with pytest.raises(StorageError, match=r"journal\.db: cannot be opened\. Check"):
        SqliteStorage(guarded / "journal.db")
    with pytest.raises(StorageError, match=r"Permission denied\. Give this user access"):
        SqliteStorage(guarded / ".durably" / "journal.db")


def test_unreachable_directory(guarded: Path):
    """A directory that may not be entered is an error of ours."""
    inside = guarded / "inside"
    inside.mkdir()
    guarded.chmod(0o000)
    with pytest.raises(StorageError, match=r"journal\.db: "):
        SqliteStorage(inside / "journal.db")


def test_readonly_file(guarded: Path):
    """A read-only journal can be read; taking a thread is refused with the way out."""
    path = guarded / "journal.db"
    writer = SqliteStorage(path)
    writer.append(writer.acquire("t", "me", 1, 0), [row(1)], {}, barrier=False)
    writer.close()
    path.chmod(0o400)
    storage = SqliteStorage(path)
    assert list(storage.read("t")) == [row(1)]
    with pytest.raises(StorageError, match=r"journal\.db: read-only\. Give this user write access"):
        storage.acquire("t", "me", 60, time.time())
    storage.close()


@pytest.mark.parametrize("size", [40, 5000])
def test_not_a_database(path: Path, size: int):
    """A file of something else is refused and left as it is."""
    content = (b"Once upon a time. " * size)[:size]
    path.write_bytes(content)
    with pytest.raises(JournalCorrupt, match=r"journal\.db: not a SQLite database.*Move the file"):
        SqliteStorage(path)
    assert path.read_bytes() == content


def test_database_of_another_program(path: Path):
    """A SQLite database that is no journal is refused and gets no table of ours."""
    with sqlite3.connect(path) as other:
        other.execute("CREATE TABLE cookies (host TEXT)")
    other.close()
    before = path.read_bytes()
    with pytest.raises(StorageError, match="of another program; it was not touched"):
        SqliteStorage(path)
    assert path.read_bytes() == before


def test_journal_of_a_later_version(path: Path, storage: SqliteStorage):
    """A newer format is refused with both version numbers and is left as it is."""
    storage._db.execute(f"PRAGMA user_version = {_schema.VERSION + 1}")
    storage.close()
    before = path.read_bytes()
    with pytest.raises(JournalTooNew, match=r"journal\.db: .*format 3.*up to 2.*Upgrade durably"):
        SqliteStorage(path)
    assert path.read_bytes() == before


def test_empty_file_becomes_a_journal(path: Path):
    """An empty file, as ``touch`` or a crash leaves it, is taken for a new journal."""
    path.touch()
    storage = SqliteStorage(path)
    assert storage.integrity() == []
    storage.close()


def test_failed_migration_leaves_no_table(path: Path, monkeypatch: pytest.MonkeyPatch):
    """A schema is made whole or not at all, and can be made later."""
    first, *_ = _schema._MIGRATIONS
    with monkeypatch.context() as patch:
        patch.setattr(_schema, "_MIGRATIONS", ((*first[:-1], "CREATE TABLE thread (id)"),))
        with pytest.raises(JournalError):
            SqliteStorage(path)
    db = sqlite3.connect(path)
    assert db.execute("SELECT name FROM sqlite_master").fetchall() == []
    db.close()
    SqliteStorage(path).close()


@pytest.mark.parametrize("barrier", [False, True])
@pytest.mark.parametrize("several", [False, True], ids=["one row", "several"])
def test_full_disk(storage: SqliteStorage, lease: Lease, *, several: bool, barrier: bool):
    """A full disk refuses an append whole, names the file, and goes on once there is space."""
    pages = storage._db.execute("PRAGMA page_count").fetchone()[0]
    storage._db.execute(f"PRAGMA max_page_count = {pages + 2}")
    storage.append(lease, [row(1)], {}, barrier=False)
    rows = [row(2, b"x" * 50_000)] + [row(3)] * several
    blobs = {b"h": b"y" * 50_000} if several else {}
    with pytest.raises(StorageError, match=r"journal\.db: the disk is full\. Free space and run"):
        storage.append(lease, rows, blobs, barrier=barrier)
    assert list(storage.read("t")) == [row(1)]
    assert dict(storage.fetch("t", [b"h"])) == {}
    storage._db.execute("PRAGMA max_page_count = 100000")
    storage.append(lease, rows, blobs, barrier=barrier)
    assert list(storage.read("t")) == [row(1), *rows]
    assert storage.integrity() == []


def test_locked_by_another_process(
    storage: SqliteStorage, lease: Lease, blocker: sqlite3.Connection
):
    """A lock held past the timeout is an error; reading goes on, and so does writing later."""
    for rows in ([row(1)], [row(1), row(2)]):
        with pytest.raises(StorageError, match=r"journal\.db: locked by another process"):
            storage.append(lease, rows, {}, barrier=True)
    with pytest.raises(StorageError, match="locked"):
        storage.acquire("t", "me", 60, time.time())
    assert list(storage.read("t")) == []
    blocker.execute("COMMIT")
    storage.append(lease, [row(1), row(2)], {}, barrier=False)
    assert list(storage.read("t")) == [row(1), row(2)]


def test_opening_does_not_wait_for_a_writer(path: Path, blocker: sqlite3.Connection):
    """An existing journal opens while another process writes to it."""
    storage = SqliteStorage(path, timeout=0.05)
    assert list(storage.read("t")) == []
    storage.close()


def test_value_that_sqlite_cannot_hold(storage: SqliteStorage, lease: Lease):
    """An append that cannot be expressed in SQL fails alone and leaves nothing."""
    storage._db.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, 10_000)
    with pytest.raises(StorageError, match="larger than SQLite can hold"):
        storage.append(lease, [row(1), row(2, b"x" * 20_000)], {b"h": b"data"}, barrier=False)
    with pytest.raises(OverflowError):
        storage.append(lease, [row(1), row(2)._replace(kind=2**70)], {}, barrier=False)
    assert list(storage.read("t")) == []
    storage.append(lease, [row(1)], {}, barrier=False)


def test_thread_id_that_is_not_unicode(storage: SqliteStorage, lease: Lease):
    """A lone surrogate cannot be stored and is refused by every method."""
    for use in (
        lambda: storage.acquire("\ud800", "me", 60, time.time()),
        lambda: storage.append(lease._replace(thread="\ud800"), [row(1)], {}, barrier=False),
        lambda: storage.read("\ud800"),
        lambda: storage.delete("\ud800", 0.0),
    ):
        with pytest.raises(JournalError, match="not valid Unicode"):
            use()
    storage.append(lease, [row(1)], {}, barrier=False)


def test_failed_append_does_not_hide_the_next(storage: SqliteStorage, lease: Lease):
    """After each kind of refusal the writer is free for the next caller."""
    with pytest.raises(LeaseLost):
        storage.append(lease._replace(epoch=7), [row(1), row(2)], {}, barrier=True)
    with pytest.raises(JournalError):
        storage.append(lease, [row(1), row(3)], {}, barrier=True)
    assert not storage._db.in_transaction
    storage.append(lease, [row(1), row(2)], {}, barrier=False)
    assert storage._db.execute("PRAGMA synchronous").fetchone() == (1,)


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        ("DELETE FROM row WHERE seq = 2", "row 2 of thread 't' is missing or damaged"),
        ("DELETE FROM row WHERE seq = 1", "row 1 of thread 't' is missing or damaged"),
        ("DELETE FROM row WHERE seq = 3", "row 3 of thread 't' is missing or damaged"),
        ("DELETE FROM row", "row 1 of thread 't' is missing or damaged"),
        ("UPDATE row SET body = 'text' WHERE seq = 3", "row 3 of thread 't' is missing or damaged"),
        ("UPDATE row SET run = x'ff' WHERE seq = 1", "row 1 of thread 't' is missing or damaged"),
        ("UPDATE row SET run = CAST(x'ff' AS TEXT)", r"damaged\. Run `durably doctor`"),
        ("DROP TABLE row", r"its tables are damaged\. Run `durably doctor`"),
    ],
)
def test_damaged_rows(storage: SqliteStorage, lease: Lease, damage: str, said: str):
    """A thread with a missing or changed row is refused rather than replayed."""
    storage.append(lease, [row(1), row(2), row(3)], {}, barrier=False)
    storage.renew(lease, 0)
    storage._db.execute(damage)
    with pytest.raises(JournalCorrupt, match=said):
        storage.read("t")


@pytest.mark.parametrize(
    "damage", ["head = 'x'", "epoch = 'x'", "owner = x'00'", "lease_until = 'x'"]
)
def test_damaged_thread(storage: SqliteStorage, lease: Lease, damage: str):
    """A thread's entry of wrong types is refused by every method that goes by it."""
    storage._db.execute(f"UPDATE thread SET {damage}")
    for use in (
        lambda: storage.acquire("t", "me", 60, time.time()),
        lambda: storage.append(lease._replace(owner="other"), [row(1)], {}, barrier=False),
        lambda: storage.read("t"),
        lambda: storage.delete("t", 0.0),
    ):
        with pytest.raises(JournalCorrupt, match="entry of thread 't' is damaged"):
            use()


def test_damaged_blobs_and_landmarks(storage: SqliteStorage, lease: Lease):
    """Blobs and landmarks of a wrong type are refused."""
    storage.append(lease, [row(1)._replace(kind=1)], {b"h": b"data"}, barrier=False)
    storage._db.execute("UPDATE blob SET data = 'text'")
    with pytest.raises(JournalCorrupt, match="blob 68 of thread 't' is damaged"):
        storage.fetch("t", [b"h"])
    storage._db.execute("UPDATE row SET body = 'text'")
    with pytest.raises(JournalCorrupt, match="row 1 of thread 't'"):
        list(storage.landmarks())


def test_integrity_finds_gaps(storage: SqliteStorage, lease: Lease):
    """The check names a thread with a gap, and rows whose thread is gone."""
    storage.append(lease, [row(seq) for seq in range(1, 6)], {}, barrier=False)
    assert storage.integrity() == []
    storage._db.execute("DELETE FROM row WHERE seq = 2")
    (found,) = storage.integrity()
    assert "thread 't' should hold rows 1 to 5, but holds 4, the last of them 5" in found
    storage._db.execute("DELETE FROM thread")
    (found,) = storage.integrity()
    assert "4 rows belong to no thread" in found


@pytest.fixture(scope="module")
def healthy(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """The bytes of a journal with three threads, each of real records and a blob."""
    path = tmp_path_factory.mktemp("healthy") / "journal.db"
    storage = SqliteStorage(path)
    for thread in THREADS:
        lease = storage.acquire(thread, "me", 1, 0)
        storage.append(lease, records(thread), {b"h" * 16: b"blob" * 3000}, barrier=True)
    storage.close()
    return path.read_bytes()


THREADS = ("one", "two", "three")


def records(thread: str) -> list[Row]:
    return [
        to_row(thread, seq, "run", Program({"file.py": b"%d" % seq * 40})) for seq in range(1, 60)
    ]


def use_everything(path: Path) -> None:
    """Read and write all there is; what is read must be what was written."""
    storage = SqliteStorage(path)
    try:
        for thread in THREADS:
            written = [from_row(thread, one) for one in records(thread)]
            entries = [from_row(thread, one) for one in storage.read(thread)]
            # Damage to a thread's name makes the thread unknown, which nothing else can tell.
            assert entries in (written, [])
        for thread, mark in storage.landmarks():
            from_row(thread, mark)
        for thread in THREADS:
            assert all(
                isinstance(data, bytes) for data in storage.fetch(thread, [b"h" * 16]).values()
            )
        storage.integrity()
        lease = storage.acquire("four", "me", 60, time.time())
        storage.append(lease, records("four"), {b"h": b"data"}, barrier=True)
        storage.renew(lease, 0)
        storage.delete("one", time.time())
    finally:
        storage.close()


@pytest.mark.parametrize("seed", range(120))
def test_flipped_bytes(path: Path, healthy: bytes, seed: int):
    """A file with damaged bytes gives an error of ours or what was written, nothing else."""
    chance = random.Random(seed)
    damaged = bytearray(healthy)
    if seed % 3 == 0:
        start = chance.randrange(len(damaged))
        damaged[start : start + 600] = chance.randbytes(len(damaged[start : start + 600]))
    # Most structure is at the beginning of a page.
    for _ in range(chance.choice((1, 3, 30))):
        page = chance.randrange(len(damaged) // 8192) * 8192
        damaged[page + chance.choice((chance.randrange(120), chance.randrange(8192)))] ^= (
            chance.randrange(1, 256)
        )
    path.write_bytes(damaged)
    with contextlib.suppress(JournalError):
        use_everything(path)


@pytest.mark.parametrize("part", range(0, 100, 5))
def test_truncated_file(path: Path, healthy: bytes, part: int):
    """A file that was cut off gives an error of ours or what was written, nothing else."""
    path.write_bytes(healthy[: len(healthy) * part // 100])
    with contextlib.suppress(JournalError):
        use_everything(path)


@pytest.mark.parametrize("cut", [1, 33, 8192, 20_000])
def test_torn_log(path: Path, tmp_path: Path, cut: int):
    """With the end of its log torn off a journal holds a prefix of what was appended."""
    storage = SqliteStorage(path)
    lease = storage.acquire("t", "me", 60, time.time())
    for seq in range(1, 6):
        storage.append(lease, [row(seq)], {}, barrier=False)
    copy = tmp_path / "copy.db"
    shutil.copy(path, copy)
    log = Path(f"{path}-wal").read_bytes()
    Path(f"{copy}-wal").write_bytes(log[:-cut])
    storage.close()
    torn = SqliteStorage(copy)
    seen = list(torn.read("t"))
    assert seen == [row(seq) for seq in range(1, len(seen) + 1)]
    assert len(seen) < 5
    assert torn.integrity() == []
    torn.close()
