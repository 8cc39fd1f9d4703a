"""Wrapped agents and teams: what they take, and from which conversation a run begins."""

from __future__ import annotations

import asyncio
import dataclasses

import httpx
import openai
import pytest
from autogen_agentchat.agents import AssistantAgent
from autogen_agentchat.messages import TextMessage

import durably
from durably.testing import Reply, Rule, When

from .programs import CHAT_SCRIPT, client_of, reviewed, round_robin, selector, texts

CONFIG = {"configurable": {"thread_id": "t1"}}
NAMES = [
    Rule(When(user="my name", anywhere="I am Ada"), Reply.text("You are Ada.")),
    Rule(When(user="my name"), Reply.text("I do not know.")),
    Rule(When(), Reply.text("Hello.")),
]


def on(thread):
    """Return a config for a thread."""
    return {"configurable": {"thread_id": thread}}


@pytest.mark.parametrize(
    "task",
    [
        "Hello?",
        {"task": "Hello?"},
        TextMessage(content="Hello?", source="user"),
        [TextMessage(content="Hello?", source="user")],
        {"task": [TextMessage(content="Hello?", source="user")]},
    ],
    ids=["text", "mapping", "message", "messages", "mapping of messages"],
)
async def test_what_an_agent_may_be_given(host, serve, client, task):
    """A task is given as to AutoGen's run, or by its name."""
    agent = AssistantAgent("host", client(serve(NAMES)))
    result = await durably.wrap(agent, checkpointer=host).ainvoke(task, CONFIG)
    assert texts(result) == [("user", "Hello?"), ("host", "Hello.")]


@pytest.mark.parametrize("task", [7, {"topic": "tea"}, {}])
async def test_what_is_no_task_is_refused(host, serve, client, task):
    """Anything else is a TypeError that says what is taken."""
    agent = AssistantAgent("host", client(serve(NAMES)))
    with pytest.raises(TypeError, match="an AutoGen run is given"):
        await durably.wrap(agent, checkpointer=host).ainvoke(task, CONFIG)


def test_a_team_can_be_invoked_without_an_event_loop(host, serve):
    """Without a loop, invoke drives one of its own; a second call is a new loop for the team."""
    server = serve([*CHAT_SCRIPT[:2], Rule(When(), Reply.text("APPROVE"))])
    without_pool = httpx.AsyncClient(limits=httpx.Limits(max_keepalive_connections=0))
    model = client_of(server.url, http_client=without_pool)
    team = durably.wrap(round_robin(model), checkpointer=host)
    first = team.invoke("A poem.", CONFIG)
    second = team.invoke("A song.", CONFIG)
    assert texts(first)[-1] == ("writer", "APPROVE")
    assert texts(second)[-1] == ("critic", "APPROVE")
    assert server.count() == 2


async def test_a_team_streams_its_steps_and_tokens(host, serve, client):
    """A stream yields steps as they end, and a streaming model's tokens."""
    team = durably.wrap(round_robin(client(serve(CHAT_SCRIPT)), stream=True), checkpointer=host)
    parts = [
        part async for part in team.astream("A poem.", CONFIG, stream_mode=["updates", "messages"])
    ]
    assert [next(iter(data)) for mode, data in parts if mode == "updates"] == ["gpt-4o-mini"] * 4
    tokens = [data for mode, data in parts if mode == "messages"]
    assert "".join(text for text, _ in tokens).startswith("I wrote it.Again, please.")
    assert tokens[0][1]["model"] == "gpt-4o-mini"


async def test_runs_of_one_thread_continue_its_conversation(host, serve, client):
    """As in AutoGen, an agent remembers; so does a fresh one that continues its second run."""
    server = serve(NAMES)
    agent = durably.wrap(AssistantAgent("host", client(server)), checkpointer=host)
    await agent.ainvoke("I am Ada.", on("t2"))
    known = await agent.ainvoke("What is my name?", on("t2"))
    assert texts(known)[-1] == ("host", "You are Ada.")
    asked = server.count()

    fresh = durably.wrap(AssistantAgent("host", client(server)), checkpointer=host)
    again = await fresh.ainvoke(None, on("t2"))
    assert again.model_dump_json() == known.model_dump_json()
    assert server.count() == asked


async def test_a_resumed_run_begins_with_the_state_it_first_began_with(host, serve, client):
    """What an object did since does not leak into a run that is taken up again."""
    server = serve(NAMES)
    agent = durably.wrap(AssistantAgent("host", client(server)), checkpointer=host)
    first = await agent.ainvoke("What is my name?", on("t1"))
    await agent.ainvoke("I am Ada.", on("t2"))
    again = await agent.ainvoke(None, on("t1"))
    assert again.model_dump_json() == first.model_dump_json()
    assert server.count() == 2


async def test_a_teams_second_run_is_resumed_with_its_first_in_mind(host, serve, client):
    """A team that waits in its second run goes on elsewhere with the first one's messages."""
    server = serve(CHAT_SCRIPT)
    team = durably.wrap(reviewed(client(server)), checkpointer=host)
    await team.ainvoke("A poem.", on("t1"))
    await team.ainvoke(durably.Command(resume="APPROVE"), on("t1"))
    await team.ainvoke("Again.", on("t1"))
    asked = server.count()

    fresh = durably.wrap(reviewed(client(server)), checkpointer=host)
    done = await fresh.ainvoke(durably.Command(resume="APPROVE"), on("t1"))
    assert texts(done) == [
        ("user", "Again."),
        ("writer", "I wrote it better."),
        ("boss", "APPROVE"),
    ]
    assert server.count() == asked


async def test_runs_on_different_threads_go_on_side_by_side(host, serve, client):
    """Teams that share a journal and a model client do not mix their steps up."""
    server = serve(CHAT_SCRIPT)
    shared = client(server)

    async def one(number):
        team = durably.wrap(round_robin(shared), checkpointer=host)
        return await team.ainvoke(f"Poem {number}.", on(f"t{number}"))

    results = await asyncio.gather(*(one(number) for number in range(5)))
    assert [texts(result)[0] for result in results] == [("user", f"Poem {n}.") for n in range(5)]
    asked = server.count()
    again = [
        await durably.wrap(round_robin(shared), checkpointer=host).ainvoke(None, on(f"t{n}"))
        for n in range(5)
    ]
    assert [a.model_dump_json() for a in again] == [r.model_dump_json() for r in results]
    assert server.count() == asked


async def test_the_same_input_continues_an_unfinished_run(host, serve, client):
    """A service that crashed and makes the same call again pays for nothing twice."""
    failing = Rule(When(system="You judge"), Reply.error(400), times=1)
    server = serve([failing, *CHAT_SCRIPT])
    with pytest.raises(RuntimeError):
        await durably.wrap(round_robin(client(server)), checkpointer=host).ainvoke(
            "A poem.", CONFIG
        )
    fresh = durably.wrap(round_robin(client(server)), checkpointer=host)
    done = await fresh.ainvoke("A poem.", CONFIG)
    assert texts(done)[-1] == ("critic", "APPROVE")
    assert sorted(server.counts.values()) == [1, 1, 1, 2]


async def test_one_team_runs_on_several_threads_at_once(host, serve, client):
    """Each run has a conversation of its own, replays as it was, and the team is left untouched."""
    server = serve(CHAT_SCRIPT)
    team = round_robin(client(server))
    wrapped = durably.wrap(team, checkpointer=host)
    threads = [on(f"t{number}") for number in range(3)]
    results = await asyncio.gather(
        *(wrapped.ainvoke(f"Poem {n}.", config) for n, config in enumerate(threads))
    )
    for number, result in enumerate(results):
        assert texts(result)[0] == ("user", f"Poem {number}.")
        assert texts(result)[-1] == ("critic", "APPROVE")
        assert len(result.messages) == 5
    asked = server.count()
    for number, config in enumerate(threads):
        fresh = durably.wrap(round_robin(client(server)), checkpointer=host)
        again = await fresh.ainvoke(None, config)
        assert again.model_dump_json() == results[number].model_dump_json()
    assert server.count() == asked


async def test_copies_of_a_selector_team_do_not_share_what_they_heard(host, serve, client):
    """A selector team's copies choose their speakers by their own conversations."""
    server = serve(CHAT_SCRIPT)
    wrapped = durably.wrap(selector(client(server)), checkpointer=host)
    results = await asyncio.gather(*(wrapped.ainvoke(f"Poem {n}.", on(f"s{n}")) for n in range(3)))
    assert [texts(result)[0] for result in results] == [("user", f"Poem {n}.") for n in range(3)]
    plain = texts(await selector(client(server)).run(task="Poem 0."))
    assert [texts(result)[1:] for result in results] == [plain[1:]] * 3


async def test_a_run_is_continued_by_its_own_kind_and_name_only(host, serve, client):
    """Another team, or the same under another name, is refused; both are named, and what to do."""
    model = client(serve(CHAT_SCRIPT))
    resume = durably.Command(resume="APPROVE")
    await durably.wrap(reviewed(model), checkpointer=host).ainvoke("A poem.", CONFIG)
    others = [
        durably.wrap(round_robin(model), checkpointer=host),
        durably.wrap(reviewed(model), checkpointer=host, name="desk"),
        durably.wrap(AssistantAgent("boss", model), checkpointer=host),
    ]
    for other in others:
        for given in (None, resume):
            with pytest.raises(durably.ResumeError) as refused:
                await other.ainvoke(given, CONFIG)
            assert "autogen:team:RoundRobinGroupChat(writer, boss)" in str(refused.value)
            assert other._entry.identity in str(refused.value)
    done = await durably.wrap(reviewed(model), checkpointer=host).ainvoke(resume, CONFIG)
    assert texts(done)[-1] == ("boss", "APPROVE")


async def test_a_changed_team_stands_for_the_former_one_by_its_name(host, serve, client):
    """With the name that the refusal tells, a team with another member continues the run."""
    model = client(serve(CHAT_SCRIPT))
    await durably.wrap(reviewed(model), checkpointer=host).ainvoke("A poem.", CONFIG)
    team = reviewed(model)
    team._participants[0]._name = "author"
    with pytest.raises(durably.ResumeError, match=r"name='RoundRobinGroupChat\(writer, boss\)'"):
        await durably.wrap(team, checkpointer=host).ainvoke(None, CONFIG)
    same = durably.wrap(
        reviewed(model), checkpointer=host, name="RoundRobinGroupChat(writer, boss)"
    )
    assert "__interrupt__" in await same.ainvoke(None, CONFIG)


async def test_a_run_of_before_entries_had_names_goes_on(host, serve, client):
    """It was recorded as autogen:host; the agent of that name continues it and its thread."""
    server = serve([Rule(When(), Reply.error(400), times=1), *NAMES])
    agent = durably.wrap(AssistantAgent("host", client(server)), checkpointer=host)
    former = durably.wrap(AssistantAgent("host", client(server)), checkpointer=host)
    former._entry = dataclasses.replace(former._entry, name="autogen", title="host")
    with pytest.raises(openai.BadRequestError):
        await former.ainvoke("I am Ada.", CONFIG)
    assert texts(await agent.ainvoke(None, CONFIG))[-1] == ("host", "Hello.")
    assert texts(await agent.ainvoke("What is my name?", CONFIG))[-1] == ("host", "You are Ada.")


def test_an_empty_name_is_refused(host):
    """A name that names nothing is an error where it is given."""
    with pytest.raises(ValueError, match="names nothing"):
        durably.wrap(AssistantAgent("host", None), checkpointer=host, name="")
