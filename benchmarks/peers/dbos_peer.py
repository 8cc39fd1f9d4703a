"""DBOS, measured through workflows and steps.

A run is a workflow. DBOS remembers nothing between the workflows of a conversation, so the history
travels as a workflow's input. Each process is an executor of its own: a workflow whose process has
gone is taken up by ``resume_workflow`` while the clock runs, not before, when DBOS starts.
"""

from __future__ import annotations

import asyncio
import contextvars
import threading
import time
from collections.abc import AsyncGenerator, Callable, Generator, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, contextmanager
from typing import Any

from dbos import DBOS, DBOSConfig, SetWorkflowID

from .interface import Peer, new_thread

WIDE = 1000
"""Threads for steps that run at once."""

HOURS = 3600.0
WAIT = 0.005

Message = dict[str, str]


class DbosPeer(Peer):
    """DBOS on its system database in SQLite or PostgreSQL."""

    @contextmanager
    def opened(self) -> Generator[None]:
        DBOS(config=self._config())
        self._make_sequences()
        self._make_others()
        self._make_telling()
        try:
            DBOS.launch()
            yield
        finally:
            DBOS.destroy(destroy_registry=True)

    @asynccontextmanager
    async def aopened(self) -> AsyncGenerator[None]:
        DBOS(config=self._config())
        self._make_coroutines()
        try:
            DBOS.launch()
            yield
        finally:
            await asyncio.to_thread(DBOS.destroy, destroy_registry=True)

    def _config(self) -> DBOSConfig:
        place = self.place
        url = place.postgres or f"sqlite:///{place.sqlite}"
        return {
            "name": "bench",
            "system_database_url": url,
            "application_version": "bench",
            "executor_id": new_thread(),
            "log_level": "CRITICAL",
        }

    def _make_sequences(self) -> None:
        """Make the workflows that run steps one after another."""
        self._is_waiting = threading.Event()
        self._is_failing = False

        @DBOS.step(name="work")
        def work(number: int) -> int:
            return self.work(number)

        def add_up(count: int) -> int:
            total = 0
            for number in range(count):
                total += work(number)
            return total

        @DBOS.workflow(name="sequence")
        def sequence(count: int) -> int:
            return add_up(count)

        @DBOS.workflow(name="failing")
        def failing(count: int) -> int:
            total = add_up(count)
            if self._is_failing:
                self._is_waiting.set()
                time.sleep(HOURS)  # until its process ends
            return total

        @DBOS.workflow(name="asking")
        def asking(count: int) -> tuple[int, str]:
            total = add_up(count)
            self._is_waiting.set()
            return total, DBOS.recv("answer", timeout_seconds=HOURS)

        self._sequence, self._failing, self._asking = sequence, failing, asking

    def _make_others(self) -> None:
        """Make the other workflows of plain functions."""
        self._reply: Callable[[int], str] = str
        self._values: Sequence[bytes] = ()
        self._histories: dict[str, list[Message]] = {}

        @DBOS.workflow(name="fan")
        def fan(count: int, seconds: float) -> list[int]:
            return self._fan_out(count, seconds)

        @DBOS.step(name="model")
        def model(messages: list[Message]) -> str:
            self.executed.append(len(messages))
            return self._reply(len(messages))

        @DBOS.workflow(name="chat")
        def chat(messages: list[Message]) -> str:
            return model(messages)

        @DBOS.step(name="produce")
        def produce(number: int) -> bytes:
            self.executed.append(number)
            return self._values[number]

        @DBOS.workflow(name="producing")
        def producing(count: int) -> int:
            return sum(len(produce(number)) for number in range(count))

        @DBOS.step(name="speak")
        def speak(count: int, pause: float) -> int:
            for _ in range(count):
                if pause:
                    time.sleep(pause)
                DBOS.write_stream("parts", time.perf_counter())
            return count

        @DBOS.workflow(name="speaking")
        def speaking(count: int, pause: float) -> int:
            told = speak(count, pause)
            DBOS.close_stream("parts")
            return told

        self._fan, self._chat, self._producing, self._speaking = fan, chat, producing, speaking

    def _make_telling(self) -> None:
        """Make the workflow that another process hears."""

        @DBOS.step(name="tell")
        def tell(pause: float) -> None:
            time.sleep(pause)
            DBOS.write_stream("told", time.perf_counter())

        @DBOS.workflow(name="telling")
        def telling(count: int, pause: float) -> None:
            for _ in range(count):
                tell(pause)
            DBOS.close_stream("told")

        self._telling = telling

    def _fan_out(self, count: int, seconds: float) -> list[int]:
        def sleep(number: int) -> int:
            time.sleep(seconds)
            return self.work(number) - 1

        reserved = [DBOS.reserve_step() for _ in range(count)]
        with ThreadPoolExecutor(min(count, WIDE)) as pool:
            begun = [
                pool.submit(contextvars.copy_context().run, one.run, None, sleep, number)
                for number, one in enumerate(reserved)
            ]
            return [one.result() for one in begun]

    def _make_coroutines(self) -> None:
        @DBOS.step(name="work")
        async def work(number: int) -> int:
            return self.work(number)

        @DBOS.step(name="sleep")
        async def sleep(number: int, seconds: float) -> int:
            await asyncio.sleep(seconds)
            return self.work(number) - 1

        @DBOS.workflow(name="sequence")
        async def sequence(count: int) -> int:
            total = 0
            for number in range(count):
                total += await work(number)
            return total

        @DBOS.workflow(name="fan")
        async def fan(count: int, seconds: float) -> list[int]:
            return await asyncio.gather(*(sleep(number, seconds) for number in range(count)))

        self._asequence, self._afan = sequence, fan

    def steps(self, count: int) -> int:
        return self._sequence(count)

    async def asteps(self, count: int) -> int:
        return await self._asequence(count)

    def fanout(self, count: int, seconds: float) -> list[int]:
        return self._fan(count, seconds)

    async def afanout(self, count: int, seconds: float) -> list[int]:
        return await self._afan(count, seconds)

    def fail_after(self, thread: str, count: int) -> None:
        self._is_failing = True
        self._begin(thread, self._failing, count)

    def go_on(self, thread: str, count: int) -> int:
        del count  # the workflow's input
        return DBOS.resume_workflow(thread).get_result(polling_interval_sec=WAIT)

    def ask_after(self, thread: str, count: int) -> None:
        self._begin(thread, self._asking, count)

    def answer(self, thread: str, count: int, text: str) -> tuple[int, str]:
        del count
        handle = DBOS.resume_workflow(thread)
        DBOS.send(thread, text, "answer")
        total, told = handle.get_result(polling_interval_sec=WAIT)
        return total, told

    def _begin(self, thread: str, workflow: Any, count: int) -> None:
        """Start a workflow and leave it where it waits; it ends with its process."""
        self._is_waiting.clear()
        with SetWorkflowID(thread):
            DBOS.start_workflow(workflow, count)
        self._is_waiting.wait()

    def say(self, thread: str, text: str, reply: Callable[[int], str]) -> str:
        self._reply = reply
        history = self._histories.setdefault(thread, [])
        history.append({"role": "user", "content": text})
        said = self._chat(history)
        history.append({"role": "assistant", "content": said})
        return said

    def values(self, values: Sequence[bytes]) -> int:
        self._values = values
        return self._producing(len(values))

    def stream(self, count: int, pause: float) -> Iterator[float]:
        handle = DBOS.start_workflow(self._speaking, count, pause)
        yield from DBOS.read_stream(handle.workflow_id, "parts")
        assert handle.get_result(polling_interval_sec=WAIT) == count

    def tell(self, thread: str, count: int, pause: float) -> None:
        with SetWorkflowID(thread):
            self._telling(count, pause)

    def hear(self, thread: str) -> Iterator[float]:
        while DBOS.get_workflow_status(thread) is None:
            time.sleep(WAIT)
        yield from DBOS.read_stream(thread, "told")
