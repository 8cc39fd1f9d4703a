"""On which line of a TOML file a key stands: tomllib tells values, and no places."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, TypeAlias

Path: TypeAlias = "tuple[str | int, ...]"
"""Keys from the top down; numbers count the tables of an array."""

_HEADER = re.compile(r"\s*\[(\[)?([^\[\]]+)\]\]?\s*(?:#.*)?$")
_PART = r"""(?:"(?:[^"\\]|\\.)*"|'[^']*'|[A-Za-z0-9_-]+)"""
_KEY = re.compile(rf"\s*({_PART}(?:\s*\.\s*{_PART})*)\s*=(.*)$", re.DOTALL)


def line_of(text: str, path: Path) -> int:
    """Return the line of a key, from 1, or of the nearest key around it that has one.

    Args:
        text: A TOML document that was parsed without an error.
        path: The key.
    """
    places = list(_places(text))
    for end in range(len(path), 0, -1):
        for place, line in places:
            if place[:end] == path[:end]:
                return line
    return 1


def _places(text: str) -> Iterator[tuple[Path, int]]:
    """Yield each table and key with its line."""
    table: Path = ()
    counts: dict[Path, int] = {}
    lines = iter(enumerate(text.splitlines(keepends=True), 1))
    for number, line in lines:
        header = _HEADER.match(line)
        if header is not None:
            table = _numbered(_parts(header[2]), counts)
            if header[1]:
                counts[table] = counts.get(table, -1) + 1
                table = (*table, counts[table])
            yield table, number
            continue
        key = _KEY.match(line)
        if key is not None:
            yield (*table, *_parts(key[1])), number
            _skip_value(key[2], lines)


def _numbered(path: Path, counts: dict[Path, int]) -> Path:
    """Return a header's path with the number of each array's latest table on the way to it."""
    found: Path = ()
    for part in path[:-1]:
        found = (*found, part)
        if found in counts:
            found = (*found, counts[found])
    return (*found, *path[-1:])


def _parts(key: str) -> Path:
    """Split a dotted key, quoted parts and all, the way TOML does."""
    import tomllib

    found: list[str] = []
    nested: Any = tomllib.loads(f"{key} = 0")
    while isinstance(nested, dict):
        ((part, nested),) = nested.items()
        found.append(part)
    return tuple(found)


def _skip_value(begun: str, lines: Iterator[tuple[int, str]]) -> None:
    """Pass the further lines of a value that does not end where it began."""
    import tomllib

    value = begun
    while True:
        try:
            tomllib.loads(f"x = {value}")
        except tomllib.TOMLDecodeError:
            _, more = next(lines, (0, ""))
            if not more:
                return
            value += more
        else:
            return
