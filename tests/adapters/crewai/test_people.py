"""Questions to people: asked durably, answered later, and nothing hangs or is left behind."""

from __future__ import annotations

import asyncio
import contextlib
import io
import json
import subprocess
import sys
import threading

import pytest
from crewai import Crew, Flow
from crewai.flow.flow import listen, start
from crewai.flow.human_feedback import human_feedback
from crewai.hooks import register_before_tool_call_hook, unregister_before_tool_call_hook

import durably
from durably.testing import Reply, Rule, When

from .programs import CONFIG, SEND_SCRIPT, Asking, Sends, agent, crew, task

REVIEW_SCRIPT = [
    Rule(When(user="Shorter"), Reply.text("A poem.")),
    Rule(When(user="Rhyme"), Reply.text("A poem, and I know 'em.")),
    Rule(When(anywhere="Write a poem."), Reply.text("A long, long poem.")),
]


def poem_crew():
    return crew(task("Write a poem.", agent("Poet"), human_input=True))


def asked(result):
    """Return the questions that an invoke came back with."""
    return [interrupt.value for interrupt in result["__interrupt__"]]


@pytest.mark.with_crewai("!=1.14.*", "CrewAI itself loses the feedback")
@pytest.mark.parametrize("way", ["invoke", "ainvoke"])
async def test_a_result_is_reviewed_in_rounds(host, serve, way):
    """human_input=True asks about each result until the answer is empty; nothing is paid twice."""
    server = serve(REVIEW_SCRIPT)

    async def turn(given):
        wrapped = durably.wrap(poem_crew(), checkpointer=host)
        if way == "invoke":
            return await asyncio.to_thread(wrapped.invoke, given, CONFIG)
        return await wrapped.ainvoke(given, CONFIG)

    (question,) = asked(await turn({}))
    assert question["kind"] == "input_required"
    assert (question["agent"], question["answer"]) == ("Poet", "A long, long poem.")
    assert question["task"] == "Write a poem."
    (question,) = asked(await turn(durably.Command(resume="Shorter!")))
    assert question["answer"] == "A poem."
    (question,) = asked(await turn(durably.Command(resume="Rhyme it.")))
    assert question["answer"] == "A poem, and I know 'em."
    output = await turn(durably.Command(resume=""))
    assert (output.raw, server.count()) == ("A poem, and I know 'em.", 3)


SCRIPT = """
import sys
sys.path.insert(0, sys.argv[2])
import durably
from tests.adapters.crewai.test_people import poem_crew
given = durably.Command(resume=sys.argv[1]) if sys.argv[1] != "-" else {}
wrapped = durably.wrap(poem_crew(), checkpointer="sqlite:///runs.db")
result = wrapped.invoke(given, {"configurable": {"thread_id": "t1"}})
print("waits" if isinstance(result, dict) else result.raw)
"""


def test_an_answer_comes_in_another_process(serve, tmp_path, pytestconfig):
    """A question outlives its process: the answer is given to a second one."""
    server = serve(REVIEW_SCRIPT)

    def process(answer):
        return subprocess.run(
            [sys.executable, "-c", SCRIPT, answer, str(pytestconfig.rootpath)],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=True,
        ).stdout

    assert process("-") == "waits\n"
    assert process("") == "A long, long poem.\n"
    assert server.count() == 1


@pytest.mark.parametrize("way", ["invoke", "ainvoke"])
async def test_other_inputs_on_a_waiting_thread_give_the_run_up(host, serve, way):
    """The question of the run that waited closes; the new run asks its own."""
    serve(REVIEW_SCRIPT)

    async def turn(given):
        wrapped = durably.wrap(poem_crew(), checkpointer=host)
        if way == "invoke":
            return await asyncio.to_thread(wrapped.invoke, given, CONFIG)
        return await wrapped.ainvoke(given, CONFIG)

    [before] = (await turn({}))["__interrupt__"]
    assert (await turn({}))["__interrupt__"] == [before]
    [now] = (await turn({"style": "short"}))["__interrupt__"]
    assert [one.id for one in durably.Inbox(host).pending()] == [now.id] != [before.id]
    with pytest.raises(durably.AnswerRefused) as error:
        await turn(durably.Command(resume={before.id: ""}))
    assert error.value.reason == "superseded"
    assert (await turn(durably.Command(resume={now.id: ""}))).raw == "A long, long poem."


@pytest.mark.parametrize("way", ["invoke", "ainvoke"])
async def test_a_task_in_a_thread_suspends(host, serve, way):
    """A question in a task with async_execution=True ends the kickoff instead of hanging it."""
    server, asking = serve(SEND_SCRIPT), Asking()

    async def turn(given):
        made = crew(task("Send hello.", agent(tools=[asking]), async_execution=True))
        wrapped = durably.wrap(made, checkpointer=host)
        if way == "invoke":
            return await asyncio.to_thread(wrapped.invoke, given, CONFIG)
        return await wrapped.ainvoke(given, CONFIG)

    assert asked(await turn({}))[0]["message"] == "Send hello?"
    assert (await turn(durably.Command(resume="yes"))).raw == "It was sent."
    assert (asking.sent, server.count()) == (["hello"], 2)


@pytest.mark.with_crewai(">=1.14", "tools blocked the event loop")
@pytest.mark.parametrize("way", ["invoke", "ainvoke"])
async def test_questions_of_tasks_side_by_side_surface_together(host, serve, way):
    """Two tasks that run at the same time both get to ask before the run is suspended."""
    serve(SEND_SCRIPT)
    both = threading.Barrier(2, timeout=10)

    class AskingTogether(Asking):
        def _run(self, text: str) -> str:
            with contextlib.suppress(threading.BrokenBarrierError):
                both.wait()
            return super()._run(text)

    asking = AskingTogether()
    works = [
        task(f"Send {n}.", agent(f"Worker {n}", tools=[asking]), async_execution=n < 2)
        for n in range(3)
    ]
    wrapped = durably.wrap(crew(*works), checkpointer=host)
    if way == "invoke":
        result = await asyncio.to_thread(wrapped.invoke, {}, CONFIG)
    else:
        result = await wrapped.ainvoke({}, CONFIG)
    assert len(result["__interrupt__"]) == 2
    assert asking.sent == []


def test_a_streaming_crew_suspends_quietly(host, serve, capfd):
    """Crew(stream=True) works in a thread; its suspension is no crash on the terminal."""
    serve(SEND_SCRIPT)
    asking = Asking()
    made = crew(task("Send hello.", agent(tools=[asking])), stream=True)
    wrapped = durably.wrap(made, checkpointer=host)
    assert len(wrapped.invoke({}, CONFIG)["__interrupt__"]) == 1
    assert "Traceback" not in capfd.readouterr().err
    assert wrapped.invoke(durably.Command(resume="yes"), CONFIG).raw == "It was sent."


async def test_a_streaming_crew_suspends_in_a_loop(host, serve, capfd):
    """The same with an asynchronous stream; asyncio has nothing to complain of."""
    serve(SEND_SCRIPT)
    asking = Asking()

    def made():
        one = crew(task("Send hello.", agent(tools=[asking])), stream=True)
        return durably.wrap(one, checkpointer=host)

    assert len((await made().ainvoke({}, CONFIG))["__interrupt__"]) == 1
    assert "Traceback" not in capfd.readouterr().err
    assert (await made().ainvoke(durably.Command(resume="yes"), CONFIG)).raw == "It was sent."


def test_many_suspensions_in_one_thread(host, serve):
    """CrewAI's event scopes do not pile up, however often a process suspends runs."""
    server = serve(SEND_SCRIPT)
    wrapped = durably.wrap(crew(task("Send hello.", agent(tools=[Asking()]))), checkpointer=host)
    wrapped.invoke({}, CONFIG)
    for _ in range(36):
        assert len(wrapped.invoke(None, CONFIG)["__interrupt__"]) == 1
    assert wrapped.invoke(durably.Command(resume="yes"), CONFIG).raw == "It was sent."
    assert server.count() == 2


def test_a_planned_crew_is_resumed_with_the_same_object(host, serve):
    """planning=True writes a plan into the task's text; the next invoke must not add another."""
    plan = {
        "list_of_plans_per_task": [
            {"task_number": 1, "task": "Send hello.", "plan": "STEP ONE: SEND."}
        ]
    }
    script = [
        Rule(When(tool="send"), Reply.text("It was sent.")),
        Rule(When(system="Planner"), Reply.text(json.dumps(plan))),
        Rule(When(anywhere="Task Execution Planner"), Reply.text(json.dumps(plan))),
        Rule(When(turns=0), Reply.tool("send", {"text": "hello"})),
    ]
    server, asking = serve(script), Asking()
    one = crew(task("Send hello.", agent(tools=[asking])), planning=True)
    wrapped = durably.wrap(one, checkpointer=host)
    assert len(wrapped.invoke({}, CONFIG)["__interrupt__"]) == 1
    assert wrapped.invoke(durably.Command(resume="yes"), CONFIG).raw == "It was sent."
    assert (asking.sent, server.count()) == (["hello"], 3)
    assert one.tasks[0].description == "Send hello."


def test_a_hook_asks(host, serve):
    """request_human_input in a tool hook is a durable question."""
    serve(SEND_SCRIPT)
    sends = Sends()

    def agree(context):
        return context.request_human_input("Send it?") == "yes"

    register_before_tool_call_hook(agree)
    try:
        wrapped = durably.wrap(crew(task("Send hello.", agent(tools=[sends]))), checkpointer=host)
        (question,) = asked(wrapped.invoke({}, CONFIG))
        assert (question["name"], question["args"]) == ("send", {"text": "hello"})
        wrapped.invoke(durably.Command(resume="yes"), CONFIG)
    finally:
        unregister_before_tool_call_hook(agree)
    assert sends.sent == ["hello"]


class Survey(Flow):
    """A flow that asks a person, then has a crew work."""

    @start()
    def begin(self):
        RAN.append("begin")
        self.state["begun"] = True
        self.state["topic"] = self.ask("Which topic?")
        return self.state["topic"]

    @listen(begin)
    def write(self, topic):
        RAN.append("write")
        made = crew(task(f"Write about {topic}.", agent()))
        return made.kickoff().raw

    @human_feedback(message="Is it good?")
    @listen(write)
    def review(self, text):
        RAN.append("review")
        return text


RAN: list[str] = []
"""Which methods of the flow were executed."""


@pytest.mark.with_crewai(">=1.15", "a reviewed method asks inside")
@pytest.mark.parametrize("way", ["invoke", "ainvoke"])
async def test_a_flow_asks_and_keeps_what_is_done(host, serve, way):
    """Flow.ask and @human_feedback wait durably; finished methods are not executed again."""
    server = serve([Rule(When(anywhere="Write about tea."), Reply.text("Tea is hot."))])
    RAN.clear()

    async def turn(given):
        wrapped = durably.wrap(Survey(), checkpointer=host)
        if way == "invoke":
            return await asyncio.to_thread(wrapped.invoke, given, CONFIG)
        return await wrapped.ainvoke(given, CONFIG)

    assert asked(await turn({}))[0]["message"] == "Which topic?"
    (question,) = asked(await turn(durably.Command(resume="tea")))
    assert (question["message"], question["answer"]) == ("Is it good?", "Tea is hot.")
    await turn(durably.Command(resume="Yes."))
    assert RAN == ["begin", "begin", "write", "review"]
    assert server.count() == 1


def test_outside_a_run_people_are_asked_at_the_terminal(host, serve, monkeypatch):
    """With the seams in place, a plain crew asks at the terminal as ever."""
    host.activate()
    serve(REVIEW_SCRIPT)
    monkeypatch.setattr(sys, "stdin", io.StringIO("\n"))
    with contextlib.redirect_stdout(io.StringIO()):
        output = poem_crew().kickoff()
    assert output.raw == "A long, long poem."
    assert isinstance(poem_crew(), Crew)
