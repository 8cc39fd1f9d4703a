"""Blobs: large parts of a value, stored apart under the hash of their bytes.

A value that repeats most of an earlier one (a chat history, longer by one message) costs what is
new in it. The value is split while it is written, innermost parts first: strings and bytes of more
than 1 KiB, and the items of a list or tuple that are more than 256 bytes long if together they are
more than 1 KiB. Each becomes bytes that stand on their own, in whose place a hash is left; a blob
may hold hashes of others.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Mapping
from typing import Any, Final

from ormsgpack import Ext, packb

from ._classes import Hinted
from ._codec_format import BLOB, MAX_LINKS, OPTIONS
from ._codec_nesting import too_nested
from ._codec_write import CarefulWriter, Plans

WHOLE: Final = 1024
"""A body of at most this many bytes is left whole, and so are strings and lists."""

_ITEM: Final = 256
_HASH: Final = 16
BLOB_MARK: Final = bytes((0xD8, BLOB))
"""What stands before a hash; bytes without it refer to nothing."""
_SMALL: Final = frozenset((int, float, bool, type(None)))


class BlobWriter(CarefulWriter):
    """Writes a value and sets its large parts aside.

    Attributes:
        blobs: What was set aside, by hash.
    """

    __slots__ = ("_heights", "blobs")

    def __init__(self, plans: Plans, hinted: Hinted) -> None:
        super().__init__(plans, hinted)
        self.blobs: dict[bytes, bytes] = {}
        self._heights: dict[bytes, int] = {}

    def text(self, value: str | bytes) -> Any:
        """Set a long string aside."""
        node = super().text(value)
        return node if len(value) <= WHOLE else self._apart(node, self._packed(node))

    def items(self, values: list[Any]) -> list[Any]:
        """Set the longer items of a large list aside."""
        nodes = super().items(values)
        long = {
            index: data
            for index, node in enumerate(nodes)
            if type(node) not in _SMALL and len(data := packb(node, None, OPTIONS)) > _ITEM
        }
        if sum(map(len, long.values())) > WHOLE:
            for index, data in long.items():
                nodes[index] = self._apart(nodes[index], data)
        return nodes

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
        if height > MAX_LINKS or too_nested(data):
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
