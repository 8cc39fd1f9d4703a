"""The wire format of Google's Gemini API.

The shapes are those of the Gemini API reference, "Generating content".
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ..reply import Failure, Reply
from ..request import Request
from .parts import arguments_of, assistant, called, given, result, usage_of, words

_STATUS = {400: "INVALID_ARGUMENT", 404: "NOT_FOUND", 429: "RESOURCE_EXHAUSTED", 503: "UNAVAILABLE"}


def chat(body: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the chat request that a body stands for."""
    messages: list[dict[str, Any]] = []
    if body.get("systemInstruction"):
        messages.append({"role": "system", "content": _text(body["systemInstruction"]["parts"])})
    for content in body.get("contents", []):
        messages += _messages(content)
    return {**given(body, "tools"), "messages": messages}


def _messages(content: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    parts = content["parts"]
    if content.get("role") == "model":
        calls = [
            # Gemini's calls have no ids; a result names its tool.
            called(part["functionCall"]["name"], part["functionCall"]["name"], _called(part))
            for part in parts
            if "functionCall" in part
        ]
        yield assistant(_text(parts), calls)
        return
    for part in parts:
        if "functionResponse" in part:
            given_back = part["functionResponse"]
            yield result(given_back["name"], given_back.get("response"))
    rest = [part for part in parts if "functionResponse" not in part]
    if rest or not parts:
        yield {"role": "user", "content": rest}


def _called(part: Mapping[str, Any]) -> Any:
    return part["functionCall"].get("args") or {}


def _text(parts: Any) -> str:
    return "".join(str(part.get("text", "")) for part in parts)


def content(request: Request, reply: Reply) -> dict[str, Any]:
    """Return the body of an answer that is not streamed."""
    text = [] if reply.content is None else [{"text": reply.content}]
    return _answer(request, reply, [*text, *_calls(reply)], last=True)


def events(request: Request, reply: Reply) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the events of a streamed answer."""
    for piece in words(reply.content):
        yield "", _answer(request, reply, [{"text": piece}])
    yield "", _answer(request, reply, _calls(reply), last=True)


def error(failure: Failure) -> dict[str, Any]:
    """Return the body of an error."""
    status = _STATUS.get(failure.status, "INTERNAL")
    return {"error": {"code": failure.status, "message": failure.message, "status": status}}


def _calls(reply: Reply) -> list[dict[str, Any]]:
    return [
        {"functionCall": {"name": call.name, "args": arguments_of(call)}} for call in reply.calls
    ]


def _answer(
    request: Request, reply: Reply, parts: list[dict[str, Any]], *, last: bool = False
) -> dict[str, Any]:
    prompt, completed = usage_of(request, reply)
    candidate: dict[str, Any] = {"content": {"role": "model", "parts": parts}, "index": 0}
    if last:
        candidate["finishReason"] = "MAX_TOKENS" if reply.finish == "length" else "STOP"
    return {
        "candidates": [candidate],
        "modelVersion": request.model,
        "responseId": request.fingerprint,
        "usageMetadata": {
            "promptTokenCount": prompt,
            "candidatesTokenCount": completed,
            "totalTokenCount": prompt + completed,
        },
    }
