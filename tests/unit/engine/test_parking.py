"""Parking: a run is suspended inside a framework through which no exception can pass.

The framework here is made by hand: it runs agents as tasks, swallows whatever they raise, and
hangs when one of them never answers.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from typing import Any

from durably import Suspended
from durably.engine import Call, Run, Scope, current
from durably.journal.records import StepEnded

Agent = Callable[[], Awaitable[Any]]


class Framework:
    """Runs agents side by side and waits for a message of each; exceptions are lost."""

    def __init__(self) -> None:
        self.tasks: list[asyncio.Task[Any]] = []
        self.closed: list[str] = []

    async def run(self, *agents: Agent) -> list[Any]:
        inbox: asyncio.Queue[Any] = asyncio.Queue()

        async def work(agent: Agent) -> None:
            try:
                inbox.put_nowait(await agent())
            except Exception:
                self.closed.append("swallowed")
            finally:
                self.closed.append("finally")

        self.tasks += [asyncio.create_task(work(agent)) for agent in agents]
        return [await inbox.get() for _ in agents]

    def targets(self, run: Run, loop: asyncio.AbstractEventLoop) -> Iterable[asyncio.Task[Any]]:
        return [task for task in self.tasks if not task.done()]


def here() -> Scope:
    scope = current()
    assert scope is not None
    return scope


def body(framework: Framework, *agents: Agent) -> Callable[[], Any]:
    """Return a run's code: the framework in a scope that has to be parked in."""

    async def run() -> list[Any]:
        scope = here().child("team", targets=(framework.targets,))
        with scope.entered():
            return await framework.run(*agents)

    return run


def asker(question: str) -> Agent:
    async def agent() -> str:
        with here().span("agent", question):
            return f"{question}={await here().aask('input', question)}"

    return agent


async def test_a_question_in_a_swallowing_framework_suspends_the_run(runs: Any) -> None:
    """The framework never sees an exception; its finally blocks run, and no task is left."""
    framework, before = Framework(), asyncio.all_tasks()
    outcome = await runs.adrive(body(framework, asker("a")))
    assert (outcome.status, [one.value for one in outcome.interrupts]) == ("waiting", ["a"])
    assert framework.closed == ["finally"]
    assert asyncio.all_tasks() == before


async def test_the_answer_is_there_when_the_run_goes_on(runs: Any) -> None:
    """The framework is run again from its beginning and gets the answer at once."""
    outcome = await runs.adrive(body(Framework(), asker("a")))
    runs.answer({outcome.interrupts[0].id: "A"})
    again = await runs.adrive(body(Framework(), asker("a")))
    assert (again.status, again.value) == ("done", ["a=A"])


async def test_two_parked_branches_show_both_questions(runs: Any) -> None:
    """All questions surface together."""
    framework, before = Framework(), asyncio.all_tasks()
    outcome = await runs.adrive(body(framework, asker("a"), asker("b")))
    assert sorted(one.value for one in outcome.interrupts) == ["a", "b"]
    assert framework.closed == ["finally", "finally"]
    assert asyncio.all_tasks() == before


async def test_what_is_in_flight_beside_a_parked_branch_is_recorded_first(runs: Any) -> None:
    """A call that is under way ends before the run is unwound, and is not made again."""
    calls: list[str] = []
    asked = asyncio.Event()

    async def slow() -> str:
        async def call() -> str:
            calls.append("begun")
            await asked.wait()
            for _ in range(20):
                await asyncio.sleep(0.005)
            calls.append("ended")
            return "slow"

        with here().span("agent", "slow"):
            return str(await here().astep(Call("model", "m", "q"), call))

    async def asking() -> str:
        asked.set()
        return await asker("a")()

    outcome = await runs.adrive(body(Framework(), slow, asking))
    assert calls == ["begun", "ended"]
    assert [one.name for one in runs.records(StepEnded)] == ["m"]
    runs.answer({outcome.interrupts[0].id: "A"})
    again = await runs.adrive(body(Framework(), slow, asking))
    assert sorted(again.value) == ["a=A", "slow"]
    assert calls == ["begun", "ended"]


async def test_a_step_that_comes_after_a_parked_question_parks_as_well(runs: Any) -> None:
    """No new call is made while the run is being suspended; nothing is swallowed."""
    calls: list[str] = []
    asked = asyncio.Event()

    async def asking() -> str:
        asked.set()
        return await asker("a")()

    async def late() -> str:
        async def call() -> str:
            calls.append("called")
            return "late"

        await asked.wait()
        await asyncio.sleep(0)
        with here().span("agent", "late"):
            return str(await here().astep(Call("model", "m", "q"), call))

    framework = Framework()
    outcome = await runs.adrive(body(framework, asking, late))
    assert outcome.status == "waiting"
    assert calls == []
    assert framework.closed == ["finally", "finally"]


async def test_a_fatal_error_gets_out_past_a_swallowing_framework(runs: Any) -> None:
    """The run ends with it, not with a question and not with a hang."""

    async def agent() -> str:
        try:
            here().fatal(ZeroDivisionError("no way"))
        except Suspended:
            await here().park()
        return "unreachable"

    framework = Framework()
    outcome = await runs.adrive(body(framework, agent))
    assert outcome.status == "failed"
    assert isinstance(outcome.error, ZeroDivisionError)
    assert framework.closed == ["finally"]


async def test_where_exceptions_pass_nothing_is_parked(runs: Any) -> None:
    """Without targets the signal is raised like anywhere else."""

    async def run() -> None:
        await here().aask("input", "a")

    outcome = await runs.adrive(run)
    assert outcome.status == "waiting"


def edged(framework: Framework, *agents: Agent) -> Callable[[], Awaitable[Any]]:
    """Return a call of the framework whose edge the signal leaves."""

    async def run() -> list[Any]:
        scope = here().child("team", targets=(framework.targets,))
        with scope.entered(), scope.edge():
            return await framework.run(*agents)

    return run


async def test_a_step_around_the_framework_gets_the_signal(runs: Any) -> None:
    """The step's code sees the signal, as at a question of its own, and no cancellation."""
    seen: list[str] = []

    async def work() -> Any:
        try:
            return await edged(Framework(), asker("a"))()
        except BaseException as error:
            seen.append(type(error).__name__)
            raise

    async def run() -> Any:
        return await here().astep(Call("task", "around", None), work)

    outcome = await runs.adrive(run)
    assert (outcome.status, [one.value for one in outcome.interrupts]) == ("waiting", ["a"])
    assert seen == ["Suspended"]


async def test_frameworks_side_by_side_ask_at_once(runs: Any) -> None:
    """Each is unwound for itself, and the steps around them are not waited for in a circle."""

    async def around(name: str) -> Any:
        work = edged(Framework(), asker(name))
        return await here().astep(Call("task", name, None), work)

    async def run() -> Any:
        return await asyncio.gather(around("a"), around("b"))

    outcome = await runs.adrive(run)
    assert {one.value for one in outcome.interrupts} == {"a", "b"}
