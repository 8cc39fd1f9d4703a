"""Every store that durably ships, fresh for each test, called plainly and with await."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from durably.store import BaseStore, InMemoryStore, SearchItem, SqliteStore
from durably_postgres import PostgresStore

NOON = 1_700_000_000.0


@dataclass
class Clock:
    """Time that passes when a test says so."""

    now: float = NOON

    def __call__(self) -> float:
        return self.now

    def pass_minutes(self, minutes: float) -> None:
        self.now += minutes * 60


class Api:
    """A store whose methods are all awaited, whichever twin they call."""

    def __init__(self, store: BaseStore, twin: str) -> None:
        self.store = store
        self._prefix = "a" if twin == "async" else ""

    def __getattr__(self, name: str) -> Callable[..., Any]:
        return functools.partial(self._call, name)

    async def _call(self, name: str, *args: Any, **kwargs: Any) -> Any:
        result = getattr(self.store, self._prefix + name)(*args, **kwargs)
        return await result if self._prefix else result


@pytest.fixture
def clock() -> Clock:
    """A clock that stands still."""
    return Clock()


@pytest.fixture(params=["sync", "async"])
def twin(request: pytest.FixtureRequest) -> str:
    """Which methods are called."""
    return request.param


@pytest.fixture(params=["memory", "sqlite", "sqlite-memory", "postgres"])
def make(
    request: pytest.FixtureRequest, tmp_path: Path, clock: Clock, twin: str
) -> Iterator[Callable[..., Api]]:
    """A function that opens a fresh store with an index or expiry."""
    opened: list[BaseStore] = []

    def make(**options: Any) -> Api:
        store: BaseStore
        if request.param == "memory":
            store = InMemoryStore(clock=clock, **options)
        elif request.param == "postgres":
            store = PostgresStore(
                request.getfixturevalue("empty_postgres_url"), clock=clock, **options
            )
        else:
            path = ":memory:" if "memory" in request.param else tmp_path / "store.db"
            store = SqliteStore(path, clock=clock, **options)
        opened.append(store)
        return Api(store, twin)

    yield make
    for store in opened:
        store.close()


@pytest.fixture
def api(make: Callable[..., Api]) -> Api:
    """A fresh store without index and expiry."""
    return make()


def keys(items: list[SearchItem]) -> list[str]:
    """Return what was found, in order."""
    return [item.key for item in items]
