"""What type checkers are to say of programs; checked by ``test_types.py``, never run."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from typing import Any, assert_type

import durably
from durably import CachePolicy, InMemorySaver, RetryPolicy, Runtime, Task, entrypoint, task


@task
def plain(x: int, *, note: str = "") -> str:
    return note * x


@task
async def awaited(x: int) -> list[str]:
    return [str(x)]


@task(name="other", retry_policy=RetryPolicy(max_attempts=2), cache_policy=CachePolicy(ttl=60))
def configured(x: int) -> float:
    return x / 2


@task(timeout=5)
async def configured_awaited(x: int) -> bytes:
    return bytes(x)


@dataclass
class Context:
    user: str


@dataclass
class Review:
    ok: bool


@entrypoint(checkpointer=InMemorySaver(), context_schema=Context)
def workflow(
    x: int, *, previous: int | None, runtime: Runtime[Context]
) -> entrypoint.final[str, int]:
    assert_type(plain(x, note="n").result(), str)
    assert_type(configured(x).result(), float)
    assert_type([future.result() for future in [plain(1), plain(2)]], list[str])
    assert_type(runtime.context.user, str)
    assert_type(durably.interrupt("?", response_schema=Review), Review)
    assert_type(durably.get_runtime(Context).context, Context)
    return entrypoint.final(value="v", save=(previous or 0) + x)


@entrypoint()
async def coroutine(x: int) -> list[str]:
    assert_type(await awaited(x), list[str])
    assert_type(await plain(x), str)
    assert_type(await configured_awaited(x), bytes)
    assert_type(await asyncio.gather(plain(1), awaited(2)), tuple[str, list[str]])
    return await awaited(x)


def signatures() -> None:
    assert_type(plain.name, str)
    made: Task[Any, Any] = plain
    made.clear_cache(None)
    plain("1")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    plain(1, wrong=2)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    awaited()  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]


def calls() -> None:
    config = {"configurable": {"thread_id": "t"}}
    workflow.invoke(1, config)
    parts: Iterator[Any] = workflow.stream(1, config, stream_mode=["updates", "values"])
    more: AsyncIterator[Any] = coroutine.astream(1)
    state = workflow.get_state(config)
    assert_type(state.next, tuple[str, ...])
    assert_type(state.interrupts, tuple[durably.Interrupt, ...])
    final = entrypoint.final(value=1, save="s")
    assert_type(final.value, int)
    assert_type(final.save, str)
    del parts, more
