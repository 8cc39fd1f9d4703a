"""Objects of libraries, written and read by the tables that know their classes.

A class is found under the codec's rule for names. Only classes of the tables are made by code of
their own, which is the library's, from data of the kind that it gave. No library is imported but
those of Python.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from typing import Any, Final

from ormsgpack import Ext

from ....errors import DecodeError
from .. import format as fmt
from ..class_names import ancestry, mapping_of
from ..decoder import Read, Reader, missing
from ..encoder import Write, Writer
from .http_messages import HTTP_MESSAGES
from .library import ClassName, Library
from .pandas_values import pandas_value, pandas_writer
from .standard_values import STANDARD_VALUES

_LIBRARIES: Final[Mapping[ClassName, Library]] = {
    **STANDARD_VALUES,
    **HTTP_MESSAGES,
}
_PYTHON: Final = frozenset(
    {"_io", "array", "collections", "http.client", "ipaddress", "os", "time"}
)
_BUILT_IN_FUNCTION: Final = type(len)


def _is_record(cls: type) -> bool:
    """Tell whether *cls* is one of C's named tuples, such as ``time.struct_time``."""
    held = mapping_of(cls)
    return (
        tuple in ancestry(cls)
        and type(held.get("n_sequence_fields")) is int
        and type(held.get("__new__")) is _BUILT_IN_FUNCTION
    )


def _record(writer: Writer, value: Any) -> list[Any]:
    _, (items, further) = value.__reduce__()
    return [writer.items(list(items)), writer.attributes(further)]


def _made_record(cls: Any, data: list[Any]) -> Any:
    items, further = data
    return cls(items, further)


_RECORD: Final = Library(_record, _made_record)


def _library_of(cls: type) -> Library | None:
    for base in ancestry(cls):
        how = _LIBRARIES.get((base.__module__, base.__qualname__))
        if how is not None and (how.for_children or base is cls):
            return how
    return _RECORD if _is_record(cls) else None


def library_writer(cls: type) -> Write | None:
    """Return what writes the objects of *cls*, or None if no table knows the class."""
    write_pandas = pandas_writer(cls)
    how = _library_of(cls)
    if write_pandas is not None or how is None:
        return write_pandas
    parts, is_named = how.parts, how.is_named
    unnamed = f"{cls.__module__}:{cls.__qualname__}"

    def write(writer: Writer, value: Any) -> Ext:
        name = writer.name(cls) if is_named else unnamed
        return writer.ext(fmt.LIBRARY, [name, parts(writer, value)])

    return write


def _read_library(reader: Reader, data: bytes) -> Any:
    stored, inside = reader.unpack(data)
    if not isinstance(stored, str):
        raise DecodeError("stored bytes hold something else where the name of a class belongs")
    module, _, name = stored.partition(":")
    if module == "pandas":
        return pandas_value(name, inside)
    how = _LIBRARIES.get((module, name))
    if how is not None and not how.is_named:
        return how.make(None, inside)
    if module in _PYTHON:
        importlib.import_module(module)
    cls = reader.find(stored)
    if cls is None:
        raise missing(stored)
    how = _library_of(cls) if issubclass(type(cls), type) else None
    if how is None:
        raise DecodeError(f"the journal names {stored!r} as a library's class, which it is not")
    return how.make(cls, inside)


READERS: Final[Mapping[int, Read]] = {fmt.LIBRARY: _read_library}
"""By extension number."""
