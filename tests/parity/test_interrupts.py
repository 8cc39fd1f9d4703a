"""Questions to people: in bodies and tasks, in loops, in parallel, in nested workflows."""

from __future__ import annotations

import asyncio
import threading
from dataclasses import dataclass
from typing import Any

from tests.parity.parity import parity, thread
from typing_extensions import TypedDict


def _asker(api):
    @api.entrypoint(checkpointer=api.InMemorySaver())
    def workflow(x: Any) -> Any:
        return api.interrupt({"question": x})

    return workflow


@parity
def test_a_question_in_the_body(api, say):
    """Asked, answered, done."""
    workflow = _asker(api)
    say(workflow.invoke("tea?", thread()))
    say(workflow.invoke(api.Command(resume="yes"), thread()))


@parity
def test_a_question_in_a_task(api, say):
    """The documentation's example: three steps, the middle one asks."""

    @api.task
    def step_1(text: str) -> str:
        return f"{text} bar"

    @api.task
    def human_feedback(text: str) -> str:
        return f"{text} {api.interrupt(f'Please provide feedback: {text}')}"

    @api.task
    def step_3(text: str) -> str:
        return f"{text} qux"

    @api.entrypoint(checkpointer=api.InMemorySaver())
    def graph(text: str) -> str:
        return step_3(human_feedback(step_1(text).result()).result()).result()

    say(list(graph.stream("foo", thread())))
    say(list(graph.stream(api.Command(resume="baz"), thread())))


@parity
async def test_a_question_in_a_coroutine(api, say):
    """In the body and in a task that is a coroutine."""

    @api.task
    async def ask(text: str) -> str:
        await asyncio.sleep(0)
        return f"{text}: {api.interrupt(text)}"

    @api.entrypoint(checkpointer=api.InMemorySaver())
    async def workflow(x: str) -> list[str]:
        first = await ask("one")
        return [first, api.interrupt("two")]

    say(await workflow.ainvoke("x", thread()))
    say(await workflow.ainvoke(api.Command(resume=1), thread()))
    say(await workflow.ainvoke(api.Command(resume=2), thread()))


@parity
def test_what_was_done_before_a_question_is_done_once(api, say):
    """Tasks before the question are not executed again."""
    calls: list[str] = []

    @api.task
    def step(x: str) -> str:
        calls.append(x)
        return x + "!"

    @api.entrypoint(checkpointer=api.InMemorySaver())
    def workflow(x: str) -> list[str]:
        calls.append("body")
        return [step("a").result(), api.interrupt("?"), step("b").result(), api.interrupt("??")]

    for given in ("x", api.Command(resume=1), api.Command(resume=2)):
        workflow.invoke(given, thread())
        say(list(calls))


@parity
def test_falsy_answers(api, say):
    """Zero, empty texts, empty lists, False and None-like answers are answers."""
    for number, answer in enumerate((0, "", [], False, 0.0, ())):
        workflow = _asker(api)
        workflow.invoke("x", thread(str(number)))
        say(workflow.invoke(api.Command(resume=answer), thread(str(number))) == answer)


@parity
def test_an_empty_mapping_as_an_answer(api, say):
    """An empty mapping is an answer too."""
    workflow = _asker(api)
    say(len(workflow.invoke("x", thread())["__interrupt__"]))
    found = workflow.invoke(api.Command(resume={}), thread())
    say(
        "asked again" if "__interrupt__" in found else found,
        langgraph="asked again",
        durably={},
        why="An empty mapping is an answer",
    )


@parity
def test_a_mapping_as_an_answer(api, say):
    """A mapping whose keys are no ids is one answer."""
    workflow = _asker(api)
    workflow.invoke("x", thread())
    say(workflow.invoke(api.Command(resume={"type": "accept", "args": None}), thread()))


@parity
def test_an_answer_by_id(api, say):
    """An interrupt's id says which question is meant."""
    workflow = _asker(api)
    asked = workflow.invoke("x", thread())["__interrupt__"][0]
    say(workflow.invoke(api.Command(resume={asked.id: "by id"}), thread()))


@parity
def test_questions_in_a_loop(api, say):
    """Asked until the answer is a good one."""

    @api.task
    def note(x: str) -> str:
        return x.upper()

    @api.entrypoint(checkpointer=api.InMemorySaver())
    def workflow(x: str) -> dict:
        question, heard = "How old are you?", []
        while True:
            answer = api.interrupt(question)
            heard.append(note(str(answer)).result())
            if isinstance(answer, int) and answer > 0:
                return {"age": answer, "heard": heard}
            question = f"{answer!r} is no age. How old are you?"

    say(workflow.invoke("x", thread()))
    for answer in ("a", -1, 42):
        say(workflow.invoke(api.Command(resume=answer), thread()))


@parity
def test_the_same_question_again_and_again(api, say):
    """Equal questions are told apart by their turn."""

    @api.entrypoint(checkpointer=api.InMemorySaver())
    def workflow(x: str) -> list[Any]:
        return [api.interrupt("again"), api.interrupt("again"), api.interrupt("again")]

    workflow.invoke("x", thread())
    for answer in (1, 2, 3):
        found = workflow.invoke(api.Command(resume=answer), thread())
        say(found if isinstance(found, list) else found["__interrupt__"][0].value)


@parity
def test_none_asks_again(api, say):
    """Continuing without an answer asks the same question, with the same id."""
    workflow = _asker(api)
    first = workflow.invoke("x", thread())
    again = workflow.invoke(None, thread())
    say(first["__interrupt__"] == again["__interrupt__"])
    say(workflow.invoke(api.Command(resume="ok"), thread()))


@parity
def test_a_new_input_begins_anew(api, say):
    """A new input gives the unanswered question up."""
    workflow = _asker(api)
    workflow.invoke("one", thread())
    say(workflow.invoke("two", thread())["__interrupt__"][0].value)
    say(workflow.invoke(api.Command(resume="ok"), thread()))
    say(workflow.get_state(thread()).next)


@parity
def test_without_a_checkpointer(api, say):
    """The question is told; it cannot be answered."""

    @api.entrypoint()
    def workflow(x: str) -> str:
        return api.interrupt(x)

    say(workflow.invoke("x"))
    say.attempt(workflow.invoke, api.Command(resume="y"))


@parity
def test_questions_of_parallel_tasks(api, say):
    """All of them are open at once."""
    together = threading.Barrier(3)

    @api.task
    def ask(x: str) -> str:
        together.wait(30)
        return f"{x}: {api.interrupt(x)}"

    @api.entrypoint(checkpointer=api.InMemorySaver())
    def workflow(x: str) -> list[str]:
        futures = [ask(one) for one in "abc"]
        return [future.result() for future in futures]

    say(
        len(workflow.invoke("x", thread())["__interrupt__"]),
        langgraph=1,
        durably=3,
        why="All questions of parallel tasks are shown",
    )


@parity
def test_answers_to_parallel_questions(api, say):
    """A plain answer does not say which question it is for."""

    @api.task
    def ask(x: str) -> str:
        return f"{x}: {api.interrupt(x)}"

    @api.entrypoint(checkpointer=api.InMemorySaver())
    def workflow(x: str) -> list[str]:
        futures = [ask(one) for one in "ab"]
        return [future.result() for future in futures]

    asked = {one.value: one.id for one in workflow.invoke("x", thread())["__interrupt__"]}
    say.attempt(
        workflow.invoke,
        api.Command(resume="which?"),
        thread(),
        langgraph=("raised", "RuntimeError"),
        durably=("raised", "ResumeError"),
        why="A continuation that cannot be is a ResumeError",
    )
    rest = workflow.invoke(api.Command(resume={asked["a"]: 1}), thread())
    [left] = rest["__interrupt__"]
    say(left.value)
    say(workflow.invoke(api.Command(resume={left.id: 2}), thread()))


@parity
async def test_questions_of_gathered_coroutines(api, say):
    """Two open questions in an event loop, answered one after the other."""

    @api.task
    async def ask(x: str) -> str:
        await asyncio.sleep(0)
        return f"{x}: {api.interrupt(x)}"

    @api.entrypoint(checkpointer=api.InMemorySaver())
    async def workflow(x: str) -> list[str]:
        return await asyncio.gather(ask("a"), ask("b"))

    found = await workflow.ainvoke("x", thread())
    while isinstance(found, dict):
        one = found["__interrupt__"][0]
        found = await workflow.ainvoke(api.Command(resume={one.id: one.value * 2}), thread())
    say(found)


@parity
def test_a_question_in_a_nested_workflow(api, say):
    """The outer workflow waits, and its caller answers."""
    calls: list[str] = []

    @api.task
    def work(x: str) -> str:
        calls.append(x)
        return x.upper()

    @api.entrypoint()
    def inner(x: str) -> str:
        return work(x).result() + str(api.interrupt(f"inner {x}?"))

    @api.entrypoint(checkpointer=api.InMemorySaver())
    def outer(x: str) -> list[str]:
        return [work("before").result(), inner.invoke(x), work("after").result()]

    say(outer.invoke("x", thread()))
    say(outer.invoke(api.Command(resume=1), thread()))
    say(calls)


@parity
def test_a_question_in_a_nested_workflow_in_a_task(api, say):
    """The same from inside a task."""

    @api.entrypoint()
    def inner(x: str) -> str:
        return f"{x} {api.interrupt(x)}"

    @api.task
    def call(x: str) -> str:
        return inner.invoke(x) + "!"

    @api.entrypoint(checkpointer=api.InMemorySaver())
    def outer(x: str) -> str:
        return call(x).result()

    say(outer.invoke("x", thread()))
    say(outer.invoke(api.Command(resume=1), thread()))


@parity
def test_what_an_answer_must_look_like(api, say):
    """A JSON schema is told with the question."""
    schema = {"type": "object", "properties": {"ok": {"type": "boolean"}}}

    @api.entrypoint(checkpointer=api.InMemorySaver())
    def workflow(x: str) -> Any:
        return api.interrupt(x, response_schema=schema)

    say(workflow.invoke("x", thread()))
    say(workflow.get_state(thread()).interrupts)
    say(workflow.invoke(api.Command(resume={"ok": True}), thread()))


@parity
def test_an_answer_of_a_model(api, say):
    """A pydantic class is told as its schema; the answer becomes one, or is refused."""
    from pydantic import BaseModel

    class Review(BaseModel):
        ok: bool
        note: str = ""

    @api.entrypoint(checkpointer=api.InMemorySaver())
    def workflow(x: str) -> Any:
        review = api.interrupt(x, response_schema=Review)
        return [type(review).__name__, review.ok]

    say(workflow.invoke("x", thread()))
    say.attempt(workflow.invoke, api.Command(resume={"ok": "perhaps"}), thread())
    say(workflow.get_state(thread()).next)
    say(workflow.invoke(api.Command(resume={"ok": True}), thread()))


@parity
def test_an_answer_of_a_dataclass(api, say):
    """Dataclasses and TypedDicts are schemas too."""

    @dataclass
    class Review:
        ok: bool

    class Note(TypedDict):
        text: str

    @api.entrypoint(checkpointer=api.InMemorySaver())
    def workflow(x: str) -> Any:
        review = api.interrupt(x, response_schema=Review)
        note = api.interrupt(x, response_schema=Note)
        return [type(review).__name__, review.ok, note]

    say(workflow.invoke("x", thread()))
    say(workflow.invoke(api.Command(resume={"ok": True}), thread())["__interrupt__"][0])
    say(workflow.invoke(api.Command(resume={"text": "fine"}), thread()))


@parity
def test_the_state_of_a_run_that_waits(api, say):
    """``next``, ``tasks`` and ``interrupts`` tell what it waits for."""
    workflow = _asker(api)
    workflow.invoke("x", thread())
    waiting = workflow.get_state(thread())
    say(waiting)
    workflow.invoke(api.Command(resume="y"), thread())
    done = workflow.get_state(thread())
    say(done._replace(parent_config=None))
    say(
        done.parent_config == waiting.config,
        langgraph=True,
        durably=False,
        why="Every pause of a run has an address of its own",
    )


@parity
def test_answering_a_finished_thread(api, say):
    """There is nothing left to answer."""
    workflow = _asker(api)
    workflow.invoke("x", thread())
    workflow.invoke(api.Command(resume="y"), thread())
    say.attempt(
        workflow.invoke,
        api.Command(resume="z"),
        thread(),
        langgraph="y",
        durably=("raised", "ResumeError"),
        why="A continuation that cannot be is a ResumeError",
    )


@parity
def test_answering_a_thread_that_never_ran(api, say):
    """There is nothing to answer yet."""
    seen: list[str] = []

    @api.entrypoint(checkpointer=api.InMemorySaver())
    def workflow(x: Any) -> str:
        seen.append(type(x).__name__)
        return "ran"

    say.attempt(
        workflow.invoke,
        api.Command(resume="z"),
        thread(),
        langgraph="ran",
        durably=("raised", "ResumeError"),
        why="A continuation that cannot be is a ResumeError",
    )


@parity
def test_a_command_that_says_nothing(api, say):
    """``Command()`` is a mistake."""
    workflow = _asker(api)
    workflow.invoke("x", thread())
    say.attempt(
        workflow.invoke,
        api.Command(),
        thread(),
        langgraph=("raised", "UnboundLocalError"),
        durably=("raised", "ResumeError"),
        why="A continuation that cannot be is a ResumeError",
    )


@parity
def test_the_tool_review_of_the_documentation(api, say):
    """Each proposed call is continued, changed, or answered with feedback."""

    @api.task
    def model(messages: list) -> dict:
        said = [one for one in messages if one["role"] == "tool"]
        if len(said) >= 2:
            return {"role": "ai", "content": "done", "calls": []}
        return {"role": "ai", "content": "", "calls": [{"id": str(len(said)), "args": {"n": 1}}]}

    @api.task
    def tool(call: dict) -> dict:
        return {"role": "tool", "content": f"result for {call['args']}"}

    def review(call: dict) -> dict:
        answer = api.interrupt({"question": "Is this correct?", "call": call})
        if answer["action"] == "continue":
            return call
        if answer["action"] == "update":
            return {**call, "args": answer["data"]}
        return {"role": "tool", "content": answer["data"]}

    @api.entrypoint(checkpointer=api.InMemorySaver())
    def agent(messages: list, previous: Any) -> Any:
        messages = [*(previous or []), *messages]
        answer = model(messages).result()
        while answer["calls"]:
            messages = [*messages, answer]
            reviewed = [review(call) for call in answer["calls"]]
            results = [tool(one).result() if "args" in one else one for one in reviewed]
            messages += results
            answer = model(messages).result()
        return api.entrypoint.final(value=answer, save=[*messages, answer])

    say(list(agent.stream([{"role": "user", "content": "go"}], thread())))
    answer = {"action": "update", "data": {"n": 7}}
    say(list(agent.stream(api.Command(resume=answer), thread())))
    answer = {"action": "feedback", "data": "no more"}
    say(list(agent.stream(api.Command(resume=answer), thread())))
    say(agent.get_state(thread()).values)
