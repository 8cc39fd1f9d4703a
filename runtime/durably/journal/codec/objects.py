"""Objects of classes that only hold data: enums, dataclasses, pydantic models, built-ins' children.

They are rebuilt from their parts without running code of their classes.
"""

from __future__ import annotations

import collections
import dataclasses
import enum
import functools
import sys
import types
from collections.abc import Callable, Mapping
from typing import Any, Final

from ormsgpack import Ext

from ...errors import DecodeError
from . import format as fmt
from .class_names import ancestry, mapping_of
from .decoder import Read, Reader
from .encoder import Write, Writer

_NO_ATTRIBUTES: Final[dict[str, Any]] = {}
HEAP_TYPE: Final = 1 << 9
"""Py_TPFLAGS_HEAPTYPE: a class made by a class statement."""


@functools.lru_cache(maxsize=1_000)
def slots_of(cls: Any) -> Mapping[str, types.MemberDescriptorType]:
    """Return the slots of a class, inherited ones and those of C classes included."""
    found: dict[str, types.MemberDescriptorType] = {}
    for base in ancestry(cls):
        for name, member in mapping_of(base).items():
            if isinstance(member, types.MemberDescriptorType):
                found.setdefault(name, member)
    return found


def slot_values(value: Any) -> dict[str, Any]:
    """Return the slots of *value* that are set; of C classes, those set to something."""
    cls: Any = type(value)
    found: dict[str, Any] = {}
    for name, slot in slots_of(cls).items():
        try:
            held = slot.__get__(value)
        except AttributeError:
            continue
        if held is not None or slot.__objclass__.__flags__ & HEAP_TYPE:
            found[name] = held
    return found


def attributes_of(value: Any) -> dict[str, Any]:
    """Return the ``__dict__`` of *value*, empty if it has none."""
    try:
        found: dict[str, Any] = object.__getattribute__(value, "__dict__")
    except AttributeError:
        return _NO_ATTRIBUTES
    return found


def set_attributes(value: Any, *parts: Mapping[str, Any]) -> None:
    """Set attributes and slots of a bare object without running its ``__setattr__``.

    Raises:
        DecodeError: The class no longer has room for one of them.
    """
    cls: Any = type(value)
    slots = slots_of(cls)
    held = attributes_of(value)
    for name, part in ((name, part) for many in parts for name, part in many.items()):
        if name in slots:
            slots[name].__set__(value, part)
        elif held is not _NO_ATTRIBUTES:
            held[name] = part
        else:
            raise DecodeError(
                f"{cls.__module__}:{cls.__qualname__} has no attribute {name!r} any more, "
                f"which the journal holds; undo that change or start a new run"
            )


def _write_enum(writer: Writer, value: enum.Enum) -> Ext:
    cls = type(value)
    name: str | None = value._name_
    if name in cls._member_map_:
        return writer.ext(fmt.ENUM, [writer.name(cls), name, 0])
    bits: int = value._value_
    names: list[str] = []
    for member in cls._member_map_.values():
        part: int = member._value_
        if part and part & (part - 1) == 0 and bits & part == part:
            names.append(member._name_)
            bits &= ~part
    return writer.ext(fmt.ENUM, [writer.name(cls), *names, writer.node(bits)])


def _read_enum(reader: Reader, data: bytes) -> enum.Enum:
    stored, *names, bits = reader.unpack(data)
    cls: Any = reader.data_class(stored, lambda found: enum.Enum in ancestry(found), "an enum")
    inside = mapping_of(cls)
    unknown = [name for name in names if name not in inside["_member_map_"]]
    if unknown:
        raise DecodeError(f"the enum {stored!r} has no member {unknown[0]!r} any more")
    if len(names) == 1 and not bits:
        member: enum.Enum = inside["_member_map_"][names[0]]
        return member
    if enum.Flag not in ancestry(cls):
        raise DecodeError(f"the journal holds several members of {stored!r}, which is no Flag")
    for name in names:
        bits |= inside["_member_map_"][name]._value_
    known: enum.Enum | None = inside["_value2member_map_"].get(bits)
    missing: Any = mapping_of(enum.Flag)["_missing_"]
    made: enum.Enum = known if known is not None else missing.__func__(cls, bits)
    return made


def is_dataclass(cls: type) -> bool:
    """Tell whether *cls* is a dataclass or a child of one."""
    return any("__dataclass_fields__" in mapping_of(base) for base in ancestry(cls))


def dataclass_writer(cls: type) -> Write:
    """Return what writes the objects of a dataclass."""
    names = {field.name: None for field in dataclasses.fields(cls)}  # in order, for equal bytes

    def write(writer: Writer, value: Any) -> Ext:
        fields = {name: getattr(value, name) for name in names if hasattr(value, name)}
        node = [writer.name(cls), writer.attributes(fields)]
        held = attributes_of(value)
        if not held.keys() <= names.keys():
            node.append(writer.kept({k: v for k, v in held.items() if k not in names}))
        return writer.ext(fmt.DATACLASS, node)

    return write


def _read_dataclass(reader: Reader, data: bytes) -> Any:
    stored, fields, *further = reader.unpack(data)
    cls = reader.data_class(stored, is_dataclass, "a dataclass")
    value: Any = object.__new__(cls)
    set_attributes(value, fields, *further)
    return value


def is_pydantic(cls: type) -> bool:
    """Tell whether *cls* is a pydantic model; pydantic is not imported for it."""
    module = sys.modules.get("pydantic.main")
    model = mapping_of(module).get("BaseModel") if module else None
    return model is not None and model in ancestry(cls)


def pydantic_writer(cls: Any) -> Write:
    """Return what writes the models of a pydantic class."""
    names: frozenset[str] = frozenset(cls.model_fields)

    def write(writer: Writer, value: Any) -> Ext:
        held: dict[str, Any] = value.__dict__
        given: set[str] = value.__pydantic_fields_set__
        extra: dict[str, Any] | None = value.__pydantic_extra__
        private: dict[str, Any] | None = value.__pydantic_private__
        further = {k: v for k, v in held.items() if k not in names}
        fields = {k: v for k, v in held.items() if k in names} if further else held
        whole = given == fields.keys()
        node: list[Any] = [writer.name(cls), writer.attributes(fields), whole or sorted(given)]
        if extra is not None or private is not None or further:
            node.append(None if extra is None else writer.attributes(extra))
            node.append(None if private is None else writer.kept(private))
            node.append(writer.kept(further))
        return writer.ext(fmt.PYDANTIC, node)

    return write


def _read_pydantic(reader: Reader, data: bytes) -> Any:
    stored, fields, given, *rest = reader.unpack(data)
    cls = reader.data_class(stored, is_pydantic, "a pydantic model")
    extra, private, further = rest or (None, None, {})
    value: Any = object.__new__(cls)
    set_model = object.__setattr__
    set_model(value, "__pydantic_fields_set__", set(fields) if given is True else set(given))
    set_model(value, "__pydantic_extra__", extra)
    set_model(value, "__pydantic_private__", private)
    set_model(value, "__dict__", {**fields, **further})
    return value


def _fill_dict(cls: Any, base: Any, data: Mapping[Any, Any]) -> Any:
    value = base.__new__(cls)
    for key, part in data.items():
        base.__setitem__(value, key, part)
    return value


def _fill(cls: Any, base: Any, data: list[Any]) -> Any:
    value = base.__new__(cls)
    base.__init__(value, data)
    return value


def _fill_deque(cls: Any, base: Any, data: list[Any]) -> Any:
    value = base.__new__(cls)
    base.__init__(value, *data)
    return value


def _immutable(cls: Any, base: Any, data: Any) -> Any:
    fields = mapping_of(cls).get("_fields")
    if base is tuple and fields is not None and len(fields) != len(data):
        raise DecodeError(
            f"{cls.__module__}:{cls.__qualname__} has {len(fields)} fields now, and the journal "
            f"holds {len(data)}; undo that change or start a new run"
        )
    return base.__new__(cls, data)


def _deque_data(writer: Writer, value: collections.deque[Any]) -> Any:
    return [writer.items(list(collections.deque.__iter__(value))), value.maxlen]


def _dict_data(base: Any) -> Callable[[Writer, Any], Any]:
    return lambda writer, value: writer.node(dict(base.items(value)))


_BASES: Final[
    Mapping[type, tuple[Callable[[Writer, Any], Any], Callable[[Any, Any, Any], Any]]]
] = {
    str: (lambda writer, value: writer.node(str.__str__(value)), _immutable),
    int: (lambda writer, value: writer.node(int.__int__(value)), _immutable),
    float: (lambda _, value: float.__float__(value), _immutable),
    complex: (lambda writer, value: writer.node(complex.__complex__(value)), _immutable),
    bytes: (lambda writer, value: writer.node(bytes(memoryview(value))), _immutable),
    tuple: (lambda writer, value: writer.items(list(tuple.__iter__(value))), _immutable),
    frozenset: (lambda writer, value: writer.members(list(frozenset.__iter__(value))), _immutable),
    set: (lambda writer, value: writer.members(list(set.__iter__(value))), _fill),
    list: (lambda writer, value: writer.items(list(list.__iter__(value))), _fill),
    bytearray: (lambda writer, value: writer.node(bytes(memoryview(value))), _fill),
    collections.deque: (_deque_data, _fill_deque),
    collections.OrderedDict: (_dict_data(collections.OrderedDict), _fill_dict),
    collections.defaultdict: (_dict_data(dict), _fill_dict),
    dict: (_dict_data(dict), _fill_dict),
}
"""Built-in base: how its value is got out of an object, and how one is made with it."""

_BASE_NAMES: Final = {base.__name__: base for base in _BASES}


def builtin_base(cls: type) -> type | None:
    """Return the built-in class whose value objects of *cls* hold, or None."""
    return next((base for base in ancestry(cls) if base in _BASES), None)


def subclass_writer(cls: type, base: type) -> Write:
    """Return what writes the objects of a child of a built-in class."""
    value_of = _BASES[base][0]

    def write(writer: Writer, value: Any) -> Ext:
        node = [writer.name(cls), base.__name__, value_of(writer, value)]
        attributes, slots = attributes_of(value), slot_values(value)
        if attributes or slots:
            node += (writer.attributes(attributes), writer.attributes(slots))
        return writer.ext(fmt.SUBCLASS, node)

    return write


def _read_subclass(reader: Reader, data: bytes) -> Any:
    stored, base_name, inside, *state = reader.unpack(data)
    base = _BASE_NAMES[base_name]
    cls = reader.data_class(stored, lambda found: builtin_base(found) is base, f"a {base_name}")
    value = _BASES[base][1](cls, base, inside)
    set_attributes(value, *state)
    return value


def object_writer(cls: type) -> Write | None:
    """Return what writes the objects of *cls*, or None if it is no class of this module."""
    if enum.Enum in ancestry(cls):
        return _write_enum
    if is_pydantic(cls):
        return pydantic_writer(cls)
    base = builtin_base(cls)
    if base is not None:
        return subclass_writer(cls, base)
    return dataclass_writer(cls) if is_dataclass(cls) else None


READERS: Final[Mapping[int, Read]] = {
    fmt.ENUM: _read_enum,
    fmt.DATACLASS: _read_dataclass,
    fmt.PYDANTIC: _read_pydantic,
    fmt.SUBCLASS: _read_subclass,
}
"""By extension number."""
