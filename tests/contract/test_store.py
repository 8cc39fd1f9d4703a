"""What every store does with items, searches, namespaces and batches."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from durably.errors import DurablyError, EncodeError
from durably.store import (
    GetOp,
    InvalidNamespaceError,
    Item,
    ListNamespacesOp,
    MatchCondition,
    PutOp,
    SearchOp,
)

from .stores import NOON, Api, Clock, api, clock, keys, make, twin

__all__ = ["api", "clock", "make", "twin"]  # fixtures


async def test_item_comes_back(api: Api):
    """What was put is read with its address and the time, in UTC."""
    await api.put(("users", "42"), "likes", {"food": "pizza", "n": [1, 2.5, None, True, "ü"]})
    item = await api.get(("users", "42"), "likes")
    moment = datetime.fromtimestamp(NOON, UTC)
    assert item == Item(
        value={"food": "pizza", "n": [1, 2.5, None, True, "ü"]},
        key="likes",
        namespace=("users", "42"),
        created_at=moment,
        updated_at=moment,
    )
    assert item.created_at.tzinfo is UTC


async def test_absent_item_is_none(api: Api):
    """Reading what was never put gives None and leaves no namespace behind."""
    assert await api.get(("a",), "k") is None
    assert await api.list_namespaces() == []


async def test_second_put_replaces_and_keeps_creation(api: Api, clock: Clock):
    """A later put replaces the whole value and moves only ``updated_at``."""
    await api.put(("a",), "k", {"x": 1, "y": 2})
    clock.pass_minutes(1)
    await api.put(("a",), "k", {"x": 3})
    item = await api.get(("a",), "k")
    assert item.value == {"x": 3}
    assert item.updated_at - item.created_at == timedelta(minutes=1)


async def test_deleted_item_is_gone(api: Api):
    """A deleted item is not read, found or listed; deleting again does nothing."""
    await api.put(("a",), "k", {})
    await api.delete(("a",), "k")
    await api.delete(("a",), "k")
    assert await api.get(("a",), "k") is None
    assert await api.search(()) == []
    assert await api.list_namespaces() == []


async def test_putting_none_deletes(api: Api):
    """A value of None deletes, as in LangGraph."""
    await api.put(("a",), "k", {})
    await api.put(("a",), "k", None)
    assert await api.get(("a",), "k") is None


async def test_keys_are_strings(api: Api):
    """Another key is taken by its string."""
    await api.put(("a",), 7, {"x": 1})
    assert (await api.get(("a",), "7")).key == "7"
    assert (await api.get(("a",), 7)).key == "7"


async def test_values_are_copies(api: Api):
    """Changing what was put or what was read changes nothing in the store."""
    value = {"list": [1]}
    await api.put(("a",), "k", value)
    value["list"].append(2)
    (await api.get(("a",), "k")).value["list"].append(3)
    (await api.search(("a",)))[0].value["list"].append(4)
    assert (await api.get(("a",), "k")).value == {"list": [1]}


async def test_odd_json_comes_back(api: Api):
    """Big integers, NUL, half surrogates, odd keys and deep data survive."""
    value: dict[str, Any] = {"": 1, "a.b": "\0", "$x": 2**70, "s": "\ud800 ü", "t": (1, (2,))}
    await api.put(("ä", "*", "%_"), "it's; -- \0", value)
    item = await api.get(("ä", "*", "%_"), "it's; -- \0")
    assert item.value == {**value, "t": [1, [2]]}


@pytest.mark.parametrize(
    ("value", "path"),
    [
        ({"a": {"b": [1, {2}]}}, r"\$\.a\.b\[1\] is of type set"),
        ({"a": {1: 2}}, r"\$\.a has the key 1, which is of type int"),
        ({"when": datetime.now(UTC)}, r"\$\.when is of type datetime\.datetime"),
        ({"x": float("nan")}, r"\$\.x is nan"),
        ([1], r"\$ is of type list, not a mapping"),
    ],
)
async def test_what_is_no_json_is_refused(api: Api, value: Any, path: str):
    """The error names the namespace, the key and the path, and nothing is stored."""
    with pytest.raises(EncodeError, match=rf"item 'k' of namespace \('a', 'b'\).* {path}"):
        await api.put(("a", "b"), "k", value)
    assert await api.search(()) == []


async def test_value_that_contains_itself_is_refused(api: Api):
    """A cycle is an error, not a crash."""
    value: dict[str, Any] = {}
    value["self"] = value
    with pytest.raises(EncodeError, match="contains itself"):
        await api.put(("a",), "k", value)


@pytest.mark.parametrize(
    "namespace", [(), ("langgraph", "x"), ("",), ("a.b",), ("a", 1), ("a\0",), ("\ud800",), "users"]
)
async def test_namespace_that_cannot_hold_items(api: Api, namespace: Any):
    """An unusable namespace is refused with an error that is durably's and a ValueError."""
    with pytest.raises(InvalidNamespaceError) as caught:
        await api.put(namespace, "k", {})
    assert isinstance(caught.value, DurablyError)
    assert isinstance(caught.value, ValueError)


@pytest.mark.parametrize("label", ["", "a.b", 1])
async def test_unusable_labels_are_refused_everywhere(api: Api, label: Any):
    """Reading, searching, deleting and listing check labels, in a batch too."""
    for call in (
        api.get((label,), "k"),
        api.delete((label,), "k"),
        api.search((label,)),
        api.list_namespaces(prefix=(label,)),
        api.list_namespaces(suffix=(label,)),
        api.batch([PutOp((label,), "k", {})]),
    ):
        with pytest.raises(InvalidNamespaceError):
            await call


async def test_search_is_below_a_prefix(api: Api):
    """A prefix counts label by label: neither a longer label nor another case is below it."""
    for place in (("a",), ("a", "b"), ("ab",), ("A",), ("a-",), ("a/",), ("a", "b", "c")):
        await api.put(place, "/".join(place), {})
    assert keys(await api.search(("a",))) == ["a", "a/b", "a/b/c"]
    assert keys(await api.search(("a", "b"))) == ["a/b", "a/b/c"]
    assert keys(await api.search(("*",))) == []
    assert len(await api.search(())) == 7


async def test_search_keeps_the_order_of_first_puts(api: Api):
    """Items come in the order of their first put, across namespaces, whatever was put again."""
    for number, place in enumerate(["x", "y", "x", "y"]):
        await api.put((place,), f"k{number}", {})
    await api.put(("x",), "k0", {"new": True})
    assert keys(await api.search(())) == ["k0", "k1", "k2", "k3"]


async def test_search_in_pages(api: Api):
    """Ten items by default; limit and offset make pages."""
    for number in range(12):
        await api.put(("a",), f"{number:02}", {"even": number % 2 == 0})
    assert len(await api.search(("a",))) == 10
    assert keys(await api.search(("a",), limit=3, offset=10)) == ["10", "11"]
    assert keys(await api.search(("a",), limit=2, offset=1, filter={"even": True})) == ["02", "04"]
    assert await api.search(("a",), limit=0) == []


@pytest.mark.parametrize("window", [{"limit": -1}, {"offset": -1}])
async def test_negative_window_is_refused(api: Api, window: dict[str, int]):
    """A negative limit or offset is an error, for searches and lists."""
    with pytest.raises(ValueError, match="must not be negative"):
        await api.search((), **window)
    with pytest.raises(ValueError, match="must not be negative"):
        await api.list_namespaces(**window)


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ({"n": 1}, "one"),
        ({"n": {"$eq": 1}}, "one"),
        ({"n": {"$ne": 1}}, "two text none"),
        ({"n": {"$gt": 1}}, "two"),
        ({"n": {"$gte": 1, "$lt": 2.5}}, "one two"),
        ({"n": {"$lte": "1"}}, "one"),
        ({"n": {"$gt": "b"}}, "text"),
        ({"n": None}, "none"),
        ({"n": 1, "deep": {"x": [1, {"y": 2}]}}, "one"),
        ({"deep": {"x": [1, {"y": {"$gt": 1}}]}}, "one"),
        ({"deep": {"x": (1,)}}, ""),
        ({"list": {"$eq": (1, 2)}}, "two"),
        ({"deep": {"$eq": {"x": [1, {"y": 2, "z": 3}]}}}, "one"),
        ({"n') OR 1=1 --": 1}, ""),
        ({}, "one two text none"),
    ],
)
async def test_filters(api: Api, wanted: dict[str, Any], found: str):
    """Fields are matched exactly, in depth, or by operators; what has no order does not match."""
    await api.put(("a",), "one", {"n": 1, "deep": {"x": [1, {"y": 2, "z": 3}]}})
    await api.put(("a",), "two", {"n": 2, "list": [1, 2]})
    await api.put(("a",), "text", {"n": "cba"})
    await api.put(("a",), "none", {"m": 0})
    assert keys(await api.search(("a",), filter=wanted)) == found.split()


@pytest.mark.parametrize("wanted", [{"n": {"$in": [1]}}, {"n": {"$gt": None}}, {"n": {"$gt": []}}])
async def test_senseless_filter_is_refused(api: Api, wanted: dict[str, Any]):
    """An unknown operator or a bound without order is an error even when nothing is stored."""
    with pytest.raises(ValueError, match="filter"):
        await api.search((), filter=wanted)


PLACES = [
    ("a", "b", "c"),
    ("a", "b", "d", "e"),
    ("a", "b", "d", "i"),
    ("a", "b", "f"),
    ("a", "c", "f"),
    ("b", "a", "f"),
]


@pytest.mark.parametrize(
    ("options", "found"),
    [
        ({}, PLACES),
        ({"prefix": ("a", "b"), "max_depth": 3}, [PLACES[0], ("a", "b", "d"), PLACES[3]]),
        ({"prefix": ("a", "*", "f")}, [PLACES[3], PLACES[4]]),
        ({"suffix": ("f",)}, [PLACES[3], PLACES[4], PLACES[5]]),
        ({"suffix": ("b", "*")}, [PLACES[0], PLACES[3]]),
        ({"prefix": ("a",), "suffix": ("c", "f")}, [PLACES[4]]),
        ({"max_depth": 1}, [("a",), ("b",)]),
        ({"limit": 2, "offset": 1}, PLACES[1:3]),
        ({"prefix": ("a", "b", "c", "d")}, []),
    ],
)
async def test_namespaces_are_listed(api: Api, options: dict[str, Any], found: list[Any]):
    """Namespaces come sorted, matched at either end with wildcards, cut to a depth, in pages."""
    for place in reversed(PLACES):
        await api.put(place, "k", {})
        await api.put(place, "l", {})
    assert await api.list_namespaces(**options) == found


async def test_depth_must_make_sense(api: Api):
    """A depth of nothing is refused."""
    with pytest.raises(ValueError, match="max_depth"):
        await api.list_namespaces(max_depth=0)


async def test_batch_reads_then_writes(api: Api):
    """Reads see the state before the batch, the last write of a key wins, results keep places."""
    await api.put(("a",), "k", {"n": 0})
    results = await api.batch(
        [
            PutOp(("a",), "k", {"n": 1}),
            GetOp(("a",), "k"),
            PutOp(("a",), "k", {"n": 2}),
            SearchOp(("a",)),
            ListNamespacesOp((MatchCondition("prefix", ("a",)),)),
            PutOp(("b",), "gone", {}),
            PutOp(("b",), "gone", None),
            GetOp(("b",), "gone"),
        ]
    )
    assert results[1].value == {"n": 0}
    assert [item.value for item in results[3]] == [{"n": 0}]
    assert results[4] == [("a",)]
    assert [results[place] for place in (0, 2, 5, 6, 7)] == [None] * 5
    assert (await api.get(("a",), "k")).value == {"n": 2}
    assert await api.list_namespaces() == [("a",)]


async def test_batch_is_all_or_nothing(api: Api):
    """One bad operation keeps the others of its batch from being done."""
    with pytest.raises(EncodeError):
        await api.batch([PutOp(("a",), "good", {}), PutOp(("a",), "bad", {"x": object()})])
    with pytest.raises(ValueError, match="no operation"):
        await api.batch([PutOp(("a",), "good", {}), "put"])
    with pytest.raises(ValueError, match="match_type"):
        await api.batch([ListNamespacesOp((MatchCondition("infix", ("a",)),))])  # type: ignore[arg-type]
    assert await api.search(()) == []
    assert await api.batch([]) == []


async def test_threads_share_a_store(api: Api):
    """Many threads write and read one store, and nothing is lost."""
    begin = threading.Barrier(4)

    def work(number: int) -> None:
        begin.wait()
        for turn in range(10):
            api.store.put(("t", str(number)), str(turn), {"n": turn})
            api.store.put(("shared",), "k", {"by": number})
            api.store.search(("t",), limit=100)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(work, range(4)))
    assert len(await api.search(("t",), limit=100)) == 40
    assert len(await api.search(("shared",))) == 1


async def test_store_is_a_context_manager(make: Callable[..., Api], twin: str):
    """``with`` and ``async with`` give the store itself; closing twice is fine."""
    store = make().store
    if twin == "async":
        async with store as entered:
            assert entered is store
    else:
        with store as entered:
            assert entered is store
    store.close()
