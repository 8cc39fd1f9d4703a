"""Vectors as bytes, and how alike two of them are."""

from __future__ import annotations

import functools
import importlib
import math
import struct
from collections.abc import Sequence
from typing import Any

_BYTES_PER_NUMBER = 4


def pack(vector: Sequence[float]) -> bytes:
    """Return a vector as little-endian 32-bit floats, which is the precision models work with.

    Raises:
        ValueError: It is empty, or something in it is no finite number.
    """
    if not len(vector):
        raise ValueError("it is empty")
    try:
        packed = struct.pack(f"<{len(vector)}f", *vector)
    except (struct.error, OverflowError, TypeError) as error:
        raise ValueError(f"no vector of 32-bit floats: {error}") from error
    if not all(map(math.isfinite, vector)):
        raise ValueError("it holds a number that is not finite")
    return packed


def dims(packed: bytes) -> int:
    """Return how many numbers a packed vector has."""
    return len(packed) // _BYTES_PER_NUMBER


def cosines(query: bytes, vectors: Sequence[bytes]) -> list[float]:
    """Return the cosine similarity of *query* to each vector of the same length.

    Where a vector is all zeros, it is 0.
    """
    numpy = _numpy()
    if numpy is None or not vectors:
        target = _unpack(query)
        return [_cosine(target, _unpack(vector)) for vector in vectors]
    target = numpy.frombuffer(query, "<f4").astype("f8")
    matrix = numpy.frombuffer(b"".join(vectors), "<f4").reshape(len(vectors), -1).astype("f8")
    lengths = numpy.linalg.norm(matrix, axis=1) * numpy.linalg.norm(target)
    similar = numpy.divide(
        matrix @ target, lengths, out=numpy.zeros(len(vectors)), where=lengths > 0
    )
    result: list[float] = similar.tolist()
    return result


def _unpack(packed: bytes) -> tuple[float, ...]:
    return struct.unpack(f"<{dims(packed)}f", packed)


def _cosine(one: Sequence[float], other: Sequence[float]) -> float:
    length = math.hypot(*one) * math.hypot(*other)
    return sum(map(float.__mul__, one, other)) / length if length else 0.0


@functools.cache
def _numpy() -> Any:
    """Return numpy if it is installed; it makes long rankings fast and is not needed."""
    try:
        return importlib.import_module("numpy")
    except ImportError:
        return None
