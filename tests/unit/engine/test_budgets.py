"""Budgets: reserved before a call, settled after it, raised by people, kept by the journal."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from durably import Answer, Budget, BudgetExceeded, CachePolicy, InMemoryCache, StepPolicy, hookimpl
from durably.engine import Call, current, drive
from durably.journal.records import Asked, StepEnded


class Prices:
    """A cent for each output token."""

    @hookimpl
    def price(self, model, usage):
        return 0.01 * usage["output_tokens"] if model == "m" else None


PRICES = [Prices()]


def call(number, took=100, allowed=100, name="m"):
    """Describe a model call that may take 100 output tokens, a dollar, unless it says otherwise."""
    usage = {"input_tokens": 0, "output_tokens": took}
    request = {"q": number, "max_tokens": allowed}
    return Call("model", name, request, usage=lambda _: usage)


def ask(number, **parts):
    return current().step(call(number, **parts), lambda: f"answer {number}")


def body():
    return [ask(number) for number in range(4)]


def budgeted(runs, program=body, budget=None, **options):
    return runs.drive(program, budgets=[budget or Budget(usd=2.5)], plugins=PRICES, **options)


def test_a_run_asks_before_the_call_that_would_be_too_much(runs):
    """Two dollars of two and a half are spent; the third call is not made."""
    outcome = budgeted(runs)
    assert outcome.status == "waiting"
    question = outcome.interrupts[0].value
    assert question["kind"] == "confirmation"
    assert question["args"] == {
        "scope": "run",
        "unit": "usd",
        "limit": 2.5,
        "spent": 2.0,
        "needed": 1.0,
    }
    assert "$2.0000 of $2.5000" in question["message"]
    assert len(runs.records(StepEnded)) == 2


@pytest.mark.parametrize(
    "answer",
    [
        {"type": "approve"},
        {"type": "edit", "args": {"limit": 4}},
        {"type": "respond", "message": "4 USD"},
        {"type": "respond", "message": "$4"},
    ],
)
def test_an_answer_raises_the_limit_and_nothing_is_lost(runs, answer):
    """Approving adds the same again; an edit or a response names the new limit."""
    waiting = budgeted(runs)
    runs.answer({waiting.interrupts[0].id: answer})
    assert budgeted(runs).value == [f"answer {n}" for n in range(4)]
    assert len(runs.records(StepEnded)) == 4


def test_what_was_spent_and_decided_survives_the_process(runs):
    """A new process counts what the journal holds, and the raised limit holds again."""
    first = budgeted(runs, budget=Budget(usd=1.5))
    runs.answer({first.interrupts[0].id: {"type": "approve"}})
    second = budgeted(runs, budget=Budget(usd=1.5))
    assert second.interrupts[0].value["args"]["limit"] == 3.0
    assert second.interrupts[0].value["args"]["spent"] == 3.0
    assert second.interrupts[0].id != first.interrupts[0].id
    runs.answer({second.interrupts[0].id: {"type": "approve"}})
    assert budgeted(runs, budget=Budget(usd=1.5)).status == "done"


def test_an_answer_that_is_too_low_or_no_amount_is_asked_about_again(runs):
    """Nobody is charged for a slip of the pen."""
    waiting = budgeted(runs)
    for said in ("plenty", "1"):
        identity = waiting.interrupts[0].id
        runs.answer({identity: {"type": "respond", "message": said}})
        waiting = budgeted(runs)
        assert waiting.status == "waiting"
        assert waiting.interrupts[0].id != identity


def test_rejecting_ends_the_run_and_can_be_thought_over(runs):
    """The run fails for its budget; taken up again it asks once more."""
    waiting = budgeted(runs)
    runs.answer({waiting.interrupts[0].id: {"type": "reject"}})
    outcome = budgeted(runs)
    assert outcome.status == "failed"
    assert isinstance(outcome.error, BudgetExceeded)
    again = budgeted(runs)
    assert again.status == "waiting"
    runs.answer({again.interrupts[0].id: {"type": "approve"}})
    assert budgeted(runs).status == "done"


def test_replayed_and_cached_steps_cost_nothing(runs):
    """Only what was paid counts."""

    def program():
        found = []
        for number in range(3):
            with current().span("part", str(number)):
                found.append(ask(0))
        return found

    policies = {"model": StepPolicy(cache=CachePolicy())}
    options = {"policies": policies, "cache": InMemoryCache(), "budget": Budget(usd=1.5)}
    assert budgeted(runs, program, **options).value == ["answer 0"] * 3
    assert [one.cached for one in runs.records(StepEnded)] == [False, True, True]
    assert budgeted(runs, program, **options).status == "done"


def test_a_threads_budget_counts_all_of_its_runs(runs):
    """A run of the same thread begins with what the others spent."""
    budget = Budget(usd=2.5, scope="thread")
    assert budgeted(runs, lambda: [ask(1), ask(2)], budget).status == "done"
    host = runs.host(budgets=[budget], plugins=PRICES)
    run = host.begin("again", None, thread="t")
    outcome = drive(run, lambda: ask(3))
    host.release(run)
    assert outcome.status == "waiting"
    assert outcome.interrupts[0].value["args"]["scope"] == "thread"


def test_tokens_are_a_budget_without_prices(runs):
    """No plug-in has to know the model."""
    outcome = runs.drive(body, budgets=[Budget(tokens=250)])
    assert outcome.status == "waiting"
    assert outcome.interrupts[0].value["args"]["spent"] == 200
    assert "200 tokens of 250 tokens" in outcome.interrupts[0].value["message"]


def test_a_model_without_a_price_is_told_of(runs, caplog):
    """A budget in dollars that cannot hold says so, once."""
    runs.drive(
        lambda: [ask(1, name="own"), ask(2, name="own")],
        budgets=[Budget(usd=0.01)],
        plugins=PRICES,
    )
    assert caplog.text.count("no plug-in knows the price of own") == 1


def test_the_cost_is_recorded_with_the_step(runs):
    """Whoever reads the journal needs no prices."""
    runs.drive(lambda: ask(1), plugins=PRICES)
    assert runs.records(StepEnded)[0].usage == {
        "input_tokens": 0,
        "output_tokens": 100,
        "cost": 1.0,
    }


def in_threads(count, took):
    def run():
        scope = current()

        def branch(number):
            with scope.child(f"b{number}").entered():
                threading.Event().wait(0.01)
                return ask(number, took=took)

        with ThreadPoolExecutor(count) as pool:
            return list(pool.map(branch, range(count)))

    return run


def test_calls_at_the_same_time_cannot_spend_it_twice(runs):
    """Each reserves before it begins: of eight for a dollar each, two fit."""
    outcome = budgeted(runs, in_threads(8, took=100))
    assert outcome.status == "waiting"
    assert len(runs.records(StepEnded)) == 2
    assert len(runs.records(Asked)) == 1


def test_a_call_waits_for_others_that_may_cost_less(runs):
    """Reserved is not spent: when they turn out cheap, nobody is asked."""
    outcome = budgeted(runs, in_threads(8, took=10))
    assert outcome.value == [f"answer {n}" for n in range(8)]
    assert runs.records(Asked) == []


async def test_coroutines_cannot_spend_it_twice(runs):
    """As threads cannot."""

    async def branch(number):
        async def answer():
            await asyncio.sleep(0.01)
            return number

        with current().child(f"b{number}").entered():
            return await current().astep(call(number), answer)

    async def program():
        return await asyncio.gather(*map(branch, range(8)))

    outcome = await runs.adrive(program, budgets=[Budget(usd=2.5)], plugins=PRICES)
    assert outcome.status == "waiting"
    assert len(runs.records(StepEnded)) == 2
    assert len(runs.records(Asked)) == 1


def test_a_failed_call_gives_back_what_it_had_reserved(runs):
    """A provider does not charge for an error."""

    def program():
        def fail():
            raise ConnectionError

        for number in range(5):
            with pytest.raises(ConnectionError):
                current().step(call(number), fail)
        return ask(9)

    assert budgeted(runs, program, Budget(usd=1.5)).value == "answer 9"


def test_a_plug_in_may_answer_at_once(runs):
    """The run does not stop for it; the answer is in the journal under the plug-in's name."""

    class Generous(Prices):
        @hookimpl
        def answer_interrupt(self, interrupt, run):
            return Answer({"type": "approve"}, by="generous")

    outcome = runs.drive(body, budgets=[Budget(usd=2.5)], plugins=[Generous()])
    assert outcome.status == "done"


def test_a_run_that_keeps_no_journal_fails_at_its_limit():
    """Nobody could answer it."""
    from durably import Host
    from durably.engine import Run
    from durably.types import RunInfo

    host = Host("memory:", budgets=[Budget(usd=2.5)], plugins=PRICES, config=False)
    run = Run(RunInfo("r", "t", "e", resumed=False), None, host.codec, host.options, started=0.0)
    outcome = drive(run, body)
    assert isinstance(outcome.error, BudgetExceeded)
