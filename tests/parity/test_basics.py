"""Workflows, tasks, parallel tasks, batches: the same program, the same transcript."""

from __future__ import annotations

import asyncio
import functools
from concurrent.futures import as_completed, wait
from typing import Any

from tests.parity.parity import parity, thread


@parity
def test_a_simple_workflow(api, say):
    """Two tasks in a row, and what the workflow returns."""

    @api.task
    def is_even(number: int) -> bool:
        return number % 2 == 0

    @api.task
    def message(even: bool) -> str:
        return "The number is even." if even else "The number is odd."

    @api.entrypoint(checkpointer=api.InMemorySaver())
    def workflow(inputs: dict) -> str:
        return message(is_even(inputs["number"]).result()).result()

    say(workflow.invoke({"number": 7}, thread()))
    say(workflow.invoke({"number": 8}, thread()))


@parity
async def test_a_simple_workflow_of_coroutines(api, say):
    """The same, awaited."""

    @api.task
    async def is_even(number: int) -> bool:
        return number % 2 == 0

    @api.entrypoint(checkpointer=api.InMemorySaver())
    async def workflow(inputs: dict) -> dict:
        return {"even": await is_even(inputs["number"])}

    say(await workflow.ainvoke({"number": 7}, thread()))
    say(await workflow.ainvoke({"number": 8}, thread("u")))


@parity
def test_any_value_but_none_is_an_input(api, say):
    """Falsy inputs are inputs."""

    @api.entrypoint()
    def echo(x: Any) -> Any:
        return [x]

    for given in (0, "", [], {}, False, (), 0.0, b""):
        say(echo.invoke(given))


@parity
def test_any_value_is_a_result(api, say):
    """Falsy results of tasks and workflows are results."""

    @api.task
    def same(x: Any) -> Any:
        return x

    @api.entrypoint(checkpointer=api.InMemorySaver())
    def echo(x: Any) -> Any:
        return same(x["value"]).result()

    for number, value in enumerate((0, "", [], {}, False, None, 0.0, b"")):
        say(echo.invoke({"value": value}, thread(str(number))))
        say(echo.get_state(thread(str(number))).values)


@parity
def test_parallel_tasks(api, say):
    """Futures first, results after: in the order in which they are asked for."""

    @api.task
    def square(x: int) -> int:
        return x * x

    @api.entrypoint(checkpointer=api.InMemorySaver())
    def workflow(numbers: list[int]) -> list[int]:
        futures = [square(n) for n in numbers]
        return [future.result() for future in futures]

    say(workflow.invoke([1, 2, 3], thread()))


@parity
def test_futures_are_futures(api, say):
    """``as_completed``, ``wait``, ``done``, ``exception`` and callbacks do what they always do."""

    @api.task
    def square(x: int) -> int:
        if x == 3:
            raise ValueError("three")
        return x * x

    @api.entrypoint()
    def workflow(numbers: list[int]) -> dict:
        futures = [square(n) for n in numbers]
        ended: list[Any] = []
        futures[0].add_done_callback(lambda future: ended.append(future.result()))
        done, not_done = wait(futures)
        return {
            "completed": sorted(f.result() for f in as_completed(futures) if f.exception() is None),
            "counts": [len(done), len(not_done)],
            "done": [f.done() for f in futures],
            "errors": [type(f.exception(timeout=5)).__name__ for f in futures],
            "timed": futures[0].result(timeout=5),
            "called": ended,
            "cancelled": [f.cancelled() for f in futures],
        }

    say(workflow.invoke([1, 2, 3]))


@parity
async def test_gathered_coroutines(api, say):
    """``gather``, ``wait_for`` and ``as_completed`` take tasks."""

    @api.task
    async def square(x: int) -> int:
        await asyncio.sleep(0.001 * x)
        return x * x

    @api.entrypoint()
    async def workflow(numbers: list[int]) -> dict:
        gathered = await asyncio.gather(*[square(n) for n in numbers])
        timed = await asyncio.wait_for(square(9), 5)
        first = [await one for one in asyncio.as_completed([square(1), square(20)])]
        return {"gathered": gathered, "timed": timed, "first": first}

    say(await workflow.ainvoke([1, 2, 3]))


@parity
async def test_a_future_that_is_cancelled(api, say):
    """Cancelling a task's future cancels the task, and the workflow goes on."""
    seen: list[str] = []

    @api.task
    async def slow() -> str:
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            seen.append("cancelled")
            raise
        return "slow"

    @api.entrypoint(checkpointer=api.InMemorySaver())
    async def workflow(x: str) -> str:
        future = slow()
        await asyncio.sleep(0.05)
        future.cancel()
        try:
            return await future
        except asyncio.CancelledError:
            return x + " went on"

    say(await workflow.ainvoke("it", thread()))
    say(seen)


@parity
async def test_plain_tasks_in_coroutines(api, say):
    """A task that is a plain function can be awaited."""

    @api.task
    def plain(x: int) -> int:
        return x + 1

    @api.entrypoint()
    async def workflow(x: int) -> list[int]:
        return [await plain(x), *await asyncio.gather(plain(10), plain(20))]

    say(await workflow.ainvoke(1))


@parity
async def test_a_plain_workflow_awaited(api, say):
    """A workflow that is a plain function has ``ainvoke``."""

    @api.task
    def plain(x: int) -> int:
        return x + 1

    @api.entrypoint(checkpointer=api.InMemorySaver())
    def workflow(x: int) -> int:
        return plain(x).result() + plain(x).result()

    say(await workflow.ainvoke(1, thread()))
    say([part async for part in workflow.astream(2, thread("u"))])


@parity
def test_tasks_call_tasks(api, say):
    """A task may wait for other tasks."""

    @api.task
    def inner(x: int) -> int:
        return x + 1

    @api.task
    def outer(x: int) -> int:
        return inner(x).result() + inner(x + 1).result()

    @api.entrypoint(checkpointer=api.InMemorySaver())
    def workflow(x: int) -> int:
        return outer(x).result() + inner(0).result()

    say(workflow.invoke(5, thread()))


@parity
def test_tasks_of_every_callable(api, say):
    """Functions, lambdas, methods, partials and callable objects."""

    class Tool:
        def method(self, x: str) -> str:
            return f"method {x}"

        @classmethod
        def of_class(cls, x: str) -> str:
            return f"class {x}"

        @staticmethod
        def static(x: str) -> str:
            return f"static {x}"

        def __call__(self, x: str) -> str:
            return f"called {x}"

    def function(prefix: str, x: str) -> str:
        return f"{prefix} {x}"

    tool = Tool()
    tasks = [
        api.task(tool.method, name="a_method"),
        api.task(Tool.of_class, name="a_class_method"),
        api.task(Tool.static, name="a_static"),
        api.task(functools.partial(function, "partial"), name="a_partial"),
        api.task(tool, name="a_callable"),
        api.task(lambda x: f"lambda {x}", name="a_lambda"),
    ]

    @api.entrypoint()
    def workflow(x: str) -> list[str]:
        return [one(x).result() for one in tasks]

    say(list(workflow.stream("x")))


@parity
def test_names_of_tasks(api, say):
    """A task is called what ``name`` says in streams, and keeps its function's name and text."""

    def greet(x: str) -> str:
        """Greets."""
        return f"hello {x}"

    one = api.task(name="welcome")(greet)
    two = api.task(greet)

    @api.entrypoint()
    def workflow(x: str) -> list[str]:
        return [one(x).result(), two(x).result()]

    names = [name for part in workflow.stream("you") for name in part]
    say(
        names,
        langgraph=["welcome", "welcome", "workflow"],
        durably=["welcome", "greet", "workflow"],
        why="A task's name belongs to the task",
    )
    say([one.__doc__, two.func is greet, two.__wrapped__ is greet])


@parity
def test_keyword_and_default_arguments_of_tasks(api, say):
    """Tasks are called like their functions."""

    @api.task
    def show(a: int, /, b: int = 2, *rest: int, c: int = 3, **more: int) -> list[Any]:
        return [a, b, list(rest), c, more]

    @api.entrypoint()
    def workflow(x: int) -> list[Any]:
        return [
            show(1).result(),
            show(1, b=5).result(),
            show(1, 2, 3, 4, c=5, d=6).result(),
        ]

    say(workflow.invoke(0))


@parity
def test_batches(api, say):
    """``batch`` keeps the order, takes a config for each input and can return exceptions."""

    @api.entrypoint(checkpointer=api.InMemorySaver())
    def workflow(x: int, previous: Any) -> list[Any]:
        if x == 3:
            raise ValueError("three")
        return [x, previous]

    configs = [thread("a"), thread("b")]
    say(workflow.batch([1, 2], configs))
    say(workflow.batch([4, 5], configs))
    say.attempt(workflow.batch, [1, 3], configs, message=True)
    found = workflow.batch([1, 3], [thread("c"), thread("d")], return_exceptions=True)
    say([found[0], type(found[1]).__name__])
    say(workflow.batch([]))


@parity
async def test_batches_of_coroutines(api, say):
    """``abatch`` does the same."""

    @api.entrypoint()
    async def workflow(x: int) -> int:
        await asyncio.sleep(0.001 * (3 - x))
        return x * x

    say(await workflow.abatch([0, 1, 2]))


@parity
def test_a_workflow_in_a_method(api, say):
    """Workflows and tasks may be made anew by each call of a function."""

    def run(factor: int) -> int:
        @api.task
        def times(x: int) -> int:
            return x * factor

        @api.entrypoint()
        def workflow(x: int) -> int:
            return times(x).result()

        return workflow.invoke(10)

    say([run(1), run(2), run(3)])


@parity
def test_tasks_that_nobody_waits_for_still_run(api, say):
    """The workflow's end waits for them; what they raise is nobody's business."""
    seen: list[int] = []

    @api.task
    def note(x: int) -> None:
        seen.append(x)
        if x == 2:
            raise ValueError("two")

    @api.entrypoint()
    def workflow(x: int) -> str:
        for n in range(x):
            note(n)
        return "done"

    say(workflow.invoke(3))
    say(sorted(seen))


@parity
async def test_a_plain_workflow_calls_coroutine_tasks(api, say):
    """Driven by an event loop, a plain workflow waits for coroutine tasks like for any."""
    calls: list[int] = []

    @api.task(retry_policy=api.RetryPolicy(initial_interval=0.001, jitter=False))
    async def work(x: int) -> int:
        calls.append(x)
        if len(calls) == 1:
            raise ConnectionError
        return 2 * x

    @api.entrypoint(checkpointer=api.InMemorySaver())
    def main(x: int) -> list[int]:
        first = work(x).result()
        beside = [work(first + n) for n in range(3)]
        return [one.result() for one in beside]

    say(await main.ainvoke(1, thread()))
    say([part async for part in main.astream(1, thread(), stream_mode="values")])
