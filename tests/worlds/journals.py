"""Where the processes of one program keep their journal, and how it is cut off when they die."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from durably import MemoryStorage, SqliteStorage, StorageError
from durably.journal import Lease, Row, Storage
from durably.journal.records import STEP_FAILED, STEP_OK, STEP_STARTED
from durably.testing.forwarding_storage import PassingStorage

from .world import World

_OUTCOMES = (STEP_OK, STEP_FAILED)


class DyingStorage(PassingStorage):
    """Passes on what a living process appends; the process may die before and after each record.

    Args:
        inner: The storage that outlives the process.
        world: Knows whether the process is alive.
    """

    def __init__(self, inner: Storage, world: World) -> None:
        super().__init__(inner)
        self._world = world

    def append(
        self, lease: Lease, rows: Sequence[Row], blobs: Mapping[bytes, bytes], *, barrier: bool
    ) -> None:
        """Append, unless the process is dead.

        Raises:
            StorageError: It is, and nothing was appended, or it died right after the append.
        """
        world = self._world
        is_outcome = any(row.kind in _OUTCOMES for row in rows)
        is_marker = any(row.kind == STEP_STARTED for row in rows)
        if world.is_dead or (is_outcome and world.reaches("before the record")):
            raise StorageError("the process is dead")
        self._inner.append(lease, rows, blobs, barrier=barrier)
        if is_outcome:
            world.recorded()
        if (is_outcome or is_marker) and world.reaches(
            "after the record" if is_outcome else "after the start marker"
        ):
            raise StorageError("the process is dead")


class Place:
    """A journal that outlives processes.

    Args:
        path: A file, for processes that share no memory.
    """

    def __init__(self, path: Path | None = None) -> None:
        self._path = path
        self._memory = None if path else MemoryStorage()

    def storage(self, world: World) -> Storage:
        """Return the journal as a new process opens it."""
        inner = self._memory or SqliteStorage(self._path or "")
        return DyingStorage(inner, world)
