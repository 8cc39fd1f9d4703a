"""Entrypoints: memory between runs, entrypoints in entrypoints, and what is refused."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from tests.unit.func.places import Place, Watcher, thread

from durably import Command, Entrypoint, Host, ResumeError, entrypoint, interrupt, task


@task
def double(x: int) -> int:
    return 2 * x


def test_the_next_run_gets_what_the_last_one_returned(place: Place) -> None:
    """The last finished run's value is previous, which is None at first."""

    def body(x: int, *, previous: int | None = None) -> int:
        return x + (previous or 0)

    values = [place.flow(body).invoke(x, thread()) for x in (1, 2, 3)]
    assert values == [1, 3, 6]
    assert place.flow(body).invoke(10, thread("other")) == 10


def test_final_says_apart_what_is_returned_and_what_is_remembered(place: Place) -> None:
    """The caller gets value, the next run gets save."""

    def body(x: int, *, previous: Any = None) -> Any:
        return entrypoint.final(value=previous, save=x)

    assert [place.flow(body).invoke(x, thread()) for x in (1, 2, 3)] == [None, 1, 2]


def test_an_unfinished_run_is_not_remembered(place: Place) -> None:
    """What a run would have saved counts only when it is done; its own resume sees the old."""

    def body(x: int, *, previous: Any = None) -> Any:
        return [previous, interrupt(x)] if x else "first"

    flow = place.flow(body)
    flow.invoke(0, thread())
    flow.invoke(1, thread())
    assert flow.invoke(Command(resume="ok"), thread()) == ["first", "ok"]


def test_an_entrypoint_in_an_entrypoint_is_part_of_its_run(place: Place) -> None:
    """The child's steps are recorded with the parent's, and not executed again."""
    watcher = Watcher()

    def child(x: int) -> int:
        return double(x).result() + 1

    inner = entrypoint()(child)

    def body(x: int) -> object:
        total = inner.invoke(x) + inner.invoke(x)
        interrupt("?")
        return total

    flow = place.flow(body, listeners=[watcher])
    flow.invoke(1, thread())
    assert flow.invoke(Command(resume=1), thread()) == 6
    assert watcher.executed == ["double", "double"]


def test_a_question_in_a_nested_entrypoint_stops_the_parent(place: Place) -> None:
    """It is the parent's question, and is answered there."""
    inner = entrypoint()(lambda x: interrupt(f"child {x}"))
    flow = place.flow(lambda x: [inner.invoke(1), inner.invoke(2)])
    [first] = flow.invoke(0, thread())["__interrupt__"]
    [second] = flow.invoke(Command(resume="a"), thread())["__interrupt__"]
    assert (first.value, second.value) == ("child 1", "child 2")
    assert flow.invoke(Command(resume="b"), thread()) == ["a", "b"]


def test_a_nested_entrypoint_does_not_see_its_parents_memory(place: Place) -> None:
    """What is previous belongs to the thread of the entrypoint that saved it."""

    def child(_: int, *, previous: Any = None) -> Any:
        return previous

    inner = entrypoint()(child)

    def body(x: int, *, previous: Any = None) -> Any:
        return [x, previous, inner.invoke(x)]

    flow = place.flow(body)
    flow.invoke(1, thread())
    assert flow.invoke(2, thread()) == [2, [1, None, None], None]


def test_final_of_a_nested_entrypoint_is_taken_apart(place: Place) -> None:
    """The parent gets the child's value, not the container."""
    inner = entrypoint()(lambda x: entrypoint.final(value=x, save="s"))
    assert place.flow(lambda x: [inner.invoke(x)]).invoke(5, thread()) == [5]


async def test_coroutine_entrypoints_nest_alike(place: Place) -> None:
    """An ainvoke in a coroutine entrypoint is part of its run."""

    async def child(x: int) -> int:
        return await double(x)

    inner = entrypoint()(child)

    async def body(x: int) -> int:
        return int(await inner.ainvoke(x)) + 1

    assert await place.flow(body).ainvoke(2, thread()) == 5


async def test_a_plain_entrypoint_runs_in_a_coroutine_without_blocking_it(place: Place) -> None:
    """An ainvoke of a plain function runs it in a thread."""
    names: list[str] = []

    def body(x: int) -> int:
        names.append(threading.current_thread().name)
        return double(x).result()

    assert await place.flow(body).ainvoke(2, thread()) == 4
    assert names != [threading.current_thread().name]


def test_a_new_input_begins_a_new_run(place: Place) -> None:
    """An unfinished run is given up for it, and its steps are not replayed."""
    watcher = Watcher()

    def body(x: int) -> object:
        return [double(x).result(), interrupt(x)]

    flow = place.flow(body, listeners=[watcher])
    flow.invoke(1, thread())
    flow.invoke(1, thread())
    assert watcher.executed == ["double", "double"]
    assert flow.invoke(Command(resume="b"), thread()) == [2, "b"]


def test_without_a_checkpointer_nothing_is_kept() -> None:
    """Each invoke is by itself, and a thread id says nothing."""
    flow = entrypoint()(lambda x: double(x).result())
    assert flow.invoke(2) == flow.invoke(2, thread()) == 4


def test_going_on_without_a_thread_is_refused(place: Place) -> None:
    """Nobody knows which run is meant."""
    with pytest.raises(ResumeError, match="thread"):
        place.flow(lambda x: x).invoke(None)


def test_a_task_outside_of_a_run_says_how_to_call_it() -> None:
    """The message names the task and the plain function."""
    with pytest.raises(RuntimeError, match=r"double\.func"):
        double(1)


def test_a_coroutine_task_in_plain_code_says_what_to_use(place: Place) -> None:
    """There is no event loop it could run in."""

    @task
    async def slow() -> None: ...

    with pytest.raises(RuntimeError, match="ainvoke"):
        place.flow(lambda _: slow()).invoke(1, thread())


def test_a_coroutine_entrypoint_cannot_be_invoked_plainly(place: Place) -> None:
    """The error says what to use instead, and begins no run."""

    async def body(x: int) -> int:
        return x

    with pytest.raises(TypeError, match="ainvoke"):
        place.flow(body).invoke(1, thread())
    assert place.entries() == []


def test_what_cannot_be_an_entrypoint_is_refused() -> None:
    """Generators and functions without an input."""

    def generator(x: int) -> Any:
        yield x

    with pytest.raises(NotImplementedError):
        entrypoint()(generator)
    with pytest.raises(ValueError, match="parameter"):
        entrypoint()(lambda: 1)


def test_an_entrypoint_keeps_its_functions_name_and_docstring() -> None:
    """Tools that look at functions see this one."""

    def flow(x: int) -> int:
        """Return x."""
        return x

    made = entrypoint()(flow)
    assert isinstance(made, Entrypoint)
    assert (made.__name__, made.__doc__) == ("flow", "Return x.")  # type: ignore[attr-defined]


def test_a_finished_run_returns_its_value_again(place: Place) -> None:
    """invoke(None) on a finished thread executes nothing."""
    watcher = Watcher()
    flow = place.flow(lambda x: double(x).result(), listeners=[watcher])
    assert flow.invoke(3, thread()) == flow.invoke(None, thread()) == 6
    assert watcher.executed == ["double"]


def test_tasks_that_ask_one_after_the_other_are_no_changed_program():
    """A finished task that had asked is served; the next of its name is not taken for it."""

    @task
    def inner(number):
        return number

    @task
    def asks(number):
        inner(number).result()
        return interrupt(f"{number}?")

    @entrypoint(checkpointer=Host("memory:"))
    def flow(count):
        return [asks(number).result() for number in range(count)]

    config = {"configurable": {"thread_id": "t"}}
    result, asked = flow.invoke(3, config), []
    while isinstance(result, dict):
        asked += [one.value for one in result["__interrupt__"]]
        result = flow.invoke(Command(resume="yes"), config)
    assert asked == ["0?", "1?", "2?"]
    assert result == ["yes"] * 3
