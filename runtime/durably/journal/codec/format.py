"""The written form: MessagePack, and the table of extension numbers that are ours.

A number, once released, keeps its meaning for good: journals outlive versions. New kinds of value
get new numbers at the end; a reader that meets a number it does not know says so.
"""

from __future__ import annotations

from typing import Final

import ormsgpack

TUPLE: Final = 0  # array of the items
SET: Final = 1  # array of the items
FROZENSET: Final = 2  # array of the items
MAP: Final = 3  # array key, value, key, value …: a dict whose keys are not all plain strings
BIG_INT: Final = 4  # big-endian two's complement
COMPLEX: Final = 5  # two IEEE doubles, big-endian
SURROGATES: Final = 6  # UTF-8 with surrogates let through
BYTEARRAY: Final = 7  # the bytes
DATETIME: Final = 8  # [year, month, day, hour, minute, second, microsecond, fold, tzinfo]
DATE: Final = 9  # [year, month, day]
TIME: Final = 10  # [hour, minute, second, microsecond, fold, tzinfo]
TIMEDELTA: Final = 11  # [days, seconds, microseconds]
TIMEZONE: Final = 12  # [offset, name or nil, whether it is pydantic's class]
ZONEINFO: Final = 13  # key
DECIMAL: Final = 14  # str()
FRACTION: Final = 15  # [numerator, denominator]
UUID: Final = 16  # 16 bytes
PATH: Final = 17  # [0 concrete | 1 pure POSIX | 2 pure Windows, text]
RANGE: Final = 18  # [start, stop, step]
PATTERN: Final = 19  # [pattern, flags]
ENUM: Final = 20  # [class, member name…, left-over bits of a flag]
SUBCLASS: Final = 21  # [class, name of the built-in base, its value, attributes, slots]
DATACLASS: Final = 22  # [class, fields, further attributes]
PYDANTIC: Final = 23  # [class, fields, names set or true for all, extra, private, further]
EXCEPTION: Final = 24  # [class, text, args, attributes, slots, cause, context, group]
REFERENCE: Final = 25  # class or function, by name
NDARRAY: Final = 26  # [dtype, or array of [name, dtype, shape?] for a structured one, shape, bytes]
NUMPY_SCALAR: Final = 27  # [dtype as for NDARRAY, bytes]
CUSTOM: Final = 28  # [tag of a TypeCodec, data]
BLOB: Final = 29  # hash of a value that is stored apart
NAMESPACE: Final = 30  # types.SimpleNamespace: its attributes
VALIDATION: Final = 31  # pydantic's ValidationError: [title, text, [[type, loc, msg, input, ctx]…]]
SPLICED: Final = 32  # array of arrays, whose items stand one after the other: a long list
LIBRARY: Final = 33  # [class, data]: an object of a library whose parts are known
ATTRS: Final = 34  # [class, fields, further attributes]
LEFT_OUT: Final = 35  # [class, why]: part of an exception that could not be written
PARTS: Final = 36  # [bytes, …]: a value cut into parts because it nests deep; the first is its top
PART: Final = 37  # number of the part that belongs here, a part after the one that it stands in

OPTIONS: Final = (
    ormsgpack.OPT_PASSTHROUGH_BIG_INT
    | ormsgpack.OPT_PASSTHROUGH_DATACLASS
    | ormsgpack.OPT_PASSTHROUGH_DATETIME
    | ormsgpack.OPT_PASSTHROUGH_ENUM
    | ormsgpack.OPT_PASSTHROUGH_SUBCLASS
    | ormsgpack.OPT_PASSTHROUGH_TUPLE
    | ormsgpack.OPT_PASSTHROUGH_UUID
)
"""What makes ormsgpack hand over everything whose type it would otherwise lose."""

MAX_OBJECTS: Final = 48
"""How many objects (extension values) may nest in each other."""

MAX_LINKS: Final = 8
"""How many blobs may lie inside each other."""

FREE_OBJECTS: Final = 4
"""Levels of objects inside which lists and dicts nest as deep as MessagePack's writer allows."""

MAX_NESTING: Final = 32
"""How deep lists and dicts may nest inside one object that lies deeper than `FREE_OBJECTS`."""

PART_LEVELS: Final = 16
"""How deep a part of a value nests that is cut into parts."""

MAX_HEIGHT: Final = 256
"""How many parts may lie inside each other."""

MAX_PATTERN: Final = 10_000
"""Longest regular expression, in characters."""

MAX_EXPANDED: Final = 1 << 30
"""Most bytes that the blobs of one value may come to, each counted as often as it is used."""
