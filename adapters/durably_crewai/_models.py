"""Model calls as steps: what is asked, what comes back, and the token counters it moves."""

from __future__ import annotations

import threading
from collections.abc import Awaitable, Callable, Generator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from durably.adapting import Call, Scope

from ._values import class_schema, without

_PARAMETERS = (
    "messages",
    "tools",
    "callbacks",
    "available_functions",
    "from_task",
    "from_agent",
    "response_model",
)
"""Parameters of ``BaseLLM.call`` in order; see crewai/llms/base_llm.py."""

_ASKERS = frozenset({"callbacks", "from_task", "from_agent"})
"""Parameters that say who asks; the answer does not depend on them."""

_SETTINGS = (
    "temperature",
    "top_p",
    "top_k",
    "max_tokens",
    "max_completion_tokens",
    "seed",
    "frequency_penalty",
    "presence_penalty",
    "n",
    "logit_bias",
    "reasoning_effort",
    "response_format",
    "tool_choice",
    "thinking",
    "instructions",
    "additional_params",
)
"""Attributes of a model object that change its answers."""

_MEMORIES = ("_last_response_id", "_last_reasoning_items")
"""What a model object remembers of its last answer and may send with the next request."""

_VOLATILE = frozenset({"cache_breakpoint"})
"""Keys of messages that steer the provider's cache and not the answer."""

_counting = threading.Lock()
_meter: ContextVar[Meter | None] = ContextVar("durably_crewai_meter", default=None)
_estimates: ContextVar[list[Any]] = ContextVar("durably_crewai_estimates")


def call(scope: Scope, original: Callable[..., Any], self: Any, *args: Any, **kwargs: Any) -> Any:
    """Journal ``BaseLLM.call``; retries of the SDK and of CrewAI stay inside the one step."""
    if scope.within("model", _name(self)):
        return original(self, *args, **kwargs)
    meter = Meter(self)

    def execute() -> Any:
        with meter.running():
            return original(self, *args, **kwargs)

    return scope.step(_described(self, args, kwargs, meter), execute)


async def acall(
    scope: Scope, original: Callable[..., Awaitable[Any]], self: Any, *args: Any, **kwargs: Any
) -> Any:
    """Journal ``BaseLLM.acall``."""
    if scope.within("model", _name(self)):
        return await original(self, *args, **kwargs)
    meter = Meter(self)

    async def execute() -> Any:
        with meter.running():
            return await original(self, *args, **kwargs)

    return await scope.astep(_described(self, args, kwargs, meter), execute)


def track(scope: Scope, original: Callable[..., Any], self: Any, *args: Any, **kwargs: Any) -> Any:
    """Note what ``_track_token_usage_internal`` adds, for the call that it is told by."""
    del scope
    meter = _meter.get()
    if meter is None or meter.model is not self:
        return original(self, *args, **kwargs)
    with _counting:
        before = dict(self._token_usage)
        done = original(self, *args, **kwargs)
        meter.add(_risen(before, self._token_usage))
    return done


def count_tokens(
    scope: Scope, original: Callable[..., int], self: Any, *args: Any, **kwargs: Any
) -> int:
    """Journal a provider's token count, which is a request, but not the local estimate.

    Every provider falls back on ``BaseLLM``'s estimate where it has no server to ask.
    """
    if original.__qualname__.startswith("BaseLLM.") or scope.within("model"):
        _estimates.get([]).append(self)
        return original(self, *args, **kwargs)
    given = _named(args, kwargs)
    request = {"model": _name(self), **given, "messages": _messages(given.get("messages"))}
    step = scope.open(Call("memory", "count_tokens", request))
    if step.held is not None:
        return int(step.replay())
    estimates: list[Any] = []
    token = _estimates.set(estimates)
    try:
        counted = original(self, *args, **kwargs)
        return counted if estimates else int(scope.perform(step, lambda: counted))
    finally:
        _estimates.reset(token)
        step.abandon()


def to_pydantic(scope: Scope, original: Callable[..., Any], self: Any) -> Any:
    """Journal ``InternalInstructor.to_pydantic``, which calls a model past ``BaseLLM``."""
    name = self.llm if isinstance(self.llm, str) else _name(self.llm)
    step = Call(
        "model",
        name,
        {"model": name, "content": self.content, "response_model": class_schema(self.model)},
        label=f"{name} → {self.model.__name__}",
        hint=self.model,
    )

    def execute() -> Any:
        # Instructor returns a class that it derives on the spot, which nothing can find again.
        made = original(self)
        return self.model.model_construct(_fields_set=made.model_fields_set, **made.__dict__)

    return scope.step(step, execute)


class Meter:
    """What one call adds to its model's counters, however many calls share the model.

    Args:
        model: The ``BaseLLM`` that is called.
    """

    def __init__(self, model: Any) -> None:
        self.model = model
        self._added: dict[str, int] = {}

    @contextmanager
    def running(self) -> Generator[None]:
        """Collect while the block runs, for each attempt anew."""
        self._added = {}
        before = dict(_counters(self.model))
        token = _meter.set(self)
        try:
            yield
        finally:
            _meter.reset(token)
        if not self._added and not type(self.model).__module__.startswith("crewai."):
            # A model class of the user's own may count for itself.
            self.add(_risen(before, _counters(self.model)))

    def add(self, counts: Mapping[str, int]) -> None:
        """Take more tokens in."""
        for key, count in counts.items():
            self._added[key] = self._added.get(key, 0) + count

    def usage(self, _: Any) -> Mapping[str, Any] | None:
        """Return the tokens in the journal's words."""
        if not self._added:
            return None
        return {
            "input_tokens": self._added.get("prompt_tokens", 0),
            "output_tokens": self._added.get("completion_tokens", 0),
        }

    def dump(self, value: Any) -> Any:
        """Return what is written for an answer."""
        remembered = {key: getattr(self.model, key, None) for key in _MEMORIES}
        kept = {key: item for key, item in remembered.items() if item is not None}
        return {"answer": value, "tokens": self._added, "remembered": kept}

    def load(self, stored: Any) -> Any:
        """Return a recorded answer, and leave the model as the call had left it."""
        counters = _counters(self.model)
        with _counting:
            for key, count in stored["tokens"].items():
                counters[key] = counters.get(key, 0) + count
        for key, value in stored["remembered"].items():
            if hasattr(self.model, key):
                setattr(self.model, key, value)
        return stored["answer"]


def _described(model: Any, args: tuple[Any, ...], kwargs: Mapping[str, Any], meter: Meter) -> Call:
    given = _named(args, kwargs)
    hint = given.get("response_model")
    return Call(
        "model",
        _name(model),
        _request(model, given),
        dump=meter.dump,
        load=meter.load,
        usage=meter.usage,
        hint=hint if isinstance(hint, type) else None,
    )


def _request(model: Any, given: Mapping[str, Any]) -> dict[str, Any]:
    """Return everything that changes the answer."""
    request: dict[str, Any] = {"model": _name(model)}
    for key, value in given.items():
        if key in _ASKERS or value is None:
            continue
        if key == "messages":
            value = _messages(value)  # noqa: PLW2901 - one chain of forms
        elif key == "available_functions":
            value = sorted(value)  # noqa: PLW2901
        elif isinstance(value, type):
            value = class_schema(value)  # noqa: PLW2901
        request[key] = value
    settings = {key: getattr(model, key, None) for key in _SETTINGS}
    set_ones = {
        key: class_schema(value) if isinstance(value, type) else value
        for key, value in settings.items()
        if value is not None and value != {}
    }
    stops = getattr(model, "stop_sequences", None) or getattr(model, "stop", None)
    if stops:
        set_ones["stop"] = sorted(set(stops))  # CrewAI passes them through a set
    if set_ones:
        request["settings"] = set_ones
    return request


def _named(args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> dict[str, Any]:
    return {**dict(zip(_PARAMETERS, args, strict=False)), **kwargs}


def _messages(messages: Any) -> Any:
    if not isinstance(messages, list):
        return messages
    return [
        without(message, _VOLATILE) if isinstance(message, Mapping) else message
        for message in messages
    ]


def _name(model: Any) -> str:
    return str(getattr(model, "model", None) or type(model).__name__)


def _counters(model: Any) -> dict[str, int]:
    found = getattr(model, "_token_usage", None)
    return found if isinstance(found, dict) else {}


def _risen(before: Mapping[str, int], after: Mapping[str, int]) -> dict[str, int]:
    risen = {key: count - before.get(key, 0) for key, count in after.items()}
    return {key: count for key, count in risen.items() if count}
