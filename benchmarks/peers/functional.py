"""The measured programs in the Functional API, which LangGraph and durably share name for name."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Callable, Generator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from typing import Any, NamedTuple

from .interface import FailingError, Peer, new_thread


class Names(NamedTuple):
    """What the programs use of a library."""

    entrypoint: Any
    task: Any
    interrupt: Any
    command: Any
    get_stream_writer: Any


class FunctionalPeer(Peer):
    """A library with ``entrypoint`` and ``task``: only `names` and the checkpointer differ."""

    names: Names
    options: dict[str, Any]
    """Further arguments of ``invoke``."""
    config: dict[str, Any]
    """What every config holds besides the thread."""

    @contextmanager
    def opened(self) -> Generator[None]:
        """Open the checkpointer and make the programs."""
        with self.checkpointer() as saver:
            self._make(saver)
            self._make_fan(saver)
            self._make_chat(saver)
            self._make_speakers(saver)
            yield

    @asynccontextmanager
    async def aopened(self) -> AsyncGenerator[None]:
        """Open the checkpointer in this loop and make the programs."""
        async with self.acheckpointer() as saver:
            self._make_coroutines(saver)
            yield

    def checkpointer(self) -> Any:
        """Return a context manager of a checkpointer for plain programs."""
        raise NotImplementedError

    def acheckpointer(self) -> Any:
        """Return an asynchronous context manager of a checkpointer for coroutines."""
        raise NotImplementedError

    def _make(self, saver: Any) -> None:
        """Make the programs that run steps one after another."""
        names = self.names
        self._is_failing = False
        work = names.task(self.work)

        def add_up(count: int) -> int:
            total = 0
            for number in range(count):
                total += work(number).result()
            return total

        @names.entrypoint(checkpointer=saver)
        def sequence(count: int) -> int:
            return add_up(count)

        @names.entrypoint(checkpointer=saver)
        def failing(count: int) -> int:
            total = add_up(count)
            if self._is_failing:
                raise FailingError
            return total

        @names.entrypoint(checkpointer=saver)
        def asking(count: int) -> Any:
            total = add_up(count)
            return [total, names.interrupt({"total": total})]

        self._sequence, self._failing, self._asking = sequence, failing, asking

    def _make_fan(self, saver: Any) -> None:
        """Make the program that begins many steps at once."""
        names = self.names

        @names.task
        def sleep(number: int, seconds: float) -> int:
            time.sleep(seconds)
            return self.work(number) - 1

        @names.entrypoint(checkpointer=saver)
        def fan(given: Any) -> list[int]:
            count, seconds = given
            begun = [sleep(number, seconds) for number in range(count)]
            return [one.result() for one in begun]

        self._fan = fan

    def _make_chat(self, saver: Any) -> None:
        """Make the program whose runs are the turns of a conversation."""
        names = self.names
        self._reply: Callable[[int], str] = str

        @names.task
        def model(messages: list[dict[str, str]]) -> str:
            self.executed.append(len(messages))
            return self._reply(len(messages))

        @names.entrypoint(checkpointer=saver)
        def chat(text: str, *, previous: Any) -> Any:
            messages = [*(previous or []), {"role": "user", "content": text}]
            reply = model(messages).result()
            saved = [*messages, {"role": "assistant", "content": reply}]
            return names.entrypoint.final(value=reply, save=saved)

        self._chat = chat

    def _make_speakers(self, saver: Any) -> None:
        """Make the programs that return large values and that stream."""
        names = self.names
        self._values: Sequence[bytes] = ()

        @names.task
        def produce(number: int) -> bytes:
            self.executed.append(number)
            return self._values[number]

        @names.entrypoint(checkpointer=saver)
        def producing(count: int) -> int:
            return sum(len(produce(number).result()) for number in range(count))

        @names.task
        def speak(count: int, pause: float) -> int:
            write = names.get_stream_writer()
            for _ in range(count):
                if pause:
                    time.sleep(pause)
                write(time.perf_counter())
            return count

        @names.entrypoint(checkpointer=saver)
        def speaking(given: Any) -> int:
            return speak(*given).result()

        self._producing, self._speaking = producing, speaking

    def _make_coroutines(self, saver: Any) -> None:
        names = self.names

        @names.task
        async def work(number: int) -> int:
            return self.work(number)

        @names.task
        async def sleep(number: int, seconds: float) -> int:
            await asyncio.sleep(seconds)
            return self.work(number) - 1

        @names.entrypoint(checkpointer=saver)
        async def sequence(count: int) -> int:
            total = 0
            for number in range(count):
                total += await work(number)
            return total

        @names.entrypoint(checkpointer=saver)
        async def fan(given: Any) -> list[int]:
            count, seconds = given
            return await asyncio.gather(*(sleep(number, seconds) for number in range(count)))

        self._asequence, self._afan = sequence, fan

    def _on(self, thread: str | None = None) -> dict[str, Any]:
        return {"configurable": {"thread_id": thread or new_thread()}, **self.config}

    def steps(self, count: int) -> int:
        return self._sequence.invoke(count, self._on(), **self.options)

    async def asteps(self, count: int) -> int:
        return await self._asequence.ainvoke(count, self._on(), **self.options)

    def fanout(self, count: int, seconds: float) -> list[int]:
        return self._fan.invoke([count, seconds], self._on(), **self.options)

    async def afanout(self, count: int, seconds: float) -> list[int]:
        return await self._afan.ainvoke([count, seconds], self._on(), **self.options)

    def fail_after(self, thread: str, count: int) -> None:
        self._is_failing = True
        try:
            self._failing.invoke(count, self._on(thread), **self.options)
        except FailingError:
            return
        finally:
            self._is_failing = False
        raise AssertionError("the run was to fail")

    def go_on(self, thread: str, count: int) -> int:
        del count  # the library knows
        return self._failing.invoke(None, self._on(thread), **self.options)

    def ask_after(self, thread: str, count: int) -> None:
        told = self._asking.invoke(count, self._on(thread), **self.options)
        assert told["__interrupt__"][0].value == {"total": count * (count + 1) // 2}

    def answer(self, thread: str, count: int, text: str) -> tuple[int, str]:
        del count
        given = self.names.command(resume=text)
        total, told = self._asking.invoke(given, self._on(thread), **self.options)
        return total, told

    def say(self, thread: str, text: str, reply: Callable[[int], str]) -> str:
        self._reply = reply
        return self._chat.invoke(text, self._on(thread), **self.options)

    def values(self, values: Sequence[bytes]) -> int:
        self._values = values
        return self._producing.invoke(len(values), self._on(), **self.options)

    def stream(self, count: int, pause: float) -> Iterator[float]:
        given = [count, pause]
        yield from self._speaking.stream(given, self._on(), stream_mode="custom", **self.options)
