"""Providers of people's input that handle the whole feedback on a task's result by themselves.

``set_provider`` takes any object that has the methods of ``HumanInputProvider``. One that only asks
in another way (``_prompt_input``) is asked step by step, in CrewAI's own rounds; of one that makes
its own rounds nobody can see where it asks, so that its feedback as a whole is one step.
"""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Generator, Mapping
from contextlib import contextmanager
from typing import Any

from durably.adapting import Call, Scope, is_gated
from durably.errors import EncodeError

from ._provider_memory import provider_here
from ._questions import is_own, provided, review, reviewed, shown


def handle_human_feedback(
    scope: Scope, original: Callable[..., Any], self: Any, formatted_answer: Any
) -> Any:
    """Have a provider of the program's own be asked once, for ``_handle_human_feedback``."""
    if not _makes_rounds("handle_feedback", "_prompt_input"):
        return original(self, formatted_answer)
    with _on_the_table(formatted_answer, self):
        call = _feedback(scope, self)
        return scope.step(call, lambda: original(self, formatted_answer))


async def ahandle_human_feedback(
    scope: Scope, original: Callable[..., Awaitable[Any]], self: Any, formatted_answer: Any
) -> Any:
    """Have a provider be asked once, for ``_ahandle_human_feedback``."""
    if not _makes_rounds("handle_feedback_async", "_prompt_input_async"):
        return await original(self, formatted_answer)
    with _on_the_table(formatted_answer, self):
        call = _feedback(scope, self)
        return await scope.astep(call, lambda: original(self, formatted_answer))


def _makes_rounds(handling: str, asking: str) -> bool:
    """Say whether the provider at hand asks where no seam sees it.

    Args:
        handling: Its method that handles the feedback on a result.
        asking: The one by which CrewAI's own rounds ask.
    """
    provider = provider_here()
    return is_own(_plain(provider, handling)) or not is_gated(_plain(provider, asking))


def _plain(provider: Any, name: str) -> Any:
    """Return the function behind a provider's method; what an object hides shows no function."""
    found = inspect.getattr_static(provider, name, None)
    return found.__func__ if isinstance(found, staticmethod | classmethod) else found


@contextmanager
def _on_the_table(answer: Any, executor: Any) -> Generator[None]:
    token = reviewed.set((answer, executor))
    try:
        yield
    finally:
        reviewed.reset(token)


def _feedback(scope: Scope, executor: Any) -> Call:
    """Return the step of a whole feedback; it leaves the agent's conversation behind on replay."""

    def dump(answer: Any) -> Mapping[str, Any]:
        return {
            "answer": _writable(scope, answer, _as_text),
            "messages": _writable(scope, list(executor.messages), lambda _: None),
        }

    def load(stored: Mapping[str, Any]) -> Any:
        if stored["messages"] is not None:
            executor.messages = [*stored["messages"]]
        executor.ask_for_human_input = False
        complete = getattr(executor, "_complete_feedback", None)
        if complete is not None:
            complete(stored["answer"])
        return stored["answer"]

    return provided(scope, review(executor.crew), dump=dump, load=load)


def _writable(scope: Scope, value: Any, otherwise: Callable[[Any], Any]) -> Any:
    try:
        scope.run.codec.encode(value)
    except EncodeError:
        return otherwise(value)
    return value


def _as_text(answer: Any) -> Any:
    """Return an agent's answer with its output as the text that a person is shown."""
    return type(answer)(thought=answer.thought, output=shown(answer.output), text=answer.text)
