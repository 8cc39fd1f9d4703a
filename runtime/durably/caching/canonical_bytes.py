"""Tokens: bytes that stand for values, equal if and only if the values are.

A leaf's token is its type and its content; a compound's is a hash over those of its parts. Objects
are taken apart by the protocol that ``copy`` and ``pickle`` use (``__reduce_ex__``, PEP 307), so
whatever can be pickled has a token and ``__getstate__`` decides what counts. Nothing is pickled.
"""

from __future__ import annotations

import copyreg
import hashlib
import struct
import sys
import types
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final, TypeAlias

from .function_content import FunctionParts, function_parts
from .own_changes import NONE, Changes

_PROTOCOL = 4
_MAX_COMPOUNDS = 1_000_000
_NOWHERE = sys.maxsize
_HEAP_TYPE = 1 << 9

Write: TypeAlias = Callable[[Any], bytes]


class Untold(Exception):  # noqa: N818 - internal; becomes an EncodeError that names the argument
    """A value has no token; the message says why."""


def framed(tag: bytes, data: bytes) -> bytes:
    """Return *data* under a one-byte tag, so that what follows cannot be taken for a part of it."""
    return tag + len(data).to_bytes(8, "big") + data


def _text(value: str) -> bytes:
    return framed(b"s", value.encode("utf-8", "surrogatepass"))


_LEAVES: Final[Mapping[type, Write]] = {
    type(None): lambda _: framed(b"0", b""),
    bool: lambda value: framed(b"?", b"1" if value else b"0"),
    int: lambda value: framed(b"i", b"%x" % value),
    float: lambda value: framed(b"f", struct.pack(">d", value)),
    complex: lambda value: framed(b"c", struct.pack(">dd", value.real, value.imag)),
    str: _text,
    bytes: lambda value: framed(b"b", value),
    types.EllipsisType: lambda _: framed(b".", b""),
    types.NotImplementedType: lambda _: framed(b"!", b""),
    types.ModuleType: lambda value: framed(b"m", value.__name__.encode()),
}


class Tokens:
    """Makes the tokens of values; one object for each key, because it remembers what it saw.

    Args:
        home: The module whose functions and constants count as parts of functions that name them.
        changes: What counts as it was before the function changed it.

    Attributes:
        known: Values that are no leaves, with their tokens, by id; parts before their wholes.
        entries: The tokens of dictionaries' keys and values, by id of the dictionary.
    """

    def __init__(self, home: str | None = None, changes: Changes = NONE) -> None:
        self._home = home
        self._changes = changes
        self.known: dict[int, tuple[Any, bytes]] = {}
        self.entries: dict[int, dict[bytes, bytes]] = {}
        self._open: dict[int, int] = {}
        self._reach = _NOWHERE
        self._compounds = 0

    def of(self, value: Any) -> bytes:
        """Return the token of *value*.

        Raises:
            Untold: A part of it has no content that could be compared, such as a lock.
        """
        write = _LEAVES.get(type(value))
        if write is not None:
            return write(value)
        known = self.known.get(id(value)) or self._changes.whole(value)
        if known is not None:
            return known[1]
        depth = self._open.get(id(value))
        if depth is not None:  # a cycle: say how far up it closes
            self._reach = min(self._reach, depth)
            return framed(b"^", b"%d" % (len(self._open) - depth))
        return self._first_sight(value)

    def node(self, tag: str, parts: Iterable[bytes]) -> bytes:
        """Return the token of a compound."""
        body = b"".join((_text(tag), *parts))
        return b"#" + hashlib.blake2b(body, digest_size=32).digest()

    def _first_sight(self, value: Any) -> bytes:
        self._compounds += 1
        if self._compounds > _MAX_COMPOUNDS:
            raise Untold("it holds too many objects to compare")
        depth, outer = len(self._open), self._reach
        self._open[id(value)] = depth
        self._reach = _NOWHERE
        try:
            token = self._compound(value)
        finally:
            del self._open[id(value)]
            inner, self._reach = self._reach, outer
        if inner >= depth:
            # Kept with its token: another object must not get the same id meanwhile.
            self.known[id(value)] = (value, token)
        else:
            self._reach = min(outer, inner)
        return token

    def _compound(self, value: Any) -> bytes:  # noqa: PLR0911 - one return for each form
        cls = type(value)
        if cls is list or cls is tuple:
            return self.node(cls.__name__, map(self.of, value))
        if cls is dict or cls is types.MappingProxyType:
            return self.node(cls.__name__, self._entries(value))
        if cls is bytearray:
            return framed(b"B", bytes(value))
        if isinstance(value, set | frozenset):
            return self._set(value)
        if isinstance(value, type):
            return self.named(value)
        if cls is types.FunctionType:
            return self._function(value)
        if cls is types.MethodType:
            return self.node("method", (self.of(value.__func__), self.of(value.__self__)))
        if cls is memoryview:
            return self.node("memoryview", map(self.of, (value.format, value.shape, bytes(value))))
        numpy: Any = sys.modules.get("numpy")
        if numpy is not None and cls is getattr(numpy, "ndarray", None):
            return self._array(value)
        return self._object(value)

    def _entries(self, value: Mapping[Any, Any]) -> list[bytes]:
        found = {self.of(key): self.of(one) for key, one in [*value.items()]}
        self.entries[id(value)] = found
        return sorted(key + one for key, one in self._changes.undone(value, found).items())

    def _pairs(self, items: Iterable[tuple[Any, Any]], *, ordered: bool = False) -> list[bytes]:
        pairs = [self.of(key) + self.of(value) for key, value in items]
        return pairs if ordered else sorted(pairs)

    def _set(self, value: set[Any] | frozenset[Any]) -> bytes:
        state = self.of(getattr(value, "__dict__", None))
        return self.node("set", (self.named(type(value)), state, *sorted(map(self.of, value))))

    def _array(self, value: Any) -> bytes:
        # The bytes of an array of objects are addresses.
        content = value.tolist() if value.dtype.hasobject else value.tobytes()
        return self.node("array", map(self.of, (value.dtype.descr, value.shape, content)))

    def _function(self, function: types.FunctionType) -> bytes:
        parts = function_parts(function, follow=function.__module__ == self._home)
        where = (self.of(function.__module__), self.of(function.__qualname__), self.of(parts.facts))
        return self.node(
            "function",
            (
                *where,
                self.of(function.__defaults__),
                self.of(function.__kwdefaults__),
                *self._captured(parts),
                *self._globals(parts),
            ),
        )

    def _captured(self, parts: FunctionParts) -> Iterable[bytes]:
        for name, value in parts.captured.items():
            try:
                yield self.of(name) + self.of(value)
            except Untold as error:
                raise Untold(f"{error} (in the captured variable {name!r})") from None

    def _globals(self, parts: FunctionParts) -> Iterable[bytes]:
        for name, value in parts.globals.items():
            try:
                yield self.of(name) + self.of(value)
            except Untold:  # a help, not a promise: what it names cannot be compared
                yield self.of(name)

    def _object(self, value: Any) -> bytes:
        reduced = _reduced(value)
        if isinstance(reduced, str):  # a global, told by its name
            module = getattr(value, "__module__", None) or type(value).__module__
            parts = (str(module), reduced, getattr(value, "__wrapped__", None))
            return self.node("global", map(self.of, parts))
        make, args, state, items, pairs = (*reduced, None, None, None)[:5]
        return self.node(
            "object",
            (
                self.named(type(value)),
                self.named(make),
                self.of(args),
                self.of(state),
                self.node("items", map(self.of, items or ())),
                self.node(
                    "pairs", self._pairs(pairs or (), ordered=isinstance(value, OrderedDict))
                ),
            ),
        )

    def named(self, thing: Any) -> bytes:
        """Return the token of a class, or of a callable that can be found by its name.

        Raises:
            Untold: A class's name leads to something else, as for one made inside a function.
        """
        generic = getattr(thing, "__pydantic_generic_metadata__", None)
        if isinstance(generic, Mapping) and generic.get("origin"):
            return self.node("generic", (self.of(generic["origin"]), self.of(generic["args"])))
        module, name = getattr(thing, "__module__", None), getattr(thing, "__qualname__", None)
        found: Any = sys.modules.get(module) if isinstance(module, str) else None
        for part in str(name).split("."):
            found = getattr(found, part, None)
        if found is not thing:
            if not isinstance(thing, type):
                return self.of(thing)
            if thing.__flags__ & _HEAP_TYPE:  # the interpreter's own have names that are unique
                raise Untold(
                    f"the class {module}.{name} cannot be found again by its name; define it at "
                    "the top of a module"
                )
        return self.node("named", (self.of(module), self.of(name)))


def _reduced(value: Any) -> str | tuple[Any, ...]:
    """Take an object apart.

    Raises:
        Untold: It cannot be.
    """
    cls = type(value)
    known = copyreg.dispatch_table.get(cls)
    try:
        reduced: str | tuple[Any, ...] = (
            known(value) if known is not None else value.__reduce_ex__(_PROTOCOL)
        )
        return reduced
    except Exception as error:
        raise Untold(
            f"a {cls.__module__}.{cls.__qualname__} has no content that could be compared"
        ) from error
