"""The wire format of Ollama's own API.

The shapes are those of Ollama's API reference, "Generate a chat completion".
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ..reply import Failure, Reply
from ..request import Request
from .parts import arguments_of, called, usage_of, words

_CREATED = "2023-11-14T22:13:20Z"


def chat(body: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the chat request that a body stands for.

    Ollama's tool calls have no ids: they and their results are told by their order.
    """
    calls = answered = 0
    messages: list[dict[str, Any]] = []
    for message in body.get("messages", []):
        told: dict[str, Any] = {"role": message["role"], "content": message.get("content")}
        functions = [call["function"] for call in message.get("tool_calls") or ()]
        if functions:
            told["tool_calls"] = [
                called(f"call_{calls + index}", one["name"], one.get("arguments") or {})
                for index, one in enumerate(functions)
            ]
            calls += len(functions)
        if message["role"] == "tool":
            told["tool_call_id"] = f"call_{answered}"
            answered += 1
        messages.append(told)
    named = {"model": "model", "tools": "tools", "response_format": "format"}
    given = {name: body[here] for name, here in named.items() if body.get(here)}
    return {**given, "messages": messages, "stream": body.get("stream", True)}


def answer(request: Request, reply: Reply) -> dict[str, Any]:
    """Return the body of an answer that is not streamed."""
    return _line(request, reply.content or "", _calls(reply), _end(request, reply))


def lines(request: Request, reply: Reply) -> Iterator[tuple[str, object]]:
    """Yield the lines of a streamed answer."""
    for piece in words(reply.content):
        yield "", _line(request, piece, [], {"done": False})
    if reply.calls:
        yield "", _line(request, "", _calls(reply), {"done": False})
    yield "", _line(request, "", [], _end(request, reply))


def error(failure: Failure) -> dict[str, Any]:
    """Return the body of an error."""
    return {"error": failure.message}


def _line(
    request: Request, text: str, calls: list[dict[str, Any]], end: dict[str, Any]
) -> dict[str, Any]:
    message = {"role": "assistant", "content": text, **({"tool_calls": calls} if calls else {})}
    return {"model": request.model, "created_at": _CREATED, "message": message, **end}


def _calls(reply: Reply) -> list[dict[str, Any]]:
    return [
        {"function": {"name": call.name, "arguments": arguments_of(call)}} for call in reply.calls
    ]


def _end(request: Request, reply: Reply) -> dict[str, Any]:
    prompt, completed = usage_of(request, reply)
    counts = {"prompt_eval_count": prompt, "eval_count": completed}
    times = ("total_duration", "load_duration", "prompt_eval_duration", "eval_duration")
    reason = reply.finish or "stop"
    return {"done": True, "done_reason": reason, **counts, **dict.fromkeys(times, 1)}
