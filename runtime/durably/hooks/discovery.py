"""Finds the installed plug-ins, once for all hosts of a process."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

GROUP = "durably"
"""The entry-point group of plug-ins."""

_Place: TypeAlias = tuple[str, int]


class Found(NamedTuple):
    """An installed plug-in.

    Attributes:
        point: Its entry point.
        source: Its distribution and version, or the module if that is not known.
    """

    point: EntryPoint
    source: str


def discovered() -> tuple[Found, ...]:
    """Return the installed plug-ins, by name.

    To look through every distribution takes tens of milliseconds. It is done again only when a
    folder on the path has changed, as it does when something is installed.
    """
    return _found(tuple(_places()))


def _places() -> Iterator[_Place]:
    for path in sys.path:
        try:
            yield path, Path(path).stat().st_mtime_ns
        except OSError:
            yield path, 0


@lru_cache(maxsize=1)
def _found(places: tuple[_Place, ...]) -> tuple[Found, ...]:
    del places  # it is the key
    from importlib.metadata import entry_points

    points = sorted(entry_points(group=GROUP), key=lambda point: point.name)
    return tuple(Found(point, _source(point)) for point in points)


def _source(point: EntryPoint) -> str:
    return f"{point.dist.name} {point.dist.version}" if point.dist else point.value
