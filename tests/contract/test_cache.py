"""What every cache does with entries, and what steps may expect of it."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from durably.caching import Cache, FullKey, InMemoryCache, SqliteCache, StepCache
from durably.journal import Codec
from durably.testing import FakeClock
from durably_postgres import PostgresCache

ONE: FullKey = (("f", "g"), "1")
TWO: FullKey = (("f", "g"), "2")
OTHER: FullKey = (("other",), "1")


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture(params=["memory", "sqlite", "postgres"])
def cache(request: pytest.FixtureRequest, tmp_path: Path, clock: FakeClock) -> Iterator[Cache]:
    if request.param == "memory":
        yield InMemoryCache(clock=clock.now)
        return
    made: SqliteCache | PostgresCache
    if request.param == "sqlite":
        made = SqliteCache(tmp_path / "cache.db", clock=clock.now)
    else:
        made = PostgresCache(request.getfixturevalue("empty_postgres_url"), clock=clock.now)
    with contextlib.closing(made):
        yield made


def test_is_a_cache(cache: Cache):
    """A cache offers the protocol's methods."""
    assert isinstance(cache, Cache)


def test_returns_what_was_set(cache: Cache):
    """Several keys are set at once, and those that are there are returned."""
    cache.set({ONE: (b"one", None), TWO: (b"", None)})
    assert cache.get([ONE, TWO, OTHER]) == {ONE: b"one", TWO: b""}


def test_nothing_asked_nothing_returned(cache: Cache):
    """Empty requests are no errors."""
    cache.set({})
    assert cache.get([]) == {}
    cache.clear([])


def test_setting_again_replaces(cache: Cache, clock: FakeClock):
    """The later value counts, and so does its ttl."""
    cache.set({ONE: (b"old", 10)})
    cache.set({ONE: (b"new", None)})
    clock.advance(1_000)
    assert cache.get([ONE]) == {ONE: b"new"}


def test_entry_expires_after_its_ttl(cache: Cache, clock: FakeClock):
    """A value is there for its ttl's seconds, and not at their end."""
    cache.set({ONE: (b"one", 60), TWO: (b"two", 0.5)})
    clock.advance(0.5)
    assert cache.get([ONE, TWO]) == {ONE: b"one"}
    clock.advance(59.5)
    assert cache.get([ONE, TWO]) == {}


def test_no_ttl_is_for_ever(cache: Cache, clock: FakeClock):
    """Without a ttl a value stays."""
    cache.set({ONE: (b"one", None)})
    clock.advance(10**9)
    assert cache.get([ONE]) == {ONE: b"one"}


def test_clear_takes_exact_namespaces(cache: Cache):
    """Only the namespaces named are cleared: neither those inside them nor similar ones."""
    keys: list[FullKey] = [(("a",), "k"), (("a", "b"), "k"), (("a,b",), "k"), ((), "k")]
    cache.set(dict.fromkeys(keys, (b"value", None)))
    cache.clear([("a",), ("unknown",)])
    assert set(cache.get(keys)) == set(keys[1:])
    cache.clear([("a", "b"), ()])
    assert set(cache.get(keys)) == {(("a,b",), "k")}


def test_clear_takes_everything(cache: Cache):
    """Without namespaces nothing stays."""
    cache.set({ONE: (b"one", None), OTHER: (b"other", 60)})
    cache.clear()
    assert cache.get([ONE, OTHER]) == {}


@pytest.mark.parametrize("name", ["", "ä 🎈", "'; DROP TABLE cache_entry; --", "\ud800", "a\0b"])
def test_any_string_is_a_key(cache: Cache, name: str):
    """Keys and namespaces may be any strings, and are kept apart."""
    key: FullKey = ((name, "x"), name)
    cache.set({key: (b"value", None), ONE: (b"one", None)})
    assert cache.get([key, ONE]) == {key: b"value", ONE: b"one"}
    cache.clear([(name, "x")])
    assert cache.get([key, ONE]) == {ONE: b"one"}


def test_values_are_bytes(cache: Cache):
    """Another value is refused, by name, and nothing of that call is kept."""
    with pytest.raises(TypeError, match=r"'2'.*dict, not bytes"):
        cache.set({ONE: (b"one", None), TWO: ({"no": "bytes"}, None)})  # type: ignore[dict-item]
    assert cache.get([ONE, TWO]) == {}


async def test_async_methods_do_the_same(cache: Cache):
    """The async twins see what the others set, and the other way round."""
    await cache.aset({ONE: (b"one", None), OTHER: (b"other", None)})
    assert cache.get([ONE]) == {ONE: b"one"}
    cache.set({TWO: (b"two", None)})
    assert await cache.aget([ONE, TWO]) == {ONE: b"one", TWO: b"two"}
    await cache.aclear([ONE[0]])
    assert await cache.aget([ONE, TWO, OTHER]) == {OTHER: b"other"}
    await cache.aclear()
    assert cache.get([OTHER]) == {}


def test_threads_share_it(cache: Cache):
    """Each of many threads finds at once what it has set."""

    def work(number: int) -> bool:
        key: FullKey = (("t",), str(number))
        cache.set({key: (b"%d" % number, 60)})
        return cache.get([key]) == {key: b"%d" % number}

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(work, range(80)))


def test_step_reads_its_own_write(cache: Cache):
    """A value that was put is found by the very next call, None included."""
    steps = StepCache(cache, Codec())
    with steps.entry(ONE) as entry:
        assert not entry.hit
        entry.put(None)
    with steps.entry(ONE) as entry:
        assert entry.hit
        assert entry.value is None


async def test_async_step_reads_its_own_write(cache: Cache):
    """The same on an event loop, and from a blocking caller."""
    steps = StepCache(cache, Codec())
    async with steps.aentry(ONE) as entry:
        entry.put((1, "a"))
    async with steps.aentry(ONE) as entry:
        assert (entry.hit, entry.value) == (True, (1, "a"))
    with steps.entry(ONE) as entry:
        assert entry.value == (1, "a")


def test_step_value_expires(cache: Cache, clock: FakeClock):
    """A value put with a ttl is computed anew after it."""
    steps = StepCache(cache, Codec(), clock)
    with steps.entry(ONE, ttl=60) as entry:
        entry.put("value")
    clock.advance(60)
    with steps.entry(ONE, ttl=60) as entry:
        assert not entry.hit
