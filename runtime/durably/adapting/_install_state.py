"""Remembers how an adapter's seams stand, so that each run looks only whether something changed."""

from __future__ import annotations

import sys
from collections.abc import Collection, Mapping
from typing import Any

from ._adapter import Adapter, Seam
from ._patches import find

_GONE = object()


class Standing:
    """How an adapter's seams stood when they were last put in.

    Looking for every seam anew takes as long as a short run does. What can make that necessary is
    seen in less: a module was imported, a class or a seam was replaced, a class was derived from
    one whose subclasses are seams too.

    Args:
        adapter: Whose seams.
        modules: The modules that they were put into.
    """

    def __init__(self, adapter: Adapter, modules: Collection[str]) -> None:
        self.seams = adapter.seams
        self._modules = len(sys.modules)
        self._found: list[tuple[Mapping[str, Any], str, object]] = []
        self._bases: dict[Any, int] = {}
        for seam in adapter.seams:
            if seam.module in modules:
                self._add(seam)

    def _add(self, seam: Seam) -> None:
        try:
            owner, name, _ = find(seam)
        except (AttributeError, KeyError):
            return
        module = vars(sys.modules[seam.module])
        outermost = seam.target.partition(":")[2].partition(".")[0]
        for space, key in ((module, outermost), (vars(owner), name)):
            self._found.append((space, key, space.get(key, _GONE)))
        if seam.subclasses:
            self._bases[owner] = _size(owner)

    def holds(self) -> bool:
        """Say whether nothing changed."""
        return (
            len(sys.modules) == self._modules
            and all(space.get(key, _GONE) is what for space, key, what in self._found)
            and all(_size(base) == size for base, size in self._bases.items())
        )


def _size(base: Any) -> int:
    """Return how many classes are derived from *base*, itself included."""
    size = 1
    for cls in type.__subclasses__(base):
        size += _size(cls)
    return size
