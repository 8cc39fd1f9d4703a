"""Providers of people's input of a program's own: each person is asked once, whatever is killed."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys

import pytest
from crewai.core.providers.human_input import (
    SyncHumanInputProvider,
    reset_provider,
    set_provider,
)

import durably
from durably.journal.records import StepEnded
from durably.testing import Reply, Rule, StoppingStorage, When

from .programs import CONFIG, agent, crew, task
from .ways import Feature

pytestmark = pytest.mark.with_crewai("!=1.14.*", "CrewAI itself loses the feedback")

SCRIPT = [
    Rule(When(user="Shorter"), Reply.text("A poem.")),
    Rule(When(anywhere="Write a poem."), Reply.text("A long, long poem.")),
]
ANSWERS = ["Shorter!", ""]


class Scripted:
    """What the providers below have in common: answers in turn, and a trace of each question."""

    def __init__(self, effect):
        self._effect = effect
        self.asked = 0

    def answer(self):
        self.asked += 1
        return ANSWERS[int(self._effect(f"asked {self.asked}").split()[-1]) - 1]


class Prompts(Scripted, SyncHumanInputProvider):
    """Asks in its own way in CrewAI's rounds; a method where CrewAI has a static one."""

    def _prompt_input(self, crew):
        return self.answer()

    async def _prompt_input_async(self, crew):
        return await asyncio.to_thread(self.answer)


class Assigned(SyncHumanInputProvider):
    """Is given the function that asks as an attribute, where no class has it."""

    def __init__(self, effect):
        scripted = Scripted(effect)

        async def answer(crew):
            return scripted.answer()

        self._prompt_input = lambda crew: scripted.answer()
        self._prompt_input_async = answer


class Rounds(Scripted):
    """Makes the rounds itself; of no class of CrewAI's."""

    def setup_messages(self, context):
        return False

    def post_setup_messages(self, context):
        pass

    def handle_feedback(self, formatted_answer, context):
        while said := self.answer():
            context.messages.append(context._format_feedback_message(said))
            formatted_answer = context._invoke_loop()
        context.ask_for_human_input = False
        return formatted_answer

    async def handle_feedback_async(self, formatted_answer, context):
        while said := self.answer():
            context.messages.append(context._format_feedback_message(said))
            formatted_answer = await context._ainvoke_loop()
        context.ask_for_human_input = False
        return formatted_answer


class Wraps(Prompts):
    """Does something of its own around CrewAI's rounds."""

    def handle_feedback(self, formatted_answer, context):
        self._effect("review begins")
        return super().handle_feedback(formatted_answer, context)

    async def handle_feedback_async(self, formatted_answer, context):
        self._effect("review begins")
        return await super().handle_feedback_async(formatted_answer, context)


def reviewed_poem():
    """Return a crew whose poem is reviewed, and which then does something else."""
    poet = agent("Poet")
    after = task("Now rest.", poet)
    return crew(task("Write a poem.", poet, human_input=True), after)


REST = [Rule(When(user="Now rest."), Reply.text("Rested.")), *SCRIPT]


def prompted(way):
    """Return a program whose provider asks step by step, driven by *way*."""

    def run(effect):
        token = set_provider(Prompts(effect))
        try:
            made = reviewed_poem()
            output = made.kickoff() if way == "kickoff" else asyncio.run(made.akickoff())
            return [one.raw for one in output.tasks_output]
        finally:
            reset_provider(token)

    run.__name__ = way
    return run


@pytest.mark.parametrize("way", ["kickoff", "akickoff"])
def test_each_question_is_asked_once(ways, way):
    """Plain, durable, replayed and stopped after each step, a program asks and does the same."""
    ways.all(Feature(prompted(way), REST))


@pytest.mark.parametrize("way", ["invoke", "ainvoke"])
@pytest.mark.parametrize("provider", [Prompts, Assigned, Rounds, Wraps])
async def test_what_it_returned_is_not_asked_for_again(serve, provider, way):
    """Stopped after the review, continued elsewhere and replayed, nobody is asked again."""
    serve(REST)
    effects = []

    def effect(text):
        effects.append(text)
        return text

    async def process(host, given):
        token = set_provider(provider(effect))
        try:
            wrapped = durably.wrap(reviewed_poem(), checkpointer=host)
            if way == "ainvoke":
                return await wrapped.ainvoke(given, CONFIG)
            return await asyncio.to_thread(wrapped.invoke, given, CONFIG)
        finally:
            reset_provider(token)

    storage = StoppingStorage()
    host = durably.Host(storage)
    # Two drafts, two answers unless the review is one step, and the review around them.
    storage.stop_after({Prompts: 4, Wraps: 5}.get(provider, 3))
    with pytest.raises(durably.errors.StorageError):
        await process(host, {})
    once = ["asked 1", "asked 2"]
    assert effects == (["review begins", *once] if provider is Wraps else once)
    for _ in range(2):  # it goes on, and is replayed
        storage.stop_after(None)
        output = await process(host, None)
        assert [one.raw for one in output.tasks_output] == ["A poem.", "Rested."]
    assert effects == (["review begins", *once] if provider is Wraps else once)
    steps = [
        one.record
        for one in host.journal.read("t1")
        if isinstance(one.record, StepEnded) and one.record.kind == "human"
    ]
    assert {(one.name, one.adapter) for one in steps} == {("human_input", "crewai")}
    request = host.journal.value("t1", steps[0].request)
    assert (request["answer"], request["agent"]) == ("A long, long poem.", "Poet")
    assert durably.Inbox(host).pending() == []
    host.close()


class Delegates(SyncHumanInputProvider):
    """Tells somebody, then asks as CrewAI does."""

    @staticmethod
    def _prompt_input(crew):
        return SyncHumanInputProvider._prompt_input(crew)


def test_a_provider_that_asks_as_crewai_does_waits_for_an_answer(host, serve):
    """What CrewAI would ask at the terminal is a question, from wherever it is asked."""
    serve(SCRIPT)
    token = set_provider(Delegates())
    try:
        for given in ({}, durably.Command(resume="Shorter!")):
            wrapped = durably.wrap(
                crew(task("Write a poem.", agent("Poet"), human_input=True)), checkpointer=host
            )
            [question] = wrapped.invoke(given, CONFIG)["__interrupt__"]
        assert question.value["answer"] == "A poem."
        wrapped = durably.wrap(
            crew(task("Write a poem.", agent("Poet"), human_input=True)), checkpointer=host
        )
        assert wrapped.invoke(durably.Command(resume=""), CONFIG).raw == "A poem."
    finally:
        reset_provider(token)


PROGRAM = """
import os, sys
sys.path.insert(0, sys.argv[1])
from crewai.core.providers.human_input import SyncHumanInputProvider, set_provider
from tests.adapters.crewai.programs import agent, crew, task

class Web(SyncHumanInputProvider):
    answers = ["Shorter!", ""]
    n = 0

    @staticmethod
    def _prompt_input(crew):
        Web.n += 1
        with open("asked.txt", "a") as log:
            log.write(f"asked {Web.n}\\n")
        return Web.answers[Web.n - 1]

set_provider(Web())
print(crew(task("Write a poem.", agent("Poet"), human_input=True)).kickoff().raw)
"""


@pytest.mark.parametrize("step", [1, 2, 3, 4])
def test_a_killed_script_asks_nobody_again(serve, tmp_path, pytestconfig, step):
    """The second process goes on with the answers, and with what the provider's class remembers."""
    serve(SCRIPT)
    (tmp_path / "poem.py").write_text(PROGRAM)
    command = [sys.executable, "-m", "durably", "run", "-q", "poem.py", str(pytestconfig.rootpath)]

    def process(**more):
        return subprocess.run(
            command,
            cwd=tmp_path,
            env={**os.environ, **more},
            capture_output=True,
            text=True,
            check=False,
        )

    killed = process(DURABLY_TEST="1", DURABLY_TEST_KILL_AFTER=str(step))
    assert killed.returncode == -9
    done = process()
    assert (done.returncode, done.stdout.splitlines()[-1]) == (0, "A poem."), done.stderr
    assert (tmp_path / "asked.txt").read_text().split("\n")[:-1] == ["asked 1", "asked 2"]
