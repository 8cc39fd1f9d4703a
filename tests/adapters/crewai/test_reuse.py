"""One object for many runs: one after the other, on several threads and loops, and resumed."""

from __future__ import annotations

import asyncio
import concurrent.futures
import threading

import pytest
from crewai.flow.flow import Flow, listen, start
from pydantic import BaseModel

import durably
from durably.testing import Reply, Rule, When

from .programs import Asking, Echo, agent, crew, task

WORDS = [Rule(When(anywhere=f"Write about {n}."), Reply.text(f"About {n}.")) for n in range(8)]


def config(name):
    return {"configurable": {"thread_id": str(name)}}


class Notes(BaseModel):
    """A flow's state."""

    number: int = -1
    log: list[str] = []


class Writes(Flow[Notes]):
    """A flow that keeps notes in its state and on itself."""

    def __init__(self, together=None, **more):
        super().__init__(**more)
        self.together = together
        self.own = []

    @start()
    def begin(self):
        self.own.append(self.state.number)
        if self.together is not None:
            self.together.wait()
        self.state.log.append("begun")

    @listen(begin)
    def write(self):
        text = crew(task(f"Write about {self.state.number}.", agent())).kickoff().raw
        self.state.log.append(text)
        return self.state.number, self.own, self.state.log, self.state.id


def test_a_flow_begins_each_run_with_the_state_it_was_wrapped_with(host, serve):
    """What one run left on the flow is not there in the next; each has an id of its own."""
    serve(WORDS)
    flow = Writes()
    wrapped = durably.wrap(flow, checkpointer=host)
    results = [wrapped.invoke({"number": n}, config(n)) for n in range(3)]
    assert [one[:3] for one in results] == [(n, [n], ["begun", f"About {n}."]) for n in range(3)]
    assert len({one[3] for one in results}) == 3
    assert flow.state.log == ["begun", "About 2."]
    assert [wrapped.invoke(None, config(n)) for n in range(3)] == results


def test_a_thread_goes_on_with_the_state_that_its_flow_came_to(host, serve):
    """A second run on a thread finds the first one's state and attributes, in a fresh flow too."""
    serve(WORDS)
    wrapped = durably.wrap(Writes(), checkpointer=host)
    first = wrapped.invoke({"number": 1}, config("alice"))
    wrapped.invoke({"number": 2}, config("bob"))
    wrapped = durably.wrap(Writes(), checkpointer=host)
    number, own, log, identity = wrapped.invoke({"number": 3}, config("alice"))
    assert (number, own) == (3, [1, 3])
    assert log == ["begun", "About 1.", "begun", "About 3."]
    assert identity == first[3]
    assert wrapped.invoke(None, config("alice"))[:3] == (number, own, log)


class Builds(Flow):
    """A flow that keeps more than data on itself."""

    @start()
    def begin(self):
        self.crew = crew(task("Speak.", agent(llm=Echo(model="echo"))))
        self.state["runs"] = self.state.get("runs", 0) + 1
        return self.state["runs"]


def test_what_is_no_data_on_a_flow_does_not_keep_a_thread_from_going_on(host):
    """A crew that a method makes is made again; the state goes on."""
    wrapped = durably.wrap(Builds(), checkpointer=host)
    assert [wrapped.invoke({}, config("a")) for _ in range(3)] == [1, 2, 3]
    assert wrapped.invoke({}, config("b")) == 1


class Locked(Flow):
    """A flow with a lock in its state."""

    @start()
    def begin(self):
        self.state["lock"] = threading.Lock()
        return "done"


def test_a_state_that_cannot_be_kept_is_said_and_not_forgotten_silently(host, caplog):
    """The run is done; another input on its thread is refused, on another thread it is not."""
    wrapped = durably.wrap(Locked(), checkpointer=host)
    assert wrapped.invoke({}, config("a")) == "done"
    assert "cannot be given another input" in caplog.text
    with pytest.raises(durably.ResumeError, match="Begin another thread"):
        wrapped.invoke({}, config("a"))
    assert wrapped.invoke({}, config("b")) == "done"


@pytest.mark.parametrize("way", ["threads", "loops", "tasks"])
def test_one_flow_serves_runs_at_once(host, serve, way):
    """Three runs that are in the same method at the same time do not see each other's state."""
    serve(WORDS)
    together = threading.Barrier(3, timeout=30)
    wrapped = durably.wrap(Writes(together), checkpointer=host)

    def one(number):
        if way == "loops":
            return asyncio.run(wrapped.ainvoke({"number": number}, config(number)))
        return wrapped.invoke({"number": number}, config(number))

    async def all_tasks():
        runs = (wrapped.ainvoke({"number": n}, config(n)) for n in range(3))
        return await asyncio.gather(*runs)

    if way == "tasks":
        results = asyncio.run(all_tasks())
    else:
        with concurrent.futures.ThreadPoolExecutor(3) as pool:
            results = list(pool.map(one, range(3)))
    assert [one[:3] for one in results] == [(n, [n], ["begun", f"About {n}."]) for n in range(3)]


@pytest.mark.with_crewai(">=1.14", "models of one's own were not awaited")
@pytest.mark.parametrize("way", ["threads", "loops"])
def test_one_crew_serves_runs_at_once(host, way):
    """Inputs of runs that overlap do not mix, in threads and in event loops."""
    together = threading.Barrier(3, timeout=30)

    class EchoTogether(Echo):
        def call(self, messages, *args, **kwargs):
            together.wait()
            return str(messages[-1]["content"]).partition("Say ")[2][:3]

    speaker = agent(llm=EchoTogether(model="echo"))
    wrapped = durably.wrap(crew(task("Say {word}.", speaker)), checkpointer=host)

    def one(word):
        if way == "loops":
            return asyncio.run(wrapped.ainvoke({"word": word}, config(word))).raw
        return wrapped.invoke({"word": word}, config(word)).raw

    with concurrent.futures.ThreadPoolExecutor(3) as pool:
        assert list(pool.map(one, ["tea", "ale", "gin"])) == ["tea", "ale", "gin"]


def test_runs_beside_a_crew_that_is_not_durable(host):
    """A durable run in one thread; a plain kickoff in another is not recorded."""
    both = threading.Barrier(2, timeout=30)

    class EchoTogether(Echo):
        def call(self, messages, *args, **kwargs):
            both.wait()
            return "echo"

    def made():
        return crew(task("Speak.", agent(llm=EchoTogether(model="echo"))))

    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        durable = pool.submit(durably.wrap(made(), checkpointer=host).invoke, {}, config("t"))
        plain = pool.submit(made().kickoff)
        assert (durable.result().raw, plain.result().raw) == ("echo", "echo")
    steps = [e for e in host.journal.read("t") if type(e.record).__name__ == "StepEnded"]
    assert len(steps) == 1


class AsksTwice(Flow):
    """A flow of which two methods ask at once."""

    @start()
    def begin(self):
        self.state["begun"] = self.state.get("begun", 0) + 1

    @listen(begin)
    def left(self):
        self.state["left"] = self.ask("Left?")

    @listen(begin)
    def right(self):
        self.state["right"] = self.ask("Right?")

    @listen(left)
    def end(self):
        return dict(self.state)


def test_one_flow_is_resumed_in_the_same_process(host):
    """The same object takes up a run that waits, others having used it meanwhile."""
    flow = AsksTwice()
    wrapped = durably.wrap(flow, checkpointer=host)
    asked = {
        n: {one.value["message"]: one.id for one in wrapped.invoke({}, config(n))["__interrupt__"]}
        for n in range(2)
    }
    for n in (1, 0):
        answers = {asked[n]["Left?"]: f"l{n}", asked[n]["Right?"]: f"r{n}"}
        wrapped.invoke(durably.Command(resume=answers), config(n))
        state = dict(flow.state)
        state.pop("id")
        assert state == {"begun": 1, "left": f"l{n}", "right": f"r{n}"}


def test_a_crew_with_a_question_is_resumed_with_the_same_object(host, serve):
    """Two runs of one crew wait at once; each goes on with its own answer."""
    serve(
        [
            Rule(When(tool="send"), Reply.text("It was sent.")),
            Rule(When(anywhere="Send tea."), Reply.tool("send", {"text": "tea"})),
            Rule(When(anywhere="Send ale."), Reply.tool("send", {"text": "ale"})),
        ]
    )
    asking = Asking()
    wrapped = durably.wrap(crew(task("Send {word}.", agent(tools=[asking]))), checkpointer=host)
    for word in ("tea", "ale"):
        assert "__interrupt__" in wrapped.invoke({"word": word}, config(word))
    for word in ("ale", "tea"):
        assert wrapped.invoke(durably.Command(resume="yes"), config(word)).raw == "It was sent."
    assert asking.sent == ["ale", "tea"]


class Failing(Echo):
    """A model that cannot be reached."""

    def call(self, messages, *args, **kwargs):
        del messages, args, kwargs
        raise OSError("down")


def test_a_crews_run_is_continued_by_that_crew_only(host):
    """A crew of other agents, a flow, or the crew under another name is refused."""

    def made(role):
        return crew(task("Say {word}.", agent(role=role, llm=Failing(model="echo"))))

    with pytest.raises(OSError, match="down"):
        durably.wrap(made("Writer"), checkpointer=host).invoke({"word": "tea"}, config("t"))
    for other in (
        durably.wrap(made("Cook"), checkpointer=host),
        durably.wrap(made("Writer"), checkpointer=host, name="desk"),
        durably.wrap(AsksTwice(), checkpointer=host),
    ):
        with pytest.raises(durably.ResumeError, match="started as crewai:Crew:Writer") as refused:
            other.invoke(None, config("t"))
        assert other._entry.identity in str(refused.value)
    with pytest.raises(OSError, match="down"):
        durably.wrap(made("Writer"), checkpointer=host).invoke(None, config("t"))
