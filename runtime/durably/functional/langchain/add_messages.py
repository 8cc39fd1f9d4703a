"""``add_messages``: merges lists of chat messages by id."""

from __future__ import annotations

import functools
import uuid
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, overload

if TYPE_CHECKING:
    from langchain_core.messages import BaseMessage, MessageLikeRepresentation

    Messages: TypeAlias = Sequence[MessageLikeRepresentation] | MessageLikeRepresentation

Format: TypeAlias = Literal["langchain-openai"]

REMOVE_ALL_MESSAGES = "__remove_all__"
"""The id of a ``RemoveMessage`` that removes everything before it; LangGraph's constant."""


@overload
def add_messages(
    *, format: Format | None = None
) -> Callable[[Messages, Messages], list[BaseMessage]]: ...
@overload
def add_messages(
    left: Messages, right: Messages, *, format: Format | None = None
) -> list[BaseMessage]: ...
def add_messages(
    left: Messages | None = None,
    right: Messages | None = None,
    *,
    format: Format | None = None,  # noqa: A002 - LangGraph's name for it
) -> Any:
    """Return *left* with the messages of *right* merged into it; as LangGraph's ``add_messages``.

    A message with the id of an earlier one takes its place, any other is appended. Messages
    without an id are given one, on the object itself. A ``RemoveMessage`` removes the message of
    its id; with the id :data:`REMOVE_ALL_MESSAGES`, everything before it. Called without messages,
    it returns a reducer with the given format.

    One thing is better than there: *format* holds for what follows a removal of everything, too.

    Args:
        left: The messages so far: a list, or one message. What langchain-core takes for a message
            is one: message objects, dicts with a role, ``(role, text)`` pairs, strings.
        right: What is merged in, in the same forms.
        format: ``"langchain-openai"``: return messages with their content in OpenAI's form (text
            and ``image_url`` blocks, tool results as messages of their own).

    Raises:
        ValueError: One of *left* and *right* is missing, a message to be removed is not there, or
            *format* is unknown.

    Example:
        >>> add_messages([HumanMessage("Hello", id="1")], [("ai", "Hi!")])
        [HumanMessage(content='Hello', id='1'), AIMessage(content='Hi!', id='…')]
    """
    if format not in (None, "langchain-openai"):
        raise ValueError(f"format must be 'langchain-openai' or None, not {format!r}")
    if left is None and right is None:
        return functools.partial(add_messages, format=format)
    if left is None or right is None:
        missing = "left" if left is None else "right"
        raise ValueError(f"add_messages needs two lists of messages; {missing!r} is None")
    merged = _merged(_messages(left), _messages(right))
    return _as_openai(merged) if format else merged


def _messages(given: Any) -> list[BaseMessage]:
    """Return whatever stands for messages as messages, each with an id."""
    from langchain_core.messages import (
        BaseMessageChunk,
        convert_to_messages,
        message_chunk_to_message,
    )

    messages = [
        message_chunk_to_message(message) if isinstance(message, BaseMessageChunk) else message
        for message in convert_to_messages(given if isinstance(given, list) else [given])
    ]
    for message in messages:
        if message.id is None:
            message.id = str(uuid.uuid4())
    return messages


def _merged(left: list[BaseMessage], right: list[BaseMessage]) -> list[BaseMessage]:
    from langchain_core.messages import RemoveMessage

    for index in range(len(right) - 1, -1, -1):
        if isinstance(right[index], RemoveMessage) and right[index].id == REMOVE_ALL_MESSAGES:
            return right[index + 1 :]
    merged = list(left)
    places = {message.id: place for place, message in enumerate(merged)}
    removed: set[str | None] = set()
    for message in right:
        place = places.get(message.id)
        if isinstance(message, RemoveMessage):
            if place is None:
                raise ValueError(
                    f"there is no message with the id {message.id!r} to remove; it may have been "
                    "removed before"
                )
            removed.add(message.id)
        elif place is None:
            places[message.id] = len(merged)
            merged.append(message)
        else:
            removed.discard(message.id)
            merged[place] = message
    return [message for message in merged if message.id not in removed]


def _as_openai(messages: list[BaseMessage]) -> list[BaseMessage]:
    from langchain_core.messages import convert_to_messages, convert_to_openai_messages

    made: Any = convert_to_openai_messages(messages)
    return convert_to_messages(made)
