"""Exceptions: what a program can see of one is written, and rebuilt without calling its class.

``__init__`` is not called because its signature is anybody's guess; ``args``, the attributes and
the slots of C classes (``OSError.errno``) are set one by one. Tracebacks are not written.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from ormsgpack import Ext

from ...errors import DecodeError, StepFailed
from . import format as fmt
from .class_names import ancestry, mapping_of, reference
from .decoder import Read, Reader
from .encoder import Unwritable, Writer
from .objects import attributes_of, set_attributes, slot_values

_MAX_CHAIN = 8
_HEAP_TYPE = 1 << 9  # Py_TPFLAGS_HEAPTYPE: made by a class statement
_UNWRITTEN_SLOTS = frozenset(("message", "exceptions", "obj"))
"""The first two are a group's and read-only; `AttributeError.obj` is whatever was at hand."""

_ARGS: Final[Any] = mapping_of(BaseException)["args"]
_CAUSE: Final[Any] = mapping_of(BaseException)["__cause__"]
_CONTEXT: Final[Any] = mapping_of(BaseException)["__context__"]


def write_exception(writer: Writer, error: BaseException) -> Ext:
    """Write an exception with the exceptions that led to it.

    Attributes that cannot be written (an HTTP response) are left out; arguments that cannot are
    written as their ``str()``, so that the message stays.
    """
    args: tuple[Any, ...] = _ARGS.__get__(error)
    written = writer.kept(dict(enumerate(args)))
    slots = {k: v for k, v in slot_values(error).items() if k not in _UNWRITTEN_SLOTS}
    writer.chain.append(error)
    try:
        cause = _linked(writer, error.__cause__)
        same = error.__context__ is error.__cause__
        context = True if same else _linked(writer, error.__context__)
        node = [
            _name(writer, type(error)),
            writer.node(_text(error)),
            [written[i] if i in written else writer.node(_text(a)) for i, a in enumerate(args)],
            writer.kept(attributes_of(error)),
            writer.kept(slots),
            cause,
            context,
            _group(writer, error),
        ]
    finally:
        writer.chain.pop()
    return writer.ext(fmt.EXCEPTION, node)


def _linked(writer: Writer, error: BaseException | None) -> Any:
    """Return the node of a cause or context; the chain is cut where it is long or closes."""
    if error is None or len(writer.chain) >= _MAX_CHAIN:
        return None
    return None if any(error is other for other in writer.chain) else writer.node(error)


def _name(writer: Writer, cls: type) -> str:
    try:
        return writer.name(cls)
    except Unwritable:
        return reference(cls)  # read as StepFailed


def _text(value: Any) -> str:
    try:
        return str(value)
    except Exception:
        return f"<{type(value).__qualname__}>"


def _group(writer: Writer, error: BaseException) -> list[Any] | None:
    if not isinstance(error, BaseExceptionGroup):
        return None
    return [writer.node(error.message), writer.items(list(error.exceptions))]


def _read_exception(reader: Reader, data: bytes) -> BaseException:
    stored, text, args, attributes, slots, cause, context, group = reader.unpack(data)
    error = _bare(reader, stored, group)
    if error is None:
        error = StepFailed(stored, text)
        attributes = {k: v for k, v in attributes.items() if k == "__notes__"}
        slots = {k: v for k, v in slots.items() if k == "__suppress_context__"}
    else:
        _ARGS.__set__(error, tuple(args))
    _CAUSE.__set__(error, cause)
    _CONTEXT.__set__(error, cause if context is True else context)
    set_attributes(error, attributes, slots)
    return error


def _bare(reader: Reader, stored: Any, group: list[Any] | None) -> BaseException | None:
    """Return an exception of the stored class without its state, or None if there is no such."""
    cls: Any = reader.find(stored)
    if cls is None:
        return None
    if not issubclass(type(cls), type) or BaseException not in ancestry(cls):
        raise DecodeError(f"the journal names {stored!r} as an exception, which it is not")
    if BaseExceptionGroup in ancestry(cls):
        made: BaseException = BaseExceptionGroup.__new__(cls, *(group or ()))
        return made
    native: Any = next(base for base in ancestry(cls) if not base.__flags__ & _HEAP_TYPE)
    try:
        bare: BaseException = native.__new__(cls)
    except TypeError:  # classes of C extensions that only the extension makes
        return None
    return bare


READERS: Final[Mapping[int, Read]] = {fmt.EXCEPTION: _read_exception}
"""By extension number."""
