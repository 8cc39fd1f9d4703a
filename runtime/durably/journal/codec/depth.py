"""How deep lists and dicts nest in MessagePack bytes.

ormsgpack reads recursively, half a kilobyte of C stack a level, up to 1,022 levels each time it is
called, and it is called again for every extension value. Without a bound over all of them a few
kilobytes of hostile data overflow the stack and end the process.
"""

from __future__ import annotations

from .format import MAX_NESTING

_OPENERS = bytes([*range(0x80, 0xA0), *range(0xDC, 0xE0)])

_FIXED = {
    **dict.fromkeys((0xC0, 0xC1, 0xC2, 0xC3), 1),
    **dict.fromkeys((0xCC, 0xD0), 2),
    **dict.fromkeys((0xCD, 0xD1, 0xD4), 3),
    **dict.fromkeys((0xCE, 0xD2, 0xCA), 5),
    **dict.fromkeys((0xCF, 0xD3, 0xCB), 9),
    0xD5: 4,
    0xD6: 6,
    0xD7: 10,
    0xD8: 18,
}
"""Length of the values whose first byte says it all."""

_SIZED = {
    **dict.fromkeys((0xC4, 0xD9), (1, 0)),
    **dict.fromkeys((0xC5, 0xDA), (2, 0)),
    **dict.fromkeys((0xC6, 0xDB), (4, 0)),
    0xC7: (1, 1),
    0xC8: (2, 1),
    0xC9: (4, 1),
}
"""First byte: bytes that hold the length, bytes of type number after them."""

_COUNTED = {0xDC: (2, 1), 0xDD: (4, 1), 0xDE: (2, 2), 0xDF: (4, 2)}
"""First byte: bytes that hold the count, values per counted item."""


def too_nested(data: bytes) -> bool:
    """Tell whether lists and dicts nest deeper than `MAX_NESTING` in *data*."""
    if len(data) <= MAX_NESTING:
        return False
    openers = len(data) - len(data.translate(None, _OPENERS))
    return openers > MAX_NESTING and _scan(data)


def _scan(data: bytes) -> bool:
    """Walk over *data* value by value; stop at the first level too many."""
    at, end = 0, len(data)
    waiting: list[int] = []
    while at < end:
        length, inside = _extent(data, at)
        at += length
        if waiting:
            waiting[-1] -= 1
        if inside:
            waiting.append(inside)
            if len(waiting) > MAX_NESTING:
                return True
        while waiting and waiting[-1] <= 0:
            waiting.pop()
        if not waiting:
            return False
    return False


def _extent(data: bytes, at: int) -> tuple[int, int]:
    """Return the length of the value at *at* without its items, and how many items it has."""
    first = data[at]
    if first < 0x80 or first >= 0xE0:  # noqa: PLR2004 - MessagePack's first bytes
        return 1, 0
    if first < 0xA0:  # noqa: PLR2004
        return 1, (first & 0x0F) * (2 if first < 0x90 else 1)  # noqa: PLR2004
    if first < 0xC0:  # noqa: PLR2004
        return 1 + (first & 0x1F), 0
    if first in _FIXED:
        return _FIXED[first], 0
    if first in _SIZED:
        width, extra = _SIZED[first]
        return 1 + width + extra + int.from_bytes(data[at + 1 : at + 1 + width], "big"), 0
    width, each = _COUNTED[first]
    return 1 + width, each * int.from_bytes(data[at + 1 : at + 1 + width], "big")
