"""What the wire formats share: ids made from the request, token counts, texts in pieces."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from typing import Any

from ..reply import Reply, ToolCall
from ..request import Request, canonical_json

PIECE = 16
"""How many characters of a call's arguments a stream's event holds."""


def call_id(request: Request, index: int) -> str:
    """Return the id of a reply's tool call: the same request gets the same."""
    digest = hashlib.sha256(f"{request.fingerprint}/{index}".encode()).hexdigest()
    return f"call_{digest[:24]}"


def usage_of(request: Request, reply: Reply) -> tuple[int, int]:
    """Return the prompt's and the completion's tokens."""
    if reply.usage is not None:
        return reply.usage
    said = (reply.content or "") + "".join(call.name + call.arguments for call in reply.calls)
    return tokens(canonical_json(request.body["messages"])), tokens(said)


def tokens(text: str) -> int:
    """Count tokens: one for each four characters."""
    return max(1, len(text) // 4)


def words(text: str | None) -> list[str]:
    """Cut a text into the pieces in which it is streamed."""
    return re.findall(r"\s*\S+|\s+$", text or "")


def arguments_of(call: ToolCall) -> Any:
    """Return a call's arguments as JSON; as a text if they are none."""
    try:
        return json.loads(call.arguments)
    except ValueError:
        return {"text": call.arguments}


def called(identity: str, name: str, arguments: Any) -> dict[str, Any]:
    """Return a tool call in the form of a chat message."""
    text = arguments if isinstance(arguments, str) else json.dumps(arguments)
    return {"id": identity, "type": "function", "function": {"name": name, "arguments": text}}


def assistant(text: str | None, calls: list[dict[str, Any]]) -> dict[str, Any]:
    """Return an assistant's chat message."""
    message: dict[str, Any] = {"role": "assistant", "content": text}
    if calls:
        message["tool_calls"] = calls
    return message


def result(identity: str, content: Any) -> dict[str, Any]:
    """Return a tool's chat message."""
    text = content if isinstance(content, str) else json.dumps(content)
    return {"role": "tool", "tool_call_id": identity, "content": text}


def given(body: Mapping[str, Any], *names: str) -> dict[str, Any]:
    """Return those of the body's parts that are there."""
    return {name: body[name] for name in names if name in body}
