"""What a library must be able to do to be measured."""

from __future__ import annotations

import os
import signal
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractAsyncContextManager, AbstractContextManager

from ..place import Place
from ..subjects import Subject


class FailingError(Exception):
    """What a program fails with when it is to be continued later."""


class Peer:
    """A library on one storage with one durability.

    Its methods run the same programs with every library, each run on a thread of its own unless
    one is named. What a library cannot do stays unimplemented, and is not measured. A step appends
    to `executed`, so that a scenario can tell how many steps were really executed in this process.

    Args:
        subject: Which library, storage and durability.
        place: Where it keeps its data.
    """

    def __init__(self, subject: Subject, place: Place) -> None:
        self.subject = subject
        self.place = place
        self.executed: list[int] = []
        self._dies_in = -1

    def opened(self) -> AbstractContextManager[None]:
        """Open the storage for plain programs."""
        raise NotImplementedError

    def aopened(self) -> AbstractAsyncContextManager[None]:
        """Open the storage for coroutines."""
        raise NotImplementedError

    def steps(self, count: int) -> int:
        """Run *count* steps one after another, each adding one to its number; return the sum."""
        raise NotImplementedError

    async def asteps(self, count: int) -> int:
        """Like :meth:`steps`, with coroutines."""
        raise NotImplementedError

    def fanout(self, count: int, seconds: float) -> list[int]:
        """Start *count* steps that sleep, then collect what they return: their numbers."""
        raise NotImplementedError

    async def afanout(self, count: int, seconds: float) -> list[int]:
        """Like :meth:`fanout`, with coroutines."""
        raise NotImplementedError

    def fail_after(self, thread: str, count: int) -> None:
        """Run *count* steps on *thread*, then fail."""
        raise NotImplementedError

    def go_on(self, thread: str, count: int) -> int:
        """Continue the run that failed; return the sum of its steps."""
        raise NotImplementedError

    def ask_after(self, thread: str, count: int) -> None:
        """Run *count* steps on *thread*, then ask a question and let the run wait."""
        raise NotImplementedError

    def answer(self, thread: str, count: int, text: str) -> tuple[int, str]:
        """Answer the question; return the sum of the steps and the answer as the run saw it."""
        raise NotImplementedError

    def say(self, thread: str, text: str, reply: Callable[[int], str]) -> str:
        """Take one turn of a conversation: one step is given all messages so far and replies.

        Args:
            thread: The conversation.
            text: What the user says.
            reply: The reply to a conversation of so many messages.
        """
        raise NotImplementedError

    def values(self, values: Sequence[bytes]) -> int:
        """Run a step for each value that returns it; return how many bytes came out."""
        raise NotImplementedError

    def stream(self, count: int, pause: float) -> Iterator[float]:
        """Yield *count* parts as the consumer sees them: when each was written, `perf_counter`."""
        raise NotImplementedError

    def tell(self, thread: str, count: int, pause: float) -> None:
        """Run *count* steps on *thread*, each of which tells, after a pause, when it ended."""
        raise NotImplementedError

    def hear(self, thread: str) -> Iterator[float]:
        """Yield what a run on *thread* tells that another process drives, until it ends."""
        raise NotImplementedError

    def disk(self) -> int:
        """Return how many bytes the closed storage holds."""
        match self.subject.storage:
            case "sqlite":
                return self.place.sqlite_bytes()
            case "postgres":
                return self.place.postgres_bytes()
            case _:
                return 0

    def die_in(self, thread: str, count: int, number: int) -> None:
        """Run *count* steps on *thread*; the process is killed in the middle of one of them."""
        self._dies_in = number
        self.fail_after(thread, count)

    def work(self, number: int) -> int:
        """Do what a step does."""
        if number == self._dies_in:
            os.kill(os.getpid(), signal.SIGKILL)
        self.executed.append(number)
        return number + 1


def new_thread() -> str:
    """Return an id for a run of its own."""
    return uuid.uuid4().hex
