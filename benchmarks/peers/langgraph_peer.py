"""LangGraph, measured through its Functional API.

A checkpointer is made as LangGraph's documentation makes it. ``sync`` and ``async`` are its own
words: with each, results of tasks are written behind the program's back.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

from langgraph.checkpoint.memory import InMemorySaver
from langgraph.config import get_stream_writer
from langgraph.func import entrypoint, task
from langgraph.types import Command, interrupt

from ..place import Place
from ..subjects import Subject
from .functional import FunctionalPeer, Names

WIDE = 10_000
"""What a subject that is told to be wide gives as ``max_concurrency``."""


class LangGraphPeer(FunctionalPeer):
    """LangGraph with one of its savers."""

    names = Names(entrypoint, task, interrupt, Command, get_stream_writer)

    def __init__(self, subject: Subject, place: Place) -> None:
        super().__init__(subject, place)
        self.options = {"durability": subject.mode} if subject.mode else {}
        self.config = {"max_concurrency": WIDE} if subject.wide else {}

    @contextmanager
    def checkpointer(self) -> Generator[Any]:
        match self.subject.storage:
            case "sqlite":
                from langgraph.checkpoint.sqlite import SqliteSaver

                with SqliteSaver.from_conn_string(str(self.place.sqlite)) as saver:
                    yield saver
            case "postgres":
                from langgraph.checkpoint.postgres import PostgresSaver

                with PostgresSaver.from_conn_string(self.place.postgres or "") as saver:
                    saver.setup()
                    yield saver
            case "memory":
                yield InMemorySaver()
            case _:
                yield None

    @asynccontextmanager
    async def acheckpointer(self) -> AsyncGenerator[Any]:
        match self.subject.storage:
            case "sqlite":
                from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver

                async with AsyncSqliteSaver.from_conn_string(str(self.place.sqlite)) as saver:
                    yield saver
            case "postgres":
                from langgraph.checkpoint.postgres.aio import AsyncPostgresSaver

                async with AsyncPostgresSaver.from_conn_string(self.place.postgres or "") as saver:
                    await saver.setup()
                    yield saver
            case _:
                with self.checkpointer() as saver:
                    yield saver
