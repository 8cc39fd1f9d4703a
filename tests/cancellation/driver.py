"""Plays one seed: a program that is cancelled at some round, continued, and cancelled again."""

from __future__ import annotations

import asyncio
import random
import threading
import time
from pathlib import Path
from typing import Any

from durably import Command, Host, MemoryStorage
from durably.errors import ResumeError

from .interruptions import CANCELLED, PATIENCE, WAYS, CountingLoop
from .programs import Program, World

THREAD = "thread"
CONFIG = {"configurable": {"thread_id": THREAD}}


class Play:
    """One seed.

    Args:
        seed: Its number.
        file: Where a journal in SQLite lies.
        store: URL of the journal, which is else in memory or in the file.
    """

    def __init__(self, seed: int, file: Path, store: str = "") -> None:
        self._choices = random.Random(seed)
        self.storage = self._choices.choice(("memory", "sqlite"))
        self.durability = self._choices.choice(("sync", "sync", "power", "async"))
        self.is_async = self._choices.random() < 0.75
        self.call = self._choices.choice(("ainvoke", "ainvoke", "astream", "left stream", "abatch"))
        own = MemoryStorage() if self.storage == "memory" else f"sqlite:///{file}"
        self._host = Host(store or own, config=False)
        self._world = World()
        self._program = Program(self._choices, self._host, self._world, is_async=self.is_async)
        self.told: list[str] = []
        self._said: list[dict[str, Any]] = []

    def __str__(self) -> str:
        kind = "async" if self.is_async else "plain"
        return f"{kind} {self.storage} {self.durability} {self.call}: {'; '.join(self.told)}"

    def play(self) -> None:
        """Play it.

        Raises:
            AssertionError: It hangs, leaves something behind, or comes to another result.
        """
        with asyncio.Runner(loop_factory=CountingLoop) as runner:
            runner.run(self._played())
        self._host.close()
        assert not self._said, f"the event loop complains: {self._said}"

    async def _played(self) -> None:
        asyncio.get_running_loop().set_exception_handler(lambda _, said: self._said.append(said))
        for _ in range(self._choices.randint(1, 3)):
            way, rounds = self._choices.choice(WAYS), int(self._choices.expovariate(1 / 12))
            loop = asyncio.get_running_loop()
            assert isinstance(loop, CountingLoop)
            result = await way(loop, self._next_call, rounds)
            loop.in_rounds(0, lambda: None)
            self.told.append(f"{way.__name__} in {rounds}: {'' if result is CANCELLED else result}")
            await self._check_nothing_left()
        for _ in range(20):
            result = await asyncio.wait_for(self._invoke(), PATIENCE)
            if "__interrupt__" not in result:
                break
        assert result == self._program.expected, f"{result} instead of {self._program.expected}"
        assert self._is_whole(), f"done {dict(self._world.effects)}, {self._program.steps} steps"

    def _is_whole(self) -> bool:
        return self._world.effects == dict.fromkeys(range(self._program.steps), 1)

    async def _check_nothing_left(self) -> None:
        """Check that the call has left no task, no body and no lease behind."""
        left = asyncio.all_tasks() - {asyncio.current_task()}
        assert not left, f"tasks left: {left}"
        assert self._world.busy == 0, f"{self._world.busy} bodies left"
        self._host.journal.busy(THREAD)
        streams = [one for one in threading.enumerate() if one.name == "durably-stream"]
        assert not streams, f"threads left: {streams}"

    async def _next_call(self) -> Any:
        """Begin the program, or continue it, in the way that this seed calls it."""
        flow, options = self._program.flow, {"durability": self.durability}
        given = self._given()
        if self.call == "ainvoke":
            return await flow.ainvoke(given, CONFIG, **options)
        if self.call == "abatch":
            return (await flow.abatch([given], [CONFIG], **options))[0]
        parts = flow.astream(given, CONFIG, stream_mode=["updates", "custom"], **options)
        if self.call == "astream":
            return [part async for part in parts]
        async for _ in parts:
            if self._choices.random() < 0.3:
                break
        await parts.aclose()
        return None

    async def _invoke(self) -> Any:
        return await self._program.flow.ainvoke(self._given(), CONFIG)

    def _given(self) -> Any:
        """Return what the next call is given: the input, None, or an answer."""
        try:
            state = self._program.flow.get_state(CONFIG)
        except ResumeError:
            return 1
        if state.created_at is None:
            return 1
        return Command(resume="answer") if state.interrupts else None


def play(seed: int, folder: Path, store: str = "") -> None:
    """Play one seed.

    Args:
        seed: Its number.
        folder: Where a journal in SQLite may lie.
        store: URL of the journal; it is emptied of what an earlier seed left by the caller.

    Raises:
        AssertionError: It failed; the message names the seed and what was done.
    """
    file = folder / f"{seed}.db"
    one = Play(seed, file, store)
    began = time.monotonic()
    try:
        one.play()
    except BaseException as error:
        error.add_note(f"seed {seed} ({one}) after {time.monotonic() - began:.1f} s")
        raise
    finally:
        for path in folder.glob(f"{seed}.db*"):
            path.unlink()
