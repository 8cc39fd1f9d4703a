"""How items expire, in every store."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from .stores import Api, Clock, api, clock, keys, make, twin

__all__ = ["api", "clock", "make", "twin"]  # fixtures


async def test_expired_item_is_never_returned(make: Callable[..., Api], clock: Clock):
    """After its minutes an item is gone for every read, and swept once."""
    api = make()
    await api.put(("a",), "short", {}, ttl=1)
    await api.put(("b",), "long", {})
    clock.pass_minutes(1)
    assert await api.get(("a",), "short") is None
    assert keys(await api.search(())) == ["long"]
    assert await api.list_namespaces() == [("b",)]
    assert api.store.sweep_ttl() == 1
    assert api.store.sweep_ttl() == 0


async def test_reading_refreshes(make: Callable[..., Api], clock: Clock):
    """A get or search makes an item live its full time again, unless it is told not to."""
    api = make()
    await api.put(("a",), "got", {}, ttl=10)
    await api.put(("b",), "found", {}, ttl=10)
    await api.put(("c",), "left", {}, ttl=10)
    clock.pass_minutes(9)
    assert await api.get(("a",), "got")
    assert await api.search(("b",))
    assert await api.get(("c",), "left", refresh_ttl=False)
    assert await api.search(("c",), refresh_ttl=False)
    clock.pass_minutes(9)
    assert keys(await api.search(())) == ["got", "found"]


async def test_configured_expiry(make: Callable[..., Api], clock: Clock):
    """The store's default holds where a put does not say; refreshing can be off by default."""
    api = make(ttl={"default_ttl": 10, "refresh_on_read": False})
    await api.put(("a",), "default", {})
    await api.put(("a",), "forever", {}, ttl=None)
    await api.put(("a",), "kept", {})
    clock.pass_minutes(9)
    assert await api.get(("a",), "default")
    assert await api.get(("a",), "kept", refresh_ttl=True)
    clock.pass_minutes(1)
    assert keys(await api.search(())) == ["forever", "kept"]


async def test_writing_sets_the_time_again(api: Api, clock: Clock):
    """A put replaces the time to live, and one after expiry creates the item anew."""
    await api.put(("a",), "k", {}, ttl=1)
    await api.put(("a",), "k", {})
    clock.pass_minutes(2)
    assert await api.get(("a",), "k")
    await api.put(("a",), "k", {}, ttl=1)
    clock.pass_minutes(2)
    await api.put(("a",), "k", {})
    item = await api.get(("a",), "k")
    assert item.created_at == item.updated_at == datetime.fromtimestamp(clock.now, UTC)


async def test_writes_sweep_when_it_is_time(make: Callable[..., Api], clock: Clock):
    """With an interval, expired items are deleted at the occasion of a write."""
    api = make(ttl={"sweep_interval_minutes": 5})
    await api.put(("a",), "short", {}, ttl=1)
    clock.pass_minutes(5)
    await api.put(("a",), "other", {})
    assert api.store.sweep_ttl() == 0


@pytest.mark.parametrize("ttl", [0, -1, float("nan"), float("inf")])
async def test_time_to_live_is_positive(api: Api, ttl: float):
    """A time to live that is none is refused."""
    with pytest.raises(ValueError, match="ttl must be a positive number of minutes"):
        await api.put(("a",), "k", {}, ttl=ttl)
