"""Cancelled tasks, and code that raises a CancelledError itself."""

from __future__ import annotations

import asyncio

from tests.parity.parity import parity, thread


@parity
async def test_a_cancelled_gather(api, say):
    """In the round of the loop in which its tasks were to begin."""

    @api.task
    async def step(n: int) -> int:
        await asyncio.sleep(0.05)
        return n

    @api.entrypoint(checkpointer=api.InMemorySaver())
    async def main(_: int) -> str:
        gathered = asyncio.gather(step(1), step(2))
        await asyncio.sleep(0)
        gathered.cancel()
        try:
            return str(await gathered)
        except asyncio.CancelledError:
            return "cancelled"

    say(await asyncio.wait_for(main.ainvoke(1, thread()), 30))


@parity
async def test_a_cancelled_error_of_a_tasks_own(api, say):
    """It is a failure of the task, which the workflow may survive."""

    @api.task
    async def coroutine() -> None:
        raise asyncio.CancelledError

    @api.task
    def plain() -> None:
        raise asyncio.CancelledError

    @api.entrypoint(checkpointer=api.InMemorySaver())
    async def catches(_: int) -> list[str]:
        found = await asyncio.gather(coroutine(), plain(), return_exceptions=True)
        return [f"{type(one).__name__}: {one}" for one in found]

    @api.entrypoint(checkpointer=api.InMemorySaver())
    async def fails(_: int) -> None:
        await coroutine()

    say(await catches.ainvoke(1, thread()))
    await say.aattempt(fails.ainvoke, 1, thread())


@parity
def test_a_cancelled_error_in_plain_code(api, say):
    """The same for a plain workflow."""

    @api.task
    def work() -> None:
        raise asyncio.CancelledError

    @api.entrypoint(checkpointer=api.InMemorySaver())
    def main(_: int) -> None:
        work().result()

    say.attempt(main.invoke, 1, thread())


@parity
async def test_a_workflow_that_raises_a_cancelled_error(api, say):
    """Its own code's: it has failed, and its caller was not cancelled."""

    @api.entrypoint(checkpointer=api.InMemorySaver())
    async def main(_: int) -> None:
        raise asyncio.CancelledError

    await say.aattempt(main.ainvoke, 1, thread())
