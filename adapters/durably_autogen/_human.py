"""People: what a ``UserProxyAgent`` would read from the terminal is a durable question."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from durably.adapting import Call, Scope, Seam


async def _get_input(
    scope: Scope,
    original: Callable[..., Awaitable[Any]],
    self: Any,
    prompt: str,
    *args: Any,
    **kwargs: Any,
) -> str:
    """Ask in place of the agent's ``input_func``: the answer may come days later.

    What a subclass asks by means of its own is a step.
    """
    question = {"kind": "input_required", "name": self.name, "message": prompt.strip()}
    if not original.__module__.startswith("autogen_agentchat."):
        call = Call("human", self.name, question, effect=True, adapter="autogen")
        return _text(await scope.astep(call, lambda: original(self, prompt, *args, **kwargs)))
    return _text(
        await scope.aask("input", question, here=lambda: original(self, prompt, *args, **kwargs))
    )


def _text(answer: Any) -> str:
    """Return an answer as the text that the framework expects."""
    if isinstance(answer, Mapping):
        answer = answer.get("message", answer.get("value", answer))
    return answer if isinstance(answer, str) else json.dumps(answer, default=str)


SEAMS = (
    Seam(
        "autogen_agentchat.agents:UserProxyAgent._get_input",
        "human",
        _get_input,
        "people are asked in the terminal, and asked again after a crash",
        params=("prompt",),
        subclasses=True,
    ),
)
