"""OpenAI's wire format: a reply as a response body, as stream events, as an error body.

The shapes are those of OpenAI's API reference, "The chat completion object" and "The chat
completion chunk object". Ids depend on the request only, so the same request gets the same bytes.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ..reply import Failure, Reply, ToolCall
from ..request import Request
from .parts import PIECE, call_id, usage_of, words

# OpenAI answers an alias with the name of its dated snapshot; AutoGen warns when it does not.
_SNAPSHOTS = {"gpt-4o": "gpt-4o-2024-08-06", "gpt-4o-mini": "gpt-4o-mini-2024-07-18"}
_CREATED = 1_700_000_000
_ERROR_TYPES = {
    400: "invalid_request_error",
    401: "authentication_error",
    404: "invalid_request_error",
    429: "rate_limit_error",
}


def completion(request: Request, reply: Reply) -> dict[str, Any]:
    """Return the body of an answer that is not streamed."""
    message: dict[str, Any] = {"role": "assistant", "content": reply.content, "refusal": None}
    if reply.calls:
        message["tool_calls"] = [
            {"id": call_id(request, index), "type": "function", "function": _function(call)}
            for index, call in enumerate(reply.calls)
        ]
    choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": _finish(reply)}
    return {
        **_envelope(request, "chat.completion"),
        "choices": [choice],
        "usage": _usage(request, reply),
    }


def chunks(request: Request, reply: Reply) -> Iterator[dict[str, Any]]:
    """Yield the events of a streamed answer, without the final ``[DONE]``."""
    for delta in _deltas(request, reply):
        yield _chunk(request, delta, None)
    yield _chunk(request, {}, _finish(reply))
    if request.stream_usage:
        envelope = _envelope(request, "chat.completion.chunk")
        yield {**envelope, "choices": [], "usage": _usage(request, reply)}


def error(failure: Failure) -> dict[str, Any]:
    """Return the body of an error."""
    kind = _ERROR_TYPES.get(failure.status, "server_error")
    return {"error": {"message": failure.message, "type": kind, "param": None, "code": None}}


def models(*names: str) -> dict[str, Any]:
    """Return the body of the list of models."""
    data = [
        {"id": name, "object": "model", "created": _CREATED, "owned_by": "durably"}
        for name in names
    ]
    return {"object": "list", "data": data}


def _deltas(request: Request, reply: Reply) -> Iterator[dict[str, Any]]:
    yield {"role": "assistant", "content": None if reply.content is None else ""}
    for piece in words(reply.content):
        yield {"content": piece}
    for index, call in enumerate(reply.calls):
        opened = {"name": call.name, "arguments": ""}
        identity = call_id(request, index)
        yield {
            "tool_calls": [{"index": index, "id": identity, "type": "function", "function": opened}]
        }
        for start in range(0, len(call.arguments), PIECE):
            piece = call.arguments[start : start + PIECE]
            yield {"tool_calls": [{"index": index, "function": {"arguments": piece}}]}


def _chunk(request: Request, delta: dict[str, Any], finish: str | None) -> dict[str, Any]:
    choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}
    usage = {"usage": None} if request.stream_usage else {}
    return {**_envelope(request, "chat.completion.chunk"), "choices": [choice], **usage}


def _envelope(request: Request, kind: str) -> dict[str, Any]:
    return {
        "id": f"chatcmpl-{request.fingerprint}",
        "object": kind,
        "created": _CREATED,
        "model": _SNAPSHOTS.get(request.model, request.model),
        "system_fingerprint": None,
    }


def _function(call: ToolCall) -> dict[str, str]:
    return {"name": call.name, "arguments": call.arguments}


def _finish(reply: Reply) -> str:
    return reply.finish or ("tool_calls" if reply.calls else "stop")


def _usage(request: Request, reply: Reply) -> dict[str, Any]:
    prompt, completed = usage_of(request, reply)
    return {
        "prompt_tokens": prompt,
        "completion_tokens": completed,
        "total_tokens": prompt + completed,
    }
