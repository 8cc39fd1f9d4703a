"""What a codec remembers of the values that it wrote and read last.

A chat's history is written and read with each turn, and nearly all of it was written and read with
the turn before. What is remembered is plain data, found by what it is: by its own strings, or by
the hash of its bytes. So it is never wrong, whoever changed what meanwhile.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from itertools import count
from typing import Any, Final, NamedTuple, TypeAlias

_MOST: Final = 16 << 20
"""Bytes, roughly, that are remembered each way."""

_ENTRY: Final = 200
"""Bytes, roughly, that an entry takes besides its strings."""

_FLAT: Final = frozenset({str, bytes, int, float, bool, type(None)})
_NO_BLOBS: Final[Mapping[bytes, bytes]] = {}
_NO_HEIGHTS: Final[Mapping[bytes, int]] = {}


class Written:
    """How an item of a list was written.

    Attributes:
        node: What stands for it.
        size: The bytes of that, if they are many.
        apart: What stands for it once it is set aside.
        inside: What was set aside of it, by hash.
        blobs: The same, and itself.
        heights: How many blobs lie inside each other there.
        number: Tells it from every other that is remembered; None if it is not.
        ends: Whether a piece of a list ends with it; None until somebody asked.
    """

    __slots__ = ("apart", "blobs", "ends", "heights", "inside", "node", "number", "size")

    def __init__(
        self,
        node: Any,
        size: int = 0,
        apart: Any = None,
        *,
        inside: Mapping[bytes, bytes] = _NO_BLOBS,
        blobs: Mapping[bytes, bytes] = _NO_BLOBS,
        heights: Mapping[bytes, int] = _NO_HEIGHTS,
    ) -> None:
        self.node = node
        self.size = size
        self.apart = apart if size else node
        self.inside = inside
        self.blobs = blobs
        self.heights = heights
        self.number: int | None = None
        self.ends: bool | None = None


class Piece(NamedTuple):
    """How a piece of a long list was written.

    Attributes:
        node: What stands for it.
        blobs: What was set aside of it, by hash, and itself.
        heights: How many blobs lie inside each other there.
    """

    node: Any
    blobs: Mapping[bytes, bytes]
    heights: Mapping[bytes, int]


class Memo:
    """What became of the items, and of the pieces of lists, that were written last.

    Attributes:
        items: How items were written, by what tells them from others.
    """

    def __init__(self) -> None:
        self.items: dict[Hashable, Written] = {}
        self._pieces: dict[Sequence[int], Piece] = {}
        self._size = 0
        self._numbers = count()

    def keep(self, key: Hashable, written: Written) -> None:
        """Remember how an item was written."""
        self._grow(sum(len(data) for data in written.blobs.values()) + written.size)
        written.number = next(self._numbers)
        self.items[key] = written

    def piece(self, key: tuple[int, ...]) -> Piece | None:
        """Return how a piece was written, by the numbers of its items."""
        return self._pieces.get(key)

    def keep_piece(self, key: tuple[int, ...], piece: Piece) -> None:
        """Remember how a piece was written."""
        self._grow(_ENTRY * len(key))
        self._pieces[key] = piece

    def _grow(self, size: int) -> None:
        self._size += 2 * size + _ENTRY
        if self._size > _MOST:  # everything is forgotten when it becomes too much
            self.items, self._pieces, self._size = {}, {}, 0


class Known(NamedTuple):
    """A value that was read from a blob.

    Attributes:
        value: A copy that nobody else has.
        size: The bytes of everything that was read for it.
    """

    value: Any
    size: int

    def copied(self) -> Any:
        """Return the value as if it had been read again."""
        value = self.value
        if type(value) is list:
            return [one.copy() if type(one) is dict else one for one in value]
        return value.copy() if type(value) is dict else value


Recalled: TypeAlias = Mapping[bytes, Known]


class Recall:
    """The values that were read from blobs last: strings, and dicts and lists of little more.

    Attributes:
        known: By hash. Whoever holds it has all of it: it grows, and is replaced when it becomes
            too much.
    """

    def __init__(self) -> None:
        self.known: dict[bytes, Known] = {}
        self._size = 0

    def keep(self, key: bytes, value: Any, size: int) -> None:
        """Remember a value, if it is of a kind that is quickly copied."""
        known = Known(value, size)
        if type(value) in _FLAT or _is_flat(value):
            self._size += size + _ENTRY
            if self._size > _MOST:
                self.known, self._size = {}, 0
            self.known[key] = Known(known.copied(), size)


def _is_flat(value: Any) -> bool:
    """Say whether *value* is a dict of what cannot be changed, or a list of such and of dicts."""
    if type(value) is dict:
        return _FLAT.issuperset(map(type, value.values())) and _FLAT.issuperset(map(type, value))
    if type(value) is not list:
        return False
    return all(type(one) in _FLAT or (type(one) is dict and _is_flat(one)) for one in value)
