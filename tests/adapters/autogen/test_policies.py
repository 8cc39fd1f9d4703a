"""Policies around the steps of unchanged AutoGen agents and teams."""

from __future__ import annotations

import gc
import warnings

import pytest
from autogen_agentchat.agents import AssistantAgent
from autogen_agentchat.conditions import MaxMessageTermination
from autogen_agentchat.teams import RoundRobinGroupChat
from autogen_core.tools import FunctionTool
from tests.support.hosts import hosted as hosted
from tests.support.hosts import steps_in

import durably
from durably import Budget, CachePolicy, ParkPolicy, RatePolicy, RetryPolicy, StepPolicy
from durably.testing import FakeClock, Reply, Rule, When

CONFIG = {"configurable": {"thread_id": "t1"}}
NEXT = {"configurable": {"thread_id": "t2"}}
DOWN = Reply.error(503)


@pytest.fixture(autouse=True)
def connections_are_collected():
    """Let go of a client's connections, which outlive their event loop, before the next test."""
    yield
    with warnings.catch_warnings(action="ignore"):
        gc.collect()


def team(client, *, stream=False, turns=3):
    agents = [
        AssistantAgent(name, model_client=client, model_client_stream=stream, system_message=name)
        for name in ("writer", "critic")
    ]
    return RoundRobinGroupChat(agents, termination_condition=MaxMessageTermination(turns))


@pytest.mark.parametrize("stream", [False, True])
async def test_another_model_answers_for_one_that_is_down(serve, client, hosted, stream):
    """In a call and in a stream; the journal names the model that answered."""
    server = serve([Rule(When(model="gpt-4o-mini"), DOWN), Rule(When(), Reply.text("Tea."))])
    host = hosted(policies={"model": StepPolicy(fallback=["gpt-4o"])})
    durable = durably.wrap(team(client(server), stream=stream, turns=2), checkpointer=host)
    result = await durable.ainvoke("Say tea.", CONFIG)
    assert result.messages[-1].content == "Tea."
    assert [one.model for one in server.requests] == ["gpt-4o-mini", "gpt-4o"]
    assert len(steps_in(host)) == 1
    assert (await durable.ainvoke(None, CONFIG)).messages[-1].content == "Tea."
    assert server.count() == 2


@pytest.mark.parametrize("stream", [False, True])
async def test_a_team_parks_when_its_provider_is_down(serve, client, hosted, stream):
    """No exception passes through a team, and yet it is unwound; later it goes on mid-turn."""
    clock = FakeClock(start=1000.0)
    policies = {"model": StepPolicy(on_exhausted=ParkPolicy(first=60))}
    server = serve(
        [
            Rule(When(system="writer"), Reply.text("draft")),
            Rule(When(system="critic"), DOWN, times=1),
            Rule(When(system="critic"), Reply.text("fine")),
        ]
    )
    host = hosted(policies=policies, clock=clock)
    with pytest.raises(durably.RunParked) as parked:
        await durably.wrap(team(client(server), stream=stream), checkpointer=host).ainvoke(
            "Write.", CONFIG
        )
    assert parked.value.wake == 1060.0
    again = durably.wrap(
        team(client(server), stream=stream), checkpointer=hosted(policies=policies, clock=clock)
    )
    result = await again.ainvoke(None, CONFIG)
    assert [one.content for one in result.messages] == ["Write.", "draft", "fine"]
    assert server.count() == 3


async def test_a_budget_of_a_team_is_raised_by_a_person(serve, client, hosted):
    """The team waits between two turns and goes on with the larger limit."""
    server = serve([Rule(When(), Reply.text("done").using(prompt=80, completion=20))])
    made = client(server, max_tokens=20)
    durable = durably.wrap(team(made, turns=4), checkpointer=hosted(budgets=[Budget(tokens=250)]))
    (question,) = (await durable.ainvoke("Go.", CONFIG))["__interrupt__"]
    assert server.count() == 2
    assert question.value["args"]["spent"] == 200
    result = await durable.ainvoke(durably.Command(resume={"type": "approve"}), CONFIG)
    assert len(result.messages) == 4
    assert server.count() == 3


@pytest.mark.parametrize("stream", [False, True])
async def test_answers_serve_another_teams_run(serve, client, hosted, stream):
    """The second run pays nothing and says the same."""
    server = serve([Rule(When(), Reply.text("Tea for two."))])
    host = hosted(policies={"model": StepPolicy(cache=CachePolicy())}, cache="memory:")
    made = client(server)
    for config in (CONFIG, NEXT):
        durable = durably.wrap(team(made, stream=stream), checkpointer=host)
        result = await durable.ainvoke("Say tea.", config)
        assert result.messages[-1].content == "Tea for two."
    assert server.count() == 2
    assert [step.cached for step in steps_in(host)] == [False, False, True, True]


async def test_rates_and_the_decorator_hold_for_agents(serve, client, hosted):
    """Model calls begin no faster; a tool's function has its own policy."""
    clock, tries = FakeClock(start=0.0), []

    @durably.policy(retry=RetryPolicy(max_attempts=2, jitter=False, initial_interval=1))
    def fetch(what: str) -> str:
        """Fetch something."""
        tries.append(what)
        if len(tries) < 2:
            raise ConnectionError
        return f"{what} fetched"

    server = serve(
        [
            Rule(When(tool="fetch"), Reply.text("Here it is.")),
            Rule(When(), Reply.tool("fetch", {"what": "tea"})),
        ]
    )
    agent = AssistantAgent(
        "worker",
        model_client=client(server),
        tools=[FunctionTool(fetch, description="Fetch something.")],
        reflect_on_tool_use=True,
    )
    policies = {"model": StepPolicy(rate=RatePolicy(requests=1))}
    host = hosted(policies=policies, clock=clock)
    result = await durably.wrap(agent, checkpointer=host).ainvoke("Fetch tea.", CONFIG)
    assert result.messages[-1].content == "Here it is."
    assert clock.now() == 60
    assert [(one.agent, one.adapter) for one in steps_in(host)] == [("worker", "autogen")] * 2
