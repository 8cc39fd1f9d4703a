"""The wire format of Amazon Bedrock's Converse API, without its binary streams.

The shapes are those of the Bedrock API reference, "Converse".
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ..reply import Failure, Reply
from ..request import Request
from .parts import arguments_of, assistant, call_id, called, result, usage_of


def chat(body: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the chat request that a body stands for."""
    messages: list[dict[str, Any]] = []
    if body.get("system"):
        messages.append({"role": "system", "content": _text(body["system"])})
    for message in body.get("messages", []):
        messages += _messages(message)
    tools = (body.get("toolConfig") or {}).get("tools")
    return {"messages": messages, **({"tools": tools} if tools else {})}


def _messages(message: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    parts = message["content"]
    if message["role"] == "assistant":
        uses = [part["toolUse"] for part in parts if "toolUse" in part]
        calls = [called(use["toolUseId"], use["name"], use["input"]) for use in uses]
        yield assistant(_text(parts), calls)
        return
    for part in parts:
        if "toolResult" in part:
            given_back = part["toolResult"]
            yield result(given_back["toolUseId"], _text(given_back["content"]))
    rest = [part for part in parts if "toolResult" not in part]
    if rest:
        yield {"role": "user", "content": rest}


def _text(parts: Any) -> str:
    return "".join(str(part.get("text", "")) for part in parts)


def converse(request: Request, reply: Reply) -> dict[str, Any]:
    """Return the body of an answer."""
    text = [] if reply.content is None else [{"text": reply.content}]
    uses = [
        {
            "toolUse": {
                "toolUseId": call_id(request, index),
                "name": call.name,
                "input": arguments_of(call),
            }
        }
        for index, call in enumerate(reply.calls)
    ]
    prompt, completed = usage_of(request, reply)
    reason = "max_tokens" if reply.finish == "length" else reply.finish
    return {
        "output": {"message": {"role": "assistant", "content": [*text, *uses]}},
        "stopReason": reason or ("tool_use" if reply.calls else "end_turn"),
        "usage": {
            "inputTokens": prompt,
            "outputTokens": completed,
            "totalTokens": prompt + completed,
        },
        "metrics": {"latencyMs": 1},
    }


def events(request: Request, reply: Reply) -> Iterator[tuple[str, object]]:
    """Yield nothing: this API streams in a binary form, which the server does not speak."""
    del request, reply
    return iter(())


def error(failure: Failure) -> dict[str, Any]:
    """Return the body of an error."""
    return {"message": failure.message}
