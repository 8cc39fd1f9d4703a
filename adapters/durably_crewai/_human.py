"""Questions to people: ``human_input=True``, ``@human_feedback``, ``Flow.ask``, hooks that ask."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from contextvars import ContextVar
from typing import Any

from durably.adapting import Call, Scope

_PROMPT = (
    "Give feedback on the result. An empty answer accepts it; anything else has it improved, "
    "and you will be asked again."
)
_FEEDBACK = ("message", "output", "metadata", "emit", "method_name")
"""Parameters of ``Flow._request_human_feedback`` in order."""

_TRAINING_PROMPT = "Training: give feedback on the result and how it was reached."

_reviewed: ContextVar[tuple[Any, Any] | None] = ContextVar("durably_crewai_reviewed", default=None)
"""The agent's first answer and its executor, while a person is asked about it."""


def handle_feedback(
    scope: Scope, original: Callable[..., Any], self: Any, formatted_answer: Any, context: Any
) -> Any:
    """Note what is being reviewed in ``SyncHumanInputProvider.handle_feedback``."""
    del scope
    token = _reviewed.set((formatted_answer, context))
    try:
        return original(self, formatted_answer, context)
    finally:
        _reviewed.reset(token)


async def handle_feedback_async(
    scope: Scope,
    original: Callable[..., Awaitable[Any]],
    self: Any,
    formatted_answer: Any,
    context: Any,
) -> Any:
    """Note what is being reviewed in ``SyncHumanInputProvider.handle_feedback_async``."""
    del scope
    token = _reviewed.set((formatted_answer, context))
    try:
        return await original(self, formatted_answer, context)
    finally:
        _reviewed.reset(token)


def prompt_input(scope: Scope, original: Callable[..., str], crew: Any) -> str:
    """Ask for feedback durably instead of at the terminal, for ``_prompt_input``."""
    return _text(scope.ask("human_input", _review(crew), here=lambda: original(crew)))


async def prompt_input_async(scope: Scope, original: Callable[..., Any], crew: Any) -> str:
    """Ask for feedback durably, for ``_prompt_input_async``."""
    return _text(await scope.aask("human_input", _review(crew), here=lambda: original(crew)))


def _review(crew: Any) -> dict[str, Any]:
    """Return the question about the answer that is on the table now."""
    trains = bool(getattr(crew, "_train", False))
    question: dict[str, Any] = {
        "kind": "input_required",
        "name": "human_input",
        "message": _TRAINING_PROMPT if trains else _PROMPT,
    }
    reviewed = _reviewed.get()
    if reviewed is None:
        return question
    first, context = reviewed
    answer = getattr(getattr(context, "state", None), "current_answer", None) or first
    question["answer"] = _shown(getattr(answer, "output", answer))
    if context.agent is not None:
        question["agent"] = " ".join(str(context.agent.role).split())
    if context.task is not None:
        question["task"] = context.task.description
    return question


def request_human_input(
    scope: Scope,
    original: Callable[..., str],
    self: Any,
    prompt: str,
    default_message: str = "",
) -> str:
    """Ask durably what a hook asks with ``context.request_human_input``."""
    name = str(getattr(self, "tool_name", None) or "hook")
    question: dict[str, Any] = {
        "kind": "input_required",
        "name": name,
        "message": "\n".join(filter(None, (prompt, default_message))),
    }
    arguments = getattr(self, "tool_input", None)
    if isinstance(arguments, Mapping):
        question["args"] = dict(arguments)
    return _text(
        scope.ask(name, question, here=lambda: original(self, prompt, default_message))
    ).strip()


def ask(
    scope: Scope,
    original: Callable[..., Any],
    self: Any,
    message: str,
    *args: Any,
    **kwargs: Any,
) -> str | None:
    """Ask durably what ``Flow.ask`` asks at the console; a flow's own provider is a step.

    Its timeout does not count while nothing runs: the answer may come days later.
    """
    question: dict[str, Any] = {"kind": "input_required", "name": "ask", "message": message}
    metadata = kwargs.get("metadata", args[1] if len(args) > 1 else None)
    if metadata:
        question["metadata"] = metadata

    def here() -> Any:
        return original(self, message, *args, **kwargs)

    if type(self._resolve_input_provider()).__name__ == "ConsoleProvider":
        answer = scope.ask("ask", question, here=here)
    else:
        call = Call("human", "ask", question, effect=True, adapter="crewai")
        answer = scope.step(call, here)
    return None if answer is None else _text(answer)


def request_feedback(
    scope: Scope,
    original: Callable[..., str],
    self: Any,
    /,
    *args: Any,
    **kwargs: Any,
) -> str:
    """Ask durably what ``@human_feedback`` asks at the console."""
    asked = {**dict(zip(_FEEDBACK, args, strict=False)), **kwargs}
    question: dict[str, Any] = {
        "kind": "input_required",
        "name": str(asked.get("method_name") or "human_feedback"),
        "message": asked["message"],
        "answer": _shown(asked["output"]),
    }
    if asked.get("emit"):
        question["outcomes"] = list(asked["emit"])
    if asked.get("metadata"):
        question["metadata"] = asked["metadata"]
    return _text(
        scope.ask("human_feedback", question, here=lambda: original(self, *args, **kwargs))
    )


def _shown(output: Any) -> str:
    if isinstance(output, str):
        return output
    as_json = getattr(output, "model_dump_json", None)
    return str(as_json() if as_json is not None else output)


def _text(answer: Any) -> str:
    """Return an answer as what a person would have typed."""
    if isinstance(answer, Mapping):
        answer = answer.get("message", answer.get("value", answer))
    return "" if answer is None else str(answer)
