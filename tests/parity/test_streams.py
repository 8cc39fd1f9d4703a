"""Streams: every mode, several at once, from nested workflows, in both versions."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

from tests.parity.parity import parity, thread


def _pipeline(api, **options):
    @api.task
    def step(x: int) -> int:
        api.get_stream_writer()({"at": x})
        return x + 1

    @api.entrypoint(**options)
    def workflow(x: int) -> int:
        api.get_stream_writer()("begin")
        return step(step(x).result()).result()

    return workflow


def _saved(api):
    return _pipeline(api, checkpointer=api.InMemorySaver())


@parity
def test_updates_are_the_default_mode(api, say):
    """Each task's result as it ends, then the workflow's."""
    say(list(_saved(api).stream(1, thread())))


@parity
def test_the_mode_values(api, say):
    """The end, once."""
    say(list(_saved(api).stream(1, thread(), stream_mode="values")))


@parity
def test_the_mode_custom(api, say):
    """What the program writes."""
    say(list(_saved(api).stream(1, thread(), stream_mode="custom")))


@parity
def test_the_mode_tasks(api, say):
    """Each task as it begins and as it ends."""
    say(list(_saved(api).stream(1, thread(), stream_mode="tasks")))


@parity
def test_the_mode_checkpoints(api, say):
    """The thread's state as it changes."""
    say(list(_saved(api).stream(1, thread(), stream_mode="checkpoints")))


@parity
def test_the_mode_debug(api, say):
    """Checkpoints and tasks with their step and time."""
    say(list(_saved(api).stream(1, thread(), stream_mode="debug")))


@parity
def test_several_modes(api, say):
    """A list of modes yields pairs."""
    modes = ["custom", "updates", "values", "tasks"]
    say(list(_saved(api).stream(1, thread(), stream_mode=modes)))


@parity
def test_a_list_of_one_mode(api, say):
    """A list of one mode yields pairs too."""
    say(list(_saved(api).stream(1, thread(), stream_mode=["custom"])))


@parity
def test_streams_without_a_checkpointer(api, say):
    """Nothing has to be kept for a stream."""
    for mode in ("updates", "values", "custom", "tasks"):
        say(list(_pipeline(api).stream(1, stream_mode=mode)))


@parity
def test_version_2_of_a_stream(api, say):
    """Typed parts: what, where, data."""
    modes = ["custom", "updates", "values"]
    say(list(_saved(api).stream(1, thread(), stream_mode=modes, version="v2")))
    say(list(_saved(api).stream(1, thread(), stream_mode="updates", version="v2")))


@parity
def test_version_2_of_invoke(api, say):
    """A value, and the questions that are open."""
    say(_saved(api).invoke(1, thread(), version="v2"))


@parity
def test_invoke_with_a_stream_mode(api, say):
    """``invoke`` returns the parts of any mode but ``values``."""
    say(_saved(api).invoke(1, thread(), stream_mode="updates"))
    say(_saved(api).invoke(1, thread(), stream_mode="custom"))


@parity
async def test_streams_of_coroutines(api, say):
    """Every mode in an event loop."""

    @api.task
    async def step(x: int, writer) -> int:
        writer({"at": x})
        return x + 1

    @api.entrypoint(checkpointer=api.InMemorySaver())
    async def workflow(x: int, writer) -> int:
        writer("begin")
        return await step(await step(x))

    modes = ["custom", "updates", "values", "tasks"]
    for number, mode in enumerate([*modes, modes]):
        parts = workflow.astream(1, thread(str(number)), stream_mode=mode)
        say([part async for part in parts])


@parity
def test_a_stream_is_live(api, say):
    """Parts come while the run goes on."""
    go = threading.Event()

    @api.task
    def first() -> str:
        return "first"

    @api.task
    def second() -> str:
        assert go.wait(30)
        return "second"

    @api.entrypoint()
    def workflow(x: int) -> list[str]:
        return [first().result(), second().result()]

    for part in workflow.stream(1):
        say(part)
        go.set()


@parity
async def test_a_stream_of_coroutines_is_live(api, say):
    """The same in an event loop."""
    go = asyncio.Event()

    @api.task
    async def first() -> str:
        return "first"

    @api.task
    async def second() -> str:
        await asyncio.wait_for(go.wait(), 30)
        return "second"

    @api.entrypoint()
    async def workflow(x: int) -> list[str]:
        return [await first(), await second()]

    async for part in workflow.astream(1):
        say(part)
        go.set()


@parity
def test_a_stream_of_a_run_that_fails(api, say):
    """Its parts come first, then the exception."""

    @api.task
    def good() -> str:
        return "good"

    @api.task
    def bad() -> str:
        raise ValueError("bad")

    @api.entrypoint()
    def workflow(x: int) -> str:
        return good().result() + bad().result()

    for mode in ("updates", "custom", "values"):
        parts: list[Any] = []

        def consume(mode=mode, parts=parts) -> None:
            parts.extend(workflow.stream(1, stream_mode=mode))

        say.attempt(consume, message=True)
        say(parts)


@parity
def test_the_mode_tasks_of_a_task_that_fails(api, say):
    """The failed task and the failed workflow end with their error."""

    @api.task
    def bad() -> str:
        raise ValueError("bad")

    @api.entrypoint()
    def workflow(x: int) -> str:
        return bad().result()

    parts: list[Any] = []
    say.attempt(lambda: parts.extend(workflow.stream(1, stream_mode="tasks")))
    say([{**part, "error": None} for part in parts])
    errors = [part["error"] for part in parts if part.get("error")]
    say(
        errors if isinstance(errors[0], str) else [type(one).__name__ for one in errors],
        langgraph=["ValueError", "ValueError"],
        durably=["ValueError: bad", "ValueError: bad"],
        why="The error in a stream part is text",
    )


@parity
def test_a_stream_that_waits(api, say):
    """It ends with the question."""

    @api.task
    def draft(x: str) -> str:
        return x + "!"

    @api.entrypoint(checkpointer=api.InMemorySaver())
    def workflow(x: str) -> str:
        return api.interrupt(draft(x).result())

    for number, mode in enumerate(("updates", "values", "tasks", ["updates", "values"])):
        config = thread(str(number))
        say(list(workflow.stream("tea", config, stream_mode=mode)))
        say(list(workflow.stream(api.Command(resume="ok"), config, stream_mode=mode)))


@parity
def test_version_2_of_a_run_that_waits(api, say):
    """Values tell the questions, and ``invoke`` returns them."""

    @api.entrypoint(checkpointer=api.InMemorySaver())
    def workflow(x: str) -> str:
        return api.interrupt(x)

    say(list(workflow.stream("tea", thread(), stream_mode=["values"], version="v2")))
    say(workflow.invoke("tea", thread("u"), version="v2").interrupts)
    say(workflow.invoke(api.Command(resume="ok"), thread("u"), version="v2"))


@parity
def test_parts_of_nested_workflows_are_told_on_request(api, say):
    """Without ``subgraphs`` only the outer workflow's; with it each with its place."""
    inner = _pipeline(api)

    @api.task
    def mine(x: int) -> int:
        return x * 10

    @api.entrypoint(checkpointer=api.InMemorySaver())
    def outer(x: int) -> int:
        return mine(inner.invoke(x)).result()

    say(list(outer.stream(1, thread("a"), stream_mode="updates")))
    say(list(outer.stream(1, thread("b"), stream_mode=["updates", "custom"])))
    parts = list(outer.stream(1, thread("c"), stream_mode=["updates"], subgraphs=True))
    say([(mode, data) for _, mode, data in parts])
    say([bool(place) for place, _, _ in parts])


@parity
def test_the_stream_of_a_nested_workflow(api, say):
    """A body may stream another workflow and use its parts."""
    inner = _pipeline(api)

    @api.entrypoint(checkpointer=api.InMemorySaver())
    def outer(x: int) -> list[Any]:
        return list(inner.stream(x, stream_mode="updates"))

    say(outer.invoke(1, thread()))


@parity
async def test_the_stream_of_a_nested_coroutine(api, say):
    """The same in an event loop."""

    @api.task
    async def step(x: int) -> int:
        return x + 1

    @api.entrypoint()
    async def inner(x: int) -> int:
        return await step(x)

    @api.entrypoint(checkpointer=api.InMemorySaver())
    async def outer(x: int) -> list[Any]:
        return [part async for part in inner.astream(x, stream_mode=["updates", "values"])]

    say(await outer.ainvoke(1, thread()))


@parity
def test_replayed_tasks_are_no_updates(api, say):
    """A continued run tells of what it does now, not of what was done before."""
    fail = [True]

    @api.task
    def first() -> str:
        return "first"

    @api.task
    def second() -> str:
        if fail:
            raise ValueError("not yet")
        return "second"

    @api.entrypoint(checkpointer=api.InMemorySaver())
    def workflow(x: int) -> str:
        return first().result() + second().result()

    say.attempt(lambda: list(workflow.stream(1, thread())))
    fail.clear()
    say(list(workflow.stream(None, thread(), stream_mode=["updates", "values"])))


@parity
def test_a_consumer_that_leaves_early(api, say):
    """Closing the stream is no error."""
    parts = _pipeline(api).stream(1)
    say(next(parts))
    parts.close()


@parity
def test_an_unknown_mode(api, say):
    """A mode that does not exist."""
    say.attempt(
        lambda: list(_pipeline(api).stream(1, stream_mode="nonsense")),
        langgraph=[],
        durably=("raised", "ValueError"),
        why="An unknown stream mode is an error",
    )


@parity
def test_modes_as_a_tuple(api, say):
    """A tuple of modes."""
    say(
        list(_pipeline(api).stream(1, stream_mode=("custom", "values"))),
        langgraph=["begin", {"at": 1}, {"at": 2}, 3],
        durably=[("custom", "begin"), ("custom", {"at": 1}), ("custom", {"at": 2}), ("values", 3)],
        why="A tuple of stream modes is a list of them",
    )
