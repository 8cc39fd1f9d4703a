"""What CrewAI's event bus is told of steps: noted when they are executed, told again on replay."""

from __future__ import annotations

import sys
from collections.abc import Callable, Generator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from contextvars import ContextVar
from typing import Any

from durably.adapting import Codec
from durably.errors import EncodeError

_STARTED, _COMPLETED, _FAILED = "llm_call_started", "llm_call_completed", "llm_call_failed"
_NOTED = frozenset({_STARTED, _COMPLETED, _FAILED})

_TOKENS = frozenset({"llm_stream_chunk", "llm_thinking_chunk"})
"""Streamed tokens, which are not streamed again."""

_DETAILS = ("usage", "finish_reason", "response_id")
"""Fields of ``LLMCallCompletedEvent`` that only the provider knows; the others are at hand."""

_ASKED = ("messages", "tools", "callbacks", "available_functions", "from_task", "from_agent")


class Announced:
    """The events of one model call.

    Args:
        model: The ``BaseLLM`` that is called.
        given: The arguments of the call by name.
    """

    def __init__(self, model: Any, given: Mapping[str, Any]) -> None:
        self._model = model
        self._given = given
        self._noted: list[list[Any]] = []

    def begin(self) -> None:
        """Forget what an earlier attempt announced."""
        self._noted = []

    def note(self, event: Any) -> None:
        """Take note of an event of the model's own that is emitted while the call is made."""
        if event.type not in _NOTED:
            return
        details: dict[str, Any] = {}
        if event.type == _COMPLETED:
            details = {key: getattr(event, key, None) for key in _DETAILS}
            details["call_type"] = getattr(event.call_type, "value", event.call_type)
        elif event.type == _FAILED:
            details["error"] = event.error
        self._noted.append([event.type, {k: v for k, v in details.items() if v is not None}])

    def noted(self) -> list[list[Any]]:
        """Return what is written of the events."""
        return self._noted

    def again(self, noted: list[list[Any]], answer: Any) -> None:
        """Announce a recorded call as it was announced when it was made."""
        with _one_call():
            for kind, details in noted:
                self._emit(kind, {"response": answer, **details})

    def failed(self, error: Exception) -> None:
        """Announce a recorded call that failed."""
        if type(self._model).__module__.startswith("crewai."):
            self.again([[_STARTED, {}], [_FAILED, {"error": str(error)}]], None)

    def _emit(self, kind: str, details: dict[str, Any]) -> None:
        given = {key: self._given.get(key) for key in _ASKED}
        emit: Callable[..., None]
        if kind == _STARTED:
            self._model._emit_call_started_event(**given)
            return
        asker = {key: given[key] for key in ("from_task", "from_agent")}
        if kind == _FAILED:
            self._model._emit_call_failed_event(error=details["error"], **asker)
            return
        call_type = _llm_call_type(details.pop("call_type", None))
        emit = self._model._emit_call_completed_event
        emit(call_type=call_type, messages=given["messages"], **asker, **details)


def _one_call() -> AbstractContextManager[Any]:
    """Give the events of one call a common id, as CrewAI's model classes do."""
    context = getattr(sys.modules.get("crewai.llms.base_llm"), "llm_call_context", None)
    return nullcontext() if context is None else context()


def _llm_call_type(value: Any) -> Any:
    return sys.modules["crewai.events.types.llm_events"].LLMCallType(value)


_overhearing: ContextVar[Overheard | None] = ContextVar("durably_crewai_overheard", default=None)


class Overheard:
    """Whatever is announced while a step is executed, to be announced again on replay.

    Args:
        codec: Says which values can be written.
    """

    def __init__(self, codec: Codec) -> None:
        self._codec = codec
        self._noted: list[list[Any]] = []

    @contextmanager
    def listening(self) -> Generator[None]:
        """Take note of what is announced in the block."""
        self._noted = []
        token = _overhearing.set(self)
        try:
            yield
        finally:
            _overhearing.reset(token)

    def note(self, event: Any) -> None:
        """Take note of one event."""
        if event.type in _TOKENS:
            return
        own = type(event).model_fields.keys() - _base_fields()
        told = {name: value for name in own if self._can_write(value := getattr(event, name))}
        self._noted.append([f"{type(event).__module__}:{type(event).__qualname__}", told])

    def _can_write(self, value: Any) -> bool:
        try:
            self._codec.encode(value)
        except EncodeError:
            return False
        return True

    def noted(self) -> list[list[Any]]:
        """Return what is written of the events."""
        return self._noted

    def again(self, source: Any, noted: list[list[Any]]) -> None:
        """Announce recorded events in the name of *source*."""
        bus = sys.modules["crewai.events.event_bus"].crewai_event_bus
        for name, told in noted:
            module, _, attribute = name.partition(":")
            kind = getattr(sys.modules.get(module), attribute, None)
            if kind is not None:
                bus.emit(source, kind(**told))


def overhear(event: Any) -> None:
    """Pass an event on to the step that is being executed here, if it listens."""
    overheard = _overhearing.get()
    if overheard is not None:
        overheard.note(event)


def _base_fields() -> Any:
    """Return the fields that every event is given anew."""
    return sys.modules["crewai.events.base_events"].BaseEvent.model_fields.keys() - {"type"}
