"""What a step asks of a cache: shared computations, other processes, broken caches."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from durably.caching import FullKey, InMemoryCache, SqliteCache, StepCache
from durably.journal import Codec
from durably.testing import FakeClock

KEY: FullKey = (("f",), "1")
WAIT = 30

COMPUTER = """
import sys, time
from pathlib import Path
from durably.caching import SqliteCache, StepCache
from durably.journal import Codec
path, log = sys.argv[1:]
cache = SqliteCache(path)
with StepCache(cache, Codec()).entry((("f",), "1")) as entry:
    if not entry.hit:
        with open(log, "a") as file:
            file.write("computed ")
        time.sleep(0.3)
        entry.put("value")
        entry.value = "value"
cache.close()
sys.exit(0 if entry.value == "value" else 1)
"""


class Broken(InMemoryCache):
    """A cache whose medium fails."""

    def get(self, keys: Sequence[FullKey]) -> dict[FullKey, bytes]:
        raise OSError("unplugged")

    def set(self, pairs: Mapping[FullKey, tuple[bytes, float | None]]) -> None:
        raise OSError("unplugged")


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def shared(tmp_path: Path, clock: FakeClock) -> Iterator[SqliteCache]:
    with contextlib.closing(SqliteCache(tmp_path / "cache.db", clock=clock.now)) as made:
        yield made


def steps_over(cache: Any, clock: FakeClock | None = None) -> StepCache:
    return StepCache(cache, Codec(), clock)


def test_each_caller_has_its_own_object():
    """Changing a value, before or after it is kept, changes nobody else's."""
    steps, value = steps_over(InMemoryCache()), ["a"]
    with steps.entry(KEY) as entry:
        entry.put(value)
        value.append("b")
    with steps.entry(KEY) as entry:
        entry.value.append("c")
    with steps.entry(KEY) as entry:
        assert entry.value == ["a"]


def test_threads_compute_once_however_many_step_caches():
    """StepCaches over one cache share computations."""
    cache = InMemoryCache()
    computing, go_on = threading.Event(), threading.Event()

    def work() -> tuple[bool, Any]:
        with steps_over(cache).entry(KEY) as entry:
            if not entry.hit:
                computing.set()
                assert go_on.wait(WAIT)
                entry.put("value")
            return entry.hit, entry.value

    with ThreadPoolExecutor(4) as pool:
        futures = [pool.submit(work) for _ in range(4)]
        assert computing.wait(WAIT)
        go_on.set()
        results = [future.result(WAIT) for future in futures]
    assert sorted(hit for hit, _ in results) == [False, True, True, True]
    assert {value for hit, value in results if hit} == {"value"}


async def test_waiters_have_the_value_although_the_cache_kept_nothing():
    """Those who waited are given the value even if it expires at once."""
    steps, computing, go_on = steps_over(InMemoryCache()), asyncio.Event(), asyncio.Event()

    async def work() -> Any:
        async with steps.aentry(KEY, ttl=0) as entry:
            if entry.hit:
                return entry.value
            computing.set()
            await go_on.wait()
            entry.put("value")
            return None

    tasks = [asyncio.create_task(work()) for _ in range(3)]
    await computing.wait()
    await asyncio.sleep(0)
    go_on.set()
    assert await asyncio.gather(*tasks) == [None, "value", "value"]


def test_failure_keeps_nothing():
    """A block that is left by an exception keeps nothing, even what was put, and frees the key."""
    steps = steps_over(InMemoryCache())

    def fail() -> None:
        with steps.entry(KEY) as entry:
            entry.put("value")
            raise ValueError("mine")

    with pytest.raises(ValueError, match="mine"):
        fail()
    with steps.entry(KEY) as entry:
        assert not entry.hit


async def test_cancelled_step_hands_over(shared: SqliteCache):
    """When a step is cancelled while it computes, the next one computes at once."""
    steps, computing = steps_over(shared), asyncio.Event()

    async def stuck() -> None:
        async with steps.aentry(KEY):
            computing.set()
            await asyncio.Event().wait()

    async def compute() -> bool:
        async with steps.aentry(KEY) as entry:
            return entry.hit

    first = asyncio.create_task(stuck())
    await computing.wait()
    second = asyncio.create_task(compute())
    await asyncio.sleep(0)
    first.cancel()
    assert await asyncio.wait_for(second, WAIT) is False
    assert await asyncio.wait_for(compute(), WAIT) is False


def test_block_that_puts_nothing_keeps_nothing():
    """A step may decide not to keep its value."""
    steps = steps_over(InMemoryCache())
    for _ in range(2):
        with steps.entry(KEY) as entry:
            assert not entry.hit


def test_step_inside_its_own_step_computes():
    """A computation that asks for its own key is not held up by itself."""
    steps = steps_over(InMemoryCache())
    with steps.entry(KEY) as outer:
        with steps.entry(KEY) as inner:
            assert not inner.hit
            inner.put("inner")
        outer.put("outer")
    with steps.entry(KEY) as entry:
        assert entry.value == "outer"


def test_hint_lets_local_classes_be_cached():
    """A class that only the caller knows comes back."""

    class Local(Exception):
        pass

    steps = steps_over(InMemoryCache())
    with steps.entry(KEY, hint=Local) as entry:
        entry.put(Local("x"))
    with steps.entry(KEY, hint=Local) as entry:
        assert type(entry.value) is Local


def test_broken_cache_fails_no_step(caplog: pytest.LogCaptureFixture):
    """When the cache fails, the step is computed and the log says why."""
    steps = steps_over(Broken())
    with caplog.at_level(logging.WARNING, "durably"), steps.entry(KEY) as entry:
        assert not entry.hit
        entry.put("value")
    assert [record.getMessage() for record in caplog.records] == [
        "the cache failed; ('f',) is computed",
        "the cache failed; ('f',) is not cached",
    ]
    assert "unplugged" in caplog.text


def test_value_that_cannot_be_written_is_not_cached(caplog: pytest.LogCaptureFixture):
    """A result without a form in bytes is computed each time, and the log says why."""
    steps = steps_over(InMemoryCache())
    with caplog.at_level(logging.WARNING, "durably"), steps.entry(KEY) as entry:
        entry.put(threading.Lock())
    assert "the result of ('f',) is not cached: " in caplog.text
    with steps.entry(KEY) as entry:
        assert not entry.hit


def test_value_that_cannot_be_read_is_computed_anew(caplog: pytest.LogCaptureFixture):
    """Damaged bytes are a miss, and the new value takes their place."""
    cache = InMemoryCache()
    cache.set({KEY: (b"\xc1", None)})
    steps = steps_over(cache)
    with caplog.at_level(logging.WARNING, "durably"), steps.entry(KEY) as entry:
        assert not entry.hit
        entry.put("value")
    assert "a cached result of ('f',) is computed anew" in caplog.text
    with steps.entry(KEY) as entry:
        assert entry.value == "value"


def test_other_process_is_waited_for(shared: SqliteCache, clock: FakeClock):
    """While another process's claim holds, its value is awaited with growing pauses."""
    assert shared.claim(KEY, "other", 60)
    data = Codec().encode("theirs")

    class Watching(FakeClock):
        def sleep(self, seconds: float) -> None:
            super().sleep(seconds)
            if len(self.slept) == 4:
                shared.set({KEY: (data, None)})

    watching = Watching()
    with steps_over(shared, watching).entry(KEY) as entry:
        assert entry.value == "theirs"
    assert watching.slept == [0.02, 0.04, 0.08, 0.16]


def test_value_set_just_before_a_claim_is_released_is_found(tmp_path: Path):
    """A value that arrives between the first look and the claim is not computed again."""
    data = Codec().encode("theirs")

    class Late(SqliteCache):
        def claim(self, key: FullKey, owner: str, seconds: float) -> bool:
            self.set({key: (data, None)})
            return super().claim(key, owner, seconds)

    with (
        contextlib.closing(Late(tmp_path / "cache.db")) as cache,
        steps_over(cache).entry(KEY) as entry,
    ):
        assert entry.value == "theirs"


def test_other_process_that_died_is_not_waited_for_long(shared: SqliteCache, clock: FakeClock):
    """When a claim expires without a value, the step is computed."""
    assert shared.claim(KEY, "dead", 10)
    start = clock.now()
    with steps_over(shared, clock).entry(KEY) as entry:
        assert not entry.hit
        assert 10 <= clock.now() - start <= 11.5
        assert not shared.claim(KEY, "third", 60)
        entry.put("mine")
    assert shared.claim(KEY, "third", 60)


async def test_patience_ends(shared: SqliteCache, clock: FakeClock):
    """A claim that is renewed for ever holds a step up no longer than its patience."""
    assert shared.claim(KEY, "busy", 10_000)
    start = clock.now()
    steps = StepCache(shared, Codec(), clock, patience=5)
    async with steps.aentry(KEY) as entry:
        assert not entry.hit
        assert 5 <= clock.now() - start <= 6.5
        entry.put("mine")
    assert not shared.claim(KEY, "third", 60)
    with steps.entry(KEY) as entry:
        assert entry.value == "mine"


async def test_blocking_step_on_a_loop_does_not_wait_for_itself(shared: SqliteCache):
    """A blocking call inside an event loop computes although a task of the loop does."""
    steps = steps_over(shared)
    async with steps.aentry(KEY) as entry:
        with steps.entry(KEY) as inside:
            assert not inside.hit
        entry.put("value")
    with steps.entry(KEY) as entry:
        assert entry.hit


def test_processes_compute_once(tmp_path: Path):
    """Of several processes that start together, one computes."""
    path, log = tmp_path / "cache.db", tmp_path / "log"
    SqliteCache(path).close()
    running = [
        subprocess.Popen([sys.executable, "-c", COMPUTER, str(path), str(log)]) for _ in range(3)
    ]
    assert [process.wait(60) for process in running] == [0, 0, 0]
    assert log.read_text() == "computed "
