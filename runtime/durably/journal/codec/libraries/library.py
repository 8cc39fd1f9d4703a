"""What a table says of a library's class: how its objects are taken apart and made."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple, TypeAlias

from ..encoder import Writer

ClassName: TypeAlias = tuple[str, str]
"""Module and qualified name of a class, which need not have been imported."""


class Library(NamedTuple):
    """How the objects of one class are written and made.

    Attributes:
        parts: Returns the data that an object is made from.
        make: Makes an object of a class from that data.
        for_children: Whether it serves the children of the class as well.
        is_named: Whether its module holds the class by its name; else None is passed to *make*.
    """

    parts: Callable[[Writer, Any], Any]
    make: Callable[[Any, Any], Any]
    for_children: bool = False
    is_named: bool = True
