"""Whether a value fits a JSON schema: the part of the standard that tools' arguments use.

The keywords of JSON Schema 2020-12 that say what data looks like, and references within the schema.
Keywords that are not known say nothing, as the standard has it; so does a schema that is broken. A
full validator would be four more packages for every user.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

_DEEPEST = 64
_TYPES: Mapping[str, tuple[type, ...]] = {
    "object": (Mapping,),
    "array": (list, tuple),
    "string": (str,),
    "number": (int, float),
    "boolean": (bool,),
    "null": (type(None),),
}

_LIMITS: tuple[tuple[str, Callable[[float, float], bool], str], ...] = (
    ("minimum", operator.ge, "less than"),
    ("maximum", operator.le, "more than"),
    ("exclusiveMinimum", operator.gt, "not more than"),
    ("exclusiveMaximum", operator.lt, "not less than"),
    ("multipleOf", lambda value, unit: not unit or value % unit == 0, "no multiple of"),
)


def complaint(schema: Any, value: Any) -> str | None:
    """Return the first thing about *value* that *schema* does not allow, in words, or None.

    Example:
        >>> complaint({"type": "object", "required": ["amount"]}, {})
        "'amount' is missing"
        >>> complaint({"properties": {"n": {"type": "integer"}}}, {"n": "5"})
        "n: '5' is not of type integer"
    """
    return next(_Check(schema).complaints(schema, value, "", 0), None)


class _Check:
    """One validation; knows the root, into which references point."""

    def __init__(self, root: Any) -> None:
        self._root = root

    def complaints(self, schema: Any, value: Any, where: str, depth: int) -> Iterator[str]:
        """Yield what does not fit."""
        if schema is False:
            yield _said(where, f"{value!r} is not allowed")
        if not isinstance(schema, Mapping) or depth > _DEEPEST:
            return
        if isinstance(schema.get("$ref"), str):
            yield from self.complaints(self._found(schema["$ref"]), value, where, depth + 1)
        yield from _kind(schema, value, where)
        if isinstance(value, str):
            yield from _text(schema, value, where)
        elif isinstance(value, int | float) and not isinstance(value, bool):
            yield from _number(schema, value, where)
        elif isinstance(value, Mapping):
            yield from self._object(schema, value, where, depth)
        elif isinstance(value, list | tuple):
            yield from self._array(schema, value, where, depth)
        yield from self._combined(schema, value, where, depth)

    def _found(self, reference: str) -> Any:
        found = self._root
        for part in reference.removeprefix("#").strip("/").split("/"):
            key = part.replace("~1", "/").replace("~0", "~")
            if key:
                found = found.get(key, True) if isinstance(found, Mapping) else True
        return found

    def _object(self, schema: Any, value: Any, where: str, depth: int) -> Iterator[str]:
        for name in schema.get("required") or ():
            if name not in value:
                yield _said(where, f"{name!r} is missing")
        properties = schema.get("properties") or {}
        for name, item in value.items():
            inside = f"{where}.{name}" if where else str(name)
            if name in properties:
                yield from self.complaints(properties[name], item, inside, depth + 1)
            elif schema.get("additionalProperties") is False:
                known = ", ".join(map(str, properties)) or "none"
                yield _said(where, f"{name!r} is not one of its names ({known})")
            else:
                more = schema.get("additionalProperties")
                yield from self.complaints(more, item, inside, depth + 1)
        yield from _size(schema, len(value), "Properties", where)

    def _array(self, schema: Any, value: Any, where: str, depth: int) -> Iterator[str]:
        first = schema.get("prefixItems") or ()
        for index, item in enumerate(value):
            of = first[index] if index < len(first) else schema.get("items")
            yield from self.complaints(of, item, f"{where}[{index}]", depth + 1)
        yield from _size(schema, len(value), "Items", where)

    def _combined(self, schema: Any, value: Any, where: str, depth: int) -> Iterator[str]:
        def fits(one: Any) -> bool:
            return next(self.complaints(one, value, where, depth + 1), None) is None

        for one in schema.get("allOf") or ():
            yield from self.complaints(one, value, where, depth + 1)
        several = schema.get("anyOf")
        if several and not any(map(fits, several)):
            causes = (next(self.complaints(one, value, where, depth + 1), "") for one in several)
            yield " and ".join(dict.fromkeys(causes))
        if schema.get("oneOf") and sum(map(fits, schema["oneOf"])) != 1:
            yield _said(where, f"{value!r} fits none of the alternatives, or several of them")
        if "not" in schema and fits(schema["not"]):
            yield _said(where, f"{value!r} is not allowed")


def _kind(schema: Any, value: Any, where: str) -> Iterator[str]:
    wanted = schema.get("type")
    names = [wanted] if isinstance(wanted, str) else wanted
    if isinstance(names, list) and not any(_is(name, value) for name in names):
        yield _said(where, f"{value!r} is not of type {' or '.join(map(str, names))}")
    if isinstance(schema.get("enum"), list) and not any(_same(value, o) for o in schema["enum"]):
        options = ", ".join(map(repr, schema["enum"]))
        yield _said(where, f"{value!r} is not one of {options}")
    if "const" in schema and not _same(value, schema["const"]):
        yield _said(where, f"{value!r} is not {schema['const']!r}")


def _is(name: Any, value: Any) -> bool:
    if name == "integer":
        is_whole = isinstance(value, float) and value.is_integer()
        return (isinstance(value, int) or is_whole) and not isinstance(value, bool)
    types = _TYPES.get(name)
    if types is None:
        return True
    return isinstance(value, types) and (name != "number" or not isinstance(value, bool))


def _same(one: Any, other: Any) -> bool:
    """Compare as JSON does: true is not 1."""
    return one == other and isinstance(one, bool) is isinstance(other, bool)


def _text(schema: Any, value: str, where: str) -> Iterator[str]:
    yield from _size(schema, len(value), "Length", where)
    pattern = schema.get("pattern")
    if isinstance(pattern, str):
        try:
            found = re.search(pattern, value)
        except re.error:
            return
        if found is None:
            yield _said(where, f"{value!r} does not match {pattern!r}")


def _number(schema: Any, value: float, where: str) -> Iterator[str]:
    for keyword, fits, words in _LIMITS:
        limit = schema.get(keyword)
        if _is("number", limit) and not fits(value, limit):
            yield _said(where, f"{value!r} is {words} {limit!r}")


def _size(schema: Any, size: int, what: str, where: str) -> Iterator[str]:
    least, most = schema.get(f"min{what}"), schema.get(f"max{what}")
    unit = "characters" if what == "Length" else what.lower()
    if isinstance(least, int) and size < least:
        yield _said(where, f"has {size} {unit}, fewer than {least}")
    if isinstance(most, int) and size > most:
        yield _said(where, f"has {size} {unit}, more than {most}")


def _said(where: str, text: str) -> str:
    return f"{where}: {text}" if where else text
