"""A LangGraph graph of plain nodes: the second one asks at the terminal."""

from __future__ import annotations

from pathlib import Path
from typing import TypedDict

from langgraph.graph import END, START, StateGraph
from langgraph.types import interrupt


class State(TypedDict, total=False):
    """The graph's state."""

    topic: str
    essay: str
    verdict: str


def record(line: str) -> None:
    """Record that a node did its work."""
    with Path("done.txt").open("a", encoding="utf-8") as done:
        done.write(f"{line}\n")


def write(state: State) -> State:
    record(f"write {state['topic']}")
    return {"essay": f"An essay about {state['topic']}"}


def ask(state: State) -> State:
    return {"verdict": interrupt(f"Publish {state['essay']}?")}


def publish(state: State) -> State:
    record(f"publish {state['essay']}")
    return {"essay": f"published: {state['essay']}"}


if __name__ == "__main__":
    builder = StateGraph(State)
    for node in (write, ask, publish):
        builder.add_node(node.__name__, node)
    builder.add_edge(START, "write")
    builder.add_edge("write", "ask")
    builder.add_edge("ask", "publish")
    builder.add_edge("publish", END)
    print(builder.compile().invoke({"topic": "tea"})["essay"])
