"""The APIs that the model server speaks: which paths are whose, and what each is made of.

A request of any of them is told to the script in the form of OpenAI's chat completions, so that one
script plays the model for every provider.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from .reply import Failure, Reply
from .request import Request
from .wire import anthropic as _wire_anthropic
from .wire import bedrock as _wire_bedrock
from .wire import gemini as _wire_gemini
from .wire import ollama as _wire_ollama
from .wire import openai_chat as _wire
from .wire import openai_responses as _wire_responses

Event = tuple[str, object]
"""A server-sent event: its name (empty if it has none) and its data, a text or JSON."""


@dataclass(frozen=True)
class Dialect:
    """One API.

    Attributes:
        path: Matches the paths it is asked at; may hold a group ``model``.
        chat: Makes the body of a chat request from a body of this API.
        answer: Makes the body of an answer.
        events: Makes the events of a streamed answer.
        error: Makes the body of an error.
        streams: Whether an answer is streamed; told by the path, or by the body if None.
        in_lines: Whether a stream is lines of JSON rather than server-sent events.
    """

    path: re.Pattern[str]
    chat: Callable[[Mapping[str, Any]], Mapping[str, Any]]
    answer: Callable[[Request, Reply], object]
    events: Callable[[Request, Reply], Iterator[Event]]
    error: Callable[[Failure], object]
    streams: bool | None = None
    in_lines: bool = False

    def request(self, match: re.Match[str], body: Mapping[str, Any]) -> Request:
        """Return what was asked, as a script sees it.

        Raises:
            ValueError: The body is none of this API.
        """
        chat = dict(self.chat(body))
        model = match.groupdict().get("model")
        if model:
            chat.setdefault("model", model)
        if self.streams is not None:
            chat["stream"] = self.streams
        return Request.of(chat)


def _chat_events(request: Request, reply: Reply) -> Iterator[Event]:
    for chunk in _wire.chunks(request, reply):
        yield "", chunk
    yield "", "[DONE]"


_MODEL = r"/v1(?:beta)?/(?:[^?]*/)?models/(?P<model>[^/:?]+)"

DIALECTS = (
    Dialect(
        re.compile(
            r"(?:/v1|/openai(?:/v1)?|/openai/deployments/(?P<model>[^/]+))?/chat/completions"
        ),
        lambda body: body,
        _wire.completion,
        _chat_events,
        _wire.error,
    ),
    Dialect(
        re.compile(r"(?:/openai)?/v1/responses"),
        _wire_responses.chat,
        _wire_responses.response,
        _wire_responses.events,
        _wire.error,
    ),
    Dialect(
        re.compile(r"/v1/messages"),
        _wire_anthropic.chat,
        _wire_anthropic.message,
        _wire_anthropic.events,
        _wire_anthropic.error,
    ),
    Dialect(
        re.compile(rf"{_MODEL}:generateContent"),
        _wire_gemini.chat,
        _wire_gemini.content,
        _wire_gemini.events,
        _wire_gemini.error,
        streams=False,
    ),
    Dialect(
        re.compile(rf"{_MODEL}:streamGenerateContent"),
        _wire_gemini.chat,
        _wire_gemini.content,
        _wire_gemini.events,
        _wire_gemini.error,
        streams=True,
    ),
    Dialect(
        re.compile(r"/model/(?P<model>[^/]+)/converse"),
        _wire_bedrock.chat,
        _wire_bedrock.converse,
        _wire_bedrock.events,
        _wire_bedrock.error,
        streams=False,
    ),
    Dialect(
        re.compile(r"/api/chat"),
        _wire_ollama.chat,
        _wire_ollama.answer,
        _wire_ollama.lines,
        _wire_ollama.error,
        in_lines=True,
    ),
)


def dialect_at(path: str) -> tuple[Dialect, re.Match[str]] | None:
    """Return the API that is asked at *path*, or None."""
    for dialect in DIALECTS:
        match = dialect.path.fullmatch(path)
        if match is not None:
            return dialect, match
    return None
