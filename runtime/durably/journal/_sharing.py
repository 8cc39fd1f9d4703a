"""Storages that write for several threads at once, and when a coroutine's append is made."""

from __future__ import annotations

import enum
from collections.abc import Sequence
from typing import Protocol, runtime_checkable

from ._commit import Append
from ._durability import LATER, Durability
from .storage import Storage


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
    """When a coroutine's append is made."""

    AT_ONCE = enum.auto()
    """Where it is: there is nothing to be gained by waiting."""

    TOGETHER = enum.auto()
    """At once if nothing else is under way, else with all that ends in the event loop's round."""

    APART = enum.auto()
    """In a thread, while the event loop goes on."""


def pace_of(storage: Storage, durability: Durability, *, barrier: bool) -> Pace:
    """Return when a coroutine's appends to *storage* are made."""
    if not isinstance(storage, Sharing) or durability == "exit":
        return Pace.AT_ONCE
    if durability in LATER and not barrier:
        return Pace.AT_ONCE
    if storage.is_remote or barrier or durability == "power":
        return Pace.APART
    return Pace.TOGETHER
