"""Agents that speak at the same time: what was heard first is heard first on replay."""

from __future__ import annotations

import pytest
from autogen_agentchat.agents import AssistantAgent, UserProxyAgent
from autogen_agentchat.teams import DiGraphBuilder, GraphFlow

import durably
from durably.testing import Reply, Rule, When

from .programs import never_asked, texts

CONFIG = {"configurable": {"thread_id": "t1"}}
SCRIPT = [
    Rule(When(system="You are first"), Reply.text("Slow.").delayed(0.15)),
    Rule(When(system="You are second"), Reply.text("Quick.")),
    Rule(When(system="You join"), Reply.text("Both.")),
]


def member(client, name, system):
    """Return an agent without tools."""
    return AssistantAgent(name, model_client=client, system_message=system)


def graph(client, second=None):
    """Return a flow in which two agents speak at once and a third hears both."""
    first = member(client, "first", "You are first.")
    second = second or member(client, "second", "You are second.")
    join = member(client, "join", "You join.")
    builder = DiGraphBuilder()
    for node in (first, second, join):
        builder.add_node(node)
    builder.add_edge(first, join).add_edge(second, join)
    return GraphFlow(builder.get_participants(), builder.build())


async def test_branches_are_heard_in_the_recorded_order(host, serve, client):
    """The quick agent was heard first, and is on replay, where no agent is quicker."""
    server = serve(SCRIPT)
    first = await durably.wrap(graph(client(server)), checkpointer=host).ainvoke("Go.", CONFIG)
    assert [source for source, _ in texts(first)][1:3] == ["second", "first"]
    again = await durably.wrap(graph(client(server)), checkpointer=host).ainvoke(None, CONFIG)
    assert texts(again) == texts(first)
    assert server.count() == 3


async def test_a_question_in_one_branch_leaves_the_other_to_finish(host, serve, client):
    """The branch beside the question is paid once, whether it had begun before the question."""
    server = serve(SCRIPT)

    def team():
        boss = UserProxyAgent("boss", input_func=never_asked)
        return durably.wrap(graph(client(server), boss), checkpointer=host)

    assert "__interrupt__" in await team().ainvoke("Go.", CONFIG)
    done = await team().ainvoke(durably.Command(resume="Fine."), CONFIG)
    assert ("boss", "Fine.") in texts(done)
    assert ("join", "Both.") in texts(done)
    assert list(server.counts.values()) == [1, 1]


@pytest.mark.parametrize("kill", [1, 2])
async def test_a_flow_that_was_cut_off_goes_on(serve, client, kill):
    """A flow that failed in one branch pays only for what is missing."""
    failing = {1: "You are first", 2: "You join"}[kill]
    server = serve([Rule(When(system=failing), Reply.error(400), times=1), *SCRIPT])
    host = durably.Host("memory:")
    with pytest.raises(RuntimeError):
        await durably.wrap(graph(client(server)), checkpointer=host).ainvoke("Go.", CONFIG)
    done = await durably.wrap(graph(client(server)), checkpointer=host).ainvoke(None, CONFIG)
    assert ("join", "Both.") in texts(done)
    assert sorted(server.counts.values()) == [1, 1, 2]
    host.close()
