"""Effects: what happens when a process dies between the act and its record."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from tests.unit.func.places import Place, Watcher, thread

from durably import Command, OutcomeUnknown, ResumeError, StepPolicy, idempotency_key, task


class Payments:
    """A remote side; the process dies in its first *deaths* calls, after the act."""

    def __init__(self, deaths: int) -> None:
        self.deaths = deaths
        self.paid: list[int] = []
        self.keys: list[str] = []

    def pay(self, amount: int) -> str:
        self.paid.append(amount)
        self.keys.append(idempotency_key())
        if len(self.paid) <= self.deaths:
            raise KeyboardInterrupt
        return f"paid {amount}"


def program(payments: Payments) -> Any:
    @task(effect="once")
    def pay(amount: int) -> str:
        return payments.pay(amount)

    def body(amount: int) -> str:
        try:
            return pay(amount).result()
        except OutcomeUnknown:
            return "nobody knows"

    return body


def died(place: Place, payments: Payments) -> Any:
    """Return the body whose first process has died half-way, and the question that is asked."""
    body = program(payments)
    with pytest.raises(KeyboardInterrupt):
        place.flow(body).invoke(5, thread())
    [asked] = place.flow(body).invoke(None, thread())["__interrupt__"]
    return body, asked


def test_a_half_way_effect_becomes_a_question(place: Place) -> None:
    """Nothing is repeated before a person has said so."""
    payments = Payments(1)
    _, asked = died(place, payments)
    assert asked.value["kind"] == "confirmation"
    assert "pay" in asked.value["message"]
    assert payments.paid == [5]


def test_approving_repeats_the_effect(place: Place) -> None:
    """Approve: do it again, and record it."""
    payments = Payments(1)
    body, _ = died(place, payments)
    assert place.flow(body).invoke(Command(resume="approve"), thread()) == "paid 5"
    assert payments.paid == [5, 5]


def test_responding_gives_the_outcome(place: Place) -> None:
    """Respond: the person says what came of it, and that is the step's result from then on."""
    payments = Payments(1)
    body, _ = died(place, payments)
    answer = {"type": "respond", "value": "paid by hand"}
    assert place.flow(body).invoke(Command(resume=answer), thread()) == "paid by hand"
    assert payments.paid == [5]


def test_rejecting_lets_the_step_fail(place: Place) -> None:
    """Reject: the program sees an OutcomeUnknown, which replays like any failure."""
    payments = Payments(1)
    body, _ = died(place, payments)
    assert place.flow(body).invoke(Command(resume="reject"), thread()) == "nobody knows"
    assert payments.paid == [5]


@pytest.mark.parametrize("answer", [True, "yes", {}, "", {"type": "edit", "args": {}}, 1])
def test_an_unclear_answer_is_refused(place: Place, answer: object) -> None:
    """Nothing but a clear decision lets an effect be repeated."""
    payments = Payments(1)
    body, asked = died(place, payments)
    with pytest.raises(ResumeError):
        place.flow(body).invoke(Command(resume={asked.id: answer}), thread())
    assert payments.paid == [5]


def test_each_death_asks_anew(place: Place) -> None:
    """An approval is for one more attempt; the next half-way effect is another question."""
    payments = Payments(2)
    body, first = died(place, payments)
    with pytest.raises(KeyboardInterrupt):
        place.flow(body).invoke(Command(resume="approve"), thread())
    [second] = place.flow(body).invoke(None, thread())["__interrupt__"]
    assert second.id != first.id
    assert payments.paid == [5, 5]
    assert place.flow(body).invoke(Command(resume="approve"), thread()) == "paid 5"


def test_a_question_about_an_effect_stays_open_when_it_is_asked_again(place: Place) -> None:
    """Going on without an answer asks the same question, and still repeats nothing."""
    payments = Payments(1)
    body, asked = died(place, payments)
    [again] = place.flow(body).invoke(None, thread())["__interrupt__"]
    assert again.id == asked.id
    assert payments.paid == [5]


async def test_a_half_way_effect_of_a_coroutine_becomes_a_question(place: Place) -> None:
    """The same for coroutines."""
    payments = Payments(1)

    @task(effect="once")
    async def pay(amount: int) -> str:
        try:
            return payments.pay(amount)
        except KeyboardInterrupt:
            here = asyncio.current_task()
            assert here is not None
            here.cancel()
            await asyncio.sleep(0)
            raise

    async def body(amount: int) -> str:
        return await pay(amount)

    with pytest.raises(asyncio.CancelledError):
        await place.flow(body).ainvoke(5, thread())
    assert "__interrupt__" in await place.flow(body).ainvoke(None, thread())
    done = await place.flow(body).ainvoke(Command(resume="approve"), thread())
    assert (done, payments.paid) == ("paid 5", [5, 5])


def test_the_idempotency_key_is_the_same_for_every_attempt_of_a_call(place: Place) -> None:
    """A remote side that knows the key does not pay twice; another call has another key."""
    payments = Payments(1)
    body, _ = died(place, payments)
    place.flow(body).invoke(Command(resume="approve"), thread())
    place.flow(program(payments)).invoke(5, thread("another"))
    first, repeated, other_run = payments.keys
    assert first == repeated
    assert other_run != first


def test_equal_calls_have_different_idempotency_keys(place: Place) -> None:
    """Two payments of the same amount are two payments, one after the other or side by side."""

    @task
    def key(_: int) -> str:
        return idempotency_key()

    def body(_: str) -> list[str]:
        beside = [key(1), key(1), key(2)]
        return [key(1).result(), *(future.result() for future in beside)]

    keys = place.flow(body).invoke("", thread())
    assert len(set(keys)) == 4


def test_an_idempotency_key_outside_of_a_step_is_refused(place: Place) -> None:
    """The body is executed many times; it is no step."""
    with pytest.raises(RuntimeError, match="outside of a step"):
        place.flow(lambda _: idempotency_key()).invoke("", thread())


def test_an_effect_without_a_policy_of_its_own_is_repeated_and_reported(place: Place) -> None:
    """Only a step that is marked as an effect leaves a start marker; others just run again."""
    payments, watcher = Payments(1), Watcher()

    @task
    def pay(amount: int) -> str:
        return payments.pay(amount)

    def body(amount: int) -> str:
        return pay(amount).result()

    with pytest.raises(KeyboardInterrupt):
        place.flow(body).invoke(5, thread())
    assert place.flow(body, listeners=[watcher]).invoke(None, thread()) == "paid 5"
    assert watcher.repeated == []


def test_a_host_can_have_an_effect_asked_for(place: Place) -> None:
    """policies={"pay": StepPolicy(effect="once")} does what the decorator does."""
    payments = Payments(1)
    policies = {"pay": StepPolicy(effect="once")}

    @task
    def pay(amount: int) -> str:
        return payments.pay(amount)

    def body(amount: int) -> str:
        return pay(amount).result()

    with pytest.raises(KeyboardInterrupt):
        place.flow(body, policies=policies).invoke(5, thread())
    assert "__interrupt__" in place.flow(body, policies=policies).invoke(None, thread())
    assert payments.paid == [5]
