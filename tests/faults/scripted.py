"""A model whose answers stand in the task's text: a pure function of the request.

``<<send {"to": "ann"}>>`` calls a tool, ``<<say Done.>>`` ends the turn, and
``<<if shorter => Short.>>`` answers at once where the word stands elsewhere in the request.
"""

from __future__ import annotations

import re

from durably.testing import Reply, Request

_MARK = re.compile(r"<<(\w+) (.*?)>>", re.DOTALL)


def scripted(request: Request) -> Reply:
    """Return the answer that the newest marked message asks for."""
    marks = _newest_marks(request)
    elsewhere = _MARK.sub("", "\n".join(request.texts))
    steps: list[tuple[str, str]] = []
    for word, rest in marks:
        if word != "if":
            steps.append((word, rest))
            continue
        needle, _, answer = rest.partition("=>")
        if needle.strip() in elsewhere:
            return Reply.text(answer.strip())
    if not steps:
        return Reply.text("Nothing to do.")
    word, rest = steps[min(_calls_so_far(request), len(steps) - 1)]
    if word == "json":
        return Reply.text(rest)
    return Reply.text(_with_results(request, rest)) if word == "say" else Reply.tool(word, rest)


def _newest_marks(request: Request) -> list[tuple[str, str]]:
    for text in reversed(request.texts):
        if found := _MARK.findall(text):
            return found
    return []


def _calls_so_far(request: Request) -> int:
    answers = [one for one in request.messages if one.get("role") == "assistant"]
    return sum(1 for one in answers if one.get("tool_calls"))


def _with_results(request: Request, text: str) -> str:
    pairs = zip(request.messages, request.texts, strict=True)
    results = [said for message, said in pairs if message.get("role") == "tool"]
    return f"{text} ({'; '.join(results)})" if results else text
