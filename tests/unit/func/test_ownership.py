"""One thread id is driven by one run at a time, and a zombie writes nothing."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from tests.unit.func.places import Place, thread

from durably import LeaseLost, SqliteStorage, ThreadBusy, task


def test_a_second_run_on_a_driven_thread_is_refused(place: Place) -> None:
    """One wins; the other is told who drives the thread, and nothing of it is recorded."""
    entered, leave = threading.Event(), threading.Event()

    def body(x: str) -> str:
        entered.set()
        leave.wait(10)
        return x

    results: list[str] = []
    first = threading.Thread(
        target=lambda: results.append(place.flow(body).invoke("first", thread()))
    )
    first.start()
    entered.wait(10)
    before = place.entries()
    with pytest.raises(ThreadBusy, match=str(os.getpid())):
        place.flow(body).invoke("second", thread())
    assert place.entries() == before
    leave.set()
    first.join()
    assert results == ["first"]


def test_other_threads_are_driven_at_the_same_time(place: Place) -> None:
    """Ownership is per thread id."""
    inner = place.flow(lambda x: x + 1)

    def body(x: int) -> int:
        return int(inner.invoke(x, thread("other")))

    assert place.flow(body).invoke(1, thread()) == 2


def test_a_zombies_append_is_refused(place: Place) -> None:
    """A run whose thread was taken over stops at its next record, past `except Exception`."""
    storage = place.storage()
    calls: list[str] = []

    @task
    def act(x: str) -> str:
        calls.append(x)
        return x

    def body(_: str) -> str:
        act("before").result()
        storage.acquire("t", "somebody else", ttl=30, now=time.time() + 3600)
        try:
            act("lost").result()
        except Exception:
            calls.append("swallowed")
        return act("after").result()

    with pytest.raises(LeaseLost, match="somebody else"):
        place.flow(body).invoke("", thread())
    assert calls == ["before", "lost"]


def test_the_run_of_a_killed_process_is_taken_over_at_once(tmp_path: Path) -> None:
    """No lease has to run out when its process is dead on this machine."""
    path = tmp_path / "runs.db"
    script = tmp_path / "program.py"
    script.write_text(PROGRAM)
    child = subprocess.Popen(
        [sys.executable, str(script), str(path)], stdout=subprocess.PIPE, text=True
    )
    assert child.stdout is not None
    assert child.stdout.readline() == "driving\n"
    with pytest.raises(ThreadBusy):
        _take(path)
    child.send_signal(signal.SIGKILL)
    child.wait()
    child.stdout.close()
    _take(path)


def _take(path: Path) -> None:
    storage = SqliteStorage(path)
    try:
        storage.acquire("t", "me", ttl=30, now=time.time())
    finally:
        storage.close()


PROGRAM = """
import sys, threading
from durably import entrypoint

@entrypoint(checkpointer=f"sqlite:///{sys.argv[1]}")
def flow(x):
    print("driving", flush=True)
    threading.Event().wait()

flow.invoke(1, {"configurable": {"thread_id": "t"}})
"""
