"""The same program plain, durable and replayed: the same messages, and nothing asked twice."""

from __future__ import annotations

import pytest
from autogen_agentchat.base import TaskResult
from autogen_agentchat.ui import Console

import durably

from .programs import CHAT_SCRIPT, SUM_SCRIPT, Sums, adder, round_robin, selector, texts

CONFIG = {"configurable": {"thread_id": "t1"}}
TEAMS = {"round robin": round_robin, "selector": selector}


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
@pytest.mark.parametrize("make", TEAMS.values(), ids=TEAMS)
async def test_a_team_replays_byte_for_byte(host, serve, client, make, stream):
    """A replayed team run costs no request and gives the same messages, ids and times included."""
    plain_server, server = serve(CHAT_SCRIPT), serve(CHAT_SCRIPT)
    plain = await make(client(plain_server), stream=stream).run(task="A poem.")

    team = make(client(server), stream=stream)
    durable = await durably.wrap(team, checkpointer=host).ainvoke("A poem.", CONFIG)
    assert texts(durable) == texts(plain)
    assert durable.stop_reason == plain.stop_reason
    assert server.counts == plain_server.counts

    fresh = make(client(server), stream=stream)
    replayed = await durably.wrap(fresh, checkpointer=host).ainvoke(None, CONFIG)
    assert replayed.model_dump_json() == durable.model_dump_json()
    assert server.count() == plain_server.count()


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
async def test_an_agent_with_tools_replays_byte_for_byte(host, serve, client, stream):
    """An agent alone replays its tool calls with its answers."""
    server, sums = serve(SUM_SCRIPT), Sums()
    agent = adder(client(server), sums.add, model_client_stream=stream)
    first = await durably.wrap(agent, checkpointer=host).ainvoke("2 and 3", CONFIG)
    assert texts(first)[-1] == ("adder", "The sum is 5.")

    fresh = adder(client(server), sums.add, model_client_stream=stream)
    again = await durably.wrap(fresh, checkpointer=host).ainvoke(None, CONFIG)
    assert again.model_dump_json() == first.model_dump_json()
    assert (server.count(), sums.calls) == (2, [(2, 3)])


async def collected(stream):
    """Return the items of a stream as JSON."""
    return [item.model_dump_json() async for item in stream]


@pytest.mark.parametrize("shape", ["run", "run_stream", "console"])
async def test_every_way_to_run_a_team_replays(drive, serve, client, capsys, shape):
    """run, run_stream and Console give the same items live and replayed."""
    server = serve(CHAT_SCRIPT)

    async def program():
        team = round_robin(client(server), stream=True)
        if shape == "run":
            return (await team.run(task="A poem.")).model_dump_json()
        if shape == "run_stream":
            return await collected(team.run_stream(task="A poem."))
        return (await Console(team.run_stream(task="A poem."))).model_dump_json()

    first = await drive(program)
    shown, asked = capsys.readouterr().out, server.count()
    again = await drive(program)
    assert (again, capsys.readouterr().out, server.count()) == (first, shown, asked)
    assert asked == 4


async def test_streamed_chunks_are_the_same_on_replay(drive, serve, client):
    """A replayed model stream has the same chunks, and ends with the same result."""
    server = serve(CHAT_SCRIPT)
    seen = []

    async def program():
        stream = round_robin(client(server), stream=True).run_stream(task="A poem.")
        seen.append([item async for item in stream])

    await drive(program)
    await drive(program)
    kinds = [[type(item).__name__ for item in items] for items in seen]
    assert kinds[0] == kinds[1]
    assert kinds[0].count("ModelClientStreamingChunkEvent") > 4
    assert isinstance(seen[1][-1], TaskResult)


async def test_ids_and_times_are_autogens_own_outside_a_run(host, serve, client):
    """Outside of a run messages get random ids, as ever; inside they differ from run to run."""
    team = durably.wrap(round_robin(client(serve(CHAT_SCRIPT))), checkpointer=host)
    one = await team.ainvoke("A poem.", CONFIG)
    plain = [await round_robin(client(serve(CHAT_SCRIPT))).run(task="A poem.") for _ in range(2)]
    ids = [message.id for result in (one, *plain) for message in result.messages]
    assert len(set(ids)) == len(ids)


async def test_times_of_messages_go_forward(host, serve, client):
    """A durable run's messages carry times that grow, from turn to turn too."""
    team = durably.wrap(round_robin(client(serve(CHAT_SCRIPT))), checkpointer=host)
    result = await team.ainvoke("A poem.", CONFIG)
    times = [message.created_at for message in result.messages]
    assert times == sorted(set(times))
