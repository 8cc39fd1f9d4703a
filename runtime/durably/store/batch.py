"""A batch: operations checked and made ready, then carried out on records.

Both stores run this code, so they cannot differ in what an operation means. Checking, encoding and
collecting texts come first, outside any lock; embedding follows; only then are records touched.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from itertools import islice
from typing import Any, NamedTuple

from ..errors import InvalidNamespaceError
from .embedder import Embedder, Vectors
from .filters import Predicate, compiled
from .json_values import decode, encode
from .namespaces import checked, checked_home, fulfils, is_unicode
from .ops import GetOp, ListNamespacesOp, Namespace, Op, PutOp, Result, SearchOp
from .rank import ranked
from .records import Draft, Record, Records
from .value_paths import texts_at


class _Search(NamedTuple):
    """A search with its filter compiled."""

    op: SearchOp
    holds: Predicate | None


class _Write(NamedTuple):
    """A put with its value encoded; without a text, a deletion."""

    text: str | None
    ttl: float | None
    texts: Sequence[str]


class Batch:
    """Operations that are carried out together.

    All reads see the store as it was before the batch; then the writes are done, the last one of
    each key. That is LangGraph's order too.

    Args:
        ops: The operations.
        embedder: What the store embeds with, if it has an index.

    Attributes:
        texts: What must be embedded for the writes, without repetition.
        queries: What must be embedded for the searches, without repetition.

    Raises:
        InvalidNamespaceError: A namespace cannot be used.
        EncodeError: A value is no JSON data.
        ValueError: An operation, filter, limit, depth or time to live makes no sense.
        TypeError: An ``index`` is no list of paths.
    """

    def __init__(self, ops: Iterable[Op], embedder: Embedder | None) -> None:
        self._embedder = embedder
        self._reads: dict[int, GetOp | ListNamespacesOp | _Search] = {}
        self._writes: dict[tuple[Namespace, str], _Write] = {}
        self._size = 0
        for op in ops:
            self._add(op)
            self._size += 1
        texts = (text for write in self._writes.values() for text in write.texts)
        self.texts: Sequence[str] = list(dict.fromkeys(texts))
        searches = (read.op for read in self._reads.values() if isinstance(read, _Search))
        self.queries: Sequence[str] = list(
            dict.fromkeys(op.query for op in searches if op.query and embedder is not None)
        )

    @property
    def writes(self) -> bool:
        """Whether it changes anything, apart from when items expire."""
        return bool(self._writes)

    def read(
        self, records: Records, vectors: Vectors, now: float
    ) -> tuple[list[Result], Sequence[int]]:
        """Carry out the reads.

        Returns:
            The results of all operations, and the ids of the records that were refreshed by being
            read, which :meth:`Records.touch` is to be given.
        """
        results: list[Result] = [None] * self._size
        touched: list[int] = []
        for place, read in self._reads.items():
            if isinstance(read, GetOp):
                record = records.find(read.namespace, read.key, now)
                results[place] = record.item() if record else None
                found = [record] if record and read.refresh_ttl else []
            elif isinstance(read, _Search):
                hits = _searched(read, records, vectors, now)
                results[place] = [record.found(score) for record, score in hits]
                found = [record for record, _ in hits] if read.op.refresh_ttl else []
            else:
                results[place] = _listed(read, records.namespaces(now))
                found = []
            touched += [record.id for record in found if record.ttl is not None]
        return results, touched

    def write(self, records: Records, vectors: Vectors, now: float) -> None:
        """Carry out the writes."""
        for (namespace, key), write in self._writes.items():
            if write.text is None:
                records.delete(namespace, key)
            else:
                packed = [vectors.texts[text] for text in write.texts]
                records.put(namespace, key, Draft(write.text, write.ttl, packed), now)

    def _add(self, op: Op) -> None:
        if isinstance(op, GetOp):
            place = checked(op.namespace)
            self._reads[self._size] = op._replace(namespace=place, key=_key(op.key))
        elif isinstance(op, SearchOp):
            _check_window(op.limit, op.offset)
            prefix = checked(op.namespace_prefix)
            holds = compiled(op.filter) if op.filter else None
            self._reads[self._size] = _Search(op._replace(namespace_prefix=prefix), holds)
        elif isinstance(op, ListNamespacesOp):
            self._reads[self._size] = _checked_listing(op)
        elif isinstance(op, PutOp):
            self._add_put(op)
        else:
            raise ValueError(  # noqa: TRY004 - as LangGraph
                f"{op!r} is no operation of a store; a batch takes GetOp, PutOp, SearchOp and "
                "ListNamespacesOp of durably.store"
            )

    def _add_put(self, op: PutOp) -> None:
        key = _key(op.key)
        if op.value is None:
            write = _Write(None, None, ())
            self._writes[checked(op.namespace), key] = write
            return
        namespace = checked_home(op.namespace)
        text = encode(namespace, key, op.value)
        value = decode(namespace, key, text) if self._embedder else {}
        write = _Write(text, _checked_ttl(op.ttl), self._texts(op, value))
        self._writes[namespace, key] = write

    def _texts(self, op: PutOp, value: Mapping[str, Any]) -> Sequence[str]:
        """Return what is embedded for a put."""
        if self._embedder is None or op.index is False:
            return ()
        paths = self._embedder.fields if op.index is None else op.index
        if not isinstance(paths, list | tuple):
            raise TypeError(f"index must be None, False or a list of paths, not {paths!r}")
        return list(dict.fromkeys(text for path in paths for text in texts_at(value, path)))


def _searched(
    search: _Search, records: Records, vectors: Vectors, now: float
) -> Sequence[tuple[Record, float | None]]:
    """Return the records that a search finds, with their scores."""
    op, holds = search
    candidates = records.below(op.namespace_prefix, now)
    if holds is not None:
        candidates = (
            record
            for record in candidates
            if holds(decode(record.namespace, record.key, record.text))
        )
    query = vectors.queries.get(op.query) if op.query else None
    window = slice(op.offset, op.offset + op.limit)
    if query is None:
        return [(record, None) for record in islice(candidates, window.start, window.stop)]
    return ranked(list(candidates), query, records.vectors(op.namespace_prefix))[window]


def _listed(op: ListNamespacesOp, namespaces: Iterable[Namespace]) -> list[Namespace]:
    conditions = op.match_conditions or ()
    matching = {
        namespace[: op.max_depth]
        for namespace in namespaces
        if all(fulfils(namespace, condition) for condition in conditions)
    }
    return sorted(matching)[op.offset : op.offset + op.limit]


def _checked_listing(op: ListNamespacesOp) -> ListNamespacesOp:
    _check_window(op.limit, op.offset)
    if op.max_depth is not None and op.max_depth < 1:
        raise ValueError(f"max_depth must be at least 1, not {op.max_depth}")
    conditions = op.match_conditions or ()
    for condition in conditions:
        if condition.match_type not in ("prefix", "suffix"):
            raise ValueError(
                f"match_type must be 'prefix' or 'suffix', not {condition.match_type!r}"
            )
    return op._replace(
        match_conditions=tuple(
            condition._replace(path=checked(condition.path)) for condition in conditions
        )
    )


def _check_window(limit: int, offset: int) -> None:
    if limit < 0 or offset < 0:
        raise ValueError(f"limit and offset must not be negative; they are {limit} and {offset}")


def _checked_ttl(ttl: float | None) -> float | None:
    if ttl is not None and not (ttl > 0 and math.isfinite(ttl)):
        raise ValueError(f"ttl must be a positive number of minutes or None, not {ttl!r}")
    return ttl


def _key(key: Any) -> str:
    text = str(key)
    if not is_unicode(text):
        raise InvalidNamespaceError(f"key {text!r} is not valid Unicode; choose another key")
    return text
