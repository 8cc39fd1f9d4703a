"""Programs as CrewAI's users write them, and the scripts of the models that they ask."""

from __future__ import annotations

import contextlib
import re
import runpy
from pathlib import Path

from crewai import LLM, Agent, BaseLLM, Crew, Task
from crewai.tools import BaseTool, tool

from durably.testing import Reply, Rule, When

DEMO = Path(__file__).parents[3] / "examples" / "demo_crew.py"
CONFIG = {"configurable": {"thread_id": "t1"}}
INPUTS = {"order": "1042"}


def demo_crew(*, stream=False):
    """Return the demo program's crew, made anew as a new process would."""
    return runpy.run_path(str(DEMO), run_name="demo_crew")["build_crew"](stream=stream)


def model(**more):
    """Return a model object that asks the scripted server, each request once."""
    return LLM(**{"model": "gpt-4o-mini", "max_retries": 0, **more})


def agent(role="Worker", **more):
    """Return an agent."""
    return Agent(role=role, goal="Do the work", backstory="You work.", **{"llm": model(), **more})


def task(text, worker, **more):
    """Return a task for an agent."""
    return Task(description=text, expected_output="A word.", agent=worker, **more)


def crew(*tasks, **more):
    """Return a crew of the tasks and their agents."""
    agents = {id(one.agent): one.agent for one in tasks}
    return Crew(agents=list(agents.values()), tasks=list(tasks), **more)


def told(output):
    """Return what a crew's output says and what it cost.

    CrewAI makes ids of addresses for calls that come without one; they are left out.
    """
    outputs = [
        (one.agent, one.raw, re.sub(r"call_\d{9,}", "call_N", repr(one.messages)))
        for one in output.tasks_output
    ]
    return output.raw, outputs, output.token_usage.model_dump()


class Sends(BaseTool):
    """A tool that remembers what it sent."""

    name: str = "send"
    description: str = "Send a text."
    sent: list[str] = []  # noqa: RUF012 - pydantic copies it for each tool

    def _run(self, text: str) -> str:
        self.sent.append(text)
        return f"sent {text}"


def sends(effect):
    """Return a tool that sends a text to the outside world."""

    @tool("send")
    def send(text: str) -> str:
        """Send a text."""
        return f"sent {effect(text)}"

    return send


class Asking(BaseTool):
    """A tool that asks a person in the middle."""

    name: str = "send"
    description: str = "Send a text, if a person agrees."
    sent: list[str] = []  # noqa: RUF012

    def _run(self, text: str) -> str:
        import durably

        answer = durably.interrupt({"kind": "confirmation", "message": f"Send {text}?"})
        self.sent.append(text)
        return f"sent {text}: {answer}"


@tool("connect")
def connect(name: str) -> object:
    """Connect to a host."""
    return contextlib.ExitStack()


SEND_SCRIPT = [
    Rule(When(tool="send"), Reply.text("It was sent.")),
    Rule(When(turns=0), Reply.tool("send", {"text": "hello"})),
]


class Echo(BaseLLM):
    """A model of a user's own, which needs no server."""

    def call(self, messages, tools=None, callbacks=None, available_functions=None, **kwargs):
        CALLS.append(self.model)
        return "echo"

    def supports_function_calling(self):
        return False


CALLS: list[str] = []
"""Which models of the test's own were asked."""
