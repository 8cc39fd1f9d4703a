"""The wire format of Anthropic's Messages API.

The shapes are those of Anthropic's API reference, "Create a message" and "Streaming messages".
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ..reply import Failure, Reply
from ..request import Request
from .parts import PIECE, arguments_of, assistant, call_id, called, given, result, usage_of
from .parts import words as pieces

_ERROR_TYPES = {
    400: "invalid_request_error",
    401: "authentication_error",
    404: "not_found_error",
    429: "rate_limit_error",
    529: "overloaded_error",
}


def chat(body: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the chat request that a body stands for."""
    messages: list[dict[str, Any]] = []
    if body.get("system"):
        messages.append({"role": "system", "content": body["system"]})
    for message in body.get("messages", []):
        messages += _messages(message)
    return {**given(body, "model", "tools", "tool_choice", "stream"), "messages": messages}


def _messages(message: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    content = message["content"]
    if isinstance(content, str):
        yield {"role": message["role"], "content": content}
        return
    calls = [
        called(part["id"], part["name"], part["input"])
        for part in content
        if part["type"] == "tool_use"
    ]
    if message["role"] == "assistant":
        said = "".join(part["text"] for part in content if part["type"] == "text")
        yield assistant(said, calls)
        return
    for part in content:
        if part["type"] == "tool_result":
            yield result(part["tool_use_id"], _text(part.get("content")))
    rest = [part for part in content if part["type"] != "tool_result"]
    if rest:
        yield {"role": "user", "content": rest}


def _text(content: Any) -> str:
    if isinstance(content, list):
        return "".join(str(part.get("text", "")) for part in content)
    return "" if content is None else str(content)


def message(request: Request, reply: Reply) -> dict[str, Any]:
    """Return the body of an answer that is not streamed."""
    return {**_envelope(request, reply), "content": _blocks(request, reply), **_stop(reply)}


def events(request: Request, reply: Reply) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the events of a streamed answer."""
    for event in _events(request, reply):
        yield event["type"], event


def _events(request: Request, reply: Reply) -> Iterator[dict[str, Any]]:
    begun = {**_envelope(request, reply), "content": [], "stop_reason": None, "stop_sequence": None}
    yield {"type": "message_start", "message": begun}
    for index, block in enumerate(_blocks(request, reply)):
        empty = {**block, "text": ""} if block["type"] == "text" else {**block, "input": {}}
        yield {"type": "content_block_start", "index": index, "content_block": empty}
        for delta in _deltas(reply, index, block):
            yield {"type": "content_block_delta", "index": index, "delta": delta}
        yield {"type": "content_block_stop", "index": index}
    _, completed = usage_of(request, reply)
    yield {"type": "message_delta", "delta": _stop(reply), "usage": {"output_tokens": completed}}
    yield {"type": "message_stop"}


def _deltas(reply: Reply, index: int, block: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    if block["type"] == "text":
        for piece in pieces(block["text"]):
            yield {"type": "text_delta", "text": piece}
        return
    call = reply.calls[index - (reply.content is not None)]
    for start in range(0, len(call.arguments), PIECE):
        piece = call.arguments[start : start + PIECE]
        yield {"type": "input_json_delta", "partial_json": piece}


def error(failure: Failure) -> dict[str, Any]:
    """Return the body of an error."""
    kind = _ERROR_TYPES.get(failure.status, "api_error")
    return {"type": "error", "error": {"type": kind, "message": failure.message}}


def _blocks(request: Request, reply: Reply) -> list[dict[str, Any]]:
    text = [] if reply.content is None else [{"type": "text", "text": reply.content}]
    calls = [
        {
            "type": "tool_use",
            "id": call_id(request, index),
            "name": call.name,
            "input": arguments_of(call),
        }
        for index, call in enumerate(reply.calls)
    ]
    return [*text, *calls]


def _stop(reply: Reply) -> dict[str, Any]:
    reason = "max_tokens" if reply.finish == "length" else reply.finish
    return {
        "stop_reason": reason or ("tool_use" if reply.calls else "end_turn"),
        "stop_sequence": None,
    }


def _envelope(request: Request, reply: Reply) -> dict[str, Any]:
    prompt, completed = usage_of(request, reply)
    return {
        "id": f"msg_{request.fingerprint}",
        "type": "message",
        "role": "assistant",
        "model": request.model,
        "usage": {"input_tokens": prompt, "output_tokens": completed},
    }
