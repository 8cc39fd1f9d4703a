"""Nothing of a durable run leaves the machine but what the program itself sends."""

from __future__ import annotations

import os

import pytest
from tests.support.commands import Place

from durably.testing import ModelServer, Reply, Rule, When

GUARD = """
import socket

def watched(function, host_of):
    def guarded(*args, **kwargs):
        if host_of(*args) not in ("127.0.0.1", "localhost", "::1"):
            with open("left.txt", "a") as file:
                file.write(f"{host_of(*args)}\\n")
            raise OSError("there is no network")
        return function(*args, **kwargs)
    return guarded

socket.getaddrinfo = watched(socket.getaddrinfo, lambda host, *_: host)
socket.socket.connect = watched(socket.socket.connect, lambda _, address: address[0])
"""

PROGRAM = """
import guard
from crewai import Agent, Crew, Task
from crewai.events.listeners.tracing import utils
from crewai.flow.flow import Flow, start

class Works(Flow):
    @start()
    def work(self):
        worker = Agent(role="Worker", goal="Work", backstory="You work.", llm="gpt-4o-mini")
        task = Task(description="Work.", expected_output="A word.", agent=worker)
        print(utils._is_interactive_terminal())
        return Crew(agents=[worker], tasks=[task]).kickoff().raw

print(Works().kickoff())
"""


@pytest.mark.slow
@pytest.mark.timeout(240)
@pytest.mark.parametrize("is_durable", [True, False], ids=["durable", "plain"])
def test_nothing_leaves_the_machine(tmp_path, monkeypatch, is_durable):
    """No telemetry, no traces, no version is looked up; the plain program shows that it is seen."""
    place = Place(tmp_path)
    place.write("guard.py", GUARD)
    place.write("program.py", PROGRAM)
    with ModelServer([Rule(When(), Reply.text("Done."))]) as server:
        for name in [one for one in os.environ if one.startswith(("CREWAI_", "OTEL_"))]:
            monkeypatch.delenv(name)
        place.env.update(OPENAI_API_KEY="any", OPENAI_BASE_URL=server.url, HOME=str(tmp_path))
        place.env["CREWAI_STORAGE_DIR"] = str(tmp_path / "crewai")
        run = place.durably("run", "program.py") if is_durable else place.python("program.py")
    assert run.returncode == 0, run.stderr
    assert "Done." in run.stdout
    assert bool(place.lines("left.txt")) != is_durable
