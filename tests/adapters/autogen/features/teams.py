"""Teams of every kind, and every way to run, stop, pause, keep and reset them."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

from autogen_agentchat.agents import AssistantAgent
from autogen_agentchat.base import Handoff
from autogen_agentchat.conditions import (
    ExternalTermination,
    FunctionalTermination,
    FunctionCallTermination,
    HandoffTermination,
    MaxMessageTermination,
    SourceMatchTermination,
    StopMessageTermination,
    TextMentionTermination,
    TextMessageTermination,
    TimeoutTermination,
    TokenUsageTermination,
)
from autogen_agentchat.messages import TextMessage
from autogen_agentchat.teams import (
    DiGraphBuilder,
    GraphFlow,
    MagenticOneGroupChat,
    RoundRobinGroupChat,
    SelectorGroupChat,
    Swarm,
)
from autogen_agentchat.ui import Console
from autogen_core import CancellationToken, SingleThreadedAgentRuntime

from durably.testing import Reply, Rule, When

from ..programs import CHAT_SCRIPT, round_robin, selector, writers
from ._kit import Kit, feature
from .agents import adding

CHAT = [
    Rule(When(system="You write", anywhere="better"), Reply.text("APPROVE")),
    Rule(When(system="You write"), Reply.text("I wrote it.")),
    Rule(When(system="You judge"), Reply.text("Make it better.")),
    Rule(When(), Reply.text("writer")),
]


@feature(CHAT_SCRIPT, steps="model 4")
async def round_robin_team(kit: Kit) -> Any:
    return await round_robin(kit.client()).run(task="A poem.")


@feature(CHAT_SCRIPT, steps="model 4")
async def round_robin_streamed(kit: Kit) -> Any:
    team = round_robin(kit.client(), stream=True)
    return [item async for item in team.run_stream(task="A poem.")]


@feature(CHAT_SCRIPT, steps="model 4")
async def console(kit: Kit) -> Any:
    return await Console(round_robin(kit.client()).run_stream(task="A poem."), output_stats=False)


@feature(CHAT_SCRIPT, steps="model 3")
async def selector_by_model(kit: Kit) -> Any:
    return await selector(kit.client()).run(task="A poem.")


@feature(CHAT_SCRIPT, steps="model 3")
async def selector_streamed(kit: Kit) -> Any:
    team = selector(kit.client(), stream=True)
    return [item async for item in team.run_stream(task="A poem.")]


@feature(CHAT_SCRIPT, steps="model 3")
async def selector_by_function(kit: Kit) -> Any:
    def choose(messages: Sequence[Any]) -> str | None:
        return "critic" if messages[-1].source == "writer" else "writer"

    team = SelectorGroupChat(writers(kit.client()), kit.client(), selector_func=choose, max_turns=3)
    return await team.run(task="A poem.")


@feature(CHAT_SCRIPT, steps="model 7")
async def selector_by_candidates(kit: Kit) -> Any:
    async def candidates(messages: Sequence[Any]) -> list[str]:
        await asyncio.sleep(0)
        return ["writer"] if messages[-1].source == "user" else ["writer", "critic"]

    team = SelectorGroupChat(
        writers(kit.client()), kit.client(), candidate_func=candidates, max_turns=3
    )
    return await team.run(task="A poem.")


@feature(
    [
        Rule(When(anywhere="You should choose the name"), Reply.text("writer")),
        Rule(When(anywhere="select the next role"), Reply.text("nobody")),
        Rule(When(), Reply.text("I wrote it.")),
    ],
    steps="model 4",
)
async def selector_that_has_to_ask_again(kit: Kit) -> Any:
    team = SelectorGroupChat(
        writers(kit.client()), kit.client(), max_turns=1, allow_repeated_speaker=True
    )
    return await team.run(task="A poem.")


SWARM = [
    Rule(When(system="You are alice", anywhere="back"), Reply.text("TERMINATE")),
    Rule(When(system="You are alice"), Reply.tool("transfer_to_bob")),
    Rule(When(system="You are bob", tool="add"), Reply.tool("transfer_to_alice")),
    Rule(When(system="You are bob"), Reply.tool("add", {"a": 2, "b": 3})),
]


@feature(SWARM, steps="model 4, tool 1")
async def swarm(kit: Kit) -> Any:
    client = kit.client()
    alice = AssistantAgent("alice", client, handoffs=["bob"], system_message="You are alice.")
    bob = AssistantAgent(
        "bob",
        client,
        handoffs=[Handoff(target="alice", message="I am back.")],
        tools=[adding(kit)],
        max_tool_iterations=3,
        system_message="You are bob.",
    )
    team = Swarm([alice, bob], termination_condition=TextMentionTermination("TERMINATE"))
    return await team.run(task="Go.")


LEDGER = (
    '{"is_request_satisfied": {"reason": "r", "answer": %s}, '
    '"is_in_loop": {"reason": "r", "answer": false}, '
    '"is_progress_being_made": {"reason": "r", "answer": true}, '
    '"next_speaker": {"reason": "r", "answer": "writer"}, '
    '"instruction_or_question": {"reason": "r", "answer": "Write."}}'
)
MAGENTIC = [
    Rule(When(system="You write"), Reply.text("I wrote it.")),
    Rule(When(anywhere="write a final answer"), Reply.text("Here it is.")),
    Rule(When(user="is_request_satisfied", anywhere="I wrote it."), Reply.text(LEDGER % "true")),
    Rule(When(user="is_request_satisfied"), Reply.text(LEDGER % "false")),
    Rule(When(), Reply.text("The final answer comes after the work.")),
]


@feature(MAGENTIC, steps="model 6")
async def magentic_one(kit: Kit) -> Any:
    team = MagenticOneGroupChat(writers(kit.client())[:1], kit.client())
    return [item async for item in team.run_stream(task="A poem.")]


GRAPH = [
    Rule(When(system="You are slow"), Reply.text("Slow.").delayed(0.2)),
    Rule(When(system="You are quick"), Reply.text("Quick.")),
    Rule(When(system="You start"), Reply.text("Start.")),
    Rule(When(system="You join"), Reply.text("Both.")),
]


def speaker(client: Any, name: str, system: str) -> Any:
    """Return an agent without tools."""
    return AssistantAgent(name, client, system_message=system)


@feature(GRAPH, steps="model 4", at_once=True)
async def graph_with_branches(kit: Kit) -> Any:
    client = kit.client()
    start, slow, quick, join = (
        speaker(client, name, f"You {words}.")
        for name, words in (
            ("start", "start"),
            ("slow", "are slow"),
            ("quick", "are quick"),
            ("join", "join"),
        )
    )
    builder = DiGraphBuilder()
    for node in (start, slow, quick, join):
        builder.add_node(node)
    builder.add_edge(start, slow).add_edge(start, quick)
    builder.add_edge(slow, join).add_edge(quick, join)
    flow = GraphFlow(builder.get_participants(), builder.build())
    return [item async for item in flow.run_stream(task="Go.")]


@feature(CHAT_SCRIPT, steps="model 5")
async def graph_with_a_loop(kit: Kit) -> Any:
    client = kit.client()
    writer, critic = writers(client)
    end = speaker(client, "end", "You write the end.")
    builder = DiGraphBuilder()
    builder.add_node(writer).add_node(critic).add_node(end)
    builder.set_entry_point(writer)
    builder.add_edge(writer, critic)
    builder.add_edge(critic, writer, condition=lambda m: "APPROVE" not in m.to_model_text())
    builder.add_edge(critic, end, condition=lambda m: "APPROVE" in m.to_model_text())
    flow = GraphFlow(builder.get_participants(), builder.build(), max_turns=10)
    return await flow.run(task="A poem.")


@feature(CHAT_SCRIPT, steps="model 7", since="0.7")
async def nested_teams(kit: Kit) -> Any:
    client = kit.client()
    inner = RoundRobinGroupChat(
        writers(client), termination_condition=TextMentionTermination("APPROVE"), name="pair"
    )
    reader = speaker(client, "reader", "You write a review.")
    outer = RoundRobinGroupChat([inner, reader], max_turns=3)
    return [item async for item in outer.run_stream(task="A poem.")]


@feature(CHAT_SCRIPT, steps="model 10")
async def every_termination(kit: Kit) -> Any:
    client, seen = kit.client(prompt=1), []
    external = ExternalTermination()
    external.set()
    conditions = [
        MaxMessageTermination(2),
        TextMentionTermination("wrote", sources=["writer"]),
        StopMessageTermination() | MaxMessageTermination(2),
        TokenUsageTermination(max_total_token=1),
        HandoffTermination("user") | MaxMessageTermination(2),
        TimeoutTermination(60) | MaxMessageTermination(2),
        external,
        SourceMatchTermination(["writer"]),
        TextMessageTermination("writer") & MaxMessageTermination(2),
        FunctionCallTermination("add") | MaxMessageTermination(2),
        FunctionalTermination(lambda messages: any(m.source == "writer" for m in messages)),
    ]
    for condition in conditions:
        team = RoundRobinGroupChat(writers(client), termination_condition=condition)
        seen.append(await team.run(task="A poem."))
    return seen


@feature(CHAT_SCRIPT, steps="model 10")
async def one_team_several_runs(kit: Kit) -> Any:
    team = round_robin(kit.client())
    first = await team.run(task="A poem.")
    second = await team.run(task="A song.")
    await team.reset()
    third = await team.run(task="A poem.")
    return [first, second, third]


@feature(CHAT_SCRIPT, steps="model 4")
async def state_saved_and_loaded(kit: Kit) -> Any:
    client = kit.client()
    team = RoundRobinGroupChat(writers(client), max_turns=2)
    first = await team.run(task="A poem.")
    state = await team.save_state()
    other = RoundRobinGroupChat(writers(client), max_turns=2)
    await other.load_state(state)
    return [first, await other.run(), state]


@feature(CHAT_SCRIPT, steps="model 4")
async def max_turns_and_going_on(kit: Kit) -> Any:
    team = RoundRobinGroupChat(writers(kit.client()), max_turns=1)
    return [await team.run(task="A poem."), *[await team.run() for _ in range(3)]]


@feature(CHAT_SCRIPT, steps="model 4")
async def shared_runtime(kit: Kit) -> Any:
    runtime = SingleThreadedAgentRuntime()
    runtime.start()
    client = kit.client()
    stop = TextMentionTermination("APPROVE")
    team = RoundRobinGroupChat(writers(client), termination_condition=stop, runtime=runtime)
    result = await team.run(task="A poem.")
    await runtime.stop_when_idle()
    return result


@feature(CHAT_SCRIPT, steps="model 4", at_once=True)
async def two_teams_on_one_runtime(kit: Kit) -> Any:
    runtime = SingleThreadedAgentRuntime()
    runtime.start()
    client = kit.client()
    teams = [
        RoundRobinGroupChat(writers(client), max_turns=2, runtime=runtime, name=f"team{n}")
        for n in range(2)
    ]
    results = await asyncio.gather(*(t.run(task=f"Poem {n}.") for n, t in enumerate(teams)))
    await runtime.stop()
    return results


@feature(CHAT_SCRIPT, steps="model 4")
async def paused_and_resumed(kit: Kit) -> Any:
    team = round_robin(kit.client())
    seen = []
    async for item in team.run_stream(task="A poem."):
        seen.append(item)
        if len(seen) == 2:
            await team.pause()
            await team.resume()
    return seen


@feature(CHAT_SCRIPT, steps="model 1")
async def cancelled_by_token(kit: Kit) -> Any:
    token, seen = CancellationToken(), []
    team = round_robin(kit.client())
    try:
        async for item in team.run_stream(task="A poem.", cancellation_token=token):
            seen.append(item)
            if getattr(item, "source", "") == "writer":
                token.cancel()
    except asyncio.CancelledError:
        seen.append("cancelled")
    return seen


@feature(CHAT_SCRIPT, steps="model 4")
async def left_early(kit: Kit) -> Any:
    team, seen = round_robin(kit.client()), []
    stream = team.run_stream(task="A poem.")
    async for item in stream:
        seen.append(item)
        if getattr(item, "source", "") == "critic":
            break
    await stream.aclose()
    return seen


@feature(CHAT_SCRIPT, steps="model 3")
async def stopped_from_outside(kit: Kit) -> Any:
    stop = ExternalTermination()
    team = RoundRobinGroupChat(writers(kit.client()), termination_condition=stop)
    seen = []
    async for item in team.run_stream(task="A poem."):
        seen.append(item)
        if len(seen) == 3:
            stop.set()
    return seen


@feature(CHAT_SCRIPT, steps="model 8", at_once=True)
async def teams_side_by_side(kit: Kit) -> Any:
    client = kit.client()
    teams = [round_robin(client) for _ in range(2)]
    return await asyncio.gather(*(team.run(task="A poem.") for team in teams))


@feature([Rule(When(system="You write"), Reply.text("I wrote it."))], steps="model 2")
async def task_of_messages(kit: Kit) -> Any:
    team = RoundRobinGroupChat(writers(kit.client())[:1], max_turns=1)
    messages = [TextMessage(content=f"Line {n}.", source="user") for n in range(3)]
    first = await team.run(task=messages)
    second = await team.run(task="More.", output_task_messages=False)
    return [first, second]
