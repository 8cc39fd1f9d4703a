"""The in-memory cache: what is particular to a bounded dict."""

from __future__ import annotations

import pytest

from durably.caching import FullKey, InMemoryCache
from durably.testing import FakeClock


def key(number: int) -> FullKey:
    return (("f",), str(number))


def test_least_recently_used_make_room():
    """Past the bound, the entry that was neither set nor read for longest goes."""
    cache = InMemoryCache(max_entries=2)
    cache.set({key(1): (b"1", None), key(2): (b"2", None)})
    cache.get([key(1)])
    cache.set({key(3): (b"3", None)})
    assert set(cache.get([key(1), key(2), key(3)])) == {key(1), key(3)}


def test_reading_drops_an_expired_entry():
    """An entry that is found expired takes no more room."""
    clock = FakeClock()
    cache = InMemoryCache(clock=clock.now)
    cache.set({key(1): (b"1", 10), key(2): (b"2", None)})
    clock.advance(10)
    cache.get([key(1)])
    assert len(cache) == 1


def test_expired_entries_nobody_reads_are_dropped():
    """Entries with a ttl do not pile up."""
    clock = FakeClock()
    cache = InMemoryCache(clock=clock.now)
    for number in range(10_000):
        cache.set({key(number): (b"value", 1)})
        clock.advance(1)
    assert len(cache) <= 2_048


@pytest.mark.parametrize("bound", [0, -1])
def test_bound_leaves_room_for_one(bound: int):
    """A cache without room is refused."""
    with pytest.raises(ValueError, match="max_entries"):
        InMemoryCache(max_entries=bound)
