"""The wire format of OpenAI's Responses API.

The shapes are those of OpenAI's API reference, "Create a model response" and "Streaming events".
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ..reply import Reply
from ..request import Request
from .parts import assistant, call_id, called, given, result, usage_of, words

_CREATED = 1_700_000_000


def chat(body: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the chat request that a body stands for."""
    messages: list[dict[str, Any]] = []
    if body.get("instructions"):
        messages.append({"role": "system", "content": body["instructions"]})
    asked = body.get("input", [])
    items = [{"role": "user", "content": asked}] if isinstance(asked, str) else asked
    for item in items:
        match item.get("type", "message"):
            case "function_call":
                call = called(item["call_id"], item["name"], item["arguments"])
                if messages and messages[-1].get("tool_calls"):
                    messages[-1]["tool_calls"].append(call)
                else:
                    messages.append(assistant(None, [call]))
            case "function_call_output":
                messages.append(result(item["call_id"], item["output"]))
            case "message":
                messages.append({"role": item["role"], "content": item.get("content")})
            case _:
                pass  # reasoning and the like, which a script does not ask for
    shape = (body.get("text") or {}).get("format")
    more = {"response_format": shape} if shape else {}
    return {**given(body, "model", "tools", "tool_choice", "stream"), "messages": messages, **more}


def response(request: Request, reply: Reply) -> dict[str, Any]:
    """Return the body of an answer that is not streamed."""
    return _response(request, reply, "completed", _output(request, reply))


def events(request: Request, reply: Reply) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the events of a streamed answer."""
    numbered = enumerate(_events(request, reply))
    for number, event in numbered:
        yield event["type"], {**event, "sequence_number": number}


def _events(request: Request, reply: Reply) -> Iterator[dict[str, Any]]:
    begun = _response(request, reply, "in_progress", [])
    yield {"type": "response.created", "response": begun}
    for index, item in enumerate(_output(request, reply)):
        place = {"output_index": index, "item_id": item["id"]}
        yield {"type": "response.output_item.added", "output_index": index, "item": item}
        if item["type"] == "message":
            for piece in words(reply.content):
                yield {
                    "type": "response.output_text.delta",
                    "content_index": 0,
                    "delta": piece,
                    "logprobs": [],
                    **place,
                }
        else:
            arguments = item["arguments"]
            yield {"type": "response.function_call_arguments.delta", "delta": arguments, **place}
            yield {
                "type": "response.function_call_arguments.done",
                "arguments": arguments,
                "name": item["name"],
                **place,
            }
        yield {"type": "response.output_item.done", "output_index": index, "item": item}
    yield {"type": "response.completed", "response": response(request, reply)}


def _output(request: Request, reply: Reply) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = []
    if reply.content is not None:
        part = {"type": "output_text", "text": reply.content, "annotations": [], "logprobs": []}
        items.append(
            {
                "type": "message",
                "id": f"msg_{request.fingerprint}",
                "status": "completed",
                "role": "assistant",
                "content": [part],
            }
        )
    for index, call in enumerate(reply.calls):
        identity = call_id(request, index)
        items.append(
            {
                "type": "function_call",
                "id": f"fc_{identity}",
                "call_id": identity,
                "name": call.name,
                "arguments": call.arguments,
                "status": "completed",
            }
        )
    return items


def _response(
    request: Request, reply: Reply, status: str, output: list[dict[str, Any]]
) -> dict[str, Any]:
    prompt, completed = usage_of(request, reply)
    return {
        "id": f"resp_{request.fingerprint}",
        "object": "response",
        "created_at": _CREATED,
        "status": status,
        "error": None,
        "incomplete_details": None,
        "instructions": None,
        "model": request.model,
        "output": output,
        "parallel_tool_calls": True,
        "temperature": 1.0,
        "tool_choice": "auto",
        "tools": [],
        "top_p": 1.0,
        "metadata": {},
        "usage": {
            "input_tokens": prompt,
            "input_tokens_details": {"cached_tokens": 0},
            "output_tokens": completed,
            "output_tokens_details": {"reasoning_tokens": 0},
            "total_tokens": prompt + completed,
        },
    }
