"""What durability costs a program: idle seams, durable steps, and whole framework turns.

    python benchmarks/overhead.py [--rounds N] [--json FILE]

Every figure is a ratio to the plain program in the same interleaved run; absolute times are shown
to make sense of the ratios, and depend on the machine.
"""

from __future__ import annotations

import argparse
import asyncio
import atexit
import json
import os
import statistics
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

OFFLINE = {
    "CREWAI_DISABLE_TELEMETRY": "true",
    "CREWAI_TRACING_ENABLED": "false",
    "CREWAI_DISABLE_VERSION_CHECK": "true",
    "CREWAI_TESTING": "true",
    "OTEL_SDK_DISABLED": "true",
    "OPENAI_API_KEY": "not-needed",
}

Subject = Callable[[], float]
"""Does one measured piece of work and returns seconds per unit."""


def timed(work: Callable[[], object], units: int) -> float:
    start = time.perf_counter()
    work()
    return (time.perf_counter() - start) / units


def idle_seam() -> Mapping[str, Subject]:
    """A framework function with a seam in it, called outside of any run."""
    from durably.adapting import Seam
    from durably.adapting._patching import _gate

    def plain(value: int) -> int:
        return value + 1

    seam = Seam("x:plain", "model", lambda _scope, original, value: original(value), "nothing")
    gated = _gate(plain, seam)
    count = 100_000

    def loop(function: Callable[[int], int]) -> Callable[[], None]:
        def work() -> None:
            for number in range(count):
                function(number)

        return work

    return {
        "plain": lambda: timed(loop(plain), count),
        "idle seam": lambda: timed(loop(gated), count),
    }


def functional_step(folder: Path) -> Mapping[str, Subject]:
    """A task of an entrypoint, and the same function called by hand with its own SQLite commit."""
    import sqlite3

    from durably import entrypoint, task

    count = 500

    @task
    def work(number: int) -> int:
        return number + 1

    def body(_: Any) -> None:
        for number in range(count):
            work(number).result()

    memory = entrypoint(checkpointer="memory:")(body)
    sqlite = entrypoint(checkpointer=f"sqlite:///{folder}/steps.db")(body)
    bare = sqlite3.connect(folder / "bare.db", isolation_level=None)
    bare.execute("PRAGMA journal_mode=WAL")
    bare.execute("PRAGMA synchronous=NORMAL")
    bare.execute("CREATE TABLE IF NOT EXISTS row (value BLOB)")

    def commits() -> None:
        for number in range(count):
            bare.execute("INSERT INTO row VALUES (?)", (b"%300d" % number,))

    def thread() -> dict[str, Any]:
        return {"configurable": {"thread_id": os.urandom(8).hex()}}

    return {
        "bare WAL commit": lambda: timed(commits, count),
        "step, memory": lambda: timed(lambda: memory.invoke(0, thread()), count),
        "step, SQLite": lambda: timed(lambda: sqlite.invoke(0, thread()), count),
    }


def crewai_turn(folder: Path) -> Mapping[str, Subject]:
    """A crew of one agent whose model answers from memory: a tool call, then the answer."""
    os.environ.update(OFFLINE, CREWAI_STORAGE_DIR=str(folder / "crewai"))
    from crewai import LLM, Agent, Crew, Task
    from crewai.tools import tool

    import durably
    from durably.testing import ModelServer, Reply, Rule, When

    rules = [
        Rule(When(tool="add"), Reply.text("Final Answer: 3")),
        Rule(When(), Reply.tool("add", {"one": 1, "other": 2})),
    ]
    server = ModelServer(rules)

    @tool("add")
    def add(one: int, other: int) -> str:
        """Add two numbers."""
        return str(one + other)

    def crew() -> Crew:
        llm = LLM(model="gpt-4o-mini", base_url=server.url)
        agent = Agent(role="A", goal="g", backstory="b", tools=[add], llm=llm)
        task = Task(description="Add 1 and 2.", expected_output="A number.", agent=agent)
        return Crew(agents=[agent], tasks=[task])

    plain = crew()
    wrapped = durably.wrap(crew(), checkpointer=f"sqlite:///{folder}/crew.db")
    return {
        "plain": lambda: timed(plain.kickoff, 2),
        "durable, SQLite": lambda: timed(lambda: wrapped.invoke({}), 2),
    }


def autogen_turn(folder: Path) -> Mapping[str, Subject]:
    """An assistant with one tool whose model is the scripted server: a tool call, a reflection."""
    from autogen_agentchat.agents import AssistantAgent
    from autogen_core.models import ModelInfo
    from autogen_ext.models.openai import OpenAIChatCompletionClient

    import durably
    from durably.testing import ModelServer, Reply, Rule, When

    os.environ["OPENAI_API_KEY"] = "not-needed"
    server = ModelServer(
        [
            Rule(When(tool="add"), Reply.text("3")),
            Rule(When(), Reply.tool("add", {"one": 1, "other": 2})),
        ]
    )

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
    runner = asyncio.Runner()
    atexit.register(runner.close)

    def agent() -> AssistantAgent:
        client = OpenAIChatCompletionClient(
            model="gpt-4o-mini", base_url=server.url, model_info=info
        )
        return AssistantAgent("a", client, tools=[add], reflect_on_tool_use=True)

    def plain() -> None:
        runner.run(agent().run(task="Add 1 and 2."))

    host = durably.Host(f"sqlite:///{folder}/team.db")

    def durable() -> None:
        wrapped = durably.wrap(agent(), checkpointer=host)
        runner.run(wrapped.ainvoke("Add 1 and 2."))

    return {
        "plain": lambda: timed(plain, 2),
        "durable, SQLite": lambda: timed(durable, 2),
    }


def measure(subjects: Mapping[str, Subject], rounds: int) -> dict[str, float]:
    """Return the median seconds of each subject over interleaved rounds; the first is dropped."""
    found: dict[str, list[float]] = {name: [] for name in subjects}
    for number in range(rounds + 1):
        for name, subject in subjects.items():
            seconds = subject()
            if number:
                found[name].append(seconds)
    return {name: statistics.median(values) for name, values in found.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure what durability costs.")
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--json", type=Path, help="also write the figures to this file")
    options = parser.parse_args()
    report: dict[str, dict[str, float]] = {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        sections = {
            "a function call": idle_seam(),
            "a step": functional_step(folder),
            "a CrewAI model or tool turn": crewai_turn(folder),
            "an AutoGen model or tool turn": autogen_turn(folder),
        }
        for title, subjects in sections.items():
            medians = measure(subjects, options.rounds)
            report[title] = medians
            base = next(iter(medians.values()))
            print(title)
            for label, seconds in medians.items():
                print(f"  {label:<22}{seconds * 1e6:>12.1f} µs   x{seconds / base:.2f}")
    if options.json:
        options.json.write_text(json.dumps(report, indent=2), encoding="utf-8")


if __name__ == "__main__":
    main()
