"""How crews are begun and led: for each input, by a manager, with limits, again and again."""

from __future__ import annotations

import asyncio

from crewai import Process

from durably.testing import Reply, Rule, When

from ..programs import agent, crew, model, sends, task, told
from ..ways import Feature

EACH = [Rule(When(anywhere=f"Work {n}."), Reply.text(f"Done {n}.")) for n in "abc"]
INPUTS = [{"n": n} for n in "aab"]


def kickoff_for_each(effect):
    made = crew(task("Work {n}.", agent()))
    outputs = made.kickoff_for_each(INPUTS)
    return [told(one) for one in outputs], made.usage_metrics.model_dump()


def kickoff_for_each_async(effect):
    """Two of the inputs are equal, and all copies of the crew share one model object.

    What each copy says that it cost depends on which ends first; the sum does not.
    """
    return _at_once(lambda made: made.kickoff_for_each_async(INPUTS))


def akickoff_for_each(effect):
    return _at_once(lambda made: made.akickoff_for_each(INPUTS))


def _at_once(begin):
    shared = model()
    outputs = asyncio.run(begin(crew(task("Work {n}.", agent(llm=shared)))))
    said = [told(one)[:2] for one in outputs]
    return said, shared.get_token_usage_summary().model_dump()


def tools_in_each(effect):
    """Equal inputs are equal calls in crews side by side, and each has its effect."""
    made = crew(task("Send {n}.", agent(tools=[sends(effect)])))
    return [told(one)[0] for one in asyncio.run(made.kickoff_for_each_async(INPUTS))]


def one_crew_twice(effect):
    made = crew(task("Work {n}.", agent()))
    return [told(made.kickoff({"n": n})) for n in "ab"]


def crews_side_by_side(effect):
    shared = model()

    async def both():
        crews = [crew(task(f"Work {n}.", agent(n, llm=shared))) for n in "ab"]
        return await asyncio.gather(*(one.kickoff_async() for one in crews))

    return [told(one)[:2] for one in asyncio.run(both())]


def hierarchical(effect):
    work = task("Do it all.", agent(tools=[sends(effect)]))
    made = crew(work, process=Process.hierarchical, manager_llm=model())
    return told(made.kickoff()), made.usage_metrics.model_dump()


def hierarchical_with_a_manager(effect):
    worker = agent(tools=[sends(effect)])
    work = task("Do it all.", worker)
    manager = agent("Manager", allow_delegation=True)
    made = crew(work, process=Process.hierarchical, manager_agent=manager)
    return told(made.kickoff()), work.delegations


def delegation(effect):
    """An agent that may delegate asks a coworker a question."""
    asker, worker = agent("Asker", allow_delegation=True), agent(tools=[sends(effect)])
    first = task("Do it all.", asker)
    made = crew(first)
    made.agents.append(worker)
    return told(made.kickoff()), first.delegations


def max_iter(effect):
    made = crew(task("Send for ever.", agent(tools=[sends(effect)], max_iter=2)))
    return told(made.kickoff())


def max_rpm(effect):
    return told(crew(task("Send hello.", agent(tools=[sends(effect)])), max_rpm=100).kickoff())


def max_execution_time(effect):
    worker = agent(tools=[sends(effect)], max_execution_time=60)
    return told(crew(task("Send hello.", worker)).kickoff())


def planned_twice(effect):
    """CrewAI adds a plan to the tasks' texts at each kickoff."""
    made = crew(task("Work a.", agent("a")), planning=True, planning_llm=model())
    return [told(made.kickoff()) for _ in range(2)]


def crew_tested(effect):
    made = crew(task("Work a.", agent("a")))
    made.test(n_iterations=1, eval_llm=model())
    return len(made.tasks)


ORDER = {"task": "Send hello.", "context": "Politely.", "coworker": "Worker"}
QUESTION = {"question": "Can you send hello.", "context": "Politely.", "coworker": "Worker"}
SENDS = [
    Rule(When(tool="send", result="sent hello"), Reply.text("It was sent.")),
    Rule(When(turns=0), Reply.tool("send", {"text": "hello"})),
]
PLAN = '{"list_of_plans_per_task": [{"task_number": 1, "task": "Work a.", "plan": "Just do it."}]}'

FEATURES = [
    Feature(kickoff_for_each, EACH),
    Feature(kickoff_for_each_async, EACH, overlaps=True),
    Feature(akickoff_for_each, EACH, overlaps=True),
    Feature(
        tools_in_each,
        [
            *(
                Rule(When(anywhere=f"Send {n}.", turns=0), Reply.tool("send", {"text": n}))
                for n in "ab"
            ),
            Rule(When(tool="send"), Reply.text("It was sent.")),
        ],
        overlaps=True,
    ),
    Feature(one_crew_twice, EACH),
    Feature(crews_side_by_side, EACH, overlaps=True),
    Feature(
        hierarchical,
        [
            Rule(When(tool="delegate_work_to_coworker"), Reply.text("It was done.")),
            Rule(
                When(anywhere="Do it all.", turns=0), Reply.tool("delegate_work_to_coworker", ORDER)
            ),
            *SENDS,
        ],
    ),
    Feature(
        hierarchical_with_a_manager,
        [
            Rule(When(tool="delegate_work_to_coworker"), Reply.text("It was done.")),
            Rule(
                When(anywhere="Do it all.", turns=0), Reply.tool("delegate_work_to_coworker", ORDER)
            ),
            *SENDS,
        ],
    ),
    Feature(
        delegation,
        [
            Rule(When(tool="ask_question_to_coworker"), Reply.text("It was done.")),
            Rule(
                When(anywhere="Do it all.", turns=0),
                Reply.tool("ask_question_to_coworker", QUESTION),
            ),
            *SENDS,
        ],
    ),
    Feature(
        max_iter,
        [
            Rule(When(turns=0), Reply.tool("send", {"text": "1"})),
            Rule(When(tool="send", turns=1), Reply.tool("send", {"text": "2"})),
            Rule(When(), Reply.text("Enough.")),
        ],
    ),
    Feature(max_rpm, SENDS),
    Feature(max_execution_time, SENDS),
    Feature(
        planned_twice,
        [Rule(When(anywhere="tasks summary"), Reply.text(PLAN)), Rule(When(), Reply.text("Done."))],
    ),
    Feature(
        crew_tested,
        [
            Rule(When(anywhere="quality"), Reply.text('{"quality": 8.0}')),
            Rule(When(), Reply.text("Done.")),
        ],
    ),
]
