"""Every storage that durably ships, fresh for each test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from durably.journal.memory import MemoryStorage
from durably.journal.sqlite import SqliteStorage
from durably.journal.storage import Storage
from durably_postgres import PostgresStorage


@pytest.fixture(params=["memory", "sqlite", "postgres"])
def storage(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Storage]:
    """A storage with nothing in it."""
    made: Storage
    if request.param == "memory":
        made = MemoryStorage()
    elif request.param == "sqlite":
        made = SqliteStorage(tmp_path / "journal.db")
    else:
        made = PostgresStorage(request.getfixturevalue("empty_postgres_url"))
    yield made
    made.close()
