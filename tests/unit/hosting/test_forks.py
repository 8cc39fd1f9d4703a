"""Hosts and wrapped objects that were made, or used, before the process was forked."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
from tests.support.forks import in_child

import durably
from durably import CachePolicy, Host, InMemoryCache, StepPolicy, entrypoint, task
from durably.errors import StorageError, ThreadBusy

pytestmark = pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")


UNDER_WAY, MAY_END = threading.Event(), threading.Event()


def config(thread: str) -> dict[str, dict[str, str]]:
    """Return the config that names a thread."""
    return {"configurable": {"thread_id": thread}}


def test_journal_is_opened_when_it_is_first_used(tmp_path: Path):
    """A host at module level touches no file until a run is begun or looked at."""
    file = tmp_path / "runs.db"
    host = Host(f"sqlite:///{file}")
    flow = entrypoint(checkpointer=host)(lambda given: given)
    assert not file.exists()
    assert flow.invoke(1, config("t")) == 1
    assert file.exists()
    host.close()


def test_unopened_host_can_be_closed(tmp_path: Path):
    """A host that was never used makes no file when it is closed, and cannot be used afterwards."""
    file = tmp_path / "runs.db"
    host = Host(f"sqlite:///{file}")
    host.close()
    assert not file.exists()
    with pytest.raises(StorageError, match="closed"):
        host.begin("entry", 1)


@pytest.mark.parametrize("durability", ["sync", "power", "async", "exit"])
@pytest.mark.parametrize("is_used", [True, False])
def test_child_drives_runs_on_a_host_of_its_parents(
    tmp_path: Path, durability: str, *, is_used: bool
):
    """Both drive runs side by side; each sees what the other has recorded."""
    host = Host(f"sqlite:///{tmp_path / 'runs.db'}")

    @task
    def double(x: int) -> int:
        return 2 * x

    @entrypoint(checkpointer=host)
    def flow(x: int) -> int:
        return double(x).result()

    def child() -> None:
        for number in range(5):
            said = flow.invoke(number, config(f"child {number}"), durability=durability)
            assert said == 2 * number
        assert is_used is (flow.get_state(config("t")).values == 2)

    if is_used:
        assert flow.invoke(1, config("t"), durability=durability) == 2
    in_child(child)
    assert [flow.get_state(config(f"child {n}")).values for n in range(5)] == [0, 2, 4, 6, 8]
    assert flow.invoke(7, config("t"), durability=durability) == 14
    host.close()


def test_parents_run_goes_on_while_a_child_uses_its_host(tmp_path: Path):
    """The child is refused its parent's thread, and leaves its lease alone; the run ends whole."""
    host = Host(f"sqlite:///{tmp_path / 'runs.db'}")
    done: list[str] = []

    @task
    def effect(name: str) -> str:
        done.append(name)
        return name

    @entrypoint(checkpointer=host)
    def flow(name: str) -> str:
        effect(f"{name} first").result()
        if name == "parent":
            in_child(child)
        return effect(f"{name} last").result()

    def child() -> None:
        with pytest.raises(ThreadBusy):
            flow.invoke("child", config("parent"))
        assert flow.invoke("child", config("child")) == "child last"

    assert flow.invoke("parent", config("parent")) == "parent last"
    assert done == ["parent first", "parent last"]  # the child's list is its own
    assert flow.get_state(config("child")).values == "child last"
    host.close()


def test_limits_that_the_parents_threads_hold_do_not_hold_up_the_child():
    """A place under a concurrency limit, and a computation of a cached value, are the parent's."""
    cache = InMemoryCache()
    host = Host("memory:", policies={"slow": StepPolicy(concurrency=1)})

    @task(cache_policy=CachePolicy(key_func=lambda *_: "same"))
    def slow(waits: bool) -> str:
        if waits:
            UNDER_WAY.set()
            MAY_END.wait()
        return "done"

    @entrypoint(checkpointer=host, cache=cache)
    def flow(waits: bool) -> str:
        return slow(waits).result()

    other = threading.Thread(target=flow.invoke, args=(True, config("t")))
    other.start()
    UNDER_WAY.wait(10)
    try:
        in_child(lambda: flow.invoke(False, config("child")))
    finally:
        MAY_END.set()
        other.join()
    host.close()


def test_child_forked_in_a_run_is_outside_of_it():
    """Its tasks are refused with the reason, and what it does in the run is recorded nowhere."""
    host = Host("memory:")

    @task
    def step(x: int) -> int:
        return x

    @entrypoint(checkpointer=host)
    def flow(x: int) -> int:
        in_child(child)
        return step(x).result()

    def child() -> None:
        with pytest.raises(RuntimeError, match="forked inside a run"):
            step(1)
        with pytest.raises(RuntimeError, match="outside of a run"):
            durably.get_stream_writer()

    assert flow.invoke(3, config("t")) == 3
    host.close()
