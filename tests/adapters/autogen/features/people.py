"""People: asked by agents, by tools, by the program between runs; alone and several at once."""

from __future__ import annotations

from typing import Any

from autogen_agentchat.agents import AssistantAgent, SocietyOfMindAgent, UserProxyAgent
from autogen_agentchat.base import Handoff
from autogen_agentchat.conditions import HandoffTermination, TextMentionTermination
from autogen_agentchat.messages import HandoffMessage
from autogen_agentchat.teams import (
    DiGraphBuilder,
    GraphFlow,
    MagenticOneGroupChat,
    RoundRobinGroupChat,
    SelectorGroupChat,
    Swarm,
)
from autogen_agentchat.tools import AgentTool, TeamTool
from autogen_core import SingleThreadedAgentRuntime

import durably
from durably.testing import Reply, Rule, When

from ..programs import CHAT_SCRIPT
from ._kit import Kit, feature
from .teams import LEDGER

BOSS = {"boss": "APPROVE"}
PROMPT = {"Enter your response": "APPROVE", "boss": "APPROVE"}


def reviewed(kit: Kit, input_func: Any, **more: Any) -> Any:
    """Return a team in which a person has the last word."""
    writer = AssistantAgent("writer", kit.client(), system_message="You write.")
    boss = UserProxyAgent("boss", input_func=input_func)
    stop = TextMentionTermination("APPROVE", sources=["boss"])
    return RoundRobinGroupChat([writer, boss], termination_condition=stop, **more)


@feature(CHAT_SCRIPT, steps="model 1", answers=PROMPT)
async def user_proxy(kit: Kit) -> Any:
    return await reviewed(kit, kit.person).run(task="A poem.")


@feature(CHAT_SCRIPT, steps="model 1", answers=PROMPT)
async def user_proxy_streamed(kit: Kit) -> Any:
    team = reviewed(kit, kit.async_person)
    return [item async for item in team.run_stream(task="A poem.")]


@feature(steps="none", answers=PROMPT)
async def user_proxy_alone(kit: Kit) -> Any:
    return await UserProxyAgent("boss", input_func=kit.person).run(task="May I?")


@feature(CHAT_SCRIPT, steps="model 1", answers=PROMPT)
async def finally_but_no_except(kit: Kit) -> Any:
    team = reviewed(kit, kit.person)
    try:
        return await team.run(task="A poem.")
    except Exception:
        kit.note("except")
        raise
    finally:
        kit.note("finally")


@feature(CHAT_SCRIPT, steps="model 1", answers=PROMPT)
async def person_in_a_shared_runtime(kit: Kit) -> Any:
    runtime = SingleThreadedAgentRuntime()
    runtime.start()
    try:
        return await reviewed(kit, kit.person, runtime=runtime).run(task="A poem.")
    finally:
        await runtime.stop()


@feature(CHAT_SCRIPT, steps="model 2", answers=PROMPT, since="0.7")
async def person_in_a_nested_team(kit: Kit) -> Any:
    reader = AssistantAgent("reader", kit.client(), system_message="You write a review.")
    outer = RoundRobinGroupChat([reviewed(kit, kit.person, name="pair"), reader], max_turns=2)
    return [item async for item in outer.run_stream(task="A poem.")]


@feature([*CHAT_SCRIPT, Rule(When(), Reply.text("Done."))], steps="model 2", answers=PROMPT)
async def person_in_a_society(kit: Kit) -> Any:
    society = SocietyOfMindAgent("society", reviewed(kit, kit.person), model_client=kit.client())
    return await RoundRobinGroupChat([society], max_turns=1).run(task="A poem.")


ASKS_A_TEAM = [
    *CHAT_SCRIPT[2:4],
    Rule(When(tool="pair"), Reply.text("They agreed.")),
    Rule(When(), Reply.tool("pair", {"task": "A poem."})),
]


@feature(ASKS_A_TEAM, steps="model 3", answers=PROMPT)
async def person_in_a_team_tool(kit: Kit) -> Any:
    tool = TeamTool(reviewed(kit, kit.person), "pair", "Writes and asks.")
    client = kit.client(parallel_tool_calls=False)
    chief = AssistantAgent("chief", client, tools=[tool], reflect_on_tool_use=True)
    return [item async for item in chief.run_stream(task="Go.")]


@feature(
    [Rule(When(tool="boss"), Reply.text("Yes.")), Rule(When(), Reply.tool("boss", {"task": "?"}))],
    steps="model 2",
    answers=PROMPT,
)
async def person_as_a_tool(kit: Kit) -> Any:
    tool = AgentTool(UserProxyAgent("boss", input_func=kit.person))
    client = kit.client(parallel_tool_calls=False)
    chief = AssistantAgent("chief", client, tools=[tool], reflect_on_tool_use=True)
    return await RoundRobinGroupChat([chief], max_turns=1).run(task="Go.")


@feature(
    [Rule(When(anywhere="select the next role"), Reply.text("boss")), *CHAT_SCRIPT],
    steps="model 1",
    answers=PROMPT,
)
async def person_chosen_by_a_selector(kit: Kit) -> Any:
    team = SelectorGroupChat(
        reviewed(kit, kit.person)._participants,
        kit.client(),
        termination_condition=TextMentionTermination("APPROVE", sources=["boss"]),
    )
    return await team.run(task="A poem.")


ORCHESTRATED = [
    Rule(When(anywhere="write a final answer"), Reply.text("Here it is.")),
    Rule(When(user="is_request_satisfied", anywhere="APPROVE"), Reply.text(LEDGER % "true")),
    Rule(
        When(user="is_request_satisfied"),
        Reply.text((LEDGER % "false").replace('"writer"', '"boss"')),
    ),
    Rule(When(), Reply.text("First ask.")),
]


@feature(ORCHESTRATED, steps="model 5", answers=PROMPT)
async def person_in_magentic_one(kit: Kit) -> Any:
    boss = UserProxyAgent("boss", input_func=kit.person)
    return await MagenticOneGroupChat([boss], kit.client()).run(task="A poem.")


@feature(
    [
        Rule(When(system="You start"), Reply.text("Start.")),
        Rule(When(system="You write"), Reply.text("Slow.").delayed(0.2)),
        Rule(When(), Reply.text("All.")),
    ],
    steps="model 3",
    answers={"boss": "yes", "chief": "no", "Enter": "yes"},
    plain=False,
    at_once=True,
)
async def people_in_branches(kit: Kit) -> Any:
    client = kit.client()
    start = AssistantAgent("start", client, system_message="You start.")
    end = AssistantAgent("end", client, system_message="You end.")
    branches = [
        UserProxyAgent("boss", input_func=kit.person),
        UserProxyAgent("chief", input_func=kit.person),
        AssistantAgent("writer", client, system_message="You write."),
    ]
    builder = DiGraphBuilder()
    for node in (start, end, *branches):
        builder.add_node(node)
    for branch in branches:
        builder.add_edge(start, branch).add_edge(branch, end)
    return await GraphFlow(builder.get_participants(), builder.build()).run(task="Go.")


def paying(kit: Kit, *, is_sync: bool = False) -> Any:
    """Return a tool that asks before it pays."""

    def pay(to: str) -> str:
        """Pay somebody."""
        if durably.interrupt({"message": f"Pay {to}?"}) != "yes":
            return f"did not pay {to}"
        kit.effect(f"pay {to}")
        return f"paid {to}"

    async def apay(to: str) -> str:
        """Pay somebody."""
        return pay(to)

    apay.__name__ = "pay"
    return pay if is_sync else apay


PAYS = [
    Rule(When(tool="pay"), Reply.text("Settled.")),
    Rule(When(), Reply.tools(*(("pay", {"to": name}) for name in ("ann", "bob", "eve")))),
]
WHO = {"ann": "yes", "bob": "no", "eve": "yes"}


@feature(PAYS, steps="model 2, tool 3", answers=WHO, plain=False)
async def tools_ask_together(kit: Kit) -> Any:
    agent = AssistantAgent("payer", kit.client(), tools=[paying(kit)], reflect_on_tool_use=True)
    return [item async for item in agent.run_stream(task="Pay all.")]


@feature(PAYS, steps="model 2, tool 3", answers=WHO, plain=False)
async def sync_tools_ask_together_in_a_team(kit: Kit) -> Any:
    tools = [paying(kit, is_sync=True)]
    agent = AssistantAgent("payer", kit.client(), tools=tools, max_tool_iterations=2)
    return await RoundRobinGroupChat([agent], max_turns=1).run(task="Pay all.")


HANDS_OVER = [
    Rule(When(anywhere="in Rome"), Reply.text("TERMINATE")),
    Rule(When(), Reply.tool("transfer_to_user")),
]


@feature(HANDS_OVER, steps="model 2", answers={"Where?": "in Rome"}, plain=False)
async def swarm_hands_over_to_a_person(kit: Kit) -> Any:
    alice = AssistantAgent(
        "alice", kit.client(), handoffs=[Handoff(target="user", message="Where?")]
    )
    stop = HandoffTermination(target="user") | TextMentionTermination("TERMINATE")
    team = Swarm([alice], termination_condition=stop)
    result, seen = await team.run(task="Book it."), []
    while isinstance(result.messages[-1], HandoffMessage):
        seen.append(result)
        answer = durably.interrupt({"message": result.messages[-1].content})
        said = HandoffMessage(source="user", target="alice", content=answer)
        result = await team.run(task=said)
    return [*seen, result]
