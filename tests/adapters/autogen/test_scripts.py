"""Unchanged scripts that ask people: asked by one process, answered by another."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from durably import Host
from durably.hosting import all_runs

from .programs import CHAT_SCRIPT

SCRIPT = """
import asyncio
import sys


def build():
    from autogen_agentchat.agents import AssistantAgent, UserProxyAgent
    from autogen_agentchat.conditions import TextMentionTermination
    from autogen_agentchat.teams import RoundRobinGroupChat
    from autogen_ext.models.openai import OpenAIChatCompletionClient

    info = dict(
        vision=False, function_calling=True, json_output=True, family="x", structured_output=True
    )
    model = OpenAIChatCompletionClient(model="gpt-4o-mini", model_info=info)
    writer = AssistantAgent("writer", model_client=model, system_message="You write.")
    return model, RoundRobinGroupChat(
        [writer, UserProxyAgent("boss")], termination_condition=TextMentionTermination("APPROVE")
    )


async def main():
    model, team = build()
    try:
        async for item in team.run_stream(task="A poem."):
            print(type(item).__name__, getattr(item, "content", ""))
    except Exception as error:
        print("seen by the program:", error)
    finally:
        await model.close()
        print("closed")


asyncio.run(main())
"""
WAITING = 75


def durably_run(environment, directory, script):
    """Run a script durably to its end."""
    return subprocess.run(
        [sys.executable, "-m", "durably", "run", script],
        env=environment,
        cwd=directory,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


@pytest.mark.timeout(120)
def test_a_script_that_imports_late_and_asks_is_answered_by_another_process(tmp_path, serve):
    """The script ends cleanly with status 75; with the answer it goes on and pays nothing twice."""
    server = serve(CHAT_SCRIPT)
    (tmp_path / "chat.py").write_text(SCRIPT, encoding="utf-8")
    environment = {**os.environ, "OPENAI_API_KEY": "any", "OPENAI_BASE_URL": server.url}

    waiting = durably_run(environment, tmp_path, "chat.py")
    assert waiting.returncode == WAITING, waiting.stderr
    assert waiting.stdout.splitlines()[-1] == "closed"
    assert "seen by the program" not in waiting.stdout
    assert "Traceback" not in waiting.stderr

    host = Host(f"sqlite:///{tmp_path}/.durably/journal.db")
    (run,) = all_runs(host.journal)
    host.answer(run, {run.open[0]: "APPROVE"})
    host.close()
    done = durably_run(environment, tmp_path, "chat.py")
    assert done.returncode == 0, done.stderr
    assert "TextMessage APPROVE" in done.stdout
    assert server.count() == 1
