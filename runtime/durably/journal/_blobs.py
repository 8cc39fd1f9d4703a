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

import hashlib
from collections.abc import Callable, Collection, Mapping
from typing import Any, Final, NamedTuple
from zlib import crc32

from ormsgpack import Ext, packb

from ._classes import Hinted
from ._codec_format import BLOB, FREE_OBJECTS, MAX_LINKS, OPTIONS, SPLICED
from ._codec_nesting import too_nested
from ._codec_write import CarefulWriter, Plans, hides_buffer

WHOLE: Final = 1024
"""A body of at most this many bytes is left whole, and so are strings and lists."""

_ITEM: Final = 256
_MEMO: Final = 16 << 20
"""Bytes of items, and of what became of them, that are remembered."""

_LONG: Final = 64
"""Items of a list from which on its hashes are set aside in pieces."""

_SHORTEST, _USUAL, _LONGEST = 8, 32, 128
"""Items of such a piece."""
_HASH: Final = 16
BLOB_MARK: Final = bytes((0xD8, BLOB))
"""What stands before a hash; bytes without it refer to nothing."""
_NOTHING: Final[Mapping[bytes, bytes]] = {}
_NO_HEIGHTS: Final[Mapping[bytes, int]] = {}
_SMALL: Final = frozenset((int, float, bool, type(None)))


class Written(NamedTuple):
    """How an item of a list was written.

    Attributes:
        node: What stands for it.
        size: The bytes of that, if they are many.
        apart: What stands for it once it is set aside.
        inside: What was set aside of it, by hash.
        blobs: The same, and itself.
        heights: How many blobs lie inside each other there.
    """

    node: Any
    size: int
    apart: Any
    inside: Mapping[bytes, bytes]
    blobs: Mapping[bytes, bytes]
    heights: Mapping[bytes, int]


class Memo:
    """What became of the items written last: a history is written again with each turn."""

    def __init__(self) -> None:
        self._known: dict[bytes, Written] = {}
        self._size = 0

    def get(self, key: bytes) -> Written | None:
        """Return how an item with these plain bytes was written."""
        return self._known.get(key)

    def keep(self, key: bytes, written: Written) -> None:
        """Remember one more; everything is forgotten when it becomes too much."""
        self._size += 2 * len(key)
        if self._size > _MEMO:
            self._known, self._size = {}, len(key)
        self._known[key] = written


def _plain_bytes(value: Any) -> bytes | None:
    """Return the bytes of a value of strings, numbers, lists and dicts; None for any other."""
    if type(value) is not dict:
        return None
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
        items = [self._item(index, value) for index, value in enumerate(values)]
        is_large = sum(one.size for one in items) > WHOLE
        for one in items:
            self.blobs.update(one.blobs if is_large else one.inside)
            self._heights.update(one.heights)
        if not is_large:
            return [one.node for one in items]
        nodes = [one.apart for one in items]
        is_deep = self.depth > FREE_OBJECTS  # where readers count every level
        return nodes if is_deep or len(nodes) < _LONG else self._spliced(nodes)

    def _item(self, index: int, value: Any) -> Written:
        """Return how an item is written, set aside or not."""
        if type(value) in _SMALL:
            node = self._at(f"[{index}]", value)
            return Written(node, 0, node, _NOTHING, _NOTHING, _NO_HEIGHTS)
        key = _plain_bytes(value)
        known = self._memo.get(key) if key is not None else None
        if known is None:
            # In a writer of its own, so that what it sets aside is seen to be complete.
            own = BlobWriter(self.plans, self.hinted, self._memo)
            own.depth, own.open = self.depth, self.open
            known = own._written(index, value)
            if key is not None:
                self._memo.keep(key, known)
        return known

    def _written(self, index: int, value: Any) -> Written:
        node = self._at(f"[{index}]", value)
        data, inside = packb(node, None, OPTIONS), self.blobs.copy()
        if len(data) <= _ITEM:
            return Written(node, 0, node, inside, inside, self._heights)
        apart = self._apart(node, data)
        return Written(node, len(data), apart, inside, self.blobs, self._heights)

    def _spliced(self, nodes: list[Any]) -> Any:
        """Set the pieces of a long list aside."""
        pieces: list[Any] = []
        piece: list[Any] = []
        for node in nodes:
            piece.append(node)
            ends = len(piece) >= _SHORTEST and crc32(packb(node, None, OPTIONS)) % _USUAL == 0
            if ends or len(piece) == _LONGEST:
                pieces.append(self._apart(piece, packb(piece, None, OPTIONS)))
                piece = []
        return Ext(SPLICED, packb([*pieces, piece], None, OPTIONS)) if pieces else nodes

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
        key = hashlib.blake2b(data, digest_size=_HASH).digest()
        self.blobs.setdefault(key, data)
        self._heights[key] = height
        return Ext(BLOB, key)


def references(data: bytes) -> list[bytes]:
    """Return the hashes that *data* refers to, and a few byte runs that only look like one.

    Looking for the marker is much cheaper than reading the value, and a run that is no hash finds
    no blob.
    """
    found: dict[bytes, None] = {}
    at = data.find(BLOB_MARK)
    while at >= 0:
        key = data[at + 2 : at + 2 + _HASH]
        if len(key) == _HASH:
            found[key] = None
        at = data.find(BLOB_MARK, at + 1)
    return list(found)


def gather(
    body: bytes, fetch: Callable[[Collection[bytes]], Mapping[bytes, bytes]]
) -> dict[bytes, bytes]:
    """Fetch every blob that *body* needs, one call for each level of blobs inside blobs."""
    blobs: dict[bytes, bytes] = {}
    asked: set[bytes] = set()
    wanted = references(body)
    while wanted:
        asked.update(wanted)
        found = fetch(wanted)
        blobs.update(found)
        inside = (key for data in found.values() for key in references(data))
        wanted = list(dict.fromkeys(key for key in inside if key not in asked))
    return blobs
