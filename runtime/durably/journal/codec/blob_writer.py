"""Blobs: large parts of a value, stored apart under the hash of their bytes.

A value that repeats most of an earlier one (a chat history, longer by one message) costs what is
new in it. The value is split while it is written, innermost parts first: strings and bytes of more
than 1 KiB, and the items of a list or tuple that are more than 256 bytes long if together they are
more than 1 KiB. Each becomes bytes that stand on their own, in whose place a hash is left; a blob
may hold hashes of others.

The hashes of a long list are stored apart too, in pieces whose ends the items' content decides
(content-defined chunking, after A. Muthitacharoen et al., "A Low-bandwidth Network File System",
2001): a list that lost its oldest items and got new ones keeps most of its pieces.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Hashable, Mapping
from typing import Any, Final
from zlib import crc32

from ormsgpack import Ext, packb

from .class_names import Hinted
from .compression import HASH_SIZE, hash_of
from .depth import too_nested
from .encoder import CarefulWriter, Plans, hides_buffer
from .format import BLOB, FREE_OBJECTS, MAX_LINKS, OPTIONS, SPLICED
from .value_cache import Memo, Piece, Recalled, Written

WHOLE: Final = 1024
"""A body of at most this many bytes is left whole, and so are strings and lists."""

_ITEM: Final = 256
_LONG: Final = 64
"""Items of a list from which on its hashes are set aside in pieces."""

_SHORTEST, _USUAL, _LONGEST = 4, 16, 128
"""Items of such a piece."""
BLOB_MARK: Final = bytes((0xD8, BLOB))
"""What stands before a hash; bytes without it refer to nothing."""
_TEXT: Final = {str}
_NOTHING_KNOWN: Final[Recalled] = {}
_SMALL: Final = frozenset((int, float, bool, type(None)))


def _key_of(value: dict[Any, Any]) -> Hashable | None:
    """Return what tells a dict of strings, numbers, lists and dicts from others, or None.

    Most are of strings alone: to find these again takes less than to write them. What only equals
    a string, as members of some enumerations do, is not one.
    """
    if {*map(type, value), *map(type, value.values())} == _TEXT:
        return tuple(value.items())
    return _plain_bytes(value)


def _plain_bytes(value: Any) -> bytes | None:
    """Return the bytes of a large value of nothing else; None for any other."""
    try:
        data = packb(value, None, OPTIONS)
    except TypeError:
        return None
    # Another type of bytes would be written as if it were bytes.
    return data if len(data) > _ITEM and not hides_buffer(data, value) else None


class BlobWriter(CarefulWriter):
    """Writes a value and sets its large parts aside.

    Attributes:
        blobs: What was set aside, by hash.
    """

    __slots__ = ("_heights", "_memo", "blobs")

    def __init__(self, plans: Plans, hinted: Hinted, memo: Memo) -> None:
        super().__init__(plans, hinted)
        self._memo = memo
        self.blobs: dict[bytes, bytes] = {}
        self._heights: dict[bytes, int] = {}

    def text(self, value: str | bytes) -> Any:
        """Set a long string aside."""
        node = super().text(value)
        return node if len(value) <= WHOLE else self._apart(node, self._packed(node))

    def items(self, values: list[Any]) -> Any:
        """Set the longer items of a large list aside."""
        known = self._memo.items
        items: list[Written] = []
        for index, value in enumerate(values):
            key = _key_of(value) if type(value) is dict else None
            written = known.get(key) if key is not None else None
            items.append(written or self._item(index, value, key))
        if sum([one.size for one in items]) <= WHOLE:
            for one in items:
                self._take(one.inside, one.heights)
            return [one.node for one in items]
        is_deep = self.depth > FREE_OBJECTS  # where readers count every level
        return self._whole(items) if is_deep or len(items) < _LONG else self._spliced(items)

    def _whole(self, items: list[Written]) -> list[Any]:
        """Set each item aside by itself."""
        for one in items:
            self._take(one.blobs, one.heights)
        return [one.apart for one in items]

    def _take(self, blobs: Mapping[bytes, bytes], heights: Mapping[bytes, int]) -> None:
        if blobs:
            self.blobs.update(blobs)
            self._heights.update(heights)

    def _item(self, index: int, value: Any, key: Hashable | None) -> Written:
        """Write an item, to be set aside or not, and remember it if it has a key."""
        if type(value) in _SMALL:
            return Written(self._at(f"[{index}]", value))
        # In a writer of its own, so that what it sets aside is seen to be complete.
        own = BlobWriter(self.plans, self.hinted, self._memo)
        own.depth, own.open, own.lenient = self.depth, self.open, self.lenient
        written = own._written(index, value)
        if key is not None:
            self._memo.keep(key, written)
        return written

    def _written(self, index: int, value: Any) -> Written:
        node = self._at(f"[{index}]", value)
        data, inside = packb(node, None, OPTIONS), self.blobs.copy()
        if len(data) <= _ITEM:
            return Written(node, inside=inside, blobs=inside, heights=self._heights)
        apart = self._apart(node, data)
        return Written(
            node, len(data), apart, inside=inside, blobs=self.blobs, heights=self._heights
        )

    def _spliced(self, items: list[Written]) -> Any:
        """Set the pieces of a long list aside."""
        pieces: list[Any] = []
        open_: list[Written] = []
        for one in items:
            open_.append(one)
            ends = _ends(one) if one.ends is None else one.ends
            if (ends and len(open_) >= _SHORTEST) or len(open_) == _LONGEST:
                pieces.append(self._piece(open_))
                open_ = []
        last = self._whole(open_)
        return Ext(SPLICED, packb([*pieces, last], None, OPTIONS)) if pieces else last

    def _piece(self, items: list[Written]) -> Any:
        """Set one piece of a list aside."""
        key = tuple([one.number for one in items if one.number is not None])
        is_known = len(key) == len(items)
        piece = self._memo.piece(key) if is_known else None
        if piece is None:
            own = BlobWriter(self.plans, self.hinted, self._memo)
            nodes = own._whole(items)
            piece = Piece(own._apart(nodes, packb(nodes, None, OPTIONS)), own.blobs, own._heights)
            if is_known:
                self._memo.keep_piece(key, piece)
        self._take(piece.blobs, piece.heights)
        return piece.node

    def kept(self, values: Mapping[Any, Any]) -> Mapping[Any, Any]:
        """Write what can be written; parts of what cannot are not set aside either."""
        nodes: dict[Any, Any] = {}
        for key, value in values.items():
            before = len(self.blobs)
            nodes.update(super().kept({key: value}))
            while key not in nodes and len(self.blobs) > before:
                self.blobs.popitem()
        return nodes

    def _apart(self, node: Any, data: bytes) -> Any:
        """Set *data* aside unless readers would refuse so much nesting."""
        height = 1 + max((self._heights.get(key, 0) for key in references(data)), default=0)
        is_flat = type(node) is list and all(type(part) is Ext for part in node)
        if height > MAX_LINKS or (not is_flat and too_nested(data)):
            return node
        key = hash_of(data)
        self.blobs.setdefault(key, data)
        self._heights[key] = height
        return Ext(BLOB, key)


def _ends(item: Written) -> bool:
    """Say whether a piece ends with an item, which its content decides."""
    item.ends = crc32(packb(item.apart, None, OPTIONS)) % _USUAL == 0
    return item.ends


def is_history(value: object) -> bool:
    """Say whether *value* looks like a long list of messages, which will be large."""
    return type(value) is list and len(value) >= _LONG and type(value[0]) is dict


def references(data: bytes) -> list[bytes]:
    """Return the hashes that *data* refers to, and a few byte runs that only look like one.

    Looking for the marker is much cheaper than reading the value, and a run that is no hash finds
    no blob.
    """
    found: dict[bytes, None] = {}
    at = data.find(BLOB_MARK)
    while at >= 0:
        key = data[at + 2 : at + 2 + HASH_SIZE]
        if len(key) == HASH_SIZE:
            found[key] = None
        at = data.find(BLOB_MARK, at + 1)
    return list(found)


def gather(
    body: bytes,
    fetch: Callable[[Collection[bytes]], Mapping[bytes, bytes]],
    known: Recalled = _NOTHING_KNOWN,
) -> dict[bytes, bytes]:
    """Fetch every blob that *body* needs, one call for each level of blobs inside blobs.

    Args:
        body: What refers to them.
        fetch: Returns those that there are.
        known: What need not be fetched.
    """
    blobs: dict[bytes, bytes] = {}
    asked: set[bytes] = set()
    wanted = [key for key in references(body) if key not in known]
    while wanted:
        asked.update(wanted)
        found = fetch(wanted)
        blobs.update(found)
        inside = (key for data in found.values() for key in references(data))
        wanted = [key for key in dict.fromkeys(inside) if key not in asked and key not in known]
    return blobs
