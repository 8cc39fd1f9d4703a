"""People in flows: reviews with outcomes and rounds, providers of a user's own, CrewAI's pause."""

from __future__ import annotations

import json

import pytest
from crewai.flow.async_feedback import HumanFeedbackPending
from crewai.flow.flow import Flow, listen, or_, start
from crewai.flow.human_feedback import human_feedback
from crewai.flow.input_provider import InputResponse
from crewai.flow.persistence import SQLiteFlowPersistence

import durably
from durably.testing import Reply, Rule, When

from .programs import CONFIG, model

ASKED: list[str] = []
"""What a test's own providers were asked."""


@pytest.fixture(autouse=True)
def nobody_was_asked():
    ASKED.clear()


def turn(host, make, given):
    """Go on with a run as a new process would, with objects made anew."""
    return durably.wrap(make(), checkpointer=host).invoke(given, CONFIG)


def asked(result):
    (question,) = [interrupt.value for interrupt in result["__interrupt__"]]
    return question


REVIEWED = [
    Rule(When(anywhere="shorter, please"), Reply.text(json.dumps({"outcome": "revise"}))),
    Rule(When(anywhere="ship it"), Reply.text(json.dumps({"outcome": "approved"}))),
    Rule(When(anywhere="Write."), Reply.text("A long text.")),
    Rule(When(anywhere="Again: shorter, please"), Reply.text("A text.")),
]


class Reviewed(Flow):
    """A text that is written until somebody likes it."""

    @start()
    def begin(self):
        self.state["rounds"] = 0

    @human_feedback(message="Good?", emit=["approved", "revise"], llm="gpt-4o-mini")
    @listen(or_("begin", "revise"))
    def write(self):
        self.state["rounds"] += 1
        if self.last_human_feedback is None:
            return model().call("Write.")
        return f"A text, round {self.state['rounds']}."

    @listen("approved")
    def publish(self, review):
        said = [one.feedback for one in self.human_feedback_history]
        return review.output, review.outcome, said, self.state["rounds"]


def test_a_review_goes_through_its_rounds(host, serve):
    """An outcome is found by the model once for each answer; the method runs once a round."""
    server = serve(REVIEWED)
    question = asked(turn(host, Reviewed, {}))
    assert (question["answer"], question["outcomes"]) == ("A long text.", ["approved", "revise"])
    question = asked(turn(host, Reviewed, durably.Command(resume="shorter, please")))
    assert question["answer"] == "A text, round 2."
    result = turn(host, Reviewed, durably.Command(resume="ship it"))
    expected = ("A text, round 2.", "approved", ["shorter, please", "ship it"], 2)
    assert tuple(result) == expected
    assert tuple(turn(host, Reviewed, None)) == expected
    assert server.count() == len(server.counts) == 3


class Provider:
    """A provider of input that remembers what it was asked."""

    def request_input(self, message, flow, metadata=None):
        ASKED.append(message)
        return InputResponse(text=f"answer to {message}", metadata={"by": "Ada"})


class Asks(Flow):
    """A flow that asks three times, the last time at the console."""

    @start()
    def begin(self):
        first = self.ask("First?", timeout=30)
        return first, self.ask("Second?", metadata={"why": "tea"})

    @listen(begin)
    def end(self, answers):
        self.input_provider = None
        last = self.ask("Third?", timeout=30)
        told = [{**one, "timestamp": None} for one in self._input_history]
        return [*answers, last], told


@pytest.mark.with_crewai(">=1.14", "flows took no provider")
def test_a_flows_own_provider_is_asked_once(host):
    """Its answers come from the journal, and so does what the flow remembers of them."""

    def make():
        return Asks(input_provider=Provider())

    assert asked(turn(host, make, {}))["message"] == "Third?"
    answers, told = turn(host, make, durably.Command(resume="third"))
    assert answers == ["answer to First?", "answer to Second?", "third"]
    assert ASKED == ["First?", "Second?"]
    assert [one["message"] for one in told] == ["Third?"]  # `begin` was not executed again
    again = turn(host, make, None)
    assert (list(again[0]), list(again[1])) == (answers, told)


@pytest.mark.with_crewai(">=1.14", "flows took no provider")
def test_what_a_flow_was_told_is_there_while_its_method_goes_on(host):
    """In a method that is executed again, the history is what it was."""

    class AsksOn(Flow):
        @start()
        def begin(self):
            first = self.ask("First?")
            self.input_provider = None
            last = self.ask("Third?")
            return first, last, [one["response_metadata"] for one in self._input_history]

    def make():
        return AsksOn(input_provider=Provider())

    turn(host, make, {})
    result = turn(host, make, durably.Command(resume="third"))
    assert list(result) == ["answer to First?", "third", [{"by": "Ada"}, None]]
    assert ASKED == ["First?"]


class Slack:
    """A provider of feedback that pauses the flow, as CrewAI's users write them."""

    def request_feedback(self, context, flow):
        ASKED.append(context.message)
        raise HumanFeedbackPending(context=context, callback_info={"thread": 7})


class Prompt:
    """A provider of feedback that answers at once; an asynchronous one."""

    async def request_feedback(self, context, flow):
        ASKED.append(context.message)
        return "fine"


class Pauses(Flow):
    """A flow that is reviewed by Slack."""

    @human_feedback(message="Good?", provider=Slack())
    @start()
    def write(self):
        self.state["written"] = self.state.get("written", 0) + 1
        return "A text."

    @listen(write)
    def publish(self, review):
        return review.output, review.feedback, self.state["written"]


def test_crewais_own_pause_is_left_to_crewai(host, tmp_path):
    """The pending result is the run's; another run goes on with it, and both replay."""
    kept = SQLiteFlowPersistence(str(tmp_path / "flows.db"))

    @durably.entrypoint(checkpointer=host)
    def begin(_):
        pending = Pauses(persistence=kept).kickoff()
        return type(pending).__name__, pending.callback_info, pending.context.flow_id

    @durably.entrypoint(checkpointer=host)
    def go_on(flow):
        return Pauses.from_pending(flow, persistence=kept).resume("ship it")

    first = {"configurable": {"thread_id": "first"}}
    name, info, flow = begin.invoke(1, first)
    assert (name, info) == ("HumanFeedbackPending", {"thread": 7})
    second = {"configurable": {"thread_id": "second"}}
    assert tuple(go_on.invoke(flow, second)) == ("A text.", "ship it", 1)
    assert tuple(go_on.invoke(None, second)) == ("A text.", "ship it", 1)
    assert tuple(begin.invoke(None, first)) == (name, info, flow)
    assert ASKED == ["Good?"]


@pytest.mark.with_crewai(">=1.15", "such a provider was refused")
def test_an_asynchronous_provider_is_asked_once(host):
    """Its answer replays."""

    class Fine(Flow):
        @human_feedback(message="Good?", provider=Prompt())
        @start()
        def write(self):
            return "A text."

        @listen(write)
        def end(self, review):
            return review.feedback, self.ask("Sure?")

    turn(host, Fine, {})
    assert tuple(turn(host, Fine, durably.Command(resume="yes"))) == ("fine", "yes")
    assert ASKED == ["Good?"]


RAN: list[str] = []


class Both(Flow):
    """One method is done while another one asks."""

    @start()
    def begin(self):
        self.state["log"] = []

    @listen(begin)
    def quick(self):
        RAN.append("quick")
        self.state["log"].append("quick")

    @listen(begin)
    def slow(self):
        self.state["log"].append("slow begins")
        answer = self.ask("Well?")
        self.state["log"].append(answer)

    @listen(or_(quick, slow))
    def end(self):
        return None


def test_a_method_beside_one_that_asks_is_done_once(host):
    """And what the asking one had changed before it asked is there once, too."""
    RAN.clear()
    made = []

    def make():
        made.append(Both())
        return made[-1]

    turn(host, make, {})
    turn(host, make, durably.Command(resume="well"))
    assert RAN == ["quick"]
    assert sorted(made[-1].state["log"]) == ["quick", "slow begins", "well"]
