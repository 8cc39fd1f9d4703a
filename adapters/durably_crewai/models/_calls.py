"""Model calls as steps: what is asked, what comes back, and the token counters it moves."""

from __future__ import annotations

import threading
from collections.abc import Awaitable, Callable, Generator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from contextvars import ContextVar
from typing import Any

from durably.adapting import Call, Scope, Step, without_secrets

from .._event_bus import Announced
from .._values import class_schema, with_steady_ids, without
from ._fallback import other_model
from ._sdk_retries import left_to_the_policy
from ._token_usage import note_tokens

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

_counting = threading.RLock()
_under_way: ContextVar[_Asked | None] = ContextVar("durably_crewai_model_call", default=None)
_collecting: ContextVar[dict[str, int]] = ContextVar("durably_crewai_tokens")
_estimates: ContextVar[list[Any]] = ContextVar("durably_crewai_estimates")


def call(
    scope: Scope, original: Callable[..., Any], self: Any, /, *args: Any, **kwargs: Any
) -> Any:
    """Journal ``BaseLLM.call``; retries of the SDK and of CrewAI stay inside the one step."""
    if scope.within("model", _name(self)) or _is_called(scope, self):
        return original(self, *args, **kwargs)
    asked = _Asked(scope, self, args, kwargs)

    def with_model(name: str) -> Callable[[], Any]:
        other = other_model(self, name)

        def execute_other() -> Any:
            with asked.running(other):
                return other.call(*args, **kwargs)

        return execute_other

    def execute() -> Any:
        with asked.running():
            return original(self, *args, **kwargs)

    step = scope.open(asked.described(with_model))
    asked.is_retried = step.policy.retry is not None
    with asked.told_of(step):
        return scope.perform(step, execute)


async def acall(
    scope: Scope, original: Callable[..., Awaitable[Any]], self: Any, /, *args: Any, **kwargs: Any
) -> Any:
    """Journal ``BaseLLM.acall``."""
    if scope.within("model", _name(self)) or _is_called(scope, self):
        return await original(self, *args, **kwargs)
    asked = _Asked(scope, self, args, kwargs)

    def with_model(name: str) -> Callable[[], Awaitable[Any]]:
        other = other_model(self, name)

        async def execute_other() -> Any:
            with asked.running(other):
                return await other.acall(*args, **kwargs)

        return execute_other

    async def execute() -> Any:
        with asked.running():
            return await original(self, *args, **kwargs)

    step = scope.open(asked.described(with_model))
    asked.is_retried = step.policy.retry is not None
    with asked.told_of(step):
        return await scope.aperform(step, execute)


def track(
    scope: Scope, original: Callable[..., Any], self: Any, /, *args: Any, **kwargs: Any
) -> Any:
    """Note what ``_track_token_usage_internal`` adds, for the call that it is told by."""
    del scope
    asked = _under_way.get()
    if asked is None or asked.called is not self:
        return original(self, *args, **kwargs)
    with _counting:
        before = dict(self._token_usage)
        done = original(self, *args, **kwargs)
        asked.add(_risen(before, self._token_usage))
    return done


def count_tokens(
    scope: Scope, original: Callable[..., int], self: Any, /, *args: Any, **kwargs: Any
) -> int:
    """Journal a provider's token count, which is a request, but not the local estimate.

    Every provider falls back on ``BaseLLM``'s estimate where it has no server to ask.
    """
    if original.__qualname__.startswith("BaseLLM.") or scope.within("model"):
        _estimates.get([]).append(self)
        return original(self, *args, **kwargs)
    given = _named(args, kwargs)
    request = {"model": _name(self), **given, "messages": _messages(given.get("messages"))}
    step = scope.open(Call("memory", "count_tokens", request, adapter="crewai"))
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
        adapter="crewai",
    )

    def execute() -> Any:
        # Instructor returns a class that it derives on the spot, which nothing can find again.
        made = original(self)
        return self.model.model_construct(_fields_set=made.model_fields_set, **made.__dict__)

    return scope.step(step, execute)


@contextmanager
def counted() -> Generator[dict[str, int]]:
    """Collect the tokens of the model calls that are made, or replayed, in the block."""
    tokens: dict[str, int] = {}
    token = _collecting.set(tokens)
    try:
        yield tokens
    finally:
        _collecting.reset(token)


def add_tokens(model: Any, tokens: Mapping[str, int]) -> None:
    """Count *tokens* on a model object."""
    _add(_counters(model), tokens)


def _add(counters: dict[str, int], tokens: Mapping[str, int]) -> None:
    with _counting:
        for key, count in tokens.items():
            counters[key] = counters.get(key, 0) + count


class _Asked:
    """One call of a model: the step, and what it adds to the model's counters.

    The counters are exact however many calls share the model.
    """

    def __init__(
        self, scope: Scope, model: Any, args: tuple[Any, ...], kwargs: Mapping[str, Any]
    ) -> None:
        self.model = self.called = model
        self._given = _named(args, kwargs)
        self._added: dict[str, int] = {}
        self.is_retried = False
        self._announced = Announced(scope.run.codec, model, self._given)

    def described(self, with_model: Callable[[str], Callable[[], Any]]) -> Call:
        """Return the step."""
        hint = self._given.get("response_model")
        return Call(
            "model",
            _name(self.model),
            _request(self.model, self._given),
            dump=self._dump,
            load=self._load,
            usage=self._usage,
            hint=hint if isinstance(hint, type) else None,
            adapter="crewai",
            with_model=with_model,
        )

    @contextmanager
    def running(self, other: Any = None) -> Generator[None]:
        """Collect while the block runs, for each attempt anew.

        Args:
            other: The model that is called in this one's place; its tokens count here.
        """
        self._added = {}
        self.called = self._announced.called = self.model if other is None else other
        before = dict(_counters(self.called))
        token = _under_way.set(self)
        try:
            with self._announced.listening(), self._retried():
                yield
        finally:
            _under_way.reset(token)
        if not self._added and not type(self.called).__module__.startswith("crewai."):
            # A model class of the user's own may count for itself.
            self.add(_risen(before, _counters(self.called)))
        if _counters(self.called) is not _counters(self.model):
            add_tokens(self.model, self._added)

    def _retried(self) -> AbstractContextManager[None]:
        return left_to_the_policy(self.called) if self.is_retried else nullcontext()

    def add(self, counts: Mapping[str, int]) -> None:
        """Take more tokens in."""
        _add(self._added, counts)

    @contextmanager
    def told_of(self, step: Step) -> Generator[None]:
        """Tell CrewAI of a recorded failure that is raised in the block."""
        try:
            yield
        except Exception as error:
            if step.held is not None:
                self._announced.failed(error)
            raise

    def _usage(self, _: Any) -> Mapping[str, Any] | None:
        """Return the tokens in the journal's words."""
        if not self._added:
            return None
        return {
            "input_tokens": self._added.get("prompt_tokens", 0),
            "output_tokens": self._added.get("completion_tokens", 0),
        }

    def _dump(self, value: Any) -> Any:
        """Return what is written for an answer."""
        _add(_collecting.get({}), self._added)
        remembered = {key: getattr(self.model, key, None) for key in _MEMORIES}
        note_tokens(self.model, dict(self._added))
        return {
            "answer": value,
            "tokens": self._added,
            "remembered": {key: item for key, item in remembered.items() if item is not None},
            "announced": self._announced.noted(),
        }

    def _load(self, stored: Any) -> Any:
        """Return a recorded answer, and leave the model as the call had left it."""
        add_tokens(self.model, stored["tokens"])
        note_tokens(self.model, stored["tokens"])
        _add(_collecting.get({}), stored["tokens"])
        for key, value in stored["remembered"].items():
            if hasattr(self.model, key):
                setattr(self.model, key, value)
        self._announced.answered(stored["answer"], stored.get("announced", []))
        return stored["answer"]


def _is_called(scope: Scope, model: Any) -> bool:
    """Say whether *model* is being called for a step, in the place of the step's own model."""
    asked = _under_way.get()
    return asked is not None and asked.called is model and scope.within("model")


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
        request["settings"] = without_secrets(set_ones)
    return request


def _named(args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> dict[str, Any]:
    return {**dict(zip(_PARAMETERS, args, strict=False)), **kwargs}


def _messages(messages: Any) -> Any:
    if not isinstance(messages, list):
        return messages
    kept = [
        without(message, _VOLATILE) if isinstance(message, Mapping) else message
        for message in messages
    ]
    return with_steady_ids(kept)


def _name(model: Any) -> str:
    return str(getattr(model, "model", None) or type(model).__name__)


def _counters(model: Any) -> dict[str, int]:
    found = getattr(model, "_token_usage", None)
    return found if isinstance(found, dict) else {}


def _risen(before: Mapping[str, int], after: Mapping[str, int]) -> dict[str, int]:
    risen = {key: count - before.get(key, 0) for key, count in after.items()}
    return {key: count for key, count in risen.items() if count}
