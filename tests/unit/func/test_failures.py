"""Failures: what is replayed, what is executed again, and what becomes of the exception."""

from __future__ import annotations

import asyncio

import pytest
from tests.unit.func.places import Place, Watcher, thread

from durably import Command, RetryPolicy, interrupt, task
from durably.journal.records import StepAttempted
from durably.testing import FakeClock


class RefusedError(Exception):
    """An error with arguments and attributes of its own."""

    def __init__(self, code: int, *, reason: str) -> None:
        super().__init__(code)
        self.reason = reason


def test_a_caught_failure_replays_as_a_failure(place: Place) -> None:
    """What the program saw and survived it sees again, even if the call would succeed now."""
    calls: list[str] = []

    @task
    def fetch(x: str) -> str:
        calls.append(x)
        if calls.count(x) == 1 and x == "bad":
            raise RefusedError(403, reason="no entry")
        return x

    def body(_: str) -> str:
        try:
            text = fetch("bad").result()
        except RefusedError as error:
            text = f"{error.args} {error.reason}"
        interrupt("go on?")
        return text

    place.flow(body).invoke("", thread())
    assert place.flow(body).invoke(Command(resume=1), thread()) == "(403,) no entry"
    assert calls == ["bad"]


def test_only_the_failure_that_ended_the_run_is_executed_again(place: Place) -> None:
    """A failure caught earlier stays as it was; the last one gets another chance."""
    calls: list[str] = []
    broken = [True]

    @task
    def fetch(x: str) -> str:
        calls.append(x)
        if x == "caught" or (x == "fatal" and broken):
            raise ValueError(x)
        return x

    def body(_: str) -> str:
        found = fetch("fine").result()
        try:
            found += fetch("caught").result()
        except ValueError:
            found += "-"
        return found + fetch("fatal").result()

    with pytest.raises(ValueError, match="fatal"):
        place.flow(body).invoke("", thread())
    broken.clear()
    assert place.flow(body).invoke(None, thread()) == "fine-fatal"
    assert calls == ["fine", "caught", "fatal", "fatal"]


def test_a_failing_fallback_leaves_the_failure_before_it_alone(place: Place) -> None:
    """A failure whose fallback ended the run was survived: only the fallback is repeated."""
    calls: list[str] = []
    broken = [True]

    @task
    def fetch(x: str) -> str:
        calls.append(x)
        if x == "first" or broken:
            raise ValueError(x)
        return x

    def body(_: str) -> str:
        try:
            return fetch("first").result()
        except ValueError:
            return fetch("fallback").result()

    with pytest.raises(ValueError, match="fallback"):
        place.flow(body).invoke("", thread())
    broken.clear()
    assert place.flow(body).invoke(None, thread()) == "fallback"
    assert calls == ["first", "fallback", "fallback"]


@pytest.mark.parametrize("wrapped", [False, True])
def test_a_failure_inside_a_failed_task_is_executed_again_with_it(
    place: Place, *, wrapped: bool
) -> None:
    """A nested call that made its task and the run fail is repeated, its siblings are not."""
    calls: list[str] = []
    broken = [True]

    @task
    def leaf(x: str) -> str:
        calls.append(x)
        if x == "bad" and broken:
            raise KeyError(x)
        return x

    @task
    def branch(x: str) -> str:
        good = leaf("good").result()
        try:
            return good + leaf(x).result()
        except KeyError as error:
            if wrapped:
                raise RuntimeError("the branch broke") from error
            raise

    def body(x: str) -> str:
        return branch(x).result()

    with pytest.raises(RuntimeError if wrapped else KeyError):
        place.flow(body).invoke("bad", thread())
    broken.clear()
    assert place.flow(body).invoke(None, thread()) == "goodbad"
    assert calls == ["good", "bad", "bad"]


def test_a_failure_that_the_body_translates_is_executed_again(place: Place) -> None:
    """An error raised from a step's failure ended the run because of that step."""
    calls: list[str] = []

    @task
    def fetch(x: str) -> str:
        calls.append(x)
        if len(calls) == 1:
            raise OSError("no route")
        return x

    def body(x: str) -> str:
        try:
            return fetch(x).result()
        except OSError as error:
            raise RuntimeError("cannot fetch") from error

    with pytest.raises(RuntimeError, match="cannot fetch"):
        place.flow(body).invoke("x", thread())
    assert place.flow(body).invoke(None, thread()) == "x"
    assert calls == ["x", "x"]


async def test_every_member_of_an_exception_group_is_executed_again(place: Place) -> None:
    """A group that ended the run names all the steps to be repeated; finished ones stay."""
    calls: list[int] = []
    broken = [True]

    @task
    async def fetch(x: int) -> int:
        calls.append(x)
        await asyncio.sleep(0)
        if broken and x % 2:
            raise ValueError(x)
        return x

    async def body(n: int) -> list[int]:
        found = await asyncio.gather(*map(fetch, range(n)), return_exceptions=True)
        errors = [one for one in found if isinstance(one, Exception)]
        if errors:
            raise ExceptionGroup("some failed", errors)
        return [one for one in found if isinstance(one, int)]

    with pytest.raises(ExceptionGroup) as caught:
        await place.flow(body).ainvoke(4, thread())
    assert [str(one) for one in caught.value.exceptions] == ["1", "3"]
    broken.clear()
    assert await place.flow(body).ainvoke(None, thread()) == [0, 1, 2, 3]
    assert sorted(calls) == [0, 1, 1, 2, 3, 3]


def test_a_failure_among_parallel_tasks_keeps_its_siblings(place: Place) -> None:
    """Tasks begun beside a failing one are finished, recorded, and not executed again."""
    calls: list[int] = []
    broken = [True]

    @task
    def fetch(x: int) -> int:
        calls.append(x)
        if x == 0 and broken:
            raise ValueError("first")
        return x

    def body(n: int) -> list[int]:
        return [future.result() for future in [fetch(x) for x in range(n)]]

    with pytest.raises(ValueError, match="first"):
        place.flow(body).invoke(6, thread())
    broken.clear()
    assert place.flow(body).invoke(None, thread()) == list(range(6))
    assert sorted(calls) == [0, 0, 1, 2, 3, 4, 5]


async def test_a_failure_among_parallel_coroutines_keeps_its_siblings(place: Place) -> None:
    """The same for coroutines gathered without return_exceptions."""
    calls: list[int] = []
    broken = [True]

    @task
    async def fetch(x: int) -> int:
        calls.append(x)
        for _ in range(x):
            await asyncio.sleep(0)
        if x == 0 and broken:
            raise ValueError("first")
        return x

    async def body(n: int) -> list[int]:
        return list(await asyncio.gather(*map(fetch, range(n))))

    with pytest.raises(ValueError, match="first"):
        await place.flow(body).ainvoke(6, thread())
    broken.clear()
    assert await place.flow(body).ainvoke(None, thread()) == list(range(6))
    assert sorted(calls) == [0, 0, 1, 2, 3, 4, 5]


def test_the_error_that_ended_a_run_is_raised_as_it_is(place: Place) -> None:
    """The caller gets the very exception: type, arguments, attributes, cause."""
    original = RefusedError(7, reason="busy")

    @task
    def fetch() -> None:
        raise original

    with pytest.raises(RefusedError) as caught:
        place.flow(lambda _: fetch().result()).invoke("", thread())
    assert caught.value is original


def test_a_replayed_failure_equals_the_original(place: Place) -> None:
    """Type, arguments, attributes, notes and cause come back from the journal."""

    @task
    def fetch() -> None:
        error = RefusedError(7, reason="busy")
        error.add_note("seen on the phone")
        raise error from TimeoutError("slow")

    seen: list[RefusedError] = []

    def body(_: str) -> None:
        try:
            fetch().result()
        except RefusedError as error:
            seen.append(error)
        interrupt("?")

    place.flow(body).invoke("", thread())
    place.flow(body).invoke(Command(resume=0), thread())
    first, again = seen
    assert type(again) is RefusedError
    assert (again.args, again.reason) == (first.args, first.reason) == ((7,), "busy")
    assert again.__notes__ == ["seen on the phone"]
    assert repr(again.__cause__) == repr(TimeoutError("slow"))


def test_retries_wait_as_the_policy_says(place: Place) -> None:
    """Attempts are counted with the first, and the pauses grow by the factor."""
    clock, watcher, calls = FakeClock(), Watcher(), list[int]()
    policy = RetryPolicy(
        initial_interval=1, backoff_factor=3, max_attempts=4, max_interval=5, jitter=False
    )

    @task(retry_policy=policy)
    def flaky() -> str:
        calls.append(1)
        if len(calls) < 4:
            raise ConnectionError("reset")
        return "up"

    flow = place.flow(lambda _: flaky().result(), clock=clock, listeners=[watcher])
    assert flow.invoke("", thread()) == "up"
    assert clock.slept == [1, 3, 5]
    assert watcher.retried == [1, 3, 5]
    assert [one.attempt for one in place.records(StepAttempted)] == [1, 2, 3]


async def test_coroutines_are_retried_alike(place: Place) -> None:
    """An async task that fails too often raises its last error."""
    clock, calls = FakeClock(), list[int]()

    @task(retry_policy=RetryPolicy(max_attempts=2, jitter=False, initial_interval=2))
    async def flaky() -> str:
        calls.append(1)
        raise ConnectionError(f"attempt {len(calls)}")

    async def body(_: str) -> str:
        return await flaky()

    with pytest.raises(ConnectionError, match="attempt 2"):
        await place.flow(body, clock=clock).ainvoke("", thread())
    assert clock.slept == [2]


def test_attempts_survive_a_crash(place: Place) -> None:
    """A process that dies between two attempts leaves the rest of them to the next one."""
    clock, calls = FakeClock(), list[int]()

    @task(retry_policy=RetryPolicy(max_attempts=3, jitter=False))
    def flaky() -> str:
        calls.append(1)
        if len(calls) == 2:
            raise KeyboardInterrupt  # the process dies in the second attempt
        raise ConnectionError("reset")

    def body(_: str) -> str:
        return flaky().result()

    with pytest.raises(KeyboardInterrupt):
        place.flow(body, clock=clock).invoke("", thread())
    with pytest.raises(ConnectionError):
        place.flow(body, clock=clock).invoke(None, thread())
    assert len(calls) == 4
    assert [one.attempt for one in place.records(StepAttempted)] == [1, 2]


def test_an_error_that_the_policy_does_not_name_is_not_retried(place: Place) -> None:
    """Only what retry_on names is worth another attempt."""
    clock, calls = FakeClock(), list[int]()

    @task(retry_policy=RetryPolicy(retry_on=ConnectionError))
    def wrong() -> None:
        calls.append(1)
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        place.flow(lambda _: wrong().result(), clock=clock).invoke("", thread())
    assert (len(calls), clock.slept) == (1, [])
