"""Workflows among langchain-core's runnables, models, callbacks and events."""

from __future__ import annotations

from typing import Any

from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.language_models.fake_chat_models import GenericFakeChatModel
from langchain_core.messages import AIMessage
from langchain_core.runnables import Runnable, RunnableLambda
from tests.parity.parity import parity, thread


class Hearer(BaseCallbackHandler):
    """Notes what it hears, with who is whose part."""

    run_inline = True

    def __init__(self) -> None:
        self.heard: list[Any] = []
        self._names: dict[Any, str | None] = {}

    def on_chain_start(self, serialized, inputs, *, run_id, parent_run_id=None, **more) -> None:
        self._names[run_id] = more.get("name")
        self.heard.append(("start", more.get("name"), inputs, self._names.get(parent_run_id)))

    def on_chain_end(self, outputs, *, run_id, **more) -> None:
        self.heard.append(("end", self._names[run_id], outputs))

    def on_chain_error(self, error, *, run_id, **more) -> None:
        self.heard.append(("error", self._names[run_id], str(error)))

    def on_chat_model_start(self, serialized, messages, *, run_id, parent_run_id, **more) -> None:
        self.heard.append(("model", self._names.get(parent_run_id)))

    def inside(self) -> list[Any]:
        """Return what was heard of, without the graph that LangGraph puts around a workflow."""
        return [one for one in self.heard if "LangGraph" not in one[:2]]


def _without_graph(heard: list[Any]) -> list[Any]:
    return [tuple(None if part == "LangGraph" else part for part in one) for one in heard]


def _model(text: str = "hello there") -> GenericFakeChatModel:
    return GenericFakeChatModel(messages=iter([AIMessage(text)] * 20))


@parity
def test_a_workflow_is_a_runnable(api, say):
    """It can be piped, bound, mapped, and given a config."""

    @api.entrypoint()
    def double(x: int) -> int:
        return 2 * x

    say(isinstance(double, Runnable))
    say((double | RunnableLambda(lambda x: x + 1)).invoke(5))
    say((RunnableLambda(lambda x: x + 1) | double).invoke(5))
    say((double | double).batch([1, 2]))
    say((double | str).invoke(4))


@parity
def test_a_workflow_with_a_config(api, say):
    """``with_config`` keeps a config for later calls."""

    @api.entrypoint(checkpointer=api.InMemorySaver())
    def workflow(x: int, config, previous) -> list[Any]:
        return [config["configurable"]["thread_id"], config["metadata"].get("m"), previous is None]

    bound = workflow.with_config({"configurable": {"thread_id": "bound"}, "metadata": {"m": 1}})
    say(bound.invoke(1))
    say(bound.invoke(2))


@parity
async def test_a_workflow_in_a_pipeline_of_coroutines(api, say):
    """``ainvoke``, ``abatch`` and ``astream`` of a pipeline."""

    @api.entrypoint()
    async def double(x: int) -> int:
        return 2 * x

    pipeline = RunnableLambda(lambda x: x + 1) | double
    say(await pipeline.ainvoke(1))
    say(await pipeline.abatch([1, 2]))


@parity
def test_schemas_of_input_and_output(api, say):
    """They follow the function's annotations."""

    @api.entrypoint()
    def workflow(x: int) -> str:
        return str(x)

    def body(x: int) -> Any:
        return api.entrypoint.final(value=x, save=str(x))

    body.__annotations__["return"] = api.entrypoint.final[int, str]
    for one in (workflow, api.entrypoint()(body)):
        say(one.get_input_jsonschema()["type"])
        say(one.get_output_jsonschema()["type"])


@parity
def test_callbacks_hear_workflows_and_tasks(api, say):
    """Each with its name, its input, its result, and what it is a part of."""

    @api.task
    def add(x: int, y: int = 1) -> int:
        return RunnableLambda(lambda value: value + y, name="adder").invoke(x)

    @api.entrypoint(checkpointer=api.InMemorySaver())
    def workflow(x: int) -> int:
        return add(add(x).result(), y=5).result()

    hearer = Hearer()
    say(workflow.invoke(1, {**thread(), "callbacks": [hearer]}))
    say(_without_graph(hearer.inside()))


@parity
async def test_callbacks_hear_coroutines(api, say):
    """The same in an event loop."""

    @api.task
    async def add(x: int) -> int:
        return await RunnableLambda(lambda value: value + 1, name="adder").ainvoke(x)

    @api.entrypoint()
    async def workflow(x: int) -> int:
        return await add(x)

    hearer = Hearer()
    say(await workflow.ainvoke(1, {"callbacks": [hearer]}))
    say(_without_graph(hearer.inside()))


@parity
def test_callbacks_hear_failures(api, say):
    """A task that fails, and the workflow that fails of it."""

    @api.task
    def fail(x: int) -> int:
        raise ValueError(f"no {x}")

    @api.entrypoint()
    def workflow(x: int) -> int:
        return fail(x).result()

    hearer = Hearer()
    say.attempt(workflow.invoke, 1, {"callbacks": [hearer]})
    say(_without_graph(hearer.inside()))


@parity
def test_callbacks_hear_only_what_is_done_now(api, say):
    """Replayed tasks are not heard of again."""

    @api.task
    def work(x: int) -> int:
        return x + 1

    @api.entrypoint(checkpointer=api.InMemorySaver())
    def workflow(x: int) -> list[Any]:
        return [work(x).result(), api.interrupt("?"), work(10).result()]

    workflow.invoke(1, thread())
    hearer = Hearer()
    say(workflow.invoke(api.Command(resume=2), {**thread(), "callbacks": [hearer]}))
    say([one[:2] for one in hearer.inside()])


@parity
def test_the_outermost_run_that_callbacks_hear_of(api, say):
    """What the callbacks call the run as a whole."""

    @api.entrypoint()
    def workflow(x: int) -> int:
        return x

    hearer = Hearer()
    workflow.invoke(1, {"callbacks": [hearer]})
    say(
        [one[1] for one in hearer.heard if one[0] == "start"],
        langgraph=["LangGraph", "workflow"],
        durably=["workflow"],
        why="Callbacks hear of a workflow once, under its own name",
    )


@parity
def test_a_workflow_inside_a_runnable_is_a_part_of_it(api, say):
    """Callbacks of a pipeline hear the workflow's tasks too."""

    @api.task
    def work(x: int) -> int:
        return x + 1

    @api.entrypoint()
    def workflow(x: int) -> int:
        return work(x).result()

    hearer = Hearer()
    outer = RunnableLambda(workflow.invoke, name="outer")
    say(outer.invoke(1, {"callbacks": [hearer]}))
    say([one[1] for one in hearer.inside() if one[0] == "start"])


@parity
def test_the_mode_messages(api, say):
    """Tokens of a model called in a task, as they come."""
    model = _model()

    @api.task
    def call(x: str) -> str:
        return model.invoke(x).content

    @api.entrypoint(checkpointer=api.InMemorySaver())
    def workflow(x: str) -> str:
        return call(x).result()

    parts = list(workflow.stream("hi", thread(), stream_mode="messages"))
    say([message.content for message, _ in parts])
    say([type(message).__name__ for message, _ in parts])
    say([metadata["langgraph_node"] for _, metadata in parts])
    say([metadata["thread_id"] for _, metadata in parts])
    say(len({message.id for message, _ in parts}))


@parity
async def test_the_mode_messages_of_coroutines(api, say):
    """The same in an event loop, with other modes beside."""
    model = _model()

    @api.task
    async def call(x: str) -> str:
        return (await model.ainvoke(x)).content

    @api.entrypoint()
    async def workflow(x: str) -> str:
        return await call(x)

    found: list[Any] = []
    async for mode, data in workflow.astream("hi", stream_mode=["messages", "updates"]):
        found.append(data[0].content if mode == "messages" else data)
    say(found)


@parity
def test_messages_that_tasks_return(api, say):
    """A message that a task returns is told, unless its tokens were."""
    model = _model()

    @api.task
    def streamed(x: str) -> AIMessage:
        return model.invoke(x)

    @api.task
    def made(x: str) -> AIMessage:
        return AIMessage(x, id="made")

    @api.entrypoint()
    def workflow(x: str) -> list[Any]:
        return [streamed(x).result(), made("made by hand").result()]

    parts = list(workflow.stream("hi", stream_mode="messages"))
    say([message.content for message, _ in parts])
    say([metadata["langgraph_node"] for _, metadata in parts])


@parity
def test_models_that_are_not_to_be_streamed(api, say):
    """The tag ``nostream`` keeps a model out of the stream."""
    loud, quiet = _model("loud"), _model("quiet").with_config(tags=["nostream"])

    @api.task
    def call(x: str) -> str:
        return quiet.invoke(x).content + loud.invoke(x).content

    @api.entrypoint()
    def workflow(x: str) -> str:
        return call(x).result()

    say([message.content for message, _ in workflow.stream("hi", stream_mode="messages")])


@parity
def test_messages_of_nested_workflows(api, say):
    """They are told with ``subgraphs``, with their place."""
    model = _model("inner")

    @api.entrypoint()
    def inner(x: str) -> str:
        return model.invoke(x).content

    @api.entrypoint()
    def outer(x: str) -> str:
        return inner.invoke(x)

    say([one.content for one, _ in outer.stream("hi", stream_mode="messages")])
    parts = list(outer.stream("hi", stream_mode="messages", subgraphs=True))
    say([[len(place), data[0].content] for place, data in parts])


@parity
async def test_events(api, say):
    """``astream_events`` tells of the workflow, its tasks and its models."""
    model = _model("one two")

    @api.task
    async def call(x: str) -> str:
        return (await model.ainvoke(x)).content

    @api.entrypoint()
    async def workflow(x: str) -> str:
        return await call(x)

    wanted = ("on_chain_start", "on_chat_model_start", "on_chat_model_stream", "on_chat_model_end")
    heard = []
    async for event in workflow.astream_events("hi", version="v2"):
        if event["event"] in wanted and event["name"] != "LangGraph":
            chunk = event["data"].get("chunk")
            heard.append([event["event"], event["name"], chunk.content if chunk else None])
    say(heard)


@parity
async def test_the_name_of_a_run_in_events(api, say):
    """A config's ``run_name`` is what the run is called."""

    @api.entrypoint()
    async def workflow(x: int) -> int:
        return x

    events = workflow.astream_events(1, {"run_name": "mine"}, version="v2")
    names = [event["name"] async for event in events if event["event"] == "on_chain_start"]
    say(names[0])
