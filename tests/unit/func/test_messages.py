"""``add_messages``: what it promises by itself; the parity test compares it with LangGraph's."""

from __future__ import annotations

import subprocess
import sys
import uuid
from typing import Any

import pytest
from langchain_core.messages import AIMessage, AIMessageChunk, HumanMessage, RemoveMessage

from durably.functional.langchain.add_messages import REMOVE_ALL_MESSAGES, add_messages

FIRST = HumanMessage("Hello", id="1")


def test_appends_and_replaces():
    """A known id replaces the message where it stands, another is appended; inputs stay."""
    left = [FIRST, AIMessage("Hi", id="2")]
    merged = add_messages(left, [HumanMessage("Bye", id="1"), AIMessage("Ciao", id="3")])
    assert [(message.id, message.content) for message in merged] == [
        ("1", "Bye"),
        ("2", "Hi"),
        ("3", "Ciao"),
    ]
    assert [message.content for message in left] == ["Hello", "Hi"]


def test_missing_ids_are_assigned():
    """Every message has an id afterwards, which is set on the object itself."""
    message = AIMessage("Hi")
    merged = add_messages([("human", "Hello")], message)
    assert merged[1] is message
    assert all(uuid.UUID(message.id) for message in merged)
    assert merged[0].id != merged[1].id
    assert add_messages(merged, message) == merged


def test_removed_message_may_return():
    """A message that is removed and given again in one update stays."""
    again = HumanMessage("again", id="1")
    assert add_messages([FIRST], [RemoveMessage(id="1"), again]) == [again]
    assert add_messages([FIRST], [again, RemoveMessage(id="1")]) == []


def test_removing_what_is_not_there_is_an_error():
    """The id that is unknown is named."""
    with pytest.raises(ValueError, match="no message with the id 'x'"):
        add_messages([FIRST], RemoveMessage(id="x"))


def test_removing_everything_keeps_what_follows():
    """Only what stands after the last removal of everything is kept."""
    last = AIMessage("new", id="9")
    right = [AIMessage("no", id="8"), RemoveMessage(id=REMOVE_ALL_MESSAGES), last]
    assert add_messages([FIRST], right) == [last]


@pytest.mark.parametrize("given", [{"left": [FIRST]}, {"right": [FIRST]}, {"left": []}])
def test_one_side_missing_is_an_error(given: dict[str, Any]):
    """Half a call is refused; which half is missing is said, for an empty list too."""
    missing = "right" if "left" in given else "left"
    with pytest.raises(ValueError, match=f"'{missing}' is None"):
        add_messages(**given)


@pytest.mark.parametrize("given", [(), ([], [])])
def test_unknown_format_is_an_error(given: tuple[Any, ...]):
    """A format that does not exist is refused, in a partial too."""
    with pytest.raises(ValueError, match="'openai'"):
        add_messages(*given, format="openai")  # type: ignore[call-overload]


IMAGE = {
    "role": "user",
    "id": "7",
    "content": [
        {
            "type": "image",
            "source": {"type": "base64", "media_type": "image/png", "data": "AAAA"},
        }
    ],
}
AS_OPENAI = [{"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}]


def test_partial_is_a_reducer_with_a_format():
    """Without messages it returns a reducer, for ``Annotated[list, add_messages(…)]``."""
    reduce = add_messages(format="langchain-openai")
    assert [message.content for message in reduce([FIRST], [IMAGE])] == ["Hello", AS_OPENAI]
    assert add_messages()([FIRST], []) == [FIRST]


def test_format_holds_after_removing_everything():
    """What follows a removal of everything has the format as well."""
    right = [RemoveMessage(id=REMOVE_ALL_MESSAGES), IMAGE]
    (message,) = add_messages([FIRST], right, format="langchain-openai")
    assert message.content == AS_OPENAI


def test_chunks_become_messages():
    """A streamed chunk is stored as the message that it stands for."""
    (message,) = add_messages([], AIMessageChunk("Hi", id="1"))
    assert type(message) is AIMessage


def test_module_loads_no_langchain():
    """The reducer is imported without langchain-core, which is loaded by its first call."""
    program = (
        "import sys; "
        "from durably.functional.langchain.add_messages import add_messages; add_messages(); "
        "sys.exit('langchain_core' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
