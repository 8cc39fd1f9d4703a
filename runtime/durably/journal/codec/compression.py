"""How a blob is kept: compressed if that is worth it, and checked when it is read.

A blob is named by the hash of its plain bytes, so damage to it is seen whatever storage it lies in.
"""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Mapping
from typing import Final

from ...errors import JournalCorrupt
from .format import MAX_EXPANDED

HASH_SIZE: Final = 16

_LARGE: Final = 4096
"""Bytes from which on compressing is tried; a smaller page of the storage would hold no more."""

_PROBE: Final = 4096
_WORTH: Final = 0.9
"""To which part a blob must shrink; images and the like do not."""

_COMPRESSED: Final = b"\xc1z"
"""What a compressed blob begins with: the one byte that no MessagePack value begins with."""


def hash_of(data: bytes) -> bytes:
    """Return the name of a blob: BLAKE2b of its plain bytes."""
    return hashlib.blake2b(data, digest_size=HASH_SIZE).digest()


def stored(blobs: Mapping[bytes, bytes]) -> Mapping[bytes, bytes]:
    """Return *blobs* as they are kept."""
    if all(len(data) < _LARGE for data in blobs.values()):
        return blobs
    return {key: _packed(data) for key, data in blobs.items()}


def restored(thread: str, blobs: Mapping[bytes, bytes]) -> Mapping[bytes, bytes]:
    """Return blobs of *thread* from what was kept.

    Raises:
        JournalCorrupt: One is not what its name says.
    """
    return {key: _checked(thread, key, data) for key, data in blobs.items()}


def _packed(data: bytes) -> bytes:
    if len(data) < _LARGE or not _shrinks(data[:_PROBE]):
        return data
    packed = zlib.compress(data, 1)
    return _COMPRESSED + packed if len(packed) < _WORTH * len(data) else data


def _shrinks(sample: bytes) -> bool:
    return len(zlib.compress(sample, 1)) < _WORTH * len(sample)


def _checked(thread: str, key: bytes, data: bytes) -> bytes:
    try:
        plain = _unpacked(data) if data.startswith(_COMPRESSED) else data
    except zlib.error:
        plain = None
    if plain is None or hash_of(plain) != key:
        raise JournalCorrupt(
            f"a part of a value of thread {thread!r} (blob {key.hex()}) is damaged: it is not what "
            "its hash says. Restore the journal from a copy, or start the thread anew with --new."
        )
    return plain


def _unpacked(data: bytes) -> bytes | None:
    """Decompress a blob; None if it becomes more than any that is written."""
    reader = zlib.decompressobj()
    plain = reader.decompress(data[len(_COMPRESSED) :], MAX_EXPANDED)
    return plain if reader.eof else None
