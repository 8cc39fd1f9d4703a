"""What the runtime fills in: config, context, store, writer, previous value, runtime."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any

import pytest
from langchain_core.runnables import RunnableConfig
from tests.parity.parity import parity, thread
from typing_extensions import TypedDict


@parity
def test_what_is_injected_into_workflows(api, say):
    """``config``, ``previous``, ``store``, ``writer`` and ``runtime`` are filled in by name."""
    store = api.InMemoryStore()

    @api.entrypoint(checkpointer=api.InMemorySaver(), store=store)
    def workflow(x: Any, *, previous: Any, config: RunnableConfig, store, writer, runtime) -> dict:
        writer("written")
        return {
            "previous": previous,
            "thread": config["configurable"]["thread_id"],
            "user": config["configurable"].get("user"),
            "tags": config["tags"],
            "note": config["metadata"].get("note"),
            "store": store is runtime.store,
            "runtime previous": runtime.previous,
            "context": runtime.context,
        }

    config = {
        "configurable": {"thread_id": "t", "user": "ann"},
        "tags": ["a"],
        "metadata": {"note": "n"},
    }
    say(workflow.invoke({"x": 1}, config))
    say(list(workflow.stream({"x": 2}, config, stream_mode="custom")))
    say(workflow.get_state(config).values["previous"]["previous"])


@parity
def test_what_is_injected_into_tasks(api, say):
    """Tasks are filled in too; what the caller gives by keyword wins."""

    @api.task
    def show(x: int, config: RunnableConfig, *, store=None, writer=None, runtime=None) -> list[Any]:
        writer({"x": x})
        return [config["configurable"]["thread_id"], store, runtime.context]

    @api.entrypoint(checkpointer=api.InMemorySaver())
    def workflow(x: int) -> list[Any]:
        mine = show(2, config={"configurable": {"thread_id": "mine"}}).result()
        return [show(x).result(), mine]

    say(workflow.invoke(1, thread(), context={"c": 1}))
    say(list(workflow.stream(1, thread("u"), stream_mode="custom")))


@parity
def test_injected_values_given_by_keyword_win(api, say):
    """A task's caller may fill in what the runtime would."""

    @api.task
    def show(store=None, writer=None, previous=None, runtime=None, config=None) -> list[Any]:
        return [store, writer, previous, runtime, config]

    @api.entrypoint()
    def workflow(x: int) -> list[Any]:
        return show(store=1, writer=2, previous=3, runtime=4, config=5).result()

    say(workflow.invoke(1))


@parity
def test_a_config_with_another_annotation_is_not_injected(api, say):
    """``config: dict`` is the program's own parameter, and a warning says so."""

    def show(x: int, config: int = 3) -> int:
        return x + config

    def run() -> int:
        shown = api.task(show)

        @api.entrypoint()
        def workflow(x: int) -> int:
            return shown(x).result()

        return workflow.invoke(1)

    with pytest.warns(UserWarning, match="config"):
        found = run()
    say(found)


@parity
def test_helpers_find_the_run(api, say):
    """``get_config``, ``get_store``, ``get_runtime`` and ``get_stream_writer`` work anywhere."""
    store = api.InMemoryStore()

    @api.task
    def inside() -> list[Any]:
        api.get_stream_writer()("from the task")
        return [
            api.get_config()["configurable"]["thread_id"],
            api.get_store() is store,
            api.get_runtime().context,
        ]

    @api.entrypoint(checkpointer=api.InMemorySaver(), store=store)
    def workflow(x: int) -> list[Any]:
        api.get_stream_writer()("from the body")
        return [api.get_config()["configurable"]["thread_id"], inside().result()]

    say(list(workflow.stream(1, thread(), stream_mode=["custom", "values"], context="here")))


@parity
async def test_helpers_find_the_run_of_coroutines(api, say):
    """The same in coroutines."""

    @api.task
    async def inside() -> list[Any]:
        api.get_stream_writer()("from the task")
        await asyncio.sleep(0)
        return [api.get_config()["configurable"]["thread_id"], api.get_runtime().context]

    @api.entrypoint(checkpointer=api.InMemorySaver())
    async def workflow(x: int) -> list[Any]:
        return await asyncio.gather(inside(), inside())

    parts = workflow.astream(1, thread(), stream_mode=["custom", "values"], context="here")
    say([part async for part in parts])


@parity
def test_context_is_made_into_its_schema(api, say):
    """A mapping becomes the dataclass; an object stays itself; none is None."""

    @dataclass
    class Context:
        user: str
        level: int = 1

    @api.entrypoint(context_schema=Context)
    def workflow(x: int, runtime) -> list[Any]:
        return [type(runtime.context).__name__, getattr(runtime.context, "level", None)]

    say(workflow.invoke(1, context={"user": "ann"}))
    say(workflow.invoke(1, context=Context("bob", 2)))
    say(workflow.invoke(1))
    say.attempt(workflow.invoke, 1, context={"wrong": 1})


@parity
def test_a_typed_dict_as_context(api, say):
    """A context of a TypedDict stays the mapping that was given."""

    class Context(TypedDict):
        user: str

    @api.task
    def who() -> str:
        return api.get_runtime(Context).context["user"]

    @api.entrypoint(context_schema=Context)
    def workflow(x: int) -> str:
        return who().result()

    say(workflow.invoke(1, context={"user": "ann"}))


@parity
def test_execution_info(api, say):
    """The runtime tells thread, attempt and run."""

    @api.entrypoint(checkpointer=api.InMemorySaver())
    def workflow(x: int, runtime) -> list[Any]:
        info = runtime.execution_info
        return [info.thread_id, info.node_attempt, info.checkpoint_id != "", info.task_id != ""]

    say(workflow.invoke(1, thread()))


@parity
def test_the_input_is_the_first_parameter_whatever_it_is_called(api, say):
    """A workflow whose input is called ``config`` gets its input there."""

    @api.entrypoint()
    def workflow(config) -> Any:
        return config

    say.attempt(
        workflow.invoke,
        {"mine": 1},
        langgraph=("raised", "TypeError"),
        durably={"mine": 1},
        why="The first parameter is the input, whatever it is called",
    )
