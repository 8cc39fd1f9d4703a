"""Misuse: what is refused when a function is decorated, called, or continued."""

from __future__ import annotations

from typing import Any

from tests.parity.parity import parity, thread


@parity
def test_generator_functions_are_no_workflows(api, say):
    """They are refused when they are decorated."""

    def generator(x: int):
        yield x

    async def async_generator(x: int):
        yield x

    say.attempt(api.entrypoint(), generator)
    say.attempt(api.entrypoint(), async_generator)


@parity
def test_a_workflow_without_a_parameter(api, say):
    """It has no input."""
    say.attempt(api.entrypoint(), lambda: 1)


@parity
def test_a_checkpointer_that_is_none(api, say):
    """A thing that is no checkpointer is refused."""

    def made() -> Any:
        return api.entrypoint(checkpointer=object())(lambda x: x).invoke(1)

    say.attempt(made)


@parity
def test_final_with_one_type(api, say):
    """``final`` takes two types."""

    def body(x: int) -> Any:
        return x

    body.__annotations__["return"] = None

    def made() -> Any:
        body.__annotations__["return"] = api.entrypoint.final[int]
        api.entrypoint()(body)

    say.attempt(made)


@parity
def test_a_task_outside_of_a_run(api, say):
    """It cannot be called there."""

    @api.task
    def work(x: int) -> int:
        return x

    say.attempt(work, 1)


@parity
def test_helpers_outside_of_a_run(api, say):
    """There is nothing they could return."""
    for helper in (api.get_config, api.get_stream_writer, api.get_store, api.get_runtime):
        say.attempt(helper)
    say.attempt(api.interrupt, "?")


@parity
def test_a_coroutine_where_no_event_loop_runs(api, say):
    """Async workflows and tasks need ``ainvoke``."""

    @api.task
    async def work(x: int) -> int:
        return x

    @api.entrypoint()
    async def awaited(x: int) -> int:
        return x

    @api.entrypoint()
    def plain(x: int) -> int:
        return work(x).result()

    say.attempt(awaited.invoke, 1)
    say.attempt(plain.invoke, 1)


@parity
def test_a_thread_without_a_name(api, say):
    """A workflow that keeps its runs needs to know where."""

    @api.entrypoint(checkpointer=api.InMemorySaver())
    def workflow(x: int) -> int:
        return x

    say.attempt(
        workflow.invoke,
        1,
        langgraph=("raised", "ValueError"),
        durably=1,
        why="Without a thread id a run has a thread of its own",
    )


@parity
def test_the_state_of_no_thread(api, say):
    """``get_state`` needs a thread."""

    @api.entrypoint(checkpointer=api.InMemorySaver())
    def workflow(x: int) -> int:
        return x

    say.attempt(
        workflow.get_state,
        {"configurable": {}},
        langgraph=("raised", "KeyError"),
        durably=("raised", "ValueError"),
        why="A config without a thread is a ValueError",
    )


@parity
def test_state_without_a_checkpointer(api, say):
    """There is none."""

    @api.entrypoint()
    def workflow(x: int) -> int:
        return x

    say.attempt(workflow.get_state, thread())
    say.attempt(lambda: list(workflow.get_state_history(thread())))
    say.attempt(workflow.update_state, thread(), 1)


@parity
def test_continuing_what_never_began(api, say):
    """There is nothing to continue."""

    @api.entrypoint(checkpointer=api.InMemorySaver())
    def workflow(x: int) -> int:
        return x

    say.attempt(
        workflow.invoke,
        None,
        thread(),
        langgraph=("raised", "EmptyInputError"),
        durably=("raised", "ResumeError"),
        why="A continuation that cannot be is a ResumeError",
    )


@parity
def test_a_checkpoint_that_never_was(api, say):
    """An unknown ``checkpoint_id``."""

    @api.entrypoint(checkpointer=api.InMemorySaver())
    def workflow(x: int) -> int:
        return x

    workflow.invoke(1, thread())
    config = {"configurable": {"thread_id": "t", "checkpoint_id": "nonsense"}}

    def shown() -> Any:
        return workflow.get_state(config).values

    say.attempt(
        shown,
        langgraph={},
        durably=("raised", "UnknownRun"),
        why="An address that names nothing is an error",
    )


@parity
def test_generator_functions_are_no_tasks(api, say):
    """A task returns a value."""

    def made() -> str:
        @api.task
        def generator(x: int):
            yield x

        return "made"

    say.attempt(
        made,
        langgraph="made",
        durably=("raised", "NotImplementedError"),
        why="A generator function is no task",
    )


@parity
def test_a_task_in_a_class_body(api, say):
    """A task defined as a method is one."""

    class Tool:
        def __init__(self, factor: int) -> None:
            self.factor = factor

        @api.task
        def times(self, x: int) -> int:
            return self.factor * x

    tool = Tool(3)

    @api.entrypoint()
    def workflow(x: int) -> int:
        return tool.times(x).result()

    say.attempt(
        workflow.invoke,
        2,
        langgraph=("raised", "TypeError"),
        durably=6,
        why="A task in a class body is a method",
    )


@parity
def test_an_unknown_durability(api, say):
    """A mode that does not exist."""

    @api.entrypoint(checkpointer=api.InMemorySaver())
    def workflow(x: int) -> int:
        return x

    say.attempt(
        workflow.invoke,
        1,
        thread(),
        durability="forever",
        langgraph=1,
        durably=("raised", "ValueError"),
        why="An unknown durability is an error",
    )


@parity
def test_an_injected_value_given_by_position(api, say):
    """A task's caller may give what the runtime would, by position too."""
    show = api.task(lambda x, previous=None: [x, previous])

    @api.entrypoint()
    def workflow(x: int) -> Any:
        return show(x, "mine").result()

    say.attempt(
        workflow.invoke,
        1,
        langgraph=("raised", "TypeError"),
        durably=[1, "mine"],
        why="Injected parameters can be given by position",
    )


@parity
def test_arguments_that_do_not_fit(api, say):
    """A task called with wrong arguments fails like its function."""

    @api.task
    def work(x: int) -> int:
        return x

    @api.entrypoint()
    def workflow(x: int) -> Any:
        return work(x, 2, three=3).result()

    say.attempt(workflow.invoke, 1)
