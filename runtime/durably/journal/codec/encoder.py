"""Writers: one pass over a value, fast when all goes well and careful when it does not.

`Writer` lets ormsgpack walk the value and helps out with what it hands over. ormsgpack hides why
something failed and cannot write some values (dicts with other keys than strings, lone
surrogates, bytearrays); for those, and to say where a failure lies, `CarefulWriter` walks the value
itself. What knows one type (`Write`) is the same for both: it asks the writer for *nodes*,
which are the values themselves in the one case and what they were turned into in the other.
"""

from __future__ import annotations

import reprlib
import threading
from collections.abc import Callable, Mapping
from typing import Any, Protocol, TypeAlias

from ormsgpack import Ext, packb

from .class_names import Hinted
from .depth import too_nested
from .format import BIG_INT, FREE_OBJECTS, MAP, MAX_OBJECTS, OPTIONS, SURROGATES
from .left_out import left_out

Write: TypeAlias = "Callable[[Writer, Any], Ext]"

_LEAVES = frozenset((type(None), bool, float, Ext))
_BIN_8, _BIN_16, _BIN_32 = 0xC4, 0xC5, 0xC6
_CANNOT = "cannot be written to the journal. Return plain data, or register a TypeCodec for it."
_HIDDEN = (
    "cannot be found again by its name, so it cannot be written to the journal. Define it at the "
    "top of a module, pass it as the hint, or register a TypeCodec for it."
)
_TOO_DEEP = "is nested too deep to be written in one piece."


class Unwritable(Exception):  # noqa: N818 - internal; becomes an EncodeError with a path
    """Something inside the value cannot be written.

    Attributes:
        path: Where it is, innermost part first.
    """

    def __init__(self, cls: type, why: str = _CANNOT) -> None:
        where = "" if cls.__module__ == "builtins" else f"{cls.__module__}."
        super().__init__(f"{where}{cls.__qualname__} {why}")
        self.path: list[str] = []


class TooDeep(Unwritable):
    """The value nests deeper than one piece of the written form may; it is to be cut into parts."""

    def __init__(self, cls: type) -> None:
        super().__init__(cls, _TOO_DEEP)


class Plans(Protocol):
    """What a writer asks of the codec."""

    def write_of(self, cls: type, /) -> Write:
        """Return what writes the values of a class."""
        ...

    def name(self, cls: type, /) -> str | None:
        """Return the name under which a class can be found again."""
        ...


class Interrupts:
    """Keeps what must not get lost (Ctrl-C, a cancelled run) while ormsgpack swallows it."""

    def __init__(self) -> None:
        self._held: dict[int, BaseException] = {}

    def hold(self, error: BaseException) -> None:
        """Keep *error* for the current thread."""
        self._held[threading.get_ident()] = error

    def release(self) -> None:
        """Raise what was kept for the current thread."""
        error = self._held.pop(threading.get_ident(), None) if self._held else None
        if error is not None:
            raise error


interrupts = Interrupts()


def hides_buffer(data: bytes, value: Any) -> bool:
    """Tell whether ormsgpack wrote a bytearray or memoryview in *value* as if it were bytes."""
    if not (_BIN_8 in data or _BIN_16 in data or _BIN_32 in data):
        return False
    waiting = [value]
    while waiting:
        part = waiting.pop()
        kind = type(part)
        if kind is list:
            waiting.extend(part)
        elif kind is dict:
            waiting.extend(part.values())
        elif kind is bytearray or kind is memoryview:
            return True
    return False


class Writer:
    """Writes a value in one go; any failure means that a careful writer must look at it.

    Attributes:
        depth: How many objects are open.
        chain: The exceptions that are open.
        lenient: How many parts are open of which a part that cannot be written is left out.
    """

    __slots__ = ("chain", "depth", "hinted", "lenient", "plans")

    def __init__(self, plans: Plans, hinted: Hinted) -> None:
        self.plans = plans
        self.hinted = hinted
        self.depth = 0
        self.lenient = 0
        self.chain: list[BaseException] = []

    def pack(self, value: Any) -> bytes:
        """Return the bytes of *value*."""
        data = packb(value, self.default, OPTIONS)
        if hides_buffer(data, value):
            raise Unwritable(type(value))
        return data

    def default(self, value: Any) -> Ext:
        """Write what ormsgpack does not know."""
        self.depth += 1
        try:
            return self.plans.write_of(type(value))(self, value)
        except Exception:
            raise
        except BaseException as error:
            interrupts.hold(error)
            raise
        finally:
            self.depth -= 1

    def ext(self, code: int, node: Any) -> Ext:
        """Return an extension value that holds *node*."""
        if self.depth > MAX_OBJECTS:
            raise TooDeep(type(node))
        data = self._packed(node)
        if self.depth > FREE_OBJECTS and too_nested(data):
            raise TooDeep(type(node))
        return Ext(code, data)

    def name(self, cls: type) -> str:
        """Return what the journal calls *cls*, which must be findable under that name."""
        name = self.hinted.names.get(cls) or self.plans.name(cls)
        if name is None:
            raise Unwritable(cls, _HIDDEN)
        return name

    def _packed(self, node: Any) -> bytes:
        return self.pack(node)

    def node(self, value: Any) -> Any:
        """Return what stands for *value* in the arguments of `ext`."""
        return value

    def items(self, values: list[Any]) -> Any:
        """Return the node of a list."""
        return values

    def members(self, values: list[Any]) -> list[Any]:
        """Return the node of the members of a set."""
        return values

    def attributes(self, values: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return the node of the attributes of an object."""
        return values

    def kept(self, values: Mapping[Any, Any]) -> Mapping[Any, Any]:
        """Return the nodes of those of *values* that can be written."""
        return values

    def marked(self, values: Mapping[Any, Any]) -> Mapping[Any, Any]:
        """Return the nodes of *values*, with a mark for each part that cannot be written."""
        return values


class CarefulWriter(Writer):
    """Walks the value itself: slower, writes everything that can be, knows where it is."""

    __slots__ = ("open",)

    def __init__(self, plans: Plans, hinted: Hinted) -> None:
        super().__init__(plans, hinted)
        self.open: set[int] = set()

    def pack(self, value: Any) -> bytes:
        """Return the bytes of *value*."""
        return self._packed(self.node(value))

    def _packed(self, node: Any) -> bytes:
        try:
            return packb(node, None, OPTIONS)
        except TypeError:
            raise TooDeep(type(node)) from None

    def node(self, value: Any) -> Any:
        """Turn *value* into what ormsgpack writes without help."""
        kind = type(value)
        if kind in _LEAVES:
            return value
        if kind is str or kind is bytes:
            return self.text(value)
        if kind is int:
            return value if -(1 << 63) <= value < (1 << 64) else write_big_int(self, value)
        if id(value) in self.open:
            raise Unwritable(kind, "refers to itself, so it cannot be written to the journal.")
        self.open.add(id(value))
        try:
            return self._container(kind, value)
        finally:
            self.open.discard(id(value))

    def _container(self, kind: type, value: Any) -> Any:
        if kind is list:
            return self.items(value)
        if kind is dict and all(type(key) is str and _is_unicode(key) for key in value):
            return {key: self._at(f"[{key!r}]", part) for key, part in value.items()}
        self.depth += 1
        try:
            return self._map(value) if kind is dict else self.plans.write_of(kind)(self, value)
        except (Unwritable, RecursionError):
            raise
        except Exception as error:
            why = f"cannot be written to the journal: {type(error).__name__}: {error}"
            raise Unwritable(kind, why) from error
        finally:
            self.depth -= 1

    def text(self, value: str | bytes) -> Any:
        """Turn a string or bytes into a node."""
        return value if isinstance(value, bytes) else _string(value)

    def _map(self, value: dict[Any, Any]) -> Ext:
        flat: list[Any] = []
        for key, part in value.items():
            flat += (self._at(".key", key), self._at(f"[{reprlib.repr(key)}]", part))
        return self.ext(MAP, flat)

    def items(self, values: list[Any]) -> Any:
        """Turn the items of a list into nodes."""
        return [self._at(f"[{index}]", value) for index, value in enumerate(values)]

    def members(self, values: list[Any]) -> list[Any]:
        """Turn the members of a set into nodes."""
        return [self._at("{…}", value) for value in values]

    def attributes(self, values: Mapping[str, Any]) -> Mapping[str, Any]:
        """Turn the attributes of an object into nodes."""
        return {name: self._at(f".{name}", value) for name, value in values.items()}

    def kept(self, values: Mapping[Any, Any]) -> Mapping[Any, Any]:
        """Turn those of *values* that can be written into nodes and leave out the others."""
        nodes: dict[Any, Any] = {}
        for key, value in values.items():
            try:
                nodes[key] = self.node(value)
            except TooDeep:
                raise
            except Unwritable:
                continue
        return nodes

    def marked(self, values: Mapping[Any, Any]) -> Mapping[Any, Any]:
        """Turn *values* into nodes, with a mark for each part, however deep, that cannot be."""
        self.lenient += 1
        try:
            return {key: self._at(f".{key}", value) for key, value in values.items()}
        finally:
            self.lenient -= 1

    def _at(self, where: str, value: Any) -> Any:
        try:
            return self.node(value)
        except TooDeep:
            raise
        except Unwritable as error:
            if self.lenient:
                return left_out(type(value))
            error.path.append(where)
            raise


def write_big_int(_writer: Writer, value: int) -> Ext:
    """Write an integer that MessagePack has no room for."""
    return Ext(BIG_INT, value.to_bytes(value.bit_length() // 8 + 1, "big", signed=True))


def _is_unicode(text: str) -> bool:
    if text.isascii():
        return True
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _string(text: str) -> str | Ext:
    if _is_unicode(text):
        return text
    return Ext(SURROGATES, text.encode("utf-8", "surrogatepass"))
