"""What a batch asks of the place where items are kept: records, under one lock or transaction."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import NamedTuple, Protocol

from .items import Item, SearchItem
from .json_values import decode
from .ops import Namespace

_SECONDS_PER_MINUTE = 60.0


class Draft(NamedTuple):
    """A value that is to be put."""

    text: str
    ttl: float | None
    vectors: Sequence[bytes]


@dataclass(slots=True)
class Record:
    """An item as it is kept.

    Attributes:
        id: Grows with the order in which keys were first put.
        namespace: Where it lies.
        key: Its name there.
        text: Its value, as JSON.
        created: Seconds since the epoch.
        updated: Seconds since the epoch.
        ttl: Minutes to live after a put or a read; None for ever.
    """

    id: int
    namespace: Namespace
    key: str
    text: str
    created: float
    updated: float
    ttl: float | None

    def item(self) -> Item:
        """Return it as a caller sees it."""
        return Item(
            value=decode(self.namespace, self.key, self.text),
            key=self.key,
            namespace=self.namespace,
            created_at=datetime.fromtimestamp(self.created, UTC),
            updated_at=datetime.fromtimestamp(self.updated, UTC),
        )

    def found(self, score: float | None) -> SearchItem:
        """Return it as a search gives it."""
        return SearchItem(
            self.namespace,
            self.key,
            decode(self.namespace, self.key, self.text),
            datetime.fromtimestamp(self.created, UTC),
            datetime.fromtimestamp(self.updated, UTC),
            score,
        )


def expiry(now: float, ttl: float | None) -> float | None:
    """Return when an item expires that is put or read now, in seconds since the epoch."""
    return None if ttl is None else now + ttl * _SECONDS_PER_MINUTE


class Records(Protocol):
    """A place where records are kept. What has expired by *now* is as if it were not there."""

    def find(self, namespace: Namespace, key: str, now: float) -> Record | None:
        """Return one record."""
        ...

    def below(self, prefix: Namespace, now: float) -> Iterator[Record]:
        """Yield the records below a namespace, in the order of their ids."""
        ...

    def vectors(self, prefix: Namespace) -> Mapping[int, Sequence[bytes]]:
        """Return the vectors of the records below a namespace, by the records' ids."""
        ...

    def namespaces(self, now: float) -> Iterable[Namespace]:
        """Return each namespace that holds a record, once."""
        ...

    def touch(self, ids: Iterable[int], now: float) -> None:
        """Let records with a time to live live it again."""
        ...

    def put(self, namespace: Namespace, key: str, draft: Draft, now: float) -> None:
        """Write a record with its vectors; a key that is there keeps its id and creation."""
        ...

    def delete(self, namespace: Namespace, key: str) -> None:
        """Delete a record, if it is there."""
        ...

    def sweep(self, now: float) -> int:
        """Delete what has expired; return how many records those were."""
        ...
