"""What CrewAI does beside plain agent turns: structured output, delegation, limits on time."""

from __future__ import annotations

import json

import pytest
from crewai import BaseLLM, Process
from crewai.tools import BaseTool
from crewai.utilities.internal_instructor import InternalInstructor
from pydantic import BaseModel

import durably
from durably.adapting import live_scope
from durably.testing import Reply, Rule, When

from .programs import CONFIG, SEND_SCRIPT, Sends, agent, crew, model, task


class Verdict(BaseModel):
    """A structured answer."""

    good: bool
    why: str


ANSWER = json.dumps({"good": True, "why": "It rhymes."})


def twice(host, make):
    """Return the outputs of a run and of its replay with new objects."""
    return [durably.wrap(make(), checkpointer=host).invoke(given, CONFIG) for given in ({}, None)]


def test_a_structured_answer_replays(host, serve):
    """output_pydantic gives an object of the same class live and replayed."""
    server = serve([Rule(When(), Reply.text(ANSWER))])
    outputs = twice(host, lambda: crew(task("Judge.", agent(), output_pydantic=Verdict)))
    assert [one.pydantic for one in outputs] == [Verdict(good=True, why="It rhymes.")] * 2
    assert server.count() == len(server.counts)


def test_an_answer_that_must_be_converted_replays(host, serve):
    """CrewAI converts a text with another request, past its own model class; it is paid once."""
    server = serve([Rule(When(), Reply.tool("Verdict", {"good": True, "why": "It rhymes."}))])

    @durably.entrypoint(checkpointer=host)
    def main(_):
        return InternalInstructor("It rhymes, so it is good.", Verdict, llm=model()).to_pydantic()

    for given in (1, None):
        verdict = main.invoke(given, CONFIG)
        assert isinstance(verdict, Verdict)
        assert (verdict.good, verdict.why) == (True, "It rhymes.")
    assert server.count() == 1


def test_a_class_local_to_a_function_replays(host, serve):
    """A model called with a response class of the caller's own gives that class back."""

    class Local(BaseModel):
        good: bool
        why: str

    server = serve([Rule(When(), Reply.text(ANSWER))])

    @durably.entrypoint(checkpointer=host)
    def main(_):
        answer = model().call("Judge.", response_model=Local)
        return type(answer) is Local, str(answer)

    first = main.invoke(1, CONFIG)
    assert main.invoke(None, CONFIG) == first
    assert server.count() == 1


def test_work_is_delegated_in_a_lane_of_its_own(host, serve):
    """A manager's delegation is no step; what the coworker does in it is."""
    order = {"task": "Send hello.", "context": "Politely.", "coworker": "Worker"}
    script = [
        Rule(When(tool="delegate_work_to_coworker"), Reply.text("It was done.")),
        Rule(When(anywhere="Do it all.", turns=0), Reply.tool("delegate_work_to_coworker", order)),
        *SEND_SCRIPT,
    ]
    server, sends = serve(script), Sends()

    def make():
        work = task("Do it all.", agent(tools=[sends]))
        return crew(work, process=Process.hierarchical, manager_llm=model())

    assert [one.raw for one in twice(host, make)] == ["It was done."] * 2
    assert (server.count(), sends.sent) == (4, ["hello"])
    lanes = {
        entry.record.lane
        for entry in host.journal.read("t1")
        if type(entry.record).__name__ == "StepEnded"
    }
    assert {lane.rpartition("/")[2].partition(":")[0] for lane in lanes} == {"agent"}
    assert any("/delegate:" in lane for lane in lanes)


def test_a_turn_with_limited_time_is_journaled(host, serve):
    """max_execution_time moves an agent's turn to another thread; the run goes with it."""
    server, sends = serve(SEND_SCRIPT), Sends()

    def make():
        return crew(task("Send hello.", agent(tools=[sends], max_execution_time=30)))

    assert [one.raw for one in twice(host, make)] == ["It was sent."] * 2
    assert (server.count(), sends.sent) == (2, ["hello"])


class Counting(BaseLLM):
    """A model whose provider counts tokens, as OpenAI's, Anthropic's and Google's do."""

    asked: list[str]

    def call(self, messages, tools=None, callbacks=None, available_functions=None, **kwargs):
        self.asked.append("call")
        return "done"

    def get_input_tokens_count(self, messages, tools=None, response_model=None):
        self.asked.append("count")
        return 7


def test_tokens_are_counted_at_the_provider_once(host):
    """A count that a provider is asked for is a step; an estimate made here is not."""
    asked: list[str] = []

    def make():
        counting = Counting(model="counting", asked=[])
        counting.asked = asked  # pydantic copied the list that it was given
        return crew(task("Work.", agent(llm=counting)))

    assert [one.raw for one in twice(host, make)] == ["done"] * 2
    assert sorted(asked) == ["call", "count"]


class Fails(BaseTool):
    """A tool that fails."""

    name: str = "send"
    description: str = "Send a text."
    tried: list[str] = []  # noqa: RUF012

    def _run(self, text: str) -> str:
        self.tried.append(text)
        raise ConnectionError("the line is dead")


def test_a_tools_failure_replays_as_a_failure(host, serve):
    """A failure that the model was told of is not tried again on replay."""
    script = [
        Rule(When(tool="send", result="the line is dead"), Reply.text("It cannot be sent.")),
        Rule(When(turns=0), Reply.tool("send", {"text": "hello"})),
    ]
    server, fails = serve(script), Fails()
    outputs = twice(host, lambda: crew(task("Send hello.", agent(tools=[fails]))))
    assert [one.raw for one in outputs] == ["It cannot be sent."] * 2
    assert (server.count(), fails.tried) == (2, ["hello"])


def test_functions_given_to_a_model_are_called_once(host, serve):
    """A tool that runs inside a model call is a step in that step."""
    server, sends = serve(SEND_SCRIPT), Sends()
    schema = {"name": "send", "parameters": {"type": "object", "properties": {}}}

    @durably.entrypoint(checkpointer=host)
    def main(_):
        assert live_scope() is not None
        return model().call(
            "Send hello.",
            tools=[{"type": "function", "function": schema}],
            available_functions={"send": sends.run},
        )

    first = main.invoke(1, CONFIG)
    assert (first, main.invoke(None, CONFIG)) == ("sent hello", "sent hello")
    assert (server.count(), sends.sent) == (1, ["hello"])


@pytest.mark.parametrize("given", [{}, None], ids=["live", "again"])
def test_a_plain_crew_is_left_alone(host, serve, given):
    """Outside of a run the seams do nothing: every call is made, nothing is journaled."""
    host.activate()
    server = serve([Rule(When(), Reply.text("Done."))])
    made = crew(task("Work.", agent()))
    assert [made.kickoff(given).raw, made.kickoff(given).raw] == ["Done.", "Done."]
    assert server.count() == 2


def test_one_callback_of_a_task_and_its_crew_is_called_once(host, serve):
    """CrewAI calls a task's callback and the crew's unless they are the same function."""
    serve([Rule(When(), Reply.text("Done."))])

    class Ear:
        def __init__(self):
            self.heard = []

        def hear(self, output):
            self.heard.append(output.raw)

    ear, heard = Ear(), []
    for callback, calls in ((ear.hear, ear.heard), (lambda out: heard.append(out.raw), heard)):
        made = crew(
            task("Work.", agent(), callback=callback),
            task("Work on.", agent(), callback=lambda _: None),
            task_callback=callback,
        )
        durably.wrap(made, checkpointer=host).invoke({})
        assert calls == ["Done."] * 2
        assert made.tasks[0].callback == made.task_callback == callback
