"""PostgreSQL's arrays in its binary format, written without a detour through adapters.

An array is its number of dimensions, a flag for NULLs, its elements' type, its length and lower
bound; then each element, its length first (``array_recv`` in the server's ``arrayfuncs.c``).
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from itertools import chain, repeat
from typing import Final

BOOL: Final = 16
BYTEA: Final = 17
INT8: Final = 20
INT4: Final = 23
TEXT: Final = 25

ARRAY_OF: Final = {INT4: 1007, TEXT: 1009, INT8: 1016, BYTEA: 1001}
"""The type of an array, by that of its elements."""

_HEAD = struct.Struct(">5i")
_LENGTH = struct.Struct(">i")
_EMPTY = struct.Struct(">3i")


def of_bytes(kind: int, items: Sequence[bytes]) -> bytes:
    """Return an array of BYTEA, or of TEXT in UTF-8."""
    if not items:
        return _EMPTY.pack(0, 0, kind)
    sizes = map(_LENGTH.pack, map(len, items))
    head = _HEAD.pack(1, 0, kind, len(items), 1)
    return b"".join((head, *chain.from_iterable(zip(sizes, items, strict=True))))


def of_numbers(kind: int, items: Sequence[int]) -> bytes:
    """Return an array of INT4 or INT8."""
    if not items:
        return _EMPTY.pack(0, 0, kind)
    size, code = (8, "iq") if kind == INT8 else (4, "ii")
    elements = chain.from_iterable(zip(repeat(size), items))
    return _HEAD.pack(1, 0, kind, len(items), 1) + struct.pack(f">{code * len(items)}", *elements)


def numbers(data: bytes) -> tuple[int, ...]:
    """Read an array of INT4 that holds no NULL."""
    if len(data) <= _HEAD.size:
        return ()
    count = (len(data) - _HEAD.size) // 8
    return struct.unpack_from(f">{'ii' * count}", data, _HEAD.size)[1::2]
