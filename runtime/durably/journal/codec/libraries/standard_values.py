"""Values of the standard library and of pydantic that a text or a few parts say all about."""

from __future__ import annotations

import sys
import types
from collections.abc import Mapping
from typing import Any, Final

from ..class_names import ancestry
from ..encoder import Unwritable, Writer
from ..objects import attributes_of, set_attributes
from .library import ClassName, Library


def _slice(writer: Writer, value: slice) -> list[Any]:
    return [writer.node(part) for part in (value.start, value.stop, value.step)]


def _array(writer: Writer, value: Any) -> list[Any]:
    return [value.typecode, writer.items(value.tolist())]


def _wrapped(writer: Writer, value: Any) -> Any:
    return writer.attributes(attributes_of(value))


def _rewrapped(cls: Any, data: Mapping[str, Any]) -> Any:
    value = object.__new__(cls)
    set_attributes(value, data)
    return value


def _buffer(writer: Writer, value: Any) -> list[Any]:
    if value.closed:
        raise Unwritable(type(value), "is closed. Return its content, taken before it was closed.")
    return [writer.node(value.getvalue()), value.tell()]


def _rebuffered(cls: Any, data: list[Any]) -> Any:
    content, position = data
    value = cls(content)
    value.seek(position)
    return value


def _url(writer: Writer, value: Any) -> list[Any]:
    """Write one of pydantic's URLs: its text, and whether an empty path was left empty."""
    inner = getattr(value, "_url", value)
    text = str(inner)
    if str(type(inner)(text)) == text:
        return [writer.node(text), False]
    try:
        is_kept = str(type(inner)(text, preserve_empty_path=True)) == text
    except TypeError:  # older pydantic
        is_kept = False
    if not is_kept:
        raise Unwritable(type(value), "reads differently once it is parsed again. Return its text.")
    return [writer.node(text), True]


def _parsed_url(cls: Any, data: list[Any]) -> Any:
    text, is_empty = data
    core: Any = sys.modules["pydantic_core"]
    options = {"preserve_empty_path": True} if is_empty else {}
    if cls in (core.Url, core.MultiHostUrl):
        return cls(text, **options)
    is_many = any(base.__qualname__ == "_BaseMultiHostUrl" for base in ancestry(cls))
    value = object.__new__(cls)
    set_attributes(value, {"_url": (core.MultiHostUrl if is_many else core.Url)(text, **options)})
    return value


def _future(writer: Writer, value: Any) -> list[Any]:
    """Write a future that has its outcome, as the last attempt of tenacity's RetryError is."""
    if not value.done() or value.cancelled():
        raise Unwritable(type(value), "has no outcome. Return what `.result()` gives.")
    error = value.exception()
    outcome = writer.node(value.result() if error is None else error)
    return [error is not None, outcome, getattr(value, "attempt_number", None)]


def _finished(cls: Any, data: list[Any]) -> Any:
    is_failed, outcome, attempt = data
    value = cls() if attempt is None else cls(attempt)
    (value.set_exception if is_failed else value.set_result)(outcome)
    return value


_TEXT: Final = Library(lambda _, value: str(value), lambda cls, text: cls(text))
_WRAPPED: Final = Library(_wrapped, _rewrapped, for_children=True)
_BUFFER: Final = Library(_buffer, _rebuffered)
_URL: Final = Library(_url, _parsed_url, for_children=True)
_FUTURE: Final = Library(_future, _finished)

STANDARD_VALUES: Final[Mapping[ClassName, Library]] = {
    **{
        ("ipaddress", f"IPv{version}{kind}"): _TEXT
        for version in (4, 6)
        for kind in ("Address", "Network", "Interface")
    },
    **{
        ("collections", name): _WRAPPED
        for name in ("ChainMap", "UserDict", "UserList", "UserString")
    },
    ("builtins", "slice"): Library(_slice, lambda cls, data: cls(*data)),
    ("builtins", "ellipsis"): Library(lambda *_: None, lambda *_: ..., is_named=False),
    ("builtins", "mappingproxy"): Library(
        lambda writer, value: writer.node(dict(value)),
        lambda _, data: types.MappingProxyType(data),
        is_named=False,
    ),
    ("array", "array"): Library(_array, lambda cls, data: cls(*data)),
    ("_io", "BytesIO"): _BUFFER,
    ("_io", "StringIO"): _BUFFER,
    ("concurrent.futures._base", "Future"): _FUTURE,
    ("tenacity", "Future"): _FUTURE,
    ("pydantic.networks", "_BaseUrl"): _URL,
    ("pydantic.networks", "_BaseMultiHostUrl"): _URL,
    ("pydantic.networks", "NameEmail"): Library(
        lambda writer, value: [writer.node(value.name), writer.node(value.email)],
        lambda cls, data: cls(*data),
    ),
    ("pydantic_core._pydantic_core", "Url"): _URL,
    ("pydantic_core._pydantic_core", "MultiHostUrl"): _URL,
    ("yarl", "URL"): _TEXT,
}
"""By class."""
