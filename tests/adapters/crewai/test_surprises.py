"""What surprised us in CrewAI, each as a test: loops, lost context, exits, plans that add up."""

from __future__ import annotations

import pytest
from crewai import LLM, PlanningConfig
from crewai.flow.flow import Flow, listen, start
from crewai.tools import tool

import durably
from durably.testing import Reply, Rule, StoppingStorage, When

from .features.agents import FEATURES as AGENTS
from .features.kickoffs import PLAN
from .programs import CONFIG, SEND_SCRIPT, Asking, Sends, agent, crew, model, sends, task

ASKED = [
    Rule(When(tool="send"), Reply.text("It was sent.")),
    Rule(When(turns=0), Reply.tool("send", {"text": "hello"})),
]


def test_a_planning_agent_that_waits_for_a_person_asks_no_more(host, serve):
    """CrewAI plans again when a planned step ends in any exception; a waiting run asks nobody."""
    planning = next(one for one in AGENTS if one.name == "planning_agent")
    server, asking = serve(planning.script), Asking()

    def made():
        worker = agent(tools=[asking], planning_config=PlanningConfig(max_attempts=1))
        return durably.wrap(crew(task("Send hello.", worker)), checkpointer=host)

    waiting = made().invoke({}, CONFIG)
    assert len(waiting["__interrupt__"]) == 1
    asked = server.count()
    assert asked < 5
    assert made().invoke(durably.Command(resume="yes"), CONFIG).raw == "It was sent."
    assert asking.sent == ["hello"]


def test_any_number_of_runs_may_wait_in_one_thread(host, serve):
    """A question skips CrewAI's ending events, whose stack holds a hundred; a run has its own."""
    serve(ASKED)
    for number in range(40):
        made = durably.wrap(crew(task("Send hello.", agent(tools=[Asking()]))), checkpointer=host)
        waiting = made.invoke({}, {"configurable": {"thread_id": f"t{number}"}})
        assert len(waiting["__interrupt__"]) == 1


def test_a_planned_crew_goes_on_with_the_same_object(host, serve):
    """A plan is added to the task's text at each kickoff, so the second would ask for another."""
    planner = Rule(When(anywhere="tasks summary"), Reply.text(PLAN))
    server, asking = serve([planner, *ASKED]), Asking()
    made = crew(task("Work a.", agent(tools=[asking])), planning=True, planning_llm=model())
    wrapped = durably.wrap(made, checkpointer=host)
    assert "__interrupt__" in wrapped.invoke({}, CONFIG)
    assert wrapped.invoke(durably.Command(resume="yes"), CONFIG).raw == "It was sent."
    assert (asking.sent, server.count()) == (["hello"], 3)


def test_an_exit_because_of_a_long_context_fails_the_run(host, serve):
    """CrewAI exits the interpreter where a context is too long; that is a failure, no question."""
    too_long = Reply.error(400, "This model's maximum context length is 8 tokens.")
    server = serve(lambda request: too_long)
    worker = agent(respect_context_window=False)
    wrapped = durably.wrap(crew(task("Work.", worker)), checkpointer=host)
    with pytest.raises((SystemExit, Exception)):
        wrapped.invoke({}, CONFIG)
    state = wrapped.get_state(CONFIG)
    assert state is not None
    assert state.status == "failed"
    assert server.count() >= 1


@pytest.mark.with_crewai(">=1.14", "agents went on with old messages")
def test_a_permanent_failure_is_mended_and_the_run_goes_on(host, serve):
    """An effect before the failure stays done: one mail, whatever CrewAI and we try again."""
    mails: list[str] = []

    @tool("send")
    def send(text: str) -> str:
        """Send a text."""
        mails.append(text)
        return f"sent {text}"

    broken = serve([Rule(When(tool="send"), Reply.error(500)), SEND_SCRIPT[1]])

    def made():
        return durably.wrap(crew(task("Send hello.", agent(tools=[send]))), checkpointer=host)

    for given in ({}, None):
        with pytest.raises(Exception, match="500"):
            made().invoke(given, CONFIG)
    mended = serve(SEND_SCRIPT)
    assert made().invoke(None, CONFIG).raw == "It was sent."
    assert (mails, mended.count()) == (["hello"], 1)
    assert broken.count() == 1 + 3 + 3, "CrewAI tries a turn three times, in each of two runs"


@pytest.mark.with_crewai(">=1.15", "models did not wait after a 429")
def test_a_rate_limit_is_tried_as_often_as_without_us(serve, host, monkeypatch):
    """Retries of the SDK, of CrewAI's models and of its agents are theirs; none are added."""
    import crewai.llms.retry as retries

    monkeypatch.setattr(retries.time, "sleep", lambda seconds: None)
    counts = []
    for run in (
        lambda made: made.kickoff(),
        lambda made: durably.wrap(made, checkpointer=host).invoke({}, CONFIG),
    ):
        server = serve([Rule(When(), Reply.error(429, retry_after=0))])
        with pytest.raises(Exception, match="429"):
            run(crew(task("Work.", agent(llm=LLM(model="gpt-4o-mini", max_retries=1)))))
        counts.append(server.count())
    assert counts[0] == counts[1]


@pytest.mark.with_crewai(">=1.14", "agents went on with old messages")
@pytest.mark.parametrize("status", [429, 500])
def test_a_policys_attempts_are_not_multiplied(serve, status):
    """Where a policy tries a model three times, the SDK, CrewAI's models and its agents do not."""
    server = serve([Rule(When(), Reply.error(status, retry_after=0))])
    policy = durably.StepPolicy(
        retry=durably.RetryPolicy(max_attempts=3, initial_interval=0.01, retry_on=Exception)
    )
    llm = LLM(model="gpt-4o-mini", max_retries=2)
    made = crew(task("Work.", agent(llm=llm)))
    wrapped = durably.wrap(made, checkpointer="memory:", policies={"model": policy})
    with pytest.raises(Exception, match=str(status)):
        wrapped.invoke({}, CONFIG)
    assert server.count() == 3
    assert llm._get_sync_client().max_retries == 2
    wrapped.host.close()


def test_a_callback_kept_on_an_agent_is_the_users_again(host, serve):
    """After a run nothing of ours stands on the user's objects."""
    serve(SEND_SCRIPT)
    seen = []

    def step(answer):
        seen.append(answer)

    def done(output):
        seen.append(output)

    worker = agent(tools=[sends(lambda text: text)])
    made = crew(task("Send hello.", worker), step_callback=step, task_callback=done)
    durably.wrap(made, checkpointer=host).invoke({}, CONFIG)
    assert seen
    assert (made.step_callback, made.task_callback) == (step, done)
    assert (worker.step_callback, made.tasks[0].callback) == (step, done)


class Poem(Flow):
    """Two beginnings; what is made of the second one is the result."""

    @start()
    def flower(self):
        self.state["flower"] = "roses"
        return "nothing follows on this"

    @start()
    def colour(self):
        self.state["colour"] = "red"

    @listen(colour)
    def line(self):
        return "roses are red"

    @listen(line)
    def poem(self, line):
        return f"{line}, violets are blue"


def test_a_flow_with_two_beginnings_ends_as_it_does_without_durably(host):
    """Its result is that of the method that ends last: none is held up until the others are."""
    results = {durably.wrap(Poem(), checkpointer=host).invoke({}) for _ in range(8)}
    assert results == {"roses are red, violets are blue"}


def test_an_agent_whose_role_was_edited_does_nothing_twice(serve):
    """The role stands in every prompt: the model is asked again, and the mail is found."""
    storage = StoppingStorage()
    host, sends = durably.Host(storage), Sends()
    server = serve(SEND_SCRIPT)
    storage.stop_after(2)
    begun = durably.wrap(
        crew(task("Send hello.", agent("Clerk", tools=[sends]))), name="mail", checkpointer=host
    )
    with pytest.raises(durably.errors.StorageError):
        begun.invoke({}, CONFIG)
    storage.stop_after(None)
    edited = crew(task("Send hello.", agent("Postman", tools=[sends])))
    output = durably.wrap(edited, name="mail", checkpointer=host).invoke(None, CONFIG)
    host.close()
    assert (output.raw, sends.sent, server.count()) == ("It was sent.", ["hello"], 3)
