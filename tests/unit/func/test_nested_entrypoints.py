"""Entrypoints that entrypoints call: a part of the caller's run, executed until they return."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from typing import Any

import pytest
from tests.unit.func.places import Place, thread

from durably import (
    Command,
    Entrypoint,
    InMemorySaver,
    ResumeError,
    RetryPolicy,
    entrypoint,
    get_config,
    interrupt,
    task,
)

CALLS: list[str] = []
"""What was executed in the test."""


@pytest.fixture(autouse=True)
def calls() -> list[str]:
    CALLS.clear()
    return CALLS


@task
def pay(amount: int) -> int:
    CALLS.append(f"pay {amount}")
    return 10 * amount


def body_of(**options: Any) -> Entrypoint:
    """Return an entrypoint that notes when its body is executed."""

    @entrypoint(**options)
    def inner(amount: int) -> int:
        CALLS.append(f"inner {amount}")
        return pay(amount).result()

    return inner


def abody_of(**options: Any) -> Entrypoint:
    """The same as a coroutine function."""

    @entrypoint(**options)
    async def inner(amount: int) -> int:
        CALLS.append(f"inner {amount}")
        return await pay(amount)

    return inner


def kept() -> dict[str, Any]:
    return {"checkpointer": InMemorySaver()}


@pytest.mark.parametrize("options", [dict, kept, lambda: {"checkpointer": True}])
def test_a_finished_call_is_not_executed_again(
    place: Place, options: Callable[[], dict[str, Any]]
) -> None:
    """Whatever checkpointer it has: the continuation takes its value from the journal."""
    inner = body_of(**options())

    def body(amount: int) -> list[Any]:
        return [inner.invoke(amount), inner.invoke(amount + 1), interrupt("ok?")]

    place.flow(body).invoke(1, thread())
    assert place.flow(body).invoke(Command(resume="yes"), thread()) == [10, 20, "yes"]
    assert CALLS == ["inner 1", "pay 1", "inner 2", "pay 2"]


@pytest.mark.parametrize("options", [dict, kept])
async def test_finished_coroutines_are_not_executed_again(
    place: Place, options: Callable[[], dict[str, Any]]
) -> None:
    """One after the other and gathered."""
    inner = abody_of(**options())

    async def body(amount: int) -> list[Any]:
        first = await inner.ainvoke(amount)
        beside = await asyncio.gather(*(inner.ainvoke(n) for n in range(3)))
        return [first, *beside, interrupt("ok?")]

    await place.flow(body).ainvoke(7, thread())
    before = [*CALLS]
    done = await place.flow(body).ainvoke(Command(resume="yes"), thread())
    assert (done, CALLS) == ([70, 0, 10, 20, "yes"], before)


def test_an_unfinished_call_is_executed_to_its_end(place: Place) -> None:
    """Of two calls one had returned, and the other waited; its task is not paid again."""

    @entrypoint()
    def asks(amount: int) -> list[Any]:
        CALLS.append(f"asks {amount}")
        return [pay(amount).result(), interrupt("ok?")]

    inner = body_of()

    def body(amount: int) -> list[Any]:
        return [inner.invoke(amount), asks.invoke(amount)]

    place.flow(body).invoke(1, thread())
    assert place.flow(body).invoke(Command(resume="yes"), thread()) == [10, [10, "yes"]]
    assert CALLS == ["inner 1", "pay 1", "asks 1", "pay 1", "asks 1"]


def test_a_call_with_another_input_is_executed(place: Place) -> None:
    """A recorded value belongs to its input: the edited program gets what it asks for."""
    inner = body_of()

    def program(amount: int) -> Callable[[int], list[Any]]:
        def body(_: int) -> list[Any]:
            return [inner.invoke(amount), interrupt("ok?")]

        return body

    place.flow(program(1)).invoke(0, thread())
    flow = place.flow(program(2), on_change="rerun")
    assert flow.invoke(Command(resume="yes"), thread()) == [20, "yes"]


def test_a_retried_caller_keeps_what_returned(place: Place) -> None:
    """The caller's second attempt does not execute the call again."""
    inner = body_of()
    attempts: list[int] = []

    def body(amount: int) -> int:
        value = inner.invoke(amount)
        attempts.append(value)
        if len(attempts) == 1:
            raise ConnectionError("no")
        return int(value)

    policy = RetryPolicy(initial_interval=0.001, jitter=False)
    flow = entrypoint(checkpointer=place.host(), retry_policy=policy)(body)
    assert flow.invoke(1, thread()) == 10
    assert CALLS == ["inner 1", "pay 1"]


def test_a_value_that_cannot_be_written_is_made_again(place: Place) -> None:
    """The caller gets the object itself; a continuation executes the body with replayed tasks."""

    @entrypoint()
    def inner(amount: int) -> Any:
        CALLS.append("inner")
        pay(amount).result()
        return threading.Lock()

    def body(amount: int) -> list[Any]:
        return [inner.invoke(amount).acquire(), interrupt("ok?")]

    place.flow(body).invoke(1, thread())
    assert place.flow(body).invoke(Command(resume=1), thread()) == [True, 1]
    assert CALLS == ["inner", "pay 1", "inner"]


@pytest.mark.parametrize("config", [lambda: None, get_config, lambda: thread("t")])
def test_a_question_of_a_call_with_its_own_checkpointer_surfaces(
    place: Place, config: Callable[[], Any]
) -> None:
    """Called without a thread, or with the caller's, it is a part of its caller."""

    @entrypoint(checkpointer=place.host())
    def inner(amount: int) -> list[Any]:
        return [pay(amount).result(), interrupt("ok?")]

    def body(amount: int) -> Any:
        return inner.invoke(amount, config())

    assert place.flow(body).invoke(1, thread())["__interrupt__"][0].value == "ok?"
    assert place.flow(body).invoke(Command(resume="yes"), thread()) == [10, "yes"]
    assert CALLS == ["pay 1"]


async def test_the_same_for_coroutines_in_tasks(place: Place) -> None:
    """Questions of gathered tasks surface together, each from the call inside."""

    @entrypoint(checkpointer=InMemorySaver())
    async def inner(amount: int) -> list[Any]:
        return [await pay(amount), interrupt(f"ok {amount}?")]

    @task
    async def works(amount: int) -> Any:
        return await inner.ainvoke(amount)

    async def body(_: int) -> list[Any]:
        return list(await asyncio.gather(works(1), works(2)))

    asked = (await place.flow(body).ainvoke(0, thread()))["__interrupt__"]
    assert sorted(one.value for one in asked) == ["ok 1?", "ok 2?"]
    answers = Command(resume={one.id: one.value for one in asked})
    done = await place.flow(body).ainvoke(answers, thread())
    assert (done, sorted(CALLS)) == ([[10, "ok 1?"], [20, "ok 2?"]], ["pay 1", "pay 2"])


def test_a_call_that_names_another_thread_has_a_run_of_its_own(place: Place) -> None:
    """Its question is its value, and is answered on its own thread."""
    inner = entrypoint(checkpointer=InMemorySaver())(interrupt)

    def body(amount: int) -> Any:
        return inner.invoke(amount, thread("own"))["__interrupt__"][0].value

    assert place.flow(body).invoke(1, thread()) == 1
    assert inner.invoke(Command(resume="yes"), thread("own")) == "yes"


def test_a_command_is_not_taken_for_an_input(place: Place) -> None:
    """Questions of a call are answered through its caller."""
    inner = body_of()
    flow = place.flow(lambda _: inner.invoke(Command(resume=1)))
    with pytest.raises(ResumeError, match="outermost entrypoint"):
        flow.invoke(1, thread())


def test_batched_calls_are_a_part_of_their_caller(place: Place) -> None:
    """In threads of their own, in the order of their inputs; none is executed twice."""

    @entrypoint()
    def asks(amount: int) -> list[Any]:
        return [pay(amount).result(), interrupt(f"ok {amount}?")]

    inner = body_of()

    def body(_: int) -> list[Any]:
        return [inner.batch([1, 2, 3]), asks.batch([4, 5])]

    done = place.flow(body).invoke(0, thread())
    while isinstance(done, dict):
        answers = Command(resume={one.id: one.value for one in done["__interrupt__"]})
        done = place.flow(body).invoke(answers, thread())
    assert done == [[10, 20, 30], [[40, "ok 4?"], [50, "ok 5?"]]]
    assert sorted(CALLS) == [
        *(f"inner {n}" for n in (1, 2, 3)),
        *(f"pay {n}" for n in (1, 2, 3, 4, 5)),
    ]


def test_streams_tell_of_the_call_and_not_of_its_record(place: Place) -> None:
    """The caller's parts are those of its tasks and of itself, as without a record."""
    inner = body_of()

    def body(amount: int) -> Any:
        return inner.invoke(amount)

    assert list(place.flow(body).stream(1, thread("a"))) == [{"body": 10}]
    parts = list(place.flow(body).stream(1, thread("b"), stream_mode="tasks"))
    assert [part["name"] for part in parts] == ["body", "body"]
    joined = list(place.flow(body).join_stream(thread("b"), timeout=5))
    assert joined == [{"body": 10}]
