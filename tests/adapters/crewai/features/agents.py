"""Agents without a crew, agents that plan, look at pictures, or are models of a user's own."""

from __future__ import annotations

import asyncio
import json

from crewai import BaseLLM, PlanningConfig
from pydantic import BaseModel

from durably.testing import Reply, Rule, When

from ..programs import Echo, agent, crew, model, sends, task, told
from ..ways import Feature


class Verdict(BaseModel):
    """A structured answer."""

    good: bool
    why: str


def _said(output):
    return output.raw, output.usage_metrics, output.agent_role


def agent_alone(effect):
    return _said(agent(tools=[sends(effect)]).kickoff("Send hello."))


def agent_alone_with_messages(effect):
    messages = [
        {"role": "user", "content": "I am Ada."},
        {"role": "assistant", "content": "Hello, Ada."},
        {"role": "user", "content": "Send hello."},
    ]
    return _said(agent().kickoff(messages))


def agent_alone_awaited(effect):
    return _said(asyncio.run(agent(tools=[sends(effect)]).kickoff_async("Send hello.")))


def agent_alone_with_a_shape(effect):
    output = agent().kickoff("Judge.", response_format=Verdict)
    return output.raw, output.pydantic


def agent_alone_with_a_guardrail(effect):
    def strict(output):
        effect(f"checked {output.raw}")
        return (True, output.raw) if "better" in output.raw else (False, "Do it better.")

    return _said(agent(guardrail=strict).kickoff("Work."))


def agent_alone_with_a_callback(effect):
    worker = agent(tools=[sends(effect)], step_callback=lambda step: effect(type(step).__name__))
    return _said(worker.kickoff("Send hello."))


def agents_in_turn(effect):
    """Two agents without a crew pass a text on, as functions would."""
    first, second = agent("a"), agent("b")
    return _said(second.kickoff(f"Work b. {first.kickoff('Work a.').raw}"))


def agents_at_once(effect):
    async def both():
        shared = model()
        workers = [agent(n, llm=shared) for n in "ab"]
        return await asyncio.gather(*(one.kickoff_async(f"Work {one.role}.") for one in workers))

    return [one.raw for one in asyncio.run(both())]


def planning_agent(effect):
    worker = agent(tools=[sends(effect)], planning_config=PlanningConfig(max_attempts=1))
    return told(crew(task("Send hello.", worker)).kickoff())[0]


def reasoning_agent(effect):
    return told(crew(task("Work.", agent(reasoning=True, max_reasoning_attempts=1))).kickoff())[0]


def model_of_ones_own(effect):
    class Mine(BaseLLM):
        def call(self, messages, tools=None, callbacks=None, available_functions=None, **kwargs):
            effect(f"asked {self.model}")
            return "Thought: I know.\nFinal Answer: Done."

    return told(crew(task("Work.", agent(llm=Mine(model="mine")))).kickoff())


def model_that_counts(effect):
    class Counts(Echo):
        def call(self, messages, *args, **kwargs):
            self._track_token_usage_internal({"prompt_tokens": 3, "completion_tokens": 2})
            return effect("echo")

    return told(crew(task("Work.", agent(llm=Counts(model="counts")))).kickoff())


def model_called_directly(effect):
    llm = model()
    answers = [llm.call("Work a."), llm.call([{"role": "user", "content": "Work b."}])]
    answers.append(asyncio.run(llm.acall("Work a.")))
    answers.append(llm.call("Judge.", response_model=Verdict))
    return answers, llm.get_token_usage_summary().model_dump()


def date_in_the_prompt(effect):
    """The prompt is another one each time, as it is after midnight."""
    worker = agent(inject_date=True, date_format="%Y-%m-%d %H:%M:%S.%f")
    return told(crew(task("Work.", worker)).kickoff())[0]


SENDS = [
    Rule(When(tool="send"), Reply.text("It was sent.")),
    Rule(When(turns=0), Reply.tool("send", {"text": "hello"})),
]
ANSWER = json.dumps({"good": True, "why": "It rhymes."})
EACH = [Rule(When(anywhere=f"Work {n}."), Reply.text(f"Done {n}.")) for n in "ba"]
BETTER = [
    # CrewAI asks the very same again: what the guardrail said does not get through.
    Rule(When(), Reply.text("Done."), times=1),
    Rule(When(), Reply.text("Done better.")),
]
PLAN = json.dumps(
    {
        "plan": "Send it.",
        "steps": [
            {
                "step_number": 1,
                "description": "Send hello.",
                "tool_to_use": "send",
                "depends_on": [],
            }
        ],
        "ready": True,
    }
)
OBSERVED = json.dumps(
    {
        "step_completed_successfully": True,
        "key_information_learned": "It was sent.",
        "remaining_plan_still_valid": True,
        "needs_full_replan": False,
        "goal_already_achieved": True,
    }
)

FEATURES = [
    Feature(agent_alone, SENDS),
    Feature(agent_alone_with_messages, [Rule(When(), Reply.text("It was sent."))]),
    Feature(agent_alone_awaited, SENDS),
    Feature(agent_alone_with_a_shape, [Rule(When(), Reply.text(ANSWER))]),
    Feature(agent_alone_with_a_guardrail, lambda: BETTER),
    Feature(agent_alone_with_a_callback, SENDS),
    Feature(agents_in_turn, EACH),
    Feature(agents_at_once, EACH, overlaps=True),
    Feature(
        planning_agent,
        [
            Rule(When(anywhere="Just completed step"), Reply.text(OBSERVED)),
            Rule(When(anywhere="Synthesize these results"), Reply.text("It was sent.")),
            Rule(When(anywhere="execution plan"), Reply.tool("create_reasoning_plan", PLAN)),
            Rule(When(tool="send"), Reply.text("It was sent.")),
            Rule(When(turns=0), Reply.tool("send", {"text": "hello"})),
            Rule(When(), Reply.text("It was sent.")),
        ],
    ),
    Feature(reasoning_agent, [Rule(When(), Reply.text("READY: I am ready to execute the task."))]),
    Feature(model_of_ones_own, []),
    Feature(model_that_counts, []),
    Feature(model_called_directly, [*EACH, Rule(When(anywhere="Judge."), Reply.text(ANSWER))]),
    Feature(date_in_the_prompt, [Rule(When(), Reply.text("Done."))], volatile=True),
]
