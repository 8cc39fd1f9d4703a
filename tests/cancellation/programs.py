"""Random programs: entrypoints of tasks, gathers, nested entrypoints, questions and streams."""

from __future__ import annotations

import asyncio
import random
import threading
import time
from collections import Counter
from typing import Any

from durably import entrypoint, get_stream_writer, interrupt, task

KINDS = ("step", "thread", "gather", "begun", "group", "nested", "ask", "write", "pause", "timeout")


class World:
    """What a program does to the outside, and what of it is under way.

    Attributes:
        effects: How often each step was done.
        busy: Bodies that are being executed.
    """

    def __init__(self) -> None:
        self.effects: Counter[int] = Counter()
        self.busy = 0
        self._lock = threading.Lock()

    def begin(self) -> None:
        """Count a body in."""
        with self._lock:
            self.busy += 1

    def end(self) -> None:
        """Count a body out."""
        with self._lock:
            self.busy -= 1

    def do(self, number: int) -> None:
        """Do what must not be done twice."""
        with self._lock:
            self.effects[number] += 1


class Program:
    """One random program, the same for the same *choices*.

    Args:
        choices: Makes it.
        host: Where its runs are kept.
        world: What it does things to.
        is_async: Whether the entrypoint is a coroutine function.

    Attributes:
        flow: The entrypoint.
        expected: What it returns.
        steps: How many steps with effects it has.
    """

    def __init__(self, choices: random.Random, host: Any, world: World, *, is_async: bool) -> None:
        self._world = world
        self.steps = 0
        kinds = KINDS if is_async else ("step", "gather", "nested", "ask", "write")
        parts = [self._part(choices, kinds) for _ in range(choices.randint(1, 5))]
        self.expected = [value for part in parts for value in self._value(part)]
        self._make_tasks()
        self.flow = self._async_flow(host, parts) if is_async else self._plain_flow(host, parts)

    def _part(self, choices: random.Random, kinds: tuple[str, ...]) -> tuple[str, list[Any]]:
        kind = choices.choice(kinds)
        count = {"gather": 3, "begun": 3, "group": 3, "ask": 1, "write": 1, "pause": 0}.get(kind, 1)
        numbers = []
        for _ in range(choices.randint(1, count) if count else 0):
            numbers.append((self.steps, choices.choice((0, 0, 1, 2, 3))))
            self.steps += 1
        if kind == "ask":
            self.steps -= 1
            return kind, [f"question {choices.random()}"]
        return kind, numbers

    @staticmethod
    def _value(part: tuple[str, list[Any]]) -> list[Any]:
        kind, numbers = part
        return ["answer"] if kind == "ask" else [number for number, _ in numbers]

    def _make_tasks(self) -> None:
        world = self._world

        @task
        async def step(number: int, rounds: int) -> int:
            world.begin()
            try:
                for _ in range(rounds):
                    await asyncio.sleep(0)
                world.do(number)
                return number
            finally:
                world.end()

        @task
        def plain(number: int, rounds: int) -> int:
            world.begin()
            try:
                if rounds:
                    time.sleep(0.0005 * rounds)
                world.do(number)
                return number
            finally:
                world.end()

        @task
        async def writes(number: int, rounds: int) -> int:
            for word in range(rounds):
                get_stream_writer()(word)
                await asyncio.sleep(0)
            world.do(number)
            return number

        @entrypoint()
        async def nested(given: list[int]) -> int:
            return await step(*given)

        @entrypoint()
        def plain_nested(given: list[int]) -> int:
            return plain(*given).result()

        self._step, self._plain, self._writes = step, plain, writes
        self._nested, self._plain_nested = nested, plain_nested

    def _async_flow(self, host: Any, parts: list[tuple[str, list[Any]]]) -> Any:
        @entrypoint(checkpointer=host)
        async def flow(_: int) -> list[Any]:
            found: list[Any] = []
            for kind, numbers in parts:
                found += await self._do(kind, numbers)
            return found

        return flow

    async def _do(self, kind: str, numbers: list[Any]) -> list[Any]:
        if kind == "ask":
            return [interrupt(numbers[0])]
        if kind == "pause":
            await asyncio.sleep(0.0002)
        if kind in ("gather", "begun", "group"):
            return await self._do_side_by_side(kind, numbers)
        if kind == "nested":
            return [await self._nested.ainvoke(list(one)) for one in numbers]
        if kind == "timeout":
            async with asyncio.timeout(60):
                return [await self._step(*one) for one in numbers]
        made = {"thread": self._plain, "write": self._writes}.get(kind, self._step)
        return [await made(*one) for one in numbers]

    async def _do_side_by_side(self, kind: str, numbers: list[Any]) -> list[Any]:
        if kind == "gather":
            return list(await asyncio.gather(*(self._step(*one) for one in numbers)))
        if kind == "begun":
            begun = [self._plain(*one) for one in numbers]
            return [await one for one in begun]
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(self._awaited(one)) for one in numbers]
        return [one.result() for one in tasks]

    async def _awaited(self, one: tuple[int, int]) -> Any:
        return await self._step(*one)

    def _plain_flow(self, host: Any, parts: list[tuple[str, list[Any]]]) -> Any:
        @entrypoint(checkpointer=host)
        def flow(_: int) -> list[Any]:
            found: list[Any] = []
            for kind, numbers in parts:
                if kind == "ask":
                    found.append(interrupt(numbers[0]))
                elif kind == "nested":
                    found += [self._plain_nested.invoke(list(one)) for one in numbers]
                else:
                    begun = [self._plain(*one) for one in numbers]
                    found += [one.result() for one in begun]
            return found

        return flow
