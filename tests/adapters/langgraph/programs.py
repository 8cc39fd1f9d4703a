"""Graphs that the tests run. Each node notes in a list that it was executed."""

from __future__ import annotations

import operator
from itertools import pairwise
from typing import Annotated, TypedDict

from langchain_core.language_models import GenericFakeChatModel
from langchain_core.messages import AIMessage, RemoveMessage
from langgraph.graph import END, START, MessagesState, StateGraph
from langgraph.types import Command, Send, interrupt

INPUT = {"log": []}


class State(TypedDict):
    """What the graphs pass on."""

    log: Annotated[list, operator.add]


def node(effects, name):
    """Return a node that writes its name."""

    def run(state):
        effects.append(name)
        return {"log": [name]}

    return run


def failing(effects, name, failures):
    """Return a node that fails as often as *failures* has entries."""

    def run(state):
        effects.append(name)
        if failures:
            raise ValueError(failures.pop())
        return {"log": [name]}

    return run


def asking(effects, name, *questions):
    """Return a node that asks a person one thing after another, and writes the answers."""

    def run(state):
        effects.append(name)
        return {"log": [f"{name}: {interrupt(question)}" for question in questions]}

    return run


def chain(*nodes, checkpointer=None, name="chain", state=State):
    """Return a graph of nodes, given as ``(name, function)``, one after the other."""
    builder = StateGraph(state)
    for label, function in nodes:
        builder.add_node(label, function)
    names = [START, *(label for label, _ in nodes), END]
    for before, after in pairwise(names):
        builder.add_edge(before, after)
    return builder.compile(checkpointer=checkpointer, name=name)


def three(effects, checkpointer=None, failures=()):
    """Return a graph of three nodes with an effect each; the second may fail."""
    return chain(
        ("a", node(effects, "a")),
        ("b", failing(effects, "b", list(failures))),
        ("c", node(effects, "c")),
        checkpointer=checkpointer,
        name="three",
    )


def review(effects, checkpointer=None):
    """Return a graph in which two nodes ask at once, one of them twice the same, and a fourth."""
    builder = StateGraph(State)
    builder.add_node("draft", node(effects, "draft"))
    builder.add_node("style", asking(effects, "style", "Good?"))
    builder.add_node("facts", asking(effects, "facts", "True?", "True?"))
    builder.add_node("send", node(effects, "send"))
    builder.add_edge(START, "draft")
    builder.add_edge("draft", "style")
    builder.add_edge("draft", "facts")
    builder.add_edge(["style", "facts"], "send")
    return builder.compile(checkpointer=checkpointer, name="review")


def fanned_out(effects):
    """Return a graph that sends three inputs to one node, each of which asks."""

    def ask(item):
        effects.append(item["n"])
        return {"log": [interrupt("Which?")]}

    builder = StateGraph(State)
    builder.add_node("ask", ask)
    builder.add_conditional_edges(START, lambda _: [Send("ask", {"n": n}) for n in range(3)])
    return builder.compile(name="fanned_out")


def nested(effects, checkpointer=None):
    """Return a graph with a graph as a node; the inner one asks, and commands the outer one."""

    def leave(state):
        effects.append("leave")
        return Command(graph=Command.PARENT, goto="last", update={"log": ["left"]})

    inner = chain(("in", node(effects, "in")), ("ask", asking(effects, "ask", "Go?")), name="inner")
    builder = StateGraph(State)
    builder.add_node("first", node(effects, "first"))
    builder.add_node("inner", inner)
    builder.add_node("leaver", chain(("leave", leave), name="leaver"), destinations=("last",))
    builder.add_node("last", node(effects, "last"))
    builder.add_edge(START, "first")
    builder.add_edge("first", "inner")
    builder.add_edge("inner", "leaver")
    return builder.compile(checkpointer=checkpointer, name="nested")


def leaving(effects, failures):
    """Return a graph whose inner graph commands it to go to a node that fails."""

    def leave(state):
        effects.append("leave")
        return Command(graph=Command.PARENT, goto="end", update={"log": ["left"]})

    builder = StateGraph(State)
    builder.add_node("inner", chain(("leave", leave), name="inner"), destinations=("end",))
    builder.add_node("end", failing(effects, "end", failures))
    builder.add_edge(START, "inner")
    return builder.compile(name="parent")


def chat(effects, replies):
    """Return a graph that asks a model, then a person, and then forgets the user's message."""
    model = GenericFakeChatModel(messages=iter([AIMessage(text) for text in replies]))

    def answer(state):
        effects.append("answer")
        reply = model.invoke(state["messages"])
        return {"messages": [AIMessage(f"{reply.content} {interrupt('Send?')}")]}

    def forget(state):
        effects.append("forget")
        return {"messages": [RemoveMessage(state["messages"][0].id)]}

    def after(state):
        effects.append("after")
        interrupt("Close?")
        return {}

    nodes = (("answer", answer), ("forget", forget), ("after", after))
    return chain(*nodes, name="chat", state=MessagesState)
