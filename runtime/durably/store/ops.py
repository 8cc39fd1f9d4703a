"""The operations that a batch is made of; names, fields and their order as in LangGraph."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, NamedTuple, TypeAlias

from .items import Item, SearchItem

Namespace: TypeAlias = tuple[str, ...]
"""Where an item lies, from the root down: ``("users", "42", "memories")``."""

NamespacePath: TypeAlias = tuple[str, ...]
"""A pattern for namespaces, in which the label ``"*"`` stands for any one label."""

NamespaceMatchType: TypeAlias = Literal["prefix", "suffix"]
"""Which end of a namespace a :data:`NamespacePath` is held against."""


class GetOp(NamedTuple):
    """Read one item; its result is the :class:`Item` or None.

    Attributes:
        namespace: Where the item lies.
        key: Its name there.
        refresh_ttl: Whether the read makes an item that expires live its full time again.
    """

    namespace: Namespace
    key: str
    refresh_ttl: bool = True


class SearchOp(NamedTuple):
    """Look for items below a namespace; its result is a list of :class:`SearchItem`.

    Attributes:
        namespace_prefix: What the items' namespaces begin with; ``()`` means all of them.
        filter: What the items' values must hold; see :meth:`BaseStore.search`.
        limit: How many items there are at most.
        offset: How many are skipped before the first.
        query: What the items should be about; ranks them if the store has an index.
        refresh_ttl: Whether items that were found and expire live their full time again.
    """

    namespace_prefix: Namespace
    filter: dict[str, Any] | None = None
    limit: int = 10
    offset: int = 0
    query: str | None = None
    refresh_ttl: bool = True


class MatchCondition(NamedTuple):
    """What a namespace must begin or end with.

    Attributes:
        match_type: Which end.
        path: The labels there; ``"*"`` stands for any one label.

    Example:
        >>> MatchCondition("prefix", ("users", "*", "memories"))
        MatchCondition(match_type='prefix', path=('users', '*', 'memories'))
    """

    match_type: NamespaceMatchType
    path: NamespacePath


class ListNamespacesOp(NamedTuple):
    """List the namespaces that hold an item; its result is a sorted list of tuples.

    Attributes:
        match_conditions: What each namespace must fulfil, all of them.
        max_depth: To how many labels namespaces are cut; equal ones are listed once.
        limit: How many there are at most.
        offset: How many are skipped before the first.
    """

    match_conditions: tuple[MatchCondition, ...] | None = None
    max_depth: int | None = None
    limit: int = 100
    offset: int = 0


class PutOp(NamedTuple):
    """Write, replace or delete one item; its result is None.

    Attributes:
        namespace: Where the item lies.
        key: Its name there.
        value: JSON data with string keys; None deletes the item.
        index: Which parts are embedded: None for the store's ``fields``, False for nothing, or a
            list of paths (:class:`IndexConfig` says how they are written).
        ttl: Minutes until the item expires; None for never.
    """

    namespace: Namespace
    key: str
    value: Mapping[str, Any] | None
    index: Literal[False] | list[str] | None = None  # type: ignore[assignment]  # LangGraph's name
    ttl: float | None = None


Op: TypeAlias = GetOp | SearchOp | PutOp | ListNamespacesOp
"""Any operation."""

Result: TypeAlias = Item | list[Item] | list[SearchItem] | list[Namespace] | None
"""What an operation of a batch results in."""
