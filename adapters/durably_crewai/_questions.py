"""Questions to people about results of tasks (``human_input=True``), and of hooks that ask."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from contextvars import ContextVar
from typing import Any

from durably.adapting import Call, Scope

from ._provider_memory import PROVIDERS, ProviderMemory, provider_here

_PROMPT = (
    "Give feedback on the result. An empty answer accepts it; anything else has it improved, "
    "and you will be asked again."
)
_TRAINING_PROMPT = "Training: give feedback on the result and how it was reached."

reviewed: ContextVar[tuple[Any, Any] | None] = ContextVar("durably_crewai_reviewed", default=None)
"""The agent's first answer and its executor, while a person is asked about it."""


def handle_feedback(
    scope: Scope, original: Callable[..., Any], self: Any, formatted_answer: Any, context: Any
) -> Any:
    """Note what is being reviewed in ``SyncHumanInputProvider.handle_feedback``."""
    del scope
    token = reviewed.set((formatted_answer, context))
    try:
        return original(self, formatted_answer, context)
    finally:
        reviewed.reset(token)


async def handle_feedback_async(
    scope: Scope,
    original: Callable[..., Awaitable[Any]],
    self: Any,
    formatted_answer: Any,
    context: Any,
) -> Any:
    """Note what is being reviewed in ``SyncHumanInputProvider.handle_feedback_async``."""
    del scope
    token = reviewed.set((formatted_answer, context))
    try:
        return await original(self, formatted_answer, context)
    finally:
        reviewed.reset(token)


def prompt_input(scope: Scope, original: Callable[..., str], *args: Any, **kwargs: Any) -> Any:
    """Ask for feedback durably instead of at the terminal, for ``_prompt_input``.

    What a subclass asks by means of its own is a step. It may be a static method, as CrewAI's, or
    take the provider.
    """
    question = review(kwargs.get("crew", args[-1] if args else None))
    if is_own(original):
        return scope.step(provided(scope, question), lambda: original(*args, **kwargs))
    return answer_text(scope.ask("human_input", question, here=lambda: original(*args, **kwargs)))


async def prompt_input_async(
    scope: Scope, original: Callable[..., Any], *args: Any, **kwargs: Any
) -> Any:
    """Ask for feedback durably as :func:`prompt_input` does, for ``_prompt_input_async``."""
    question = review(kwargs.get("crew", args[-1] if args else None))
    if is_own(original):
        return await scope.astep(provided(scope, question), lambda: original(*args, **kwargs))
    answer = await scope.aask("human_input", question, here=lambda: original(*args, **kwargs))
    return answer_text(answer)


def is_own(function: Callable[..., Any]) -> bool:
    """Say whether a provider's function is the program's own, and not CrewAI's."""
    return getattr(function, "__module__", None) != PROVIDERS


def provided(
    scope: Scope,
    question: Mapping[str, Any],
    *,
    dump: Callable[[Any], Any] = lambda answer: answer,
    load: Callable[[Any], Any] = lambda stored: stored,
) -> Call:
    """Return the step in which a provider of the program's own asks somebody.

    Args:
        scope: Where.
        question: What is reviewed.
        dump: Makes data of what the provider returned.
        load: Makes what it returned of that data.
    """
    memory = ProviderMemory(scope.run, provider_here())

    def again(stored: Mapping[str, Any]) -> Any:
        memory.put_back(stored["provider"])
        return load(stored["answer"])

    return Call(
        "human",
        "human_input",
        question,
        effect=True,
        adapter="crewai",
        dump=lambda answer: {"answer": dump(answer), "provider": memory.changes()},
        load=again,
    )


def review(crew: Any) -> dict[str, Any]:
    """Return the question about the answer that is on the table now."""
    trains = bool(getattr(crew, "_train", False))
    question: dict[str, Any] = {
        "kind": "input_required",
        "name": "human_input",
        "message": _TRAINING_PROMPT if trains else _PROMPT,
    }
    on_the_table = reviewed.get()
    if on_the_table is None:
        return question
    first, context = on_the_table
    state = getattr(context, "state", None)
    newest = _newest(context) if state is None else getattr(state, "current_answer", None)
    answer = newest or first
    question["answer"] = shown(getattr(answer, "output", answer))
    if context.agent is not None:
        question["agent"] = " ".join(str(context.agent.role).split())
    if context.task is not None:
        question["task"] = context.task.description
    return question


def _newest(context: Any) -> str:
    """Return what the agent said last; before CrewAI 1.14 only its messages tell."""
    messages = getattr(context, "messages", ())
    said = [one.get("content") for one in messages if one.get("role") == "assistant"]
    return str(said[-1] or "").rpartition("Final Answer:")[2].strip() if said else ""


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
    return answer_text(
        scope.ask(name, question, here=lambda: original(self, prompt, default_message))
    ).strip()


def shown(output: Any) -> str:
    """Return what is reviewed as a text."""
    if isinstance(output, str):
        return output
    as_json = getattr(output, "model_dump_json", None)
    return str(as_json() if as_json is not None else output)


def answer_text(answer: Any) -> str:
    """Return an answer as what a person would have typed."""
    if isinstance(answer, Mapping):
        answer = answer.get("message", answer.get("value", answer))
    return "" if answer is None else str(answer)
