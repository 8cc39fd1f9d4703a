"""Every storage that durably ships, fresh for each test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from durably.journal.memory import MemoryStorage
from durably.journal.sqlite import SqliteStorage
from durably.journal.storage import Storage


@pytest.fixture(params=["memory", "sqlite"])
def storage(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Storage]:
    """A storage with nothing in it."""
    made: Storage = MemoryStorage() if request.param == "memory" else _sqlite(tmp_path)
    yield made
    made.close()


def _sqlite(directory: Path) -> SqliteStorage:
    return SqliteStorage(directory / "journal.db")
