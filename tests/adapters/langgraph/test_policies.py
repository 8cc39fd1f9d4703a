"""Policies around the models that a graph's nodes call, and around nodes."""

from __future__ import annotations

import pytest
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage
from langchain_core.outputs import ChatGeneration, ChatResult
from langgraph.graph import END, START, MessagesState, StateGraph

import durably
from durably import Budget, CachePolicy, ParkPolicy, StepPolicy
from durably.testing import FakeClock

CONFIG = {"configurable": {"thread_id": "t1"}}
NEXT = {"configurable": {"thread_id": "t2"}}
ASKED: list[str] = []
DOWN: set[str] = set()


class Unavailable(Exception):
    """What a provider's client raises."""

    status_code = 503


class Model(BaseChatModel):
    """A chat model in the process: a paid one, played."""

    model_name: str = "big"

    @property
    def _llm_type(self):
        return "played"

    def _generate(self, messages, stop=None, run_manager=None, **kwargs):
        ASKED.append(self.model_name)
        if self.model_name in DOWN:
            raise Unavailable
        usage = {"input_tokens": 50, "output_tokens": 50, "total_tokens": 100}
        message = AIMessage(f"{self.model_name} says tea", usage_metadata=usage)
        return ChatResult(generations=[ChatGeneration(message=message)])

    def _get_ls_params(self, stop=None, **kwargs):
        return {"ls_model_name": self.model_name, "ls_provider": "played"}


@pytest.fixture(autouse=True)
def fresh():
    ASKED.clear()
    DOWN.clear()


def talk(times=1):
    def say(state):
        return {"messages": [Model().invoke(state["messages"])]}

    graph = StateGraph(MessagesState)
    names = [f"say{number}" for number in range(times)]
    for name in names:
        graph.add_node(name, say)
    for one, other in zip([START, *names], [*names, END], strict=True):
        graph.add_edge(one, other)
    return graph.compile()


GIVEN = {"messages": [("user", "Say tea.")]}


def test_another_model_answers_for_one_that_is_down(process):
    """A copy of the model object, with another name."""
    DOWN.add("big")
    durable = process(talk(), policies={"model": StepPolicy(fallback=["small"])})
    assert durable.invoke(GIVEN, CONFIG)["messages"][-1].content == "small says tea"
    assert ASKED == ["big", "small"]


def test_a_graph_parks_and_goes_on_at_its_node(process):
    """The first node is not executed again."""
    clock = FakeClock(start=0.0)
    options = {"policies": {"model": StepPolicy(on_exhausted=ParkPolicy())}, "clock": clock}
    DOWN.add("big")
    with pytest.raises(durably.RunParked) as parked:
        process(talk(2), **options).invoke(GIVEN, CONFIG)
    assert parked.value.wake == 60
    DOWN.clear()
    result = process(talk(2), **options).invoke(None, CONFIG)
    assert [one.content for one in result["messages"][1:]] == ["big says tea"] * 2


def test_answers_serve_another_run_and_budgets_hold(process):
    """A cached answer costs nothing, so the budget of the second run is enough for both calls."""
    cache = durably.InMemoryCache()
    options = {"policies": {"model": StepPolicy(cache=CachePolicy())}, "cache": cache}
    process(talk(), **options).invoke(GIVEN, CONFIG)
    limited = process(talk(2), budgets=[Budget(tokens=700)], **options)
    result = limited.invoke(GIVEN, NEXT)
    assert len(result["messages"]) == 3
    assert ASKED == ["big", "big"]


def test_a_budget_of_a_graph_is_raised_by_a_person(process):
    """The graph waits before the node's call and goes on with the larger limit."""
    options = {"budgets": [Budget(tokens=560)]}
    (question,) = process(talk(6), **options).invoke(GIVEN, CONFIG)["__interrupt__"]
    assert question.value["name"] == "budget"
    assert len(ASKED) < 6
    answered = durably.Command(resume={question.id: {"type": "approve"}})
    result = process(talk(6), **options).invoke(answered, CONFIG)
    assert len(result["messages"]) == 7
    assert ASKED == ["big"] * 6
