"""How a store is set up: expiry and the vector index; names and keys as in LangGraph."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Literal, Protocol, TypeAlias, TypedDict

EmbeddingsFunc: TypeAlias = Callable[[list[str]], Any]
"""Turns texts into vectors, one for each: lists of numbers, or arrays."""

AEmbeddingsFunc: TypeAlias = Callable[[list[str]], Awaitable[Any]]
"""The same, as a coroutine function."""


class Embeddings(Protocol):
    """What LangChain's ``Embeddings`` classes offer.

    Of ``embed_query``, ``aembed_documents`` and ``aembed_query``, those that are there are used.
    """

    def embed_documents(self, texts: list[str]) -> Any:
        """Return one vector for each text."""
        ...


class IndexConfig(TypedDict, total=False):
    """What makes a store find items by meaning.

    Attributes:
        dims: How many numbers a vector has; if given, others are refused.
        embed: An object like LangChain's ``Embeddings``, or a function that takes a list of texts
            and returns their vectors, plain or ``async``.
        fields: Paths of what is embedded, each for itself; by default ``["$"]``, the whole value
            as JSON. ``"a.b"`` is a field of a field, ``"a[0]"``, ``"a[-1]"`` and ``"a[*]"`` are
            elements of a list, ``"*"`` is every field, ``"{a,b.c}"`` are several. What a value
            does not have is left out.

    Example:
        >>> store = InMemoryStore(index={"dims": 1536, "embed": embed, "fields": ["text"]})
    """

    dims: int
    embed: Embeddings | EmbeddingsFunc | AEmbeddingsFunc
    fields: list[str] | None


class TTLConfig(TypedDict, total=False):
    """When a store's items expire. An expired item is never returned, swept or not.

    Attributes:
        default_ttl: Minutes that an item lives if its put does not say; None for ever.
        refresh_on_read: Whether reading an item makes it live its full time again; by default yes.
        sweep_interval_minutes: How often expired items are deleted, at the occasion of a write;
            None leaves that to :meth:`sweep_ttl`.
        omit_expired: Accepted for LangGraph's sake; it is always so here.
    """

    default_ttl: float | None
    refresh_on_read: bool
    sweep_interval_minutes: float | None
    omit_expired: bool


class NotProvided:
    """The class of :data:`NOT_PROVIDED`."""

    def __bool__(self) -> Literal[False]:
        return False

    def __repr__(self) -> str:
        return "NOT_PROVIDED"


NOT_PROVIDED = NotProvided()
"""Says that a put leaves the time to live to the store's ``default_ttl``."""
