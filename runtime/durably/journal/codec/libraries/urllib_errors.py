"""``urllib.error.HTTPError``, which is a response as well as an exception: its body is kept."""

from __future__ import annotations

import io
import sys
from typing import Any, Final

from ..class_names import ancestry, mapping_of
from ..objects import attributes_of

_LIVE: Final = frozenset({"_closer", "file"})
_SMALL: Final = 1 << 20


def is_urllib_error(cls: type) -> bool:
    """Tell whether *cls* is urllib's HTTPError or a child of it."""
    module = sys.modules.get("urllib.error")
    return module is not None and mapping_of(module)["HTTPError"] in ancestry(cls)


def urllib_attributes(error: Any) -> dict[str, Any]:
    """Return the attributes of an HTTPError, with the body that is still to be read as bytes.

    The body is read from the connection, and stays readable for the program: the exception gets a
    buffer in place of the connection. A body larger than 1 MiB is not read, and left out.
    """
    held = attributes_of(error)
    body = _buffered(error)
    if body is not None:
        for name in ("file", "fp"):
            held[name] = body
        for name in [name for name, part in held.items() if callable(part)]:
            del held[name]  # methods of the connection that were looked up before
    return {k: v for k, v in held.items() if k not in _LIVE and not callable(v)}


def _buffered(error: Any) -> io.BufferedIOBase | None:
    """Return the body as a buffer; None if it is one already, or is known to be large."""
    source = attributes_of(error).get("fp")
    if source is None or isinstance(source, io.BytesIO | io.StringIO):
        return None
    length = getattr(source, "length", None)
    if not hasattr(source, "length") or (length is not None and length > _SMALL):
        return None
    try:
        body = bytes(source.read(_SMALL + 1))
    except Exception:  # the connection broke, which the program meets when it reads
        return None
    return io.BytesIO(body) if len(body) <= _SMALL else io.BufferedReader(_Rest(body, source))


class _Rest(io.RawIOBase):
    """A body whose beginning was read already.

    Args:
        head: That beginning.
        source: Where the rest comes from.
    """

    def __init__(self, head: bytes, source: Any) -> None:
        self._head = head
        self._source = source

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        piece = self._head[: len(buffer)] or self._source.read(len(buffer))
        self._head = self._head[len(piece) :]
        buffer[: len(piece)] = piece
        return len(piece)


def restore_body(error: Any) -> None:
    """Make a rebuilt HTTPError readable again."""
    held = attributes_of(error)
    source, headers = held.get("fp"), held.get("hdrs")
    if isinstance(source, io.BytesIO | io.StringIO):
        wrap: Any = mapping_of(sys.modules["urllib.response"])["addinfourl"]
        wrap.__init__(error, source, headers, held.get("url"), held.get("code"))
    else:
        held["file"] = source  # a mark, which fails when the error is read
