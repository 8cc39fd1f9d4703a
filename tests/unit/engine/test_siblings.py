"""Equal and different calls side by side, in processes that each end after one more step."""

from __future__ import annotations

import asyncio
import itertools
import threading
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

import durably
from durably.errors import StorageError
from durably.testing import StoppingStorage

CONFIG = {"configurable": {"thread_id": "t"}}
TEXTS = ("aa", "aba", "aab", "aaa")


class Post:
    """A service that counts what is sent, and that ends the calls of a process in a given order.

    Args:
        order: The numbers of the calls, the first to end first.
    """

    def __init__(self, order: tuple[int, ...]) -> None:
        self._order = order
        self._turn = threading.Condition()
        self._waits: set[int] = set()
        self.sent: list[str] = []

    def send(self, number: int, text: str) -> str:
        """Send a text when no call that ends earlier is under way."""
        self.begin(number)
        with self._turn:
            self._turn.wait_for(lambda: self.is_next(number), timeout=5)
            return self.end(number, text)

    def begin(self, number: int) -> None:
        with self._turn:
            self._waits.add(number)

    def is_next(self, number: int) -> bool:
        return min(self._waits, key=self._order.index) == number

    def end(self, number: int, text: str) -> str:
        with self._turn:
            self._waits.discard(number)
            self.sent.append(text)
            self._turn.notify_all()
            return f"{text}{len(self.sent)}"


def coroutines(post: Post, texts: str) -> Callable[..., Any]:
    """Return a flow that awaits its calls together."""
    numbers = itertools.count()

    @durably.task
    async def send(text: str) -> str:
        number = next(numbers) % len(texts)
        post.begin(number)
        await asyncio.sleep(0.02)  # all have begun by then
        return await asyncio.to_thread(post.send, number, text)

    async def flow(_: Any) -> list[str]:
        return await asyncio.gather(*(send(text) for text in texts))

    return flow


def threads(post: Post, texts: str) -> Callable[..., Any]:
    """Return a flow that waits for its calls once all are under way."""
    numbers = itertools.count()

    @durably.task
    def send(text: str) -> str:
        return post.send(next(numbers) % len(texts), text)

    def flow(_: Any) -> list[str]:
        futures = [send(text) for text in texts]
        return [future.result() for future in futures]

    return flow


def outcomes(host: durably.Host) -> list[tuple[bytes, int]]:
    """Return the identities of the steps that the journal holds an outcome of."""
    records = (entry.record for entry in host.journal.read("t"))
    return [(one.print, one.nth) for one in records if type(one).__name__ == "StepEnded"]


@pytest.mark.parametrize("made", [coroutines, threads])
@pytest.mark.parametrize("texts", TEXTS)
def test_each_process_gets_one_step_further(made, texts):
    """In whatever order the calls end: no outcome is lost, and no recorded step is executed."""
    for order in itertools.permutations(range(len(texts))):
        storage = StoppingStorage()
        host = durably.Host(storage)
        given: Any = 1
        post = Post(order)
        for _ in range(len(texts) + 1):
            flow = durably.entrypoint(checkpointer=host)(made(post, texts))
            storage.stop_after(1)
            try:
                got = asyncio.run(flow.ainvoke(given, CONFIG))
                break
            except StorageError:
                given = None
        else:
            pytest.fail(f"{order}: {len(texts) + 1} processes were not enough: {post.sent}")
        recorded = outcomes(host)
        assert len(recorded) == len(set(recorded)) == len(texts), order
        assert [text[0] for text in got] == list(texts), order
        assert len(set(got)) == len(texts), order
        host.close()


def test_equal_calls_keep_their_own_outcomes():
    """The outcome of the last of them is not given to the first, which had not ended."""
    storage = StoppingStorage()
    host = durably.Host(storage)
    post = Post((2, 1, 0))
    storage.stop_after(1)
    with pytest.raises(StorageError):
        asyncio.run(
            durably.entrypoint(checkpointer=host)(coroutines(post, "aaa")).ainvoke(1, CONFIG)
        )
    storage.stop_after(None)
    first = Counter(post.sent)
    flow = durably.entrypoint(checkpointer=host)(coroutines(post, "aaa"))
    got = asyncio.run(flow.ainvoke(None, CONFIG))
    assert got[2] == "a1"
    assert Counter(post.sent) - first == Counter("aa")
