"""What makes two requests the same: plain forms, fingerprints, and how two of them differ.

A request is whatever an adapter or a task hands over: messages, arguments, tools, response types.
Its *plain form* is data only, with everything that changes from process to process left out
(object addresses, bound methods, functions by identity); its *fingerprint* is a hash of that.
"""

from __future__ import annotations

import dataclasses
import enum
import functools
import re
from collections.abc import Iterator, Mapping
from collections.abc import Set as AbstractSet
from hashlib import blake2b
from typing import Any

import ormsgpack

from .object_content import content_of

_OPTIONS = (
    ormsgpack.OPT_SORT_KEYS
    | ormsgpack.OPT_PASSTHROUGH_ENUM
    | ormsgpack.OPT_PASSTHROUGH_DATACLASS
    | ormsgpack.OPT_PASSTHROUGH_SUBCLASS
    | ormsgpack.OPT_PASSTHROUGH_BIG_INT
    | ormsgpack.OPT_REPLACE_SURROGATES
)
_ADDRESS = re.compile(r" at 0x[0-9a-fA-F]+")
_ADDRESS_MARK = b" at 0x"
_DEPTH = 64
_DEEPEST = 5_000
"""Levels, roughly, to which a plain form is made; values that are recorded nest less deep."""

_AROUND = 15
_SHOWN = 60


def fingerprint(request: object) -> tuple[bytes, bytes]:
    """Return ``(fingerprint, packed plain form)`` of *request*; never fails.

    Two requests have equal fingerprints if and only if their plain forms are equal.
    """
    packed, _ = packed_form(request)
    return print_of(packed), packed


def packed_form(request: object) -> tuple[bytes, bool]:
    """Return the packed plain form of *request*, and whether it is that form as it is."""
    is_plain = True
    try:
        packed = ormsgpack.packb(request, None, _OPTIONS)
    except (TypeError, ValueError, RecursionError):
        is_plain = False
        packed = _packed_objects(request)
    if _ADDRESS_MARK in packed:
        is_plain = False
        packed = ormsgpack.packb(_without_addresses(unpack(packed)), option=_OPTIONS)
    return packed, is_plain


def _packed_objects(request: object) -> bytes:
    try:
        return ormsgpack.packb(request, _plain_object, _OPTIONS)
    except (TypeError, ValueError, RecursionError):
        return ormsgpack.packb(plain(request), option=_OPTIONS)


def print_of(packed: bytes) -> bytes:
    """Return the fingerprint of a packed plain form."""
    return blake2b(packed, digest_size=16).digest()


def unpack(packed: bytes) -> Any:
    """Return the plain form that :func:`packed_form` packed."""
    return ormsgpack.unpackb(packed)


def plain(value: object) -> Any:
    """Return *value* as data, the slow and complete way; what cannot be data becomes its type.

    What lies deeper than some levels is told by a digest of its own plain form, however deep that
    is; what contains itself, by its type.
    """
    parts = [_Part(value, frozenset())]
    for part in parts:  # it grows meanwhile
        part.make(parts)
    for part in reversed(parts[1:]):
        part.place[1] = print_of(ormsgpack.packb(part.form, option=_OPTIONS)).hex()
    return parts[0].form


class _Part:
    """A part of a plain form.

    Attributes:
        form: It, once it is made.
        place: What stands for it in the form of the part above.
    """

    def __init__(self, value: object, above: frozenset[int]) -> None:
        self.form: Any = None
        self.place = [type_name(type(value)), ""]
        self._value = value
        self._above = above
        self._open: dict[int, object] = {}  # by id; held, so that nothing else gets that id
        self._parts: list[_Part] = []
        self._kept: list[object] = []  # so that nothing else gets an id that is in *above*

    def make(self, parts: list[_Part]) -> None:
        """Make its form, and add the parts below it to *parts*."""
        self._parts = parts
        self.form = self._form(self._value, 0)

    def _form(self, value: object, depth: int) -> Any:
        if value is None or type(value) in _SCALARS:
            return value
        if type(value) is str:
            return value.encode("utf-8", "replace").decode()
        if type(value) is int:
            return value if -(2**63) <= value < 2**64 else str(value)
        mark = id(value)
        if mark in self._open or mark in self._above:
            return type_name(type(value))
        if depth >= _DEPTH:
            return self._below(value)
        self._open[mark] = value
        form = self._inner_form(value, depth + 1)
        del self._open[mark]
        return form

    def _inner_form(self, value: Any, depth: int) -> Any:  # noqa: PLR0911 - one for each form
        kind = type(value)  # most are of the classes themselves, which is quickly told
        if kind is list or kind is tuple:
            return [self._form(item, depth) for item in value]
        if kind is not dict and isinstance(value, enum.Enum):
            return [type_name(kind), value.name]
        if kind is dict or isinstance(value, Mapping):
            pairs = [(self._form(k, depth), self._form(v, depth)) for k, v in value.items()]
            if all(isinstance(key, str) for key, _ in pairs):
                return dict(pairs)
            return sorted(([key, item] for key, item in pairs), key=repr)
        if isinstance(value, list | tuple):
            return [self._form(item, depth) for item in value]
        if isinstance(value, AbstractSet):
            return sorted((self._form(item, depth) for item in value), key=repr)
        return self._form(_plain_object(value), depth)

    def _below(self, value: object) -> list[str]:
        """Return what stands for a part that is made later."""
        part = _Part(value, self._above.union(self._open))
        part._kept = [*self._kept, *self._open.values()]
        if len(part._above) > _DEEPEST:
            return [type_name(type(value))]
        self._parts.append(part)
        return part.place


_SCALARS = (bool, float, bytes)
_SIMPLE: tuple[Any, ...] = (str, bytes, int, float, tuple, list, dict)


def _plain_object(value: Any) -> Any:  # noqa: PLR0911 - one return for each form
    """Return something simpler than *value*, to be made plain in turn."""
    if isinstance(value, type):
        return type_name(value)
    if isinstance(value, enum.Enum):
        return [type_name(type(value)), value.name]
    fields = _fields(value)
    if fields is not None:
        return [type_name(type(value)), fields]
    if isinstance(value, AbstractSet):
        return sorted((plain(item) for item in value), key=repr)
    for simple in _SIMPLE:
        if isinstance(value, simple):  # a subclass, told as its base
            return simple(value)
    if callable(value):
        return _callable_name(value)
    if isinstance(value, BaseException):
        return [type_name(type(value)), str(value)]
    text, content = repr(value), content_of(value)
    if content is not None:
        return [type_name(type(value)), _ADDRESS.sub("", text), content]
    return type_name(type(value)) if _ADDRESS.search(text) else [type_name(type(value)), text]


def _fields(value: Any) -> dict[str, Any] | None:
    """Return the fields of a dataclass, a model or an object of attrs; None if it is none."""
    cls = type(value)
    if dataclasses.is_dataclass(cls):
        return {f.name: getattr(value, f.name, None) for f in dataclasses.fields(cls)}
    if isinstance(getattr(cls, "model_fields", None), Mapping):  # pydantic, which is not imported
        return {**value.__dict__, **(getattr(value, "__pydantic_extra__", None) or {})}
    fields = getattr(cls, "__attrs_attrs__", None)
    return None if fields is None else {f.name: getattr(value, f.name, None) for f in fields}


def type_name(cls: type) -> str:
    """Return ``module:qualname`` of a class."""
    return f"{cls.__module__}:{cls.__qualname__}"


def _callable_name(value: Any) -> Any:
    if isinstance(value, functools.partial):
        return ["partial", value.func, list(value.args), dict(value.keywords)]
    name = getattr(value, "__qualname__", None)
    return f"{value.__module__}:{name}" if name else type_name(type(value))


def _without_addresses(value: Any) -> Any:
    if isinstance(value, str):
        return _ADDRESS.sub(" at 0x", value)
    if isinstance(value, list):
        return [_without_addresses(item) for item in value]
    if isinstance(value, dict):
        return {_without_addresses(k): _without_addresses(v) for k, v in value.items()}
    return value


def differences(recorded: Any, now: Any, path: str = "") -> Iterator[str]:
    """Yield one line for each place where two plain forms differ.

    Example:
        >>> list(differences({"q": "old"}, {"q": "new"}))
        ["q: 'old' → 'new'"]
    """
    if isinstance(recorded, dict) and isinstance(now, dict):
        for key in sorted(recorded.keys() | now.keys(), key=str):
            where = f"{path}.{key}" if path else str(key)
            if key not in now:
                yield f"{where}: {_shown(recorded[key])} is gone"
            elif key not in recorded:
                yield f"{where}: {_shown(now[key])} is new"
            else:
                yield from differences(recorded[key], now[key], where)
    elif isinstance(recorded, list) and isinstance(now, list):
        for index in range(max(len(recorded), len(now))):
            where = f"{path}[{index}]"
            if index >= len(now):
                yield f"{where}: {_shown(recorded[index])} is gone"
            elif index >= len(recorded):
                yield f"{where}: {_shown(now[index])} is new"
            else:
                yield from differences(recorded[index], now[index], where)
    elif recorded != now:
        yield f"{path or 'request'}: {_shown_pair(recorded, now)}"


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "…"


def _shown_pair(one: Any, other: Any) -> str:
    """Show two values; of long texts where they part, with a little of what stands around it."""
    if isinstance(one, str) and isinstance(other, str) and max(len(one), len(other)) > _SHOWN:
        begin = in_common(one, other)
        end = in_common(one[begin:][::-1], other[begin:][::-1])
        one, other = (_middle(text, begin, len(text) - end) for text in (one, other))
    return f"{_shown(one)} → {_shown(other)}"


def in_common(one: str, other: str) -> int:
    """Return how many characters two texts have in common at their beginning.

    The length is found by halves, so that long texts are compared at the speed of C.
    """
    low, high = 0, min(len(one), len(other))
    while low < high:
        middle = (low + high + 1) // 2
        if one[low:middle] == other[low:middle]:
            low = middle
        else:
            high = middle - 1
    return low


def _middle(text: str, begin: int, end: int) -> str:
    begin, end = max(0, begin - _AROUND), min(len(text), end + _AROUND)
    return ("…" if begin else "") + text[begin:end] + ("…" if end < len(text) else "")
