"""Questions of flows: ``Flow.ask``, ``@human_feedback``, and providers of a user's own."""

from __future__ import annotations

import asyncio
import inspect
import sys
from collections.abc import Callable, Mapping
from typing import Any

from durably.adapting import Call, Scope, live_scope

from .._questions import answer_text, shown

_FEEDBACK = ("message", "output", "metadata", "emit", "method_name")
"""Parameters of ``Flow._request_human_feedback`` in order."""

_CONSOLE = "ConsoleProvider"


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
    metadata = kwargs.get("metadata", args[1] if len(args) > 1 else None)
    question: dict[str, Any] = {"kind": "input_required", "name": "ask", "message": message}
    if metadata:
        question["metadata"] = metadata

    def here() -> Any:
        return original(self, message, *args, **kwargs)

    if type(self._resolve_input_provider()).__name__ != _CONSOLE:
        return _ask_provider(scope, self, question, here)
    if scope.run.options.asks_here:
        answer = scope.ask("ask", question, here=here)
        return None if answer is None else answer_text(answer)
    told = {"message": message, "metadata": metadata, "method_name": _method_name()}
    _announce(self, "FlowInputRequestedEvent", **told)
    answer = answer_text(scope.ask("ask", question))
    when = scope.now().astimezone().replace(tzinfo=None)  # as CrewAI tells it
    _remember(self, {**told, "response": answer, "response_metadata": None, "timestamp": when})
    _announce(self, "FlowInputReceivedEvent", **told, response=answer)
    return answer


def _ask_provider(
    scope: Scope, flow: Any, question: Mapping[str, Any], here: Callable[[], Any]
) -> str | None:
    """Ask a provider of the user's own once; the flow remembers the answer on replay, too."""
    history = getattr(flow, "_input_history", [])

    def again(stored: Mapping[str, Any]) -> Any:
        _remember(flow, stored["remembered"])
        return stored["answer"]

    call = Call(
        "human",
        "ask",
        question,
        effect=True,
        adapter="crewai",
        dump=lambda answer: {"answer": answer, "remembered": history[-1] if history else None},
        load=again,
    )
    answer = scope.step(call, here)
    return None if answer is None else answer_text(answer)


def _remember(flow: Any, asked: Mapping[str, Any] | None) -> None:
    history = getattr(flow, "_input_history", None)
    if history is not None and asked is not None:
        history.append(dict(asked))


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
    return _feedback(scope, self, asked, lambda: original(self, *args, **kwargs))


def resolve_feedback_provider(
    scope: Scope, original: Callable[..., Any], self: Any, *args: Any, **kwargs: Any
) -> Any:
    """Have the provider that a flow asks for feedback be asked once."""
    del scope
    provider = original(self, *args, **kwargs)
    return None if provider is None else _Asked(provider)


class _Asked:
    """A provider of feedback whose answers are journaled.

    Args:
        provider: The real one.
    """

    def __init__(self, provider: Any) -> None:
        self._provider = provider

    def request_feedback(self, context: Any, flow: Any) -> Any:
        """Ask for feedback; what a provider raises to have the flow pause is journaled, too."""
        scope, ask_it = live_scope(), self._provider.request_feedback
        if scope is None:
            return ask_it(context, flow)
        asked = {name: getattr(context, name, None) for name in ("message", "metadata", "emit")}
        asked |= {"method_name": context.method_name, "output": context.method_output}
        if type(self._provider).__name__ == _CONSOLE:
            return _feedback(scope, flow, asked, lambda: ask_it(context, flow))
        call = Call(
            "human",
            str(context.method_name),
            _question(asked),
            effect=True,
            adapter="crewai",
        )
        if inspect.iscoroutinefunction(ask_it):
            return scope.astep(call, lambda: ask_it(context, flow))
        return scope.astep(call, lambda: _awaited(ask_it, context, flow))


async def _awaited(ask_it: Callable[..., Any], context: Any, flow: Any) -> Any:
    """Return what a plain function that may block returns, or the coroutine that it returns."""
    found = await asyncio.to_thread(ask_it, context, flow)
    return await found if inspect.iscoroutine(found) else found


def _feedback(scope: Scope, flow: Any, asked: Mapping[str, Any], here: Callable[[], Any]) -> str:
    question = _question(asked)
    if scope.run.options.asks_here:
        return answer_text(scope.ask("human_feedback", question, here=here))
    told = {"method_name": str(asked.get("method_name") or "")}
    more = {"message": asked["message"], "output": asked["output"], "emit": asked.get("emit")}
    _announce(flow, "HumanFeedbackRequestedEvent", **told, **more)
    feedback = answer_text(scope.ask("human_feedback", question)).strip()
    _announce(flow, "HumanFeedbackReceivedEvent", **told, feedback=feedback, outcome=None)
    return feedback


def _question(asked: Mapping[str, Any]) -> dict[str, Any]:
    question: dict[str, Any] = {
        "kind": "input_required",
        "name": str(asked.get("method_name") or "human_feedback"),
        "message": asked["message"],
        "answer": shown(asked["output"]),
    }
    if asked.get("emit"):
        question["outcomes"] = list(asked["emit"])
    if asked.get("metadata"):
        question["metadata"] = asked["metadata"]
    return question


def _method_name() -> str:
    """Return the name of the flow's method that asks."""
    context = sys.modules.get("crewai.flow.flow_context")
    found = getattr(context, "current_flow_method_name", None)
    return str(found.get("unknown")) if found is not None else "unknown"


def _announce(flow: Any, name: str, **told: Any) -> None:
    """Tell CrewAI's event bus what it would have been told at the console."""
    kind = getattr(sys.modules.get("crewai.events.types.flow_events"), name, None)
    bus = getattr(sys.modules.get("crewai.events.event_bus"), "crewai_event_bus", None)
    if kind is None or bus is None:
        return
    own = {key: value for key, value in told.items() if key in kind.model_fields}
    named = getattr(flow, "name", None) or type(flow).__name__
    bus.emit(flow, kind(type=kind.model_fields["type"].default, flow_name=named, **own))
