"""Differences between two requests that a person, or the configuration, called meaningless."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any, TypeAlias

Path: TypeAlias = tuple[str | int, ...]
"""Keys and indexes that lead to a leaf of a plain form."""


def differing_paths(one: Any, other: Any, path: Path = ()) -> Iterator[Path]:
    """Yield the paths of the leaves in which two plain forms differ.

    Example:
        >>> list(differing_paths({"to": "ann", "key": 1}, {"to": "ann", "key": 2}))
        [('key',)]
    """
    if isinstance(one, dict) and isinstance(other, dict) and one.keys() == other.keys():
        for key in one:
            yield from differing_paths(one[key], other[key], (*path, key))
    elif isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        for index, (mine, theirs) in enumerate(zip(one, other, strict=True)):
            yield from differing_paths(mine, theirs, (*path, index))
    elif one != other:
        yield path


def differs_only_at(one: Any, other: Any, accepted: frozenset[Path]) -> bool:
    """Return True if two plain forms differ in no leaf but the *accepted* ones."""
    return accepted.issuperset(differing_paths(one, other))


def without_patterns(value: Any, patterns: Sequence[re.Pattern[str]]) -> Any:
    """Return a plain form in which each text that a pattern matches is replaced by a mark."""
    if isinstance(value, str):
        for pattern in patterns:
            value = pattern.sub("\0", value)
        return value
    if isinstance(value, list):
        return [without_patterns(item, patterns) for item in value]
    if isinstance(value, dict):
        return {key: without_patterns(item, patterns) for key, item in value.items()}
    return value
