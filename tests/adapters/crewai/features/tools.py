"""Tools: called in text, side by side, failing, limited, with large results, of other servers."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from crewai import BaseLLM
from crewai.mcp import MCPServerStdio
from crewai.tools import BaseTool, tool
from pydantic import BaseModel

from durably.testing import Reply, Rule, When

from ..programs import agent, crew, sends, task, told
from ..ways import Feature

MCP_SERVER = Path(__file__).parents[1] / "mcp_server.py"


def _in_text(*says):
    """Return a model without function calling: it writes what it wants as text."""

    class InText(BaseLLM):
        def call(self, messages, tools=None, callbacks=None, available_functions=None, **kwargs):
            turn = sum(message["role"] == "assistant" for message in messages)
            return says[min(turn, len(says) - 1)]

        def supports_function_calling(self):
            return False

    return InText(model="in-text")


def _action(name, arguments):
    return f"Thought: I must.\nAction: {name}\nAction Input: {arguments}\n"


ANSWER = "Thought: I now know the final answer\nFinal Answer: It was sent."


def call_in_text(effect):
    llm = _in_text(_action("send", '{"text": "hello"}'), ANSWER)
    return told(crew(task("Send hello.", agent(llm=llm, tools=[sends(effect)]))).kickoff())


def calls_in_text(effect):
    """CrewAI does not repeat a call with equal arguments right away."""
    said = [_action("send", f'{{"text": "{word}"}}') for word in ("a", "b", "a")]
    llm = _in_text(*said, ANSWER)
    return told(crew(task("Send.", agent(llm=llm, tools=[sends(effect)]))).kickoff())


def _failing(effect):
    @tool("send")
    def send(text: str) -> str:
        """Send a text."""
        effect(f"tried {text}")
        raise ConnectionError("the line is dead")

    return send


def failing_call_in_text(effect):
    """CrewAI itself tries a failing tool again and again."""
    llm = _in_text(_action("send", '{"text": "hello"}'), ANSWER)
    work = task("Send hello.", agent(llm=llm, tools=[_failing(effect)]))
    return told(crew(work).kickoff()), work.tools_errors, work.used_tools


def failing_call(effect):
    work = task("Send hello.", agent(tools=[_failing(effect)]))
    return told(crew(work).kickoff()), work.tools_errors, work.used_tools


def calls_side_by_side(effect):
    send = sends(effect)
    send.cache_function = lambda *_: False  # before 1.15 it is chance which equal calls are one
    work = task("Send all.", agent(tools=[send]))
    return told(crew(work).kickoff())[0], work.used_tools


def limited_calls(effect):
    @tool("send", max_usage_count=1)
    def send(text: str) -> str:
        """Send a text."""
        return f"sent {effect(text)}"

    output = crew(task("Send twice.", agent(tools=[send]))).kickoff()
    return told(output), send.current_usage_count


def result_as_answer(effect):
    @tool("send", result_as_answer=True)
    def send(text: str) -> str:
        """Send a text."""
        return f"sent {effect(text)}"

    return told(crew(task("Send hello.", agent(tools=[send]))).kickoff())


class Asks(BaseModel):
    """What the tool takes: names that the adapter uses too."""

    scope: str
    original: str
    self_: str = ""


class Named(BaseTool):
    """A tool whose parameters have odd names."""

    name: str = "send"
    description: str = "Send a text."
    args_schema: type[BaseModel] = Asks
    effect: Any = None

    def _run(self, scope: str, original: str, self_: str = "") -> str:
        return f"sent {self.effect(scope + original)}"


def odd_parameters(effect):
    return told(crew(task("Send hello.", agent(tools=[Named(effect=effect)]))).kickoff())


class Result(BaseModel):
    """What a tool found."""

    found: list[str]


def structured_result(effect):
    @tool("send")
    def send(text: str) -> Result:
        """Send a text."""
        return Result(found=[effect(text)])

    return told(crew(task("Send hello.", agent(tools=[send]))).kickoff())


def awaited_tool(effect):
    @tool("send")
    async def send(text: str) -> str:
        """Send a text."""
        return f"sent {effect(text)}"

    return told(crew(task("Send hello.", agent(tools=[send]))).kickoff())


def cached_tool(effect):
    @tool("send")
    def send(text: str) -> str:
        """Send a text."""
        return f"sent {effect(text)}"

    send.cache_function = lambda arguments, result: True
    return told(crew(task("Send twice.", agent(tools=[send])), cache=True).kickoff())


def large_result(effect):
    """CrewAI puts a very long result into a file with a random name and tells the model of it."""

    @tool("send")
    def send(text: str) -> str:
        """Send a text."""
        effect(text)
        return "\n".join(f"line {number} of the answer" for number in range(40_000))

    return told(crew(task("Send hello.", agent(tools=[send]))).kickoff())[0]


def mcp_server(effect):
    server = MCPServerStdio(
        command=sys.executable, args=[str(MCP_SERVER)], env={"OUTBOX": str(Path("effects.txt"))}
    )
    return told(crew(task("Send hello.", agent(mcps=[server]))).kickoff())[0]


SENDS = [
    Rule(When(tool="send"), Reply.text("It was sent.")),
    Rule(When(turns=0), Reply.tool("send", {"text": "hello"})),
]
TWICE = [
    Rule(When(tool="send", turns=2), Reply.text("Sent as often as I could.")),
    Rule(When(), Reply.tool("send", {"text": "hello"})),
]

FEATURES = [
    Feature(call_in_text, []),
    Feature(calls_in_text, []),
    Feature(failing_call_in_text, []),
    Feature(failing_call, SENDS),
    Feature(
        calls_side_by_side,
        [
            Rule(When(tool="send"), Reply.text("All sent.")),
            Rule(When(), Reply.tools(*(("send", {"text": text}) for text in "aba"))),
        ],
        overlaps=True,
    ),
    Feature(limited_calls, TWICE),
    Feature(result_as_answer, SENDS),
    Feature(
        odd_parameters,
        [SENDS[0], Rule(When(), Reply.tool("send", {"scope": "a", "original": "b"}))],
    ),
    Feature(structured_result, SENDS),
    Feature(awaited_tool, SENDS),
    Feature(cached_tool, TWICE),
    Feature(large_result, SENDS, volatile=True),
    Feature(
        mcp_server,
        [
            Rule(When(tool="mcp_server_py_send"), Reply.text("It was sent.")),
            Rule(When(), Reply.tool("mcp_server_py_send", {"text": "hello"})),
        ],
    ),
]
