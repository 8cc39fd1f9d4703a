"""The SQLite storage: what is particular to a file that processes share."""

from __future__ import annotations

import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.support.forks import in_child

from durably.errors import LeaseLost, StorageError, ThreadBusy
from durably.journal.sqlite.storage import SqliteStorage
from durably.journal.storage import Row

PRELUDE = """
import sys, time
from durably.journal.leases.process_identity import owner_id
from durably.journal.sqlite.storage import SqliteStorage
from durably.journal.storage import Row
storage = SqliteStorage(sys.argv[1])
"""


def row(seq: int, body: bytes = b"body") -> Row:
    return Row(seq, 16, "run", body)


def python(code: str, *argv: object) -> list[str]:
    return [sys.executable, "-c", PRELUDE + code, *map(str, argv)]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "journal.db"


@pytest.fixture
def storage(path: Path) -> Iterator[SqliteStorage]:
    opened = SqliteStorage(path)
    yield opened
    opened.close()


def test_url_names_the_absolute_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, storage: SqliteStorage
):
    """The URL opens the same file from any working directory."""
    monkeypatch.chdir(tmp_path)
    relative = SqliteStorage("journal.db")
    relative.close()
    assert relative.path == storage.path
    assert relative.url == storage.url == f"sqlite:///{tmp_path}/journal.db"


def test_reopening_sees_everything(path: Path):
    """Rows, blobs, landmarks and leases outlast the storage object."""
    first = SqliteStorage(path)
    lease = first.acquire("t", "me", 60, time.time())
    first.append(lease, [Row(1, 1, "run", b"one")], {b"h": b"data"}, barrier=False)
    first.append(lease, [row(2)], {}, barrier=False)
    first.close()
    again = SqliteStorage(path, create=False)
    assert list(again.read("t")) == [Row(1, 1, "run", b"one"), row(2)]
    assert dict(again.fetch("t", [b"h"])) == {b"h": b"data"}
    assert list(again.landmarks()) == [("t", Row(1, 1, "run", b"one"))]
    with pytest.raises(ThreadBusy, match="me"):
        again.acquire("t", "other", 60, time.time())
    assert again.integrity() == []
    again.close()


def test_file_is_set_up_as_measured(path: Path, storage: SqliteStorage):
    """The file uses 8 KiB pages and a write-ahead log."""
    with sqlite3.connect(path) as db:
        assert db.execute("PRAGMA page_size").fetchone() == (8192,)
        assert db.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    db.close()


@pytest.mark.parametrize("is_deleted", [True, False])
def test_what_is_forgotten_is_given_back_to_the_file_system(path: Path, is_deleted: bool):
    """A thread that is deleted, or loses its older part, leaves no empty file behind."""
    storage = SqliteStorage(path)
    leases = [storage.acquire(name, "me", 60, time.time()) for name in ("old", "new")]
    for lease in leases:
        for seq in range(1, 101):
            storage.append(lease, [Row(seq, 16, "run", b"x" * 50_000)], {}, barrier=False)
    if is_deleted:
        storage.renew(leases[0], 0)
        storage.delete("old", time.time())
    else:
        storage.rewrite(leases[0], [row(1)], {})
    assert len(storage.read("new")) == 100
    assert storage.integrity() == []
    storage.close()
    assert path.stat().st_size < 7_000_000


def test_home_is_made_and_kept_out_of_version_control(tmp_path: Path):
    """A missing ``.durably`` directory is made with a .gitignore for all that is in it."""
    SqliteStorage(tmp_path / ".durably" / "journal.db").close()
    assert (tmp_path / ".durably" / ".gitignore").read_text() == "*\n"
    assert (tmp_path / ".durably" / "journal.db").exists()


def test_landmarks_use_their_index(storage: SqliteStorage):
    """Landmarks are found without reading the threads."""
    from durably.journal.sqlite.reader import _LANDMARKS

    plan = storage._db.execute("EXPLAIN QUERY PLAN " + _LANDMARKS, (0,)).fetchall()
    assert any("INDEX landmark" in step[3] for step in plan)
    assert not any("TEMP B-TREE" in step[3] for step in plan)


def test_processes_opening_a_new_file_at_once(path: Path):
    """Of several processes that open a file that is not there yet, all succeed."""
    code = "storage.acquire(sys.argv[2], 'me', 60, time.time()); storage.close(); print('ok')"
    started = [
        subprocess.Popen(python(code, path, number), stdout=subprocess.PIPE, text=True)
        for number in range(4)
    ]
    assert [process.communicate()[0] for process in started] == ["ok\n"] * 4


def test_two_processes_write_one_file(path: Path, storage: SqliteStorage):
    """Two processes append to threads of one file at once; every row is there."""
    code = """
lease = storage.acquire("theirs", "them", 60, time.time())
print("begun", flush=True)
for seq in range(1, 301):
    storage.append(lease, [Row(seq, 16, "run", b"body")], {}, barrier=seq % 100 == 0)
storage.close()
"""
    lease = storage.acquire("ours", "us", 60, time.time())
    with subprocess.Popen(python(code, path), stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == "begun\n"
        for seq in range(1, 301):
            storage.append(lease, [row(seq)], {}, barrier=False)
    assert process.returncode == 0
    expected = [row(seq) for seq in range(1, 301)]
    assert list(storage.read("ours")) == list(storage.read("theirs")) == expected


def test_thread_of_a_killed_process_is_taken_over(path: Path, storage: SqliteStorage):
    """A lease taken by another process falls free when that process is killed."""
    code = """
storage.acquire("t", owner_id() + "#1", 1000, time.time())
print("holding", flush=True)
input()
"""
    with subprocess.Popen(
        python(code, path), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout.readline() == "holding\n"
        with pytest.raises(ThreadBusy, match=f":{process.pid}"):
            storage.acquire("t", "heir", 60, time.time())
        process.kill()
    assert storage.acquire("t", "heir", 60, time.time()).epoch == 2


def test_every_acknowledged_row_survives_a_kill(path: Path):
    """Whatever ``append`` returned for is there after SIGKILL, and nothing is half-written."""
    code = """
lease = storage.acquire("t", owner_id() + "#1", 1000, time.time())
for seq in range(lease.head + 1, 1_000_000, 2):
    rows = [Row(seq, 16, "run", b"%d" % seq), Row(seq + 1, 16, "run", b"%d" % (seq + 1))]
    storage.append(lease, rows, {b"%d" % seq: b"blob" * 999}, barrier=seq % 40 == 1)
    print(seq + 1, flush=True)
"""
    for kill in range(10):
        with subprocess.Popen(python(code, path), stdout=subprocess.PIPE, text=True) as process:
            lines = [process.stdout.readline() for _ in range(1 + 17 * kill)]
            process.kill()
            lines += process.stdout.read().splitlines()
        acknowledged = int(lines[-1])
        storage = SqliteStorage(path)
        seen = storage.read("t")
        assert len(seen) in (acknowledged, acknowledged + 2)
        assert [int(one.body) for one in seen] == list(range(1, len(seen) + 1))
        assert len(storage.fetch("t", [b"%d" % seq for seq in range(1, len(seen), 2)])) * 2 == len(
            seen
        )
        assert storage.integrity() == []
        storage.close()


SYNCS = """
import os
lease = storage.acquire("t", "me", 60, time.time())
def append(rows, blobs, barrier, mark):
    storage.append(lease, rows, blobs, barrier=barrier)
    os.write(2, mark)
body = lambda seq: Row(seq, 16, "run", b"body")
append([body(1)], {}, True, b"start")
append([body(2)], {}, False, b"plain")
append([body(3), body(4)], {b"h": b"data"}, False, b"several")
append([body(5)], {}, True, b"barrier")
append([], {}, True, b"flush")
append([], {b"h": b"data"}, True, b"known blob")
append([body(6)], {}, False, b"plain again")
"""


@pytest.mark.skipif(shutil.which("strace") is None, reason="needs strace")
def test_a_barrier_syncs_and_nothing_else_does(path: Path, tmp_path: Path):
    """The log is synced once by each append with a barrier and by no other."""
    trace = tmp_path / "trace"
    command = ["strace", "-f", "-o", str(trace), "-e", "trace=fsync,fdatasync,write"]
    done = subprocess.run([*command, *python(SYNCS, path)], capture_output=True, check=False)
    if done.returncode:
        pytest.skip("strace may not trace here")
    text = trace.read_text().partition('"start"')[2]
    counts = {}
    for mark in ("plain", "several", "barrier", "flush", "known blob", "plain again"):
        before, _, text = text.partition(f'"{mark}"')
        counts[mark] = before.count("sync(")
    assert counts == {
        "plain": 0,
        "several": 0,
        "barrier": 1,
        "flush": 1,
        "known blob": 1,
        "plain again": 0,
    }


def test_a_flush_writes_to_the_log(path: Path, storage: SqliteStorage):
    """A barrier with nothing to append makes a commit, for without one there is no sync."""
    log = Path(f"{path}-wal")
    lease = storage.acquire("t", "me", 60, time.time())
    before = log.stat().st_size
    storage.append(lease, [], {}, barrier=True)
    assert log.stat().st_size > before


def test_waiting_appends_share_a_commit(path: Path, storage: SqliteStorage):
    """Callers that wait while another process has the lock are committed together."""
    leases = [storage.acquire(f"t{number}", "me", 60, time.time()) for number in range(8)]
    commits: list[str] = []
    storage._db.set_trace_callback(commits.append)
    blocker = sqlite3.connect(path, isolation_level=None)
    blocker.execute("BEGIN IMMEDIATE")
    callers = [
        threading.Thread(
            target=storage.append, args=(lease, [row(1)], {}), kwargs={"barrier": True}
        )
        for lease in leases
    ]
    for caller in callers:
        caller.start()
    while len(storage._appends._queue) < 7:
        time.sleep(0)
    blocker.execute("COMMIT")
    blocker.close()
    for caller in callers:
        caller.join()
    assert [list(storage.read(f"t{number}")) for number in range(8)] == [[row(1)]] * 8
    assert sum(statement == "COMMIT" for statement in commits) == 1


def test_no_connection_crosses_a_fork(storage: SqliteStorage, path: Path):
    """None is open at the moment of a fork; the parent opens them again when it needs them."""
    lease = storage.acquire("t", "me", 60, time.time())
    storage.read("t")

    def child() -> None:
        open_files = [os.path.realpath(file) for file in Path("/proc/self/fd").iterdir()]
        assert not [file for file in open_files if file.startswith(str(path))]

    in_child(child)
    storage.append(lease, [row(1)], {}, barrier=True)
    assert list(storage.read("t")) == [row(1)]


def test_parent_that_closes_takes_nothing_from_the_child(storage: SqliteStorage, path: Path):
    """What a child commits stays, though its parent, who had the file open, closes it."""
    is_closed, close = os.pipe()
    storage.acquire("t", "me", 60, time.time())
    child = os.fork()
    if child == 0:
        signal.alarm(30)
        own = storage.acquire("child's", "child", 60, time.time())
        os.read(is_closed, 1)
        for seq in range(1, 4):
            storage.append(own, [row(seq)], {}, barrier=True)
        os._exit(0)
    storage.close()
    os.write(close, b".")
    assert os.waitpid(child, 0)[1] == 0
    assert list(SqliteStorage(path).read("child's")) == [row(1), row(2), row(3)]


def test_leases_are_not_inherited(storage: SqliteStorage):
    """A child can neither write to a thread that its parent holds, nor give it back."""
    lease = storage.acquire("t", "me", 60, time.time())

    def child() -> None:
        for use in (
            lambda: storage.append(lease, [row(1)], {}, barrier=False),
            lambda: storage.renew(lease, 0),
        ):
            with pytest.raises(LeaseLost):
                use()

    in_child(child)
    storage.append(lease, [row(1)], {}, barrier=True)
    assert list(storage.read("t")) == [row(1)]


def test_fork_amid_a_commit_is_refused_in_the_child(
    storage: SqliteStorage, monkeypatch: pytest.MonkeyPatch
):
    """A child whose parent was using the file at the fork is told so, and touches nothing."""
    monkeypatch.setattr("durably.journal.sqlite.storage.PATIENCE", 0)

    def child() -> None:
        for use in (lambda: storage.acquire("t", "me", 60, 0), lambda: storage.read("t")):
            with pytest.raises(StorageError, match="was forked"):
                use()
        with pytest.raises(StorageError, match="was forked"):
            SqliteStorage(storage.path)

    with storage._writing:
        in_child(child)
    storage.acquire("t", "me", 60, time.time())


def test_closed_storage_says_so(path: Path):
    """After closing, which may be done twice, every use is an error that says what to do."""
    storage = SqliteStorage(path)
    lease = storage.acquire("t", "me", 60, time.time())
    storage.read("t")
    storage.close()
    storage.close()
    for use in (
        lambda: storage.append(lease, [row(1)], {}, barrier=False),
        lambda: storage.read("t"),
        lambda: storage.acquire("t", "me", 60, time.time()),
        lambda: next(storage.landmarks()),
    ):
        with pytest.raises(StorageError, match=r"journal\.db: closed\. Open the journal again"):
            use()
