"""The codec: how values become bytes in the journal and come back, without pickle.

Values are MessagePack; what MessagePack lacks is written as extension values (the table is in
``_codec_format``). What comes back is equal to what went in and of the same classes.

**Which classes the data may name.** Bytes are never trusted. A class that they name is rebuilt
only if

1. a `TypeCodec` is registered for it, or
2. it is found, by walking ``__dict__``s, in a module that is already loaded, or
3. its module belongs to an allow-listed package, which may then be imported,

and under 2 and 3 only if it is a plain data class of the kind that was written: a pydantic model, a
dataclass, an enum, an exception, or a child of a built-in class (named tuples are). It is rebuilt
without running its code: no ``__init__``, ``__post_init__``, ``__new__``, validator,
``__setattr__`` or ``__reduce__``. (``__hash__`` and ``__eq__`` run where a value is the key of a
dict or in a set.) Classes and functions that are values themselves are looked up under the same
rule and never called. All else is a `DecodeError`.

Objects of some libraries that are more than data (an HTTP response) are made by the code of the
library, from parts of the kind that it gave (`.libraries.table`).

**What is left out.** Tracebacks; private attributes of pydantic models and attributes of
dataclasses outside their fields, if they cannot be written. Parts of exceptions that cannot be
written are marked, and the mark fails when it is used (`.left_out`). That two parts of a value
are the same object: each becomes its own. Secrets are refused (`.secrets`).
"""

from __future__ import annotations

import dataclasses
from collections.abc import (
    Callable,
    Collection,
    ItemsView,
    Iterable,
    Iterator,
    KeysView,
    Mapping,
    ValuesView,
)
from types import MappingProxyType
from typing import Any, Final, Generic, TypeVar

from ormsgpack import Ext, packb, unpackb

from ...errors import DecodeError, EncodeError
from . import builtins as _codec_builtins
from . import deep_values as _codec_deep
from . import exceptions as _codec_exceptions
from . import format as fmt
from . import objects as _codec_objects
from .blob_writer import BLOB_MARK, WHOLE, BlobWriter, gather, is_history
from .class_names import NOTHING_HINTED, Classes, Hinted, ancestry, hinted, loaded
from .decoder import Read, Reader
from .encoder import (
    CarefulWriter,
    TooDeep,
    Unwritable,
    Write,
    Writer,
    hides_buffer,
    interrupts,
)
from .left_out import LeftOut
from .libraries import attrs_objects as _codec_attrs
from .libraries import numpy_arrays as _codec_numpy
from .libraries import pydantic_errors as _codec_validation
from .libraries import table as _codec_libraries
from .secrets import is_secret, refuse_secret
from .value_cache import Memo, Recall

T = TypeVar("T")

_MAX_CACHED = 1_000
_WHOLE = frozenset({bool, float, int, str, type(None)})
"""Classes whose values ormsgpack writes as they are, or refuses."""

_BY_NAME: Mapping[tuple[str, str], Write] = {
    **_codec_builtins.WRITERS_BY_NAME,
    (LeftOut.__module__, LeftOut.__qualname__): _codec_exceptions.write_left_out,
    ("pydantic_core._pydantic_core", "ValidationError"): _codec_validation.write_validation_error,
}
NO_BLOBS: Final[Mapping[bytes, bytes]] = MappingProxyType({})
"""What a small value is split into, besides its body."""


@dataclasses.dataclass(frozen=True, slots=True)
class TypeCodec(Generic[T]):
    """How the values of one class are written, for classes that are more than data.

    Attributes:
        type: The class, or ``"module:name"``, which is not imported; children do not count.
        tag: What the journal calls it. Never change it: old journals hold it.
        encode: Turns a value into data that the codec can write.
        decode: Turns that data back into a value.

    Example:
        >>> TypeCodec("openai:OpenAI", "openai-client", lambda c: str(c.base_url), make_client)
    """

    type: type[T] | str
    tag: str
    encode: Callable[[T], Any]
    decode: Callable[[Any], T]


class Codec:
    """Turns values into bytes and back. Methods may be called from any thread.

    Args:
        types: Classes that need help.
        allow: Packages (``"crewai"``) whose data classes may be imported when a journal names them.

    Example:
        >>> codec = Codec()
        >>> codec.decode(codec.encode({"at": date(2026, 1, 31), "who": ("ann", 7)}))
        {'at': datetime.date(2026, 1, 31), 'who': ('ann', 7)}
    """

    def __init__(self, types: Iterable[TypeCodec[Any]] = (), *, allow: Iterable[str] = ()) -> None:
        self.readers: Mapping[int, Read] = {
            **_codec_builtins.READERS,
            **_codec_objects.READERS,
            **_codec_exceptions.READERS,
            **_codec_numpy.READERS,
            **_codec_validation.READERS,
            **_codec_libraries.READERS,
            **_codec_deep.READERS,
            **_codec_attrs.READERS,
            fmt.CUSTOM: _read_custom,
        }
        self._classes = Classes(allow)
        self._types: dict[str, TypeCodec[Any]] = {}
        self._writes: dict[type, Write] = {}
        self._memo = Memo()
        self._recall = Recall()
        self.find = self._classes.find
        self.name = self._classes.name
        for codec in types:
            self.register(codec)

    def register(self, codec: TypeCodec[Any]) -> None:
        """Add a class; a later registration of the same tag replaces the earlier one."""
        self._types[codec.tag] = codec
        self._writes.clear()

    def encode(self, value: object, *, hint: Any = None) -> bytes:
        """Return *value* as bytes.

        Args:
            value: Any value of the kinds that the module's table lists.
            hint: A class that is passed to `decode` as well. Its values are written as "the hint"
                and not by name, so that it may be local to a function, as may the classes that its
                fields are annotated with.

        Raises:
            EncodeError: A part of the value cannot be written; says which and what to do.
        """
        try:
            if hint is None:
                data = packb(value, self._default, fmt.OPTIONS)
                if type(value) in _WHOLE or not hides_buffer(data, value):
                    return data
            else:
                return Writer(self, hinted(hint)).pack(value)
        except (TypeError, Unwritable):
            interrupts.release()
        try:
            return self._carefully(CarefulWriter(self, _hinted(hint)), value)
        except (TooDeep, RecursionError):
            return self._in_parts(value, hint)

    def decode(self, data: bytes, *, hint: Any = None) -> Any:
        """Return the value of *data*.

        Args:
            data: What `encode` returned.
            hint: What was passed to `encode`.

        Raises:
            DecodeError: The bytes do not make a value, name a class that the rule above does not
                let be found, or were written by a later version.
        """
        return Reader(self, _hinted(hint), NO_BLOBS).read(data)

    def split(
        self, value: object, *, hint: Any = None, is_large: bool = False
    ) -> tuple[bytes, Mapping[bytes, bytes]]:
        """Return *value* as a body and the large parts that the body refers to by their hash.

        Equal parts are one blob, within a value and between values. Small values have no blobs.

        Args:
            value: As for `encode`.
            hint: As for `encode`.
            is_large: Whether it is known to be large, so that it need not be written whole first.

        Raises:
            EncodeError: As for `encode`.
        """
        body = b""
        if not (is_large or is_history(value)):
            body = self.encode(value, hint=hint)
            if len(body) <= WHOLE:
                return body, NO_BLOBS
        writer = BlobWriter(self, _hinted(hint), self._memo)
        try:
            return writer.pack(value), writer.blobs
        except (Unwritable, RecursionError):
            # Written whole where the careful way cannot follow that deep.
            return body or self.encode(value, hint=hint), NO_BLOBS

    def join(
        self,
        body: bytes,
        fetch: Callable[[Collection[bytes]], Mapping[bytes, bytes]],
        *,
        hint: Any = None,
    ) -> Any:
        """Return the value of what `split` returned.

        Args:
            body: The body.
            fetch: Returns those blobs that there are among the hashes it is asked for, which may
                include a few that never were blobs. It is not called for a body without blobs.
            hint: What was passed to `split`.

        Raises:
            DecodeError: As for `decode`; or a blob is missing, which is named.
        """
        try:
            return unpackb(body)  # plain data needs no reader
        except ValueError:
            reader = Reader(self, _hinted(hint), NO_BLOBS)
        if BLOB_MARK in body:
            reader.remember(self._recall)
            reader.blobs = gather(body, fetch, reader.known_blobs)
        return reader.read(body)

    def write_of(self, cls: type) -> Write:
        """Return what writes the values of a class (for writers)."""
        write = self._writes.get(cls)
        if write is None:
            write = self._new_write(cls)
            if len(self._writes) >= _MAX_CACHED:
                self._writes.clear()
            self._writes[cls] = write
        return write

    def custom(self, tag: str) -> Callable[[Any], Any] | None:
        """Return how the values of a TypeCodec are made (for readers)."""
        codec = self._types.get(tag)
        return codec.decode if codec else None

    def _default(self, value: Any) -> Ext:
        return Writer(self, NOTHING_HINTED).default(value)

    def _new_write(self, cls: type) -> Write:
        for codec in self._types.values():
            if cls is (loaded(codec.type) if isinstance(codec.type, str) else codec.type):
                return _custom_write(codec)
        if cls in _codec_builtins.WRITERS:
            return _codec_builtins.WRITERS[cls]
        if (cls.__module__, cls.__qualname__) in _BY_NAME:
            return _BY_NAME[cls.__module__, cls.__qualname__]
        if type in ancestry(cls):
            return _codec_builtins.write_reference
        if BaseException in ancestry(cls):
            return _codec_exceptions.write_exception
        return refuse_secret if is_secret(cls) else _object_write(cls)

    def _in_parts(self, value: object, hint: Any) -> bytes:
        try:
            return self._carefully(_codec_deep.PartsWriter(self, _hinted(hint)), value)
        except (TooDeep, RecursionError) as error:
            raise EncodeError(
                f"result: the stack was used up while a {type(value).__qualname__} was written to "
                "the journal, as the program is itself many calls deep here. Call the step from "
                "fewer calls deep, or raise the limit with sys.setrecursionlimit()."
            ) from error

    def _carefully(self, writer: CarefulWriter, value: object) -> bytes:
        try:
            return writer.pack(value)
        except Unwritable as error:
            if isinstance(error, TooDeep):
                raise
            where = "result" + "".join(reversed(error.path))
            raise EncodeError(f"{where}: {error}") from error.__cause__


def _hinted(hint: Any) -> Hinted:
    return NOTHING_HINTED if hint is None else hinted(hint)


def _object_write(cls: type) -> Write:
    write = _codec_libraries.library_writer(cls) or _codec_numpy.numpy_writer(cls)
    write = write or _codec_objects.object_writer(cls)
    if write is None and _codec_attrs.is_attrs(cls):
        write = _codec_attrs.attrs_writer(cls)
    return write or _refuse


def _refuse(_writer: Writer, value: Any) -> Ext:
    if isinstance(value, memoryview):
        raise Unwritable(type(value), "cannot be written to the journal. Return bytes(view).")
    if isinstance(value, Iterator | KeysView | ValuesView | ItemsView):
        raise Unwritable(
            type(value), "cannot be written to the journal. Return its items, as a list."
        )
    raise Unwritable(type(value))


def _custom_write(codec: TypeCodec[Any]) -> Write:
    def write(writer: Writer, value: Any) -> Ext:
        return writer.ext(fmt.CUSTOM, [codec.tag, writer.node(codec.encode(value))])

    return write


def _read_custom(reader: Reader, data: bytes) -> Any:
    tag, inside = reader.unpack(data)
    decode = reader.known.custom(tag)
    if decode is None:
        raise DecodeError(
            f"the journal holds a value of the registered type {tag!r}, and no TypeCodec has that "
            f"tag; install or load the plug-in that wrote it"
        )
    return decode(inside)
