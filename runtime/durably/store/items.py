"""What a store gives back: items, and items that a search has found."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, TypeAlias

_Object: TypeAlias = dict[str, Any]  # inside the classes, ``dict`` is their method


class Item:
    """One value in a store; name and fields as in LangGraph's ``Item``.

    The value is the caller's own copy: changing it changes nothing in the store.

    Attributes:
        value: What was put, as JSON gives it back (a tuple has become a list).
        key: Its name inside the namespace.
        namespace: Where it lies, such as ``("users", "42")``.
        created_at: When the key was first put, in UTC; later puts do not change it.
        updated_at: When it was last put, in UTC.

    Example:
        >>> store.get(("users", "42"), "likes").value
        {'food': 'pizza'}
    """

    __slots__ = ("created_at", "key", "namespace", "updated_at", "value")

    def __init__(
        self,
        *,
        value: _Object,
        key: str,
        namespace: Sequence[str],
        created_at: datetime | str,
        updated_at: datetime | str,
    ) -> None:
        self.value = value
        self.key = key
        self.namespace = tuple(namespace)
        self.created_at = _moment(created_at)
        self.updated_at = _moment(updated_at)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Item):
            return NotImplemented
        return (
            self.value == other.value
            and self.key == other.key
            and self.namespace == other.namespace
            and self.created_at == other.created_at
            and self.updated_at == other.updated_at
        )

    def __hash__(self) -> int:
        return hash((self.namespace, self.key))

    def __repr__(self) -> str:
        fields = ", ".join(f"{name}={value!r}" for name, value in self.dict().items())
        return f"{type(self).__name__}({fields})"

    def dict(self) -> _Object:
        """Return the item as JSON data, times in ISO 8601; ``Item(**data)`` makes it again."""
        return {
            "namespace": list(self.namespace),
            "key": self.key,
            "value": self.value,
            "created_at": self.created_at.isoformat(),
            "updated_at": self.updated_at.isoformat(),
        }


class SearchItem(Item):
    """An item that a search has found.

    Attributes:
        score: Cosine similarity to the query, from -1 to 1; None if the search was not ranked or
            the item has no vector.
    """

    __slots__ = ("score",)

    def __init__(  # noqa: PLR0917 - LangGraph's order
        self,
        namespace: Sequence[str],
        key: str,
        value: _Object,
        created_at: datetime | str,
        updated_at: datetime | str,
        score: float | None = None,
    ) -> None:
        super().__init__(
            value=value,
            key=key,
            namespace=namespace,
            created_at=created_at,
            updated_at=updated_at,
        )
        self.score = score

    def dict(self) -> _Object:
        """Return the item as JSON data, with its score."""
        return {**super().dict(), "score": self.score}


def _moment(value: datetime | str) -> datetime:
    return datetime.fromisoformat(value) if isinstance(value, str) else value
