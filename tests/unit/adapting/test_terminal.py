"""What a program reads from the terminal itself, where its host was told to catch it."""

from __future__ import annotations

import builtins
import getpass
import io
import sys

import pytest

import durably
from durably import Inbox, entrypoint
from durably.adapting import Call, TerminalAdapter, uninstall
from durably.engine import current

CONFIG = {"configurable": {"thread_id": "t"}}


@pytest.fixture
def storage():
    return durably.MemoryStorage()


@pytest.fixture
def run(storage):
    """Return a function that runs a body on a new host, as another process would."""

    def begin(body, *, catch_input=True):
        host = durably.Host(storage, catch_input=catch_input, config=False)
        return entrypoint(checkpointer=host)(body)

    yield begin
    uninstall(TerminalAdapter())


def steps(storage):
    host = durably.Host(storage, config=False)
    entries = host.journal.read("t")
    return [one.record.name for one in entries if type(one.record).__name__ == "StepEnded"]


def test_an_input_of_the_programs_own_is_read_once(run, storage, monkeypatch):
    """A program that gave itself another standard input reads it, and not again on replay."""
    monkeypatch.setattr(sys, "stdin", io.StringIO("Ada\n"))

    def body(fails):
        name = input()
        if fails:
            raise RuntimeError("after the question")
        return name

    failing = [True]
    flow = run(lambda _: body(failing[0]))
    with pytest.raises(RuntimeError):
        flow.invoke(0, CONFIG)
    failing[0] = False
    assert run(lambda _: body(failing[0])).invoke(None, CONFIG) == "Ada"
    assert steps(storage) == ["input"]


def test_a_frameworks_own_question_stays_one_step(run, storage, monkeypatch):
    """What a human step of a framework reads with ``input()`` is part of that step."""
    monkeypatch.setattr(sys, "stdin", io.StringIO("yes\n"))

    def body(_):
        return current().step(Call("human", "provider", {"ask": "ok?"}), lambda: input("ok? "))

    assert run(body).invoke(0, CONFIG) == "yes"
    assert steps(storage) == ["provider"]


def test_it_is_left_alone_unless_asked_for(run, storage, monkeypatch):
    """In an application the terminal is nobody's business by default."""
    monkeypatch.setattr(sys, "stdin", io.StringIO("Ada\n"))
    run(lambda _: None).invoke(0, {"configurable": {"thread_id": "other"}})
    assert run(lambda _: input(), catch_input=False).invoke(0, CONFIG) == "Ada"
    assert steps(storage) == []


def test_outside_of_runs_nothing_is_different(run, monkeypatch):
    """The functions look and behave like Python's own, and are again when they are let go."""
    run(lambda _: None).invoke(0, CONFIG)
    assert builtins.input.__name__ == "input"
    assert "prompt" in (input.__doc__ or "")
    monkeypatch.setattr(sys, "stdin", io.StringIO("outside\n"))
    assert input() == "outside"
    uninstall(TerminalAdapter())
    assert type(builtins.input).__name__ == "builtin_function_or_method"
    assert getpass.getpass.__module__ == "getpass"


def test_a_question_of_a_tool_is_the_tools(run, storage, monkeypatch):
    """A tool that asks is executed again with the answer, which is asked for once."""
    monkeypatch.setattr(sys, "stdin", None)
    called = []

    def tool():
        called.append(1)
        return f"sent: {input('Send? ')}"

    def body(_):
        return current().step(Call("tool", "send", {"to": "ada"}, effect=True), tool)

    [asked] = run(body).invoke(0, CONFIG)["__interrupt__"]
    assert asked.value["message"] == "Send?"
    inbox = Inbox(durably.Host(storage, config=False))
    inbox.answer(asked.id, "yes", by="ada")
    assert run(body).invoke(None, CONFIG) == "sent: yes"
    assert run(body).invoke(None, CONFIG) == "sent: yes"
    assert len(called) == 2
