"""Chat models: every call of a ``BaseChatModel`` inside a run is a step.

A node is executed again from its top when it asked a person or its process died; what its models
answered before is not paid for again.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from durably.adapting import Call, Scope, Seam

from ._requests import without_ids


def _generate(
    scope: Scope,
    original: Callable[..., Any],
    self: Any,
    messages: list[Any],
    **options: Any,
) -> Any:
    if scope.within("model"):  # a model around a model
        return original(self, messages, **options)
    return scope.step(
        _call(original, self, messages, options),
        lambda: original(self, messages, **options),
    )


async def _agenerate(
    scope: Scope,
    original: Callable[..., Awaitable[Any]],
    self: Any,
    messages: list[Any],
    **options: Any,
) -> Any:
    if scope.within("model"):
        return await original(self, messages, **options)
    return await scope.astep(
        _call(original, self, messages, options),
        lambda: original(self, messages, **options),
    )


def _call(
    original: Callable[..., Any], model: Any, messages: list[Any], given: Mapping[str, Any]
) -> Call:
    options = {name: value for name, value in given.items() if name != "run_manager"}
    settings = model._get_ls_params(**options)
    request = {
        "model": {name: value for name, value in settings.items() if name.startswith("ls_")},
        "messages": without_ids(messages),
        "options": options,
    }
    name = settings.get("ls_model_name") or type(model).__name__

    def with_model(name: str) -> Callable[[], Any]:
        other = other_model(model, name)
        return lambda: original(other, messages, **given)

    return Call(
        "model", str(name), request, usage=_usage, adapter="langgraph", with_model=with_model
    )


def other_model(model: Any, name: str) -> Any:
    """Return a copy of *model* that calls the model *name* of the same provider.

    Raises:
        TypeError: The model does not keep its name where LangChain's do.
    """
    field = next((one for one in ("model_name", "model") if one in type(model).model_fields), None)
    if field is None:
        raise TypeError(f"a {type(model).__name__} cannot call another model")
    return model.model_copy(update={field: name})


def _usage(result: Any) -> Mapping[str, int] | None:
    message = getattr(result.generations[0], "message", None) if result.generations else None
    used = getattr(message, "usage_metadata", None)
    if not used:
        return None
    return {"input_tokens": used["input_tokens"], "output_tokens": used["output_tokens"]}


SEAMS = tuple(
    Seam(
        f"langchain_core.language_models.chat_models:BaseChatModel.{name}",
        "model",
        around,
        "model calls inside a node are repeated when the node is executed again",
        params=("messages", "stop", "run_manager"),
        optional=True,
    )
    for name, around in (
        ("_generate_with_cache", _generate),
        ("_agenerate_with_cache", _agenerate),
    )
)
