"""Arrays and scalars of numpy, if the program uses it; numpy is never imported for the journal."""

from __future__ import annotations

import math
import re
import sys
from collections.abc import Mapping
from typing import Any, Final

from ormsgpack import Ext

from ....errors import DecodeError
from .. import format as fmt
from ..class_names import ancestry
from ..decoder import Read, Reader
from ..encoder import Unwritable, Write, Writer

_DTYPE = re.compile(r"[<>|=][biufcSUmMV]\d{1,9}(\[\d{0,9}[a-zA-Zμ]{1,8}\])?")
_MAX_DIMENSIONS = 32


def numpy_writer(cls: type) -> Write | None:
    """Return what writes arrays or scalars of the class, or None if it is none of numpy's."""
    numpy: Any = sys.modules.get("numpy")
    if numpy is None or not hasattr(numpy, "generic"):
        return None
    if cls is numpy.ndarray or cls is numpy.recarray:
        return _write_array
    if numpy.ndarray in ancestry(cls):
        return _refuse
    return _write_scalar if numpy.generic in ancestry(cls) else None


def _refuse(_writer: Writer, value: Any) -> Ext:
    why = "cannot be written to the journal. Return numpy.asarray(value), and what else it holds."
    raise Unwritable(type(value), why)


def _dtype(value: Any) -> Any:
    """Return the dtype as text, or as fields for a structured one."""
    dtype: Any = value.dtype
    if dtype.names is None:
        if _DTYPE.fullmatch(dtype.str):
            return dtype.str
    elif not dtype.hasobject and _parsed(fields := _fields(dtype.descr)) == dtype:
        return fields
    raise Unwritable(
        type(value),
        f"of dtype {dtype} cannot be written to the journal. Convert it to plain data, or a "
        "structured one with numpy.lib.recfunctions.repack_fields().",
    )


def _fields(descr: Any) -> Any:
    """Return numpy's description of fields with lists in place of tuples."""
    if isinstance(descr, list | tuple):
        return [_fields(part) for part in descr]
    return descr


def _parsed(stored: Any, depth: int = 0) -> Any:
    """Return the dtype of its stored form.

    Raises:
        DecodeError: It is none that is ever written.
    """
    numpy: Any = sys.modules["numpy"]
    if isinstance(stored, str) and _DTYPE.fullmatch(stored):
        return numpy.dtype(stored)
    if type(stored) is not list or depth > _MAX_DIMENSIONS:
        raise DecodeError(f"the journal holds a numpy array of dtype {stored!r}")
    fields: list[tuple[Any, ...]] = []
    for name, inner, *shape in stored:
        size = [tuple(int(part) for part in shape[0])] if shape else []
        fields.append((str(name), _parsed(inner, depth + 1), *size))
    return numpy.dtype(fields)


def _is_record(value: Any) -> bool:
    return issubclass(value.dtype.type, sys.modules["numpy"].record)


def _write_array(writer: Writer, value: Any) -> Ext:
    numpy: Any = sys.modules["numpy"]
    node = [_dtype(value), list(value.shape), writer.node(value.tobytes())]
    if type(value) is numpy.recarray or _is_record(value):
        node.append([type(value) is numpy.recarray, _is_record(value)])
    return writer.ext(fmt.NDARRAY, node)


def _write_scalar(writer: Writer, value: Any) -> Ext:
    node = [_dtype(value), writer.node(value.tobytes())]
    return writer.ext(fmt.NUMPY_SCALAR, [*node, True] if _is_record(value) else node)


def _array(reader: Reader, dtype: Any, shape: list[int], data: bytes, is_record: bool) -> Any:
    numpy: Any = sys.modules.get("numpy")
    if numpy is None and reader.find("numpy:ndarray") is not None:  # allow-listed
        numpy = sys.modules["numpy"]
    if numpy is None:
        raise DecodeError(
            "the journal holds a numpy array: import numpy before the run continues, or "
            "allow-list 'numpy'"
        )
    if len(shape) > _MAX_DIMENSIONS:
        raise DecodeError(f"the journal holds a numpy array of {len(shape)} dimensions")
    parsed = _parsed(dtype)
    if math.prod(shape) * parsed.itemsize != len(data):
        raise DecodeError("the journal holds a numpy array whose shape and bytes do not agree")
    if is_record:
        parsed = numpy.dtype((numpy.record, parsed))
    made = numpy.empty(tuple(shape), parsed)
    if data:
        made[...] = numpy.frombuffer(data, parsed).reshape(made.shape)
    return made


def _read_array(reader: Reader, data: bytes) -> Any:
    dtype, shape, inside, *kind = reader.unpack(data)
    is_view, is_record = kind[0] if kind else (False, False)
    made = _array(reader, dtype, shape, inside, is_record)
    return made.view(sys.modules["numpy"].recarray) if is_view else made


def _read_scalar(reader: Reader, data: bytes) -> Any:
    dtype, inside, *kind = reader.unpack(data)
    return _array(reader, dtype, [], inside, bool(kind))[()]


READERS: Final[Mapping[int, Read]] = {
    fmt.NDARRAY: _read_array,
    fmt.NUMPY_SCALAR: _read_scalar,
}
"""By extension number."""
