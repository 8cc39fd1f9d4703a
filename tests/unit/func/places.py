"""Where the tests of this folder keep their runs, and who watches them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from durably import Entrypoint, Host, Listener, MemoryStorage, SqliteStorage, StepInfo, entrypoint
from durably.journal import Storage
from durably.journal.records import Entry


class Place:
    """One journal, opened anew for each process that a test stands for."""

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._memory = MemoryStorage()
        self._hosts: list[Host] = []

    def storage(self) -> Storage:
        return SqliteStorage(self._path) if self._path else self._memory

    def host(self, storage: Storage | None = None, **options: Any) -> Host:
        self._hosts.append(Host(storage or self.storage(), **options))
        return self._hosts[-1]

    def flow(self, function: Callable[..., Any], **options: Any) -> Entrypoint:
        """Return *function* as the entrypoint of a new process."""
        return entrypoint(checkpointer=self.host(**options))(function)

    def records(self, kind: type[Any], thread: str = "t") -> list[Any]:
        """Return the thread's records of one kind."""
        return [one.record for one in self.entries(thread) if isinstance(one.record, kind)]

    def entries(self, thread: str = "t") -> list[Entry]:
        return self.host().journal.read(thread)

    def close(self) -> None:
        for host in self._hosts:
            host.close()


def thread(name: str = "t") -> dict[str, Any]:
    """Return the config that names a thread."""
    return {"configurable": {"thread_id": name}}


class Watcher(Listener):
    """Notes what happens to steps."""

    def __init__(self) -> None:
        self.executed: list[str] = []
        self.replayed: list[str] = []
        self.repeated: list[str] = []
        self.changed: list[tuple[str, str, list[str]]] = []
        self.retried: list[float] = []

    def step_finished(self, step: StepInfo, error: BaseException | None) -> None:
        self.executed.append(step.name)

    def step_replayed(self, step: StepInfo) -> None:
        self.replayed.append(step.name)

    def step_changed(self, step: StepInfo, action: str, differences: list[str]) -> None:
        self.changed.append((step.name, action, differences))

    def step_retried(self, step: StepInfo, error: BaseException, delay: float) -> None:
        self.retried.append(delay)

    def effect_repeated(self, step: StepInfo) -> None:
        self.repeated.append(step.name)
