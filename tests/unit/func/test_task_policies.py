"""``@durably.policy`` on tasks: in either order, on either kind of function, it holds or raises."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Callable
from typing import Any

import pytest
from tests.unit.func.places import Place, thread

import durably
from durably import (
    ApprovalPolicy,
    CachePolicy,
    Command,
    Entrypoint,
    InMemoryCache,
    ParkPolicy,
    RatePolicy,
    RetryPolicy,
    RunParked,
    TimeoutPolicy,
    entrypoint,
    task,
)
from durably.errors import NodeTimeoutError
from durably.testing import FakeClock

TWICE = RetryPolicy(max_attempts=2, jitter=False)


class Form:
    """One way to write a task: the order of its decorators, and the kind of its function."""

    def __init__(self, *, outside: bool, is_async: bool) -> None:
        self._outside = outside
        self._is_async = is_async

    def task(self, function: Callable[..., Any], **policy: Any) -> Any:
        """Return *function* as a task with a policy."""
        mark = durably.policy(**policy)
        made = self._kind(function)
        return mark(task(made)) if self._outside else task(mark(made))

    def _kind(self, function: Callable[..., Any]) -> Callable[..., Any]:
        if not self._is_async:
            return function

        @functools.wraps(function)
        async def coroutine(*args: Any, **kwargs: Any) -> Any:
            return function(*args, **kwargs)

        return coroutine

    def body(self, called: Any) -> Callable[..., Any]:
        """Return an entrypoint's function that calls a task with its input."""
        if not self._is_async:

            def body(given: Any) -> Any:
                return called(given).result()

            return body

        async def abody(given: Any) -> Any:
            return await called(given)

        return abody

    def invoke(self, flow: Entrypoint, given: Any, name: str = "t") -> Any:
        if not self._is_async:
            return flow.invoke(given, thread(name))
        return asyncio.run(flow.ainvoke(given, thread(name)))


@pytest.fixture(params=["policy above", "policy below"])
def outside(request: pytest.FixtureRequest) -> bool:
    return bool(request.param == "policy above")


@pytest.fixture(params=["plain", "coroutine"])
def form(request: pytest.FixtureRequest, outside: bool) -> Form:
    return Form(outside=outside, is_async=request.param == "coroutine")


def test_a_task_with_approve_asks_before_it_is_executed(place: Place, form: Form) -> None:
    """The question shows the arguments; the task runs once somebody has agreed."""
    calls: list[int] = []

    def pay(amount: int) -> int:
        calls.append(amount)
        return amount

    body = form.body(form.task(pay, approve=True))
    asked = form.invoke(place.flow(body), 5)["__interrupt__"][0]
    assert (asked.value["name"], asked.value["args"], calls) == ("pay", {"amount": 5}, [])
    assert form.invoke(place.flow(body), Command(resume="approve")) == 5
    assert calls == [5]


def test_the_ways_to_approve_are_those_of_the_policy(place: Place, form: Form) -> None:
    """An ApprovalPolicy says what a person may do and what they are told."""
    approve = ApprovalPolicy(allowed=("approve", "reject"), message="Really?")
    body = form.body(form.task(lambda amount: amount, approve=approve))
    asked = form.invoke(place.flow(body), 5)["__interrupt__"][0].value
    assert (asked["allowed"], asked["message"]) == (["approve", "reject"], "Really?")


def test_a_task_with_retry_is_tried_again(place: Place, form: Form) -> None:
    """As often as the policy says, whether it is a policy or a number."""
    calls: list[int] = []

    for name, retry in (("policy", TWICE), ("number", 2)):

        def flaky(x: int) -> int:
            calls.append(x)
            raise ConnectionError("no")

        flow = place.flow(form.body(form.task(flaky, retry=retry)), clock=FakeClock())
        with pytest.raises(ConnectionError):
            form.invoke(flow, 1, name)
    assert calls == [1, 1, 1, 1]


def test_an_effect_of_a_task_that_died_half_way_is_asked_about(place: Place, form: Form) -> None:
    """effect="once" and on_unfinished="ask" ask; the effect is not repeated unasked."""
    for name, policy in (("once", {"effect": "once"}), ("ask", {"on_unfinished": "ask"})):
        calls: list[int] = []

        def pay(amount: int, calls: list[int] = calls) -> int:
            calls.append(amount)
            if len(calls) == 1:
                raise KeyboardInterrupt
            return amount

        body = form.body(form.task(pay, **{"effect": "once", **policy}))
        with pytest.raises(KeyboardInterrupt):
            form.invoke(place.flow(body), 5, name)
        asked = form.invoke(place.flow(body), None, name)["__interrupt__"][0]
        assert (asked.value["allowed"], calls) == (["approve", "respond", "reject"], [5])


def test_an_attempt_of_a_task_with_timeout_is_given_up(place: Place, outside: bool) -> None:
    """The limit holds for one attempt of a coroutine."""

    async def slow(x: int) -> int:
        await asyncio.sleep(30)
        return x

    mark = durably.policy(timeout=0.01)
    made = mark(task(slow)) if outside else task(mark(slow))

    async def body(x: int) -> int:
        return await made(x)

    with pytest.raises(NodeTimeoutError):
        asyncio.run(place.flow(body).ainvoke(1, thread()))


def test_a_task_with_cache_is_computed_once(place: Place, form: Form) -> None:
    """Without a cache on the entrypoint, the host's serves other runs."""
    calls: list[int] = []

    def slow(x: int) -> int:
        calls.append(x)
        return 2 * x

    flow = place.flow(form.body(form.task(slow, cache=60)), cache=InMemoryCache())
    assert [form.invoke(flow, x, f"{n}") for n, x in enumerate((4, 4, 5))] == [8, 8, 10]
    assert calls == [4, 5]


def test_the_entrypoints_cache_is_used_where_there_is_one(form: Form) -> None:
    """The task's results lie in it, and are forgotten with the task's clear_cache."""
    calls: list[int] = []
    cache = InMemoryCache()

    def slow(x: int) -> int:
        calls.append(x)
        return 2 * x

    made = form.task(slow, cache=CachePolicy(ttl=60))
    flow = entrypoint(cache=cache)(form.body(made))
    for _ in range(2):
        form.invoke(flow, 4)
    made.clear_cache(cache)
    form.invoke(flow, 4)
    assert calls == [4, 4]


def test_cached_tasks_of_one_name_keep_their_own_results(place: Place, form: Form) -> None:
    """The host's cache knows the function, not only what it is called."""

    def made(factor: int) -> Callable[..., Any]:
        def scaled(x: int) -> int:
            return factor * x

        return form.body(form.task(scaled, cache=60))

    cache = InMemoryCache()
    found = [form.invoke(place.flow(made(f), cache=cache), 5, f"{f}") for f in (2, 3)]
    assert found == [10, 15]


def test_a_cache_of_one_thread_does_not_serve_another(form: Form) -> None:
    """scope="thread" holds in the entrypoint's cache too."""
    calls: list[int] = []

    def slow(x: int) -> int:
        calls.append(x)
        return x

    made = form.task(slow, cache=CachePolicy(scope="thread"))
    flow = entrypoint(checkpointer="memory:", cache=InMemoryCache())(form.body(made))
    for name in ("a", "a", "b"):
        form.invoke(flow, 1, name)
    assert calls == [1, 1]


def test_a_task_with_a_rate_waits_for_its_turn(place: Place, form: Form) -> None:
    """The second call within a minute waits for the minute to end."""
    clock = FakeClock()
    made = form.task(lambda x: x, rate=RatePolicy(requests=1, per=60))
    flow = place.flow(form.body(made), clock=clock, cache=InMemoryCache())
    for name in ("a", "b"):
        form.invoke(flow, 1, name)
    assert sum(clock.slept) == pytest.approx(60)


def test_no_more_calls_than_concurrency_are_under_way(place: Place, outside: bool) -> None:
    """Of four gathered calls one is under way at a time."""
    under_way, most = 0, 0

    async def work(x: int) -> int:
        nonlocal under_way, most
        under_way += 1
        most = max(most, under_way)
        await asyncio.sleep(0)
        under_way -= 1
        return x

    mark = durably.policy(concurrency=1)
    made = mark(task(work)) if outside else task(mark(work))

    async def body(_: int) -> list[int]:
        return await asyncio.gather(*(made(x) for x in range(4)))

    assert asyncio.run(place.flow(body).ainvoke(0, thread())) == [0, 1, 2, 3]
    assert most == 1


def test_an_outage_parks_the_run_of_a_task_that_says_so(place: Place, form: Form) -> None:
    """on_exhausted=ParkPolicy(): the run waits instead of failing."""

    def down(_: int) -> int:
        raise ConnectionError("down")

    body = form.body(form.task(down, on_exhausted=ParkPolicy(first=60)))
    with pytest.raises(RunParked):
        form.invoke(place.flow(body, clock=FakeClock()), 1)


def test_decorators_say_different_fields_together(place: Place) -> None:
    """What the task's own arguments and two policies say holds at the same time."""
    calls: list[int] = []

    @durably.policy(approve=True)
    @task(retry_policy=TWICE)
    @durably.policy(timeout=30)
    def pay(x: int) -> int:
        calls.append(x)
        raise ConnectionError("no")

    flow = place.flow(lambda x: pay(x).result(), clock=FakeClock())
    flow.invoke(5, thread())
    with pytest.raises(ConnectionError):
        flow.invoke(Command(resume="approve"), thread())
    assert calls == [5, 5]


@pytest.mark.parametrize(
    ("arguments", "policy"),
    [
        ({"retry_policy": TWICE}, {"retry": 3}),
        ({"timeout": 1}, {"timeout": 2}),
        ({"effect": "once"}, {"effect": "once"}),
        ({"cache_policy": CachePolicy()}, {"cache": 60}),
    ],
)
def test_a_field_that_is_set_twice_is_refused(
    arguments: dict[str, Any], policy: dict[str, Any], outside: bool
) -> None:
    """Neither the task's argument nor the policy is dropped without a word."""
    mark = durably.policy(**policy)

    def work(x: int) -> int:
        return x

    first, then = (task(**arguments), mark) if outside else (mark, task(**arguments))
    with pytest.raises(TypeError, match="set twice"):
        then(first(work))


def test_two_policies_that_set_one_field_are_refused() -> None:
    """On a function as well as on a task."""

    def work(x: int) -> int:
        return x

    with pytest.raises(TypeError, match="approve is set twice"):
        durably.policy(approve=False)(durably.policy(approve=True)(work))
    with pytest.raises(TypeError, match="retry is set twice"):
        durably.policy(retry=1)(durably.policy(retry=2)(task(lambda x: x)))


def test_a_subclass_may_say_otherwise_than_its_base() -> None:
    """A tool class inherits its base's policy, field by field."""

    @durably.policy(approve=True, retry=2)
    class Tool: ...

    @durably.policy(approve=False)
    class Lenient(Tool): ...

    found = durably.adapting.policy_of(Lenient)
    assert found is not None
    assert (found.approve, found.retry) == (False, RetryPolicy(max_attempts=2))


def test_an_entrypoint_takes_no_policy() -> None:
    """It is no step; both orders are refused where they are written."""

    def body(x: int) -> int:
        return x

    with pytest.raises(TypeError, match="entrypoint 'body'"):
        durably.policy(approve=True)(entrypoint()(body))
    with pytest.raises(TypeError, match="entrypoint 'body'"):
        entrypoint()(durably.policy(approve=True)(body))


def test_what_cannot_carry_a_policy_is_refused() -> None:
    """A built-in function has no place for it, and a bound task is not the task."""

    class Shop:
        @task
        def pay(self, amount: int) -> int:
            return amount

    for unfit in (len, [].append, Shop().pay, 5):
        with pytest.raises(TypeError):
            durably.policy(approve=True)(unfit)  # type: ignore[type-var]


@pytest.mark.parametrize(
    "policy",
    [
        {"retry": 0},
        {"retry": True},
        {"retry": "twice"},
        {"timeout": 0},
        {"timeout": TimeoutPolicy()},
        {"effect": "twice"},
        {"on_unfinished": "maybe"},
        {"cache": True},
        {"cache": -1},
        {"approve": "yes"},
        {"rate": 5},
        {"concurrency": 0},
        {"concurrency": 1.5},
        {"on_exhausted": "park"},
    ],
)
def test_a_value_that_means_nothing_is_refused(policy: dict[str, Any]) -> None:
    """Where it is written, not when the step runs."""
    with pytest.raises((TypeError, ValueError), match=next(iter(policy))):
        durably.policy(**policy)


@pytest.mark.parametrize("arguments", [{"effect": "twice"}, {"retry_policy": "often"}])
def test_a_task_refuses_what_means_nothing(arguments: dict[str, Any]) -> None:
    """The same for the task's own arguments."""
    with pytest.raises((TypeError, ValueError)):
        task(**arguments)(lambda x: x)
