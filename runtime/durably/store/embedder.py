"""Texts to vectors, by whatever the index's ``embed`` is."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, NamedTuple, TypeAlias, cast

from ..errors import EmbeddingError
from .config import IndexConfig
from .vectors import dims, pack

_Sync: TypeAlias = Callable[[Any], Any]
_Async: TypeAlias = Callable[[Any], Awaitable[Any]]


class Vectors(NamedTuple):
    """The vectors that a batch needs, by text."""

    texts: Mapping[str, bytes]
    queries: Mapping[str, bytes]


class _Source(NamedTuple):
    """Which ways of embedding there are; a query may have one of its own, as in LangChain."""

    documents: _Sync | None = None
    query: _Sync | None = None
    adocuments: _Async | None = None
    aquery: _Async | None = None


class Embedder:
    """Embeds the texts and queries of a batch.

    Args:
        index: The store's index.

    Attributes:
        fields: The paths that are embedded where a put does not say.

    Raises:
        EmbeddingError: The index has no ``embed`` that can be called.
    """

    def __init__(self, index: IndexConfig) -> None:
        self._source = _source(index.get("embed"))
        self._dims = index.get("dims")
        fields: Any = index.get("fields") or ["$"]
        self.fields: Sequence[str] = [fields] if isinstance(fields, str) else fields

    def embed(self, texts: Sequence[str], queries: Sequence[str]) -> Vectors:
        """Return the vectors of texts and queries; without any, nothing is called.

        Raises:
            EmbeddingError: Only an async function is there, or it does not return vectors.
        """
        documents, query = self._source.documents, self._source.query
        if documents is None:
            raise EmbeddingError(
                "the index's embed is an async function, which a plain call cannot await; use "
                "aput, asearch or abatch, or give a plain function"
            )
        found = documents(list(texts)) if texts else []
        if query is None:
            sought = documents(list(queries)) if queries else []
        else:
            sought = [query(text) for text in queries]
        return self._vectors(texts, found, queries, sought)

    async def aembed(self, texts: Sequence[str], queries: Sequence[str]) -> Vectors:
        """Do the same without blocking the loop; a plain function is called in a thread."""
        if self._source.adocuments is None:
            return await asyncio.to_thread(self.embed, texts, queries)
        found = await self._source.adocuments(list(texts)) if texts else []
        if self._source.aquery is not None:
            sought = await asyncio.gather(*map(self._source.aquery, queries))
        else:
            sought = await self._source.adocuments(list(queries)) if queries else []
        return self._vectors(texts, found, queries, sought)

    def _vectors(
        self, texts: Sequence[str], found: Any, queries: Sequence[str], sought: Any
    ) -> Vectors:
        return Vectors(self._packed(texts, found), self._packed(queries, sought))

    def _packed(self, texts: Sequence[str], vectors: Any) -> dict[str, bytes]:
        try:
            rows = [pack(list(vector)) for vector in vectors]
        except (TypeError, ValueError) as error:
            raise EmbeddingError(
                f"the index's embed returned something other than a vector: {error}; it must "
                "return one list of finite numbers for each text"
            ) from error
        if len(rows) != len(texts):
            raise EmbeddingError(
                f"the index's embed returned {len(rows)} vectors for {len(texts)} texts; it must "
                "return one for each"
            )
        for row in rows:
            if self._dims is not None and dims(row) != self._dims:
                raise EmbeddingError(
                    f"the index's embed returned a vector of {dims(row)} numbers, but dims is "
                    f"{self._dims}; make them agree"
                )
        return dict(zip(texts, rows, strict=True))


def _source(embed: Any) -> _Source:
    if hasattr(embed, "embed_documents"):
        return _Source(
            embed.embed_documents,
            getattr(embed, "embed_query", None),
            getattr(embed, "aembed_documents", None),
            getattr(embed, "aembed_query", None),
        )
    if not callable(embed):
        raise EmbeddingError(
            f"the index's embed is {embed!r}; give a function that turns a list of texts into "
            "vectors, or an object with embed_documents, such as LangChain's "
            'init_embeddings("provider:model")'
        )
    if inspect.iscoroutinefunction(embed) or inspect.iscoroutinefunction(type(embed).__call__):
        return _Source(adocuments=cast("_Async", embed))
    return _Source(documents=embed)
