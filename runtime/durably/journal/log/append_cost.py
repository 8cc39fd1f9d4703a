"""Storages that write for several threads at once, and what a coroutine's append costs."""

from __future__ import annotations

import enum
from collections.abc import Sequence
from typing import Protocol, runtime_checkable

from ..storage import Storage
from .durability import LATER, Durability
from .group_commit import Append


@runtime_checkable
class Sharing(Protocol):
    """What a storage may offer besides, whose appends can share a commit.

    Attributes:
        is_remote: Whether an append waits for something so slow that an event loop has better
            things to do meanwhile: the network, another machine's disk.
    """

    is_remote: bool

    def append_all(self, appends: Sequence[Append]) -> Sequence[Exception | None]:
        """Append to several threads with one commit, each all or nothing for itself.

        Returns:
            For each its error, or None.
        """
        ...


class Pace(enum.Enum):
    """What a coroutine's append costs, and so when it is made."""

    FREE = enum.auto()
    """Nothing is gained by waiting: it is made at once."""

    QUICK = enum.auto()
    """A commit. It is made at once if nothing else of its run is under way, else together with all
    that ends in the same round of the event loop."""

    SLOW = enum.auto()
    """A commit that is synced. It is made at once if nothing else is under way, else in a thread
    while the event loop goes on."""

    REMOTE = enum.auto()
    """A trip to a server: it is made in a thread."""


def pace_of(storage: Storage, durability: Durability, *, barrier: bool) -> Pace:
    """Return what a coroutine's append to *storage* costs."""
    if not isinstance(storage, Sharing) or durability == "exit":
        return Pace.FREE
    if durability in LATER and not barrier:
        return Pace.FREE
    if storage.is_remote:
        return Pace.REMOTE
    return Pace.SLOW if barrier or durability == "power" else Pace.QUICK
