"""Failures: caught, retried, timed out, and continued from."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

from tests.parity.parity import parity, thread


@parity
def test_resuming_after_an_error(api, say):
    """The documentation's example: what had finished is not executed again."""
    calls: list[str] = []

    @api.task
    def get_info() -> str:
        calls.append("get_info")
        if calls.count("get_info") == 1:
            raise ValueError("Failure")
        return "OK"

    @api.task
    def slow_task() -> str:
        calls.append("slow_task")
        return "Ran slow task."

    @api.entrypoint(checkpointer=api.InMemorySaver())
    def main(inputs: dict, writer) -> str:
        slow_task().result()
        return get_info().result()

    say.attempt(main.invoke, {"any_input": "foobar"}, thread(), message=True)
    say(main.invoke(None, thread()))
    say(calls)


@parity
def test_a_failure_that_the_workflow_catches(api, say):
    """A task's exception is raised by its future, as itself."""

    class OddError(Exception):
        pass

    @api.task
    def fail(x: int) -> int:
        raise OddError(f"no {x}")

    @api.entrypoint(checkpointer=api.InMemorySaver())
    def workflow(x: int) -> list[str]:
        try:
            fail(x).result()
        except OddError as error:
            return [type(error).__name__, str(error)]
        return []

    say(workflow.invoke(1, thread()))


@parity
async def test_a_failure_that_a_coroutine_catches(api, say):
    """The same, awaited."""

    @api.task
    async def fail(x: int) -> int:
        raise ValueError(f"no {x}")

    @api.entrypoint(checkpointer=api.InMemorySaver())
    async def workflow(x: int) -> list[str]:
        try:
            await fail(x)
        except ValueError as error:
            return [type(error).__name__, str(error)]
        return []

    say(await workflow.ainvoke(1, thread()))


@parity
def test_a_failure_among_parallel_tasks(api, say):
    """The others end and are kept; only the failed one runs again."""
    calls: list[int] = []

    @api.task
    def work(x: int) -> int:
        calls.append(x)
        if x == 1 and calls.count(1) == 1:
            raise ValueError("once")
        return x * x

    @api.entrypoint(checkpointer=api.InMemorySaver())
    def workflow(n: int) -> list[int]:
        return [future.result() for future in [work(i) for i in range(n)]]

    say.attempt(workflow.invoke, 3, thread())
    say(workflow.invoke(None, thread()))
    say(sorted(calls))


@parity
def test_a_new_input_after_a_failure(api, say):
    """It begins a new run."""
    calls: list[str] = []

    @api.task
    def work(x: str) -> str:
        calls.append(x)
        return x

    @api.entrypoint(checkpointer=api.InMemorySaver())
    def workflow(x: str) -> str:
        if work(x).result() == "bad":
            raise ValueError("bad")
        return x

    say.attempt(workflow.invoke, "bad", thread())
    say(workflow.invoke("good", thread()))
    say(calls)


def _flaky(api, calls: list[int], error: type[Exception], times: int, **options: Any):
    @api.task(**options)
    def flaky(x: int) -> str:
        calls.append(x)
        if len(calls) <= times:
            raise error(f"try {len(calls)}")
        return f"after {len(calls)}"

    @api.entrypoint()
    def workflow(x: int) -> str:
        return flaky(x).result()

    return workflow


def _policy(api, **options: Any):
    return api.RetryPolicy(initial_interval=0.001, jitter=False, **options)


@parity
def test_retries_of_a_class_of_errors(api, say):
    """``retry_on`` names a class; the attempts are counted with the first."""
    for error, times in ((ValueError, 2), (ValueError, 3), (KeyError, 1)):
        calls: list[int] = []
        policy = _policy(api, retry_on=ValueError)
        say.attempt(_flaky(api, calls, error, times, retry_policy=policy).invoke, 1, message=True)
        say(len(calls))


@parity
def test_retries_by_a_sequence_of_classes(api, say):
    """``retry_on`` names several."""
    calls: list[int] = []
    policy = _policy(api, retry_on=(ValueError, KeyError), max_attempts=2)
    say.attempt(_flaky(api, calls, KeyError, 1, retry_policy=policy).invoke, 1)
    say(len(calls))


@parity
def test_retries_by_a_function(api, say):
    """``retry_on`` decides by the exception."""
    calls: list[int] = []
    policy = _policy(api, retry_on=lambda error: "2" not in str(error), max_attempts=9)
    say.attempt(_flaky(api, calls, ValueError, 5, retry_policy=policy).invoke, 1, message=True)
    say(len(calls))


@parity
def test_several_policies(api, say):
    """The first that applies to the exception decides."""
    policies = [
        _policy(api, retry_on=KeyError, max_attempts=2),
        _policy(api, retry_on=ValueError, max_attempts=4),
    ]
    for error in (KeyError, ValueError):
        calls: list[int] = []
        say.attempt(_flaky(api, calls, error, 9, retry_policy=policies).invoke, 1)
        say(len(calls))


@parity
def test_what_is_retried_by_default(api, say):
    """Lost connections and unknown exceptions are, programming errors are not."""

    class OddError(Exception):
        pass

    for error in (
        ConnectionError,
        OddError,
        ValueError,
        TypeError,
        RuntimeError,
        OSError,
        LookupError,
    ):
        calls: list[int] = []
        say.attempt(_flaky(api, calls, error, 1, retry_policy=_policy(api)).invoke, 1)
        say(len(calls))


@parity
def test_built_in_timeouts_are_retried_by_default(api, say):
    """A ``TimeoutError`` says to try again."""
    calls: list[int] = []
    workflow = _flaky(api, calls, TimeoutError, 1, retry_policy=_policy(api))
    say.attempt(
        workflow.invoke,
        1,
        langgraph=("raised", "TimeoutError"),
        durably="after 2",
        why="The default retry policy knows timeouts and HTTP statuses",
    )


@parity
async def test_retries_of_coroutines(api, say):
    """The same for a task that is awaited."""
    calls: list[int] = []

    @api.task(retry_policy=_policy(api, retry_on=ValueError))
    async def flaky(x: int) -> int:
        calls.append(x)
        if len(calls) < 3:
            raise ValueError("again")
        return x

    @api.entrypoint()
    async def workflow(x: int) -> int:
        return await flaky(x)

    say(await workflow.ainvoke(1))
    say(len(calls))


@parity
def test_tasks_inherit_the_policy_of_their_workflow(api, say):
    """A task without a policy has its workflow's."""
    calls: list[int] = []

    @api.task
    def flaky() -> int:
        calls.append(1)
        if len(calls) < 3:
            raise ValueError("again")
        return len(calls)

    @api.entrypoint(retry_policy=_policy(api, retry_on=ValueError))
    def workflow(x: int) -> int:
        return flaky().result()

    say(workflow.invoke(1))


@parity
def test_retries_of_a_workflow(api, say):
    """Its function is called again; the attempt is told."""
    seen: list[int] = []

    @api.entrypoint(retry_policy=_policy(api, retry_on=ValueError))
    def workflow(x: int, runtime) -> str:
        seen.append(runtime.execution_info.node_attempt)
        if len(seen) < 3:
            raise ValueError("again")
        return "done"

    say(workflow.invoke(1))
    say(seen)


@parity
def test_retries_of_a_nested_workflow(api, say):
    """A nested workflow has its own policy."""
    seen: list[int] = []

    @api.entrypoint(retry_policy=_policy(api, retry_on=ValueError))
    def inner(x: int) -> str:
        seen.append(x)
        if len(seen) < 3:
            raise ValueError("again")
        return "done"

    @api.entrypoint()
    def outer(x: int) -> str:
        return inner.invoke(x)

    say(outer.invoke(1))
    say(seen)


@parity
def test_questions_are_not_retried(api, say):
    """Asking is no failure."""
    seen: list[int] = []

    @api.task(retry_policy=_policy(api, retry_on=Exception))
    def ask() -> str:
        seen.append(1)
        return api.interrupt("?")

    @api.entrypoint(checkpointer=api.InMemorySaver())
    def workflow(x: int) -> str:
        return ask().result()

    say(workflow.invoke(1, thread()))
    say(workflow.invoke(api.Command(resume="!"), thread()))
    say(len(seen))


@parity
async def test_a_timeout_of_a_task(api, say):
    """A task that takes too long is cancelled, and its future raises."""
    seen: list[str] = []

    @api.task(timeout=0.05)
    async def slow() -> str:
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            seen.append("cancelled")
            raise
        return "slow"

    @api.entrypoint()
    async def workflow(x: int) -> list[Any]:
        try:
            return [await slow()]
        except Exception as error:
            return [type(error).__name__, error.node, error.kind, error.timeout]

    say(await workflow.ainvoke(1))
    say(seen)


@parity
async def test_a_timeout_of_a_workflow(api, say):
    """A workflow that takes too long raises."""

    @api.entrypoint(timeout=timedelta(seconds=0.05))
    async def workflow(x: int) -> int:
        await asyncio.sleep(60)
        return x

    await say.aattempt(workflow.ainvoke, 1)


@parity
async def test_a_timeout_without_signs_of_life(api, say):
    """An idle timeout is refreshed by what is written, and by heartbeats."""

    @api.task(timeout=api.TimeoutPolicy(idle_timeout=0.2))
    async def lively(writer) -> str:
        for n in range(5):
            await asyncio.sleep(0.06)
            writer(n)
        return "lively"

    @api.task(timeout=api.TimeoutPolicy(idle_timeout=0.2, refresh_on="heartbeat"))
    async def beating(runtime) -> str:
        for _ in range(5):
            await asyncio.sleep(0.06)
            runtime.heartbeat()
        return "beating"

    @api.task(timeout=api.TimeoutPolicy(idle_timeout=0.05))
    async def silent() -> str:
        await asyncio.sleep(60)
        return "silent"

    @api.entrypoint()
    async def workflow(x: int) -> list[Any]:
        found: list[Any] = [await lively(), await beating()]
        try:
            await silent()
        except Exception as error:
            found.append([type(error).__name__, error.kind])
        return found

    say(await workflow.ainvoke(1))


@parity
async def test_timeouts_are_retried_by_default(api, say):
    """A timeout is worth another attempt."""
    seen: list[int] = []

    @api.task(timeout=0.05, retry_policy=_policy(api))
    async def slow() -> int:
        seen.append(1)
        if len(seen) == 1:
            await asyncio.sleep(60)
        return len(seen)

    @api.entrypoint()
    async def workflow(x: int) -> int:
        return await slow()

    say(await workflow.ainvoke(1))


@parity
def test_timeouts_that_make_no_sense(api, say):
    """They are refused when they are given."""
    for wrong in (0, -1, timedelta(0)):

        async def work() -> None: ...

        say.attempt(lambda wrong=wrong, work=work: api.task(timeout=wrong)(work) and None)
        say.attempt(lambda wrong=wrong: api.entrypoint(timeout=wrong)(_async_flow) and None)


async def _async_flow(x: int) -> int:
    return x


@parity
def test_a_timeout_of_a_plain_function(api, say):
    """A plain function may have a timeout."""

    def made() -> str:
        @api.task(timeout=5)
        def plain() -> str:
            return "in time"

        @api.entrypoint()
        def workflow(x: int) -> str:
            return plain().result()

        return workflow.invoke(1)

    say.attempt(
        made,
        langgraph=("raised", "ValueError"),
        durably="in time",
        why="Plain functions have timeouts too",
    )


@parity
def test_a_run_that_was_asked_not_to_begin(api, say):
    """A drained control keeps a run from beginning."""
    control = api.RunControl()
    control.request_drain("maintenance")
    seen: list[int] = []

    @api.entrypoint(checkpointer=api.InMemorySaver())
    def workflow(x: int) -> int:
        seen.append(x)
        return x

    say.attempt(workflow.invoke, 1, thread(), control=control)
    say(seen)
    say(workflow.get_state(thread()).next)
    say(workflow.invoke(None, thread()))
    say(workflow.invoke(None, thread(), control=control))


@parity
def test_a_run_that_is_asked_to_end_finishes(api, say):
    """A drain asked for inside a run can be seen there."""
    control = api.RunControl()

    @api.task
    def work(x: int) -> int:
        return x + 1

    @api.entrypoint(checkpointer=api.InMemorySaver())
    def workflow(x: int, runtime) -> list[Any]:
        control.request_drain("soon")
        return [work(x).result(), runtime.drain_requested, runtime.drain_reason]

    say(workflow.invoke(1, thread(), control=control))
