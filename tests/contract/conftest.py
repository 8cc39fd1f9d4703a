"""Every storage that durably ships, fresh for each test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.support.pg_wire import Pooler

from durably.journal.memory_storage import MemoryStorage
from durably.journal.sqlite.storage import SqliteStorage
from durably.journal.storage import Storage
from durably_postgres import PostgresStorage


@pytest.fixture(params=["memory", "sqlite", "postgres", "postgres-pooled"])
def storage(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Storage]:
    """A storage with nothing in it."""
    if request.param == "postgres-pooled":
        yield from _pooled(request.getfixturevalue("empty_postgres_url"))
        return
    made: Storage
    if request.param == "memory":
        made = MemoryStorage()
    elif request.param == "sqlite":
        made = SqliteStorage(tmp_path / "journal.db")
    else:
        made = PostgresStorage(request.getfixturevalue("empty_postgres_url"))
    yield made
    made.close()


def _pooled(url: str) -> Iterator[Storage]:
    """Lend a storage whose transactions each find another session, as PgBouncer may give them."""
    pooler = Pooler(url)
    made = PostgresStorage(pooler.url)
    yield made
    made.close()
    pooler.close()
