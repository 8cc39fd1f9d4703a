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
    if cls is numpy.ndarray:
        return _write_array
    return _write_scalar if numpy.generic in ancestry(cls) else None


def _dtype(value: Any) -> str:
    dtype: str = value.dtype.str
    if value.dtype.names is not None or not _DTYPE.fullmatch(dtype):
        raise Unwritable(
            type(value),
            f"of dtype {value.dtype} cannot be written to the journal. Convert it to plain data.",
        )
    return dtype


def _write_array(writer: Writer, value: Any) -> Ext:
    return writer.ext(fmt.NDARRAY, [_dtype(value), list(value.shape), writer.node(value.tobytes())])


def _write_scalar(writer: Writer, value: Any) -> Ext:
    return writer.ext(fmt.NUMPY_SCALAR, [_dtype(value), writer.node(value.tobytes())])


def _array(reader: Reader, dtype: Any, shape: list[int], data: bytes) -> Any:
    numpy: Any = sys.modules.get("numpy")
    if numpy is None and reader.find("numpy:ndarray") is not None:  # allow-listed
        numpy = sys.modules["numpy"]
    if numpy is None:
        raise DecodeError(
            "the journal holds a numpy array: import numpy before the run continues, or "
            "allow-list 'numpy'"
        )
    if not _DTYPE.fullmatch(dtype) or len(shape) > _MAX_DIMENSIONS:
        raise DecodeError(f"the journal holds a numpy array of dtype {dtype!r}")
    parsed = numpy.dtype(dtype)
    if math.prod(shape) * parsed.itemsize != len(data):
        raise DecodeError("the journal holds a numpy array whose shape and bytes do not agree")
    made = numpy.empty(tuple(shape), parsed)
    if data:
        made[...] = numpy.frombuffer(data, parsed).reshape(made.shape)
    return made


def _read_array(reader: Reader, data: bytes) -> Any:
    dtype, shape, inside = reader.unpack(data)
    return _array(reader, dtype, shape, inside)


def _read_scalar(reader: Reader, data: bytes) -> Any:
    dtype, inside = reader.unpack(data)
    return _array(reader, dtype, [], inside)[()]


READERS: Final[Mapping[int, Read]] = {
    fmt.NDARRAY: _read_array,
    fmt.NUMPY_SCALAR: _read_scalar,
}
"""By extension number."""
