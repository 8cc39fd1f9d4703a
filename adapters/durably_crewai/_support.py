"""What only keeps the rest working: live tokens, and no telemetry from durable runs."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

from durably.adapting import Scope

from ._announcing import overhear
from ._methods import note_usage

_TELEMETRY = ("CREWAI_DISABLE_TELEMETRY", "CREWAI_DISABLE_TRACKING", "OTEL_SDK_DISABLED")
_CHUNKS = frozenset({"llm_stream_chunk", "llm_thinking_chunk"})


def emit(scope: Scope, original: Callable[..., Any], self: Any, source: Any, event: Any) -> Any:
    """Pass the tokens of streaming models on to whoever streams the run.

    A part of mode ``messages`` is ``(text, {"model", "agent", "task", "kind"})``; CrewAI emits
    these events in the thread that reads them, so parts come in order.
    """
    note_usage(event)
    overhear(source, event)
    if scope.run.sink is not None and event.type in _CHUNKS and event.chunk:
        scope.emit("messages", (event.chunk, _origin(source, event)))
    return original(self, source, event)


def _origin(source: Any, event: Any) -> dict[str, Any]:
    return {
        "kind": "thinking" if event.type == "llm_thinking_chunk" else "text",
        "model": getattr(event, "model", None) or getattr(source, "model", None),
        "agent": getattr(event, "agent_role", None),
        "task": getattr(event, "task_name", None),
    }


def export(scope: Scope | None, original: Callable[..., Any], self: Any, spans: Any) -> Any:
    """Keep CrewAI's telemetry on this machine unless the environment says anything about it.

    Spans are collected as ever and sent in batches, from a thread of their own and after the run
    too; so none are sent from a process in which durably is at work.
    """
    del scope
    if any(name in os.environ for name in _TELEMETRY):
        return original(self, spans)
    from opentelemetry.sdk.trace.export import SpanExportResult

    return SpanExportResult.SUCCESS
