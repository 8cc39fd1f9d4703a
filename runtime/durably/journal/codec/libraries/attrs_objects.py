"""Objects of classes made by attrs; attrs itself is not needed to write or read them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from ormsgpack import Ext

from .. import format as fmt
from ..class_names import ancestry, mapping_of
from ..decoder import Read, Reader
from ..encoder import Write, Writer
from ..objects import attributes_of, set_attributes, slots_of

_HASH: Final = "_attrs_cached_hash"
"""Where attrs keeps an object's hash, which holds in one process only; None until it is asked."""


def is_attrs(cls: type) -> bool:
    """Tell whether attrs made *cls* or a parent of it."""
    return any("__attrs_attrs__" in mapping_of(base) for base in ancestry(cls))


def attrs_writer(cls: Any) -> Write:
    """Return what writes the objects of a class that attrs made."""
    names = [field.name for field in cls.__attrs_attrs__]

    def write(writer: Writer, value: Any) -> Ext:
        fields = {name: getattr(value, name) for name in names if hasattr(value, name)}
        node = [writer.name(cls), writer.attributes(fields)]
        held = attributes_of(value)
        further = {k: v for k, v in held.items() if k not in fields}
        if _HASH in further:
            further[_HASH] = None
        if further:
            node.append(writer.kept(further))
        return writer.ext(fmt.ATTRS, node)

    return write


def _read_attrs(reader: Reader, data: bytes) -> Any:
    stored, fields, *further = reader.unpack(data)
    cls = reader.data_class(stored, is_attrs, "a class made by attrs")
    value: Any = object.__new__(cls)
    set_attributes(value, fields, *further)
    if _HASH in slots_of(cls):
        set_attributes(value, {_HASH: None})
    return value


READERS: Final[Mapping[int, Read]] = {fmt.ATTRS: _read_attrs}
"""By extension number."""
