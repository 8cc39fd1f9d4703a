"""durably, measured through its Functional API."""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator, Generator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

import durably
from durably import Host

from ..place import Place
from ..subjects import Subject
from .functional import FunctionalPeer, Names


class DurablyPeer(FunctionalPeer):
    """durably, its checkpointer given by URL."""

    names = Names(
        durably.entrypoint,
        durably.task,
        durably.interrupt,
        durably.Command,
        durably.get_stream_writer,
    )

    def __init__(self, subject: Subject, place: Place) -> None:
        super().__init__(subject, place)
        self.options = {"durability": subject.mode} if subject.mode else {}
        self.config = {}

    def _url(self) -> str | None:
        match self.subject.storage:
            case "sqlite":
                return f"sqlite:///{self.place.sqlite}"
            case "postgres":
                return self.place.postgres
            case "memory":
                return "memory:"
            case _:
                return None

    def tell(self, thread: str, count: int, pause: float) -> None:
        @durably.task
        def tell() -> float:
            time.sleep(pause)
            return time.perf_counter()

        def telling(count: int) -> int:
            return sum(bool(tell().result()) for _ in range(count))

        with self.checkpointer() as host:
            durably.entrypoint(checkpointer=host)(telling).invoke(count, self._on(thread))

    def hear(self, thread: str) -> Iterator[float]:
        with self.checkpointer() as host:
            for update in host.join_stream(thread, timeout=60):
                yield update["tell"]

    @contextmanager
    def checkpointer(self) -> Generator[Any]:
        url = self._url()
        if url is None:
            yield None
            return
        host = Host(url)
        try:
            yield host
        finally:
            host.close()

    @asynccontextmanager
    async def acheckpointer(self) -> AsyncGenerator[Any]:
        with self.checkpointer() as host:
            yield host
