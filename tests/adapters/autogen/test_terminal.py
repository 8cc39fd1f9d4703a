"""AutoGen's people at a terminal: asked right there, once, whatever reads the line."""

from __future__ import annotations

import pytest
from tests.support.commands import Place
from tests.support.terminal import Terminal

from .programs import CHAT_SCRIPT, SUM_SCRIPT

TEAM = """
import asyncio, os, sys
from autogen_agentchat.agents import UserProxyAgent
from autogen_agentchat.conditions import TextMentionTermination
from autogen_agentchat.teams import RoundRobinGroupChat
sys.path.insert(0, os.environ["PROGRAMS"])
from tests.adapters.autogen.programs import client_of, writers

async def main():
    client = client_of(os.environ["MODEL"])
    person = UserProxyAgent("boss")
    stop = TextMentionTermination("APPROVE", sources=["boss"])
    team = RoundRobinGroupChat([writers(client)[0], person], termination_condition=stop)
    result = await team.run(task="Write.")
    print([message.source for message in result.messages], flush=True)
    await client.close()

asyncio.run(main())
"""

ADDS = """
import asyncio, os, sys
sys.path.insert(0, os.environ["PROGRAMS"])
from tests.adapters.autogen.programs import adder, client_of

async def add(a: int, b: int) -> int:
    "Add two numbers."
    with open("added.txt", "a") as log:
        log.write(f"{a} {b}\\n")
    return a + b

async def main():
    client = client_of(os.environ["MODEL"])
    result = await adder(client, add).run(task="What is 2 and 3?")
    print(result.messages[-1].content, flush=True)
    await client.close()

asyncio.run(main())
"""


@pytest.fixture
def place(tmp_path, request):
    made = Place(tmp_path)
    made.env["PROGRAMS"] = str(request.config.rootpath)
    return made


@pytest.mark.slow
@pytest.mark.timeout(180)
def test_a_user_proxy_is_asked_at_the_terminal(place, serve):
    """The person types their answer; the event loop goes on, and the team ends as usual."""
    place.env["MODEL"] = serve(CHAT_SCRIPT).url
    place.write("team.py", TEAM)
    here = Terminal(place, ["run", "-q", "team.py"])
    try:
        here.expect("Enter your response")
        here.expect("> ")
        here.type("APPROVE")
        here.expect(r"'boss'\]")
        assert here.end() == 0
    finally:
        here.close()
    [line] = place.json("show", place.newest()["run"])["questions"]
    assert line["answer"] == "APPROVE"


@pytest.mark.slow
@pytest.mark.timeout(180)
def test_a_call_is_edited_from_another_process_and_made_once(place, serve):
    """Across three processes and a kill: one call, with the edited arguments, one question."""
    server = serve(SUM_SCRIPT)
    place.env["MODEL"] = server.url
    place.write("adds.py", ADDS)
    command = ("run", "-q", "--approve", "add", "adds.py")
    waits = place.durably(*command)
    assert waits.returncode == 75, waits.stderr
    [question] = place.json("approvals")["questions"]
    assert question["args_schema"]["required"] == ["a", "b"]
    place.durably("approve", question["id"], "--set", "a=4")
    place.durably(*command, DURABLY_TEST="1", DURABLY_TEST_KILL_AFTER="1")
    assert place.lines("added.txt") == ["4 3"]
    done = place.durably(*command)
    assert done.stdout == "The sum is 5.\n", done.stderr
    assert place.lines("added.txt") == ["4 3"]
    assert server.count() == 2
