"""Questions: asked anywhere, shown together, answered once, and never lost or leaked."""

from __future__ import annotations

import asyncio
import contextvars
import threading
from typing import Any

import pytest
from tests.unit.func.places import Place, Watcher, thread

from durably import Command, Interrupt, ResumeError, Suspended, interrupt, task
from durably.engine import current
from durably.journal.records import Answered, Asked


def asked(outcome: dict[str, Any]) -> list[Interrupt]:
    """Return the questions that an invoke returned."""
    return list(outcome["__interrupt__"])


def ids(outcome: dict[str, Any]) -> dict[Any, str]:
    """Return the ids of the questions that an invoke returned, by what they ask."""
    return {one.value: one.id for one in asked(outcome)}


@task
def consult(topic: str) -> str:
    return f"{topic}: {interrupt(topic)}"


@task
async def aconsult(topic: str) -> str:
    await asyncio.sleep(0)
    return f"{topic}: {interrupt(topic)}"


@pytest.mark.parametrize("answer", [0, "", False, {}, [], 0.0, "yes", {"a": 1}])
def test_an_answer_is_returned_as_it_was_given(place: Place, answer: object) -> None:
    """Falsy answers are answers like any other."""
    flow = place.flow(lambda _: ["got", interrupt("?")])
    flow.invoke("", thread())
    assert flow.invoke(Command(resume=answer), thread()) == ["got", answer]


def test_a_question_inside_a_task_is_answered_there(place: Place) -> None:
    """A task that asks is executed again with the answer, and its step is recorded once."""
    watcher = Watcher()

    def body(topic: str) -> str:
        return consult(topic).result()

    assert [one.value for one in asked(place.flow(body).invoke("tea", thread()))] == ["tea"]
    flow = place.flow(body, listeners=[watcher])
    assert flow.invoke(Command(resume="green"), thread()) == "tea: green"
    assert watcher.executed == ["consult"]


def test_questions_in_a_loop_are_asked_one_after_the_other(place: Place) -> None:
    """A loop that validates asks again until the answer fits."""

    def body(_: str) -> int:
        while not str(age := interrupt("How old?")).isdigit():
            pass
        return int(age)

    flow = place.flow(body)
    first = asked(flow.invoke("", thread()))
    second = asked(flow.invoke(Command(resume="old"), thread()))
    assert first[0].id != second[0].id
    assert flow.invoke(Command(resume="42"), thread()) == 42


def test_parallel_tasks_show_all_their_questions_together(place: Place) -> None:
    """One round trip is enough: every question is there at once, and answers go by id."""

    def body(_: str) -> list[str]:
        return [future.result() for future in [consult(x) for x in "abc"]]

    flow = place.flow(body)
    open_ = ids(flow.invoke("", thread()))
    assert sorted(open_) == ["a", "b", "c"]
    answers = {open_[x]: x.upper() for x in "abc"}
    assert flow.invoke(Command(resume=answers), thread()) == ["a: A", "b: B", "c: C"]


async def test_parallel_coroutines_show_all_their_questions_together(place: Place) -> None:
    """The same for gathered tasks and for branches that ask in the body itself."""

    @task
    async def slow(x: str) -> str:
        for _ in range(5):
            await asyncio.sleep(0)
        return x

    async def branch(x: str) -> str:
        return f"{x}: {interrupt(await slow(x))}"

    async def body(_: str) -> list[str]:
        return list(await asyncio.gather(aconsult("a"), aconsult("b"), branch("c"), branch("d")))

    flow = place.flow(body)
    open_ = ids(await flow.ainvoke("", thread()))
    assert sorted(open_) == ["a", "b", "c", "d"]
    answers = {open_[x]: x.upper() for x in "abcd"}
    done = await flow.ainvoke(Command(resume=answers), thread())
    assert done == ["a: A", "b: B", "c: C", "d: D"]


def test_what_is_in_flight_beside_a_question_is_finished_and_recorded(place: Place) -> None:
    """A sibling of an asking task ends, and is not executed again."""
    calls: list[str] = []
    asking = threading.Event()

    @task
    def slow(x: str) -> str:
        asking.wait(10)
        calls.append(x)
        return x

    @task
    def ask() -> str:
        try:
            return str(interrupt("?"))
        finally:
            asking.set()

    def body(_: str) -> str:
        first, second = slow("slow"), ask()
        return second.result() + first.result()

    flow = place.flow(body)
    flow.invoke("", thread())
    assert calls == ["slow"]
    assert flow.invoke(Command(resume="ok "), thread()) == "ok slow"
    assert calls == ["slow"]


def test_a_bare_answer_to_several_questions_is_refused(place: Place) -> None:
    """Nobody guesses which question was meant; the error lists them, and nothing is recorded."""
    flow = place.flow(lambda _: [f.result() for f in [consult("a"), consult("b")]])
    flow.invoke("", thread())
    with pytest.raises(ResumeError, match="2 answers") as caught:
        flow.invoke(Command(resume="yes"), thread())
    assert "'a'" in str(caught.value)
    assert "'b'" in str(caught.value)
    assert place.records(Answered) == []


def test_some_of_several_questions_may_be_answered(place: Place) -> None:
    """What is still open is asked again with the same id."""
    flow = place.flow(lambda _: [f.result() for f in [consult("a"), consult("b")]])
    open_ = ids(flow.invoke("", thread()))
    again = ids(flow.invoke(Command(resume={open_["a"]: 1}), thread()))
    assert again == {"b": open_["b"]}
    assert flow.invoke(Command(resume=2), thread()) == ["a: 1", "b: 2"]


def test_wrong_stale_and_double_answers_are_refused(place: Place) -> None:
    """An id that is not open takes no answer, and a refused command records nothing."""
    flow = place.flow(lambda _: [interrupt("first"), interrupt("second")])
    first = asked(flow.invoke("", thread()))[0].id
    with pytest.raises(ResumeError, match="asked no question"):
        flow.invoke(Command(resume={"0" * 32: "x"}), thread())
    second = asked(flow.invoke(Command(resume={first: 1}), thread()))[0].id
    with pytest.raises(ResumeError, match="answered already"):
        flow.invoke(Command(resume={first: 2}), thread())
    with pytest.raises(ResumeError, match="answered already"):
        flow.invoke(Command(resume={second: 2, first: 2}), thread())
    assert [one.id for one in place.records(Answered)] == [first]
    assert flow.invoke(Command(resume={second: 2}), thread()) == [1, 2]


def test_an_answer_to_a_finished_run_is_refused(place: Place) -> None:
    """There is nothing to answer when nothing is asked."""
    flow = place.flow(lambda _: 1)
    flow.invoke("", thread())
    with pytest.raises(ResumeError):
        flow.invoke(Command(resume="x"), thread())
    with pytest.raises(ResumeError):
        flow.invoke(Command(resume="x"), thread("unknown"))


def test_going_on_without_an_answer_asks_again_with_the_same_id(place: Place) -> None:
    """invoke(None) on a waiting run changes nothing."""

    def body(_: str) -> object:
        return interrupt("?")

    first = asked(place.flow(body).invoke("", thread()))
    again = asked(place.flow(body).invoke(None, thread()))
    assert first == again
    assert len(place.records(Asked)) == 1


def test_a_program_that_catches_every_exception_does_not_swallow_a_question(
    place: Place,
) -> None:
    """The signal is no Exception."""

    def body(_: str) -> object:
        try:
            return interrupt("?")
        except Exception:
            return "swallowed"

    flow = place.flow(body)
    assert asked(flow.invoke("", thread()))
    assert flow.invoke(Command(resume="fine"), thread()) == "fine"


def test_a_swallowed_signal_comes_back_at_the_next_step(place: Place) -> None:
    """No step starts once the run waits, even if the program swallowed the signal."""
    calls: list[int] = []

    @task
    def act() -> None:
        calls.append(1)

    def body(_: str) -> object:
        try:
            return interrupt("?")
        except BaseException:
            act().result()
            return "went on"

    flow = place.flow(body)
    assert asked(flow.invoke("", thread()))
    assert calls == []


def test_a_swallowed_signal_does_not_let_the_run_end(place: Place) -> None:
    """A program that swallows the signal and returns has still asked its question."""

    def body(_: str) -> str:
        try:
            return str(interrupt("?"))
        except BaseException:
            return "swallowed"

    flow = place.flow(body)
    assert asked(flow.invoke("", thread()))
    assert flow.invoke(Command(resume="heard"), thread()) == "heard"


def test_the_finally_blocks_of_a_waiting_program_run(place: Place) -> None:
    """Suspending unwinds the program like any exception."""
    closed: list[str] = []

    def body(_: str) -> None:
        try:
            interrupt("?")
        finally:
            closed.append("closed")

    place.flow(body).invoke("", thread())
    assert closed == ["closed"]


async def test_nothing_of_a_suspended_run_is_left_in_the_loop(place: Place) -> None:
    """Tasks that the program began are ended with it, and no context keeps the run."""

    async def forever() -> None:
        await asyncio.Event().wait()

    async def body(_: str) -> None:
        background = asyncio.create_task(forever())
        await asyncio.gather(aconsult("a"), aconsult("b"))
        await background

    before = asyncio.all_tasks()
    await place.flow(body).ainvoke("", thread())
    assert asyncio.all_tasks() == before
    assert current() is None


def test_nothing_of_a_run_is_left_in_the_callers_context(place: Place) -> None:
    """Context variables set by the program stay in the program."""
    variable: contextvars.ContextVar[str] = contextvars.ContextVar("variable", default="outside")

    def body(_: str) -> object:
        variable.set("inside")
        return interrupt("?")

    place.flow(body).invoke("", thread())
    assert (variable.get(), current()) == ("outside", None)


def test_interrupt_outside_of_a_run_says_so() -> None:
    """There is nobody to suspend."""
    with pytest.raises(RuntimeError, match="outside of a run"):
        interrupt("?")


def test_the_signal_is_no_exception() -> None:
    """Frameworks full of `except Exception` let it pass."""
    assert not issubclass(Suspended, Exception)


async def test_concurrent_questions_in_another_order_keep_their_answers(place: Place) -> None:
    """A branch that asks first on resume does not get the other branch's answer."""
    delays = {"a": 0, "b": 3}

    async def branch(x: str) -> str:
        for _ in range(delays[x]):
            await asyncio.sleep(0)
        first = interrupt(f"{x}?")
        return f"{x}={first}"

    async def body(_: str) -> list[str]:
        return list(await asyncio.gather(branch("a"), branch("b")))

    flow = place.flow(body)
    first = ids(await flow.ainvoke("", thread()))
    only_a = {first["a?"]: "A"}
    second = ids(await flow.ainvoke(Command(resume=only_a), thread()))
    delays.update(a=3, b=0)
    third = ids(await flow.ainvoke(None, thread()))
    assert second == third
    done = await flow.ainvoke(Command(resume={third["b?"]: "B"}), thread())
    assert done == ["a=A", "b=B"]
