"""When appended records reach the storage."""

from __future__ import annotations

from typing import Literal, TypeAlias, cast, get_args

Durability: TypeAlias = Literal["sync", "async", "power", "exit"]
"""When appended records reach the storage.

``sync``: before :meth:`ThreadLog.append` returns. ``power``: and synced, each of them. ``async``:
a moment later, many at once; a process that dies loses what it did in the last moment, and does it
again. ``exit``: when the log is flushed, at a run's end. With each but the last a barrier waits
until everything is synced.
"""

LATER = frozenset({"async", "exit"})


def durability_of(given: str | None) -> Durability:
    """Return *given* as a durability; ``sync`` if it is None.

    Raises:
        ValueError: There is no such durability.
    """
    if given is None:
        return "sync"
    known = get_args(Durability)
    if given not in known:
        raise ValueError(f"unknown durability {given!r}; there are {', '.join(known)}")
    return cast("Durability", given)
