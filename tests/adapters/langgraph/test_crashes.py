"""A program that calls a graph is killed after each node in turn, and run again."""

from __future__ import annotations

import pytest
from tests.support.commands import Place

PROGRAM = """
import operator, os, sys
from typing import Annotated, TypedDict

from langgraph.graph import START, StateGraph

import durably


class State(TypedDict):
    log: Annotated[list, operator.add]


def effect(name):
    def run(state):
        with open("effects.txt", "a") as file:
            print(name, file=file)
        return {"log": [name]}

    return run


def fatal(name):
    def run(state):
        if name == sys.argv[1]:
            os._exit(9)
        return {}

    return run


builder, before = StateGraph(State), START
for name in "abc":
    for label, function in ((name, effect(name)), (f"after-{name}", fatal(name))):
        builder.add_node(label, function)
        builder.add_edge(before, label)
        before = label

graph = durably.wrap(builder.compile(name="graph"), checkpointer="sqlite:///runs.db")
print(graph.invoke({"log": []}, {"configurable": {"thread_id": "t"}})["log"])
"""


@pytest.mark.slow
@pytest.mark.parametrize("last", ["a", "b", "c"])
def test_a_killed_program_goes_on_behind_the_last_node(tmp_path, last):
    """Each effect is there once, and the result is the whole one."""
    place = Place(tmp_path)
    place.write("program.py", PROGRAM)
    assert place.python("program.py", last).returncode == 9
    again = place.python("program.py", "-")
    assert again.stdout.strip() == "['a', 'b', 'c']", again.stderr
    assert place.lines("effects.txt") == ["a", "b", "c"]
