"""What an index's ``embed`` may be."""

from __future__ import annotations

import functools
from typing import Any

import pytest
from langchain_core.embeddings import Embeddings as LangChainEmbeddings

from durably.store import EmbeddingError, InMemoryStore
from durably.store.embedder import Embedder
from durably.store.vectors import pack


class Recorder:
    """An object like LangChain's that tells which method was called."""

    def __init__(self) -> None:
        self.calls: list[str] = []

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        self.calls.append("embed_documents")
        return [[1.0]] * len(texts)

    def embed_query(self, text: str) -> list[float]:
        self.calls.append("embed_query")
        return [2.0]


class AsyncRecorder(Recorder):
    """The same with coroutines."""

    async def aembed_documents(self, texts: list[str]) -> list[list[float]]:
        self.calls.append("aembed_documents")
        return [[1.0]] * len(texts)

    async def aembed_query(self, text: str) -> list[float]:
        self.calls.append("aembed_query")
        return [2.0]


class Real(LangChainEmbeddings):
    """A real LangChain class, whose async methods are its own."""

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        return [[1.0]] * len(texts)

    def embed_query(self, text: str) -> list[float]:
        return [2.0]


def test_queries_have_a_method_of_their_own():
    """A model that embeds questions differently is asked in that way."""
    embed = Recorder()
    vectors = Embedder({"embed": embed}).embed(["a", "b"], ["q"])
    assert embed.calls == ["embed_documents", "embed_query"]
    assert vectors.texts == {"a": pack([1.0]), "b": pack([1.0])}
    assert vectors.queries == {"q": pack([2.0])}


async def test_async_methods_are_preferred_by_async_calls():
    """Coroutines are awaited where there are some; else the plain methods run in a thread."""
    embed = AsyncRecorder()
    await Embedder({"embed": embed}).aembed(["a"], ["q"])
    assert embed.calls == ["aembed_documents", "aembed_query"]
    plain = Recorder()
    await Embedder({"embed": plain}).aembed(["a"], ["q"])
    assert plain.calls == ["embed_documents", "embed_query"]


async def test_langchain_embeddings():
    """A subclass of LangChain's own class works both ways."""
    embedder = Embedder({"embed": Real()})
    assert await embedder.aembed(["a"], ["q"]) == embedder.embed(["a"], ["q"])


def test_nothing_to_embed_calls_nothing():
    """Without texts and queries no model is asked."""
    embed = Recorder()
    Embedder({"embed": embed}).embed([], [])
    assert embed.calls == []


async def test_kinds_of_async_functions():
    """A partial of a coroutine function and an object with an async call are recognised."""

    async def embed(factor: float, texts: list[str]) -> list[list[float]]:
        return [[factor]] * len(texts)

    class Callable:
        async def __call__(self, texts: list[str]) -> list[list[float]]:
            return await embed(1.0, texts)

    for one in (functools.partial(embed, 1.0), Callable()):
        vectors = await Embedder({"embed": one}).aembed(["a"], ["q"])
        assert vectors.texts["a"] == vectors.queries["q"] == pack([1.0])


def test_arrays_are_vectors():
    """A function may return one numpy array."""
    numpy = pytest.importorskip("numpy")
    embedder = Embedder({"dims": 2, "embed": lambda texts: numpy.ones((len(texts), 2))})
    assert embedder.embed(["a"], []).texts == {"a": pack([1.0, 1.0])}


@pytest.mark.parametrize("embed", [None, "openai:text-embedding-3-small", 5])
def test_unusable_embed_is_refused_at_once(embed: Any):
    """A store whose index cannot embed is not made, and the error says what to give."""
    with pytest.raises(EmbeddingError, match="init_embeddings"):
        InMemoryStore(index={"dims": 3, "embed": embed})


def test_vectors_of_another_model_are_not_compared():
    """After a change of model, items embedded by the old one are found without a score."""
    length = [1]
    store = InMemoryStore(index={"embed": lambda texts: [[1.0] * length[0]] * len(texts)})
    store.put(("a",), "old", {})
    length[0] = 2
    store.put(("a",), "new", {})
    found = store.search(("a",), query="x")
    assert [(item.key, item.score is None) for item in found] == [("new", False), ("old", True)]
