"""How items are found by meaning, in every store."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from durably.store import EmbeddingError, PutOp, SearchOp

from .stores import Api, api, clock, keys, make, twin

__all__ = ["api", "clock", "make", "twin"]  # fixtures

WORDS = ("cat", "dog", "car", "bus")


def embed(texts: list[str]) -> list[list[float]]:
    """Count words; texts that share words are alike."""
    return [[float(text.count(word)) for word in WORDS] for text in texts]


INDEX: dict[str, Any] = {"dims": 4, "embed": embed, "fields": ["text"]}


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
    await api.put(("a",), "parts", {"text": "bus", "p": [{"q": "cat"}, {"q": "dog"}]}, ["p[*].q"])
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
