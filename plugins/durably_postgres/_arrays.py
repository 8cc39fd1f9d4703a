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
_NONE: Final = {kind: struct.pack(">3i", 0, 0, kind) for kind in ARRAY_OF}
_ONE: Final = {kind: _HEAD.pack(1, 0, kind, 1, 1) for kind in ARRAY_OF}
_NUMBER: Final = {INT4: struct.Struct(">ii"), INT8: struct.Struct(">iq")}
_SIZE: Final = {INT4: 4, INT8: 8}


def of_bytes(kind: int, items: Sequence[bytes]) -> bytes:
    """Return an array of BYTEA, or of TEXT in UTF-8."""
    if not items:
        return _NONE[kind]
    if len(items) == 1:  # as most appends are
        return _ONE[kind] + _LENGTH.pack(len(items[0])) + items[0]
    sizes = map(_LENGTH.pack, map(len, items))
    head = _HEAD.pack(1, 0, kind, len(items), 1)
    return b"".join((head, *chain.from_iterable(zip(sizes, items, strict=True))))


def of_numbers(kind: int, items: Sequence[int]) -> bytes:
    """Return an array of INT4 or INT8."""
    if not items:
        return _NONE[kind]
    if len(items) == 1:
        return _ONE[kind] + _NUMBER[kind].pack(_SIZE[kind], items[0])
    elements = chain.from_iterable(zip(repeat(_SIZE[kind]), items))
    code = "iq" if kind == INT8 else "ii"
    return _HEAD.pack(1, 0, kind, len(items), 1) + struct.pack(f">{code * len(items)}", *elements)


def numbers(data: bytes) -> tuple[int, ...]:
    """Read an array of INT4 that holds no NULL."""
    if len(data) <= _HEAD.size:
        return ()
    count = (len(data) - _HEAD.size) // 8
    return struct.unpack_from(f">{'ii' * count}", data, _HEAD.size)[1::2]
