"""One request to a model, as a script sees it and as it is counted."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Self, cast

_DECIDES_THE_ANSWER = ("model", "messages", "tools", "tool_choice", "response_format")


@dataclass(frozen=True)
class ToolResult:
    """What one tool call of the last assistant message gave.

    Attributes:
        tool: The tool's name, looked up by the call's id, else as the message gives it.
        text: The result as the program sent it.
    """

    tool: str
    text: str


@dataclass(frozen=True)
class Request:
    """A request, in the shape of OpenAI's API reference, "Create chat completion".

    One that came by another API is told in this shape as well.

    Attributes:
        body: The decoded JSON body, unchanged if it is one of chat completions.

    Example:
        >>> request = Request({"model": "gpt-4o-mini", "messages": [
        ...     {"role": "system", "content": "You are brief."},
        ...     {"role": "user", "content": "Hello"}]})
        >>> request.system, request.user, request.turns
        ('You are brief.', 'Hello', 0)
    """

    body: Mapping[str, Any]

    @classmethod
    def from_json(cls, text: bytes | str) -> Self:
        """Read a request's body.

        Raises:
            ValueError: The body is not JSON, or has no list of messages.
        """
        return cls.of(json.loads(text))

    @classmethod
    def of(cls, body: object) -> Self:
        """Take a decoded body.

        Raises:
            ValueError: It has no list of messages.
        """
        messages = cast("dict[str, Any]", body).get("messages") if isinstance(body, dict) else None
        if not _is_list_of_objects(messages):
            raise ValueError("a chat request is a JSON object with 'messages', a list of objects")
        return cls(cast("dict[str, Any]", body))

    @property
    def model(self) -> str:
        """The model's name, whatever it is; ``""`` if none was sent."""
        return str(self.body.get("model") or "")

    @property
    def messages(self) -> Sequence[Mapping[str, Any]]:
        """The conversation, oldest message first."""
        return cast("Sequence[Mapping[str, Any]]", self.body["messages"])

    @property
    def stream(self) -> bool:
        """Whether the answer is wanted as server-sent events."""
        return bool(self.body.get("stream"))

    @property
    def stream_usage(self) -> bool:
        """Whether a stream is to end with its token counts (``stream_options``)."""
        options = self.body.get("stream_options") or {}
        return bool(options.get("include_usage"))

    @property
    def system(self) -> str:
        """The text of all system and developer messages, one line break between two."""
        return "\n".join(self._texts("system", "developer"))

    @property
    def user(self) -> str:
        """The text of the last user message; ``""`` if there is none."""
        texts = self._texts("user")
        return texts[-1] if texts else ""

    @property
    def texts(self) -> Sequence[str]:
        """The text of each message, oldest first."""
        return [text_of(message) for message in self.messages]

    @property
    def turns(self) -> int:
        """How many assistant messages the conversation holds so far."""
        return sum(message.get("role") == "assistant" for message in self.messages)

    @property
    def tool_results(self) -> Sequence[ToolResult]:
        """The tool results that came in since the model spoke last, oldest first.

        Some frameworks put a user message after the results; they still count.
        """
        names: dict[str, str] = {}
        results: list[ToolResult] = []
        for message in self.messages:
            match message.get("role"):
                case "assistant":
                    results.clear()
                    for call in message.get("tool_calls") or ():
                        names[call["id"]] = call["function"]["name"]
                case "tool":
                    name = str(
                        names.get(str(message.get("tool_call_id"))) or message.get("name", "")
                    )
                    results.append(ToolResult(name, text_of(message)))
                case _:
                    pass
        return results

    @cached_property
    def fingerprint(self) -> str:
        """32 hex digits that two requests share when they must get the same answer.

        They cover model, messages, tools, tool_choice and response_format, but not whether the
        answer is streamed.
        """
        decisive = {name: self.body.get(name) for name in _DECIDES_THE_ANSWER}
        return hashlib.sha256(canonical_json(decisive).encode()).hexdigest()[:32]

    def _texts(self, *roles: str) -> list[str]:
        return [text_of(message) for message in self.messages if message.get("role") in roles]


def text_of(message: Mapping[str, Any]) -> str:
    """Return a message's text; the text parts of a multi-part content are joined."""
    content = message.get("content")
    if isinstance(content, list):
        parts = cast("list[dict[str, Any]]", content)
        return "".join(str(part.get("text", "")) for part in parts)
    return "" if content is None else str(content)


def canonical_json(value: object) -> str:
    """Write a JSON value so that equal values give equal text (keys sorted, no spaces)."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def _is_list_of_objects(value: object) -> bool:
    return isinstance(value, list) and all(
        isinstance(item, dict) for item in cast("list[object]", value)
    )
