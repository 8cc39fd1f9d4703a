"""What CrewAI's event bus is told of steps: noted when they are executed, told again on replay."""

from __future__ import annotations

import sys
from collections.abc import Generator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from contextvars import ContextVar
from typing import Any

from durably.adapting import Codec
from durably.errors import EncodeError

_STARTED, _COMPLETED, _FAILED = "llm_call_started", "llm_call_completed", "llm_call_failed"
_OF_A_CALL = frozenset({_STARTED, _COMPLETED, _FAILED})

_TOKENS = frozenset({"llm_stream_chunk", "llm_thinking_chunk"})
"""Streamed tokens, which are not streamed again."""

_DETAILS = ("usage", "finish_reason", "response_id")
"""Fields of ``LLMCallCompletedEvent`` that only the provider knows; the others are at hand."""

_ASKED = ("messages", "tools", "callbacks", "available_functions", "from_task", "from_agent")

_listening: ContextVar[tuple[Overheard, ...]] = ContextVar("durably_crewai_listening", default=())
"""The steps that are being executed around this code, from the outermost on."""


_repeating: ContextVar[bool] = ContextVar("durably_crewai_repeating", default=False)


def is_repeated() -> bool:
    """Say whether what is announced here is a call from the journal."""
    return _repeating.get()


def overhear(source: Any, event: Any) -> None:
    """Pass an event on to the steps that are being executed here."""
    for step in _listening.get():
        step.note(source, event)


class Overheard:
    """Whatever is announced while a step is executed.

    Args:
        codec: Says which values can be written.
    """

    def __init__(self, codec: Codec) -> None:
        self._codec = codec
        self._noted: list[list[Any]] = []

    @contextmanager
    def listening(self) -> Generator[None]:
        """Take note of what is announced in the block, and of nothing that was before."""
        self._noted = []
        token = _listening.set((*_listening.get(), self))
        try:
            yield
        finally:
            _listening.reset(token)

    def note(self, source: Any, event: Any) -> None:
        """Take note of one event."""
        del source
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

    def again(self, source: Any, noted: list[list[Any]], **more: Any) -> None:
        """Announce recorded events in the name of *source*, with *more* that they are about."""
        for name, told in noted:
            self._emit(source, name, {**told, **more})

    def _emit(self, source: Any, name: str, told: dict[str, Any]) -> None:
        module, _, attribute = name.partition(":")
        kind = getattr(sys.modules.get(module), attribute, None)
        if kind is not None:
            sys.modules["crewai.events.event_bus"].crewai_event_bus.emit(source, kind(**told))


class Announced(Overheard):
    """What is announced while a model is called; of the call itself, what is not at hand.

    Args:
        codec: Says which values can be written.
        model: The ``BaseLLM`` that is called.
        given: The arguments of the call by name.

    Attributes:
        called: The model that is called in its place, if any, else itself.
    """

    def __init__(self, codec: Codec, model: Any, given: Mapping[str, Any]) -> None:
        super().__init__(codec)
        self._model = self.called = model
        self._given = given

    def note(self, source: Any, event: Any) -> None:
        """Take note of one event."""
        if source is not self.called or event.type not in _OF_A_CALL:
            super().note(source, event)
            return
        details: dict[str, Any] = {}
        if event.type == _COMPLETED:
            details = {key: getattr(event, key, None) for key in _DETAILS}
            details["call_type"] = getattr(event.call_type, "value", event.call_type)
        elif event.type == _FAILED:
            details["error"] = event.error
        self._noted.append([event.type, {k: v for k, v in details.items() if v is not None}])

    def answered(self, answer: Any, noted: list[list[Any]]) -> None:
        """Announce a recorded call as it was announced when it was made."""
        with _one_call(), _from_journal():
            for name, told in noted:
                more = {"response": answer} if name == _COMPLETED else {}
                self._emit(self._model, name, {**told, **more})

    def failed(self, error: Exception) -> None:
        """Announce a recorded call that failed."""
        if type(self._model).__module__.startswith("crewai."):
            with _one_call():
                self._emit(self._model, _STARTED, {})
                self._emit(self._model, _FAILED, {"error": str(error)})

    def _emit(self, source: Any, name: str, told: dict[str, Any]) -> None:
        given = {key: self._given.get(key) for key in _ASKED}
        asker = {key: given[key] for key in ("from_task", "from_agent")}
        if name == _STARTED:
            self._model._emit_call_started_event(**given)
        elif name == _FAILED:
            self._model._emit_call_failed_event(error=told["error"], **asker)
        elif name == _COMPLETED:
            call_type = _call_type(told.get("call_type"))
            told = {**told, **asker, "call_type": call_type, "messages": given["messages"]}
            self._model._emit_call_completed_event(**told)
        else:
            super()._emit(source, name, told)


def _one_call() -> AbstractContextManager[Any]:
    """Give the events of one call a common id, as CrewAI's model classes do."""
    context = getattr(sys.modules.get("crewai.llms.base_llm"), "llm_call_context", None)
    return nullcontext() if context is None else context()


@contextmanager
def _from_journal() -> Generator[None]:
    token = _repeating.set(True)
    try:
        yield
    finally:
        _repeating.reset(token)


def _call_type(value: Any) -> Any:
    return sys.modules["crewai.events.types.llm_events"].LLMCallType(value)


def _base_fields() -> Any:
    """Return the fields that every event is given anew."""
    return sys.modules["crewai.events.base_events"].BaseEvent.model_fields.keys() - {"type"}
