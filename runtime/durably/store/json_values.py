"""Values as JSON: what may be put, and how it is written and read."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any

from ..errors import DecodeError, EncodeError
from .namespaces import is_unicode
from .ops import Namespace


class _Unwritable(Exception):  # noqa: N818 - passes between the functions of this file only
    """Something inside a value is not JSON."""

    def __init__(self, path: str, problem: str) -> None:
        super().__init__(path, problem)
        self.path = path
        self.problem = problem


def encode(namespace: Namespace, key: str, value: Any) -> str:
    """Return a value as JSON text.

    Raises:
        EncodeError: It is no mapping, or something in it is no JSON data; the message names the
            item and the path to it.
    """
    try:
        plain = _object(value)
        # As it is, text stays legible in the file; half a surrogate pair needs its escape.
        text = json.dumps(plain, ensure_ascii=False, separators=(",", ":"))
        return text if is_unicode(text) else json.dumps(plain, separators=(",", ":"))
    except _Unwritable as error:
        path, problem = error.path, error.problem
    except RecursionError:
        path, problem = "$", "is nested too deeply, or contains itself"
    except ValueError as error:
        path, problem = "$", f"cannot be written: {error}"
    raise EncodeError(
        f"item {key!r} of namespace {namespace!r} was not stored: {path} {problem}. A store holds "
        "JSON data (None, bool, int, float, str, lists, and mappings with string keys); convert "
        "the value first."
    )


def decode(namespace: Namespace, key: str, text: str) -> dict[str, Any]:
    """Return the value that JSON text tells.

    Raises:
        DecodeError: The text is damaged.
    """
    try:
        value = json.loads(text)
    except (TypeError, ValueError, RecursionError) as error:
        raise DecodeError(
            f"item {key!r} of namespace {namespace!r} is damaged: {error}. Put or delete it."
        ) from error
    if not isinstance(value, dict):
        raise DecodeError(
            f"item {key!r} of namespace {namespace!r} is damaged: it is no object. "
            "Put or delete it."
        )
    return value


def _object(value: Any) -> Any:
    if not isinstance(value, Mapping):
        raise _Unwritable("$", f"is {_a(value)}, not a mapping")
    return _plain(value, "$")


def _plain(value: Any, path: str) -> Any:
    """Return a copy made of JSON's own types."""
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, float):
        if not math.isfinite(value):
            raise _Unwritable(path, f"is {value!r}, which JSON does not have")
        return value
    if isinstance(value, Mapping):
        return {_name(key, path): _plain(part, f"{path}.{key}") for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(part, f"{path}[{number}]") for number, part in enumerate(value)]
    raise _Unwritable(path, f"is {_a(value)}")


def _name(key: Any, path: str) -> str:
    if not isinstance(key, str):
        raise _Unwritable(path, f"has the key {key!r}, which is {_a(key)}, not a string")
    return key


def _a(value: Any) -> str:
    cls = type(value)
    name = cls.__qualname__ if cls.__module__ == "builtins" else f"{cls.__module__}.{cls.__name__}"
    return f"of type {name}"
