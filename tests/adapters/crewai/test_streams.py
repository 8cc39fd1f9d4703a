"""What a run tells while it goes: tokens, tool calls, results of tasks, and what was replayed."""

from __future__ import annotations

import pytest
from crewai.flow.flow import Flow, listen, start

import durably
from durably.testing import Reply, Rule, When

from .programs import CONFIG, SEND_SCRIPT, Sends, agent, crew, model, task

MODES = ["messages", "updates", "tasks", "custom"]


def sending_crew(**more):
    worker = agent("Sender", llm=model(stream=True), tools=[Sends()])
    return crew(task("Send hello.", worker, name="sending"), **more)


def parts_of(wrapped, given, modes=MODES):
    """Return the parts of a run by mode."""
    parts = {mode: [] for mode in modes}
    for mode, data in wrapped.stream(given, CONFIG, stream_mode=modes):
        parts[mode].append(data)
    return parts


@pytest.mark.parametrize("streams", [False, True], ids=["plain", "stream=True"])
def test_a_crew_tells_what_it_does(host, serve, streams):
    """Tokens come with their agent and task; tool calls as they are written; tasks' results."""
    serve(SEND_SCRIPT)
    parts = parts_of(durably.wrap(sending_crew(stream=streams), checkpointer=host), {})
    said = [(text, told["kind"], told["agent"], told["task"]) for text, told in parts["messages"]]
    texts = "".join(text for text, kind, *_ in said if kind == "text")
    assert texts == "It was sent."
    assert {one[2:] for one in said} == {("Sender", "sending")}
    calls = [told for _, told in parts["messages"] if told["kind"] == "tool_call"]
    assert {one["name"] for one in calls} == {"send"}
    assert "".join(one["arguments"] for one in calls) == '{"text": "hello"}'
    updates = {name: value for part in parts["updates"] for name, value in part.items()}
    assert updates["send"] == "sent hello"
    assert updates["sending"].raw == "It was sent."
    assert {part["name"] for part in parts["tasks"]} == {"gpt-4o-mini", "send"}


@pytest.mark.with_crewai(">=1.15", "results of tools were cached")
def test_a_replay_is_marked_and_repeats_no_tokens(host, serve):
    """Each answer from the journal is one empty part that says so."""
    serve(SEND_SCRIPT)
    wrapped = durably.wrap(sending_crew(), checkpointer=host)
    wrapped.invoke({}, CONFIG)
    parts = parts_of(wrapped, None)
    marks = [(text, told["kind"], told["agent"]) for text, told in parts["messages"]]
    assert marks == [("", "replayed", "Sender")] * 2
    assert [part["replayed"] for part in parts["tasks"]] == [True] * 3


class Streaming(Flow):
    """A flow that asks a model."""

    @start()
    def ask_model(self):
        return model(stream=True).call("Send hello.")

    @listen(ask_model)
    def end(self, text):
        return text.upper()


SAY = [Rule(When(), Reply.text("It was sent."))]


@pytest.mark.parametrize("streams", [False, True], ids=["plain", "stream=True"])
async def test_a_flow_tells_what_it_does(host, serve, streams):
    """Tokens and results of methods; a flow that streams by itself is run to its end."""
    server = serve(SAY)
    wrapped = durably.wrap(Streaming(stream=streams), checkpointer=host)
    parts = [part async for part in wrapped.astream({}, CONFIG, stream_mode=MODES)]
    assert "".join(data[0] for mode, data in parts if mode == "messages") == "It was sent."
    updates = {k: v for mode, data in parts if mode == "updates" for k, v in data.items()}
    assert (updates["ask_model"], updates["end"]) == ("It was sent.", "IT WAS SENT.")
    assert await wrapped.ainvoke(None, CONFIG) == "IT WAS SENT."
    assert server.count() == 1


@pytest.mark.with_crewai(">=1.14", "flows returned another stream")
def test_a_flows_own_stream_still_works(host, serve):
    """In a program that iterates over it, live and on replay."""
    server = serve(SAY)

    @durably.entrypoint(checkpointer=host)
    def main(_):
        session = Streaming(stream=True).kickoff()
        frames = [frame for frame in session if "finished" in str(getattr(frame, "type", ""))]
        return session.result, len(frames)

    assert main.invoke(1, CONFIG) == main.invoke(None, CONFIG)
    assert main.invoke(None, CONFIG)[0] == "IT WAS SENT."
    assert server.count() == 1
