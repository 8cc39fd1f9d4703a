"""Where a program of tasks calls an object of a framework: directly or in a task, alone or not."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import durably
from durably import entrypoint, task

from .objects import Means, World

Flow = Callable[[durably.Host, Means, World], Any]


def _tasks(means: Means, world: World) -> tuple[Any, Any]:
    @task
    def plain(to: str) -> str:
        return means.run(world, to)

    @task
    async def coroutine(to: str) -> str:
        return await means.arun(world, to)

    return plain, coroutine


def straight(host: durably.Host, means: Means, world: World) -> Any:
    """Call the object in the body of a plain entrypoint."""

    @entrypoint(checkpointer=host)
    def flow(names: list[str]) -> list[str]:
        return [means.run(world, to) for to in names]

    return flow


def straight_async(host: durably.Host, means: Means, world: World) -> Any:
    """Call the object in the body of a coroutine."""

    @entrypoint(checkpointer=host)
    async def flow(names: list[str]) -> list[str]:
        return [await means.arun(world, to) for to in names]

    return flow


def straight_gather(host: durably.Host, means: Means, world: World) -> Any:
    """Call an object for each letter at once."""

    @entrypoint(checkpointer=host)
    async def flow(names: list[str]) -> list[str]:
        return list(await asyncio.gather(*(means.arun(world, to) for to in names)))

    return flow


def plain_task(host: durably.Host, means: Means, world: World) -> Any:
    """Call the object in one task after the other."""
    plain, _ = _tasks(means, world)

    @entrypoint(checkpointer=host)
    def flow(names: list[str]) -> list[str]:
        return [plain(to).result() for to in names]

    return flow


def plain_tasks_at_once(host: durably.Host, means: Means, world: World) -> Any:
    """Call an object in each of several tasks that run in threads."""
    plain, _ = _tasks(means, world)

    @entrypoint(checkpointer=host)
    def flow(names: list[str]) -> list[str]:
        return [future.result() for future in [plain(to) for to in names]]

    return flow


def async_task(host: durably.Host, means: Means, world: World) -> Any:
    """Call the object in one coroutine task after the other."""
    _, coroutine = _tasks(means, world)

    @entrypoint(checkpointer=host)
    async def flow(names: list[str]) -> list[str]:
        return [await coroutine(to) for to in names]

    return flow


def gathered_tasks(host: durably.Host, means: Means, world: World) -> Any:
    """Call an object in each of several coroutine tasks at once."""
    _, coroutine = _tasks(means, world)

    @entrypoint(checkpointer=host)
    async def flow(names: list[str]) -> list[str]:
        return list(await asyncio.gather(*(coroutine(to) for to in names)))

    return flow


def plain_in_async(host: durably.Host, means: Means, world: World) -> Any:
    """Call an object in each of several plain tasks of a coroutine."""
    plain, _ = _tasks(means, world)

    @entrypoint(checkpointer=host)
    async def flow(names: list[str]) -> list[str]:
        return list(await asyncio.gather(*(plain(to) for to in names)))

    return flow


PLACES: tuple[Flow, ...] = (
    straight,
    straight_async,
    straight_gather,
    plain_task,
    plain_tasks_at_once,
    async_task,
    gathered_tasks,
    plain_in_async,
)
