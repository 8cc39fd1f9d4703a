"""Tasks as their users write them: context, conditions, guardrails, callbacks, shapes of output."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

from crewai import Crew, TaskOutput, project
from crewai.project import CrewBase, after_kickoff, before_kickoff
from crewai.tasks.conditional_task import ConditionalTask
from pydantic import BaseModel

from durably.testing import Reply, Rule, When

from ..programs import agent, crew, model, sends, task, told
from ..ways import Feature

DONE = [Rule(When(), Reply.text("Done."))]
SENDS = [
    Rule(When(tool="send"), Reply.text("It was sent.")),
    Rule(When(), Reply.tool("send", {"text": "hello"})),
]
ECHOES = [Rule(When(anywhere=f"Work {n}."), Reply.text(f"Done {n}.")) for n in ("c", "b", "a")]


class Verdict(BaseModel):
    """A structured answer."""

    good: bool
    why: str


ANSWER = json.dumps({"good": True, "why": "It rhymes."})
VERDICT = [Rule(When(), Reply.text(ANSWER))]


def sequential(effect):
    return told(crew(*(task(f"Work {n}.", agent(n)) for n in "abc")).kickoff())


def context(effect):
    first, second = task("Work a.", agent("a")), task("Work b.", agent("b"))
    third = task("Work c.", agent("c"), context=[first, second])
    return told(crew(first, second, third).kickoff())


def async_execution(effect):
    first = task("Work a.", agent("a"), async_execution=True)
    second = task("Work b.", agent("b"), async_execution=True)
    third = task("Work c.", agent("c"), context=[first, second])
    return told(crew(first, second, third).kickoff())


def conditional(effect):
    first = task("Work a.", agent("a"))
    wanted, unwanted = (
        ConditionalTask(
            description=f"Work {n}.",
            expected_output="A word.",
            agent=agent(n),
            condition=lambda out, n=n: effect(f"asked {n}") and "Done a" in out.raw,
        )
        for n in "bc"
    )
    return told(crew(first, wanted, unwanted).kickoff())


def guardrail(effect):
    def strict(output: TaskOutput):
        effect(f"checked {output.raw}")
        return (True, output.raw.upper()) if "better" in output.raw else (False, "Do it better.")

    return told(crew(task("Work.", agent(), guardrail=strict)).kickoff())


def guardrails(effect):
    def one(output: TaskOutput):
        effect(f"one {output.raw}")
        return True, output.raw + "!"

    def two(output: TaskOutput):
        effect(f"two {output.raw}")
        return True, output

    return told(crew(task("Work.", agent(), guardrails=[one, two])).kickoff())


def guardrail_of_a_model(effect):
    return told(crew(task("Work.", agent(), guardrail="It must be short.")).kickoff())


def callbacks(effect):
    def before(inputs):
        effect("before")
        return {**inputs, "n": "a"}

    def after(output):
        effect("after")
        output.raw += " After."
        return output

    made = crew(
        task("Work {n}.", agent("a"), callback=lambda out: effect(f"task {out.raw}")),
        task("Work b.", agent("b")),
        task_callback=lambda out: effect(f"crew's {out.raw}"),
        step_callback=lambda step: effect(f"step {step.output}"),
        before_kickoff_callbacks=[before],
        after_kickoff_callbacks=[after],
    )
    return told(made.kickoff())


def callbacks_of_agents(effect):
    """An agent's own callback, beside the crew's for those that have none, over two tasks."""
    first = agent("a", tools=[sends(effect)], step_callback=lambda step: effect("a's step"))
    second = agent("b", tools=[sends(effect)])
    made = crew(
        *(
            task(f"Send {n}.", worker)
            for n, worker in zip("123", (first, second, first), strict=True)
        ),
        step_callback=lambda step: effect("the crew's step"),
    )
    return told(made.kickoff())


def callbacks_of_a_crew_class(effect):
    """Methods of a ``@CrewBase`` class that are called before and after its crew."""

    @CrewBase
    class Team:
        @before_kickoff
        def before(self, inputs):
            effect("before")
            return {"n": inputs["n"].lower()}

        @after_kickoff
        def after(self, output):
            effect("after")
            output.raw += " After."
            return output

        @project.agent
        def w(self):
            return agent("a")

        @project.task
        def t(self):
            return task("Work {n}.", self.w())

        @project.crew
        def crew(self):
            return Crew(agents=self.agents, tasks=self.tasks)

    return told(Team().crew().kickoff({"n": "A"}))


def callbacks_that_change_the_output(effect):
    def shout(output):
        effect("shouted")
        output.raw = output.raw.upper()

    return told(
        crew(task("Work a.", agent("a"), callback=shout), task("Work b.", agent("b"))).kickoff()
    )


def async_callbacks(effect):
    async def later(output):
        effect(f"later {output.raw}")

    return told(
        crew(
            task("Work a.", agent("a"), callback=later),
            task_callback=lambda out: later(out),  # noqa: PLW0108 - looks like no coroutine function
        ).kickoff()
    )


def output_pydantic(effect):
    output = crew(task("Judge.", agent(), output_pydantic=Verdict)).kickoff()
    return told(output), output.pydantic


def output_json(effect):
    output = crew(task("Judge.", agent(), output_json=Verdict)).kickoff()
    return told(output), output.json_dict


def output_file(effect):
    crew(task("Judge.", agent(), output_file="out/verdict.md", create_directory=True)).kickoff()
    return Path("out/verdict.md").read_text(encoding="utf-8")


def planning(effect):
    made = crew(task("Work a.", agent("a")), planning=True, planning_llm=model())
    return told(made.kickoff())


_kept = []
"""Tools of the passes before: a new one is at another address, as in a new process."""


def _planned_with_tools(effect):
    _kept.append(sends(effect))
    worker = agent("a", tools=[_kept[-1]])
    return crew(task("Work a.", worker), planning=True, planning_llm=model())


def planning_with_tools(effect):
    """CrewAI writes the tools into the planner's prompt with the addresses of their functions."""
    return told(_planned_with_tools(effect).kickoff())[::2]


def planning_with_tools_awaited(effect):
    return told(asyncio.run(_planned_with_tools(effect).kickoff_async()))[::2]


PLAN = json.dumps(
    {"list_of_plans_per_task": [{"task_number": 1, "task": "Work a.", "plan": "Just do it."}]}
)
PLANNED = [Rule(When(anywhere="tasks summary"), Reply.text(PLAN)), *DONE]

FEATURES = [
    Feature(sequential, ECHOES),
    Feature(context, ECHOES),
    Feature(async_execution, ECHOES, overlaps=True),
    Feature(conditional, ECHOES),
    Feature(
        guardrail,
        [
            Rule(When(anywhere="Do it better."), Reply.text("Done better.")),
            Rule(When(), Reply.text("Done.")),
        ],
    ),
    Feature(guardrails, DONE),
    Feature(
        guardrail_of_a_model,
        [
            Rule(
                When(anywhere="Ensure the following"),
                Reply.text('{"valid": true, "feedback": null}'),
            ),
            Rule(When(), Reply.text("Done.")),
        ],
    ),
    Feature(callbacks, ECHOES),
    Feature(callbacks_of_agents, SENDS),
    Feature(callbacks_of_a_crew_class, ECHOES),
    Feature(callbacks_that_change_the_output, ECHOES),
    Feature(async_callbacks, ECHOES),
    Feature(output_pydantic, VERDICT),
    Feature(output_json, VERDICT),
    Feature(output_file, DONE),
    Feature(planning, PLANNED),
    Feature(planning_with_tools, PLANNED, volatile=True),
    Feature(planning_with_tools_awaited, PLANNED, volatile=True),
]
