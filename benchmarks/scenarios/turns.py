"""Turns of real frameworks against a scripted model over HTTP, plain and durable in alternation.

The model is another process. Answers at once show what durability adds to the framework's own work,
answers after a while what it adds to a turn as people know it. Plain and durable turns alternate in
one process, since two processes differ by more than what is to be seen; before durably has put its
seams in, plain turns are measured once more.
"""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Callable, Generator
from contextlib import ExitStack, contextmanager
from typing import Any

from ..place import Place
from ..subjects import Subject
from .checks import expect
from .timers import Taken, Watch, medians

TURNS = 2
"""Model calls of one piece of work: a tool call, then the answer."""

OFFLINE = {
    "CREWAI_DISABLE_TELEMETRY": "true",
    "CREWAI_DISABLE_VERSION_CHECK": "true",
    "CREWAI_TESTING": "true",
    "CREWAI_TRACING_ENABLED": "false",
    "OPENAI_API_KEY": "not-needed",
    "OTEL_SDK_DISABLED": "true",
}

RULES = [
    {"when": {"tool": "add"}, "reply": {"text": "{final}3"}},
    {"reply": {"tools": [{"name": "add", "arguments": {"one": 1, "other": 2}}]}},
]

BUDGET = 6.0
"""Seconds of alternation, not counting the model's own."""

MOST, LEAST = 60, 5

Work = Callable[[], str]


def crewai(subject: Subject, place: Place, delay: int) -> dict[str, float]:
    """Measure a crew of one agent with one tool: milliseconds for each model call."""
    os.environ.update(OFFLINE, CREWAI_STORAGE_DIR=str(place.folder / "crewai"))
    from crewai import LLM, Agent, Crew, Task
    from crewai.tools import tool

    @tool("add")
    def add(one: int, other: int) -> str:
        """Add two numbers."""
        return str(one + other)

    with ExitStack() as stack:
        url = stack.enter_context(_model(place, delay, final="Final Answer: "))

        def crew() -> Crew:
            llm = LLM(model="gpt-4o-mini", base_url=url)
            agent = Agent(role="A", goal="g", backstory="b", tools=[add], llm=llm)
            task = Task(description="Add 1 and 2.", expected_output="A number.", agent=agent)
            return Crew(agents=[agent], tasks=[task])

        plain = crew()

        def durable(*listeners: Any) -> Work:
            import durably

            host = durably.Host(_journal(subject, place), listeners=listeners)
            stack.callback(host.close)
            wrapped = durably.wrap(crew(), checkpointer=host)
            return lambda: str(wrapped.invoke({}).raw)

        return _alternated(lambda: str(plain.kickoff().raw), durable, delay)


def autogen(subject: Subject, place: Place, delay: int) -> dict[str, float]:
    """Measure an assistant with one tool that reflects: milliseconds for each model call."""
    os.environ.update(OFFLINE)
    from autogen_agentchat.agents import AssistantAgent
    from autogen_core.models import ModelInfo
    from autogen_ext.models.openai import OpenAIChatCompletionClient

    def add(one: int, other: int) -> int:
        """Add two numbers."""
        return one + other

    info = ModelInfo(
        vision=False,
        function_calling=True,
        json_output=True,
        family="gpt-4o",
        structured_output=True,
    )
    with ExitStack() as stack:
        url = stack.enter_context(_model(place, delay))
        runner = stack.enter_context(asyncio.Runner())
        client = OpenAIChatCompletionClient(model="gpt-4o-mini", base_url=url, model_info=info)
        stack.callback(lambda: runner.run(client.close()))

        def agent() -> AssistantAgent:
            return AssistantAgent("a", client, tools=[add], reflect_on_tool_use=True)

        def plain() -> str:
            return _last(runner.run(agent().run(task="Add 1 and 2.")))

        def durable(*listeners: Any) -> Work:
            import durably

            host = durably.Host(_journal(subject, place), listeners=listeners)
            stack.callback(host.close)

            def work() -> str:
                wrapped = durably.wrap(agent(), checkpointer=host)
                return _last(runner.run(wrapped.ainvoke("Add 1 and 2.")))

            return work

        return _alternated(plain, durable, delay)


def _last(result: Any) -> str:
    return str(result.messages[-1].content)


def _journal(subject: Subject, place: Place) -> str:
    return place.postgres or f"sqlite:///{place.sqlite}" if subject.persists else "memory:"


def _alternated(plain: Work, make_durable: Callable[..., Work], delay: int) -> dict[str, float]:
    """Time plain work alone, then plain and durable work in turn."""
    for _ in range(3):
        expect(plain()[-1:], "3", "the answer")
    rounds = max(LEAST, min(MOST, int(BUDGET / (TURNS * 2 * (0.01 + delay / 1000)))))
    untouched = medians([_timed(plain) for _ in range(rounds // 2 or 1)])
    _expect_steps(make_durable)
    durable = make_durable()
    for _ in range(3):
        expect(durable()[-1:], "3", "the answer")
    pairs = [(_timed(plain), _timed(durable)) for _ in range(rounds)]
    theirs, ours = (medians(list(part)) for part in zip(*pairs, strict=True))
    return {
        "ratio": ours.wall / theirs.wall,
        "cpu_ratio": ours.cpu / theirs.cpu,
        "ms": ours.wall / TURNS * 1e3,
        "cpu_ms": ours.cpu / TURNS * 1e3,
        "plain_ms": theirs.wall / TURNS * 1e3,
        "plain_cpu_ms": theirs.cpu / TURNS * 1e3,
        "untouched_ms": untouched.wall / TURNS * 1e3,
    }


def _expect_steps(make_durable: Callable[..., Work]) -> None:
    """Raise unless durable work takes a step for each model call and for the tool."""
    from durably import Listener

    finished: list[str] = []

    class Kinds(Listener):
        def step_finished(self, step: Any, error: BaseException | None) -> None:
            finished.append(step.kind if error is None else repr(error))

    make_durable(Kinds())()
    expect(finished, ["model", "tool", "model"], "the steps of durable work")


def _timed(work: Work) -> Taken:
    watch = Watch()
    found = work()
    taken = watch.taken()
    expect(found[-1:], "3", "the answer")
    return taken


@contextmanager
def _model(place: Place, delay: int, final: str = "") -> Generator[str]:
    """Serve the scripted model from another process; yields its base URL."""
    script = place.folder / "model.json"
    script.write_text(json.dumps(RULES).replace("{final}", final), encoding="utf-8")
    command = [sys.executable, "-m", "durably.testing.server", "--script", str(script)]
    process = subprocess.Popen(
        [*command, "--delay", str(delay / 1000)], stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout is not None
        yield process.stdout.readline().strip()
    finally:
        process.terminate()
        process.communicate(timeout=10)
