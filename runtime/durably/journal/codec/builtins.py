"""Values of the standard library's own classes: how each is written and read.

Modules that few programs use are imported by those that read such a value.
"""

from __future__ import annotations

import datetime as dt
import pathlib
import re
import struct
import sys
import types
import uuid
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from ormsgpack import Ext

from ...errors import DecodeError
from . import format as fmt
from .decoder import Read, Reader, missing
from .encoder import Unwritable, Write, Writer, write_big_int

if TYPE_CHECKING:
    import decimal
    import fractions
    import zoneinfo

_COMPLEX = struct.Struct(">dd")
_PATHS = (pathlib.Path, pathlib.PurePosixPath, pathlib.PureWindowsPath)


def _write_tuple(writer: Writer, value: tuple[Any, ...]) -> Ext:
    return writer.ext(fmt.TUPLE, writer.items(list(value)))


def _read_spliced(reader: Reader, data: bytes) -> list[Any]:
    items: list[Any] = []
    for piece in reader.unpack(data):
        if type(piece) is not list:
            raise DecodeError("stored bytes hold something else where a piece of a list belongs")
        items += piece
    return items


def _write_set(writer: Writer, value: set[Any] | frozenset[Any]) -> Ext:
    code = fmt.SET if isinstance(value, set) else fmt.FROZENSET
    return writer.ext(code, writer.members(list(value)))


def _write_complex(_writer: Writer, value: complex) -> Ext:
    return Ext(fmt.COMPLEX, _COMPLEX.pack(value.real, value.imag))


def _write_bytearray(_writer: Writer, value: bytearray) -> Ext:
    return Ext(fmt.BYTEARRAY, bytes(value))


def _write_datetime(writer: Writer, value: dt.datetime) -> Ext:
    clock = [value.hour, value.minute, value.second, value.microsecond, value.fold]
    zone = writer.node(value.tzinfo)
    return writer.ext(fmt.DATETIME, [value.year, value.month, value.day, *clock, zone])


def _read_datetime(reader: Reader, data: bytes) -> dt.datetime:
    year, month, day, hour, minute, second, micro, fold, zone = reader.unpack(data)
    return dt.datetime(year, month, day, hour, minute, second, micro, zone, fold=fold)


def _write_date(writer: Writer, value: dt.date) -> Ext:
    return writer.ext(fmt.DATE, [value.year, value.month, value.day])


def _write_time(writer: Writer, value: dt.time) -> Ext:
    clock = [value.hour, value.minute, value.second, value.microsecond, value.fold]
    return writer.ext(fmt.TIME, [*clock, writer.node(value.tzinfo)])


def _read_time(reader: Reader, data: bytes) -> dt.time:
    hour, minute, second, micro, fold, zone = reader.unpack(data)
    return dt.time(hour, minute, second, micro, zone, fold=fold)


def _write_timedelta(writer: Writer, value: dt.timedelta) -> Ext:
    return writer.ext(fmt.TIMEDELTA, [value.days, value.seconds, value.microseconds])


def _write_timezone(writer: Writer, value: dt.tzinfo) -> Ext:
    """Write a fixed offset; pydantic has a class of its own for those that it parsed."""
    offset = value.utcoffset(None)
    if offset is None:
        raise Unwritable(type(value))
    own = not isinstance(value, dt.timezone)
    name = None if own or value.tzname(None) == _unnamed(offset) else value.tzname(None)
    return writer.ext(fmt.TIMEZONE, [writer.node(offset), name, own])


def _unnamed(offset: dt.timedelta) -> str:
    return dt.timezone(offset).tzname(None)


def _read_timezone(reader: Reader, data: bytes) -> dt.tzinfo:
    offset, name, own = reader.unpack(data)
    made = dt.timezone(offset, name) if name is not None else dt.timezone(offset)
    pydantic = sys.modules.get("pydantic_core")
    if own and pydantic is not None:
        restored: dt.tzinfo = pydantic.TzInfo(offset.total_seconds())
        return restored
    return made


def _write_zone(_writer: Writer, value: zoneinfo.ZoneInfo) -> Ext:
    if value.key is None:  # pyright: ignore[reportUnnecessaryComparison] - read from a file
        raise Unwritable(type(value), "has no key by which it could be found again.")
    return Ext(fmt.ZONEINFO, value.key.encode())


def _read_zone(_reader: Reader, data: bytes) -> zoneinfo.ZoneInfo:
    import zoneinfo

    return zoneinfo.ZoneInfo(data.decode())


def _write_decimal(_writer: Writer, value: decimal.Decimal) -> Ext:
    return Ext(fmt.DECIMAL, str(value).encode())


def _read_decimal(_reader: Reader, data: bytes) -> decimal.Decimal:
    import decimal

    return decimal.Decimal(data.decode())


def _write_fraction(writer: Writer, value: fractions.Fraction) -> Ext:
    return writer.ext(fmt.FRACTION, [writer.node(value.numerator), writer.node(value.denominator)])


def _read_fraction(reader: Reader, data: bytes) -> fractions.Fraction:
    import fractions

    return fractions.Fraction(*reader.unpack(data))


def _write_uuid(_writer: Writer, value: uuid.UUID) -> Ext:
    return Ext(fmt.UUID, value.bytes)


def _write_path(writer: Writer, value: pathlib.PurePath) -> Ext:
    which = 0
    if not isinstance(value, pathlib.Path):
        which = 1 if isinstance(value, pathlib.PurePosixPath) else 2
    return writer.ext(fmt.PATH, [which, writer.node(str(value))])


def _read_path(reader: Reader, data: bytes) -> pathlib.PurePath:
    which, text = reader.unpack(data)
    return _PATHS[which](text)


def _write_range(writer: Writer, value: range) -> Ext:
    bounds = (value.start, value.stop, value.step)
    return writer.ext(fmt.RANGE, [writer.node(bound) for bound in bounds])


def _write_pattern(writer: Writer, value: re.Pattern[Any]) -> Ext:
    if len(value.pattern) > fmt.MAX_PATTERN:
        raise Unwritable(type(value), f"is longer than {fmt.MAX_PATTERN} characters.")
    return writer.ext(fmt.PATTERN, [writer.node(value.pattern), value.flags])


def _read_pattern(reader: Reader, data: bytes) -> re.Pattern[Any]:
    pattern, flags = reader.unpack(data)
    if len(pattern) > fmt.MAX_PATTERN:
        raise DecodeError(f"a stored pattern is longer than {fmt.MAX_PATTERN} characters")
    return re.compile(pattern, flags & ~re.DEBUG)


def _write_namespace(writer: Writer, value: types.SimpleNamespace) -> Ext:
    return writer.ext(fmt.NAMESPACE, writer.attributes(vars(value)))


def write_reference(writer: Writer, value: Any) -> Ext:
    """Write a class or a function of a module by its name."""
    return Ext(fmt.REFERENCE, writer.name(value).encode())


def _read_reference(reader: Reader, data: bytes) -> Any:
    name = data.decode()
    found = reader.find(name)
    if found is None:
        raise missing(name)
    if issubclass(type(found), type) or type(found) is types.FunctionType:
        return found
    raise DecodeError(f"the journal names {name!r} as a class or function, which it is not")


def _read_map(reader: Reader, data: bytes) -> dict[Any, Any]:
    flat = reader.unpack(data)
    return dict(zip(flat[::2], flat[1::2], strict=True))


WRITERS: Final[Mapping[type, Write]] = {
    tuple: _write_tuple,
    set: _write_set,
    frozenset: _write_set,
    int: write_big_int,
    complex: _write_complex,
    bytearray: _write_bytearray,
    dt.datetime: _write_datetime,
    dt.date: _write_date,
    dt.time: _write_time,
    dt.timedelta: _write_timedelta,
    dt.timezone: _write_timezone,
    uuid.UUID: _write_uuid,
    type(pathlib.Path()): _write_path,
    pathlib.PurePosixPath: _write_path,
    pathlib.PureWindowsPath: _write_path,
    range: _write_range,
    re.Pattern: _write_pattern,
    types.SimpleNamespace: _write_namespace,
    types.FunctionType: write_reference,
}
"""By exact class."""

WRITERS_BY_NAME: Final[Mapping[tuple[str, str], Write]] = {
    ("decimal", "Decimal"): _write_decimal,
    ("fractions", "Fraction"): _write_fraction,
    ("zoneinfo", "ZoneInfo"): _write_zone,
    ("pydantic_core._pydantic_core", "TzInfo"): _write_timezone,
}
"""By the module and name of classes that need not have been imported."""

READERS: Final[Mapping[int, Read]] = {
    fmt.TUPLE: lambda reader, data: tuple(reader.unpack(data)),
    fmt.SPLICED: _read_spliced,
    fmt.SET: lambda reader, data: set(reader.unpack(data)),
    fmt.FROZENSET: lambda reader, data: frozenset(reader.unpack(data)),
    fmt.MAP: _read_map,
    fmt.BIG_INT: lambda _, data: int.from_bytes(data, "big", signed=True),
    fmt.COMPLEX: lambda _, data: complex(*_COMPLEX.unpack(data)),
    fmt.SURROGATES: lambda _, data: data.decode("utf-8", "surrogatepass"),
    fmt.BYTEARRAY: lambda _, data: bytearray(data),
    fmt.DATETIME: _read_datetime,
    fmt.DATE: lambda reader, data: dt.date(*reader.unpack(data)),
    fmt.TIME: _read_time,
    fmt.TIMEDELTA: lambda reader, data: dt.timedelta(*reader.unpack(data)),
    fmt.TIMEZONE: _read_timezone,
    fmt.ZONEINFO: _read_zone,
    fmt.DECIMAL: _read_decimal,
    fmt.FRACTION: _read_fraction,
    fmt.UUID: lambda _, data: uuid.UUID(bytes=data),
    fmt.PATH: _read_path,
    fmt.RANGE: lambda reader, data: range(*reader.unpack(data)),
    fmt.PATTERN: _read_pattern,
    fmt.REFERENCE: _read_reference,
    fmt.NAMESPACE: lambda reader, data: types.SimpleNamespace(**reader.unpack(data)),
}
"""By extension number."""
