"""Fixtures: runs of the engine without any entrypoint or framework around them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from durably import Host, MemoryStorage, SqliteStorage
from durably.engine import Outcome, Run, adrive, drive


class Runs:
    """Drives bodies as the runs of one thread, each in a host of its own."""

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._memory = MemoryStorage()
        self._hosts: list[Host] = []

    def host(self, **options: Any) -> Host:
        storage = SqliteStorage(self._path) if self._path else self._memory
        self._hosts.append(Host(storage, **options))
        return self._hosts[-1]

    def open(self, **options: Any) -> tuple[Host, Run]:
        """Begin a run, or take the thread's unfinished one up again."""
        host = self.host(**options)
        log = host.journal.take("t")
        last = host.latest(log)
        if last is None:
            return host, host.begin_on(log, "test", None)
        return host, host.taken_up(log, last)

    def drive(self, body: Callable[[], Any], **options: Any) -> Outcome:
        host, run = self.open(**options)
        try:
            return drive(run, body)
        finally:
            host.release(run)

    async def adrive(self, body: Callable[[], Any], **options: Any) -> Outcome:
        host, run = self.open(**options)
        try:
            return await adrive(run, body)
        finally:
            host.release(run)

    def answer(self, answers: dict[str, Any]) -> None:
        host = self.host()
        log = host.journal.take("t")
        view = host.latest(log)
        log.release()
        assert view is not None
        host.answer(view, answers)

    def records(self, kind: type[Any]) -> list[Any]:
        read = self.host().journal.read("t")
        return [one.record for one in read if isinstance(one.record, kind)]

    def close(self) -> None:
        for host in self._hosts:
            host.close()


@pytest.fixture(params=["memory", "sqlite"])
def runs(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Runs]:
    made = Runs(tmp_path / "runs.db" if request.param == "sqlite" else None)
    yield made
    made.close()
