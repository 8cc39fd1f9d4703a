"""The floors: the same work with nothing around it, or with one bare commit for each step."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncGenerator, Callable, Generator
from contextlib import asynccontextmanager, closing, contextmanager

from .interface import Peer

ROW = b"x" * 300
"""About what a step's row holds."""


class Floor(Peer):
    """No library: a call, and a row of 300 bytes written by hand."""

    @contextmanager
    def opened(self) -> Generator[None]:
        match self.subject.storage:
            case "sqlite":
                with self._sqlite() as self._commit:
                    yield
            case "postgres":
                with self._postgres() as self._commit:
                    yield
            case _:
                self._commit = _nothing
                yield

    @asynccontextmanager
    async def aopened(self) -> AsyncGenerator[None]:
        with self.opened():
            yield

    @contextmanager
    def _sqlite(self) -> Generator[Callable[[], object]]:
        with closing(sqlite3.connect(self.place.sqlite, isolation_level=None)) as connection:
            connection.execute("PRAGMA journal_mode=WAL")
            connection.execute(f"PRAGMA synchronous={self.subject.mode}")
            connection.execute("CREATE TABLE row (id INTEGER PRIMARY KEY, value BLOB)")
            yield lambda: connection.execute("INSERT INTO row (value) VALUES (?)", (ROW,))

    @contextmanager
    def _postgres(self) -> Generator[Callable[[], object]]:
        import psycopg

        assert self.place.postgres is not None
        with psycopg.connect(self.place.postgres, autocommit=True) as connection:
            connection.execute("CREATE TABLE row (id bigserial PRIMARY KEY, value bytea)")
            insert = "INSERT INTO row (value) VALUES (%s)"
            yield lambda: connection.execute(insert, (ROW,), prepare=True)

    def steps(self, count: int) -> int:
        total, work, commit = 0, self.work, self._commit
        for number in range(count):
            total += work(number)
            commit()
        return total

    async def asteps(self, count: int) -> int:
        total, commit = 0, self._commit
        for number in range(count):
            total += await self._awork(number)
            commit()
        return total

    async def _awork(self, number: int) -> int:
        return self.work(number)


def _nothing() -> None:
    return None
