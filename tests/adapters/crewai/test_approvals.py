"""Tool calls of unchanged crews wait for a person: approved, edited, rejected, answered."""

from __future__ import annotations

import re

import pytest

import durably
from durably import AnswerRefused, Inbox
from durably.testing import Reply, Rule, When

from . import programs as p

BOTH = [
    Rule(When(tool="send"), Reply.text("Both were sent.")),
    Rule(When(turns=0), Reply.tools(("send", {"text": "a"}), ("send", {"text": "b"}))),
]
REACT = [
    Rule(
        When(anywhere=re.compile("Observation: .A person changed")),
        Reply.text("Thought: done\nFinal Answer: It was sent."),
    ),
    Rule(When(), Reply.text('Thought: go\nAction: send\nAction Input: {"text": "hello"}')),
]


class Desk:
    """A person's desk and the processes in which a crew runs, over one journal."""

    def __init__(self, path):
        self.url = f"sqlite:///{path}/journal.db"
        self.sent = []
        self.made = []

    def tool(self, **more):
        tool = p.Sends(**more)
        tool.sent = self.sent
        return tool

    def run(self, given, tool=None, **more):
        worker = p.agent(tools=[tool or self.tool()], **more)
        crew = p.crew(p.task("Send it.", worker))
        self.made.append(durably.Host(self.url, approve=["send"]))
        return durably.wrap(crew, checkpointer=self.made[-1]).invoke(given, p.CONFIG)

    def inbox(self):
        self.made.append(durably.Host(self.url))
        return Inbox(self.made[-1])

    def answer(self, said, position=0):
        inbox = self.inbox()
        return inbox.answer(inbox.pending()[position].id, said, by="ada")


@pytest.fixture
def desk(tmp_path):
    made = Desk(tmp_path)
    yield made
    for host in made.made:
        host.close()


def told(server):
    """Return what the model was last told of its tool calls."""
    return [result.text for result in server.requests[-1].tool_results]


@pytest.mark.parametrize(
    ("said", "sent", "parts"),
    [
        ({"type": "approve"}, ["hello"], ["sent hello"]),
        (
            {"type": "edit", "args": {"text": "bye"}},
            ["bye"],
            ["A person changed this call", '{"text": "bye"}', "sent bye"],
        ),
        (
            {"type": "reject", "message": "too early"},
            [],
            ["A person rejected this call of send", "too early"],
        ),
        ({"type": "respond", "message": "I wrote a letter"}, [], ["I wrote a letter"]),
    ],
    ids=["approve", "edit", "reject", "respond"],
)
def test_a_call_waits_and_is_decided_elsewhere(desk, serve, said, sent, parts):
    """The tool is used with what the person decided, once, and the model is told of it."""
    server = serve(p.SEND_SCRIPT)
    [asked] = desk.run({})["__interrupt__"]
    assert (desk.sent, server.count()) == ([], 1)
    [question] = desk.inbox().pending()
    assert (question.id, question.name, question.args) == (asked.id, "send", {"text": "hello"})
    assert question.args_schema["required"] == ["text"]
    desk.answer(said)
    assert desk.run(None).raw == "It was sent."
    assert (desk.sent, server.count()) == (sent, 2)
    assert all(part in told(server)[0] for part in parts)
    desk.run(None)
    assert (desk.sent, server.count()) == (sent, 2)


def test_calls_made_at_the_same_time_are_decided_one_by_one(desk, serve):
    """Two calls of one turn wait side by side, or one after the other; each has its own answer."""
    server = serve(BOTH)
    desk.run({})
    edits = {"a": {"type": "edit", "args": {"text": "A"}}, "b": {"type": "approve"}}
    for _ in range(2):
        waiting = desk.inbox().pending()
        if not waiting:
            break
        desk.answer(edits[waiting[-1].args["text"]], len(waiting) - 1)
        done = desk.run(None)
    assert done.raw == "Both were sent."
    assert sorted(desk.sent) == ["A", "b"]
    assert server.count() == 2


def test_a_call_written_as_text_waits_too(desk, serve):
    """Models without tool calling write them down (ReAct); they are the same calls."""
    serve(REACT)
    model = p.model()
    model.supports_function_calling = lambda: False
    desk.run({}, llm=model)
    desk.answer({"type": "edit", "args": {"text": "bye"}})
    assert desk.run(None, llm=model).raw == "It was sent."
    assert desk.sent == ["bye"]


def test_a_result_that_is_the_answer_is_not_commented(desk, serve):
    """Where the tool's result goes past the model, nobody is there to be told of an edit."""
    serve(p.SEND_SCRIPT)
    desk.run({}, desk.tool(result_as_answer=True))
    desk.answer({"type": "edit", "args": {"text": "bye"}})
    assert desk.run(None, desk.tool(result_as_answer=True)).raw == "sent bye"


def test_an_edit_is_held_to_the_tools_schema(desk, serve):
    """The tool would refuse it later; the person is told now."""
    serve(p.SEND_SCRIPT)
    desk.run({})
    with pytest.raises(AnswerRefused, match="'text' is missing"):
        desk.answer({"type": "edit", "args": {}})
    with pytest.raises(AnswerRefused, match="text: 5 is not of type string"):
        desk.answer({"type": "edit", "args": {"text": 5}})
