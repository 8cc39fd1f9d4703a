"""Policies around the steps of unchanged crews: fallbacks, parking, caches, budgets, rates."""

from __future__ import annotations

import pytest
from crewai.tools import tool
from tests.support.hosts import hosted as hosted
from tests.support.hosts import steps_in

import durably
from durably import Budget, CachePolicy, Match, ParkPolicy, RatePolicy, RetryPolicy, StepPolicy
from durably.journal.records import StepAttempted
from durably.testing import FakeClock, Reply, Rule, When

from .programs import CONFIG, agent, crew, model, task

NEXT = {"configurable": {"thread_id": "t2"}}
DOWN = Reply.error(503)


def small_crew(**more):
    worker = agent(max_retry_limit=0, **more)
    return crew(task("Say tea.", worker))


def test_another_model_answers_for_one_that_is_down(serve, hosted):
    """The crew gets the fallback's answer; its tokens count, and the journal names the model."""
    server = serve([Rule(When(model="gpt-4o-mini"), DOWN), Rule(When(), Reply.text("Tea."))])
    host = hosted(policies={"model": StepPolicy(fallback=["gpt-4o"])})
    output = durably.wrap(small_crew(), checkpointer=host).invoke({}, CONFIG)
    assert output.raw == "Tea."
    assert output.token_usage.total_tokens > 0
    assert [one.model for one in server.requests] == ["gpt-4o-mini", "gpt-4o"]
    (step,) = steps_in(host)
    assert step.usage["model"] == "gpt-4o"
    again = durably.wrap(small_crew(), checkpointer=host).invoke(None, CONFIG)
    assert again.raw == "Tea."
    assert server.count() == 2


def test_another_providers_model_answers_too(serve, hosted):
    """It is called by its own class, with its own key, as one step."""
    serve([Rule(When(model="gpt-4o-mini"), DOWN), Rule(When(), Reply.text("Tea, says Claude."))])
    policies = {"model": StepPolicy(fallback=["anthropic/claude-3-5-haiku-latest"])}
    host = hosted(policies=policies)
    output = durably.wrap(small_crew(), checkpointer=host).invoke({}, CONFIG)
    assert output.raw == "Tea, says Claude."
    assert output.token_usage.total_tokens > 0
    assert len(steps_in(host)) == 1


def test_a_crew_parks_when_its_provider_is_down_and_goes_on_later(serve, hosted):
    """Nothing is lost, and no process waits; what was answered before is not asked again."""
    clock = FakeClock(start=1000.0)
    policies = {"model": StepPolicy(on_exhausted=ParkPolicy(first=60))}
    server = serve(
        [
            Rule(When(user="First."), Reply.text("one")),
            Rule(When(user="Second."), DOWN, times=1),
            Rule(When(user="Second."), Reply.text("two")),
        ]
    )
    worker = agent(max_retry_limit=0)
    two = crew(task("First.", worker), task("Second.", worker))
    host = hosted(policies=policies, clock=clock)
    with pytest.raises(durably.RunParked) as parked:
        durably.wrap(two, checkpointer=host).invoke({}, CONFIG)
    assert parked.value.wake == 1060.0
    clock.advance(60)
    again = hosted(policies=policies, clock=clock)
    assert durably.wrap(two, checkpointer=again).invoke(None, CONFIG).raw == "two"
    assert server.count() == 3


def test_an_answer_serves_another_crews_run(serve, hosted):
    """The second run pays nothing; its crew cannot tell the difference."""
    server = serve([Rule(When(), Reply.text("Tea."))])
    options = {"policies": {"model": StepPolicy(cache=CachePolicy())}}
    cache = durably.InMemoryCache()
    first = durably.wrap(small_crew(), checkpointer=hosted(cache=cache, **options))
    host = hosted(cache=cache, **options)
    second = durably.wrap(small_crew(), checkpointer=host)
    one, two = first.invoke({}, CONFIG), second.invoke({}, NEXT)
    assert server.count() == 1
    assert (one.raw, one.token_usage) == (two.raw, two.token_usage)
    assert [step.cached for step in steps_in(host)] == [False, True]


@pytest.mark.with_crewai(">=1.14", "agents went on with old messages")
def test_a_budget_of_a_crew_is_raised_by_a_person(serve, hosted):
    """The crew waits between its tasks and goes on with the larger limit."""
    server = serve([Rule(When(), Reply.text("done").using(prompt=80, completion=20))])
    worker = agent(llm=model(max_tokens=50))
    three = crew(*(task(f"Task {number}.", worker) for number in range(3)))
    durable = durably.wrap(three, checkpointer=hosted(budgets=[Budget(tokens=250)]))
    (question,) = durable.invoke({}, CONFIG)["__interrupt__"]
    assert server.count() == 2
    assert question.value["args"]["spent"] == 200
    answered = durably.Command(resume={"type": "approve"})
    assert durable.invoke(answered, CONFIG).raw == "done"
    assert server.count() == 3


def test_a_rate_holds_for_a_crew(serve, hosted):
    """Its model calls begin no faster, however fast the model is."""
    clock = FakeClock(start=0.0)
    serve([Rule(When(), Reply.text("done"))])
    worker = agent()
    three = crew(*(task(f"Task {number}.", worker) for number in range(3)))
    policies = {"model": StepPolicy(rate=RatePolicy(requests=1))}
    durably.wrap(three, checkpointer=hosted(policies=policies, clock=clock)).invoke({}, CONFIG)
    assert clock.now() == 120


def test_a_policy_is_for_one_agent_by_its_role(serve, hosted):
    """Only the writer's model calls are tried again."""
    serve([Rule(When(), Reply.error(500), times=1), Rule(When(), Reply.text("done"))])
    retry = RetryPolicy(max_attempts=2, jitter=False)
    policies = {Match(agent="Writer", adapter="crewai"): StepPolicy(retry=retry)}
    host = hosted(policies=policies, clock=FakeClock())
    reader, writer = agent("Reader"), agent("Writer", max_retry_limit=0)
    two = crew(task("Write.", writer), task("Read.", reader))
    assert durably.wrap(two, checkpointer=host).invoke({}, CONFIG).raw == "done"
    assert [(one.agent, one.adapter) for one in steps_in(host)] == [
        ("Writer", "crewai"),
        ("Reader", "crewai"),
    ]
    read = host.journal.read("t1")
    assert sum(isinstance(entry.record, StepAttempted) for entry in read) == 1


def test_the_decorator_of_a_tool_function_is_heeded(serve, hosted):
    """``durably.policy`` on the function below CrewAI's own decorator."""
    tries = []

    @tool("fetch")
    @durably.policy(retry=RetryPolicy(max_attempts=3, jitter=False))
    def fetch(what: str) -> str:
        """Fetch something."""
        tries.append(what)
        if len(tries) < 3:
            raise ConnectionError
        return f"{what} fetched"

    serve(
        [
            Rule(When(tool="fetch"), Reply.text("Here it is.")),
            Rule(When(), Reply.tool("fetch", {"what": "tea"})),
        ]
    )
    host = hosted(clock=FakeClock())
    one = crew(task("Fetch tea.", agent(tools=[fetch])))
    assert durably.wrap(one, checkpointer=host).invoke({}, CONFIG).raw == "Here it is."
    assert tries == ["tea"] * 3
    assert [step.attempts for step in steps_in(host, "tool")] == [3]
