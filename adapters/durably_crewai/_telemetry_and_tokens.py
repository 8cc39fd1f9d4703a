"""What only keeps the rest working: live tokens, no telemetry from durable runs, signals."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Mapping
from types import FrameType
from typing import Any
from urllib.parse import urlsplit

from durably.adapting import Scope

from ._event_bus import is_repeated, overhear
from .models._token_usage import note_usage

_TELEMETRY = ("CREWAI_DISABLE_TELEMETRY", "CREWAI_DISABLE_TRACKING", "OTEL_SDK_DISABLED")
_THEIRS = "crewai.com"
_VERSION_CHECK = "CREWAI_DISABLE_VERSION_CHECK"
_DEFAULTS: Mapping[int, Any] = {
    signal.SIGTERM: signal.SIG_DFL,
    signal.SIGINT: signal.default_int_handler,
}
_HANDLER = "._register_signal_handler.<locals>.handler"
_CHUNKS = {"llm_stream_chunk": "text", "llm_thinking_chunk": "thinking"}


def emit(scope: Scope, original: Callable[..., Any], self: Any, source: Any, event: Any) -> Any:
    """Pass the tokens of streaming models on to whoever streams the run.

    A part of mode ``messages`` is ``(text, {"kind", "model", "agent", "task", …})``; CrewAI emits
    these events in the thread that reads them, so parts come in order. A tool call that the model
    is writing has an empty text; its name and the next piece of its arguments are beside it. An
    answer from the journal is one part without a text, of kind ``replayed``.
    """
    note_usage(event)
    overhear(source, event)
    if scope.run.sink is not None:
        _stream(scope, source, event)
    return original(self, source, event)


def _stream(scope: Scope, source: Any, event: Any) -> None:
    if event.type == "llm_call_completed" and is_repeated():
        scope.emit("messages", ("", _origin(source, event, "replayed")))
        return
    if event.type not in _CHUNKS:
        return
    call = getattr(event, "tool_call", None)
    if call is not None:
        told = {"id": call.id, "index": call.index, "name": call.function.name}
        told |= {"arguments": event.chunk, **_origin(source, event, "tool_call")}
        scope.emit("messages", ("", told))
    elif event.chunk:
        scope.emit("messages", (event.chunk, _origin(source, event, _CHUNKS[event.type])))


def _origin(source: Any, event: Any, kind: str) -> dict[str, Any]:
    return {
        "kind": kind,
        "model": getattr(event, "model", None) or getattr(source, "model", None),
        "agent": getattr(event, "agent_role", None),
        "task": getattr(event, "task_name", None),
    }


def is_interactive_terminal(scope: Scope, original: Callable[..., bool]) -> bool:
    """Keep CrewAI from asking in a run whether its traces may be sent.

    Tracing that the program or the environment has switched on is not asked about.
    """
    del scope, original
    return False


def newer_version(
    scope: Scope, original: Callable[[], tuple[bool, str, str | None]]
) -> tuple[bool, str, str | None]:
    """Look for a newer CrewAI only if the environment says anything about it."""
    del scope
    return original() if _VERSION_CHECK in os.environ else (False, "", None)


def yanked_version(scope: Scope, original: Callable[[], tuple[bool, str]]) -> tuple[bool, str]:
    """Ask whether this CrewAI was withdrawn under the same condition."""
    del scope
    return original() if _VERSION_CHECK in os.environ else (False, "")


def export(scope: Scope | None, original: Callable[..., Any], self: Any, spans: Any) -> Any:
    """Keep CrewAI's telemetry on this machine unless the environment says anything about it.

    Spans are collected as ever and sent in batches, from a thread of their own and after the run
    too; so none are sent to CrewAI from a process in which durably is at work. A collector of the
    user's own is no business of ours.
    """
    del scope
    host = urlsplit(getattr(self, "_endpoint", "")).hostname or _THEIRS
    if any(name in os.environ for name in _TELEMETRY) or not host.endswith(_THEIRS):
        return original(self, spans)
    from opentelemetry.sdk.trace.export import SpanExportResult

    return SpanExportResult.SUCCESS


def shut_down(scope: Scope, original: Callable[..., None], self: Any) -> None:
    """Interrupt a run for a signal that ends the process, for ``Telemetry._shutdown``.

    CrewAI's telemetry handles SIGTERM, and then leaves with ``SystemExit(0)``, as a program does
    that is done. Signals that a program handles itself are left to it.
    """
    del scope
    original(self)
    number = _handled_signal()
    if number is not None and number in _DEFAULTS:
        taken = getattr(self, "_original_handlers", {})
        if taken.get(number, _DEFAULTS[number]) == _DEFAULTS[number]:
            raise KeyboardInterrupt


def _handled_signal() -> int | None:
    """Return the signal that CrewAI's telemetry is handling; None if it shuts down for another end.

    Its handler is local to a function that was called before the run, so only the stack tells.
    """
    frame: FrameType | None = sys._getframe(1)
    while frame is not None:
        if frame.f_code.co_qualname.endswith(_HANDLER):
            number: int = frame.f_locals["signum"]
            return number
        frame = frame.f_back
    return None
