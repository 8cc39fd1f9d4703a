"""Workflows that call workflows."""

from __future__ import annotations

import asyncio
from typing import Any

from tests.parity.parity import parity, thread


@parity
def test_calling_other_workflows(api, say):
    """The documentation's example."""

    @api.entrypoint()
    def multiply(inputs: dict) -> int:
        return inputs["a"] * inputs["b"]

    @api.entrypoint(checkpointer=api.InMemorySaver())
    def main(inputs: dict) -> dict:
        return {"product": multiply.invoke({"a": inputs["x"], "b": inputs["y"]})}

    say(main.invoke({"x": 6, "y": 7}, thread()))


@parity
def test_tasks_of_a_nested_workflow_are_durable(api, say):
    """They are the outer run's: not executed again when it is continued."""
    calls: list[str] = []

    @api.task
    def work(x: str) -> str:
        calls.append(x)
        return x

    @api.entrypoint()
    def inner(x: str) -> str:
        return work(x).result() + work(x * 2).result()

    @api.entrypoint(checkpointer=api.InMemorySaver())
    def outer(x: str) -> list[Any]:
        return [inner.invoke(x), inner.invoke(x + x), api.interrupt("?")]

    say(outer.invoke("a", thread()))
    say(outer.invoke(api.Command(resume=1), thread()))
    say(calls)


@parity
async def test_nested_coroutines(api, say):
    """In parallel, from bodies and from tasks."""

    @api.task
    async def work(x: int) -> int:
        await asyncio.sleep(0)
        return x + 1

    @api.entrypoint()
    async def inner(x: int) -> int:
        return await work(x)

    @api.task
    async def call(x: int) -> int:
        return await inner.ainvoke(x) * 10

    @api.entrypoint(checkpointer=api.InMemorySaver())
    async def outer(x: int) -> list[Any]:
        return [await inner.ainvoke(x), await asyncio.gather(call(1), call(2))]

    say(await outer.ainvoke(5, thread()))


@parity
def test_the_memory_of_a_nested_workflow(api, say):
    """None by default; with ``checkpointer=True`` one for each thread of its caller."""

    @api.entrypoint()
    def plain(x: int, previous: Any) -> list[Any]:
        return [x, previous]

    @api.entrypoint(checkpointer=True)
    def keeping(x: int, previous: Any) -> int:
        return x + (previous or 0)

    @api.entrypoint(checkpointer=api.InMemorySaver())
    def outer(x: int) -> list[Any]:
        return [plain.invoke(x), keeping.invoke(x)]

    say([outer.invoke(n, thread()) for n in (1, 2, 3)])
    say(outer.invoke(10, thread("u")))


@parity
def test_a_workflow_that_keeps_only_inside_others(api, say):
    """``checkpointer=True`` is not for a workflow of its own."""

    @api.entrypoint(checkpointer=True)
    def workflow(x: int) -> int:
        return x

    say.attempt(workflow.invoke, 1, thread())


@parity
def test_a_nested_workflow_with_a_saver_and_thread_of_its_own(api, say):
    """It is a run of its own."""

    @api.entrypoint(checkpointer=api.InMemorySaver())
    def inner(x: int, previous: Any) -> int:
        return x + (previous or 0)

    @api.entrypoint(checkpointer=api.InMemorySaver())
    def outer(x: int) -> int:
        return inner.invoke(x, thread("inner"))

    say([outer.invoke(n, thread()) for n in (1, 2)])
    say(inner.get_state(thread("inner")).values)


@parity
def test_a_nested_workflow_has_its_callers_surroundings(api, say):
    """Store, context and thread, unless it has its own."""
    store = api.InMemoryStore()
    other = api.InMemoryStore()

    def show(x: Any, runtime, store, config) -> list[Any]:
        return [store is other, runtime.context, config["configurable"]["thread_id"]]

    plain = api.entrypoint()(show)
    own = api.entrypoint(store=other)(show)

    @api.entrypoint(checkpointer=api.InMemorySaver(), store=store)
    def outer(x: int) -> list[Any]:
        return [plain.invoke(x), own.invoke(x), plain.invoke(x, context="mine")]

    found = outer.invoke(1, thread(), context={"user": "ann"})
    say([found[0], found[1][1:], found[2]])
    say(found[1][0], langgraph=False, durably=True, why="A nested workflow's own store is its own")


@parity
def test_what_a_nested_workflow_is_called_with(api, say):
    """The call's config adds to its caller's."""

    @api.entrypoint()
    def inner(x: int, config) -> list[Any]:
        place = config["configurable"]
        return [place["thread_id"], place.get("user"), place.get("extra"), config["metadata"]["m"]]

    @api.entrypoint(checkpointer=api.InMemorySaver())
    def outer(x: int) -> list[Any]:
        return inner.invoke(x, {"configurable": {"extra": 1}})

    config = {"configurable": {"thread_id": "t", "user": "ann"}, "metadata": {"m": "n"}}
    say(outer.invoke(1, config))


@parity
def test_final_of_a_nested_workflow(api, say):
    """Its caller gets the value."""

    @api.entrypoint()
    def inner(x: int) -> Any:
        return api.entrypoint.final(value=x, save=x * 2)

    @api.entrypoint(checkpointer=api.InMemorySaver())
    def outer(x: int) -> int:
        return inner.invoke(x)

    say(outer.invoke(1, thread()))


@parity
def test_a_failure_of_a_nested_workflow(api, say):
    """It is raised by the call, and can be caught there."""

    @api.entrypoint()
    def inner(x: int) -> int:
        raise ValueError(f"inner {x}")

    @api.entrypoint(checkpointer=api.InMemorySaver())
    def outer(x: int) -> str:
        try:
            return inner.invoke(x)
        except ValueError as error:
            if x == 2:
                raise
            return str(error)

    say(outer.invoke(1, thread()))
    say.attempt(outer.invoke, 2, thread(), message=True)


@parity
def test_a_batch_inside_a_workflow(api, say):
    """A nested workflow can be called with several inputs at once."""

    @api.entrypoint()
    def inner(x: int) -> int:
        return x * x

    @api.entrypoint(checkpointer=api.InMemorySaver())
    def outer(x: int) -> list[int]:
        return inner.batch([x, x + 1, x + 2])

    say(outer.invoke(1, thread()))


@parity
def test_version_2_of_a_nested_call(api, say):
    """A nested call can ask for an output object too."""

    @api.entrypoint()
    def inner(x: int) -> int:
        return x * x

    @api.entrypoint(checkpointer=api.InMemorySaver())
    def outer(x: int) -> Any:
        return inner.invoke(x, version="v2").value

    say(outer.invoke(3, thread()))


@parity
def test_a_workflow_that_calls_itself(api, say):
    """Recursion, three deep."""

    @api.entrypoint()
    def count(n: int) -> list[int]:
        return [n, *(count.invoke(n - 1) if n else [])]

    say(count.invoke(3))


@parity
def test_a_nested_workflow_with_a_checkpointer_of_its_own(api, say):
    """It is a part of its caller: its question surfaces, and it is not executed twice."""
    calls: list[Any] = []
    saver = api.InMemorySaver()

    @api.task
    def pay(x: int) -> int:
        calls.append(x)
        return x * 10

    @api.entrypoint(checkpointer=saver)
    def inner(x: int, *, previous: Any = None) -> list[Any]:
        return [pay(x).result(), api.interrupt("ok?"), previous]

    @api.entrypoint(checkpointer=saver)
    def without_config(x: int) -> Any:
        return inner.invoke(x)

    @api.entrypoint(checkpointer=saver)
    def with_config(x: int) -> Any:
        return inner.invoke(x, api.get_config())

    for name, outer in (("a", without_config), ("b", with_config)):
        say(outer.invoke(1, thread(name)))
        say(outer.invoke(api.Command(resume="yes"), thread(name)))
    say(calls)


@parity
def test_a_nested_workflow_on_a_thread_of_its_own(api, say):
    """A call that names another thread is a run there; its question is its value."""
    saver = api.InMemorySaver()

    @api.entrypoint(checkpointer=saver)
    def inner(x: int) -> Any:
        return api.interrupt(x)

    @api.entrypoint(checkpointer=saver)
    def outer(x: int) -> Any:
        return list(inner.invoke(x, thread("own")))

    say(outer.invoke(1, thread()))
    say(inner.invoke(api.Command(resume="yes"), thread("own")))


@parity
def test_finished_nested_workflows_are_not_executed_again(api, say):
    """With a checkpointer and without, when the caller is continued."""
    calls: list[Any] = []

    def body(x: int) -> int:
        calls.append(x)
        return x

    inner, saved = api.entrypoint()(body), api.entrypoint(checkpointer=api.InMemorySaver())(body)

    @api.entrypoint(checkpointer=api.InMemorySaver())
    def outer(x: int) -> list[Any]:
        return [inner.invoke(x), saved.invoke(x + 1), inner.invoke(x + 2), api.interrupt("?")]

    outer.invoke(1, thread())
    say(outer.invoke(api.Command(resume="yes"), thread()))
    say(calls)


@parity
def test_the_stream_of_a_nested_workflow(api, say):
    """Its default mode is that of any stream."""

    @api.task
    def work(x: int) -> int:
        return x + 1

    @api.entrypoint()
    def inner(x: int) -> int:
        return work(x).result()

    @api.entrypoint()
    def outer(x: int) -> list[Any]:
        return list(inner.stream(x))

    say(outer.invoke(1))
