"""Threads of wrapped objects over real processes, one of them killed (SIGKILL) in the middle."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys

import pytest

from durably.testing import ModelServer, Reply, Rule, When

PROGRAMS = {
    "autogen": """
import asyncio, json, os, sys
import durably
from autogen_agentchat.agents import AssistantAgent
from autogen_agentchat.conditions import MaxMessageTermination
from autogen_agentchat.teams import RoundRobinGroupChat
from autogen_ext.models.openai import OpenAIChatCompletionClient
from durably.testing import kills_asked_for

async def main():
    model = OpenAIChatCompletionClient(model="gpt-4o-mini", api_key="any")
    members = [AssistantAgent(name, model) for name in "ab"]
    team = RoundRobinGroupChat(members, termination_condition=MaxMessageTermination(3))
    wrapped = durably.wrap(
        team, checkpointer="sqlite:///t.db", plugins=kills_asked_for(os.environ)
    )
    for thread, text in json.loads(sys.argv[1]):
        config = {"configurable": {"thread_id": thread}}
        result = await wrapped.ainvoke(text, config)
        print(json.dumps([m.content for m in result.messages]))
    await model.close()

asyncio.run(main())
""",
    "crewai": """
import json, os, sys
import durably
from crewai import Agent
from crewai.flow.flow import Flow, listen, start
from durably.testing import kills_asked_for

class Desk(Flow):
    @start()
    def hear(self):
        said = self.state.setdefault("said", [])
        said.append(self.state["text"])
        return said

    @listen(hear)
    def first(self, said):
        writer = Agent(role="a", goal="g", backstory="b", llm="openai/gpt-4o-mini")
        return writer.kickoff_async(" / ".join(said))

    @listen(first)
    def second(self, _):
        writer = Agent(role="b", goal="g", backstory="b", llm="openai/gpt-4o-mini")
        return writer.kickoff_async(" / ".join(self.state["said"]))

wrapped = durably.wrap(
    Desk(), checkpointer="sqlite:///t.db", plugins=kills_asked_for(os.environ)
)
for thread, text in json.loads(sys.argv[1]):
    wrapped.invoke({"text": text}, {"configurable": {"thread_id": thread}})
    print("done", thread)
""",
}


@pytest.mark.parametrize(
    "framework",
    [
        pytest.param("autogen", marks=pytest.mark.autogen),
        pytest.param("crewai", marks=pytest.mark.crewai),
    ],
)
@pytest.mark.timeout(240)
def test_a_killed_run_leaves_its_thread_as_it_was_and_goes_on(tmp_path, framework):
    """Alice's second run is killed after its first call; Bob comes between; then it goes on."""
    (tmp_path / "program.py").write_text(PROGRAMS[framework], encoding="utf-8")
    with ModelServer([Rule(When(), Reply.text("noted"))]) as server:

        def run(*turns, kill=0):
            env = {
                **os.environ,
                "OPENAI_API_KEY": "any",
                "OPENAI_BASE_URL": server.url,
                "OPENAI_API_BASE": server.url,
                **({"DURABLY_TEST": "1", "DURABLY_TEST_KILL_AFTER": str(kill)} if kill else {}),
            }
            before = len(server.requests)
            done = subprocess.run(
                [sys.executable, "program.py", json.dumps(turns)],
                cwd=tmp_path,
                env=env,
                capture_output=True,
                text=True,
                check=False,
                timeout=100,
            )
            assert done.returncode == (-signal.SIGKILL if kill else 0), done.stderr
            return [json.dumps(one.body["messages"]) for one in server.requests[before:]]

        run(["alice", "my PIN is 1234"])
        killed = run(["alice", "my cat is Tom"], kill=_FIRST[framework])
        assert len(killed) == 1
        bob = run(["bob", "hello"])
        assert len(bob) == 2
        assert not any("1234" in one or "Tom" in one for one in bob)
        went_on = run(["alice", "my cat is Tom"])
        assert len(went_on) == 1  # the first of the two calls comes from the journal
        last = run(["alice", "what did I say?"])
        for one in (*killed, *went_on, *last):
            assert one.count("1234") == 1
            assert one.count("Tom") == 1
        assert all("what did I say?" in one for one in last)


_FIRST = {"autogen": 1, "crewai": 3}
