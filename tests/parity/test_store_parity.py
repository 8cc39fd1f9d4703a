"""The same programs on LangGraph's store and on ours."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from langgraph.store import base as theirs
from langgraph.store.memory import InMemoryStore as TheirStore

from durably import store as ours
from durably.store import InMemoryStore, SqliteStore

WORDS = ("cat", "dog", "car", "bus")


def embed(texts: list[str]) -> list[list[float]]:
    return [[float(text.count(word)) for word in WORDS] for text in texts]


INDEX: dict[str, Any] = {"dims": 4, "embed": embed, "fields": ["text"]}

Program = Callable[[Any, Any], list[Any]]


def plain(result: Any) -> Any:
    """Return a result without what differs from run to run."""
    if isinstance(result, list):
        return [plain(one) for one in result]
    if not hasattr(result, "key"):
        return result
    score = getattr(result, "score", None)
    kind = type(result).__name__
    return kind, result.namespace, result.key, result.value, score and round(score, 5)


def everyday(store: Any, m: Any) -> list[Any]:
    store.put(("users", "1"), "a", {"x": 1, "t": "s"})
    store.put(("users", "1"), "b", {"x": 2, "deep": {"y": [1, {"z": 2}]}})
    store.put(("users", "2"), "a", {"x": 3})
    store.put(("users", "1"), "a", {"x": 4})
    store.delete(("users", "2"), "a")
    store.put(("users", "2"), "c", {"x": 5})
    store.put(("users", "1"), "gone", {})
    store.put(("users", "1"), "gone", None)
    return [
        store.get(("users", "1"), "a"),
        store.get(("users", "2"), "a"),
        store.get(("users", "1"), "gone"),
        store.search(("users",)),
        store.search(("users", "1"), limit=1, offset=1),
        store.search(()),
        store.search(("user",)),
        store.list_namespaces(),
    ]


def filters(store: Any, m: Any) -> list[Any]:
    for number in range(12):
        value = {"n": number, "s": str(number), "even": number % 2 == 0, "d": {"k": [number, 1]}}
        store.put(("f",), f"{number:02}", value)
    wanted: list[Any] = [
        {"n": 3},
        {"n": 3.0},
        {"even": True},
        {"even": 1},
        {"n": {"$gt": 5, "$lte": 8}},
        {"n": {"$gte": "10"}},
        {"s": {"$gt": 9}},
        {"s": {"$lt": "2"}},
        {"n": {"$ne": 0}},
        {"missing": None},
        {"missing": {"$ne": 1}},
        {"n": {"$eq": 2}, "even": {"$eq": True}},
        {"d": {"k": [4, 1]}},
        {"d": {"k": (4, 1)}},
        {"d": {"k": [{"$gt": 9}, 1]}},
        {"d": {}},
        {"n": {"k": 1}},
        {},
    ]
    return [store.search(("f",), filter=one, limit=20) for one in wanted]


def namespaces(store: Any, m: Any) -> list[Any]:
    for place in ("a.b.c", "a.b.d.e", "a.b.d.i", "a.b.f", "a.c.f", "b.a.f", "users"):
        store.put(tuple(place.split(".")), "k", {})
    return [
        store.list_namespaces(),
        store.list_namespaces(prefix=("a", "b"), max_depth=3),
        store.list_namespaces(prefix=("a", "*", "f")),
        store.list_namespaces(suffix=("f",)),
        store.list_namespaces(suffix=("b", "*")),
        store.list_namespaces(prefix=("a",), suffix=("f",)),
        store.list_namespaces(max_depth=1, limit=1, offset=1),
        store.list_namespaces(prefix=("us",)),
        store.batch(
            [
                m.ListNamespacesOp(
                    match_conditions=(
                        m.MatchCondition(match_type="prefix", path=("a",)),
                        m.MatchCondition(match_type="suffix", path=("*", "i")),
                    )
                )
            ]
        ),
    ]


def batches(store: Any, m: Any) -> list[Any]:
    first = store.batch(
        [
            m.PutOp(("a",), "k", {"n": 1}),
            m.GetOp(("a",), "k"),
            m.SearchOp(("a",)),
            m.PutOp(("a",), "k", {"n": 2}),
            m.PutOp(("b",), "k", {"n": 3}),
        ]
    )
    second = store.batch(
        [
            m.GetOp(("a",), "k"),
            m.PutOp(("a",), "k", None),
            m.SearchOp((), {"n": {"$gt": 2}}, 10, 0),
            m.GetOp(("a",), "k", False),
        ]
    )
    return [first, second, store.get(("a",), "k"), store.batch([])]


def meaning(store: Any, m: Any) -> list[Any]:
    store.put(("m",), "bus", {"text": "bus car"})
    store.put(("m",), "cat", {"text": "cat"})
    store.put(("m",), "both", {"text": "cat dog", "more": ["dog", "bus bus"]})
    store.put(("m",), "parts", {"text": "x", "more": ["dog", "cat car"]}, index=["more[*]"])
    store.put(("m",), "none", {"text": "cat"}, index=False)
    store.put(("m",), "empty", {"other": 1})
    return [
        store.search(("m",), query="cat"),
        store.search(("m",), query="dog", limit=2),
        store.search(("m",), query="dog", limit=2, offset=1),
        store.search(("m",), query="cat", filter={"text": {"$ne": "cat"}}),
        store.search(("m",), limit=3),
    ]


def refusals(store: Any, m: Any) -> list[Any]:
    bad: list[Any] = [(), ("langgraph",), ("a.b",), ("",), (1,), ("a", "\0")]
    said = []
    for place in bad:
        for call in (
            lambda: store.put(place, "k", {}),  # noqa: B023
            lambda: store.get(place, "k"),  # noqa: B023
            lambda: store.delete(place, "k"),  # noqa: B023
            lambda: store.search(place),  # noqa: B023
            lambda: store.list_namespaces(prefix=place),  # noqa: B023
        ):
            try:
                call()
            except ValueError as error:
                said.append(type(error).__name__)
            else:
                said.append("fine")
    return said


PROGRAMS: list[Program] = [everyday, filters, namespaces, batches, meaning, refusals]


@pytest.fixture(params=["memory", "sqlite"])
def our_store(request: pytest.FixtureRequest, tmp_path: Path) -> Any:
    """Each of our stores, with an index."""
    if request.param == "memory":
        yield InMemoryStore(index=INDEX)
    else:
        with SqliteStore(tmp_path / "store.db", index=INDEX) as store:
            yield store


@pytest.mark.parametrize("program", PROGRAMS)
def test_same_program_same_results(our_store: Any, program: Program):
    """A program gets the same items, scores, namespaces and refusals from both."""
    assert plain(program(our_store, ours)) == plain(program(TheirStore(index=INDEX), theirs))


async def test_same_async_program(our_store: Any):
    """The async methods too give the same results."""

    async def program(store: Any) -> list[Any]:
        await store.aput(("a", "b"), "k", {"text": "cat"}, index=["text"])
        await store.aput(("a",), "l", {"text": "dog"})
        await store.aput(("c",), "m", {})
        await store.adelete(("c",), "m")
        return [
            await store.aget(("a", "b"), "k"),
            await store.asearch(("a",), query="dog"),
            await store.alist_namespaces(prefix=("a",)),
        ]

    assert plain(await program(our_store)) == plain(await program(TheirStore(index=INDEX)))


METHODS = ["get", "put", "delete", "search", "list_namespaces", "batch"]


@pytest.mark.parametrize("name", [*METHODS, *(f"a{name}" for name in METHODS)])
def test_same_parameters(name: str):
    """Each method has LangGraph's parameters, in its order, of its kinds, with its defaults."""

    def parameters(cls: type) -> list[Any]:
        given = inspect.signature(getattr(cls, name)).parameters.values()
        return [(one.name, one.kind, repr(one.default)) for one in given]

    def known(cls: type) -> list[Any]:
        return [
            (n, kind, default.replace("GIVEN", "PROVIDED")) for n, kind, default in parameters(cls)
        ]

    assert known(ours.BaseStore) == known(theirs.BaseStore)


@pytest.mark.parametrize(
    "name", ["GetOp", "PutOp", "SearchOp", "ListNamespacesOp", "MatchCondition"]
)
def test_same_operations(name: str):
    """Operations have LangGraph's fields, in its order, with its defaults."""

    def shape(module: ModuleType) -> Any:
        op = getattr(module, name)
        return op._fields, op._field_defaults

    assert shape(ours) == shape(theirs)


def test_item_has_the_same_json(our_store: Any):
    """``Item.dict()`` and ``SearchItem.dict()`` have the same fields in the same order."""
    their_store = TheirStore()
    for store in (our_store, their_store):
        store.put(("a",), "k", {})
    for read in (lambda s: s.get(("a",), "k"), lambda s: s.search(("a",))[0]):
        assert list(read(our_store).dict()) == list(read(their_store).dict())


# Where ours is better; each test shows both, so that a change of theirs is noticed.


def test_theirs_shares_objects(our_store: Any):
    """A value that was read and changed changes their store; ours gives copies."""
    changed = []
    for store in (TheirStore(), our_store):
        store.put(("a",), "k", {"list": []})
        store.get(("a",), "k").value["list"].append(1)
        changed.append(store.get(("a",), "k").value["list"])
    assert changed == [[1], []]


def test_theirs_lists_what_was_only_asked_for(our_store: Any):
    """A get of nothing makes a namespace in their store; ours lists what holds an item."""
    listed = []
    for store in (TheirStore(), our_store):
        store.get(("ghost",), "k")
        listed.append(store.list_namespaces())
    assert listed == [[("ghost",)], []]


def test_theirs_forgets_creation(our_store: Any):
    """A second put moves their ``created_at``; ours stays."""
    kept = []
    for store in (TheirStore(), our_store):
        store.put(("a",), "k", {})
        first = store.get(("a",), "k")
        store.put(("a",), "k", {})
        kept.append(store.get(("a",), "k").created_at == first.created_at)
    assert kept == [False, True]


def test_their_search_fails_on_one_odd_item(our_store: Any):
    """An item that cannot be compared breaks their whole search; ours leaves it out."""
    their_store = TheirStore()
    for store in (their_store, our_store):
        store.put(("a",), "odd", {"other": 1})
        store.put(("a",), "good", {"n": 5})
    with pytest.raises(TypeError):
        their_store.search(("a",), filter={"n": {"$gt": 1}})
    assert [item.key for item in our_store.search(("a",), filter={"n": {"$gt": 1}})] == ["good"]


def test_theirs_keeps_old_vectors(our_store: Any):
    """An item put again without index is still found by its old text in theirs, not in ours."""
    scores = []
    for store in (TheirStore(index=INDEX), our_store):
        store.put(("a",), "k", {"text": "cat"})
        store.put(("a",), "k", {"text": "bus"}, index=False)
        scores.append(store.search(("a",), query="cat")[0].score)
    assert scores == [1.0, None]


def test_theirs_refuses_equal_texts_in_a_batch(our_store: Any):
    """Two items with one text in a batch are an error in theirs; ours embeds the text once."""
    with pytest.raises(ValueError, match="Number of embeddings"):
        TheirStore(index=INDEX).batch([theirs.PutOp(("a",), key, {"text": "cat"}) for key in "xy"])
    our_store.batch([ours.PutOp(("a",), key, {"text": "cat"}) for key in "xy"])
    assert [item.score for item in our_store.search(("a",), query="cat")] == [1.0, 1.0]


def test_theirs_cannot_expire(our_store: Any):
    """Their store in memory refuses a time to live; ours keeps it."""
    with pytest.raises(NotImplementedError):
        TheirStore().put(("a",), "k", {}, ttl=1)
    our_store.put(("a",), "k", {}, ttl=1)
    assert our_store.get(("a",), "k")
