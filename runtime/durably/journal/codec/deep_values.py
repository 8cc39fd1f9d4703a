"""Values that nest deep: cut into parts that are written and read one after the other.

The usual form nests as the value does, and so do the calls that write and read it, which both
Python and MessagePack bound. A deeper value is cut every few levels: in place of what lies below
stands the number of the part that holds it. Parts are read from the last to the first, so that each
meets only parts that are there already.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from ormsgpack import Ext, packb

from ...errors import DecodeError
from .class_names import Hinted
from .decoder import Read, Reader
from .encoder import CarefulWriter, Plans, Unwritable
from .format import MAX_HEIGHT, OPTIONS, PART, PART_LEVELS, PARTS
from .left_out import left_out

_TOO_DEEP: Final = (
    f"is nested deeper than {MAX_HEIGHT * PART_LEVELS:,} levels, so it cannot be written to the "
    "journal. Return a flatter value."
)
_CIRCLE: Final = "refers to itself, so it cannot be written to the journal."


class _Part:
    """A part of a value that is to be written.

    Attributes:
        value: It.
        above: What lies above it in the part that it was cut from, outermost first.
        lenient: Whether it is left out if it cannot be written.
        chain: The exceptions that are open above it.
        number: Its number.
    """

    __slots__ = ("above", "chain", "lenient", "number", "value")

    def __init__(
        self, value: Any, above: list[Any], lenient: int, chain: list[BaseException], number: int
    ) -> None:
        self.value = value
        self.above = above
        self.lenient = lenient
        self.chain = chain
        self.number = number


class PartsWriter(CarefulWriter):
    """Writes a value in parts."""

    __slots__ = ("_above", "_cut", "_levels", "_parts")

    def __init__(self, plans: Plans, hinted: Hinted) -> None:
        super().__init__(plans, hinted)
        self._parts: list[bytes] = []
        self._cut: list[_Part] = []
        self._levels: list[Any] = []
        self._above: set[int] = set()

    def pack(self, value: Any) -> bytes:
        """Return the bytes of *value*; what is below a part is written before what is beside it."""
        ways: list[tuple[_Part, Iterator[_Part]]] = []
        part: _Part | None = self._part(value)
        while part is not None or ways:
            if part is not None:
                ways.append((part, self._written(part)))
                if len(ways) > MAX_HEIGHT:
                    raise Unwritable(type(value), _TOO_DEEP)
            part = next(ways[-1][1], None)
            if part is None:
                self._above.difference_update(map(id, ways.pop()[0].above))
        return packb(Ext(PARTS, packb(self._parts, None, OPTIONS)), None, OPTIONS)

    def _part(self, value: Any) -> _Part:
        number = len(self._parts)
        self._parts.append(b"")
        return _Part(value, [*self._levels], self.lenient, [*self.chain], number)

    def _written(self, part: _Part) -> Iterator[_Part]:
        """Write one part; return those that were cut from it."""
        self._above.update(map(id, part.above))
        self._cut, self._levels, self.depth = [], [], 0
        self.lenient, self.chain = part.lenient, [*part.chain]
        try:
            node = self.node(part.value)
        except Unwritable as error:
            if not part.lenient:
                error.path += ["[…]"] if part.number else []
                raise
            node, self._cut = left_out(type(part.value)), []
        self._parts[part.number] = self._packed(node)
        return iter(self._cut)

    def _container(self, kind: type, value: Any) -> Any:
        if id(value) in self._above:
            raise Unwritable(kind, _CIRCLE)
        if len(self._levels) >= PART_LEVELS:
            cut = self._part(value)
            self._cut.append(cut)
            return Ext(PART, packb(cut.number, None, OPTIONS))
        self._levels.append(value)
        try:
            return super()._container(kind, value)
        finally:
            self._levels.pop()


def _read_parts(reader: Reader, data: bytes) -> Any:
    parts = reader.unpack(data)
    if type(parts) is not list or not all(type(part) is bytes for part in parts) or not parts:
        raise DecodeError("stored bytes hold something else where the parts of a value belong")
    before, value = reader.parts, None
    known = reader.parts = {}
    try:
        for number in reversed(range(len(parts))):
            reader.height = 0
            value = reader.unpack(parts[number])
            if reader.height >= MAX_HEIGHT:
                raise DecodeError("stored bytes nest deeper than any value that is written")
            known[number] = (value, reader.height + 1)
        return value
    finally:
        reader.parts = before


def _read_part(reader: Reader, data: bytes) -> Any:
    value, height = reader.parts.pop(reader.unpack(data))  # each belongs in one place
    reader.height = max(reader.height, height)
    return value


READERS: Final[Mapping[int, Read]] = {PARTS: _read_parts, PART: _read_part}
"""By extension number."""
