"""What every store offers; code that works with LangGraph's ``BaseStore`` works with this one."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from types import TracebackType
from typing import Any, Literal, Self, cast

from .config import NOT_PROVIDED, IndexConfig, NotProvided, TTLConfig
from .items import Item, SearchItem
from .ops import (
    GetOp,
    ListNamespacesOp,
    MatchCondition,
    Namespace,
    NamespacePath,
    Op,
    PutOp,
    Result,
    SearchOp,
)


class BaseStore(ABC):
    """Long-term memory: JSON values under a namespace and a key, across threads and runs.

    Names, parameters and results are those of LangGraph's ``BaseStore``. A store of your own needs
    :meth:`batch` and :meth:`abatch`; everything else is made of them. Each method has an async
    twin, whose name begins with ``a``.

    Attributes:
        supports_ttl: Whether items can expire.
        ttl_config: When they expire if a put does not say.
        index_config: What makes the store find items by meaning, if anything.

    Example:
        >>> store.put(("users", "42"), "likes", {"food": "pizza"})
        >>> [item.key for item in store.search(("users",), filter={"food": "pizza"})]
        ['likes']
    """

    supports_ttl: bool = False
    ttl_config: TTLConfig | None = None
    index_config: IndexConfig | None = None

    @abstractmethod
    def batch(self, ops: Iterable[Op]) -> list[Result]:
        """Carry out several operations at once.

        All reads see the store as it was before; then the writes are done, of several to one key
        the last.

        Args:
            ops: The operations.

        Returns:
            Their results, in the same order; a put's is None.

        Raises:
            InvalidNamespaceError: A namespace cannot be used; nothing was done.
            EncodeError: A value is no JSON data; nothing was done.
            EmbeddingError: The index could not make vectors; nothing was done.
            ValueError: A filter, limit, depth or time to live makes no sense; nothing was done.

        Example:
            >>> store.batch([GetOp(("users", "42"), "likes"), PutOp(("log",), "1", {"n": 1})])
        """

    @abstractmethod
    async def abatch(self, ops: Iterable[Op]) -> list[Result]:
        """Do what :meth:`batch` does, without blocking the loop for long."""

    def get(
        self, namespace: Namespace, key: str, *, refresh_ttl: bool | None = None
    ) -> Item | None:
        """Return one item, or None if it is not there or has expired.

        Args:
            namespace: Where it lies.
            key: Its name there.
            refresh_ttl: Whether it lives its full time again; None: as the store's
                ``refresh_on_read`` says, which is yes if it says nothing.

        Raises:
            InvalidNamespaceError: The namespace cannot be used.

        Example:
            >>> store.get(("users", "42"), "likes").value
            {'food': 'pizza'}
        """
        return cast("Item | None", self.batch([self._get_op(namespace, key, refresh_ttl)])[0])

    async def aget(
        self, namespace: Namespace, key: str, *, refresh_ttl: bool | None = None
    ) -> Item | None:
        """Do what :meth:`get` does."""
        results = await self.abatch([self._get_op(namespace, key, refresh_ttl)])
        return cast("Item | None", results[0])

    def search(
        self,
        namespace_prefix: Namespace,
        /,
        *,
        query: str | None = None,
        filter: dict[str, Any] | None = None,  # noqa: A002 - LangGraph's name
        limit: int = 10,
        offset: int = 0,
        refresh_ttl: bool | None = None,
    ) -> list[SearchItem]:
        """Return the items below a namespace that fulfil a filter.

        With a query and an index, the items most like the query come first, each with its score,
        and those that were not indexed at the end. Otherwise they come in the order in which their
        keys were first put.

        Args:
            namespace_prefix: What the items' namespaces begin with; ``()`` means all of them.
            query: What the items should be about.
            filter: Fields that a value must hold: equal to what is given, or as ``{"$gt": 3}``
                says, with ``$eq``, ``$ne``, ``$gt``, ``$gte``, ``$lt``, ``$lte``. Numbers are
                ordered as numbers, also those written as strings, other strings by code point;
                what cannot be compared does not match.
            limit: How many items there are at most.
            offset: How many are skipped before the first.
            refresh_ttl: As in :meth:`get`, for the items that are returned.

        Raises:
            InvalidNamespaceError: The prefix cannot be used.
            EmbeddingError: The index could not make a vector of the query.
            ValueError: The filter has an unknown operator, or limit or offset is negative.

        Example:
            >>> store.search(("docs",), query="how to cook", filter={"stars": {"$gte": 4}})
        """
        refresh = self._refreshes(refresh_ttl)
        op = SearchOp(namespace_prefix, filter, limit, offset, query, refresh)
        return cast("list[SearchItem]", self.batch([op])[0])

    async def asearch(
        self,
        namespace_prefix: Namespace,
        /,
        *,
        query: str | None = None,
        filter: dict[str, Any] | None = None,  # noqa: A002 - LangGraph's name
        limit: int = 10,
        offset: int = 0,
        refresh_ttl: bool | None = None,
    ) -> list[SearchItem]:
        """Do what :meth:`search` does."""
        refresh = self._refreshes(refresh_ttl)
        op = SearchOp(namespace_prefix, filter, limit, offset, query, refresh)
        return cast("list[SearchItem]", (await self.abatch([op]))[0])

    def put(
        self,
        namespace: Namespace,
        key: str,
        value: Mapping[str, Any],
        index: Literal[False] | list[str] | None = None,
        *,
        ttl: float | NotProvided | None = NOT_PROVIDED,
    ) -> None:
        """Write an item, in place of one that is there.

        Args:
            namespace: Where it lies: labels without periods, the first not ``"langgraph"``.
            key: Its name there.
            value: JSON data with string keys.
            index: Which parts are embedded: None for the index's ``fields``, False for nothing, or
                a list of paths. Without an index it does nothing.
            ttl: Minutes until the item expires; None for never; left out, the store's
                ``default_ttl``.

        Raises:
            InvalidNamespaceError: The namespace cannot be used.
            EncodeError: The value is no JSON data; the message names the path to what is not.
            EmbeddingError: The index could not make vectors.
            NotImplementedError: A time to live is given and the store's items cannot expire.
            ValueError: The time to live is not positive.
            TypeError: ``index`` is not None, False or a list.

        Example:
            >>> store.put(("users", "42"), "likes", {"food": "pizza"}, ttl=60)
        """
        self.batch([self._put_op(namespace, key, value, index, ttl)])

    async def aput(
        self,
        namespace: Namespace,
        key: str,
        value: Mapping[str, Any],
        index: Literal[False] | list[str] | None = None,
        *,
        ttl: float | NotProvided | None = NOT_PROVIDED,
    ) -> None:
        """Do what :meth:`put` does."""
        await self.abatch([self._put_op(namespace, key, value, index, ttl)])

    def delete(self, namespace: Namespace, key: str) -> None:
        """Delete an item; one that is not there needs no deleting.

        Raises:
            InvalidNamespaceError: The namespace cannot be used.

        Example:
            >>> store.delete(("users", "42"), "likes")
        """
        self.batch([PutOp(namespace, str(key), None)])

    async def adelete(self, namespace: Namespace, key: str) -> None:
        """Do what :meth:`delete` does."""
        await self.abatch([PutOp(namespace, str(key), None)])

    def list_namespaces(
        self,
        *,
        prefix: NamespacePath | None = None,
        suffix: NamespacePath | None = None,
        max_depth: int | None = None,
        limit: int = 100,
        offset: int = 0,
    ) -> list[Namespace]:
        """Return the namespaces that hold an item, sorted.

        Args:
            prefix: What they begin with; ``"*"`` stands for any one label.
            suffix: What they end with, likewise.
            max_depth: To how many labels they are cut; equal ones are listed once.
            limit: How many there are at most.
            offset: How many are skipped before the first.

        Raises:
            InvalidNamespaceError: The prefix or suffix cannot be used.
            ValueError: A number is negative, or ``max_depth`` is not at least 1.

        Example:
            >>> store.list_namespaces(prefix=("users", "*"), max_depth=2)
            [('users', '42')]
        """
        op = _listing(prefix, suffix, max_depth, limit, offset)
        return cast("list[Namespace]", self.batch([op])[0])

    async def alist_namespaces(
        self,
        *,
        prefix: NamespacePath | None = None,
        suffix: NamespacePath | None = None,
        max_depth: int | None = None,
        limit: int = 100,
        offset: int = 0,
    ) -> list[Namespace]:
        """Do what :meth:`list_namespaces` does."""
        op = _listing(prefix, suffix, max_depth, limit, offset)
        return cast("list[Namespace]", (await self.abatch([op]))[0])

    def close(self) -> None:  # noqa: B027 - most stores have nothing to let go of
        """Let go of what the store holds open; closing twice does nothing."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def _get_op(self, namespace: Namespace, key: str, refresh_ttl: bool | None) -> GetOp:
        return GetOp(namespace, str(key), self._refreshes(refresh_ttl))

    def _put_op(
        self,
        namespace: Namespace,
        key: str,
        value: Mapping[str, Any],
        index: Literal[False] | list[str] | None,
        ttl: float | NotProvided | None,
    ) -> PutOp:
        if isinstance(ttl, NotProvided):
            ttl = (self.ttl_config or {}).get("default_ttl")
        if ttl is not None and not self.supports_ttl:
            raise NotImplementedError(
                f"items of a {type(self).__name__} cannot expire; leave ttl out, or use a store "
                "whose supports_ttl is True"
            )
        return PutOp(namespace, str(key), value, index, ttl)

    def _refreshes(self, asked: bool | None) -> bool:
        if asked is not None:
            return asked
        return (self.ttl_config or {}).get("refresh_on_read", True)


def _listing(
    prefix: NamespacePath | None,
    suffix: NamespacePath | None,
    max_depth: int | None,
    limit: int,
    offset: int,
) -> ListNamespacesOp:
    conditions: list[MatchCondition] = []
    if prefix:
        conditions.append(MatchCondition("prefix", prefix))
    if suffix:
        conditions.append(MatchCondition("suffix", suffix))
    return ListNamespacesOp(tuple(conditions), max_depth, limit, offset)
