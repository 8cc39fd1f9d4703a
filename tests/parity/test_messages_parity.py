"""``add_messages`` against LangGraph's own: the same inputs, the same outputs."""

from __future__ import annotations

import copy
import itertools
from collections.abc import Callable
from typing import Annotated, Any, TypedDict

import pytest
from langchain_core.messages import (
    AIMessage,
    AIMessageChunk,
    BaseMessage,
    HumanMessage,
    RemoveMessage,
    SystemMessage,
    ToolMessage,
)
from langgraph.graph import END, START, StateGraph
from langgraph.graph.message import REMOVE_ALL_MESSAGES as THEIR_REMOVE_ALL
from langgraph.graph.message import add_messages as theirs

from durably.functional.langchain.add_messages import REMOVE_ALL_MESSAGES, add_messages

HUMAN = HumanMessage("Hello", id="1")
AI = AIMessage("Hi", id="2", tool_calls=[{"name": "search", "args": {"q": "x"}, "id": "c1"}])
TOOL = ToolMessage("found", tool_call_id="c1", id="3")
ALL = RemoveMessage(id=REMOVE_ALL_MESSAGES)
GONE = RemoveMessage(id="1")

IMAGE = {
    "role": "user",
    "id": "4",
    "content": [
        {"type": "text", "text": "Look:", "cache_control": {"type": "ephemeral"}},
        {
            "type": "image",
            "source": {"type": "base64", "media_type": "image/jpeg", "data": "1234"},
        },
    ],
}
TOOL_RESULT = {
    "role": "user",
    "id": "5",
    "content": [{"type": "tool_result", "tool_use_id": "c1", "content": "found"}],
}

CASES: dict[str, tuple[Any, Any]] = {
    "both empty": ([], []),
    "append": ([HUMAN], [AI]),
    "single messages": (HUMAN, AI),
    "replace": ([HUMAN, AI], [HumanMessage("Hello again", id="1")]),
    "replace with another type": ([HUMAN], [AIMessage("me", id="1")]),
    "replace twice": ([HUMAN], [AIMessage("a", id="1"), AIMessage("b", id="1")]),
    "same new id twice": ([], [AIMessage("a", id="9"), AIMessage("b", id="9")]),
    "same old id twice": ([HUMAN, HUMAN, AI], [HumanMessage("x", id="1")]),
    "missing ids": ([HumanMessage("a")], [AIMessage("b"), AIMessage("c")]),
    "strings": ("Hello", "Hi"),
    "list of strings": (["Hello"], ["Hi", "there"]),
    "pair": ([], ("ai", "Hi")),
    "pairs": ([("system", "Be kind")], [("user", "Hello"), ("assistant", "Hi")]),
    "dicts": ({"role": "user", "content": "Hello"}, [{"type": "ai", "content": "Hi", "id": "7"}]),
    "dict with tool calls": (
        [],
        [
            {
                "role": "assistant",
                "content": None,
                "tool_calls": [
                    {
                        "id": "c1",
                        "type": "function",
                        "function": {"name": "search", "arguments": '{"q": "x"}'},
                    }
                ],
            },
            {"role": "tool", "content": "found", "tool_call_id": "c1"},
        ],
    ),
    "chunk": ([HUMAN], [AIMessageChunk("Hi", id="2")]),
    "chunk on the left": ([AIMessageChunk("Hi", id="2")], [HUMAN]),
    "remove": ([HUMAN, AI], [GONE]),
    "remove single": ([HUMAN, AI], GONE),
    "remove twice": ([HUMAN, AI], [GONE, GONE]),
    "remove same old id": ([HUMAN, AI, HUMAN], [GONE]),
    "remove then add": ([HUMAN, AI], [GONE, HumanMessage("new", id="1")]),
    "add then remove": ([AI], [HUMAN, GONE]),
    "replace then remove": ([HUMAN, AI], [HumanMessage("new", id="1"), GONE]),
    "remove unknown": ([AI], [GONE]),
    "remove from nothing": ([], [GONE]),
    "removal on the left": ([GONE, AI], [HUMAN]),
    "removal of a removal": ([GONE], [GONE]),
    "remove all": ([HUMAN, AI], [ALL]),
    "remove all from nothing": ([], ALL),
    "remove all and more": ([HUMAN, AI], [ALL, TOOL, SystemMessage("s")]),
    "remove all in the middle": ([HUMAN], [AI, ALL, TOOL]),
    "remove all twice": ([HUMAN], [ALL, AI, ALL, TOOL]),
    "remove all, then one": ([HUMAN], [ALL, AI, GONE]),
    "remove all, then duplicates": ([HUMAN], [ALL, AI, AI]),
    "remove all on the left": ([HUMAN, ALL], [AI]),
    "multimodal": ([HUMAN], [IMAGE]),
    "tool result": ([HUMAN, AI], [TOOL_RESULT]),
    "tuple of messages": ((HUMAN, AI), [TOOL]),
    "no message": ([HUMAN], [42]),
    "unknown role": ([], [("nobody", "Hi")]),
    "incomplete dict": ([], [{"role": "user"}]),
    "left missing": (None, [HUMAN]),
    "right missing": ([HUMAN], None),
}


class State(TypedDict):
    plain: Annotated[list, add_messages]
    formatted: Annotated[list, add_messages(format="langchain-openai")]


def outcome(reduce: Callable[..., Any], left: Any, right: Any, **options: Any) -> Any:
    """Return what comes out as comparable data, random ids numbered, or the error's class."""
    left, right = copy.deepcopy((left, right))
    try:
        merged = reduce(left, right, **options)
    except Exception as error:
        return type(error)
    return _told(merged), _told(left), _told(right)


def _told(value: Any) -> Any:
    if not isinstance(value, list):
        value = [value]
    numbers = itertools.count()
    told = []
    for item in value:
        if isinstance(item, BaseMessage):
            data = item.model_dump()
            if item.id is not None and len(item.id) == 36:
                data["id"] = f"random {next(numbers)}"
            told.append((type(item), data))
        else:
            told.append(item)
    return told


@pytest.mark.parametrize("case", CASES)
def test_same_as_langgraph(case: str):
    """Results, what happens to the inputs, and classes of errors are LangGraph's."""
    left, right = CASES[case]
    assert outcome(add_messages, left, right) == outcome(theirs, left, right)


@pytest.mark.parametrize("case", [case for case in CASES if "remove all" not in case])
def test_same_in_openai_format(case: str):
    """The same in OpenAI's format, given directly and to a partial."""
    left, right = CASES[case]
    expected = outcome(theirs, left, right, format="langchain-openai")
    assert outcome(add_messages, left, right, format="langchain-openai") == expected
    if left is not None and right is not None:
        ours, partial = (make(format="langchain-openai") for make in (add_messages, theirs))
        assert outcome(ours, left, right) == outcome(partial, left, right) == expected


def test_format_after_removing_everything_differs_on_purpose():
    """LangGraph forgets the format after a removal of everything; here it holds."""
    ours = add_messages([HUMAN], [ALL, IMAGE], format="langchain-openai")
    other = theirs([HUMAN], [ALL, IMAGE], format="langchain-openai")
    assert other[0].content == IMAGE["content"]
    assert ours == theirs([], [IMAGE], format="langchain-openai")


def test_constant_is_the_same():
    """A removal of everything that was made for LangGraph works here."""
    assert REMOVE_ALL_MESSAGES == THEIR_REMOVE_ALL


def test_unknown_format_is_the_same_error():
    """Both refuse a format that does not exist."""
    assert outcome(add_messages, [HUMAN], [], format="x") is ValueError
    assert outcome(theirs, [HUMAN], [], format="x") is ValueError


def test_serves_as_a_state_graphs_reducer():
    """LangGraph takes it as the reducer of a channel, plain and as a partial."""
    graph = StateGraph(State)
    graph.add_node("bot", lambda _: {"plain": [("ai", "Hi")], "formatted": [IMAGE]})
    graph.add_edge(START, "bot")
    graph.add_edge("bot", END)
    state = graph.compile().invoke({"plain": [HUMAN], "formatted": [HUMAN]})
    assert [message.content for message in state["plain"]] == ["Hello", "Hi"]
    assert state["formatted"][1].content[1]["type"] == "image_url"
