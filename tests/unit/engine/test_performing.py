"""Steps with gates: what they pass, what is tried instead, and how a run is parked."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Iterator

import pytest

from durably import (
    Match,
    NodeTimeoutError,
    OutcomeUnknown,
    ParkPolicy,
    RetryPolicy,
    RunParked,
    StepPolicy,
    TimeoutPolicy,
)
from durably.engine import Call, current
from durably.hosting import fold
from durably.journal.records import RunWaiting, StepAttempted, StepEnded, StepStarted
from durably.testing import FakeClock


class Outage(Exception):
    """What a client raises when a provider is down."""

    def __init__(self, status: int = 503, retry_after: str | None = None) -> None:
        super().__init__(f"status {status}")
        self.status_code = status
        self.response = self
        self.headers = {} if retry_after is None else {"retry-after": retry_after}


class Provider:
    """Models by name; those that are down raise, the others answer their name."""

    def __init__(self, *down: str, error: Exception | None = None) -> None:
        self.down = set(down)
        self.error = error or Outage()
        self.asked: list[str] = []

    def call(self) -> Call:
        return Call("model", "big", "question", with_model=lambda name: lambda: self.answer(name))

    def answer(self, name: str = "big") -> str:
        self.asked.append(name)
        if name in self.down:
            raise self.error
        return name

    def body(self) -> str:
        scope = current()
        assert scope is not None
        return scope.step(self.call(), self.answer)


def test_a_fallback_answers_when_a_model_is_down(runs):
    """The step has the fallback's answer, and is replayed with it."""
    provider = Provider("big", "medium")
    policies = {"model": StepPolicy(fallback=["medium", "small"])}
    assert runs.drive(provider.body, policies=policies).value == "small"
    assert provider.asked == ["big", "medium", "small"]
    assert runs.drive(provider.body, policies=policies).value == "small"
    assert provider.asked == ["big", "medium", "small"]


def test_each_fallback_has_attempts_of_its_own(runs):
    """Retries are counted anew for each model."""
    provider = Provider("big", "medium", "small")
    retry = RetryPolicy(max_attempts=2, jitter=False)
    policies = {"model": StepPolicy(fallback=["medium"], retry=retry)}
    outcome = runs.drive(provider.body, policies=policies, clock=FakeClock())
    assert isinstance(outcome.error, Outage)
    assert provider.asked == ["big", "big", "medium", "medium"]


def test_a_programming_error_does_not_fall_back(runs):
    """Another model would not mend the program."""
    provider = Provider("big", error=TypeError("no"))
    outcome = runs.drive(provider.body, policies={"model": StepPolicy(fallback=["small"])})
    assert isinstance(outcome.error, TypeError)
    assert provider.asked == ["big"]


def test_a_fallback_that_cannot_be_made_is_passed_over(runs):
    """The error says so, and the next one is tried."""

    def body():
        scope = current()

        def with_model(name):
            if name == "broken":
                raise ImportError("no such provider")
            return lambda: name

        def down():
            raise Outage

        return scope.step(Call("model", "big", "q", with_model=with_model), down)

    policies = {"model": StepPolicy(fallback=["broken", "small"])}
    assert runs.drive(body, policies=policies).value == "small"
    failed = runs.drive(
        lambda: current().child("x").step(_unmakeable(), _down),
        policies={"model": StepPolicy(fallback=["broken"])},
    )
    assert "the fallback broken cannot be used" in failed.error.__notes__[0]


def _unmakeable() -> Call:
    def with_model(name):
        raise ImportError(name)

    return Call("model", "big", "q", with_model=with_model)


def _down():
    raise Outage


def test_a_run_parks_when_an_outage_outlasts_its_attempts(runs):
    """It waits, with the time at which it goes on in the journal; later it goes on from there."""
    clock, provider = FakeClock(start=1000.0), Provider("big")
    policies = {"model": StepPolicy(on_exhausted=ParkPolicy(first=60, longest=100))}
    outcome = runs.drive(provider.body, policies=policies, clock=clock)
    assert (outcome.status, outcome.wake) == ("waiting", 1060.0)
    assert isinstance(outcome.error, RunParked)
    assert "Outage: status 503" in str(outcome.error)
    assert [one.wake for one in runs.records(RunWaiting)] == [1060.0]

    clock.advance(60)
    assert runs.drive(provider.body, policies=policies, clock=clock).wake == 1160.0
    clock.advance(100)
    provider.down.clear()
    assert runs.drive(provider.body, policies=policies, clock=clock).value == "big"
    assert [one.attempt for one in runs.records(StepAttempted)] == [1, 2]


def test_a_server_that_says_how_long_is_heeded(runs):
    """``Retry-After`` is not cut to the policy's longest wait."""
    clock, provider = FakeClock(start=0.0), Provider("big", error=Outage(429, "7200"))
    policies = {"model": StepPolicy(on_exhausted=ParkPolicy())}
    assert runs.drive(provider.body, policies=policies, clock=clock).wake == 7200.0


def test_a_parked_run_gives_up_in_the_end(runs):
    """After ``give_up_after`` the outage is the run's own failure."""
    clock, provider = FakeClock(), Provider("big")
    policies = {"model": StepPolicy(on_exhausted=ParkPolicy(first=60, give_up_after=50))}
    assert runs.drive(provider.body, policies=policies, clock=clock).status == "waiting"
    clock.advance(60)
    outcome = runs.drive(provider.body, policies=policies, clock=clock)
    assert outcome.status == "failed"
    assert isinstance(outcome.error, Outage)


def test_a_step_that_finished_makes_the_next_outage_a_new_one(runs):
    """Waits grow only while nothing gets done."""
    clock = FakeClock(start=0.0)
    down = {"b"}

    def step(name):
        def execute():
            if name in down:
                raise Outage
            return name

        return current().step(Call("model", name, name), execute)

    def body():
        return step("a"), step("b"), step("c")

    policies = {"model": StepPolicy(on_exhausted=ParkPolicy(first=60))}
    assert runs.drive(body, policies=policies, clock=clock).wake == 60
    assert runs.drive(body, policies=policies, clock=clock).wake == 120
    down.clear()
    down.add("c")
    assert runs.drive(body, policies=policies, clock=clock).wake == 60


def test_an_ordinary_failure_does_not_park(runs):
    """Only lost connections, timeouts and a provider's own troubles do."""
    provider = Provider("big", error=ValueError("bad request"))
    policies = {"model": StepPolicy(on_exhausted=ParkPolicy())}
    assert runs.drive(provider.body, policies=policies).status == "failed"


def test_the_view_of_a_parked_run_says_when_and_why(runs):
    """Until the run is taken up again."""
    clock, provider = FakeClock(start=0.0), Provider("big")
    policies = {"model": StepPolicy(on_exhausted=ParkPolicy())}
    runs.drive(provider.body, policies=policies, clock=clock)
    entries = list(runs.host().journal.read("t"))
    (view,) = fold(("t", one) for one in entries).values()
    assert (view.status, view.wake, view.error) == ("waiting", 60.0, "Outage: status 503")
    provider.down.clear()
    runs.drive(provider.body, policies=policies, clock=clock)
    entries = list(runs.host().journal.read("t"))
    (view,) = fold(("t", one) for one in entries).values()
    assert (view.status, view.wake, view.error) == ("done", None, "")


async def test_a_coroutine_parks_and_falls_back_as_plain_code_does(runs):
    """The two call sites share what they decide."""
    asked = []

    async def answer(name="big"):
        asked.append(name)
        if name == "big":
            raise Outage
        return name

    async def body():
        call = Call("model", "big", "q", with_model=lambda name: lambda: answer(name))
        return await current().astep(call, answer)

    clock = FakeClock(start=0.0)
    parked = await runs.adrive(
        body, policies={"model": StepPolicy(on_exhausted=ParkPolicy())}, clock=clock
    )
    assert parked.wake == 60
    done = await runs.adrive(body, policies={"model": StepPolicy(fallback=["small"])}, clock=clock)
    assert done.value == "small"
    assert asked == ["big", "big", "small"]


def test_a_stream_is_held_to_its_timeout(runs):
    """A plain generator that hangs is given up at its deadline, after the pieces it gave."""
    hung = threading.Event()
    got = []

    def source() -> Iterator[str]:
        yield "one"
        yield "two"
        hung.wait(30)

    def body():
        for piece in current().stream(Call("model", "m", "q"), source):
            got.append(piece)

    timeout = TimeoutPolicy(run_timeout=0.2)
    outcome = runs.drive(body, policies={"model": StepPolicy(timeout=timeout)})
    hung.set()
    assert isinstance(outcome.error, NodeTimeoutError)
    assert got == ["one"]


async def test_an_asynchronous_stream_is_held_to_its_timeout(runs):
    """As a plain one is."""

    async def source():
        yield "one"
        await asyncio.sleep(30)
        yield "two"

    async def body():
        return [piece async for piece in current().astream(Call("model", "m", "q"), source)]

    timeout = TimeoutPolicy(run_timeout=0.2)
    outcome = await runs.adrive(body, policies={"model": StepPolicy(timeout=timeout)})
    assert isinstance(outcome.error, NodeTimeoutError)


@pytest.mark.parametrize(("action", "status"), [("ask", "waiting"), ("fail", "failed")])
def test_an_effect_left_half_way_is_dealt_with_as_it_was_said(runs, action, status):
    """``on_unfinished`` says outright what ``effect`` implies."""

    class Died(BaseException):
        pass

    def body(die):
        def execute():
            if die:
                raise Died
            return "sent"

        return current().step(Call("tool", "send", {}, effect=True), execute)

    runs.drive(lambda: body(True))
    assert len(runs.records(StepStarted)) == 1
    policies = {"tool": StepPolicy(on_unfinished=action)}
    outcome = runs.drive(lambda: body(False), policies=policies)
    assert outcome.status == status
    if action == "fail":
        assert isinstance(outcome.error, OutcomeUnknown)


def test_a_policy_may_be_meant_for_one_agent(runs):
    """The agent whose turn it is decides which rule a step falls under."""
    tries = []

    def flaky(who):
        tries.append(who)
        raise ConnectionError

    def body():
        for who in ("Writer", "Reader"):
            with contextlib.suppress(ConnectionError), current().span("agent", who) as turn:
                turn.step(Call("model", "m", who), lambda who=who: flaky(who))

    retry = RetryPolicy(max_attempts=3, jitter=False)
    policies = {Match(agent="Writer"): StepPolicy(retry=retry)}
    runs.drive(body, policies=policies, clock=FakeClock())
    assert tries == ["Writer", "Writer", "Writer", "Reader"]
    assert [one.attempts for one in runs.records(StepEnded)] == [3, 1]
