"""What every store does, called plainly and with await."""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from durably.errors import DurablyError, EncodeError
from durably.store import (
    BaseStore,
    EmbeddingError,
    GetOp,
    InMemoryStore,
    InvalidNamespaceError,
    Item,
    ListNamespacesOp,
    MatchCondition,
    PutOp,
    SearchItem,
    SearchOp,
    SqliteStore,
)

NOON = 1_700_000_000.0
WORDS = ("cat", "dog", "car", "bus")


@dataclass
class Clock:
    """Time that passes when a test says so."""

    now: float = NOON

    def __call__(self) -> float:
        return self.now

    def pass_minutes(self, minutes: float) -> None:
        self.now += minutes * 60


class Api:
    """A store whose methods are all awaited, whichever twin they call."""

    def __init__(self, store: BaseStore, twin: str) -> None:
        self.store = store
        self._prefix = "a" if twin == "async" else ""

    def __getattr__(self, name: str) -> Callable[..., Any]:
        return functools.partial(self._call, name)

    async def _call(self, name: str, *args: Any, **kwargs: Any) -> Any:
        result = getattr(self.store, self._prefix + name)(*args, **kwargs)
        return await result if self._prefix else result


@pytest.fixture
def clock() -> Clock:
    """A clock that stands still."""
    return Clock()


@pytest.fixture(params=["sync", "async"])
def twin(request: pytest.FixtureRequest) -> str:
    """Which methods are called."""
    return request.param


@pytest.fixture(params=["memory", "sqlite", "sqlite-memory"])
def make(
    request: pytest.FixtureRequest, tmp_path: Path, clock: Clock, twin: str
) -> Iterator[Callable[..., Api]]:
    """A function that opens a fresh store with an index or expiry."""
    opened: list[BaseStore] = []

    def make(**options: Any) -> Api:
        store: BaseStore
        if request.param == "memory":
            store = InMemoryStore(clock=clock, **options)
        else:
            path = ":memory:" if "memory" in request.param else tmp_path / "store.db"
            store = SqliteStore(path, clock=clock, **options)
        opened.append(store)
        return Api(store, twin)

    yield make
    for store in opened:
        store.close()


@pytest.fixture
def api(make: Callable[..., Api]) -> Api:
    """A fresh store without index and expiry."""
    return make()


def embed(texts: list[str]) -> list[list[float]]:
    """Count words; texts that share words are alike."""
    return [[float(text.count(word)) for word in WORDS] for text in texts]


INDEX: dict[str, Any] = {"dims": 4, "embed": embed, "fields": ["text"]}


def keys(items: list[SearchItem]) -> list[str]:
    return [item.key for item in items]


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
    for place in (("a",), ("a", "b"), ("ab",), ("A",), ("a", "b", "c"), ("z", "a")):
        await api.put(place, "/".join(place), {})
    assert keys(await api.search(("a",))) == ["a", "a/b", "a/b/c"]
    assert keys(await api.search(("a", "b"))) == ["a/b", "a/b/c"]
    assert keys(await api.search(("*",))) == []
    assert len(await api.search(())) == 6


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
        ({"deep": {"$eq": {"x": [1, {"y": 2, "z": 3}]}}}, "one"),
        ({"n') OR 1=1 --": 1}, ""),
        ({}, "one two text none"),
    ],
)
async def test_filters(api: Api, wanted: dict[str, Any], found: str):
    """Fields are matched exactly, in depth, or by operators; what has no order does not match."""
    await api.put(("a",), "one", {"n": 1, "deep": {"x": [1, {"y": 2, "z": 3}]}})
    await api.put(("a",), "two", {"n": 2})
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


async def test_query_ranks(make: Callable[..., Api]):
    """The items most like the query come first with their cosine similarity."""
    api = make(index=INDEX)
    await api.put(("a",), "bus", {"text": "bus"})
    await api.put(("a",), "both", {"text": "cat dog"})
    await api.put(("a",), "cat", {"text": "cat cat"})
    found = await api.search(("a",), query="cat")
    assert keys(found) == ["cat", "both", "bus"]
    assert [item.score for item in found] == pytest.approx([1.0, 2**-0.5, 0.0], abs=1e-6)
    assert keys(await api.search(("a",), query="cat", limit=1, offset=1)) == ["both"]
    assert keys(await api.search(("a",), query="cat", filter={"text": "bus"})) == ["bus"]
    assert [item.score for item in await api.search(("a",))] == [None] * 3


async def test_ranking_stays_below_the_prefix(make: Callable[..., Api]):
    """A ranked search finds what is below its prefix, however alike other items are."""
    api = make(index=INDEX)
    await api.put(("a", "b"), "near", {"text": "dog"})
    await api.put(("ab",), "far", {"text": "cat"})
    assert keys(await api.search(("a",), query="cat")) == ["near"]
    assert keys(await api.search((), query="cat")) == ["far", "near"]


async def test_items_without_vector_come_last(make: Callable[..., Api]):
    """What was not indexed is found after what was, without a score, and counts in pages."""
    api = make(index=INDEX)
    await api.put(("a",), "hidden", {"text": "cat"}, index=False)
    await api.put(("a",), "empty", {"other": "cat"})
    await api.put(("a",), "seen", {"text": "dog"})
    found = await api.search(("a",), query="cat")
    assert [(item.key, item.score) for item in found] == [
        ("seen", 0.0),
        ("hidden", None),
        ("empty", None),
    ]
    assert keys(await api.search(("a",), query="cat", limit=1, offset=2)) == ["empty"]


async def test_put_says_what_is_indexed(make: Callable[..., Api]):
    """A put's paths replace the store's; an item is as good as its best part."""
    api = make(index=INDEX)
    await api.put(("a",), "parts", {"text": "bus", "p": [{"q": "dog"}, {"q": "cat"}]}, ["p[*].q"])
    await api.put(("a",), "whole", {"text": "bus", "x": "cat dog"}, index=["$"])
    found = await api.search(("a",), query="cat")
    assert keys(found) == ["parts", "whole"]
    assert found[0].score == pytest.approx(1.0)
    with pytest.raises(TypeError, match="index must be None, False or a list"):
        await api.put(("a",), "k", {}, index="text")


async def test_second_put_replaces_vectors(make: Callable[..., Api]):
    """Nothing of the old value is found any more, whether the new one is indexed or not."""
    api = make(index=INDEX)
    await api.put(("a",), "k", {"text": "cat"})
    await api.put(("a",), "k", {"text": "dog"})
    assert (await api.search(("a",), query="cat"))[0].score == 0.0
    await api.put(("a",), "k", {"text": "cat"}, index=False)
    assert (await api.search(("a",), query="cat"))[0].score is None
    await api.delete(("a",), "k")
    await api.put(("a",), "other", {})
    assert (await api.search(("a",), query="cat"))[0].score is None


async def test_equal_texts_share_one_embedding(make: Callable[..., Api]):
    """A text is embedded once for all items of a batch, and queries once."""
    asked: list[list[str]] = []

    def counting(texts: list[str]) -> list[list[float]]:
        asked.append(texts)
        return embed(texts)

    api = make(index={**INDEX, "embed": counting})
    await api.batch([PutOp(("a",), key, {"text": "cat"}) for key in "xyz"])
    results = await api.batch([SearchOp(("a",), query="cat"), SearchOp((), query="cat")])
    assert asked == [["cat"], ["cat"]]
    assert [[item.score for item in found] for found in results] == [[1.0] * 3] * 2


async def test_without_index_queries_do_not_rank(api: Api):
    """Without an index, a query and ``index=`` do nothing."""
    await api.put(("a",), "k", {"text": "x"}, index=["text"])
    found = await api.search(("a",), query="anything")
    assert [(item.key, item.score) for item in found] == [("k", None)]


@pytest.mark.parametrize(
    ("bad", "said"),
    [
        (lambda texts: [[1.0, 2.0]] * len(texts), "vector of 2 numbers, but dims is 4"),
        (lambda texts: [], "0 vectors for 1 texts"),
        (lambda texts: ["nope"], "other than a vector"),
        (lambda texts: [[1.0, 2.0, 3.0, float("nan")]], "not finite"),
        (lambda texts: None, "other than a vector"),
    ],
)
async def test_broken_embedding_is_refused(
    make: Callable[..., Api], bad: Callable[[list[str]], Any], said: str
):
    """What is no vector for each text is an error, and nothing is stored."""
    api = make(index={**INDEX, "embed": bad})
    with pytest.raises(EmbeddingError, match=said):
        await api.put(("a",), "k", {"text": "cat"})
    assert await api.search(()) == []


async def test_failing_embedding_stores_nothing(make: Callable[..., Api]):
    """An error of the program's own function comes out as it is."""

    def failing(texts: list[str]) -> list[list[float]]:
        raise ConnectionError("no network")

    api = make(index={**INDEX, "embed": failing})
    with pytest.raises(ConnectionError, match="no network"):
        await api.put(("a",), "k", {"text": "cat"})
    assert await api.search(()) == []


async def test_async_embedding(make: Callable[..., Api], twin: str):
    """A coroutine function serves the async methods; the plain ones say that it cannot."""

    async def aembed(texts: list[str]) -> list[list[float]]:
        return embed(texts)

    api = make(index={**INDEX, "embed": aembed})
    if twin == "async":
        await api.put(("a",), "k", {"text": "cat"})
        assert (await api.search(("a",), query="cat"))[0].score == pytest.approx(1.0)
    else:
        with pytest.raises(EmbeddingError, match="aput"):
            await api.put(("a",), "k", {"text": "cat"})


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
