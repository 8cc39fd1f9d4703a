"""The stream mode ``messages``: what chat models say, token by token, and what tasks return."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeAlias

from .lane_namespaces import Lanes, Namespace, named

Take: TypeAlias = Callable[[str, Lanes, Any], None]


class Messages:
    """Tells of langchain-core's messages; only who asks for the mode imports it.

    A message is told as ``(message, metadata)``: tokens as they come, the whole message of a model
    that does not stream, and messages that a task or entrypoint returns, unless they were told.

    Args:
        take: Takes the parts.
        path: Says where a lane lies.
    """

    def __init__(self, take: Take, path: Callable[[Lanes], Namespace]) -> None:
        self._take = take
        self._path = path
        self._told: set[str] = set()

    def joined(self, callbacks: Any) -> Any:
        """Return *callbacks*, langchain-core's handlers or manager, with one that tells tokens."""
        from ..langchain.message_handler import MessageHandler

        handler = MessageHandler(self.token, self.whole)
        if callbacks is None:
            return [handler]
        if isinstance(callbacks, list):
            return [*callbacks, handler]
        joined = callbacks.copy()
        joined.add_handler(handler, inherit=True)
        return joined

    def token(self, lanes: Lanes, message: Any, metadata: Mapping[str, Any]) -> None:
        """Tell a piece of a message."""
        self._told.add(message.id)
        self._take("messages", lanes, (message, self._described(lanes, metadata)))

    def whole(self, lanes: Lanes, message: Any, metadata: Mapping[str, Any]) -> None:
        """Tell a message, unless it was told in pieces."""
        if message.id is None or message.id not in self._told:
            self.token(lanes, message, metadata)

    def returned(self, lanes: Lanes, update: Mapping[str, Any]) -> None:
        """Tell the messages in what a task or entrypoint returned."""
        for name, value in update.items():
            for message in _messages_in(value):
                self.whole(lanes, message, {"langgraph_node": name})

    def _described(self, lanes: Lanes, metadata: Mapping[str, Any]) -> dict[str, Any]:
        path = self._path(lanes)
        node = named(path[-1]).rpartition(":")[0]
        return {
            "langgraph_node": node,
            "langgraph_triggers": ("__pregel_push",) if lanes else ("__start__",),
            "langgraph_checkpoint_ns": "|".join(path),
            **metadata,
        }


def _messages_in(value: Any) -> Iterator[Any]:
    """Yield the messages in a result: itself, its items, its values and their items."""
    from langchain_core.messages import BaseMessage

    if isinstance(value, BaseMessage):
        yield value
        return
    outer = value.values() if isinstance(value, Mapping) else value
    if not isinstance(outer, list | tuple) and not isinstance(value, Mapping):
        return
    for one in outer:
        if isinstance(one, BaseMessage):
            yield one
        elif isinstance(value, Mapping) and isinstance(one, list | tuple):
            yield from (each for each in one if isinstance(each, BaseMessage))
