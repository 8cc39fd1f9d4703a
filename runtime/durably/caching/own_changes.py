"""What a function changes while it runs: a list that it logs to, a counter, a client's statistics.

Such an object is an output. It counts in the function's cache key as it was before the function
first changed it in this process; else no later call would find an earlier one's result. What other
code changes between two calls is an input and counts as it is.
"""

from __future__ import annotations

import functools
import threading
import types
from collections import OrderedDict
from collections.abc import Mapping
from typing import Any, Protocol
from weakref import WeakKeyDictionary

_MOST = 256
_STRUCTURE = (types.FunctionType, types.MethodType, functools.partial, type)
"""Forms that only hold what changes."""


class Seen(Protocol):
    """What a function's parts were at one moment; its values and their tokens, by id."""

    known: dict[int, tuple[Any, bytes]]
    entries: dict[int, dict[bytes, bytes]]


class _Kept:
    """One changed object; kept alive, so that no other gets its id."""

    __slots__ = ("entries", "value", "whole")

    def __init__(self, value: Any) -> None:
        self.value = value
        self.whole: bytes | None = None
        self.entries: dict[bytes, bytes | None] = {}


class Changes:
    """The objects that one function changes itself, with their tokens from before.

    Of a dictionary (most objects keep their attributes in one) only the entries that changed are
    kept, so that the others count as they are.
    """

    def __init__(self) -> None:
        self._kept: OrderedDict[int, _Kept] = OrderedDict()
        self._lock = threading.Lock()

    def whole(self, value: Any) -> tuple[Any, bytes] | None:
        """Return a changed object with its token from before, or None if it counts as it is."""
        kept = self._kept.get(id(value))
        return None if kept is None or kept.whole is None else (value, kept.whole)

    def undone(
        self, value: Mapping[Any, Any], found: Mapping[bytes, bytes]
    ) -> Mapping[bytes, bytes]:
        """Return a dictionary's entries, those that the function changes as they were before.

        Args:
            value: The dictionary.
            found: The tokens of its keys and values now.
        """
        kept = self._kept.get(id(value))
        if kept is None:
            return found
        before = {**found, **kept.entries}
        return {key: one for key, one in before.items() if one is not None}

    def note(self, before: Seen, after: Seen) -> bool:
        """Keep the first object that differs; say whether there was one.

        Args:
            before: What the function's parts were when its call began.
            after: What they are now that it has ended, with what was kept so far.
        """
        for identity, (value, token) in after.known.items():
            known = before.known.get(identity)
            if known is None or known[0] is not value or known[1] == token:
                continue
            if not isinstance(value, _STRUCTURE) and self._keep(value, known[1], before, after):
                return True
        return False

    def _keep(self, value: Any, token: bytes, before: Seen, after: Seen) -> bool:
        """Keep *value*; False if it was kept as far as it can be."""
        with self._lock:
            kept = self._kept.setdefault(id(value), _Kept(value))
            if len(self._kept) > _MOST:
                self._kept.popitem(last=False)
            if kept.whole is not None:
                return False
            old, new = before.entries.get(id(value)), after.entries.get(id(value))
            if old is None or new is None:
                kept.whole = token
                return True
            changed = {key for key in {*old, *new} if old.get(key) != new.get(key)}
            changed -= {*kept.entries}
            kept.entries.update((key, old.get(key)) for key in changed)
            return bool(changed)


NONE = Changes()
"""Stands for a function that changes nothing."""

_known: WeakKeyDictionary[Any, Changes] = WeakKeyDictionary()
_lock = threading.Lock()


def changes_of(function: Any) -> Changes:
    """Return what functions with the code of *function* change themselves.

    A task that is made anew in each run of a workflow has the same code each time.

    Args:
        function: A function or callable object.
    """
    code = getattr(function, "__code__", None) or type(function)
    with _lock:
        return _known.setdefault(code, Changes())
