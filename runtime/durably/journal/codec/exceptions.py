"""Exceptions: what a program can see of one is written, and rebuilt without calling its class.

``__init__`` is not called because its signature is anybody's guess; ``args``, the attributes and
the slots of C classes (``OSError.errno``) are set one by one. Tracebacks are not written. A part
that cannot be written is marked, and the mark says so when a program uses it (`.left_out`).
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import Any, Final

from ormsgpack import Ext

from ...errors import DecodeError, StepFailed
from . import format as fmt
from .class_names import ancestry, mapping_of, reference
from .decoder import Read, Reader
from .encoder import Unwritable, Writer
from .left_out import LeftOut
from .libraries.urllib_errors import is_urllib_error, restore_body, urllib_attributes
from .objects import HEAP_TYPE, attributes_of, set_attributes, slot_values
from .secrets import masked_attributes, without_secrets

_MAX_TREE = 8
_MAX_CHAIN = 1_000
_UNWRITTEN_SLOTS = frozenset(("message", "exceptions", "obj"))
"""The first two are a group's and read-only; `AttributeError.obj` is whatever was at hand."""

_ARGS: Final[Any] = mapping_of(BaseException)["args"]
_CAUSE: Final[Any] = mapping_of(BaseException)["__cause__"]
_CONTEXT: Final[Any] = mapping_of(BaseException)["__context__"]


def write_exception(writer: Writer, error: BaseException) -> Ext:
    """Write an exception with the exceptions that led to it.

    Parts of attributes that cannot be written (a connection) are marked as left out; arguments
    that cannot are written as their ``str()``, so that the message stays.
    """
    slots = {k: v for k, v in slot_values(error).items() if k not in _UNWRITTEN_SLOTS}
    lenient, writer.lenient = writer.lenient, 0
    writer.chain.append(error)
    try:
        node = [
            _name(writer, type(error)),
            writer.node(_text(error)),
            _args(writer, error),
            _attributes(writer, error),
            writer.marked(masked_attributes(slots)),
            *_links(writer, error),
            _group(writer, error),
        ]
        writer.lenient = 1  # where the nodes are the values themselves, they are written now
        return writer.ext(fmt.EXCEPTION, node)
    finally:
        writer.lenient = lenient
        writer.chain.pop()


def _args(writer: Writer, error: BaseException) -> list[Any]:
    args: tuple[Any, ...] = without_secrets(_ARGS.__get__(error))
    written = writer.kept(dict(enumerate(args)))
    return [written[i] if i in written else writer.node(_text(a)) for i, a in enumerate(args)]


def _attributes(writer: Writer, error: BaseException) -> Mapping[str, Any]:
    """Return the node of the attributes; cached properties that cannot be written are made anew."""
    held: Mapping[str, Any] = attributes_of(error)
    if is_urllib_error(type(error)):
        held = urllib_attributes(error)
    held = masked_attributes(held)
    cached = {name: held.pop(name) for name in [*held] if _is_cached(type(error), name)}
    node = writer.marked(held)
    return {**node, **writer.kept(cached)} if cached else node


def _is_cached(cls: type, name: str) -> bool:
    return any(type(mapping_of(b).get(name)) is functools.cached_property for b in ancestry(cls))


def _links(writer: Writer, error: BaseException) -> tuple[Any, Any]:
    """Return the nodes of cause and context.

    The chain is cut where it closes. Beyond a few levels the context of what has a cause is left
    out: both would lead to the same exceptions, twice as many with each level.
    """
    cause, context = error.__cause__, error.__context__
    node = _linked(writer, cause)
    if context is cause:
        return node, True
    if cause is not None and len(writer.chain) >= _MAX_TREE:
        return node, None
    return node, _linked(writer, context)


def _linked(writer: Writer, error: BaseException | None) -> Any:
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
    with reader.replacing(_gone):
        stored, text, args, attributes, slots, cause, context, group = reader.unpack(data)
    error = _bare(reader, stored, group)
    if type(error) is StepFailed or error is None:
        error = StepFailed(stored, text) if error is None else error
        attributes = {k: v for k, v in attributes.items() if k == "__notes__"}
        slots = {k: v for k, v in slots.items() if k == "__suppress_context__"}
    else:
        _ARGS.__set__(error, tuple(args))
    _CAUSE.__set__(error, cause)
    _CONTEXT.__set__(error, cause if context is True else context)
    set_attributes(error, attributes, slots)
    if is_urllib_error(type(error)):
        restore_body(error)
    return error


def _gone(name: str) -> LeftOut:
    """Return what stands for an object whose class this process does not have."""
    return LeftOut(name, "is recorded, but its class is not loaded in this process.")


def _bare(reader: Reader, stored: Any, group: list[Any] | None) -> BaseException | None:
    """Return an exception of the stored class without its state, or None if there is no such."""
    cls: Any = reader.find(stored)
    if cls is None:
        return None if group is None else BaseExceptionGroup(*group)
    if not issubclass(type(cls), type) or BaseException not in ancestry(cls):
        raise DecodeError(f"the journal names {stored!r} as an exception, which it is not")
    if BaseExceptionGroup in ancestry(cls):
        made: BaseException = BaseExceptionGroup.__new__(cls, *(group or ()))
        return made
    native: Any = next(base for base in ancestry(cls) if not base.__flags__ & HEAP_TYPE)
    try:
        bare: BaseException = native.__new__(cls)
    except TypeError:  # classes of C extensions that only the extension makes
        return None
    return bare


def write_left_out(writer: Writer, value: LeftOut) -> Ext:
    """Write once more what was left out before."""
    return writer.ext(fmt.LEFT_OUT, [value.__what__, value.__why__])


def _read_left_out(reader: Reader, data: bytes) -> LeftOut:
    what, why = reader.unpack(data)
    return LeftOut(str(what), str(why))


READERS: Final[Mapping[int, Read]] = {
    fmt.EXCEPTION: _read_exception,
    fmt.LEFT_OUT: _read_left_out,
}
"""By extension number."""
